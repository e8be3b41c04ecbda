/**
 * The negative log-likelihood of a Bernoulli decoder.
 *
 * @module
 */

import { type Fragment, write } from "../kernel.ts";
import { loader, merge, type Tape, type Values, type Variable } from "../tape.ts";
import { PANEL, roundUp } from "../tensor.ts";
import backwardNone from "../../shaders/epilogues/backward_none.wgsl" with { type: "text" };
import backwardStore from "../../shaders/epilogues/backward_store.wgsl" with { type: "text" };
import bernoulliNllShader from "../../shaders/epilogues/bernoulli_nll.wgsl" with { type: "text" };

/**
 * -log p(x | l) = Σ_d max(l, 0) - l x + log(1 + exp(-|l|)) for each row, from logits l
 *
 * Backward: dl = w (sigmoid(l) - x), with w the weight of the term. Both are formed where the layer before ends, and the logits are
 * not stored, unless something else reads them. x may lie anywhere in [0, 1]; only for x in {0, 1} is it a likelihood.
 *
 * @param logits [N, D]
 * @param x [N, D]; where the logits have L rows for each row of x, each row is compared with all of its L.
 */
export function bernoulliNll(t: Tape, logits: Variable, x: Variable): Values {
  if (logits.columns !== x.columns) {
    throw new RangeError(
      `Cannot compare "${logits.name}" with "${x.name}": expected ${x.columns} columns, found ${logits.columns}`,
    );
  }
  const nll = t.values("nll", roundUp(logits.columns, PANEL) / t.tiles.summed, logits.rows);
  let deliver = () => {};
  const epilogue = (gradient: boolean): Fragment => {
    const common: Fragment = {
      parts: [bernoulliNllShader],
      constants: { ROWS_nll: nll.storedRows, COLUMNS: logits.columns },
      buffers: { nll: write(nll.buffer) },
    };
    if (!gradient) return merge(common, t.load("data", x, logits.rows / x.rows), { parts: [backwardNone] });
    const target = t.gradientTarget(logits);
    deliver = target.deliver;
    return merge(common, t.load("data", x, logits.rows / x.rows), t.upstream("nll", nll), {
      parts: [backwardStore],
      constants: { ROWS_gradient: target.tensor.storedRows },
      buffers: { gradient: write(target.tensor) },
    });
  };
  logits.sink = () => epilogue(t.training);
  logits.unfused = () => t.deferred(nll);
  t.record({
    name: "nll",
    inputs: [logits, x],
    parameters: [],
    forward() {
      if (t.fused(logits)) return;
      t.map("nll", loader("a", t.tensor(logits)), epilogue(t.training && !t.deferred(nll)), logits);
    },
    backward() {
      if (t.deferred(nll)) t.map("nll gradient", loader("a", t.tensor(logits)), epilogue(true), logits);
      deliver();
    },
  }, nll);
  return nll;
}
