/**
 * Values as constants.
 *
 * @module
 */

import type { Tape, Variable } from "../graph/tape.ts";

/** y = sg(x), the same values, through which no gradient passes. It takes no dispatch. */
export function stopGradient(t: Tape, x: Variable): Variable {
  const y: Variable = { ...t.variable(`constant ${x.name}`, x.columns, x.type, x.rows), same: () => x };
  t.record({
    name: y.name,
    inputs: [],
    detached: [x],
    parameters: [],
    formula: (f) => f.constant(f.of(x)),
    forward() {},
  }, y);
  return y;
}
