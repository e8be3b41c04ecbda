/** PCA and probabilistic PCA against float64: the closed form, EM, the posterior, on small data and on a part of MNIST. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  type Dataset,
  linearVae,
  type Model,
  pca,
  ppca,
  type PpcaConfig,
  train,
  type TrainingConfig,
} from "../../mod.ts";
import { findDataset } from "../../storage/datasets.ts";
import { slice } from "../../core/dataset.ts";
import { normals } from "../../core/graph/random.ts";
import { covarianceOf, logNormal } from "../reference/linear_gaussian.ts";
import { assertClose } from "../support/compare.ts";
import { families, gpu } from "../support/gpu.ts";
import golden from "../golden/linear_gaussian.json" with { type: "json" };

const D = 10;
const K = 3;

/** 333 rows of W z + μ + ½ ε with columns of W of different length: no multiple of a batch, no multiple of four features. */
function plane(length = 1): Dataset {
  const count = 333;
  const w = normals(new Float64Array(K * D), 1, 0, 0);
  const z = normals(new Float64Array(count * K), 2, 0, 0);
  const noise = normals(new Float64Array(count * D), 3, 0, 0);
  const values = Float32Array.from(noise, (e, i) => {
    const [row, d] = [Math.floor(i / D), i % D];
    let sum = 0.5 * e + 0.3 * d;
    for (let k = 0; k < K; k++) sum += length * (3 - k) * w[k * D + d] * z[row * K + k];
    return sum;
  });
  return { name: "plane", shape: [1, D, 1], train: { values, count }, test: slice({ values, count }, 0, 100) };
}

const data = plane();

async function fitted(model: Model<PpcaConfig>, dataset: Dataset, config: Partial<TrainingConfig & PpcaConfig>) {
  const training = train(model, dataset, { validation: 0, ...config }, { gpu });
  const elbos: number[] = [];
  for await (const event of training) if (event.event === "epoch") elbos.push(event.train.elbo);
  return { trained: training.trained, elbos };
}

/** Mean of log p(x) over rows, in float64, from the parameters that the model ended with. */
async function meanLogLikelihood({ trained }: Awaited<ReturnType<typeof fitted>>, rows: ArrayLike<number>) {
  const { weight, bias } = await trained.parameters.get("decoder").get();
  const noise = (await trained.parameters.get("noise").get()).weight[0];
  const covariance = covarianceOf(weight, bias.length, noise);
  const count = rows.length / bias.length;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum += logNormal(Array.from({ length: bias.length }, (_, d) => rows[i * bias.length + d]), bias, covariance);
  }
  return sum / count;
}

for (const tiles of families) {
  Deno.test(`ppca in closed form gives the log-likelihood that float64 loops give from its covariance (${tiles})`, async () => {
    const outcome = await fitted(ppca, data, { latents: K, tiles });
    using trained = outcome.trained;
    const expected = await meanLogLikelihood(outcome, data.train.values);
    assertAlmostEquals(outcome.elbos[0], expected, 2e-5 * Math.abs(expected));
    const { elbo } = await trained.evaluate(data.test);
    assertAlmostEquals(elbo, await meanLogLikelihood(outcome, data.test.values), 2e-5 * Math.abs(expected));
  });
}

Deno.test("ppca by EM never loses likelihood, and reaches the closed form: noise, W Wᵀ and likelihood", async () => {
  const closed = await fitted(ppca, data, { latents: K });
  const em = await fitted(ppca, data, { latents: K, method: "em", epochs: 60, batchSize: 40 });
  using a = closed.trained;
  using b = em.trained;
  em.elbos.forEach((elbo, i) => {
    // Rounding of a float32 sum; each iteration but for that rises.
    if (i > 0) assert(elbo >= em.elbos[i - 1] - 1e-5 * Math.abs(elbo), `iteration ${i}: ${em.elbos[i - 1]} -> ${elbo}`);
  });
  assert(em.elbos[0] < closed.elbos[0] - 0.1, `EM is there at once: ${em.elbos[0]}`);
  assertAlmostEquals(em.elbos.at(-1)!, closed.elbos[0], 1e-4);
  const [noise, expected] = [await b.parameters.get("noise").get(), await a.parameters.get("noise").get()];
  assertAlmostEquals(noise.weight[0], expected.weight[0], 1e-4);
  const covariance = async (trained: typeof a) =>
    covarianceOf((await trained.parameters.get("decoder").get()).weight, D, expected.weight[0]);
  assertClose(await covariance(b), await covariance(a), "W Wᵀ + σ² I", { absolute: 0.02, relative: 0.01 });
});

Deno.test("ppca's log-likelihood on 500 digits of MNIST is numpy's, in closed form and by EM", async () => {
  const digits = await findDataset("mnist").load();
  const dataset = { ...digits, train: slice(digits.train, 0, golden.rows) };
  const closed = await fitted(ppca, dataset, { latents: golden.latents });
  const em = await fitted(ppca, dataset, { latents: golden.latents, method: "em", epochs: 40 });
  using a = closed.trained;
  using b = em.trained;
  assertAlmostEquals(closed.elbos[0], golden.logLikelihood, 0.01);
  assertAlmostEquals((await a.parameters.get("noise").get()).weight[0], golden.noise, 1e-6);
  for (const [i, expected] of golden.firstRows.entries()) {
    const { elbo } = await a.evaluate(slice(dataset.train, i, i + 1));
    assertAlmostEquals(elbo, expected, 0.02);
  }
  em.elbos.forEach((elbo, i) => assert(i === 0 || elbo >= em.elbos[i - 1] - 1e-3, `${em.elbos[i - 1]} -> ${elbo}`));
  assertAlmostEquals(em.elbos.at(-1)!, golden.logLikelihood, 0.5);
  assert(em.elbos.at(-1)! <= golden.logLikelihood + 0.01, "EM is above the maximum");
  assert(b.progress.step > 0);
});

