/** Masks, and imputation by a model that knows what is missing. */

import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { ae, imageMask, impute, ppca, train } from "../../mod.ts";
import { normals } from "../../core/graph/random.ts";
import { invertPositive, multiply } from "../../core/linear_algebra.ts";
import { covarianceOf } from "../reference/linear_gaussian.ts";
import type { Trained } from "../../core/training/trained.ts";
import { gpu } from "../support/gpu.ts";
import { bits, bitsVae } from "./support.ts";

Deno.test("imageMask() hides halves, the middle, and a part of the pixels, in all channels alike", () => {
  const picture = (name: string) =>
    Array.from(imageMask(name, [4, 4, 1]), String).join("").replace(/(....)/g, "$1 ").trim();
  assertEquals(picture("left"), "0011 0011 0011 0011");
  assertEquals(picture("right"), "1100 1100 1100 1100");
  assertEquals(picture("top"), "0000 0000 1111 1111");
  assertEquals(picture("bottom"), "1111 1111 0000 0000");
  assertEquals(picture("center"), "1111 1001 1001 1111");
  const random = imageMask("random:0.25", [50, 50, 3], 3);
  for (let i = 0; i < random.length; i++) assertEquals(random[i], random[i - i % 3]);
  assertAlmostEquals(random.reduce((sum, value) => sum + value, 0) / random.length, 0.75, 0.04);
  assertThrows(() => imageMask("middle", [4, 4, 1]), RangeError, 'Cannot mask "middle": expected left, right');
  assertThrows(() => imageMask("random:2", [4, 4, 1]), RangeError, "P from 0 to 1");
});

Deno.test("impute() of a linear Gaussian model comes to the conditional mean and its spread, which are known", async () => {
  const [D, K, count] = [6, 2, 100];
  const [w, z, noise] = [D * K, count * K, count * D].map((n, i) => normals(new Float64Array(n), i + 1, 0, 0));
  const values = Float32Array.from(
    noise,
    (e, i) => 0.4 * e + w[i % D] * z[Math.floor(i / D) * K] + w[D + i % D] * z[Math.floor(i / D) * K + 1],
  );
  const rows = { values, count };
  const data = { name: "plane", shape: [1, D, 1] as const, train: rows, test: rows };
  const training = train(ppca, data, { latents: K, validation: 0 }, { gpu });
  for await (const event of training) assert(event.event !== "end" || !event.stopped);
  using model = training.trained;
  const { weight, bias } = await model.parameters.get("decoder").get();
  const sigma2 = (await model.parameters.get("noise").get()).weight[0];
  const c = covarianceOf(weight, D, sigma2);
  // E[b | a] = μ_b + C_ba C_aa⁻¹ (a - μ_a) and Var[b | a] = C_bb - C_ba C_aa⁻¹ C_ab, of which σ² is noise.
  const conditional = (a: readonly number[], b: readonly number[]) => {
    const block = (p: readonly number[], q: readonly number[]) =>
      Float64Array.from(p.flatMap((i) => q.map((j) => c[i * D + j])));
    const regression = multiply(block(b, a), invertPositive(block(a, a), a.length), a.length);
    const explained = multiply(regression, block(a, b), a.length);
    const variance = b.map((i, at) => c[i * D + i] - explained[at * b.length + at] - sigma2);
    const mean = (row: number) =>
      b.map((i, at) =>
        a.reduce((sum, j, k) => sum + regression[at * a.length + k] * (values[row * D + j] - bias[j]), bias[i])
      );
    return { mean, variance };
  };
  // The masks of rows differ: the last two are missing, or the first three.
  const halves = [{ a: [0, 1, 2, 3], b: [4, 5] }, { a: [3, 4, 5], b: [0, 1, 2] }];
  const mask = Uint8Array.from(values, (_, i) => halves[Math.floor(i / D) % 2].a.includes(i % D) ? 1 : 0);
  const options = { iterations: 60, chains: 8, start: [3] };
  const { values: found, deviation, effectiveDraws } = await impute(model as Trained, values, mask, options);
  halves.forEach(({ a, b }, half) => {
    const { mean, variance } = conditional(a, b);
    for (let row = half; row < count; row += 2) {
      const expected = mean(row);
      // Of as many independent draws as count; five deviations of their mean, and float32.
      const draws = effectiveDraws![row];
      assert(draws > 10, `row ${row}: ${draws} draws`);
      b.forEach((i, at) => {
        const spread = Math.sqrt(variance[at]);
        assertAlmostEquals(found[row * D + i], expected[at], 5 * spread / Math.sqrt(draws) + 1e-4, `row ${row}`);
        assertAlmostEquals(deviation[row * D + i], spread, 5 * spread / Math.sqrt(draws), `row ${row}`);
      });
      for (const i of a) {
        assertEquals(found[row * D + i], values[row * D + i]);
        assertEquals(deviation[row * D + i], 0);
      }
    }
  });
});

