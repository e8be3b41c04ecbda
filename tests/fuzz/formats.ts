/**
 * The formats that the fuzzer knows: how a sound file of each is written, small, field by field; and what reads it, down to
 * what is done with it next. A reader that accepts a file must have made something consistent of it.
 *
 * @module
 */

import { FileError } from "../../core/bounds.ts";
import { crc32, deflateRawSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { decodeSafetensors, encodeSafetensors } from "../../core/training/safetensors.ts";
import { type ByteCache, type Dataset, features, type Split } from "../../core/dataset.ts";
import { readTuned, WORKGROUP_TILES } from "../../core/products/tiles.ts";
import { classifier, keptClassifier } from "../../evaluation/frechet_classifier_distance.ts";
import { type ImagesKey, keepImages, keptImages, roomForImages } from "../../storage/decoded_images.ts";
import { readImage } from "../../storage/image_reader.ts";
import { resizeInto } from "../../datasets/resize.ts";
import { tileCache } from "../../tasks/cli/tiles.ts";
import { IMAGES } from "../datasets/images.ts";
import { closeMetrics } from "../../storage/resumable_run.ts";
import { readConfig, readMetrics } from "../../storage/run_folder.ts";
import { decodeCheckpoint, requireFit } from "../../core/training/checkpoint.ts";
import { defaults } from "../../core/settings.ts";
import { trainingSettings } from "../../core/training/training_settings.ts";
import { decodeBatch, decodeLabels } from "../../datasets/cifar10.ts";
import { fileDataset } from "../../storage/file_dataset.ts";
import { copyPixels } from "../../datasets/image.ts";
import { pngDecoder } from "../../datasets/png.ts";
import { reportPage } from "../../figures/report.ts";
import { models } from "../../models/mod.ts";
import { duration } from "../../tasks/cli/progress.ts";
import { ascii, type Case, concat, u } from "./case.ts";

/** A .mat file of version 7.3, as tests/datasets/packages_test.ts makes them. */
const hdf5File = new Uint8Array(
  gunzipSync(Uint8Array.fromBase64(Deno.readTextFileSync(new URL("../golden/matlab73.txt", import.meta.url)).trim())),
);

/** A Parquet file with two groups of rows. */
const parquetFile = Uint8Array.fromBase64(
  JSON.parse(Deno.readTextFileSync(new URL("../golden/parquet.json", import.meta.url)))["plain.parquet"],
);

/** Files by their paths in a folder. */
export type Files = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** One format. */
export interface Format {
  readonly name: string;
  /** A file, or several of a folder; the first is the one that is read. */
  write(c: Case): Files;
  /**
   * Reads what lies at a path.
   *
   * @throws {Inconsistent} If what was accepted makes no sense.
   */
  read(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The part of a sound first file that a checksum covers: one bit turned must be noticed. */
  covered?(bytes: Uint8Array): readonly [from: number, to: number];
}

/** Something was accepted that makes no sense. */
export class Inconsistent extends Error {}

function require(condition: boolean, what: string): void {
  if (!condition) throw new Inconsistent(what);
}

/** Every row has what the shape says. */
function requireSound({ shape, classes, covariates, train, test }: Dataset): void {
  require(shape.length === 3 && shape.every((size) => Number.isInteger(size) && size > 0), `the shape [${shape}]`);
  const split = ({ values, count, labels, covariates: known }: Split) => {
    require(Number.isInteger(count) && count > 0, `${count} rows`);
    require(values.length === count * features(shape), `${values.length} values in ${count} rows of [${shape}]`);
    require(values instanceof Uint8Array || values.every(Number.isFinite), "a value that is not finite");
    require(!labels || (labels.length === count && labels.every((label) => label < classes!)), "labels of other rows");
    require(!known || known.length === count * covariates!.length, "covariates of other rows");
  };
  split(train);
  split(test);
}

const loads = async (path: string): Promise<void> => requireSound(await fileDataset(path).load());

/** In pieces too, which fails in words or gives rows as sound. */
const loadsBoth = async (path: string): Promise<void> => {
  const pieces = fileDataset(path).load({ settings: { read: "pieces" } as object });
  const dataset = await pieces.catch((error) => {
    if (!(error instanceof FileError)) throw error;
  });
  if (dataset) requireSound(dataset);
  await loads(path);
};

const [u8, u16, u32, b32] = [u(1), u(2), u(4), u(4, false)];

/** Numbers from 0 on. */
const counting = (length: number) => Uint8Array.from({ length }, (_, i) => i * 7);

/** An .npy file. */
function npy(
  c: Case,
  shape: readonly number[],
  name = "npy",
  [type, size] = c.one(["|u1", 1], ["<f4", 4], [">f8", 8], ["<i8", 8], ["|b1", 1]) as [string, number],
): Uint8Array<ArrayBuffer> {
  const sizes = shape.map((length) =>
    c.or<number | string>(
      length,
      () => [-length, -1, 0, 2.5, 2 ** 31, 2 ** 53, "1e3", "None", "3L", "", "'a'", "0x2"],
      `${name} size`,
    )
  );
  const list = c.or(sizes, () => [sizes.slice(1), [...sizes, 1], Array(40).fill(1), []], `${name} dimensions`);
  const descr = c.or(
    `'${type}'`,
    () => ["'<c8'", "'|O'", "[('a', '<f4')]", "'<U4'", "'|V8'", "None", "'toString'", "'", "'<f4"],
    `${name} type`,
  );
  const fortran = c.or(c.one("True", "False"), () => ["0", "None", "'True'", ""], `${name} order`);
  const shown = c.or(`(${list.join(", ")},)`, () => ["5", "()", "(", "[2, 3]", "((2, 3))"], `${name} shape`);
  const fields = [`'descr': ${descr}`, `'fortran_order': ${fortran}`, `'shape': ${shown}`];
  const others = () => [fields.slice(1), fields.toReversed(), [...fields, fields[2]], Array(900).fill("'shape': (")];
  let header = `{${c.or(fields, others, `${name} fields`).join(", ")}, }`;
  header = `${header.padEnd(118 - 1)}\n`;
  const version = c.integer(c.one(1, 2, 3), `${name} version`, 8);
  const length = c.integer(header.length, `${name} header length`);
  const data = counting(shape.reduce((product, size) => product * size, size));
  // As float64, most patterns of bytes are finite where the exponent's are 0x3f.
  if (size === 8 && type.includes("f8")) data.forEach((_, i) => i % 8 === 0 ? data[i] = 0x3f : 0);
  if (type.includes("f4")) data.forEach((_, i) => i % 4 === 3 ? data[i] = 0x3e : 0);
  return concat(
    c.bytes(u8(0x93, ...ascii("NUMPY")), `${name} magic`),
    u8(version, 0),
    version === 1 ? u16(length) : u32(length),
    ascii(header),
    c.bytes(data, `${name} data`),
  );
}

/** A zip archive. */
function zip(c: Case, files: readonly (readonly [name: string, content: Uint8Array])[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const method = c.integer(c.one(0, 8), "zip method", 16);
    const packed = c.bytes(method === 8 ? new Uint8Array(deflateRawSync(content)) : content, "zip data");
    const flags = c.or(0, () => [1, 8, 0xffff], "zip flags");
    const sum = c.integer(crc32(content), "zip checksum");
    const sizes = [c.integer(packed.length, "zip packed size"), c.integer(content.length, "zip size")];
    const named = c.bytes(ascii(name), "zip name");
    const common = (extra: number) =>
      concat(
        u16(20, flags, method, 0, 33),
        u32(sum, ...sizes),
        u16(c.integer(named.length, "zip name length", 16), extra),
      );
    const place = c.integer(at, "zip place");
    const local = concat(u32(c.integer(0x04034b50, "zip signature")), common(0), named, packed);
    directory.push(concat(u32(0x02014b50), u16(20), common(0), u16(0, 0, 0, 0, 0), u32(place), named));
    parts.push(local);
    at += local.length;
  }
  const listed = c.or(directory, () => [directory.slice(1), [...directory, ...directory]], "zip directory");
  const list = concat(...listed);
  const [count, length, start] = [listed.length, list.length, at];
  return concat(
    ...parts,
    list,
    u32(0x06054b50),
    u16(0, 0, c.integer(count, "zip count", 16), c.integer(count, "zip count", 16)),
    u32(c.integer(length, "zip directory size"), c.integer(start, "zip directory place")),
    u16(c.integer(0, "zip comment", 16)),
  );
}

/** A matrix of a .mat file. */
function matrix(c: Case, name: string, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const element = (type: number, data: Uint8Array, what: string): Uint8Array<ArrayBuffer> => {
    const padding = new Uint8Array((8 - data.length % 8) % 8);
    const tag = u32(c.integer(type, `mat type of ${what}`), c.integer(data.length, `mat length of ${what}`));
    return concat(tag, data, padding);
  };
  const [kind, stored, size] = c.one([9, 2, 1], [6, 9, 8], [7, 7, 4], [6, 2, 1]) as [number, number, number];
  const count = shape.reduce((product, size) => product * size, 1);
  const data = size === 1 ? counting(count) : new Uint8Array(count * size);
  const sizes = shape.map((length) => c.integer(length, "mat size"));
  const inside = concat(
    element(6, u32(c.integer(kind, "mat class and flags"), 0), "flags"),
    element(
      5,
      u32(...c.or(sizes, () => [[], sizes.slice(1), Array(200).fill(1), [...sizes, 1]], "mat sizes")),
      "sizes",
    ),
    element(1, c.bytes(ascii(name), "mat name"), "name"),
    element(stored, c.bytes(data, "mat data"), "data"),
  );
  const whole = element(14, inside, "array");
  if (c.one(true, false)) return whole;
  const packed = c.bytes(new Uint8Array(deflateSync(whole)), "mat packed");
  return concat(u32(15, c.integer(packed.length, "mat packed length")), packed);
}

function idx(c: Case, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const sizes = shape.map((size) => c.integer(size, "idx size"));
  const magic = concat(u8(0, 0, c.integer(8, "idx type", 8), c.integer(shape.length, "idx dimensions", 8)));
  const data = counting(shape.reduce((product, size) => product * size, 1));
  return concat(c.bytes(magic, "idx magic"), b32(...sizes), c.bytes(data, "idx data"));
}

const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** A PNG file; without transparent pixels. */
function png(c: Case, height: number, width: number, colour = c.one(0, 2, 3, 6)): Uint8Array<ArrayBuffer> {
  const row = width * CHANNELS[colour];
  const pixels = Array.from(
    { length: height * row },
    (_, i) => colour === 3 ? i % 4 : colour === 6 ? 255 : i * 7 % 256,
  );
  const rows = Array.from({ length: height }, (_, y) => [
    c.integer(y % 5, "png filter", 8),
    ...pixels.slice(y * row, (y + 1) * row),
  ]);
  // Filtered they would be transparent, or no colour of the palette.
  if (colour === 6 || colour === 3) rows.forEach((row) => row[0] = 0);
  const chunk = (type: string, data: Uint8Array): Uint8Array => {
    const body = concat(c.bytes(ascii(type), "png chunk type"), data);
    return concat(
      b32(c.integer(data.length, `png length of ${type}`)),
      body,
      b32(c.integer(crc32(body), `png checksum of ${type}`)),
    );
  };
  const header = concat(
    b32(c.integer(width, "png width"), c.integer(height, "png height")),
    u8(c.integer(8, "png depth", 8), c.integer(colour, "png colour", 8), c.integer(0, "png compression", 8)),
    u8(c.integer(0, "png filter method", 8), c.integer(0, "png interlace", 8)),
  );
  const packed = new Uint8Array(deflateSync(c.bytes(Uint8Array.from(rows.flat()), "png pixels")));
  const half = packed.length >> 1;
  const chunks = [
    chunk("IHDR", c.bytes(header, "png header")),
    ...(colour === 3 ? [chunk("PLTE", c.bytes(counting(12), "png palette"))] : []),
    ...c.or<Uint8Array[]>(
      [],
      () => [[chunk("tRNS", counting(6))], [chunk("gAMA", b32(0))], [chunk("XXXX", u8())]],
      "png",
    ),
    chunk("IDAT", c.bytes(packed.subarray(0, half), "png data")),
    chunk("IDAT", packed.subarray(half)),
    chunk("IEND", new Uint8Array(0)),
  ];
  const others = () => [
    chunks.slice(1),
    chunks.toSpliced(-2, 1),
    chunks.toSpliced(1, 1),
    chunks.slice(0, -1),
    [...chunks, ...chunks],
    [chunks[0], ...chunks.slice(1).toReversed()],
  ];
  return concat(u8(0x89, ...ascii("PNG\r\n\x1a\n")), ...c.or(chunks, others, "png chunks"));
}

function table(c: Case): Uint8Array<ArrayBuffer> {
  const strays = () => [
    "",
    "x",
    "1e39",
    "-1e999",
    "NaN",
    "inf",
    "0x10",
    '"',
    '"1',
    '"a,b"',
    "1,2",
    " 3 ",
    "\0",
    "é",
    "NA",
    "?",
    "2,5",
    "2026-01-02",
    "# 1",
    "9".repeat(500),
  ];
  const delimiter = c.one(",", ";", "\t", " ");
  const lines = Array.from({ length: 5 }, (_, i) => {
    const cells = [i, 0.5, -2, i % 2 ? "cat" : "dog"].map((cell) => c.or<unknown>(cell, strays, "csv cell"));
    return c.or(cells, () => [cells.slice(1), [...cells, 1], Array(5000).fill(1)], "csv row").join(delimiter);
  });
  const head = c.or(
    ["a", "c_b", "c", "label"].join(delimiter),
    () => ["label,label", "c_,c_,c_,c_", "", "c_", "# a,b", "pixel0,pixel1,pixel2,pixel3"],
    "csv head",
  );
  return c.bytes(ascii([head, ...lines].join(c.or("\n", () => ["\r\n", "\r", "\n\n\n", ""], "csv end"))), "csv");
}

/** An EXIF block whose first field says how the camera was held. */
function exif(c: Case): Uint8Array<ArrayBuffer> {
  const big = (...values: number[]) => u(2, false)(...values);
  const head = concat(ascii(c.or("MM", () => ["II", "XX", ""], "exif order")), big(c.integer(42, "exif magic", 16)));
  const field = concat(
    big(c.integer(0x0112, "exif tag", 16), c.integer(3, "exif type", 16)),
    b32(c.integer(1, "exif count")),
    big(c.integer(c.one(1, 3, 6, 8), "exif orientation", 16), 0),
  );
  return c.bytes(concat(head, b32(c.integer(8, "exif place")), big(c.integer(1, "exif fields", 16)), field), "exif");
}

/** A JPEG file, part by part: each with its marker, its length and its content, and the pixels after the last. */
function jpeg(c: Case): Uint8Array<ArrayBuffer> {
  const whole = c.one(IMAGES.jpeg, IMAGES.progressive, IMAGES.greyJpeg);
  const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
  const part = (marker: number, content: Uint8Array, name: string) =>
    concat(
      u8(c.or(0xff, () => [0, 0xfe], "jpeg marker"), c.integer(marker, `jpeg kind of ${name}`, 8)),
      u(2, false)(c.integer(content.length + 2, `jpeg length of ${name}`, 16)),
      content,
    );
  const parts = [part(0xe1, concat(ascii("Exif\0\0"), exif(c)), "exif")];
  let at = 2;
  while (view.getUint8(at) === 0xff && view.getUint8(at + 1) !== 0xd9) {
    const [marker, length] = [view.getUint8(at + 1), view.getUint16(at + 2)];
    let content: Uint8Array = whole.slice(at + 4, at + 2 + length);
    if (marker >= 0xc0 && marker <= 0xc2) {
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      content = concat(
        u8(c.integer(content[0], "jpeg precision", 8)),
        u(2, false)(c.integer(height, "jpeg height", 16), c.integer(width, "jpeg width", 16)),
        u8(c.integer(content[5], "jpeg components", 8)),
        content.slice(6),
      );
    }
    parts.push(part(marker, c.bytes(content, `jpeg part 0x${marker.toString(16)}`), `0x${marker.toString(16)}`));
    at += 2 + length;
    if (marker !== 0xda) continue;
    // The pixels of a scan: up to the next marker that is none of theirs.
    const from = at;
    while (view.getUint8(at) !== 0xff || view.getUint8(at + 1) === 0) at++;
    parts.push(c.bytes(whole.slice(from, at), "jpeg pixels"));
  }
  const others = () => [parts.slice(1), parts.slice(0, -1), [...parts, ...parts], parts.toReversed(), []];
  const end = c.or([0xff, 0xd9], () => [[], [0xff], [0xff, 0xd9, 0, 0]], "jpeg end");
  return concat(u8(0xff, 0xd8), ...c.or(parts, others, "jpeg parts"), u8(...end));
}

/** A WebP file, chunk by chunk, extended by an EXIF block or not. */
function webp(c: Case): Uint8Array<ArrayBuffer> {
  const whole = c.one(IMAGES.webp, IMAGES.lossyWebp, IMAGES.transparentWebp);
  const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
  const chunk = (name: string, content: Uint8Array) =>
    concat(
      ascii(c.or(name, () => ["VP8 ", "VP8L", "VP8X", "ANIM", "XXXX", "\0\0\0\0"], "webp chunk")),
      u32(c.integer(content.length, `webp length of ${name}`)),
      content,
      new Uint8Array(content.length % 2),
    );
  const chunks: Uint8Array[] = [];
  for (let at = 12; at + 8 <= whole.length;) {
    const [name, length] = [new TextDecoder().decode(whole.slice(at, at + 4)), view.getUint32(at + 4, true)];
    chunks.push(chunk(name, c.bytes(whole.slice(at + 8, at + 8 + length), `webp ${name}`)));
    at += 8 + length + length % 2;
  }
  const isExtended = view.getUint8(15) === 0x58;
  if (!isExtended && c.one(true, false)) {
    const sides = [c.integer(15, "webp width"), c.integer(7, "webp height")].flatMap((side) => [
      side & 255,
      side >> 8 & 255,
      side >> 16 & 255,
    ]);
    const transparent = whole === IMAGES.transparentWebp ? 0x10 : 0;
    chunks.unshift(chunk("VP8X", u8(c.integer(8 | transparent, "webp flags", 8), 0, 0, 0, ...sides)));
    chunks.push(chunk("EXIF", exif(c)));
  }
  const others = () => [chunks.slice(1), chunks.slice(0, -1), [...chunks, ...chunks], chunks.toReversed(), []];
  const content = concat(ascii("WEBP"), ...c.or(chunks, others, "webp chunks"));
  return concat(ascii("RIFF"), u32(c.integer(content.length, "webp size")), content);
}

/** Decodes an image as a folder of them is, and lays it into a row. */
async function decodes(path: string): Promise<void> {
  const image = await readImage(path, "white");
  const { height, width, channels, rgba } = image;
  require(rgba.length === 4 * height * width && height > 0 && width > 0, `${height} x ${width}`);
  copyPixels(image, new Uint8Array(height * width * channels), 0);
  resizeInto(image, { height: 4, width: 4, channels, fit: "cover" }, new Uint8Array(16 * channels), 0);
}

/** What was kept of decoded images, and what it was kept of. */
const kept: { readonly key: ImagesKey; readonly bytes: Uint8Array<ArrayBuffer> } = await (async () => {
  const images = roomForImages([2, 2, 1], 3);
  images.values.set(counting(12));
  const key = { source: "a folder", files: "a.png" };
  let bytes = new Uint8Array(0);
  const write = (_: string, content: Uint8Array) => Promise.resolve(void (bytes = new Uint8Array(content)));
  await keepImages({ read: () => Promise.resolve(undefined), write }, key, images);
  return { key, bytes };
})();

/** A cache that holds the bytes of a file under every name. */
const cacheOf = (bytes: Uint8Array): ByteCache => ({
  read: () => Promise.resolve(bytes),
  write: () => Promise.resolve(),
});

/** What a classifier is of: three rows of two classes. */
const labelled: Dataset = {
  ...{ name: "mine", shape: [2, 2, 1], classes: 2, seed: 0 },
  train: { values: counting(12), count: 3, labels: Uint8Array.of(0, 1, 1) },
  test: { values: counting(4), count: 1, labels: Uint8Array.of(0) },
};

/** The tensors of a classifier of {@linkcode labelled} with 3 hidden units and 2 features. */
const classifierTensors = [["hidden", 4, 3], ["features", 3, 2], ["classes", 2, 2]] as const;

/** What a run of vae on small images keeps. */
const header = {
  model: "vae",
  config: { hidden: [3], latents: 2, activation: "tanh", likelihood: "bernoulli" },
  training: { ...defaults(trainingSettings), epochs: 2, batchSize: 5 },
  data: { name: "mnist", shape: [2, 2, 1], count: 20, classes: 2, seed: 0 },
  progress: { step: 4, sums: [1.5, 2.5], steps: 2 },
  adapter: "an adapter",
  tiles: "panel",
};

const sized = (shape: readonly number[]) => ({
  shape,
  data: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.25),
});

/** The tensors that go with {@linkcode header}. */
const tensors = new Map(
  Object.entries(models.get("vae")!.parameters({ ...defaults(models.get("vae")!.settings), ...header.config }, {
    shape: [2, 2, 1],
    classes: 2,
  })).flatMap(([name, { inputs, outputs }]) => [
    [`${name}.weight`, sized([inputs, outputs])],
    [`${name}.bias`, sized([outputs])],
  ]),
);

/** A file of safetensors whose header is changed as JSON. */
function safetensors(c: Case, metadata: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const bytes = encodeSafetensors(tensors, metadata);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const parsed = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const json = ascii(c.json(parsed, "header"));
  return concat(
    u32(c.integer(json.length, "header length"), c.or(0, () => [1, 0xffffffff], "header length, high half")),
    json,
    c.bytes(bytes.subarray(8 + length), "tensors"),
  );
}

const config = {
  model: "vae",
  module: "./mine.ts",
  dataset: "mnist",
  adapter: "an adapter",
  parameters: 51,
  started: "2026-11-27T00:00:00.000Z",
  remarks: ["one"],
  config: { hidden: [3], latents: 2, epochs: 2, biasCorrection: true, shape: [2, 2, 1] },
};

const terms = { elbo: -3, nll: 2, kl: 1, loss: 3 };
const epoch = {
  event: "epoch",
  epoch: 1,
  step: 4,
  train: terms,
  validation: terms,
  latents: { kl: [0.5, 0.1], active: 2, of: 2 },
  ssim: 0.5,
  samplesPerSecond: 1000,
  seconds: 1.5,
};
const end = { event: "end", epochs: 2, step: 8, train: terms, samplesPerSecond: 9, seconds: 2, stopped: false };

/** Real files, as NumPy, SciPy and others wrote them, and files that failed once. */
const corpus: readonly (readonly [name: string, bytes: Uint8Array<ArrayBuffer>])[] = [
  ...Object.entries<string>(
    JSON.parse(Deno.readTextFileSync(new URL("../golden/arrays.json", import.meta.url))),
  ).map(([name, text]) => [name, Uint8Array.fromBase64(text)] as const),
  ...[...Deno.readDirSync(new URL("corpus/", import.meta.url))].map(({ name }) => name).sort()
    .map((name) => [name, Deno.readFileSync(new URL(`corpus/${name}`, import.meta.url))] as const),
];

const folderOf = (path: string) => path.replace(/\/[^/]*$/, "");

/** Every format. */
export const formats: readonly Format[] = [
  {
    name: "npy",
    write: (c) => ({ "a.npy": c.bytes(npy(c, c.one([6, 4], [5, 2, 2], [4, 2, 2, 3])), "file") }),
    read: loadsBoth,
  },
  {
    name: "npz",
    write: (c) => ({
      "a.npz": c.bytes(
        zip(c, [
          [c.one("x.npy", "images.npy", "only.npy"), npy(c, [6, 2, 2], "x")],
          ["y.npy", npy(c, [6], "y", ["|u1", 1])],
          ["c.npy", npy(c, [6, 2], "c")],
          ["notes.txt", ascii("not an array")],
        ]),
        "file",
      ),
    }),
    read: loads,
    // Up to the header of the second entry lies the first one: its name after 30 bytes, and then its content.
    covered: (bytes) => {
      const view = new DataView(bytes.buffer);
      const from = 30 + view.getUint16(26, true);
      return [from, from + view.getUint32(18, true) - 1];
    },
  },
  {
    name: "mat",
    write: (c) => {
      const arrays = concat(matrix(c, c.one("x", "other"), c.one([6, 4], [2, 2, 6])), matrix(c, "y", [6, 1]));
      const start = concat(
        ascii("MATLAB 5.0 MAT-file".padEnd(124)),
        u16(0x0100),
        ascii(c.or("IM", () => ["MI"], "order")),
      );
      return { "a.mat": c.bytes(concat(start, arrays), "file") };
    },
    read: loads,
  },
  {
    name: "mat4",
    write: (c) => {
      const array = (name: string, shape: readonly number[]) => {
        const [type, size] = c.one([0, 8], [10, 4], [50, 1]) as [number, number];
        const sizes = shape.map((side) => c.integer(side, "mat4 size"));
        const names = c.bytes(ascii(`${name}\0`), "mat4 name");
        const count = shape.reduce((product, side) => product * side, 1);
        const head = u32(c.integer(type, "mat4 type"), ...sizes, c.integer(0, "mat4 imaginary"));
        return concat(head, u32(c.integer(names.length, "mat4 length")), names, new Uint8Array(size * count));
      };
      return { "a.mat": c.bytes(concat(array("x", [6, 4]), array("y", [6, 1])), "file") };
    },
    read: loads,
  },
  { name: "parquet", write: (c) => ({ "a.parquet": c.bytes(c.bytes(parquetFile, "file"), "file") }), read: loads },
  { name: "hdf5", write: (c) => ({ "a.mat": c.bytes(c.bytes(hdf5File, "file"), "file") }), read: loads },
  { name: "csv", write: (c) => ({ [c.one("a.csv", "a.tsv", "a.txt")]: table(c) }), read: loads },
  { name: "idx", write: (c) => ({ "a.idx": c.bytes(idx(c, c.one([6, 4], [6, 2, 2])), "file") }), read: loadsBoth },
  {
    name: "factors",
    write: (c) => {
      const factors: [string, Uint8Array<ArrayBuffer>][] = c.one(
        [["latents_classes.npy", npy(c, [6, 6], "factors", ["|u1", 1])]],
        [["c_size.npy", npy(c, [6], "size")], ["c_turn.npy", npy(c, [6], "turn")]],
        ["category", "instance", "label_elevation", "azimuth", "lighting"].map((
          name,
        ): [string, Uint8Array<ArrayBuffer>] => [
          `${name}.npy`,
          npy(c, [6], name, ["|u1", 1]),
        ]),
      );
      return { "a.npz": c.bytes(zip(c, [["imgs.npy", npy(c, [6, 2, 2], "imgs")], ...factors]), "file") };
    },
    read: loads,
  },
  {
    name: "gz",
    write: (c) => ({ "images.gz": c.bytes(new Uint8Array(gzipSync(idx(c, [6, 2, 2]))), "gz") }),
    read: loads,
    // Bits that fill up the last byte of the packed ones mean nothing.
    covered: (bytes) => [10, bytes.length - 9],
  },
  {
    name: "png",
    write: (c) => ({ "a.png": c.bytes(png(c, 3, 4), "file") }),
    read: async (path, bytes) => {
      const image = (await pngDecoder())(bytes, path);
      const { height, width, channels } = image;
      const pixels = new Uint8Array(height * width * channels);
      copyPixels(image, pixels, 0);
      require(image.rgba.length === 4 * height * width && height > 0 && width > 0, `${height} x ${width}`);
    },
    covered: (bytes) => [12, bytes.length - 12],
  },
  { name: "jpeg", write: (c) => ({ "a.jpg": c.bytes(jpeg(c), "file") }), read: decodes },
  { name: "webp", write: (c) => ({ "a.webp": c.bytes(webp(c), "file") }), read: decodes },
  {
    name: "folder",
    write: (c) => {
      const colour = c.one(0, 2);
      const image = (
        name: string,
      ) => [c.or(name, () => ["a.PNG", "b.jpg", ".png", "d/e/f.png"], "name"), png(c, 2, 3, colour)];
      const end = c.one("", "cat/");
      return Object.fromEntries(["a.png", "b.png", "c.png"].map((name) => image(end + name)));
    },
    read: (path) => loads(path.replace(/^(.*\/case)\/.*$/, "$1")),
  },
  {
    name: "cifar10",
    write: (c) => ({ "labels.json": c.bytes(ascii(c.json([1, 2, 9, 0])), "file"), "batch.png": png(c, 2, 1024, 2) }),
    read: async (path, bytes) => {
      const labels = decodeLabels({ bytes, path }, 4);
      require(labels.length === 4 && labels.every((label) => label < 10), "labels");
      const batch = `${folderOf(path)}/batch.png`;
      decodeBatch({ bytes: await Deno.readFile(batch), path: batch }, await pngDecoder(), new Uint8Array(2 * 3072));
    },
  },
  {
    name: "safetensors",
    write: (c) => ({ "a.safetensors": c.bytes(safetensors(c, { note: "a" }), "file") }),
    read: (path, bytes) => {
      for (const { shape, data } of decodeSafetensors(bytes, path).tensors.values()) {
        require(
          data.length === shape.reduce((product, size) => product * size, 1),
          `${data.length} values in [${shape}]`,
        );
      }
      return Promise.resolve();
    },
  },
  {
    name: "checkpoint",
    write: (c) => {
      const format = c.or("elbo 1", () => ["elbo 2", "", "toString"], "format");
      const bytes = encodeSafetensors(tensors, { format, elbo: c.json(header, "elbo") });
      return { "a.safetensors": c.bytes(bytes, "file") };
    },
    read: (path, bytes) => {
      const checkpoint = decodeCheckpoint(bytes, path);
      const { shapes } = requireFit(models.get(checkpoint.model) ?? models.get("vae")!, checkpoint);
      require(Object.keys(shapes).length > 0, "no parameters");
      return Promise.resolve();
    },
  },
  {
    name: "config",
    write: (c) => ({ "config.json": c.bytes(ascii(c.json(config, "config")), "file") }),
    read: async (path) => {
      const kept = await readConfig(folderOf(path));
      const subtitle = `${kept?.started?.slice(0, 16).replace("T", " ")} on ${kept?.adapter}`;
      reportPage({
        title: "a",
        subtitle,
        remarks: kept?.remarks ?? [],
        losses: {},
        configuration: kept?.config ?? {},
        figures: [],
      });
    },
  },
  {
    name: "metrics",
    write: (c) => {
      const lines = [epoch, { ...epoch, epoch: 2, step: 8 }, end].map((event) => c.json(event, "line"));
      const file = c.or(lines, () => [lines.slice(1), lines.toReversed(), []], "lines").map((line) => `${line}\n`).join(
        "",
      );
      return { "metrics.jsonl": c.bytes(ascii(file), "file") };
    },
    read: async (path) => {
      const folder = folderOf(path);
      const events = await readMetrics(folder);
      const last = events.at(-1);
      if (last) `${last.step.toLocaleString("en-US")} ${duration(last.seconds)}`;
      const losses = Object.fromEntries(events.map(({ train }, i) => [`${i}`, train]));
      reportPage({ title: "a", remarks: [], losses, configuration: {}, figures: [] });
      const checkpoint = { file: path, tensors: new Map(), ...header, training: defaults(trainingSettings) };
      const progress = { ...header.progress, step: events.find(({ event }) => event === "epoch")?.step ?? 0 };
      await closeMetrics(folder, events, { ...checkpoint, data: { ...header.data, shape: [2, 2, 1] }, progress });
      await readMetrics(folder);
    },
  },
  {
    name: "images",
    write: (c) => {
      const { bytes } = kept;
      const sizes = [3, 2, 2, 1].map((size) => c.integer(size, "size of kept images"));
      const parts = [[0, 16], [16, 48], [64, 96], [96, bytes.length]].map(([from, to]) =>
        c.bytes(bytes.slice(from, to), "part of kept images")
      );
      return { kept: c.bytes(concat(...parts.slice(0, 2), u32(...sizes), ...parts.slice(2)), "file") };
    },
    // What is not as it was kept counts as not there.
    read: async (_, bytes) => {
      const images = await keptImages(cacheOf(bytes), kept.key, [2, 2, 1], 3);
      require(!images || concat(images.values).join() === counting(12).join(), "images that were not kept");
      require(!images || images.shape.join() === "2,2,1", `the shape [${images?.shape}]`);
    },
  },
  {
    name: "classifier",
    write: (c) => {
      const told = { hidden: 3, features: 2 };
      const { name, shape, classes, seed } = labelled;
      const data = { name, shape, classes, seed, count: 3 };
      const own = { ...header, model: "classifier", config: told, data };
      const shapes = classifierTensors.flatMap(([name, inputs, outputs]) => [
        [`${name}.weight`, [inputs, outputs]] as const,
        [`${name}.bias`, [outputs]] as const,
      ]);
      const made = new Map(
        shapes.map(([name, shape]) => [name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }]),
      );
      return { "mine.safetensors": c.bytes(encodeSafetensors(made, { format: "elbo 1", elbo: c.json(own) }), "file") };
    },
    read: (path, bytes) => {
      const found = keptClassifier(bytes, path, labelled);
      if (found) require(Object.keys(requireFit(classifier, found).shapes).length === 3, "another classifier");
      return Promise.resolve();
    },
  },
  {
    name: "tiles",
    write: (c) => {
      const all = { "a GPU, tiles 3": { "100x784x500": "workgroup-32x32", "100x500x40": "workgroup-16x32" } };
      return { "tiles.json": c.bytes(ascii(c.json(all, "tiles")), "file") };
    },
    read: async (path) => {
      const said: string[] = [];
      const cache = tileCache((line) => said.push(line), false, path);
      const tuned = readTuned(await cache.get("a GPU, tiles 3")) ?? {};
      for (const tile of Object.values(tuned)) require(WORKGROUP_TILES.includes(tile!), `the tile ${tile}`);
      require(said.every((line) => line.includes(path) && !line.includes("\n")), said.join());
      await cache.set("a GPU, tiles 3", { "1x1x1": "workgroup-16x32" });
      const again = tileCache(() => require(false, "tiles that were just written"), false, path);
      require(readTuned(await again.get("a GPU, tiles 3"))?.["1x1x1"] === "workgroup-16x32", "a tile that was lost");
    },
  },
  {
    name: "corpus",
    write: (c) => {
      const [name, bytes] = c.one(...corpus);
      return { [name]: c.bytes(c.bytes(c.bytes(bytes, "file"), "file"), "file") };
    },
    read: async (path, bytes) => {
      if (/\.png$/.test(path)) (await pngDecoder())(bytes, path);
      else await loads(path);
    },
  },
];
