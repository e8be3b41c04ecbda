import { assertEquals, assertThrows } from "@std/assert";
import { matrixParts, namedParts } from "../../datasets/arrays.ts";
import { arrayNamed, labelColumn, partNamed, rowAxis, withoutIndex, withoutOneHot } from "../../datasets/layout.ts";
import type { NumericArray, StoredArray } from "../../datasets/rows.ts";
import { fileDataset } from "../../storage/file_dataset.ts";
import { withFolder } from "./support.ts";

const stored = (
  shape: readonly number[],
  values = Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i),
) => {
  const array: NumericArray = { shape, values: Float32Array.from(values) };
  return { shape, read: () => ({ shape, values: array.values.slice() as Float32Array<ArrayBuffer> }) } as StoredArray;
};

Deno.test("arrayNamed() and partNamed() know what arrays, columns and folders are called", () => {
  assertEquals(arrayNamed("X"), { of: "data" });
  assertEquals(arrayNamed("target"), { of: "labels" });
  assertEquals(arrayNamed("testdata"), { of: "data", part: "test" });
  assertEquals(arrayNamed("train_images"), { of: "data", part: "train" });
  assertEquals(arrayNamed("y_val"), { of: "labels", part: "validation" });
  assertEquals(arrayNamed("weights"), undefined);
  assertEquals([partNamed("Train"), partNamed("testing"), partNamed("te"), partNamed("cats")], [
    "train",
    "test",
    undefined,
    undefined,
  ]);
  assertEquals([labelColumn(["a", "Class"]), labelColumn(["x", "y"]), labelColumn(["a", "Target", "label"])], [
    1,
    -1,
    2,
  ]);
});

Deno.test("rowAxis() finds which axis counts the rows, and refuses what can be read in two ways", () => {
  const axis = (shape: number[], options = {}) => rowAxis(shape, "f", options).axis;
  assertEquals(axis([5, 3]), 0);
  assertEquals(axis([3, 5], { labels: 5 }), 1);
  assertEquals(axis([400, 8, 8]), 0);
  assertEquals(axis([8, 8, 400]), 2);
  assertEquals(axis([8, 8, 400], { last: true }), 2);
  assertEquals(axis([400, 8, 8], { last: true }), 0);
  assertEquals(axis([28, 20, 1965], { last: true }), 2);
  assertEquals(axis([100, 8, 8, 3], { last: true }), 0);
  assertEquals(axis([8, 8, 3, 100], { last: true }), 3);
  assertEquals(axis([8, 8, 3, 100], { labels: 100 }), 3);
  assertThrows(
    () => axis([400, 12, 8], { last: true }),
    Error,
    "found [400, 12, 8]: 8 images of 400 x 12, or 400 of 12 x 8",
  );
});

Deno.test("withoutOneHot() takes one-hot targets for labels, rows or columns, and leaves others as they are", () => {
  const rows = withoutOneHot({ shape: [3, 2], values: Float32Array.of(1, 0, 0, 1, 1, 0) }, 3);
  assertEquals([...rows.values], [0, 1, 0]);
  const columns = withoutOneHot({ shape: [2, 3], values: Uint8Array.of(255, 0, 255, 0, 255, 0) }, 3);
  assertEquals([...columns.values], [0, 1, 0]);
  const twice = { shape: [2, 2], values: Float32Array.of(1, 1, 0, 1) };
  assertEquals(withoutOneHot(twice, 2), twice);
});

Deno.test("withoutIndex() takes a column away that only counts the rows, from the test rows too, and says so", () => {
  const rows = (count: number, from: number, columns?: string[]) => ({
    shape: [1, 2, 1] as const,
    count,
    values: Float32Array.from({ length: 2 * count }, (_, i) => i % 2 ? 7 + i * i % 5 : from + i / 2),
    ...(columns ? { columns } : {}),
  });
  const [train, test] = withoutIndex(rows(3, 1, ["Id", "size"]), [rows(2, 4, ["Id", "size"])]);
  assertEquals([train.shape, train.columns, [...train.values]], [[1, 1, 1], ["size"], [8, 11, 7]]);
  assertEquals([test.shape, test.values.length], [[1, 1, 1], 2]);
  assertEquals(train.reading?.passedOver, [{ name: "Id", why: "it counts the rows" }]);
  assertEquals(withoutIndex(rows(12, 0))[0].reading?.passedOver?.[0].name, "column 1");
  // Few rows without names may be of anything; and a name that says something is heeded.
  assertEquals(withoutIndex(rows(4, 0))[0].shape, [1, 2, 1]);
  const [day] = withoutIndex(rows(12, 0, ["day", "size"]));
  assertEquals([day.shape, day.reading?.remarks?.length], [[1, 2, 1], 1]);
});

Deno.test("arrays of other habits are read: data [D, N] beside target, testdata, one-hot targets, others passed over", () => {
  const wide = namedParts(
    new Map([["data", stored([2, 4])], ["target", stored([4], [0, 1, 0, 1])], ["weights", stored([4])]]),
    "f.npz",
  ).train;
  assertEquals([wide.shape, wide.count, [...wide.values], [...wide.labels!]], [
    [1, 2, 1],
    4,
    [0, 4, 1, 5, 2, 6, 3, 7],
    [0, 1, 0, 1],
  ]);
  assertEquals(wide.reading, {
    values: ["data"],
    labels: "target",
    passedOver: [{ name: "weights", why: "neither data nor labels" }],
    remarks: ["[2, 4] counts its rows last, as its labels say"],
  });
  const { train, test } = namedParts(new Map([["data", stored([4, 2])], ["testdata", stored([3, 2])]]), "f.npz");
  assertEquals([train.count, test?.count], [4, 3]);
  const hot = namedParts(new Map([["X", stored([3, 4])], ["y", stored([3, 2], [1, 0, 0, 1, 0, 1])]]), "f.npz").train;
  assertEquals([...hot.labels!], [0, 1, 1]);
  // As scipy writes NumPy's [N, H, W]: column-major, the first index fastest.
  const images = matrixParts(new Map([["images", stored([5, 2, 2])]]), "f.mat").train;
  assertEquals([images.shape, images.count, [...images.values.subarray(0, 4)]], [[2, 2, 1], 5, [0, 10, 5, 15]]);
});

Deno.test("fileDataset() takes Class and target columns for labels, where they are classes, and leaves ids out", () =>
  withFolder(async (folder) => {
    const load = async (text: string) => {
      await Deno.writeTextFile(`${folder}/t.csv`, text);
      return await fileDataset(`${folder}/t.csv`).load();
    };
    const lines = (of: (i: number) => string) => Array.from({ length: 12 }, (_, i) => of(i)).join("\n");
    const classes = await load(`id,size,Class\n${lines((i) => `${i},${i % 5 / 2},${i % 3}`)}\n`);
    assertEquals([classes.shape, classes.classes, classes.columns], [[1, 1, 1], 3, ["size"]]);
    assertEquals(classes.reading?.labels, "Class");
    assertEquals(classes.reading?.passedOver, [{ name: "id", why: "it names the rows" }]);
    const target = await load(`size,target\n${lines((i) => `${i % 5},${1.5 * i + 0.25}`)}\n`);
    assertEquals([target.shape, target.classes], [[1, 2, 1], undefined]);
    assertEquals(target.reading?.remarks, [
      "the column target holds numbers that are no classes: a value as the others",
    ]);
  }));
