/** Latent statistics against PyTorch's integrals, and posteriors on the host against what the GPU makes of them. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  ae,
  type ComposedConfig,
  cvae,
  drawEncoded,
  type Encoded,
  klByDimension,
  latentStatistics,
  logDensity,
  marginals,
  train,
  type Trained,
  vae,
} from "../../mod.ts";
import { slice } from "../../core/dataset.ts";
import { normals } from "../../core/graph/random.ts";
import { reparameterizeFullForward } from "../reference/reparameterize_full.ts";
import { covarianceOf, logNormal } from "../reference/linear_gaussian.ts";
import { assertClose } from "../support/compare.ts";
import golden from "../golden/bits_vae.json" with { type: "json" };
import { bits, bitsVae } from "./support.ts";
import { stripes } from "../support/stripes.ts";
import { gpu } from "../support/gpu.ts";

/** Posteriors with full covariance of so many rows. */
function full(count: number, latents: number): Encoded {
  const statistics = normals(new Float32Array(count * latents * (latents + 3) / 2), 4, 0, 0);
  return { statistics, count, latents, covariance: "full" };
}

Deno.test("latentStatistics() gives PyTorch's KL by dimension, variances and mutual information", async () => {
  using model = await bitsVae();
  const found = await latentStatistics(model, bits.test);
  assertClose(found.kl!, golden.klByDimension, "kl");
  assertClose(found.variance, golden.variance, "variance");
  assertClose(found.aggregateVariance, golden.aggregateVariance, "aggregate variance");
  assertEquals([found.active, found.of, found.activeUnits, found.count], [2, 2, 2, 60]);
  assertAlmostEquals(found.mutualInformationLimit, Math.log(60), 1e-12);
  // One draw for each of 60 rows: the mean over seeds, which 400 draws of deviation 1/2 leave within 0.05.
  let mutualInformation = 0;
  for (let seed = 0; seed < 40; seed++) {
    const { mutualInformation: each, marginalKl } = await latentStatistics(model, bits.test, { seed });
    assertAlmostEquals(each + marginalKl, golden.klByDimension[0] + golden.klByDimension[1], 1e-4);
    mutualInformation += each / 40;
  }
  assertAlmostEquals(mutualInformation, golden.mutualInformation, 0.03);
});

/** A model trained on the rows for a moment. */
async function trainedOn(config: Partial<ComposedConfig>): Promise<Trained> {
  const training = train(vae, bits, {
    ...{ hidden: [6], latents: 2, batchSize: 20, epochs: 30, learningRate: 0.02, validation: 0, seed: 1 },
    ...config,
  }, { gpu });
  for await (const event of training) assert(event.event !== "end" || !event.stopped);
  return training.trained as Trained;
}

/** Points of a square lattice about 0 in K dimensions [side^K, K], and what each stands for. */
function lattice(latents: number, side: number, step: number) {
  const z = Float32Array.from(
    { length: side ** latents * latents },
    (_, i) => (Math.floor(Math.floor(i / latents) / side ** (i % latents)) % side - side / 2 + 0.5) * step,
  );
  return { z, volume: step ** latents };
}

const logNormals = (z: Float32Array) => z.reduce((sum, value) => sum - (value * value + Math.log(2 * Math.PI)) / 2, 0);

for (
  const config of [
    { flow: "planar", flowLayers: 2, latents: 1 },
    { flow: "planar", flowLayers: 2 },
    { flow: "iaf", flowLayers: 2, flowHidden: [5], flowContext: 3 },
    { flow: "iaf", flowLayers: 2, flowHidden: [5], flowContext: 3, covariance: "full" },
    { hierarchy: "ladder", lowerLatents: [1], latents: 1, hidden: [6, 4] },
    { hierarchy: "plain", lowerLatents: [1], latents: 1, hidden: [6, 4] },
    { prior: "mixture", components: 3 },
  ] satisfies Partial<ComposedConfig>[]
) {
  Deno.test(`latentStatistics() gives the mutual information of quadrature: ${JSON.stringify(config)}`, async () => {
    using model = await trainedOn(config);
    const [count, latents] = [10, model.latents];
    const some = slice(bits.test, 0, count);
    const x = model.rowsOf(some);
    // Draws lie where they were drawn, and have there the density that they were drawn with.
    const { z, divergence } = await model.posteriorDraws(x, { seed: 5 });
    if ("flow" in config) {
      const ratios = await model.posteriorRatios(x, z);
      assertClose(ratios.map((ratio) => -ratio), divergence, "log q - log N", {
        // Where a planar layer hardly rises, its inverse has few digits.
        absolute: config.flow === "planar" ? 2e-2 : 2e-4,
      });
    }
    const { z: points, volume } = latents === 1 ? lattice(1, 4000, 0.005) : lattice(2, 90, 0.15);
    const rows = points.length / latents;
    const normal = Float64Array.from(
      { length: rows },
      (_, i) => logNormals(points.subarray(i * latents, (i + 1) * latents)),
    );
    const logs: Float64Array[] = [];
    for (let n = 0; n < count; n++) {
      const same = Float32Array.from({ length: rows * 16 }, (_, i) => x[16 * n + i % 16]);
      const ratios = await model.posteriorRatios(same, points);
      logs.push(normal.map((log, i) => log - ratios[i]));
      assertAlmostEquals(logs[n].reduce((sum, log) => sum + Math.exp(log) * volume, 0), 1, 2e-3);
    }
    const aggregate = normal.map((_, i) => Math.log(logs.reduce((sum, log) => sum + Math.exp(log[i]) / count, 0)));
    const integral = (of: (i: number, n: number) => number) =>
      logs.reduce(
        (sum, log, n) => log.reduce((sum, q, i) => sum + (Math.exp(q) && Math.exp(q) * volume * of(i, n) / count), sum),
        0,
      );
    const expected = integral((i, n) => logs[n][i] - aggregate[i]);
    assert(expected > 0.3);
    const seeds = 8;
    const found = { mutualInformation: 0, marginalKl: 0, mean: 0, variance: 0, between: 0 };
    for (let seed = 0; seed < seeds; seed++) {
      const each = await latentStatistics(model, some, { seed });
      assertEquals([each.of, each.count, each.kl], [latents, count, undefined]);
      found.mutualInformation += each.mutualInformation / seeds;
      found.marginalKl += each.marginalKl / seeds;
      found.between += each.variance[0] / seeds;
      found.mean += each.aggregateMean[0] / seeds;
      found.variance += (each.aggregateVariance[0] + each.aggregateMean[0] ** 2) / seeds;
    }
    // 80 draws of deviations of about 0.5, and 1,280 of z.
    assertAlmostEquals(found.mutualInformation, expected, 0.2);
    if ("flow" in config) {
      assertAlmostEquals(found.marginalKl, integral((i) => aggregate[i] - normal[i]), 0.3);
    }
    const { kl } = await model.evaluate(some, { samples: 500 });
    assertAlmostEquals(found.mutualInformation + found.marginalKl, kl, 0.3);
    const [mean, square] = [1, 2].map((power) => integral((i) => points[i * latents] ** power));
    assertAlmostEquals(found.mean, mean, 4 * Math.sqrt(square / 1280));
    assertAlmostEquals(found.variance, square, 0.2 * square);
    const betweenMeans = logs.reduce((sum, log) => {
      const own = log.reduce((sum, q, i) => sum + Math.exp(q) * volume * points[i * latents], 0);
      return sum + (own - mean) ** 2 / count;
    }, 0);
    assertAlmostEquals(found.between, betweenMeans, 0.1 * square);
  });
}

