/**
 * What a model that fits itself (EM, a closed form) works with: passes over all rows on the GPU that sum whatever it asks for, and the
 * rows on the host for where to start. The loop around it, with its events, is fitting.ts.
 *
 * @module
 */

import { Pace } from "../gpu/chunks.ts";
import type { Losses } from "./events.ts";
import { lossesOf, weighted } from "./evaluator.ts";
import type { Fit, FitContext } from "./fit_context.ts";
import type { Batch } from "../model.ts";
import type { Accumulated } from "../ops/accumulate.ts";
import { gather } from "../ops/gather.ts";
import type { Parameter } from "../graph/parameters.ts";
import { createState, Program } from "../graph/program.ts";
import { type Objective, Tape } from "../graph/tape.ts";
import { unpack } from "../gpu/tensor.ts";

export type { Fit, FitContext } from "./fit_context.ts";

/** What a pass over the data forms. */
export interface Recorded {
  /** The terms that are measured: at least one. */
  readonly objectives: readonly Objective[];
  /** Sums over all rows. */
  readonly sums?: Readonly<Record<string, Accumulated>>;
}

/** A sum over all rows, on the host. */
export interface Sum {
  /** S, row-major [A, B] */
  readonly values: Float32Array<ArrayBuffer>;
  /** Column sums of b [B]. */
  readonly columns: Float32Array<ArrayBuffer>;
}

/** What a pass gives. */
export interface Passed {
  readonly losses: Losses;
  readonly sums: Readonly<Record<string, Sum>>;
}

/** A forward program over all rows of the data, in the stored order, with sums that grow from batch to batch. */
export class Pass {
  readonly #context: FitContext;
  readonly #state: GPUBuffer;
  readonly #program: Program;
  readonly #pace = new Pace();
  readonly #sums: Readonly<Record<string, Accumulated>>;
  readonly #batch: number;

  private constructor(
    context: FitContext,
    state: GPUBuffer,
    program: Program,
    sums: Readonly<Record<string, Accumulated>>,
    batch: number,
  ) {
    this.#context = context;
    this.#state = state;
    this.#program = program;
    this.#sums = sums;
    this.#batch = batch;
  }

  /** Records and compiles a pass. */
  static async create(context: FitContext, record: (t: Tape, batch: Batch) => Recorded): Promise<Pass> {
    const { gpu, tiles, source, split, binarize, batchSize } = context;
    const state = createState(gpu);
    const batch = Math.min(batchSize, split.count);
    const tape = new Tape(gpu, batch, tiles, state);
    const { objectives, sums = {} } = record(tape, { x: gather(tape, source, binarize) });
    return new Pass(context, state, await Program.create(tape, tape.compile(objectives)), sums, batch);
  }

  /** Runs over all rows once. Yields the fraction done. */
  async *run(): AsyncGenerator<number, Passed> {
    const { gpu, split: { count }, seed } = this.#context;
    this.#program.seek({ step: 0, seed, count, shuffle: false });
    const clear = gpu.device.createCommandEncoder();
    for (const { tensor } of Object.values(this.#sums)) clear.clearBuffer(tensor.buffer);
    gpu.device.queue.submit([clear.finish()]);
    const { terms } = this.#program;
    const totals = new Float64Array(terms.length);
    const steps = Math.ceil(count / this.#batch);
    let done = 0;
    for await (const values of this.#program.run(steps, this.#pace)) {
      for (const value of values) value.forEach((sum, i) => totals[i] += sum);
      done += values.length;
      yield done / steps;
    }
    const sums: Record<string, Sum> = {};
    for (const [name, { tensor, sumRow }] of Object.entries(this.#sums)) {
      const stored = await gpu.read(tensor.buffer);
      sums[name] = { values: unpack(tensor, stored), columns: unpack(tensor, stored, sumRow, 1) };
    }
    const means = [...totals].map((sum) => sum / count);
    return { losses: lossesOf(terms, means, weighted(terms, means, 0)), sums };
  }

  /** Frees what it holds on the GPU. */
  destroy(): void {
    this.#program.destroy();
    this.#state.destroy();
  }
}

/**
 * Expectation-maximization: an E step is a pass over the data that sums what the M step needs, and measures the likelihood on the way.
 *
 * @param record Records the E step at the parameters as they stand when it runs.
 * @param maximize Writes the parameters that the sums lead to.
 */
export async function expectationMaximization(
  context: FitContext,
  record: (t: Tape, batch: Batch) => Recorded,
  maximize: (sums: Passed["sums"]) => Promise<void>,
): Promise<Fit> {
  const pass = await Pass.create(context, record);
  let sums: Passed["sums"] | undefined;
  return {
    async *iterate() {
      const begun = sums ? 0 : 0.5;
      // The first iteration, also of a resumed fit, has no sums yet.
      const known = sums ?? (yield* part(pass.run(), 0, begun)).sums;
      await maximize(known);
      const passed = yield* part(pass.run(), begun, 1);
      sums = passed.sums;
      return passed.losses;
    },
    destroy: () => pass.destroy(),
  };
}

/** Runs a generator of fractions as the part `from` ... `to` of a longer one. */
export async function* part<T>(steps: AsyncGenerator<number, T>, from: number, to: number): AsyncGenerator<number, T> {
  for (;;) {
    const { value, done } = await steps.next();
    if (done) return value;
    yield from + (to - from) * value;
  }
}

/** The values of row `row` as the model is given them, into `out` [D]. */
export function readRow({ split: { values }, binarize }: FitContext, row: number, out: Float64Array): Float64Array {
  const from = row * out.length;
  const scale = values instanceof Uint8Array ? 1 / 255 : 1;
  for (let i = 0; i < out.length; i++) out[i] = values[from + i] * scale;
  if (binarize === "threshold") { for (let i = 0; i < out.length; i++) out[i] = out[i] >= 0.5 ? 1 : 0; }
  return out;
}

/** Mean, as float32 holds it, and variance about it of every feature, over all rows. */
export function moments(context: FitContext): { mean: Float32Array<ArrayBuffer>; variance: Float64Array<ArrayBuffer> } {
  const { split: { count }, source: { columns } } = context;
  const row = new Float64Array(columns);
  const sums = new Float64Array(columns);
  for (let i = 0; i < count; i++) {
    readRow(context, i, row);
    for (let j = 0; j < columns; j++) sums[j] += row[j];
  }
  const mean = Float32Array.from(sums, (sum) => sum / count);
  const squares = new Float64Array(columns);
  for (let i = 0; i < count; i++) {
    readRow(context, i, row);
    for (let j = 0; j < columns; j++) squares[j] += (row[j] - mean[j]) ** 2;
  }
  return { mean, variance: squares.map((sum) => sum / count) };
}

/** Writes weight and bias of a parameter; what is left out is zero. */
export function setParameter(parameter: Parameter, weight: ArrayLike<number>, bias?: ArrayLike<number>): void {
  const { outputs } = parameter.shape;
  parameter.set(
    parameter.tensor,
    Float32Array.from(weight),
    bias ? Float32Array.from(bias) : new Float32Array(outputs),
  );
}
