/**
 * Counting codes.
 *
 * @module
 */

import { read, write } from "../gpu/kernel.ts";
import type { Counter, Tape, Variable } from "../graph/tape.ts";
import { validRows } from "./valid_rows.ts";
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import counterShader from "../../shaders/codes/counter.wgsl" with { type: "text" };

/**
 * Counts how often each of K codes occurs, over all rows that a program goes through; the losses of an epoch or a split then hold, under
 * `name`, what the counts come to. Integers are counted, so their order does not matter.
 *
 * @param codes [N, P], from 0 to K - 1
 * @param size K
 * @param of Which columns count: the first, and how many there are to the next. Default: all.
 */
export function counter(
  t: Tape,
  name: string,
  codes: Variable,
  size: number,
  measure: Counter["measure"],
  { first, every }: { readonly first: number; readonly every: number } = { first: 0, every: 1 },
): void {
  const { counts } = t.counter(name, size, measure);
  t.record({
    name,
    inputs: [codes],
    parameters: [],
    forward() {
      t.dispatch({
        label: name,
        fragments: [validRows(t), {
          parts: [layoutScalar, counterShader],
          constants: { ROWS_codes: t.stored(codes.rows), POSITIONS: codes.columns / every, FIRST: first, EVERY: every },
          buffers: {
            codes: read(t.tensor(codes), "array<f32>"),
            counts: write(counts, "array<atomic<u32>>"),
          },
        }],
        workgroups: [Math.ceil(codes.rows * codes.columns / every / 64)],
      });
    },
  });
}
