/** The latent layer: its draw, its KL and their gradients against the float64 reference, with noise given and drawn. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { dense } from "../../../core/ops/dense.ts";
import { reparameterize } from "../../../core/ops/reparameterize.ts";
import { normals } from "../../../core/graph/random.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { createTensor, upload } from "../../../core/gpu/tensor.ts";
import { denseBackward, denseForward } from "../../reference/dense.ts";
import { reparameterizeBackward, reparameterizeForward } from "../../reference/reparameterize.ts";
import { assertClose, draw, float64 } from "../../support/compare.ts";
import { Bench, gpu } from "../../support/gpu.ts";

/** Noise on the GPU as the bench stores it. */
function given(bench: Bench, latents: number, values: Float32Array) {
  const tensor = createTensor(gpu, "noise", bench.tape.batch, latents, { storedRows: bench.tape.rows });
  upload(gpu, tensor, values);
  return tensor;
}

/** The noise that a tape's first stream draws at a step: four latents of a row at index `column4 · batch + row`. */
function drawn(bench: Bench, latents: number, seed: number, step: number): Float64Array {
  const { batch } = bench.tape;
  const values = normals(new Float64Array(Math.ceil(latents / 4) * batch * 4), seed, step, 1);
  return Float64Array.from({ length: batch * latents }, (_, i) => {
    const [row, k] = [Math.floor(i / latents), i % latents];
    return values[((k >> 2) * batch + row) * 4 + k % 4];
  });
}

for (const [batch, latents] of [[97, 1], [97, 3], [97, 20], [97, 37], [1, 3]]) {
  Deno.test(`reparameterize() and its gradient agree with the reference: ${batch} rows, ${latents} latents`, async () => {
    const sizes = { batch, latents };
    const [values, noise, upstream] = [
      draw(batch * 2 * latents, 1),
      draw(batch * latents, 2),
      draw(batch * latents, 3),
    ];
    using bench = new Bench(batch);
    const statistics = bench.input("statistics", 2 * latents, values);
    const { z, kl } = reparameterize(bench.tape, statistics, { noise: given(bench, latents, noise) });
    const [terms] = await bench.run([
      { name: "kl", value: kl, weight: constant(0.7) },
      bench.given(z, upstream),
    ]);
    const expected = reparameterizeForward(float64(values), float64(noise), sizes);
    assertClose(await bench.read(z), expected.z, "z", { absolute: 2e-6 });
    assertClose(await bench.rows(kl), expected.kl, "kl", { sum: latents, absolute: 2e-6 });
    assertAlmostEquals(terms[0], expected.kl.reduce((sum, row) => sum + row), 1e-5 * batch * latents);
    const weight = new Float64Array(batch).fill(0.7);
    const gradient = reparameterizeBackward(float64(values), float64(noise), float64(upstream), weight, sizes);
    assertClose(await bench.gradient(statistics), gradient, "dstatistics", { absolute: 2e-6 });
    const live = (await bench.stored(z)).filter((value) => value !== 0).length;
    assert(live <= bench.tape.rows * latents, "the padding of z holds values");
  });
}

Deno.test("reparameterize() clamps log-variances to [-30, 20], and passes no gradient beyond", async () => {
  const logVariances = [-1000, -31, -30, -29, 0, 19, 20, 21, 1000];
  const batch = logVariances.length;
  const values = Float32Array.from(logVariances.flatMap((logVariance) => [0.5, logVariance]));
  const ones = new Float32Array(batch).fill(1);
  using bench = new Bench(batch);
  const statistics = bench.input("statistics", 2, values);
  const { z, kl } = reparameterize(bench.tape, statistics, { noise: given(bench, 1, ones) });
  await bench.run([{ name: "kl", value: kl, weight: constant(1) }, bench.given(z, ones)]);
  const sizes = { batch, latents: 1 };
  const expected = reparameterizeForward(float64(values), float64(ones), sizes);
  assertClose(await bench.read(z), expected.z, "z", { absolute: 1e-6 });
  assertClose(await bench.rows(kl), expected.kl, "kl");
  const gradient = reparameterizeBackward(float64(values), float64(ones), float64(ones), float64(ones), sizes);
  const found = await bench.gradient(statistics);
  assertClose(found, gradient, "dstatistics");
  assertEquals([1, 3, 15, 17].map((i) => found[i]), [0, 0, 0, 0]);
  assert(found[5] < 0 && found[13] > 1e8, "the ends of the range have a gradient");
});

