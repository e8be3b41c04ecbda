/**
 * How an op says what it computes to a program elsewhere, which has no WGSL: exports follow from it. It is a vocabulary of types alone; what
 * speaks it is in `exchange/`.
 *
 * @module
 */

import type { Parameter } from "./parameters.ts";
import type { Schedule } from "./schedule.ts";

/** A variable or per-row values on a tape. */
export interface OnTape {
  /** What it is called in messages. */
  readonly name: string;
  /** N or a multiple. */
  readonly rows: number;
}

/** A matrix in a program elsewhere. */
export interface Formula {
  /** N or a multiple of it, another number, or 1 of what is the same for every row. */
  readonly rows: number;
  /** Its columns; 1 of what is the same for every column. */
  readonly columns: number;
}

/** How images are convolved, from [N, H W C] or [N H W, C]. */
export interface FormulaOfConv {
  /** H, W and C of the images that are read. */
  readonly from: readonly [height: number, width: number, channels: number];
  /** H', W' and C' of those that are given. */
  readonly to: readonly [height: number, width: number, channels: number];
  /** K */
  readonly kernel: number;
  /** Fine pixels from one coarse pixel to the next. */
  readonly stride: number;
  /** Zeros around the fine image. */
  readonly padding: number;
  /** Whether it goes from the coarse image to the fine one. */
  readonly transposed: boolean;
  /** Whether there is a row for each image, and not for each pixel. */
  readonly flat: boolean;
}

/** How rows are normalized. */
export interface FormulaOfNorm {
  /** H W of images; 1 of rows. */
  readonly pixels: number;
  /** Channels whose values have a mean and a variance together. */
  readonly setChannels: number;
  /** ε */
  readonly epsilon: number;
  /** Where the mean and the variance are of the batch: their moving averages, and the part of a batch in them. */
  readonly running?: { readonly averages: Parameter; readonly momentum: number };
}

/** What formulas are made of. */
export interface Formulas {
  /** What the tape computes, or is given. */
  of(x: OnTape): Formula;
  /** W [inputs, outputs] */
  weight(parameter: Parameter): Formula;
  /** b [1, outputs] */
  bias(parameter: Parameter): Formula;
  /** [1, D] */
  vector(values: readonly number[]): Formula;
  /**
   * An expression over operands by name, as in WGSL with every operand a vector: `(x - m) * exp(-s)`, `select(a, b, x > vec4f(0))`. It may call
   * `erf` and each activation too. Operands of one row or one column, and numbers, count for all.
   */
  elementwise(expression: string, operands: Readonly<Record<string, Formula | number | Schedule>>): Formula;
  /** x W + b */
  linear(x: Formula, parameter: Parameter): Formula;
  /** a b [N, M], of a [N, K] and b [K, M] */
  product(a: Formula, b: Formula): Formula;
  /** aᵀ */
  transposed(a: Formula): Formula;
  /** x * W + b */
  convolved(x: Formula, parameter: Parameter, how: FormulaOfConv): Formula;
  /** γ x̂ + β */
  normalized(x: Formula, parameter: Parameter, how: FormulaOfNorm): Formula;
  /** Some columns. */
  columns(x: Formula, first: number, count: number): Formula;
  /** Side by side; one with fewer rows than the others has each several times. */
  concat(parts: readonly Formula[]): Formula;
  /** The same elements in rows of so many. */
  reshape(x: Formula, columns: number): Formula;
  /** Each row so many times. */
  repeated(x: Formula, times: number): Formula;
  /** Σ of each row [N, 1] */
  sum(x: Formula): Formula;
  /** Σ of each row up to each column [N, K] */
  cumulated(x: Formula): Formula;
  /** The largest number of each row [N, 1]. */
  most(x: Formula): Formula;
  /** In which column the largest number of each row is, the first of equal ones [N, 1]. */
  largest(x: Formula): Formula;
  /** The rows of a table that are named [N, 1]. */
  rowsOf(table: Formula, places: Formula): Formula;
  /** x, in training with a part of its elements left out. */
  dropped(x: Formula, probability: number): Formula;
  /** y; its gradient passes to x. */
  straightThrough(x: Formula, y: Formula): Formula;
  /** x, through which no gradient passes. */
  constant(x: Formula): Formula;
  /** ε ~ N(0, 1), as many as x has elements, the same for one number of a stream. */
  normal(x: Formula, stream: number): Formula;
  /** Of a distribution of `ops/likelihood.ts`: -log p(x) of each element, or its mean. */
  likelihood(family: string, of: "nll" | "mean", operands: Readonly<Record<string, Formula | number>>): Formula;
}
