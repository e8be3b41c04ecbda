/**
 * Flags of the tasks that read a run.
 *
 * @module
 */

import { classOf, type DataShape } from "../../core/dataset.ts";
import { type FlagGroup, UsageError } from "./flags.ts";
import { RUNS } from "./permissions.ts";

/** What every task that reads a run is told. */
export interface RunChoice {
  readonly run: string;
  /** Modules of models, where the run's is not one of elbo's. */
  readonly model: readonly string[];
  readonly checkpoint: typeof CHECKPOINTS[number];
}

/** Which checkpoint of a run: that of the epoch with the lowest validation loss, where one is kept, or the last. */
export const CHECKPOINTS = ["best", "last"] as const;

/** The flag of {@linkcode CHECKPOINTS}. */
export const checkpointFlag = {
  type: "choice",
  default: "best",
  choices: CHECKPOINTS,
  help: "the weights of the epoch with the lowest validation loss, where rows were held out, or of the last epoch",
} as const;

/** The flags of {@linkcode RunChoice}. */
export const runChoice = {
  title: "Run",
  settings: {
    run: {
      type: "string",
      default: "",
      help: `the run folder, or hf:owner/name of the Hugging Face Hub (default: the newest in ${RUNS}/)`,
    },
    model: { type: "strings", default: [], help: "the module of the model, if it is not one of elbo's: ./my_vae.ts" },
    checkpoint: checkpointFlag,
  },
  placeholders: { run: "DIR", model: "MODULE" },
} as const satisfies FlagGroup<RunChoice>;

/** Rows of the data that a run was trained on. */
export const SPLITS = ["test", "validation", "train"] as const;

/** The name of such rows. */
export type SplitName = typeof SPLITS[number];

/** The flag of a split. */
export const splitFlag = { type: "choice", default: "test", choices: SPLITS, help: "which rows" } as const;

/** The flag of a seed; `help` says what follows from it. */
export const seedFlag = (help: string) =>
  ({ type: "integer", default: 0, minimum: 0, maximum: 0xffffffff, help }) as const;

/**
 * The class that `--label` names.
 *
 * @throws {UsageError} If the data have no classes, or none of that name.
 */
export function labelOf(label: string, data: DataShape): number {
  if (!data.classes) throw new UsageError("--label: expected data with labels, found none");
  try {
    return classOf(label, data);
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(`--label: ${error.message}`, { cause: error }) : error;
  }
}