for (const latents of [3, 20]) {
  Deno.test(`reparameterize() draws the same noise forward and backward, of its seed and step: ${latents} latents`, async () => {
    const [batch, seed, step] = [33, 5, 41];
    const sizes = { batch, latents };
    const [values, upstream] = [draw(batch * 2 * latents, 1), draw(batch * latents, 3)];
    using bench = new Bench(batch, { seed, step });
    const statistics = bench.input("statistics", 2 * latents, values);
    const { z, kl } = reparameterize(bench.tape, statistics);
    await bench.run([{ name: "kl", value: kl, weight: constant(1) }, bench.given(z, upstream)]);
    const noise = drawn(bench, latents, seed, step);
    // 3e-5: a GPU's normals may differ from the host's by so much, times σ of up to 6.
    const tolerance = { absolute: 2e-4 };
    assertClose(await bench.read(z), reparameterizeForward(float64(values), noise, sizes).z, "z", tolerance);
    const weight = new Float64Array(batch).fill(1);
    const gradient = reparameterizeBackward(float64(values), noise, float64(upstream), weight, sizes);
    assertClose(await bench.gradient(statistics), gradient, "dstatistics", tolerance);
  });
}

Deno.test("reparameterize() draws N(μ, σ²), anew at every step and for every draw of a tape", async () => {
  const [batch, latents] = [4096, 4];
  const values = Float32Array.from({ length: batch * 8 }, (_, i) => i % 8 < 4 ? 2 : Math.log(9));
  using bench = new Bench(batch);
  const statistics = bench.input("statistics", 2 * latents, values);
  const one = reparameterize(bench.tape, statistics);
  const two = reparameterize(bench.tape, statistics);
  const { program } = await bench.compile([{ name: "kl", value: one.kl, weight: constant(1) }]);
  const draws: Float32Array[] = [];
  for (let step = 0; step < 2; step++) {
    await program.submit(1);
    draws.push(await bench.read(one.z), await bench.read(two.z));
  }
  const count = batch * latents;
  const standard = draws.map((z) => Float64Array.from(z, (value) => (value - 2) / 3));
  for (const e of standard) {
    // Five standard errors.
    assertAlmostEquals(e.reduce((sum, x) => sum + x) / count, 0, 5 / Math.sqrt(count));
    assertAlmostEquals(e.reduce((sum, x) => sum + x * x, 0) / count, 1, 5 * Math.sqrt(2 / count));
  }
  for (let a = 0; a < 4; a++) {
    for (let b = 0; b < a; b++) {
      const correlation = standard[a].reduce((sum, x, i) => sum + x * standard[b][i], 0) / count;
      assertAlmostEquals(correlation, 0, 5 / Math.sqrt(count), `of draws ${a} and ${b}`);
    }
  }
});

Deno.test("reparameterize() owes the KL's gradient also where nothing reads z", async () => {
  const sizes = { batch: 5, latents: 6 };
  const values = draw(5 * 12, 1);
  using bench = new Bench(5);
  const statistics = bench.input("statistics", 12, values);
  const { kl } = reparameterize(bench.tape, statistics);
  await bench.run([{ name: "kl", value: kl, weight: constant(2) }]);
  const none = new Float64Array(30);
  const gradient = reparameterizeBackward(float64(values), none, none, new Float64Array(5).fill(2), sizes);
  assertClose(await bench.gradient(statistics), gradient, "dstatistics", { absolute: 1e-6 });
});

Deno.test("reparameterize() whose KL is no term of the loss passes the gradient of z alone", async () => {
  const sizes = { batch: 5, latents: 6 };
  const [values, noise, upstream] = [draw(5 * 12, 1), draw(30, 2), draw(30, 3)];
  using bench = new Bench(5);
  const statistics = bench.input("statistics", 12, values);
  const { z } = reparameterize(bench.tape, statistics, { noise: given(bench, 6, noise) });
  await bench.run([bench.given(z, upstream)]);
  const gradient = reparameterizeBackward(
    float64(values),
    float64(noise),
    float64(upstream),
    new Float64Array(5),
    sizes,
  );
  assertClose(await bench.gradient(statistics), gradient, "dstatistics", { absolute: 1e-6 });
});

