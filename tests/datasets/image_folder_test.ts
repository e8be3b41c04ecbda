import { crc32 } from "node:zlib";
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import type { Dataset } from "../../core/dataset.ts";
import { type ImageConfig, readImageFolder } from "../../storage/image_folder.ts";
import { IMAGES } from "./images.ts";
import { greyPng, png, withFolder } from "./support.ts";

/** Reads a folder that holds such files. */
async function read(
  files: Record<string, Uint8Array>,
  seed?: number,
  settings?: Partial<ImageConfig>,
): Promise<Dataset> {
  let dataset: Dataset | undefined;
  await withFolder(async (folder) => {
    for (const [name, bytes] of Object.entries(files)) {
      await Deno.mkdir(`${folder}/${name.replace(/[^/]*$/, "")}`, { recursive: true });
      await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    dataset = await readImageFolder(folder, { seed, settings }).catch((error) => {
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
const refused: [what: string, files: Record<string, Uint8Array>, message: string][] = [
  [
    "an image of another size",
    { "a.png": small, "b.png": greyPng(3, 2, 1) },
    'Cannot read "data/b.png": expected 2 x 2 grey like the first image, found 3 x 2 grey; bring all to one size by --image-size 64 (or another)',
  ],
  [
    "colour among grey",
    { "a.png": small, "b.png": png(2, 2, new Array(16).fill(255), 2) },
    'Cannot read "data/b.png": expected 2 x 2 grey like the first image, found 2 x 2 colour; say what all become by --colour rgb or --colour grey',
  ],
  [
    "transparent pixels",
    { "a.png": small, "b.png": png(2, 2, new Array(16).fill(9), 4) },
    'Cannot read "data/b.png": expected no transparency, found transparent pixels; lay the image on a background first, or say which by --background white (or black)',
  ],
  [
    "a transparent colour",
    { "a.png": small, "b.png": transparent },
    'Cannot read "data/b.png": expected no transparency, found transparent pixels; lay the image on a background first, or say which by --background white (or black)',
  ],
  [
    "an image cut short",
    { "a.png": small, "b.png": small.subarray(0, 50) },
    'Cannot read "data/b.png": expected a whole PNG file, found a damaged one (cut short?)',
  ],
  [
    "a file that is no PNG",
    { "a.png": small, "b.png": new TextEncoder().encode("GIF89a") },
    'Cannot read "data/b.png": expected a PNG, JPEG or WebP image, found 6 bytes of something else',
  ],
  [
    "images of other formats",
    { "a.png": small, "b.gif": small },
    'Cannot read "data/b.gif": expected PNG, JPEG and WebP images only; convert it to one of these or take it away',
  ],
  [
    "a JPEG that is cut short",
    { "a.jpg": IMAGES.jpeg, "b.jpg": IMAGES.jpeg.subarray(0, -60) },
    'Cannot read "data/b.jpg": expected a whole JPEG file, found a damaged one (Premature end of JPEG file)',
  ],
  [
    "a JPEG of four inks",
    { "a.jpg": IMAGES.cmyk, "b.jpg": IMAGES.jpeg },
    'Cannot read "data/a.jpg": expected a JPEG file of 1 or 3 channels, found CMYK; convert it to RGB',
  ],
  [
    "a WebP that is cut short",
    { "a.webp": IMAGES.webp, "b.webp": IMAGES.webp.subarray(0, -20) },
    'Cannot read "data/b.webp": expected a whole WebP file, found a damaged one (cut short?)',
  ],
  [
    "a WebP that moves",
    { "a.webp": IMAGES.animated, "b.webp": IMAGES.webp },
    'Cannot read "data/a.webp": expected a still image, found an animation',
  ],
  [
    "a folder without images",
    { "a.txt": small },
    'Cannot read "data": expected PNG, JPEG or WebP images or class folders, found none',
  ],
  [
    "a folder of tables",
    { "test.csv": small, "train.csv": small },
    'Cannot read "data": expected PNG, JPEG or WebP images or class folders, found none; to read train.csv, name it: ' +
    '--dataset "data/train.csv"',
  ],
  [
    "images beside class folders",
    { "a.png": small, "c/b.png": small },
    'Cannot read "data": expected images or class folders, found both (a.png, c/)',
  ],
  [
    "a class without images",
    { "a/a.png": small, "b/b.txt": small },
    'Cannot read "data/b": expected PNG, JPEG or WebP images in the class folder, found none',
  ],
  [
    "other classes to test on",
    { "train/a/1.png": small, "test/b/1.png": small },
    'Cannot read "data": expected the same classes in train and test, found a and b',
  ],
  [
    "folders beside train and test",
    { "train/1.png": small, "test/1.png": small, "extra/1.png": small },
    'Cannot read "data": expected no folder beside train/ and test/, found extra, test, train',
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

/** The value of each of the four quarters of an image of 8 x 16, all channels. */
function quarters({ train: { values }, shape: [height, width, channels] }: Dataset): number[][] {
  const at = (row: number, column: number) => {
    const from = (Math.floor(row * height) * width + Math.floor(column * width)) * channels;
    return [...values.subarray(from, from + channels)].map((value) => Math.round(value / 20) * 20);
  };
  return [at(0.25, 0.25), at(0.25, 0.75), at(0.75, 0.25), at(0.75, 0.75)];
}

const COLOURS = [[200, 160, 40], [40, 160, 200], [200, 40, 40], [40, 40, 200]];

Deno.test("readImageFolder() reads JPEG, baseline and progressive, and WebP, with loss and without", async () => {
  for (const kind of ["jpeg", "progressive", "webp", "lossyWebp"] as const) {
    const dataset = await read({ "a.JPG": IMAGES[kind], "b.webp": IMAGES[kind] });
    assertEquals([dataset.shape, quarters(dataset)], [[8, 16, 3], COLOURS], kind);
  }
  const grey = await read({ "a.jpeg": IMAGES.greyJpeg, "b.jpeg": IMAGES.greyJpeg });
  assertEquals([grey.shape, quarters(grey)], [[8, 16, 1], [[160], [120], [80], [60]]]);
});

Deno.test("readImageFolder() turns images as EXIF says, all eight ways", async () => {
  for (const kind of ["turned2", "turned3", "turned4", "turned5", "turned6", "turned7", "turned8"] as const) {
    const dataset = await read({ "a.jpg": IMAGES.jpeg, "b.jpg": IMAGES[kind] }, 0);
    const other = await read({ "a.jpg": IMAGES[kind], "b.jpg": IMAGES[kind] }, 0);
    assertEquals(dataset.shape, [8, 16, 3]);
    assertEquals([other.shape, quarters(other)], [[8, 16, 3], COLOURS], kind);
  }
  assertEquals((await read({ "a.webp": IMAGES.turnedWebp, "b.webp": IMAGES.turnedWebp })).shape, [16, 8, 3]);
});

Deno.test("readImageFolder() rounds 16 bits a channel to 8", async () => {
  const { train, reading } = await read({ "a.png": IMAGES.png16, "b.png": IMAGES.png16 });
  assertEquals(reading?.remarks, ["16 bits a channel are rounded to 8"]);
  assertEquals((await read({ "a.png": small, "b.png": small })).reading?.remarks, undefined);
  // 516 n / 257
  assertEquals(train.values, Uint8Array.from({ length: 128 }, (_, n) => Math.round(516 * n / 257)));
});

Deno.test("readImageFolder() brings images of any size and format to one", async () => {
  const files = {
    "a.jpg": IMAGES.jpeg,
    "b.webp": IMAGES.webp,
    "c.png": png(40, 40, Array.from({ length: 1600 }, () => [200, 160, 40, 255]).flat(), 2),
    "d.jpg": IMAGES.greyJpeg,
  };
  for (const fit of ["cover", "contain", "stretch"] as const) {
    const { shape, train, test, settings } = await read(files, 0, { imageSize: "4x4", fit });
    assertEquals([shape, train.count + test.count, settings?.fit], [[4, 4, 3], 4, fit]);
    const rows = new Map(
      [train, test].flatMap(({ values, count, rowNumbers }) =>
        Array.from({ length: count }, (_, n) => [rowNumbers![n], [...values.subarray(48 * n, 48 * n + 48)]] as const)
      ),
    );
    assertEquals(rows.get(2), Array.from({ length: 16 }, () => [200, 160, 40]).flat());
    // 8 x 16: half of the width is cut, or a quarter of the height above and below is black.
    const first = rows.get(1)!.slice(0, 3);
    assertEquals(first, fit === "contain" ? [0, 0, 0] : [200, 160, 40]);
  }
  const grey = await read(files, 0, { imageSize: "4", colour: "grey" });
  assertEquals(grey.shape, [4, 4, 1]);
});

Deno.test("a smaller image is the mean of the areas of its pixels, a larger one is interpolated", async () => {
  const ramp = (size: number) =>
    png(1, size, Array.from({ length: size }, (_, x) => [10 * x, 10 * x, 10 * x, 255]).flat(), 0);
  const sized = async (
    from: number,
    to: string,
  ) => [
    ...(await read({ "a.png": ramp(from), "b.png": ramp(from) }, 0, { imageSize: to, fit: "stretch" })).train.values,
  ];
  assertEquals(await sized(6, "1x3"), [5, 25, 45]);
  // (0 + 10 / 2) / 1.5, (10 / 2 + 20) / 1.5
  assertEquals(await sized(3, "1x2"), [3, 17]);
  assertEquals(await sized(2, "1x4"), [0, 3, 8, 10]);
});

Deno.test("transparent pixels are laid on the background that is asked for", async () => {
  const files = { "a.webp": IMAGES.transparentWebp, "b.webp": IMAGES.transparentWebp };
  assertEquals(quarters(await read(files, 0, { background: "black" }))[3], [20, 20, 100]);
  assertEquals(quarters(await read(files, 0, { background: "white" }))[3], [140, 140, 220]);
});

Deno.test("names of classes, files that are no images, and the number of each row are kept", async () => {
  const { classNames, reading, train, test } = await read({
    ...greys(3, "cat/"),
    ...greys(3, "dog/"),
    "dog/notes.txt": new Uint8Array(1),
  });
  assertEquals(classNames, ["cat", "dog"]);
  assertEquals(reading!.passedOver!.map(({ name, why }) => [name.split("/").slice(-2).join("/"), why]), [[
    "dog/notes.txt",
    "no image",
  ]]);
  assertEquals([...train.rowNumbers!, ...test.rowNumbers!].sort(), [0, 1, 2, 3, 4, 5]);
  assertEquals([...train.rowNumbers!].map((n) => Math.floor(n / 3)), [...train.labels!]);
});

Deno.test("the size of images is a number of pixels, or two", async () => {
  for (const imageSize of ["0", "-4", "4x", "large"]) {
    const error = await assertRejects(() => read(greys(2), 0, { imageSize }), Error);
    assertEquals(
      error.message,
      `Cannot set "imageSize": expected a size in pixels, as 64 or 64x48, found "${imageSize}"`,
    );
  }
});
