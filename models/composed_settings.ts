/**
 * Every setting of a composed VAE: what it is called, which values it takes, and what `--help` says. What is made of them is recorded by
 * `plain.ts` and `composed_parts.ts`, which a page loads when a training needs it. It is no model.
 *
 * @module
 */

import { type Condition, CONDITIONS } from "../core/model.ts";
import type { Normalization } from "../core/nn/norm.ts";
import { type Activation, ACTIVATIONS } from "../core/ops/activations.ts";
import type { AggregateEstimator } from "../core/ops/aggregate_posterior.ts";
import type { MmdKernel } from "../core/ops/mean_discrepancy.ts";
import { type Covariance, COVARIANCES } from "../core/ops/draw.ts";
import { defaults, type Setting, type Settings } from "../core/settings.ts";
import { likelihoodByData, type LikelihoodConfig, likelihoodSettings } from "./likelihood_settings.ts";

/** What shapes the encoder and decoder, and the likelihood. */
export interface MlpConfig extends LikelihoodConfig {
  /** Widths of the hidden layers, from the data to the latents. */
  readonly hidden: readonly number[];
  /** K */
  readonly latents: number;
  /** Of hidden layers. */
  readonly activation: Activation;
  /** 1: mean and log-variance share an encoder; 2: an encoder for each. */
  readonly towers: number;
  /** Of q(z | x); full: Σ = L Lᵀ. */
  readonly covariance: Covariance;
}

/** The settings of {@linkcode MlpConfig}. */
export const mlpSettings: Settings<MlpConfig> = {
  hidden: {
    type: "integers",
    default: [500],
    minimum: 1,
    maximum: 16384,
    help: "widths of the hidden layers; the decoder mirrors them",
  },
  latents: { type: "integer", default: 20, minimum: 1, maximum: 4096, help: "latent dimensions, K" },
  activation: { type: "choice", default: "tanh", choices: ACTIVATIONS, help: "activation of the hidden layers" },
  towers: {
    type: "integer",
    default: 1,
    minimum: 1,
    maximum: 2,
    help: "1: mean and log-variance share an encoder; 2: an encoder for each",
  },
  covariance: {
    type: "choice",
    default: "diagonal",
    choices: COVARIANCES,
    help: "of the posterior; full: by a Cholesky factor",
  },
  ...likelihoodSettings,
};

/** What shapes the convolutions, and the likelihood. */
export interface ConvStackConfig extends LikelihoodConfig {
  /** Channels behind each halving of the image. */
  readonly channels: readonly number[];
  /** Side of the kernels. */
  readonly kernel: number;
  /** Of hidden layers. */
  readonly activation: Activation;
}

/** The settings of {@linkcode ConvStackConfig}. */
export const convStackSettings: Settings<ConvStackConfig> = {
  channels: {
    type: "integers",
    default: [32, 64],
    minimum: 1,
    maximum: 512,
    help: "channels behind each halving of the image; the decoder mirrors them",
  },
  kernel: { type: "integer", default: 4, minimum: 2, maximum: 11, help: "rows and columns of a kernel" },
  activation: { ...mlpSettings.activation, default: "relu" },
  ...likelihoodSettings,
};

/** What shapes the encoder and decoder, and the likelihood. */
export interface ConvConfig extends ConvStackConfig {
  /** Widths of the dense layers between the smallest image and the latents. */
  readonly hidden: readonly number[];
  /** K */
  readonly latents: number;
  /** Of q(z | x); full: Σ = L Lᵀ. */
  readonly covariance: Covariance;
}

/** What levels there are. */
export interface HierarchyConfig {
  /**
   * How levels are inferred. `plain`: each from the one below it, q(z₂ | z₁) q(z₁ | x). `ladder`: from the top down, q(z₁ | z₂, x) q(z₂ | x),
   * by the product of what was found in the data and what the level above expects.
   */
  readonly hierarchy: "none" | "plain" | "ladder";
  /** K of each level below the top, from the data up; of convolutions, channels of its images. */
  readonly lowerLatents: readonly number[];
}

