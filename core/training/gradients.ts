/**
 * The gradients of a trained model on some rows, for those who look at them.
 *
 * @module
 */

import { recordBatch } from "./batch.ts";
import type { Split } from "../dataset.ts";
import { createState, Program } from "../graph/program.ts";
import { Tape } from "../graph/tape.ts";
import type { Model } from "../model.ts";
import type { Trained } from "./trained.ts";

/** A program that forms gradients and changes nothing. */
export interface Gradients {
  /** dL/dw of every parameter that is trained, by name: its weight [inputs, outputs] and bias [outputs] one after the other, as they stand. */
  read(): Promise<Map<string, Float32Array<ArrayBuffer>>>;
  /** Frees what it holds on the GPU. */
  destroy(): void;
}

/** Compiles the gradients of the loss on rows, which are one batch; L is as at the step that the training has come to. */
export async function gradientsOf(trained: Trained, rows: Split): Promise<Gradients> {
  const { gpu, tiles, model, config, data, parameters, training } = trained;
  const scopes = gpu.scopes();
  const held: (() => void)[] = [];
  const destroy = () => held.splice(0).reverse().forEach((free) => free());
  try {
    const { tape, compiled } = scopes.within(() => {
      const state = createState(gpu);
      held.push(() => state.destroy());
      const tape = new Tape(gpu, rows.count, tiles, state);
      held.push(() => tape.destroy());
      const { binarize, rows: placement } = training;
      const from = recordBatch(tape, { model: model as Model, config, data, split: rows, binarize, rows: placement });
      held.push(from.destroy);
      const objectives = model.objectives(tape, parameters, from.batch, config);
      return { tape, compiled: tape.compile(objectives, { optimizer: "gradients", reduction: training.reduction }) };
    });
    await scopes.settle();
    const program = await Program.create(tape, compiled);
    const all = [...compiled.trained];
    return {
      async read() {
        program.seek({ step: trained.progress.step, seed: training.seed, count: rows.count, shuffle: true });
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
      destroy,
    };
  } catch (error) {
    destroy();
    throw error;
  }
}
