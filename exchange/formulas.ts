/**
 * What the ops of a tape say of themselves, as expressions.
 *
 * @module
 */

import type { Formula, FormulaOfConv, FormulaOfNorm, Formulas, OnTape } from "../core/graph/formula.ts";
import type { Parameter } from "../core/graph/parameters.ts";
import { type Schedule, valueAt } from "../core/graph/schedule.ts";
import type { RowScalars, Variable } from "../core/graph/tape.ts";
import { parseElementwise } from "./elementwise.ts";
import { type Expression, Expressions } from "./expression.ts";
import { likelihoodFormulas } from "./likelihoods.ts";

/** A formula with its expression, [rows, columns] or a number. */
interface Matrix extends Formula {
  readonly expression: Expression;
}

/** Says that an op cannot be exported, by its name. */
export class ExportError extends Error {
  override readonly name = "ExportError";
}

/** The vocabulary that ops speak, with what they have said. */
export class Recorded implements Formulas {
  readonly expressions = new Expressions();
  readonly #said = new Map<OnTape, Formula>();

  /**
   * @param what What is exported, for messages.
   * @param step The step whose values schedules have.
   */
  constructor(readonly what: string, readonly step: number) {}

  /** What the program is given. */
  input(variable: Variable, name: string): void {
    const { rows, columns } = variable;
    this.#said.set(variable, this.#matrix(this.expressions.make({ op: "input", name }, [], [rows, columns])));
  }

  /** What a formula is. */
  expression(formula: Formula): Expression {
    return this.#of(formula);
  }

  of(x: OnTape): Formula {
    const said = this.#said.get(x);
    if (said) return said;
    const output = x as Variable | RowScalars;
    const node = output.producer;
    if (!node) throw new ExportError(`Cannot export ${this.what}: nothing computes "${x.name}"`);
    if (!node.formula) {
      throw new ExportError(`Cannot export ${this.what}: the op "${node.name}" does not say its formula`);
    }
    const formula = node.formula(this, output);
    this.#said.set(x, formula);
    return formula;
  }

  weight(parameter: Parameter): Formula {
    const { inputs, outputs } = parameter.shape;
    return this.#matrix(this.expressions.make({ op: "weight", parameter }, [], [inputs, outputs]));
  }

  bias(parameter: Parameter): Formula {
    return this.#matrix(this.expressions.make({ op: "bias", parameter }, [], [1, parameter.shape.outputs]));
  }

  vector(values: readonly number[]): Formula {
    return this.#matrix(this.expressions.make({ op: "vector", values }, [], [1, values.length]));
  }

