/**
 * The latent layer: z ~ N(mean, exp(logVariance)) by z = mean + exp(logVariance / 2) noise, and its KL divergence to
 * N(0, I), forward and backward, as plain loops in float64. It draws no noise: that is given.
 *
 * N rows of the batch, K latents. statistics [N, 2K]: the means in columns 0 to K-1, the log-variances in K to 2K-1.
 * Log-variances are clamped to [-30, 20]; outside, their gradient is 0.
 *
 * @module
 */

/** The range of a log-variance, as in every kernel that reads one. */
export const LOG_VARIANCE = { minimum: -30, maximum: 20 } as const;

const clamp = (x: number) => Math.min(Math.max(x, LOG_VARIANCE.minimum), LOG_VARIANCE.maximum);
const isInside = (x: number) => x >= LOG_VARIANCE.minimum && x <= LOG_VARIANCE.maximum;

/** N and K. */
export interface LatentSizes {
  readonly batch: number;
  readonly latents: number;
}

/**
 * z = μ + σ noise, and KL = ½ Σ (μ² + σ² - 1 - log σ²) for each row.
 *
 * @param noise [N, K], standard normal.
 * @returns z [N, K] and kl [N], in nats.
 */
export function reparameterizeForward(
  statistics: Float64Array,
  noise: Float64Array,
  { batch, latents }: LatentSizes,
): { z: Float64Array; kl: Float64Array } {
  const z = new Float64Array(batch * latents);
  const kl = new Float64Array(batch);
  for (let n = 0; n < batch; n++) {
    for (let k = 0; k < latents; k++) {
      const mean = statistics[n * 2 * latents + k];
      const logVariance = clamp(statistics[n * 2 * latents + latents + k]);
      z[n * latents + k] = mean + Math.exp(logVariance / 2) * noise[n * latents + k];
      kl[n] += 0.5 * (mean ** 2 + Math.exp(logVariance) - 1 - logVariance);
    }
  }
  return { z, kl };
}

/**
 * dμ = dz + dkl μ; d log σ² = ½ (dz noise σ + dkl (σ² - 1)).
 *
 * @param zGradient dL/dz [N, K].
 * @param klGradient dL/dkl [N].
 * @returns dL/dstatistics [N, 2K].
 */
export function reparameterizeBackward(
  statistics: Float64Array,
  noise: Float64Array,
  zGradient: Float64Array,
  klGradient: Float64Array,
  { batch, latents }: LatentSizes,
): Float64Array {
  const gradient = new Float64Array(batch * 2 * latents);
  for (let n = 0; n < batch; n++) {
    for (let k = 0; k < latents; k++) {
      const mean = n * 2 * latents + k;
      const logVariance = mean + latents;
      const dz = zGradient[n * latents + k];
      gradient[mean] = dz + klGradient[n] * statistics[mean];
      if (!isInside(statistics[logVariance])) continue;
      const deviation = Math.exp(statistics[logVariance] / 2);
      gradient[logVariance] = 0.5 * (dz * noise[n * latents + k] * deviation + klGradient[n] * (deviation ** 2 - 1));
    }
  }
  return gradient;
}
