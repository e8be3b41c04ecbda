/**
 * How kernels for any adapter read the words of a matrix: where they lie, as vectors of four floats, or of four bytes.
 *
 * @module
 */

import { type Fragment, read } from "./kernel.ts";
import type { Tensor } from "./tensor.ts";
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import before from "../../shaders/optimizers/before.wgsl" with { type: "text" };
import packedF32 from "../../shaders/loaders/packed_f32.wgsl" with { type: "text" };
import packedU8 from "../../shaders/loaders/packed_u8.wgsl" with { type: "text" };

/** A fragment giving load4_m and load1_m of a matrix. */
export function packed(m: string, tensor: Tensor): Fragment {
  return {
    parts: [layout, { text: tensor.type === "u8" ? packedU8 : packedF32, parameters: { m } }],
    constants: { [`ROWS_${m}`]: tensor.storedRows },
    buffers: { [m]: read(tensor) },
  };
}

/** A fragment giving load4_before of a parameter, for a kernel that writes it as `parameter`: its value before the step. */
export const packedBefore: Fragment = { parts: [before] };
