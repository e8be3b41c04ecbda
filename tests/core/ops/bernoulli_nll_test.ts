/** The Bernoulli negative log-likelihood and its gradient, inside the layer before it and on its own, and draws from it. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { bernoulliNll } from "../../../core/ops/bernoulli_nll.ts";
import { bernoulliSample } from "../../../core/ops/bernoulli_sample.ts";
import { dense } from "../../../core/ops/dense.ts";
import { uniforms } from "../../../core/graph/random.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { WORKGROUP_TILES } from "../../../core/products/tiles.ts";
import { bernoulliNllBackward, bernoulliNllForward } from "../../reference/bernoulli_nll.ts";
import { denseBackward, denseForward } from "../../reference/dense.ts";
import { assertClose, draw, float64, repeated } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

/** Grey values. */
const pixels = (count: number) => uniforms(new Float32Array(count), 9, 0, 100);
const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);

for (const [batch, features] of [[1, 3], [97, 32], [100, 37], [33, 784]]) {
  Deno.test(`bernoulliNll() on its own agrees with the reference: ${batch} x ${features}`, async () => {
    const sizes = { batch, features };
    const [l, x] = [draw(batch * features, 1).map((value) => 3 * value), pixels(batch * features)];
    using bench = new Bench(batch);
    const logits = bench.input("logits", features, l);
    const nll = bernoulliNll(bench.tape, logits, bench.data("x", features, x));
    const [terms] = await bench.run([{ name: "nll", value: nll, weight: constant(0.5) }]);
    const expected = bernoulliNllForward(float64(l), float64(x), sizes);
    assertClose(await bench.rows(nll), expected, "nll", { sum: features, absolute: 1e-6, relative: 1e-5 });
    assertAlmostEquals(terms[0], sum(expected), 1e-5 * sum(expected));
    const weight = new Float64Array(batch).fill(0.5);
    const gradient = bernoulliNllBackward(float64(l), float64(x), weight, sizes);
    assertClose(await bench.gradient(logits), gradient, "dlogits", { absolute: 1e-6 });
  });
}

// The last one ends in the middle of the larger tiles.
const SHAPES = [[97, 5, 37], [100, 40, 784], [1, 3, 3], [97, 5, 70]] as const;

for (const family of [...families, ...WORKGROUP_TILES]) {
  for (const [batch, hidden, features] of families.some((name) => name === family) ? SHAPES : SHAPES.slice(-1)) {
    Deno.test(`bernoulliNll() in the layer before it agrees with the reference: ${batch} x ${hidden} x ${features}, ${family} tiles`, async () => {
      const sizes = { batch, features };
      const layer = { batch, inputs: hidden, outputs: features };
      const [h, weight, bias] = [draw(batch * hidden, 1), draw(hidden * features, 2), draw(features, 3)];
      const x = pixels(batch * features);
      using bench = new Bench(batch, { family, shapes: { layer } });
      bench.set("layer", weight, bias);
      const input = bench.input("h", hidden, h);
      const data = bench.data("x", features, x);
      const logits = dense(bench.tape, input, bench.parameters.get("layer"));
      const nll = bernoulliNll(bench.tape, logits, data);
      const term = { name: "nll", value: nll, weight: constant(1) };
      const { program } = await bench.compile([term], { optimizer: "gradients", reduction: "mean" });
      const [terms] = await program.submit(1);
      assertEquals(program.dispatches.map(({ label }) => label), [
        "layer forward",
        "layer input gradient",
        "layer weight gradient",
        "metrics",
      ]);
      const [h64, weight64] = [h, weight].map(float64);
      const { preactivation, output } = denseForward(h64, weight64, float64(bias), layer, "identity");
      const expected = bernoulliNllForward(output, float64(x), sizes);
      assertClose(await bench.rows(nll), expected, "nll", { sum: features, relative: 1e-5 });
      assertAlmostEquals(terms[0], sum(expected), 1e-5 * sum(expected));
      const perRow = new Float64Array(batch).fill(1 / batch);
      const dlogits = bernoulliNllBackward(output, float64(x), perRow, sizes);
      assertClose(await bench.gradient(logits), dlogits, "dlogits", { absolute: 2e-6 / batch });
      const gradient = denseBackward(h64, weight64, preactivation, dlogits, layer, "identity");
      assertClose(await bench.gradient(input), gradient.x, "dh", { sum: features, absolute: 2e-6 / batch });
      const found = await bench.parameterGradient("layer");
      assertClose(found.weight, gradient.weight, "dW", { absolute: 2e-6 });
      assertClose(found.bias, gradient.bias, "db", { absolute: 2e-6 });
    });
  }
}