Deno.test("pca's reconstruction of 500 digits of MNIST is as far off as numpy's", async () => {
  const digits = await findDataset("mnist").load();
  const dataset = { ...digits, train: slice(digits.train, 0, golden.rows) };
  const training = train(pca, dataset, { latents: golden.latents, validation: 0, epochs: 7 }, { gpu });
  let epochs = 0;
  for await (const event of training) if (event.event === "epoch") epochs++;
  using trained = training.trained;
  // A closed form needs one iteration, whatever was asked for.
  assertEquals(epochs, 1);
  const rows = trained.rowsOf(dataset.train);
  const again = await trained.reconstruct(rows);
  const error = rows.reduce((sum, x, i) => sum + (x - again[i]) ** 2, 0) / golden.rows;
  assertAlmostEquals(error, golden.squaredError, 1e-3);
  const { nll, kl } = await trained.evaluate(dataset.train);
  assertAlmostEquals(nll, 0.5 * golden.squaredError + 392 * Math.log(2 * Math.PI), 1e-2);
  assertEquals(kl, 0);
  // z has unit covariance over the data, and the columns of U Λ^½ are as long as the eigenvalues say.
  const { mean } = await trained.encode(rows);
  for (let k = 0; k < golden.latents; k++) {
    let square = 0;
    for (let i = 0; i < golden.rows; i++) square += mean[i * golden.latents + k] ** 2 / golden.rows;
    assertAlmostEquals(square, 1, 1e-3);
  }
  const { weight } = await trained.parameters.get("decoder").get();
  golden.eigenvalues.forEach((expected, k) => {
    const length = weight.subarray(k * 784, (k + 1) * 784).reduce((sum, x) => sum + x * x, 0);
    assertAlmostEquals(length, expected, 1e-3 * expected);
  });
});

Deno.test("ppca encodes to the exact posterior, and draws have the covariance of the model", async () => {
  const outcome = await fitted(ppca, data, { latents: K });
  using trained = outcome.trained;
  const { weight, bias } = await trained.parameters.get("decoder").get();
  const noise = (await trained.parameters.get("noise").get()).weight[0];
  // log p(x) = log p(x | m) + log p(m) - log q(m | x), for every m where q is the posterior.
  const x = data.train.values.slice(0, D) as Float32Array;
  const { mean, logVariance } = await trained.encode(x);
  for (const shift of [0, 0.4]) {
    let log = 0;
    const m = mean.map((value, k) => value + shift * (k + 1));
    for (let k = 0; k < K; k++) {
      log -= 0.5 * m[k] ** 2;
      log += 0.5 * ((m[k] - mean[k]) ** 2 * Math.exp(-logVariance[k]) + logVariance[k]);
    }
    for (let d = 0; d < D; d++) {
      let apart = x[d] - bias[d];
      for (let k = 0; k < K; k++) apart -= m[k] * weight[k * D + d];
      log -= 0.5 * (apart ** 2 / noise + Math.log(2 * Math.PI * noise));
    }
    assertAlmostEquals(log, logNormal(x, bias, covarianceOf(weight, D, noise)), 1e-3);
  }
  const count = 20000;
  const draws = await trained.sample({ count, draw: "sample", seed: 5 });
  const expected = covarianceOf(weight, D, noise);
  for (let i = 0; i < D; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let n = 0; n < count; n++) sum += (draws[n * D + i] - bias[i]) * (draws[n * D + j] - bias[j]) / count;
      // Five standard deviations of an estimate from so many draws.
      const deviation = Math.sqrt((expected[i * D + i] * expected[j * D + j] + expected[i * D + j] ** 2) / count);
      assertAlmostEquals(sum, expected[i * D + j], 5 * deviation);
    }
  }
});

Deno.test("linear_vae by gradient comes to the likelihood of ppca in closed form, and not above it", async () => {
  const near = plane(0.3);
  const closed = await fitted(ppca, near, { latents: K });
  using best = closed.trained;
  const training = train(linearVae, near, {
    latents: K,
    sigma: 0.7,
    batchSize: 37,
    epochs: 225,
    learningRate: 0.03,
    learningRateSchedule: "cosine",
    learningRateSteps: 2025,
    validation: 0,
  }, { gpu });
  for await (const event of training) assert(event.event !== "end" || event.epochs === 225);
  using trained = training.trained;
  const { elbo } = await trained.evaluate(near.train, { samples: 200 });
  // What 2,000 steps reach of an optimum that they come to from below, and the noise of 200 draws a row.
  assertAlmostEquals(elbo, closed.elbos[0], 0.06);
  assert(elbo <= closed.elbos[0] + 0.01, `${elbo} is above the maximum ${closed.elbos[0]}`);
  const noise = (await best.parameters.get("noise").get()).weight[0];
  const { bias } = await trained.parameters.get("scale").get();
  assertAlmostEquals(0.7 ** 2 * Math.exp(bias[0]), noise, 0.01);
});

Deno.test("ppca refuses as many latents as features, and pixels drawn anew", async () => {
  await assertRejects(
    () => fitted(ppca, data, { latents: D }),
    RangeError,
    "Cannot use 10 latents: expected fewer than the 10 features of the data",
  );
  await assertRejects(
    () => fitted(ppca, data, { latents: 2, binarize: "dynamic" }),
    RangeError,
    'Cannot fit "ppca" to pixels that are drawn anew each time: expected binarize none or threshold, found dynamic',
  );
});
