/**
 * Textures that hold what buffers hold. Mesa's software adapter reads a storage buffer value by value, in a loop over the invocations of
 * a subgroup, but the texels of a storage texture as whole vectors: four to six times as fast, with a third of the code (measured with
 * Mesa 22.3.6 by bench/accesses.ts, and read in the code that it makes; no public issue is known). So the operands of its matrix kernels are
 * read through a texture, which is brought up to date by a copy before the first kernel that reads it.
 *
 * @module
 */

import type { Commands, Copy, Fragment, Prepared } from "../kernel.ts";
import type { Tensor } from "../tensor.ts";
import layout from "../../../shaders/layout.wgsl" with { type: "text" };
import packedF32Texture from "../../../shaders/lavapipe/packed_f32_texture.wgsl" with { type: "text" };
import packedU8Texture from "../../../shaders/lavapipe/packed_u8_texture.wgsl" with { type: "text" };

/** What texels hold: four floats, or four bytes as a word. */
export type TexelFormat = "rgba32float" | "r32uint";

/** Texels of a row. */
const WIDTH = 1024;
/** Least bytes of a buffer for which a texture pays: a copy costs as much as reading that much some ten times. */
const LEAST = 16 * 1024;

const bytesPerRow = (format: TexelFormat) => WIDTH * (format === "r32uint" ? 4 : 16);

/** The texture that holds the same as a buffer: texel i is at column i % 1024 and row i / 1024. */
export class TextureCopy implements Copy {
  #texture: GPUTexture | undefined;

  /** @param buffer A buffer of whole rows; see {@linkcode wholeRows}. */
  constructor(readonly device: GPUDevice, readonly buffer: GPUBuffer, readonly format: TexelFormat) {}

  get layout(): { readonly storageTexture: GPUStorageTextureBindingLayout } {
    return { storageTexture: { access: "read-only", format: this.format } };
  }

  /** Made where it is first bound: not all that is recorded runs. */
  get #held(): GPUTexture {
    return this.#texture ??= this.device.createTexture({
      label: this.buffer.label,
      size: [WIDTH, this.buffer.size / bytesPerRow(this.format)],
      format: this.format,
      usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
    });
  }

  resource(): GPUTextureView {
    return this.#held.createView();
  }

  update(encoder: GPUCommandEncoder): void {
    const texture = this.#held;
    const source = { buffer: this.buffer, bytesPerRow: bytesPerRow(this.format) };
    encoder.copyBufferToTexture(source, { texture }, [WIDTH, texture.height]);
  }

  destroy(): void {
    this.#texture?.destroy();
  }
}

const copies = new WeakMap<GPUBuffer, TextureCopy>();

/** The texture copy of a buffer; one for all kernels that read it. */
export function textureCopy(device: GPUDevice, buffer: GPUBuffer, format: TexelFormat): TextureCopy {
  let copy = copies.get(buffer);
  if (!copy) copies.set(buffer, copy = new TextureCopy(device, buffer, format));
  return copy;
}

/** What a buffer's size is rounded up to, so that its texture copy has whole rows. */
export function wholeRows(size: number): number {
  const row = bytesPerRow("rgba32float");
  return size < LEAST ? size : Math.ceil(size / row) * row;
}

/** Frees a buffer and its texture copy. */
export function free(buffer: GPUBuffer): void {
  buffer.destroy();
  copies.get(buffer)?.destroy();
}

/** A fragment giving load4_m and load1_m of a matrix, read through a texture; undefined where that would not pay, or not fit. */
export function texturePacked(
  device: GPUDevice,
  m: string,
  { buffer, type, storedRows }: Tensor,
): Fragment | undefined {
  const format = type === "u8" ? "r32uint" : "rgba32float";
  if (buffer.size < LEAST || buffer.size / bytesPerRow(format) > device.limits.maxTextureDimension2D) return undefined;
  const copy = textureCopy(device, buffer, format);
  return {
    parts: [layout, { text: type === "u8" ? packedU8Texture : packedF32Texture, parameters: { m } }],
    constants: { [`ROWS_${m}`]: storedRows },
    buffers: { [m]: { buffer, access: "read", type: `texture_storage_2d<${format}, read>`, copy } },
  };
}

/**
 * What is copied into textures before each dispatch of a list: when it is run through first, and when it is run through again. What is
 * read through textures is brought up to date before the first dispatch that reads it, if its buffer was written since. Copies stand
 * between compute passes: so what will be read later, and is not written before, is copied along.
 */
function plan(dispatches: readonly Prepared[]): readonly [first: readonly Commands[], again: readonly Commands[]] {
  const current = new Set<GPUBuffer>();
  const stale = ({ buffer }: Copy) => !current.has(buffer);
  const round = () =>
    dispatches.map(({ copies, writes }, i) => {
      const due: Copy[] = [];
      if (copies.some(stale)) {
        const written = new Set<GPUBuffer>();
        for (const { copies, writes } of [...dispatches.slice(i), ...dispatches.slice(0, i)]) {
          for (const copy of copies) {
            if (!stale(copy) || written.has(copy.buffer)) continue;
            due.push(copy);
            current.add(copy.buffer);
          }
          for (const { buffer } of writes) written.add(buffer);
        }
      }
      for (const { buffer } of writes) current.delete(buffer);
      return due.map((copy) => (encoder: GPUCommandEncoder) => copy.update(encoder));
    });
  return [round(), round()];
}

const plans = new WeakMap<readonly Prepared[], ReturnType<typeof plan>>();

/** The copies that must stand before each dispatch of a list. */
export function updates(dispatches: readonly Prepared[]): ReturnType<typeof plan> {
  let found = plans.get(dispatches);
  if (!found) plans.set(dispatches, found = plan(dispatches));
  return found;
}
