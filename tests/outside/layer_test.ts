/** A layer from a module that imports the public names alone: declared once, in a model with layers of the house. */

import { assert, assertEquals } from "@std/assert";
import {
  add,
  bernoulli,
  broadcast,
  constant,
  type Dataset,
  decodeCheckpoint,
  gaussianPosterior,
  type Model,
  nn,
  train,
  Trained,
} from "../../mod.ts";

/** y = x + s, s a learned vector: ParameterShape, ops and Layer are all that it takes. */
const shift = (name: string, width: number): nn.Layer => ({
  shapes: { [name]: { inputs: 0, outputs: width } },
  apply: (t, p, x) => add(t, x, broadcast(t, p.get(name), width, x.rows)),
});

interface Config {
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

const model: Model<Config> = {
  name: "shifted",
  summary: "a VAE with a layer of its own",
  source: "this test",
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
    const { z, kl } = model.encode!(t, p, x, config).draw();
    const nll = model.decode!(t, p, z, config).nll(x);
    return [{
      terms: [{ name: "nll", value: nll, weight: constant(1) }, { name: "kl", value: kl, weight: constant(1) }],
    }];
  },
  latents: () => LATENTS,
};

const values = Uint8Array.from({ length: 120 * 16 }, (_, i) => (i >> 4) % 2 === (i % 16 < 8 ? 0 : 1) ? 255 : 0);
const rows = { values, count: 120 };
const dataset: Dataset = { name: "halves", shape: [4, 4, 1], train: rows, test: rows };

Deno.test("a layer from outside trains in a model from outside, which is saved and loaded", async () => {
  const training = train(model, dataset, { epochs: 20, batchSize: 21, validation: 0, learningRate: 0.02 });
  const losses: number[] = [];
  for await (const event of training) if (event.event === "epoch") losses.push(event.train.loss);
  // Two images: a fair coin for each pixel costs 16 log 2 nats, and knowing which image it is log 2.
  assert(losses.at(-1)! < 0.5 * losses[0], losses.join(" "));
  using trained = training.trained;
  const bytes = await trained.toBytes();
  const { bias } = await trained.parameters.get("encoder.shift").get();
  assert(bias.some((value) => value !== 0), "the layer did not learn");
  using loaded = await Trained.fromCheckpoint(model, decodeCheckpoint(bytes, "checkpoint"));
  const x = Float32Array.from(values.subarray(0, 32), (value) => value / 255);
  assertEquals(await loaded.reconstruct(x), await trained.reconstruct(x));
  const means = await loaded.reconstruct(x);
  means.forEach((mean, i) => assert(Math.abs(mean - x[i]) < 0.25, `pixel ${i}: ${mean} of ${x[i]}`));
});