Deno.test("bernoulliNll() leaves logits stored that something else reads, and their gradients add up", async () => {
  const sizes = { batch: 9, features: 37 };
  const layer = { batch: 9, inputs: 5, outputs: 37 };
  const [h, weight, bias, more, x] = [draw(45, 1), draw(185, 2), draw(37, 3), draw(333, 4), pixels(333)];
  using bench = new Bench(9, { shapes: { layer } });
  bench.set("layer", weight, bias);
  const input = bench.input("h", 5, h);
  const logits = dense(bench.tape, input, bench.parameters.get("layer"));
  const nll = bernoulliNll(bench.tape, logits, bench.data("x", 37, x));
  await bench.run([{ name: "nll", value: nll, weight: constant(1) }, bench.given(logits, more)]);
  const { output } = denseForward(float64(h), float64(weight), float64(bias), layer, "identity");
  assertClose(await bench.read(logits), output, "logits", { absolute: 2e-6 });
  assertClose(await bench.rows(nll), bernoulliNllForward(output, float64(x), sizes), "nll");
  const dlogits = bernoulliNllBackward(output, float64(x), new Float64Array(9).fill(1), sizes);
  dlogits.forEach((value, i) => dlogits[i] = value + more[i]);
  const gradient = denseBackward(float64(h), float64(weight), output, dlogits, layer, "identity");
  assertClose(await bench.gradient(logits), dlogits, "dlogits", { absolute: 2e-6 });
  assertClose((await bench.parameterGradient("layer")).weight, gradient.weight, "dW", { sum: 9, absolute: 2e-6 });
});

Deno.test("bernoulliNll() of a layer with an activation passes its gradient through it", async () => {
  const sizes = { batch: 9, features: 3 };
  const layer = { batch: 9, inputs: 5, outputs: 3 };
  const [h, weight, bias, x] = [draw(45, 1), draw(15, 2), draw(3, 3), pixels(27)];
  using bench = new Bench(9, { shapes: { layer } });
  bench.set("layer", weight, bias);
  const logits = dense(bench.tape, bench.input("h", 5, h), bench.parameters.get("layer"), "softplus");
  const nll = bernoulliNll(bench.tape, logits, bench.data("x", 3, x));
  await bench.run([{ name: "nll", value: nll, weight: constant(1) }]);
  const [h64, weight64] = [h, weight].map(float64);
  const { preactivation, output } = denseForward(h64, weight64, float64(bias), layer, "softplus");
  assertClose(await bench.rows(nll), bernoulliNllForward(output, float64(x), sizes), "nll");
  const dlogits = bernoulliNllBackward(output, float64(x), new Float64Array(9).fill(1), sizes);
  const gradient = denseBackward(h64, weight64, preactivation, dlogits, layer, "softplus");
  assertClose((await bench.parameterGradient("layer")).weight, gradient.weight, "dW", { sum: 9, absolute: 2e-6 });
});

Deno.test("bernoulliNll() of extreme logits is finite and exact", async () => {
  const l = Float32Array.of(0, 50, -50, 50, -50, 1000, -1000, 1000, -1000, 3e38);
  const x = Float32Array.of(0.25, 1, 0, 0, 1, 1, 0, 0, 1, 1);
  using bench = new Bench(10);
  const logits = bench.input("logits", 1, l);
  const nll = bernoulliNll(bench.tape, logits, bench.data("x", 1, x));
  await bench.run([{ name: "nll", value: nll, weight: constant(1) }]);
  // log 2 at 0; |l| where x contradicts the logit; exp(-50) = 2e-22 where it agrees.
  assertClose(await bench.rows(nll), [Math.LN2, 0, 0, 50, 50, 0, 0, 1000, 1000, 0], "nll", {
    absolute: 1e-6,
    relative: 1e-6,
  });
  assertClose(await bench.gradient(logits), [0.25, 0, 0, 1, -1, 0, 0, 1, -1, 0], "dlogits", { absolute: 1e-6 });
});

Deno.test("bernoulliNll() is measured without a training", async () => {
  const sizes = { batch: 5, features: 37 };
  const [l, x] = [draw(185, 1), pixels(185)];
  using bench = new Bench(5);
  const nll = bernoulliNll(bench.tape, bench.input("logits", 37, l), bench.data("x", 37, x));
  const { program } = await bench.compile([{ name: "nll", value: nll, weight: constant(1) }]);
  const [[found]] = await program.submit(1);
  assertAlmostEquals(found, sum(bernoulliNllForward(float64(l), float64(x), sizes)), 1e-3);
});

Deno.test("bernoulliNll() refuses data of another width", () => {
  using bench = new Bench(1);
  const [logits, x] = [bench.input("logits", 3, new Float32Array(3)), bench.data("x", 4, new Float32Array(4))];
  assertThrows(
    () => bernoulliNll(bench.tape, logits, x),
    RangeError,
    'Cannot compare "logits" with "x": expected 4 columns, found 3',
  );
});

Deno.test("bernoulliSample() draws 1 as often as the sigmoid says, anew at every step", async () => {
  const levels = [-1000, -2, -0.5, 0, 1, 3, 1000];
  const [batch, features] = [4096, levels.length];
  using bench = new Bench(batch);
  const logits = bench.input("logits", features, repeated(levels, batch));
  const x = bernoulliSample(bench.tape, logits);
  const { program } = await bench.compile([]);
  await program.submit(1);
  const sample = await bench.read(x);
  assert(sample.every((value) => value === 0 || value === 1));
  levels.forEach((logit, d) => {
    const p = 1 / (1 + Math.exp(-logit));
    let ones = 0;
    for (let n = 0; n < batch; n++) ones += sample[n * features + d];
    // Five standard deviations; certain outcomes are certain.
    assertAlmostEquals(ones / batch, p, 5 * Math.sqrt(p * (1 - p) / batch), `logit ${logit}`);
  });
});
