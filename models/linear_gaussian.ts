/**
 * What the models with a linear decoder and Gaussian noise share: x = W z + μ + σ ε with z ~ N(0, I), whose posterior is known. It is no
 * model. Rows of data are N, features D, latents K.
 *
 * The columns of W are kept orthogonal and ordered by length: a rotation of z changes no likelihood, and the posterior then is exactly
 * the diagonal one that `encode` gives. Parameters:
 *
 * - `decoder`: Wᵀ [K, D] and μ [D]
 * - `posterior`: for centred x, the map to the means of z and the bias of their log-variances [D, 2 K]
 * - `noise` [2, D]: σ², and Σ_k W_dk² Var[z_k | x], how much W z varies under the posterior
 *
 * @module
 */

import type { Likelihood, Posterior } from "../core/distributions/distribution.ts";
import { gaussianPosterior } from "../core/distributions/gaussian.ts";
import { features } from "../core/dataset.ts";
import type { Losses } from "../core/training/events.ts";
import { type Fit, type FitContext, fitSweep, moments, part, setParameter } from "../core/training/fit.ts";
import { eigenSymmetric, multiply, transpose } from "../core/linear_algebra.ts";
import type { DataShape, Model } from "../core/model.ts";
import { accumulate } from "../core/ops/accumulate.ts";
import { centred } from "../core/ops/centred.ts";
import { columns } from "../core/ops/columns.ts";
import { dense } from "../core/ops/dense.ts";
import { fittedGaussianNll, fittedGaussianSample } from "../core/ops/fitted_gaussian.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Settings } from "../core/settings.ts";
import type { Objective, Tape, Variable } from "../core/graph/tape.ts";

/** What shapes a linear model. */
export interface LinearConfig {
  /** K */
  readonly latents: number;
}

/** The settings of {@linkcode LinearConfig}. */
export const linearSettings: Settings<LinearConfig> = {
  latents: { type: "integer", default: 20, minimum: 1, maximum: 4096, help: "latent dimensions, K" },
};

/**
 * The shapes of the parameters.
 *
 * @throws {RangeError} If K is not below D.
 */
function linearShapes({ latents }: LinearConfig, data: DataShape): Shapes {
  const width = features(data.shape);
  if (latents >= width) {
    throw new RangeError(`Cannot use ${latents} latents: expected fewer than the ${width} features of the data`);
  }
  return {
    decoder: { inputs: latents, outputs: width },
    posterior: { inputs: width, outputs: 2 * latents },
    noise: { inputs: 2, outputs: width },
  };
}

/** p(z | x) = N(M⁻¹ Wᵀ (x - μ), σ² M⁻¹), M = Wᵀ W + σ² I, which is diagonal. */
function linearEncode(t: Tape, p: Parameters, x: Variable): Posterior {
  return gaussianPosterior(t, dense(t, centred(t, x, p.get("decoder")), p.get("posterior")));
}

/** p(x | z) = N(W z + μ, σ² I) */
export function linearDecode(t: Tape, p: Parameters, z: Variable): Likelihood {
  const mean = dense(t, z, p.get("decoder"));
  const variance = { parameter: p.get("noise"), row: 0 };
  return {
    name: "gaussian",
    nll: (x, observed) => fittedGaussianNll(t, mean, x, variance, { observed }),
    mean: () => mean,
    sample: () => fittedGaussianSample(t, mean, variance),
  };
}

/**
 * nll = E[-log p(x | z)] and kl = KL(p(z | x) ‖ N(0, I)) at the exact posterior, in closed form: -log p(x) = nll + kl, without a draw.
 *
 * It needs neither C⁻¹ nor the difference of two large numbers: (x - μ)ᵀ C⁻¹ (x - μ) = ‖x - μ - W m‖² / σ² + ‖m‖² at the posterior
 * mean m, which is where the right side is smallest.
 *
 * @returns the objectives, and the posterior's statistics and the centred x that they were formed from
 */
export function linearObjectives(
  t: Tape,
  p: Parameters,
  x: Variable,
): { objectives: readonly Objective[]; statistics: Variable; centred: Variable } {
  const y = centred(t, x, p.get("decoder"));
  const statistics = dense(t, y, p.get("posterior"));
  const { kl } = gaussianPosterior(t, statistics).draw();
  const [variance, spread] = [0, 1].map((row) => ({ parameter: p.get("noise"), row }));
  const means = columns(t, statistics, 0, statistics.columns / 2);
  const nll = fittedGaussianNll(t, dense(t, means, p.get("decoder")), x, variance, { spread });
  const terms = [{ name: "nll", value: nll, weight: constant(1) }, { name: "kl", value: kl, weight: constant(1) }];
  return { objectives: [{ terms }], statistics, centred: y };
}

/** W, μ and σ² of a linear model, in float64. */
export interface LinearSolution {
  /** W, row-major [D, K] */
  readonly weight: Float64Array;
  /** μ [D] */
  readonly mean: ArrayLike<number>;
  /** σ² > 0, or 0 for none: the posterior is then a point, and x - W z - μ is measured with unit variance. */
  readonly noise: number;
}