/** The settings of {@linkcode HierarchyConfig}. */
export const hierarchySettings: Settings<HierarchyConfig> = {
  hierarchy: {
    type: "choice",
    default: "none",
    choices: ["none", "plain", "ladder"],
    help: "levels of latents: plain, each inferred from the one below; ladder, from the data and from the one above",
  },
  lowerLatents: {
    type: "integers",
    default: [],
    minimum: 1,
    maximum: 4096,
    help:
      "latent dimensions of the levels below the top, from the data up; hidden layers (or convolutions) are divided among levels",
  },
};

/** Whether there are several levels. */
export function hasLevels({ lowerLatents }: HierarchyConfig): boolean {
  return lowerLatents.length > 0;
}

/** What follows the Gaussian of a posterior. */
export interface PosteriorFlowConfig {
  /** The layers, if any. */
  readonly flow: "none" | "iaf" | "planar";
  /** How many. */
  readonly flowLayers: number;
  /** Widths of the hidden layers of each (iaf). */
  readonly flowHidden: readonly number[];
  /** Numbers of a datum that each layer is given by the encoder (iaf). */
  readonly flowContext: number;
}

/** The settings of {@linkcode PosteriorFlowConfig}. */
export const flowSettings: Settings<PosteriorFlowConfig> = {
  flow: {
    type: "choice",
    default: "none",
    choices: ["none", "iaf", "planar"],
    help: "what a draw passes through: inverse autoregressive layers (IAF), or planar ones",
  },
  flowLayers: { type: "integer", default: 4, minimum: 1, maximum: 64, help: "how many" },
  flowHidden: {
    type: "integers",
    default: [128],
    minimum: 1,
    maximum: 16384,
    help: "widths of the hidden layers of each (iaf)",
  },
  flowContext: {
    type: "integer",
    default: 64,
    minimum: 1,
    maximum: 16384,
    help: "numbers of a datum that each layer is given by the encoder (iaf)",
  },
};

/** What p(z) is. */
export interface PriorConfig {
  /** N(0, I), or the name of a {@linkcode PriorPart}. */
  readonly prior: string;
  /** C, components of a mixture, or pseudo-inputs. */
  readonly components: number;
  /** Layers of a flow. */
  readonly priorLayers: number;
  /** Widths of the hidden layers of each. */
  readonly priorHidden: readonly number[];
}

/** The learned priors that there are for every composed VAE, in a few words each. */
const PRIORS: Readonly<Record<string, string>> = {
  mixture: "a learned mixture of Gaussians",
  vamp: "the mean of q(z | u) over learned pseudo-inputs u (VampPrior)",
  conditional: "a Gaussian that follows from the condition",
  "real-nvp": "affine coupling layers (Real NVP)",
  maf: "masked autoregressive layers (MAF)",
};

/** The settings of a prior: N(0, I), a learned one that every VAE can have, or one of those given. */
function priorSettings(own: Readonly<Record<string, { readonly summary: string }>>): Settings<PriorConfig> {
  const summaries = {
    ...PRIORS,
    ...Object.fromEntries(Object.entries(own).map(([name, { summary }]) => [name, summary])),
  };
  return {
    prior: {
      type: "choice",
      default: "standard",
      choices: ["standard", ...Object.keys(summaries)],
      help: `p(z): N(0, I), ${Object.values(summaries).join(", ")}`,
    },
    components: {
      type: "integer",
      default: 100,
      minimum: 1,
      maximum: 8192,
      help: "components of a mixture, or pseudo-inputs",
    },
    priorLayers: { type: "integer", default: 4, minimum: 1, maximum: 64, help: "layers of a flow" },
    priorHidden: {
      type: "integers",
      default: [128],
      minimum: 1,
      maximum: 16384,
      help: "widths of the hidden layers of each layer of a flow",
    },
  };
}
/** How a discriminator is built and trained. */
export interface DiscriminatorConfig {
  /** Widths of its hidden layers. */
  readonly discriminatorHidden: readonly number[];
  /** The learning rate of its Adam, with β of 0.5 and 0.9. */
  readonly discriminatorRate: number;
}

