/**
 * The noise that draws of a prior are made of.
 *
 * @module
 */

import { merge } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { randoms } from "./parts.ts";
import { store } from "./store.ts";
import noiseAndUniform from "../../shaders/loaders/noise_and_uniform.wgsl" with { type: "text" };
import noiseRandom from "../../shaders/noise_random.wgsl" with { type: "text" };

/**
 * [ε | u], ε ~ N(0, I) [rows, K] and u uniform in (0, 1): what {@linkcode Prior.draw} takes. New in every step; it has no gradient.
 *
 * @returns [rows, K + 1]
 */
export function priorNoise(t: Tape, rows: number, latents: number): Variable {
  const noise = t.variable("noise of the prior", latents + 1, "f32", rows);
  const [normal, uniform] = [t.stream(), t.stream()];
  t.record({
    name: noise.name,
    inputs: [],
    parameters: [],
    forward() {
      const a = merge(randoms(t), {
        parts: [noiseRandom, noiseAndUniform],
        constants: { STREAM_noise: normal, ...t.drawn("noise", rows), STREAM_uniform: uniform, FEATURES: latents },
      });
      store(t, noise, a);
    },
  }, noise);
  return noise;
}
