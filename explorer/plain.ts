/**
 * An engine in plain TypeScript, for browsers without WebGPU and pages without a server: dense models with a Bernoulli likelihood are
 * encoded, decoded, drawn from and scored with. It does not train.
 *
 * @module
 */

import { type Dataset, features, requireRows } from "../core/dataset.ts";
import { klByDimension } from "../core/distributions/encoded.ts";
import { normals } from "../core/graph/random.ts";
import { type Checkpoint, decodeCheckpoint } from "../core/training/checkpoint.ts";
import type { DataInfo, Encodings, Engine, ModelInfo, RowsOf } from "./engine.ts";

type Floats = Float32Array<ArrayBuffer>;

/** The activations that are known here. */
const ACTIVATIONS: Readonly<Record<string, (a: number) => number>> = {
  identity: (a) => a,
  tanh: Math.tanh,
  relu: (a) => Math.max(0, a),
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  softplus: (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
  silu: (a) => a / (1 + Math.exp(-a)),
};

/** What a configuration must be for this engine, by setting. */
const EXPECTED: Readonly<Record<string, readonly unknown[]>> = {
  encoder: ["dense"],
  towers: [1],
  covariance: ["diagonal"],
  normalization: ["none"],
  residual: [0],
  likelihood: ["bernoulli"],
  prior: ["standard"],
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

/** See the module. */
export class PlainEngine implements Engine {
  readonly way = "plain";
  readonly adapter = "this browser's processor, without WebGPU";
  #checkpoint: Checkpoint | undefined;
  #dataset: Dataset | undefined;

  get #model(): Checkpoint {
    if (!this.#checkpoint) throw new Error("Cannot compute: expected an open model, found none");
    return this.#checkpoint;
  }

  get #latents(): number {
    return Number(this.#model.config.latents);
  }

  get #activation(): (a: number) => number {
    return ACTIVATIONS[String(this.#model.config.activation)];
  }

  // deno-lint-ignore require-await -- what is wrong is a rejection
  async open(bytes: Uint8Array<ArrayBuffer>): Promise<ModelInfo> {
    const checkpoint = decodeCheckpoint(bytes, "the checkpoint");
    for (const [name, values] of Object.entries(EXPECTED)) {
      if (values.includes(checkpoint.config[name])) continue;
      throw new Error(
        `Cannot open ${checkpoint.model} without WebGPU: expected ${name} ${values.join(" or ")}, ` +
          `found ${checkpoint.config[name]}`,
      );
    }
    this.#checkpoint = checkpoint;
    return this.#describe();
  }

  #describe(): ModelInfo {
    const { model, config, training, data, progress, tensors } = this.#model;
    let parameters = 0;
    for (const [name, { data }] of tensors) if (!name.startsWith("optimizer.")) parameters += data.length;
    return {
      ...{ model, summary: "", config, training: { ...training }, data, parameters, step: progress.step },
      latents: this.#latents,
      features: features(data.shape),
      ...(config.condition === "none" ? {} : { condition: String(config.condition) }),
      standardPrior: true,
      can: { encode: true, decode: true, sample: true, score: true, train: false },
    };
  }

  model(): Promise<ModelInfo | undefined> {
    return Promise.resolve(this.#checkpoint && this.#describe());
  }

  useData(dataset: Dataset): Promise<DataInfo> {
    requireRows(dataset.name, dataset.shape, dataset.train);
    this.#dataset = dataset;
    const { name, shape, classes, train, test } = dataset;
    return Promise.resolve({ name, shape, classes, train: train.count, test: test.count });
  }

  rows({ split, rows, count }: RowsOf): Promise<{ x: Floats; labels?: ArrayLike<number> }> {
    const dataset = this.#dataset;
    if (!dataset) throw new Error("Cannot read rows: expected an open dataset, found none");
    const all = dataset[split];
    const wanted = rows ?? Array.from({ length: Math.min(count ?? all.count, all.count) }, (_, i) => i);
    const width = features(dataset.shape);
    const scale = all.values instanceof Uint8Array ? 1 / 255 : 1;
    const x = new Float32Array(wanted.length * width);
    wanted.forEach((row, i) => {
      for (let d = 0; d < width; d++) x[i * width + d] = all.values[row * width + d] * scale;
    });
    return Promise.resolve({ x, labels: all.labels && Uint8Array.from(wanted, (row) => all.labels![row]) });
  }

  /** Rows joined with the one-hot columns of their labels, for a conditional model. */
  #conditioned(x: Floats, width: number, labels: ArrayLike<number> = [0]): Floats {
    if (this.#model.config.condition === "none") return x;
    const classes = this.#model.data.classes!;
    const count = x.length / width;
    const joined = new Float32Array(count * (width + classes));
    for (let row = 0; row < count; row++) {
      joined.set(x.subarray(row * width, (row + 1) * width), row * (width + classes));
      joined[row * (width + classes) + width + labels[row % labels.length]] = 1;
    }
    return joined;
  }

  #layers(name: string): number {
    return (this.#model.config.hidden as readonly number[]).length && [...this.#model.tensors.keys()]
      .filter((key) => new RegExp(`^${name}\\.\\d+\\.weight$`).test(key)).length;
  }

  /** [N, 2 K] */
  #statistics(x: Floats, labels?: ArrayLike<number>): Floats {
    let h = this.#conditioned(x, features(this.#model.data.shape), labels);
    for (let i = 0; i < this.#layers("encoder"); i++) h = dense(h, this.#model, `encoder.${i}`, this.#activation);
    return dense(h, this.#model, "encoder.posterior", ACTIVATIONS.identity);
  }

  #decode(z: Floats, labels?: ArrayLike<number>): Floats {
    let h = this.#conditioned(z, this.#latents, labels);
    for (let i = 0; i < this.#layers("decoder"); i++) h = dense(h, this.#model, `decoder.${i}`, this.#activation);
    return dense(h, this.#model, "likelihood", ACTIVATIONS.sigmoid);
  }

  encode(x: Floats, labels?: ArrayLike<number>): Promise<Encodings> {
    const latents = this.#latents;
    const statistics = this.#statistics(x, labels);
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
    return Promise.resolve(this.#decode(z, labels));
  }

  sample(
    { count, seed, temperature = 1, labels }: Parameters<Engine["sample"]>[0],
  ): Promise<{ z: Floats; x: Floats }> {
    const z = normals(new Float32Array(count * this.#latents), seed, 0, 0).map((value) => temperature * value);
    return Promise.resolve({ z, x: this.#decode(z, labels) });
  }

  /** log (1/L) Σₗ p(x | zₗ) p(zₗ) / q(zₗ | x), zₗ ~ q(z | x) */
  score(
    x: Floats,
    { samples = 20, labels }: { readonly samples?: number; readonly labels?: readonly number[] } = {},
  ): Promise<Float64Array<ArrayBuffer>> {
    const [width, latents] = [features(this.#model.data.shape), this.#latents];
    const statistics = this.#statistics(x, labels);
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
      const mean = this.#decode(z, labels && [labels[row % labels.length]]);
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
    const width = features(this.#model.data.shape);
    let filled = x.map((value, i) => mask[i % width] ? value : 0.5);
    for (let i = 0; i < iterations; i++) {
      const statistics = this.#statistics(filled, labels);
      const latents = this.#latents;
      const z = new Float32Array(statistics.length / 2)
        .map((_, at) => statistics[2 * Math.floor(at / latents) * latents + at % latents]);
      const mean = this.#decode(z, labels);
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

  save(): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.reject(new Error("Cannot save: nothing was trained here"));
  }

  onEvent(): () => void {
    return () => {};
  }

  close(): void {}
}
