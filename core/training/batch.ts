/**
 * The rows of a split on the GPU, and the ops that take a step's batch out of them: data, and for conditional models the condition.
 *
 * @module
 */

import type { DataShape, Split } from "../dataset.ts";
import type { Batch, Condition, Model } from "../model.ts";
import { type Binarization, gather, makeResident, type Placement, type Resident } from "../ops/gather.ts";
import type { Tape } from "../graph/tape.ts";

/** What a batch is taken from. */
export interface BatchSource {
  /** The model that is given the batch. */
  readonly model: Model;
  /** Its settings. */
  readonly config: object;
  /** The shape of the data. */
  readonly data: DataShape;
  /** The rows. */
  readonly split: Split;
  /** How values become data. */
  readonly binarize: Binarization;
  /** Where the rows lie. */
  readonly rows: Placement;
}

/** A recorded batch with what it holds on the GPU. */
export interface RecordedBatch {
  readonly batch: Batch;
  /** Frees the resident rows. */
  destroy(): void;
}

/** What is known of rows besides their values. */
export interface ConditionOptions {
  /** One class for each of N rows. */
  readonly labels?: ArrayLike<number>;
  /** Row-major [N, C]. */
  readonly covariates?: ArrayLike<number>;
}

/** How many columns a condition has: one for each class, one, or one for each covariate. */
export function conditionColumns(condition: Condition | undefined, { classes, covariates }: DataShape): number {
  if (!condition) return 0;
  if (condition === "covariates") {
    if (covariates?.length) return covariates.length;
    throw new RangeError("Cannot condition on covariates: expected a dataset with covariates, found none");
  }
  if (!classes) throw new RangeError("Cannot condition on labels: expected a dataset with classes, found none");
  return condition === "one-hot" ? classes : 1;
}

/**
 * The condition of N rows.
 *
 * @returns [N, classes], 1 in the label's column; [N, 1], the label itself; or [N, C], the covariates.
 * @throws {RangeError} If there is not one for each row, a label is no class, or a covariate is not finite.
 */
export function conditionRows(
  condition: Condition,
  count: number,
  { labels = [], covariates = [] }: ConditionOptions,
  data: DataShape,
): Float32Array<ArrayBuffer> {
  const columns = conditionColumns(condition, data);
  if (condition === "covariates") {
    if (covariates.length !== count * columns) {
      throw new RangeError(
        `Cannot condition on covariates: expected ${columns} for each of ${count} rows (${
          data.covariates!.join(", ")
        }), found ${covariates.length}`,
      );
    }
    const rows = Float32Array.from(covariates);
    const bad = rows.findIndex((value) => !Number.isFinite(value));
    if (bad < 0) return rows;
    throw new RangeError(`Cannot condition on covariates: expected finite numbers, found ${rows[bad]}`);
  }
  if (labels.length !== count) {
    throw new RangeError(`Cannot condition on labels: expected one for each of ${count} rows, found ${labels.length}`);
  }
  const rows = new Float32Array(count * columns);
  for (let i = 0; i < count; i++) {
    if (!Number.isInteger(labels[i]) || labels[i] < 0 || labels[i] >= data.classes!) {
      throw new RangeError(`Cannot condition on label ${labels[i]}: expected a class from 0 to ${data.classes! - 1}`);
    }
    if (condition === "one-hot") rows[i * columns + labels[i]] = 1;
    else rows[i] = labels[i];
  }
  return rows;
}

/** Uploads the rows of a split and records how a step takes its batch. */
export function recordBatch(t: Tape, { model, config, data, split, binarize, rows }: BatchSource): RecordedBatch {
  const residents: Resident[] = [];
  const destroy = () => residents.forEach(({ buffer }) => buffer.destroy());
  try {
    residents.push(makeResident(t.gpu, "rows", data.shape, split, rows));
    const x = gather(t, residents[0], binarize);
    const kind = model.condition?.(config);
    if (!kind) return { batch: { x, shape: data.shape }, destroy };
    const values = conditionRows(kind, split.count, split, data);
    const columns = [1, conditionColumns(kind, data), 1] as const;
    residents.push(makeResident(t.gpu, "conditions", columns, { values, count: split.count }, rows));
    // The same rows as x: which they are follows from the step alone.
    const condition = gather(t, residents[1], "none", { name: "condition" });
    return { batch: { x, condition, shape: data.shape }, destroy };
  } catch (error) {
    destroy();
    throw error;
  }
}