/** The settings of {@linkcode DiscriminatorConfig}. */
export const discriminatorSettings: Settings<DiscriminatorConfig> = {
  discriminatorHidden: {
    type: "integers",
    default: [256, 256],
    minimum: 1,
    maximum: 16384,
    help: "widths of the hidden layers of the discriminator, leaky ReLU",
  },
  discriminatorRate: {
    type: "number",
    default: 1e-4,
    minimum: 0,
    exclusiveMinimum: true,
    help: "learning rate of the discriminator's Adam",
  },
};

/** The penalties, for settings. */
export const PENALTY_NAMES = ["none", "dip-1", "dip-2", "total-correlation", "mmd", "factor", "adversarial"] as const;
/** The name of a penalty. */
export type PenaltyName = typeof PENALTY_NAMES[number];

/** The penalty of a VAE. */
export interface PenaltyConfig extends DiscriminatorConfig {
  /** Its name; `none` for the bound alone. */
  readonly penalty: PenaltyName;
  /** λ, its weight in the loss. */
  readonly penaltyWeight: number;
  /** λ_d of DIP-VAE, the weight of what is on the diagonal of the covariance. */
  readonly diagonalWeight: number;
  /** How a batch estimates the aggregate posterior q(z). */
  readonly estimator: AggregateEstimator;
  /** k of the maximum mean discrepancy. */
  readonly mmdKernel: MmdKernel;
  /** Its width, with 1 for the distance that two draws of N(0, I) are expected apart. */
  readonly bandwidth: number;
}

/** The penalties in a few words each. */
const PENALTIES: Readonly<Record<Exclude<PenaltyName, "none">, string>> = {
  "dip-1": "the covariance of the posterior means apart from I (DIP-VAE-I)",
  "dip-2": "the covariance of z apart from I (DIP-VAE-II)",
  "total-correlation": "the total correlation of the latents, estimated by the aggregate posterior (β-TCVAE)",
  mmd: "the maximum mean discrepancy of the latents from draws of the prior (InfoVAE, WAE)",
  factor: "the total correlation of the latents, estimated by a discriminator (FactorVAE)",
  adversarial: "how well a discriminator tells z from draws of the prior (adversarial autoencoder, WAE-GAN)",
};

/** The settings of penalties. */
export const penaltySettings: Settings<PenaltyConfig> = {
  penalty: {
    type: "choice",
    default: "none",
    choices: PENALTY_NAMES,
    help: `added to the loss, of a batch: ${Object.entries(PENALTIES).map((each) => each.join(": ")).join("; ")}`,
  },
  penaltyWeight: { type: "number", default: 1, minimum: 0, help: "weight of the penalty" },
  diagonalWeight: {
    type: "number",
    default: 10,
    minimum: 0,
    help: "weight of the variances' distance from 1 (dip-1, dip-2)",
  },
  estimator: {
    type: "choice",
    default: "stratified",
    choices: ["stratified", "weighted"] satisfies readonly AggregateEstimator[],
    help: "of the aggregate posterior by a batch: minibatch stratified or weighted sampling (total-correlation)",
  },
  mmdKernel: {
    type: "choice",
    default: "imq",
    choices: ["imq", "rbf"] satisfies readonly MmdKernel[],
    help: "inverse multiquadratic, C / (C + d²), or RBF, exp(-d² / C), with C = 2 K times the bandwidth (mmd)",
  },
  bandwidth: {
    type: "number",
    default: 1,
    minimum: 1e-6,
    maximum: 1e6,
    help: "of the kernel: 1 for the squared distance of two draws from N(0, I) (mmd)",
  },
  ...discriminatorSettings,
};

