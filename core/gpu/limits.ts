/**
 * What kernels ask of a device, held against its limits before a driver sees them. A device that was asked for nothing has the default
 * limits, and one in compatibility mode less.
 *
 * @module
 */

import { bytesOf, constantsOf, declarations, entryPoint } from "./wgsl.ts";
import { GpuError } from "./error_scopes.ts";

/** The limits that kernels meet. */
export type KernelLimits = Pick<
  GPUSupportedLimits,
  | "maxStorageBuffersPerShaderStage"
  | "maxStorageTexturesPerShaderStage"
  | "maxUniformBuffersPerShaderStage"
  | "maxUniformBufferBindingSize"
  | "maxComputeInvocationsPerWorkgroup"
  | "maxComputeWorkgroupSizeX"
  | "maxComputeWorkgroupStorageSize"
  | "maxComputeWorkgroupsPerDimension"
>;

/** Where a kernel is to run: a Gpu. */
export interface Limited {
  readonly device: { readonly limits: KernelLimits };
  readonly adapter: string;
}

/** What a kernel binds, and how many workgroups of it start. */
export interface LimitedKernel {
  readonly label: string;
  readonly workgroups: readonly [x: number, y?: number];
  readonly code: string;
  readonly bindings: readonly {
    readonly buffer: { readonly size: number };
    readonly access: "read" | "uniform" | "read_write";
    /** What is bound in its place. */
    readonly copy?: unknown;
  }[];
}

/** Of each limit what a kernel needs; 0 for what its text does not tell. */
function needs(
  { workgroups: [x, y = 1], code, bindings }: LimitedKernel,
): Readonly<Record<keyof KernelLimits, number>> {
  const all = declarations(code) ?? [];
  const constants = constantsOf(all);
  const main = all.find(({ name }) => name === "main");
  const size = (main && entryPoint(main, constants))?.size ?? 0;
  const memory = all.filter(({ text }) => text.startsWith("var<workgroup>")).map((each) => bytesOf(each, constants));
  const uniforms = bindings.filter(({ access, copy }) => access === "uniform" && !copy);
  return {
    maxStorageBuffersPerShaderStage: bindings.filter(({ access, copy }) => access !== "uniform" && !copy).length,
    maxStorageTexturesPerShaderStage: bindings.filter(({ copy }) => copy).length,
    maxUniformBuffersPerShaderStage: uniforms.length,
    maxUniformBufferBindingSize: Math.max(0, ...uniforms.map(({ buffer }) => buffer.size)),
    maxComputeInvocationsPerWorkgroup: size,
    maxComputeWorkgroupSizeX: size,
    maxComputeWorkgroupStorageSize: memory.filter(Number.isFinite).reduce((sum, bytes) => sum + bytes, 0),
    maxComputeWorkgroupsPerDimension: Math.max(x, y),
  };
}

/**
 * Checks a kernel.
 *
 * @throws {GpuError} If the device does not allow what it needs.
 */
export function requireLimits(
  { device: { limits }, adapter }: Limited,
  kernel: LimitedKernel,
): void {
  const needed = needs(kernel);
  for (const limit of Object.keys(needed) as (keyof KernelLimits)[]) {
    if (!(needed[limit] > limits[limit])) continue;
    throw new GpuError(
      `Cannot run the kernel "${kernel.label}" on ${adapter}: expected a device with ${limit} of at least ` +
        `${needed[limit]}, found ${limits[limit]}; ask for it in requestDevice({ requiredLimits })`,
    );
  }
}
