/**
 * What a model that fits itself (EM, a closed form) works with: sweeps over all rows on the GPU that sum whatever it asks for, and
 * the rows on the host for where to start. The loop around it, with its events, is trainer.ts.
 *
 * @module
 */

import type { Fit, FitContext } from "./fit_context.ts";
import type { Batch } from "../model.ts";
import { gather } from "../ops/gather.ts";
import type { Parameter } from "../graph/parameters.ts";
import type { Tape } from "../graph/tape.ts";
import { mapped } from "./optimization.ts";
import { readValues } from "./pixels.ts";
import { type RecordedSweep, Sweep, type Swept } from "./sweep.ts";

export type { Fit, FitContext } from "./fit_context.ts";

/** A sweep over the rows that a model is fitted to. */
export function fitSweep(context: FitContext, record: (t: Tape, batch: Batch) => RecordedSweep): Promise<Sweep> {
  return Sweep.create(context, (t) => record(t, { x: gather(t, context.source, context.binarize) }));
}

/**
 * Expectation-maximization: an E step is a sweep over the data that sums what the M step needs, and measures the likelihood on the way.
 *
 * @param record Records the E step at the parameters as they stand when it runs.
 * @param maximize Writes the parameters that the sums lead to.
 */
export async function expectationMaximization(
  context: FitContext,
  record: (t: Tape, batch: Batch) => RecordedSweep,
  maximize: (sums: Swept["sums"]) => Promise<void>,
): Promise<Fit> {
  const sweep = await fitSweep(context, record);
  let sums: Swept["sums"] | undefined;
  return {
    async *iterate() {
      const begun = sums ? 0 : 0.5;
      // The first iteration, also of a resumed fit, has no sums yet.
      const known = sums ?? (yield* part(sweep.run(), 0, begun)).sums;
      await maximize(known);
      const swept = yield* part(sweep.run(), begun, 1);
      sums = swept.sums;
      return swept.losses;
    },
    destroy: () => sweep.destroy(),
  };
}

/** Runs a generator of fractions as the part `from` ... `to` of a longer one. */
export function part<T>(fractions: AsyncGenerator<number, T>, from: number, to: number): AsyncGenerator<number, T> {
  return mapped(fractions, (fraction) => from + (to - from) * fraction);
}

/** The values of row `row` as the model is given them, into `out` [D]. */
export function readRow(
  { split, binarize }: FitContext,
  row: number,
  out: Float64Array<ArrayBuffer>,
): Float64Array<ArrayBuffer> {
  return readValues(split, binarize, row * out.length, out);
}

/** Mean, as float32 holds it, and variance about it of every feature, over all rows. */
export function moments(context: FitContext): { mean: Float32Array<ArrayBuffer>; variance: Float64Array<ArrayBuffer> } {
  const { split: { count }, source: { columns } } = context;
  const row = new Float64Array(columns);
  const sums = new Float64Array(columns);
  for (let i = 0; i < count; i++) {
    readRow(context, i, row);
    for (let j = 0; j < columns; j++) sums[j] += row[j];
  }
  const mean = Float32Array.from(sums, (sum) => sum / count);
  const squares = new Float64Array(columns);
  for (let i = 0; i < count; i++) {
    readRow(context, i, row);
    for (let j = 0; j < columns; j++) squares[j] += (row[j] - mean[j]) ** 2;
  }
  return { mean, variance: squares.map((sum) => sum / count) };
}

/**
 * What a floor of variances is a part of, for every feature: the variance of a table's column; of images and of bytes, whose values have
 * one unit, their squared range. So a floor means the same in any unit.
 *
 * @param variance Of every feature.
 */
export function varianceUnits({ shape, range }: FitContext["data"], variance: ArrayLike<number>): Float64Array {
  const { length } = variance;
  if (range && (shape[0] > 1 || range.type === "bytes")) {
    const width = (range.maximum - range.minimum) / (range.type === "bytes" ? 255 : 1);
    return new Float64Array(length).fill(width ** 2 || 1);
  }
  const mean = Array.from(variance).reduce((sum, value) => sum + value) / length;
  // A column that never changes has no unit of its own.
  return Float64Array.from(variance, (value) => value || mean || 1);
}

/** Writes weight and bias of a parameter; what is left out is zero. */
export function setParameter(parameter: Parameter, weight: ArrayLike<number>, bias?: ArrayLike<number>): void {
  const { outputs } = parameter.shape;
  parameter.set(
    parameter.tensor,
    Float32Array.from(weight),
    bias ? Float32Array.from(bias) : new Float32Array(outputs),
  );
}
