/**
 * The training loop, for every model: by gradient or by a fit of its own. It yields events and prints nothing.
 *
 * @module
 */

import { more } from "../by_need.ts";
import type { Checkpoint, Progress } from "./checkpoint.ts";
import { descent } from "./descent.ts";
import type { Digest } from "./digest.ts";
import { type Dataset, dataShape, pick, slice, type Split } from "../dataset.ts";
import { type DataSummary, describeData } from "../description.ts";
import { Gpu } from "../gpu/device.ts";
import { type LatentUse, latentUse } from "../distributions/encoded.ts";
import type { Sighting } from "./divergence.ts";
import type { Losses, TrainingEvent } from "./events.ts";
import type { Model } from "../model.ts";
import { Parameters, requireShapes, type Snapshot } from "../graph/parameters.ts";
import { LAST_STEP } from "../graph/program.ts";
import { AVERAGE_SLOT } from "../optimizers/adam.ts";
import { ALONE, type Ranks } from "../graph/ranks.ts";
import { configure } from "../settings.ts";
import { type DatasetInput, settle } from "../values.ts";
import { tilesName, type TunedTiles } from "../products/tiles.ts";
import { mapped, type Optimization, type Reached } from "./optimization.ts";
import { type BestEpoch, isExhausted } from "./patience.ts";
import { evaluation, type Sweep } from "./sweep.ts";
import { requireSupport } from "./support.ts";
import { Trained } from "./trained.ts";
import type { TrainingStep } from "./training_program.ts";
import {
  fitSettings,
  initializersOf,
  missingOptimizer,
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
  /**
   * How many seconds a chunk of steps should take, asked before each: the GPU is free for other work between two. Default 0.08; with 0
   * each chunk is one step.
   */
  readonly chunkSeconds?: () => number;
  /**
   * Processes that train the model together, of which each is given the same model, data and settings: a batch is divided among them, so
   * its size is that of all. They come to the same parameters, up to the order of sums those of one process.
   */
  readonly ranks?: Ranks;
  /** Goes on from here. The settings are then the checkpoint's: `epochs` may be raised, others given must be the same. */
  readonly resume?: Checkpoint;
  /** Starts a new training from these weights, with the settings of their training but for those given, or on other data of the shape. */
  readonly from?: Checkpoint;
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
  /**
   * Changes settings while the training goes on, from the next chunk of steps: what the loss is (weights, free bits, capacity, ...), the
   * learning rate and its schedule, clipping, the number of epochs. The checkpoint then has the new ones, and the means of the epoch in
   * progress begin anew.
   *
   * @throws {RangeError} If a setting does not fit, or cannot change while a model is trained: one that changes shapes, rows or seeds.
   */
  adjust(config: Partial<TrainingConfig & C>): void;
}

/** Validation rows that are encoded after an epoch, to see which latents are in use. */
const LATENT_ROWS = 256;

/** Settings of a training that may change while it goes on. */
const ADJUSTABLE: readonly (keyof TrainingConfig)[] = [
  "epochs",
  "learningRate",
  "learningRateSchedule",
  "learningRateSteps",
  "learningRateFactor",
  "weightDecay",
  "biasLearningRate",
  "clipNorm",
  "clipValue",
];

/**
 * Splits a flat configuration into the training's and the model's part, and checks both.
 *
 * @returns Both, and what must be loaded before their meaning can be checked, where something must.
 */
export function configureTraining<C extends object>(
  model: Model<C>,
  values: Partial<TrainingConfig & C>,
): { training: TrainingConfig; config: C; missing?: () => Promise<unknown> } {
  const forTraining: Record<string, unknown> = {};
  const forModel: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    (name in trainingSettings && !(name in model.settings) ? forTraining : forModel)[name] = value;
  }
  const config = configure(model.settings, forModel as Partial<C>, `model "${model.name}"`);
  const training = configure(trainingSettings, { ...model.training, ...forTraining }, "the training");
  const missing = model.missing?.(config) ?? missingOptimizer(training);
  if (missing) return { training, config, missing };
  model.check?.(config);
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
 * @throws {RangeError} On a setting that does not fit or that a resumed training was not begun with, or values that are no data of the
 * likelihood, before anything is trained.
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
    adjust: (config) => trainer.adjust(config),
  };
}