/** What stands for the likelihood in the loss. */
export interface ReconstructionConfig {
  /** `likelihood` for -log p(x | z) itself. */
  readonly reconstruction: "likelihood" | "features" | "ms-ssim";
  /** Its weight: γ of the VAE-GAN, for the decoder alone, or that of the structural dissimilarity. */
  readonly reconstructionWeight: number;
}

/** The settings of {@linkcode ReconstructionConfig}. */
export const reconstructionSettings: Settings<ReconstructionConfig> = {
  reconstruction: {
    type: "choice",
    default: "likelihood",
    choices: ["likelihood", "features", "ms-ssim"],
    help:
      "what is minimised of x and its reconstruction: -log p(x | z); the squared distance of what a discriminator makes of them, which learns to tell x from decoded draws (VAE-GAN); or 1 - MS-SSIM",
  },
  reconstructionWeight: {
    type: "number",
    default: 1,
    minimum: 0,
    help: "weight of the features for the decoder, beside the discriminator (features), or of 1 - MS-SSIM (ms-ssim)",
  },
};

/** What a VAE is composed of. */
export interface ComposedConfig
  extends
    MlpConfig,
    ConvConfig,
    HierarchyConfig,
    PriorConfig,
    PosteriorFlowConfig,
    PenaltyConfig,
    ReconstructionConfig {
  /** The encoder, and with it the decoder. */
  readonly encoder: "dense" | "conv";
  /** What it is told besides the data. */
  readonly condition: Condition | "none";
  /** Of hidden layers, before their activation. */
  readonly normalization: Normalization;
  /** The part of the hidden units that is left out, in training. */
  readonly dropout: number;
  /** Residual blocks behind every hidden layer or, with convolutions, on the images of every size. */
  readonly residual: number;
  /**
   * The negative ELBO with a weighted KL, the importance-weighted bound, the mean of several, a combination with the ELBO, or the mean of several
   * for the encoder alone.
   */
  readonly objective: "elbo" | "iwae" | "miwae" | "ciwae" | "piwae";
  /** L, draws of z for each datum: k of the importance-weighted bound. */
  readonly samples: number;
  /** M, bounds of L / M draws each (miwae, piwae). */
  readonly bounds: number;
  /** Part of the ELBO in the combination (ciwae). */
  readonly combination: number;
  /** `auto`: in closed form where prior and objective have one. */
  readonly divergence: "auto" | "analytic" | "sampled";
  /** β, the weight of the KL term. */
  readonly beta: number;
  /** How β changes with the steps. */
  readonly betaSchedule: "constant" | "warm-up" | "cyclic";
  /** Steps of the warm-up, of one cycle, or of the capacity's growth. */
  readonly betaSteps: number;
  /** Steps by which the warm-up of each level begins after that of the level below. */
  readonly levelSteps: number;
  /** λ, free bits of each latent dimension, nats per datum. */
  readonly freeBits: number;
  /** C, nats per datum that the KL is held at, growing from 0; 0 for none. */
  readonly capacity: number;
  /** Of the encoder, through the importance-weighted bound. */
  readonly gradient: "standard" | "doubly-reparameterized";
  /** Steps for which the encoder is trained alone, and then the decoder and the prior; 0 for all of them in every step. */
  readonly alternate: number;
}

const { hidden, latents, activation, towers, covariance } = mlpSettings;
const { channels, kernel } = convStackSettings;

