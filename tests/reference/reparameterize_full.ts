/**
 * Reparameterization with full covariance in plain float64 loops: what the shader must equal.
 *
 * Statistics [N, K (K + 3) / 2]: μ, log Lᵢᵢ² clamped to [-30, 20], then Lᵢⱼ for j < i, row by row.
 */

import { LOG_VARIANCE } from "./reparameterize.ts";

interface Sizes {
  readonly batch: number;
  readonly latents: number;
}

/** Column of Lᵢⱼ, j < i. */
const lower = (latents: number, i: number, j: number) => 2 * latents + i * (i - 1) / 2 + j;

/** z = μ + L ε and KL = ½ (tr L Lᵀ + ‖μ‖² - K - log |L Lᵀ|) of each row, or ½ (‖z‖² - ‖ε‖² - log |L Lᵀ|) where it is sampled. */
export function reparameterizeFullForward(
  statistics: Float64Array,
  noise: Float64Array,
  { batch, latents }: Sizes,
  divergence: "analytic" | "sampled" = "analytic",
): { z: Float64Array; kl: Float64Array } {
  const width = latents * (latents + 3) / 2;
  const z = new Float64Array(batch * latents);
  const kl = new Float64Array(batch);
  for (let n = 0; n < batch; n++) {
    const at = (column: number) => statistics[n * width + column];
    for (let i = 0; i < latents; i++) {
      const logVariance = Math.min(Math.max(at(latents + i), LOG_VARIANCE.minimum), LOG_VARIANCE.maximum);
      z[n * latents + i] = at(i) + Math.exp(logVariance / 2) * noise[n * latents + i];
      let squares = Math.exp(logVariance);
      for (let j = 0; j < i; j++) {
        const l = at(lower(latents, i, j));
        z[n * latents + i] += l * noise[n * latents + j];
        squares += l * l;
      }
      const [drawn, e] = [z[n * latents + i], noise[n * latents + i]];
      kl[n] += 0.5 * ((divergence === "analytic" ? squares + at(i) ** 2 - 1 : drawn * drawn - e * e) - logVariance);
    }
  }
  return { z, kl };
}