Deno.test("impute() of a VAE and of an autoencoder is nearer to what was hidden than the mean of the rows", async () => {
  const x = Float32Array.from(bits.test.values, (byte) => byte / 255);
  const mask = imageMask("bottom", [4, 4, 1]);
  const mean = x.subarray(0, 16).map((_, i) => {
    let sum = 0;
    for (let row = 0; row < 60; row++) sum += x[row * 16 + i] / 60;
    return sum;
  });
  const errorOf = (values: (i: number) => number) =>
    x.reduce((sum, value, i) => sum + (mask[i % 16] ? 0 : (value - values(i)) ** 2), 0);
  using variational = await bitsVae();
  const training = train(ae, bits, { hidden: [8], latents: 2, epochs: 40, batchSize: 20, validation: 0 }, { gpu });
  for await (const event of training) assert(event.event !== "end" || !event.stopped);
  using plain = training.trained;
  for (const model of [variational, plain as Trained]) {
    const { values, deviation } = await impute(model, x, mask, { iterations: 20, start: mean });
    const [found, blind] = [errorOf((i) => values[i]), errorOf((i) => mean[i % 16])];
    assert(found < 0.9 * blind, `${model.model.name}: ${found}, the mean ${blind}`);
    assertEquals(deviation.some((value) => value > 0), model === variational);
  }
});

Deno.test("impute() starts from the rows nearest in what is observed", async () => {
  using model = await bitsVae();
  const x = model.rowsOf(bits.test, 0, 6);
  const mask = imageMask("bottom", [4, 4, 1]);
  const near = { iterations: 1, chains: 2, seed: 3 };
  const all = model.rowsOf(bits.test);
  const found = await impute(model, x, mask, { ...near, neighbours: all });
  // A row is nearest to itself, and what it is filled in with beside the other starts is not.
  const from = (neighbours: Float32Array) => impute(model, x, mask, { ...near, neighbours });
  assertEquals(found.values, (await from(Float32Array.of(...all, ...all.map((value) => 1 - value)))).values);
  assertNotEquals(found.values, (await from(all.map((value) => 1 - value))).values);
});

Deno.test("impute() reads nothing of what is missing, and refuses a mask that does not fit", async () => {
  using model = await bitsVae();
  const x = model.rowsOf(bits.test, 0, 4);
  const mask = imageMask("left", [4, 4, 1]);
  const other = x.map((value, i) => mask[i % 16] ? value : 1 - value);
  const [a, b] = [await impute(model, x, mask, { iterations: 3 }), await impute(model, other, mask, { iterations: 3 })];
  assertEquals(a, b);
  await assertRejects(
    () => impute(model, x, [1, 0]),
    RangeError,
    "expected a mask of 16 values, or of 4 x 16, found 2",
  );
  await assertRejects(() => impute(model, x, new Uint8Array(16)), RangeError, "found none in the mask");
  const hole = Uint8Array.from({ length: 64 }, (_, i) => i >> 4 === 2 ? 0 : 1);
  await assertRejects(() => impute(model, x, hole), RangeError, "found none in row 2 of the mask");
  await assertRejects(() => impute(model, x, mask, { iterations: 0 }), RangeError, "at least 1 iteration, found 0");
  await assertRejects(() => impute(model, x, mask, { chains: 0 }), RangeError, "at least 1 chain, found 0");
  await assertRejects(() => impute(model, x.subarray(1), mask), RangeError, "expected rows of 16 values, found 63");
});
