/**
 * The list of measures. They work on every model through its encoder, decoder and likelihood, and print nothing.
 *
 * @module
 */

export {
  classifier,
  type ClassifierConfig,
  type ClassifierOptions,
  type FrechetClassifierDistance,
  frechetClassifierDistance,
  frechetDistance,
  trainClassifier,
} from "./frechet_classifier_distance.ts";
export { hasSsim, type ImageQuality, imageQuality, ssim, SSIM_WINDOW } from "./image_quality.ts";
export { imageMask, impute, type Imputed, type ImputeOptions, MASKS } from "./impute.ts";
export { ACTIVE_VARIANCE, type LatentOptions, type LatentStatistics, latentStatistics } from "./latent_statistics.ts";
export {
  ESTIMATORS,
  type LikelihoodProgress,
  type LogLikelihood,
  logLikelihood,
  type LogLikelihoodOptions,
} from "./log_likelihood.ts";
export { type Scores, scores } from "./scores.ts";
export type { WeighingKind } from "./weighing.ts";
