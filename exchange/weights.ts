/**
 * The values of parameters as programs elsewhere have them.
 *
 * @module
 */

import type { NamedTensors, Parameter } from "../core/graph/parameters.ts";
import type { ConvAttributes } from "./expression.ts";

/** A tensor by its shape. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** Weight [inputs, outputs] or bias [outputs] of a parameter, as a checkpoint has it. */
export function valuesOf(tensors: NamedTensors, { name }: Pick<Parameter, "name">, part: "weight" | "bias"): Values {
  return tensors.get(`${name}.${part}`)!;
}

/** A matrix [rows, columns] with its axes exchanged. */
export function turned({ shape: [rows, columns], data }: Values): Values {
  const values = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) values[j * rows + i] = data[i * columns + j];
  return { shape: [columns, rows], data: values };
}

/**
 * The weights of a convolution, [K K C, C'] in the order ky, kx, c, as [C', C, K, K]; of a transposed one as [C, C', K, K].
 *
 * @param back From there to here.
 */
export function kernelOf(
  { shape, data }: Values,
  { kernel, transposed }: Pick<ConvAttributes, "kernel" | "transposed">,
  back = false,
): Values {
  const taps = kernel * kernel;
  const channels = back ? shape[transposed ? 0 : 1] : shape[0] / taps;
  const outputs = back ? shape[transposed ? 1 : 0] : shape[1];
  const values = new Float32Array(data.length);
  for (let tap = 0; tap < taps; tap++) {
    for (let c = 0; c < channels; c++) {
      for (let o = 0; o < outputs; o++) {
        const here = (tap * channels + c) * outputs + o;
        const there = (transposed ? c * outputs + o : o * channels + c) * taps + tap;
        if (back) values[here] = data[there];
        else values[there] = data[here];
      }
    }
  }
  if (back) return { shape: [taps * channels, outputs], data: values };
  return { shape: [...transposed ? [channels, outputs] : [outputs, channels], kernel, kernel], data: values };
}
