/**
 * The divergence of posteriors from N(0, I) taken apart by the aggregate posterior q(z), which a batch estimates.
 *
 * @module
 */

import { type Fragment, inRows, merge, read, write } from "../gpu/kernel.ts";
import { createTensor } from "../gpu/tensor.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import { validRows } from "./valid_rows.ts";
import decomposeShader from "../../shaders/aggregate/decompose.wgsl" with { type: "text" };
import density from "../../shaders/aggregate/density.wgsl" with { type: "text" };
import jointShader from "../../shaders/aggregate/joint.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import marginalsShader from "../../shaders/aggregate/marginals.wgsl" with { type: "text" };
import slopes from "../../shaders/aggregate/slopes.wgsl" with { type: "text" };
import toLatents from "../../shaders/aggregate/to_latents.wgsl" with { type: "text" };
import toPosteriors from "../../shaders/aggregate/to_posteriors.wgsl" with { type: "text" };

/** How a batch estimates q(z), for settings. */
export const AGGREGATE_ESTIMATORS = ["stratified", "weighted"] as const;
/** The name of an estimator of q(z). */
export type AggregateEstimator = typeof AGGREGATE_ESTIMATORS[number];

/** log q(z | x) - log N(z; 0, I) of each draw in three parts, nats. */
export interface DecomposedDivergence {
  /** log q(z | x) - log q(z), whose mean is the mutual information of z and the index of x. */
  readonly mutualInformation: RowScalars;
  /** log q(z) - Σ_k log q(z_k), whose mean is the total correlation of the latents. */
  readonly totalCorrelation: RowScalars;
  /** Σ_k log q(z_k) - log N(z_k; 0, 1), whose mean is the sum of the KLs of the latents, each by itself. */
  readonly dimensionWiseKl: RowScalars;
}

/**
 * log q(z | x) - log q(z), log q(z) - Σ_k log q(z_k) and Σ_k log q(z_k) - log N(z_k; 0, 1) of each draw, whose sum is
 * log q(z | x) - log N(z; 0, I)
 *
 * q(z) and q(z_k) are estimated from the B rows of a batch that are data, out of a dataset of N: Σ_m w_m q(z | x_m).
 *
 * - `weighted`: w_m = 1 / (N B), minibatch weighted sampling, whose logarithm is a lower bound in expectation. It puts every log q(z) too low
 *   by up to log N: the values shift by it, total correlation by K - 1 times as much, and the gradients hardly.
 * - `stratified`: w = 1 / N for the datum that z was drawn for, (N - M) / (N M) for one other and 1 / M for the rest, M = B - 1: an estimate
 *   of q(z) without bias.
 *
 * Backward, with u, v and w the upstreams of the three, r_nm and s_nmk what x_m has of q(z_n) and q(z_nk), and
 * g_nmk = (v_n - u_n) r_nm + (w_n - v_n) s_nmk + u_n [x_m is that of z_n]: dz_nk = w_n z_nk - Σ_m g (z_nk - μ_mk) / σ_mk²,
 * dμ_mk = Σ_n g (z_nk - μ_mk) / σ_mk², dlog σ_mk² = ½ Σ_n g ((z_nk - μ_mk)² / σ_mk² - 1). The log-variance is clamped to [-30, 20], and has
 * no gradient beyond. Three dispatches forward, two backward, all N L N K long. Source: Chen et al., "Isolating Sources of Disentanglement
 * in Variational Autoencoders", arXiv:1802.04942, equations 2 and 3 and appendix C.
 *
 * @param z [N L, K], the L draws of a datum together.
 * @param statistics q(z | x), [N, 2 K]: μ, then log σ². N is the batch.
 */
export function decomposeDivergence(
  t: Tape,
  z: Variable,
  statistics: Variable,
  estimator: AggregateEstimator,
): DecomposedDivergence {
  const latents = z.columns;
  const draws = z.rows / t.batch;
  if (statistics.rows !== t.batch || statistics.columns !== 2 * latents || !Number.isInteger(draws)) {
    throw new RangeError(
      `Cannot decompose the divergence of "${statistics.name}": expected ${t.batch} x ${
        2 * latents
      }, and a multiple of ` +
        `${t.batch} draws, found ${statistics.rows} x ${statistics.columns} and ${z.rows}`,
    );
  }
  const mutualInformation = t.rowScalars("mutual information", 1, z.rows);
  const totalCorrelation = t.rowScalars("total correlation", 1, z.rows);
  const dimensionWiseKl = t.rowScalars("dimension-wise KL", 1, z.rows);
  const { storedRows } = mutualInformation;
  const scratch = (name: string, columns: number) => {
    const tensor = createTensor(t.gpu, name, z.rows, columns, { storedRows });
    t.own(tensor.buffer);
    return tensor;
  };
  const joint = scratch("posteriors' parts of q(z)", t.batch);
  const marginals = scratch("log q(z)", latents + 1);
  const given = (): Fragment =>
    merge(validRows(t), {
      parts: [layout, layoutScalar, density],
      constants: {
        ROWS_latents: storedRows,
        ROWS_posteriors: t.stored(statistics.rows),
        ROWS_joint: storedRows,
        ROWS_marginals: storedRows,
        AGGREGATED: latents,
        DRAWS: draws,
        STRATIFIED: estimator === "stratified",
      },
      buffers: {
        latents: read(t.tensor(z), "array<f32>"),
        posteriors: read(t.tensor(statistics), "array<f32>"),
      },
    });
  const each = (label: string, invocations: number, part: string, buffers: Fragment["buffers"]) => {
    const workgroups = inRows(Math.ceil(invocations / 64));
    const fragment = { parts: [part], constants: { ACROSS: workgroups[0] }, buffers };
    t.dispatch({ label, fragments: [given(), fragment], workgroups });
  };
  t.record(
    {
      name: "decomposed divergence",
      inputs: [z, statistics],
      parameters: [],
      forward() {
        each("log q(z | x) of all pairs", z.rows * t.batch, jointShader, { joint: write(joint, "array<f32>") });
        each("log q(z)", z.rows * (latents + 1), marginalsShader, {
          joint: write(joint, "array<f32>"),
          marginals: write(marginals, "array<f32>"),
        });
        t.dispatch({
          label: "decomposed divergence",
          fragments: [given(), {
            parts: [decomposeShader],
            buffers: {
              marginals: read(marginals, "array<f32>"),
              mutual_information: write(mutualInformation.buffer),
              total_correlation: write(totalCorrelation.buffer),
              marginal_kl: write(dimensionWiseKl.buffer),
            },
          }],
          workgroups: [Math.ceil(storedRows / 64)],
        });
      },
      backward() {
        for (const [input, part] of [[z, toLatents], [statistics, toPosteriors]] as const) {
          if (!t.needsGradient(input)) continue;
          const gradient = merge(
            given(),
            t.upstream("mutual_information", mutualInformation),
            t.upstream("total_correlation", totalCorrelation),
            t.upstream("marginal_kl", dimensionWiseKl),
            {
              parts: [slopes, part],
              buffers: { joint: read(joint, "array<f32>"), marginals: read(marginals, "array<f32>") },
            },
          );
          t.map(`${input.name} gradient by q(z)`, gradient, t.contribution(input), input);
        }
      },
    },
    mutualInformation,
    totalCorrelation,
    dimensionWiseKl,
  );
  return { mutualInformation, totalCorrelation, dimensionWiseKl };
}
