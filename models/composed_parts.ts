/**
 * A VAE with all that settings can ask for: any encoder with any posterior, prior, likelihood, condition and objective. `composed.ts` loads it
 * where the plain VAE does not do. It is no model.
 *
 * @module
 */

import { conditionColumns } from "../core/training/batch.ts";
import type { DataShape, Model } from "../core/model.ts";
import { columns } from "../core/ops/columns.ts";
import { priorNoise } from "../core/ops/prior_noise.ts";
import { absoluteDifference } from "../core/ops/absolute_difference.ts";
import { importanceBound, importanceBounds } from "../core/ops/importance.ts";
import type { Draw, ReparameterizeOptions } from "../core/ops/reparameterize.ts";
import { constant, type Schedule } from "../core/graph/schedule.ts";
import type { Objective, Tape, Term, Variable } from "../core/graph/tape.ts";
import { type ComposedConfig, given, hasLevels, standard } from "./composed_settings.ts";
import { convDecode, convEncode, convShapes } from "./conv.ts";
import { convLevels } from "./conv_hierarchy.ts";
import { dataImages } from "./conv_stack.ts";
import {
  decodeLevels,
  denseLevels,
  drawLevels,
  foundOfAll,
  type LevelsDraw,
  levelsPosterior,
  type Top,
} from "./hierarchy.ts";
import { isLowRank, isMixture, likelihoodCaveats } from "./likelihood_settings.ts";
import { againstPrior, type Prior } from "../core/distributions/prior.ts";
import type { Likelihood, Posterior } from "../core/distributions/distribution.ts";
import { gaussianPosterior } from "../core/distributions/gaussian.ts";
import type { Parameters } from "../core/graph/parameters.ts";
import { boundCaveats, type Recorded, weightOf } from "./plain.ts";
import { contextColumns, flowShapes, throughFlow } from "./posterior_flow.ts";
import { besideDiscriminators } from "./discriminator.ts";
import { reconstruct, reconstructionCaveats, reconstructionShapes, refusedByReconstruction } from "./reconstruction.ts";
import { penaltyCaveats, penaltyShapes, recordPenalty, refusedBy } from "./penalty.ts";
import { type PriorPart, PRIORS } from "./prior.ts";
import { mlpDecode, mlpEncode, mlpShapes } from "./mlp.ts";

export { reparameterize } from "../core/ops/reparameterize.ts";
export { likelihoodFindings } from "./likelihood.ts";

/** The encoders, each with the decoder that mirrors it, and the layers of several levels. */
const encoders = {
  dense: {
    ...{ shapes: mlpShapes, encode: mlpEncode, decode: mlpDecode, levels: denseLevels },
    dataOf: (p: Parameters): DataShape => ({ shape: [1, 1, p.get("likelihood").shape.outputs] }),
  },
  conv: {
    ...{ shapes: convShapes, encode: convEncode, decode: convDecode, levels: convLevels },
    dataOf: (p: Parameters): DataShape => ({ shape: dataImages(p) }),
  },
};

/**
 * What is recorded of a VAE with any of its parts.
 *
 * The expectation is the mean over L draws of z; p(z) is N(0, I), or learned, or that of several levels, where the KL is one of each level and
 * `kl1`, `kl2`, ... report them, from the data up. With a capacity the loss has β |KL - C|; a penalty is added to it. Encoder and
 * decoder may be conditioned on c, which is joined to x (to its smallest image, with convolutions) and to z, and so may the prior.
 *
 * @param own Priors besides those that every VAE can have.
 */
