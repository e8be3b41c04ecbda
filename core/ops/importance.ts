/**
 * The importance-weighted bound.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { RowScalars, Tape } from "../graph/tape.ts";
import importanceShader from "../../shaders/importance.wgsl" with { type: "text" };
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
  { bounds = 1, combination = 0 }: ImportanceOptions = {},
): RowScalars {
  const rows = t.batch * bounds;
  const samples = nll.rows / rows;
  if (!Number.isInteger(samples)) {
    throw new RangeError(
      `Cannot form ${bounds} bounds of ${nll.rows / t.batch} draws: expected as many draws for each`,
    );
  }
  const bound = t.rowScalars("bound", 1, rows);
  const importance = t.buffer("importance", nll.storedRows * 4);
  const upstream = (m: string, { rows }: RowScalars): Fragment =>
    merge(t.upstream(`${m}_bound`, bound), {
      parts: [{ text: upstreamImportance, parameters: { m } }],
      constants: { [`VALID_${m}`]: rows, [`DRAWS_${m}`]: samples },
      buffers: { importance: read(importance) },
    });
  nll.upstream = (m) => upstream(m, nll);
  kl.upstream = (m) => upstream(m, kl);
  t.record({
    name: "importance",
    inputs: [],
    parameters: [],
    values: [nll, kl],
    forward() {
      t.dispatch({
        label: "importance",
        fragments: [{
          parts: [importanceShader],
          constants: {
            DATA: rows,
            SAMPLES: samples,
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
            importance: write(importance),
          },
        }],
        workgroups: [Math.ceil(rows / 64)],
      });
    },
  }, bound);
  return bound;
}
