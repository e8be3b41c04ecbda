/**
 * `deno task train`: trains a model on a dataset into a run folder, or goes on with one.
 *
 * @module
 */

import { plural } from "../core/plural.ts";
import type { Settings } from "../core/settings.ts";
import { type Dataset, type DatasetSource, slice } from "../core/dataset.ts";
import { ALONE, type Ranks } from "../core/graph/ranks.ts";
import { dataLine } from "../core/description.ts";
import { Gpu, GpuError } from "../core/gpu/device.ts";
import { compileWorker } from "../core/gpu/second_thread.ts";
import type { EndEvent } from "../core/training/events.ts";
import type { Model } from "../core/model.ts";
import { caveats, findings, scheduleCaveats, stepsCaveats } from "../core/training/caveats.ts";
import { begunWith, firstChange } from "../core/training/changes.ts";
import { FolderLock } from "../storage/folder_lock.ts";
import { FILE_SETTINGS } from "../storage/file_dataset.ts";
import { CHECKPOINT_SECONDS, completed, epochsOf, isComplete, isEarly, RunRecorder } from "../storage/resumable_run.ts";
import { FILES, join, readMetrics } from "../storage/run_folder.ts";
import { Trained } from "../core/training/trained.ts";
import { DivergenceError } from "../core/training/divergence.ts";
import { train, type Training, type TrainOptions } from "../core/training/trainer.ts";
import { FIT_SETTINGS } from "../core/training/fitting.ts";
import { completedEpochs, type TrainingConfig, trainingSettings } from "../core/training/training_settings.ts";
import { summarizeValues } from "../core/values.ts";
import { mnist } from "../datasets/mnist.ts";
import { datasets } from "../datasets/mod.ts";
import { hasSsim, imageQuality } from "../evaluation/image_quality.ts";
import { models } from "../models/mod.ts";
import { vae } from "../models/vae.ts";
import { COLUMNS } from "../figures/images.ts";
import {
  type FlagGroup,
  flagName,
  type Flags,
  type Parsed,
  peekFlag,
  tableLines,
  UsageError,
  wantsHelp,
} from "./cli/flags.ts";
import { builtIn, findNamedModel, type NamedModel } from "./cli/model_module.ts";
import { writeReport } from "./cli/pictures.ts";
import { trainingProgress, warner } from "./cli/progress.ts";
import { agreed, type ParallelSettings, parallelSettings, requireOwn, together } from "./cli/parallel.ts";
import { quoted } from "./cli/quoted.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import {
  type BegunRun,
  type DataChoice,
  dataChoice,
  datasetOf,
  defaultFolder,
  loadData,
  namedDataset,
  openBegun,
  openRun,
  requireFree,
  type Run,
} from "./cli/run_folder.ts";
import { likeRun } from "./cli/like_run.ts";
import { knownChoice } from "./cli/run_data.ts";
import { checkpointFlag, type RunChoice } from "./cli/run_flags.ts";
import { tunedFor } from "./cli/tiles.ts";
import { Trackers, trackerSetting } from "./cli/trackers.ts";

/** What a training is told besides the settings of the training and of the model. */
interface RunSettings extends ParallelSettings {
  readonly model: string;
  readonly dataset: string;
  readonly dataSeed: number;
  readonly out: string;
  readonly resume: string;
  readonly from: string;
  readonly checkpoint: RunChoice["checkpoint"];
  readonly checkpointEvery: number;
  readonly checkpointSeconds: number;
  readonly report: boolean;
  readonly log: readonly string[];
}

type Groups = {
  readonly run: FlagGroup<RunSettings>;
  readonly dataset: FlagGroup<unknown>;
  readonly training: FlagGroup<TrainingConfig>;
  readonly model: FlagGroup<unknown>;
};

