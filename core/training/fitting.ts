/**
 * The loop around a model that fits itself: the same events, checkpoints, stops and resumptions as a training by gradient has. An
 * iteration is an epoch, and its losses are those at the parameters that it leaves.
 *
 * @module
 */

import type { Dataset } from "../dataset.ts";
import { dataShape, slice } from "../dataset.ts";
import { Evaluator } from "./evaluator.ts";
import type { Losses, TrainingEvent } from "./events.ts";
import type { Fit } from "./fit.ts";
import type { Model } from "../model.ts";
import { makeResident } from "../ops/gather.ts";
import type { Snapshot } from "../graph/parameters.ts";
import { tilesName } from "../products/tiles.ts";
import type { Trained } from "./trained.ts";
import type { TrainingConfig } from "./training_settings.ts";

/** What is fitted, and how the trainer counts. */
export interface Fitting {
  readonly model: Model;
  readonly config: object;
  readonly dataset: Dataset;
  readonly trained: Trained;
  /** Rows trained on, and rows after them to validate on. */
  readonly count: number;
  readonly validation: number;
  /** Steps already done, where it is resumed. */
  readonly start: number;
  readonly signal?: AbortSignal;
  /** The number of steps after which an epoch is complete. */
  stepsUntil(epoch: number): number;
  /** The error of a loss that is not finite. */
  diverged(step: number): Error;
}

/**
 * The training settings of a model that fits itself: it sees the same pixels in every iteration, and a closed form needs no more
 * than one.
 */
export function fitSettings(training: TrainingConfig, model: string, iterations = training.epochs): TrainingConfig {
  if (training.binarize === "dynamic") {
    throw new RangeError(
      `Cannot fit "${model}" to pixels that are drawn anew each time: expected binarize none or threshold, found dynamic`,
    );
  }
  return { ...training, epochs: Math.min(training.epochs, iterations) };
}

/** Settings of the training that mean something to a fit; the others are those of an optimizer. */
export const FIT_SETTINGS = [
  "batchSize",
  "epochs",
  "binarize",
  "rows",
  "validation",
  "seed",
  "tiles",
] as const satisfies readonly (
  keyof TrainingConfig
)[];

/** Fits a model. */
export async function* fitting(options: Fitting): AsyncGenerator<TrainingEvent> {
  const { model, config, dataset, trained, count, start, signal, stepsUntil } = options;
  const { gpu, tiles, parameters, training } = trained;
  const { epochs, batchSize, seed, binarize, rows } = training;
  const split = slice(dataset.train, 0, count);
  const source = makeResident(gpu, "training rows", dataset.shape, split, rows);
  const evaluator = options.validation === 0 ? undefined : await Evaluator.create({
    ...{ gpu, tiles, model, config, parameters, binarize, rows, seed, batchSize },
    data: dataset,
    split: slice(dataset.train, count, count + options.validation),
  });
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  yield {
    event: "start",
    adapter: gpu.adapter,
    model: model.name,
    dataset: dataset.name,
    parameters: parameters.count,
    config: { ...training, ...config, tiles: tilesName(tiles), ...dataShape(dataset) },
    step: start,
    epochs,
    stepsPerEpoch: stepsUntil(1),
  };
  let train: Losses = { elbo: 0, nll: 0, kl: 0, loss: 0 };
  let latest: { train: Losses; validation?: Losses; samplesPerSecond: number } = { train, samplesPerSecond: 0 };
  let done = start;
  let fit: Fit | undefined;
  let snapshot: Snapshot | undefined;
  try {
    fit = await model.fit!({
      ...{ gpu, tiles, parameters, binarize, batchSize, seed, split, source },
      data: dataShape(dataset),
      resumed: start > 0,
    }, config);
    snapshot = parameters.snapshot();
    let epoch = 1;
    while (stepsUntil(epoch) <= start && epoch <= epochs) epoch++;
    for (; epoch <= epochs && !signal?.aborted; epoch++) {
      const from = performance.now();
      const rate = () => count / Math.max(1e-9, (performance.now() - from) / 1000);
      const iteration = fit.iterate();
      let losses: Losses | undefined;
      while (!losses && !signal?.aborted) {
        const next = await iteration.next();
        if (next.done) losses = next.value;
        else {
          yield {
            event: "progress",
            epoch: epoch - 1 + next.value,
            step: done,
            steps: stepsUntil(epochs),
            train,
            samplesPerSecond: next.value * rate(),
            seconds: seconds(),
          };
        }
      }
      if (!losses) {
        await iteration.return({ elbo: 0, nll: 0, kl: 0, loss: 0 });
        snapshot.restore();
        break;
      }
      const step = stepsUntil(epoch);
      const samplesPerSecond = rate();
      const validation = evaluator ? { validation: await evaluator.run(step) } : {};
      if (![losses, validation.validation ?? losses].every(({ loss }) => Number.isFinite(loss))) {
        snapshot.restore();
        throw options.diverged(step);
      }
      done = step;
      train = losses;
      latest = { train, samplesPerSecond, ...validation };
      trained.progress = { step, sums: [], steps: 0 };
      snapshot = parameters.snapshot(snapshot);
      yield { event: "epoch", epoch, step, ...latest, seconds: seconds() };
    }
    const stopped = done < stepsUntil(epochs);
    yield { event: "end", epochs: epoch - 1, step: done, ...latest, seconds: seconds(), stopped };
  } finally {
    for (const copy of snapshot?.copies ?? []) copy.destroy();
    fit?.destroy();
    evaluator?.destroy();
    source.buffer.destroy();
  }
}
