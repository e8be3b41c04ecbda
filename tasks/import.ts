/**
 * `deno task import`: weights from PyTorch as a run folder.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import { slice } from "../core/dataset.ts";
import { Gpu } from "../core/gpu/device.ts";
import { isRecord, parseJson } from "../core/json.ts";
import type { Model } from "../core/model.ts";
import { plural } from "../core/plural.ts";
import type { Settings } from "../core/settings.ts";
import { decodeCheckpoint } from "../core/training/checkpoint.ts";
import { train, type Training } from "../core/training/trainer.ts";
import type { Trained } from "../core/training/trained.ts";
import { type TrainingConfig, trainingSettings } from "../core/training/training_settings.ts";
import { mnist } from "../datasets/mnist.ts";
import { parseNpz } from "../datasets/npy.ts";
import { type Assignment, leftOver, matchNames, readWeights, takeTensors } from "../exchange/import.ts";
import { vae } from "../models/vae.ts";
import { readWhole } from "../storage/read.ts";
import { RunRecorder } from "../storage/resumable_run.ts";
import { type FlagGroup, type Flags, type Parsed, peekFlag, tableLines, UsageError, wantsHelp } from "./cli/flags.ts";
import { findNamedModel, type NamedModel } from "./cli/model_module.ts";
import { warner } from "./cli/progress.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { defaultFolder, loadData, namedDataset, requireFree } from "./cli/run_folder.ts";
import { settingsOf, trainingSettingsOf } from "./train.ts";

interface Import {
  readonly weights: string;
  readonly model: string;
  readonly dataset: string;
  readonly dataSeed: number;
  readonly out: string;
  readonly names: string;
  readonly examples: string;
  readonly dryRun: boolean;
}

type Groups = {
  readonly run: FlagGroup<Import>;
  readonly dataset: FlagGroup<unknown>;
  readonly training: FlagGroup<TrainingConfig>;
  readonly model: FlagGroup<unknown>;
};

const settings: Settings<Import> = {
  weights: { type: "string", default: "", help: "the file of weights, in safetensors" },
  model: {
    type: "string",
    default: "",
    help: `the model (default: the one that an exported file names, or ${vae.name})`,
  },
  dataset: { type: "string", default: mnist.name, help: "the data that it is of: a dataset's name, or files" },
  dataSeed: {
    type: "integer",
    default: 0,
    minimum: 0,
    maximum: 0xffffffff,
    help: "divides the rows into train and test where the files do not",
  },
  out: { type: "string", default: "", help: "the run folder to make (default runs/<model>-<dataset>-<date>-<time>)" },
  names: {
    type: "string",
    default: "",
    help:
      'a JSON file of names, {"encoder.0": "fc1", "encoder.posterior": ["fc21", "fc22"]}: where guesses fail, or are wrong',
  },
  examples: {
    type: "string",
    default: "",
    help: "an .npz file of rows x and what PyTorch gave of them: mean, log_variance, reconstruction (any of them)",
  },
  dryRun: { type: "boolean", default: false, help: "show which tensor is taken for which, and write nothing" },
};

/** What an exported file says of its model, if it says anything. */
interface Told {
  readonly model?: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly training: Readonly<Record<string, unknown>>;
}

/** What the file's metadata say. */
function toldOf(metadata: Readonly<Record<string, string>>, file: string): Told {
  if (metadata.elbo === undefined) return { config: {}, training: {} };
  const told = parseJson(metadata.elbo, file, 'JSON in the metadata "elbo"');
  const { model, config, preprocessing, training } = isRecord(told) ? told : {};
  if (typeof model !== "string" || !isRecord(config) || !isRecord(preprocessing)) {
    throw new FileError(file, 'expected the metadata "elbo" as an export writes them, found others');
  }
  const { batchSize, seed } = isRecord(training) ? training : {};
  return { model, config, training: { binarize: preprocessing.binarize, batchSize, seed } };
}

