/**
 * The gradients of a trained model on some rows, for those who look at them.
 *
 * @module
 */

import type { Split } from "../dataset.ts";
import { Program } from "../graph/program.ts";
import type { Model } from "../model.ts";
import type { Trained } from "./trained.ts";
import { recordTraining } from "./training_program.ts";

/** A program that forms gradients and changes nothing. */
export interface Gradients {
  /** dL/dw of every parameter that is trained, by name: its weight [inputs, outputs] and bias [outputs] one after the other, as they stand. */
  read(): Promise<Map<string, Float32Array<ArrayBuffer>>>;
  /** Frees what it holds on the GPU. */
  destroy(): void;
}

/** Compiles the gradients of the loss on rows, which are one batch; L is as at the step that the training has come to. */
export async function gradientsOf(trained: Trained, rows: Split): Promise<Gradients> {
  const { gpu, tiles, model, config, data, parameters, training: { seed } } = trained;
  const training = { ...trained.training, batchSize: rows.count };
  const { tape, compiled, destroy } = await recordTraining(
    { gpu, tiles, model: model as Model, config, data, parameters, training, split: rows },
    "gradients",
  );
  const program = await Program.create(tape, compiled).catch((error) => {
    destroy();
    throw error;
  });
  const all = [...compiled.trained];
  return {
    async read() {
      program.seek({ step: trained.progress.step, seed, count: rows.count, shuffle: true });
      await program.submit(1);
      const stored = await gpu.readAll(all.map((each) => ({ buffer: tape.parameterGradient(each).buffer })));
      return new Map(all.map((each, i) => {
        const { weight, bias } = each.unpack(tape.parameterGradient(each), stored[i]);
        const values = new Float32Array(weight.length + bias.length);
        values.set(weight);
        values.set(bias, weight.length);
        return [each.name, values];
      }));
    },
    destroy() {
      program.destroy();
      destroy();
    },
  };
}
