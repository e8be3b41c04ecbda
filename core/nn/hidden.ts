/**
 * What hidden layers have beside their weights: normalization, activation, dropout.
 *
 * @module
 */

import type { Activation } from "../ops/activations.ts";
import { dropout as drop } from "./dropout.ts";
import { chain, type ShapedLayer } from "./layer.ts";
import { norm, type Normalization } from "./norm.ts";

/** How hidden layers are built. */
export interface HiddenOptions {
  /** What follows each layer. */
  readonly activation: Activation;
  /** Between weights and activation. Default "none". */
  readonly normalization?: Normalization;
  /** The part of the units that is left out, in training. Default 0. */
  readonly dropout?: number;
  /** Residual blocks that follow. Default 0. */
  readonly residual?: number;
}

/** A layer with weights, which ends with an activation. */
export type Weights = (name: string, activation: Activation) => ShapedLayer;

/**
 * y = dropout(f(norm(weights(x)))), the normalization's name being `name.norm`
 *
 * The weights' bias stays, though β makes it one too many: after a batch normalization its gradient is 0 but for rounding. Source: Ioffe
 * and Szegedy, arXiv:1502.03167, section 3.2, for the place of the normalization; Srivastava et al., JMLR 15, 2014, for that of dropout.
 */
export function hidden(
  name: string,
  weights: Weights,
  { activation, normalization = "none", dropout = 0 }: HiddenOptions,
): ShapedLayer {
  const layer = weights(name, normalization === "none" ? activation : "identity");
  const { output } = layer;
  return {
    ...chain(
      layer,
      ...normalization === "none" ? [] : [norm(normalization, `${name}.norm`, output, activation)],
      ...dropout > 0 ? [drop(dropout)] : [],
    ),
    output,
  };
}
