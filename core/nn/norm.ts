/**
 * Normalizations as layers.
 *
 * @module
 */

import type { Activation } from "../ops/activations.ts";
import { batchNorm, groupNorm, layerNorm, normShape, runningShape } from "../ops/normalize.ts";
import type { ImageShape, ShapedLayer } from "./layer.ts";

/** The names of the normalizations. */
export const NORMALIZATIONS = ["none", "batch", "layer", "group"] as const;
/** One of {@linkcode NORMALIZATIONS}. */
export type Normalization = typeof NORMALIZATIONS[number];

/** Channels of a group, at least. */
const GROUP = 16;

/**
 * As many groups as divide C channels into equal ones of 16 or more, which Wu and He found as good as 32 groups where there are many
 * channels (arXiv:1803.08494, table 3): 2 for 32 channels, 4 for 64, 25 for 500.
 */
export function groupsOf(channels: number): number {
  let groups = Math.max(1, Math.floor(channels / GROUP));
  while (channels % groups) groups--;
  return groups;
}

/**
 * y = f(γ x̂ + β): {@linkcode batchNorm}, {@linkcode layerNorm}, or {@linkcode groupNorm} in {@linkcode groupsOf} groups
 *
 * @param name Of γ and β; `name.running` of a batch normalization's moving averages.
 * @param images H, W, C of x; 1, 1, D of rows.
 */
export function norm(
  kind: Exclude<Normalization, "none">,
  name: string,
  images: ImageShape,
  activation: Activation = "identity",
): ShapedLayer {
  const [height, width, channels] = images;
  const options = { pixels: height * width, activation };
  const running = `${name}.running`;
  return {
    shapes: { [name]: normShape(channels), ...kind === "batch" ? { [running]: runningShape(channels) } : {} },
    output: images,
    apply(t, p, x) {
      const parameter = p.get(name);
      switch (kind) {
        case "batch":
          return batchNorm(t, x, parameter, p.get(running), options);
        case "layer":
          return layerNorm(t, x, parameter, options);
        case "group":
          return groupNorm(t, x, parameter, groupsOf(channels), options);
      }
    },
  };
}
