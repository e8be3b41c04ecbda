/**
 * The likelihoods with a location and a scale on both tile families, inside the layer before them and on their own, against the float64
 * reference; their means, draws and quantiles.
 */

import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import { BERNOULLI } from "../../../core/ops/bernoulli_family.ts";
import { CONTINUOUS_BERNOULLI, DISCRETIZED_LOGISTIC, GAUSSIAN } from "../../../core/ops/families.ts";
import { broadcast } from "../../../core/ops/broadcast.ts";
import { dense } from "../../../core/ops/dense.ts";
import {
  type Elementwise,
  gaussianQuantile,
  likelihoodMean,
  likelihoodNll,
  likelihoodSample,
} from "../../../core/ops/likelihood.ts";
import { uniforms } from "../../../core/graph/random.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { upload } from "../../../core/gpu/tensor.ts";
import { denseBackward, denseForward } from "../../reference/dense.ts";
import { boundedScale, likelihoodNllBackward, likelihoodNllForward, likelihoods } from "../../reference/likelihoods.ts";
import { assertClose, draw, float64, repeated } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

type Name = keyof typeof likelihoods;
const names = Object.keys(likelihoods) as Name[];
const FAMILIES = Object.fromEntries(
  [BERNOULLI, CONTINUOUS_BERNOULLI, GAUSSIAN, DISCRETIZED_LOGISTIC].map((family) => [family.name, family]),
);
const bounds = { start: -1.5, lower: -7, upper: 5 };

/** Bytes, with many at both ends. */
const bytes = (count: number) =>
  Uint8Array.from(uniforms(new Float32Array(count), 9, 0, 100), (u) => Math.min(255, Math.max(0, 400 * u - 72)));
const unit = (values: Uint8Array) => Float64Array.from(values, (k) => k / 255);
const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);

/** What is learned of a scale [N, D] as the scale itself, and the gradient of the scale as that of what is learned. */
function bounded(v: ArrayLike<number>) {
  const each = Array.from(v, (value) => boundedScale(value, bounds));
  return {
    scale: Float64Array.from(each, ({ value }) => value),
    gradient: (scale: Float64Array) => scale.map((value, i) => value * each[i].slope),
  };
}

