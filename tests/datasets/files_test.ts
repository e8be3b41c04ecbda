import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { features } from "../../core/dataset.ts";
import { fileDataset } from "../../storage/file_dataset.ts";
import { findDataset } from "../../storage/datasets.ts";
import { divide, type Rows, rowsOf } from "../../datasets/rows.ts";
import { greyPng, gzip, idx, withFolder } from "./support.ts";

const bytes = (count: number) => Array.from({ length: count }, (_, i) => i);

const freyFaces = findDataset("frey_faces");

Deno.test("findDataset() knows names first, then files, and calls them by their absolute path", async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/50 % #1?`);
    await Deno.writeFile(`${folder}/50 % #1?/a.idx`, idx([6, 2], bytes(12)));
    const path = `${folder}/50 % #1?/a.idx`;
    assertEquals(findDataset(path).name, path);
    assertEquals(findDataset(`${folder}/./50 % #1?/../50 % #1?/a.idx`).name, path);
    assertEquals((await findDataset(path).load()).name, path);
    assertEquals(findDataset(`${folder}/`).name, folder);
    assertEquals(findDataset("mod.ts").name, `${Deno.cwd()}/mod.ts`);
  });
});

Deno.test("findDataset() lists the names when there is neither a name nor a file", () => {
  assertThrows(
    () => findDataset("./none.npy"),
    RangeError,
    'Cannot find dataset "./none.npy": expected one of mnist, fashion_mnist, cifar10, frey_faces, sprites, or a file',
  );
  assertThrows(() => findDataset("README.md/none"), RangeError, 'Cannot find dataset "README.md/none"');
});

Deno.test("fileDataset() reads an idx file with the labels and test images that lie beside it", async () => {
  await withFolder(async (folder) => {
    const write = async (name: string, file: Uint8Array) => await Deno.writeFile(`${folder}/${name}`, file);
    await write("train-images-idx3-ubyte", idx([3, 2, 2], bytes(12)));
    await write("train-labels-idx1-ubyte", idx([3], [1, 0, 4]));
    await write("t10k-images-idx3-ubyte", idx([1, 2, 2], [7, 7, 7, 7]));
    await write("t10k-labels-idx1-ubyte", idx([1], [5]));
    const { shape, classes, train, test } = await fileDataset(`${folder}/train-images-idx3-ubyte`).load();
    assertEquals([shape, classes], [[2, 2, 1], 6]);
    assertEquals([[...train.values], [...train.labels!]], [bytes(12), [1, 0, 4]]);
    assertEquals([[...test.values], [...test.labels!]], [[7, 7, 7, 7], [5]]);
    const whole = await fileDataset(folder).load();
    assertEquals([whole.name, whole.train.values], [folder, train.values]);

    await write("train-labels-idx1-ubyte", idx([2], [1, 0]));
    const { message } = await assertRejects(() => fileDataset(folder).load(), Error);
    assertStringIncludes(message, "expected a label for each of 3 rows, found labels of the shape [2]");
    assertStringIncludes(message, "train-images-idx3-ubyte");

    await write("train-labels-idx1-ubyte", idx([3], [1, 0, 0]));
    await write("t10k-images-idx3-ubyte", idx([1, 4, 1], [7, 7, 7, 7]));
    await assertRejects(
      () => fileDataset(folder).load(),
      Error,
      "expected test rows of the shape [2,2,1], as the training rows, found [4,1,1]",
    );
  });
});

Deno.test("fileDataset() reads one table, and says that the test rows beside it are others", async () => {
  await withFolder(async (folder) => {
    for (const name of ["train.csv", "test.csv", "other.csv"]) {
      await Deno.writeTextFile(`${folder}/${name}`, "a,b\n1,2\n3,4\n5,7\n");
    }
    const { test, reading } = await fileDataset(`${folder}/train.csv`).load();
    assertEquals([test.count, reading?.remarks], [1, [
      "test.csv beside it is not read, test rows are held out of these",
    ]]);
    assertEquals((await fileDataset(`${folder}/other.csv`).load()).reading?.remarks, undefined);
  });
});

Deno.test("fileDataset() reads a packed idx file, and mixes rows and labels together", async () => {
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/images.gz`, await gzip(idx([30, 2], bytes(60))));
    await Deno.writeFile(`${folder}/labels.gz`, await gzip(idx([30, 1], bytes(30))));
    const { shape, train, test, seed } = await fileDataset(`${folder}/images.gz`).load({ seed: 3 });
    assertEquals([shape, train.count, test.count, seed], [[1, 2, 1], 25, 5, 3]);
    const labels = [...train.labels!, ...test.labels!];
    assertEquals([...train.values, ...test.values], labels.flatMap((label) => [2 * label, 2 * label + 1]));
    assertEquals([...labels].sort((a, b) => a - b), bytes(30));
  });
});

Deno.test("fileDataset() mixes covariates together with their rows", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/t.csv`;
    const lines = bytes(30).map((i) => `${i},${2 * i},${3 * i}`);
    await Deno.writeTextFile(path, ["x,c_two,c_three", ...lines].join("\n"));
    const { covariates, train, test } = await fileDataset(path).load({ seed: 3 });
    assertEquals([covariates, train.count, test.count], [["c_two", "c_three"], 25, 5]);
    const rows = [...train.values, ...test.values];
    assertEquals([...train.covariates!, ...test.covariates!], rows.flatMap((x) => [2 * x, 3 * x]));
    assertEquals(rows.toSorted((a, b) => a - b), bytes(30));
  });
});

