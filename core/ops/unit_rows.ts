/**
 * Rows of length 1.
 *
 * @module
 */

import type { Tape, Variable } from "../graph/tape.ts";
import { multiply, square } from "./arithmetic.ts";
import { elementwise } from "./elementwise.ts";
import { repeatColumn, sumColumns } from "./sum.ts";

const inverseRoot = elementwise({
  name: "1 / √",
  inputs: ["x"],
  value: "inverseSqrt(max(x, vec4f(1.0e-12)))",
  derivatives: { x: "select(vec4f(), -0.5 * y * y * y, x > vec4f(1.0e-12))" },
});

/**
 * y = x / |x|, each row
 *
 * Backward: dx = (dy - (y · dy) y) / |x|.
 *
 * @param x [N, D]
 * @returns y [N, D]; a row of zeros stays one.
 */
export function unitRows(t: Tape, x: Variable): Variable {
  return multiply(t, x, repeatColumn(t, inverseRoot(t, sumColumns(t, square(t, x))), x.columns));
}