for (const name of names) {
  const reference = likelihoods[name];

  for (const [batch, features] of [[1, 3], [97, 37], [33, 784]]) {
    Deno.test(`likelihoodNll() of the ${name} on its own, with a scale for each element: ${batch} x ${features}`, async () => {
      const sizes = { batch, features };
      const count = batch * features;
      const [l, v, x] = [draw(count, 1), draw(count, 2), bytes(count)];
      using bench = new Bench(batch);
      const location = bench.input("location", features, l);
      const variable = bench.input("scale", features, v);
      const nll = likelihoodNll(
        bench.tape,
        { family: FAMILIES[name], location, scale: { variable, ...bounds } },
        bench.data("x", features, x),
      );
      const [terms] = await bench.run([{ name: "nll", value: nll, weight: constant(0.5) }]);
      const { scale, gradient } = bounded(v);
      const expected = likelihoodNllForward(reference, float64(l), scale, unit(x), sizes);
      const largest = Math.max(...expected.map(Math.abs));
      assertClose(await bench.rows(nll), expected, "nll", { absolute: 1e-6 * largest + 1e-5, relative: 1e-5 });
      assertAlmostEquals(terms[0], sum(expected), 1e-5 * batch * largest);
      const weight = new Float64Array(batch).fill(0.5);
      const wanted = likelihoodNllBackward(reference, float64(l), scale, unit(x), weight, sizes);
      // x / 255 in float32 is 3e-8 off, times 1/s² of about 100.
      assertClose(await bench.gradient(location), wanted.location, "dlocation", { absolute: 1e-5 });
      assertClose(await bench.gradient(variable), gradient(wanted.scale), "dscale", { absolute: 1e-5 });
    });
  }

  Deno.test(`likelihoodNll() of the ${name} counts only what is observed of each row`, async () => {
    const [batch, features] = [33, 37];
    const [l, v, x] = [draw(batch * features, 1), draw(batch * features, 2), bytes(batch * features)];
    const seen = Uint8Array.from(l, (_, i) => (i * 7 + (i >> 3)) % 3 ? 255 : 0);
    using bench = new Bench(batch);
    const scale = { variable: bench.input("scale", features, v), ...bounds };
    const location = bench.input("location", features, l);
    const data = bench.data("x", features, x);
    const { tape } = bench;
    const nll = likelihoodNll(
      tape,
      { family: FAMILIES[name], location, scale },
      data,
      bench.data("observed", features, seen),
    );
    await bench.run([{ name: "nll", value: nll, weight: constant(1) }]);
    const expected = new Float64Array(batch);
    x.forEach((byte, i) => {
      const value = reference.nll(l[i], boundedScale(v[i], bounds).value, byte / 255);
      expected[Math.floor(i / features)] += seen[i] ? value : 0;
    });
    const largest = Math.max(...expected.map(Math.abs));
    assertClose(await bench.rows(nll), expected, "nll", { absolute: 1e-6 * largest + 1e-5, relative: 1e-5 });
    const narrow = bench.data("narrow", 3, bytes(batch * 3));
    assertThrows(
      () => likelihoodNll(tape, { family: FAMILIES[name], location }, data, narrow),
      RangeError,
      `expected ${batch} x ${features} values that say so, found ${batch} x 3`,
    );
  });

  for (const family of families) {
    for (const [batch, hidden, features] of [[97, 5, 37], [100, 40, 784], [1, 3, 3]]) {
      Deno.test(`likelihoodNll() of the ${name} in the layer before it, its scale from another layer: ${batch} x ${hidden} x ${features}, ${family} tiles`, async () => {
        const sizes = { batch, features };
        const layer = { batch, inputs: hidden, outputs: features };
        const h = draw(batch * hidden, 1).map((value) => value / Math.sqrt(hidden));
        const [weight, bias] = [draw(hidden * features, 2), draw(features, 3)];
        // Deviations of 1/20 to 2: the reference loses what lies hundreds of them away.
        const [scaleWeight, scaleBias] = [draw(hidden * features, 4), draw(features, 5)].map((values) =>
          values.map((value) => 0.4 * value)
        );
        const x = bytes(batch * features);
        using bench = new Bench(batch, { family, shapes: { layer, scale: layer } });
        bench.set("layer", weight, bias);
        bench.set("scale", scaleWeight, scaleBias);
        const [input, data] = [bench.input("h", hidden, h), bench.data("x", features, x)];
        const variable = dense(bench.tape, input, bench.parameters.get("scale"));
        const location = dense(bench.tape, input, bench.parameters.get("layer"));
        const nll = likelihoodNll(
          bench.tape,
          { family: FAMILIES[name], location, scale: { variable, ...bounds } },
          data,
        );
        const term = { name: "nll", value: nll, weight: constant(1) };
        const { program } = await bench.compile([term], { optimizer: "gradients", reduction: "mean" });
        await program.submit(1);
        assert(!program.dispatches.some(({ label }) => label === "nll"), "the likelihood has a dispatch of its own");

        const [h64, weight64, scaleWeight64] = [h, weight, scaleWeight].map(float64);
        const mean = denseForward(h64, weight64, float64(bias), layer, "identity");
        const raw = denseForward(h64, scaleWeight64, float64(scaleBias), layer, "identity");
        const { scale, gradient } = bounded(raw.output);
        const expected = likelihoodNllForward(reference, mean.output, scale, unit(x), sizes);
        const largest = Math.max(...expected.map(Math.abs));
        assertClose(await bench.rows(nll), expected, "nll", { absolute: 3e-6 * largest + 1e-5, relative: 1e-5 });
        const perRow = new Float64Array(batch).fill(1 / batch);
        const wanted = likelihoodNllBackward(reference, mean.output, scale, unit(x), perRow, sizes);
        const back = denseBackward(h64, weight64, mean.preactivation, wanted.location, layer, "identity");
        const scaleBack = denseBackward(h64, scaleWeight64, raw.output, gradient(wanted.scale), layer, "identity");
        const tolerance = { absolute: 3e-5, relative: 2e-4 };
        const found = await bench.parameterGradient("layer");
        assertClose(found.weight, back.weight, "dW", tolerance);
        assertClose(found.bias, back.bias, "db", tolerance);
        const foundScale = await bench.parameterGradient("scale");
        assertClose(foundScale.weight, scaleBack.weight, "dW of the scale", tolerance);
        assertClose(foundScale.bias, scaleBack.bias, "db of the scale", tolerance);
        const dh = back.x.map((value, i) => value + scaleBack.x[i]);
        assertClose(await bench.gradient(input), dh, "dh", { sum: features, ...tolerance });
      });
    }

    for (const [batch, hidden, features] of [[97, 5, 37], [1, 3, 3]]) {
      Deno.test(`likelihoodNll() of the ${name} in the layer before it, its scale fixed: ${batch} x ${hidden} x ${features}, ${family} tiles`, async () => {
        const sizes = { batch, features };
        const layer = { batch, inputs: hidden, outputs: features };
        const h = draw(batch * hidden, 1).map((value) => value / Math.sqrt(hidden));
        const [weight, bias, x] = [draw(hidden * features, 2), draw(features, 3), bytes(batch * features)];
        using bench = new Bench(batch, { family, shapes: { layer } });
        bench.set("layer", weight, bias);
        const [input, data] = [bench.input("h", hidden, h), bench.data("x", features, x)];
        const location = dense(bench.tape, input, bench.parameters.get("layer"));
        const nll = likelihoodNll(bench.tape, { family: FAMILIES[name], location, scale: -0.7 }, data);
        await bench.run([{ name: "nll", value: nll, weight: constant(1) }]);
        const [h64, weight64] = [h, weight].map(float64);
        const { output, preactivation } = denseForward(h64, weight64, float64(bias), layer, "identity");
        const scale = new Float64Array(batch * features).fill(-0.7);
        const expected = likelihoodNllForward(reference, output, scale, unit(x), sizes);
        assertClose(await bench.rows(nll), expected, "nll", { sum: features, absolute: 2e-6, relative: 1e-5 });
        const ones = new Float64Array(batch).fill(1);
        const { location: dlocation } = likelihoodNllBackward(reference, output, scale, unit(x), ones, sizes);
        const back = denseBackward(h64, weight64, preactivation, dlocation, layer, "identity");
        assertClose((await bench.parameterGradient("layer")).weight, back.weight, "dW", { sum: batch, absolute: 1e-5 });
        assertClose(await bench.gradient(input), back.x, "dh", { sum: features, absolute: 1e-5 });
      });
    }
  }

  Deno.test(`likelihoodMean() of the ${name} is the reference's`, async () => {
    const [l, v] = [draw(33 * 37, 1).map((value) => 3 * value), draw(33 * 37, 2)];
    using bench = new Bench(33);
    const [location, variable] = [bench.input("location", 37, l), bench.input("scale", 37, v)];
    const mean = likelihoodMean(bench.tape, { family: FAMILIES[name], location, scale: { variable, ...bounds } });
    const { program } = await bench.compile([]);
    await program.submit(1);
    const { scale } = bounded(v);
    assertClose(await bench.read(mean), Array.from(l, (value, i) => reference.mean(value, scale[i])), "mean", {
      absolute: 2e-6,
    });
  });

  Deno.test(`likelihoodSample() of the ${name} has its mean and variance, anew at every step`, async () => {
    const cases = [[0, -2], [0.5, -5], [1, 0], [-3, 1], [0.003, -1], [0.2, -3.5], [20, 0]];
    const [batch, features] = [8192, cases.length];
    const fill = (of: number) => repeated(cases.map((values) => values[of]), batch);
    using bench = new Bench(batch);
    const [location, variable] = [bench.input("location", features, fill(0)), bench.input("scale", features, fill(1))];
    const scale = { variable, start: 0, lower: -20, upper: 20 };
    const x = likelihoodSample(bench.tape, { family: FAMILIES[name], location, scale });
    // A term: programs without any stay at their step.
    const nll = likelihoodNll(bench.tape, { family: FAMILIES[name], location, scale }, x);
    const { program } = await bench.compile([{ name: "nll", value: nll, weight: constant(1) }]);
    await program.submit(1);
    const sample = await bench.read(x);
    cases.forEach(([l, s], d) => {
      const column = Float64Array.from({ length: batch }, (_, n) => sample[n * features + d]);
      const [mean, variance] = [reference.mean(l, s), reference.variance(l, s)];
      // Five standard errors; kurtosis is at most 9, that of a variable at an end of [0, 1].
      assertAlmostEquals(sum(column) / batch, mean, 5 * Math.sqrt(variance / batch) + 1e-6, `mean at ${l}, ${s}`);
      const second = sum(column.map((value) => (value - mean) ** 2)) / batch;
      assertAlmostEquals(second, variance, 5 * variance * Math.sqrt(8 / batch) + 1e-6, `variance at ${l}, ${s}`);
      if (name === "gaussian") return;
      assert(column.every((value) => value >= 0 && value <= 1));
      if (name === "discretized logistic") {
        assert(column.every((value) => Math.abs(255 * value - Math.round(255 * value)) < 1e-3));
      }
    });
    await program.submit(1);
    assert((await bench.read(x)).some((value, i) => value !== sample[i]));
  });
}