/** Turns W so that its columns are orthogonal and fall in length, and writes all parameters that follow from it. */
export function setLinear(p: Parameters, { weight, mean, noise }: LinearSolution): void {
  const width = mean.length;
  const latents = weight.length / width;
  const gram = multiply(transpose(weight, latents), weight, width);
  const { values, vectors } = eigenSymmetric(gram, latents);
  // Wᵀ [K, D]: column k of W in row k
  const turned = multiply(vectors, transpose(weight, latents), latents);
  const lengths = values.map((value) => Math.max(value, 0));
  const posteriorWeight = new Float64Array(width * 2 * latents);
  const posteriorBias = new Float64Array(2 * latents);
  const spread = new Float64Array(width);
  for (let k = 0; k < latents; k++) {
    const precision = Math.max(lengths[k] + noise, 1e-30);
    const variance = noise / precision;
    posteriorBias[latents + k] = Math.log(Math.max(variance, Math.exp(-30)));
    for (let d = 0; d < width; d++) {
      posteriorWeight[d * 2 * latents + k] = turned[k * width + d] / precision;
      spread[d] += turned[k * width + d] ** 2 * variance;
    }
  }
  setParameter(p.get("decoder"), turned, mean);
  setParameter(p.get("posterior"), posteriorWeight, posteriorBias);
  const variances = new Float64Array(2 * width).fill(noise || 1, 0, width);
  variances.set(spread, width);
  setParameter(p.get("noise"), variances);
}

/** The K largest eigenvalues of a covariance and their eigenvectors, and the mean of the other eigenvalues. */
interface Principal {
  /** Falling [K] */
  readonly values: Float64Array;
  /** [K, D] */
  readonly vectors: Float64Array;
  readonly discarded: number;
}

/**
 * One sweep over the data for S = Σ (x - μ)(x - μ)ᵀ / N on the GPU, then its eigenvectors on the host. `decoder` must hold μ already.
 */
async function* principal(context: FitContext, latents: number): AsyncGenerator<number, Principal> {
  const { parameters, split: { count }, source: { columns: width } } = context;
  const sweep = await fitSweep(context, (t, { x }) => {
    const { objectives, centred } = linearObjectives(t, parameters, x);
    return { objectives, sums: { covariance: accumulate(t, "covariance", centred, centred) } };
  });
  try {
    const { sums: { covariance } } = yield* sweep.run();
    const matrix = Float64Array.from(covariance.values, (value) => value / count);
    // The GPU forms both triangles, each with a rounding of its own.
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < i; j++) {
        const both = (matrix[i * width + j] + matrix[j * width + i]) / 2;
        matrix[i * width + j] = matrix[j * width + i] = both;
      }
    }
    const { values, vectors } = eigenSymmetric(matrix, width);
    let discarded = 0;
    for (let i = latents; i < width; i++) discarded += Math.max(values[i], 0) / (width - latents);
    return {
      values: values.subarray(0, latents).map((value) => Math.max(value, 0)),
      vectors: vectors.subarray(0, latents * width),
      discarded,
    };
  } finally {
    sweep.destroy();
  }
}

/** One sweep that only measures. */
async function* measure(
  context: FitContext,
  objectives: (t: Tape, p: Parameters, x: Variable) => readonly Objective[],
): AsyncGenerator<number, Losses> {
  const sweep = await fitSweep(context, (t, { x }) => ({ objectives: objectives(t, context.parameters, x) }));
  try {
    return (yield* sweep.run()).losses;
  } finally {
    sweep.destroy();
  }
}

/**
 * W = U (Λ - σ²I)^½ of the K first eigenvectors and eigenvalues of the covariance: one iteration, and nothing is left to improve.
 *
 * @param objectives What is measured at the solution.
 * @param noise σ² by the mean of the other eigenvalues and that of all, as {@linkcode LinearSolution} has it.
 */
export function closedForm(
  context: FitContext,
  latents: number,
  objectives: (t: Tape, p: Parameters, x: Variable) => readonly Objective[],
  noise: (discarded: number, mean: number) => number,
): Fit {
  return {
    async *iterate() {
      const { mean, variance } = moments(context);
      const width = mean.length;
      const spread = variance.reduce((sum, value) => sum + value) / width;
      const weight = new Float64Array(width * latents);
      // For the mean alone: the covariance is about it.
      setLinear(context.parameters, { weight, mean, noise: spread || 1 });
      const { values, vectors, discarded } = yield* part(principal(context, latents), 0, 0.8);
      const left = noise(discarded, spread);
      for (let k = 0; k < latents; k++) {
        const length = Math.sqrt(Math.max(0, values[k] - left));
        for (let d = 0; d < width; d++) weight[d * latents + k] = length * vectors[k * width + d];
      }
      setLinear(context.parameters, { weight, mean, noise: left });
      return yield* part(measure(context, objectives), 0.8, 1);
    },
    destroy() {},
  };
}

/** What every model has that is linear with Gaussian noise. */
export const linearParts = {
  support: () => "density",
  parameters: linearShapes,
  encode: linearEncode,
  decode: linearDecode,
  latents: ({ latents }) => latents,
} as const satisfies Partial<Model<LinearConfig>>;
