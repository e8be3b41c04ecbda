/**
 * Which adapters are Mesa's, and what its strategy asks of an adapter: all that is known of it before it is loaded.
 *
 * @module
 */

/** The variable by which the driver is told how many threads to compute with. */
export const THREADS = "LP_NUM_THREADS";

/** The driver's switch for its cache on disk. */
export const CACHE_SWITCH = "MESA_SHADER_CACHE_DISABLE";

/** The family of its kernels. */
export const FAMILY = "panel";

/** What those kernels need: the number of invocations must be known, and divide a panel of the layout. */
export const NEEDS = "known subgroups of 4, 8 or 16 lanes";

/**
 * The feature that panels need. Deno grants it, but does not list it (measured with 2.9.6), as wgpu has all operations but not the letter
 * of the specification: https://github.com/gfx-rs/wgpu/issues/5555. For the same reason its compiler refuses the line `enable subgroups;`,
 * which browsers require: https://github.com/gfx-rs/wgpu/issues/8202.
 */
export const FEATURE = "subgroups";

/** Whether this is the adapter, by its name: `llvmpipe (LLVM 15.0.6, 256 bits)`. */
export function isLavapipe(adapter: string): boolean {
  return /\(LLVM [^,)]*, \d+ bits\)/.test(adapter);
}
