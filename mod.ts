/**
 * **elbo** trains, samples and explores Variational Auto-Encoders with fused WGSL shaders on WebGPU, on any GPU and on a machine without
 * one.
 *
 * A model is a plugin: {@linkcode vae}, {@linkcode betaVae}, or one of your own (see {@linkcode Model}). {@linkcode train} yields events and
 * prints nothing; what it trains can be sampled, encoded with, evaluated and saved. Losses are in nats per datum: summed over
 * features, averaged over data.
 *
 * @example A tiny VAE on 200 points, trained, sampled, saved and loaded
 * ```ts
 * import { type Dataset, load, train, vae } from "@elbo/elbo";
 *
 * // 200 rows of 16 binary features: two blocks that switch on together.
 * const values = new Uint8Array(200 * 16).map((_, i) => (i >> 4) % 2 === (i % 16 < 8 ? 0 : 1) ? 255 : 0);
 * const rows = { values, count: 200 };
 * const dataset: Dataset = { name: "blocks", shape: [4, 4, 1], train: rows, test: rows };
 *
 * const training = train(vae, dataset, { hidden: [16], latents: 2, batchSize: 50, epochs: 3, validation: 50 });
 * for await (const event of training) {
 *   if (event.event === "epoch") console.log(event.epoch, event.train.elbo, event.validation?.elbo);
 * }
 * using trained = training.trained;
 * const images = await trained.sample({ count: 4 }); // Float32Array [4, 16]
 * const { mean } = await trained.encode(images); // [4, 2]
 * const { elbo } = await trained.evaluate(dataset.test);
 *
 * using again = await load(await trained.toBytes());
 * console.log(images.length, mean.length, elbo < 0, again.latents);
 * ```
 *
 * @module
 */

export { type Dataset, type DatasetSource, features, type LoadOptions, type Split } from "./core/dataset.ts";
export { Gpu, GpuError, type GpuOptions } from "./core/device.ts";
export type { Likelihood, Posterior } from "./core/distributions/distribution.ts";
export { bernoulli } from "./core/distributions/bernoulli.ts";
export { diagonalGaussian } from "./core/distributions/gaussian.ts";
export type { EndEvent, EpochEvent, Losses, ProgressEvent, StartEvent, TrainingEvent } from "./core/events.ts";
export type { Batch, DataShape, Model } from "./core/model.ts";
export { activate } from "./core/ops/activate.ts";
export { type Activation, ACTIVATIONS } from "./core/ops/activations.ts";
export { bernoulliNll } from "./core/ops/bernoulli_nll.ts";
export {
  conv2d,
  type ConvOptions,
  convShape,
  convSize,
  convTranspose2d,
  convTransposeSize,
} from "./core/ops/conv2d.ts";
export { dense, stack, stackShapes } from "./core/ops/dense.ts";
export { type Draw, reparameterize } from "./core/ops/reparameterize.ts";
export type { Binarization } from "./core/ops/gather.ts";
export type { Parameter, Parameters, ParameterShape, Shapes } from "./core/parameters.ts";
export { reshape } from "./core/ops/reshape.ts";
export { constant, type Schedule, valueAt } from "./core/schedule.ts";
export { configure, defaults, type Setting, type Settings } from "./core/settings.ts";
export type { Objective, Tape, Term, Values, Variable } from "./core/tape.ts";
export {
  type Checkpoint,
  type CheckpointHeader,
  type DataDescription,
  decodeCheckpoint,
  type EvaluateOptions,
  type Progress,
  type SampleOptions,
  Trained,
} from "./core/trained.ts";
export { DivergenceError, train, type Training, type TrainOptions } from "./core/trainer.ts";
export { type TrainingConfig, trainingSettings } from "./core/training_settings.ts";
export { datasets, findDataset } from "./datasets/mod.ts";
export { mnist } from "./datasets/mnist.ts";
export { betaVae, type BetaVaeConfig } from "./models/beta_vae.ts";
export { convVae, type ConvVaeConfig } from "./models/conv_vae.ts";
export { type MlpConfig, mlpDecode, mlpEncode, mlpSettings, mlpShapes } from "./models/mlp.ts";
export { findModel, load, models } from "./models/mod.ts";
export { vae } from "./models/vae.ts";
