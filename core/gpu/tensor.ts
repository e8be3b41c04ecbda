/**
 * A matrix on the GPU: a buffer, what it holds, and the panel layout of shaders/layout.wgsl that all kernels share.
 *
 * @module
 */

/** Where buffers are allocated: a Gpu. */
export interface Allocator {
  readonly device: GPUDevice;
  readonly adapter: string;
  readonly strategy: {
    /** Bytes that a buffer of so many is given. */
    padded(size: number): number;
  };
}

/** Columns of a panel: the unit in which every matrix is padded. */
export const PANEL = 32;

/** Rounds up to a multiple. */
export function roundUp(n: number, multiple: number): number {
  return Math.ceil(n / multiple) * multiple;
}

/** The greatest common divisor. */
export function gcd(a: number, b: number): number {
  return b ? gcd(b, a % b) : a;
}

/** A matrix of R x C values on the GPU. */
export interface Tensor {
  /** What it is called in messages. */
  readonly name: string;
  /** Where the values are stored. */
  readonly buffer: GPUBuffer;
  /** R */
  readonly rows: number;
  /** C */
  readonly columns: number;
  /** Rows stored, padding and an extra bias row included. */
  readonly storedRows: number;
  /** Columns stored: `columns` rounded up to a multiple of {@linkcode PANEL}. */
  readonly storedColumns: number;
  /** "u8" bytes stand for byte / 255, four to a u32. */
  readonly type: "f32" | "u8";
}

/** Allocates a matrix of zeros. */
export function createTensor(
  gpu: Allocator,
  name: string,
  rows: number,
  columns: number,
  { storedRows = rows, type = "f32" }: { storedRows?: number; type?: Tensor["type"] } = {},
): Tensor {
  const storedColumns = roundUp(columns, PANEL);
  const size = storedRows * storedColumns * (type === "u8" ? 1 : 4);
  const buffer = createBuffer(gpu, name, size);
  return { name, buffer, rows, columns, storedRows, storedColumns, type };
}

/** The most bytes of a buffer that a kernel binds, and which limit says so. */
export function mostBytes(
  { maxBufferSize, maxStorageBufferBindingSize }: Pick<
    GPUSupportedLimits,
    "maxBufferSize" | "maxStorageBufferBindingSize"
  >,
): { readonly name: string; readonly bytes: number } {
  return maxBufferSize < maxStorageBufferBindingSize
    ? { name: "maxBufferSize", bytes: maxBufferSize }
    : { name: "maxStorageBufferBindingSize", bytes: maxStorageBufferBindingSize };
}

/** Allocates a storage buffer of zeros, which may have another usage too. */
export function createBuffer(gpu: Allocator, label: string, size: number, usage = 0): GPUBuffer {
  // What a driver does with a buffer of no size is its own affair (https://github.com/gpuweb/gpuweb/issues/546): Mesa 22.3.6 ends the process.
  if (!(size >= 1)) throw new RangeError(`Cannot allocate "${label}": expected at least 1 byte, found ${size}`);
  const { name, bytes } = mostBytes(gpu.device.limits);
  if (size > bytes) {
    throw new RangeError(
      `Cannot allocate "${label}": expected at most ${bytes} bytes (${name}) on ${gpu.adapter}, found ${size}`,
    );
  }
  return gpu.device.createBuffer({
    label,
    size: gpu.strategy.padded(roundUp(Math.max(size, 16), 16)),
    usage: usage | GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
}

/** Where element (row, column) of a matrix with `storedRows` stored rows lies. */
export function indexOf(storedRows: number, row: number, column: number): number {
  return ((column >> 5) * storedRows + row) * PANEL + (column & 31);
}

/** Writes row-major values into rows `from` ... of a matrix. */
export function upload(gpu: Pick<Allocator, "device">, tensor: Tensor, values: Float32Array, from = 0): void {
  const { storedRows, storedColumns, columns } = tensor;
  const packed = new Float32Array(storedRows * storedColumns);
  const rows = values.length / columns;
  for (let panel = 0; panel < columns; panel += PANEL) {
    const width = Math.min(PANEL, columns - panel);
    for (let row = 0; row < rows; row++) {
      const to = indexOf(storedRows, from + row, panel);
      const start = row * columns + panel;
      for (let i = 0; i < width; i++) packed[to + i] = values[start + i];
    }
  }
  gpu.device.queue.writeBuffer(tensor.buffer, 0, packed);
}

/** Puts values that were read from a matrix back into row-major order. */
export function unpack(
  tensor: Tensor,
  stored: ArrayBuffer,
  from = 0,
  rows: number = tensor.rows,
): Float32Array<ArrayBuffer> {
  const { storedRows, columns, type } = tensor;
  const packed = type === "u8" ? new Uint8Array(stored) : new Float32Array(stored);
  const scale = type === "u8" ? 255 : 1;
  const values = new Float32Array(rows * columns);
  for (let panel = 0; panel < columns; panel += PANEL) {
    const width = Math.min(PANEL, columns - panel);
    for (let row = 0; row < rows; row++) {
      const start = indexOf(storedRows, from + row, panel);
      const to = row * columns + panel;
      for (let i = 0; i < width; i++) values[to + i] = packed[start + i] / scale;
    }
  }
  return values;
}

/** Reads a matrix, row-major [rows, columns]. */
export async function download(
  gpu: { read(buffer: GPUBuffer): Promise<ArrayBuffer> },
  tensor: Tensor,
): Promise<Float32Array<ArrayBuffer>> {
  return unpack(tensor, await gpu.read(tensor.buffer));
}
