/**
 * The plain and the denoising autoencoder.
 *
 * @module
 */

import type { Posterior } from "../core/distributions/distribution.ts";
import { point } from "../core/distributions/point.ts";
import { features } from "../core/dataset.ts";
import type { Batch, DataShape, Model } from "../core/model.ts";
import { chain, type Layer, linear, mlp } from "../core/nn/mod.ts";
import { corrupt, type Corruption, CORRUPTIONS } from "../core/ops/corrupt.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Objective, Tape, Variable } from "../core/graph/tape.ts";
import {
  chosenLikelihood,
  likelihoodByData,
  likelihoodCaveats,
  likelihoodFindings,
  likelihoodShapes,
  likelihoodSupport,
} from "./likelihood.ts";
import { type MlpConfig, mlpDecode, mlpSettings } from "./mlp.ts";

/** The encoder's and decoder's configuration; a code has no variance to build a tower for. */
export type AeConfig = Omit<MlpConfig, "towers" | "covariance">;

/** The autoencoder's configuration and the noise on its input. */
export interface DaeConfig extends AeConfig {
  /** The kind of noise on the input. */
  readonly noise: Corruption;
  /** Probability that a value is corrupted; standard deviation of gaussian noise. */
  readonly noiseAmount: number;
}

/** D - hidden - K */
function encoder(config: AeConfig, width: number): Layer {
  const { hidden, latents } = config;
  return chain(mlp("encoder", [width, ...hidden], config), linear("code", hidden.at(-1) ?? width, latents));
}

function shapes(config: AeConfig, data: DataShape): Shapes {
  const { hidden, latents } = config;
  const width = features(data.shape);
  return {
    ...chain(encoder(config, width), mlp("decoder", [latents, ...hidden.toReversed()], config)).shapes,
    ...likelihoodShapes(config, hidden[0] ?? latents, width, data.shape[2]),
  };
}

function encode(t: Tape, p: Parameters, x: Variable, config: AeConfig): Posterior {
  return point(t, encoder(config, x.columns).apply(t, p, x));
}

function decode(t: Tape, p: Parameters, z: Variable, config: AeConfig) {
  return mlpDecode(t, p, z, { ...config, towers: 1, covariance: "diagonal" });
}

/** The reconstruction of the batch from a seen, perhaps corrupted, version of it. */
function reconstruction(t: Tape, p: Parameters, { x }: Batch, seen: Variable, config: AeConfig): readonly Objective[] {
  const nll = decode(t, p, encode(t, p, seen, config).statistics, config).nll(x);
  return [{ terms: [{ name: "nll", value: nll, weight: constant(1) }] }];
}

const { towers: _towers, covariance: _covariance, ...settings } = { ...mlpSettings, ...likelihoodByData };

const REMARK =
  "an autoencoder has no prior: what `sample` decodes was drawn from N(0, I) unless `--prior` says otherwise, and `elbo` is only -nll";

/**
 * loss = -log p(x | z), z = f(x)
 *
 * Source: Hinton and Salakhutdinov, "Reducing the Dimensionality of Data with Neural Networks", Science 313, 2006.
 */
export const ae: Model<AeConfig> = {
  name: "ae",
  summary: "Autoencoder: a code without noise and without a prior",
  source: "Hinton and Salakhutdinov, Science 313, 2006",
  settings,
  parameters: shapes,
  objectives: (t, p, batch, config) => reconstruction(t, p, batch, batch.x, config),
  encode,
  decode,
  latents: (config) => config.latents,
  hasPrior: false,
  support: likelihoodSupport,
  findings: likelihoodFindings,
  choose: chosenLikelihood,
  caveats: (config) => [REMARK, ...likelihoodCaveats(config, 0)],
};

/**
 * loss = -log p(x | z), z = f(x̃), x̃ a corrupted x
 *
 * Source: Vincent et al., "Stacked Denoising Autoencoders", JMLR 11, 2010, section 2.3.
 */
export const dae: Model<DaeConfig> = {
  name: "dae",
  summary: "Denoising autoencoder: reconstructs data from a corrupted version",
  source: "Vincent et al., JMLR 11, 2010, section 2.3",
  settings: {
    ...settings,
    noise: { type: "choice", default: "masking", choices: CORRUPTIONS, help: "kind of noise on the input" },
    noiseAmount: {
      type: "number",
      default: 0.25,
      minimum: 0,
      help: "probability that a value is corrupted; standard deviation of gaussian noise",
    },
  },
  parameters: shapes,
  objectives: (t, p, batch, config) =>
    reconstruction(t, p, batch, corrupt(t, batch.x, config.noise, config.noiseAmount), config),
  encode,
  decode,
  latents: (config) => config.latents,
  hasPrior: false,
  support: likelihoodSupport,
  findings: likelihoodFindings,
  choose: chosenLikelihood,
  caveats: (config) => [REMARK, ...likelihoodCaveats(config, 0)],
};
