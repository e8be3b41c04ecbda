/**
 * The training loop, for every model: by gradient or by a fit of its own. It yields events and prints nothing.
 *
 * @module
 */

import type { Checkpoint } from "./checkpoint.ts";
import { descent } from "./descent.ts";
import { type Dataset, dataShape, features, slice, type Split } from "../dataset.ts";
import { type DataSummary, describeData } from "../description.ts";
import { Gpu } from "../gpu/device.ts";
import { type LatentUse, latentUse } from "../distributions/encoded.ts";
import type { Losses, TrainingEvent } from "./events.ts";
import { fitSettings, fitting } from "./fitting.ts";
import type { Model } from "../model.ts";
import { Parameters, requireShapes, type Snapshot } from "../graph/parameters.ts";
import { AVERAGE_SLOT } from "../optimizers/mod.ts";
import { configure } from "../settings.ts";
import { type DatasetInput, settled, summarizeValues } from "../values.ts";
import { tilesName, type TunedTiles } from "../products/tiles.ts";
import { mapped, type Optimization } from "./optimization.ts";
import { evaluation, type Sweep } from "./sweep.ts";
import { requireSupport } from "./support.ts";
import { Trained } from "./trained.ts";
import type { TrainingStep } from "./training_program.ts";
import {
  initializersOf,
  optimizerOf,
  type TrainingConfig,
  trainingSettings,
  trainingSteps,
} from "./training_settings.ts";

/** What {@linkcode train} takes besides the configuration. */
export interface TrainOptions {
  /** Where to train; default: the best adapter. */
  readonly gpu?: Gpu;
  /** The caller's own device, in place of `gpu`. */
  readonly device?: GPUDevice;
  /**
   * Finds which tiles are fastest for a training, once it is known what is trained. Without it a rule says which. A resumed training
   * has those of its checkpoint, and models that fit themselves those of the rule.
   *
   * ```ts ignore
   * train(vae, dataset, { hidden: [500] }, { tune: async (step) => tunedTiles(await tuneTraining(step)) });
   * ```
   */
  readonly tune?: (step: TrainingStep) => Promise<TunedTiles | undefined>;
  /** Ends the training after the steps under way; the end event then says `stopped`. */
  readonly signal?: AbortSignal;
  /** Goes on from here. The model's and the data's configuration are then the checkpoint's; `epochs` may be raised. */
  readonly resume?: Checkpoint;
}

/** A training: iterate over it for its events. Between two events nothing else touches the parameters. */
export interface Training<C extends object> extends AsyncIterable<TrainingEvent> {
  /**
   * The model as it stands. Its parameters are those of the event last seen for `epoch` and `end` events: the averages, where the
   * optimizer keeps any, while between them, at `progress` events, they are the weights that are being trained.
   *
   * @throws {Error} Before the first event.
   */
  readonly trained: Trained<C>;
}

/** Validation rows that are encoded after an epoch, to see which latents are in use. */
const LATENT_ROWS = 256;

/** Splits a flat configuration into the training's and the model's part, and checks both. */
export function configureTraining<C extends object>(
  model: Model<C>,
  values: Partial<TrainingConfig & C>,
): { training: TrainingConfig; config: C } {
  const forTraining: Record<string, unknown> = {};
  const forModel: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    (name in trainingSettings && !(name in model.settings) ? forTraining : forModel)[name] = value;
  }
  const config = configure(model.settings, forModel as Partial<C>, `model "${model.name}"`);
  model.check?.(config);
  const training = configure(trainingSettings, forTraining, "the training");
  // An optimizer without a meaning is refused here, before there is anything that would be left behind.
  optimizerOf(training, 1);
  return { training, config };
}

