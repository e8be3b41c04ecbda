/**
 * Beginning with a checkpoint: a training that goes on, or one that starts from other weights. It is loaded by need.
 *
 * @module
 */

import { begunWith, firstChange } from "./changes.ts";
import { type Checkpoint, requireFit } from "./checkpoint.ts";
import { differences, type Digest } from "./digest.ts";
import { type Dataset, dataShape, features } from "../dataset.ts";
import type { Model } from "../model.ts";

/**
 * @throws {RangeError} If the data are others than those that a training was begun on, whatever they are called.
 */
export function requireSameData({ file, data }: Checkpoint, { name }: Dataset, digest: Digest): void {
  const differs = data.digest ? differences(data.digest, digest) : [];
  if (!differs.length) return;
  throw new RangeError(
    `Cannot resume "${file}": expected the data that it was begun on, found others in "${name}": ${differs.join(", ")}`,
  );
}

/** The settings of a run that another one begins with, as far as its model has them. Of other data as many rows are held out as of any. */
export function settingsOf(
  { training, config, data }: Checkpoint,
  { settings }: Model,
  digest: Digest,
): Record<string, unknown> {
  const { validation, ...others } = training;
  const known = Object.entries(config).filter(([name]) => Object.hasOwn(settings as object, name));
  const same = data.digest && !differences(data.digest, digest).length;
  return { ...others, ...(same ? { validation } : {}), ...Object.fromEntries(known) };
}

/** The tensors of a checkpoint without the optimizer's. */
export function weightsOf({ tensors }: Checkpoint): Checkpoint["tensors"] {
  return new Map(tensors.entries().filter(([name]) => !name.startsWith("optimizer.")));
}

/**
 * @throws {RangeError} If a training cannot start from the weights of a checkpoint.
 * @throws {FileError} If they are of another size than this model's.
 */
export function requireStart<C extends object>(from: Checkpoint, model: Model<C>, config: C, dataset: Dataset): void {
  if (model.fit) {
    throw new RangeError(
      `Cannot start from "${from.file}": expected a model that is trained by gradient; "${model.name}" fits itself anew`,
    );
  }
  if (dataset.shape.join() !== from.data.shape.join()) {
    throw new RangeError(
      `Cannot start from "${from.file}": expected data of its shape [${from.data.shape}], found [${dataset.shape}] in "${dataset.name}"`,
    );
  }
  const data = { ...from.data, ...dataShape(dataset) };
  const tensors = weightsOf(from);
  requireFit(model, { ...from, model: model.name, config: config as Record<string, unknown>, data, tensors });
}

/** @throws {RangeError} If a resumed training is asked for other settings, or has data of another width. */
export function requireSame<C extends object>(
  resume: Checkpoint,
  model: Model<C>,
  dataset: Dataset,
  asked: object,
): void {
  const fail = (name: string, expected: unknown, found: unknown) => {
    throw new RangeError(`Cannot resume "${resume.file}": expected ${name} ${expected}, found ${found}`);
  };
  if (model.name !== resume.model) fail("model", resume.model, model.name);
  const change = firstChange(begunWith(model as Model, resume), { ...asked });
  if (change) fail(change.name, change.was, change.now);
  const [expected, found] = [features(resume.data.shape), features(dataset.shape)];
  if (found !== expected) fail("features", expected, found);
}
