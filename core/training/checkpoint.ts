/**
 * The format of a checkpoint: the tensors of a model in safetensors, with a header in JSON that says of which model they are, how it was
 * trained on what, and where the training stands.
 *
 * @module
 */

import { excerpt, FileError, firstNonFinite, requireFinite } from "../bounds.ts";
import { type DataShape, features } from "../dataset.ts";
import type { Digest } from "./digest.ts";
import type { BestEpoch } from "./patience.ts";
import { requireShapes, type Shapes, slotsIn, tensorsOf } from "../graph/parameters.ts";
import { type Check, fields, finite, listOf, oneOf, optional, parseJson, recordOf, text, whole } from "../json.ts";
import type { Model } from "../model.ts";
import { readTuned, type TunedTiles } from "../products/tiles.ts";
import { configure } from "../settings.ts";
import { KINDS, type ValueSummary } from "../values.ts";
import { type CheckpointTensor, decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
import { type TrainingConfig, trainingSettings } from "./training_settings.ts";

/** What was trained on: enough to check that other data fits. */
export interface DataDescription extends DataShape {
  /** The name of the dataset, or the absolute path of files. */
  readonly name: string;
  /** Rows trained on. */
  readonly count: number;
  /** What the rows were divided or made by: with it the same rows can be had again. */
  readonly seed?: number;
  /** The settings of the dataset, if it has any. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What they are recognized by; checkpoints of older versions have none. */
  readonly digest?: Digest;
  /** What the values were; checkpoints of older versions do not say. */
  readonly range?: ValueSummary;
}

/** Where a training stands. */
export interface Progress {
  /** Steps done. */
  readonly step: number;
  /** Sums of the terms over the steps of the epoch in progress, and how many. */
  readonly sums: readonly number[];
  /** Steps in those sums. */
  readonly steps: number;
  /** The sum of what was minimised over the same steps; checkpoints of older versions have none. */
  readonly loss?: number;
  /** What the model's tallies have counted in that epoch, if it has any. */
  readonly counts?: readonly (readonly number[])[];
  /** The epoch that was best so far, where rows are held out to validate on. */
  readonly best?: BestEpoch;
}

/** All that a checkpoint says besides the tensors. */
export interface CheckpointHeader {
  /** The name of the model. */
  readonly model: string;
  /** Its settings. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Settings of the training. */
  readonly training: TrainingConfig;
  /** What it was trained on. */
  readonly data: DataDescription;
  /** Where the training stands. */
  readonly progress: Progress;
  /** What it was trained on, in words. */
  readonly adapter: string;
  /** The tiles in use: a family, or one tile. */
  readonly tiles: string;
  /** Which tiles the products were given that were not left to the rule, so that a resumed training has the same. */
  readonly tuned?: TunedTiles;
}

/** A checkpoint read from bytes. */
export interface Checkpoint extends CheckpointHeader {
  /** The path or name that messages call it by. */
  readonly file: string;
  /** Parameters and slots by name. */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
}

const FORMAT = "elbo 1";

/** The largest size and index. */
const LARGEST = 2 ** 31 - 1;

const counter = whole(0, 2 ** 32 - 1);

const partCheck = fields({ count: counter, values: text, labels: optional(text), covariates: optional(text) });
/** What a {@linkcode ValueSummary} must be. */
export const rangeCheck: Check = fields({
  type: oneOf("bytes", "floats"),
  kind: oneOf(...KINDS),
  minimum: finite,
  maximum: finite,
  extremes: finite,
  rootMeanSquare: optional(finite),
});

/** What {@linkcode CheckpointHeader} must be, but for the settings, which have checks of their own. */
const headerCheck = fields({
  model: text,
  config: recordOf(() => undefined),
  training: recordOf(() => undefined),
  data: fields({
    name: text,
    shape: listOf(whole(1, LARGEST), 3),
    count: whole(1, LARGEST),
    classes: optional(whole(1, 256)),
    classNames: optional(listOf(text)),
    columns: optional(listOf(text)),
    scaling: optional(fields({ mean: listOf(finite), deviation: listOf(finite) })),
    covariates: optional(listOf(text)),
    seed: optional(counter),
    settings: optional(recordOf(() => undefined)),
    digest: optional(fields({ all: optional(partCheck), train: optional(partCheck), test: optional(partCheck) })),
    range: optional(rangeCheck),
  }),
  progress: fields({
    step: counter,
    sums: listOf(finite),
    steps: counter,
    loss: optional(finite),
    counts: optional(listOf(listOf(counter))),
    best: optional(fields({ epoch: counter, step: counter, loss: finite })),
  }),
  adapter: text,
  tiles: text,
});

/**
 * Reads a checkpoint.
 *
 * @param bytes A safetensors file.
 * @param file Its name, for messages.
 * @throws {FileError} If it is cut short, damaged, not a checkpoint of this format, or holds numbers that are not finite.
 */
export function decodeCheckpoint(bytes: Uint8Array, file: string): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const fail = (message: string): never => {
    throw new FileError(file, message, { verb: "load" });
  };
  if (metadata.format !== FORMAT) {
    const found = metadata.format === undefined ? "none" : excerpt(metadata.format);
    fail(`expected a checkpoint of format "${FORMAT}", found ${found}`);
  }
  const header = parseJson(metadata.elbo ?? "", file, 'JSON in the metadata "elbo"') as CheckpointHeader;
  const wrong = headerCheck(header, "the header");
  if (wrong) fail(wrong);
  if (features(header.data.shape) > LARGEST) {
    fail(`expected a shape of at most ${LARGEST} values, found [${header.data.shape}]`);
  }
  const { classes, classNames, columns, scaling } = header.data;
  const width = features(header.data.shape);
  const fits = (list: readonly unknown[] | undefined, length: number) => !list || list.length === length;
  if (!fits(classNames, classes ?? 0)) fail(`expected ${classes ?? 0} names of classes, found ${classNames!.length}`);
  if (![columns, scaling?.mean, scaling?.deviation].every((list) => fits(list, width))) {
    fail(`expected names and scales of ${width} columns, found others`);
  }
  if (scaling?.deviation.some((deviation) => deviation <= 0)) fail("expected scales above 0, found others");
  if (header.tuned !== undefined && !readTuned(header.tuned)) {
    fail(`expected known tiles, found ${excerpt(header.tuned)}`);
  }
  for (const [name, { data }] of tensors) {
    const place = firstNonFinite(data);
    if (place >= 0) fail(`expected finite numbers in the tensor "${name}", found ${data[place]} at ${place}`);
  }
  const training = told(file, () => configure(trainingSettings, header.training, "the training"));
  return { ...header, training, file, tensors };
}

