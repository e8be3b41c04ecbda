/**
 * What a VAE can minimise beside its bound: penalties on the latents of a whole batch. It is no model.
 *
 * @module
 */

import { AGGREGATE_ESTIMATORS, type AggregateEstimator, decomposeDivergence } from "../core/ops/aggregate_posterior.ts";
import { covariancePenalty } from "../core/ops/covariance_penalty.ts";
import { meanDiscrepancy, MMD_KERNELS, type MmdKernel } from "../core/ops/mean_discrepancy.ts";
import { permuteColumns } from "../core/ops/permute_columns.ts";
import { valuesOf } from "../core/ops/sum.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Objective, Tape, Term, Variable } from "../core/graph/tape.ts";
import type { Posterior } from "../core/distributions/distribution.ts";
import type { Settings } from "../core/settings.ts";
import {
  type Discriminator,
  discriminator,
  type DiscriminatorConfig,
  discriminatorSettings,
  unrecognized,
} from "./discriminator.ts";
import type { PriorPart } from "./prior.ts";

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

/** What a penalty is recorded from. */
export interface Penalized {
  /** The parameters. */
  readonly p: Parameters;
  /** q(z | x) */
  readonly posterior: Posterior;
  /** z ~ q(z | x) [N L, K] */
  readonly z: Variable;
  /** Whether p(z) is N(0, I). */
  readonly standard: boolean;
  /** Records z ~ p(z) [rows, K], where the rows are those of `z`. */
  drawPrior(): Variable;
}

/** What was recorded of a penalty. */
export interface RecordedPenalty {
  /** What is added to the loss. */
  readonly terms: readonly Term[];
  /** What a discriminator of its own minimises. */
  readonly adversary?: Objective;
}

/** A penalty to compose a VAE with. */
interface PenaltyPart {
  /** In a few words, for `--help`. */
  readonly summary: string;
  /** The settings that it has a use for besides its weight. */
  readonly uses: readonly (keyof PenaltyConfig)[];
  /** The shapes of parameters of its own, for K latents. */
  shapes?(config: PenaltyConfig, latents: number): Shapes;
  /** Records its terms. */
  record(t: Tape, config: PenaltyConfig, given: Penalized): RecordedPenalty;
  /** Settings that it has no meaning with, each with the value that it is refused at and why. */
  readonly refused?: PriorPart["refused"];
}

/** λ_od Σ_{k ≠ l} C_kl² + λ_d Σ_k (C_kk - 1)² */
const dip =
  (of: "means" | "latents"): PenaltyPart["record"] => (t, { penaltyWeight, diagonalWeight }, { posterior }) => {
    const { offDiagonal, diagonal } = covariancePenalty(t, posterior.statistics, posterior.latents, of);
    return {
      terms: [
        { name: "offDiagonal", value: offDiagonal, weight: constant(penaltyWeight) },
        { name: "diagonal", value: diagonal, weight: constant(diagonalWeight) },
      ],
    };
  };

const DOUBLY = "the doubly reparameterized gradient takes all that reaches z for that of the bound";

/** λ TC(z), and the other parts of the KL from N(0, I), which are only measured. */
const totalCorrelation: PenaltyPart["record"] = (t, { penaltyWeight, estimator }, { posterior, z, standard }) => {
  const parts = decomposeDivergence(t, z, posterior.statistics, estimator);
  const measured = ["mutualInformation", ...standard ? ["dimensionWiseKl"] as const : []] as const;
  return {
    terms: [
      ...measured.map((name) => ({ name, value: parts[name], weight: constant(0) })),
      { name: "totalCorrelation", value: parts.totalCorrelation, weight: constant(penaltyWeight) },
    ],
  };
};

/** λ MMD²(q(z), p(z)) */
const mmd: PenaltyPart["record"] = (t, { penaltyWeight, mmdKernel, bandwidth }, { z, drawPrior }) => {
  // E ‖a - b‖² = 2 K of a and b ~ N(0, I)
  const options = { kernel: mmdKernel, bandwidth: 2 * z.columns * bandwidth };
  const value = meanDiscrepancy(t, z, drawPrior(), options);
  return { terms: [{ name: "mmd", value, weight: constant(penaltyWeight) }] };
};

/** A penalty of what a discriminator makes of z, which learns to tell z from another sample. */
function adversarial(
  { name, other, value }: {
    /** Of the term. */
    readonly name: string;
    /** Records the other sample, as many rows as z. */
    readonly other: (t: Tape, given: Penalized) => Variable;
    /** Records what is penalized of the logits l = log q(z) / p(z). */
    readonly value: (t: Tape, logit: Variable) => Variable;
  },
): Pick<PenaltyPart, "uses" | "shapes" | "record" | "refused"> {
  const of = (config: PenaltyConfig, latents: number): Discriminator => discriminator("latents", latents, config);
  return {
    uses: ["discriminatorHidden", "discriminatorRate"],
    shapes: (config, latents) => of(config, latents).shapes,
    record(t, config, given) {
      const { p, z } = given;
      const { apply, objective } = of(config, z.columns);
      const { logit } = apply(t, p, z);
      const penalty = valuesOf(t, name, value(t, logit));
      return {
        terms: [{ name, value: penalty, weight: constant(config.penaltyWeight) }],
        adversary: objective(t, [logit], apply(t, p, other(t, given)).logit),
      };
    },
    refused: [["gradient", "doubly-reparameterized", DOUBLY]],
  };
}

