/**
 * The worker of compile_ahead.ts: dispatches kernels on a device of its own so that the driver compiles them.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import type { AheadKernel } from "./compile_ahead.ts";
import { Gpu } from "../device.ts";
import { bindGroupOf } from "../kernel.ts";
import { free } from "./mirror.ts";
import { createBuffer } from "../tensor.ts";

/** What a kernel reads and writes is of no matter: what lies beyond a buffer reads as zero and is not written. Of a texture the size matters. */
const MOST_BYTES = 64 * 1024;

const opened = Gpu.open();

async function compile(kernels: readonly AheadKernel[]): Promise<void> {
  const gpu = await opened;
  for (const { label, code, bindings } of kernels) {
    const pipeline = await gpu.pipeline(label, code, bindings);
    const buffers = bindings.map(({ size, access, texels }) =>
      createBuffer(
        gpu,
        label,
        texels ? size : Math.min(size, MOST_BYTES),
        access === "uniform" ? GPUBufferUsage.UNIFORM : 0,
      )
    );
    const bound = buffers.map((buffer, i) => ({ buffer, texels: bindings[i].texels }));
    const bindGroup = bindGroupOf(gpu, label, pipeline, bound);
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(1);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
    await gpu.device.queue.onSubmittedWorkDone();
    for (const buffer of buffers) free(buffer);
  }
}

self.onmessage = async (event: MessageEvent<readonly AheadKernel[]>) => {
  await compile(event.data);
  self.postMessage("compiled");
};
