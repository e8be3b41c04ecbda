/**
 * What an experiment says of itself: which runs it needs, which tables and figures follow from them, and what was published. The
 * runner (`runner.ts`) does the rest for all of them.
 *
 * @module
 */

import type { Dataset, DatasetSource } from "../core/dataset.ts";
import type { EndEvent, EpochEvent } from "../core/training/events.ts";
import type { Model } from "../core/model.ts";
import type { Settings } from "../core/settings.ts";
import type { Trained } from "../core/training/trained.ts";
import type { Figure } from "../figures/figure.ts";
import type { Table } from "./table.ts";

/** One configuration that is trained, once for each seed. */
export interface Point {
  /** Its name within the experiment, and the beginning of its run folders' names. */
  readonly id: string;
  readonly model: Model;
  /** URL of the model's module, if the model is not one of `models/`. */
  readonly module?: string;
  /** A name of `datasets/`, or what loads the data. */
  readonly dataset: string | DatasetSource;
  /** Training rows, N, from the first; default: all. */
  readonly rows?: number;
  /** Settings of the training and of the model together, but for the seed. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Left out, with a line that says why, where the dataset cannot be loaded. */
  readonly optional?: boolean;
}

/** Numbers that were measured on a trained run, by name. */
export type Measures = Readonly<Record<string, number | readonly number[]>>;

/** One trained run of a point. */
export interface RunResult {
  readonly folder: string;
  readonly seed: number;
  /** Number of trained scalars. */
  readonly parameters: number;
  readonly epochs: readonly EpochEvent[];
  readonly end: EndEvent;
  readonly measures: Measures;
}

/** A point and its runs, one a seed. */
export interface PointResult {
  readonly point: Point;
  readonly runs: readonly RunResult[];
}

/** How far an experiment goes. */
export interface Extent {
  /** Passes over the training rows. */
  readonly epochs: number;
  /** Rows of the training set that are used, those to validate on among them; default: all. */
  readonly rows?: number;
  /** Runs of every point, where nobody says how many; default: 1. */
  readonly seeds?: number;
}

/** What an experiment was asked for. */
export interface Options extends Extent {
  readonly quick: boolean;
  /** Runs of every point. */
  readonly seeds: number;
  /** Values of {@linkcode Experiment.settings}. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What {@linkcode Experiment.measure} is given. */
export interface Measuring {
  readonly point: Point;
  readonly trained: Trained;
  readonly dataset: Dataset;
  readonly options: Options;
  readonly signal?: AbortSignal;
}

/** What {@linkcode Experiment.figures} is given besides the results. */
export interface Drawing {
  readonly options: Options;
  /** A trained run; the caller frees it. */
  open(result: PointResult, run?: RunResult): Promise<Trained>;
  dataset(name: string): Promise<Dataset>;
}

/**
 * Yields the points to train next and gets their results, in the order asked for, without those that were left out. The same results
 * must lead to the same points: so an experiment that was stopped goes on where it was.
 */
export type Plan = Generator<readonly Point[], void, readonly PointResult[]>;

/** A published experiment. */
export interface Experiment {
  /** The name in `deno task experiment NAME`. */
  readonly name: string;
  /** One line: what is compared. */
  readonly summary: string;
  /** Where it was published. */
  readonly source: string;
  /** What the published figures lead one to expect, one sentence each. */
  readonly expectations: readonly string[];
  /** As published. */
  readonly full: Extent;
  /** Within a few minutes on two processor cores. */
  readonly quick: Extent;
  /** What can be asked besides: these become flags. */
  readonly settings?: Settings<Readonly<Record<string, unknown>>>;
  /** Settings that take another value in a quick run where none is given. */
  readonly quickSettings?: Readonly<Record<string, unknown>>;
  plan(options: Options): Plan;
  /** How many points the plan may come to, where it does not yield all at once. */
  most?(options: Options): number;
  /** What is measured on every run beyond its losses. */
  measure?(measuring: Measuring): Promise<Measures>;
  /** What is measured while a run is trained, after an epoch, from 1 on: `measures` of its event. Undefined where nothing is. */
  measureEpoch?(measuring: Measuring, epoch: number): Promise<EpochEvent["measures"]>;
  tables(results: readonly PointResult[], options: Options): readonly Table[];
  figures?(results: readonly PointResult[], drawing: Drawing): Promise<readonly Figure[]>;
}

/** The plan of an experiment whose points are known from the start. */
export function* all(points: readonly Point[]): Plan {
  yield points;
}

/**
 * The result of a point.
 *
 * @throws {RangeError} If there is none of that name.
 */
export function resultOf(results: readonly PointResult[], id: string): PointResult {
  const found = results.find(({ point }) => point.id === id);
  if (!found) {
    throw new RangeError(
      `Cannot find the result "${id}": expected one of ${results.map(({ point }) => point.id).join(", ")}`,
    );
  }
  return found;
}
