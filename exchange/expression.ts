/**
 * What a model computes, as a graph of operations that ONNX, PyTorch and plain JavaScript have: expressions, each built once. What a
 * writer does with them is its own business.
 *
 * @module
 */

import type { Parameter } from "../core/graph/parameters.ts";

/** Functions of one number. */
export const UNARY = [
  ...["abs", "ceil", "cos", "erf", "exp", "floor", "log", "neg", "round", "sign", "sin", "sqrt", "tanh"],
  ...["elu", "gelu", "leaky_relu", "relu", "sigmoid", "silu", "softplus"],
] as const;

/** Functions of two numbers; a comparison gives true or false. */
export const BINARY = [
  ...["add", "sub", "mul", "div", "min", "max", "pow"],
  ...["less", "lessOrEqual", "greater", "greaterOrEqual", "equal", "and", "or"],
] as const;

/** How a layer goes from images [N, C, H, W] to others. */
export interface ConvAttributes {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly transposed: boolean;
  /** Rows and columns that a transposed convolution gives beyond the least. */
  readonly beyond: readonly [height: number, width: number];
}

/** What an expression is. */
export type Operation =
  | { readonly op: "input"; readonly name: string }
  | { readonly op: "weight" | "bias"; readonly parameter: Parameter }
  | { readonly op: "vector"; readonly values: readonly number[] }
  | { readonly op: "number"; readonly value: number }
  | { readonly op: "unary"; readonly f: string }
  | { readonly op: "binary"; readonly f: string }
  /** The second where the first is true, else the third. */
  | { readonly op: "where" }
  | { readonly op: "linear"; readonly parameter: Parameter }
  | { readonly op: "matmul" }
  | ({ readonly op: "conv"; readonly parameter: Parameter } & ConvAttributes)
  /** Of [N, C], the mean and the variance of each column over the rows, or their moving averages. */
  | {
    readonly op: "batchNorm";
    readonly parameter: Parameter;
    readonly running: Parameter;
    readonly epsilon: number;
    readonly momentum: number;
  }
  /** To the expression's shape, whose first size follows from the others. */
  | { readonly op: "reshape" }
  | { readonly op: "permute"; readonly order: readonly number[] }
  | { readonly op: "columns"; readonly first: number; readonly count: number }
  /** Along the last axis. */
  | { readonly op: "concat" }
  | { readonly op: "repeat"; readonly times: number }
  /** Over the last axis, which stays with one element. */
  | { readonly op: "sum" | "most" | "largest" }
  | { readonly op: "cumulated" }
  /** Rows of the first by the numbers in the second [N, 1]. */
  | { readonly op: "rowsOf" }
  | { readonly op: "dropout"; readonly probability: number }
  | { readonly op: "straightThrough" }
  | { readonly op: "constant" }
  | { readonly op: "normal"; readonly stream: number };

/** A value. */
export interface Expression {
  /** Its place among all. */
  readonly id: number;
  readonly operation: Operation;
  readonly inputs: readonly Expression[];
  /** Sizes, the first of them for N rows on the tape; none of a number. */
  readonly shape: readonly number[];
}

const isMove = ({ operation: { op } }: Expression) => op === "reshape" || op === "permute";

/** Builds expressions, each of them once: equal ones are the same. */
export class Expressions {
  readonly #known = new Map<string, Expression>();
  readonly #parameters = new Map<Parameter, number>();

  /** The expression of an operation. */
  make(operation: Operation, inputs: readonly Expression[], shape: readonly number[]): Expression {
    const key = JSON.stringify([operation, inputs.map(({ id }) => id), shape], (_, value) => {
      if (typeof value !== "object" || !value || !("tensor" in value)) return value;
      const known = this.#parameters.get(value) ?? this.#parameters.size;
      this.#parameters.set(value, known);
      return known;
    });
    let expression = this.#known.get(key);
    if (!expression) {
      expression = { id: this.#known.size, operation, inputs, shape };
      this.#known.set(key, expression);
    }
    return expression;
  }

  number(value: number): Expression {
    return this.make({ op: "number", value }, [], []);
  }

  /** The same elements in another shape. */
  reshape(x: Expression, shape: readonly number[]): Expression {
    if (x.shape.join() === shape.join()) return x;
    if (x.operation.op === "reshape") return this.reshape(x.inputs[0], shape);
    return this.make({ op: "reshape" }, [x], shape);
  }

  /** The axes in another order. */
  permute(x: Expression, order: readonly number[]): Expression {
    const { operation, inputs: [inner] } = x;
    const all = operation.op === "permute" ? order.map((axis) => operation.order[axis]) : order;
    const from = operation.op === "permute" ? inner : x;
    if (all.every((axis, i) => axis === i)) return from;
    return this.make({ op: "permute", order: all }, [from], all.map((axis) => from.shape[axis]));
  }

  /**
   * A function of elements, which is applied before its operands' elements are moved, where all move alike: what is between two
   * convolutions then stays as they have it.
   */
  elementwise(operation: Operation, operands: readonly Expression[]): Expression {
    const matrices = operands.filter(({ shape }) => shape.length);
    const [first] = matrices;
    const alike = matrices.length > 0 && isMove(first) &&
      matrices.every((each) =>
        JSON.stringify(each.operation) === JSON.stringify(first.operation) &&
        each.shape.join() === first.shape.join() &&
        each.inputs[0].shape.join() === first.inputs[0].shape.join()
      );
    if (alike) {
      const inner = this.elementwise(operation, operands.map((each) => each.shape.length ? each.inputs[0] : each));
      if (inner.shape.join() === first.inputs[0].shape.join()) {
        return first.operation.op === "permute"
          ? this.permute(inner, first.operation.order)
          : this.reshape(inner, first.shape);
      }
    }
    const rank = Math.max(...operands.map(({ shape }) => shape.length));
    const shape = Array.from(
      { length: rank },
      (_, i) => Math.max(...operands.map(({ shape }) => shape[shape.length - rank + i] ?? 1)),
    );
    return this.make(operation, operands, shape);
  }
}

/** All that expressions are made of, each behind what it is made of. */
export function inOrder(outputs: readonly Expression[]): readonly Expression[] {
  const seen = new Set<Expression>();
  const visit = (expression: Expression) => {
    if (seen.has(expression)) return;
    expression.inputs.forEach(visit);
    seen.add(expression);
  };
  outputs.forEach(visit);
  return [...seen];
}
