/**
 * The masked autoencoder: dense layers whose output for a dimension sees those before it alone.
 *
 * @module
 */

import type { Degrees } from "../graph/connections.ts";
import { hidden, type HiddenOptions } from "./hidden.ts";
import { chain, type Layer } from "./layer.ts";
import { linear } from "./linear.ts";

/** What a {@linkcode made} has beside its hidden layers. */
export interface MadeOptions extends Omit<HiddenOptions, "normalization" | "residual"> {
  /** C, columns of the input behind the dimensions that every output sees. Default 0. */
  readonly context?: number;
  /** Whether the last dimension comes first. Default false. */
  readonly reversed?: boolean;
}

/**
 * y = W x + b with hidden layers between: x [N, K + C], y [N, outputs K]; column j of y depends on the dimensions before j mod K, and on
 * the C columns of context, alone
 *
 * The last layer is zero at first. Source: Germain et al., "MADE: Masked Autoencoder for Distribution Estimation", arXiv:1502.03509,
 * section 3, with degrees in turn in place of random ones.
 *
 * @param dimensions K
 * @param widths Of the hidden layers.
 * @param outputs Numbers for each dimension.
 */
export function made(
  name: string,
  dimensions: number,
  widths: readonly number[],
  outputs: number,
  { context = 0, reversed = false, ...options }: MadeOptions,
): Layer {
  const order: Degrees = { period: dimensions, first: 1, reversed, ...(context ? { free: dimensions } : {}) };
  // What sees no dimension is of use only where there is a context.
  const between: Degrees = context
    ? { period: dimensions, first: 0 }
    : { period: Math.max(1, dimensions - 1), first: 1 };
  const sizes = [dimensions + context, ...widths];
  return chain(
    ...widths.map((width, i) => {
      const connections = { inputs: i ? between : order, outputs: between, strict: false };
      return hidden(
        `${name}.${i}`,
        (each, activation) => linear(each, sizes[i], width, activation, { connections }),
        options,
      );
    }),
    linear(`${name}.${widths.length}`, sizes.at(-1)!, outputs * dimensions, "identity", {
      connections: { inputs: widths.length ? between : order, outputs: { ...order, free: undefined }, strict: true },
      initial: 0,
    }),
  );
}
