/**
 * The mixture of Gaussians.
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { Likelihood, Posterior } from "../core/distributions/distribution.ts";
import {
  expectationMaximization,
  type Fit,
  type FitContext,
  moments,
  readRow,
  setParameter,
  varianceUnits,
} from "../core/training/fit.ts";
import type { Swept } from "../core/training/sweep.ts";
import { kMeansPlusPlus } from "./k_means.ts";
import { eigenSymmetric } from "../core/linear_algebra.ts";
import type { DataShape, Model, PriorDraw } from "../core/model.ts";
import { accumulate, type Accumulated } from "../core/ops/accumulate.ts";
import { categorical, categoricalNll, oneHot } from "../core/ops/categorical.ts";
import { centred } from "../core/ops/centred.ts";
import { dense } from "../core/ops/dense.ts";
import { fittedGaussianSample } from "../core/ops/fitted_gaussian.ts";
import { gaussianLogits, noiseAndOne, weightedCopies } from "../core/ops/mixture.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { chosen, permuted, uniforms } from "../core/graph/random.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Objective, Tape, Variable } from "../core/graph/tape.ts";

/** What shapes the mixture. */
export interface GmmConfig {
  /** K */
  readonly components: number;
  /** Which covariance matrices the components may have. */
  readonly covariance: "full" | "diagonal" | "spherical";
  /** Smallest variance in any direction, as a part of the data's: {@linkcode varianceUnits}. */
  readonly floor: number;
}

/** Most elements of K covariances [D, D]: 128 MiB each of their factors, their inverses' and their sums. */
const FULL_LIMIT = 2 ** 25;

/** Rows that k-means++ looks at. */
const SEEDING_ROWS = 10_000;

/** A component's share is not below this, so that its logarithm is finite. */
const SMALLEST_SHARE = 1e-12;

/**
 * `means`: μ_k - μ [K, D], and the mean μ of the data as bias. `prior` [2, K]: log π_k; then log π_k + log N(μ_k; μ_k, Σ_k).
 * Diagonal: `variances` [K, D] and `logits` [2 D, K], the log-densities as a linear map of [y | y²], y = x - μ.
 * Full: `whitening` [D, K D], y to Λ^-½ V (y - μ_k) with Σ_k = Vᵀ Λ V; `factors` [K (D + 1), D], for every component Λ^½ V and μ_k - μ.
 */
function shapes({ components, covariance }: GmmConfig, data: DataShape): Shapes {
  const width = features(data.shape);
  const common = { means: { inputs: components, outputs: width }, prior: { inputs: 2, outputs: components } };
  if (covariance !== "full") {
    return {
      ...common,
      variances: { inputs: components, outputs: width },
      logits: { inputs: 2 * width, outputs: components },
    };
  }
  if (components * width ** 2 > FULL_LIMIT) {
    throw new RangeError(
      `Cannot keep full covariances of ${components} components in ${width} features: expected at most ${FULL_LIMIT} ` +
        `elements, found ${components * width ** 2}; use --covariance diagonal, or fewer components`,
    );
  }
  return {
    ...common,
    whitening: { inputs: width, outputs: components * width },
    factors: { inputs: components * (width + 1), outputs: width },
  };
}

/** a_k = log π_k + log N(x; μ_k, Σ_k) [N, K], and the centred data that it is formed from: y, or [y | y²]. */
function densities(
  t: Tape,
  p: Parameters,
  x: Variable,
  { covariance }: GmmConfig,
): { logits: Variable; y: Variable } {
  const y = centred(t, x, p.get("means"), covariance !== "full");
  if (covariance !== "full") return { y, logits: dense(t, y, p.get("logits")) };
  return { y, logits: gaussianLogits(t, dense(t, y, p.get("whitening")), p.get("prior")) };
}

/** log p(x) in two terms, nll + kl, and p(k | x). */
function measured(t: Tape, p: Parameters, logits: Variable): { probabilities: Variable; objectives: Objective[] } {
  const { probabilities, nll, kl } = categorical(t, logits, p.get("prior"));
  const terms = [{ name: "nll", value: nll, weight: constant(1) }, { name: "kl", value: kl, weight: constant(1) }];
  return { probabilities, objectives: [{ terms }] };
}

function encode(t: Tape, p: Parameters, x: Variable, config: GmmConfig): Posterior {
  const { probabilities, z, kl } = categorical(t, densities(t, p, x, config).logits, p.get("prior"));
  return {
    name: "categorical",
    latents: config.components,
    statistics: oneHot(t, probabilities),
    draw: () => ({ z, kl }),
  };
}