Deno.test("likelihoodSample() of the continuous Bernoulli has its distribution function, on both sides of every branch", async () => {
  const logits = [-15, -1, -0.0101, -0.0099, 0, 0.0099, 0.0101, 0.5, 4];
  const [batch, features] = [8192, logits.length];
  using bench = new Bench(batch);
  const location = bench.input("logits", features, repeated(logits, batch));
  const x = likelihoodSample(bench.tape, { family: CONTINUOUS_BERNOULLI, location });
  const { program } = await bench.compile([]);
  await program.submit(1);
  const sample = await bench.read(x);
  logits.forEach((l, d) => {
    const column = Float64Array.from({ length: batch }, (_, n) => sample[n * features + d]).sort();
    const below = (x: number) => l === 0 ? x : Math.expm1(l * x) / Math.expm1(l);
    const apart = column.reduce((most, value, i) => Math.max(most, Math.abs(below(value) - (i + 0.5) / batch)), 0);
    // Kolmogorov and Smirnov's distance; 2.2 / √n is passed by one of 10,000.
    assert(apart < 2.2 / Math.sqrt(batch), `at ${l}: ${apart}`);
  });
});

Deno.test("likelihoodNll() of the continuous Bernoulli is exact near a logit of 0, where its series end, and far out", async () => {
  const { nll: expected, byLocation } = likelihoods["continuous bernoulli"];
  const l = [1e-6, 1e-4, 0.01, 0.3, 0.99, 0.9999, 1, 1.0001, 1.01, 3, 20, 80, 100, 500].flatMap((l) => [l, -l]);
  const logits = Float32Array.of(0, ...l);
  for (const x of [0, 0.25, 1]) {
    using bench = new Bench(logits.length);
    const location = bench.input("logits", 1, logits);
    const data = bench.data("x", 1, new Float32Array(logits.length).fill(x));
    const nll = likelihoodNll(bench.tape, { family: CONTINUOUS_BERNOULLI, location }, data);
    await bench.run([{ name: "nll", value: nll, weight: constant(1) }]);
    const tolerance = { absolute: 3e-7, relative: 5e-7 };
    assertClose(await bench.rows(nll), Array.from(logits, (l) => expected(l, 0, x)), `nll of ${x}`, tolerance);
    assertClose(await bench.gradient(location), Array.from(logits, (l) => byLocation(l, 0, x)), "dl", tolerance);
  }
});