/**
 * Trains a model on a dataset.
 *
 * ```ts ignore
 * const training = train(vae, dataset, { hidden: [500], latents: 20, epochs: 10 });
 * for await (const event of training) if (event.event === "epoch") console.log(event.epoch, event.train.elbo);
 * const images = await training.trained.sample({ count: 16 });
 * ```
 *
 * @param model A model of `models/`, or one of your own.
 * @param dataset Rows in memory; they are copied to the GPU once. Arrays of bytes stand for value / 255, others for themselves.
 * @param config Settings of the training and of the model together; what is left out takes its default.
 * @throws {RangeError} On a setting that does not fit, or values that are no data of the likelihood, before anything is trained.
 */
export function train<C extends object>(
  model: Model<C>,
  dataset: DatasetInput,
  config: Partial<TrainingConfig & C> = {},
  options: TrainOptions = {},
): Training<C> {
  const trainer = new Trainer(model, dataset, config, options);
  return {
    [Symbol.asyncIterator]: () => trainer.run(),
    get trained() {
      return trainer.trained;
    },
  };
}

class Trainer<C extends object> {
  readonly #model: Model<C>;
  readonly #dataset: Dataset;
  readonly #options: TrainOptions;
  readonly #training: TrainingConfig;
  readonly #config: C;
  readonly #count: number;
  readonly #validation: number;
  readonly #summary: DataSummary;
  #trained: Trained<C> | undefined;

  constructor(model: Model<C>, input: DatasetInput, values: Partial<TrainingConfig & C>, options: TrainOptions) {
    const { resume } = options;
    const dataset = settled(input);
    const range = summarizeValues(dataset.train, dataset.test);
    const isFloat = range.type === "floats";
    const asked = resume ? { ...resume.training, ...resume.config as Partial<C>, ...values } : values;
    const choice = resume ? undefined : model.choose?.(dataShape(dataset), range, asked);
    const given = {
      ...choice?.binarize && { binarize: choice.binarize },
      ...choice?.config,
      ...asked,
    };
    const { training: told, config } = configureTraining(model, given as Partial<TrainingConfig & C>);
    // Only what is a distribution of bits wants bits, and floats are not made into any, unless that was asked for.
    const asTheyAre = isFloat || (model.support?.(config) ?? "binary") !== "binary";
    const seen = asTheyAre && given.binarize === undefined ? { ...told, binarize: "none" as const } : told;
    const training = model.fit ? fitSettings(seen, model.name, model.fitIterations?.(config)) : seen;
    if (!resume) requireSupport(`train on "${dataset.name}"`, model as Model, config, range, training.binarize);
    const all = dataset.train.count;
    // A default that was not asked for must not eat up a small dataset.
    const validation = "validation" in asked ? training.validation : Math.min(training.validation, Math.floor(all / 6));
    if (validation >= all) {
      throw new RangeError(
        `Cannot validate on ${validation} rows: expected fewer than the ${all} training rows of "${dataset.name}"`,
      );
    }
    const count = all - validation;
    const batchSize = Math.min(training.batchSize, count);
    // A fit sweeps over all rows, whatever the batch.
    const shrank = batchSize < training.batchSize && !model.fit;
    const remarks = [
      ...choice ? [choice.why] : [],
      ...shrank ? [`batches of ${batchSize}, all rows, in place of ${training.batchSize}`] : [],
    ];
    if (resume) requireSame(resume, model, dataset, count);
    // Before there is a GPU, a run folder or anything else that would be left behind.
    else requireShapes(model.parameters(config, dataShape(dataset)));
    this.#model = model;
    this.#dataset = dataset;
    this.#options = options;
    this.#training = { ...training, batchSize, validation };
    this.#config = config;
    this.#count = count;
    this.#validation = validation;
    const summary = describeData(dataset, count, validation, range);
    this.#summary = remarks.length ? { ...summary, remarks: [...summary.remarks ?? [], ...remarks] } : summary;
  }

