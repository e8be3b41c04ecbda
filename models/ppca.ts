/**
 * Probabilistic principal component analysis.
 *
 * @module
 */

import { expectationMaximization, type Fit, type FitContext, moments } from "../core/training/fit.ts";
import { cholesky, invertPositive, multiply, transpose } from "../core/linear_algebra.ts";
import { features } from "../core/dataset.ts";
import type { Model } from "../core/model.ts";
import { accumulate } from "../core/ops/accumulate.ts";
import type { Parameters } from "../core/graph/parameters.ts";
import { normals } from "../core/graph/random.ts";
import type { Objective, Tape, Variable } from "../core/graph/tape.ts";
import {
  closedForm,
  type LinearConfig,
  linearObjectives,
  linearParts,
  linearSettings,
  setLinear,
} from "./linear_gaussian.ts";

/** What shapes the model, and how it is fitted. */
export interface PpcaConfig extends LinearConfig {
  /** By eigenvectors at once, or by EM. */
  readonly method: "closed-form" | "em";
}

function objectives(t: Tape, p: Parameters, x: Variable): readonly Objective[] {
  return linearObjectives(t, p, x).objectives;
}

/** Smallest σ², as a part of the data's mean variance: data that fill only K dimensions have none, and no density. */
const FLOOR = 1e-6;

/** σ², or its floor; `mean` is the mean variance of the features. */
function floored(noise: number, mean: number): number {
  return Math.max(noise, FLOOR * (mean || 1));
}

/** μ, and σ² = the whole variance spread evenly. */
function startOf(context: FitContext): { mean: Float32Array<ArrayBuffer>; noise: number; total: number } {
  const { mean, variance } = moments(context);
  const total = variance.reduce((sum, value) => sum + value);
  return { mean, noise: floored(total / mean.length, total / mean.length), total };
}

/**
 * E: m = M⁻¹ Wᵀ (x - μ), E[z zᵀ] = σ² M⁻¹ + m mᵀ
 * M: W = [Σ (x - μ) mᵀ] [Σ E[z zᵀ]]⁻¹, σ² = Σ (‖x - μ‖² - 2 mᵀ Wᵀ (x - μ) + tr E[z zᵀ] Wᵀ W) / N D
 *
 * The sums over the data are products on the GPU; the rest is K x D. W starts at random, each column as long as the data vary.
 *
 * Then W <- W L with L Lᵀ = Σ E[z zᵀ] / N: the M step of a model with z ~ N(0, L Lᵀ), written as one with z ~ N(0, I) again. Its
 * fixed points and its monotone likelihood are those of EM, but plain EM makes good only about σ² / λ of what the length of W lacks in
 * an iteration, so that it takes hundreds where the noise is small.
 *
 * Source: Tipping and Bishop, JRSS B 61(3), 1999, equations 25 to 28; Bishop, "Pattern Recognition and Machine Learning", equations 12.54
 * to 12.57; Liu, Rubin and Wu, "Parameter expansion to accelerate EM", Biometrika 85(4), 1998, for L.
 */
function iterations(context: FitContext, { latents }: PpcaConfig): Promise<Fit> {
  const { parameters, split: { count }, seed, resumed } = context;
  const { mean, noise, total } = startOf(context);
  const width = mean.length;
  if (!resumed) {
    const weight = normals(new Float64Array(width * latents), seed, 0, 1).map((value) => value * Math.sqrt(noise));
    setLinear(parameters, { weight, mean, noise });
  }
  return expectationMaximization(context, (t, { x }) => {
    const { statistics, centred, objectives } = linearObjectives(t, parameters, x);
    return {
      objectives,
      sums: {
        xz: accumulate(t, "sum of x z", centred, statistics),
        zz: accumulate(t, "sum of z z", statistics, statistics),
      },
    };
  }, async (sums) => {
    // Statistics are means, then log-variances: the sums of products with the latter mean nothing.
    const means = (values: Float32Array, rows: number) =>
      Float64Array.from(
        { length: rows * latents },
        (_, i) => values[2 * latents * Math.floor(i / latents) + i % latents],
      );
    const { bias } = await parameters.get("posterior").get();
    const xz = means(sums.xz.values, width);
    const mm = means(sums.zz.values, latents);
    const zz = transpose(mm, latents).map((value, i) => (value + mm[i]) / 2);
    for (let k = 0; k < latents; k++) zz[k * latents + k] += count * Math.exp(bias[latents + k]);

    const weight = multiply(xz, invertPositive(zz, latents), latents);
    let explained = 0;
    for (let i = 0; i < weight.length; i++) explained += 2 * weight[i] * xz[i];
    const gram = multiply(transpose(weight, latents), weight, width);
    for (let i = 0; i < gram.length; i++) explained -= gram[i] * zz[i];
    const left = floored((total - explained / count) / width, total / width);
    const factor = cholesky(zz.map((value) => value / count), latents);
    setLinear(parameters, { weight: multiply(weight, factor, latents), mean, noise: left });
  });
}

/**
 * p(x) = N(μ, W Wᵀ + σ² I): x = W z + μ + σ ε with z ~ N(0, I)
 *
 * The elbo is log p(x) itself, since the posterior N(M⁻¹ Wᵀ (x - μ), σ² M⁻¹), M = Wᵀ W + σ² I, is exact. σ² is not below 1e-6 of the
 * data's mean variance.
 *
 * In closed form W = U (Λ - σ²I)^½, and σ² is the mean of the discarded eigenvalues (equations 7 and 8).
 *
 * Source: Tipping and Bishop, "Probabilistic Principal Component Analysis", JRSS B 61(3), 1999.
 */
export const ppca: Model<PpcaConfig> = {
  name: "ppca",
  summary: "probabilistic PCA, in closed form or by EM: the linear VAE, exact",
  source: "Tipping and Bishop, JRSS B 61(3), 1999",
  settings: {
    ...linearSettings,
    method: {
      type: "choice",
      default: "closed-form",
      choices: ["closed-form", "em"],
      help: "eigenvectors of the covariance at once, or iterations that need no covariance",
    },
  },
  ...linearParts,
  density: "exact",
  objectives: (t, p, { x }) => objectives(t, p, x),
  fit: async (context, config) =>
    config.method === "em"
      ? await iterations(context, config)
      : closedForm(context, config.latents, objectives, floored),
  fitIterations: ({ method }) => method === "em" ? undefined : 1,
  async findings(p, _, { shape }) {
    const width = features(shape);
    const { weight } = await p.get("decoder").get();
    const noise = (await p.get("noise").get()).weight[0];
    const total = weight.reduce((sum, value) => sum + value * value, 0) + width * noise;
    if (noise > 1.01 * FLOOR * total / width) return [];
    return [`ppca: σ² is held at its floor, ${FLOOR} of the data's mean variance; elbo follows from the floor`];
  },
  caveats: () => ["ppca: the posterior is exact, so elbo is log p(x), a density of the values as they are given"],
};
