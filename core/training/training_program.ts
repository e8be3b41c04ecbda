/**
 * The program of one training step: gather, forward, backward with the optimizer folded in, metrics.
 *
 * @module
 */

import { type BatchSource, recordBatch } from "./batch.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Parameters } from "../graph/parameters.ts";
import { createState, Program } from "../graph/program.ts";
import { type Compiled, Tape } from "../graph/tape.ts";
import type { Together } from "../graph/dispatches.ts";
import { ALONE } from "../graph/ranks.ts";
import type { Tiles } from "../products/tiles.ts";
import { missingOptimizer, optimizerOf, type TrainingConfig, trainingSteps } from "./training_settings.ts";

/** What is trained on what, and where. */
export interface TrainingStep extends Omit<BatchSource, "binarize" | "rows"> {
  /** Where it runs. */
  readonly gpu: Gpu;
  /** Settings of the training. */
  readonly training: TrainingConfig;
}

/** What a {@linkcode TrainingProgram} is made of. */
export interface TrainingProgramOptions extends TrainingStep {
  readonly tiles: Tiles;
  readonly parameters: Parameters;
  /** Whose batches make up the batch of a step; default: this process has all of it. */
  readonly together?: Together;
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

/** A training step laid out, with its data on the GPU, before anything is compiled. */
export interface RecordedTraining {
  readonly tape: Tape;
  readonly compiled: Compiled;
  /** Frees what it holds on the GPU; the parameters stay. */
  destroy(): void;
}

/**
 * Uploads the rows and records the step.
 *
 * @param keep Keeps all gradients, and leaves the parameters as they are.
 * @throws {GpuError} If the device has an error; nothing is left on it then, nor after any other error.
 */
export async function recordTraining(
  options: Omit<TrainingProgramOptions, "step">,
  keep?: "gradients",
): Promise<RecordedTraining> {
  const { gpu, parameters } = options;
  await missingOptimizer(options.training)?.();
  gpu.check();
  const scopes = gpu.scopes();
  const held: (() => void)[] = [];
  const destroy = () => held.splice(0).reverse().forEach((free) => free());
  try {
    const recorded = scopes.within(() => recordStep(options, keep, (free) => held.push(free)));
    await scopes.settle();
    await parameters.settle();
    return { ...recorded, destroy };
  } catch (error) {
    destroy();
    throw error;
  }
}

/** Records a step; `own` is told how each thing is freed. */
function recordStep(
  options: Omit<TrainingProgramOptions, "step">,
  keep: "gradients" | undefined,
  own: (free: () => void) => void,
): Omit<RecordedTraining, "destroy"> {
  const { gpu, tiles, model, config, training, parameters } = options;
  const state = createState(gpu);
  own(() => state.destroy());
  const { together = { ranks: ALONE, every: "step" } } = options;
  const tape = new Tape(gpu, training.batchSize / together.ranks.size, tiles, state, together);
  own(() => tape.destroy());
  const { batch, destroy } = recordBatch(tape, {
    ...options,
    binarize: training.binarize,
    rows: training.rows,
  });
  own(destroy);
  const objectives = model.objectives(tape, parameters, batch, config);
  const optimizer = keep ?? optimizerOf(training, trainingSteps(training, options.split.count));
  const compiled = tape.compile(objectives, { optimizer, reduction: training.reduction });
  for (const parameter of parameters) {
    if (parameter.shape.trained === false || compiled.trained.has(parameter)) continue;
    throw new Error(
      `Cannot train "${model.name}": no gradient reaches the parameter "${parameter.name}"; ` +
        "expected an op that lists it under parameters, or trained: false in its shape",
    );
  }
  return { tape, compiled };
}

/** Uploads the rows, records the step and compiles it. */
export async function createTrainingProgram(options: TrainingProgramOptions): Promise<TrainingProgram> {
  const { training, split, step = 0 } = options;
  const { tape, compiled, destroy } = await recordTraining(options);
  const program = await Program.create(tape, compiled).catch((error) => {
    destroy();
    throw error;
  });
  const seek = (to: number) => program.seek({ step: to, seed: training.seed, count: split.count, shuffle: true });
  seek(step);
  return {
    program,
    seek,
    destroy() {
      program.destroy();
      destroy();
    },
  };
}
