/**
 * A stack of dense layers.
 *
 * @module
 */

import { hidden, type HiddenOptions } from "./hidden.ts";
import { chain, type Layer } from "./layer.ts";
import { linear } from "./linear.ts";
import { residualBlocks } from "./residual.ts";

/**
 * `name.0` from sizes[0] to sizes[1], and so on: each with its activation and what else the options say, and the residual blocks of its
 * width behind it
 *
 * @param sizes [D, H₁, H₂, ...]; x itself is given where there is D alone.
 */
export function mlp(name: string, sizes: readonly number[], options: HiddenOptions): Layer {
  return chain(
    ...sizes.slice(1).flatMap((outputs, i) => {
      const layer = hidden(`${name}.${i}`, (each, activation) => linear(each, sizes[i], outputs, activation), options);
      return [
        layer,
        residualBlocks(
          `${name}.${i}`,
          layer.output,
          (each, activation) => linear(each, outputs, outputs, activation),
          options,
        ),
      ];
    }),
  );
}
