/**
 * A VAE whose reconstructions are compared by the features of an encoder that was trained before. It is no model.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { square, subtract } from "../core/ops/arithmetic.ts";
import { columns } from "../core/ops/columns.ts";
import { valuesOf } from "../core/ops/sum.ts";
import type { FoundTensors, Parameters, Shapes } from "../core/graph/parameters.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import type { ComposedConfig } from "./composed_settings.ts";

/** A model that was trained before, by whose encoder others see. */
export interface FeatureEncoder<C extends object = object> {
  /** What it is. */
  readonly model: Model<C>;
  /** All of its settings. */
  readonly config: C;
  /**
   * Its weights, asked for once, as a training begins.
   *
   * @param seed Of that training.
   */
  tensors(seed: number): Promise<FoundTensors>;
}

/** Where the names of its parameters begin in the model that sees by it. */
const PREFIX = "features.";

/** Settings that have no meaning with it, each with the value that it has to have. */
const REQUIRED: Partial<ComposedConfig> = {
  likelihood: "gaussian",
  objective: "elbo",
  samples: 1,
  betaSchedule: "constant",
  freeBits: 0,
  capacity: 0,
  penalty: "none",
};

/**
 * loss = ½ ‖f(x) - f(x̃)‖² + β KL(q(z | x) ‖ p(z)), x̃ = E[x | z], f the mean of the encoder's posterior
 *
 * The weights of f are held with the model, and saved with it, but never change. `nll` and `elbo` are those of the pixels' likelihood, which
 * are measured and not minimised.
 *
 * Source: Higgins et al., "DARLA", arXiv:1707.08475, equation 4.
 *
 * @param base The VAE, which is composed of whatever it is but for what is refused.
 */
export function comparedByFeatures<C extends object>(
  base: Model<ComposedConfig>,
  { name, summary, source }: Pick<Model, "name" | "summary" | "source">,
  { model, config: encoding, tensors }: FeatureEncoder<C>,
): Model<ComposedConfig> {
  const { encode, latents } = model;
  if (!encode || !latents) throw new TypeError(`Cannot see by "${model.name}": expected a model that encodes`);
  const features = (t: Tape, p: Parameters, x: Variable) => {
    const { statistics, latents } = encode(t, p.under(PREFIX), x, encoding);
    return statistics.columns === latents ? statistics : columns(t, statistics, 0, latents);
  };
  return {
    ...base,
    name,
    summary,
    source,
    check(config) {
      base.check?.(config);
      for (const [key, expected] of Object.entries(REQUIRED)) {
        const found = config[key as keyof ComposedConfig];
        if (found !== expected) {
          throw new RangeError(`Cannot compare by features with ${key} ${found}: expected ${key} ${expected}`);
        }
      }
    },
    parameters(config, data) {
      const held = Object.entries(model.parameters(encoding, data)).map(([name, shape]) =>
        [`${PREFIX}${name}`, { ...shape, trained: false }] as const
      );
      return { ...base.parameters(config, data), ...Object.fromEntries(held) as Shapes };
    },
    objectives(t, p, { x, condition }, config) {
      const { z, kl } = base.encode!(t, p, x, config, condition).draw();
      const likelihood = base.decode!(t, p, z, config, condition);
      const apart = subtract(t, features(t, p, x), features(t, p, likelihood.mean()));
      return [{
        terms: [
          { name: "nll", value: likelihood.nll(x), weight: constant(0) },
          { name: "features", value: valuesOf(t, "features", square(t, apart)), weight: constant(0.5) },
          { name: "kl", value: kl, weight: constant(config.beta) },
        ],
      }];
    },
    async start(context, config) {
      await base.start?.(context, config);
      context.parameters.under(PREFIX).write(await tensors(context.seed), `the encoder "${model.name}"`);
    },
    caveats: (config) => [
      "the loss has the features of an encoder in place of nll: elbo is a bound that is measured, and not minimised",
      ...base.caveats?.(config) ?? [],
    ],
  };
}
