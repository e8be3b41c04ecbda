/**
 * What differs by adapter: the one seam between what is computed and how an adapter wants it. {@linkcode plain} is for any WebGPU host;
 * an adapter that gains by something else has a {@linkcode Strategy} in a folder of its own, and `strategies.ts` says which is for which.
 *
 * @module
 */

import {
  type Binding,
  type Compiler,
  type Dispatch,
  type Fragment,
  prepare,
  type Prepared,
  type Refresh,
} from "./kernel.ts";
import type { Product, Shape, Split, SplitProduct } from "./product.ts";
import type { Tensor } from "./tensor.ts";

/** Kernels to begin with, and better ones that form the same bits. */
export interface Ready {
  /** The compiled kernels. */
  readonly prepared: readonly Prepared[];
  /**
   * Compiles the better ones, if there are any; called once the first are under way. What it gives binds the buffers, which may be gone by
   * then; undefined where the adapter is.
   */
  readonly improve?: () => Promise<readonly (() => Prepared)[] | undefined>;
}

/** Matrix products by kernels that a strategy brings. */
export interface Products {
  /**
   * The kernel of a product, and where that takes long to compile a slower one that forms the same bits. `scratch(floats)` gives a buffer for
   * partial sums.
   */
  product(p: Product, scratch: (floats: number) => GPUBuffer): { readonly shape: Shape; readonly starter?: Shape };
  /** The kernel of a split product that leaves the partial sums. */
  split(p: SplitProduct): Split;
}

/** How the kernels of a tape are written: what its ops ask for in place of knowing the adapter. */
export interface Kernels<Family extends string> {
  /** The name of its products' tiles, as a user asks for them. */
  readonly family: Family;
  /** Batches are stored with a multiple of this many rows. */
  readonly rowMultiple: number;
  /** The fewest columns of a row over which a kernel's `row_sum` adds: a partial sum of a row is kept for each so many. */
  readonly summed: number;
  /** Invocations of a kernel that is no product, where their number is free: as many as a product's has, so that both can be one. */
  readonly invocations: number;
  /** Whether a long sum by one workgroup is worth a dispatch before it, which divides it among many. */
  readonly dividesSums: boolean;
  /** A fragment giving load4_m and load1_m of a matrix that is read many times, such as an operand of a product. */
  packed(m: string, tensor: Tensor): Fragment;
  /** A fragment giving load4_before of a parameter, for a kernel that writes it as `parameter`: its value before the step. */
  before(parameter: Tensor): Fragment;
  /** Binds what a kernel only reads, all invocations at one place, such as the state (shaders/state.wgsl). */
  uniform(buffer: GPUBuffer, type: string): Binding;
  /** Products of its own; undefined where the workgroup tiles form them. */
  readonly products?: Products;
}

/** How an adapter is used. */
export interface Strategy<Family extends string = string> {
  /** Its own kernels, which suit it better than those for any host; undefined where it has none. */
  readonly kernels?: Kernels<Family>;
  /** Whether the adapter computes beside the thread that records, so that it is given something to do before all is recorded. */
  readonly concurrent: boolean;
  /**
   * Whether dispatches become one where they can. On a GPU each that waits for another costs what a small product does; on a CPU adapter it
   * costs next to nothing, and a kernel takes a driver there as long to compile as the square of its length.
   */
  readonly fuses: boolean;
  /** Bytes that a buffer of so many is given. */
  padded(size: number): number;
  /** Frees a buffer, and what was made for it. */
  free(buffer: GPUBuffer): void;
  /** Brings up to date what dispatches read in place of buffers; undefined where they read buffers alone. */
  readonly refresh?: Refresh;
  /** Directives that a kernel's text must begin with on this device; none where that is left out. */
  directives?(code: string): Promise<string>;
  /** Compiles what a program dispatches, and binds the buffers. */
  compile(gpu: Compiler, dispatches: readonly Dispatch[]): Promise<Ready>;
  /** Ends what runs beside. The promise is fulfilled when that is no longer in a driver. */
  close(): Promise<void>;
}

/** The strategy for any WebGPU host. `cpu`: whether the adapter runs on the processor's cores, and so on those that record. */
export function plain(cpu: boolean): Strategy<never> {
  return {
    concurrent: !cpu,
    fuses: !cpu,
    padded: (size) => size,
    free: (buffer) => buffer.destroy(),
    // All at once: a GPU driver compiles them side by side.
    compile: async (gpu, dispatches) => ({ prepared: await Promise.all(dispatches.map((each) => prepare(gpu, each))) }),
    close: () => Promise.resolve(),
  };
}
