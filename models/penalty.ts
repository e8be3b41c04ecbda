/**
 * What a VAE can minimise beside its bound: penalties on the latents of a whole batch. It is no model.
 *
 * @module
 */

import { decomposeDivergence } from "../core/ops/aggregate_posterior.ts";
import { covariancePenalty } from "../core/ops/covariance_penalty.ts";
import { meanDiscrepancy } from "../core/ops/mean_discrepancy.ts";
import { permuteColumns } from "../core/ops/permute_columns.ts";
import { valuesOf } from "../core/ops/sum.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Objective, Tape, Term, Variable } from "../core/graph/tape.ts";
import type { Posterior } from "../core/distributions/distribution.ts";
import { type Discriminator, discriminator, unrecognized } from "./discriminator.ts";
import type { PriorPart } from "./prior.ts";
import { type PenaltyConfig, type PenaltyName, penaltySettings } from "./composed_settings.ts";

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
    uses: ["diagonalWeight"],
    record: dip("means"),
    refused: [withoutFlow],
  },
  "dip-2": {
    uses: ["diagonalWeight"],
    record: dip("latents"),
    refused: [["covariance", "full", "it takes the variances of z from the posterior's diagonal"], withoutFlow],
  },
  "total-correlation": {
    uses: ["estimator"],
    record: totalCorrelation,
    refused: [
      ["covariance", "full", "it takes the density of each latent from the posterior's diagonal"],
      ["gradient", "doubly-reparameterized", DOUBLY],
      withoutFlow,
    ],
  },
  mmd: {
    uses: ["mmdKernel", "bandwidth"],
    record: mmd,
    refused: [["gradient", "doubly-reparameterized", DOUBLY]],
  },
  factor: {
    ...adversarial({
      name: "totalCorrelation",
      other: (t, { z }) => permuteColumns(t, z),
      value: (_, logit) => logit,
    }),
  },
  adversarial: {
    ...adversarial({ name: "adversarial", other: (_, { drawPrior }) => drawPrior(), value: unrecognized }),
  },
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
