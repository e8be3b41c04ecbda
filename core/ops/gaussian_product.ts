/**
 * Drawing from the product of two Gaussians, one of which is the prior: a level of a ladder.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { Formula } from "../graph/formula.ts";
import { loader, type RowScalars, type Tape, type Variable, zeros } from "../graph/tape.ts";
import { type Draw, latentsOf, type ReparameterizeOptions } from "./reparameterize.ts";
import analytic from "../../shaders/product/analytic.wgsl" with { type: "text" };
import draw from "../../shaders/product/draw.wgsl" with { type: "text" };
import gradient from "../../shaders/product/gradient.wgsl" with { type: "text" };
import keepKl from "../../shaders/keep_kl.wgsl" with { type: "text" };
import keepKlFloored from "../../shaders/keep_kl_floored.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import noiseGiven from "../../shaders/noise_given.wgsl" with { type: "text" };
import noiseRandom from "../../shaders/noise_random.wgsl" with { type: "text" };
import product from "../../shaders/product/product.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
import sampled from "../../shaders/product/sampled.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };
import upstreamNone from "../../shaders/epilogues/upstream_none.wgsl" with { type: "text" };

/** Options of {@linkcode drawProduct}: those of a draw from a diagonal Gaussian. */
export interface ProductOptions extends Pick<ReparameterizeOptions, "freeBits" | "noise"> {
  /** KL(q ‖ p) in closed form, or log q(z) - log p(z) of the draw. Default "analytic". */
  readonly divergence?: "analytic" | "sampled";
  /**
   * How statistics lie: so many means, then as many log-variances, and so on. Default K: all means first. C for images of C channels whose
   * layer gives 2 C to each pixel.
   */
  readonly block?: number;
}

/**
 * z = μ + σ ε with N(μ, σ²) ∝ N(μ̂, σ̂²) N(m, s²), and the divergence of N(μ, σ²) from N(m, s²)
 *
 * 1/σ² = 1/σ̂² + 1/s², μ = σ² (μ̂/σ̂² + m/s²). With the share w = σ²/σ̂² of what was found, δ = μ̂ - m and r = log s² - log σ̂², so that
 * w = 1/(1 + e^-r):
 *
 *     KL = ½ Σ log(1 + e^r) - w + w² δ²/s²
 *
 * Both log-variances are clamped to [-30, 20], and have no gradient beyond. One dispatch forward and one backward. Source: Sønderby et al.,
 * "Ladder Variational Autoencoders", arXiv:1602.02282, equations 17 to 19.
 *
 * @param found μ̂ and log σ̂² [N, 2 K]
 * @param prior m and log s² [N L, 2 K]: the L rows of a datum stand together.
 * @returns z [N L, K] and the divergence of each of its rows.
 */
export function drawProduct(t: Tape, found: Variable, prior: Variable, options: ProductOptions = {}): Draw {
  const latents = latentsOf(prior, "diagonal");
  const { divergence = "analytic", freeBits = 0, noise, block = latents } = options;
  const { rows } = prior;
  const repeats = rows / found.rows;
  if (found.columns !== prior.columns || !Number.isInteger(repeats)) {
    throw new RangeError(
      `Cannot draw from the product of "${found.name}" and "${prior.name}": expected ${prior.columns} columns and a number ` +
        `of rows that divides ${rows}, found ${found.rows} x ${found.columns}`,
    );
  }
  const free = freeBits > 0;
  if (free && divergence === "sampled") {
    throw new RangeError("Cannot draw with free bits: expected the analytic divergence, found the sampled one");
  }
  const z = t.variable("z", latents, "f32", rows);
  const parts = Math.ceil(latents / 4);
  const kl: RowScalars = t.rowScalars("kl", parts, rows);
  const floored = free ? t.rowScalars("floored kl", parts, rows) : undefined;
  const stream = t.stream();
  const noiseFragment: Fragment = noise ? merge({ parts: [noiseGiven] }, loader("noise", noise)) : {
    parts: [stateStruct, random, noiseRandom],
    constants: { STREAM_noise: stream, ...t.drawn("noise", rows) },
    buffers: { state: t.readState() },
  };
  const productFragment = (): Fragment => ({
    parts: [layout, layoutScalar, product, divergence === "analytic" ? analytic : sampled],
    constants: {
      ROWS_found: t.stored(found.rows),
      ROWS_prior: t.stored(rows),
      REPEATS_found: repeats,
      LATENTS: latents,
      BLOCK: block,
    },
    floats: { FREE_BITS: freeBits },
    buffers: { found: read(t.tensor(found), "array<f32>"), prior: read(t.tensor(prior), "array<f32>") },
  });
  t.record(
    {
      name: "draw from a product",
      inputs: [found, prior],
      parameters: [],
      formula(f, output) {
        if (noise) throw new TypeError("Cannot export a draw whose noise is given");
        const halves = (x: Formula) =>
          [0, block].map((first) =>
            block === latents
              ? f.columns(x, first, block)
              : f.reshape(f.columns(f.reshape(x, 2 * block), first, block), latents)
          );
        const given = f.repeated(f.of(found), repeats);
        const [[u, a], [m, l]] = [halves(given), halves(f.of(prior))].map(([mean, log]) => [
          mean,
          f.elementwise("clamp(l, vec4f(-30), vec4f(20))", { l: log }),
        ]);
        const w = f.elementwise("1 / (1 + exp(a - l))", { a, l });
        const v = f.elementwise("min(a, l) - softplus(-abs(a - l))", { a, l });
        const e = f.normal(m, stream);
        const drawn = f.elementwise("m + w * (u - m) + exp(0.5 * v) * e", { m, w, u, v, e });
        if (output === z) return drawn;
        const each = divergence === "sampled"
          ? f.elementwise("0.5 * (l - v - e * e + (z - m) * (z - m) * exp(-l))", { l, v, e, z: drawn, m })
          : f.elementwise("0.5 * (softplus(l - a) - w + w * w * (u - m) * (u - m) * exp(-l))", { l, a, w, u, m });
        return f.sum(output === floored ? f.elementwise("max(d, least)", { d: each, least: freeBits }) : each);
      },
      forward() {
        const by = merge(productFragment(), noiseFragment, {
          parts: [floored ? keepKlFloored : keepKl, draw],
          buffers: {
            z: write(t.tensor(z)),
            kl: write(kl.buffer),
            ...floored ? { floored: write(floored.buffer) } : {},
          },
        });
        t.produce({ label: "draw from a product", variable: z, columns4: parts, by });
      },
      backward() {
        const [toFound, toPrior] = [t.gradientTarget(found, repeats), t.gradientTarget(prior)];
        // Where nothing was computed from z its gradient is zero, and the divergence's is still owed.
        const dz = t.needsGradient(z) ? t.load("a", t.gradient(z)) : zeros("a");
        const none = { parts: [{ text: upstreamNone, parameters: { m: "floored" } }] };
        const epilogue = merge(
          productFragment(),
          noiseFragment,
          t.upstream("kl", kl),
          floored ? t.upstream("floored", floored) : none,
          {
            parts: [gradient],
            constants: { ROWS_to_found: toFound.tensor.storedRows, ROWS_to_prior: toPrior.tensor.storedRows },
            buffers: {
              to_found: write(toFound.tensor, "array<f32>"),
              to_prior: write(toPrior.tensor, "array<f32>"),
            },
          },
        );
        t.map("product gradient", dz, epilogue, z);
        toFound.deliver();
        toPrior.deliver();
      },
    },
    z,
    kl,
    ...floored ? [floored] : [],
  );
  return { z, kl, ...floored ? { floored } : {} };
}
