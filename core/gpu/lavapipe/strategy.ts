/**
 * The strategies for adapters that run on the processor. Mesa's, lavapipe, has products in panels of registers and subgroups, operands read
 * through textures, and kernels compiled ahead on a second thread: together two to four times as fast as kernels for any adapter. Others,
 * such as the SwiftShader of browsers, have short panels alone.
 *
 * @module
 */

import { environment } from "../environment.ts";
import { compile, uniform } from "../kernel.ts";
import { type Kernels, plain, type Strategy } from "../strategy.ts";
import { PANEL, type Tensor } from "../tensor.ts";
import { packed, packedBefore } from "../packed.ts";
import { CACHE_SWITCH, FAMILY, FEATURE } from "./adapter.ts";
import { CompileAhead, kernelOf } from "./compile_ahead.ts";
import { panelProducts } from "./panel.ts";
import { free, texturePacked, updates, wholeRows } from "./texture_copy.ts";

/**
 * Invocations of a subgroup: as many floats as a vector of the driver holds (seen also in
 * https://github.com/ggml-org/llama.cpp/pull/10809).
 */
export function lanesOf(adapter: string): number {
  return Number(/, (\d+) bits\)/.exec(adapter)?.[1] ?? 0) / 32;
}

/** Whether panels suit subgroups of so many invocations. */
function suit(lanes: number): boolean {
  return [4, 8, 16].includes(lanes);
}

/** How the kernels of a tape are written. */
function kernelsOf(lanes: number, long: boolean): Kernels<typeof FAMILY> {
  return {
    family: FAMILY,
    rowMultiple: 8,
    summed: Math.min(4 * lanes, PANEL),
    invocations: 64,
    dividesSums: false,
    packed,
    before: () => packedBefore,
    // A fixed place of a uniform buffer is read at once, but one of a storage buffer in a loop over the invocations, for each row anew
    // (measured with Mesa 22.3.6).
    uniform,
    products: panelProducts(lanes, long),
  };
}

/** The line before kernels that use the feature. */
const ENABLE = `enable ${FEATURE};\n`;

/** What kernels with operations of {@linkcode FEATURE} must begin with: asked of the device, since one compiler wants what another refuses. */
function enabling(device: GPUDevice): (code: string) => Promise<string> {
  let line: Promise<string> | undefined;
  const probe = async () => {
    device.pushErrorScope("validation");
    device.createShaderModule({ label: "probe", code: ENABLE });
    return await device.popErrorScope() ? "" : ENABLE;
  };
  return async (code) => /\bsubgroup[A-Z]/.test(code) ? await (line ??= probe()) : "";
}

/** How {@linkcode lavapipe} is used. */
export interface LavapipeOptions {
  /** Whether {@linkcode FEATURE} was granted. */
  readonly subgroups: boolean;
  /** The second thread; none where kernels are compiled as they are first dispatched. */
  readonly ahead?: CompileAhead;
}

/** The strategy of Mesa's adapter. */
export function lavapipe(
  device: GPUDevice,
  adapter: string,
  { subgroups, ahead }: LavapipeOptions,
): Strategy<typeof FAMILY> {
  const lanes = subgroups ? lanesOf(adapter) : 0;
  const simple = plain(true);
  const kernels = {
    ...kernelsOf(lanes, true),
    packed: (m: string, tensor: Tensor) => texturePacked(device, m, tensor) ?? packed(m, tensor),
    before: (parameter: Tensor) => texturePacked(device, "before", parameter) ?? packedBefore,
  };
  return {
    ...simple,
    ...suit(lanes) ? { kernels } : {},
    directives: enabling(device),
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

/**
 * The strategy of another adapter on the processor, by the invocations that its subgroups are said to have. Its panels are short, for its
 * compiler takes four times as long for long ones (12.7 s for a step of 784-128-2 in place of 3.5 with Chromium 156's SwiftShader).
 */
export function software(device: GPUDevice, lanes: number): Strategy<typeof FAMILY> {
  return {
    ...plain(true),
    ...suit(lanes) ? { kernels: kernelsOf(lanes, false), directives: enabling(device) } : {},
  };
}

/** The second thread, where it is of use: without the driver's cache nobody would have anything of it. */
export function compileAhead(
  start: () => Worker,
  onLost: ((warning: string) => void) | undefined,
): CompileAhead | undefined {
  if (/^(1|true)$/.test(environment(CACHE_SWITCH) ?? "")) return undefined;
  return new CompileAhead({ start, onLost });
}
