/**
 * The density that a Gaussian posterior has at given latents.
 *
 * @module
 */

import { read, write } from "../gpu/kernel.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import { type Covariance, latentsOf } from "./reparameterize.ts";
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import shader from "../../shaders/posterior_ratio.wgsl" with { type: "text" };

/**
 * log N(z; 0, I) - log N(z; μ, L Lᵀ) = ½ (‖L⁻¹ (z - μ)‖² + Σᵢ log Lᵢᵢ² - ‖z‖²), with L = diag σ for a diagonal covariance
 *
 * It only measures: no gradient passes.
 *
 * @param z [N L, K], L rows for each of the statistics.
 * @param statistics [N, 2 K], or more for full covariance, as {@linkcode reparameterize} has them.
 * @returns One value for each row of z.
 */
export function posteriorRatio(
  t: Tape,
  z: Variable,
  statistics: Variable,
  covariance: Covariance = "diagonal",
): RowScalars {
  const latents = latentsOf(statistics, covariance);
  const repeats = z.rows / statistics.rows;
  if (z.columns !== latents || !Number.isInteger(repeats)) {
    throw new RangeError(
      `Cannot weigh "${z.name}" by "${statistics.name}": expected ${latents} columns and a multiple of ${statistics.rows} rows, ` +
        `found ${z.rows} x ${z.columns}`,
    );
  }
  const ratio = t.rowScalars("log N(z; 0, I) - log q(z | x)", 1, z.rows);
  t.record({
    name: ratio.name,
    inputs: [],
    detached: [z, statistics],
    parameters: [],
    forward: () =>
      t.dispatch({
        label: ratio.name,
        fragments: [{
          parts: [layoutScalar, shader],
          constants: {
            ROWS_statistics: t.stored(statistics.rows),
            REPEATS_statistics: repeats,
            ROWS_z: z.rows,
            STORED: ratio.storedRows,
            LATENTS: latents,
            FULL: covariance === "full",
          },
          buffers: {
            z: read(t.tensor(z), "array<f32>"),
            statistics: read(t.tensor(statistics), "array<f32>"),
            ratio: write(ratio.buffer),
          },
        }],
        workgroups: [Math.ceil(ratio.storedRows / 64)],
      }),
  }, ratio);
  return ratio;
}
