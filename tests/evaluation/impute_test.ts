/** Masks, and imputation by a model that knows what is missing. */

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { imageMask, impute, ppca, train } from "../../mod.ts";
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

Deno.test("impute() of a linear Gaussian model comes to the conditional mean, which is known", async () => {
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
  // E[b | a] = μ_b + C_ba C_aa⁻¹ (a - μ_a), the first four features observed.
  const aa = Float64Array.from({ length: 16 }, (_, i) => c[Math.floor(i / 4) * D + i % 4]);
  const ba = Float64Array.from({ length: 8 }, (_, i) => c[(4 + Math.floor(i / 4)) * D + i % 4]);
  const regression = multiply(ba, invertPositive(aa, 4), 4);
  const found = await impute(model as Trained, values, [1, 1, 1, 1, 0, 0], { iterations: 160 });
  const sums = { error: 0, product: 0, square: 0 };
  for (let n = 0; n < count; n++) {
    for (let j = 0; j < 2; j++) {
      let expected = bias[4 + j];
      for (let i = 0; i < 4; i++) expected += regression[4 * j + i] * (values[n * D + i] - bias[i]);
      const [apart, at] = [found[n * D + 4 + j] - expected, expected - bias[4 + j]];
      sums.error += apart ** 2 / (2 * count);
      sums.product += (found[n * D + 4 + j] - bias[4 + j]) * at;
      sums.square += at ** 2;
    }
    for (let i = 0; i < 4; i++) assertEquals(found[n * D + i], values[n * D + i]);
  }
  // Means of 80 rounds of a chain, each row by itself: they scatter about what is expected, and regress on it with slope 1.
  assert(Math.sqrt(sums.error) < 0.25 * Math.sqrt(sums.square / (2 * count)), `${Math.sqrt(sums.error)}`);
  assertAlmostEquals(sums.product / sums.square, 1, 0.03);
});

Deno.test("impute() reads nothing of what is missing, and refuses a mask that does not fit", async () => {
  using model = await bitsVae();
  const x = model.rowsOf(bits.test, 0, 4);
  const mask = imageMask("left", [4, 4, 1]);
  const other = x.map((value, i) => mask[i % 16] ? value : 1 - value);
  const [a, b] = [await impute(model, x, mask, { iterations: 3 }), await impute(model, other, mask, { iterations: 3 })];
  assertEquals(a, b);
  await assertRejects(() => impute(model, x, [1, 0]), RangeError, "expected a mask of 16 values");
  await assertRejects(() => impute(model, x, mask, { iterations: 0 }), RangeError, "at least 1 iteration, found 0");
});
