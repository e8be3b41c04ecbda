/**
 * What ops on codes share: tables whose columns are codes [D, K], rows of a matrix that have one, and the products of the two. It is no op.
 *
 * Codes are whole numbers from 0 to K - 1 in a variable [N, P], P positions for each of N data; what belongs to them is a matrix with a
 * row for each position of each datum, [N P, D].
 *
 * @module
 */

import { type Fragment, merge, read } from "../gpu/kernel.ts";
import type { Parameter } from "../graph/parameters.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { PANEL, roundUp, type Tensor } from "../gpu/tensor.ts";
import codeOf from "../../shaders/codes/code_of.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import lookupLoader from "../../shaders/codes/lookup.wgsl" with { type: "text" };
import oneHotLoader from "../../shaders/codes/one_hot.wgsl" with { type: "text" };
import slicesRows from "../../shaders/tiles/slices_rows.wgsl" with { type: "text" };

/** Codebooks whose codes come in turn, and the columns that a table has for each of them. */
export interface Codebooks {
  /** M, which divides P. */
  readonly codebooks: number;
  /** Columns from the first of a codebook to the first of the next. */
  readonly each: number;
}

/** A fragment giving code_of, and the constants of codes [N, P]. */
export function codeFragment(
  t: Tape,
  codes: Variable,
  { codebooks, each }: Codebooks = { codebooks: 1, each: 0 },
): Fragment {
  return {
    parts: [layout, layoutScalar, codeOf],
    constants: {
      ROWS_codes: t.stored(codes.rows),
      POSITIONS: codes.columns,
      CODED: codes.rows * codes.columns,
      CODEBOOKS: codebooks,
      CODES_each: each,
    },
    buffers: { codes: read(t.tensor(codes), "array<f32>") },
  };
}

/** A fragment giving load_a: for each row the column of a table [D, K] that its code names. */
export function lookup(t: Tape, codes: Variable, table: Tensor, of?: Codebooks): Fragment {
  return merge(codeFragment(t, codes, of), {
    parts: [lookupLoader],
    constants: { ROWS_table: table.storedRows, DEPTH: table.rows },
    buffers: { table: read(table, "array<f32>") },
  });
}

/** What {@linkcode sumByCode} sums, and what takes the sums in. */
export interface SumByCode {
  readonly label: string;
  readonly codes: Variable;
  readonly table: Parameter;
  /** Where the table is one of several codebooks. */
  readonly of?: Codebooks;
  /** Gives load_a: the rows [N P, D] that are summed. */
  readonly a: Fragment;
  /** Gives store, which takes the sums in. */
  readonly epilogue: Fragment;
  /** Whether the number of rows of each code is formed too, as the row of the bias. */
  readonly counts?: boolean;
}

/** Records the sums [D, K] of the rows that each code has: the product with the codes as indicators, in a fixed order. */
export function sumByCode(t: Tape, { label, codes, table, of, a, epilogue, counts = false }: SumByCode): void {
  const { inputs, outputs } = table.shape;
  const rows = codes.rows * codes.columns;
  t.splitProduct({
    label,
    rows: table.biasRow,
    depth: roundUp(t.stored(rows), PANEL),
    columns: roundUp(outputs, PANEL),
    a,
    b: merge(codeFragment(t, codes, of), { parts: [oneHotLoader] }),
    slices: { parts: [slicesRows] },
    summedRows: table.biasRow + (counts ? 1 : 0),
    epilogue,
    macs: rows * inputs * outputs,
  });
}
