/**
 * A model of somebody else, who has nothing but the public names: an optimizer rule, an objective of two groups that are updated in turn,
 * and the model that has both.
 *
 * @module
 */

import {
  type ComposedConfig,
  constant,
  learningRate,
  type Model,
  type Objective,
  type Optimizer,
  type Rule,
  vae,
} from "../../mod.ts";

/** m = β m + (1 - β) g; step = sign(m). Source: Bernstein et al., "signSGD", arXiv:1802.04434, with momentum. */
export function signMomentum(beta: number): Rule {
  return {
    kind: "rule",
    name: "signMomentum",
    shader: `
      fn $rule(gradient: vec4f, weight: vec4f, index: u32) -> vec4f {
        let m = BETA * sign_momentum[index] + (1.0 - BETA) * gradient;
        sign_momentum[index] = m;
        return sign(m);
      }`,
    slots: ["sign_momentum"],
    floats: { BETA: beta },
  };
}

const optimizer: Optimizer = [signMomentum(0.9), learningRate(constant(1e-3))];

/**
 * A VAE whose encoder is updated in each step and whose decoder in every second, so that the encoder does not lag behind. Source: He et
 * al., "Lagging Inference Networks and Posterior Collapse", arXiv:1901.05534.
 */
export const laggingVae: Model<ComposedConfig> = {
  ...vae,
  name: "lagging_vae",
  summary: "A VAE whose decoder is updated in every second step",
  source: "He et al., arXiv:1901.05534",
  objectives(t, p, { x, condition }, config): readonly Objective[] {
    const { z, kl } = vae.encode!(t, p, x, config, condition).draw();
    const nll = vae.decode!(t, p, z, config, condition).nll(x);
    const terms = [
      { name: "nll", value: nll, weight: constant(1) },
      { name: "kl", value: kl, weight: constant(1) },
    ];
    return [
      { parameters: "encoder", terms, optimizer },
      { parameters: "decoder", terms: [{ name: "reconstruction", value: nll, weight: constant(1) }], every: 2 },
    ];
  },
};