Deno.test("likelihoodNll() of every family is finite, and so are its gradients, wherever location and scale run to", async () => {
  const far = [-1e4, -300, -20, 0, 20, 300, 1e4];
  const cases = far.flatMap((l) => far.flatMap((s) => [0, 1 / 255, 0.5, 1].map((x) => [l, s, x])));
  const column = (of: number) => Float32Array.from(cases, (each) => each[of]);
  for (const family of names) {
    using bench = new Bench(cases.length);
    const [location, variable] = [bench.input("location", 1, column(0)), bench.input("scale", 1, column(1))];
    const distribution: Elementwise = { family: FAMILIES[family], location, scale: { variable, ...bounds } };
    const nll = likelihoodNll(bench.tape, distribution, bench.data("x", 1, column(2)));
    const [mean, sample] = [likelihoodMean(bench.tape, distribution), likelihoodSample(bench.tape, distribution)];
    await bench.run([{ name: "nll", value: nll, weight: constant(1) }]);
    const found = [await bench.rows(nll), await bench.gradient(location), await bench.gradient(variable)];
    for (const values of [...found, await bench.read(mean), await bench.read(sample)]) {
      assert(values.every(Number.isFinite), family);
    }
  }
});

Deno.test("a scale that ran to a bound comes back: its gradient is not 0 there", async () => {
  using bench = new Bench(2);
  const location = bench.input("location", 1, Float32Array.of(0.5, 0.5));
  // 5 beyond either bound; the data say that σ² is far from both.
  const variable = bench.input("scale", 1, Float32Array.of(-12 - bounds.start, 10 - bounds.start));
  const data = bench.data("x", 1, Float32Array.of(0.2, 0.2));
  const nll = likelihoodNll(bench.tape, { family: GAUSSIAN, location, scale: { variable, ...bounds } }, data);
  await bench.run([{ name: "nll", value: nll, weight: constant(1) }]);
  const [low, high] = await bench.gradient(variable);
  assert(low < -0.01 && high > 0.001, `${low}, ${high}`);
});

