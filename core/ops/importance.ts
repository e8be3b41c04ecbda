/**
 * The importance-weighted bound.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { RowScalars, Tape } from "../graph/tape.ts";
import importanceShader from "../../shaders/importance.wgsl" with { type: "text" };
import upstreamImportance from "../../shaders/epilogues/upstream_importance.wgsl" with { type: "text" };

/**
 * -log (1/L) Σₗ wₗ for each datum, wₗ = p(x | zₗ) p(zₗ) / q(zₗ | x) = exp(-(nllₗ + klₗ))
 *
 * Backward: each draw's nll and divergence get the normalised weight wₗ / Σ w. With one draw it is the sum of the two. Source: Burda,
 * Grosse and Salakhutdinov, "Importance Weighted Autoencoders", arXiv:1509.00519, equations 8 and 14.
 *
 * @param nll -log p(x | z) of N L rows, the L draws of a datum together.
 * @param kl log q(z | x) - log p(z) of the same rows (`sampled` or `doubly` in {@linkcode reparameterize}).
 * @returns One value for each of N rows.
 */
export function importanceBound(t: Tape, nll: RowScalars, kl: RowScalars): RowScalars {
  const samples = nll.rows / t.batch;
  const bound = t.rowScalars("bound", 1);
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
            DATA: t.batch,
            SAMPLES: samples,
            ROWS_nll: nll.storedRows,
            PARTS_nll: nll.parts,
            ROWS_kl: kl.storedRows,
            PARTS_kl: kl.parts,
          },
          buffers: {
            nll: read(nll.buffer),
            kl: read(kl.buffer),
            bound: write(bound.buffer),
            importance: write(importance),
          },
        }],
        workgroups: [Math.ceil(t.batch / 64)],
      });
    },
  }, bound);
  return bound;
}