export function withParts(
  own: Readonly<Record<string, PriorPart>>,
): Recorded & Pick<Required<Model<ComposedConfig>>, "check" | "prior" | "start"> {
  const priors: Readonly<Record<string, Omit<PriorPart, "summary">>> = { ...PRIORS, ...own };
  /** p(z) of a configuration, of its top where it has levels; undefined for N(0, I). */
  const priorOf = (
    t: Tape,
    p: Parameters,
    config: ComposedConfig,
    condition?: Variable,
  ): (() => Prior) | undefined => {
    const { encode } = encoders[config.encoder];
    const part = priors[config.prior];
    const encoded = (u: Variable) =>
      hasLevels(config) ? topOf(foundOfAll(t, p, levelsOf(p, config), u).at(-1)!, t, config) : encode(t, p, u, config);
    return part && (() => part.record(t, p, config, { condition, encode: encoded }));
  };
  /** What is made of a Gaussian posterior: its flow, and the KL from the prior that the model has. */
  const finished = (t: Tape, p: Parameters, gaussian: Posterior, config: ComposedConfig, condition?: Variable) => {
    const posterior = throughFlow(t, p, gaussian, config);
    const prior = priorOf(t, p, config, condition);
    return prior ? againstPrior(t, posterior, prior) : posterior;
  };
  const top = (t: Tape, p: Parameters, config: ComposedConfig, condition?: Variable): Top => ({
    posterior: (found) => finished(t, p, topOf(found, t, config), config, condition),
    prior: priorOf(t, p, config, condition),
  });
  /** q(z | x), with the KL from the prior that the model has. */
  const encode = (t: Tape, p: Parameters, x: Variable, config: ComposedConfig, condition?: Variable): Posterior =>
    hasLevels(config)
      ? levelsPosterior(t, p, config, levelsOf(p, config, condition), top(t, p, config, condition), x)
      : finished(t, p, encoders[config.encoder].encode(t, p, x, config, condition), config, condition);
  const decode = (t: Tape, p: Parameters, z: Variable, config: ComposedConfig, condition?: Variable): Likelihood =>
    hasLevels(config)
      ? decodeLevels(t, p, levelsOf(p, config, condition), z)
      : encoders[config.encoder].decode(t, p, z, config, condition);
  /** z ~ p(z) [N, K] from noise [N, K + 1]. */
  const drawPrior = (t: Tape, p: Parameters, config: ComposedConfig, noise: Variable, condition?: Variable) =>
    hasLevels(config)
      ? drawLevels(t, p, levelsOf(p, config, condition), top(t, p, config, condition), noise)
      : priorOf(t, p, config, condition)?.().draw(noise) ?? columns(t, noise, 0, noise.columns - 1);
  return {
    check: (config) => requireMeaning(config, priors[config.prior]),
    parameters(config, data) {
      const { shapes, levels } = encoders[config.encoder];
      const conditions = conditionColumns(given(config), data);
      return {
        ...hasLevels(config) ? levels(config, data, conditions).shapes : shapes(config, data, conditions),
        ...flowShapes(config),
        ...priors[config.prior]?.shapes(config, data, conditions),
        ...penaltyShapes(config, latentsOf(config, data)),
        ...reconstructionShapes(config, data),
      };
    },
    objectives(t, p, { x, condition, shape }, config) {
      const posterior = encode(t, p, x, config, condition);
      const drawn: Draw & Partial<LevelsDraw> = posterior.draw(drawOf(config));
      const likelihood = drawn.decode?.() ?? decode(t, p, drawn.z, config, condition);
      const nll = likelihood.nll(x);
      const priorDraw = () => drawPrior(t, p, config, priorNoise(t, drawn.z.rows, drawn.z.columns), condition);
      const { terms: penalty, adversary } = recordPenalty(t, config, {
        ...{ p, posterior },
        get z() {
          return drawn.z;
        },
        standard: config.prior === "standard" && !hasLevels(config),
        drawPrior: priorDraw,
      });
      const adversaries = adversary ? [adversary] : [];
      const names = besideDiscriminators(p);
      const isAll = !adversary && config.alternate === 0;
      const against = (terms: readonly Term[]): readonly Objective[] =>
        isAll ? [{ terms }] : [...inTurn(names, terms, config), ...adversaries];
      const term = (name: string, value: Term["value"], weight: Schedule): Term => ({ name, value, weight });
      const levels = (drawn.levels ?? [drawn]).map(({ kl, floored }, i) => ({
        floored,
        weight: weightOf(config, i),
        kl: (weight: Schedule) => ({ ...term("kl", kl, weight), ...drawn.levels ? { part: `kl${i + 1}` } : {} }),
      }));
      const measured = () => levels.map(({ kl }) => kl(constant(0)));
      if (config.objective !== "elbo") {
        const { objective, bounds, combination } = config;
        const unweighted = [term("nll", nll, constant(0)), ...measured()];
        if (objective === "piwae") {
          const [bound, mean] = importanceBounds(t, nll, drawn.kl, [{}, { bounds }]);
          const [encoding, decoding] = parted(names, isOfEncoder);
          return [
            { parameters: encoding, terms: [...unweighted, term("encoderBound", mean, constant(1)), ...penalty] },
            { parameters: decoding, terms: [term("bound", bound, constant(1))] },
            ...adversaries,
          ];
        }
        const bound = importanceBound(t, nll, drawn.kl, {
          ...objective === "miwae" ? { bounds } : {},
          ...objective === "ciwae" ? { combination } : {},
        });
        return against([...unweighted, term("bound", bound, constant(1)), ...penalty]);
      }
      const { capacity, betaSteps } = config;
      const ofPosterior: Term[] = [];
      // Where something else is minimised in place of the KL, the KL is only measured.
      if (capacity > 0) {
        const target = { kind: "linear", from: 0, to: capacity, steps: betaSteps } as const;
        const held = absoluteDifference(t, drawn.floored ?? drawn.kl, target);
        ofPosterior.push(...measured(), term("capacity", held, weightOf(config)));
      } else {
        for (const { kl, floored, weight } of levels) {
          ofPosterior.push(...floored ? [kl(constant(0)), term("freeBits", floored, weight)] : [kl(weight)]);
        }
      }
      const decodePrior = () => decode(t, p, priorDraw(), config, condition);
      const instead = reconstruct(t, config, { p, x, shape, likelihood, decodePrior });
      if (!instead) return against([term("nll", nll, constant(1)), ...ofPosterior, ...penalty]);
      // The likelihood is only measured, but for the deviation that it alone depends on.
      const [own, others] = parted(names, (name) => DEVIATION.includes(name));
      const terms = [...instead.terms, ...ofPosterior, ...penalty];
      const [encoding, decoding] = parted(others, isOfLatents);
      return [
        { parameters: DEVIATION, terms: [term("nll", nll, constant(own.length ? 1 : 0))] },
        ...instead.decoder
          ? [{ parameters: encoding, terms }, { parameters: decoding, terms: instead.decoder }]
          : inTurn(others, terms, config),
        ...instead.adversary ? [instead.adversary] : [],
        ...adversaries,
      ];
    },
    encode,
    decode,
    latents: latentsOf,
    levels: levelLatents,
    prior: (config) =>
      config.prior === "standard" && !hasLevels(config)
        ? undefined
        : (t, p, noise, condition) => drawPrior(t, p, config, noise, condition),
    start: async (context, config) => await priors[config.prior]?.start?.(context, config),
    caveats: (config) => caveats(config, priors[config.prior]),
  };
}

