/**
 * A model with its parameters: sampling, encoding, decoding, reconstructing, evaluating. Values
 * go in and come out as row-major Float32Arrays.
 *
 * @module
 */

import { type Checkpoint, type DataDescription, encodeCheckpoint, type Progress, requireFit } from "./checkpoint.ts";
import { requireFinite, requireSeed } from "../bounds.ts";
import { type Chunk, inTurn } from "../gpu/chunks.ts";
import { features, slice, type Split } from "../dataset.ts";
import { Gpu, GpuError } from "../gpu/device.ts";
import { hasDensity, type Likelihood } from "../distributions/distribution.ts";
import { type Encoded, marginals } from "../distributions/encoded.ts";
import { readValues } from "./pixels.ts";
import { evaluation } from "./sweep.ts";
import type { Losses } from "./events.ts";
import { conditionColumns, type ConditionOptions, conditionRows } from "./batch.ts";
import type { Condition, Model } from "../model.ts";
import { advance } from "../ops/advance.ts";
import { columns as columnsOf } from "../ops/columns.ts";
import { concat } from "../ops/concat.ts";
import { reshape } from "../ops/reshape.ts";
import { columnOf } from "../ops/sum.ts";
import type { Binarization } from "../ops/gather.ts";
import type { Covariance } from "../ops/reparameterize.ts";
import type { Ranks } from "../graph/ranks.ts";
import { Parameters } from "../graph/parameters.ts";
import { createState, Program } from "../graph/program.ts";
import { normals, uniforms } from "../graph/random.ts";
import { Tape, type Variable } from "../graph/tape.ts";
import { type Tensor, unpack, upload } from "../gpu/tensor.ts";
import { chooseTiles, type Tiles, tilesName, type TunedTiles } from "../products/tiles.ts";
import { requireSupport } from "./support.ts";
import type { TrainingConfig } from "./training_settings.ts";
import {
  inputRows,
  numbersFrom,
  requireFiniteRows,
  type RowValues,
  settledSplit,
  type SplitInput,
  summarizeValues,
} from "../values.ts";

/** Rows that go through a mapping at a time: few of them, and so many that waiting for each read does not tell. */
const [FEW, MANY] = [128, 4096];

/** What a mapping is kept by. */
const keyOf = (name: string, rows: number) => `${name}, ${rows} rows`;

/** A program with one input matrix and output matrices of equal width. */
interface Mapping {
  readonly input: Tensor;
  readonly condition?: Tensor;
  readonly outputs: readonly Tensor[];
  readonly program: Program;
  /** Frees what it holds on the GPU. */
  destroy(): void;
}

/** Records the ops from an input to outputs; none stand for a part that the model lacks. */
type Recording = (t: Tape, input: Variable, condition?: Variable) => readonly Variable[];

/**
 * What is given of p(x | z): its mean, a draw from it, or for Gaussians μ - 2σ, μ - σ, μ, μ + σ and μ + 2σ, five rows for a datum in
 * that order.
 */
export const DRAWS = ["mean", "sample", "quantiles"] as const;

/** How many deviations from the mean the rows of "quantiles" are. */
export const QUANTILES = [-2, -1, 0, 1, 2] as const;

/** What z is drawn from in place of the model's own prior: a density that was fitted to encodings, or one of the caller's. */
export interface LatentPrior {
  /** What it is, for captions: "gmm fitted to the encodings". */
  readonly name: string;
  /**
   * Draws z, a function of the seed.
   *
   * @returns [count, K]
   */
  draw(options: { readonly count: number; readonly seed: number }): Promise<Float32Array<ArrayBuffer>>;
}

/**
 * How {@linkcode Trained.sample} draws. Conditions of fewer rows than are drawn are taken in turn; without any, every class is, while
 * covariates must be given.
 */
export interface SampleOptions extends ConditionOptions {
  /** How many. Default 100. */
  readonly count?: number;
  /** Standard deviation of the latents drawn. Default 1, the prior. */
  readonly temperature?: number;
  /** What to give of p(x | z). Default "mean". */
  readonly draw?: typeof DRAWS[number];
  /** Default 0. */
  readonly seed?: number;
  /** What z is drawn from, at temperature 1. Default: the model's own prior. */
  readonly prior?: LatentPrior;
  /** Which levels of latents are drawn once for several rows. Default: none. */
  readonly held?: HeldLevels;
}

