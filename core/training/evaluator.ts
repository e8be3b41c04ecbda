/**
 * Measuring a model's terms on every row of a split: the forward pass alone, in the stored order.
 *
 * @module
 */

import { type BatchSource, recordBatch, type RecordedBatch } from "./batch.ts";
import { Pace } from "../gpu/chunks.ts";
import { requireRows } from "../dataset.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Losses } from "./events.ts";
import type { Parameters } from "../graph/parameters.ts";
import { createState, Program } from "../graph/program.ts";
import { constant, valueAt } from "../graph/schedule.ts";
import { Tape, type Term } from "../graph/tape.ts";
import type { Tiles } from "../products/tiles.ts";

/** What an {@linkcode Evaluator} is made of. */
export interface EvaluatorOptions extends BatchSource {
  readonly gpu: Gpu;
  readonly tiles: Tiles;
  readonly parameters: Parameters;
  readonly seed: number;
  readonly batchSize: number;
}

/** Σ weight · value over the terms: what is minimised at a step, of values of that step. */
export function weighted(terms: readonly Term[], values: ArrayLike<number>, step: number): number {
  return terms.reduce((sum, { weight }, i) => sum + valueAt(weight, step) * values[i], 0);
}

/**
 * The losses of means of terms.
 *
 * @param loss The mean of what is minimised: with scheduled weights it does not follow from the means of the terms.
 */
export function lossesOf(terms: readonly Term[], means: readonly number[], loss: number): Losses {
  const byName: Record<string, number> = {};
  terms.forEach(({ name }, i) => byName[name] = (byName[name] ?? 0) + means[i]);
  const { nll = 0, kl = 0, ...others } = byName;
  return { elbo: -(nll + kl), nll, kl, loss, ...others };
}

/** A forward program over a split that lies on the GPU. */
export class Evaluator {
  readonly #options: EvaluatorOptions;
  readonly #recorded: RecordedBatch;
  readonly #state: GPUBuffer;
  readonly #program: Program;
  readonly #pace = new Pace();

  /** Holds everything scheduled at a training's step. */
  readonly #setStep: (step: number) => void;

  private constructor(
    options: EvaluatorOptions,
    recorded: RecordedBatch,
    state: GPUBuffer,
    program: Program,
    setStep: (step: number) => void,
  ) {
    this.#setStep = setStep;
    this.#options = options;
    this.#recorded = recorded;
    this.#state = state;
    this.#program = program;
  }

  /** Uploads the split and compiles the program. */
  static async create(options: EvaluatorOptions): Promise<Evaluator> {
    const { gpu, tiles, model, config, parameters, split } = options;
    requireRows("rows", options.data.shape, split);
    const state = createState(gpu);
    const tape = new Tape(gpu, Math.min(options.batchSize, split.count), tiles, state);
    const recorded = recordBatch(tape, options);
    const compiled = tape.compile(model.objectives(tape, parameters, recorded.batch, config));
    const at = (step: number) =>
      tape.setSchedules(compiled.scalars.map((schedule) => constant(valueAt(schedule, step))));
    return new Evaluator(options, recorded, state, await Program.create(tape, compiled), at);
  }

  /**
   * Means over all rows, and over `samples` draws of z (and of the pixels, if binarized dynamically) for each.
   *
   * @param steps Steps that the training has done. What is scheduled is as it was in the last of them: the next may begin a cycle anew.
   * @param options Draws a row, and what stops it between submits.
   */
  async run(
    steps: number,
    { samples = 1, signal }: { readonly samples?: number; readonly signal?: AbortSignal } = {},
  ): Promise<Losses> {
    const { split, seed } = this.#options;
    // Another seed than the training's, and the same one each time: validations then differ only by the parameters.
    this.#program.seek({ step: 0, seed: (seed ^ 0x9e3779b9) >>> 0, count: split.count, shuffle: false });
    this.#program.setCounts();
    const step = Math.max(0, steps - 1);
    this.#setStep(step);
    const { terms } = this.#program;
    const sums = new Float64Array(terms.length);
    const batches = Math.ceil(split.count / Math.min(this.#options.batchSize, split.count));
    const stop = () => {
      signal?.throwIfAborted();
      return false;
    };
    for await (const chunk of this.#program.run(batches * samples, this.#pace, stop)) {
      for (const values of chunk) values.forEach((value, i) => sums[i] += value);
    }
    const means = [...sums].map((sum) => sum / split.count / samples);
    const loss = weighted(terms, means, step);
    return { ...lossesOf(terms, means, loss), ...this.#program.measure(await this.#program.counts()) };
  }

  /** Frees what it holds on the GPU. */
  destroy(): void {
    this.#program.destroy();
    this.#recorded.destroy();
    this.#state.destroy();
  }
}