/** p(x | z) = Π_k N(x; μ_k, Σ_k)^z_k; the mean of a z that is no indicator is that of its mixture. */
function decode(t: Tape, p: Parameters, z: Variable, config: GmmConfig): Likelihood {
  return {
    name: "gaussian mixture",
    nll: (x) => categoricalNll(t, densities(t, p, x, config).logits, p.get("prior"), z),
    mean: () => dense(t, z, p.get("means")),
    sample() {
      if (config.covariance === "full") {
        const noise = noiseAndOne(t, z.rows, p.get("means").shape.outputs);
        return dense(t, weightedCopies(t, z, noise), p.get("factors"));
      }
      const variance = dense(t, z, p.get("variances"));
      return fittedGaussianSample(t, dense(t, z, p.get("means")), variance);
    },
  };
}

/** k ~ π^(1 / temperature), as indicators: the most probable component alone where it is 0. */
async function drawPrior(
  p: Parameters,
  { components }: GmmConfig,
  { count, temperature, seed }: PriorDraw,
): Promise<Float32Array<ArrayBuffer>> {
  const logPrior = (await p.get("prior").get()).weight.subarray(0, components);
  const largest = Math.max(...logPrior);
  const shares = Array.from(
    logPrior,
    (value) => Math.exp(Math.min(0, (value - largest) / Math.max(temperature, 1e-6))),
  );
  const z = new Float32Array(count * components);
  uniforms(new Float64Array(count), seed, 0, 0).forEach((u, row) => z[row * components + chosen(shares, u)] = 1);
  return z;
}

/** A mixture in float64. Means are about the mean of the data; covariances are variances [K, D], or [K, D, D] if full. */
interface Mixture {
  readonly shares: Float64Array;
  readonly means: Float64Array;
  readonly covariances: Float64Array;
}

/**
 * Writes all parameters that follow from a mixture; variances are raised to the floor.
 *
 * @param units What the floor is a part of, for every feature: of Σ in coordinates y_d / √u_d no variance is below it.
 */
function setMixture(
  p: Parameters,
  mixture: Mixture,
  offset: Float32Array,
  units: Float64Array,
  { covariance, floor }: GmmConfig,
): void {
  const { shares, means, covariances } = mixture;
  const width = offset.length;
  const components = shares.length;
  const logShares = shares.map((share) => Math.log(Math.max(share, SMALLEST_SHARE)));
  const constants = logShares.map((share) => share - 0.5 * width * Math.log(2 * Math.PI));
  setParameter(p.get("means"), means, offset);
  if (covariance === "full") {
    const whitening = new Float32Array(width * components * width);
    const whiteningBias = new Float64Array(components * width);
    const factors = new Float32Array(components * (width + 1) * width);
    const scale = units.map(Math.sqrt);
    const logScale = scale.reduce((sum, value) => sum + Math.log(value), 0);
    for (let k = 0; k < components; k++) {
      const mean = means.subarray(k * width, (k + 1) * width);
      const scaled = covariances.subarray(k * width * width, (k + 1) * width * width)
        .map((value, i) => value / (scale[Math.floor(i / width)] * scale[i % width]));
      const { values, vectors } = eigenSymmetric(scaled, width);
      constants[k] -= logScale;
      for (let j = 0; j < width; j++) {
        const deviation = Math.sqrt(Math.max(values[j], floor));
        constants[k] -= Math.log(deviation);
        let along = 0;
        for (let d = 0; d < width; d++) {
          const v = vectors[j * width + d];
          whitening[d * components * width + k * width + j] = v / deviation / scale[d];
          factors[(k * (width + 1) + j) * width + d] = v * deviation * scale[d];
          along += v * mean[d] / scale[d];
        }
        whiteningBias[k * width + j] = -along / deviation;
      }
      factors.set(mean, (k * (width + 1) + width) * width);
    }
    setParameter(p.get("whitening"), whitening, whiteningBias);
    setParameter(p.get("factors"), factors, offset);
  } else {
    const variances = new Float64Array(components * width);
    const linear = new Float64Array(2 * width * components);
    const bias = new Float64Array(components);
    for (let k = 0; k < components; k++) {
      let square = 0;
      for (let d = 0; d < width; d++) {
        const mean = means[k * width + d];
        const variance = variances[k * width + d] = Math.max(covariances[k * width + d], floor * units[d]);
        linear[d * components + k] = mean / variance;
        linear[(width + d) * components + k] = -0.5 / variance;
        constants[k] -= 0.5 * Math.log(variance);
        square += mean * mean / variance;
      }
      bias[k] = constants[k] - 0.5 * square;
    }
    setParameter(p.get("variances"), variances);
    setParameter(p.get("logits"), linear, bias);
  }
  setParameter(p.get("prior"), [...logShares, ...constants]);
}

