/**
 * The training loop, for every model. It yields events and prints nothing.
 *
 * @module
 */

import { FileError } from "../bounds.ts";
import { Pace } from "../gpu/chunks.ts";
import { type Dataset, dataShape, features, requireRows, slice, type Split } from "../dataset.ts";
import { Gpu } from "../gpu/device.ts";
import { type LatentUse, latentUse } from "../distributions/encoded.ts";
import { Evaluator, lossesOf, weighted } from "./evaluator.ts";
import type { Losses, TrainingEvent } from "./events.ts";
import { fitSettings, fitting } from "./fitting.ts";
import type { Model } from "../model.ts";
import { Parameters, requireShapes, type Snapshot } from "../graph/parameters.ts";
import { configure } from "../settings.ts";
import { tilesName, type TunedTiles } from "../products/tiles.ts";
import { type Checkpoint, Trained } from "./trained.ts";
import { createTrainingProgram, type TrainingProgram, type TrainingStep } from "./training_program.ts";
import { initializersOf, type TrainingConfig, trainingSettings, trainingSteps } from "./training_settings.ts";

/** The loss, or something that it is made of, is no longer a finite number. */
export class DivergenceError extends Error {
  override readonly name = "DivergenceError";
  /**
   * @param step The step in which it happened, from 0.
   * @param place The first buffer that held it and the kernel that wrote it.
   * @param hint What may help.
   */
  constructor(readonly step: number, readonly place: string, hint = "A smaller learning rate often helps") {
    super(`Cannot go on training: step ${step} gave a number that is not finite, first in ${place}. ${hint}`);
  }
}

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
   * The model as it stands. Its parameters are those of the event last seen for `epoch` and `end` events.
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
  return { training: configure(trainingSettings, forTraining, "the training"), config };
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
 * @param dataset Rows in memory; they are copied to the GPU once.
 * @param config Settings of the training and of the model together; what is left out takes its default.
 * @throws {RangeError} On a setting that does not fit, before anything is trained.
 */
