/**
 * What transforms of the whole gradient record: its norm, and its sum over several steps.
 *
 * @module
 */

import { type Fragment, read, write } from "../gpu/kernel.ts";
import { treeSum } from "../gpu/tree_sum.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Dispatches } from "../graph/dispatches.ts";
import { accumulatedOf, type Lowered } from "../graph/optimizer.ts";
import type { Parameter } from "../graph/parameters.ts";
import accumulateShader from "../../shaders/optimizers/accumulate.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import normShader from "../../shaders/optimizers/norm.wgsl" with { type: "text" };
import squaresShader from "../../shaders/optimizers/squares.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/** A fragment giving `finish`, which adds a gradient to those of so many steps. */
export function accumulating(
  t: Dispatches,
  parameter: Parameter,
  batches: number,
  { due: { every }, reduction }: Pick<Lowered, "due" | "reduction">,
): Fragment {
  const slot = accumulatedOf(parameter);
  return {
    parts: [stateStruct, accumulateShader],
    constants: { ROWS_accumulated: slot.storedRows, EVERY: every, BATCHES: batches },
    floats: { SHARE: reduction === "sum" ? 1 : 1 / batches },
    buffers: { accumulated: write(slot), state: t.readState() },
  };
}

/** Vectors of four that one workgroup adds the squares of. */
const SPAN = 4096;

/**
 * Records the norm of some gradients.
 *
 * @param gradients Where they lie, and of which parameters.
 * @returns A buffer that holds min(1, maximum / norm).
 */
export function recordNorm(
  t: Dispatches,
  name: string,
  maximum: number,
  gradients: readonly (readonly [Parameter, Tensor])[],
): GPUBuffer {
  const groups = gradients.map(([, tensor]) => Math.ceil(tensor.storedRows * tensor.storedColumns / 4 / SPAN));
  const total = groups.reduce((sum, count) => sum + count, 0);
  const squares = t.buffer(`squares of ${name}`, total * 4);
  const factor = t.buffer(`factor of ${name}`, 4);
  let first = 0;
  gradients.forEach(([parameter, tensor], i) => {
    const { inputs, outputs } = parameter.shape;
    t.dispatch({
      label: `${parameter.name} squares`,
      fragments: [{
        parts: [layout, treeSum("f32", 64), squaresShader],
        constants: {
          ROWS: tensor.storedRows,
          INPUTS: inputs,
          BIAS_ROW: parameter.biasRow,
          COLUMNS: outputs,
          SPAN,
          FIRST: first,
        },
        buffers: { gradient: read(tensor), squares: write(squares) },
      }],
      workgroups: [groups[i]],
    });
    first += groups[i];
  });
  t.dispatch({
    label: `norm of ${name}`,
    fragments: [{
      parts: [treeSum("f32", 64), normShader],
      constants: { COUNT: total },
      floats: { MAXIMUM: maximum },
      buffers: { squares: read(squares), factor: write(factor) },
    }],
    workgroups: [1],
  });
  return factor;
}
