/**
 * The covariance of latents over a batch, as plain float64 loops.
 *
 * @module
 */

/**
 * Σ_{k ≠ l} C_kl² and Σ_k (C_kk - 1)², C = Cov[μ], or Cov[μ] + E[diag σ²] of `latents`
 *
 * @param statistics [rows, width]: μ, and for `latents` log σ²
 */
export function covariancePenalty(
  statistics: ArrayLike<number>,
  width: number,
  latents: number,
  of: "means" | "latents",
): { offDiagonal: number; diagonal: number } {
  const rows = statistics.length / width;
  const at = (n: number, k: number) => statistics[n * width + k];
  const mean = (f: (n: number) => number) => {
    let sum = 0;
    for (let n = 0; n < rows; n++) sum += f(n);
    return sum / rows;
  };
  let [offDiagonal, diagonal] = [0, 0];
  for (let k = 0; k < latents; k++) {
    for (let l = 0; l < latents; l++) {
      // E[a b] - E[a] E[b]: not the centred sum that the shader forms.
      const covariance = mean((n) => at(n, k) * at(n, l)) - mean((n) => at(n, k)) * mean((n) => at(n, l));
      if (k !== l) offDiagonal += covariance ** 2;
      else {
        const variance = of === "latents" ? mean((n) => Math.exp(at(n, latents + k))) : 0;
        diagonal += (covariance + variance - 1) ** 2;
      }
    }
  }
  return { offDiagonal, diagonal };
}
