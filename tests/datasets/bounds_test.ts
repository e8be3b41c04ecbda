/**
 * Files that declare what they do not have: whatever the format, the file is named, what was expected and what was found,
 * and neither time nor memory is spent on what is not there.
 */

import { crc32, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { FileError } from "../../core/bounds.ts";
import type { Dataset } from "../../core/dataset.ts";
import { fileDataset } from "../../storage/file_dataset.ts";
import { findDataset } from "../../storage/datasets.ts";
import { encodeNpy, encodeNpz } from "../../datasets/npy.ts";
import { ascii, concat, u } from "../fuzz/case.ts";
import { greyPng, idx, png, withFolder } from "./support.ts";

const [u8, u16, u32, b32] = [u(1), u(2), u(4), u(4, false)];
const bytes = (count: number) => Uint8Array.from({ length: count }, (_, i) => i);

/** Loads a file of a name, or a folder of files. */
async function load(files: Record<string, Uint8Array>): Promise<Dataset> {
  let dataset: Dataset | undefined;
  await withFolder(async (folder) => {
    for (const [name, content] of Object.entries(files)) await Deno.writeFile(`${folder}/${name}`, content);
    const names = Object.keys(files);
    const path = names.every((name) => name.endsWith(".png")) ? folder : `${folder}/${names[0]}`;
    dataset = await fileDataset(path).load().catch((error) => {
      assert(error instanceof FileError, String(error));
      throw new FileError("-", error.message.replaceAll(folder, "data"));
    });
  });
  return dataset!;
}

/** The message that comes of files; it takes no time and no array of more than a few megabytes. */
async function refusal(files: Record<string, Uint8Array>): Promise<string> {
  const before = Deno.memoryUsage().external;
  const began = performance.now();
  const { message } = await assertRejects(() => load(files), FileError);
  assert(performance.now() - began < 5000, `${performance.now() - began} ms`);
  assert(Deno.memoryUsage().external - before < 2 ** 27, "memory");
  return message.replace('Cannot read "-": ', "");
}

const refuses = (what: string, files: Record<string, Uint8Array>, message: string) =>
  Deno.test(`fileDataset() refuses ${what}`, async () => assertEquals(await refusal(files), message));

// Shapes.

/** An .npy file of bytes whose header says of its shape what is given. */
function npy(shape: string, data: Uint8Array, descr = "|u1"): Uint8Array<ArrayBuffer> {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }\n`;
  return concat(u8(0x93), ascii("NUMPY"), u8(1, 0), u16(header.length), ascii(header), data);
}

/** A .mat file of one matrix of bytes, or whatever is said. */
function mat(
  shape: readonly number[],
  data: Uint8Array,
  { packed = false, flags = [9, 0], size = 0, name = "x" } = {},
) {
  const element = (type: number, content: Uint8Array) =>
    concat(u32(type, content.length), content, new Uint8Array((8 - content.length % 8) % 8));
  const inside = concat(
    element(6, u32(...flags)),
    element(5, u32(...shape)),
    element(1, ascii(name)),
    element(2, data),
  );
  const whole = concat(u32(14, size || inside.length), inside);
  const element15 = new Uint8Array(deflateSync(whole));
  return concat(
    ascii("MATLAB 5.0 MAT-file".padEnd(124)),
    u16(0x0100),
    ascii("IM"),
    packed ? concat(u32(15, element15.length), element15) : whole,
  );
}

for (
  const [what, shape] of [
    ["negative", "-4, -4"],
    ["one negative", "-4, 4"],
    ["fractional", "2.5, 4"],
    ["exponential", "1e1, 4"],
    ["beyond 2^31", "2147483648, 4"],
    ["beyond 2^53", "99999999999999999999, 4"],
    ["named", "n, 4"],
  ]
) {
  refuses(
    `an .npy file of ${what} sizes`,
    { "a.npy": npy(`(${shape})`, bytes(16)) },
    `Cannot read "data/a.npy": expected a shape of integers from 0 to 2147483647, found [${shape}]`,
  );
}
refuses(
  "a part of an archive with a fractional size",
  {
    "a.npz": zip([
      { name: "x_train.npy", content: npy("(2.5, 4)", bytes(10)) },
      { name: "x_test.npy", content: npy("(2, 4)", bytes(8)) },
    ]),
  },
  'Cannot read "data/a.npz/x_train.npy": expected a shape of integers from 0 to 2147483647, found [2.5, 4]',
);
for (const packed of [false, true]) {
  const how = packed ? "packed" : "plain";
  refuses(
    `a ${how} matrix of negative sizes`,
    { "a.mat": mat([60, -4], bytes(24), { packed }) },
    'Cannot read "data/a.mat/x": expected a shape of integers from 0 to 2147483647, found [60, -4]',
  );
  refuses(
    `a ${how} matrix without flags`,
    { "a.mat": mat([6, 4], bytes(24), { packed, flags: [] }) },
    'Cannot read "data/a.mat": expected 8 bytes of flags of an array, found 0',
  );
}
refuses(
  "a matrix of one dimension",
  { "a.mat": mat([6], bytes(24)) },
  'Cannot read "data/a.mat": expected two dimensions or more of 4 bytes each, found 4 bytes',
);
refuses(
  "an idx file of sizes beyond 2^31",
  { "a.idx": concat(u8(0, 0, 8, 2), b32(2 ** 31, 4), bytes(16)) },
  'Cannot read "data/a.idx": expected a shape of integers from 0 to 2147483647, found [2147483648, 4]',
);
for (
  const [name, content] of [
    ["a.npy", encodeNpy({ shape: [0, 4], values: new Uint8Array(0) })],
    ["a.idx", idx([0, 4], [])],
    ["a.mat", mat([0, 4], new Uint8Array(0))],
  ] as const
) {
  refuses(
    `${name} without rows`,
    { [name]: content },
    `Cannot read "data/${name}": expected rows of numbers, as [N, D], [N, height, width] or ` +
      "[N, height, width, channels], found the shape [0, 4]",
  );
}

// Sizes that are declared, against the file.

refuses(
  "an .npy file with less than it declares",
  { "a.npy": npy("(2000000000, 4)", bytes(16), "<f8") },
  'Cannot read "data/a.npy": expected 64000000000 bytes for 8000000000 numbers, found 16 (cut short?)',
);
refuses(
  "an .npy file with more than it declares",
  { "a.npy": npy("(2, 4)", bytes(16)) },
  'Cannot read "data/a.npy": expected 8 bytes for 8 numbers, found 8 more after them',
);
refuses(
  "a table whose first line declares more columns than the file has cells",
  { "a.csv": ascii(`${"1,".repeat(100_000)}1\n${"1\n".repeat(100_000)}`) },
  'Cannot read "data/a.csv": expected 100001 columns in line 2, as in the first, found 1',
);

// Zip archives.

interface Entry {
  readonly name: string;
  readonly content: Uint8Array;
  /** What is written in place of the packed content, its checksum, its size. */
  readonly packed?: Uint8Array;
  readonly sum?: number;
  readonly size?: number;
  readonly flags?: number;
  readonly method?: number;
}

/** A zip archive, its entries deflated where nothing else is said. */
function zip(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (
    const { name, content, method = 8, flags = 0, sum = crc32(content), size = content.length, ...entry } of entries
  ) {
    const packed = entry.packed ?? (method === 8 ? new Uint8Array(deflateRawSync(content)) : content);
    const common = concat(u16(20, flags, method, 0, 33), u32(sum, packed.length, size), u16(name.length, 0));
    parts.push(u32(0x04034b50), common, ascii(name), packed);
    directory.push(concat(u32(0x02014b50), u16(20), common, u16(0, 0, 0, 0, 0), u32(at), ascii(name)));
    at += 30 + name.length + packed.length;
  }
  const list = concat(...directory);
  return concat(
    ...parts,
    list,
    u32(0x06054b50),
    u16(0, 0, entries.length, entries.length),
    u32(list.length, at),
    u16(0),
  );
}

const x = encodeNpy({ shape: [4, 3], values: bytes(12) });
const y = encodeNpy({ shape: [4], values: bytes(4) });

Deno.test("fileDataset() reads an archive, stored or deflated", async () => {
  for (const method of [0, 8]) {
    const { train, test } = await load({
      "a.npz": zip([{ name: "x.npy", content: x, method }, { name: "y.npy", content: y }]),
    });
    assertEquals([...train.values, ...test.values].length, 12);
  }
});

for (const [how, method] of [["stored", 0], ["deflated", 8]] as const) {
  const sum = crc32(x);
  const hex = (value: number) => value.toString(16).padStart(8, "0");
  refuses(
    `a ${how} entry whose checksum does not fit`,
    { "a.npz": zip([{ name: "x.npy", content: x, method, sum: sum ^ 1 }]) },
    `Cannot read "data/a.npz/x.npy": expected the checksum ${hex((sum ^ 1) >>> 0)} of the entry, found ${
      hex(sum)
    } (damaged?)`,
  );
  refuses(
    `an encrypted entry, ${how}`,
    { "a.npz": zip([{ name: "x.npy", content: x, method, flags: 1 }]) },
    'Cannot read "data/a.npz/x.npy": expected no encryption, found an encrypted entry',
  );
}
refuses(
  "an entry that unpacks to more than it declares",
  { "a.npz": zip([{ name: "x.npy", content: x, packed: new Uint8Array(deflateRawSync(new Uint8Array(2 ** 28))) }]) },
  `Cannot read "data/a.npz/x.npy": expected ${x.length} bytes when unpacked, found more`,
);
refuses(
  "an entry that declares more than its packed bytes can hold",
  { "a.npz": zip([{ name: "x.npy", content: x, size: 2 ** 31 }]) },
  `Cannot read "data/a.npz/x.npy": expected 2147483648 bytes when unpacked, found ${
    deflateRawSync(x).length
  } packed ones, too few for that (cut short?)`,
);
refuses(
  "an entry cut short, though it has all that it declares",
  { "a.npz": zip([{ name: "x.npy", content: x, packed: new Uint8Array(deflateRawSync(x)).slice(0, -1) }]) },
  `Cannot read "data/a.npz/x.npy": expected ${x.length} bytes when unpacked, found packed data without their end (cut short?)`,
);
refuses(
  "entries of one name",
  { "a.npz": zip([{ name: "x.npy", content: x }, { name: "x.npy", content: x }]) },
  'Cannot read "data/a.npz": expected a zip archive, found a damaged one: two entries called "x.npy"',
);

/** 100 entries, each of which holds all that come after it. */
function nested(): Uint8Array<ArrayBuffer> {
  let rest = new Uint8Array(0);
  const headers: Uint8Array[] = [];
  for (let i = 0; i < 100; i++) {
    const name = `${i}.npy`;
    const common = concat(u16(20, 0, 0, 0, 33), u32(crc32(rest), rest.length, rest.length), u16(name.length, 0));
    rest = concat(u32(0x04034b50), common, ascii(name), rest);
    headers.push(concat(u32(0x02014b50), u16(20), common, u16(0, 0, 0, 0, 0), u32(rest.length), ascii(name)));
  }
  // The place of each is what lies before it.
  for (const header of headers) {
    const view = new DataView(header.buffer);
    view.setUint32(42, rest.length - view.getUint32(42, true), true);
  }
  const list = concat(...headers);
  return concat(rest, list, u32(0x06054b50), u16(0, 0, 100, 100), u32(list.length, rest.length), u16(0));
}
refuses(
  "entries that overlap",
  { "a.npz": nested() },
  'Cannot read "data/a.npz": expected a zip archive, found a damaged one: "98.npy" overlaps "99.npy"',
);

Deno.test("fileDataset() unpacks of an archive only what is used, and of a .mat file too", async () => {
  const other = { name: "other.npy", content: x, packed: ascii("not packed at all") };
  const { train, test } = await load({ "a.npz": zip([other, { name: "x.npy", content: x }]) });
  assertEquals([train.count, test.count], [3, 1]);
  // The end of another packed matrix is damaged.
  const noise = Uint8Array.from({ length: 40_000 }, (_, i) => Math.imul(i, i * 2654435761) >>> 24);
  const damaged = mat([200, 200], noise, { packed: true, name: "other" }).slice(128);
  damaged[damaged.length - 200] ^= 255;
  const whole = mat([4, 3], bytes(12), { packed: true });
  assertEquals((await load({ "a.mat": concat(whole, damaged) })).train.count, 3);
  assertStringIncludes(
    await refusal({ "a.mat": concat(whole.slice(0, 128), damaged) }),
    "expected 40064 bytes when unpacked, found data that do not",
  );
});

// gzip and .mat.

refuses(
  "a .gz file that unpacks to more than its idx header declares",
  { "images.gz": new Uint8Array(gzipSync(concat(u8(0, 0, 8, 2), b32(2, 3), new Uint8Array(2 ** 27)))) },
  'Cannot read "data/images.gz": expected 18 bytes when unpacked, found more',
);
refuses(
  "a .gz file whose idx header declares more than it can unpack to",
  { "images.gz": new Uint8Array(gzipSync(concat(u8(0, 0, 8, 2), b32(2 ** 30, 3), bytes(6)))) },
  `Cannot read "data/images.gz": expected ${3 * 2 ** 30 + 12} bytes when unpacked, found ${
    gzipSync(concat(u8(0, 0, 8, 2), b32(2 ** 30, 3), bytes(6))).length
  } packed ones, too few for that (cut short?)`,
);
for (const from of [8, 4]) {
  const packed = new Uint8Array(gzipSync(idx([3, 4], bytes(12))));
  packed[packed.length - from] ^= 1;
  refuses(
    `a .gz file whose ${from === 8 ? "checksum" : "length"} does not fit`,
    { "images.gz": packed },
    'Cannot read "data/images.gz": expected packed data, found data that do not fit their checksum (damaged?)',
  );
}
refuses(
  "a packed matrix that unpacks to more than it declares",
  { "a.mat": mat([4, 3], new Uint8Array(2 ** 26), { packed: true, size: 80 }) },
  'Cannot read "data/a.mat": expected 88 bytes when unpacked, found more',
);
Deno.test("fileDataset() refuses a packed matrix whose checksum does not fit", async () => {
  const packed = mat([4, 3], bytes(12), { packed: true });
  packed[packed.length - 1] ^= 1;
  assertStringIncludes(await refusal({ "a.mat": packed }), "found data that do not fit their checksum (damaged?)");
});

// PNG.

const small = greyPng(2, 3, 9);

/** A PNG whose chunks are changed and have their own checksums. */
function chunks(file: Uint8Array, change: (name: string, data: Uint8Array) => Uint8Array | undefined) {
  const parts: Uint8Array[] = [file.slice(0, 8)];
  const view = new DataView(file.buffer, file.byteOffset);
  for (let at = 8; at < file.length;) {
    const length = view.getUint32(at);
    const name = new TextDecoder().decode(file.subarray(at + 4, at + 8));
    const data = change(name, file.slice(at + 8, at + 8 + length));
    if (data) {
      const body = concat(ascii(name), data);
      parts.push(b32(data.length), body, b32(crc32(body)));
    }
    at += 12 + length;
  }
  return concat(...parts);
}

/** As if the image had another size. */
const resized = (height: number, width: number, interlace = 0) =>
  chunks(small, (name, data) => name === "IHDR" ? concat(b32(width, height), data.slice(8, 12), u8(interlace)) : data);
/** With other pixels. */
const filled = (pixels: Uint8Array) =>
  chunks(small, (name, data) => name === "IDAT" ? new Uint8Array(deflateSync(pixels)) : data);

const images = (file: Uint8Array) => ({ "a.png": file, "b.png": small });
const idat = (file: Uint8Array) => {
  let length = 0;
  chunks(file, (name, data) => {
    if (name === "IDAT") length = data.length;
    return data;
  });
  return length;
};
refuses(
  "an image that declares more pixels than its data can hold",
  images(resized(6, 106_856_191)),
  `Cannot read "data/a.png": expected 641137152 bytes when unpacked, found ${
    idat(small)
  } packed ones, too few for that (cut short?)`,
);
refuses(
  "an interlaced image that declares more pixels than it has",
  images(resized(30, 30, 1)),
  'Cannot read "data/a.png": expected 957 bytes when unpacked, found 8',
);
for (const [height, width] of [[0, 3], [2, 0], [2 ** 31, 1]]) {
  refuses(
    `an image of ${height} x ${width}`,
    images(resized(height, width)),
    `Cannot read "data/a.png": expected a height and a width from 1 to 2147483647, found ${height} x ${width}`,
  );
}
refuses(
  "an image without pixels",
  images(chunks(small, (name, data) => name === "IDAT" ? undefined : data)),
  'Cannot read "data/a.png": expected a PNG file with pixels, found one without',
);
refuses(
  "an image with less pixel data than it declares",
  images(filled(bytes(7))),
  'Cannot read "data/a.png": expected 8 bytes when unpacked, found 7',
);
refuses(
  "an image with more pixel data than it declares",
  images(filled(new Uint8Array(2 ** 26))),
  'Cannot read "data/a.png": expected 8 bytes when unpacked, found more',
);
Deno.test("fileDataset() refuses an image of which a checksum does not fit, in every chunk", async () => {
  for (let at = 12; at < small.length; at++) {
    const turned = small.slice();
    turned[at] ^= 1;
    assertStringIncludes(await refusal(images(turned)), 'Cannot read "data/a.png": expected ', `byte ${at}`);
  }
});
Deno.test("fileDataset() refuses more images like the first than fit into memory", async () => {
  // 16 images that unpack to 64 MiB each would be 2^42 bytes, if there were as many files as the folder says: links to one.
  await withFolder(async (folder) => {
    const row = new Uint8Array(1 + 8192);
    const pixels = new Uint8Array(8192 * row.length);
    await Deno.writeFile(
      `${folder}/0.png`,
      chunks(resized(8192, 8192), (name, data) => name === "IDAT" ? new Uint8Array(deflateSync(pixels)) : data),
    );
    for (let i = 1; i < 6000; i++) await Deno.symlink("0.png", `${folder}/${i}.png`);
    await assertRejects(
      () => fileDataset(folder).load(),
      FileError,
      "found 6000 images of 8192 x 8192 grey of 384,000 MiB",
    );
  });
});
Deno.test("fileDataset() reads interlaced images", async () => {
  // The pixels of 2 x 2: the first, the one beside it, the row below; each row with its filter, 0.
  const pixels = new Uint8Array(deflateSync(u8(0, 10, 0, 20, 0, 30, 40)));
  const file = chunks(
    greyPng(2, 2, 9),
    (name, data) => name === "IHDR" ? concat(data.slice(0, 12), u8(1)) : name === "IDAT" ? pixels : data,
  );
  assertEquals([...(await load({ "a.png": file, "b.png": file })).train.values], [10, 20, 30, 40]);
});
Deno.test("fileDataset() reads colour with a palette", async () => {
  const palette = concat(
    png(2, 2, bytes(16), 2).slice(0, 8),
    ...([["IHDR", concat(b32(2, 2), u8(8, 3, 0, 0, 0))], ["PLTE", bytes(6)], [
      "IDAT",
      new Uint8Array(deflateSync(u8(0, 0, 1, 0, 1, 1))),
    ], ["IEND", new Uint8Array(0)]] as const).flatMap(([name, data]) => {
      const body = concat(ascii(name), data);
      return [b32(data.length), body, b32(crc32(body))];
    }),
  );
  const { shape, train } = await load({ "a.png": palette, "b.png": palette });
  assertEquals([shape, [...train.values]], [[2, 2, 3], [0, 1, 2, 3, 4, 5, 3, 4, 5, 3, 4, 5]]);
});

// Numbers that are finite in the file and not as float32.

refuses(
  "a number of .npy beyond float32",
  { "a.npy": npy("(2, 2)", new Uint8Array(Float64Array.of(1, 2, 3, 1e39).buffer), "<f8") },
  'Cannot read "data/a.npy": expected finite numbers, found Infinity in row 1, column 1 (from 0), as float32',
);
refuses(
  "a number of a table beyond float32",
  { "a.csv": ascii("a,b\n1,2\n3,-1e39\n") },
  'Cannot read "data/a.csv": expected numbers, found numbers beyond float32 in b ("-1e39" in line 3); --drop-column b leaves it out',
);
refuses(
  "a covariate of a table beyond float32",
  { "a.csv": ascii("a,c_b\n1,2\n3,1e39\n") },
  'Cannot read "data/a.csv": expected numbers, found numbers beyond float32 in c_b ("1e39" in line 3); --drop-column c_b leaves it out',
);
refuses(
  "a covariate of an archive beyond float32",
  {
    "a.npz": zip([
      { name: "x.npy", content: x },
      { name: "c.npy", content: npy("(4, 1)", new Uint8Array(Float64Array.of(1, 2, 1e39, 4).buffer), "<f8") },
    ]),
  },
  'Cannot read "data/a.npz": expected finite covariates, found Infinity in row 2, column 0 (from 0), as float32',
);

// Time: each of these took seconds to minutes where it is not linear.

for (
  const [what, name, make, message] of [
    [
      "one line of 20 MB",
      "a.csv",
      () => ascii(`${"1,".repeat(10_000_000)}1`),
      "expected at most 1048576 columns, found more",
    ],
    ["one cell of 20 MB", "a.csv", () => ascii("1".repeat(20_000_000)), "found infinite numbers in column 1"],
    ["20 million empty lines", "a.csv", () => ascii("\n".repeat(20_000_000)), "expected rows of numbers, found none"],
    [
      "a header of 180 KB",
      "a.npy",
      () => {
        const header = `{${"'shape': (".repeat(18_000)}`;
        return concat(u8(0x93), ascii("NUMPY"), u8(2, 0), u32(header.length), ascii(header));
      },
      "expected a header of at most 10000 bytes, found one of 180001",
    ],
    [
      "a header of 10 KB of beginnings",
      "a.npy",
      () => npy(`${"'shape': (".repeat(950)}`, bytes(4)),
      "expected a shape in the header",
    ],
    [
      "a matrix of 80,000 dimensions",
      "a.mat",
      () => mat(Array(80_000).fill(1), bytes(1)),
      "expected at most 32 dimensions, found 80000",
    ],
    [
      "a packed one",
      "a.mat",
      () => mat(Array(80_000).fill(1), bytes(1), { packed: true }),
      "expected an element up to byte 320032",
    ],
    [
      "a .mat file of 100,000 elements",
      "a.mat",
      () => concat(mat([1, 1], bytes(1)), new Uint8Array(800_000)),
      "expected at most 10000 arrays, found more",
    ],
    [
      "an archive of 60,000 arrays",
      "a.npz",
      () =>
        encodeNpz(
          Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`a${i}`, { shape: [1], values: bytes(1) }])),
        ),
      "expected an array called x, data, images, found 60000 of other names",
    ],
    [
      "zeros where an archive should end",
      "a.npz",
      () => concat(ascii("PK"), new Uint8Array(20_000_000)),
      "found one without its directory",
    ],
  ] as const
) {
  Deno.test(`fileDataset() refuses ${what} in time that grows with the file`, async () => {
    assertStringIncludes(await refusal({ [name]: make() }), message);
  });
}

// What is no file.

Deno.test("fileDataset() refuses pipes, devices and folders in place of a file, whatever the name says", {
  ignore: Deno.build.os === "windows",
}, () =>
  withFolder(async (folder) => {
    for (const name of ["a.csv", "a.npy", "a.npz", "a.mat", "a.idx"]) {
      const path = `${folder}/${name}`;
      await new Deno.Command("mkfifo", { args: [path] }).output();
      const pipe = await assertRejects(() => fileDataset(path).load(), FileError);
      assertEquals(pipe.message, `Cannot read "${path}": expected a file, found a pipe`);
      await Deno.remove(path);
      await Deno.symlink("/dev/zero", path);
      const device = await assertRejects(() => fileDataset(path).load(), FileError);
      assertEquals(device.message, `Cannot read "${path}": expected a file, found a device`);
    }
    await assertRejects(() => findDataset("/dev/zero").load(), FileError, "expected a file, found a device");
  }));

Deno.test("fileDataset() refuses a folder with a link to nothing, a pipe or a circle among its images", {
  ignore: Deno.build.os === "windows",
}, () =>
  withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/0.png`, small);
    await Deno.writeFile(`${folder}/1.png`, small);
    const refused = async (message: string) => {
      const error = await assertRejects(() => fileDataset(folder).load(), FileError);
      assertEquals(error.message.replaceAll(folder, "data"), message);
    };
    for (const name of ["2.png", "cat"]) {
      await Deno.symlink(`${folder}/gone`, `${folder}/${name}`);
      await refused(`Cannot read "data/${name}": expected an image or a folder, found a link to nothing`);
      await Deno.remove(`${folder}/${name}`);
    }
    await new Deno.Command("mkfifo", { args: [`${folder}/2.png`] }).output();
    await refused('Cannot read "data/2.png": expected a file, found a pipe');
    await Deno.remove(`${folder}/2.png`);
    await Deno.symlink(`${folder}/2.png`, `${folder}/2.png`);
    const { message } = await assertRejects(() => fileDataset(folder).load(), FileError);
    assertStringIncludes(message, `Cannot read "${folder}/2.png": expected a file or folder that can be read, found: `);
  }));

Deno.test("findDataset() refuses in words a path that the system cannot take", () => {
  for (const path of [`./${"long".repeat(100)}`, "./a\0b"]) {
    assertThrows(() => findDataset(path), FileError, "expected a file or folder that can be read, found: ");
  }
});
