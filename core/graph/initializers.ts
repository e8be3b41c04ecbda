/**
 * How parameters start: draws that follow from the seed. `fan_in` is the number of weights that an output of a layer
 * sums over, `fan_out` of those that an input meets: of a convolution by K x K kernels, K² times its input and its output channels.
 *
 * @module
 */

import { normals, uniforms } from "./random.ts";

/** The names of the distributions. */
export const INITIALIZERS = [
  "zeros",
  "normal",
  "glorot-uniform",
  "glorot-normal",
  "he-uniform",
  "he-normal",
  "lecun-uniform",
  "lecun-normal",
] as const;

/**
 * - `zeros`
 * - `normal`: N(0, scale²)
 * - `glorot-*`: variance 2 / (fan_in + fan_out). Source: Glorot and Bengio, AISTATS 2010
 * - `he-*`: variance 2 / fan_in. Source: He et al., arXiv:1502.01852
 * - `lecun-*`: variance 1 / fan_in, so `lecun-uniform` is U(±sqrt(3 / fan_in)). Source: LeCun et al., "Efficient BackProp", 1998
 */
export interface Initializer {
  /** The distribution. */
  readonly name: typeof INITIALIZERS[number];
  /** Standard deviation of `normal`. */
  readonly scale: number;
}

/** How weights and how biases start. */
export interface Initializers {
  /** What weights are drawn from. */
  readonly weight: Initializer;
  /** What biases are drawn from. */
  readonly bias: Initializer;
}

/** The stream numbers of initial values lie apart from those of training. */
const STREAM = 0x10000;

/** Draws `count` values. */
export function initialize(
  { name, scale }: Initializer,
  fanIn: number,
  fanOut: number,
  count: number,
  seed: number,
  place: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count);
  if (name === "zeros") return out;
  const variance = {
    normal: scale * scale,
    glorot: 2 / (fanIn + fanOut),
    he: 2 / fanIn,
    lecun: 1 / fanIn,
  }[name.split("-")[0] as "normal" | "glorot" | "he" | "lecun"];
  if (name.endsWith("uniform")) {
    uniforms(out, seed, 0, STREAM + place);
    const limit = Math.sqrt(3 * variance);
    for (let i = 0; i < count; i++) out[i] = (2 * out[i] - 1) * limit;
  } else {
    normals(out, seed, 0, STREAM + place);
    for (let i = 0; i < count; i++) out[i] *= Math.sqrt(variance);
  }
  return out;
}
