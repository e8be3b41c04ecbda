/**
 * Arithmetic, element by element. Sums of variables are {@linkcode add}, which needs no dispatch where a layer ends.
 *
 * @module
 */

import type { Tape, Variable } from "../graph/tape.ts";
import { elementwise } from "./elementwise.ts";

/** y = f(x), [N, D] to [N, D] */
export type Unary = (t: Tape, x: Variable) => Variable;

/** y = f(a, b), both [N, D], to [N, D] */
export type Binary = (t: Tape, a: Variable, b: Variable) => Variable;

/** y = a - b; backward da = dy, db = -dy */
export const subtract: Binary = elementwise({
  name: "subtract",
  inputs: ["a", "b"],
  value: "a - b",
  derivatives: { a: "1.0", b: "-1.0" },
});

/** y = a b; backward da = dy b, db = dy a */
export const multiply: Binary = elementwise({
  name: "multiply",
  inputs: ["a", "b"],
  value: "a * b",
  derivatives: { a: "b", b: "a" },
});

/** y = a / b, of any b but 0; backward da = dy / b, db = -dy y / b */
export const divide: Binary = elementwise({
  name: "divide",
  inputs: ["a", "b"],
  value: "a / b",
  derivatives: { a: "1.0 / b", b: "-y / b" },
});

/** y = x²; backward dx = 2 dy x */
export const square: Unary = elementwise({
  name: "square",
  inputs: ["x"],
  value: "x * x",
  derivatives: { x: "2.0 * x" },
});

/** y = exp(x), infinite above x = 88.7; backward dx = dy y */
export const exp: Unary = elementwise({
  name: "exp",
  inputs: ["x"],
  value: "exp(x)",
  derivatives: { x: "y" },
});

/** y = ln(x) of x > 0; backward dx = dy / x */
export const log: Unary = elementwise({
  name: "log",
  inputs: ["x"],
  value: "log(x)",
  derivatives: { x: "1.0 / x" },
});

/** y = √x of x > 0; backward dx = dy / (2 y) */
export const sqrt: Unary = elementwise({
  name: "sqrt",
  inputs: ["x"],
  value: "sqrt(x)",
  derivatives: { x: "0.5 / y" },
});
