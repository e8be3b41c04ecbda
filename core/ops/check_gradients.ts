/**
 * Gradients against finite differences, for whatever can be recorded on a tape: an op, a layer, the objectives of a model.
 *
 * @module
 */

import type { Gpu } from "../gpu/device.ts";
import { upload } from "../gpu/tensor.ts";
import { isConnected } from "../graph/connections.ts";
import type { Initializers } from "../graph/initializers.ts";
import { type Parameter, Parameters, type Shapes } from "../graph/parameters.ts";
import { createState, Program } from "../graph/program.ts";
import { normals } from "../graph/random.ts";
import { constant, valueAt } from "../graph/schedule.ts";
import { isOf, type Objective, type RowScalars, Tape, type Variable } from "../graph/tape.ts";
import { chooseTiles, type TileChoice } from "../products/tiles.ts";
import { multiply } from "./arithmetic.ts";
import { parameterMatrix } from "./parameter_matrix.ts";
import { valuesOf } from "./sum.ts";

/** An input [rows, columns] of what is checked. */
export interface CheckedInput {
  /** Rows, N or a multiple. */
  readonly rows: number;
  /** Columns. */
  readonly columns: number;
  /** Row-major; standard normals where left out. */
  readonly values?: ArrayLike<number>;
  /** True for data, by which nothing is differentiated. */
  readonly constant?: boolean;
}

/** How {@linkcode checkGradients} checks. */
export interface CheckOptions {
  /** The trained parameters that `build` is given; their weights and biases are drawn from N(0, 1/4). */
  readonly parameters?: Shapes;
  /** N, the rows of a batch. Default: those of the first input. */
  readonly batch?: number;
  /** The largest error that passes, 4e-3 by default: the losses are float32. */
  readonly tolerance?: number;
  /** h of the differences. Default 1/64. */
  readonly difference?: number;
  /** Their order: 4 takes those of h and of h / 2, where third derivatives are large, as behind a normalization. Default 2. */
  readonly order?: 2 | 4;
  /** Whether L is as in training, where it is another one without: by the statistics of the batch, with dropout. */
  readonly training?: boolean;
  /** Inputs, weights and biases that are left out, by name: "x", "layer.weight". */
  readonly skip?: RegExp;
  /** Elements of each input, weight and bias that are compared at most, spread over all. Default: all. */
  readonly most?: number;
  /** The step, for what is scheduled. Default 0. */
  readonly step?: number;
  /** What random numbers follow from. Default 1. */
  readonly seed?: number;
  /** Tiles of matrix products. Default: by the adapter. */
  readonly tiles?: TileChoice;
}

/** Losses that are computed before one of them is waited for: a wait takes longer than a small loss. */
const AT_ONCE = 64;

/** What was found of one input, weight or bias. */
export interface CheckedGradient {
  /** The name of an input, or "layer.weight", "layer.bias". */
  readonly name: string;
  /**
   * The largest (|g - d| - r) / (|d| + 1/2) of its elements, g the gradient, d the difference, and r what the rounding of the two losses
   * to float32 comes to in it; NaN where one is none.
   */
  readonly error: number;
  /** Where that is, row-major. */
  readonly index: number;
  /** g there. */
  readonly gradient: number;
  /** d there. */
  readonly difference: number;
  /** The largest |g|: 0 where nothing depends on it. */
  readonly largest: number;
}

const INITIAL: Initializers = { weight: { name: "normal", scale: 0.5 }, bias: { name: "normal", scale: 0.5 } };

/**
 * dL/dw by the backward pass against (L(w + h) - L(w - h)) / 2h of the forward pass, for every element w of the inputs and of the trained
 * parameters
 *
 * @example
 * ```ts
 * import { checkGradients, divide, Gpu } from "@elbo/elbo";
 *
 * using gpu = await Gpu.open();
 * const report = await checkGradients(gpu, (t, { a, b }) => divide(t, a, b), {
 *   a: { rows: 2, columns: 3 },
 *   b: { rows: 2, columns: 3, values: [1, 2, 3, 4, 5, 6] },
 * });
 * for (const { name, error } of report) console.log(name, error < 1e-3); // a true, b true
 * ```
 *
 * @param build Records what is differentiated. L is, of a variable, the sum of its elements with a random weight each; of per-row values,
 *   their sum; of objectives, the mean over the batch of what each minimises of the parameters that it trains. What is drawn follows from the seed, alike each time.
 * @param inputs Variables by name.
 * @returns What was found, the inputs first.
 * @throws {Error} If an error is above the tolerance; the message names each that is, with its worst element.
 */
