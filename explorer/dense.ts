/**
 * The dense networks of a checkpoint in plain TypeScript: what the engine without WebGPU (plain.ts) is made of, and what decodes the point
 * under a pointer without waiting for a GPU that trains (points.ts).
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { Activation } from "../core/ops/activations.ts";
import type { Checkpoint } from "../core/training/checkpoint.ts";

/** Numbers in rows. */
export type Floats = Float32Array<ArrayBuffer>;

/** Φ(a), with erf by Abramowitz and Stegun 7.1.26, as in shaders/activations/gelu.wgsl. */
function normalDistribution(a: number): number {
  const b = Math.abs(a) * Math.SQRT1_2;
  const t = 1 / (1 + 0.3275911 * b);
  const tail = 0.5 * t * Math.exp(-b * b) *
    (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return a > 0 ? 1 - tail : tail;
}

/** The activations. */
const ACTIVATIONS: Readonly<Record<Activation, (a: number) => number>> = {
  identity: (a) => a,
  tanh: Math.tanh,
  relu: (a) => Math.max(0, a),
  leaky_relu: (a) => a > 0 ? a : 0.01 * a,
  elu: (a) => a > 0 ? a : Math.exp(a) - 1,
  gelu: (a) => a * normalDistribution(a),
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  softplus: (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
  silu: (a) => a / (1 + Math.exp(-a)),
};

/** What the last layer passes through to give E[x | z], by likelihood. */
const MEANS: Readonly<Record<string, (config: Checkpoint["config"]) => Activation>> = {
  "bernoulli": () => "sigmoid",
  ...Object.fromEntries(
    ["gaussian", "gaussian-shared", "gaussian-pixel", "gaussian-decoder"].map((name) => [
      name,
      ({ outputActivation }: Checkpoint["config"]) => outputActivation as Activation,
    ]),
  ),
};

/** What a configuration must be, by setting, for its networks to be known here. */
const EXPECTED: Readonly<Record<string, readonly unknown[]>> = {
  encoder: ["dense"],
  normalization: ["none"],
  residual: [0],
  likelihood: Object.keys(MEANS),
  condition: ["none", "one-hot"],
  // Checkpoints from before there were several levels name none.
  hierarchy: ["none", undefined],
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

/** Layers of the decoder, the last one's included. */
const DECODER = /^(?:decoder\.\d+|likelihood)\.weight$/;

/** Encoder and decoder of a checkpoint. */
export class DenseNetworks {
  readonly #checkpoint: Checkpoint;
  readonly #activation: (a: number) => number;
  readonly #mean: (a: number) => number;
  /** K */
  readonly latents: number;
  /** D */
  readonly features: number;

  /**
   * @param checkpoint The checkpoint.
   * @param expected What its configuration must be besides, by setting.
   * @throws {Error} If its networks are others than dense ones with a Bernoulli or Gaussian likelihood.
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
    this.#checkpoint = checkpoint;
    this.#activation = ACTIVATIONS[config.activation as Activation];
    this.#mean = ACTIVATIONS[MEANS[String(config.likelihood)](config)];
    this.latents = Number(config.latents);
    this.features = features(data.shape);
    // From z to x, with a layer after another and nothing between.
    let width = this.latents + (config.condition === "none" ? 0 : data.classes!);
    for (const name of [...this.#names("decoder"), "likelihood"]) {
      const [inputs, outputs] = checkpoint.tensors.get(`${name}.weight`)?.shape ?? [];
      if (inputs !== width) throw new Error(`Cannot open ${model} without WebGPU`);
      width = outputs;
    }
    if (width !== this.features) throw new Error(`Cannot open ${model} without WebGPU`);
  }

  /** Multiply-adds of decoding one row. */
  get decoderMacs(): number {
    return this.#checkpoint.tensors.entries()
      .filter(([name]) => DECODER.test(name))
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
    return dense(h, this.#checkpoint, "likelihood", this.#mean);
  }

  /** Names of the hidden layers. */
  *#names(network: "encoder" | "decoder"): Generator<string> {
    for (let i = 0; this.#checkpoint.tensors.has(`${network}.${i}.weight`); i++) yield `${network}.${i}`;
  }

  #hidden(network: "encoder" | "decoder", h: Floats): Floats {
    for (const name of this.#names(network)) h = dense(h, this.#checkpoint, name, this.#activation);
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