/** Upper levels of latents that rows share, of which the levels below are drawn anew for each. */
export interface HeldLevels {
  /** The lowest of them, counted from 1, next to the data. */
  readonly from: number;
  /** So many rows in turn share them. */
  readonly rows: number;
}

/** How {@linkcode Trained.evaluate} measures. */
export interface EvaluateOptions {
  /** Draws of z for each row. Default 1. */
  readonly samples?: number;
  /** Default: as in training. */
  readonly binarize?: Binarization;
  /** Default: that of the training. */
  readonly seed?: number;
  /** Stops it. */
  readonly signal?: AbortSignal;
  /** Processes that each go over a part of the rows, and come to the same. */
  readonly ranks?: Ranks;
}

/** z ~ q(z | x) of N rows with all that importance weights need: {@linkcode Trained.weightedDraws}. */
export interface WeightedDraws {
  /** q(z | x) */
  readonly encoded: Encoded;
  /** z [N, K] */
  readonly z: Float32Array<ArrayBuffer>;
  /** E[x | z] [N, D] */
  readonly mean: Float32Array<ArrayBuffer>;
  /** x ~ p(x | z) [N, D] */
  readonly sample: Float32Array<ArrayBuffer>;
  /** -log p(x | z) over what is observed of each row, nats [N] */
  readonly nll: Float32Array<ArrayBuffer>;
  /** log q(z | x) - log p(z), nats [N] */
  readonly divergence: Float32Array<ArrayBuffer>;
}

/** A model and its parameters on a GPU. */
export class Trained<C extends object = object> {
  /** Tiles of its matrix products. */
  readonly tiles: Tiles;
  readonly #mappings = new Map<string, Promise<Mapping>>();
  /** Frees those of the mappings that are compiled. */
  readonly #held = new Set<() => void>();
  #destroyed = false;
  /** Of the posterior, once it has been recorded. */
  #covariance: Covariance | undefined;
  #hasDensity = false;
  #hasRatio = false;

  /** Made by {@linkcode train} and {@linkcode Trained.fromCheckpoint}. */
  constructor(
    readonly gpu: Gpu,
    readonly model: Model<C>,
    /** Set by the training alone, which {@linkcode Training.adjust} may change. */
    public config: C,
    public training: TrainingConfig,
    readonly data: DataDescription,
    readonly parameters: Parameters,
    public progress: Progress,
    /** Whether {@linkcode Trained.destroy} destroys the device too. */
    readonly ownsGpu = false,
    /** Tiles of products that are not left to the rule. */
    readonly tuned: TunedTiles = {},
  ) {
    this.tiles = chooseTiles(gpu, training.tiles, tuned);
  }

  /**
   * Puts the parameters of a checkpoint on a GPU.
   *
   * @throws {FileError} If the checkpoint is of another model or a tensor does not fit; nothing is left on the GPU then.
   */
  static async fromCheckpoint<C extends object>(
    model: Model<C>,
    checkpoint: Checkpoint,
    options: { readonly gpu?: Gpu; readonly device?: GPUDevice } = {},
  ): Promise<Trained<C>> {
    const { config, shapes } = requireFit(model, checkpoint);
    const { training, data, progress } = checkpoint;
    const gpu = options.gpu ??
      (options.device ? new Gpu(options.device, options.device.adapterInfo) : await Gpu.open());
    const ownsGpu = !options.gpu && !options.device;
    let parameters: Parameters | undefined;
    try {
      parameters = new Parameters(gpu, shapes);
      parameters.write(checkpoint.tensors, checkpoint.file);
      await parameters.settle();
      return new Trained(gpu, model, config, training, data, parameters, progress, ownsGpu, checkpoint.tuned);
    } catch (error) {
      parameters?.destroy();
      if (ownsGpu) gpu.destroy();
      throw error;
    }
  }