Deno.test("with a prior that follows from the condition the mutual information is that of rows of one class", async () => {
  const training = train(cvae, stripes, {
    ...{ hidden: [6], latents: 2, batchSize: 20, epochs: 10, learningRate: 0.02, validation: 0, seed: 1 },
    prior: "conditional",
  }, { gpu });
  for await (const event of training) assert(event.event !== "end" || !event.stopped);
  using model = training.trained as Trained;
  const some = slice(stripes.train, 0, 40);
  const rows = Array.from({ length: 40 }, (_, i) => i);
  const expected = { mutualInformation: 0, mutualInformationLimit: 0, marginalKl: 0 };
  const found = { ...expected };
  for (let seed = 0; seed < 4; seed++) {
    const each = await latentStatistics(model, some, { seed });
    for (const name of Object.keys(found) as (keyof typeof found)[]) found[name] += each[name] / 4;
    for (const label of new Set(some.labels)) {
      const own = rows.filter((row) => some.labels![row] === label);
      const values = Uint8Array.from(own.flatMap((row) => [...some.values.slice(16 * row, 16 * row + 16)]));
      const split = { values, count: own.length, labels: Uint8Array.from(own, () => label) };
      const each = await latentStatistics(model, split, { seed });
      for (const name of Object.keys(expected) as (keyof typeof expected)[]) {
        expected[name] += each[name] * own.length / 40 / 4;
      }
    }
  }
  assertAlmostEquals(found.mutualInformationLimit, expected.mutualInformationLimit, 1e-9);
  // 160 draws of deviations of about 0.5.
  assertAlmostEquals(found.mutualInformation, expected.mutualInformation, 0.2);
  assertAlmostEquals(found.marginalKl, expected.marginalKl, 0.2);
});

Deno.test("latentStatistics() refuses a code without a distribution", async () => {
  const training = train(ae, bits, { hidden: [4], latents: 2, batchSize: 20, epochs: 1, validation: 0 }, { gpu });
  for await (const event of training) assert(event.event !== "end" || !event.stopped);
  using model = training.trained;
  await assertRejects(() => latentStatistics(model, bits.test), TypeError, "expected a posterior whose density");
});

Deno.test("drawEncoded() and klByDimension() are the float64 reference's with full covariance", () => {
  const encoded = full(7, 4);
  const noise = normals(new Float64Array(28), 11, 2, 0);
  const expected = reparameterizeFullForward(Float64Array.from(encoded.statistics), noise, { batch: 7, latents: 4 });
  assertClose(drawEncoded(encoded, 11, 2), expected.z, "z");
  const parts = klByDimension(encoded);
  const sums = Float64Array.from({ length: 7 }, (_, n) => parts.slice(4 * n, 4 * n + 4).reduce((a, b) => a + b));
  assertClose(sums, expected.kl, "kl");
});

Deno.test("logDensity() and marginals() agree with the covariance L Lᵀ written out", () => {
  const encoded = full(5, 3);
  const { mean, logVariance } = marginals(encoded);
  const density = logDensity(encoded);
  const z = normals(new Float64Array(3), 1, 0, 0);
  for (let row = 0; row < 5; row++) {
    const s = encoded.statistics.subarray(9 * row, 9 * row + 9);
    const [a, b, c] = [3, 4, 5].map((i) => Math.exp(s[i] / 2));
    // Columns of L as the rows that covarianceOf() takes, without noise of its own.
    const covariance = covarianceOf(Float64Array.of(a, s[6], s[7], 0, b, s[8], 0, 0, c), 3, 0);
    assertAlmostEquals(
      density(row, z, 0),
      logNormal(Array.from(z), mean.subarray(3 * row, 3 * row + 3), covariance),
      1e-4,
    );
    for (let i = 0; i < 3; i++) assertAlmostEquals(Math.exp(logVariance[3 * row + i]), covariance[4 * i], 1e-4);
  }
});
