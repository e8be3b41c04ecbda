import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Dataset, Split } from "../../core/dataset.ts";
import { encodeNpz, type WrittenArray } from "../../datasets/npy.ts";
import { fileDataset } from "../../storage/file_dataset.ts";
import { withFolder } from "./support.ts";

/** Files as NumPy and SciPy write them; made by tests/golden/arrays.py. */
const golden: Record<string, string> = JSON.parse(
  await Deno.readTextFile(new URL("../golden/arrays.json", import.meta.url)),
);

/** Loads a golden file, or what `change` makes of it, under its name. */
async function load(
  name: string,
  change = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => bytes,
): Promise<Dataset> {
  let dataset: Dataset | undefined;
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/${name}`, change(Uint8Array.fromBase64(golden[name])));
    dataset = await fileDataset(`${folder}/${name}`).load();
  });
  return dataset!;
}

/** All rows, train and test, in the order of their first value; each with its label. */
function sorted({ shape, train, test }: Dataset): number[][] {
  const width = shape[0] * shape[1] * shape[2];
  const rows = (split: Split) =>
    Array.from({ length: split.count }, (_, n) => [
      ...split.values.subarray(n * width, (n + 1) * width),
      ...(split.labels ? [split.labels[n]] : []),
    ]);
  return [...rows(train), ...rows(test)].sort((a, b) => a[0] - b[0]);
}

/** The table of the golden files: 0 to 11 in four rows of three. */
const table = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]];
const eighths = table.map((row) => row.map((value) => value / 8));
const labels = [2, 0, 1, 2];
/** The images of the golden files: 0 to 39 in four images of 2 x 5. */
const images = Array.from({ length: 4 }, (_, n) => Array.from({ length: 10 }, (_, i) => 10 * n + i));
const labelled = (rows: number[][]) => rows.map((row, n) => [...row, labels[n]]);

const tables: [file: string, what: string, shape: Dataset["shape"], rows: number[][]][] = [
  ["bytes.npy", "bytes of three dimensions as grey images", [2, 5, 1], images],
  ["float64.npy", "float64", [1, 3, 1], eighths],
  ["fortran.npy", "column-major arrays", [1, 3, 1], eighths],
  ["big_endian.npy", "big-endian numbers", [1, 3, 1], eighths],
  ["int64.npy", "integers, as they are", [1, 3, 1], table],
  ["bool.npy", "booleans as 0 and 255", [1, 3, 1], [[0, 255, 0], [0, 255, 0], [255, 0, 255], [255, 0, 255]]],
  ["version3.npy", "headers of version 3", [1, 3, 1], eighths],
  [
    "planar.npy",
    "channels before height and width, and puts them last",
    [2, 2, 3],
    [[0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11], [12, 16, 20, 13, 17, 21, 14, 18, 22, 15, 19, 23]],
  ],
  ["stored.npz", "x and y of an archive", [2, 5, 1], labelled(images)],
  ["deflated.npz", "images and labels of a packed archive", [2, 5, 1], labelled(images)],
  ["parts.npz", "the parts of an archive", [2, 5, 1], labelled(images)],
  ["alone.npz", "the only array of an archive", [1, 3, 1], eighths],
  ["plain.mat", "x and y, and passes over texts and cells", [1, 3, 1], labelled(eighths)],
  ["packed.mat", "packed matrices", [1, 3, 1], labelled(eighths)],
  ["doubles_as_bytes.mat", "doubles that are stored in smaller types", [1, 3, 1], table],
  ["float16.npy", "numbers of 16 bits", [1, 3, 1], eighths],
  ["big_endian16.npy", "big-endian numbers of 16 bits", [1, 3, 1], eighths],
  ["fortran_images.npz", "column-major images", [2, 5, 1], labelled(images)],
  ["level4.mat", "matrices of level 4", [1, 3, 1], labelled(eighths)],
  ["columns.mat", "data in columns, where the labels say so", [1, 10, 1], labelled(images)],
];

for (const [file, what, shape, rows] of tables) {
  Deno.test(`fileDataset() reads ${file}: ${what}`, async () => {
    const dataset = await load(file);
    assertEquals(dataset.shape, shape);
    assertEquals([dataset.train.count, dataset.test.count], [rows.length - 1, 1]);
    // Booleans have no order by their first value.
    const byText = (rows: number[][]) => rows.map(String).sort();
    assertEquals(byText(sorted(dataset)), byText(rows));
    assertEquals(dataset.classes, dataset.train.labels ? 3 : undefined);
    const isBytes = ["bytes.npy", "bool.npy", "planar.npy", "columns.mat"].includes(file) ||
      /(stored|deflated|parts|fortran_images).npz/.test(file);
    assertEquals(dataset.train.values instanceof Uint8Array, isBytes);
  });
}

Deno.test("fileDataset() reads labels that are texts, and names what it passes over", async () => {
  for (const file of ["texts.npz", "byte_texts.npz", "cells.mat", "letters.mat", "letters4.mat"]) {
    const { classNames, classes, train, test, reading, rowNames } = await load(file);
    assertEquals([classes, classNames], [3, ["bird", "cat", "dog"]], file);
    assertEquals([...train.labels!, ...test.labels!].toSorted(), [0, 1, 2, 2], file);
    assertEquals(reading?.labels, "y");
    if (file === "texts.npz") {
      assertEquals([reading?.values, reading?.passedOver], [["x"], [{ name: "notes", why: "Python objects" }]]);
      assertEquals([reading?.remarks, rowNames], [["rows named by ids"], ["é1", "b", "c", "d"]]);
    }
    if (file === "cells.mat") {
      assertEquals(reading?.passedOver?.map(({ why }) => why), ["a structure", "a sparse matrix"]);
    }
  }
  const signed = await load("signed.npz");
  assertEquals(signed.classNames, ["-1", "1", "1000"]);
});

Deno.test("fileDataset() names the columns, the rows and the classes by the texts beside them, where these are as many", async () => {
  const values = Float32Array.from({ length: 12 }, (_, i) => i / 8);
  const y = { shape: [4], values: Uint8Array.from([0, 2, 1, 2]) };
  const x = { shape: [4, 3], values };
  const [columns, classes] = [["length", "width", "height"], ["setosa", "versicolor", "virginica"]];
  const rows = ["p", "q", "r", "s"];
  const text = (values: readonly string[]) => ({ shape: [values.length], values });
  await withFolder(async (folder) => {
    const read = async (arrays: Record<string, WrittenArray>) => {
      await Deno.writeFile(`${folder}/x.npz`, encodeNpz(arrays));
      const { columns, rowNames, classNames, reading } = await fileDataset(`${folder}/x.npz`).load();
      return { columns, rowNames, classNames, remarks: reading?.remarks, passedOver: reading?.passedOver };
    };
    const all = await read({ x, y, names: text(columns), ids: text(rows), target_names: text(classes) });
    assertEquals(all, {
      ...{ columns, rowNames: rows, classNames: classes, passedOver: undefined },
      remarks: ["columns named by names", "rows named by ids", "classes named by target_names"],
    });
    const few = await read({ x, y, names: text(rows), ids: text(columns), target_names: text(classes.slice(0, 2)) });
    assertEquals([few.columns, few.rowNames, few.classNames], [undefined, rows, undefined]);
    assertEquals(few.passedOver?.map(({ name }) => name), ["ids", "target_names"]);
  });
});

Deno.test("fileDataset() leaves the parts of an archive as they are", async () => {
  const { train, test } = await load("parts.npz");
  assertEquals([...train.values.subarray(0, 3), ...test.values.subarray(0, 3)], [0, 1, 2, 30, 31, 32]);
  assertEquals([...train.labels!, ...test.labels!], labels);
});

Deno.test("fileDataset() reads MATLAB's pictures [height, width, channels, N]", async () => {
  const dataset = await load("pictures.mat");
  assertEquals(dataset.shape, [2, 3, 3]);
  // NumPy's X[h, w, c, n] is 36 h + 12 w + 4 c + n.
  const picture = (n: number) =>
    Array.from({ length: 18 }, (_, i) => 36 * Math.floor(i / 9) + 12 * (Math.floor(i / 3) % 3) + 4 * (i % 3) + n);
  assertEquals(sorted(dataset), [0, 1, 2, 3].map((n) => [...picture(n), labels[n]]));
});

const refused: [file: string, message: string][] = [
  ["complex.npy", "expected numbers (b1, u1, i1, u2, i2, u4, i4, u8, i8, f2, f4, f8), found complex numbers"],
  ["text.npy", "found text (U1)"],
  ["nan.npy", "expected finite numbers, found NaN in row 1, column 0 (from 0)"],
  ["several.npz", "expected an array called x, data, images, or one array only, found a [4, 3], b [4, 2, 5]"],
  ["objects.npz", "found Python objects; save it as numbers or text: array.astype(float) or array.astype(str)"],
  ["sparse.npz", "found a sparse matrix of SciPy; save it by numpy.savez(path, x=matrix.toarray())"],
  ["sparse.mat", 'expected numbers, found a sparse matrix (save it by full(x)) in "x"'],
  ["sparse4.mat", 'expected numbers, found a sparse matrix (save it by full(x)) in "x"'],
  ["complex.mat", 'expected real numbers, found complex ones in "x"'],
];
for (const [file, message] of refused) {
  Deno.test(`fileDataset() refuses ${file} and names it`, async () => {
    const error = await assertRejects(() => load(file), Error, message);
    assert(error.message.startsWith('Cannot read "/') && error.message.includes(`/${file}`), error.message);
  });
}

Deno.test("fileDataset() refuses every array file cut short, wherever", async () => {
  for (const [file] of [...tables, ["pictures.mat"]]) {
    const { length } = Uint8Array.fromBase64(golden[file]);
    for (const part of [0, 0.02, 0.3, 0.6, 0.9, 0.97]) {
      const cut = Math.floor(part * length);
      const { message } = await assertRejects(
        () => load(file, (bytes) => bytes.slice(0, cut)),
        Error,
        undefined,
        `${file} cut at ${cut}`,
      );
      assertStringIncludes(message, `/${file}`);
      assert(message.startsWith("Cannot read "), message);
    }
  }
});

Deno.test("fileDataset() says what a file is that only looks like an array", async () => {
  const text = () => new TextEncoder().encode("label,x\n1,2\n");
  await assertRejects(() => load("bytes.npy", text), Error, "expected an .npy array, found 12 bytes of something else");
  await assertRejects(() => load("stored.npz", text), Error, "expected a zip archive, found something else");
  await assertRejects(() => load("plain.mat", text), Error, "expected a .mat file, found 12 bytes");
  const hdf = () => new TextEncoder().encode("MATLAB 7.3 MAT-file".padEnd(512));
  await assertRejects(() => load("plain.mat", hdf), Error, "expected a .mat file, found 512 bytes of something else");
});
