/**
 * Dropout: units left out at random, in training alone.
 *
 * @module
 */

import { type Fragment, merge } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { packed } from "../gpu/packed.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { store } from "./store.ts";
import dropped from "../../shaders/loaders/dropped.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/**
 * y = m x / (1 - p), each m 0 with probability p, else 1, drawn anew at every step; y = x without a training, where y is x as it lies
 *
 * Backward: dx = m dy / (1 - p), with m drawn again and not kept. One dispatch each way, none where y = x. Source: Srivastava et al.,
 * "Dropout", JMLR 15, 2014, section 4, scaled in training (section 10).
 *
 * @param x [N, D]
 * @param probability p, from 0 to below 1
 * @returns y [N, D]
 */
export function dropout(t: Tape, x: Variable, probability: number): Variable {
  if (!(probability >= 0 && probability < 1)) {
    throw new RangeError(`Cannot drop of "${x.name}": expected a probability from 0 to below 1, found ${probability}`);
  }
  if (probability === 0) return x;
  const y = t.variable(`dropout of ${x.name}`, x.columns, "f32", x.rows);
  const stream = t.stream();
  y.same = () => t.training ? undefined : x;
  const load = (tensor: Tensor): Fragment =>
    merge(packed("a", tensor), {
      parts: [stateStruct, random, dropped],
      constants: { ...t.drawn("dropped", x.rows), STREAM_dropped: stream },
      floats: { DROPPED: probability },
      buffers: { state: t.readState() },
    });
  t.record({
    name: y.name,
    inputs: [x],
    parameters: [],
    formula: (f) => f.dropped(f.of(x), probability),
    forward() {
      if (t.training) store(t, y, load(t.tensor(x)));
    },
    backward() {
      if (t.needsGradient(x)) t.map(`${y.name} gradient`, load(t.gradient(y)), t.contribution(x), x);
    },
  }, y);
  return y;
}