export async function checkGradients<Names extends string>(
  gpu: Gpu,
  build: (
    t: Tape,
    inputs: Readonly<Record<Names, Variable>>,
    p: Parameters,
  ) => Variable | RowScalars | readonly Objective[],
  inputs: Readonly<Record<Names, CheckedInput>>,
  { tolerance = 4e-3, difference = 1 / 64, order = 2, step = 0, seed = 1, ...options }: CheckOptions = {},
): Promise<readonly CheckedGradient[]> {
  const given: [string, CheckedInput][] = Object.entries<CheckedInput>(inputs);
  const batch = options.batch ?? given[0]?.[1].rows;
  if (!batch) throw new TypeError("Cannot check gradients: expected an input or a batch size, found neither");
  // A layer that is zero at first would hide the gradients of all before it.
  const shapes = Object.fromEntries(
    Object.entries(options.parameters ?? {}).map(([name, { initial, ...shape }]) => [
      name,
      initial ? { ...shape, initial } : shape,
    ]),
  );
  for (const [name] of given) {
    if (name in shapes) throw new TypeError(`Cannot check gradients: expected names of their own, found two "${name}"`);
  }
  // An input is a trained matrix: then its gradient is formed and kept like that of any other.
  const trained = given.filter(([, { constant }]) => !constant);
  const parameters = new Parameters(gpu, {
    ...Object.fromEntries(trained.map(([name, { rows, columns }]) => [name, { inputs: rows, outputs: columns }])),
    ...shapes,
  });
  parameters.initialize(INITIAL, seed);
  const values = new Map(given.map(([name, input], i) => [name, valuesFor(name, input, seed, i)]));
  for (const [name, { columns }] of trained) {
    const parameter = parameters.get(name);
    parameter.set(parameter.tensor, values.get(name)!, new Float32Array(columns));
  }
  const tiles = chooseTiles(gpu, options.tiles);
  const record = async (optimizer?: "gradients"): Promise<Recorded> => {
    const scopes = gpu.scopes();
    const { state, tape } = scopes.within(() => {
      const state = createState(gpu);
      return { state, tape: new Tape(gpu, batch, tiles, state) };
    });
    try {
      const { compiled, objectives, rows } = scopes.within(() => {
        const variables = Object.fromEntries(given.map(([name, input]) => [
          name,
          input.constant
            ? data(tape, name, input.columns, values.get(name)!)
            : parameterMatrix(tape, parameters.get(name)),
        ])) as Record<Names, Variable>;
        const built = build(tape, variables, parameters);
        const reduction = "length" in built ? "mean" : "sum";
        const objectives = objectivesOf(tape, built, seed);
        const compiled = tape.compile(objectives, optimizer && { optimizer, reduction });
        tape.setScalars(compiled.scalars, step);
        return { compiled, objectives, rows: reduction === "mean" ? batch : 1 };
      });
      await scopes.settle();
      await parameters.settle();
      return { tape, state, objectives, rows, program: await Program.create(tape, compiled) };
    } catch (error) {
      tape.destroy();
      state.destroy();
      throw error;
    }
  };
  const recorded: Recorded[] = [];
  try {
    recorded.push(await record("gradients"), await record(options.training ? "gradients" : undefined));
    const [backward, forward] = recorded;
    const start = { step, seed, count: batch, shuffle: true };
    backward.program.seek(start);
    await backward.program.submit(1);
    const report: CheckedGradient[] = [];
    for (const parameter of parameters) {
      if (parameter.shape.trained === false) continue;
      const loss = async () => {
        forward.program.seek(start);
        const [sums] = await forward.program.submit(1);
        return lossOf(forward, parameter, sums, step);
      };
      const gradients = await parameter.get(backward.tape.parameterGradient(parameter));
      const current = await parameter.get();
      const isInput = Object.hasOwn(inputs, parameter.name);
      for (const part of isInput ? ["weight"] as const : ["weight", "bias"] as const) {
        const name = isInput ? parameter.name : `${parameter.name}.${part}`;
        if (!current[part].length || options.skip?.test(name)) continue;
        const at = (index: number, value: number) => {
          const original = current[part][index];
          current[part][index] = value;
          parameter.set(parameter.tensor, current.weight, current.bias);
          current[part][index] = original;
          return loss();
        };
        const { connections, outputs } = parameter.shape;
        const there = part === "weight" && connections
          ? (index: number) => isConnected(connections, Math.floor(index / outputs), index % outputs)
          : () => true;
        report.push(
          await compare(name, gradients[part], current[part], {
            h: difference,
            order,
            at,
            there,
            most: options.most,
          }),
        );
        parameter.set(parameter.tensor, current.weight, current.bias);
      }
    }
    const wrong = report.filter(({ error }) => !(error <= tolerance));
    if (wrong.length) throw new Error(messageOf(wrong, tolerance));
    return report;
  } finally {
    for (const { program, state } of recorded) {
      program.destroy();
      state.destroy();
    }
    parameters.destroy();
  }
}

interface Recorded {
  readonly tape: Tape;
  readonly state: GPUBuffer;
  readonly objectives: readonly Objective[];
  /** Rows over which the loss is averaged. */
  readonly rows: number;
  readonly program: Program;
}

