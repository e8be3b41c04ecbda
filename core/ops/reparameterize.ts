/**
 * Drawing from a Gaussian posterior so that the gradient passes, with its KL divergence from the prior.
 *
 * @module
 */

import type { Formula } from "../graph/formula.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { DIAGONAL, type Draw, drawGaussian, type Drawing, latentsOf, type ReparameterizeOptions } from "./draw.ts";
import divergenceDoubly from "../../shaders/divergence_doubly.wgsl" with { type: "text" };
import divergenceFreeBits from "../../shaders/divergence_free_bits.wgsl" with { type: "text" };
import divergenceFullAnalytic from "../../shaders/divergence_full_analytic.wgsl" with { type: "text" };
import divergenceFullSampled from "../../shaders/divergence_full_sampled.wgsl" with { type: "text" };
import divergenceOfDraw from "../../shaders/divergence_of_draw.wgsl" with { type: "text" };
import divergenceOfPosterior from "../../shaders/divergence_of_posterior.wgsl" with { type: "text" };
import gaussian from "../../shaders/gaussian.wgsl" with { type: "text" };
import gaussianFull from "../../shaders/gaussian_full.wgsl" with { type: "text" };
import keepKl from "../../shaders/keep_kl.wgsl" with { type: "text" };
import keepKlFloored from "../../shaders/keep_kl_floored.wgsl" with { type: "text" };
import latentGradient from "../../shaders/latent_gradient.wgsl" with { type: "text" };
import reparameterizeFull from "../../shaders/reparameterize_full.wgsl" with { type: "text" };
import reparameterizeFullGradient from "../../shaders/epilogues/reparameterize_full_gradient.wgsl" with {
  type: "text",
};
import reparameterizeGradient from "../../shaders/epilogues/reparameterize_gradient.wgsl" with { type: "text" };
import reparameterizeShader from "../../shaders/reparameterize.wgsl" with { type: "text" };

export {
  type Covariance,
  COVARIANCES,
  type Draw,
  latentsOf,
  type ReparameterizeOptions,
  statisticsColumns,
} from "./draw.ts";

const FREE_BITS: Drawing = {
  gaussian: [gaussian, divergenceOfPosterior],
  forward: [keepKlFloored, reparameterizeShader],
  gradient: [latentGradient, divergenceFreeBits, reparameterizeGradient],
};

const DOUBLY: Drawing = {
  gaussian: [gaussian, divergenceOfDraw],
  forward: [keepKl, reparameterizeShader],
  gradient: [latentGradient, divergenceDoubly, reparameterizeGradient],
};

/** By a full covariance, whose divergence a part of a shader gives. */
const byFull = (divergence: string, latents: number): Drawing => ({
  gaussian: [gaussianFull, divergence],
  forward: [reparameterizeFull],
  gradient: [reparameterizeFullGradient],
  full(f, { given, m, drawn, each, e }) {
    const below = Array.from(
      { length: latents - 1 },
      (_, i) => f.columns(given, 2 * latents + i * (i + 1) / 2, i + 1),
    );
    const zero = f.vector([0]);
    const sums = (of: (l: Formula, i: number) => Formula) =>
      f.concat([f.elementwise("0 * m + zero", { m: f.columns(m, 0, 1), zero }), ...below.map(of)]);
    const product = (a: Formula, b: Formula) => f.sum(f.elementwise("a * b", { a, b }));
    const z = f.elementwise("z + s", { z: drawn, s: sums((row, i) => product(row, f.columns(e, 0, i + 1))) });
    const d = f.elementwise("d + 0.5 * s", { d: each, s: sums((row) => product(row, row)) });
    return [z, d];
  },
});

/**
 * z = μ + σ ε, ε ~ N(0, I), and the divergence of N(μ, diag σ²) from N(0, I)
 *
 * Backward, with w the weight of the (analytic) KL: dμ = dz + w μ, dlog σ² = ½ (dz σ ε + w (σ² - 1)), summed over the draws; with free
 * bits a dimension's w is that of `kl`, and where its KL reaches them that of `floored` too. The log-variance is clamped to [-30, 20], and has no gradient beyond. One dispatch forward; none backward for one draw, since it ends
 * the gradient of z. Source: Kingma and Welling, arXiv:1312.6114, section 2.4 and appendix B.
 *
 * @param statistics [N, 2 K]: μ in the first K columns, log σ² in the last K; more columns for full covariance.
 * @returns z [N L, K] and the divergence of each of its rows; the L draws of a datum stand together.
 */
export function reparameterize(t: Tape, statistics: Variable, options: ReparameterizeOptions = {}): Draw {
  const { divergence = "analytic", freeBits = 0, covariance = "diagonal" } = options;
  const full = covariance === "full";
  const free = freeBits > 0;
  if (full && (divergence === "doubly" || free)) {
    throw new RangeError(
      "Cannot draw with full covariance: expected the analytic or the sampled divergence without free bits",
    );
  }
  if (free && divergence !== "analytic") {
    throw new RangeError(`Cannot draw with free bits: expected the analytic divergence, found the ${divergence} one`);
  }
  const drawing = full
    ? byFull(
      divergence === "analytic" ? divergenceFullAnalytic : divergenceFullSampled,
      latentsOf(statistics, covariance),
    )
    : free
    ? FREE_BITS
    : divergence === "doubly"
    ? DOUBLY
    : DIAGONAL[divergence];
  return drawGaussian(t, statistics, options, drawing);
}
