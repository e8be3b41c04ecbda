/** The random numbers and the shuffle: the GPU's against the host's, and the host's by their moments and by counting. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type Fragment, write } from "../../core/gpu/kernel.ts";
import { normals, permuted, randomBits, uniforms } from "../../core/graph/random.ts";
import { createBuffer } from "../../core/gpu/tensor.ts";
import random from "../../shaders/random.wgsl" with { type: "text" };
import shuffle from "../../shaders/shuffle.wgsl" with { type: "text" };
import { assertClose } from "../support/compare.ts";
import { dispatch, gpu } from "../support/gpu.ts";

/** Runs `out[i] = expression` for i = 0 ... count - 1 on the GPU. */
async function evaluate(type: string, bytes: number, count: number, expression: string): Promise<ArrayBuffer> {
  const buffer = createBuffer(gpu, "out", count * bytes);
  const fragment: Fragment = {
    parts: [
      random,
      shuffle,
      `@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i < COUNT) {
    out[i] = ${expression};
  }
}`,
    ],
    constants: { COUNT: count },
    buffers: { out: write(buffer, `array<${type}>`) },
  };
  await dispatch({ label: expression, fragments: [fragment], workgroups: [Math.ceil(count / 64)] });
  const result = await gpu.read(buffer, 0, count * bytes);
  buffer.destroy();
  return result;
}

Deno.test("random_bits of the GPU are the integers of randomBits()", async () => {
  const count = 1000;
  const found = new Uint32Array(
    await evaluate("vec4u", 16, count, "random_bits(7u + i / 500u, i * i, 0xfffffff0u + i, i)"),
  );
  const expected = Array.from(
    { length: count },
    (_, i) => [...randomBits(7 + Math.floor(i / 500), i * i, (0xfffffff0 + i) >>> 0, i)],
  ).flat();
  assertEquals([...found], expected);
});

Deno.test("randomBits() is PCG4D", () => {
  // Computed by hand in Python from the listing of Jarzynski and Olano, with integers modulo 2^32.
  assertEquals([...randomBits(1, 2, 3, 4)], [908250390, 4044648920, 3775961919, 45698095]);
});

Deno.test("random_uniform of the GPU is exactly uniforms()", async () => {
  const count = 4096;
  const found = new Float32Array(await evaluate("vec4f", 16, count, "random_uniform(5u, 6u, 7u, i)"));
  assertEquals(found, uniforms(new Float32Array(4 * count), 5, 6, 7));
});

Deno.test("uniforms() lie between 0 and 1 and have the moments of the uniform distribution", () => {
  const count = 2 ** 20;
  const values = uniforms(new Float64Array(count), 1, 2, 3);
  const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / count;
  // Five standard errors: the variance of uⁿ is below 1/9.
  for (const power of [1, 2, 3, 4]) assertAlmostEquals(moment(power), 1 / (power + 1), 5 / 3 / Math.sqrt(count));
});

Deno.test("uniforms() reach neither 0 nor 1, where all bits are 0 and where all are 1", async () => {
  // Found by search: word `lane` of these indexes has its upper 24 bits all 0, or all 1.
  for (const [index, lane, bits] of [[2344792, 1, 0], [3761299, 3, 0xffffff]]) {
    assertEquals(randomBits(0, 0, 0, index)[lane] >>> 8, bits);
    const host = uniforms(new Float32Array(4 * index + 4), 0, 0, 0)[4 * index + lane];
    const device = new Float32Array(await evaluate("vec4f", 16, 1, `random_uniform(0u, 0u, 0u, ${index}u)`))[lane];
    for (const value of [host, device]) assert(value > 0 && value < 1, `${value} of bits ${bits}`);
  }
});

Deno.test("random_normal of the GPU is normals() within 3e-5", async () => {
  const count = 4096;
  const found = new Float32Array(await evaluate("vec4f", 16, count, "random_normal(5u, 6u, 7u, i)"));
  assertClose(found, normals(new Float64Array(4 * count), 5, 6, 7), "normals", { absolute: 3e-5, relative: 0 });
});

Deno.test("normals() have mean 0, variance 1, skewness 0 and kurtosis 3, and neighbours do not correlate", () => {
  const count = 2 ** 20;
  const values = normals(new Float64Array(count), 3, 2, 1);
  const mean = (f: (x: number, i: number) => number) => values.reduce((sum, x, i) => sum + f(x, i), 0) / count;
  // Five standard errors; the variance of xⁿ is (2n - 1)!! - E[xⁿ]².
  for (const [power, expected, variance] of [[1, 0, 1], [2, 1, 2], [3, 0, 15], [4, 3, 96]]) {
    assertAlmostEquals(mean((x) => x ** power), expected, 5 * Math.sqrt(variance / count), `moment ${power}`);
  }
  for (const lag of [1, 2, 3, 4]) {
    assertAlmostEquals(mean((x, i) => x * values[(i + lag) % count]), 0, 5 / Math.sqrt(count), `lag ${lag}`);
  }
});

Deno.test("streams, steps and seeds give numbers that do not correlate", () => {
  const count = 2 ** 16;
  const base = normals(new Float64Array(count), 1, 1, 1);
  for (const [seed, step, stream] of [[2, 1, 1], [1, 2, 1], [1, 1, 2]]) {
    const other = normals(new Float64Array(count), seed, step, stream);
    const correlation = base.reduce((sum, x, i) => sum + x * other[i], 0) / count;
    assertAlmostEquals(correlation, 0, 5 / Math.sqrt(count));
  }
});

const COUNTS = [1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 100, 1000, 1024, 1025, 50000];

Deno.test("permuted() is a bijection for every count", () => {
  for (const count of COUNTS) {
    const seen = new Uint8Array(count);
    for (let i = 0; i < count; i++) seen[permuted(i, count, 11, 3)]++;
    assertEquals(seen, new Uint8Array(count).fill(1), `count ${count}`);
  }
});

Deno.test("permuted of the GPU is permuted() for every count, seed and epoch", async () => {
  for (const count of COUNTS) {
    const shown = Math.min(count, 1024);
    const call = `permuted(i % ${count}u, ${count}u, 1234567u, i / ${count}u)`;
    const found = new Uint32Array(await evaluate("u32", 4, 2 * shown, call));
    const expected = Array.from(
      { length: 2 * shown },
      (_, i) => permuted(i % count, count, 1234567, Math.floor(i / count)),
    );
    assertEquals([...found], expected, `count ${count}`);
  }
});

Deno.test("permuted() gives every row the same chance of every place, and other orders in other epochs and of other seeds", () => {
  const count = 6;
  const trials = 12000;
  const places = Array.from({ length: count }, () => new Float64Array(count));
  for (let epoch = 0; epoch < trials; epoch++) {
    for (let i = 0; i < count; i++) places[i][permuted(i, count, 5, epoch)]++;
  }
  // χ² of each position with 5 degrees of freedom: above 30 once in 70,000.
  for (const [position, counts] of places.entries()) {
    const chi = counts.reduce((sum, found) => sum + (found - trials / count) ** 2 / (trials / count), 0);
    assert(chi < 30, `χ² of position ${position} is ${chi}: ${counts}`);
  }
  const order = (seed: number, epoch: number) =>
    Array.from({ length: 100 }, (_, i) => permuted(i, 100, seed, epoch)).join();
  assertEquals(new Set([order(1, 0), order(1, 1), order(2, 0), order(2, 1)]).size, 4);
});
