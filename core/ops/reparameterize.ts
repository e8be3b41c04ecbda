/**
 * Drawing from a diagonal Gaussian posterior so that the gradient passes, with its KL divergence from the prior.
 *
 * @module
 */

import { type Fragment, read, write } from "../kernel.ts";
import { loader, merge, type Tape, type Values, type Variable, zeros } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import divergenceAnalytic from "../../shaders/divergence_analytic.wgsl" with { type: "text" };
import divergenceDoubly from "../../shaders/divergence_doubly.wgsl" with { type: "text" };
import divergenceSampled from "../../shaders/divergence_sampled.wgsl" with { type: "text" };
import gaussian from "../../shaders/gaussian.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import noiseGiven from "../../shaders/noise_given.wgsl" with { type: "text" };
import noiseRandom from "../../shaders/noise_random.wgsl" with { type: "text" };
import only from "../../shaders/epilogues/only.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
import reparameterizeGradient from "../../shaders/epilogues/reparameterize_gradient.wgsl" with { type: "text" };
import reparameterizeShader from "../../shaders/reparameterize.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/** A draw and the divergence of what it was drawn from. */
export interface Draw {
  /** z [N, K] */
  readonly z: Variable;
  /** KL(q(z|x) ‖ N(0, I)) of each row, nats. */
  readonly kl: Values;
}

/** Options of {@linkcode reparameterize}. */
export interface ReparameterizeOptions {
  /** L, draws of z for each row. Default 1. */
  readonly samples?: number;
  /**
   * How the divergence of the posterior from the prior is formed, and differentiated:
   *
   * - `analytic`, the default: KL = ½ Σₖ (σₖ² + μₖ² - 1 - log σₖ²)
   * - `sampled`: log q(z | x) - log p(z) = ½ Σₖ (zₖ² - εₖ² - log σₖ²) of the draw, whose expectation is the KL. Importance
   *   weights need it.
   * - `doubly`: the same value, with the gradient of the posterior's parameters doubly reparameterized: only through z, and
   *   weighted once more by the upstream of the divergence. Source: Tucker et al., arXiv:1810.04152, equation 8.
   */
  readonly divergence?: "analytic" | "sampled" | "doubly";
  /**
   * Free bits, in nats: a latent dimension whose KL lies below has no gradient from it. Only with `analytic`. Source: Kingma et al.,
   * arXiv:1606.04934, appendix C.8, with a datum in place of the mean over a batch.
   */
  readonly freeBits?: number;
  /** ε [N L, K] to use in place of a draw. */
  readonly noise?: Tensor;
}

const DIVERGENCES = { analytic: divergenceAnalytic, sampled: divergenceSampled, doubly: divergenceDoubly };

/**
 * z = μ + σ ε, ε ~ N(0, I), and the divergence of N(μ, diag σ²) from N(0, I)
 *
 * Backward, with w the weight of the (analytic) KL: dμ = dz + w μ, dlog σ² = ½ (dz σ ε + w (σ² - 1)), summed over the draws. The
 * log-variance is clamped to [-30, 20], and has no gradient beyond. One dispatch forward; none backward for one draw, since it ends
 * the gradient of z. Source: Kingma and Welling, arXiv:1312.6114, section 2.4 and appendix B.
 *
 * @param statistics [N, 2 K]: μ in the first K columns, log σ² in the last K.
 * @returns z [N L, K] and the divergence of each of its rows; the L draws of a datum stand together.
 */
export function reparameterize(t: Tape, statistics: Variable, options: ReparameterizeOptions = {}): Draw {
  const { samples = 1, divergence = "analytic", freeBits = 0, noise } = options;
  if (statistics.columns % 2) {
    throw new RangeError(
      `Cannot draw from "${statistics.name}": expected an even number of columns, found ${statistics.columns}`,
    );
  }
  const latents = statistics.columns / 2;
  const rows = statistics.rows * samples;
  const storedRows = t.stored(rows);
  const z = t.variable("z", latents, "f32", rows);
  const stream = t.stream();
  const noiseFragment: Fragment = noise ? merge({ parts: [noiseGiven] }, loader("noise", noise)) : {
    parts: [stateStruct, random, noiseRandom],
    constants: { STREAM_noise: stream, LIVE_noise: rows },
    buffers: { state: read(t.state, "State") },
  };
  const gaussianFragment = (): Fragment => {
    const tensor = t.tensor(statistics);
    return {
      parts: [layout, layoutScalar, gaussian, DIVERGENCES[divergence]],
      constants: { ROWS_statistics: tensor.storedRows, REPEATS_statistics: samples, LATENTS: latents },
      floats: divergence === "analytic" ? { FREE_BITS: freeBits } : {},
      buffers: { statistics: read(tensor, "array<f32>") },
    };
  };
  const kl: Values = t.values("kl", Math.ceil(latents / 4), rows);
  let target: ReturnType<Tape["gradientTarget"]> | undefined;
  const finish = (): Fragment => {
    target ??= t.gradientTarget(statistics, samples);
    return merge(gaussianFragment(), noiseFragment, t.upstream("kl", kl), {
      parts: [reparameterizeGradient],
      constants: { ROWS_gradient: target.tensor.storedRows },
      buffers: { gradient: write(target.tensor, "array<f32>") },
    });
  };
  z.finish = finish;
  t.record(
    {
      name: "reparameterize",
      inputs: [statistics],
      parameters: [],
      forward() {
        t.dispatch({
          label: "reparameterize",
          fragments: [gaussianFragment(), noiseFragment, {
            parts: [reparameterizeShader],
            constants: { ROWS: storedRows },
            buffers: { z: write(t.tensor(z)), kl: write(kl.buffer) },
          }],
          workgroups: [Math.ceil(storedRows * kl.parts / 64)],
        });
      },
      backward() {
        // Where nothing was computed from z its gradient is zero, and the KL term's is still owed.
        if (!t.needsGradient(z)) t.map("KL gradient", zeros("a"), merge({ parts: [only] }, finish()), z);
        target?.deliver();
      },
    },
    z,
    kl,
  );
  return { z, kl };
}
