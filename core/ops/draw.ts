/**
 * Drawing from a diagonal Gaussian posterior so that the gradient passes, with its KL divergence from the prior; and what draws from any
 * Gaussian share.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { Formula, Formulas } from "../graph/formula.ts";
import { loader, type RowScalars, type Tape, type Variable, zeros } from "../graph/tape.ts";
import type { Tensor } from "../gpu/tensor.ts";
import divergenceAnalytic from "../../shaders/divergence_analytic.wgsl" with { type: "text" };
import divergenceOfDraw from "../../shaders/divergence_of_draw.wgsl" with { type: "text" };
import divergenceOfPosterior from "../../shaders/divergence_of_posterior.wgsl" with { type: "text" };
import divergenceSampled from "../../shaders/divergence_sampled.wgsl" with { type: "text" };
import gaussian from "../../shaders/gaussian.wgsl" with { type: "text" };
import keepKl from "../../shaders/keep_kl.wgsl" with { type: "text" };
import latentGradient from "../../shaders/latent_gradient.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import noiseGiven from "../../shaders/noise_given.wgsl" with { type: "text" };
import noiseRandom from "../../shaders/noise_random.wgsl" with { type: "text" };
import finishPart from "../../shaders/epilogues/finish.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
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

/** How z is drawn and its divergence formed: parts of shaders. */
export interface Drawing {
  /** What a latent's Gaussian is, and its divergence. */
  readonly gaussian: readonly string[];
  /** z and the divergence. */
  readonly forward: readonly string[];
  /** The gradient of the statistics. */
  readonly gradient: readonly string[];
  /** What full covariance makes of z and of each latent's divergence, as formulas. */
  readonly full?: (
    f: Formulas,
    of: Readonly<Record<"given" | "m" | "drawn" | "each" | "e", Formula>>,
  ) => [Formula, Formula];
}

const gradientOf = (divergence: string) => [latentGradient, divergence, reparameterizeGradient];

/** Of a diagonal covariance. */
export const DIAGONAL: Readonly<Record<"analytic" | "sampled", Drawing>> = {
  analytic: {
    gaussian: [gaussian, divergenceOfPosterior],
    forward: [keepKl, reparameterizeShader],
    gradient: gradientOf(divergenceAnalytic),
  },
  sampled: {
    gaussian: [gaussian, divergenceOfDraw],
    forward: [keepKl, reparameterizeShader],
    gradient: gradientOf(divergenceSampled),
  },
};

/** Records a draw, with the defaults of {@linkcode ReparameterizeOptions}. */
export function drawGaussian(
  t: Tape,
  statistics: Variable,
  { samples = 1, divergence = "analytic", freeBits = 0, covariance = "diagonal", noise }: ReparameterizeOptions,
  drawing: Drawing,
): Draw {
  const { full } = drawing;
  const free = freeBits > 0;
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
        ...drawing.gaussian,
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
      parts: drawing.gradient,
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
        if (full) [drawn, each] = full(f, { given, m, drawn, each, e });
        if (output === z) return drawn;
        if (output === floored) return f.sum(f.elementwise("max(d, least)", { d: each, least: freeBits }));
        if (divergence === "analytic") return f.sum(each);
        return f.sum(f.elementwise("0.5 * (z * z - e * e - v)", { z: drawn, e, v }));
      },
      forward() {
        const by = merge(gaussianFragment(), noiseFragment, {
          parts: drawing.forward,
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
