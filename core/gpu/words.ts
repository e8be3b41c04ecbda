/**
 * How kernels read the words of a matrix: vectors of four floats, or of four bytes.
 *
 * @module
 */

import { type Fragment, read, readTexels } from "./kernel.ts";
import type { Tensor } from "./tensor.ts";
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import wordsF32 from "../../shaders/loaders/words_f32.wgsl" with { type: "text" };
import wordsF32Texture from "../../shaders/loaders/words_f32_texture.wgsl" with { type: "text" };
import wordsU8 from "../../shaders/loaders/words_u8.wgsl" with { type: "text" };
import wordsU8Texture from "../../shaders/loaders/words_u8_texture.wgsl" with { type: "text" };

/** A fragment giving word4_m and word_m of a matrix, read where it lies or through a texture. */
export function words(m: string, tensor: Tensor, texels = false): Fragment {
  const [direct, texture] = tensor.type === "u8" ? [wordsU8, wordsU8Texture] : [wordsF32, wordsF32Texture];
  return {
    parts: [layout, { text: texels ? texture : direct, parameters: { m } }],
    constants: { [`ROWS_${m}`]: tensor.storedRows },
    buffers: { [m]: texels ? readTexels(tensor) : read(tensor) },
  };
}
