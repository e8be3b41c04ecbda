/**
 * Sums and means over columns, and the ways between columns [N, 1] and per-row values, the terms of a loss.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import { store } from "./store.ts";
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import numbersOfMatrix from "../../shaders/ops/numbers_of_matrix.wgsl" with { type: "text" };
import numbersOfUpstream from "../../shaders/ops/numbers_of_upstream.wgsl" with { type: "text" };
import numbersOfValues from "../../shaders/ops/numbers_of_values.wgsl" with { type: "text" };
import oneColumn from "../../shaders/loaders/one_column.wgsl" with { type: "text" };
import repeatedColumn from "../../shaders/loaders/repeated_column.wgsl" with { type: "text" };
import storeNumbers from "../../shaders/ops/store_numbers.wgsl" with { type: "text" };
import upstreamColumn from "../../shaders/epilogues/upstream_column.wgsl" with { type: "text" };
import upstreamNone from "../../shaders/epilogues/upstream_none.wgsl" with { type: "text" };

/**
 * y[n] = Σ_d x[n, d]
 *
 * Backward: dx[n, d] = dy[n].
 *
 * @param x [N, D]
 * @returns y [N, 1]
 */
export function sumColumns(t: Tape, x: Variable): Variable {
  return total(t, `sum of ${x.name}`, x, 1);
}

/**
 * y[n] = 1/D Σ_d x[n, d]
 *
 * Backward: dx[n, d] = dy[n] / D.
 *
 * @param x [N, D]
 * @returns y [N, 1]
 */
export function meanColumns(t: Tape, x: Variable): Variable {
  return total(t, `mean of ${x.name}`, x, 1 / x.columns);
}

function total(t: Tape, name: string, x: Variable, factor: number): Variable {
  const y = t.variable(name, 1, "f32", x.rows);
  t.record({
    name,
    inputs: [x],
    parameters: [],
    formula: (f) => f.elementwise("factor * x", { factor, x: f.sum(f.of(x)) }),
    forward: () => store(t, y, merge(sumOf(t, x, factor), inOne(y))),
    backward() {
      if (!t.needsGradient(x)) return;
      t.map(`${x.name} gradient`, merge(sumOf(t, t.gradient(y), factor), inAll(x)), t.contribution(x), x);
    },
  }, y);
  return y;
}

/**
 * y[n, d] = x[n], the same in D columns
 *
 * Backward: dx[n] = Σ_d dy[n, d].
 *
 * @param x [N, 1]
 * @param columns D
 * @returns y [N, D]
 */
export function repeatColumn(t: Tape, x: Variable, columns: number): Variable {
  if (x.columns !== 1) {
    throw new RangeError(`Cannot repeat "${x.name}": expected 1 column, found ${x.columns}`);
  }
  const y = t.variable(`${x.name} repeated`, columns, "f32", x.rows);
  t.record({
    name: y.name,
    inputs: [x],
    parameters: [],
    formula: (f) => f.elementwise("one * x", { one: f.vector(Array(columns).fill(1)), x: f.of(x) }),
    forward: () => store(t, y, merge(sumOf(t, x), inAll(y))),
    backward() {
      if (!t.needsGradient(x)) return;
      t.map(`${x.name} gradient`, merge(sumOf(t, t.gradient(y)), inOne(x)), t.contribution(x), x);
    },
  }, y);
  return y;
}

/**
 * Σ_d x[n, d] of each row as per-row values: what a term of a loss is
 *
 * Backward: dx[n, d] is the value's gradient, for a term its weight.
 *
 * @param name The values' name.
 * @param x [N, D], with one row or several for each of a batch.
 * @returns One value for each of N rows.
 */
export function valuesOf(t: Tape, name: string, x: Variable): RowScalars {
  const values = t.rowScalars(name, 1, x.rows);
  t.record({
    name,
    inputs: [x],
    parameters: [],
    formula: (f) => f.sum(f.of(x)),
    forward: () =>
      t.dispatch({
        label: name,
        fragments: [sumOf(t, x), {
          parts: [storeNumbers],
          constants: { ROWS_column: x.rows, STORED: values.storedRows },
          buffers: { stored_numbers: write(values.buffer) },
        }],
        workgroups: [Math.ceil(values.storedRows / 64)],
      }),
    backward() {
      if (!t.needsGradient(x)) return;
      const upstream = merge(t.upstream("numbers", values), { parts: [numbersOfUpstream] }, inAll(x));
      t.map(`${x.name} gradient`, upstream, t.contribution(x), x);
    },
  }, values);
  return values;
}

/**
 * y[n] = the value of row n: what ops on variables, and more than one of them, can read
 *
 * Backward: the value's gradient is dy[n]. Record it after what reads the other outputs of the op that forms the values: `decode(z)` before
 * `columnOf(kl)`. A doubly reparameterized divergence takes its gradient from {@linkcode importanceBound} alone.
 *
 * @param values One for each of N rows; nothing else may read them then, and no term but one of weight 0.
 * @returns y [N, 1]
 */
export function columnOf(t: Tape, values: RowScalars): Variable {
  const y = t.variable(`column of ${values.name}`, 1, "f32", values.rows);
  values.upstream = (m) => {
    if (!t.needsGradient(y)) return { parts: [{ text: upstreamNone, parameters: { m } }] };
    const gradient = t.gradient(y);
    return {
      parts: [layout, { text: upstreamColumn, parameters: { m } }],
      constants: { [`ROWS_column_${m}`]: gradient.storedRows, [`VALID_${m}`]: values.rows },
      buffers: { [`column_${m}`]: read(gradient) },
    };
  };
  t.record({
    name: y.name,
    inputs: [],
    values: [values],
    parameters: [],
    formula: (f) => f.of(values),
    forward: () =>
      store(
        t,
        y,
        merge({
          parts: [numbersOfValues],
          constants: { PARTS_numbers: values.parts, STORED_numbers: values.storedRows },
          buffers: { numbers: read(values.buffer) },
        }, inOne(y)),
      ),
  }, y);
  return y;
}

/** Gives number_of: a factor times the sum of each row. */
function sumOf(t: Tape, source: Variable | Tensor, factor = 1): Fragment {
  return merge(t.load("numbers", source), {
    parts: [numbersOfMatrix],
    constants: { WIDTH_numbers: source.columns },
    floats: { FACTOR_numbers: factor },
  });
}

/** Gives load_a: the numbers in column 0. */
function inOne({ rows }: Variable): Fragment {
  return { parts: [oneColumn], constants: { ROWS_column: rows } };
}

/** Gives load_a: the numbers in every column. */
function inAll({ rows, columns }: Variable): Fragment {
  return { parts: [repeatedColumn], constants: { ROWS_column: rows, COLUMNS_column: columns } };
}