/** The parameters of a likelihood's learned deviation. */
const DEVIATION = ["scale", "factors"];

/** Those of which something holds, and the others. */
function parted<T>(all: readonly T[], holds: (one: T) => boolean): [T[], T[]] {
  return [all.filter(holds), all.filter((one) => !holds(one))];
}

/** What a group of parameters minimises: together, or its encoder and the others in turn. */
function inTurn(names: readonly string[], terms: readonly Term[], { alternate }: ComposedConfig): readonly Objective[] {
  if (alternate === 0) return [{ parameters: names, terms }];
  const run = { terms, every: 2 * alternate, lasting: alternate };
  const [encoding, others] = parted(names, isOfEncoder);
  return [{ parameters: encoding, ...run, at: 0 }, { parameters: others, ...run, at: alternate }];
}

/** Whether a parameter is one of q(z | x), by its name. */
function isOfEncoder(name: string): boolean {
  return /^(encoder|trunk|posterior|flow)\b/.test(name);
}

/** Whether it is one of q(z | x) or p(z), which the KL depends on. */
function isOfLatents(name: string): boolean {
  return isOfEncoder(name) || /^prior\b/.test(name);
}

/** The layers of several levels. */
function levelsOf(p: Parameters, config: ComposedConfig, condition?: Variable) {
  const { levels, dataOf } = encoders[config.encoder];
  return levels(config, dataOf(p), condition);
}

/** K of all levels together. */
function latentsOf(config: ComposedConfig, data: DataShape): number {
  return levelLatents(config, data).reduce((sum, each) => sum + each);
}

/** K of each level, from the data up. */
function levelLatents(config: ComposedConfig, data: DataShape): readonly number[] {
  return hasLevels(config) ? encoders[config.encoder].levels(config, data).latents : [config.latents];
}

/** The Gaussian of the top level's statistics. */
function topOf(found: Variable, t: Tape, config: ComposedConfig): Posterior {
  return gaussianPosterior(t, found, "diagonal", contextColumns(config));
}

