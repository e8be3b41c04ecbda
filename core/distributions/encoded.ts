/**
 * Posteriors on the host: what an encoder made of N rows, and what follows from it in float64. It knows Gaussians; of other posteriors only
 * the mean and, where they give one, the log-variance.
 *
 * @module
 */

import type { Covariance } from "../ops/reparameterize.ts";
import { normals } from "../graph/random.ts";

/** q(z | x) of N rows. */
export interface Encoded {
  /** Row-major [N, columns], as {@linkcode Posterior} has them. */
  readonly statistics: Float32Array<ArrayBuffer>;
  /** N */
  readonly count: number;
  /** K */
  readonly latents: number;
  /** Of a Gaussian. */
  readonly covariance?: Covariance;
}

/** What a latent dimension is called everywhere, in figures and in tables: `z1` for the first. */
export function latentName(dimension: number): string {
  return `z${dimension + 1}`;
}

/** Where log-variances are kept, as on the GPU: shaders/gaussian.wgsl. */
const clamped = (logVariance: number) => Math.min(Math.max(logVariance, -30), 20);

/** Column of Lᵢⱼ, j < i. */
const lower = (latents: number, i: number, j: number) => 2 * latents + i * (i - 1) / 2 + j;

/**
 * Mean and log-variance of each latent dimension by itself: of z = μ + L ε the variance Σⱼ Lᵢⱼ².
 *
 * @returns [N, K] each; a point has the log-variance -∞.
 */
export function marginals(
  encoded: Encoded,
): { mean: Float32Array<ArrayBuffer>; logVariance: Float32Array<ArrayBuffer> } {
  const { statistics, count, latents, covariance } = encoded;
  const width = statistics.length / count;
  const mean = new Float32Array(count * latents);
  const logVariance = new Float32Array(count * latents).fill(-Infinity);
  for (let row = 0; row < count; row++) {
    const at = (column: number) => statistics[row * width + column];
    for (let i = 0; i < latents; i++) {
      mean[row * latents + i] = at(i);
      if (width === latents) continue;
      let log = covariance ? clamped(at(latents + i)) : at(latents + i);
      if (covariance === "full") {
        let variance = Math.exp(log);
        for (let j = 0; j < i; j++) variance += at(lower(latents, i, j)) ** 2;
        log = Math.log(variance);
      }
      logVariance[row * latents + i] = log;
    }
  }
  return { mean, logVariance };
}

/**
 * KL(q(z | x) ‖ N(0, I)) of each row by latent dimension: ½ (Σⱼ Lᵢⱼ² + μᵢ² - 1 - log Lᵢᵢ²), with L = diag σ for a diagonal covariance
 *
 * The parts sum to the whole: part i is the mean of KL(q(zᵢ | z₁ ... zᵢ₋₁, x) ‖ N(0, 1)).
 *
 * @returns [N, K], nats
 * @throws {TypeError} If the posterior is no Gaussian.
 */
export function klByDimension(encoded: Encoded): Float64Array<ArrayBuffer> {
  const { statistics, count, latents } = requireGaussian(encoded);
  const width = statistics.length / count;
  const { mean, logVariance } = marginals(encoded);
  return Float64Array.from(
    mean,
    (m, i) =>
      0.5 * (Math.exp(clamped(logVariance[i])) + m * m - 1 -
        clamped(statistics[Math.floor(i / latents) * width + latents + i % latents])),
  );
}

/**
 * z = μ + L ε, one draw for each row, a function of (seed, step).
 *
 * @returns z [N, K]
 * @throws {TypeError} If the posterior is no Gaussian.
 */
export function drawEncoded(encoded: Encoded, seed: number, step = 0): Float32Array<ArrayBuffer> {
  const { statistics, count, latents, covariance } = requireGaussian(encoded);
  const width = statistics.length / count;
  const noise = normals(new Float64Array(count * latents), seed, step, 0);
  return Float32Array.from(noise, (e, index) => {
    const [row, i] = [Math.floor(index / latents), index % latents];
    const at = (column: number) => statistics[row * width + column];
    let z = at(i) + Math.exp(clamped(at(latents + i)) / 2) * e;
    if (covariance === "full") { for (let j = 0; j < i; j++) z += at(lower(latents, i, j)) * noise[row * latents + j]; }
    return z;
  });
}

/**
 * log q(z | x) as a function of z, for each row: -½ (‖L⁻¹ (z - μ)‖² + Σᵢ log Lᵢᵢ² + K log 2π)
 *
 * @returns A function of the row, and of z from an offset on.
 * @throws {TypeError} If the posterior is no Gaussian.
 */
export function logDensity(encoded: Encoded): (row: number, z: ArrayLike<number>, offset: number) => number {
  const { statistics, count, latents, covariance } = requireGaussian(encoded);
  const width = statistics.length / count;
  const precision = new Float64Array(count * latents);
  const constant = new Float64Array(count).fill(latents * Math.log(2 * Math.PI));
  for (let i = 0; i < precision.length; i++) {
    const log = clamped(statistics[Math.floor(i / latents) * width + latents + i % latents]);
    precision[i] = Math.exp(-log / 2);
    constant[Math.floor(i / latents)] += log;
  }
  const solved = new Float64Array(latents);
  return (row, z, offset) => {
    let sum = constant[row];
    for (let i = 0; i < latents; i++) {
      let apart = z[offset + i] - statistics[row * width + i];
      if (covariance === "full") {
        for (let j = 0; j < i; j++) apart -= statistics[row * width + lower(latents, i, j)] * solved[j];
      }
      solved[i] = apart * precision[row * latents + i];
      sum += solved[i] * solved[i];
    }
    return -0.5 * sum;
  };
}

function requireGaussian(encoded: Encoded): Encoded {
  if (!encoded.covariance) {
    throw new TypeError("Cannot measure the latents: expected a Gaussian posterior, found one without a density");
  }
  return encoded;
}

/** Nats below which a latent dimension counts as unused. */
export const UNUSED_KL = 0.01;

/** The mean KL of each latent dimension over some rows, and how many dimensions are in use. */
export interface LatentUse {
  /** Mean KL of each dimension, nats [K]. */
  readonly kl: readonly number[];
  /** Dimensions whose KL is at least {@linkcode UNUSED_KL}. */
  readonly active: number;
  /** K */
  readonly of: number;
}

/** How the latent dimensions are used. */
export function latentUse(encoded: Encoded): LatentUse {
  const { count, latents } = encoded;
  const kl = new Float64Array(latents);
  klByDimension(encoded).forEach((value, i) => kl[i % latents] += value / count);
  return { kl: [...kl], active: kl.filter((value) => value >= UNUSED_KL).length, of: latents };
}
