/**
 * Sums and means over rows, in every row of a batch: what a penalty of a whole batch, or of weights, is made of.
 *
 * @module
 */

import { type Fragment, merge, write } from "../gpu/kernel.ts";
import { treeSum } from "../gpu/tree_sum.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { activations } from "./activations.ts";
import { layout } from "./parts.ts";
import { validRows } from "./valid_rows.ts";
import denseEpilogue from "../../shaders/epilogues/dense.wgsl" with { type: "text" };
import sumRowsShader from "../../shaders/ops/sum_rows.wgsl" with { type: "text" };

/**
 * y[m, d] = Σ_n x[n, d] in each of the batch's rows m
 *
 * Backward: dx[n, d] = Σ_m dy[m, d].
 *
 * @param x [R, D] of any number of rows, all of which count: a matrix of weights.
 * @returns y [N, D]
 */
export function sumRows(t: Tape, x: Variable): Variable {
  return overRows(t, `sum over rows of ${x.name}`, x, false);
}

/**
 * y[m, d] = 1/N Σ_n x[n, d] in each row m
 *
 * Rows that pad the last batch do not count, and are 0. Backward: dx[n, d] = 1/N Σ_m dy[m, d].
 *
 * @param x [N, D], a row for each of the batch.
 * @returns y [N, D]
 */
export function meanRows(t: Tape, x: Variable): Variable {
  if (x.rows !== t.batch) {
    throw new RangeError(`Cannot average "${x.name}" over the batch: expected ${t.batch} rows, found ${x.rows}`);
  }
  return overRows(t, `mean over rows of ${x.name}`, x, true);
}

function overRows(t: Tape, name: string, x: Variable, mean: boolean): Variable {
  const y = t.variable(name, x.columns);
  const sum = (label: string, a: Fragment, epilogue: Fragment, from: number, to: number) =>
    t.dispatch({
      label,
      fragments: [merge(layout, validRows(t), a, epilogue), {
        parts: [treeSum("vec4f", 64), sumRowsShader],
        constants: { ROWS_summed: from, ROWS_stored: t.stored(to), ROWS_given: to, MEAN: mean },
      }],
      workgroups: [Math.ceil(x.columns / 4)],
    });
  t.record({
    name,
    inputs: [x],
    parameters: [],
    forward: () =>
      sum(
        name,
        t.load("a", x),
        {
          parts: [activations.identity.shader, denseEpilogue],
          constants: { ROWS_y: t.stored(y.rows), COLUMNS: y.columns },
          buffers: { y: write(t.tensor(y)) },
        },
        x.rows,
        y.rows,
      ),
    backward() {
      if (!t.needsGradient(x)) return;
      sum(`${x.name} gradient`, t.load("a", t.gradient(y)), t.contribution(x), y.rows, x.rows);
    },
  }, y);
  return y;
}