Deno.test("rowsOf() refuses covariates of other rows, or that are not finite", () => {
  const data = { shape: [2, 2], values: new Float32Array(4) };
  const take = (shape: number[], values: number[]) => () =>
    rowsOf(data, "x.npz", { covariates: { shape, values: Float32Array.from(values) } });
  assertThrows(take([3, 1], [1, 2, 3]), Error, "expected covariates of the shape [2, C], found the shape [3, 1]");
  assertThrows(take([2], [1, NaN]), Error, "expected finite covariates, found NaN");
  assertEquals(take([2], [1, 2])().names, ["c0"]);
});

Deno.test("fileDataset() refuses what is no data", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/notes.md`;
    await Deno.writeTextFile(path, "# notes");
    await assertRejects(
      () => fileDataset(path).load(),
      Error,
      `Cannot read "${path}": expected a folder of PNG files, .npy`,
    );
    const labels = `${folder}/labels.idx`;
    await Deno.writeFile(labels, idx([3], [1, 2, 3]));
    await assertRejects(() => fileDataset(labels).load(), Error, "found the shape [3]");
  });
});

Deno.test("divide() keeps every row once, whatever the count and the seed", () => {
  for (const count of [2, 3, 7, 64, 100, 1001]) {
    for (const seed of [0, 9]) {
      const rows: Rows = {
        shape: [1, 2, 1],
        count,
        values: Float32Array.from({ length: 2 * count }, (_, i) => i),
        labels: Uint8Array.from({ length: count }, (_, i) => i),
      };
      const { train, test } = divide(rows, seed, "x");
      assertEquals(test.count, Math.max(1, Math.floor(count / 6)));
      const values = [...train.values, ...test.values];
      const firsts = values.filter((_, i) => i % 2 === 0);
      assertEquals(values.filter((_, i) => i % 2), firsts.map((value) => value + 1));
      assertEquals([...train.labels!, ...test.labels!], firsts.map((value) => value / 2 % 256));
      assertEquals([...firsts].sort((a, b) => a - b), Array.from({ length: count }, (_, i) => 2 * i));
    }
  }
});

/** A .mat file of level 5 with one matrix of unsigned bytes, as MATLAB lays it out. */
function mat(name: string, rows: number, columns: number, value: (i: number) => number): Uint8Array<ArrayBuffer> {
  const u32 = (...values: number[]) => [...new Uint8Array(Uint32Array.from(values).buffer)];
  const text = (content: string, length: number) => [...new TextEncoder().encode(content.padEnd(length))];
  const data = Array.from({ length: rows * columns }, (_, i) => value(i));
  const padding = new Array((8 - data.length % 8) % 8).fill(0);
  const inside = [
    ...u32(6, 8, 9, 0),
    ...u32(5, 8, rows, columns),
    ...u32(1 | name.length << 16),
    ...text(name, 4),
    ...u32(2, data.length),
    ...data,
    ...padding,
  ];
  return Uint8Array.from([
    ...text("MATLAB 5.0 MAT-file", 124),
    0,
    1,
    ...text("IM", 2),
    ...u32(14, inside.length),
    ...inside,
  ]);
}

Deno.test("freyFaces.load() takes the columns of the matrix for images of 28 x 20", async () => {
  await withFolder(async (folder) => {
    // Every pixel of a face is the face's number.
    await Deno.writeFile(`${folder}/frey_rawface.mat`, mat("ff", 560, 1965, (i) => Math.floor(i / 560) % 256));
    const { name, shape, train, test } = await freyFaces.load({ folder });
    assertEquals([name, shape, train.count, test.count], ["frey_faces", [28, 20, 1], 1638, 327]);
    assertEquals(train.values.every((value, i) => value === train.values[i - i % features(shape)]), true);
    const path = `${folder}/frey_rawface.mat`;
    const own = await findDataset(path).load();
    assertEquals([own.name, own.shape, own.train.values], [path, shape, train.values]);
  });
});

Deno.test("freyFaces.load() says where to put the file, and refuses another one", async () => {
  await withFolder(async (folder) => {
    await assertRejects(
      () => freyFaces.load({ folder }),
      Error,
      `Cannot load the Frey faces: expected ${folder}/frey_rawface.mat; get frey_rawface.mat from https://`,
    );
    await Deno.writeFile(`${folder}/frey_rawface.mat`, mat("ff", 2, 3, (i) => i));
    await assertRejects(
      () => freyFaces.load({ folder }),
      Error,
      `Cannot read "${folder}/frey_rawface.mat": expected bytes [560, 1965], found no such matrix`,
    );
  });
});

Deno.test("fileDataset() holds the images of a folder once, and decodes one at a time", async () => {
  await withFolder(async (folder) => {
    // 2,000 images of 64 x 64: 8.2 MB of rows, 32.8 MB as pngjs gives them.
    const images = Array.from({ length: 8 }, (_, n) => greyPng(64, 64, 30 * n));
    for (let n = 0; n < 2000; n++) Deno.writeFileSync(`${folder}/${n}.png`, images[n % 8]);
    const { train, test } = await fileDataset(folder).load();
    const buffers = new Set([train, test].map(({ values }) => values.buffer));
    const kept = [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
    assertEquals([kept < 2001 * 4096, train.values.length + test.values.length], [true, 2000 * 4096]);
  });
});
