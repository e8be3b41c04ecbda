import { crc32 } from "node:zlib";
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import type { Dataset } from "../../core/dataset.ts";
import { readImageFolder } from "../../storage/image_folder.ts";
import { greyPng, png, withFolder } from "./support.ts";

/** Reads a folder that holds such files. */
async function read(files: Record<string, Uint8Array>, seed?: number): Promise<Dataset> {
  let dataset: Dataset | undefined;
  await withFolder(async (folder) => {
    for (const [name, bytes] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${name.replace(/[^/]*$/, "")}`, { recursive: true });
      await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    dataset = await readImageFolder(folder, { seed }).catch((error) => {
      throw new Error(error.message.replaceAll(folder, "data"));
    });
  });
  return dataset!;
}

/** So many grey images of 1 x 2, each of its own value. */
const greys = (count: number, folder = "") =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${folder}${n}.png`, greyPng(1, 2, n)]));

Deno.test("readImageFolder() reads grey images, a sixth of them to test on", async () => {
  const { shape, classes, train, test } = await read({ ...greys(13), "README.md": new Uint8Array(3) });
  assertEquals([shape, classes, train.count, test.count, train.labels], [[1, 2, 1], undefined, 11, 2, undefined]);
  const all = [...train.values, ...test.values];
  assert(all.every((value, i) => value === all[i - i % 2]));
  assertEquals(all.filter((_, i) => i % 2).sort((a, b) => a - b), Array.from({ length: 13 }, (_, n) => n));
});

Deno.test("readImageFolder() mixes by the seed: the same for equal ones", async () => {
  const values = async (seed: number) => (await read(greys(40), seed)).train.values;
  assertEquals(await values(1), await values(1));
  assertNotEquals(await values(1), await values(2));
});

Deno.test("readImageFolder() takes folders for classes, in the order of their names", async () => {
  const files = { ...greys(6, "2/"), ...greys(6, "10/"), ...greys(6, "cat/") };
  const { classes, train, test } = await read({
    ...files,
    "2/7.png": greyPng(1, 2, 77),
    "cat/8.png": greyPng(1, 2, 88),
  });
  assertEquals([classes, train.count, test.count], [3, 17, 3]);
  const rows = [...train.labels!, ...test.labels!].map((label, n) => [[...train.values, ...test.values][2 * n], label]);
  assertEquals(rows.filter(([value]) => value > 70).sort(), [[77, 0], [88, 2]]);
  assertEquals([0, 1, 2].map((label) => rows.filter(([, found]) => found === label).length), [7, 6, 7]);
});

Deno.test("readImageFolder() takes train and test as they are, but mixes what is trained on", async () => {
  const { classes, train, test } = await read({
    ...greys(30, "train/a/"),
    ...greys(2, "train/b/"),
    ...greys(2, "test/a/"),
    ...greys(1, "test/b/"),
  });
  assertEquals([classes, train.count, test.count], [2, 32, 3]);
  assertEquals([[...test.values], [...test.labels!]], [[0, 0, 1, 1, 0, 0], [0, 0, 1]]);
  assertNotEquals([...train.values.subarray(0, 60)].filter((_, i) => i % 2), Array.from({ length: 30 }, (_, n) => n));
});

Deno.test("readImageFolder() reads colour, and drops alpha where nothing is transparent", async () => {
  const pixels = [10, 20, 30, 255, 40, 50, 60, 255];
  const { shape, train } = await read({ "a.png": png(1, 2, pixels, 2), "b.png": png(1, 2, pixels, 6) });
  assertEquals([shape, [...train.values]], [[1, 2, 3], [10, 20, 30, 40, 50, 60]]);
});

Deno.test("readImageFolder() follows links to classes and images", async () => {
  await withFolder(async (folder) => {
    for (const path of ["there", "here", "here/b"]) await Deno.mkdir(`${folder}/${path}`);
    for (const n of [0, 1]) await Deno.writeFile(`${folder}/there/${n}.png`, greyPng(1, 2, n));
    await Deno.symlink(`${folder}/there`, `${folder}/here/a`);
    await Deno.symlink(`${folder}/there/0.png`, `${folder}/here/b/0.png`);
    const { classes, train, test } = await readImageFolder(`${folder}/here`);
    assertEquals([classes, train.count, test.count], [2, 2, 1]);
  });
});

const small = greyPng(2, 2, 1);
/** With a chunk that says: the grey value 1 is transparent. */
const keyed = [0x74, 0x52, 0x4e, 0x53, 0, 1];
const transparent = new Uint8Array([
  ...small.subarray(0, 33),
  ...[0, 0, 0, 2, ...keyed],
  ...new Uint8Array(Uint32Array.of(crc32(Uint8Array.from(keyed))).buffer).reverse(),
  ...small.subarray(33),
]);
const sixteen = greyPng(2, 2, 1);
sixteen[24] = 16;
const refused: [what: string, files: Record<string, Uint8Array>, message: string][] = [
  [
    "an image of another size",
    { "a.png": small, "b.png": greyPng(3, 2, 1) },
    'Cannot read "data/b.png": expected 2 x 2 grey like the first image, found 3 x 2 grey',
  ],
  [
    "colour among grey",
    { "a.png": small, "b.png": png(2, 2, new Array(16).fill(255), 2) },
    'Cannot read "data/b.png": expected 2 x 2 grey like the first image, found 2 x 2 colour',
  ],
  [
    "transparent pixels",
    { "a.png": small, "b.png": png(2, 2, new Array(16).fill(9), 4) },
    'Cannot read "data/b.png": expected no transparency, found transparent pixels; lay the image on a background first',
  ],
  [
    "a transparent colour",
    { "a.png": small, "b.png": transparent },
    'Cannot read "data/b.png": expected no transparency, found transparent pixels; lay the image on a background first',
  ],
  [
    "16 bits a channel",
    { "a.png": small, "b.png": sixteen },
    'Cannot read "data/b.png": expected at most 8 bits a channel, found 16',
  ],
  [
    "an image cut short",
    { "a.png": small, "b.png": small.subarray(0, 50) },
    'Cannot read "data/b.png": expected a whole PNG file, found a damaged one (cut short?)',
  ],
  [
    "a file that is no PNG",
    { "a.png": small, "b.png": new TextEncoder().encode("GIF89a") },
    'Cannot read "data/b.png": expected a PNG file, found 6 bytes of something else',
  ],
  [
    "images of other formats",
    { "a.png": small, "b.jpg": small },
    'Cannot read "data/b.jpg": expected PNG images only; convert it to PNG or take it away',
  ],
  [
    "a folder without images",
    { "a.txt": small },
    'Cannot read "data": expected PNG files or class folders, found none',
  ],
  [
    "images beside class folders",
    { "a.png": small, "c/b.png": small },
    'Cannot read "data": expected PNG files or class folders, found both (a.png, c/)',
  ],
  [
    "a class without images",
    { "a/a.png": small, "b/b.txt": small },
    'Cannot read "data/b": expected PNG files in the class folder, found none',
  ],
  [
    "other classes to test on",
    { "train/a/1.png": small, "test/b/1.png": small },
    'Cannot read "data": expected the same classes in train and test, found a and b',
  ],
  [
    "folders beside train and test",
    { "train/1.png": small, "test/1.png": small, "val/1.png": small },
    'Cannot read "data": expected no folder beside train/ and test/, found test, train, val',
  ],
  [
    "a single image",
    { "a.png": small },
    'Cannot read "data": expected at least 2 rows, one to train and one to test on, found 1',
  ],
];
for (const [what, files, message] of refused) {
  Deno.test(`readImageFolder() refuses ${what}`, async () => {
    assertEquals((await assertRejects(() => read(files), Error)).message, message);
  });
}
