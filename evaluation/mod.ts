/**
 * The list of measures. They work on every model through its encoder, decoder and likelihood, and print nothing.
 *
 * @module
 */

export { betaVaeScore, type BetaVaeScoreOptions } from "./beta_vae_score.ts";
export type { Coded } from "./coded.ts";
export { type Dci, dci } from "./dci.ts";
export { type Disentanglement, disentanglement, type DisentanglementOptions } from "./disentanglement.ts";
export { factorVaeScore, type FactorVaeScoreOptions } from "./factor_vae_score.ts";
export {
  aggregatePosterior,
  fitPrior,
  type FitPriorOptions,
  type FittedPrior,
  fittedPrior,
  fitVampPrior,
  isFittedTo,
} from "./fitted_prior.ts";
export {
  classifier,
  type ClassifierConfig,
  type ClassifierOptions,
  type FrechetClassifierDistance,
  frechetClassifierDistance,
  frechetDistance,
  trainClassifier,
} from "./frechet_classifier_distance.ts";
export { hasSsim, type ImageQuality, imageQuality, ssim, SSIM_WINDOW, type SsimWindow } from "./image_quality.ts";
export { imageMask, impute, type Imputed, type ImputeOptions, MASKS } from "./impute.ts";
export { type InfoMec, infoMec, type InfoMecOptions } from "./info_mec.ts";
export { ACTIVE_VARIANCE, type LatentOptions, type LatentStatistics, latentStatistics } from "./latent_statistics.ts";
export {
  ESTIMATORS,
  type LikelihoodProgress,
  type LogLikelihood,
  logLikelihood,
  type LogLikelihoodOptions,
} from "./log_likelihood.ts";
export { modularity } from "./modularity.ts";
export { type BinOptions, mutualInformationGap } from "./mutual_information_gap.ts";
export { probe, type ProbeOptions, type ProbeRows, type Probes, probes, type ProbeScores } from "./probe.ts";
export { type PredictabilityOptions, separatedAttributePredictability } from "./separated_attribute_predictability.ts";
export { type Scores, scores } from "./scores.ts";
export type { WeighingKind } from "./weighing.ts";
