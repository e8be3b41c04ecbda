/**
 * Models with random weights, as a training would leave them, for what reads and writes them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { bundleFiles } from "../../exchange/bundle.ts";
import { graphsOf } from "../../exchange/graphs.ts";
import { configure } from "../../core/settings.ts";
import type { DataShape, Model } from "../../core/model.ts";
import { Parameters } from "../../core/graph/parameters.ts";
import { normals, uniforms } from "../../core/graph/random.ts";
import { conditionRows } from "../../core/training/batch.ts";
import { composed } from "../../models/composed.ts";
import { models } from "../../models/mod.ts";
import { attentive } from "../outside/op_model.ts";
import { Trained } from "../../core/training/trained.ts";
import { trainingSettings } from "../../core/training/training_settings.ts";
import { gpu } from "../support/gpu.ts";

/** 5 x 6 pixels, three classes. */
export const image = { shape: [5, 6, 1], classes: 3 } as const;
const base = composed({ name: "base", summary: "", source: "", own: [] }) as unknown as Model<never>;
const small = { hidden: [7], latents: 3 };
const conv = { ...small, encoder: "conv", channels: [4, 3], kernel: 3 };
const named = (name: string) => models.get(name) as unknown as Model<never>;

/** Every kind of layer, likelihood, posterior and prior. */
export const cases: Record<string, readonly [Model<never>, object]> = {
  "vae": [base, small],
  "activations": [base, { ...small, activation: "gelu", hidden: [7, 6] }],
  "leaky": [base, { ...small, activation: "leaky_relu", towers: 2 }],
  "silu, full covariance": [base, { ...small, activation: "silu", covariance: "full" }],
  "conditional": [base, { ...small, activation: "elu", condition: "one-hot", prior: "conditional" }],
  "residual batch": [base, { ...small, normalization: "batch", residual: 1, dropout: 0.2, activation: "softplus" }],
  "residual group": [base, { ...small, hidden: [32], normalization: "group", residual: 1 }],
  "conv": [base, { ...conv, normalization: "layer" }],
  "conv residual": [base, { ...conv, normalization: "batch", residual: 2, condition: "one-hot" }],
  "mixture": [base, { ...small, prior: "mixture", components: 4, likelihood: "continuous-bernoulli" }],
  "vamp": [base, { ...small, prior: "vamp", components: 4, likelihood: "gaussian-decoder" }],
  "real-nvp": [base, { ...small, prior: "real-nvp", priorHidden: [5], likelihood: "gaussian-pixel" }],
  "maf": [base, { ...small, prior: "maf", priorHidden: [5], priorLayers: 2, likelihood: "gaussian-shared" }],
  "iaf": [base, { ...small, flow: "iaf", flowHidden: [5], flowContext: 4, likelihood: "gaussian-low-rank" }],
  "planar": [base, { ...small, flow: "planar", flowLayers: 2, likelihood: "discretized-logistic" }],
  "plain levels": [base, { ...small, hidden: [7, 6], hierarchy: "plain", lowerLatents: [2] }],
  "ladder": [base, { ...conv, hierarchy: "ladder", lowerLatents: [2], likelihood: "discretized-logistic-decoder" }],
  "mixture of logistics": [base, { ...small, likelihood: "logistic-mixture", logistics: 3 }],
  "vq_vae": [named("vq_vae"), { channels: [4], kernel: 3, codes: 6, codeDimension: 4, groups: 2, depth: 2 }],
  "cosine codes": [named("vq_vae"), { channels: [4], kernel: 3, codes: 6, codeDimension: 4, distance: "cosine" }],
  "fsq": [named("vq_vae"), { channels: [4], kernel: 3, quantizer: "fsq", levels: [4, 3], groups: 2 }],
  "sparse_ae": [named("sparse_ae"), small],
  "linear_vae": [named("linear_vae"), { latents: 3 }],
  "pca": [named("pca"), { latents: 3 }],
  "gmm": [named("gmm"), { components: 4 }],
  "gmm of full covariances": [named("gmm"), { components: 3, covariance: "full" }],
  "flow": [named("flow"), { layers: 2, hidden: [5] }],
  "coupling flow": [named("flow"), { transform: "coupling", layers: 3, hidden: [5] }],
  "a model of one's own": [attentive as unknown as Model<never>, { hidden: 5, latents: 3 }],
  "ppca": [named("ppca"), { latents: 3 }],
};

/** Rows that are given. */
export const COUNT = 5;

