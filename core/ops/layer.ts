/**
 * What every layer y = f(a) shares, however a is formed: the output, the epilogue that applies f, and what ends the gradient. It is no op.
 *
 * @module
 */

import { type Fragment, read, write } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { type Activation, activations, type ActivationShader } from "./activations.ts";
import denseEpilogue from "../../shaders/epilogues/dense.wgsl" with { type: "text" };
import denseGradient from "../../shaders/epilogues/dense_gradient.wgsl" with { type: "text" };
import denseKeep from "../../shaders/epilogues/dense_keep.wgsl" with { type: "text" };

/** The output of a layer and the epilogue that forms it. */
export interface LayerOutput {
  readonly y: Variable;
  /** Gives `store`, which takes a: f and storing, or what the one consumer makes of it. */
  epilogue(): Fragment;
}

/**
 * y = f(a); dL/da = dL/dy f'(a) ends the gradient of y.
 *
 * @param fusible Whether the product can end with a consumer's epilogue.
 */
export function layerOutput(
  t: Tape,
  name: string,
  rows: number,
  columns: number,
  activation: Activation,
  fusible: boolean,
): LayerOutput {
  const { shader, needsInput }: ActivationShader = activations[activation];
  const y = t.variable(name, columns, "f32", rows);
  // What f' is computed from where that is not y; a variable of its own so that it is stored only where it is needed.
  const a = t.variable(`input of ${name}`, columns, "f32", rows);
  y.fusible = fusible && activation === "identity";
  if (activation !== "identity") {
    y.gradientEpilogue = () => {
      const gradient = t.gradient(y);
      return {
        parts: [shader, denseGradient],
        constants: { ROWS_gradient: gradient.storedRows },
        buffers: { saved: read(t.tensor(needsInput ? a : y)), gradient: write(gradient) },
      };
    };
  }
  return {
    y,
    epilogue: () =>
      t.fused(y) ? y.consumerEpilogue!() : {
        parts: [shader, needsInput ? denseKeep : denseEpilogue],
        constants: { ROWS_y: t.stored(rows), COLUMNS: columns },
        buffers: { y: write(t.tensor(y)), ...(needsInput ? { kept_input: write(t.tensor(a)) } : {}) },
      },
  };
}
