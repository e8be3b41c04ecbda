/**
 * A draw from the product of two diagonal Gaussians and its divergence from the second, as plain loops in float64, by precisions.
 *
 * @module
 */

import { LOG_VARIANCE } from "./reparameterize.ts";

/** What is drawn, and how. */
export interface ProductSizes {
  /** K */
  readonly latents: number;
  /** Means that stand together before as many log-variances. */
  readonly block: number;
  /** Rows of `prior` for one of `found`. */
  readonly repeats: number;
}

/**
 * z = μ + σ noise, with 1/σ² = 1/σ̂² + 1/s² and μ = σ² (μ̂/σ̂² + m/s²); of each latent dimension KL(N(μ, σ²) ‖ N(m, s²)) and
 * log q(z) - log p(z).
 *
 * @param noise [N L, K]
 * @returns [N L, K] each.
 */
export function productForward(
  found: Float64Array,
  prior: Float64Array,
  noise: Float64Array,
  { latents, block, repeats }: ProductSizes,
): { z: Float64Array; analytic: Float64Array; sampled: Float64Array } {
  const [z, analytic, sampled] = [0, 1, 2].map(() => new Float64Array(noise.length));
  for (let i = 0; i < noise.length; i++) {
    const [row, k] = [Math.floor(i / latents), i % latents];
    const column = Math.floor(k / block) * 2 * block + k % block;
    const at = (of: Float64Array, row: number) => {
      const mean = row * 2 * latents + column;
      return [of[mean], Math.min(Math.max(of[mean + block], LOG_VARIANCE.minimum), LOG_VARIANCE.maximum)];
    };
    const [foundMean, foundLog] = at(found, Math.floor(row / repeats));
    const [priorMean, priorLog] = at(prior, row);
    const variance = 1 / (Math.exp(-foundLog) + Math.exp(-priorLog));
    const mean = variance * (foundMean * Math.exp(-foundLog) + priorMean * Math.exp(-priorLog));
    z[i] = mean + Math.sqrt(variance) * noise[i];
    const ratio = variance / Math.exp(priorLog);
    analytic[i] = 0.5 * (ratio + (mean - priorMean) ** 2 / Math.exp(priorLog) - 1 - Math.log(ratio));
    sampled[i] = 0.5 * ((z[i] - priorMean) ** 2 / Math.exp(priorLog) - noise[i] ** 2 - Math.log(ratio));
  }
  return { z, analytic, sampled };
}
