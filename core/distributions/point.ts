/**
 * A posterior that is a point.
 *
 * @module
 */

import type { Tape, Variable } from "../graph/tape.ts";
import type { Posterior } from "./distribution.ts";

/**
 * q(z | x) all at one z: what an autoencoder without noise has.
 *
 * @param code z [N, K]
 */
export function point(_t: Tape, code: Variable): Posterior {
  return {
    name: "point",
    latents: code.columns,
    statistics: code,
    draw() {
      throw new TypeError("Cannot draw from a point: it has no divergence from a prior; use its statistics");
    },
  };
}