function runSettings(): Settings<RunSettings> {
  return {
    model: {
      type: "string",
      default: vae.name,
      help: `${[...models.keys()].join(", ")}, or a module that exports a model: ./my_vae.ts, jsr:@me/my-vae`,
    },
    dataset: {
      type: "string",
      default: mnist.name,
      help: `${[...datasets.keys()].join(", ")}, or files: a folder of images, .csv, .npy, .npz, .mat, .parquet, idx`,
    },
    dataSeed: {
      type: "integer",
      default: 0,
      minimum: 0,
      maximum: 0xffffffff,
      help: "divides the rows into train and test where the files do not, and makes sprites",
    },
    out: { type: "string", default: "", help: "the run folder to make (default runs/<model>-<dataset>-<date>-<time>)" },
    resume: { type: "string", default: "", help: "go on with the run in this folder, from its last checkpoint" },
    from: {
      type: "string",
      default: "",
      help:
        "begin a new run with the weights of the run in this folder, its model and its settings but for those given",
    },
    checkpoint: { ...checkpointFlag, help: `of --from: ${checkpointFlag.help}` },
    checkpointEvery: { type: "integer", default: 1, minimum: 1, help: "epochs from one checkpoint to the next" },
    checkpointSeconds: {
      type: "number",
      default: CHECKPOINT_SECONDS,
      minimum: 0,
      help: "seconds from one checkpoint to the next at least, however short the epochs are",
    },
    report: { type: "boolean", default: true, help: "write the page and its pictures at the end" },
    log: trackerSetting("trackers that are told of each epoch"),
    ...parallelSettings,
  };
}

/**
 * The flags of a model and of a dataset follow from their settings: so these are looked for first, by their names or in the run that is
 * resumed.
 */
async function flags(args: readonly string[]): Promise<Flags<Groups>> {
  const { model, checkpoint, data = checkpoint?.data } = await namedModel(args).catch((error): Named => {
    if (wantsHelp(args)) return { model: vae as Model };
    throw error;
  });
  const settings = model.settings as Settings<unknown>;
  const dataset = peekFlag(args, "dataset") ?? data?.name ?? mnist.name;
  return {
    name: "train",
    summary:
      "Trains a model on a dataset. The run folder then holds the checkpoint, the figures of every epoch, and pictures.",
    groups: {
      run: {
        title: "Run",
        settings: runSettings(),
        placeholders: {
          model: "NAME",
          dataset: "NAME",
          out: "DIR",
          resume: "DIR",
          from: "DIR",
          checkpointEvery: "EPOCHS",
          checkpointSeconds: "SECONDS",
          log: "NAME",
        },
      },
      dataset: {
        title: `Dataset ${dataset} (--dataset NAME --help shows another one's)`,
        settings: settingsOf(dataset, args),
      },
      training: { title: "Training", settings: trainingSettingsOf(model) },
      model: { title: `Model ${model.name} (--model NAME --help shows another one's)`, settings },
    },
    elsewhere: new Map([
      ...Object.keys(trainingSettings).map((key) => [key, "the models that are trained by gradient"] as const),
      // The first model of the list that has it is named.
      ...[...models.values()].reverse().flatMap(({ name, settings }) =>
        Object.keys(settings).map((key) => [key, `--model ${name}`] as const)
      ),
      ...Object.entries(FILE_SETTINGS).flatMap(([files, settings]) =>
        Object.keys(settings).map((key) => [key, files] as const)
      ),
      ...datasets.values().flatMap(({ name, settings = {} }) =>
        Object.keys(settings).map((key) => [key, `--dataset ${name}`] as const)
      ),
    ]),
    examples: [
      "deno task train:mnist",
      "deno task train --model beta_vae --beta 4 --hidden 500,500 --latents 3 --epochs 20",
      "deno task train --resume runs/vae-mnist-20261121-093805 --epochs 40",
      "deno task train --epochs 200 --patience 10",
      "deno task train --from runs/mine --dataset more.npy --epochs 5",
      "deno task train --model ./my_vae.ts --binarize threshold --out runs/mine",
    ],
  };
}

