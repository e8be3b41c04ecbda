/**
 * Sums over a workgroup in a fixed order, for kernels that add what all of their invocations have.
 *
 * @module
 */

import type { Part } from "./kernel.ts";
import shader from "../../shaders/tree_sum.wgsl" with { type: "text" };

/** A part giving `tree_sum(value, index)`, for workgroups of so many invocations: a power of 2. */
export function treeSum(type: "f32" | "vec4f", invocations: number): Part {
  return { text: shader, parameters: { type, invocations } };
}
