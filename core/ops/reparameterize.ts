/**
 * Drawing from a Gaussian posterior so that the gradient passes, with its KL divergence from the prior.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { Formula } from "../graph/formula.ts";
import { loader, type RowScalars, type Tape, type Variable, zeros } from "../graph/tape.ts";
import type { Tensor } from "../gpu/tensor.ts";
import divergenceAnalytic from "../../shaders/divergence_analytic.wgsl" with { type: "text" };
import divergenceDoubly from "../../shaders/divergence_doubly.wgsl" with { type: "text" };
import divergenceFreeBits from "../../shaders/divergence_free_bits.wgsl" with { type: "text" };
import divergenceFullAnalytic from "../../shaders/divergence_full_analytic.wgsl" with { type: "text" };
import divergenceFullSampled from "../../shaders/divergence_full_sampled.wgsl" with { type: "text" };
import divergenceOfDraw from "../../shaders/divergence_of_draw.wgsl" with { type: "text" };
import divergenceOfPosterior from "../../shaders/divergence_of_posterior.wgsl" with { type: "text" };
import divergenceSampled from "../../shaders/divergence_sampled.wgsl" with { type: "text" };
import gaussian from "../../shaders/gaussian.wgsl" with { type: "text" };
import gaussianFull from "../../shaders/gaussian_full.wgsl" with { type: "text" };
import keepKl from "../../shaders/keep_kl.wgsl" with { type: "text" };
import keepKlFloored from "../../shaders/keep_kl_floored.wgsl" with { type: "text" };
import latentGradient from "../../shaders/latent_gradient.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import noiseGiven from "../../shaders/noise_given.wgsl" with { type: "text" };
import noiseRandom from "../../shaders/noise_random.wgsl" with { type: "text" };
import finishPart from "../../shaders/epilogues/finish.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
import reparameterizeFull from "../../shaders/reparameterize_full.wgsl" with { type: "text" };
import reparameterizeFullGradient from "../../shaders/epilogues/reparameterize_full_gradient.wgsl" with {
  type: "text",
};
import reparameterizeGradient from "../../shaders/epilogues/reparameterize_gradient.wgsl" with { type: "text" };
import reparameterizeShader from "../../shaders/reparameterize.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/** A draw and the divergence of what it was drawn from. */
export interface Draw {
  /** z [N, K] */
  readonly z: Variable;
  /** KL(q(z|x) ‖ N(0, I)) of each row, nats. */
  readonly kl: RowScalars;
  /** Σₖ max(λ, KLₖ) of each row, λ being the free bits, to be minimised in place of `kl`; absent without free bits. */
  readonly floored?: RowScalars;
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
   * Free bits λ, in nats per datum: with them there is `floored`, from which a latent dimension whose KL lies below λ has no gradient.
   * Only with `analytic`. Source: Kingma et al., arXiv:1606.04934, appendix C.8, with a datum in place of the mean over a batch.
   */
  readonly freeBits?: number;
  /**
   * `diagonal`, the default: [N, 2 K] statistics, μ in the first K columns and log σ² in the last K. `full`: z = μ + L ε with a lower
   * triangular L, and K (K - 1) / 2 further columns, row i of L below the diagonal at 2 K + i (i - 1) / 2; the second K are log Lᵢᵢ².
   * The divergence is ½ Σᵢ (Σⱼ Lᵢⱼ² + μᵢ² - 1 - log Lᵢᵢ²), or `sampled`; no free bits.
   */
  readonly covariance?: Covariance;
  /** ε [N L, K] to use in place of a draw. */
  readonly noise?: Tensor;
}

/** The covariances of a Gaussian posterior, for settings. */
export const COVARIANCES = ["diagonal", "full"] as const;
/** The name of a covariance. */
export type Covariance = typeof COVARIANCES[number];

/** Columns of the statistics of K latents. */
export function statisticsColumns(latents: number, covariance: Covariance): number {
  return 2 * latents + (covariance === "full" ? latents * (latents - 1) / 2 : 0);
}

/** K, from the columns of the statistics. */
export function latentsOf({ name, columns }: Variable, covariance: Covariance): number {
  const latents = covariance === "full" ? (Math.sqrt(9 + 8 * columns) - 3) / 2 : columns / 2;
  if (!Number.isInteger(latents)) {
    const expected = covariance === "full" ? "K (K + 3) / 2 columns" : "an even number of columns";
    throw new RangeError(`Cannot draw from "${name}": expected ${expected}, found ${columns}`);
  }
  return latents;
}

/** Parts giving the divergence of a diagonal posterior, and its gradient. */
const DIVERGENCES = {
  analytic: { value: divergenceOfPosterior, gradient: divergenceAnalytic },
  freeBits: { value: divergenceOfPosterior, gradient: divergenceFreeBits },
  sampled: { value: divergenceOfDraw, gradient: divergenceSampled },
  doubly: { value: divergenceOfDraw, gradient: divergenceDoubly },
};

