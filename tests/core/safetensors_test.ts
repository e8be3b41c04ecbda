import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type CheckpointTensor, decodeSafetensors, encodeSafetensors } from "../../core/training/safetensors.ts";

function example(): Map<string, CheckpointTensor> {
  return new Map<string, CheckpointTensor>([
    ["seeds", { shape: [3], data: new Uint8Array([1, 2, 255]) }],
    ["head.weight", { shape: [2, 2], data: new Float32Array([0.1, -Infinity, -0, 1e-45]) }],
    ["step", { shape: [], data: new Uint32Array([4294967295]) }],
    ["none", { shape: [0, 7], data: new Float32Array(0) }],
  ]);
}

Deno.test("decodeSafetensors() gives back what encodeSafetensors() wrote", () => {
  const metadata = { model: "vae", config: '{"hidden":[500]}', note: "β" };
  const decoded = decodeSafetensors(encodeSafetensors(example(), metadata), "x");
  assertEquals(decoded.metadata, metadata);
  assertEquals(new Map([...decoded.tensors].toSorted()), new Map([...example()].toSorted()));
});

Deno.test("encodeSafetensors() gives equal bytes whatever the order of names", () => {
  const reversed = new Map([...example()].reverse());
  assertEquals(encodeSafetensors(example(), { a: "1", b: "2" }), encodeSafetensors(reversed, { b: "2", a: "1" }));
});

Deno.test("encodeSafetensors() pads its header so that every tensor is aligned", () => {
  for (const name of ["a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"]) {
    const bytes = encodeSafetensors(new Map([[name, { shape: [1], data: new Float32Array([1]) }]]), {});
    assertEquals(bytes.length % 8, 4);
    assertEquals(new DataView(bytes.buffer).getFloat32(bytes.length - 4, true), 1);
  }
});

Deno.test("encodeSafetensors() writes the part of the buffer that a view shows", () => {
  const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
  const { tensors } = decodeSafetensors(encodeSafetensors(new Map([["x", { shape: [2], data }]]), {}), "x");
  assertEquals([...tensors.get("x")!.data], [1, 2]);
});

Deno.test("encodeSafetensors() refuses a shape of another count, and the name of the strings", () => {
  const data = new Float32Array(5);
  assertThrows(
    () => encodeSafetensors(new Map([["x", { shape: [2, 3], data }]]), {}),
    RangeError,
    'Cannot write tensor "x": expected 6 values for shape [2,3], found 5',
  );
  assertThrows(() => encodeSafetensors(new Map([["__metadata__", { shape: [5], data }]]), {}), RangeError);
});

Deno.test("decodeSafetensors() reads what golden/small_safetensors.py wrote", async () => {
  const bytes = await Deno.readFile(new URL("../golden/small.safetensors", import.meta.url));
  const { tensors, metadata } = decodeSafetensors(bytes, "small");
  assertEquals(metadata, { model: "vae", note: "β = 1" });
  assertEquals(
    tensors,
    new Map<string, CheckpointTensor>([
      ["step", { shape: [], data: new Uint32Array([4294967295]) }],
      ["empty", { shape: [0, 4], data: new Float32Array(0) }],
      ["weight", { shape: [2, 3], data: new Float32Array([0, -1.5, 3.140625, 1e-45, 3.4028234663852886e38, 0.1]) }],
      ["bytes", { shape: [3], data: new Uint8Array([1, 128, 255]) }],
    ]),
  );
});

/** A file of a header, given as it stands, and as many bytes of data. */
function file(header: unknown, dataLength: number): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = "F32") => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

const broken: [string, Uint8Array, string | RegExp][] = [
  ["an empty file", new Uint8Array(0), "expected 8 bytes with the length of the header, found 0 (cut short?)"],
  ["a file cut in its header", file({}, 0).subarray(0, 9), "expected a header of 2 bytes, found 1 (cut short?)"],
  [
    "a header longer than any",
    new Uint8Array(64).fill(255),
    /^expected a header of at most 100000000 bytes, found a length of 18446744073709552000 \(not a safetensors file\?\)$/,
  ],
  ["a header that is not JSON", file("{nothing", 0), /^expected a header in JSON, found /],
  ["a header that is not UTF-8", file("{}", 0).fill(0xff, 8), /^expected a header in JSON, found /],
  ["a header that is a list", file([], 0), "expected a header with one entry per tensor, found another kind of JSON"],
  [
    "strings that are none",
    file({ __metadata__: { step: 3 } }, 0),
    'expected __metadata__ to map names to strings, found {"step":3}',
  ],
  [
    "a tensor without a shape",
    file({ x: { dtype: "F32", data_offsets: [0, 4] } }, 4),
    'expected dtype, shape and data_offsets of tensor "x", found {"dtype":"F32","data_offsets":[0,4]}',
  ],
  [
    "a negative size",
    file({ x: entry(0, 4, [-1]) }, 4),
    'expected dtype, shape and data_offsets of tensor "x", found {"dtype":"F32","shape":[-1],"data_offsets":[0,4]}',
  ],
  [
    "another type of element",
    file({ x: entry(0, 4, [2], "F16") }, 4),
    'expected tensor "x" to be one of F32, U32, U8, found F16',
  ],
  [
    "a shape of another count",
    file({ x: entry(0, 8, [3]) }, 8),
    'expected 12 bytes for tensor "x" (F32 [3]), found offsets 0 to 8',
  ],
  [
    "overlapping tensors",
    file({ x: entry(0, 8), y: entry(4, 12) }, 12),
    'expected tensor "y" to start at offset 8, found 4 (an overlap)',
  ],
  [
    "a gap between tensors",
    file({ x: entry(0, 8), y: entry(12, 16) }, 16),
    'expected tensor "y" to start at offset 8, found 12 (a gap)',
  ],
  [
    "a file cut in its data",
    file({ x: entry(0, 8), y: entry(8, 16) }, 15),
    'expected the data of tensor "y" to end at offset 16, found 15 bytes of data (cut short?)',
  ],
  ["bytes after its data", file({ x: entry(0, 8) }, 9), "expected 8 bytes of data, found 1 more after them"],
];

for (const [what, bytes, message] of broken) {
  Deno.test(`decodeSafetensors() refuses ${what} and names the file`, () => {
    const error = assertThrows(() => decodeSafetensors(bytes, "runs/a/checkpoint.safetensors"), Error);
    const prefix = 'Cannot read "runs/a/checkpoint.safetensors": ';
    assert(error.message.startsWith(prefix), error.message);
    const rest = error.message.slice(prefix.length);
    if (typeof message === "string") assertEquals(rest, message);
    else assertMatch(rest, message);
  });
}

Deno.test("decodeSafetensors() refuses a checkpoint cut anywhere", () => {
  const bytes = encodeSafetensors(example(), { model: "vae" });
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => decodeSafetensors(bytes.subarray(0, length), "x"), Error, 'Cannot read "x": expected');
  }
});