  /**
   * Asks whether the model can be used.
   *
   * @throws {GpuError} If it was destroyed, or its device is lost or was destroyed: load its checkpoint on another one then.
   */
  check(): void {
    if (this.#destroyed) throw new GpuError(`Cannot use the model "${this.model.name}": it was destroyed`);
    this.gpu.check();
  }

  /** D */
  get features(): number {
    return features(this.data.shape);
  }

  /** K */
  get latents(): number {
    if (!this.model.latents) throw new TypeError(`Cannot decode with "${this.model.name}": it has no latents`);
    return this.model.latents(this.config, this.data);
  }

  /**
   * x ~ p(x | z), z ~ N(0, temperature² I), the model's own prior, or `prior`
   *
   * @returns [count, D]; [5 count, D] for "quantiles"
   */
  async sample(options: SampleOptions = {}): Promise<Float32Array<ArrayBuffer>> {
    this.check();
    const { count = 100, temperature = 1, draw = "mean", seed = 0, labels } = options;
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new RangeError(`Cannot sample: expected a count of at least 1, found ${count}`);
    }
    if (labels?.length && !["one-hot", "raw"].includes(this.#condition ?? "")) {
      const what = this.#condition ? `one that is conditioned on ${this.#condition}` : "one that is not";
      throw new TypeError(
        `Cannot sample labels with "${this.model.name}": expected a model conditioned on labels, such as cvae, found ${what}`,
      );
    }
    const z = await this.drawPrior({ ...options, count, temperature, seed });
    return await this.decode(z, { draw, seed, ...this.#inTurn(count, options) });
  }

  /** Conditions of so many rows: those given in turn, or every class in turn. */
  #inTurn(count: number, options: ConditionOptions): Required<ConditionOptions> {
    const { labels = Array.from({ length: this.data.classes ?? 0 }, (_, label) => label), covariates = [] } = options;
    const inTurn = (given: ArrayLike<number>, length: number) =>
      Array.from({ length: given.length ? length : 0 }, (_, i) => given[i % given.length]);
    return {
      labels: inTurn(labels, count),
      covariates: inTurn(covariates, count * (this.data.covariates?.length ?? 0)),
    };
  }

  /**
   * z ~ N(0, temperature² I), or of the model's own prior; conditions as in {@linkcode Trained.sample}
   *
   * @returns [count, K]
   */
  async drawPrior(
    { count = 100, temperature = 1, seed = 0, prior, held, ...options }: Omit<SampleOptions, "draw"> = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    this.check();
    if (!(temperature >= 0 && Number.isFinite(Math.fround(temperature)))) {
      throw new RangeError(`Cannot sample: expected a temperature of at least 0, found ${temperature}`);
    }
    requireSeed(seed);
    const first = held && this.#firstHeld(held, prior);
    if (prior) {
      if (temperature !== 1) {
        throw new RangeError(`Cannot sample from ${prior.name}: expected temperature 1, found ${temperature}`);
      }
      const z = await prior.draw({ count, seed });
      const expected = count * this.latents;
      if (z.length !== expected) {
        throw new RangeError(`Cannot sample from ${prior.name}: expected ${expected} latents, found ${z.length}`);
      }
      return z;
    }
    const given = this.#inTurn(count, options);
    const own = await this.model.drawPrior?.(this.parameters, this.config, {
      ...{ count, temperature, seed },
      outputs: (steps, record) =>
        this.#apply(
          "draw from the prior",
          new Float32Array(count).fill(temperature),
          1,
          { seed, ...given },
          (t, input) => [record(t, input)],
          steps,
        ),
    });
    if (own) return own;
    const { latents } = this;
    const normal = normals(new Float32Array(count * latents), seed, 0, 0).map((value) => value * temperature);
    const record = this.model.prior?.(this.config);
    if (!record) return normal;
    const u = uniforms(new Float32Array(count), seed, 0, 1);
    const noise = new Float32Array(count * (latents + 1));
    for (let row = 0; row < count; row++) {
      noise.set(normal.subarray(row * latents, (row + 1) * latents), row * (latents + 1));
      noise[row * (latents + 1) + latents] = u[row];
      if (first === undefined) continue;
      const shared = (row - row % held!.rows) * (latents + 1);
      noise.copyWithin(row * (latents + 1) + first, shared + first, shared + latents + 1);
    }
    return await this.#apply("draw from the prior", noise, latents + 1, given, (t, input, condition) => [
      record(t, this.parameters, input, condition),
    ]);
  }

  /** The first latent of the levels that are held. */
  #firstHeld({ from, rows }: HeldLevels, prior: LatentPrior | undefined): number {
    const levels = this.model.levels?.(this.config, this.data) ?? [];
    if (prior || levels.length < 2) {
      const found = prior ? prior.name : `one level of "${this.model.name}"`;
      throw new TypeError(
        `Cannot hold levels: expected the prior of a model with several, such as ladder_vae, found ${found}`,
      );
    }
    if (!Number.isInteger(from) || from < 2 || from > levels.length) {
      throw new RangeError(`Cannot hold levels: expected the first of them from 2 to ${levels.length}, found ${from}`);
    }
    if (!Number.isInteger(rows) || rows < 1) {
      throw new RangeError(`Cannot hold levels: expected at least 1 row that shares them, found ${rows}`);
    }
    return levels.slice(0, from - 1).reduce((sum, each) => sum + each);
  }

  /** Whether there is a p(z); of an autoencoder there is none. */
  get hasPrior(): boolean {
    return this.model.hasPrior ?? true;
  }

  /** Whether p(z) is N(0, I). */
  get hasStandardPrior(): boolean {
    return this.hasPrior && !this.model.drawPrior && !this.model.prior?.(this.config);
  }

  /**
   * The mean of p(x | z), a draw from it, or its quantiles.
   *
   * @param z [count, K]
   * @returns [count, D]; [5 count, D] for "quantiles": {@linkcode QUANTILES} of the first datum, of the second, ...
   * @throws {TypeError} If the likelihood has no quantiles.
   * @throws {RangeError} If a latent is not finite, or what it gives would not be.
   */
  async decode(
    z: RowValues,
    { draw = "mean", seed = 0, ...given }: Omit<SampleOptions, "count" | "temperature"> = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    const { latents } = this;
    const codes = numbersFrom("decode", z, latents);
    requireFiniteRows(`decode with "${this.model.name}"`, codes, latents);
    return await this.#apply(`decode ${draw}`, codes, latents, { seed, ...given }, (t, x, condition) => {
      const likelihood: Likelihood | undefined = this.model.decode?.(t, this.parameters, x, this.config, condition);
      if (!likelihood) return [];
      if (draw !== "quantiles") return [likelihood[draw]()];
      const { quantile, name } = likelihood;
      if (!quantile) {
        throw new TypeError(
          `Cannot give quantiles with "${this.model.name}": expected a gaussian likelihood, found ${name}`,
        );
      }
      return QUANTILES.map(quantile);
    });
  }

  /**
   * Means and log-variances of each latent dimension under q(z | x).
   *
   * @param x [count, D], values from 0 to 1, or bytes
   * @param options The labels or covariates, for conditional models.
   * @returns mean and logVariance, [count, K] each
   */
  async encode(
    x: RowValues,
    options: ConditionOptions = {},
  ): Promise<{ mean: Float32Array<ArrayBuffer>; logVariance: Float32Array<ArrayBuffer> }> {
    return marginals(await this.posterior(x, options));
  }

  /**
   * q(z | x) with all that it is made of: for draws, densities and divergences on the host.
   *
   * @param x [count, D], values from 0 to 1, or bytes
   * @param options The labels or covariates, for conditional models.
   */
  async posterior(x: RowValues, options: ConditionOptions = {}): Promise<Encoded> {
    const rows = this.#rowsFrom("encode", x);
    const statistics = await this.#apply("encode", rows, this.features, options, (t, input, condition) => {
      const posterior = this.model.encode?.(t, this.parameters, input, this.config, condition);
      this.#covariance = posterior?.covariance;
      this.#hasDensity = posterior !== undefined && hasDensity(posterior);
      this.#hasRatio = posterior?.ratio !== undefined;
      return posterior ? [posterior.statistics] : [];
    });
    const count = rows.length / this.features;
    return { statistics, count, latents: this.latents, covariance: this.#covariance };
  }

  /**
   * A draw from q(z | x) of each row, what it decodes to, and its importance weight for p(z | what is observed of x).
   *
   * @param rows [N, 2 D]: the D values of a row, then for each 1 where it is observed and 0 where it is missing.
   * @throws {TypeError} If the posterior is no Gaussian.
   */
  async weightedDraws(
    rows: Float32Array,
    { seed = 0, ...given }: ConditionOptions & { readonly seed?: number } = {},
  ): Promise<WeightedDraws> {
    const { features, latents, parameters, config } = this;
    const out = await this.#apply("weigh draws", rows, 2 * features, { seed, ...given }, (t, input, condition) => {
      const { encode, decode, density } = this.model;
      if (!encode || !decode || density === "none") return [];
      const x = columnsOf(t, input, 0, features);
      const posterior = encode(t, parameters, x, config, condition);
      this.#covariance = posterior.covariance;
      if (!posterior.covariance) return [];
      const { z, kl } = posterior.draw({ divergence: "sampled" });
      const likelihood = decode(t, parameters, z, config, condition);
      const nll = likelihood.nll(x, columnsOf(t, input, features, features));
      const parts = [z, likelihood.mean(), likelihood.sample(), columnOf(t, nll), columnOf(t, kl)];
      return [concat(t, [...parts, posterior.statistics])];
    });
    const count = rows.length / (2 * features);
    const width = out.length / count;
    let first = 0;
    const next = (columns: number) => {
      const from = first;
      first += columns;
      const part = new Float32Array(count * columns);
      for (let row = 0; row < count; row++) {
        part.set(out.subarray(row * width + from, row * width + from + columns), row * columns);
      }
      return part;
    };
    const [z, mean, sample, nll, divergence] = [latents, features, features, 1, 1].map(next);
    const encoded = { statistics: next(width - first), count, latents, covariance: this.#covariance };
    return { encoded, z, mean, sample, nll, divergence };
  }

  /**
   * z ~ q(z | x), L draws for each row, and log q(z | x) - log p(z) of each.
   *
   * @param x [N, D], values from 0 to 1, or bytes
   * @returns z [N L, K] and the divergences [N L], nats; the draws of a row stand together.
   * @throws {TypeError} If draws have no density.
   */
  async posteriorDraws(
    x: RowValues,
    { samples = 1, seed = 0, ...given }: ConditionOptions & { readonly samples?: number; readonly seed?: number } = {},
  ): Promise<Pick<WeightedDraws, "z" | "divergence">> {
    const { features, latents, parameters, config } = this;
    const rows = this.#rowsFrom("draw from the posterior", x);
    const name = `draw from the posterior, ${samples} each`;
    const out = await this.#apply(name, rows, features, { seed, ...given }, (t, input, condition) => {
      const posterior = this.model.encode?.(t, parameters, input, config, condition);
      if (!posterior || !hasDensity(posterior)) return [];
      const { z, kl } = posterior.draw({ samples, divergence: "sampled" });
      return [reshape(t, concat(t, [z, columnOf(t, kl)]), samples * (latents + 1))];
    });
    const count = out.length / (latents + 1);
    const z = new Float32Array(count * latents);
    const divergence = Float32Array.from({ length: count }, (_, i) => {
      z.set(out.subarray(i * (latents + 1), (i + 1) * (latents + 1) - 1), i * latents);
      return out[(i + 1) * (latents + 1) - 1];
    });
    return { z, divergence };
  }

  /**
   * log N(z; 0, I) - log q(z | x) of given z, as many for each row.
   *
   * @param x [N, D], values from 0 to 1, or bytes
   * @param z [N L, K], those of a row together
   * @returns [N L], nats
   * @throws {TypeError} If the density of the posterior is not known at any z.
   */
  async posteriorRatios(
    x: RowValues,
    z: Float32Array,
    options: ConditionOptions = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    const { features, latents, parameters, config } = this;
    const rows = this.#rowsFrom("weigh latents", x);
    const count = rows.length / features;
    const width = z.length / count;
    const each = width / latents;
    if (!Number.isInteger(each)) {
      throw new RangeError(
        `Cannot weigh latents with "${this.model.name}": expected a multiple of ${count} rows of ${latents}, found ${z.length} values`,
      );
    }
    const both = new Float32Array(count * (features + width));
    for (let row = 0; row < count; row++) {
      both.set(rows.subarray(row * features, (row + 1) * features), row * (features + width));
      both.set(z.subarray(row * width, (row + 1) * width), row * (features + width) + features);
    }
    return await this.#apply(`weigh latents, ${each} each`, both, features + width, options, (t, input, condition) => {
      const x = columnsOf(t, input, 0, features);
      const posterior = this.model.encode?.(t, parameters, x, config, condition);
      if (!posterior?.ratio) return [];
      const given = reshape(t, columnsOf(t, input, features, width), latents);
      return [reshape(t, columnOf(t, posterior.ratio(given)), each)];
    });
  }

  /** Whether the density of the posterior is known at any z: what latent statistics need. */
  async hasPosteriorDensity(): Promise<boolean> {
    return await this.#bounds() && this.#hasRatio;
  }

  /** Whether draws of the posterior have a density and -(nll + kl) is a bound: what importance weights need. */
  async hasDensity(): Promise<boolean> {
    return await this.#bounds() && this.#hasDensity;
  }

  /** Whether the posterior is a Gaussian too: what imputation needs to weigh its chains. */
  async hasGaussianPosterior(): Promise<boolean> {
    return await this.#bounds() && this.#covariance !== undefined;
  }

  /** Whether -(nll + kl) may be a bound; if so, the posterior has been recorded. */
  async #bounds(): Promise<boolean> {
    this.check();
    const { encode, decode, density } = this.model;
    if (!encode || !decode || density === "none") return false;
    const condition = { labels: [0], covariates: this.data.covariates?.map(() => 0) };
    await this.posterior(new Float32Array(this.features), condition);
    return true;
  }

  /**
   * The mean of p(x | z) at the mean of q(z | x).
   *
   * @param x [count, D], values from 0 to 1, or bytes
   * @returns [count, D]
   */
  async reconstruct(x: RowValues, options: ConditionOptions = {}): Promise<Float32Array<ArrayBuffer>> {
    return await this.decode((await this.encode(x, options)).mean, options);
  }

  /**
   * Which codes every position of a datum has, for models with a codebook.
   *
   * @param x [count, D], values from 0 to 1, or bytes
   * @returns [count, P M], from 0 to K - 1, those of a position side by side
   * @throws {TypeError} If the model has none.
   */
  async codes(x: RowValues): Promise<Uint32Array<ArrayBuffer>> {
    return Uint32Array.from(
      await this.#apply("give codes", this.#rowsFrom("give codes", x), this.features, {}, (t, input) => {
        const { codes } = this.model;
        return codes ? [codes.record(t, this.parameters, input, this.config)] : [];
      }),
    );
  }

  /**
   * What is recorded from rows, by a program of this one call.
   *
   * @param x [count, D], values from 0 to 1
   * @param record Records a variable of as many rows as its input has.
   * @returns Row-major [count, columns].
   */
  async outputs(x: Float32Array, record: (t: Tape, x: Variable) => Variable): Promise<Float32Array<ArrayBuffer>> {
    const name = "give outputs";
    try {
      return await this.#apply(name, x, this.features, {}, (t, input) => [record(t, input)]);
    } finally {
      for (const rows of [FEW, MANY]) {
        const key = keyOf(name, rows);
        const mapping = this.#mappings.get(key);
        this.#mappings.delete(key);
        await mapping?.then(({ destroy }) => {
          this.#held.delete(destroy);
          destroy();
        }, () => {});
      }
    }
  }

  /** Means of the terms over the rows of a split, nats per datum. */
  async evaluate(split: SplitInput, options: EvaluateOptions = {}): Promise<Losses> {
    this.check();
    const { samples = 1, binarize = this.training.binarize, signal, seed = this.training.seed } = options;
    requireSeed(seed);
    if (!Number.isSafeInteger(samples) || samples < 1) {
      throw new RangeError(`Cannot evaluate: expected at least 1 sample, found ${samples}`);
    }
    const sweep = await evaluation({
      gpu: this.gpu,
      tiles: this.tiles,
      model: this.model as Model,
      config: this.config,
      parameters: this.parameters,
      data: this.data,
      split: this.admit("evaluate", split, binarize),
      binarize,
      rows: this.training.rows,
      seed,
      batchSize: this.training.batchSize,
      ranks: options.ranks,
    });
    try {
      const losses = await sweep.losses({ steps: this.progress.step, samples, signal });
      for (const [name, value] of Object.entries(losses)) {
        if (!Number.isFinite(value)) {
          throw new RangeError(
            `Cannot evaluate "${this.model.name}" on these rows: expected a finite ${name}, found ${value}`,
          );
        }
      }
      return losses;
    } finally {
      sweep.destroy();
    }
  }

  /**
   * Rows of a split as this model was given them in training: values from 0 to 1, binarized if it was.
   *
   * @returns [rows, D]
   */
  rowsOf(split: Split, from = 0, count: number = split.count - from, seed = 0): Float32Array<ArrayBuffer> {
    const { data: { shape, range }, features, training: { binarize } } = this;
    const rows = settledSplit("read rows", slice(split, from, from + count), shape, range?.kind);
    return readValues(rows, binarize, 0, new Float32Array(count * features), seed);
  }

  /**
   * Rows of a program as this model takes them.
   *
   * @param what What is to be done with them, for messages.
   * @throws {RangeError} If there are none, they do not fit the shape, a number is not finite, labels are missing, or the values are no
   * data of the likelihood; the message names the row and the column.
   */
  admit(what: string, split: SplitInput, binarize: Binarization = this.training.binarize): Split {
    const { shape, range } = this.data;
    const rows = settledSplit(what, split, shape, range?.kind);
    requireSupport(what, this.model as Model, this.config, summarizeValues(rows), binarize);
    return rows;
  }

  #rowsFrom(what: string, x: RowValues): Float32Array<ArrayBuffer> {
    return inputRows(`${what} with "${this.model.name}"`, x, this.features, this.data.range?.kind);
  }

  /** What the model is given besides, if anything. */
  get #condition(): Condition | undefined {
    return this.model.condition?.(this.config);
  }

  /**
   * Runs rows through a recorded mapping, some at a time and `steps` steps each; where it gives several matrices, their rows come in
   * turn.
   *
   * @throws {RangeError} If it gives a number that is not finite.
   */
  async #apply(
    name: string,
    values: Float32Array,
    columns: number,
    { seed = 0, ...given }: ConditionOptions & { readonly seed?: number },
    record: Recording,
    steps = 1,
  ): Promise<Float32Array<ArrayBuffer>> {
    this.check();
    const count = values.length / columns;
    if (count === 0 || !Number.isInteger(count)) {
      throw new RangeError(
        `Cannot ${name} with "${this.model.name}": expected rows of ${columns} values, found ${values.length} values`,
      );
    }
    requireSeed(seed);
    const kind = this.#condition;
    const conditions = kind && conditionRows(kind, count, given, this.data);
    const wanted = count >= MANY ? MANY : FEW;
    const key = keyOf(name, wanted);
    let mapping = this.#mappings.get(key);
    if (!mapping) {
      this.#mappings.set(key, mapping = this.#compile(name, wanted, columns, record, steps));
      // There may be memory for it another time.
      mapping.catch(() => this.#mappings.delete(key));
    }
    const { input, condition, outputs, program } = await mapping;
    const { rows } = input;
    const width = outputs[0].columns;
    const out = new Float32Array(count * outputs.length * width);
    let recorded = 0;
    const next = (): Chunk<void> | undefined => {
      if (recorded === count) return undefined;
      this.check();
      const from = recorded;
      const to = recorded = Math.min(from + rows, count);
      const scopes = this.gpu.scopes();
      scopes.within(() => {
        upload(this.gpu, input, values.subarray(from * columns, to * columns));
        if (condition) {
          upload(this.gpu, condition, conditions!.subarray(from * condition.columns, to * condition.columns));
        }
      });
      program.seek({ step: from / rows * steps, seed, count: rows, shuffle: false });
      const chunks: Chunk<unknown>[] = [];
      for (let left = steps; left > 0; left -= program.most) chunks.push(program.chunk(Math.min(left, program.most)));
      const copies = this.gpu.copies(outputs);
      return {
        submit() {
          for (const chunk of chunks) chunk.submit();
          copies.submit();
        },
        async read() {
          const results = await copies.read();
          for (const chunk of chunks) await chunk.read();
          await scopes.settle();
          for (const [i, result] of results.entries()) {
            const matrix = unpack(outputs[i], result, 0, to - from);
            if (outputs.length === 1) {
              out.set(matrix, from * width);
              continue;
            }
            for (let row = from; row < to; row++) {
              const first = (row - from) * width;
              out.set(matrix.subarray(first, first + width), (row * outputs.length + i) * width);
            }
          }
        },
      };
    };
    await Array.fromAsync(inTurn(this.gpu, next));
    requireFinite(out, `what "${this.model.name}" gives to ${name}`);
    return out;
  }

  async #compile(name: string, rows: number, columns: number, record: Recording, steps: number): Promise<Mapping> {
    const scopes = this.gpu.scopes();
    const kind = this.#condition;
    const { state, tape } = scopes.within(() => {
      const state = createState(this.gpu);
      return { state, tape: new Tape(this.gpu, rows, this.tiles, state) };
    });
    try {
      const { input, condition, results, compiled } = scopes.within(() => {
        const input = tape.variable("input", columns);
        const condition = kind && tape.variable("condition", conditionColumns(kind, this.data));
        const results = record(tape, input, condition);
        if (!results.length) throw new TypeError(`Cannot ${name} with "${this.model.name}": it has no such part`);
        if (steps > 1) advance(tape, 1);
        return { input, condition, results, compiled: tape.compile([]) };
      });
      await scopes.settle();
      await this.parameters.settle();
      const program = await Program.create(tape, compiled);
      const destroy = () => {
        program.destroy();
        state.destroy();
      };
      this.#held.add(destroy);
      // Destroyed while it compiled.
      if (this.#destroyed) destroy();
      return {
        input: tape.tensor(input),
        ...(condition ? { condition: tape.tensor(condition) } : {}),
        outputs: results.map((result) => tape.tensor(result)),
        program,
        destroy,
      };
    } catch (error) {
      tape.destroy();
      state.destroy();
      // So many rows of a wide model may be more than a buffer can hold, or than there is memory for.
      if ((error instanceof RangeError || error instanceof GpuError) && rows > FEW) {
        return await this.#compile(name, FEW, columns, record, steps);
      }
      throw error;
    }
  }

  /**
   * The checkpoint's bytes. `save` of `@elbo/elbo/files` writes
   * them to a path.
   *
   * @param options Whether to keep what only the optimizer needs to go on. Default: true.
   */
  async toBytes({ optimizer = true }: { readonly optimizer?: boolean } = {}): Promise<Uint8Array<ArrayBuffer>> {
    this.check();
    const { model, config, training, data, progress, tuned } = this;
    return encodeCheckpoint({
      model: model.name,
      config: config as Record<string, unknown>,
      training,
      data,
      progress,
      adapter: this.gpu.adapter,
      tiles: tilesName(this.tiles),
      ...(Object.keys(tuned).length ? { tuned } : {}),
    }, await this.parameters.read({ slots: optimizer }));
  }

  /** Frees what it holds on the GPU, and the device if it opened it. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const destroy of this.#held) destroy();
    this.parameters.destroy();
    if (this.ownsGpu) this.gpu.destroy();
  }

  /** The same as {@linkcode Trained.destroy}. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}