/** The model that the command line names, or the file. */
async function namedModel(args: readonly string[]): Promise<NamedModel> {
  const model = peekFlag(args, "model");
  if (model !== undefined) return await findNamedModel(model);
  const file = peekFlag(args, "weights") ?? args.find((arg) => !arg.startsWith("-"));
  if (!file?.endsWith(".safetensors")) return { model: vae as Model };
  const { model: told } = toldOf(readWeights(await readWhole(file), file).metadata, file);
  if (told === undefined) return { model: vae as Model };
  return await findNamedModel(told).catch((cause) => {
    throw new UsageError(
      `Cannot import "${file}": its model "${told}" is none of elbo's; name its module with --model`,
      {
        cause,
      },
    );
  });
}

async function flags(args: readonly string[]): Promise<Flags<Groups>> {
  const { model } = await namedModel(args).catch((error): NamedModel => {
    if (wantsHelp(args)) return { model: vae as Model };
    throw error;
  });
  const dataset = peekFlag(args, "dataset") ?? mnist.name;
  return {
    name: "import",
    summary: "Makes a run folder of weights that were trained in PyTorch: every task then takes it like any other.",
    first: "weights",
    groups: {
      run: {
        title: "Import",
        settings,
        placeholders: { weights: "FILE", model: "NAME", dataset: "NAME", out: "DIR", names: "FILE", examples: "FILE" },
      },
      dataset: {
        title: `Dataset ${dataset} (--dataset NAME --help shows another one's)`,
        settings: settingsOf(dataset, args),
      },
      training: { title: "Training, to go on with", settings: trainingSettingsOf(model) },
      model: {
        title: `Model ${model.name} (--model NAME --help shows another one's)`,
        settings: model.settings as Settings<unknown>,
      },
    },
    examples: [
      "deno task import fc.safetensors --model vae --hidden 400 --latents 20 --activation relu --dry-run",
      "deno task import runs/mine/torch/trained.safetensors --out runs/back",
      "deno task import theirs.safetensors --hidden 400 --names names.json --examples rows.npz",
    ],
  };
}

