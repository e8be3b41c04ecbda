/**
 * The normalizing flow as a model of its own.
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { Likelihood } from "../core/distributions/distribution.ts";
import { autoregressiveFlow, couplingFlow, type Flow } from "../core/distributions/flows.ts";
import { point } from "../core/distributions/point.ts";
import type { Model } from "../core/model.ts";
import { type Activation, ACTIVATIONS } from "../core/ops/activations.ts";
import { elementwise } from "../core/ops/elementwise.ts";
import { valuesOf } from "../core/ops/sum.ts";
import { sumValues } from "../core/ops/sum_values.ts";
import type { Parameters } from "../core/graph/parameters.ts";
import { constant } from "../core/graph/schedule.ts";
import type { RowScalars, Tape, Variable } from "../core/graph/tape.ts";

/** What the flow is built of. */
export interface FlowConfig {
  /** Masked autoregressive layers (MAF), or affine coupling layers (Real NVP). */
  readonly transform: "autoregressive" | "coupling";
  /** How many of them. */
  readonly layers: number;
  /** Widths of the hidden layers of each. */
  readonly hidden: readonly number[];
  /** Of the hidden layers. */
  readonly activation: Activation;
}

/** Features that an autoregressive flow may have: a draw takes as many passes of each layer. */
const MOST_AUTOREGRESSIVE = 256;

const TRANSFORMS = { autoregressive: autoregressiveFlow, coupling: couplingFlow };

function flowOf({ transform, ...options }: FlowConfig, latents: number): Flow {
  return TRANSFORMS[transform]("flow", { latents, ...options });
}

const normalNll = elementwise({
  name: "-log N(x; 0, 1)",
  inputs: ["x"],
  value: `0.5 * x * x + ${0.5 * Math.log(2 * Math.PI)}`,
  derivatives: { x: "x" },
});

/** -log p(x) of each row. */
function nllOf(t: Tape, p: Parameters, x: Variable, config: FlowConfig): RowScalars {
  const ratio = flowOf(config, x.columns).apply(t, p, x).ratio();
  return sumValues(t, "nll", valuesOf(t, "-log N(x; 0, I)", normalNll(t, x)), ratio);
}

/** All of p(x | z) at x = f⁻¹(z). */
function decode(t: Tape, p: Parameters, z: Variable, config: FlowConfig): Likelihood {
  let x: Variable | undefined;
  const inverse = () => x ??= flowOf(config, z.columns).inverse(t, p, z);
  return {
    name: "point",
    nll() {
      throw new TypeError("Cannot measure x given z: x = f⁻¹(z) has no density of its own; use the objectives");
    },
    mean: inverse,
    sample: inverse,
  };
}

/**
 * loss = -log p(x) = -log N(f(x); 0, I) - log |det ∂f/∂x|
 *
 * The latents are z = f(x), as many as there are features: encode gives them, decode x = f⁻¹(z). The elbo is log p(x) itself. For tables,
 * standardized, and for encodings.
 *
 * Source: Papamakarios et al., "Masked Autoregressive Flow for Density Estimation", arXiv:1705.07057; Dinh et al., "Density estimation
 * using Real NVP", arXiv:1605.08803.
 */
export const flow: Model<FlowConfig> = {
  name: "flow",
  summary: "normalizing flow by maximum likelihood: MAF or Real NVP",
  source: "Papamakarios et al., arXiv:1705.07057; Dinh et al., arXiv:1605.08803",
  settings: {
    transform: {
      type: "choice",
      default: "autoregressive",
      choices: Object.keys(TRANSFORMS),
      help:
        `masked autoregressive layers (MAF; ${MOST_AUTOREGRESSIVE} features at most), or affine coupling (Real NVP)`,
    },
    layers: { type: "integer", default: 4, minimum: 1, maximum: 64, help: "layers of the flow" },
    hidden: {
      type: "integers",
      default: [128],
      minimum: 1,
      maximum: 16384,
      help: "widths of the hidden layers of each layer of the flow",
    },
    activation: { type: "choice", default: "tanh", choices: ACTIVATIONS, help: "activation of the hidden layers" },
  },
  support: () => "density",
  density: "exact",
  parameters(config, data) {
    const width = features(data.shape);
    if (config.transform === "autoregressive" && width > MOST_AUTOREGRESSIVE) {
      throw new RangeError(
        `Cannot draw from an autoregressive flow of ${width} features: expected at most ${MOST_AUTOREGRESSIVE}, since a draw ` +
          "takes a pass of each layer for each; use --transform coupling",
      );
    }
    return flowOf(config, width).shapes;
  },
  objectives: (t, p, { x }, config) => [{
    terms: [{ name: "nll", value: nllOf(t, p, x, config), weight: constant(1) }],
  }],
  encode: (t, p, x, config) => point(t, flowOf(config, x.columns).apply(t, p, x).y()),
  decode,
  latents: (_, { shape }) => features(shape),
  caveats: () => ["flow: elbo is log p(x), a density of the values as they are given; standardize those of a table"],
};
