/**
 * The importance-weighted bound.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { RowScalars, Tape } from "../graph/tape.ts";
import importanceShader from "../../shaders/importance.wgsl" with { type: "text" };
import upstreamSum from "../../shaders/epilogues/upstream_sum.wgsl" with { type: "text" };
import upstreamImportance from "../../shaders/epilogues/upstream_importance.wgsl" with { type: "text" };

/** How draws make a bound. */
export interface ImportanceOptions {
  /** M: the L draws of a datum make so many bounds of L / M draws each, whose mean is the loss. Default 1. */
  readonly bounds?: number;
  /** β, the part that the mean over the draws has in the loss. Default 0. */
  readonly combination?: number;
}

/**
 * -log (1/L) Σₗ wₗ for each datum, wₗ = p(x | zₗ) p(zₗ) / q(zₗ | x) = exp(-(nllₗ + klₗ))
 *
 * Backward: each draw's nll and divergence get the normalised weight wₗ / Σ w. With one draw it is the sum of the two. Source: Burda,
 * Grosse and Salakhutdinov, "Importance Weighted Autoencoders", arXiv:1509.00519, equations 8 and 14.
 *
 * With several bounds (MIWAE) or a combination β (1/L) Σₗ (nllₗ + klₗ) + (1 - β) (-log (1/L) Σₗ wₗ) (CIWAE) the gradient of the encoder has
 * less noise beside its mean: Rainforth et al., "Tighter Variational Bounds are Not Necessarily Better", arXiv:1802.04537, equations 10 and 12.
 *
 * @param nll -log p(x | z) of N L rows, the L draws of a datum together.
 * @param kl log q(z | x) - log p(z) of the same rows (`sampled` or `doubly` in {@linkcode reparameterize}).
 * @returns One value for each of N M rows.
 */
export function importanceBound(
  t: Tape,
  nll: RowScalars,
  kl: RowScalars,
  options: ImportanceOptions = {},
): RowScalars {
  return importanceBounds(t, nll, kl, [options])[0];
}

/**
 * Several such bounds of the same draws, for several objectives: a draw's nll and divergence get the sum of what each bound that an objective
 * has for a term gives them.
 *
 * @param options Of each bound.
 * @returns Each bound, one value for each of N M rows.
 */
export function importanceBounds(
  t: Tape,
  nll: RowScalars,
  kl: RowScalars,
  options: readonly ImportanceOptions[],
): readonly RowScalars[] {
  // One buffer for all: a kernel binds no more of them, however many bounds it reads.
  const weights = t.buffer("importance", options.length * nll.storedRows * 4);
  const bounds = options.map(({ bounds = 1, combination = 0 }, i) => {
    const rows = t.batch * bounds;
    const samples = nll.rows / rows;
    if (!Number.isInteger(samples)) {
      throw new RangeError(
        `Cannot form ${bounds} bounds of ${nll.rows / t.batch} draws: expected as many draws for each`,
      );
    }
    return {
      bound: t.rowScalars("bound", 1, rows),
      ...{ first: i * nll.storedRows, rows, samples, combination },
    };
  });
  const upstreamOf = (m: string, { rows }: RowScalars, { bound, first, samples }: typeof bounds[number]) =>
    merge(t.upstream(`${m}_bound`, bound), {
      parts: [{ text: upstreamImportance, parameters: { m } }],
      constants: { [`FIRST_${m}`]: first, [`VALID_${m}`]: rows, [`DRAWS_${m}`]: samples },
      buffers: { importance: read(weights) },
    });
  const upstream = (m: string, values: RowScalars): Fragment => {
    if (bounds.length === 1) return upstreamOf(m, values, bounds[0]);
    const each = bounds.map((bound, i) => upstreamOf(`${m}_${i}`, values, bound));
    const sum = bounds.map((_, i) => `upstream_${m}_${i}(row)`).join(" + ");
    return merge(...each, { parts: [{ text: upstreamSum, parameters: { m, sum } }] });
  };
  nll.upstream = (m) => upstream(m, nll);
  kl.upstream = (m) => upstream(m, kl);
  t.record(
    {
      name: "importance",
      inputs: [],
      parameters: [],
      values: [nll, kl],
      forward() {
        for (const { bound, first, rows, samples, combination } of bounds) {
          t.dispatch({
            label: "importance",
            fragments: [{
              parts: [importanceShader],
              constants: {
                DATA: rows,
                SAMPLES: samples,
                FIRST: first,
                ROWS_nll: nll.storedRows,
                PARTS_nll: nll.parts,
                ROWS_kl: kl.storedRows,
                PARTS_kl: kl.parts,
              },
              floats: { COMBINATION: combination },
              buffers: {
                nll: read(nll.buffer),
                kl: read(kl.buffer),
                bound: write(bound.buffer),
                importance: write(weights),
              },
            }],
            workgroups: [Math.ceil(rows / 64)],
          });
        }
      },
    },
    ...bounds.map(({ bound }) => bound),
  );
  return bounds.map(({ bound }) => bound);
}
