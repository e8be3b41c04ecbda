/**
 * What a prior offers, and the divergence of a posterior from it.
 *
 * @module
 */

import { add } from "../ops/add.ts";
import { multiply } from "../ops/arithmetic.ts";
import { columns } from "../ops/columns.ts";
import { elementwise } from "../ops/elementwise.ts";
import { valuesOf } from "../ops/sum.ts";
import { sumValues } from "../ops/sum_values.ts";
import { drawMixture, mixtureRatio } from "../ops/mixture_prior.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import type { Posterior } from "./distribution.ts";

/** p(z), recorded on a tape: the same record trains it and draws from it. */
export interface Prior {
  /** The distribution, for messages. */
  readonly name: string;
  /** log N(z; 0, I) - log p(z) of each row, nats, with gradients for z and for what p(z) is made of. z [N, K] */
  ratio(z: Variable): RowScalars;
  /**
   * KL(q(z | x) ‖ p(z)) of each datum in closed form, nats, where this pair has one: of q [N, 2 K], one value for each of N rows. Without
   * it the divergence is estimated by draws.
   */
  kl?(posterior: Posterior): RowScalars | undefined;
  /** z ~ p(z) [N, K], from noise [N, K + 1]: draws of N(0, 1), and one of a uniform distribution in the last column. */
  draw(noise: Variable): Variable;
}

/**
 * p(z) = Σ_c π_c N(z; μ_c, diag σ_c²)
 *
 * @param components [C, 2 K] or [C, 2 K + 1], as {@linkcode mixtureRatio} has them.
 */
export function mixturePrior(t: Tape, components: Variable): Prior {
  return {
    name: "mixture of Gaussians",
    ratio: (z) => mixtureRatio(t, z, components),
    draw: (noise) => drawMixture(t, components, noise),
  };
}

/** Keeps l as shaders/gaussian.wgsl does, with no gradient beyond. */
const clamped = "clamp(l, vec4f(-30), vec4f(20))";
const within = (derivative: string) => `select(vec4f(0), ${derivative}, l == ${clamped})`;

/** log N(z; 0, 1) - log N(z; m, v), from l = log v */
const gaussianRatio = elementwise({
  name: "log N(z; 0, 1) - log N(z; m, v)",
  inputs: ["z", "m", "l"],
  value: `0.5 * ((z - m) * (z - m) * exp(-${clamped}) + ${clamped} - z * z)`,
  derivatives: {
    z: `(z - m) * exp(-${clamped}) - z`,
    m: `-(z - m) * exp(-${clamped})`,
    l: within("0.5 - 0.5 * (z - m) * (z - m) * exp(-l)"),
  },
});

const deviationOf = elementwise({
  name: "deviation",
  inputs: ["l"],
  value: `exp(0.5 * ${clamped})`,
  derivatives: { l: within("0.5 * y") },
});

/**
 * p(z) = N(z; m, diag v), of each row its own
 *
 * @param statistics Records m and log v [N, K] each, for as many rows as z or the noise has.
 */
export function gaussianPrior(
  t: Tape,
  name: string,
  statistics: (rows: Variable) => readonly [mean: Variable, logVariance: Variable],
): Prior {
  return {
    name,
    ratio: (z) => valuesOf(t, "log N(z; 0, I) - log p(z)", gaussianRatio(t, z, ...statistics(z))),
    draw(noise) {
      const [mean, logVariance] = statistics(noise);
      return add(t, multiply(t, columns(t, noise, 0, mean.columns), deviationOf(t, logVariance)), mean);
    },
  };
}

/**
 * The posterior with KL(q(z | x) ‖ p(z)) in place of the divergence from N(0, I): in closed form where the pair has one and the draw asks
 * for no other, and else estimated by the draw as log q(z | x) - log p(z).
 *
 * @param prior Records the prior, once for all draws and where they need it.
 */
export function againstPrior(t: Tape, posterior: Posterior, prior: () => Prior): Posterior {
  let recorded: Prior | undefined;
  const { name, latents, covariance, density, context, ratio } = posterior;
  return {
    ...{ name, latents, covariance, density, context, ratio },
    // Those of a flow are recorded where they are asked for.
    get statistics() {
      return posterior.statistics;
    },
    draw(options = {}) {
      const { divergence = "analytic" } = options;
      const { z, kl } = posterior.draw({ ...options, divergence: "sampled", freeBits: 0 });
      recorded ??= prior();
      const closed = divergence === "analytic" ? recorded.kl?.(posterior) : undefined;
      if (closed) return { z, kl: closed };
      return { z, kl: sumValues(t, "kl", kl, recorded.ratio(z)) };
    },
  };
}