for (const latents of [3, 20]) {
  Deno.test(`reparameterize() with free bits gives Σ max(λ, KLₖ) and its gradient beside those of the KL: ${latents} latents`, async () => {
    const [batch, freeBits] = [37, 0.4];
    const sizes = { batch, latents };
    const [values, noise, dz] = [draw(batch * 2 * latents, 1), draw(batch * latents, 2), draw(batch * latents, 3)];
    using bench = new Bench(batch);
    const statistics = bench.input("statistics", 2 * latents, values);
    const { z, kl, floored } = reparameterize(bench.tape, statistics, {
      freeBits,
      noise: given(bench, latents, noise),
    });
    await bench.run([
      { name: "kl", value: kl, weight: constant(0.7) },
      { name: "floored", value: floored!, weight: constant(3) },
      bench.given(z, dz),
    ]);
    const plain = reparameterizeForward(float64(values), float64(noise), sizes);
    assertClose(await bench.rows(kl), plain.kl, "kl", { sum: latents, absolute: 2e-6 });
    const weight = new Float64Array(batch).fill(0.7);
    const expected = reparameterizeBackward(float64(values), float64(noise), float64(dz), weight, sizes);
    const sums = new Float64Array(batch);
    let above = 0;
    for (let row = 0; row < batch; row++) {
      for (let k = 0; k < latents; k++) {
        const [m, v] = [2 * latents * row + k, 2 * latents * row + latents + k];
        const each = 0.5 * (Math.exp(values[v]) + values[m] ** 2 - 1 - values[v]);
        sums[row] += Math.max(freeBits, each);
        if (each < freeBits) continue;
        above++;
        expected[m] += 3 * values[m];
        expected[v] += 3 * 0.5 * (Math.exp(values[v]) - 1);
      }
    }
    assert(above > 0 && above < batch * latents, "every dimension is on the same side of the free bits");
    assertClose(await bench.rows(floored!), sums, "floored", { sum: latents, absolute: 2e-6 });
    assertClose(await bench.gradient(statistics), expected, "dstatistics", { absolute: 1e-5 });
  });
}

Deno.test("statistics that something else reads too get the sum of both gradients", async () => {
  const sizes = { batch: 9, latents: 3 };
  const [values, noise, dz, more] = [draw(54, 1), draw(27, 2), draw(27, 3), draw(54, 4)];
  using bench = new Bench(9);
  const statistics = bench.input("statistics", 6, values);
  const { z, kl } = reparameterize(bench.tape, statistics, { noise: given(bench, 3, noise) });
  await bench.run([
    { name: "kl", value: kl, weight: constant(1) },
    bench.given(z, dz),
    bench.given(statistics, more),
  ]);
  const weight = new Float64Array(9).fill(1);
  const gradient = reparameterizeBackward(float64(values), float64(noise), float64(dz), weight, sizes);
  assertClose(await bench.gradient(statistics), gradient.map((value, i) => value + more[i]), "dstatistics", {
    absolute: 2e-6,
  });
});

Deno.test("z that two layers read gets the sum of both gradients", async () => {
  const sizes = { batch: 9, latents: 3 };
  const [values, noise, one, two] = [draw(54, 1), draw(27, 2), draw(27, 3), draw(27, 4)];
  using bench = new Bench(9);
  const statistics = bench.input("statistics", 6, values);
  const { z, kl } = reparameterize(bench.tape, statistics, { noise: given(bench, 3, noise) });
  await bench.run([{ name: "kl", value: kl, weight: constant(1) }, bench.given(z, one), bench.given(z, two)]);
  const dz = Float64Array.from(one, (value, i) => value + two[i]);
  const gradient = reparameterizeBackward(float64(values), float64(noise), dz, new Float64Array(9).fill(1), sizes);
  assertClose(await bench.gradient(statistics), gradient, "dstatistics", { absolute: 2e-6 });
});

Deno.test("statistics that a layer with an activation forms pass their gradient through it", async () => {
  const sizes = { batch: 9, latents: 3 };
  const layer = { batch: 9, inputs: 5, outputs: 6 };
  const [x, weight, bias, noise, dz] = [draw(45, 1), draw(30, 2), draw(6, 3), draw(27, 4), draw(27, 5)];
  using bench = new Bench(9, { shapes: { head: layer } });
  bench.set("head", weight, bias);
  const input = bench.input("x", 5, x);
  const statistics = dense(bench.tape, input, bench.parameters.get("head"), "tanh");
  const { z, kl } = reparameterize(bench.tape, statistics, { noise: given(bench, 3, noise) });
  await bench.run([{ name: "kl", value: kl, weight: constant(1) }, bench.given(z, dz)]);
  const [x64, weight64] = [x, weight].map(float64);
  const { preactivation, output } = denseForward(x64, weight64, float64(bias), layer, "tanh");
  const ones = new Float64Array(9).fill(1);
  const dstatistics = reparameterizeBackward(output, float64(noise), float64(dz), ones, sizes);
  const expected = denseBackward(x64, weight64, preactivation, dstatistics, layer, "tanh");
  assertClose(await bench.gradient(input), expected.x, "dx", { sum: 6, absolute: 2e-6 });
  const gradient = await bench.parameterGradient("head");
  assertClose(gradient.weight, expected.weight, "dW", { sum: 9, absolute: 2e-6 });
  assertClose(gradient.bias, expected.bias, "db", { sum: 9, absolute: 2e-6 });
});

Deno.test("reparameterize() refuses an odd number of columns", () => {
  using bench = new Bench(1);
  const statistics = bench.input("statistics", 5, new Float32Array(5));
  assertThrows(() => reparameterize(bench.tape, statistics), RangeError, "expected an even number of columns, found 5");
});
