/**
 * The multi-scale structural similarity as float64 loops.
 *
 * @module
 */

const EXPONENTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/** MS-SSIM of two images [height, width, channels] with values from 0 to 1, by a window of `side` x `side` and so many scales. */
export function msSsim(
  a: Float64Array,
  b: Float64Array,
  [height, width, channels]: readonly [number, number, number],
  side: number,
  scales: number,
): number {
  const exponents = EXPONENTS.slice(0, scales);
  const total = exponents.reduce((sum, exponent) => sum + exponent, 0);
  const window = new Float64Array(side * side);
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      const [u, v] = [i - (side - 1) / 2, j - (side - 1) / 2];
      window[i * side + j] = Math.exp(-(u * u + v * v) / (2 * 1.5 * 1.5));
    }
  }
  const mass = window.reduce((sum, weight) => sum + weight, 0);
  let product = 1;
  exponents.forEach((exponent, scale) => {
    let [sum, count] = [0, 0];
    for (let top = 0; top + side <= height; top++) {
      for (let left = 0; left + side <= width; left++) {
        for (let channel = 0; channel < channels; channel++) {
          let [ma, mb, aa, bb, ab] = [0, 0, 0, 0, 0];
          for (let i = 0; i < side; i++) {
            for (let j = 0; j < side; j++) {
              const at = ((top + i) * width + left + j) * channels + channel;
              const weight = window[i * side + j] / mass;
              ma += weight * a[at];
              mb += weight * b[at];
              aa += weight * a[at] ** 2;
              bb += weight * b[at] ** 2;
              ab += weight * a[at] * b[at];
            }
          }
          const contrast = (2 * (ab - ma * mb) + 9e-4) / (aa - ma * ma + bb - mb * mb + 9e-4);
          const luminance = (2 * ma * mb + 1e-4) / (ma * ma + mb * mb + 1e-4);
          sum += scale === scales - 1 ? luminance * contrast : contrast;
          count++;
        }
      }
    }
    product *= Math.max(sum / count, 1e-4) ** (exponent / total);
    const halved = (image: Float64Array) => {
      const half = new Float64Array((height >> 1) * (width >> 1) * channels);
      for (let i = 0; i < half.length; i++) {
        const channel = i % channels;
        const column = Math.floor(i / channels) % (width >> 1);
        const row = Math.floor(i / channels / (width >> 1));
        for (const [u, v] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
          half[i] += image[((2 * row + u) * width + 2 * column + v) * channels + channel] / 4;
        }
      }
      return half;
    };
    [a, b] = [halved(a), halved(b)];
    [height, width] = [height >> 1, width >> 1];
  });
  return product;
}
