/**
 * A network that learns to tell two samples apart, beside what it is told about: the adversary of an objective, with a group of parameters
 * and an optimizer of its own. It is no model.
 *
 * @module
 */

import { elementwise } from "../core/ops/elementwise.ts";
import { valuesOf } from "../core/ops/sum.ts";
import { adam, learningRate } from "../core/optimizers/mod.ts";
import { chain, type Layer, linear, mlp } from "../core/nn/mod.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Objective, Tape, Variable } from "../core/graph/tape.ts";
import type { DiscriminatorConfig } from "./composed_settings.ts";

/** Where the names of all discriminators' parameters begin. */
const PREFIX = "discriminator.";

/** log (1 + e^x) and its derivative, for every x. */
const softplus = (x: string) => `(max(${x}, vec4f()) + log(1.0 + exp(-abs(${x}))))`;
const sigmoid = (x: string) => `(1.0 / (1.0 + exp(-clamp(${x}, vec4f(-80.0), vec4f(80.0)))))`;

/**
 * ½ (log (1 + e^-a) + log (1 + e^b)): the cross-entropy of logits a of one class and b of the other; with more than one a, the mean of theirs
 */
function crossEntropy(t: Tape, first: readonly Variable[], second: Variable): Variable {
  const names = first.map((_, i) => `a${i}`);
  const weight = 0.5 / first.length;
  return elementwise({
    name: "cross-entropy",
    inputs: [...names, "b"],
    value: `${weight} * (${names.map((a) => softplus(`-${a}`)).join(" + ")}) + 0.5 * ${softplus("b")}`,
    derivatives: {
      ...Object.fromEntries(names.map((a) => [a, `-${weight} * ${sigmoid(`-${a}`)}`])),
      b: `0.5 * ${sigmoid("b")}`,
    },
  })(t, ...first, second);
}

/** log (1 + e^l) = -log (1 - D), D = 1 / (1 + e^-l): what is small where a discriminator takes a draw for one of the other sample. */
export const unrecognized = elementwise({
  name: "log (1 + e^l)",
  inputs: ["l"],
  value: softplus("l"),
  derivatives: { l: sigmoid("l") },
});

/** What a discriminator makes of a sample. */
export interface Discriminated {
  /** Its last hidden layer [N, H]. */
  readonly features: Variable;
  /** The logit l [N, 1] of its guess that a row is of the first sample. At its best it is log q(x) / p(x), of the densities of the two. */
  readonly logit: Variable;
}

/** A discriminator of D columns. */
export interface Discriminator {
  /** Its parameters, whose names begin with "discriminator.". */
  readonly shapes: Shapes;
  /** Records it. x [N, D] */
  apply(t: Tape, p: Parameters, x: Variable): Discriminated;
  /**
   * What it minimises of the logits of both samples, of which the first may come in parts, all as many: the cross-entropy, log 2 where it
   * tells nothing apart. Its gradient reaches its own parameters alone.
   */
  objective(t: Tape, first: readonly Variable[], second: Variable): Objective;
}

/**
 * The discriminator `discriminator.name` of D columns: dense layers with leaky ReLU, of slope 1/100 below 0.
 *
 * @param before What comes before them, of parameters whose names begin with the given one, and gives D columns.
 */
export function discriminator(
  name: string,
  columns: number,
  config: DiscriminatorConfig,
  before?: (name: string) => Layer,
): Discriminator {
  const { discriminatorHidden: hidden, discriminatorRate } = config;
  const full = `${PREFIX}${name}`;
  const layers = mlp(full, [columns, ...hidden], { activation: "leaky_relu" });
  const trunk = before ? chain(before(`${full}.images`), layers) : layers;
  const last = linear(`${full}.logit`, hidden.at(-1) ?? columns, 1);
  return {
    shapes: { ...trunk.shapes, ...last.shapes },
    apply(t, p, x) {
      const features = trunk.apply(t, p, x);
      return { features, logit: last.apply(t, p, features) };
    },
    objective: (t, first, second) => ({
      parameters: full,
      terms: [{
        name: "discriminator",
        value: valuesOf(t, "discriminator", crossEntropy(t, first, second)),
        weight: constant(1),
        beside: true,
      }],
      optimizer: [adam({ betas: [0.5, 0.9] }), learningRate(constant(discriminatorRate))],
    }),
  };
}

/** The names of all parameters but the discriminators': the group of what is trained against them. */
export function besideDiscriminators(p: Parameters): string[] {
  return [...p].map(({ name }) => name).filter((name) => !name.startsWith(PREFIX));
}
