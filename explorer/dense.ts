/**
 * The dense networks of a checkpoint in plain TypeScript: what the engine without WebGPU (plain.ts) is made of, and what decodes the point
 * under a pointer without waiting for a GPU that trains (points.ts).
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { Checkpoint } from "../core/training/checkpoint.ts";

/** Numbers in rows. */
export type Floats = Float32Array<ArrayBuffer>;

/** The activations that are known here. */
const ACTIVATIONS: Readonly<Record<string, (a: number) => number>> = {
  identity: (a) => a,
  tanh: Math.tanh,
  relu: (a) => Math.max(0, a),
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  softplus: (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
  silu: (a) => a / (1 + Math.exp(-a)),
};

/** What a configuration must be, by setting, for its networks to be known here. */
const EXPECTED: Readonly<Record<string, readonly unknown[]>> = {
  encoder: ["dense"],
  towers: [1],
  normalization: ["none"],
  residual: [0],
  likelihood: ["bernoulli"],
  condition: ["none", "one-hot"],
  activation: Object.keys(ACTIVATIONS),
};

/** y = f(x W + b); x [N, I], W [I, O] */
function dense(x: Floats, { tensors }: Checkpoint, name: string, f: (a: number) => number): Floats {
  const [weight, bias] = [tensors.get(`${name}.weight`)!, tensors.get(`${name}.bias`)!];
  const [inputs, outputs] = weight.shape;
  const w = weight.data;
  const count = x.length / inputs;
  const y = new Float32Array(count * outputs);
  for (let row = 0; row < count; row++) {
    const out = y.subarray(row * outputs, (row + 1) * outputs);
    out.set(bias.data);
    for (let i = 0; i < inputs; i++) {
      const value = x[row * inputs + i];
      if (value === 0) continue;
      for (let o = 0, at = i * outputs; o < outputs; o++) out[o] += value * w[at + o];
    }
    for (let o = 0; o < outputs; o++) out[o] = f(out[o]);
  }
  return y;
}

/** Encoder and decoder of a checkpoint. */
export class DenseNetworks {
  readonly #checkpoint: Checkpoint;
  readonly #activation: (a: number) => number;
  /** K */
  readonly latents: number;
  /** D */
  readonly features: number;

  /**
   * @param checkpoint The checkpoint.
   * @param expected What its configuration must be besides, by setting.
   * @throws {Error} If its networks are others than dense ones with a Bernoulli likelihood.
   */
  constructor(checkpoint: Checkpoint, expected: typeof EXPECTED = {}) {
    const { model, config, data } = checkpoint;
    for (const [name, values] of Object.entries({ ...EXPECTED, ...expected })) {
      if (values.includes(config[name])) continue;
      throw new Error(
        `Cannot open ${model} without WebGPU: expected ${name} ${values.filter(Boolean).join(" or ")}, found ${
          config[name]
        }`,
      );
    }
    if (!checkpoint.tensors.has("likelihood.weight")) throw new Error(`Cannot open ${model} without WebGPU`);
    this.#checkpoint = checkpoint;
    this.#activation = ACTIVATIONS[String(config.activation)];
    this.latents = Number(config.latents);
    this.features = features(data.shape);
  }

  /** Multiply-adds of decoding one row. */
  get decoderMacs(): number {
    return this.#checkpoint.tensors.entries()
      .filter(([name]) => /^(?:decoder\.\d+|likelihood)\.weight$/.test(name))
      .reduce((sum, [, { data }]) => sum + data.length, 0);
  }

  /** Mean and log-variance of q(z | x) [N, 2 K]; x [N, D] */
  statistics(x: Floats, labels?: ArrayLike<number>): Floats {
    const h = this.#hidden("encoder", this.#conditioned(x, this.features, labels));
    return dense(h, this.#checkpoint, "encoder.posterior", ACTIVATIONS.identity);
  }

  /** E[x | z] [N, D]; z [N, K] */
  decode(z: Floats, labels?: ArrayLike<number>): Floats {
    const h = this.#hidden("decoder", this.#conditioned(z, this.latents, labels));
    return dense(h, this.#checkpoint, "likelihood", ACTIVATIONS.sigmoid);
  }

  #hidden(network: string, h: Floats): Floats {
    for (let i = 0; this.#checkpoint.tensors.has(`${network}.${i}.weight`); i++) {
      h = dense(h, this.#checkpoint, `${network}.${i}`, this.#activation);
    }
    return h;
  }

  /** Rows joined with the one-hot columns of their labels, for a conditional model. */
  #conditioned(x: Floats, width: number, labels: ArrayLike<number> = [0]): Floats {
    if (this.#checkpoint.config.condition === "none") return x;
    const classes = this.#checkpoint.data.classes!;
    const count = x.length / width;
    const joined = new Float32Array(count * (width + classes));
    for (let row = 0; row < count; row++) {
      joined.set(x.subarray(row * width, (row + 1) * width), row * (width + classes));
      joined[row * (width + classes) + width + labels[row % labels.length]] = 1;
    }
    return joined;
  }
}