class Trainer<C extends object> {
  readonly #model: Model<C>;
  readonly #input: DatasetInput;
  readonly #values: Partial<TrainingConfig & C>;
  readonly #options: TrainOptions;
  /** What must be loaded before it is known what is trained. */
  #missing: (() => Promise<unknown>) | undefined;
  #dataset!: Dataset;
  #training!: TrainingConfig;
  #config!: C;
  /** Settings to go on by, from the next chunk on. */
  #adjusted: { readonly training: TrainingConfig; readonly config: C } | undefined;
  /** Finds {@linkcode Trainer.#adjusted}, where that needs something that is not loaded yet. */
  #adjusting: (() => Promise<void>) | undefined;
  #count!: number;
  #validation!: number;
  /** What the data are recognized by, where that is loaded: else it is found when a checkpoint is made. */
  #digest: Digest | undefined;
  #summary!: DataSummary;
  #trained: Trained<C> | undefined;

  constructor(model: Model<C>, input: DatasetInput, values: Partial<TrainingConfig & C>, options: TrainOptions) {
    this.#model = model;
    this.#input = input;
    this.#values = values;
    this.#options = options;
    this.#missing = this.#settle();
  }

  /** Settles what is trained on what. Where that needs something that is not loaded yet, it gives what loads it. */
  #settle(): (() => Promise<unknown>) | undefined {
    const [model, values, { resume, from }] = [this.#model, this.#values, this.#options];
    if ((resume || from || this.#ranks.size > 1) && more.missing) return more.missing;
    const { dataset, range } = settle(this.#input);
    const digest = this.#digest = more.missing ? undefined : more.now.digestOf(dataset);
    const isFloat = range.type === "floats";
    const asked = resume
      ? { ...resume.training, ...resume.config as Partial<C>, ...values }
      : from
      ? { ...more.now.settingsOf(from, model as Model, digest!), ...values }
      : values;
    const choice = resume || from ? undefined : model.choose?.(dataShape(dataset), range, asked);
    const given = {
      ...choice?.binarize && { binarize: choice.binarize },
      ...choice?.config,
      ...asked,
    };
    const { training: told, config, missing } = configureTraining(model, given as Partial<TrainingConfig & C>);
    if (missing) return missing;
    if (from) more.now.requireStart(from, model, config, dataset);
    // Only what is a distribution of bits wants bits, and floats are not made into any, unless that was asked for.
    const asTheyAre = isFloat || (model.support?.(config) ?? "binary") !== "binary";
    const seen = asTheyAre && given.binarize === undefined ? { ...told, binarize: "none" as const } : told;
    const training = model.fit ? fitSettings(seen, model.name, model.fitIterations?.(config)) : seen;
    if (resume?.data.shape.join() === dataset.shape.join()) {
      more.now.requireSameData(resume!, dataset, digest!);
    }
    if (!resume) requireSupport(`train on "${dataset.name}"`, model as Model, config, range, training.binarize);
    const all = dataset.train.count;
    // A default that was not asked for must not eat up a small dataset.
    const validation = "validation" in asked ? training.validation : Math.min(training.validation, Math.floor(all / 6));
    if (validation >= all) {
      throw new RangeError(
        `Cannot validate on ${validation} rows: expected fewer than the ${all} training rows of "${dataset.name}"`,
      );
    }
    if (training.patience > 0 && validation === 0) {
      throw new RangeError("Cannot stop early: expected validation rows to go by (patience), found none held out");
    }
    const count = all - validation;
    const ranks = this.#ranks;
    const batchSize = Math.min(training.batchSize, Math.floor(count / ranks.size) * ranks.size);
    if (ranks.size > 1) more.now.requireDivides(ranks, { ...training, batchSize }, model as Model, count);
    // A fit sweeps over all rows, whatever the batch.
    const shrank = batchSize < training.batchSize && !model.fit;
    const steps = trainingSteps({ ...training, batchSize }, count);
    if (steps > LAST_STEP) {
      throw new RangeError(
        `Cannot train for ${training.epochs} epochs: expected at most ${LAST_STEP} steps, found ${steps}`,
      );
    }
    const remarks = [
      ...choice ? [choice.why] : [],
      ...shrank ? [`batches of ${batchSize}, all rows, in place of ${training.batchSize}`] : [],
    ];
    if (resume) more.now.requireSame(resume, model, dataset, { ...values, rows: count });
    // Before there is a GPU, a run folder or anything else that would be left behind.
    else requireShapes(model.parameters(config, dataShape(dataset)));
    this.#dataset = dataset;
    this.#training = { ...training, batchSize, validation };
    this.#config = config;
    this.#count = count;
    this.#validation = validation;
    const summary = describeData(dataset, count, validation, range);
    this.#summary = remarks.length ? { ...summary, remarks: [...summary.remarks ?? [], ...remarks] } : summary;
    return undefined;
  }

  get #ranks(): Ranks {
    return this.#options.ranks ?? ALONE;
  }

  get trained(): Trained<C> {
    if (!this.#trained) throw new Error("Cannot give the trained model: expected the training to have begun");
    return this.#trained;
  }

  adjust(values: Partial<TrainingConfig & C>): void {
    if (this.#missing) throw new Error("Cannot adjust the training: expected it to have begun");
    const missing = this.#adjust(values);
    if (!missing) return;
    const before = this.#adjusting;
    this.#adjusting = async () => {
      await before?.();
      await missing();
      this.#adjust(values);
    };
  }

  /** Adjusts it, or gives what must be loaded before. */
  #adjust(values: Partial<TrainingConfig & C>): (() => Promise<unknown>) | undefined {
    const from = this.#adjusted ?? { training: this.#training, config: this.#config };
    const name = this.#model.name;
    if (this.#ranks.size > 1) {
      throw new RangeError(`Cannot adjust the training of "${name}": ${this.#ranks.size} ranks train it`);
    }
    if (this.#model.fit) throw new RangeError(`Cannot adjust the training of "${name}": it is not one by gradient`);
    const asked = { ...from.training, ...from.config, ...values };
    const { training, config, missing } = configureTraining(this.#model, asked);
    const keys = Object.keys(training) as (keyof TrainingConfig)[];
    const fixed = keys.find((key) => !ADJUSTABLE.includes(key) && training[key] !== this.#training[key]);
    if (fixed) throw new RangeError(`Cannot adjust ${fixed}: it is fixed once a training has begun`);
    if (missing) return missing;
    const shapes = (of: C) => JSON.stringify(this.#model.parameters(of, dataShape(this.#dataset)));
    if (shapes(config) !== shapes(this.#config)) {
      const changed = Object.keys(values).filter((key) => key in this.#model.settings);
      throw new RangeError(`Cannot adjust ${changed.join(", ")}: the parameters would have other shapes`);
    }
    this.#adjusted = { training, config };
    return undefined;
  }

  /** The number of steps after which an epoch is complete. */
  #stepsUntil(epoch: number): number {
    return trainingSteps({ ...this.#training, epochs: epoch }, this.#count);
  }

  get #isAdjusted(): boolean {
    return this.#adjusted !== undefined || this.#adjusting !== undefined;
  }

  async *run(): AsyncGenerator<TrainingEvent> {
    const { resume, signal } = this.#options;
    while (this.#missing) {
      await this.#missing();
      this.#missing = this.#settle();
    }
    const epochs = () => this.#training.epochs;
    const trained = await this.#begin();
    const { gpu, tiles, parameters } = trained;
    const start = resume?.progress.step ?? 0;
    const optimization = await this.#optimization(trained);
    let validation = await this.#validationOf(trained).catch((error) => {
      optimization.destroy();
      throw error;
    });
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1000;
    const stop = () => {
      trained.check();
      return signal?.aborted ?? false;
    };
    // Where an optimizer averages the weights, the averages are the model's weights while it rests, and a slot holds those that go on
    // being trained.
    let resting = true;
    const rest = (wanted: boolean) => {
      if (resting !== wanted) parameters.exchange(AVERAGE_SLOT);
      resting = wanted;
    };
    let snapshot: Snapshot | undefined;
    let snapshotStep = start;
    let best = resume?.progress.best;
    const progress = async (): Promise<Progress> => ({ ...await optimization.progress(), ...(best ? { best } : {}) });
    const diverged = async (seen?: Omit<Sighting, "restore">): Promise<Error> => {
      const restore = () => {
        snapshot!.restore();
        resting = true;
        rest(false);
      };
      restore();
      const error = await optimization.diverged(snapshotStep, seen && { ...seen, restore });
      // The search may have repeated the steps: what is left behind is what was last good.
      snapshot!.restore();
      resting = true;
      return error;
    };

    // What the columns were divided by is in the checkpoint.
    const { scaling: _, ...shape } = dataShape(this.#dataset);
    /** Weights and moments may overflow where the losses do not: `place` is the first that did, if any. */
    const requireFinite = async (place: string | undefined) => {
      if (place) throw await diverged({ place: `"${place}"`, search: () => parameters.nonFinite() });
    };

    try {
      if (!resume) parameters.copyTo(AVERAGE_SLOT);
      yield {
        event: "start",
        adapter: gpu.adapter,
        model: this.#model.name,
        dataset: this.#dataset.name,
        data: this.#summary,
        parameters: parameters.count,
        config: { ...this.#training, ...this.#config, tiles: tilesName(tiles), ...shape },
        step: start,
        epochs: epochs(),
        stepsPerEpoch: this.#stepsUntil(1),
      };
      await optimization.begin();
      snapshot = parameters.snapshot();
      let last: { train: Losses; validation?: Losses; samplesPerSecond: number } = {
        train: optimization.train,
        samplesPerSecond: 0,
      };
      let epoch = 1;
      while (this.#stepsUntil(epoch) <= start && epoch <= epochs()) epoch++;
      for (; epoch <= epochs() && !isExhausted(this.#training.patience, epoch - 1, best); epoch++) {
        const end = this.#stepsUntil(epoch);
        let reached: Reached;
        do {
          if (this.#adjusting) {
            const adjusting = this.#adjusting;
            this.#adjusting = undefined;
            await adjusting();
          }
          if (this.#adjusted) {
            const { training, config } = this.#adjusted;
            this.#adjusted = undefined;
            rest(true);
            await requireFinite(await parameters.nonFinite());
            snapshot = parameters.snapshot(snapshot);
            snapshotStep = optimization.step;
            trained.progress = await progress();
            await optimization.adjust!(training, config);
            [this.#training, this.#config] = [trained.training, trained.config] = [training, config];
            validation?.destroy();
            validation = await this.#validationOf(trained);
          }
          rest(false);
          reached = yield* mapped(
            optimization.advance({ epoch, end, stop: () => stop() || this.#isAdjusted }),
            ({ epoch, step, ...measured }): TrainingEvent => ({
              event: "progress",
              epoch,
              step,
              steps: this.#stepsUntil(epochs()),
              ...measured,
              seconds: seconds(),
            }),
          );
        } while (this.#isAdjusted && reached !== "diverged" && optimization.step < end && !stop());
        if (reached === "diverged") throw await diverged();
        rest(true);
        // What is left of an epoch that was stopped is nothing, or its steps so far.
        if (!reached) snapshot.restore();
        else last = { train: reached.train, samplesPerSecond: reached.samplesPerSecond };
        const complete = optimization.step >= end;
        // Side by side: each waits for the GPU, and these two can wait together.
        const [place, measured] = await Promise.all([
          reached && parameters.nonFinite(),
          complete ? validation?.losses({ steps: end }) : undefined,
        ]);
        await requireFinite(place);
        if (!complete) break;

        if (validation && measured) {
          last.validation = measured;
          // The last update of an epoch is seen here first; what it made must not become a checkpoint.
          if (!Object.values(last.validation).every(Number.isFinite)) throw await diverged({ place: "the validation" });
          best = await better(validation, last.validation, { epoch, step: end }, best);
        }
        trained.progress = await progress();
        snapshot = parameters.snapshot(snapshot);
        snapshotStep = end;
        await parameters.settle();
        if (this.#ranks.size > 1) await more.now.requireAlike(this.#ranks, gpu, parameters);
        const latents = await this.#latents(trained);
        yield { event: "epoch", epoch, step: end, ...last, ...(latents ? { latents } : {}), seconds: seconds() };
      }
      const { step } = optimization;
      const early = isExhausted(this.#training.patience, epoch - 1, best);
      const stopped = !early && step < this.#stepsUntil(epochs());
      if (stopped) trained.progress = await progress();
      const ended = { stopped, ...(early ? { early } : {}), ...(best ? { best } : {}) };
      yield { event: "end", epochs: epoch - 1, step, ...last, seconds: seconds(), ...ended };
    } finally {
      // What is gone need not be put back.
      if (usable(trained)) rest(true);
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
      const { fitting } = await more.load();
      const { ranks } = this.#options;
      return fitting({
        model,
        config,
        dataset: this.#dataset,
        trained: trained as Trained,
        count: this.#count,
        step,
        ranks,
      });
    }
    const { gpu, tiles, parameters } = trained;
    const split = slice(this.#dataset.train, 0, this.#count);
    const training = this.#training;
    const together = { ranks: this.#ranks, every: training.averageEvery > 0 ? "seldom" as const : "step" as const };
    return await descent(
      { gpu, tiles, model, config, training, parameters, data: this.#dataset, split, together },
      resume,
      this.#options.chunkSeconds,
    );
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
      ranks: this.#ranks,
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
    const { resume, from, gpu, device } = this.#options;
    if (resume) {
      // The name that the same data have now.
      const data = { ...resume.data, name: this.#dataset.name };
      const trained = await Trained.fromCheckpoint(this.#model, { ...resume, data, training: this.#training }, {
        gpu,
        device,
      });
      return this.#trained = trained;
    }
    const { name, seed, settings } = this.#dataset;
    const opened = gpu ?? await (device ? Gpu.of(device) : Gpu.open());
    const data = {
      name,
      ...dataShape(this.#dataset),
      ...(seed === undefined ? {} : { seed }),
      ...(settings ? { settings } : {}),
      count: this.#count,
      ...(this.#digest ? { digest: this.#digest } : {}),
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
    try {
      if (from) parameters.write(more.now.weightsOf(from), from.file);
      else parameters.initialize(initializersOf(this.#training), this.#training.seed);
      await parameters.settle();
    } catch (error) {
      parameters.destroy();
      throw error;
    }
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
      this.#digest ? undefined : this.#dataset,
    );
    if (from) return trained;
    await this.#model.start?.({
      parameters,
      batchSize: this.#training.batchSize,
      seed: this.#training.seed,
      count: this.#count,
      outputs: (rows, record) => trained.outputs(trained.rowsOf(pick(this.#dataset.train, rows)), record),
    }, this.#config);
    return trained;
  }
}

/** Whether a model is neither destroyed nor on a lost device. */
function usable(trained: Trained): boolean {
  try {
    trained.check();
    return true;
  } catch {
    return false;
  }
}

/** The best epoch so far: this one, if its validation loss is lower. What is scheduled is taken as it ends, so that epochs compare. */
async function better(
  validation: Sweep,
  { loss: now }: Losses,
  at: Omit<BestEpoch, "loss">,
  best: BestEpoch | undefined,
): Promise<BestEpoch | undefined> {
  const loss = validation.scheduled ? (await validation.losses({ steps: Infinity })).loss : now;
  return Number.isFinite(loss) && !(best && loss >= best.loss) ? { ...at, loss } : best;
}
