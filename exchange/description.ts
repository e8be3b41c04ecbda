/**
 * What a model that leaves has to say of itself: its settings, and how data become what it is given.
 *
 * @module
 */

import { isTable } from "../core/description.ts";
import type { Trained } from "../core/training/trained.ts";

/** A model in words and numbers, as JSON. */
export interface Description {
  readonly model: string;
  readonly summary: string;
  readonly source: string;
  /** Its settings. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Of the training; by seed and size of a batch an evaluation draws what it drew before. */
  readonly training: {
    readonly steps: number;
    readonly rows: number;
    readonly dataset: string;
    readonly batchSize: number;
    readonly seed: number;
  };
  readonly data: {
    /** Height, width and channels of a row, in this order; of a table 1, its columns, 1. */
    readonly shape: readonly number[];
    readonly columns?: readonly string[];
    readonly classNames?: readonly string[];
    readonly covariates?: readonly string[];
  };
  /** How data become x, in this order. */
  readonly preprocessing: {
    /** What pixels are multiplied with. */
    readonly scale?: number;
    /** What is taken off each column, and what it is divided by then. */
    readonly standardize?: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
    /** Whether pixels become 0 or 1: not, by a threshold, or each drawn with itself as the probability of 1. */
    readonly binarize: "none" | "threshold" | "dynamic";
  };
}

/** The description of a model. */
export function describeModel(trained: Trained): Description {
  const { model, config, data, training, progress } = trained;
  const { shape, columns, classNames, covariates, scaling, range, name, count } = data;
  return {
    ...{ model: model.name, summary: model.summary, source: model.source },
    config: config as Record<string, unknown>,
    training: {
      ...{ steps: progress.step, rows: count, dataset: name.replace(/.*[/\\]/, "") },
      ...{ batchSize: training.batchSize, seed: training.seed },
    },
    data: {
      shape,
      ...columns ? { columns } : {},
      ...classNames ? { classNames } : {},
      ...covariates ? { covariates } : {},
    },
    preprocessing: {
      ...range?.type === "bytes" && !isTable(shape) ? { scale: 1 / 255 } : {},
      ...scaling ? { standardize: { mean: scaling.mean, deviation: scaling.deviation } } : {},
      binarize: training.binarize,
    },
  };
}
