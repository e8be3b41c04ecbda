/**
 * The squared maximum mean discrepancy as plain float64 loops.
 *
 * @module
 */

/** C / (C + s) or exp(-s / C) of a squared distance s. */
const kernels = {
  imq: (squared: number, bandwidth: number) => bandwidth / (bandwidth + squared),
  rbf: (squared: number, bandwidth: number) => Math.exp(-squared / bandwidth),
};

/** The estimate of MMD² without bias from z and p [rows, K]. */
export function meanDiscrepancy(
  z: ArrayLike<number>,
  p: ArrayLike<number>,
  latents: number,
  kernel: "imq" | "rbf",
  bandwidth: number,
): number {
  const rows = z.length / latents;
  if (rows === 1) return 0;
  const mean = (a: ArrayLike<number>, b: ArrayLike<number>, apart: boolean) => {
    let [sum, count] = [0, 0];
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < rows; j++) {
        if (apart && i === j) continue;
        let squared = 0;
        for (let k = 0; k < latents; k++) squared += (a[i * latents + k] - b[j * latents + k]) ** 2;
        sum += kernels[kernel](squared, bandwidth);
        count++;
      }
    }
    return sum / count;
  };
  return mean(z, z, true) + mean(p, p, true) - 2 * mean(z, p, false);
}
