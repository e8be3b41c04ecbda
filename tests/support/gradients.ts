/**
 * The gradients of a whole model against central differences of its own loss.
 *
 * @module
 */

import { assert } from "@std/assert";
import { conditionColumns, conditionRows } from "../../core/training/batch.ts";
import { type Dataset, features } from "../../core/dataset.ts";
import type { Model } from "../../core/model.ts";
import { type CheckedInput, checkGradients } from "../../core/ops/check_gradients.ts";
import type { Binarization } from "../../core/ops/gather.ts";
import type { TileFamily } from "../../core/products/tiles.ts";
import { families, gpu } from "./gpu.ts";

const ROWS = 8;

/** A constant input of the batch. */
const rows = (columns: number) => ({ rows: ROWS, columns, constant: true });

/** {@linkcode checkGradients} of a model's objectives on the first rows of a dataset; every weight and bias must have a gradient. */
export async function checkModelGradients(
  model: Model,
  config: object,
  dataset: Dataset,
  { family = families[0], binarize = "threshold", skip, training = false, bends = false, most }: {
    readonly family?: TileFamily;
    readonly binarize?: Exclude<Binarization, "dynamic">;
    /** Whether the loss is that of a training, where another one is without: by batch statistics, with dropout. */
    readonly training?: boolean;
    /** Whether third derivatives are large, as of normalizations of few values: then differences are of fourth order. */
    readonly bends?: boolean;
    /** Weights and biases whose gradient is not the derivative of the loss, by name: "encoder.0.weight". */
    readonly skip?: RegExp;
    /** Elements of each weight and bias that are compared at most: of a combination of what is checked whole elsewhere. */
    readonly most?: number;
  } = {},
): Promise<void> {
  const columns = features(dataset.shape);
  const { values, labels, covariates } = dataset.train;
  const unit = values instanceof Uint8Array ? 255 : 1;
  const pixels = Array.from(values.subarray(0, ROWS * columns), (value) => value / unit);
  const inputs: Record<string, CheckedInput> = {
    x: { ...rows(columns), values: binarize === "none" ? pixels : pixels.map((value) => value >= 0.5 ? 1 : 0) },
  };
  const kind = model.condition?.(config);
  const width = conditionColumns(kind, dataset);
  if (kind) {
    const of = (values: ArrayLike<number> | undefined, each: number) =>
      values && Array.from(values).slice(0, ROWS * each);
    const given = { labels: of(labels, 1), covariates: of(covariates, width) };
    inputs.condition = { ...rows(width), values: conditionRows(kind, ROWS, given, dataset) };
  }
  const report = await checkGradients(
    gpu,
    (t, { x, condition }, p) => model.objectives(t, p, { x, condition, shape: dataset.shape }, config),
    inputs,
    // Warm-up weights are neither 0 nor at their end.
    {
      parameters: model.parameters(config, dataset),
      step: 7,
      tiles: family,
      skip,
      training,
      most,
      ...bends ? { order: 4, difference: 1 / 128 } : {},
    },
  );
  for (const { name, largest } of report) assert(largest > 0, `${name} has no gradient`);
}
