/**
 * An activation on its own, for what no layer ends with.
 *
 * @module
 */

import { type Fragment, read, write } from "../gpu/kernel.ts";
import { loader, type Tape, type Variable } from "../graph/tape.ts";
import { activated, type Activation, activations, type ActivationShader } from "./activations.ts";
import denseEpilogue from "../../shaders/epilogues/dense.wgsl" with { type: "text" };
import denseGradient from "../../shaders/epilogues/dense_gradient.wgsl" with { type: "text" };

/**
 * y = f(x), element by element. Where nothing else reads x it is formed where the layer before ends, and x is not stored.
 *
 * Backward: dx = dy · f'(x).
 *
 * @param x [N, D]
 * @returns y [N, D]
 */
export function activate(t: Tape, x: Variable, activation: Activation): Variable {
  const { shader, needsInput }: ActivationShader = activations[activation];
  const y = t.variable(`${activation} of ${x.name}`, x.columns, "f32", x.rows);
  const epilogue = (): Fragment => ({
    parts: [shader, denseEpilogue],
    constants: { ROWS_y: t.stored(x.rows), COLUMNS: x.columns },
    buffers: { y: write(t.tensor(y)) },
  });
  if (!needsInput) x.consumerEpilogue = epilogue;
  let deliver = () => {};
  y.gradientEpilogue = () => {
    const target = t.gradientTarget(x);
    deliver = target.deliver;
    return {
      parts: [shader, denseGradient],
      constants: { ROWS_gradient: target.tensor.storedRows },
      buffers: { saved: read(t.tensor(needsInput ? x : y)), gradient: write(target.tensor) },
    };
  };
  t.record({
    name: y.name,
    inputs: [x],
    parameters: [],
    formula: (f) => activated(f, f.of(x), activation),
    forward() {
      if (!t.fused(x)) t.map(y.name, loader("a", t.tensor(x)), epilogue(), x);
    },
    backward: () => deliver(),
  }, y);
  return y;
}
