/**
 * The rows of a split on the GPU, and the ops that take a step's batch out of them: data, and for conditional models the condition.
 *
 * @module
 */

import type { Dataset, Split } from "./dataset.ts";
import type { Batch, Condition, Model } from "./model.ts";
import { type Binarization, gather, makeResident, type Placement, type Resident } from "./ops/gather.ts";
import type { Schedule } from "./schedule.ts";
import type { Tape } from "./tape.ts";

/** What a batch is taken from. */
export interface BatchSource {
  readonly model: Model;
  readonly config: object;
  readonly data: Pick<Dataset, "shape" | "classes">;
  readonly split: Split;
  readonly binarize: Binarization;
  readonly rows: Placement;
}

/** A recorded batch with what it holds on the GPU. */
export interface RecordedBatch {
  readonly batch: Batch;
  /** Sets what is scheduled; the first op of every step evaluates it. */
  setSchedules(schedules: readonly Schedule[]): void;
  /** Frees the resident rows. */
  destroy(): void;
}

/** How many columns a condition has: one for each class, or one. */
export function conditionColumns(condition: Condition | undefined, classes: number | undefined): number {
  if (!condition) return 0;
  if (!classes) throw new RangeError("Cannot condition on labels: expected a dataset with classes, found none");
  return condition === "one-hot" ? classes : 1;
}

/**
 * Labels as a condition.
 *
 * @param labels One class for each of N rows.
 * @returns [N, classes], 1 in the label's column, or [N, 1], the label itself.
 * @throws {RangeError} If a label is no class.
 */
export function conditionRows(
  condition: Condition,
  labels: ArrayLike<number>,
  classes: number | undefined,
): Float32Array<ArrayBuffer> {
  const columns = conditionColumns(condition, classes);
  const rows = new Float32Array(labels.length * columns);
  for (let i = 0; i < labels.length; i++) {
    if (!Number.isInteger(labels[i]) || labels[i] < 0 || labels[i] >= classes!) {
      throw new RangeError(`Cannot condition on label ${labels[i]}: expected a class from 0 to ${classes! - 1}`);
    }
    if (condition === "one-hot") rows[i * columns + labels[i]] = 1;
    else rows[i] = labels[i];
  }
  return rows;
}

/** Uploads the rows of a split and records how a step takes its batch. */
export function recordBatch(t: Tape, { model, config, data, split, binarize, rows }: BatchSource): RecordedBatch {
  const residents: Resident[] = [makeResident(t.gpu, "rows", data.shape, split, rows)];
  const { x, setSchedules } = gather(t, residents[0], binarize);
  const kind = model.condition?.(config);
  let batch: Batch = { x };
  if (kind) {
    if (!split.labels) throw new RangeError(`Cannot train "${model.name}": expected a dataset with labels, found none`);
    const values = conditionRows(kind, split.labels, data.classes);
    const shape = [1, conditionColumns(kind, data.classes), 1] as const;
    residents.push(makeResident(t.gpu, "conditions", shape, { values, count: split.count }, rows));
    // The same rows as x: which they are follows from the step alone.
    batch = { x, condition: gather(t, residents[1], "none", { name: "condition", setsSchedules: false }).x };
  }
  return {
    batch,
    setSchedules,
    destroy: () => residents.forEach(({ buffer }) => buffer.destroy()),
  };
}