const withoutFlow = ["flow", /^(?!none$)/, "it takes a Gaussian posterior"] as const;

/** The penalties that there are for every composed VAE. */
const PENALTIES: Readonly<Record<Exclude<PenaltyName, "none">, PenaltyPart>> = {
  "dip-1": {
    summary: "the covariance of the posterior means apart from I (DIP-VAE-I)",
    uses: ["diagonalWeight"],
    record: dip("means"),
    refused: [withoutFlow],
  },
  "dip-2": {
    summary: "the covariance of z apart from I (DIP-VAE-II)",
    uses: ["diagonalWeight"],
    record: dip("latents"),
    refused: [["covariance", "full", "it takes the variances of z from the posterior's diagonal"], withoutFlow],
  },
  "total-correlation": {
    summary: "the total correlation of the latents, estimated by the aggregate posterior (β-TCVAE)",
    uses: ["estimator"],
    record: totalCorrelation,
    refused: [
      ["covariance", "full", "it takes the density of each latent from the posterior's diagonal"],
      ["gradient", "doubly-reparameterized", DOUBLY],
      withoutFlow,
    ],
  },
  mmd: {
    summary: "the maximum mean discrepancy of the latents from draws of the prior (InfoVAE, WAE)",
    uses: ["mmdKernel", "bandwidth"],
    record: mmd,
    refused: [["gradient", "doubly-reparameterized", DOUBLY]],
  },
  factor: {
    summary: "the total correlation of the latents, estimated by a discriminator (FactorVAE)",
    ...adversarial({
      name: "totalCorrelation",
      other: (t, { z }) => permuteColumns(t, z),
      value: (_, logit) => logit,
    }),
  },
  adversarial: {
    summary: "how well a discriminator tells z from draws of the prior (adversarial autoencoder, WAE-GAN)",
    ...adversarial({ name: "adversarial", other: (_, { drawPrior }) => drawPrior(), value: unrecognized }),
  },
};

/** The settings of penalties. */
export const penaltySettings: Settings<PenaltyConfig> = {
  penalty: {
    type: "choice",
    default: "none",
    choices: PENALTY_NAMES,
    help: `added to the loss, of a batch: ${
      Object.entries(PENALTIES).map(([name, { summary }]) => `${name}: ${summary}`).join("; ")
    }`,
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
    choices: AGGREGATE_ESTIMATORS,
    help: "of the aggregate posterior by a batch: minibatch stratified or weighted sampling (total-correlation)",
  },
  mmdKernel: {
    type: "choice",
    default: "imq",
    choices: MMD_KERNELS,
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

function partOf({ penalty }: PenaltyConfig): PenaltyPart | undefined {
  return penalty === "none" ? undefined : PENALTIES[penalty];
}

/** The shapes of a penalty's own parameters. */
export function penaltyShapes(config: PenaltyConfig, latents: number): Shapes {
  return partOf(config)?.shapes?.(config, latents) ?? {};
}

/** Records a penalty; no terms without one. */
export function recordPenalty(t: Tape, config: PenaltyConfig, given: Penalized): RecordedPenalty {
  return partOf(config)?.record(t, config, given) ?? { terms: [] };
}

/** What a user must know of a penalty, one line each. */
export function penaltyCaveats(config: PenaltyConfig): readonly string[] {
  const { penalty, penaltyWeight, diagonalWeight } = config;
  const weighs = penaltyWeight > 0 || (diagonalWeight > 0 && partOf(config)?.uses.includes("diagonalWeight"));
  if (penalty === "none" || !weighs) return [];
  return [`the loss has the penalty ${penalty} too; elbo is reported without it`];
}

/** What has no meaning with the penalty: settings that it has no use for, and those that it refuses at a value, with the reason. */
export function refusedBy(
  config: PenaltyConfig,
): { readonly idle: readonly (keyof PenaltyConfig)[]; readonly refused: PenaltyPart["refused"] } {
  const part = partOf(config);
  const { penalty: _, ...weights } = penaltySettings;
  const uses: readonly string[] = part ? ["penaltyWeight", ...part.uses] : [];
  return {
    idle: (Object.keys(weights) as (keyof PenaltyConfig)[]).filter((name) => !uses.includes(name)),
    refused: part?.refused,
  };
}
