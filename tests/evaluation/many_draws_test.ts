/** What many draws of a datum come to, where the sums of them are large: a decoder that ignores z has everything in closed form. */

import { assertAlmostEquals } from "@std/assert";
import { type Dataset, logLikelihood, type Model, train, type Trained, vae } from "../../mod.ts";
import { uniforms } from "../../core/graph/random.ts";
import { families, gpu } from "../support/gpu.ts";

const [D, COUNT, K] = [3072, 3, 2];
/** q(z | x) of every datum. */
const [MEAN, LOG_VARIANCE] = [0.1, 0.05];

const values = uniforms(new Float32Array(COUNT * D), 5, 0, 0).map((u) => u < 0.4 ? 1 : 0);
const rows = { values, count: COUNT };
const data: Dataset = { name: "bits", shape: [1, D, 1], train: rows, test: rows };
const logits = uniforms(new Float32Array(D), 6, 0, 0).map((u) => 2 * u - 1);

/** A vae whose encoder ignores x and whose decoder ignores z. */
async function ignorant(tiles: string): Promise<Trained> {
  const config: object = {
    hidden: [],
    latents: K,
    batchSize: COUNT,
    validation: 0,
    epochs: 1,
    binarize: "none",
    tiles,
  };
  const training = train(vae as Model, data, config, { gpu });
  await Array.fromAsync(training);
  const { parameters } = training.trained;
  const set = (name: string, bias: Float32Array) => {
    const parameter = parameters.get(name);
    parameter.set(parameter.tensor, new Float32Array(parameter.shape.inputs * parameter.shape.outputs), bias);
  };
  set("encoder.posterior", Float32Array.from([MEAN, MEAN, LOG_VARIANCE, LOG_VARIANCE]));
  set("likelihood", logits);
  return training.trained as Trained;
}

/** -log p(x) of a row: Σ log(1 + exp y) - x y. */
function nllOf(row: number): number {
  return logits.reduce((sum, y, d) => sum + Math.log1p(Math.exp(y)) - values[row * D + d] * y, 0);
}

// Each dimension's E_q[w²] of w = p(z) / q(z): with v = σ², v / √(2v - 1) · exp(μ² / (2v - 1)).
const v = Math.exp(LOG_VARIANCE);
const weightSquares = (v / Math.sqrt(2 * v - 1) * Math.exp(MEAN ** 2 / (2 * v - 1))) ** K;
const kl = K * 0.5 * (Math.exp(LOG_VARIANCE) + MEAN ** 2 - 1 - LOG_VARIANCE);
const nll = (nllOf(0) + nllOf(1) + nllOf(2)) / COUNT;

for (const family of families) {
  // A hundred thousand take the workgroup tiles of a software adapter half a minute, by the same kernel.
  // 1,009, a prime, comes a draw a step.
  for (const samples of family === families[0] ? [1_009, 5_000, 100_000] : [1_009, 5_000]) {
    Deno.test(`logLikelihood() of ${samples} draws of 3,072 values is within 1e-3 of the closed form (${family})`, async () => {
      using model = await ignorant(family);
      const found = await logLikelihood(model, data.test, { samples });
      assertAlmostEquals(found.nll, nll, 1e-3, "nll");
      assertAlmostEquals(found.kl, kl, 1e-6, "kl");
      assertAlmostEquals(found.elbo, -(nll + kl), 1e-3, "elbo");
      found.elbos.forEach((value, row) => assertAlmostEquals(value, -(nllOf(row) + kl), 1e-3, `elbo of row ${row}`));
      // Five deviations of a mean of so many weights over three rows, and what the float32 of one nll rounds.
      const error = 5 * Math.sqrt((weightSquares - 1) / (COUNT * samples)) + 1e-3;
      assertAlmostEquals(found.mean, -nll, error, "log p(x)");
      assertAlmostEquals(found.effectiveSamples / samples, 1 / weightSquares, 0.005);
    });
  }
}
