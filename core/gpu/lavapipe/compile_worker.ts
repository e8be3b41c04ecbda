/**
 * The worker of compile_ahead.ts: dispatches kernels on a device of its own so that the driver compiles them.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import type { AheadKernel, Answer, Order } from "./compile_ahead.ts";
import { Gpu } from "../device.ts";
import { bindGroupOf } from "../kernel.ts";
import { createBuffer } from "../tensor.ts";
import { free, textureCopy } from "./texture_copy.ts";

/** What a kernel reads and writes is of no matter: what lies beyond a buffer reads as zero and is not written. Of a texture the size matters. */
const MOST_BYTES = 64 * 1024;

const opened = Gpu.open();
// Told where it is waited for.
opened.catch(() => {});

async function compile({ label, code, bindings }: AheadKernel): Promise<void> {
  const gpu = await opened;
  const scopes = gpu.scopes();
  const bound = scopes.within(() =>
    bindings.map(({ size, access, format }) => {
      const usage = access === "uniform" ? GPUBufferUsage.UNIFORM : 0;
      const buffer = createBuffer(gpu, label, format ? size : Math.min(size, MOST_BYTES), usage);
      return { buffer, access, ...format ? { copy: textureCopy(gpu.device, buffer, format) } : {} };
    })
  );
  const pipeline = await gpu.pipeline(label, code, bound);
  scopes.within(() => {
    const bindGroup = bindGroupOf(gpu.device, label, pipeline, bound);
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(1);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);
  });
  await gpu.device.queue.onSubmittedWorkDone();
  await scopes.settle();
  for (const { buffer } of bound) free(buffer);
}

const answer = (answer: Answer) => self.postMessage(answer);

let stopping = false;
/** What it was given up to now is done. */
let last: Promise<void> = Promise.resolve();

async function compileAll(kernels: readonly AheadKernel[]): Promise<void> {
  try {
    for (const kernel of kernels) {
      // So that it can be told to stop between two.
      await new Promise((resolve) => setTimeout(resolve));
      if (stopping) return;
      await compile(kernel);
      answer({ compiled: true });
    }
  } catch (error) {
    answer({ error: error instanceof Error ? error.message : String(error) });
  }
}

self.onmessage = ({ data: order }: MessageEvent<Order>) => {
  if (order !== "stop") {
    last = last.then(() => compileAll(order));
    return;
  }
  stopping = true;
  last.then(() => opened).then((gpu) => gpu.destroy(), () => {}).then(() => answer({ stopped: true }));
};
