/**
 * A sweep over a split: a forward program over all its rows, in the stored order, that measures a model's terms and may sum what a fit
 * asks for.
 *
 * @module
 */

import { type BatchSource, recordBatch } from "./batch.ts";
import { Pace } from "../gpu/chunks.ts";
import { requireRows } from "../dataset.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Losses } from "./events.ts";
import type { Accumulated } from "../ops/accumulate.ts";
import type { Parameters } from "../graph/parameters.ts";
import { createState, Program } from "../graph/program.ts";
import { ALONE, type Ranks, shareOf, summed } from "../graph/ranks.ts";
import { otherSeed } from "../graph/random.ts";
import { constant, valueAt } from "../graph/schedule.ts";
import { type Compiled, isRepeated, type Objective, Tape, type Term } from "../graph/tape.ts";
import { unpack } from "../gpu/tensor.ts";
import type { Tiles } from "../products/tiles.ts";

/** What a sweep goes over, and where. */
export interface SweepOptions {
  /** Where it runs. */
  readonly gpu: Gpu;
  /** Tiles of matrix products. */
  readonly tiles: Tiles;
  /** Its rows. */
  readonly split: { readonly count: number };
  /** Rows of a step. */
  readonly batchSize: number;
  /** What draws follow from. */
  readonly seed: number;
  /** Processes of which each takes its part of the batches. */
  readonly ranks?: Ranks;
}

/** What a sweep forms. */
export interface RecordedSweep {
  /** The terms that are measured: at least one. */
  readonly objectives: readonly Objective[];
  /** Sums over all rows. */
  readonly sums?: Readonly<Record<string, Accumulated>>;
}

/** What was recorded, and how its batch is freed. */
interface Recording extends RecordedSweep {
  destroy?(): void;
}

/** A sum over all rows, on the host. */
export interface Sum {
  /** S, row-major [A, B] */
  readonly values: Float32Array<ArrayBuffer>;
  /** Column sums of b [B]. */
  readonly columns: Float32Array<ArrayBuffer>;
}

/** What a sweep gives. */
export interface Swept {
  /** Means of the terms over all rows. */
  readonly losses: Losses;
  /** The sums by name. */
  readonly sums: Readonly<Record<string, Sum>>;
}

/** How a sweep is made. */
export interface SweepRun {
  /**
   * Steps that the training has done. What is scheduled is as it was in the last of them: the next may begin a cycle anew. `Infinity`: as it
   * ends. Default: 0.
   */
  readonly steps?: number;
  /** Draws of z (and of the pixels, if binarized dynamically) for each row. Default: 1. */
  readonly samples?: number;
  /** Stops it between submits. */
  readonly signal?: AbortSignal;
}

/** Σ weight · value over the terms that count: what is minimised at a step, of values of that step. */
export function weighted(terms: readonly Term[], values: ArrayLike<number>, step: number): number {
  return terms.reduce(
    (sum, { weight, beside }, i) => beside || isRepeated(terms, i) ? sum : sum + valueAt(weight, step) * values[i],
    0,
  );
}

/**
 * The losses of means of terms.
 *
 * @param loss The mean of what is minimised: with scheduled weights it does not follow from the means of the terms.
 */
export function lossesOf(terms: readonly Term[], means: readonly number[], loss: number): Losses {
  const byName: Record<string, number> = {};
  const add = (name: string, mean: number) => byName[name] = (byName[name] ?? 0) + mean;
  terms.forEach(({ name, part }, i) => {
    if (isRepeated(terms, i)) return;
    add(name, means[i]);
    if (part) add(part, means[i]);
  });
  const { nll = 0, kl = 0, ...others } = byName;
  return { elbo: -(nll + kl), nll, kl, loss, ...others };
}

/** A program that sweeps, as often as it is asked to. */
export class Sweep {
  readonly #options: SweepOptions;
  readonly #state: GPUBuffer;
  readonly #recorded: Recording;
  readonly #tape: Tape;
  readonly #compiled: Compiled;
  readonly #program: Program;
  readonly #pace = new Pace();

  private constructor(
    options: SweepOptions,
    state: GPUBuffer,
    recorded: Recording,
    tape: Tape,
    compiled: Compiled,
    program: Program,
  ) {
    this.#options = options;
    this.#state = state;
    this.#recorded = recorded;
    this.#tape = tape;
    this.#compiled = compiled;
    this.#program = program;
  }

