import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { parseIdx } from "../../datasets/idx.ts";

/** Two images of 2 x 3 with the bytes 0 to 11. */
function images(): Uint8Array<ArrayBuffer> {
  return new Uint8Array([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, ...Array.from({ length: 12 }, (_, i) => i)]);
}

Deno.test("parseIdx() reads images and labels", () => {
  const parsed = parseIdx(images(), "x.idx", [undefined, 2, 3]);
  assertEquals(parsed.shape, [2, 2, 3]);
  assertEquals([...parsed.values], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const labels = parseIdx(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 3, 9, 0, 4]), "y.idx", [3]);
  assertEquals([...labels.values], [9, 0, 4]);
});

Deno.test("parseIdx() does not copy, and honours a view's offset", () => {
  const padded = new Uint8Array([255, 255, ...images()]);
  const parsed = parseIdx(padded.subarray(2), "x.idx", [2, 2, 3]);
  assertStrictEquals(parsed.values.buffer, padded.buffer);
  assertEquals(parsed.values[11], 11);
});

Deno.test("parseIdx() accepts a file of no items", () => {
  assertEquals(parseIdx(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 0]), "y.idx", [undefined]).values.length, 0);
});

const broken: [string, Uint8Array<ArrayBuffer>, (number | undefined)[], string][] = [
  ["an empty file", new Uint8Array(0), [undefined], "expected an idx file, found 0 bytes (cut short?)"],
  [
    "a file cut in its header",
    images().subarray(0, 9),
    [undefined, 2, 3],
    "expected a header of 16 bytes, found 9 (cut short?)",
  ],
  [
    "a file cut in its data",
    images().subarray(0, 27),
    [undefined, 2, 3],
    "expected 28 bytes for dimensions [2, 2, 3], found 27 (cut short?)",
  ],
  [
    "a file with bytes after its data",
    new Uint8Array([...images(), 1, 2]),
    [undefined, 2, 3],
    "expected 28 bytes for dimensions [2, 2, 3], found 2 more after them",
  ],
  [
    "a gzipped file",
    new Uint8Array([0x1f, 0x8b, 0x08, 0x08, 0, 0]),
    [undefined, 2, 3],
    "expected magic 0x00000803, found 0x1f8b0808 (a gzip file?)",
  ],
  [
    "labels in place of images",
    new Uint8Array([0, 0, 8, 1, 0, 0, 0, 0]),
    [undefined, 2, 3],
    "expected magic 0x00000803, found 0x00000801 (an idx file of labels?)",
  ],
  [
    "images in place of labels",
    images(),
    [undefined],
    "expected magic 0x00000801, found 0x00000803 (an idx file of images?)",
  ],
  ["another type of element", new Uint8Array([0, 0, 0x0d, 1]), [5], "expected magic 0x00000801, found 0x00000d01"],
  ["another dimension", images(), [undefined, 28, 28], "expected dimensions [any, 28, 28], found [2, 2, 3]"],
];

for (const [what, bytes, expected, message] of broken) {
  Deno.test(`parseIdx() refuses ${what} and names the file`, () => {
    const error = assertThrows(() => parseIdx(bytes, "data/x.idx", expected), Error);
    assertEquals(error.message, `Cannot read "data/x.idx": ${message}`);
  });
}
