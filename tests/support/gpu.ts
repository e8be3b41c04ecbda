/**
 * One GPU for the tests of a file, and a bench to put ops on: inputs with given values whose gradients are kept, outputs with a given
 * gradient from above, run once.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import "../../models/every_part.ts";
import { Gpu } from "../../core/gpu/device.ts";
import { type Dispatch, prepare, record } from "../../core/gpu/kernel.ts";
import { Parameters, type Shapes } from "../../core/graph/parameters.ts";
import { createState, Program, type StepTerms } from "../../core/graph/program.ts";
import { constant } from "../../core/graph/schedule.ts";
import {
  type Compiled,
  loader,
  type Node,
  type Objective,
  type RowScalars,
  type State,
  Tape,
  type Term,
  type Training,
  type Variable,
} from "../../core/graph/tape.ts";
import { createTensor, download, indexOf, upload } from "../../core/gpu/tensor.ts";
import { assertClose } from "./compare.ts";
import {
  chooseTiles,
  TILE_FAMILIES,
  type TileChoice,
  type TileFamily,
  type TunedTiles,
} from "../../core/products/tiles.ts";

/** The GPU of this file's tests. */
export const gpu: Gpu = await Gpu.open();

/** The tile families that must run here: Mesa's CPU adapter has to take both, a GPU has no panels. */
export const families: readonly TileFamily[] = /llvmpipe/.test(gpu.adapter) ? TILE_FAMILIES : ["workgroup"];

/**
 * Asserts that other kernels for the same operations gave the same values: to the bit on a processor. A GPU's compiler contracts a
 * multiplication and an addition in one kernel and not in another, so that the last digits differ there (seen on NVIDIA's).
 */
export function assertSame(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  if (gpu.cpu) assertEquals(actual, expected, what);
  else assertClose(actual, expected, what);
}

/** Runs one dispatch. */
export async function dispatch(description: Dispatch): Promise<void> {
  const prepared = await prepare(gpu, description);
  const encoder = gpu.device.createCommandEncoder();
  record(gpu, encoder, [prepared]);
  gpu.device.queue.submit([encoder.finish()]);
}

/** Options of a {@linkcode Bench}. */
export interface BenchOptions extends Partial<State> {
  readonly family?: TileChoice;
  /** Tiles of single products. */
  readonly tuned?: TunedTiles;
  /** Whether dispatches become one where they can, with workgroup tiles. Only if asked for: it changes no bit, but labels. */
  readonly fuses?: boolean;
  readonly shapes?: Shapes;
  /** The device; the file's own one if left out. */
  readonly on?: Gpu;
}

/** A tape with its state and parameters. */
export class Bench {
  readonly gpu: Gpu;
  readonly tape: Tape;
  readonly parameters: Parameters;
  readonly #state: State;
  #program: Program | undefined;

  constructor(
    batch: number,
    { family = families[0], tuned, fuses = false, shapes = {}, on = gpu, ...state }: BenchOptions = {},
  ) {
    this.gpu = on;
    this.#state = { step: 0, seed: 1, count: batch, shuffle: false, ...state };
    const tiles = chooseTiles(on, family, tuned);
    this.tape = new Tape(on, batch, { ...tiles, fuses: fuses && tiles.family === "workgroup" }, createState(on));
    // The trained parameter of no values that makes inputs part of the backward pass.
    this.parameters = new Parameters(on, { ...shapes, input: { inputs: 1, outputs: 1 } });
  }

