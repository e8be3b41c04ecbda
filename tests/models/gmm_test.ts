/** The mixture of Gaussians against float64 and scikit-learn: recovery of a known mixture, every M step, floors, draws. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { type Dataset, gmm, type GmmConfig, train, type Trained, type TrainingConfig } from "../../mod.ts";
import { findDataset } from "../../storage/datasets.ts";
import { slice } from "../../core/dataset.ts";
import { normals } from "../../core/graph/random.ts";
import { iterate, logDensities, logSumExp, meanLogDensity, type ReferenceMixture } from "../reference/mixture.ts";
import { assertClose } from "../support/compare.ts";
import { families, gpu } from "../support/gpu.ts";
import golden from "../golden/mixture.json" with { type: "json" };

const D = 3;

/** Three Gaussians in three dimensions; component k has the shape of its own factor. */
const truth = {
  shares: [0.5, 0.3, 0.2],
  means: [[0, 0, 0], [4, 1, -2], [-3, 4, 1]],
  factors: [[1, 0, 0, 0.6, 0.8, 0, 0, 0, 0.5], [0.7, 0, 0, 0, 0.7, 0, 0, 0, 0.7], [0.4, 0, 0, -0.5, 0.9, 0, 0.2, 0, 1]],
};

/** Rows drawn from it: shares of each exact, in turn. */
function drawn(count: number): Dataset {
  const noise = normals(new Float64Array(count * D), 9, 0, 0);
  const values = new Float32Array(count * D);
  for (let i = 0; i < count; i++) {
    const k = i % 10 < 5 ? 0 : i % 10 < 8 ? 1 : 2;
    for (let d = 0; d < D; d++) {
      values[i * D + d] = truth.means[k][d];
      for (let e = 0; e < D; e++) values[i * D + d] += truth.factors[k][d * D + e] * noise[i * D + e];
    }
  }
  const rows = { values, count };
  return { name: "three", shape: [1, D, 1], train: rows, test: slice(rows, 0, 150) };
}

const data = drawn(2010);
const KINDS = ["full", "diagonal", "spherical"] as const;

async function fitted(dataset: Dataset, config: Partial<TrainingConfig & GmmConfig>) {
  const training = train(gmm, dataset, { validation: 0, components: 3, ...config }, { gpu });
  const elbos: number[] = [];
  for await (const event of training) if (event.event === "epoch") elbos.push(event.train.elbo);
  return { trained: training.trained as Trained, elbos };
}

/** The mixture that the parameters stand for. */
async function mixtureOf({ parameters, features: width, config }: Trained): Promise<ReferenceMixture> {
  const { components, covariance } = config as GmmConfig;
  const means = await parameters.get("means").get();
  const shares = Array.from((await parameters.get("prior").get()).weight.subarray(0, components), Math.exp);
  const each = async (k: number) => {
    const out = new Float64Array(width * width);
    if (covariance !== "full") {
      const { weight } = await parameters.get("variances").get();
      for (let d = 0; d < width; d++) out[d * width + d] = weight[k * width + d];
      return out;
    }
    const { weight } = await parameters.get("factors").get();
    for (let j = 0; j < width; j++) {
      const row = (k * (width + 1) + j) * width;
      for (let a = 0; a < width; a++) {
        for (let b = 0; b < width; b++) out[a * width + b] += weight[row + a] * weight[row + b];
      }
    }
    return out;
  };
  return {
    shares,
    means: shares.map((_, k) => Float64Array.from(means.bias, (mean, d) => mean + means.weight[k * width + d])),
    covariances: await Promise.all(shares.map((_, k) => each(k))),
  };
}

for (const covariance of KINDS) {
  for (const tiles of families) {
    Deno.test(`gmm (${covariance}, ${tiles}) gives the log-likelihood that float64 loops give, and never loses any`, async () => {
      const { trained, elbos } = await fitted(data, { covariance, tiles, epochs: 15, batchSize: 64 });
      using _ = trained;
      const expected = meanLogDensity(data.train.values, await mixtureOf(trained));
      assertAlmostEquals(elbos.at(-1)!, expected, 1e-4);
      elbos.forEach((elbo, i) => assert(i === 0 || elbo >= elbos[i - 1] - 1e-5, `${i}: ${elbos[i - 1]} -> ${elbo}`));
      assert(elbos[14] > elbos[0] + 0.2, `${elbos[0]} -> ${elbos[14]}`);
      const { elbo } = await trained.evaluate(data.test);
      assertAlmostEquals(elbo, meanLogDensity(data.test.values, await mixtureOf(trained)), 1e-4);
    });
  }
}

