/**
 * How far the covariance of latents over a batch is from the identity.
 *
 * @module
 */

import { type Fragment, inRows, merge, read, write } from "../gpu/kernel.ts";
import { treeSum } from "../gpu/tree_sum.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import { validRows } from "./valid_rows.ts";
import covarianceShader from "../../shaders/penalties/covariance.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import squaresShader from "../../shaders/penalties/covariance_squares.wgsl" with { type: "text" };
import toStatistics from "../../shaders/penalties/covariance_to_statistics.wgsl" with { type: "text" };

/** The squares of C - I, C a covariance, by where they stand in it. */
export interface CovariancePenalty {
  /** Σ_{k ≠ l} C_kl², the same for every row. */
  readonly offDiagonal: RowScalars;
  /** Σ_k (C_kk - 1)², likewise. */
  readonly diagonal: RowScalars;
}

/**
 * Σ_{k ≠ l} C_kl² and Σ_k (C_kk - 1)² of the covariance C of a batch: of the means μ of its posteriors (`means`), or of z (`latents`), to
 * which the variances add E[diag σ²]
 *
 * C has 1 / N, and rows that pad the batch do not count. Backward, with u and v the sums of the two upstreams and w_kl = u, w_kk = v:
 * dμ_nk = 4 / N Σ_l w_kl (C - I)_kl (μ_nl - mean μ_l); with `latents`, dlog σ_nk² = 2 / N v (C_kk - 1) σ_nk². The log-variance is clamped to
 * [-30, 20], and has no gradient beyond. Two dispatches forward, one backward. Source: Kumar et al., "Variational Inference of Disentangled
 * Latent Concepts from Unlabeled Observations", arXiv:1711.00848, equations 5 to 7.
 *
 * @param statistics [N, K or more]: μ in the first K columns; for `latents` [N, 2 K], log σ² in the last K. N is the batch.
 * @param latents K
 */
export function covariancePenalty(
  t: Tape,
  statistics: Variable,
  latents: number,
  of: "means" | "latents",
): CovariancePenalty {
  const { name, rows, columns } = statistics;
  const marginal = of === "latents";
  if (rows !== t.batch || (marginal ? columns !== 2 * latents : columns < latents)) {
    throw new RangeError(
      `Cannot penalize the covariance of "${name}": expected ${t.batch} x ${
        marginal ? 2 * latents : `${latents} or more`
      }, found ${rows} x ${columns}`,
    );
  }
  const offDiagonal = t.rowScalars("off-diagonal covariance", 1);
  const diagonal = t.rowScalars("diagonal covariance", 1);
  const apart = t.buffer("covariance - I", 4 * latents * (latents + 1));
  const given = (): Fragment =>
    merge(validRows(t), {
      parts: [layoutScalar],
      constants: { ROWS_penalized: t.stored(rows), PENALIZED: latents, OF_MARGINAL: marginal },
      buffers: { penalized: read(t.tensor(statistics), "array<f32>") },
    });
  t.record(
    {
      name: "covariance penalty",
      inputs: [statistics],
      parameters: [],
      forward() {
        const workgroups = inRows(Math.ceil(latents * latents / 64));
        t.dispatch({
          label: "covariance of the latents",
          fragments: [given(), {
            parts: [covarianceShader],
            constants: { ACROSS: workgroups[0] },
            buffers: { apart: write(apart) },
          }],
          workgroups,
        });
        t.dispatch({
          label: "covariance penalty",
          fragments: [validRows(t), {
            parts: [treeSum("vec4f", 256), { text: squaresShader, parameters: { invocations: 256 } }],
            constants: { PENALIZED: latents, ROWS: offDiagonal.storedRows },
            buffers: {
              apart: read(apart),
              off_diagonal: write(offDiagonal.buffer),
              diagonal: write(diagonal.buffer),
            },
          }],
          workgroups: [1],
        });
      },
      backward() {
        if (!t.needsGradient(statistics)) return;
        const upstreams = [t.upstream("off_diagonal", offDiagonal), t.upstream("diagonal", diagonal)];
        const gradient = merge(given(), ...upstreams, { parts: [toStatistics], buffers: { apart: read(apart) } });
        t.map("covariance penalty gradient", gradient, t.contribution(statistics), statistics);
      },
    },
    offDiagonal,
    diagonal,
  );
  return { offDiagonal, diagonal };
}
