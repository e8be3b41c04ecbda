/**
 * Looking for numbers that are not finite in buffers of floats, where they lie.
 *
 * @module
 */

import type { Gpu } from "./device.ts";
import { prepare, read, record, write } from "./kernel.ts";
import { createBuffer } from "./tensor.ts";
import shader from "../../shaders/non_finite.wgsl" with { type: "text" };

/** Workgroups that look through a buffer, at most. */
const MOST = 256;

/** Which buffers of floats hold a number that is not finite. Nothing but the answer is read back. */
export async function nonFiniteBuffers(gpu: Gpu, buffers: readonly GPUBuffer[]): Promise<GPUBuffer[]> {
  const scopes = gpu.scopes();
  const { found, all } = scopes.within(() => ({
    found: buffers.map(({ label }) => createBuffer(gpu, `found in ${label}`, 4)),
    all: createBuffer(gpu, "found", 4 * buffers.length),
  }));
  try {
    await scopes.settle();
    const dispatches = await Promise.all(buffers.map((buffer, i) =>
      prepare(gpu, {
        label: "non-finite",
        fragments: [{
          parts: [shader],
          buffers: { values: read(buffer, "array<vec4u>"), found: write(found[i], "array<atomic<u32>>") },
        }],
        workgroups: [Math.min(MOST, Math.ceil(buffer.size / 1024))],
      })
    ));
    scopes.within(() => {
      const encoder = gpu.device.createCommandEncoder();
      record(gpu, encoder, dispatches);
      found.forEach((each, i) => encoder.copyBufferToBuffer(each, 0, all, 4 * i, 4));
      gpu.device.queue.submit([encoder.finish()]);
    });
    const marks = new Uint32Array(await gpu.read(all));
    await scopes.settle();
    return buffers.filter((_, i) => marks[i]);
  } finally {
    for (const buffer of [all, ...found]) buffer.destroy();
  }
}
