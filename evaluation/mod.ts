/**
 * The list of measures. They work on every model through its encoder, decoder and likelihood, and print nothing.
 *
 * @module
 */

export { hasSsim, type ImageQuality, imageQuality, ssim, SSIM_WINDOW } from "./image_quality.ts";
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
