/**
 * Looking into programs: what first went bad, and what each dispatch takes.
 *
 * @module
 */

import type { Clock } from "../gpu/clock.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ErrorScopes } from "../gpu/error_scopes.ts";
import { type Prepared, record, type Recorder } from "../gpu/kernel.ts";

/**
 * Runs dispatches one by one and says which one first wrote a number that is not finite, and where.
 *
 * @param run Gives the dispatches of a step in pieces, each of which is waited for.
 */
export async function findNonFinite(
  gpu: Gpu,
  scopes: ErrorScopes,
  run: (each: (piece: readonly Prepared[]) => Promise<void>) => Promise<void>,
): Promise<string | undefined> {
  let found: string | undefined;
  const look = async (dispatch: Prepared) => {
    const { label, writes } = dispatch;
    scopes.within(() => {
      const encoder = gpu.device.createCommandEncoder();
      record(gpu, encoder, [dispatch]);
      gpu.device.queue.submit([encoder.finish()]);
    });
    for (const { buffer, type } of writes) {
      if (found || !/array<(vec4)?f/.test(type)) continue;
      const values = new Float32Array(await gpu.read(buffer));
      if (!values.every(Number.isFinite)) found = `"${buffer.label}", written by "${label}"`;
    }
  };
  await run(async (piece) => {
    for (const dispatch of piece) await look(dispatch);
  });
  return found;
}

/** Runs dispatches so many times and times each of them where it stands: the median, in milliseconds. */
export async function profile(
  gpu: Gpu,
  clock: Clock,
  dispatches: readonly Prepared[],
  steps: number,
): Promise<number[]> {
  const count = dispatches.length;
  const encoder = gpu.device.createCommandEncoder();
  record(gpu, encoder, dispatches, { times: steps, clock });
  gpu.device.queue.submit([encoder.finish()]);
  const spans = await clock.spans();
  return dispatches.map((_, i) =>
    spans.filter((_, j) => j % count === i).map(([begin, end]) => end - begin).sort((a, b) => a - b)[steps >> 1]
  );
}

/** Milliseconds of one dispatch, by repeating it; for benchmarks. */
export async function timeDispatch(
  gpu: Recorder & { readonly device: GPUDevice },
  dispatch: Prepared,
  repeats: number,
): Promise<number> {
  const { device } = gpu;
  const run = async (times: number) => {
    const encoder = device.createCommandEncoder();
    record(gpu, encoder, [dispatch], { times });
    const begin = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - begin;
  };
  // The difference of two runs leaves the cost of a submit and of waiting out.
  const once = await run(repeats);
  return (await run(2 * repeats) - once) / repeats;
}