  /**
   * Records and compiles a sweep.
   *
   * @throws {GpuError} If the device has an error; nothing is left on it then, nor after any other error.
   */
  static async create(options: SweepOptions, record: (t: Tape) => Recording): Promise<Sweep> {
    const { gpu, tiles, split, batchSize } = options;
    gpu.check();
    const scopes = gpu.scopes();
    const held: { state?: GPUBuffer; tape?: Tape; recorded?: Recording } = {};
    try {
      const { state, tape, recorded, compiled } = scopes.within(() => {
        const state = held.state = createState(gpu);
        const tape = held.tape = new Tape(gpu, Math.min(batchSize, split.count), tiles, state);
        const recorded = held.recorded = record(tape);
        return { state, tape, recorded, compiled: tape.compile(recorded.objectives) };
      });
      await scopes.settle();
      return new Sweep(options, state, recorded, tape, compiled, await Program.create(tape, compiled));
    } catch (error) {
      held.recorded?.destroy?.();
      held.tape?.destroy();
      held.state?.destroy();
      throw error;
    }
  }

  /** Whether anything that it measures follows a schedule. */
  get scheduled(): boolean {
    const weights = this.#program.terms.map(({ weight }) => weight);
    return [...this.#compiled.scalars, ...weights].some(({ kind }) => kind !== "constant");
  }

  /** Goes over all rows. Yields the fraction done, and returns means over rows and draws, and the sums. */
  async *run({ steps = 0, samples = 1, signal }: SweepRun = {}): AsyncGenerator<number, Swept> {
    const { gpu, split: { count }, seed, batchSize, ranks = ALONE } = this.#options;
    const program = this.#program;
    const { terms } = program;
    const accumulated = Object.entries(this.#recorded.sums ?? {});
    program.setCounts();
    const step = Math.max(0, steps - 1);
    const scopes = gpu.scopes();
    scopes.within(() => {
      this.#tape.setSchedules(this.#compiled.scalars.map((schedule) => constant(valueAt(schedule, step))));
      const clear = gpu.device.createCommandEncoder();
      for (const [, { tensor }] of accumulated) clear.clearBuffer(tensor.buffer);
      gpu.device.queue.submit([clear.finish()]);
    });
    const totals = new Float64Array(terms.length);
    const batches = Math.ceil(count / Math.min(batchSize, count));
    const { from, to } = shareOf(ranks, batches);
    const stop = () => {
      signal?.throwIfAborted();
      return false;
    };
    let done = 0;
    // One process has all steps in a row; of several each has its batches of every draw.
    const runs = ranks.size === 1
      ? [[0, batches * samples]]
      : Array.from({ length: samples }, (_, sample) => [sample * batches + from, to - from]);
    for (const [step, steps] of runs) {
      program.seek({ step, seed, count, shuffle: false });
      for await (const chunk of program.run(steps, this.#pace, stop)) {
        for (const values of chunk) values.forEach((value, i) => totals[i] += value);
        done += chunk.length;
        yield done / ((to - from) * samples);
      }
    }
    await scopes.settle();
    await ranks.sum(totals);
    const stored = accumulated.length
      ? await gpu.readAll(accumulated.map(([, { tensor: { buffer } }]) => ({ buffer })))
      : [];
    for (const bytes of stored) await ranks.sum(new Float32Array(bytes));
    const sums = Object.fromEntries(accumulated.map(([name, { tensor, sumRow }], i): [string, Sum] => [
      name,
      { values: unpack(tensor, stored[i]), columns: unpack(tensor, stored[i], sumRow, 1) },
    ]));
    const means = [...totals].map((sum) => sum / count / samples);
    const losses = lossesOf(terms, means, weighted(terms, means, step));
    const counts: number[][] = [];
    for (const each of await program.counts()) counts.push([...await summed(ranks, each)]);
    return { losses: { ...losses, ...program.measure(counts) }, sums };
  }

  /** The means of {@linkcode Sweep.run}. */
  async losses(options: SweepRun): Promise<Losses> {
    const run = this.run(options);
    for (;;) {
      const { value, done } = await run.next();
      if (done) return value.losses;
    }
  }

  /** Frees what it holds on the GPU. */
  destroy(): void {
    this.#program.destroy();
    this.#recorded.destroy?.();
    this.#state.destroy();
  }
}

/** What an {@linkcode evaluation} is of. */
export interface EvaluationOptions extends BatchSource {
  readonly gpu: Gpu;
  readonly tiles: Tiles;
  readonly parameters: Parameters;
  /** Of the training. */
  readonly seed: number;
  readonly batchSize: number;
  readonly ranks?: Ranks;
}

/** The sweep that measures a model's terms on a split. */
export async function evaluation(options: EvaluationOptions): Promise<Sweep> {
  const { model, config, parameters, split, data } = options;
  requireRows("measure the rows", data.shape, split);
  // Another seed than the training's, and the same one each time: validations then differ only by the parameters.
  const seed = otherSeed(options.seed);
  return await Sweep.create({ ...options, seed }, (t) => {
    const { batch, destroy } = recordBatch(t, options);
    return { objectives: model.objectives(t, parameters, batch, config), destroy };
  });
}
