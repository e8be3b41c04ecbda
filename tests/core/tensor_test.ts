/** The panel layout of a matrix: where elements lie, and that values come back as they went in. */

import { assertEquals, assertThrows } from "@std/assert";
import { createBuffer, createTensor, download, indexOf, roundUp, unpack, upload } from "../../core/gpu/tensor.ts";
import { gpu } from "../support/gpu.ts";

Deno.test("roundUp() gives the next multiple, and a multiple itself", () => {
  assertEquals([0, 1, 31, 32, 33, 784].map((n) => roundUp(n, 32)), [0, 32, 32, 32, 64, 800]);
});

Deno.test("indexOf() walks along the 32 columns of a panel, down its rows, then on to the next panel", () => {
  // Floats of a matrix of 3 stored rows.
  assertEquals(indexOf(3, 0, 0), 0);
  assertEquals(indexOf(3, 0, 31), 31);
  assertEquals(indexOf(3, 1, 0), 32);
  assertEquals(indexOf(3, 2, 5), 69);
  assertEquals(indexOf(3, 0, 32), 96);
  assertEquals(indexOf(3, 1, 65), 225);
});

Deno.test("indexOf() gives every element of a matrix its own place", () => {
  const places = new Set<number>();
  for (let row = 0; row < 5; row++) for (let column = 0; column < 96; column++) places.add(indexOf(5, row, column));
  assertEquals([...places].sort((a, b) => a - b), Array.from({ length: 480 }, (_, i) => i));
});

for (const [rows, columns] of [[1, 1], [3, 32], [2, 33], [5, 100]]) {
  Deno.test(`download() gives back what upload() wrote: ${rows} x ${columns}`, async () => {
    const tensor = createTensor(gpu, "x", rows, columns, { storedRows: roundUp(rows, 8) });
    const values = Float32Array.from({ length: rows * columns }, (_, i) => i + 1);
    upload(gpu, tensor, values);
    assertEquals(await download(gpu, tensor), values);
    const stored = new Float32Array(await gpu.read(tensor.buffer));
    assertEquals(stored.length, roundUp(rows, 8) * roundUp(columns, 32));
    // Padding is zero: what is stored adds up to 1 + 2 + ... + n.
    const n = values.length;
    assertEquals(stored.reduce((sum, value) => sum + value, 0), n * (n + 1) / 2);
    tensor.buffer.destroy();
  });
}

Deno.test("upload() and unpack() take rows from where they are told", async () => {
  const tensor = createTensor(gpu, "x", 2, 3, { storedRows: 5 });
  upload(gpu, tensor, Float32Array.of(1, 2, 3, 4, 5, 6), 3);
  const stored = await gpu.read(tensor.buffer);
  assertEquals(unpack(tensor, stored), new Float32Array(6));
  assertEquals(unpack(tensor, stored, 3), Float32Array.of(1, 2, 3, 4, 5, 6));
  assertEquals(unpack(tensor, stored, 4, 1), Float32Array.of(4, 5, 6));
  tensor.buffer.destroy();
});

Deno.test("download() of bytes gives byte / 255", async () => {
  const tensor = createTensor(gpu, "x", 2, 3, { type: "u8" });
  const packed = new Uint8Array(64);
  packed.set([0, 51, 255]);
  packed.set([102, 153, 204], 32);
  gpu.device.queue.writeBuffer(tensor.buffer, 0, packed);
  assertEquals(await download(gpu, tensor), Float32Array.of(0, 0.2, 1, 0.4, 0.6, 0.8));
  tensor.buffer.destroy();
});

Deno.test("createBuffer() refuses more than the adapter can bind, with the limit and the adapter", () => {
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.device.limits;
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  const name = maxBufferSize < maxStorageBufferBindingSize ? "maxBufferSize" : "maxStorageBufferBindingSize";
  assertThrows(
    () => createBuffer(gpu, "huge", limit + 16),
    RangeError,
    `Cannot allocate "huge": expected at most ${limit} bytes (${name}) on ${gpu.adapter}, found ${limit + 16}`,
  );
});
