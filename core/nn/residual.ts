/**
 * Residual connections.
 *
 * @module
 */

import { add } from "../ops/add.ts";
import { reshape } from "../ops/reshape.ts";
import { activation } from "./activation.ts";
import { hidden, type HiddenOptions, type Weights } from "./hidden.ts";
import { chain, type ImageShape, type Layer } from "./layer.ts";

/** y = x + inner(x), x and inner(x) of one size. */
export function residual(inner: Layer): Layer {
  return { shapes: inner.shapes, apply: (t, p, x) => add(t, x, inner.apply(t, p, x)) };
}

/** Images as rows of pixels, [N H W, C], from those or from [N, H W C]. */
function byPixels([, , channels]: ImageShape): Layer {
  return { shapes: {}, apply: (t, _, x) => x.columns === channels ? x : reshape(t, x, channels) };
}

/**
 * Blocks y = f(x + norm(weights₂(dropout(f(norm(weights₁(x))))))), as many as the options say, on images of one shape
 *
 * Names: `name.block.0.0` and `name.block.0.1` for the weights of the first. Source: He et al., "Deep Residual Learning", arXiv:1512.03385,
 * figure 2; Zagoruyko and Komodakis, arXiv:1605.07146, section 2.4, for the place of dropout.
 *
 * @param shape Of x and y.
 * @param weights Weights from that shape to the same.
 */
export function residualBlocks(name: string, shape: ImageShape, weights: Weights, options: HiddenOptions): Layer {
  const { residual: count = 0, activation: f } = options;
  if (count === 0) return chain();
  const blocks = Array.from({ length: count }, (_, i) => {
    const block = `${name}.block.${i}`;
    const inner = chain(
      hidden(`${block}.0`, weights, options),
      hidden(`${block}.1`, weights, { ...options, activation: "identity", dropout: 0 }),
    );
    return chain(residual(inner), activation(f));
  });
  return chain(byPixels(shape), ...blocks);
}