export function train<C extends object>(
  model: Model<C>,
  dataset: Dataset,
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
  #trained: Trained<C> | undefined;

  constructor(model: Model<C>, dataset: Dataset, values: Partial<TrainingConfig & C>, options: TrainOptions) {
    const { resume } = options;
    const isFloat = !(dataset.train.values instanceof Uint8Array);
    const given = resume ? { ...resume.training, ...resume.config as Partial<C>, ...values } : values;
    const { training: told, config } = configureTraining(model, given as Partial<TrainingConfig & C>);
    // Only what is a distribution of bits wants bits, and floats are not made into any, unless that was asked for.
    const asTheyAre = isFloat || (model.support?.(config) ?? "binary") !== "binary";
    const seen = asTheyAre && given.binarize === undefined ? { ...told, binarize: "none" as const } : told;
    const training = model.fit ? fitSettings(seen, model.name, model.fitIterations?.(config)) : seen;
    requireRows(dataset.name, dataset.shape, dataset.train);
    const all = dataset.train.count;
    // A default that was not asked for must not eat up a small dataset.
    const validation = "validation" in given ? training.validation : Math.min(training.validation, Math.floor(all / 6));
    if (validation >= all) {
      throw new RangeError(
        `Cannot validate on ${validation} rows: expected fewer than the ${all} training rows of "${dataset.name}"`,
      );
    }
    if (training.batchSize > all - validation) {
      throw new RangeError(
        `Cannot train with batches of ${training.batchSize}: expected at most the ${
          all - validation
        } training rows of "${dataset.name}"`,
      );
    }
    if (resume) requireSame(resume, model, dataset, all - validation);
    // Before there is a GPU, a run folder or anything else that would be left behind.
    else requireShapes(model.parameters(config, dataShape(dataset)));
    this.#model = model;
    this.#dataset = dataset;
    this.#options = options;
    this.#training = { ...training, validation };
    this.#config = config;
    this.#count = all - validation;
    this.#validation = validation;
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
    const { epochs, batchSize, seed, binarize, rows } = this.#training;
    const { name } = this.#dataset;
    const trained = await this.#begin();
    if (this.#model.fit) return yield* this.#fit(trained);
    const { gpu, tiles, parameters } = trained;
    const start = resume?.progress.step ?? 0;

    const step = await createTrainingProgram({
      gpu,
      tiles,
      model: this.#model as Model,
      config: this.#config,
      training: this.#training,
      parameters,
      data: this.#dataset,
      split: slice(this.#dataset.train, 0, this.#count),
      step: start,
    });
    const { program } = step;
    const { terms } = program;
    const evaluator = this.#validation === 0 ? undefined : await Evaluator.create({
      gpu,
      tiles,
      model: this.#model as Model,
      config: this.#config,
      parameters,
      data: this.#dataset,
      split: slice(this.#dataset.train, this.#count, this.#count + this.#validation),
      binarize,
      rows,
      seed,
      batchSize,
    });

    // A checkpoint of an older version has no sum of the loss, and may have other terms: the means are then of the steps from here on.
    const kept = resume?.progress;
    if (kept?.loss !== undefined && kept.sums.length && kept.sums.length !== terms.length) {
      const message = `expected sums of ${terms.length} terms, found ${kept.sums.length}`;
      throw new FileError(resume!.file, message, { verb: "load" });
    }
    const begun = kept?.sums.length === terms.length ? kept : undefined;
    const sums = Float64Array.from(begun?.sums ?? terms.map(() => 0));
    // Each step by its own weights.
    let loss = begun ? begun.loss ?? weighted(terms, begun.sums, start - 1) : 0;
    let steps = begun?.steps ?? 0;
    program.setCounts(resume?.progress.counts);
    const train = (): Losses => {
      const mean = (sum: number) => sum / Math.max(1, steps) / batchSize;
      return lossesOf(terms, [...sums].map(mean), mean(loss));
    };
    const began = performance.now();
    const seconds = () => (performance.now() - began) / 1000;
    let done = start;
    const pace = new Pace();
    let snapshot: Snapshot = parameters.snapshot();
    let snapshotStep = start;
    const record = (counts: readonly (readonly number[])[]) => {
      const counted = counts.length ? { counts } : {};
      trained.progress = { step: done, sums: [...sums], loss, steps, ...counted };
    };
    const diverged = async (): Promise<DivergenceError> => {
      snapshot.restore();
      const place = await findPlace(step, snapshotStep, done);
      // The search has repeated the steps: what is left behind is what was last good.
      snapshot.restore();
      return new DivergenceError(done, place);
    };

    try {
      yield {
        event: "start",
        adapter: gpu.adapter,
        model: this.#model.name,
        dataset: name,
        parameters: parameters.count,
        config: { ...this.#training, ...this.#config, tiles: tilesName(tiles), ...dataShape(this.#dataset) },
        step: start,
        epochs,
        stepsPerEpoch: this.#stepsUntil(1),
      };
      let last: { train: Losses; validation?: Losses; samplesPerSecond: number } = {
        train: train(),
        samplesPerSecond: 0,
      };
      let epoch = 1;
      while (this.#stepsUntil(epoch) <= start && epoch <= epochs) epoch++;
      for (; epoch <= epochs; epoch++) {
        const end = this.#stepsUntil(epoch);
        for await (const chunk of program.run(end - program.step, pace, () => signal?.aborted ?? false)) {
          for (const values of chunk) {
            if (!values.every(Number.isFinite)) throw await diverged();
            values.forEach((value, i) => sums[i] += value);
            loss += weighted(terms, values, done);
            done++;
            steps++;
          }
          const samplesPerSecond = pace.rate * batchSize;
          last = { train: train(), samplesPerSecond };
          yield {
            event: "progress",
            epoch: Math.min(epochs, done * batchSize / this.#count),
            step: done,
            steps: this.#stepsUntil(epochs),
            train: last.train,
            samplesPerSecond,
            seconds: seconds(),
          };
        }
        if (done < end) break;
        const validation = evaluator ? { validation: await evaluator.run(done) } : {};
        // The last update of an epoch is seen here first; what it made must not become a checkpoint.
        if (validation.validation && !Number.isFinite(validation.validation.loss)) throw await diverged();
        last = { ...last, train: { ...train(), ...program.measure(await program.counts()) }, ...validation };
        sums.fill(0);
        loss = 0;
        steps = 0;
        program.setCounts();
        record([]);
        snapshot = parameters.snapshot(snapshot);
        snapshotStep = done;
        const latents = await this.#latents(trained);
        yield { event: "epoch", epoch, step: done, ...last, ...(latents ? { latents } : {}), seconds: seconds() };
      }
      if (done < this.#stepsUntil(epochs)) record(await program.counts());
      yield {
        event: "end",
        epochs: epoch - 1,
        step: done,
        ...last,
        seconds: seconds(),
        stopped: done < this.#stepsUntil(epochs),
      };
    } finally {
      for (const copy of snapshot.copies) copy.destroy();
      step.destroy();
      evaluator?.destroy();
    }
  }

  /** How the latents are used on some validation rows, for models with a Gaussian posterior. */
  async #latents(trained: Trained<C>): Promise<LatentUse | undefined> {
    if (this.#validation === 0 || !this.#model.encode || !this.#model.latents || !trained.hasStandardPrior) {
      return undefined;
    }
    const to = Math.min(this.#count + this.#validation, this.#count + LATENT_ROWS);
    const rows: Split = slice(this.#dataset.train, this.#count, to);
    const encoded = await trained.posterior(trained.rowsOf(rows), rows);
    return encoded.covariance && latentUse(encoded);
  }

  /** The same for a model that fits itself. */
  #fit(trained: Trained<C>): AsyncGenerator<TrainingEvent> {
    return fitting({
      model: this.#model as Model,
      config: this.#config,
      dataset: this.#dataset,
      trained: trained as Trained,
      count: this.#count,
      validation: this.#validation,
      start: this.#options.resume?.progress.step ?? 0,
      signal: this.#options.signal,
      stepsUntil: (epoch) => this.#stepsUntil(epoch),
      diverged: (step) => new DivergenceError(step, "the log-likelihood", "A larger floor of the variances may help"),
    });
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

/** Repeats the training from the last snapshot, which gives the same bits, up to the bad step, and looks into that one. */
async function findPlace({ program, seek }: TrainingProgram, from: number, bad: number): Promise<string> {
  seek(from);
  while (program.step < bad) await program.submit(Math.min(64, program.most, bad - program.step));
  return await program.findNonFinite() ?? "the sum of a term over the batch";
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