for (const covariance of ["full", "diagonal"] as const) {
  Deno.test(`gmm (${covariance}) takes the step that float64 loops take`, async () => {
    const [before, after] = [
      await fitted(data, { covariance, epochs: 3, batchSize: 100 }),
      await fitted(data, { covariance, epochs: 4, batchSize: 100 }),
    ];
    using a = before.trained;
    using b = after.trained;
    const expected = iterate(data.train.values, await mixtureOf(a), covariance === "full");
    const actual = await mixtureOf(b);
    assertClose(actual.shares, expected.shares, "shares");
    expected.means.forEach((mean, k) => assertClose(actual.means[k], mean, `mean ${k}`, { absolute: 1e-4 }));
    expected.covariances.forEach((each, k) => {
      assertClose(actual.covariances[k], each, `covariance ${k}`, { absolute: 3e-4, relative: 1e-3 });
    });
  });
}

Deno.test("gmm recovers a known mixture with full covariances", async () => {
  const { trained } = await fitted(data, { covariance: "full", epochs: 60 });
  using _ = trained;
  const found = await mixtureOf(trained);
  truth.means.forEach((mean, k) => {
    const near = found.means.findIndex((m) => Math.hypot(...mean.map((x, d) => x - m[d])) < 0.3);
    assert(near >= 0, `no component near ${mean}: ${found.means.map((m) => Array.from(m)).join("; ")}`);
    assertAlmostEquals(found.shares[near], truth.shares[k], 0.03);
    for (let a = 0; a < D; a++) {
      for (let b = 0; b < D; b++) {
        let expected = 0;
        for (let e = 0; e < D; e++) expected += truth.factors[k][a * D + e] * truth.factors[k][b * D + e];
        assertAlmostEquals(found.covariances[near][a * D + b], expected, 0.15);
      }
    }
  });
});

Deno.test("gmm encodes to the probabilities of the components, and nll + kl at a draw of it is -log p(x) on average", async () => {
  const { trained } = await fitted(data, { covariance: "full", epochs: 10 });
  using _ = trained;
  const mixture = await mixtureOf(trained);
  const rows = data.train.values.subarray(0, 40 * D) as Float32Array;
  const { mean, logVariance } = await trained.encode(rows);
  for (let i = 0; i < 40; i++) {
    const logs = logDensities(rows.subarray(i * D, (i + 1) * D), mixture);
    const expected = logs.map((value) => Math.exp(value - logSumExp(logs)));
    assertClose(mean.subarray(i * 3, (i + 1) * 3), expected, `row ${i}`, { absolute: 1e-4, relative: 1e-3 });
  }
  assert(logVariance.every((value) => value >= -30.001 && value <= Math.log(0.25) + 1e-6));
});

for (const covariance of KINDS) {
  Deno.test(`gmm (${covariance}) draws have the shares, means and covariances of the components`, async () => {
    const { trained } = await fitted(data, { covariance, epochs: 10 });
    using _ = trained;
    const mixture = await mixtureOf(trained);
    const count = 6000;
    const z = new Float32Array(count * 3).map((_, i) => i % 3 === 1 ? 1 : 0);
    const draws = await trained.decode(z, { draw: "sample", seed: 7 });
    const mean = Array.from({ length: D }, (_, d) => {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += draws[i * D + d] / count;
      return sum;
    });
    const variances = mixture.covariances[1];
    for (let a = 0; a < D; a++) {
      assertAlmostEquals(mean[a], mixture.means[1][a], 5 * Math.sqrt(variances[a * D + a] / count));
      for (let b = 0; b <= a; b++) {
        let sum = 0;
        for (let i = 0; i < count; i++) sum += (draws[i * D + a] - mean[a]) * (draws[i * D + b] - mean[b]) / count;
        const both = variances[a * D + a] * variances[b * D + b] + variances[a * D + b] ** 2;
        assertAlmostEquals(sum, variances[a * D + b], 5 * Math.sqrt(both / count));
      }
    }
    // The means of draws from the prior are means of components, as often as their shares say.
    const means = await trained.sample({ count: 3000 });
    mixture.means.forEach((mean, k) => {
      let hits = 0;
      for (let i = 0; i < 3000; i++) if (Math.abs(means[i * D] - mean[0]) < 1e-3) hits++;
      assertAlmostEquals(hits / 3000, mixture.shares[k], 0.05);
    });
    const cold = await trained.sample({ count: 20, temperature: 0 });
    assert(cold.every((value, i) => value === cold[i % D]), "temperature 0 draws several components");
  });
}

