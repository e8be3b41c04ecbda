/**
 * The flows that a posterior can pass through: what they are told, and what they need of the encoder. It is no model.
 *
 * @module
 */

import {
  type Flow,
  flowPosterior,
  inverseAutoregressiveFlow,
  planarContext,
  planarFlow,
} from "../core/distributions/flows.ts";
import type { Posterior } from "../core/distributions/distribution.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import type { Tape } from "../core/graph/tape.ts";
import type { Activation } from "../core/ops/activations.ts";
import type { PosteriorFlowConfig } from "./composed_settings.ts";

/** What a flow is of. */
type Config = PosteriorFlowConfig & { readonly latents: number; readonly activation: Activation };

/** Columns that the encoder gives besides the Gaussian's. */
export function contextColumns(
  { flow = "none", flowLayers, flowContext, latents }: Partial<PosteriorFlowConfig> & { readonly latents: number },
): number {
  if (flow === "none") return 0;
  return flow === "iaf" ? flowContext! : planarContext(latents, flowLayers!);
}

function flowOf(config: Config): Flow {
  const { flow, flowLayers: layers, flowHidden: hidden, latents, activation } = config;
  if (flow === "planar") return planarFlow({ latents, layers });
  return inverseAutoregressiveFlow("flow", { latents, layers, hidden, activation, context: contextColumns(config) });
}

/** The parameters of a flow. */
export function flowShapes(config: Config): Shapes {
  return config.flow === "none" ? {} : flowOf(config).shapes;
}

/** The posterior through its flow, if it has one. */
export function throughFlow(t: Tape, p: Parameters, posterior: Posterior, config: Config): Posterior {
  if (config.flow === "none") return posterior;
  return flowPosterior(t, p, posterior, flowOf(config), posterior.context);
}
