/**
 * A layer of somebody else, and a model that has it among the layers of the house.
 *
 * @module
 */

import { add, bernoulli, broadcast, constant, gaussianPosterior, type Model, nn } from "../../mod.ts";

/** y = x + s, s a learned vector: ParameterShape, ops and Layer are all that it takes. */
export const shift = (name: string, width: number): nn.Layer => ({
  shapes: { [name]: { inputs: 0, outputs: width } },
  apply: (t, p, x) => add(t, x, broadcast(t, p.get(name), width, x.rows)),
});

export interface Config {
  readonly width: number;
}

const LATENTS = 2;

/** The encoder and decoder of D values. */
function layers({ width }: Config, features: number) {
  const options = { activation: "relu", normalization: "batch", dropout: 0.1 } as const;
  return {
    encoder: nn.chain(
      shift("encoder.shift", features),
      nn.mlp("encoder", [features, width, width], options),
      nn.linear("posterior", width, 2 * LATENTS),
    ),
    decoder: nn.chain(
      nn.mlp("decoder", [LATENTS, width], options),
      nn.residual(nn.chain(nn.activation("tanh"), nn.linear("decoder.residual", width, width))),
      nn.linear("logits", width, features),
    ),
  };
}

export const shiftedVae: Model<Config> = {
  name: "shifted_vae",
  summary: "a VAE with a layer of its own",
  source: "an example",
  settings: { width: { type: "integer", default: 6, minimum: 1, help: "width of the hidden layers" } },
  parameters(config, { shape: [height, width, channels] }) {
    const { encoder, decoder } = layers(config, height * width * channels);
    return nn.chain(encoder, decoder).shapes;
  },
  encode: (t, p, x, config) => gaussianPosterior(t, layers(config, x.columns).encoder.apply(t, p, x)),
  decode(t, p, z, config) {
    return bernoulli(t, layers(config, p.get("logits").shape.outputs).decoder.apply(t, p, z));
  },
  objectives(t, p, { x }, config) {
    const { z, kl } = shiftedVae.encode!(t, p, x, config).draw();
    const nll = shiftedVae.decode!(t, p, z, config).nll(x);
    return [{
      terms: [{ name: "nll", value: nll, weight: constant(1) }, { name: "kl", value: kl, weight: constant(1) }],
    }];
  },
  latents: () => LATENTS,
};
