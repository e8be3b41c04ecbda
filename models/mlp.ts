/**
 * The encoder and decoder that the dense models share: two stacks of layers, the decoder the mirror image of the encoder. It is no model.
 *
 * @module
 */

import type { Likelihood, Posterior } from "../core/distributions/distribution.ts";
import { gaussianPosterior } from "../core/distributions/gaussian.ts";
import { features } from "../core/dataset.ts";
import type { DataShape } from "../core/model.ts";
import { chain, type HiddenOptions, type Layer, linear, mlp } from "../core/nn/mod.ts";
import { concat } from "../core/ops/concat.ts";
import { statisticsColumns } from "../core/ops/reparameterize.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import { contextColumns } from "./posterior_flow.ts";
import { likelihoodOf, likelihoodShapes } from "./likelihood.ts";
import type { MlpConfig, PosteriorFlowConfig } from "./composed_settings.ts";

/** The settings of the dense layers, and what else hidden layers have. */
export type LayersConfig = MlpConfig & HiddenOptions & Partial<PosteriorFlowConfig>;

/** The encoder's towers, D + C - hidden - 2 K, and the decoder's hidden layers, K + C - hidden reversed. */
function layersOf(config: LayersConfig, width: number, condition: number): { towers: Layer[]; decoder: Layer } {
  const { hidden, latents, covariance, towers } = config;
  const columns = statisticsColumns(latents, covariance) + contextColumns(config);
  const tower = (name: string, outputs: number) =>
    chain(
      mlp(name, [width + condition, ...hidden], config),
      linear(`${name}.posterior`, hidden.at(-1) ?? width + condition, outputs),
    );
  return {
    towers: towers === 1
      ? [tower("encoder", columns)]
      : [tower("encoder.mean", latents), tower("encoder.logVariance", columns - latents)],
    decoder: mlp("decoder", [latents + condition, ...hidden.toReversed()], config),
  };
}

/** The same of a model's parameters. */
function declared(p: Parameters, config: LayersConfig, condition?: Variable) {
  return layersOf(config, p.get("likelihood").shape.outputs, condition?.columns ?? 0);
}

/**
 * D + C - hidden - 2 K and K + C - hidden reversed - D
 *
 * @param condition C, columns joined to x and to z.
 */
export function mlpShapes(config: LayersConfig, data: DataShape, condition = 0): Shapes {
  const width = features(data.shape);
  const { towers, decoder } = layersOf(config, width, condition);
  return {
    ...chain(...towers, decoder).shapes,
    ...likelihoodShapes(config, config.hidden[0] ?? config.latents + condition, width, data.shape[2]),
  };
}

/** q(z | x) = N(μ(x), Σ(x)); with a condition, of x joined with it. */
export function mlpEncode(t: Tape, p: Parameters, x: Variable, config: LayersConfig, condition?: Variable): Posterior {
  const input = condition ? concat(t, [x, condition]) : x;
  const heads = declared(p, config, condition).towers.map((tower) => tower.apply(t, p, input));
  return gaussianPosterior(
    t,
    heads.length === 1 ? heads[0] : concat(t, heads),
    config.covariance,
    contextColumns(config),
  );
}

/** p(x | z); with a condition, of z joined with it. */
export function mlpDecode(t: Tape, p: Parameters, z: Variable, config: LayersConfig, condition?: Variable): Likelihood {
  const h = declared(p, config, condition).decoder.apply(t, p, condition ? concat(t, [z, condition]) : z);
  const { outputs } = p.get("likelihood").shape;
  return likelihoodOf(t, p, config, [z.rows, outputs], (name, activation) => {
    return linear(name, h.columns, p.get(name).shape.outputs, activation).apply(t, p, h);
  });
}