/** What a user must know of a configuration. */
function caveats(config: ComposedConfig, prior: Omit<PriorPart, "summary"> | undefined): readonly string[] {
  const { objective, beta, freeBits, capacity, reconstruction } = config;
  const exact = config.flow === "none" && !hasLevels(config) &&
    (!prior || (prior.closedForm?.(config) && drawOf(config).divergence === "analytic"));
  const ladder = config.hierarchy === "ladder" && drawOf(config).divergence === "analytic"
    ? "kl of each level below the top is in closed form, given the levels above it as drawn"
    : "kl is estimated by each draw of z: log q(z | x) - log p(z)";
  const learned = exact ? [] : [ladder];
  const penalty = capacity > 0 ? "|KL - C|" : freeBits > 0 ? "Σₖ max(λ, KLₖ)" : "KL";
  const lines = [
    ...reconstructionCaveats(config),
    ...penaltyCaveats(config),
    ...learned,
    ...likelihoodCaveats(config, reconstruction === "likelihood" ? beta : 0, penalty),
  ];
  return objective === "elbo" && reconstruction === "likelihood" ? boundCaveats(config, lines, penalty) : lines;
}

/** How z is drawn, and the KL formed. */
function drawOf({ objective, samples, divergence, freeBits, gradient }: ComposedConfig): ReparameterizeOptions {
  if (objective !== "elbo") return { samples, divergence: gradient === "standard" ? "sampled" : "doubly" };
  return { samples, divergence: divergence === "auto" ? "analytic" : divergence, freeBits };
}

