/**
 * A learned vector for each code.
 *
 * @module
 */

import type { Parameter } from "../graph/parameters.ts";
import { loader, type Tape, type Variable } from "../graph/tape.ts";
import { lookup, sumByCode } from "./codes.ts";
import { store } from "./store.ts";

/**
 * y = the column of the table that each code names
 *
 * Backward: dtable[:, k] = the sum of dy over the rows of code k, as one product, which the optimizer ends. The bias has no part in it.
 *
 * @param codes [N, P], from 0 to K - 1
 * @param table Weight [D, K], or [D, M K] for codes of M codebooks in turn.
 * @param codebooks M
 * @returns y [N P, D]
 */
export function embedding(t: Tape, codes: Variable, table: Parameter, codebooks = 1): Variable {
  const of = { codebooks, each: table.shape.outputs / codebooks };
  const y = t.variable(table.name, table.shape.inputs, "f32", codes.rows * codes.columns);
  t.record({
    name: table.name,
    inputs: [],
    detached: [codes],
    parameters: [table],
    forward: () => store(t, y, lookup(t, codes, table.tensor, of)),
    backward() {
      if (!t.needsGradient(table)) return;
      const a = loader("a", t.gradient(y));
      sumByCode(t, { label: `${table.name} gradient`, codes, table, of, a, epilogue: t.contribution(table) });
    },
  }, y);
  return y;
}
