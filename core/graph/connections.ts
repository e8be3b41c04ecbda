/**
 * Layers of which not every input reaches every output: what makes a network autoregressive.
 *
 * @module
 */

import type { Fragment } from "../gpu/kernel.ts";
import connectionsPart from "../../shaders/connections.wgsl" with { type: "text" };

/** The degree of each unit i: first + i mod period, or counted down from first + period - 1. */
export interface Degrees {
  /** How many degrees there are. */
  readonly period: number;
  /** The lowest. */
  readonly first: number;
  /** Counted down. Default: false. */
  readonly reversed?: boolean;
  /** Units from this one on have degree 0: they reach all others. Default: none. */
  readonly free?: number;
}

/**
 * Which weights there are: those from an input of a lower degree to an output of a higher, or, where it is not strict, of the same.
 *
 * Source: Germain et al., "MADE: Masked Autoencoder for Distribution Estimation", arXiv:1502.03509, equations 12 and 13.
 */
export interface Connections {
  /** Of the units that are read. */
  readonly inputs: Degrees;
  /** Of the units that are formed. */
  readonly outputs: Degrees;
  /** Whether an output sees only what is below its own degree. */
  readonly strict: boolean;
}

/** The degree of unit i. */
export function degreeOf({ period, first, reversed = false, free = Infinity }: Degrees, i: number): number {
  if (i >= free) return 0;
  return reversed ? first + period - 1 - i % period : first + i % period;
}

/** Whether there is a weight from an input to an output. */
export function isConnected({ inputs, outputs, strict }: Connections, input: number, output: number): boolean {
  const [from, to] = [degreeOf(inputs, input), degreeOf(outputs, output)];
  return strict ? to > from : to >= from;
}

/** The weights [inputs, outputs] that there are, and zeros. */
export function connectedWeights(weights: Float32Array, outputs: number, connections: Connections): Float32Array {
  return weights.map((weight, i) => isConnected(connections, Math.floor(i / outputs), i % outputs) ? weight : 0);
}

/** A fragment giving `connected(row, column4)`: 1 where there is a weight, or a bias, and 0 elsewhere. */
export function connected({ inputs, outputs, strict }: Connections, count: number): Fragment {
  const of = (side: string, { period, first, reversed = false, free = 2 ** 31 }: Degrees) => ({
    [`PERIOD_${side}`]: period,
    [`FIRST_${side}`]: first,
    [`REVERSED_${side}`]: reversed ? 1 : 0,
    [`FREE_${side}`]: free,
  });
  return {
    parts: [connectionsPart],
    constants: { INPUTS: count, STRICT: strict ? 1 : 0, ...of("inputs", inputs), ...of("outputs", outputs) },
  };
}