/**
 * The bytes of a checkpoint: safetensors with everything that a resumed training needs.
 *
 * @throws {RangeError} If a tensor holds a number that is not finite: it could not be read again.
 */
export function encodeCheckpoint(
  header: CheckpointHeader,
  tensors: ReadonlyMap<string, CheckpointTensor>,
): Uint8Array<ArrayBuffer> {
  for (const [name, { data }] of tensors) requireFinite(data, `the tensor "${name}" in a checkpoint`);
  return encodeSafetensors(tensors, { format: FORMAT, elbo: JSON.stringify(header) });
}

/** What settings out of a file come to; what is wrong with them is wrong with the file. */
function told<T>(file: string, settle: () => T): T {
  try {
    return settle();
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof TypeError)) throw cause;
    throw new FileError(file, cause.message, { cause, verb: "load" });
  }
}

/**
 * Holds a checkpoint against a model: its settings, and that it has every tensor. What a header declares is thus held against
 * what is there before the GPU is asked for memory.
 *
 * @returns The model's settings and the shapes of its parameters.
 * @throws {FileError} If the checkpoint is of another model or a tensor does not fit.
 */
export function requireFit<C extends object>(
  model: Model<C>,
  { file, model: name, config: kept, data, tensors }: Checkpoint,
): { readonly config: C; readonly shapes: Shapes } {
  if (name !== model.name) {
    throw new FileError(file, `expected a model "${model.name}", found ${excerpt(name)}`, { verb: "load" });
  }
  const { config, shapes } = told(file, () => {
    const config = configure(model.settings, kept as Partial<C>, `the model "${name}"`);
    const shapes = model.parameters(config, data);
    requireShapes(shapes);
    return { config, shapes };
  });
  const slots = slotsIn(tensors);
  for (const [name, shape] of Object.entries(shapes)) tensorsOf(name, shape, tensors, slots(name), file);
  return { config, shapes };
}
