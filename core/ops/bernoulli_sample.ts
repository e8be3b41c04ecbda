/**
 * Drawing from a Bernoulli decoder.
 *
 * @module
 */

import { type Fragment, read, write } from "../kernel.ts";
import { loader, type Tape, type Variable } from "../tape.ts";
import bernoulliSampleShader from "../../shaders/epilogues/bernoulli_sample.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/**
 * x ~ Bernoulli(sigmoid(l)): 1 or 0 for each element. It has no gradient.
 *
 * @param logits l [N, D]
 * @returns x [N, D]
 */
export function bernoulliSample(t: Tape, logits: Variable): Variable {
  const x = t.variable("sample", logits.columns, "f32", logits.rows);
  const stream = t.stream();
  const epilogue = (): Fragment => ({
    parts: [stateStruct, random, bernoulliSampleShader],
    constants: { ROWS_y: t.stored(x.rows), COLUMNS: logits.columns, LIVE_sample: x.rows, STREAM_sample: stream },
    buffers: { y: write(t.tensor(x)), state: read(t.state, "State") },
  });
  logits.sink = epilogue;
  t.record({
    name: x.name,
    inputs: [logits],
    parameters: [],
    forward() {
      if (!t.fused(logits)) t.map(x.name, loader("a", t.tensor(logits)), epilogue(), logits);
    },
  }, x);
  return x;
}