/** The settings of a dataset or of files; none where there are no such, for the help and for a run whose data are gone. */
export function settingsOf(dataset: string, args: readonly string[]): Settings<unknown> {
  try {
    return (namedDataset(dataset).settings ?? {}) as Settings<unknown>;
  } catch (error) {
    if (peekFlag(args, "dataset") !== undefined && !wantsHelp(args)) throw error;
    return {};
  }
}

/** With the defaults of the model; one that fits itself has no use for the settings of an optimizer. */
export function trainingSettingsOf({ fit, training = {} }: Model): Settings<TrainingConfig> {
  if (!fit) {
    const own = Object.entries(training).map(([name, value]) => [
      name,
      { ...trainingSettings[name as keyof TrainingConfig], default: value },
    ]);
    return { ...trainingSettings, ...Object.fromEntries(own) };
  }
  const used = Object.entries(trainingSettings).filter(([name]) => FIT_SETTINGS.some((setting) => setting === name));
  return Object.fromEntries(used) as Settings<TrainingConfig>;
}

/** A model, and where it is that of a run, the run. */
type Named = NamedModel & Partial<Run> & Partial<BegunRun>;

async function namedModel(args: readonly string[]): Promise<Named> {
  const [resume, from, model] = ["resume", "from", "model"].map((setting) => peekFlag(args, setting));
  const among = model === undefined ? builtIn : [await findNamedModel(model)];
  if (resume) return await openBegun(resume, among) ?? await openRun(resume, among);
  // A model that is named may be another than that of the run: of the same weights with another objective, say.
  if (from && model === undefined) return await openRun(from, among);
  return model === undefined ? { model: vae as Model } : among[0];
}

async function run(parsed: Parsed<Groups>, context: Context): Promise<void> {
  await together(parsed.values.run, context, (context, ranks) => runRank(parsed, context, ranks));
}

/** All that one of the ranks does, or the only process. */
async function runRank({ values, given }: Parsed<Groups>, context: Context, ranks: Ranks | undefined): Promise<void> {
  const { run: settings } = values;
  const only = (from: object) => Object.fromEntries(Object.entries(from).filter(([name]) => given.has(name)));
  // Ranks have each a batch of the size that was asked for: that of a step is of them all.
  const { size } = ranks ?? ALONE;
  const batchSize = size > 1 && given.has("batchSize") ? { batchSize: values.training.batchSize * size } : {};
  const told = { ...only(values.training), ...batchSize, ...only(values.model as object) };
  if (settings.resume && settings.from) throw new UsageError("Cannot begin: expected --resume or --from, found both");
  if (given.has("checkpoint") && !settings.from) throw new UsageError("--checkpoint goes with --from");
  if (!settings.resume) {
    const asked = { name: settings.dataset, seed: settings.dataSeed, settings: only(values.dataset as object) };
    if (!settings.from) {
      const named = await findNamedModel(settings.model);
      const all = size > 1 && !named.model.fit ? { batchSize: values.training.batchSize * size } : {};
      return await begin({ named, data: asked, told: { ...told, ...all }, settings, ranks }, context);
    }
    const named = given.has("model") ? await findNamedModel(settings.model) : undefined;
    const from = await openRun(settings.from, named?.module ? [named, ...builtIn] : builtIn, settings.checkpoint);
    const otherData = given.has("dataset");
    const data = otherData
      ? { ...knownChoice(namedDataset(asked.name), from, asked.settings), name: asked.name, seed: asked.seed }
      : dataChoice(from.checkpoint);
    const model = named ?? { model: from.model, module: from.module };
    return await begin({ named: model, data, told, settings, from, ranks }, context);
  }
  const among = given.has("model") ? [await findNamedModel(settings.model)] : builtIn;
  const { resume, out, dataSeed } = settings;
  // Before it is read: nobody else goes on with it from now on.
  using lock = (out && out !== resume) || ranks?.rank ? undefined : await FolderLock.take(resume);
  const dataset = namedDataset(settings.dataset).name;
  const { dataset: name, ...ofData } = only({ dataset, dataSeed, ...values.dataset as object });
  // Files may be elsewhere now; what has a name has it still.
  const asked = { ...told, ...ofData, ...(datasets.has(String(name)) ? { dataset: name } : {}) };
  const begun = await openBegun(resume, among);
  if (begun) {
    const { data, told: { epochs }, from } = begun;
    const { seed, settings: ofData } = data;
    requireUnchanged(resume, { ...begun.told, dataset: data.name, dataSeed: seed, ...ofData }, {
      ...asked,
      dataset: name,
    });
    context.print(`The run "${resume}" was stopped before its first checkpoint: it is begun anew`);
    const again = { ...begun.told, epochs: given.has("epochs") ? values.training.epochs : epochs };
    const into = { ...settings, out: out || resume };
    const weights = from ? { from: await openRun(from, among, settings.checkpoint) } : {};
    return await begin({ named: begun, data, told: again, settings: into, lock, ranks, ...weights }, context);
  }
  const resumed = await openRun(resume, among);
  const { model } = resumed;
  const { training } = resumed.checkpoint;
  // Where the data are now; whether they are still the same is seen once they are read.
  const data = { ...dataChoice(resumed.checkpoint), ...(name === undefined ? {} : { name: String(name) }) };
  requireUnchanged(resume, { ...begunWith(model, resumed.checkpoint), ...data.settings }, asked);
  const patience = given.has("patience") ? values.training.patience : training.patience;
  const checkpoint = { ...resumed.checkpoint, training: { ...training, patience } };
  const epochs = epochsOf(model, checkpoint, given.has("epochs") ? values.training.epochs : training.epochs);
  if (isComplete(checkpoint, epochs)) {
    if (ranks?.rank) return;
    return await complete({ ...resumed, checkpoint }, epochs, settings.report, context);
  }
  await begin({ named: resumed, data, told: { epochs, patience }, settings, resumed, lock, ranks }, context);
}

