/**
 * Textures that hold what buffers hold. Mesa's software adapter reads a storage buffer value by value, in a loop over the invocations of
 * a subgroup, but the texels of a storage texture as whole vectors: four to six times as fast, with a third of the code. So the operands of
 * its matrix kernels are read through a texture, which is brought up to date by a copy before the first kernel that reads it.
 *
 * @module
 */

/** What texels hold: four floats, or four bytes as a word. */
export type TexelFormat = "rgba32float" | "r32uint";

/** What the texels of a matrix hold. */
export function texelsOf(type: "f32" | "u8"): TexelFormat {
  return type === "u8" ? "r32uint" : "rgba32float";
}

/** A buffer and the texture that holds the same: texel i is at column i % 1024 and row i / 1024. */
export interface Mirror {
  readonly buffer: GPUBuffer;
  readonly texture: GPUTexture;
  readonly bytesPerRow: number;
}

/** Texels of a row. */
const WIDTH = 1024;
/** Least bytes of a buffer for which a mirror pays: a copy costs as much as reading that much some ten times. */
const LEAST = 16 * 1024;

const mirrors = new WeakMap<GPUBuffer, Mirror>();

const bytesPerRow = (format: TexelFormat) => WIDTH * (format === "r32uint" ? 4 : 16);

/** What a buffer's size is rounded up to, so that its mirror has whole rows. */
export function wholeRows(size: number): number {
  const row = bytesPerRow("rgba32float");
  return size < LEAST ? size : Math.ceil(size / row) * row;
}

/** Whether a mirror of a buffer would pay, and fit. */
export function mirrored(device: GPUDevice, { size }: GPUBuffer, format: TexelFormat): boolean {
  return size >= LEAST && size / bytesPerRow(format) <= device.limits.maxTextureDimension2D;
}

/** The mirror of a buffer; one for all kernels that read it. */
export function mirrorOf(device: GPUDevice, buffer: GPUBuffer, format: TexelFormat): Mirror {
  let mirror = mirrors.get(buffer);
  if (!mirror) {
    const texture = device.createTexture({
      label: buffer.label,
      size: [WIDTH, buffer.size / bytesPerRow(format)],
      format,
      usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
    });
    mirror = { buffer, texture, bytesPerRow: bytesPerRow(format) };
    mirrors.set(buffer, mirror);
  }
  return mirror;
}

/** Brings a mirror up to date. */
export function copyToMirror(encoder: GPUCommandEncoder, { buffer, texture, bytesPerRow }: Mirror): void {
  encoder.copyBufferToTexture({ buffer, bytesPerRow }, { texture }, [WIDTH, texture.height]);
}

/** Frees a buffer and its mirror. */
export function free(buffer: GPUBuffer): void {
  buffer.destroy();
  mirrors.get(buffer)?.texture.destroy();
}