Deno.test("gaussianQuantile() is so many deviations from the mean", async () => {
  const [l, v] = [draw(9 * 37, 1), draw(9 * 37, 2)];
  using bench = new Bench(9);
  const [location, variable] = [bench.input("location", 37, l), bench.input("scale", 37, v)];
  const scale = { variable, ...bounds };
  const rows = [-2, 0, 1].map((k) => gaussianQuantile(bench.tape, { family: GAUSSIAN, location, scale }, k));
  const { program } = await bench.compile([]);
  await program.submit(1);
  const { scale: expected } = bounded(v);
  for (const [i, k] of [-2, 0, 1].entries()) {
    const wanted = Array.from(l, (mean, i) => mean + k * Math.exp(expected[i] / 2));
    assertClose(await bench.read(rows[i]), wanted, `k = ${k}`, { absolute: 2e-6 });
  }
});

for (const outputs of [37, 1]) {
  Deno.test(`a broadcast scale of ${outputs} gets the column sums of its gradient`, async () => {
    const sizes = { batch: 33, features: 37 };
    const [l, v, x] = [draw(33 * 37, 1), draw(outputs, 2), bytes(33 * 37)];
    using bench = new Bench(33, { shapes: { scale: { inputs: 0, outputs } } });
    bench.set("scale", new Float32Array(), v);
    const variable = broadcast(bench.tape, bench.parameters.get("scale"), 37);
    const location = bench.input("location", 37, l);
    const data = bench.data("x", 37, x);
    const nll = likelihoodNll(bench.tape, { family: GAUSSIAN, location, scale: { variable, ...bounds } }, data);
    await bench.run([{ name: "nll", value: nll, weight: constant(1) }]);
    const { scale, gradient } = bounded(Array.from(l, (_, i) => v[i % outputs]));
    const ones = new Float64Array(33).fill(1);
    const wanted = likelihoodNllBackward(likelihoods.gaussian, float64(l), scale, unit(x), ones, sizes);
    const expected = new Float64Array(outputs);
    gradient(wanted.scale).forEach((value, i) => expected[i % outputs] += value);
    const { bias } = await bench.parameterGradient("scale");
    assertClose(bias, expected, "dscale", { sum: 33 * 37 / outputs, absolute: 1e-5 });
  });
}