  get trained(): Trained<C> {
    if (!this.#trained) throw new Error("Cannot give the trained model: expected the training to have begun");
    return this.#trained;
  }

  /** The number of steps after which an epoch is complete. */
  #stepsUntil(epoch: number): number {
    return trainingSteps({ ...this.#training, epochs: epoch }, this.#count);
  }

  async *run(): AsyncGenerator<TrainingEvent> {
    const { resume, signal } = this.#options;
    const { epochs } = this.#training;
    const trained = await this.#begin();
    const { gpu, tiles, parameters } = trained;
    const start = resume?.progress.step ?? 0;
    const optimization = await this.#optimization(trained);
    const validation = await this.#validationOf(trained);
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1000;
    const stop = () => signal?.aborted ?? false;
    // Where an optimizer averages the weights, the averages are the model's weights while it rests, and a slot holds those that go on
    // being trained.
    let resting = true;
    const rest = (wanted: boolean) => {
      if (resting !== wanted) parameters.exchange(AVERAGE_SLOT);
      resting = wanted;
    };
    if (!resume) parameters.copyTo(AVERAGE_SLOT);
    let snapshot: Snapshot | undefined;
    let snapshotStep = start;
    const diverged = async (): Promise<Error> => {
      snapshot!.restore();
      resting = true;
      rest(false);
      const error = await optimization.diverged(snapshotStep);
      // The search may have repeated the steps: what is left behind is what was last good.
      snapshot!.restore();
      resting = true;
      return error;
    };

    // The scale of columns is no setting: the checkpoint has it.
    const { scaling: _, ...shape } = dataShape(this.#dataset);
    try {
      yield {
        event: "start",
        adapter: gpu.adapter,
        model: this.#model.name,
        dataset: this.#dataset.name,
        data: this.#summary,
        parameters: parameters.count,
        config: { ...this.#training, ...this.#config, tiles: tilesName(tiles), ...shape },
        step: start,
        epochs,
        stepsPerEpoch: this.#stepsUntil(1),
      };
      await optimization.begin();
      snapshot = parameters.snapshot();
      let last: { train: Losses; validation?: Losses; samplesPerSecond: number } = {
        train: optimization.train,
        samplesPerSecond: 0,
      };
      let epoch = 1;
      while (this.#stepsUntil(epoch) <= start && epoch <= epochs) epoch++;
      for (; epoch <= epochs; epoch++) {
        const end = this.#stepsUntil(epoch);
        rest(false);
        const reached = yield* mapped(
          optimization.advance({ epoch, end, stop }),
          ({ epoch, step, ...measured }): TrainingEvent => ({
            event: "progress",
            epoch,
            step,
            steps: this.#stepsUntil(epochs),
            ...measured,
            seconds: seconds(),
          }),
        );
        if (reached === "diverged") throw await diverged();
        rest(true);
        // What is left of an epoch that was stopped is nothing, or its steps so far.
        if (!reached) snapshot.restore();
        else last = { train: reached.train, samplesPerSecond: reached.samplesPerSecond };
        if (optimization.step < end) break;

        if (validation) {
          last.validation = await validation.losses({ steps: end });
          // The last update of an epoch is seen here first; what it made must not become a checkpoint.
          if (!Number.isFinite(last.validation.loss)) throw await diverged();
        }
        trained.progress = await optimization.progress();
        snapshot = parameters.snapshot(snapshot);
        snapshotStep = end;
        const latents = await this.#latents(trained);
        yield { event: "epoch", epoch, step: end, ...last, ...(latents ? { latents } : {}), seconds: seconds() };
      }
      const { step } = optimization;
      const stopped = step < this.#stepsUntil(epochs);
      if (stopped) trained.progress = await optimization.progress();
      yield { event: "end", epochs: epoch - 1, step, ...last, seconds: seconds(), stopped };
    } finally {
      rest(true);
      for (const copy of snapshot?.copies ?? []) copy.destroy();
      optimization.destroy();
      validation?.destroy();
    }
  }

  /** What improves the parameters, from where the training stands. */
  async #optimization(trained: Trained<C>): Promise<Optimization> {
    const { resume } = this.#options;
    const config = this.#config;
    const model = this.#model as Model;
    if (model.fit) {
      const step = resume?.progress.step ?? 0;
      return fitting({ model, config, dataset: this.#dataset, trained: trained as Trained, count: this.#count, step });
    }
    const { gpu, tiles, parameters } = trained;
    const split = slice(this.#dataset.train, 0, this.#count);
    const training = this.#training;
    return await descent({ gpu, tiles, model, config, training, parameters, data: this.#dataset, split }, resume);
  }

  /** The sweep that measures validation rows, if there are any. */
  async #validationOf({ gpu, tiles, parameters }: Trained<C>): Promise<Sweep | undefined> {
    if (this.#validation === 0) return undefined;
    const { binarize, rows, seed, batchSize } = this.#training;
    return await evaluation({
      ...{ gpu, tiles, parameters, binarize, rows, seed, batchSize },
      model: this.#model as Model,
      config: this.#config,
      data: this.#dataset,
      split: slice(this.#dataset.train, this.#count, this.#count + this.#validation),
    });
  }

  /** How the latents are used on some validation rows, for models trained by gradient with a Gaussian posterior. */
  async #latents(trained: Trained<C>): Promise<LatentUse | undefined> {
    const { encode, latents, fit } = this.#model;
    if (this.#validation === 0 || !encode || !latents || fit || !trained.hasStandardPrior) return undefined;
    const to = Math.min(this.#count + this.#validation, this.#count + LATENT_ROWS);
    const rows: Split = slice(this.#dataset.train, this.#count, to);
    const encoded = await trained.posterior(trained.rowsOf(rows), rows);
    return encoded.covariance && latentUse(encoded);
  }

  /** Opens the GPU and gives the parameters their first values, or the checkpoint's. */
  async #begin(): Promise<Trained<C>> {
    const { resume, gpu, device } = this.#options;
    if (resume) {
      const trained = await Trained.fromCheckpoint(this.#model, { ...resume, training: this.#training }, {
        gpu,
        device,
      });
      return this.#trained = trained;
    }
    const { name, seed, settings } = this.#dataset;
    const opened = gpu ?? (device ? new Gpu(device, device.adapterInfo) : await Gpu.open());
    const data = {
      name,
      ...dataShape(this.#dataset),
      ...(seed === undefined ? {} : { seed }),
      ...(settings ? { settings } : {}),
      count: this.#count,
      range: this.#summary.range,
    };
    const tuned = this.#model.fit ? undefined : await this.#options.tune?.({
      gpu: opened,
      model: this.#model as Model,
      config: this.#config,
      training: this.#training,
      data: this.#dataset,
      split: slice(this.#dataset.train, 0, this.#training.batchSize),
    });
    const parameters = new Parameters(opened, this.#model.parameters(this.#config, data));
    parameters.initialize(initializersOf(this.#training), this.#training.seed);
    const progress = { step: 0, sums: [], steps: 0 };
    const trained = this.#trained = new Trained(
      opened,
      this.#model,
      this.#config,
      this.#training,
      data,
      parameters,
      progress,
      !gpu && !device,
      tuned,
    );
    await this.#model.start?.({
      parameters,
      batchSize: this.#training.batchSize,
      seed: this.#training.seed,
      count: this.#count,
      outputs: (rows, record) => trained.outputs(trained.rowsOf(rowsAt(this.#dataset, rows)), record),
    }, this.#config);
    return trained;
  }
}

/** Training rows of these numbers. */
function rowsAt({ train, shape }: Dataset, rows: readonly number[]): Split {
  const width = features(shape);
  const values = train.values.slice(0, rows.length * width);
  rows.forEach((row, i) => values.set(train.values.subarray(row * width, (row + 1) * width), i * width));
  return { values, count: rows.length };
}

function requireSame(resume: Checkpoint, model: { readonly name: string }, dataset: Dataset, count: number): void {
  const found = { model: model.name, rows: count, features: features(dataset.shape) };
  const expected = { model: resume.model, rows: resume.data.count, features: features(resume.data.shape) };
  for (const key of ["model", "rows", "features"] as const) {
    if (found[key] !== expected[key]) {
      throw new RangeError(`Cannot resume "${resume.file}": expected ${key} ${expected[key]}, found ${found[key]}`);
    }
  }
}
