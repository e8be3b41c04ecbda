/**
 * Models with random weights, as a training would leave them, for what reads and writes them.
 *
 * @module
 */

import { configure } from "../../core/settings.ts";
import type { DataShape, Model } from "../../core/model.ts";
import { Parameters } from "../../core/graph/parameters.ts";
import { uniforms } from "../../core/graph/random.ts";
import { Trained } from "../../core/training/trained.ts";
import { trainingSettings } from "../../core/training/training_settings.ts";
import { gpu } from "../support/gpu.ts";

/** A model whose every parameter is random: scales and variances above 0. */
export function untrained(given: Model<never>, settings: object, data: DataShape): Trained {
  const model = given as unknown as Model;
  const config = configure<object>(model.settings, settings, "the model");
  const shapes = model.parameters(config, data);
  const parameters = new Parameters(gpu, shapes);
  [...parameters].forEach((parameter, i) => {
    const { inputs, outputs, trained } = parameter.shape;
    const random = (length: number, stream: number, scale: number) =>
      uniforms(new Float32Array(length), 7, i, stream).map((u) => scale * (2 * u - 1));
    // Of moving averages the weight is a variance.
    const weight = trained === false && inputs === 1
      ? random(outputs, 0, 0.2).map((value) => 1 + value)
      : random(inputs * outputs, 0, inputs < 3 ? 1 : 1.7 / Math.sqrt(inputs));
    parameter.set(parameter.tensor, weight, random(outputs, 1, 0.3));
  });
  const training = configure(trainingSettings, {}, "the training");
  const progress = { step: 0, sums: [], steps: 0 };
  return new Trained(gpu, model, config, training, { name: "random", count: 10, ...data }, parameters, progress);
}

/** The largest distance of two arrays, over 1 and the size of the values. */
export function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const apart = Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    if (!(apart <= largest)) largest = apart;
  }
  return largest;
}
