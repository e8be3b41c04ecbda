/**
 * Ops that are a formula: f and its derivatives as WGSL expressions.
 *
 * @module
 */

import { type Fragment, merge } from "../gpu/kernel.ts";
import type { Schedule } from "../graph/schedule.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { scalars } from "./parts.ts";
import { store } from "./store.ts";
import backwardLoader from "../../shaders/ops/elementwise_backward.wgsl" with { type: "text" };
import derivativePart from "../../shaders/ops/elementwise_derivative.wgsl" with { type: "text" };
import forwardLoader from "../../shaders/ops/elementwise_forward.wgsl" with { type: "text" };
import valuePart from "../../shaders/ops/elementwise.wgsl" with { type: "text" };

/** What {@linkcode elementwise} makes an op of. Expressions see every input as a `vec4f`, every constant as an `f32`. */
export interface ElementwiseDefinition<Inputs extends readonly string[]> {
  /** The op's name, for labels and errors. */
  readonly name: string;
  /** What the expressions call the inputs, in the order in which the op takes them. */
  readonly inputs: Inputs;
  /** y, an expression over the inputs and constants: "x / (1.0 + abs(x))". */
  readonly value: string;
  /** ∂y/∂input for each input: an expression over the inputs, the constants and y. */
  readonly derivatives: { readonly [Input in Inputs[number]]: string };
  /** Numbers by name, fixed or following from the step. */
  readonly constants?: Readonly<Record<string, number | Schedule>>;
}

/** As many variables as an op has inputs. */
export type Operands<Inputs extends readonly string[]> = { readonly [I in keyof Inputs]: Variable };

const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_]*$/;

/**
 * y[n, d] = f(a[n, d], b[n, d], ...)
 *
 * Backward: da[n, d] = dy[n, d] ∂f/∂a, and so for each input. One dispatch forward; one backward for each input that needs a gradient.
 *
 * @example
 * ```ts
 * import { elementwise } from "@elbo/elbo";
 *
 * // y = softsign(t, x), for a variable x of a tape t
 * export const softsign = elementwise({
 *   name: "softsign",
 *   inputs: ["x"],
 *   value: "x / (1.0 + abs(x))",
 *   derivatives: { x: "1.0 / ((1.0 + abs(x)) * (1.0 + abs(x)))" },
 * });
 * ```
 *
 * @returns An op: variables [N, D] of one size, as many as there are inputs, to y [N, D].
 * @throws {TypeError} If a name is no identifier or is given twice, or there is not one derivative for each input.
 */
export function elementwise<const Inputs extends readonly string[]>(
  definition: ElementwiseDefinition<Inputs>,
): (t: Tape, ...operands: Operands<Inputs>) => Variable {
  requireDefinition(definition);
  const { name, inputs, value, constants = {} } = definition;
  const derivatives: Readonly<Record<string, string>> = definition.derivatives;
  return (t, ...operands) => {
    requireOperands(name, inputs, operands);
    const { rows, columns } = operands[0];
    // Of what is itself of what is itself ..., the beginning says enough.
    const label = `${name} of ${operands.map((operand) => operand.name).join(", ")}`.slice(0, 200);
    const y = t.variable(label, columns, "f32", rows);
    const places = new Map(
      Object.entries(constants).flatMap(([constant, number]) =>
        typeof number === "object" ? [[constant, t.schedule(number)] as const] : []
      ),
    );
    const declared = () =>
      Object.entries(constants).map(([constant, number]) => {
        const place = places.get(constant);
        return `let ${constant} = ${place === undefined ? `f32(${number})` : `scalar(${t.scalar(place)}u)`};`;
      });
    /** Gives load_a: y, or with a derivative dy times it. */
    const load = (derivative?: string): Fragment => {
      const parameters = {
        inputs: inputs.map((input) => `${input}: vec4f`).join(", "),
        loads: inputs.map((_, i) => `load_operand_${i}(row, column4)`).join(", "),
        constants: declared().join(" "),
        value,
        ...derivative === undefined ? {} : { derivative },
      };
      const parts = derivative === undefined ? [forwardLoader] : [derivativePart, backwardLoader];
      return merge(
        ...operands.map((operand, i) => t.load(`operand_${i}`, operand)),
        ...places.size ? [scalars(t)] : [],
        {
          parts: [valuePart, ...parts].map((text) => ({ text, parameters })),
          constants: { ROWS_elementwise: rows, COLUMNS_elementwise: columns },
        },
      );
    };
    t.record({
      name: y.name,
      inputs: operands,
      parameters: [],
      formula(f) {
        const given = Object.fromEntries(inputs.map((input, i) => [input, f.of(operands[i])]));
        return f.elementwise(value, { ...constants, ...given });
      },
      forward: () => store(t, y, load()),
      backward() {
        const gradient = t.load("dy", t.gradient(y));
        operands.forEach((operand, i) => {
          if (!t.needsGradient(operand)) return;
          const dx = merge(gradient, load(derivatives[inputs[i]]));
          t.map(`${operand.name} gradient`, dx, t.contribution(operand), operand);
        });
      },
    }, y);
    return y;
  };
}

function requireDefinition(
  { name, inputs, value, derivatives, constants = {} }: ElementwiseDefinition<readonly string[]>,
) {
  const fail = (expected: string, found: string) => {
    throw new TypeError(`Cannot define the op "${name}": expected ${expected}, found ${found}`);
  };
  if (!inputs.length) fail("at least one input", "none");
  const names = [...inputs, ...Object.keys(constants)];
  for (const each of names) {
    if (!IDENTIFIER.test(each) || each === "y") {
      fail('identifiers of WGSL other than "y", which is the output', `"${each}"`);
    }
    if (names.indexOf(each) !== names.lastIndexOf(each)) {
      fail("different names for inputs and constants", `two "${each}"`);
    }
  }
  if (!value?.trim()) fail("an expression for its value", "none");
  for (const input of inputs) {
    if (!derivatives?.[input]?.trim()) fail(`the derivative by "${input}"`, "none");
  }
  for (const input of Object.keys(derivatives)) {
    if (!inputs.includes(input)) fail("derivatives by inputs only", `"${input}"`);
  }
  for (const [constant, number] of Object.entries(constants)) {
    if (typeof number === "number" && !Number.isFinite(number)) fail(`a finite number for "${constant}"`, `${number}`);
  }
}

function requireOperands(name: string, inputs: readonly string[], operands: readonly Variable[]): void {
  const sizes = operands.map(({ rows, columns }) => `${rows} x ${columns}`);
  if (operands.length === inputs.length && sizes.every((size) => size === sizes[0])) return;
  throw new RangeError(
    `Cannot apply "${name}": expected ${inputs.length} variables of one size, found ${
      operands.map((operand, i) => `"${operand.name}" of ${sizes[i]}`).join(", ") || "none"
    }`,
  );
}
