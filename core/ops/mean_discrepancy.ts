/**
 * The maximum mean discrepancy of latents and draws of the prior.
 *
 * @module
 */

import { type Fragment, inRows, merge, read, write } from "../gpu/kernel.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import { validRows } from "./valid_rows.ts";
import discrepancyShader from "../../shaders/penalties/mean_discrepancy.wgsl" with { type: "text" };
import distancesShader from "../../shaders/penalties/squared_distances.wgsl" with { type: "text" };
import inverseMultiquadratic from "../../shaders/penalties/inverse_multiquadratic.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import rbf from "../../shaders/penalties/rbf.wgsl" with { type: "text" };
import toSample from "../../shaders/penalties/discrepancy_to_sample.wgsl" with { type: "text" };

const SIMILARITIES = { imq: inverseMultiquadratic, rbf };

/** The kernels of a maximum mean discrepancy, for settings: C / (C + ‖a - b‖²), and exp(-‖a - b‖² / C). */
export const MMD_KERNELS = ["imq", "rbf"] as const;
/** The name of a kernel. */
export type MmdKernel = typeof MMD_KERNELS[number];

/**
 * MMD² = E k(z, z') + E k(p, p') - 2 E k(z, p) of R rows of z and as many of p, estimated without bias: each row has
 * 1 / (R - 1) Σ_{j ≠ n} (k(z_n, z_j) + k(p_n, p_j)) - 1 / R Σ_j (k(z_n, p_j) + k(z_j, p_n)), whose mean is the estimate
 *
 * It is 0 in expectation where both are of one distribution, and so may be negative. Rows that pad the batch do not count; of one row it
 * is 0. Backward, with u the upstream of the rows: dz_n = Σ_{j ≠ n} (u_n + u_j) / (R - 1) ∂k(z_n, z_j) - Σ_j (u_n + u_j) / R ∂k(z_n, p_j), and
 * dp_n likewise. Two dispatches forward, one backward for each sample that needs a gradient, R R K long. Source: Gretton et al., "A Kernel Two-Sample Test", JMLR 13, 2012, equation 3; Tolstikhin
 * et al., "Wasserstein Auto-Encoders", arXiv:1711.01558, algorithm 2.
 *
 * @param z [N L, K]
 * @param p [N L, K]
 * @param bandwidth C of the kernel.
 */
export function meanDiscrepancy(
  t: Tape,
  z: Variable,
  p: Variable,
  { kernel, bandwidth }: { readonly kernel: MmdKernel; readonly bandwidth: number },
): RowScalars {
  const { rows, columns } = z;
  const draws = rows / t.batch;
  if (p.rows !== rows || p.columns !== columns || !Number.isInteger(draws)) {
    throw new RangeError(
      `Cannot compare "${z.name}" with "${p.name}": expected two variables of one size and a multiple of ${t.batch} rows, ` +
        `found ${rows} x ${columns} and ${p.rows} x ${p.columns}`,
    );
  }
  const discrepancy = t.rowScalars("mmd", 1, rows);
  const distances = t.buffer("squared distances", 3 * rows * rows * 4);
  const pairs = (): Fragment => ({
    parts: [layoutScalar],
    constants: {
      ROWS_compared: t.stored(rows),
      COMPARED: columns,
    },
    buffers: { compared: read(t.tensor(z), "array<f32>"), drawn: read(t.tensor(p), "array<f32>") },
  });
  const similarity = (): Fragment =>
    merge(validRows(t), {
      parts: [SIMILARITIES[kernel]],
      constants: { DRAWS: draws },
      floats: { BANDWIDTH: bandwidth },
    });
  const paired = { PAIRED: rows };
  t.record({
    name: discrepancy.name,
    inputs: [z, p],
    parameters: [],
    forward() {
      const workgroups = inRows(Math.ceil(3 * rows * rows / 64));
      t.dispatch({
        label: "squared distances",
        fragments: [pairs(), {
          parts: [distancesShader],
          constants: { ...paired, ACROSS: workgroups[0] },
          buffers: { distances: write(distances) },
        }],
        workgroups,
      });
      t.dispatch({
        label: discrepancy.name,
        fragments: [similarity(), {
          parts: [discrepancyShader],
          constants: { ...paired, ROWS: discrepancy.storedRows },
          buffers: { distances: read(distances), discrepancy: write(discrepancy.buffer) },
        }],
        workgroups: [Math.ceil(discrepancy.storedRows / 64)],
      });
    },
    backward() {
      for (const [sample, ofDraws] of [[z, false], [p, true]] as const) {
        if (!t.needsGradient(sample)) continue;
        const gradient = merge(pairs(), similarity(), t.upstream("discrepancy", discrepancy), {
          parts: [toSample],
          constants: { ...paired, OF_DRAWS: ofDraws },
          buffers: { distances: read(distances) },
        });
        t.map(`${discrepancy.name} to ${sample.name}`, gradient, t.contribution(sample), sample);
      }
    },
  }, discrepancy);
  return discrepancy;
}
