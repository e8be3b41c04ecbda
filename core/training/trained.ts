/**
 * A model with its parameters: sampling, encoding, decoding, reconstructing, evaluating. Values
 * go in and come out as row-major Float32Arrays.
 *
 * @module
 */

import { more } from "../by_need.ts";
import { requireSeed } from "../bounds.ts";
import type { Checkpoint, DataDescription, Progress } from "./checkpoint.ts";
import type { Digest } from "./digest.ts";
import { type Dataset, features, slice, type Split } from "../dataset.ts";
import { Gpu, GpuError } from "../gpu/device.ts";
import { type Encoded, marginals } from "../distributions/encoded.ts";
import { readValues } from "./pixels.ts";
import { evaluation } from "./sweep.ts";
import type { Losses } from "./events.ts";
import type { ConditionOptions } from "./batch.ts";
import { Mappings } from "./mapping.ts";
import type { SampleOptions, WeightedDraws } from "./sampling.ts";
import type { Model } from "../model.ts";
import type { Binarization } from "../ops/gather.ts";
import type { Ranks } from "../graph/ranks.ts";
import { Parameters } from "../graph/parameters.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { defaults } from "../settings.ts";
import { chooseTiles, type Tiles, tilesName, type TunedTiles } from "../products/tiles.ts";
import { requireSupport } from "./support.ts";
import type { TrainingConfig } from "./training_settings.ts";
import { inputRows, type RowValues, settledSplit, type SplitInput, summarizeValues } from "../values.ts";

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

/** A model and its parameters on a GPU. */
export class Trained<C extends object = object> {
  /** Tiles of its matrix products. */
  readonly tiles: Tiles;
  readonly #mappings: Mappings;
  readonly #rows: Pick<Dataset, "train" | "test" | "shape"> | undefined;
  #destroyed = false;
  #digest: Digest | undefined;

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
    /** What it is trained on, for a digest where `data` has none. */
    rows: Pick<Dataset, "train" | "test" | "shape"> | undefined = undefined,
  ) {
    this.#rows = rows;
    this.tiles = chooseTiles(gpu, training.tiles, tuned);
    this.#mappings = new Mappings(this as Trained);
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
    // Without its settings nobody can say what it needs; what is wrong with them is told as it is.
    await model.missing?.({ ...defaults(model.settings), ...checkpoint.config as Partial<C> })?.();
    const { requireFit } = await more.load();
    const { config, shapes } = requireFit(model, checkpoint);
    const { training, data, progress } = checkpoint;
    const gpu = options.gpu ?? await (options.device ? Gpu.of(options.device) : Gpu.open());
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
    return await (await more.load()).sample(this.#mappings, options);
  }

  /**
   * z ~ N(0, temperature² I), or of the model's own prior; conditions as in {@linkcode Trained.sample}
   *
   * @returns [count, K]
   */
  async drawPrior(options: Omit<SampleOptions, "draw"> = {}): Promise<Float32Array<ArrayBuffer>> {
    this.check();
    return await (await more.load()).drawPrior(this.#mappings, options);
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
    options: Omit<SampleOptions, "count" | "temperature"> = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    return await (await more.load()).decode(this.#mappings, z, options);
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
    return await this.#mappings.posterior(rows, options);
  }

  /**
   * A draw from q(z | x) of each row, what it decodes to, and its importance weight for p(z | what is observed of x).
   *
   * @param rows [N, 2 D]: the D values of a row, then for each 1 where it is observed and 0 where it is missing.
   * @throws {TypeError} If the posterior is no Gaussian.
   */
  async weightedDraws(
    rows: Float32Array,
    options: ConditionOptions & { readonly seed?: number } = {},
  ): Promise<WeightedDraws> {
    return await (await more.load()).weightedDraws(this.#mappings, rows, options);
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
    options: ConditionOptions & { readonly samples?: number; readonly seed?: number } = {},
  ): Promise<Pick<WeightedDraws, "z" | "divergence">> {
    const rows = this.#rowsFrom("draw from the posterior", x);
    return await (await more.load()).posteriorDraws(this.#mappings, rows, options);
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
    const rows = this.#rowsFrom("weigh latents", x);
    return await (await more.load()).posteriorRatios(this.#mappings, rows, z, options);
  }

  /** Whether the density of the posterior is known at any z: what latent statistics need. */
  async hasPosteriorDensity(): Promise<boolean> {
    return (await this.#bounds())?.hasRatio ?? false;
  }

  /** Whether draws of the posterior have a density and -(nll + kl) is a bound: what importance weights need. */
  async hasDensity(): Promise<boolean> {
    return (await this.#bounds())?.hasDensity ?? false;
  }

  /** Whether the posterior is a Gaussian too: what imputation needs to weigh its chains. */
  async hasGaussianPosterior(): Promise<boolean> {
    return (await this.#bounds())?.covariance !== undefined;
  }

  /** The mappings, with the posterior recorded, where -(nll + kl) may be a bound. */
  async #bounds(): Promise<Mappings | undefined> {
    this.check();
    const { encode, decode, density } = this.model;
    if (!encode || !decode || density === "none") return undefined;
    const condition = { labels: [0], covariates: this.data.covariates?.map(() => 0) };
    await this.posterior(new Float32Array(this.features), condition);
    return this.#mappings;
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
    const rows = this.#rowsFrom("give codes", x);
    return Uint32Array.from(
      await this.#mappings.apply("give codes", rows, this.features, {}, (t, input) => {
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
    return await this.#mappings.outputs(x, record);
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

  /**
   * The checkpoint's bytes. `save` of `@elbo/elbo/files` writes
   * them to a path.
   *
   * @param options Whether to keep what only the optimizer needs to go on. Default: true.
   */
  async toBytes({ optimizer = true }: { readonly optimizer?: boolean } = {}): Promise<Uint8Array<ArrayBuffer>> {
    this.check();
    const { model, config, training, progress, tuned } = this;
    const { digestOf, encodeCheckpoint } = await more.load();
    const digest = this.data.digest ?? (this.#digest ??= this.#rows && digestOf(this.#rows));
    const data = { ...this.data, ...(digest ? { digest } : {}) };
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
    this.#mappings.destroy();
    this.parameters.destroy();
    if (this.ownsGpu) this.gpu.destroy();
  }

  /** The same as {@linkcode Trained.destroy}. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}