/** What the floor is a part of: of spherical covariances one number. */
function unitsOf(data: FitContext["data"], variance: ArrayLike<number>, { covariance }: GmmConfig): Float64Array {
  const units = varianceUnits(data, variance);
  return covariance === "spherical" ? units.fill(units.reduce((sum, value) => sum + value) / units.length) : units;
}

/** Says of how many variances the floor is all that is left. */
async function findings(p: Parameters, config: GmmConfig, data: FitContext["data"]): Promise<readonly string[]> {
  const { components, covariance, floor } = config;
  const width = features(data.shape);
  const { weight: prior } = await p.get("prior").get();
  const { weight: means } = await p.get("means").get();
  const isFull = covariance === "full";
  const { weight: all } = await p.get(isFull ? "factors" : "variances").get();
  // Of every component its variances as rows [rows, D] whose sum is the diagonal of Σ_k.
  const rows = isFull ? width : 1;
  const at = (k: number, j: number, d: number) =>
    isFull ? all[(k * (width + 1) + j) * width + d] ** 2 : all[k * width + d];
  // Of the data, by the law of total variance; means are about the data's own.
  const variance = new Float64Array(width);
  for (let k = 0; k < components; k++) {
    for (let d = 0; d < width; d++) {
      let own = means[k * width + d] ** 2;
      for (let j = 0; j < rows; j++) own += at(k, j, d);
      variance[d] += Math.exp(prior[k]) * own;
    }
  }
  const units = unitsOf(data, variance, config);
  // Rounding, and what the floors themselves add to the variance.
  const limit = 1.02 * floor;
  let held = 0;
  for (let k = 0; k < components; k++) {
    for (let i = 0; i < width; i++) {
      let value = 0;
      if (isFull) { for (let d = 0; d < width; d++) value += at(k, i, d) / units[d]; }
      else value = at(k, 0, i) / units[i];
      if (value <= limit) held++;
    }
  }
  if (held === 0) return [];
  return [
    `gmm: ${held} of ${
      components * width
    } variances are held at the floor, ${floor} of the data's; elbo rises as it is lowered`,
  ];
}

/**
 * Means by k-means++ on 10,000 rows at most; every component starts with the covariance of all data and an equal share.
 */
function seeded(
  context: FitContext,
  offset: Float32Array,
  variance: Float64Array,
  units: Float64Array,
  config: GmmConfig,
): Mixture {
  const { components, covariance } = config;
  const { split: { count }, seed } = context;
  const width = offset.length;
  const rows = Math.min(count, SEEDING_ROWS);
  const values = new Float32Array(rows * width);
  const row = new Float64Array(width);
  // Distances are of features in units of their own: else the column of the largest numbers would decide.
  const scale = units.map(Math.sqrt);
  for (let i = 0; i < rows; i++) {
    readRow(context, permuted(i, count, seed, 0xffff), row);
    for (let d = 0; d < width; d++) values[i * width + d] = (row[d] - offset[d]) / scale[d];
  }
  const means = Float64Array.from(
    kMeansPlusPlus(values, width, components, seed),
    (value, i) => value * scale[i % width],
  );
  const spherical = variance.reduce((sum, value) => sum + value) / width;
  const diagonal = covariance === "spherical" ? variance.map(() => spherical) : variance;
  const size = covariance === "full" ? width * width : width;
  const covariances = new Float64Array(components * size);
  for (let i = 0; i < covariances.length; i++) {
    const element = i % size;
    if (size === width) covariances[i] = diagonal[element];
    else if (element % (width + 1) === 0) covariances[i] = diagonal[element / (width + 1)];
  }
  return { shares: new Float64Array(components).fill(1 / components), means, covariances };
}

/**
 * E: r_nk = π_k N(x_n; μ_k, Σ_k) / Σ_j π_j N(x_n; μ_j, Σ_j)
 * M: N_k = Σ_n r_nk, π_k = N_k / N, μ_k = Σ_n r_nk x_n / N_k, Σ_k = Σ_n r_nk (x_n - μ_k)(x_n - μ_k)ᵀ / N_k, and no variance below the floor
 *
 * The floor is relative to the data, so that the fit is the same in any unit.
 *
 * The densities are a product, and so are the sums: Rᵀ [Y | Y²] where Σ_k is diagonal, Yᵀ (R ⊗ Y) where it is full. Raising the
 * variances in the directions in which they are below the floor is the M step of a model that knows no smaller ones, so that the
 * likelihood never falls. A component that no datum belongs to stays as it is.
 *
 * Source: Bishop, "Pattern Recognition and Machine Learning", equations 9.23 to 9.27.
 */
