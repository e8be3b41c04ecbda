/**
 * Layers: each one object that says what it holds and how it is applied. A layer of one's own is an object of the same kind.
 *
 * @example
 * ```ts
 * import { nn } from "@elbo/elbo";
 *
 * const decoder = nn.chain(nn.mlp("decoder", [2, 16, 16], { activation: "relu", normalization: "layer" }), nn.linear("mean", 16, 4));
 * console.assert(Object.keys(decoder.shapes).join() === "decoder.0,decoder.0.norm,decoder.1,decoder.1.norm,mean");
 * ```
 *
 * @module
 */

export { activation } from "./activation.ts";
export { conv, convTranspose, type KernelOptions } from "./conv.ts";
export { dropout } from "./dropout.ts";
export { hidden, type HiddenOptions, type Weights } from "./hidden.ts";
export { chain, type ImageShape, type Layer, type ShapedLayer } from "./layer.ts";
export { linear } from "./linear.ts";
export { made, type MadeOptions } from "./made.ts";
export { mlp } from "./mlp.ts";
export { groupsOf, norm, type Normalization, NORMALIZATIONS } from "./norm.ts";
export { residual, residualBlocks } from "./residual.ts";