/** What a model is given in the tests: data, latents, noise for its prior, and the condition where it has one. */
export function given(trained: Trained) {
  const { latents, features, data, model, config } = trained;
  const kind = model.condition?.(config);
  const labels = [0, 2, 1, 1, 0];
  const own = normals(new Float32Array(COUNT * latents), 5, 0, 0);
  const u = uniforms(new Float32Array(COUNT), 5, 0, 1);
  // As Trained.drawPrior lays them.
  const noise = new Float32Array(COUNT * (latents + 1));
  for (let row = 0; row < COUNT; row++) {
    noise.set(own.subarray(row * latents, (row + 1) * latents), row * (latents + 1));
    noise[row * (latents + 1) + latents] = u[row];
  }
  return {
    // Bytes, for likelihoods of them.
    x: uniforms(new Float32Array(COUNT * features), 3, 0, 0).map((u) => Math.round(255 * u) / 255),
    z: normals(new Float32Array(COUNT * latents), 3, 0, 1),
    noise,
    ...kind ? { condition: conditionRows(kind, COUNT, { labels, covariates: [] }, data) } : {},
    /** The same condition, as elbo takes it. */
    told: kind ? { labels } : {},
  };
}

/** A model whose every parameter is random: scales and variances above 0. */
export function untrained(given: Model<never>, settings: object, data: DataShape): Trained {
  const model = given as unknown as Model;
  const config = configure<object>(model.settings, settings, "the model");
  const shapes = model.parameters(config, data);
  const parameters = new Parameters(gpu, shapes);
  [...parameters].forEach((parameter, i) => {
    const { inputs, outputs, trained } = parameter.shape;
    const random = (length: number, stream: number, scale: number) =>
      uniforms(new Float32Array(length), 7, i, stream).map((u) => scale * (2 * u - 1));
    // Of moving averages the weight is a variance.
    const weight = trained === false && inputs === 1
      ? random(outputs, 0, 0.2).map((value) => 1 + value)
      : random(inputs * outputs, 0, inputs < 3 ? 1 : 1.7 / Math.sqrt(inputs));
    parameter.set(parameter.tensor, weight, random(outputs, 1, 0.3));
  });
  const training = configure(trainingSettings, {}, "the training");
  const progress = { step: 0, sums: [], steps: 0 };
  return new Trained(gpu, model, config, training, { name: "random", count: 10, ...data }, parameters, progress);
}

/** What elbo gives of {@linkcode given}. */
export async function expected(trained: Trained): Promise<Readonly<Record<string, ArrayLike<number>>>> {
  const { x, z, told } = given(trained);
  const { mean, logVariance } = await trained.encode(x, told);
  return {
    mean,
    ...logVariance.every(Number.isFinite) ? { logVariance } : {},
    ...trained.model.codes ? { codes: await trained.codes(x) } : {},
    decoded: await trained.decode(z, told),
    ...trained.model.prior?.(trained.config) ? { z: await trained.drawPrior({ count: COUNT, seed: 5, ...told }) } : {},
  };
}

/** Asserts that all is there, and equal within 1e-5: absolutely, or relatively where that is more. */
export function assertClose(
  found: Readonly<Record<string, ArrayLike<number | bigint> | undefined>>,
  expected: Readonly<Record<string, ArrayLike<number>>>,
): void {
  assertEquals(Object.keys(found).filter((name) => found[name]).sort(), Object.keys(expected).sort());
  for (const [name, values] of Object.entries(expected)) {
    const apart = distance(Array.from(found[name]!, Number), values);
    assert(apart < 1e-5, `${name}: ${apart} apart`);
  }
}

/** The largest distance of two arrays, over 1 and the size of the values. */
function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const apart = Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    if (!(apart <= largest)) largest = apart;
  }
  return largest;
}

/** A module as its types have it, of any model. */
export interface Module {
  load(source?: ArrayBuffer): Promise<{
    readonly features: number;
    readonly latents: number;
    encode(x: Float32Array, condition?: Float32Array): Record<string, Float32Array>;
    decode(z: Float32Array, condition?: Float32Array): Float32Array;
    sample(count: number, options?: { condition?: Float32Array }): Float32Array;
  }>;
}

/** The module of a model, written to a folder and imported. */
export async function imported(trained: Trained, folder: string) {
  const files = await bundleFiles(trained, graphsOf(trained));
  for (const { name, bytes } of files) await Deno.writeFile(`${folder}/${name}`, bytes);
  const { load } = await import(`file://${folder}/vae.js`) as Module;
  return await load();
}