/** Refuses settings that would change nothing, or have no meaning together. */
function requireMeaning(config: ComposedConfig, part: Omit<PriorPart, "summary"> | undefined): void {
  const { encoder, objective, samples, covariance, divergence, freeBits, gradient, towers, prior, hidden } = config;
  const changed = (...names: readonly (keyof ComposedConfig)[]) =>
    names.find((name) => String(config[name]) !== String(standard[name]));
  const of = (name: keyof ComposedConfig | undefined) => name && `${name} ${config[name]}`;
  const refuse = (one: string | undefined | false, other: string, why: string) => {
    if (one) throw new RangeError(`Cannot combine ${one} with ${other}: ${why}`);
  };
  if (encoder === "dense") {
    refuse(of(changed("channels", "kernel")), "encoder dense", "only convolutions have them");
    const layered = of(changed("normalization", "dropout", "residual"));
    refuse(hidden.length === 0 && layered, "no hidden layers", "it is of hidden layers");
  } else refuse(towers > 1 && of("towers"), "encoder conv", "its posterior has one trunk");
  refuse(!isMixture(config) && of(changed("logistics")), of("likelihood")!, "it is no mixture");
  refuse(!isLowRank(config) && of(changed("rank")), of("likelihood")!, "its covariance has no factors");
  const objected = `objective ${objective}`;
  if (objective !== "elbo") {
    const weighed = of(changed("beta", "betaSchedule", "freeBits", "capacity"));
    refuse(weighed, objected, "the importance-weighted bound has no KL term");
    refuse(divergence === "analytic" && of("divergence"), objected, "its weights are of the draws");
  }
  if (objective !== "iwae") {
    refuse(gradient !== "standard" && of("gradient"), objected, "it is one of the importance-weighted bound");
  }
  const several = objective === "miwae" || objective === "piwae";
  if (!several) refuse(of(changed("bounds")), objected, "it has one bound");
  else refuse(samples % config.bounds !== 0 && of("samples"), `bounds ${config.bounds}`, "each has as many draws");
  if (objective !== "ciwae") refuse(of(changed("combination")), objected, "it is no combination");
  const { hierarchy, lowerLatents, betaSchedule, capacity } = config;
  const levels = lowerLatents.length + 1;
  if (levels === 1) refuse(of(changed("levelSteps")), "one level of latents", "there is none above it");
  else {
    const through = `hierarchy ${hierarchy}`;
    refuse(hierarchy === "none" && of("lowerLatents"), through, "there is one level");
    const uneven = "the layers are divided evenly among the levels";
    const { channels } = config;
    if (encoder === "dense") refuse(hidden.length % levels > 0 && of("hidden"), `${levels} levels`, uneven);
    else {
      const fits = channels.length % levels === 0 || levels % channels.length === 0;
      refuse(!fits && of("channels"), `${levels} levels`, "they are divided evenly");
    }
    refuse(towers > 1 && of("towers"), through, "levels share an encoder");
    refuse(covariance === "full" && of("covariance"), through, "its Gaussians are diagonal");
    refuse(gradient !== "standard" && of("gradient"), through, "the doubly reparameterized gradient is of one level");
    if (hierarchy === "plain") {
      const drawn = "a level below the top has no KL in closed form";
      refuse(divergence === "analytic" && of("divergence"), through, drawn);
      refuse(freeBits > 0 && of("freeBits"), through, drawn);
      refuse(prior === "vamp" && of("prior"), through, "its top follows from draws, not from a pseudo-input");
    }
    const ofPosterior = /^(dip|total)/.test(config.penalty);
    refuse(ofPosterior && of("penalty"), through, "it takes a Gaussian posterior");
    const ladder = "what is above a level is part of both its encoder and its decoder";
    refuse(of(changed("alternate")), through, ladder);
    refuse(objective === "piwae" && of("objective"), through, ladder);
    refuse(config.reconstruction === "features" && of("reconstruction"), through, ladder);
    const since = betaSchedule === "warm-up" && capacity === 0 && objective === "elbo";
    refuse(!since && of(changed("levelSteps")), `betaSchedule ${betaSchedule}`, "levels have no warm-up of their own");
  }
  const { flow } = config;
  if (flow === "none") refuse(of(changed("flowLayers", "flowHidden", "flowContext")), "flow none", "there is none");
  else {
    const through = `flow ${flow}`;
    if (flow === "planar") {
      refuse(of(changed("flowHidden", "flowContext")), through, "its layers are given by the encoder");
    }
    refuse(divergence === "analytic" && of("divergence"), through, "its KL has no closed form");
    refuse(freeBits > 0 && of("freeBits"), through, "its KL is not one of each latent dimension");
    refuse(gradient !== "standard" && of("gradient"), through, "the doubly reparameterized gradient is of a Gaussian");
  }
  const learned = `prior ${prior}`;
  const uses = prior === "standard" ? [] : part?.uses ?? ["components"];
  const idle = (["components", "priorLayers", "priorHidden"] as const).filter((name) => !uses.includes(name));
  refuse(of(changed(...idle)), learned, "it has none");
  if (prior !== "standard") {
    const closed = part?.closedForm?.(config);
    refuse(divergence === "analytic" && !closed && of("divergence"), learned, "its KL has no closed form");
    refuse(freeBits > 0 && of("freeBits"), learned, "its KL is not one of each latent dimension");
    refuse(gradient !== "standard" && of("gradient"), learned, "the doubly reparameterized gradient is of N(0, I)");
  }
  const refuseAll = (other: string, refused: PriorPart["refused"] = []) => {
    for (const [name, value, why] of refused) {
      const found = String(config[name as keyof ComposedConfig]);
      const fits = typeof value === "string" ? found === value : value.test(found);
      refuse(fits && `${name} ${found}`, other, why);
    }
  };
  refuseAll(learned, part?.refused);
  const penalized = refusedBy(config);
  const discriminates = config.reconstruction === "features";
  const unpenalized = penalized.idle.filter((name) => !(discriminates && name.startsWith("discriminator")));
  refuse(of(changed(...unpenalized)), of("penalty")!, "it has none");
  refuseAll(of("penalty")!, penalized.refused);
  const apart = "its encoder and decoder minimise something else each";
  refuse(objective === "piwae" && of(changed("alternate")), objected, apart);
  if (discriminates) refuse(of(changed("alternate")), of("reconstruction")!, apart);
  if (config.reconstruction === "likelihood") {
    refuse(of(changed("reconstructionWeight")), of("reconstruction")!, "it has the weight 1");
  } else refuseAll(of("reconstruction")!, refusedByReconstruction);
  const perDimension = "free bits are of each latent dimension's KL in closed form";
  refuse(freeBits > 0 && covariance === "full" && of("freeBits"), "covariance full", perDimension);
  refuse(freeBits > 0 && divergence === "sampled" && of("freeBits"), "divergence sampled", perDimension);
  const standardOnly = "the doubly reparameterized gradient is of a diagonal covariance";
  refuse(gradient !== "standard" && covariance === "full" && of("gradient"), "covariance full", standardOnly);
}