async function run({ values, given }: Parsed<Groups>, context: Context): Promise<void> {
  const { weights, names, examples, dryRun, out, dataset: dataName, dataSeed } = values.run;
  if (!weights) throw new UsageError("Cannot import: expected a file of weights, as weights.safetensors, found none");
  const only = (from: object) => Object.fromEntries(Object.entries(from).filter(([name]) => given.has(name)));
  const { tensors, metadata } = readWeights(await readWhole(weights, context.signal), weights);
  const { model: toldModel, config, training: toldTraining } = toldOf(metadata, weights);
  const named = await findNamedModel(values.run.model || toldModel || vae.name);
  const { model } = named;
  const isKnown = (name: string) => Object.hasOwn(model.settings, name) || Object.hasOwn(trainingSettings, name);
  const kept = Object.entries({ ...config, ...toldTraining }).filter(([name, value]) =>
    value !== undefined && isKnown(name)
  );
  const told = { ...Object.fromEntries(kept), ...only(values.training), ...only(values.model as object) };
  const source = namedDataset(dataName);
  const folder = out || await defaultFolder(model.name, source.name.replace(/.*\//, ""));
  if (!dryRun) await requireFree(folder);
  using gpu = await Gpu.open({ onWarning: warner(context) });
  const dataset = await loadData(source, { seed: dataSeed, settings: only(values.dataset as object) }, context.signal);
  const { trained: fresh } = await begin(() => train(model, dataset, told, { gpu }));
  using _ = fresh;
  const assignments = matchNames(fresh, tensors, weights, names ? await readNames(names) : {});
  say(assignments, context);
  const left = leftOver(tensors, assignments);
  if (left.length) context.print(`Not taken: ${left.join(", ")}`);
  if (dryRun) {
    context.emit({ weights, model: model.name, names: assignments, left });
    return;
  }
  const checkpoint = {
    ...decodeCheckpoint(await fresh.toBytes({ optimizer: false }), weights),
    tensors: takeTensors(fresh, tensors, assignments),
  };
  const { training, start, trained } = await begin(() => train(model, dataset, told, { gpu, from: checkpoint }));
  using __ = trained;
  const first = slice(dataset.test, 0, Math.min(16, dataset.test.count));
  if (model.encode && model.decode) await trained.reconstruct(trained.rowsOf(first), first);
  if (examples) await compare(trained, examples, context);
  using recorder = await RunRecorder.claim(folder, training, {
    module: named.module,
    command: context.command,
    from: weights,
  });
  await recorder.record(start);
  context.print(`${folder}: ${plural(trained.parameters.count, "number")} of ${model.name}, from ${weights}`);
  context.print();
  context.print("Next:");
  context.print(`  deno task evaluate --run ${folder}`);
  context.print(`  deno task train --resume ${folder}`);
  context.emit({ run: folder, weights, model: model.name, names: assignments, left });
}

/** Begins a training, which is not gone on with: its model, before the first step. What does not fit is what was asked for. */
async function begin(prepare: () => Training<object>) {
  try {
    const training = prepare();
    const { value: start } = await training[Symbol.asyncIterator]().next();
    return { training, start: start!, trained: training.trained as Trained };
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) {
      throw new UsageError(error.message, { cause: error });
    }
    throw error;
  }
}

/** The names of `--names`. */
async function readNames(file: string): Promise<Record<string, string | string[]>> {
  const found = parseJson(await readWhole(file), file);
  const isName = (name: unknown) => typeof name === "string";
  if (
    !isRecord(found) || !Object.values(found).every((one) => isName(one) || (Array.isArray(one) && one.every(isName)))
  ) {
    throw new FileError(file, 'expected names as {"encoder.0": "fc1"}, a text or a list of texts each, found others');
  }
  return found as Record<string, string | string[]>;
}

/** Shows what is taken for what. */
function say(assignments: readonly Assignment[], { print }: Context): void {
  const how = { name: "by its name", shape: "by its shape", zeros: "there is none: zeros", given: "as --names says" };
  const rows = assignments.map(({ target, shape, from, by }) =>
    [target, `${from.join(" and ") || "-"} [${shape.join(", ")}], ${how[by]}`] as const
  );
  for (const line of tableLines(rows, 120)) print(line);
}

/** How far what PyTorch gave may be from what comes out here. */
const TOLERANCE = 1e-4;

/** Holds a forward pass against what PyTorch gave. */
async function compare(trained: Trained, file: string, { print }: Context): Promise<void> {
  const arrays = new Map(
    parseNpz(await readWhole(file), file).entries().map((
      [name, array],
    ) => [name, Float32Array.from(array.read().values)]),
  );
  const x = arrays.get("x");
  const known = ["mean", "log_variance", "reconstruction"].filter((name) => arrays.has(name));
  if (!x || !known.length) {
    throw new FileError(
      file,
      `expected x and mean, log_variance or reconstruction, found ${[...arrays.keys()].join(", ")}`,
    );
  }
  const { mean, logVariance } = await trained.encode(x);
  const here: Readonly<Record<string, Float32Array>> = {
    ...{ mean, log_variance: logVariance },
    ...arrays.has("reconstruction") ? { reconstruction: await trained.decode(mean) } : {},
  };
  for (const name of known) {
    const there = arrays.get(name)!;
    if (there.length !== here[name].length) {
      throw new FileError(file, `expected ${here[name].length} numbers of ${name}, found ${there.length}`);
    }
    const apart = there.reduce((most, value, i) => {
      return Math.max(most, Math.abs(value - here[name][i]) / Math.max(1, Math.abs(value)));
    }, 0);
    if (!(apart <= TOLERANCE)) {
      throw new FileError(
        file,
        `expected ${name} as PyTorch gave it, found numbers up to ${apart.toPrecision(2)} apart; ` +
          "another --activation, or names that are exchanged?",
      );
    }
    print(`${name}: as in PyTorch, at most ${apart.toPrecision(2)} apart`);
  }
}

/** The task. */
export const importTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(importTask);