/** Every setting, by what it is of. */
const parts: Readonly<Record<string, Partial<Settings<ComposedConfig>>>> = {
  "Encoder, which the decoder mirrors": {
    encoder: {
      type: "choice",
      default: "dense",
      choices: ["dense", "conv"],
      help: "conv: convolutions that halve the image, then the dense hidden layers",
    },
    hidden,
    latents,
    activation,
    channels: { ...channels, help: `${channels.help} (conv)` },
    kernel: { ...kernel, help: `${kernel.help} (conv)` },
    normalization: {
      type: "choice",
      default: "none",
      choices: ["none", "batch", "layer", "group"] satisfies readonly Normalization[],
      help: "of hidden layers: each channel over the batch, a datum over all of it, or in groups of some 16 channels",
    },
    dropout: {
      type: "number",
      default: 0,
      minimum: 0,
      maximum: 0.99,
      help: "part of the hidden units that a training leaves out, at random",
    },
    residual: {
      type: "integer",
      default: 0,
      minimum: 0,
      maximum: 64,
      help: "residual blocks behind every hidden layer; with conv, on the images of every size instead",
    },
    condition: {
      type: "choice",
      default: "none",
      choices: ["none", ...CONDITIONS],
      help: "given to encoder and decoder: the label as a column for each class or as a number, or the covariates",
    },
  },
  "Levels of latents": hierarchySettings,
  "Posterior": { towers, covariance, ...flowSettings },
  "Prior": priorSettings({}),
  "Likelihood": likelihoodByData,
  "Objective": {
    objective: {
      type: "choice",
      default: "elbo",
      choices: ["elbo", "iwae", "miwae", "ciwae", "piwae"],
      help:
        "-(nll + beta KL); the importance-weighted bound of the draws; the mean of several such bounds; its combination with the ELBO; the bound for the decoder, and the mean of several for the encoder",
    },
    samples: { type: "integer", default: 1, minimum: 1, maximum: 1000, help: "draws of z for each datum, L" },
    bounds: {
      type: "integer",
      default: 5,
      minimum: 1,
      maximum: 1000,
      help: "bounds that the draws are divided among (miwae, piwae)",
    },
    combination: { type: "number", default: 0.5, minimum: 0, maximum: 1, help: "part of the ELBO in the loss (ciwae)" },
    divergence: {
      type: "choice",
      default: "auto",
      choices: ["auto", "analytic", "sampled"],
      help:
        "the KL in closed form, or estimated by the same draws; auto: in closed form for elbo, where the prior has one",
    },
    beta: { type: "number", default: 1, minimum: 0, help: "weight of the KL term" },
    betaSchedule: {
      type: "choice",
      default: "constant",
      choices: ["constant", "warm-up", "cyclic"],
      help: "schedule of the KL weight: constant, linear warm-up, or cyclic annealing",
    },
    betaSteps: {
      type: "integer",
      default: 5000,
      minimum: 1,
      help: "steps of the warm-up, of one cycle, or of the capacity's growth",
    },
    levelSteps: {
      type: "integer",
      default: 0,
      minimum: 0,
      help: "steps by which the warm-up of each level of latents begins after that of the level below",
    },
    freeBits: {
      type: "number",
      default: 0,
      minimum: 0,
      help: "nats of KL per datum that each latent dimension has for free",
    },
    capacity: {
      type: "number",
      default: 0,
      minimum: 0,
      help: "hold the KL at this many nats per datum, growing from 0: beta * |KL - C|; 0 for none",
    },
    gradient: {
      type: "choice",
      default: "standard",
      choices: ["standard", "doubly-reparameterized"],
      help: "how the encoder's gradient is estimated (iwae)",
    },
    alternate: {
      type: "integer",
      default: 0,
      minimum: 0,
      maximum: 1_000_000,
      help:
        "train the encoder for so many steps, then the decoder and the prior for as many, and so on; 0 for both at once",
    },
    ...reconstructionSettings,
    ...penaltySettings,
  },
};

/** The settings of a VAE with priors of its own besides those that every one can have. */
export function composedSettings(
  own: Readonly<Record<string, { readonly summary: string }>> = {},
): Settings<ComposedConfig> {
  const all = Object.entries({ ...parts, "Prior": priorSettings(own) }).flatMap(([heading, part]) =>
    Object.entries<Setting<unknown>>(part).map(([key, setting]) => [key, { ...setting, heading }] as const)
  );
  return Object.fromEntries(all) as Settings<ComposedConfig>;
}

/** The defaults where no preset says otherwise. */
export const standard: ComposedConfig = defaults(composedSettings());

/** What the model is given besides the data. */
export function given({ condition }: ComposedConfig): Condition | undefined {
  return condition === "none" ? undefined : condition;
}