async function fit(context: FitContext, config: GmmConfig): Promise<Fit> {
  const { parameters, split: { count }, resumed } = context;
  const { components, covariance } = config;
  const { mean: offset, variance } = moments(context);
  const width = offset.length;
  const units = unitsOf(context.data, variance, config);
  if (!resumed) setMixture(parameters, seeded(context, offset, variance, units, config), offset, units, config);
  return await expectationMaximization(context, (t, { x }) => {
    const { y, logits } = densities(t, parameters, x, config);
    const { probabilities, objectives } = measured(t, parameters, logits);
    const sums: Record<string, Accumulated> = { first: accumulate(t, "sum of r x", y, probabilities) };
    if (covariance === "full") {
      sums.second = accumulate(t, "sum of r x x", y, weightedCopies(t, probabilities, y));
    }
    return { objectives, sums };
  }, async (sums) => setMixture(parameters, await maximum(sums), offset, units, config));

  async function maximum({ first, second }: Swept["sums"]): Promise<Mixture> {
    const shares = Float64Array.from(first.columns, (sum) => sum / count);
    let old: Float32Array | undefined;
    const means = new Float64Array(components * width);
    const size = covariance === "full" ? width * width : width;
    const covariances = new Float64Array(components * size);
    for (let k = 0; k < components; k++) {
      const total = first.columns[k];
      const mean = means.subarray(k * width, (k + 1) * width);
      const part = covariances.subarray(k * size, (k + 1) * size);
      if (!(total > 1e-6)) {
        old ??= (await parameters.get("means").get()).weight;
        mean.set(old.subarray(k * width, (k + 1) * width));
        part.set(await covarianceOf(k));
        continue;
      }
      for (let d = 0; d < width; d++) mean[d] = first.values[d * components + k] / total;
      if (covariance === "full") {
        const product = (i: number, j: number) => second.values[i * components * width + k * width + j];
        for (let i = 0; i < width; i++) {
          for (let j = 0; j < width; j++) {
            part[i * width + j] = (product(i, j) + product(j, i)) / 2 / total - mean[i] * mean[j];
          }
        }
      } else {
        for (let d = 0; d < width; d++) part[d] = first.values[(width + d) * components + k] / total - mean[d] ** 2;
        if (covariance === "spherical") part.fill(part.reduce((sum, value) => sum + value) / width);
      }
    }
    return { shares, means, covariances };
  }

  async function covarianceOf(k: number): Promise<Float64Array> {
    if (covariance !== "full") {
      return Float64Array.from((await parameters.get("variances").get()).weight.subarray(k * width, (k + 1) * width));
    }
    const { weight } = await parameters.get("factors").get();
    const from = k * (width + 1) * width;
    const out = new Float64Array(width * width);
    for (let j = 0; j < width; j++) {
      const factor = weight.subarray(from + j * width, from + (j + 1) * width);
      for (let a = 0; a < width; a++) for (let b = 0; b < width; b++) out[a * width + b] += factor[a] * factor[b];
    }
    return out;
  }
}

/**
 * p(x) = Σ_k π_k N(x; μ_k, Σ_k)
 *
 * The latent is which component a datum comes from: z is an indicator [K], p(z) = π, and encode gives p(k | x) as its mean. The
 * elbo is log p(x) itself, since that posterior is exact. Starts by k-means++. With full covariances an iteration takes a second
 * or so for each component of 784 features, and K D² may be 2^25 at most.
 *
 * Source: Bishop, "Pattern Recognition and Machine Learning", section 9.2; Arthur and Vassilvitskii, SODA 2007.
 */
export const gmm: Model<GmmConfig> = {
  name: "gmm",
  summary: "mixture of Gaussians by EM: full, diagonal or spherical covariances",
  source: "Bishop, Pattern Recognition and Machine Learning, section 9.2",
  settings: {
    components: { type: "integer", default: 10, minimum: 1, maximum: 4096, help: "Gaussians in the mixture, K" },
    covariance: {
      type: "choice",
      default: "diagonal",
      choices: ["full", "diagonal", "spherical"],
      help: "of each component; full keeps K D² numbers, 2^25 at most",
    },
    floor: {
      type: "number",
      default: 0.001,
      minimum: 0,
      exclusiveMinimum: true,
      help: "smallest variance in any direction, against singular components: as a part of the variance of a table's " +
        "column, or of the squared range of pixels",
    },
  },
  support: () => "density",
  density: "exact",
  parameters: shapes,
  objectives: (t, p, { x }, config) => measured(t, p, densities(t, p, x, config).logits).objectives,
  fit,
  encode,
  decode,
  drawPrior,
  latents: ({ components }) => components,
  caveats: ({ floor }) => [
    `gmm: elbo is log p(x), a density of the values as they are given, in which no variance is below ${floor} of the data's`,
  ],
  findings,
};
