/**
 * The mixture of discretized logistics of one pixel as plain loops in float64.
 *
 * @module
 */

import { boundedScale, likelihoods } from "./likelihoods.ts";

/** M, C, and what scales are kept between. */
export interface MixtureShape {
  readonly components: number;
  readonly channels: number;
  readonly autoregressive: boolean;
  readonly start: number;
  readonly lower: number;
  readonly upper: number;
}

/** Log-weight, and location and log s of each channel, of every component, given the channels x before each. */
export function componentsOf(
  location: ArrayLike<number>,
  numbers: ArrayLike<number>,
  x: ArrayLike<number>,
  shape: MixtureShape,
): { log: number; channels: { location: number; scale: number }[] }[] {
  const { components, channels, autoregressive } = shape;
  const distances = components - 1;
  const scales = distances * (1 + channels);
  const coefficients = scales + components * channels;
  const logits = Array.from({ length: components }, (_, m) => m === 0 ? 0 : numbers[m - 1]);
  const normalizer = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return logits.map((logit, m) => ({
    log: logit - normalizer,
    channels: Array.from({ length: channels }, (_, c) => {
      let at = location[c] + (m === 0 ? 0 : numbers[distances + (m - 1) * channels + c]);
      for (let e = 0; autoregressive && e < c; e++) {
        const place = coefficients + m * channels * (channels - 1) / 2 + c * (c - 1) / 2 + e;
        at += Math.tanh(numbers[place]) * (x[e] - 0.5);
      }
      return { location: at, scale: boundedScale(numbers[scales + m * channels + c], shape).value };
    }),
  }));
}

/** -log p(x) of a pixel; channels that are not observed are left out. */
export function mixtureNll(
  location: ArrayLike<number>,
  numbers: ArrayLike<number>,
  x: ArrayLike<number>,
  shape: MixtureShape,
  observed: ArrayLike<number> = Array.from(x, () => 1),
): number {
  const { nll } = likelihoods["discretized logistic"];
  return -Math.log(
    componentsOf(location, numbers, x, shape).reduce((sum, { log, channels }) =>
      sum +
      Math.exp(
        log - channels.reduce((all, { location, scale }, c) => all + (observed[c] ? nll(location, scale, x[c]) : 0), 0),
      ), 0),
  );
}