function requireUnchanged(folder: string, was: Readonly<Record<string, unknown>>, asked: object): void {
  const change = firstChange(was, { ...asked });
  if (!change) return;
  throw new UsageError(
    `Cannot change ${
      flagName(change.name)
    } of the run "${folder}": it was begun with ${change.was}, found ${change.now}; ` +
      "leave the flag out, or train a new run",
  );
}

/** What is to be trained, from its first step or from a checkpoint. */
interface Job {
  readonly named: NamedModel;
  readonly data: DataChoice;
  /** Training and model settings that were given. */
  readonly told: Readonly<Record<string, unknown>>;
  readonly settings: RunSettings;
  readonly resumed?: Run;
  /** The run whose weights it begins with. */
  readonly from?: Run;
  /** Of the folder, where it is that of a run that is there already. */
  readonly lock?: FolderLock;
  /** The processes that train it together. */
  readonly ranks?: Ranks;
}

async function begin(
  { named, data, told, settings, resumed, from, lock, ranks }: Job,
  context: Context,
): Promise<void> {
  const { model } = named;
  const source = namedDataset(data.name);
  const name = source.name.replace(/.*\//, "");
  const first = !ranks?.rank;
  const folder = settings.out || resumed?.folder || await agreed(ranks, await defaultFolder(model.name, name));
  // A folder that is not there yet is made only once all that is asked for is known to be possible.
  using there = first && !lock && await isFolder(folder) ? await FolderLock.take(folder) : undefined;
  if (first && !lock) await requireFree(folder);
  const trackersIn = await Trackers.find(first ? settings.log : []);
  using gpu = await Gpu.open({ compileAhead: compileWorker, onWarning: warner(context) });
  if (ranks) await requireOwn(ranks, gpu, settings);
  const dataset = await loadData(source, data, context.signal).then((loaded) =>
    resumed || from
      ? likeRun(loaded, (resumed ?? from)!)
      : standardized(loaded, { source, data, model, told }, context.signal)
  );
  const training = prepare(model, dataset, told, {
    gpu,
    tune: async (step) => await agreed(ranks, await tunedFor(step, context.print)),
    signal: context.signal,
    resume: resumed?.checkpoint,
    from: from?.checkpoint,
    ranks,
  });
  context.signal.throwIfAborted();
  // Each has read what it goes on with before the first writes.
  await agreed(ranks, undefined);
  if (!first) {
    for await (const _ of training);
    return;
  }
  using made = lock ?? there ? undefined : await FolderLock.take(folder);
  if (made) await requireFree(folder);
  const recorder = await RunRecorder.claim(folder, training, {
    resumed,
    every: settings.checkpointEvery,
    seconds: settings.checkpointSeconds,
    module: named.module,
    command: context.command,
    from: from?.folder,
    lock: lock ?? there ?? made,
  });
  context.print(
    `Training ${model.name} on ${source.name} into ${folder}${from ? `, from ${from.checkpoint.file}` : ""}` +
      (ranks ? `, on ${plural(ranks.size, "rank")}` : ""),
  );
  using trackers = await trackersIn(folder);
  const end = await follow(training, recorder, dataset, "epochs" in told, trackers, context);
  await trackers.settle(context);
  if (end.stopped) {
    context.print(`The checkpoint in ${folder} holds all of it. Go on with`);
    context.print(`  deno task train --resume ${typed(folder, named)}`);
    return;
  }
  for (const line of await findings(training.trained as Trained)) context.print(line);
  if (settings.report) {
    await figures(training.trained as Trained, named, dataset, folder, context).catch((error) => {
      if (!(error instanceof GpuError)) throw error;
      const run = typed(folder, named);
      throw new GpuError(
        `${error.message}. The training is done, and its checkpoint is: ${join(folder, FILES.checkpoint)}; ` +
          `for the figures: deno task report --run ${run}`,
        { cause: error },
      );
    });
  }
  const further = end.epochs < epochsOf(model, training.trained, Infinity);
  await summarize(folder, end, further, named, context);
}

/** A table of numbers under a likelihood that nobody chose is standardized, where its source can do that and was not told. */
async function standardized(
  loaded: Dataset,
  { source, data, model, told }: Pick<Job, "data" | "told"> & { readonly source: DatasetSource; readonly model: Model },
  signal: AbortSignal,
): Promise<Dataset> {
  const isTable = loaded.shape[0] === 1 && loaded.shape[2] === 1;
  const decided = "likelihood" in told || "standardize" in data.settings || loaded.scaling;
  if (!isTable || !model.choose || decided || !("standardize" in (source.settings ?? {}))) return loaded;
  if (summarizeValues(loaded.train, loaded.test).kind !== "real") return loaded;
  const again = await loadData(source, { ...data, settings: { ...data.settings, standardize: true } }, signal);
  const remark = "--no-standardize keeps the columns' own numbers";
  return { ...again, reading: { ...again.reading, remarks: [...again.reading?.remarks ?? [], remark] } };
}

/** A run as it is named on the command line: its folder, and the module that its model is from. */
function typed(folder: string, { module }: Pick<NamedModel, "module">): string {
  return quoted(folder) + (module ? ` --model ${quoted(module)}` : "");
}

function prepare(model: Model, dataset: Dataset, told: object, options: TrainOptions): Training<object> {
  try {
    return train(model, dataset, told, options);
  } catch (error) {
    // Nothing has run yet: what does not fit is what was asked for.
    if (error instanceof RangeError || error instanceof TypeError) {
      throw new UsageError(error.message, { cause: error });
    }
    throw error;
  }
}

/**
 * Trains to the end, showing and keeping what happens.
 *
 * @param hasEpochs Whether it was said how many epochs there are to be.
 */
async function follow(
  training: Training<object>,
  recorder: RunRecorder,
  dataset: Dataset,
  hasEpochs: boolean,
  trackers: Trackers,
  context: Context,
): Promise<EndEvent> {
  const { folder, options } = recorder;
  using progress = trainingProgress(context);
  try {
    for await (const event of training) {
      const ssim = event.event === "epoch" ? await validationSsim(training.trained as Trained, dataset) : undefined;
      const measured = ssim === undefined ? event : { ...event, ssim };
      await recorder.record(measured);
      await trackers.take(measured, { trained: training.trained as Trained, rows: dataset.test });
      const shown = measured.event === "end" ? { ...measured, run: folder } : measured;
      progress.show(shown);
      if (event.event === "end") return event;
      if (event.event === "start") {
        const { model, config, training: told, data } = training.trained;
        context.print(dataLine(event.data));
        const lines = [
          ...caveats(model, config, told.binarize, data),
          ...scheduleCaveats(told, data.count),
          ...(model.fit || hasEpochs ? [] : stepsCaveats(told, data.count)),
        ];
        for (const line of lines) context.print(line);
      }
    }
  } catch (error) {
    // What was last good may be of epochs after the last checkpoint.
    if (error instanceof DivergenceError && recorder.saved) await recorder.keep();
    const { saved } = recorder;
    const { model, training: { learningRate } } = training.trained;
    const rate = model.fit ? undefined : learningRate;
    // Nobody reads a message when the reader went away.
    throw saved && !(error instanceof Deno.errors.BrokenPipe)
      ? withCheckpoint(error, join(folder, FILES.checkpoint), typed(folder, options), { ...saved, rate })
      : error;
  }
  throw new Error("The training ended without its last event");
}

/** The same error, and what is left of the training. */
function withCheckpoint(
  error: unknown,
  file: string,
  run: string,
  { step, epoch, rate }: { readonly step: number; readonly epoch: number; readonly rate: number | undefined },
): Error {
  const [reason] = (error instanceof Error ? error.message : String(error)).split("\n", 1);
  const place = step === 0 ? "before the first step" : `after epoch ${epoch}, step ${step}`;
  const diverged = error instanceof DivergenceError;
  const what = diverged ? "The last good checkpoint is kept" : "The last checkpoint is";
  // Resumed as it was it would come to the same step again.
  const lower = rate === undefined || rate > 0.01 ? 0.001 : Number((rate / 10).toPrecision(2));
  const next = !diverged
    ? `; go on with: deno task train --resume ${run}`
    : rate === undefined
    ? ""
    : `; train on from it with: deno task train --from ${run} --learning-rate ${lower}`;
  return new Error(`${reason.replace(/\.?$/, ".")} ${what}: ${file} (${place})${next}`, { cause: error });
}

/** Validation rows whose reconstructions are compared after an epoch. */
const SSIM_ROWS = 256;

/** SSIM of reconstructions of the first validation images; undefined where there are none, or images are too small for it. */
async function validationSsim(trained: Trained, dataset: Dataset): Promise<number | undefined> {
  const { model, data: { shape, count }, training: { validation } } = trained;
  if (validation === 0 || !hasSsim(shape) || !model.encode || !model.decode || !model.latents) return undefined;
  const rows = slice(dataset.train, count, count + Math.min(SSIM_ROWS, validation));
  const x = trained.rowsOf(rows);
  return imageQuality(x, await trained.reconstruct(x, rows), shape).ssim;
}

/** The report of the best epoch where it is not the last one, and else of the model as it stands. */
async function figures(
  trained: Trained,
  named: NamedModel,
  dataset: Dataset,
  folder: string,
  context: Context,
): Promise<void> {
  const opened = await openRun(folder, [named], "best");
  if (opened.checkpoint.file !== join(folder, FILES.best)) return await report(trained, dataset, folder, context);
  using best = await Trained.fromCheckpoint(named.model, opened.checkpoint, { gpu: trained.gpu });
  await report(best, dataset, folder, context);
}

/** The figures that the model has the parts for, and the page that holds them. The run is complete without them. */
async function report(trained: Trained, dataset: Dataset, folder: string, context: Context): Promise<void> {
  const { notes } = await writeReport(folder, trained, dataset.test, context);
  for (const note of notes) context.print(note);
}

/** Nothing is left to train: says so, after what a kill may have kept from being written. */
async function complete(run: Run, epochs: number, withReport: boolean, context: Context): Promise<void> {
  const { folder, checkpoint, model } = run;
  const { step, best } = checkpoint.progress;
  const trainedEpochs = completedEpochs(step, checkpoint);
  let last: EndEvent | undefined;
  if (!isComplete(checkpoint)) {
    // Fewer epochs were asked for than it was begun for.
    last = (await readMetrics(folder)).findLast((event) => event.event === "end");
  } else {
    last = (await completed(run)).end;
    // Written last: one that is older than the checkpoint is of a shorter training.
    const isOld = await modified(join(folder, FILES.report)) < await modified(join(folder, FILES.checkpoint));
    if (withReport && isOld) {
      const { checkpoint: shown } = await openRun(folder, [run], "best");
      using trained = await Trained.fromCheckpoint(model, shown);
      await report(trained, await datasetOf(run, context.signal), folder, context);
    }
  }
  context.emit({ event: "end", epochs: trainedEpochs, step, ...last, run: folder });
  if (isEarly(checkpoint)) {
    context.print(
      `Nothing to do: the run "${folder}" stopped early after ${plural(trainedEpochs, "epoch")}, ${
        trainedEpochs - best!.epoch
      } of ` +
        `them without a lower validation loss than after epoch ${best!.epoch}.`,
    );
    context.print(
      `To train on: deno task train --resume ${typed(folder, run)} --patience ${2 * checkpoint.training.patience}`,
    );
    return;
  }
  context.print(
    `Nothing to do: the run "${folder}" has trained ${plural(trainedEpochs, "epoch")} (${
      plural(step, "step")
    }), and ${epochs} ${plural(epochs, "was", "were", false)} asked for.`,
  );
  if (trainedEpochs >= epochsOf(model, checkpoint, Infinity)) return;
  context.print(`To train on: deno task train --resume ${typed(folder, run)} --epochs ${2 * trainedEpochs}`);
}

/** When a file was last written, in milliseconds; 0 for one that is not there. */
async function modified(path: string): Promise<number> {
  return await Deno.stat(path).then(({ mtime }) => mtime?.getTime() ?? 0, () => 0);
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isDirectory, () => false);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function summarize(
  folder: string,
  { epochs, best, early, step }: EndEvent,
  more: boolean,
  named: NamedModel,
  { print }: Context,
): Promise<void> {
  const name = typed(folder, named);
  print();
  print(`In ${folder}:`);
  const files = [
    [FILES.report, "every figure, the losses and the settings: open it in a browser"],
    [FILES.checkpoint, "the trained model, in safetensors"],
    [FILES.best, `the same after epoch ${best?.epoch}, where the validation loss was lowest: what the tasks use`],
    [FILES.samples, `${COLUMNS * COLUMNS} images drawn from it`],
    [FILES.reconstructions, "test images, each above its reconstruction"],
    [FILES.metrics, "the figures of every epoch"],
    [FILES.config, "every setting"],
  ] as const;
  // Data that are no images have no pictures.
  const there = await Promise.all(files.map(([name]) => exists(join(folder, name))));
  for (const line of tableLines(files.filter((_, i) => there[i]), 100)) print(line);
  print();
  print("Next:");
  print(`  deno task sample --run ${name}`);
  print(`  deno task evaluate --run ${name}`);
  if (early) {
    const waited = step === best!.step ? 0 : epochs - best!.epoch;
    print(`  deno task train --resume ${name} --patience ${2 * Math.max(1, waited)}`);
  } else if (more) print(`  deno task train --resume ${name} --epochs ${2 * epochs}`);
}

/** The task. */
export const trainTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(trainTask);
