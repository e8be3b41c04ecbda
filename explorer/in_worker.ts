/**
 * The engine that a worker runs, as the page sees it.
 *
 * @module
 */

import { CALLS, type Engine, type EngineEvent } from "./engine.ts";

/**
 * Starts the worker.
 *
 * @param url Of the bundled worker.ts.
 * @throws {Error} If there is no WebGPU there.
 */
export async function engineInWorker(url: URL): Promise<Engine> {
  const worker = new Worker(url, { type: "module" });
  const adapter = await new Promise<string>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message || "The worker did not start"));
    worker.onmessage = ({ data }) => data.ready === undefined ? reject(new Error(data.failed)) : resolve(data.ready);
  }).catch((error) => {
    worker.terminate();
    throw error;
  });
  const listeners = new Set<(event: EngineEvent) => void>();
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  let last = 0;
  worker.onmessage = ({ data: { id, result, error, event } }) => {
    if (event) {
      for (const listener of listeners) listener(event);
      return;
    }
    const call = waiting.get(id)!;
    waiting.delete(id);
    if (error === undefined) call.resolve(result);
    else call.reject(new Error(error));
  };
  const calls = CALLS.map((call) =>
    [call, (...args: unknown[]) =>
      new Promise((resolve, reject) => {
        waiting.set(++last, { resolve, reject });
        worker.postMessage({ id: last, call, args });
      })] as const
  );
  return {
    ...Object.fromEntries(calls) as unknown as Engine,
    way: "webgpu",
    adapter,
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => worker.terminate(),
  };
}
