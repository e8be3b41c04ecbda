/**
 * A small VAE made of the references beside this file: loss and gradients of one batch, in float64. One hidden layer a
 * side with tanh, a shared head for mean and log-variance, Bernoulli on logits.
 *
 * @module
 */

import { bernoulliNllBackward, bernoulliNllForward } from "./bernoulli_nll.ts";
import { denseBackward, denseForward } from "./dense.ts";
import { reparameterizeBackward, reparameterizeForward } from "./reparameterize.ts";

/** N, D, H and K. */
export interface VaeSizes {
  readonly batch: number;
  readonly features: number;
  readonly hidden: number;
  readonly latents: number;
}

/** encoder.0 [D, H], head [H, 2K], decoder.0 [K, H], decoder.1 [H, D]: for each a `.weight` and a `.bias`. */
export type VaeParameters = Readonly<Record<string, Float64Array>>;

/**
 * loss = mean over the batch of nll + kl.
 *
 * @param x [N, D], of 0 and 1.
 * @param noise [N, K], standard normal.
 * @returns The three means in nats, and dL/dparameter by name.
 */
export function vaeLossAndGradients(
  parameters: VaeParameters,
  x: Float64Array,
  noise: Float64Array,
  { batch, features, hidden, latents }: VaeSizes,
): { loss: number; nll: number; kl: number; gradients: Record<string, Float64Array> } {
  const layers = {
    "encoder.0": { batch, inputs: features, outputs: hidden },
    "head": { batch, inputs: hidden, outputs: 2 * latents },
    "decoder.0": { batch, inputs: latents, outputs: hidden },
    "decoder.1": { batch, inputs: hidden, outputs: features },
  } as const;
  const activation = { "encoder.0": "tanh", "head": "identity", "decoder.0": "tanh", "decoder.1": "identity" } as const;
  const gradients: Record<string, Float64Array> = {};

  const forward = (layer: keyof typeof layers, input: Float64Array) => {
    const weight = parameters[`${layer}.weight`];
    const { preactivation, output } = denseForward(
      input,
      weight,
      parameters[`${layer}.bias`],
      layers[layer],
      activation[layer],
    );
    const backward = (outputGradient: Float64Array) => {
      const gradient = denseBackward(input, weight, preactivation, outputGradient, layers[layer], activation[layer]);
      gradients[`${layer}.weight`] = gradient.weight;
      gradients[`${layer}.bias`] = gradient.bias;
      return gradient.x;
    };
    return { output, backward };
  };

  const encoder = forward("encoder.0", x);
  const head = forward("head", encoder.output);
  const { z, kl } = reparameterizeForward(head.output, noise, { batch, latents });
  const decoder = forward("decoder.0", z);
  const logits = forward("decoder.1", decoder.output);
  const nll = bernoulliNllForward(logits.output, x, { batch, features });

  const perRow = new Float64Array(batch).fill(1 / batch);
  const logitsGradient = bernoulliNllBackward(logits.output, x, perRow, { batch, features });
  const zGradient = decoder.backward(logits.backward(logitsGradient));
  encoder.backward(head.backward(reparameterizeBackward(head.output, noise, zGradient, perRow, { batch, latents })));

  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / batch;
  return { loss: mean(nll) + mean(kl), nll: mean(nll), kl: mean(kl), gradients };
}
