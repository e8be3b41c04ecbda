/**
 * How far per-row values are from a scheduled number.
 *
 * @module
 */

import { merge, read, write } from "../gpu/kernel.ts";
import type { Schedule } from "../graph/schedule.ts";
import type { RowScalars, Tape } from "../graph/tape.ts";
import shader from "../../shaders/absolute_difference.wgsl" with { type: "text" };
import scalarPart from "../../shaders/scalar.wgsl" with { type: "text" };
import upstreamSign from "../../shaders/epilogues/upstream_sign.wgsl" with { type: "text" };

/**
 * |v - C(t)| for each row, C following a schedule
 *
 * Backward: dv = sign(v - C). With v the KL it holds the KL of each datum at a capacity C. Source: Burgess et al., arXiv:1804.03599,
 * equation 8, with the KL of a datum in place of its mean.
 *
 * @param values v, one value for each of N rows.
 */
export function absoluteDifference(t: Tape, values: RowScalars, target: Schedule): RowScalars {
  const difference = t.rowScalars(`${values.name} from its target`, 1, values.rows);
  const signs = t.buffer("signs", values.storedRows * 4);
  const scalar = t.schedule(target);
  values.upstream = (m) =>
    merge(t.upstream(`${m}_difference`, difference), {
      parts: [{ text: upstreamSign, parameters: { m } }],
      constants: { [`VALID_${m}`]: values.rows },
      buffers: { sign_of: read(signs) },
    });
  t.record({
    name: difference.name,
    inputs: [],
    parameters: [],
    values: [values],
    forward() {
      t.dispatch({
        label: difference.name,
        fragments: [{
          parts: [scalarPart, shader],
          constants: {
            ROWS_values: values.storedRows,
            PARTS_values: values.parts,
            DATA: values.rows,
            SCALAR: t.scalar(scalar),
          },
          buffers: {
            scalars: t.readScalars(),
            values: read(values.buffer),
            difference: write(difference.buffer),
            sign_of: write(signs),
          },
        }],
        workgroups: [Math.ceil(values.rows / 64)],
      });
    },
  }, difference);
  return difference;
}
