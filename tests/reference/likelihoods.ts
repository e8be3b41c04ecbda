/**
 * The negative log-likelihoods with a location and a scale, forward and backward, as plain loops in float64, by the formulas of the
 * textbooks: where those lose digits, the tests keep away or compare less closely.
 *
 * N rows of the batch, D features; location, scale and x [N, D].
 *
 * @module
 */

import type { DataSizes } from "./bernoulli_nll.ts";

/** One element: -log p(x | location, scale) in nats with its derivatives, and the mean and variance of x. */
export interface LikelihoodReference {
  nll(location: number, scale: number, x: number): number;
  byLocation(location: number, scale: number, x: number): number;
  byScale(location: number, scale: number, x: number): number;
  mean(location: number, scale: number): number;
  variance(location: number, scale: number): number;
}

/** p(x) = e^(l x) l / (e^l - 1) on [0, 1]; its location is the logit l, it has no scale. */
const continuousBernoulli: LikelihoodReference = {
  nll: (l, _, x) => (l === 0 ? 0 : Math.log(Math.expm1(l) / l)) - l * x,
  byLocation: (l, _, x) => continuousBernoulli.mean(l, 0) - x,
  byScale: () => 0,
  // Below 1e-4 the difference of the two would have fewer digits than the first terms of their series.
  mean: (l) => Math.abs(l) < 1e-4 ? 0.5 + l / 12 : 1 / -Math.expm1(-l) - 1 / l,
  variance: (l) => Math.abs(l) < 1e-2 ? 1 / 12 - l ** 2 / 240 : 1 / l ** 2 - 1 / (4 * Math.sinh(l / 2) ** 2),
};

/** N(μ, e^v): the location is μ, the scale v = log σ². */
const gaussian: LikelihoodReference = {
  nll: (mean, v, x) => 0.5 * (Math.log(2 * Math.PI) + v + (x - mean) ** 2 / Math.exp(v)),
  byLocation: (mean, v, x) => (mean - x) / Math.exp(v),
  byScale: (mean, v, x) => 0.5 - 0.5 * (x - mean) ** 2 / Math.exp(v),
  mean: (mean) => mean,
  variance: (_, v) => Math.exp(v),
};

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
/** The density of the standard logistic. */
const density = (v: number) => sigmoid(v) * sigmoid(-v);

/** The ends of the bin that x lies in, and of the logistic: [(x ± 1/510 - μ) / s], ±∞ in the outer bins. */
function bin(location: number, scale: number, x: number): [number, number] {
  const k = Math.round(255 * x);
  const end = (edge: number) => (edge / 255 - location) / Math.exp(scale);
  return [k === 0 ? -Infinity : end(k - 0.5), k === 255 ? Infinity : end(k + 0.5)];
}

/** σ(b) - σ(a), by whichever tails keep the digits. */
function mass([a, b]: [number, number]): number {
  return a > 0 ? sigmoid(-a) - sigmoid(-b) : sigmoid(b) - sigmoid(a);
}

/** v f(v), 0 at ±∞. */
const weighted = (v: number) => Number.isFinite(v) ? v * density(v) : 0;
const probability = (location: number, scale: number, k: number) => mass(bin(location, scale, k / 255));

/** P(x = k / 255) of a logistic variable: the location is μ, the scale log s. */
const discretizedLogistic: LikelihoodReference = {
  nll: (location, scale, x) => -Math.log(mass(bin(location, scale, x))),
  byLocation(location, scale, x) {
    const [a, b] = bin(location, scale, x);
    return (density(b) - density(a)) / Math.exp(scale) / mass([a, b]);
  },
  byScale(location, scale, x) {
    const [a, b] = bin(location, scale, x);
    return (weighted(b) - weighted(a)) / mass([a, b]);
  },
  mean: (location, scale) => moment(location, scale, 1),
  variance: (location, scale) => moment(location, scale, 2) - moment(location, scale, 1) ** 2,
};

function moment(location: number, scale: number, power: number): number {
  let sum = 0;
  for (let k = 1; k < 256; k++) sum += (k / 255) ** power * probability(location, scale, k);
  return sum;
}

/** By the name that core/ops/likelihood.ts has for them. */
export const likelihoods = {
  "continuous bernoulli": continuousBernoulli,
  "gaussian": gaussian,
  "discretized logistic": discretizedLogistic,
} as const;

/** A learned scale, and its derivative: start + v kept between the bounds, by two softpluses. */
export function boundedScale(
  v: number,
  { start, lower, upper }: { readonly start: number; readonly lower: number; readonly upper: number },
): { value: number; slope: number } {
  const softplus = (v: number) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
  const below = upper - softplus(upper - start - v);
  return { value: lower + softplus(below - lower), slope: sigmoid(upper - start - v) * sigmoid(below - lower) };
}

/** -log p(x | location, scale) of each row [N]. */
export function likelihoodNllForward(
  { nll }: LikelihoodReference,
  location: Float64Array,
  scale: Float64Array,
  x: Float64Array,
  { batch, features }: DataSizes,
): Float64Array {
  const sums = new Float64Array(batch);
  for (let i = 0; i < batch * features; i++) sums[Math.floor(i / features)] += nll(location[i], scale[i], x[i]);
  return sums;
}

/** dL/dlocation and dL/dscale [N, D], from dL/dnll [N]. */
export function likelihoodNllBackward(
  { byLocation, byScale }: LikelihoodReference,
  location: Float64Array,
  scale: Float64Array,
  x: Float64Array,
  nllGradient: Float64Array,
  { batch, features }: DataSizes,
): { location: Float64Array; scale: Float64Array } {
  const gradient = { location: new Float64Array(batch * features), scale: new Float64Array(batch * features) };
  for (let i = 0; i < batch * features; i++) {
    const upstream = nllGradient[Math.floor(i / features)];
    gradient.location[i] = upstream * byLocation(location[i], scale[i], x[i]);
    gradient.scale[i] = upstream * byScale(location[i], scale[i], x[i]);
  }
  return gradient;
}
