/**
 * Starts the worker of `Gpu.open({ compileAhead })`. It is apart from what a page loads: there a bundler would look for the worker's file,
 * and nothing asks for it.
 *
 * @module
 */

/** Starts the second thread, which compiles kernels for Mesa's software adapter. */
export function compileWorker(): Worker {
  return new Worker(new URL("./lavapipe/compile_worker.ts", import.meta.url), { type: "module" });
}
