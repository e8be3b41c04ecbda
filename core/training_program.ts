/**
 * The program of one training step: gather, forward, backward with the optimizer folded in, metrics.
 *
 * @module
 */

import { type BatchSource, recordBatch } from "./batch.ts";
import type { Gpu } from "./device.ts";
import type { Parameters } from "./parameters.ts";
import { createState, Program } from "./program.ts";
import { Tape } from "./tape.ts";
import type { Tiles } from "./tiles.ts";
import { optimizerOf, type TrainingConfig } from "./training_settings.ts";

/** What a {@linkcode TrainingProgram} is made of. */
export interface TrainingProgramOptions extends Omit<BatchSource, "binarize" | "rows"> {
  readonly gpu: Gpu;
  readonly tiles: Tiles;
  readonly training: TrainingConfig;
  readonly parameters: Parameters;
  /** The first step. */
  readonly step?: number;
}

/** A training step that runs, with its data on the GPU. */
export interface TrainingProgram {
  readonly program: Program;
  /** Makes `step` the next one. */
  seek(step: number): void;
  /** Frees what it holds on the GPU; the parameters stay. */
  destroy(): void;
}

/** Uploads the rows, records the step and compiles it. */
export async function createTrainingProgram(options: TrainingProgramOptions): Promise<TrainingProgram> {
  const { gpu, tiles, model, config, training, parameters, split, step = 0 } = options;
  const state = createState(gpu);
  const tape = new Tape(gpu, training.batchSize, tiles, state);
  const { batch, setSchedules, destroy } = recordBatch(tape, {
    ...options,
    binarize: training.binarize,
    rows: training.rows,
  });
  const objectives = model.objectives(tape, parameters, batch, config);
  const compiled = tape.compile(objectives, { optimizer: optimizerOf(training), reduction: training.reduction });
  setSchedules(compiled.scalars);
  const program = await Program.create(tape, compiled);
  const seek = (to: number) => program.seek({ step: to, seed: training.seed, count: split.count, shuffle: true });
  seek(step);
  return {
    program,
    seek,
    destroy() {
      program.destroy();
      destroy();
      state.destroy();
    },
  };
}
