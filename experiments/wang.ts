/**
 * The setting that Wang's experiments share. It is no experiment.
 *
 * Grey pixels with a Bernoulli loss, ReLU, two separate towers for mean and log-variance, Adagrad 1e-2, batch 100, every parameter
 * N(0, 0.01²), biases included. Adagrad's epsilon is PyTorch's, 1e-10; with weights so small the first gradients are about 1e-5, and an
 * epsilon above them decides the size of the first steps. With 1e-4 the KL of 784-500-500-3 has a mean of 7e5 in the first epoch and
 * after five the lower bound is at -165.5; with 1e-10 it is at -152.4, and what leap there is in the first steps is made good within an
 * epoch.
 *
 * @module
 */

import type { PointResult } from "./experiment.ts";
import { spread } from "./losses.ts";
import type { Spread } from "../core/spread.ts";

/** Where it was published. */
export const SOURCE: string = 'Wang, "Variational Autoencoder"';

/** Settings of the training and of the encoder and decoder. */
export const wangSetting: Readonly<Record<string, unknown>> = {
  activation: "relu",
  towers: 2,
  optimizer: "adagrad",
  learningRate: 0.01,
  epsilon: 1e-10,
  initializer: "normal",
  biasInitializer: "normal",
  initializerScale: 0.01,
  binarize: "none",
  batchSize: 100,
  validation: 0,
};

/** What is said beside every table of this setting. */
export const wangNotes: readonly string[] = [
  "Grey pixels with a Bernoulli loss: no likelihood, comparable only with the same. Training rows; means over the last " +
  "100 epochs, or the last tenth of a shorter run, as published from one batch an epoch.",
];

/** A term's mean over the last 100 epochs of every run, or over the last tenth of a shorter one. */
export function lateLoss(result: PointResult, term: string): Spread | undefined {
  return spread(result, ({ epochs }) => {
    const count = epochs[epochs.length - 1].epoch;
    // By their numbers: a record leaves out some of those before.
    const last = epochs.filter(({ epoch }) => epoch > count - Math.min(100, Math.ceil(count / 10)));
    return last.reduce((sum, { train }) => sum + train[term], 0) / last.length;
  });
}