  elementwise(text: string, operands: Readonly<Record<string, Formula | number | Schedule>>): Formula {
    const given = Object.entries(operands).map(([name, operand]) => {
      if (typeof operand === "number") return [name, this.expressions.number(operand)] as const;
      if ("kind" in operand) return [name, this.expressions.number(valueAt(operand, this.step))] as const;
      return [name, this.#of(operand)] as const;
    });
    return this.#matrix(parseElementwise(text, Object.fromEntries(given), this.expressions));
  }

  linear(x: Formula, parameter: Parameter): Formula {
    return this.#make({ op: "linear", parameter }, [x], [x.rows, parameter.shape.outputs]);
  }

  product(a: Formula, b: Formula): Formula {
    return this.#make({ op: "matmul" }, [a, b], [a.rows, b.columns]);
  }

  transposed(a: Formula): Formula {
    return this.#matrix(this.expressions.permute(this.#of(a), [1, 0]));
  }

  convolved(x: Formula, parameter: Parameter, how: FormulaOfConv): Formula {
    const { expressions } = this;
    const { from: [height, width, channels], to, kernel, stride, padding, transposed, flat } = how;
    const count = x.rows * x.columns / (height * width * channels);
    const images = expressions.permute(
      expressions.reshape(this.#of(x), [count, height, width, channels]),
      [0, 3, 1, 2],
    );
    const least = (size: number) => (size - 1) * stride - 2 * padding + kernel;
    const beyond = transposed ? [to[0] - least(height), to[1] - least(width)] as const : [0, 0] as const;
    const operation = { op: "conv", parameter, kernel, stride, padding, transposed, beyond } as const;
    const given = expressions.make(operation, [images], [count, to[2], to[0], to[1]]);
    const pixels = to[0] * to[1];
    const rows = flat ? [count, pixels * to[2]] : [count * pixels, to[2]];
    return this.#matrix(expressions.reshape(expressions.permute(given, [0, 2, 3, 1]), rows));
  }

  normalized(x: Formula, parameter: Parameter, how: FormulaOfNorm): Formula {
    const { pixels, setChannels, epsilon, running } = how;
    const { outputs: channels } = parameter.shape;
    if (running) {
      const { averages, momentum } = running;
      const operation = { op: "batchNorm", parameter, running: averages, epsilon, momentum } as const;
      const byPixel = this.reshape(x, channels);
      return this.reshape(this.#make(operation, [byPixel], [byPixel.rows, channels]), x.columns);
    }
    const { expressions } = this;
    const count = x.rows * x.columns / (pixels * channels);
    const groups = channels / setChannels;
    const apart = [count, pixels, groups, setChannels];
    // A row for each datum and group.
    const sets = expressions.reshape(expressions.permute(expressions.reshape(this.#of(x), apart), [0, 2, 1, 3]), [
      count * groups,
      pixels * setChannels,
    ]);
    const given = this.#matrix(sets);
    const part = 1 / given.columns;
    const mean = this.elementwise("part * s", { part, s: this.sum(given) });
    const centred = this.elementwise("x - m", { x: given, m: mean });
    const variance = this.sum(this.elementwise("c * c", { c: centred }));
    const normal = this.elementwise("c / sqrt(part * v + epsilon)", { c: centred, v: variance, part, epsilon });
    const together = expressions.permute(
      expressions.reshape(this.#of(normal), [count, groups, pixels, setChannels]),
      [0, 2, 1, 3],
    );
    const rows = this.#matrix(expressions.reshape(together, [count * pixels, channels]));
    return this.reshape(
      this.elementwise("x * gain + offset", { x: rows, gain: this.weight(parameter), offset: this.bias(parameter) }),
      x.columns,
    );
  }

  columns(x: Formula, first: number, count: number): Formula {
    if (first === 0 && count === x.columns) return x;
    return this.#make({ op: "columns", first, count }, [x], [x.rows, count]);
  }

  concat(parts: readonly Formula[]): Formula {
    if (parts.length === 1) return parts[0];
    const rows = Math.max(...parts.map((part) => part.rows));
    const longest = parts.find((part) => part.rows === rows)!;
    const all = parts.map((part) => {
      if (part.rows === rows) return part;
      if (part.rows > 1) return this.repeated(part, rows / part.rows);
      return this.elementwise("v + 0 * x", { v: part, x: this.columns(longest, 0, 1) });
    });
    return this.#make({ op: "concat" }, all, [rows, all.reduce((sum, { columns }) => sum + columns, 0)]);
  }

  reshape(x: Formula, columns: number): Formula {
    return this.#matrix(this.expressions.reshape(this.#of(x), [x.rows * x.columns / columns, columns]));
  }

  repeated(x: Formula, times: number): Formula {
    return times === 1 ? x : this.#make({ op: "repeat", times }, [x], [x.rows * times, x.columns]);
  }

  sum(x: Formula): Formula {
    return x.columns === 1 ? x : this.#make({ op: "sum" }, [x], [x.rows, 1]);
  }

  most(x: Formula): Formula {
    return this.#make({ op: "most" }, [x], [x.rows, 1]);
  }

  largest(x: Formula): Formula {
    return this.#make({ op: "largest" }, [x], [x.rows, 1]);
  }

  cumulated(x: Formula): Formula {
    return this.#make({ op: "cumulated" }, [x], [x.rows, x.columns]);
  }

  rowsOf(table: Formula, places: Formula): Formula {
    return this.#make({ op: "rowsOf" }, [table, places], [places.rows, table.columns]);
  }

  dropped(x: Formula, probability: number): Formula {
    return this.#make({ op: "dropout", probability }, [x], [x.rows, x.columns]);
  }

  straightThrough(x: Formula, y: Formula): Formula {
    return this.#make({ op: "straightThrough" }, [x, y], [y.rows, y.columns]);
  }

  constant(x: Formula): Formula {
    return this.#make({ op: "constant" }, [x], [x.rows, x.columns]);
  }

  normal(x: Formula, stream: number): Formula {
    return this.#make({ op: "normal", stream }, [x], [x.rows, x.columns]);
  }

  likelihood(family: string, of: "nll" | "mean", operands: Readonly<Record<string, Formula | number>>): Formula {
    const formulas = likelihoodFormulas[family];
    if (!formulas) {
      throw new ExportError(`Cannot export ${this.what}: there is no formula of the likelihood "${family}"`);
    }
    return formulas[of](this, operands);
  }

  #make(
    operation: Parameters<Expressions["make"]>[0],
    inputs: readonly Formula[],
    shape: readonly [number, number],
  ): Formula {
    return this.#matrix(this.expressions.make(operation, inputs.map((input) => this.#of(input)), shape));
  }

  #of(formula: Formula): Expression {
    return (formula as Matrix).expression;
  }

  #matrix(expression: Expression): Formula {
    const [rows = 1, columns = 1] = expression.shape;
    return { rows, columns, expression } as Matrix;
  }
}