function valuesFor(name: string, { rows, columns, values }: CheckedInput, seed: number, place: number): Float32Array {
  if (!values) return normals(new Float32Array(rows * columns), seed, 0, 0x20000 + place);
  if (values.length === rows * columns) return Float32Array.from(values);
  throw new RangeError(
    `Cannot check gradients: expected ${rows} x ${columns} values of "${name}", found ${values.length}`,
  );
}

/** A variable of values that stay. */
function data(t: Tape, name: string, columns: number, values: Float32Array): Variable {
  const variable = t.variable(name, columns, "f32", values.length / columns);
  upload(t.gpu, t.tensor(variable), values);
  t.record({ name, inputs: [], parameters: [], forward() {} }, variable);
  return variable;
}

function objectivesOf(
  t: Tape,
  built: Variable | RowScalars | readonly Objective[],
  seed: number,
): readonly Objective[] {
  if ("length" in built) return built;
  if (built.rows % t.batch) {
    throw new RangeError(
      `Cannot check gradients: expected a batch that divides the ${built.rows} rows of "${built.name}", found ${t.batch}`,
    );
  }
  const repeats = constant(built.rows / t.batch);
  if ("parts" in built) return [{ terms: [{ name: built.name, value: built, weight: repeats }] }];
  const weights = normals(new Float32Array(built.rows * built.columns), seed, 0, 0x30000);
  const weighed = multiply(t, built, data(t, "weights", built.columns, weights));
  return [{ terms: [{ name: "sum", value: valuesOf(t, "sum", weighed), weight: repeats }] }];
}

/** What is minimised of a parameter, from the sums of all terms, and how much their rounding to float32 can change it. */
function lossOf(
  { objectives, rows }: Recorded,
  parameter: Parameter,
  sums: ArrayLike<number>,
  step: number,
): { readonly loss: number; readonly rounding: number } {
  let [loss, rounding] = [0, 0];
  let place = 0;
  for (const objective of objectives) {
    for (const { weight } of objective.terms) {
      const sum = sums[place++];
      if (!isOf(parameter, objective)) continue;
      const value = valueAt(weight, step) * sum / rows;
      loss += value;
      rounding += Math.abs(value) * 2 ** -24;
    }
  }
  return { loss, rounding };
}

/** A difference quotient, and how much the rounding of its losses can change it. */
interface Difference {
  readonly difference: number;
  readonly rounding: number;
}

async function compare(
  name: string,
  gradients: Float32Array,
  values: Float32Array,
  { h, order, at, there, most = values.length }: {
    readonly h: number;
    readonly order: 2 | 4;
    readonly at: (index: number, value: number) => Promise<{ readonly loss: number; readonly rounding: number }>;
    /** Whether there is such an element: the gradient of others is 0. */
    readonly there: (index: number) => boolean;
    /** How many elements are compared at most. */
    readonly most?: number;
  },
): Promise<CheckedGradient> {
  const over = async (index: number, h: number): Promise<Difference> => {
    const [above, below] = await Promise.all([at(index, values[index] + h), at(index, values[index] - h)]);
    return {
      difference: (above.loss - below.loss) / (2 * h),
      rounding: (above.rounding + below.rounding) / (2 * h),
    };
  };
  const differenceAt = async (index: number): Promise<Difference> => {
    if (!there(index)) return { difference: 0, rounding: 0 };
    if (order === 2) return await over(index, h);
    // Richardson's extrapolation leaves h⁴ times a fifth derivative.
    const [whole, half] = await Promise.all([over(index, h), over(index, h / 2)]);
    return {
      difference: (4 * half.difference - whole.difference) / 3,
      rounding: (4 * half.rounding + whole.rounding) / 3,
    };
  };
  let worst = { name, error: -1, index: 0, gradient: 0, difference: 0 };
  const count = Math.min(most, values.length);
  const indices = Array.from({ length: count }, (_, i) => Math.floor(i * values.length / count));
  for (let first = 0; first < count && !Number.isNaN(worst.error); first += AT_ONCE / (2 * order)) {
    const some = indices.slice(first, first + AT_ONCE / (2 * order));
    const found = await Promise.all(some.map(differenceAt));
    for (const [i, { difference, rounding }] of found.entries()) {
      const [index, gradient] = [some[i], gradients[some[i]]];
      const apart = Math.abs(gradient - difference);
      const error = (apart < rounding ? 0 : apart - rounding) / (Math.abs(difference) + 0.5);
      if (error > worst.error || Number.isNaN(error)) worst = { name, error, index, gradient, difference };
      if (Number.isNaN(error)) break;
    }
  }
  return { ...worst, largest: gradients.reduce((largest, gradient) => Math.max(largest, Math.abs(gradient)), 0) };
}

function messageOf(wrong: readonly CheckedGradient[], tolerance: number): string {
  const lines = wrong.map(({ name, error, index, gradient, difference }) =>
    `  ${name}[${index}] is ${gradient.toPrecision(6)}, by differences ${difference.toPrecision(6)}: error ${
      error.toPrecision(3)
    }`
  );
  return `Cannot confirm the gradients: expected an error of at most ${tolerance}, found\n${lines.join("\n")}`;
}
