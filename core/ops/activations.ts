/**
 * The activations: a shader with f and f' each, and what f' is computed from.
 *
 * @module
 */

import type { Formula, Formulas } from "../graph/formula.ts";
import elu from "../../shaders/activations/elu.wgsl" with { type: "text" };
import gelu from "../../shaders/activations/gelu.wgsl" with { type: "text" };
import identity from "../../shaders/activations/identity.wgsl" with { type: "text" };
import leakyRelu from "../../shaders/activations/leaky_relu.wgsl" with { type: "text" };
import relu from "../../shaders/activations/relu.wgsl" with { type: "text" };
import sigmoid from "../../shaders/activations/sigmoid.wgsl" with { type: "text" };
import silu from "../../shaders/activations/silu.wgsl" with { type: "text" };
import softplus from "../../shaders/activations/softplus.wgsl" with { type: "text" };
import tanh from "../../shaders/activations/tanh.wgsl" with { type: "text" };

/** One activation y = f(a). */
export interface ActivationShader {
  readonly shader: string;
  /** Whether f' needs a, because y does not give it back. */
  readonly needsInput: boolean;
}

/** The name of an activation. */
export type Activation =
  | "identity"
  | "tanh"
  | "relu"
  | "leaky_relu"
  | "elu"
  | "sigmoid"
  | "softplus"
  | "silu"
  | "gelu";

/** Every activation by name. */
export const activations = {
  identity: { shader: identity, needsInput: false },
  tanh: { shader: tanh, needsInput: false },
  relu: { shader: relu, needsInput: false },
  leaky_relu: { shader: leakyRelu, needsInput: false },
  elu: { shader: elu, needsInput: false },
  sigmoid: { shader: sigmoid, needsInput: false },
  softplus: { shader: softplus, needsInput: false },
  silu: { shader: silu, needsInput: true },
  gelu: { shader: gelu, needsInput: true },
} as const satisfies Record<Activation, ActivationShader>;

/** f(x) for exports. */
export function activated(f: Formulas, x: Formula, activation: Activation): Formula {
  return activation === "identity" ? x : f.elementwise(`${activation}(x)`, { x });
}

/** The names, for settings. */
export const ACTIVATIONS = Object.keys(activations) as readonly Activation[];
