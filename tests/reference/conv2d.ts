/**
 * A convolution and a transposed convolution with activation, forward and backward, as plain loops in float64. The oracle that kernels
 * are held against; made to be read, not to be fast.
 *
 * N images; H x W pixels, C channels in, O channels out, K x K weights; x [N, H, W, C], W [K, K, C, O], b [O], y [N, H', W', O], all row-major.
 *
 * @module
 */

import { type ActivationName, activations } from "./dense.ts";

/** The sizes of a layer; `transposed` goes from coarse images to fine ones. */
export interface ConvSizes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly transposed?: boolean;
  readonly outputPadding?: number;
}

/** H' and W'. */
export function outputSize(sizes: ConvSizes): { height: number; width: number } {
  const { height, width, kernel, stride, padding, transposed, outputPadding = 0 } = sizes;
  const size = (n: number) =>
    transposed
      ? (n - 1) * stride - 2 * padding + kernel + outputPadding
      : Math.floor((n + 2 * padding - kernel) / stride) + 1;
  return { height: size(height), width: size(width) };
}

/** Calls `visit` with the indices of the first channel of an input pixel, of the output pixel that it meets, and of their weight. */
function forEachPair(sizes: ConvSizes, visit: (input: number, output: number, weight: number) => void): void {
  const { batch, height, width, channels, outputs, kernel, stride, padding, transposed } = sizes;
  const to = outputSize(sizes);
  const [coarse, fine] = transposed ? [{ height, width }, to] : [to, { height, width }];
  for (let n = 0; n < batch; n++) {
    for (let cy = 0; cy < coarse.height; cy++) {
      for (let cx = 0; cx < coarse.width; cx++) {
        for (let ky = 0; ky < kernel; ky++) {
          for (let kx = 0; kx < kernel; kx++) {
            const fy = cy * stride + ky - padding;
            const fx = cx * stride + kx - padding;
            if (fy < 0 || fy >= fine.height || fx < 0 || fx >= fine.width) continue;
            const atCoarse = (n * coarse.height + cy) * coarse.width + cx;
            const atFine = (n * fine.height + fy) * fine.width + fx;
            const [input, output] = transposed ? [atCoarse, atFine] : [atFine, atCoarse];
            visit(input * channels, output * outputs, (ky * kernel + kx) * channels * outputs);
          }
        }
      }
    }
  }
}

/**
 * Y = f(A), A = x * W + b.
 *
 * @returns A, the pre-activation, which backward asks for, and Y; both [N, H', W', O].
 */
export function conv2dForward(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array,
  sizes: ConvSizes,
  activation: ActivationName,
): { preactivation: Float64Array; output: Float64Array } {
  const { batch, channels, outputs } = sizes;
  const { height, width } = outputSize(sizes);
  const preactivation = Float64Array.from({ length: batch * height * width * outputs }, (_, i) => bias[i % outputs]);
  forEachPair(sizes, (i, o, w) => {
    for (let c = 0; c < channels; c++) {
      for (let k = 0; k < outputs; k++) preactivation[o + k] += x[i + c] * weight[w + c * outputs + k];
    }
  });
  return { preactivation, output: preactivation.map(activations[activation].value) };
}

/**
 * With dA = dY ⊙ f'(A): the sums of {@linkcode conv2dForward} by each factor, db the sum of dA over images and pixels.
 *
 * @param outputGradient dL/dY [N, H', W', O].
 * @returns dL/dx, dL/dW and dL/db in the shapes of x, W and b.
 */
export function conv2dBackward(
  x: Float64Array,
  weight: Float64Array,
  preactivation: Float64Array,
  outputGradient: Float64Array,
  sizes: ConvSizes,
  activation: ActivationName,
): { x: Float64Array; weight: Float64Array; bias: Float64Array } {
  const { channels, outputs } = sizes;
  const { derivative } = activations[activation];
  const delta = outputGradient.map((value, i) => value * derivative(preactivation[i]));
  const gradient = {
    x: new Float64Array(x.length),
    weight: new Float64Array(weight.length),
    bias: new Float64Array(outputs),
  };
  delta.forEach((value, i) => gradient.bias[i % outputs] += value);
  forEachPair(sizes, (i, o, w) => {
    for (let c = 0; c < channels; c++) {
      for (let k = 0; k < outputs; k++) {
        gradient.x[i + c] += delta[o + k] * weight[w + c * outputs + k];
        gradient.weight[w + c * outputs + k] += delta[o + k] * x[i + c];
      }
    }
  });
  return gradient;
}
