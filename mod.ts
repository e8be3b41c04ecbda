/**
 * **elbo** trains, samples and explores Variational Auto-Encoders with fused WGSL shaders on WebGPU, on any GPU and on a machine without
 * one.
 *
 * A model is a plugin: {@linkcode vae}, {@linkcode betaVae}, or one of your own (see {@linkcode Model}). {@linkcode train} yields events and
 * prints nothing; what it trains can be sampled, encoded with, evaluated and saved. Losses are in nats per datum: summed over
 * features, averaged over data.
 *
 * Nothing here needs more than WebGPU: it runs in Deno and in browsers. What reads and writes files (`save`, `load` by path, datasets
 * by name or path, run folders) is in `@elbo/elbo/files`, for Deno.
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

export { FileError, setAvailableMemory } from "./core/bounds.ts";
export {
  type Dataset,
  type DatasetSource,
  features,
  type LoadOptions,
  type ReadSource,
  slice,
  type SourceFile,
  type SourceFiles,
  type Split,
} from "./core/dataset.ts";
export { dataLine, type DataSummary, describeData } from "./core/description.ts";
export {
  type DatasetInput,
  type Numbers,
  type RowValues,
  settled,
  type SplitInput,
  summarizeValues,
  type ValueSummary,
} from "./core/values.ts";
export { type CodeUsage, codeUsage, perplexity } from "./core/training/code_usage.ts";
export { type BufferPart, Gpu, GpuError, type GpuOptions } from "./core/gpu/device.ts";
export type { ErrorScopes } from "./core/gpu/error_scopes.ts";
export type { Likelihood, Posterior } from "./core/distributions/distribution.ts";
export { bernoulli } from "./core/distributions/bernoulli.ts";
export { continuousBernoulli } from "./core/distributions/continuous_bernoulli.ts";
export { bitsPerDimension, discretizedLogistic, LOG_SCALE_BOUNDS } from "./core/distributions/discretized_logistic.ts";
export { logisticMixture } from "./core/distributions/logistic_mixture.ts";
export {
  drawEncoded,
  type Encoded,
  klByDimension,
  type LatentUse,
  latentUse,
  logDensity,
  marginals,
  UNUSED_KL,
} from "./core/distributions/encoded.ts";
export { againstPrior, gaussianPrior, mixturePrior, type Prior } from "./core/distributions/prior.ts";
export {
  autoregressiveFlow,
  couplingFlow,
  type Flow,
  type Flowed,
  type FlowOptions,
  flowPosterior,
  flowPrior,
  inverseAutoregressiveFlow,
  planarContext,
  planarFlow,
} from "./core/distributions/flows.ts";
export type { Connections, Degrees } from "./core/graph/connections.ts";
export { gaussianPosterior } from "./core/distributions/gaussian.ts";
export {
  type Deviation,
  factoredGaussian,
  gaussian,
  LOG_VARIANCE_BOUNDS,
} from "./core/distributions/gaussian_likelihood.ts";
export type { EndEvent, EpochEvent, Losses, ProgressEvent, StartEvent, TrainingEvent } from "./core/training/events.ts";
export {
  expectationMaximization,
  type Fit,
  type FitContext,
  fitSweep,
  moments,
  readRow,
  setParameter,
} from "./core/training/fit.ts";
export type { RecordedSweep, Sum, Sweep, SweepOptions, SweepRun, Swept } from "./core/training/sweep.ts";
export { conditionColumns, type ConditionOptions } from "./core/training/batch.ts";
export type {
  Batch,
  Choice,
  Codes,
  Condition,
  DataShape,
  Model,
  PriorDraw,
  StartContext,
  Support,
} from "./core/model.ts";
export * as nn from "./core/nn/mod.ts";
export { accumulate, type Accumulated } from "./core/ops/accumulate.ts";
export { centred } from "./core/ops/centred.ts";
export { add } from "./core/ops/add.ts";
export { divide, exp, log, multiply, sqrt, square, subtract } from "./core/ops/arithmetic.ts";
export { elementwise, type ElementwiseDefinition, type Operands } from "./core/ops/elementwise.ts";
export {
  type CheckedGradient,
  type CheckedInput,
  checkGradients,
  type CheckOptions,
} from "./core/ops/check_gradients.ts";
export { columns } from "./core/ops/columns.ts";
export { columnOf, meanColumns, repeatColumn, sumColumns, valuesOf } from "./core/ops/sum.ts";
export { sumValues } from "./core/ops/sum_values.ts";
export { parameterMatrix } from "./core/ops/parameter_matrix.ts";
export { store } from "./core/ops/store.ts";
export { layout, randoms, scalars } from "./core/ops/parts.ts";
export { type Binding, type Dispatch, type Fragment, merge, type Part, read, write } from "./core/gpu/kernel.ts";
export type { Tensor } from "./core/gpu/tensor.ts";
export { activate } from "./core/ops/activate.ts";
export { type Activation, ACTIVATIONS } from "./core/ops/activations.ts";
export { causalContext, causalContextOfStep, type ContextOptions } from "./core/ops/causal_context.ts";
export type { CodebookUpdate } from "./core/ops/codebook.ts";
export { embedding } from "./core/ops/embedding.ts";
export { type Distance, DISTANCES, quantize, type Quantized } from "./core/ops/quantize.ts";
export { quantizeScalars } from "./core/ops/finite_scalar.ts";
export { rotationTrick } from "./core/ops/rotation_trick.ts";
export { stopGradient } from "./core/ops/stop_gradient.ts";
export { unitRows } from "./core/ops/unit_rows.ts";
export { softmaxNll } from "./core/ops/softmax_nll.ts";
export { counter } from "./core/ops/counter.ts";
export { bernoulliNll } from "./core/ops/bernoulli_nll.ts";
export { absoluteDifference } from "./core/ops/absolute_difference.ts";
export {
  AGGREGATE_ESTIMATORS,
  type AggregateEstimator,
  type DecomposedDivergence,
  decomposeDivergence,
} from "./core/ops/aggregate_posterior.ts";
export { meanDiscrepancy, MMD_KERNELS, type MmdKernel } from "./core/ops/mean_discrepancy.ts";
export { priorNoise } from "./core/ops/prior_noise.ts";
export { type CovariancePenalty, covariancePenalty } from "./core/ops/covariance_penalty.ts";
export { concat } from "./core/ops/concat.ts";
export { corrupt, type Corruption, CORRUPTIONS } from "./core/ops/corrupt.ts";
export { broadcast } from "./core/ops/broadcast.ts";
export { conv2d } from "./core/ops/conv2d.ts";
export { convTranspose2d } from "./core/ops/conv_transpose2d.ts";
export { type ConvOptions, convShape, convSize, convTransposeSize, type SizeOptions } from "./core/ops/images.ts";
export { dense } from "./core/ops/dense.ts";
export { dropout } from "./core/ops/dropout.ts";
export {
  batchNorm,
  type BatchNormOptions,
  groupNorm,
  layerNorm,
  type NormOptions,
  normShape,
  runningShape,
} from "./core/ops/normalize.ts";
export { importanceBound, importanceBounds, type ImportanceOptions } from "./core/ops/importance.ts";
export { drawProduct, type ProductOptions } from "./core/ops/gaussian_product.ts";
export type { FactoredGaussian } from "./core/ops/factored_gaussian.ts";
export { type LogisticMixture, mixtureColumns } from "./core/ops/logistic_mixture.ts";
export { type Covariance, type Draw, reparameterize, type ReparameterizeOptions } from "./core/ops/reparameterize.ts";
export type { Binarization } from "./core/ops/gather.ts";
export type { Accumulation, NormLimit, Optimizer, Rule, Transform } from "./core/graph/optimizer.ts";
export {
  accumulateGradients,
  adagrad,
  adam,
  type AdamOptions,
  averageWeights,
  clipNorm,
  clipValue,
  createOptimizer,
  learningRate,
  momentum,
  type OptimizerOptions,
  OPTIMIZERS,
  rmsprop,
  weightDecay,
} from "./core/optimizers/mod.ts";
export type { Parameter, Parameters, ParameterShape, Shapes, Weights } from "./core/graph/parameters.ts";
export type { Ranks } from "./core/graph/ranks.ts";
export { reshape } from "./core/ops/reshape.ts";
export { constant, type Schedule, valueAt } from "./core/graph/schedule.ts";
export { configure, defaults, type Setting, type Settings } from "./core/settings.ts";
export type { Counter, Node, Objective, RowScalars, Tape, Term, Variable } from "./core/graph/tape.ts";
export {
  type Checkpoint,
  type CheckpointHeader,
  type DataDescription,
  decodeCheckpoint,
  type Progress,
} from "./core/training/checkpoint.ts";
export type { BestEpoch } from "./core/training/patience.ts";
export { DivergenceError } from "./core/training/divergence.ts";
export { DRAWS, type HeldLevels, type LatentPrior, QUANTILES, type SampleOptions } from "./core/training/sampling.ts";
export { type EvaluateOptions, Trained } from "./core/training/trained.ts";
export { train, type Training, type TrainOptions } from "./core/training/trainer.ts";
export { type TrainingConfig, trainingSettings } from "./core/training/training_settings.ts";
export type { TrainingStep } from "./core/training/training_program.ts";
export type { TileChoice, TunedTiles, WorkgroupTile } from "./core/products/tiles.ts";
export { type TileCache, type TunedShape, tunedTiles, type TuneOptions, tuneTraining } from "./core/training/tuner.ts";
export { datasets } from "./datasets/mod.ts";
export { type DataFile, fetchFiles, readDataset, type ReadDatasetOptions } from "./datasets/given_files.ts";
export type { ByteSource } from "./core/source.ts";
export { cifar10 } from "./datasets/cifar10.ts";
export { fashionMnist } from "./datasets/fashion_mnist.ts";
export { freyFaces } from "./datasets/frey_faces.ts";
export { mnist } from "./datasets/mnist.ts";
export * from "./evaluation/mod.ts";
export { ae, dae } from "./models/ae.ts";
export { autoencoder, type AutoencoderConfig, type AutoencoderPreset } from "./models/autoencoder.ts";
export { rae } from "./models/rae.ts";
export { sparseAe } from "./models/sparse_ae.ts";
export { makeSprites, type SpriteOptions, sprites } from "./datasets/sprites.ts";
export { betaTcvae } from "./models/beta_tcvae.ts";
export { betaVae } from "./models/beta_vae.ts";
export { type Head, likelihoodOf, likelihoodShapes } from "./models/likelihood.ts";
export { composed, type Preset } from "./models/composed.ts";
export { iafVae } from "./models/iaf_vae.ts";
export { hierarchicalVae } from "./models/hierarchical_vae.ts";
export { ladderVae } from "./models/ladder_vae.ts";
export type { LearnedConfig, PriorContext, PriorPart } from "./models/prior.ts";
export { convVae } from "./models/conv_vae.ts";
export { dipVae } from "./models/dip_vae.ts";
export { comparedByFeatures, type FeatureEncoder } from "./models/features.ts";
export { mlpDecode, mlpEncode, mlpShapes } from "./models/mlp.ts";
export { findModel, load, type LoadModelOptions, models } from "./models/mod.ts";
export { cvae } from "./models/cvae.ts";
export { aae } from "./models/aae.ts";
export { factorVae } from "./models/factor_vae.ts";
export { piwae } from "./models/piwae.ts";
export { vaeGan } from "./models/vae_gan.ts";
export { infoVae } from "./models/info_vae.ts";
export { iwae } from "./models/iwae.ts";
export { wae } from "./models/wae.ts";
export { vae } from "./models/vae.ts";
export { vqVae } from "./models/vq_vae.ts";
export { wangVqVae } from "./models/wang_vq_vae.ts";
export type { VqVaeConfig } from "./models/vector_quantized.ts";
export type { QuantizerConfig } from "./models/quantizer.ts";
export type { CodePriorConfig } from "./models/code_prior.ts";
export { flow, type FlowConfig } from "./models/flow.ts";
export { gmm, type GmmConfig } from "./models/gmm.ts";
export { linearVae, type LinearVaeConfig } from "./models/linear_vae.ts";
export { pca } from "./models/pca.ts";
export { ppca, type PpcaConfig } from "./models/ppca.ts";
export type { LinearConfig } from "./models/linear_gaussian.ts";
// What the types above are made of: nobody needs to name them, but documentation links to them.
export type { ByteCache, LoadProgress, Reading, Scaling } from "./core/dataset.ts";
export type { RowArray, RowReader } from "./core/row_reader.ts";
export type { Chunk } from "./core/gpu/chunks.ts";
export type { Commands, Compiler, Copy, Due, PipelineBinding, Prepared, Refresh } from "./core/gpu/kernel.ts";
export { OWN_FAMILIES, type OwnFamily } from "./core/gpu/strategies.ts";
export type { Kernels, Products, Ready, Strategy } from "./core/gpu/strategy.ts";
export type {
  Product,
  ProductKind,
  ProductShape,
  Shape,
  Split as SplitShape,
  SplitProduct,
} from "./core/gpu/product.ts";
export type { Dispatches, Exchange, Laid, Produced, TapeProduct, Together } from "./core/graph/dispatches.ts";
export { type Initializer, INITIALIZERS, type Initializers } from "./core/graph/initializers.ts";
export type { Lowered } from "./core/graph/optimizer.ts";
export type { FoundTensors, NamedTensors, Snapshot } from "./core/graph/parameters.ts";
export type { Formula, FormulaOfConv, FormulaOfNorm, Formulas, OnTape } from "./core/graph/formula.ts";
export type { Compiled, HostStream, State, Training as TapeTraining } from "./core/graph/tape.ts";
export { CONDITIONS } from "./core/model.ts";
export { type HiddenOptions, type Normalization, NORMALIZATIONS } from "./core/nn/mod.ts";
export type { Binary, Unary } from "./core/ops/arithmetic.ts";
export { BINARIZATIONS, type Placement, PLACEMENTS, type Resident } from "./core/ops/gather.ts";
export { COVARIANCES } from "./core/ops/reparameterize.ts";
export { TILE_CHOICES, TILE_FAMILIES, type TileFamily, type Tiles, WORKGROUP_TILES } from "./core/products/tiles.ts";
export type { BatchSource } from "./core/training/batch.ts";
export type { Digest, PartDigest } from "./core/training/digest.ts";
export type { CheckpointTensor } from "./core/training/safetensors.ts";
export type { WeightedDraws } from "./core/training/sampling.ts";
export type { Timer } from "./core/training/tuner.ts";
export type { SpriteConfig } from "./datasets/sprites.ts";
export type { LayersConfig } from "./models/mlp.ts";
export {
  chosenLikelihood,
  likelihoodByData,
  likelihoodCaveats,
  type LikelihoodConfig,
  type LikelihoodName,
  LIKELIHOODS,
  likelihoodSettings,
  likelihoodSupport,
} from "./models/likelihood_settings.ts";
export {
  type ComposedConfig,
  type ConvConfig,
  type ConvStackConfig,
  type DiscriminatorConfig,
  type HierarchyConfig,
  type MlpConfig,
  mlpSettings,
  PENALTY_NAMES,
  type PenaltyConfig,
  type PenaltyName,
  type PosteriorFlowConfig,
  type PriorConfig,
  type ReconstructionConfig,
} from "./models/composed_settings.ts";