Deno.test("a likelihood whose scale is recorded after the location waits for it", async () => {
  const layer = { batch: 9, inputs: 5, outputs: 3 };
  const [h, x] = [draw(45, 1), bytes(27)];
  const run = async (scaleFirst: boolean) => {
    using bench = new Bench(9, { shapes: { layer, scale: layer } });
    bench.set("layer", draw(15, 2), draw(3, 3));
    bench.set("scale", draw(15, 4), draw(3, 5));
    const [input, data] = [bench.input("h", 5, h), bench.data("x", 3, x)];
    const apply = (name: string) => dense(bench.tape, input, bench.parameters.get(name));
    const [first, second] = (scaleFirst ? ["scale", "layer"] : ["layer", "scale"]).map(apply);
    const [variable, location] = scaleFirst ? [first, second] : [second, first];
    const nll = likelihoodNll(bench.tape, { family: GAUSSIAN, location, scale: { variable, ...bounds } }, data);
    await bench.run([{ name: "nll", value: nll, weight: constant(1) }]);
    return { nll: await bench.rows(nll), gradient: (await bench.parameterGradient("scale")).weight };
  };
  const [fused, apart] = [await run(true), await run(false)];
  assertClose(apart.nll, fused.nll, "nll");
  assertClose(apart.gradient, fused.gradient, "dW");
});

Deno.test("a location with several rows for a datum is compared with each, its scale too", async () => {
  const [l, v, x] = [draw(6 * 5, 1), draw(6 * 5, 2), bytes(2 * 5)];
  using bench = new Bench(6);
  const [location, variable] = [bench.input("location", 5, l), bench.input("scale", 5, v)];
  const data = bench.tape.variable("x", 5, "f32", 2);
  upload(bench.gpu, bench.tape.tensor(data), Float32Array.from(unit(x)));
  const nll = likelihoodNll(bench.tape, { family: GAUSSIAN, location, scale: { variable, ...bounds } }, data);
  const { program } = await bench.compile([{ name: "nll", value: nll, weight: constant(1) }]);
  await program.submit(1);
  const repeated = Float64Array.from({ length: 30 }, (_, i) => x[Math.floor(i / 15) * 5 + i % 5] / 255);
  const expected = likelihoodNllForward(likelihoods.gaussian, float64(l), bounded(v).scale, repeated, {
    batch: 6,
    features: 5,
  });
  assertClose(await bench.rows(nll), expected, "nll");
});

Deno.test("likelihoodNll() refuses data and scales of another shape", () => {
  using bench = new Bench(2);
  const input = (name: string, columns: number) => bench.input(name, columns, new Float32Array(2 * columns));
  const [location, x, variable] = [input("location", 3), input("x", 3), input("scale", 4)];
  assertThrows(
    () => likelihoodNll(bench.tape, { family: GAUSSIAN, location, scale: { variable, ...bounds } }, x),
    RangeError,
    'Cannot scale "location" by "scale": expected 2 x 3 values, found 2 x 4',
  );
  assertThrows(
    () => likelihoodNll(bench.tape, { family: GAUSSIAN, location, scale: 0 }, variable),
    RangeError,
    'Cannot compare "location" with "scale": expected 4 columns, found 3',
  );
});
