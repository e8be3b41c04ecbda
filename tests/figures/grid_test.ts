import { Buffer } from "node:buffer";
import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { PNG } from "pngjs";
import { encodePng, type Grid, imageGrid, pairGrid } from "../../figures/grid.ts";

const GREY = 0xdd;

/** One colour channel of a grid as rows of numbers. */
function channel({ width, height, pixels }: Grid, index = 0): number[][] {
  return Array.from(
    { length: height },
    (_, y) => Array.from({ length: width }, (_, x) => pixels[(y * width + x) * 4 + index]),
  );
}

Deno.test("imageGrid() lays images out row by row, with a gap around each", () => {
  const grid = imageGrid(new Uint8Array([1, 2, 3, 4, 5, 6]), { shape: [1, 2, 1], columns: 2, gap: 1, scale: 1 });
  const G = GREY;
  assertEquals(channel(grid), [
    [G, G, G, G, G, G, G],
    [G, 1, 2, G, 3, 4, G],
    [G, G, G, G, G, G, G],
    [G, 5, 6, G, G, G, G],
    [G, G, G, G, G, G, G],
  ]);
  assertEquals(channel(grid, 3).flat().every((alpha) => alpha === 255), true);
});

Deno.test("imageGrid() enlarges pixels by a whole number", () => {
  const grid = imageGrid(new Uint8Array([1, 2]), { shape: [1, 2, 1], gap: 0, scale: 3, columns: 1 });
  assertEquals(channel(grid), Array.from({ length: 3 }, () => [1, 1, 1, 2, 2, 2]));
});

Deno.test("imageGrid() takes floats from 0 to 1 and clamps others", () => {
  const options = { shape: [1, 5, 1], columns: 1, gap: 0, scale: 1 } as const;
  const grid = imageGrid(new Float32Array([0, 0.5, 1, 1.5, NaN]), options);
  assertEquals(channel(grid), [[0, 128, 255, 255, 0]]);
});

Deno.test("imageGrid() draws three channels as red, green and blue", () => {
  const grid = imageGrid(new Uint8Array([10, 20, 30]), { shape: [1, 1, 3], gap: 0, scale: 1 });
  assertEquals([...grid.pixels], [10, 20, 30, 255]);
});

Deno.test("imageGrid() makes the grid about square by default, with a gap of 2 and a scale of 2", () => {
  const grid = imageGrid(new Uint8Array(100 * 784), { shape: [28, 28, 1] });
  assertEquals([grid.width, grid.height], [10 * 58 + 2, 10 * 58 + 2]);
  const tall = imageGrid(new Uint8Array(8 * 2), { shape: [2, 1, 1], gap: 0, scale: 1 });
  assertEquals([tall.width, tall.height], [4, 4]);
});

Deno.test("imageGrid() refuses what cannot be drawn", () => {
  const images = new Uint8Array(8);
  assertThrows(
    () => imageGrid(images, { shape: [2, 2, 2] }),
    RangeError,
    "expected 1 channel (grey) or 3 (RGB), found 2",
  );
  assertThrows(
    () => imageGrid(images, { shape: [3, 1, 1] }),
    RangeError,
    "a multiple of 3 values for shape [3,1,1], found 8",
  );
  assertThrows(() => imageGrid(new Uint8Array(0), { shape: [2, 2, 1] }), RangeError, "found 0");
  assertThrows(
    () => imageGrid(images, { shape: [0, 2, 1] }),
    RangeError,
    "height to be an integer of at least 1, found 0",
  );
  assertThrows(() => imageGrid(images, { shape: [2, 2, 1], columns: 0 }), RangeError, "columns");
  assertThrows(() => imageGrid(images, { shape: [2, 2, 1], gap: -1 }), RangeError, "gap");
  assertThrows(() => imageGrid(images, { shape: [2, 2, 1], scale: 1.5 }), RangeError, "scale");
});

Deno.test("pairGrid() puts each reconstruction under its original", () => {
  const options = { shape: [1, 1, 1], columns: 2, gap: 0, scale: 1 } as const;
  const grid = pairGrid(new Uint8Array([1, 2, 3]), new Uint8Array([11, 12, 13]), options);
  assertEquals(channel(grid), [[1, 2], [11, 12], [3, GREY], [13, GREY]]);
});

Deno.test("pairGrid() takes bytes beside floats", () => {
  const options = { shape: [1, 1, 1], gap: 0, scale: 1 } as const;
  const grid = pairGrid(new Uint8Array([255, 0]), new Float32Array([0.5, 1]), options);
  assertEquals(channel(grid), [[255, 0], [128, 255]]);
});

Deno.test("pairGrid() refuses more originals than reconstructions, and parts of images", () => {
  const [two, one] = [new Uint8Array(2), new Uint8Array(1)];
  assertThrows(
    () => pairGrid(two, one, { shape: [1, 1, 1] }),
    RangeError,
    "expected 2 values of reconstructions, found 1",
  );
});

Deno.test("encodePng() writes a PNG that holds the pixels, the same bytes each time", () => {
  const images = Uint8Array.from({ length: 3 * 4 * 5 * 3 }, (_, i) => i);
  const grid = imageGrid(images, { shape: [4, 5, 3] });
  const bytes = encodePng(grid);
  const read: { width: number; height: number; data: Uint8Array } = PNG.sync.read(Buffer.from(bytes));
  assertEquals([read.width, read.height], [grid.width, grid.height]);
  assertEquals([...read.data], [...grid.pixels]);
  assertEquals(encodePng(grid), bytes);
  assertNotEquals(encodePng(imageGrid(images, { shape: [4, 5, 3], scale: 1 })), bytes);
});
