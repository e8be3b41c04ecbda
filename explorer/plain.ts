/**
 * An engine in plain TypeScript, for browsers without WebGPU and pages without a server: dense models with a Bernoulli likelihood are
 * encoded, decoded, drawn from and scored with. It does not train.
 *
 * @module
 */

import type { Dataset } from "../core/dataset.ts";
import { klByDimension } from "../core/distributions/encoded.ts";
import { normals } from "../core/graph/random.ts";
import { type Checkpoint, decodeCheckpoint } from "../core/training/checkpoint.ts";
import { DenseNetworks, type Floats } from "./dense.ts";
import type { DataInfo, Encodings, Engine, ModelInfo, RowsOf } from "./engine.ts";
import { describeRows, shownRows } from "./rows.ts";

/** What a model must be besides dense: its draws and densities are of these. */
const EXPECTED = {
  likelihood: ["bernoulli"],
  towers: [1],
  covariance: ["diagonal"],
  // Checkpoints from before there were flows name none.
  flow: ["none", undefined],
  prior: ["standard"],
};

/** A model that is open. */
interface Opened {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly checkpoint: Checkpoint;
  readonly networks: DenseNetworks;
}

/** See the module. */
export class PlainEngine implements Engine {
  readonly way = "plain";
  readonly adapter = "this browser's processor, without WebGPU";
  #model: Opened | undefined;
  #dataset: Dataset | undefined;

  get #opened(): Opened {
    if (!this.#model) throw new Error("Cannot compute: expected an open model, found none");
    return this.#model;
  }

  get #networks(): DenseNetworks {
    return this.#opened.networks;
  }

  // deno-lint-ignore require-await -- what is wrong is a rejection
  async open(bytes: Uint8Array<ArrayBuffer>): Promise<ModelInfo> {
    const checkpoint = decodeCheckpoint(bytes, "the checkpoint");
    this.#model = { bytes, checkpoint, networks: new DenseNetworks(checkpoint, EXPECTED) };
    return this.#describe();
  }

  #describe(): ModelInfo {
    const { model, config, training, data, progress, tensors } = this.#opened.checkpoint;
    let parameters = 0;
    for (const [name, { data }] of tensors) if (!name.startsWith("optimizer.")) parameters += data.length;
    return {
      ...{ model, summary: "", config, training: { ...training }, data, parameters, step: progress.step },
      latents: this.#networks.latents,
      features: this.#networks.features,
      ...(config.condition === "none" ? {} : { condition: String(config.condition) }),
      standardPrior: true,
      can: { encode: true, decode: true, sample: true, score: true, train: false },
    };
  }

  model(): Promise<ModelInfo | undefined> {
    return Promise.resolve(this.#model && this.#describe());
  }

  // deno-lint-ignore require-await -- what is wrong is a rejection
  async useData(dataset: Dataset): Promise<DataInfo> {
    const info = describeRows(dataset);
    this.#dataset = dataset;
    return info;
  }

  // deno-lint-ignore require-await -- what is wrong is a rejection
  async rows(which: RowsOf): Promise<{ x: Floats; labels?: ArrayLike<number> }> {
    return shownRows(this.#dataset, which);
  }

  encode(x: Floats, labels?: ArrayLike<number>): Promise<Encodings> {
    const { latents } = this.#networks;
    const statistics = this.#networks.statistics(x, labels);
    const count = statistics.length / 2 / latents;
    const mean = new Float32Array(count * latents);
    const logVariance = new Float32Array(count * latents);
    for (let row = 0; row < count; row++) {
      mean.set(statistics.subarray(2 * row * latents, (2 * row + 1) * latents), row * latents);
      logVariance.set(statistics.subarray((2 * row + 1) * latents, (2 * row + 2) * latents), row * latents);
    }
    const kl = new Float64Array(latents);
    klByDimension({ statistics, count, latents, covariance: "diagonal" })
      .forEach((value, i) => kl[i % latents] += value / count);
    return Promise.resolve({ mean, logVariance, kl: [...kl] });
  }

  async encodeRows(which: RowsOf): Promise<Encodings> {
    const { x, labels } = await this.rows(which);
    return { ...await this.encode(x, labels), labels };
  }

  decode(z: Floats, labels?: ArrayLike<number>): Promise<Floats> {
    return Promise.resolve(this.#networks.decode(z, labels));
  }

  sample(
    { count, seed, temperature = 1, labels }: Parameters<Engine["sample"]>[0],
  ): Promise<{ z: Floats; x: Floats }> {
    const z = normals(new Float32Array(count * this.#networks.latents), seed, 0, 0).map((value) => temperature * value);
    return Promise.resolve({ z, x: this.#networks.decode(z, labels) });
  }

  /** log (1/L) Σₗ p(x | zₗ) p(zₗ) / q(zₗ | x), zₗ ~ q(z | x) */
  score(
    x: Floats,
    { samples = 20, labels }: { readonly samples?: number; readonly labels?: readonly number[] } = {},
  ): Promise<Float64Array<ArrayBuffer>> {
    const { features: width, latents } = this.#networks;
    const statistics = this.#networks.statistics(x, labels);
    return Promise.resolve(Float64Array.from({ length: x.length / width }, (_, row) => {
      const noise = normals(new Float32Array(samples * latents), row, 0, 0);
      const logs = new Float64Array(samples);
      const z = noise.map((e, i) => {
        const k = i % latents;
        const [m, l] = [statistics[2 * row * latents + k], statistics[(2 * row + 1) * latents + k]];
        const value = m + Math.exp(l / 2) * e;
        logs[Math.floor(i / latents)] += 0.5 * (e * e + l - value * value);
        return value;
      });
      const mean = this.#networks.decode(z, labels && [labels[row % labels.length]]);
      for (let i = 0; i < mean.length; i++) {
        const [value, p] = [x[row * width + i % width], Math.min(1 - 1e-7, Math.max(1e-7, mean[i]))];
        logs[Math.floor(i / width)] += value * Math.log(p) + (1 - value) * Math.log1p(-p);
      }
      const largest = Math.max(...logs);
      return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0) / samples);
    }));
  }

  /** Means at the encodings of what was filled in before, over and over. */
  impute(
    x: Floats,
    mask: Uint8Array<ArrayBuffer>,
    { iterations = 20, labels }: { readonly iterations?: number; readonly labels?: readonly number[] } = {},
  ): Promise<Floats> {
    const { features: width } = this.#networks;
    let filled = x.map((value, i) => mask[i % width] ? value : 0.5);
    for (let i = 0; i < iterations; i++) {
      const statistics = this.#networks.statistics(filled, labels);
      const { latents } = this.#networks;
      const z = new Float32Array(statistics.length / 2)
        .map((_, at) => statistics[2 * Math.floor(at / latents) * latents + at % latents]);
      const mean = this.#networks.decode(z, labels);
      filled = x.map((value, at) => mask[at % width] ? value : mean[at]);
    }
    return Promise.resolve(filled);
  }

  train(): Promise<ModelInfo> {
    return Promise.reject(
      new Error("Cannot train here: expected WebGPU, or the page from `deno task explore`, whose server computes"),
    );
  }

  control(): Promise<void> {
    return Promise.resolve();
  }

  // deno-lint-ignore require-await -- what is wrong is a rejection
  async save(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#opened.bytes.slice();
  }

  onEvent(): () => void {
    return () => {};
  }

  close(): void {}
}