Deno.test("gmm keeps every variance at its floor, with more components than distinct rows", async () => {
  const values = new Float32Array(60 * 2).map((_, i) => Math.floor(i / 2) % 3);
  const few: Dataset = { name: "few", shape: [1, 2, 1], train: { values, count: 60 }, test: { values, count: 60 } };
  // The variance of 0, 1 and 2 in turn is 2/3, so the floor is 0.01.
  for (const covariance of KINDS) {
    const { trained, elbos } = await fitted(few, { covariance, components: 5, floor: 0.015, epochs: 12, batchSize: 7 });
    using _ = trained;
    const { covariances } = await mixtureOf(trained);
    for (const each of covariances) {
      assert(each[0] >= 0.01 * 0.999 || covariance === "full", `${each}`);
      const [trace, determinant] = [each[0] + each[3], each[0] * each[3] - each[1] * each[2]];
      assert(trace / 2 - Math.sqrt(Math.max(0, trace ** 2 / 4 - determinant)) >= 0.0099, `${covariance}: ${each}`);
    }
    elbos.forEach((elbo, i) => assert(i === 0 || elbo >= elbos[i - 1] - 1e-4, `${i}: ${elbos[i - 1]} -> ${elbo}`));
  }
});

Deno.test("gmm's log-likelihood on 500 digits of MNIST is scikit-learn's for the same mixture", async () => {
  const digits = await findDataset("mnist").load();
  const dataset = { ...digits, train: slice(digits.train, 0, golden.rows) };
  const config = { components: golden.components, covariance: "diagonal", floor: golden.floor, epochs: 1 } as const;
  const { trained } = await fitted(dataset, config);
  using _ = trained;
  // Every component: the mean and variance of the rows of one label.
  const { parameters } = trained;
  const width = 784;
  const means = new Float64Array(10 * width);
  const squares = new Float64Array(10 * width);
  const counts = new Float64Array(10);
  const { values, labels } = dataset.train;
  for (let i = 0; i < golden.rows; i++) counts[labels![i]]++;
  for (let i = 0; i < golden.rows; i++) {
    for (let d = 0; d < width; d++) means[labels![i] * width + d] += values[i * width + d] / 255 / counts[labels![i]];
  }
  for (let i = 0; i < golden.rows; i++) {
    const k = labels![i];
    for (let d = 0; d < width; d++) squares[k * width + d] += (values[i * width + d] / 255 - means[k * width + d]) ** 2;
  }
  const linear = new Float32Array(2 * width * 10);
  const bias = new Float64Array(10);
  const { bias: offset } = await parameters.get("means").get();
  for (let k = 0; k < 10; k++) {
    bias[k] = Math.log(counts[k] / golden.rows) - 0.5 * width * Math.log(2 * Math.PI);
    for (let d = 0; d < width; d++) {
      const variance = Math.max(golden.floor, squares[k * width + d] / counts[k]);
      const mean = means[k * width + d] - offset[d];
      linear[d * 10 + k] = mean / variance;
      linear[(width + d) * 10 + k] = -0.5 / variance;
      bias[k] -= 0.5 * (Math.log(variance) + mean * mean / variance);
    }
  }
  parameters.get("logits").set(parameters.get("logits").tensor, linear, Float32Array.from(bias));
  const { elbo } = await trained.evaluate(dataset.train);
  assertAlmostEquals(elbo, golden.logLikelihood, 0.01);
});

Deno.test("gmm says the limit of full covariances", async () => {
  const wide: Dataset = {
    name: "wide",
    shape: [28, 28, 1],
    train: { values: new Uint8Array(784 * 100), count: 100 },
    test: { values: new Uint8Array(784), count: 1 },
  };
  await assertRejects(
    () => fitted(wide, { covariance: "full", components: 60 }),
    RangeError,
    "Cannot keep full covariances of 60 components in 784 features: expected at most 33554432 elements, found 36879360",
  );
  assertEquals((await fitted(wide, { components: 2, epochs: 1, batchSize: 50 })).elbos.length, 1);
});