  /** A variable with given row-major values, of as many rows as they fill, whose gradient is formed too. */
  input(name: string, columns: number, values: Float32Array): Variable {
    const parameter = this.parameters.get("input");
    // Its gradient is nobody's: what would form it is asked for and left out.
    return this.#given(name, columns, values, {
      parameters: [parameter],
      backward: () => void this.tape.contribution(parameter),
    });
  }

  /** A variable with given row-major values, floats or bytes, that are data: they have no gradient. */
  data(name: string, columns: number, values: Float32Array | Uint8Array): Variable {
    return this.#given(name, columns, values, { parameters: [] });
  }

  #given(
    name: string,
    columns: number,
    values: Float32Array | Uint8Array,
    node: Pick<Node, "parameters" | "backward">,
  ): Variable {
    const type = values instanceof Uint8Array ? "u8" : "f32";
    const variable = this.tape.variable(name, columns, type, values.length / columns);
    const tensor = this.tape.tensor(variable);
    if (values instanceof Float32Array) upload(this.gpu, tensor, values);
    else {
      const packed = new Uint8Array(tensor.storedRows * tensor.storedColumns);
      for (let i = 0; i < values.length; i++) {
        packed[indexOf(tensor.storedRows, Math.floor(i / columns), i % columns)] = values[i];
      }
      this.gpu.device.queue.writeBuffer(tensor.buffer, 0, packed);
    }
    this.tape.record({ name, inputs: [], forward() {}, ...node }, variable);
    return variable;
  }

  /** A term of the loss with dL/dy as given, row-major [N, columns]. `set` changes it between steps. */
  given(y: Variable, gradient: Float32Array): Term & { set(gradient: Float32Array): void } {
    const { tape } = this;
    const name = `given gradient of ${y.name}`;
    const tensor = createTensor(this.gpu, name, y.rows, y.columns, { storedRows: tape.stored(y.rows) });
    const set = (gradient: Float32Array) => upload(this.gpu, tensor, gradient);
    set(gradient);
    const value = tape.rowScalars(name, 1);
    tape.record({
      name,
      inputs: [y],
      parameters: [],
      forward() {},
      backward: () => tape.map(name, loader("a", tensor), tape.contribution(y), y),
    }, value);
    return { name, value, weight: constant(0), set };
  }

  /** Compiles what was recorded. The scheduled numbers are those of the first step, where no gather sets them. */
  async compile(terms: readonly Term[], training?: Training): Promise<{ program: Program; compiled: Compiled }> {
    return await this.compileAll([{ terms }], training);
  }

  /** The same with several objectives. */
  async compileAll(
    objectives: readonly Objective[],
    training?: Training,
  ): Promise<{ program: Program; compiled: Compiled }> {
    const compiled = this.tape.compile(objectives, training);
    this.tape.setScalars(compiled.scalars, this.#state.step);
    this.#program = await Program.create(this.tape, compiled);
    this.#program.seek(this.#state);
    return { program: this.#program, compiled };
  }

  /** Compiles what was recorded and runs one step that keeps the gradients; the loss is summed over the batch. */
  async run(terms: readonly Term[]): Promise<StepTerms> {
    const { program } = await this.compile(terms, { optimizer: "gradients", reduction: "sum" });
    const result = await program.submit(1);
    this.gpu.check();
    return result;
  }

  /** The values of a variable, row-major. */
  read(variable: Variable): Promise<Float32Array> {
    return download(this.gpu, this.tape.tensor(variable));
  }

  /** Everything that is stored of a variable, padding included. */
  async stored(variable: Variable): Promise<Float32Array> {
    return new Float32Array(await this.gpu.read(this.tape.tensor(variable).buffer));
  }

  /** dL/dvariable, row-major; dL/da for a layer y = f(a). */
  gradient(variable: Variable): Promise<Float32Array> {
    return download(this.gpu, this.tape.gradient(variable));
  }

  /** dL/dW and dL/db. */
  parameterGradient(name: string): Promise<{ weight: Float32Array; bias: Float32Array }> {
    const parameter = this.parameters.get(name);
    return parameter.get(this.tape.parameterGradient(parameter));
  }

  /** Writes W and b. */
  set(name: string, weight: Float32Array, bias: Float32Array): void {
    const parameter = this.parameters.get(name);
    parameter.set(parameter.tensor, weight, bias);
  }

  /** One number for every row. */
  async rows({ buffer, parts, storedRows }: RowScalars): Promise<Float64Array> {
    const partial = new Float32Array(await this.gpu.read(buffer));
    return Float64Array.from({ length: this.tape.batch }, (_, row) => {
      let sum = 0;
      for (let part = 0; part < parts; part++) sum += partial[part * storedRows + row];
      return sum;
    });
  }

  [Symbol.dispose](): void {
    if (this.#program) this.#program.destroy();
    else this.tape.destroy();
    this.parameters.destroy();
    this.tape.state.destroy();
  }
}