const FULL_DIVERGENCES = { analytic: divergenceFullAnalytic, sampled: divergenceFullSampled, doubly: "" };

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
  const { samples = 1, divergence = "analytic", freeBits = 0, covariance = "diagonal", noise } = options;
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
  const diagonal = DIVERGENCES[free ? "freeBits" : divergence];
  const latents = latentsOf(statistics, covariance);
  const rows = statistics.rows * samples;
  const storedRows = t.stored(rows);
  const z = t.variable("z", latents, "f32", rows);
  const stream = t.stream();
  const noiseFragment: Fragment = noise ? merge({ parts: [noiseGiven] }, loader("noise", noise)) : {
    parts: [stateStruct, random, noiseRandom],
    constants: { STREAM_noise: stream, ...t.drawn("noise", rows) },
    buffers: { state: t.readState() },
  };
  const gaussianFragment = (): Fragment => {
    const tensor = t.tensor(statistics);
    return {
      parts: [
        layout,
        layoutScalar,
        ...full ? [gaussianFull, FULL_DIVERGENCES[divergence]] : [gaussian, diagonal.value],
      ],
      constants: { ROWS_statistics: tensor.storedRows, REPEATS_statistics: samples, LATENTS: latents },
      floats: free ? { FREE_BITS: freeBits } : {},
      buffers: { statistics: read(tensor, "array<f32>") },
    };
  };
  const parts = full ? latents : Math.ceil(latents / 4);
  const kl: RowScalars = t.rowScalars("kl", parts, rows);
  const floored = free ? t.rowScalars("floored kl", parts, rows) : undefined;
  let target: ReturnType<Tape["gradientTarget"]> | undefined;
  const finish = (): Fragment => {
    target ??= t.gradientTarget(statistics, samples);
    const upstreams = [t.upstream("kl", kl), ...floored ? [t.upstream("floored", floored)] : []];
    return merge(gaussianFragment(), noiseFragment, ...upstreams, {
      parts: full ? [reparameterizeFullGradient] : [latentGradient, diagonal.gradient, reparameterizeGradient],
      constants: { ROWS_gradient: target.tensor.storedRows },
      buffers: { gradient: write(target.tensor, "array<f32>") },
    });
  };
  z.gradientEpilogue = finish;
  t.record(
    {
      name: "reparameterize",
      inputs: [statistics],
      parameters: [],
      formula(f, output) {
        const given = samples === 1 ? f.of(statistics) : f.repeated(f.of(statistics), samples);
        const [m, l] = [0, latents].map((first) => f.columns(given, first, latents));
        const e = noise ? undefined : f.normal(m, stream);
        if (!e) throw new TypeError("Cannot export a draw whose noise is given");
        const v = f.elementwise("clamp(l, vec4f(-30), vec4f(20))", { l });
        let drawn = f.elementwise("m + exp(0.5 * v) * e", { m, v, e });
        let each = f.elementwise("0.5 * (exp(v) + m * m - 1 - v)", { m, v });
        if (full) {
          const below = Array.from(
            { length: latents - 1 },
            (_, i) => f.columns(given, 2 * latents + i * (i + 1) / 2, i + 1),
          );
          const zero = f.vector([0]);
          const sums = (of: (l: Formula, i: number) => Formula) =>
            f.concat([f.elementwise("0 * m + zero", { m: f.columns(m, 0, 1), zero }), ...below.map(of)]);
          const product = (a: Formula, b: Formula) => f.sum(f.elementwise("a * b", { a, b }));
          drawn = f.elementwise("z + s", { z: drawn, s: sums((row, i) => product(row, f.columns(e, 0, i + 1))) });
          each = f.elementwise("d + 0.5 * s", { d: each, s: sums((row) => product(row, row)) });
        }
        if (output === z) return drawn;
        if (output === floored) return f.sum(f.elementwise("max(d, least)", { d: each, least: freeBits }));
        if (divergence === "analytic") return f.sum(each);
        return f.sum(f.elementwise("0.5 * (z * z - e * e - v)", { z: drawn, e, v }));
      },
      forward() {
        const by = merge(gaussianFragment(), noiseFragment, {
          parts: full ? [reparameterizeFull] : [floored ? keepKlFloored : keepKl, reparameterizeShader],
          buffers: {
            z: write(t.tensor(z), full ? "array<f32>" : undefined),
            kl: write(kl.buffer),
            ...floored ? { floored: write(floored.buffer) } : {},
          },
        });
        if (!full) t.produce({ label: "reparameterize", variable: z, columns4: kl.parts, by });
        else {
          t.dispatch({
            label: "reparameterize",
            fragments: [by, { parts: [], constants: { ROWS: storedRows } }],
            workgroups: [Math.ceil(storedRows * kl.parts / 64)],
          });
        }
      },
      backward() {
        // Where nothing was computed from z its gradient is zero, and the KL term's is still owed.
        if (!t.needsGradient(z)) t.map("KL gradient", zeros("a"), merge({ parts: [finishPart] }, finish()), z);
        target?.deliver();
      },
    },
    z,
    kl,
    ...floored ? [floored] : [],
  );
  return { z, kl, ...floored ? { floored } : {} };
}
