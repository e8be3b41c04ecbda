/**
 * What an adapter can do at most, through WebGPU with its checks: multiply-adds in registers, memory copied, and what a dispatch costs
 * that does nothing. Kernels are held against it.
 *
 * @module
 */

import type { Gpu } from "../core/gpu/device.ts";
import { type Dispatch, prepare, read, write } from "../core/gpu/kernel.ts";
import { timeDispatch } from "../core/graph/inspection.ts";
import { createBuffer } from "../core/gpu/tensor.ts";
import copyShader from "./roofline_copy.wgsl" with { type: "text" };
import multiplyAddShader from "./roofline_multiply_adds.wgsl" with { type: "text" };

/** Limits of an adapter. */
export interface Roofline {
  /** GFLOP/s of multiply-adds, 2 FLOP each, in a loop with a long body. */
  readonly unrolled: number;
  /** The same with one multiply-add of each sum in the body: what a loop costs. */
  readonly looped: number;
  /** GB/s read and written together. */
  readonly bandwidth: number;
  /** Milliseconds of a dispatch that does next to nothing. */
  readonly dispatchMs: number;
}

/** Vectors that are copied: 64 MiB, more than caches hold. */
const COPIED = 2 ** 22;

/** Multiply-adds of a vec4 in each sum of an invocation, whatever the loop. */
const ROUNDS = 4096;

/** Measures an adapter, in some seconds. */
export async function measureRoofline(gpu: Gpu): Promise<Roofline> {
  const invocations = gpu.cpu ? 2 ** 12 : 2 ** 20;
  const [source, target] = ["source", "target"].map((label) => createBuffer(gpu, label, COPIED * 16));
  const multiplyAdds = (unrolled: number): Dispatch => ({
    label: `multiply-adds, ${unrolled} in the loop`,
    fragments: [{
      parts: [{ text: multiplyAddShader, parameters: { unrolled } }],
      constants: { ROUNDS: ROUNDS / unrolled },
      buffers: { result: write(source, "array<vec4f>") },
    }],
    workgroups: [invocations / 64],
  });
  const copy = (vectors: number): Dispatch => ({
    label: "copy",
    fragments: [{
      parts: [copyShader],
      buffers: { source: read(source, "array<vec4f>"), target_buffer: write(target, "array<vec4f>") },
    }],
    workgroups: [Math.min(vectors / 64, 32768), Math.ceil(vectors / 64 / 32768)],
  });
  const flops = invocations * ROUNDS * 8 * 4 * 2;
  try {
    const repeats = gpu.cpu ? 1 : 20;
    const [unrolled, looped] = [
      await milliseconds(gpu, multiplyAdds(32), repeats),
      await milliseconds(gpu, multiplyAdds(1), repeats),
    ].map((ms) => flops / ms / 1e6);
    const bandwidth = 2 * COPIED * 16 / await milliseconds(gpu, copy(COPIED), repeats) / 1e6;
    return { unrolled, looped, bandwidth, dispatchMs: await milliseconds(gpu, copy(64), 1000) };
  } finally {
    source.destroy();
    target.destroy();
  }
}

/** Of one dispatch: the least of five. */
async function milliseconds(gpu: Gpu, dispatch: Dispatch, repeats: number): Promise<number> {
  const prepared = await prepare(gpu, dispatch);
  await timeDispatch(gpu, prepared, 1);
  const times: number[] = [];
  for (let i = 0; i < 5; i++) times.push(await timeDispatch(gpu, prepared, repeats));
  return Math.max(1e-6, Math.min(...times.filter((ms) => ms > 0), Infinity));
}

/** What keeps a kernel from being faster: the limit that it is nearest to, and how near (1 is at the limit). */
export function boundOf(
  { unrolled, looped, bandwidth, dispatchMs }: Roofline,
  { ms, macs, bytes }: { readonly ms: number; readonly macs: number; readonly bytes: number },
): { readonly by: "multiply-adds" | "memory" | "dispatch"; readonly reached: number } {
  const limits = [
    { by: "multiply-adds" as const, reached: 2 * macs / ms / 1e6 / Math.max(unrolled, looped) },
    { by: "memory" as const, reached: bytes / ms / 1e6 / bandwidth },
    { by: "dispatch" as const, reached: dispatchMs / ms },
  ];
  return limits.reduce((nearest, limit) => limit.reached > nearest.reached ? limit : nearest);
}
