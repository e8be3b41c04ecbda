/**
 * The gradients of a whole model against central differences of its own loss.
 *
 * @module
 */

import { assert } from "@std/assert";
import { recordBatch } from "../../core/training/batch.ts";
import type { Dataset } from "../../core/dataset.ts";
import type { Model } from "../../core/model.ts";
import type { Binarization } from "../../core/ops/gather.ts";
import { Parameters } from "../../core/graph/parameters.ts";
import { createState, Program } from "../../core/graph/program.ts";
import { valueAt } from "../../core/graph/schedule.ts";
import { Tape } from "../../core/graph/tape.ts";
import { chooseTiles, type TileFamily } from "../../core/products/tiles.ts";
import { families, gpu } from "./gpu.ts";

/** dL/dw of every weight and bias of a batch of 8, against (L(w + h) - L(w - h)) / 2h of the loss that the GPU forms. */
export async function checkGradients(
  model: Model,
  config: object,
  dataset: Dataset,
  { family = families[0], binarize = "threshold", skip }: {
    readonly family?: TileFamily;
    readonly binarize?: Binarization;
    /** Weights and biases whose gradient is not the derivative of the loss, by name: "encoder.0.weight". */
    readonly skip?: RegExp;
  } = {},
): Promise<void> {
  const tiles = chooseTiles(gpu, family);
  const state = createState(gpu);
  const parameters = new Parameters(gpu, model.parameters(config, dataset));
  parameters.initialize({ weight: { name: "normal", scale: 0.5 }, bias: { name: "normal", scale: 0.5 } }, 1);
  const record = async (optimizer?: "gradients") => {
    const tape = new Tape(gpu, 8, tiles, state);
    const source = { model, config, data: dataset, split: dataset.train, binarize, rows: "auto" as const };
    const { batch } = recordBatch(tape, source);
    const objectives = model.objectives(tape, parameters, batch, config);
    const compiled = tape.compile(objectives, optimizer && { optimizer, reduction: "mean" });
    return { tape, terms: compiled.terms, program: await Program.create(tape, compiled) };
  };
  // Warm-up weights are neither 0 nor at their end.
  const step = 7;
  const start = { step, seed: 1, count: dataset.train.count, shuffle: true };
  const backward = await record("gradients");
  const forward = await record();
  const loss = async () => {
    forward.program.seek(start);
    const [values] = await forward.program.submit(1);
    return forward.terms.reduce((sum, { weight }, i) => sum + valueAt(weight, step) * values[i], 0) / 8;
  };
  backward.program.seek(start);
  await backward.program.submit(1);

  const h = 1 / 64;
  for (const parameter of parameters) {
    const { weight, bias } = await parameter.get();
    const gradients = await parameter.get(backward.tape.parameterGradient(parameter));
    for (const part of ["weight", "bias"] as const) {
      const values = { weight, bias }[part];
      if (!values.length || skip?.test(`${parameter.name}.${part}`)) continue;
      const expected = gradients[part];
      assert(expected.some((value) => value !== 0), `${parameter.name}.${part} has no gradient`);
      for (let i = 0; i < values.length; i++) {
        const original = values[i];
        const at = async (value: number) => {
          values[i] = value;
          parameter.set(parameter.tensor, weight, bias);
          return await loss();
        };
        const difference = (await at(original + h) - await at(original - h)) / (2 * h);
        values[i] = original;
        // h² times a third derivative, and the rounding of a float32 loss of about 20 over 2 h.
        const apart = Math.abs(expected[i] - difference);
        assert(
          apart <= 2e-3 + 4e-3 * Math.abs(difference),
          `${parameter.name}.${part}[${i}]: ${expected[i]}, by differences ${difference}`,
        );
      }
      parameter.set(parameter.tensor, weight, bias);
    }
  }
  backward.program.destroy();
  forward.program.destroy();
  parameters.destroy();
  state.destroy();
}
