/**
 * The likelihood of a code under logits.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import { codeFragment } from "./codes.ts";
import largestLogit from "../../shaders/codes/largest_logit.wgsl" with { type: "text" };
import softmaxGradient from "../../shaders/codes/softmax_gradient.wgsl" with { type: "text" };
import softmaxNllShader from "../../shaders/codes/softmax_nll.wgsl" with { type: "text" };

/**
 * -Σ log softmax(a)_k of each datum, k the code of a position, summed over its P positions, nats
 *
 * Backward: da = w (softmax(a) - the indicator of k), w the weight of the term.
 *
 * @param logits a [N P, K]
 * @param codes k [N, P], from 0 to K - 1
 */
export function softmaxNll(t: Tape, logits: Variable, codes: Variable): RowScalars {
  if (logits.rows !== codes.rows * codes.columns) {
    throw new RangeError(
      `Cannot compare "${logits.name}" with "${codes.name}": expected ${codes.rows} x ${codes.columns} rows, ` +
        `found ${logits.rows}`,
    );
  }
  const nll = t.rowScalars("nll", codes.columns, codes.rows);
  const logSums = t.buffer("log sums", t.stored(logits.rows) * 4);
  const common = (): Fragment =>
    merge(codeFragment(t, codes), {
      parts: [],
      constants: { ROWS_logits: t.stored(logits.rows), CODES: logits.columns },
      buffers: { logits: read(t.tensor(logits)) },
    });
  t.record({
    name: "softmax nll",
    inputs: [logits],
    detached: [codes],
    parameters: [],
    forward() {
      t.dispatch({
        label: "softmax nll",
        fragments: [common(), {
          parts: [largestLogit, softmaxNllShader],
          constants: { ROWS_nll: nll.storedRows },
          buffers: { log_sums: write(logSums), nll: write(nll.buffer) },
        }],
        workgroups: [Math.ceil(logits.rows / 64)],
      });
    },
    backward() {
      const gradient = merge(common(), t.upstream("nll", nll), {
        parts: [softmaxGradient],
        buffers: { log_sums: read(logSums) },
      });
      t.map(`${logits.name} gradient`, gradient, t.contribution(logits), logits);
    },
  }, nll);
  return nll;
}
