/**
 * The strategy for Mesa's software adapter, lavapipe: products in panels of registers and subgroups, operands read through textures, and
 * kernels compiled ahead on a second thread. Together two to four times as fast as kernels for any adapter.
 *
 * @module
 */

import { environment } from "../environment.ts";
import { compile, uniform } from "../kernel.ts";
import { type Kernels, plain, type Strategy } from "../strategy.ts";
import { PANEL } from "../tensor.ts";
import { packed, packedBefore } from "../packed.ts";
import { CompileAhead, kernelOf } from "./compile_ahead.ts";
import { panelProducts } from "./panel.ts";
import { free, texturePacked, updates, wholeRows } from "./texture_copy.ts";

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

/**
 * Invocations of a subgroup: as many floats as a vector of the driver holds (seen also in
 * https://github.com/ggml-org/llama.cpp/pull/10809).
 */
export function lanesOf(adapter: string): number {
  return Number(/, (\d+) bits\)/.exec(adapter)?.[1] ?? 0) / 32;
}

/** How the kernels of a tape are written. */
function kernelsOf(device: GPUDevice, lanes: number): Kernels<typeof FAMILY> {
  return {
    family: FAMILY,
    rowMultiple: 8,
    summed: Math.min(4 * lanes, PANEL),
    invocations: 64,
    dividesSums: false,
    packed: (m, tensor) => texturePacked(device, m, tensor) ?? packed(m, tensor),
    before: (parameter) => texturePacked(device, "before", parameter) ?? packedBefore,
    // A fixed place of a uniform buffer is read at once, but one of a storage buffer in a loop over the invocations, for each row anew
    // (measured with Mesa 22.3.6).
    uniform,
    products: panelProducts(lanes),
  };
}

/** How {@linkcode lavapipe} is used. */
export interface LavapipeOptions {
  /** Whether {@linkcode FEATURE} was granted. */
  readonly subgroups: boolean;
  /** The second thread; none where kernels are compiled as they are first dispatched. */
  readonly ahead?: CompileAhead;
}

/** The strategy. */
export function lavapipe(
  device: GPUDevice,
  adapter: string,
  { subgroups, ahead }: LavapipeOptions,
): Strategy<typeof FAMILY> {
  const lanes = subgroups ? lanesOf(adapter) : 0;
  const simple = plain(true);
  return {
    ...simple,
    ...[4, 8, 16].includes(lanes) ? { kernels: kernelsOf(device, lanes) } : {},
    padded: wholeRows,
    free,
    refresh: updates,
    async compile(gpu, dispatches) {
      if (!ahead?.running) return await simple.compile(gpu, dispatches);
      const soon = dispatches.map((each) => ({ ...each, ...each.starter }));
      // The first step comes to the last ones last.
      ahead.compile(soon.toReversed().map(kernelOf));
      const { prepared } = await simple.compile(gpu, soon);
      const slow = dispatches.filter(({ starter }) => starter);
      if (!slow.length) return { prepared };
      return {
        prepared,
        async improve() {
          // Where the worker is lost, the device compiles them as they are first dispatched.
          if (await ahead.compile(slow.map(kernelOf)) === "closed") return undefined;
          return await Promise.all(dispatches.map((each) => compile(gpu, each)));
        },
      };
    },
    close: async () => await ahead?.close(),
  };
}

/** The second thread, where it is of use: without the driver's cache nobody would have anything of it. */
export function compileAhead(onLost: ((warning: string) => void) | undefined): CompileAhead | undefined {
  if (/^(1|true)$/.test(environment(CACHE_SWITCH) ?? "")) return undefined;
  return new CompileAhead({ onLost });
}
