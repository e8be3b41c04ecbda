/**
 * The list of experiments. Adding one is one file and one line here.
 *
 * @module
 */

import { architecturesExperiment } from "./architectures.ts";
import { autoencodersExperiment } from "./autoencoders.ts";
import { benchmarkExperiment } from "./benchmark.ts";
import { betaCvaeExperiment } from "./beta_cvae.ts";
import { betaExperiment } from "./beta.ts";
import { cifar10Experiment } from "./cifar10.ts";
import { conditionExperiment } from "./condition.ts";
import { darlaExperiment } from "./darla.ts";
import { decoderVarianceExperiment } from "./decoder_variance.ts";
import { disentanglementExperiment } from "./disentanglement.ts";
import type { Experiment } from "./experiment.ts";
import { importanceExperiment } from "./importance.ts";
import { knownTruthExperiment } from "./known_truth.ts";
import { latentSizesExperiment } from "./latent_sizes.ts";
import { marginalLikelihoodExperiment } from "./marginal_likelihood.ts";
import { minimalArchitectureExperiment } from "./minimal_architecture.ts";
import { mixtureExperiment } from "./mixture.ts";
import { optimizersExperiment } from "./optimizers.ts";

/** Every experiment by name. */
export const experiments: ReadonlyMap<string, Experiment> = new Map(
  [
    optimizersExperiment,
    latentSizesExperiment,
    marginalLikelihoodExperiment,
    betaExperiment,
    conditionExperiment,
    benchmarkExperiment,
    architecturesExperiment,
    minimalArchitectureExperiment,
    autoencodersExperiment,
    decoderVarianceExperiment,
    betaCvaeExperiment,
    knownTruthExperiment,
    mixtureExperiment,
    cifar10Experiment,
    importanceExperiment,
    disentanglementExperiment,
    darlaExperiment,
  ].map((experiment) => [experiment.name, experiment]),
);
