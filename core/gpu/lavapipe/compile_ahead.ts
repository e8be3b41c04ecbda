/**
 * Compiling on a second thread. Mesa's software adapter compiles a kernel where it is first dispatched, on one thread of the device, and keeps
 * the result in a cache on disk. A worker with a device of its own dispatches kernels once, and then the program takes them out of the cache.
 *
 * Kernels of long panels run at twice the speed of short ones and take five times as long to compile. So a program begins with short ones,
 * of which the worker compiles the last ones first, while the program's first step goes through them from the front; then come the long ones.
 * Both add in the same order: the numbers are the same to the last bit, whenever it goes over.
 *
 * @module
 */

import type { TexelFormat } from "./mirror.ts";

/** A kernel as the worker is given it. */
export interface AheadKernel {
  readonly label: string;
  readonly code: string;
  readonly bindings: readonly {
    readonly access: "read" | "uniform" | "read_write";
    readonly texels?: TexelFormat;
    readonly size: number;
  }[];
}

/** The second thread. */
export class CompileAhead {
  readonly #worker = new Worker(new URL("./compile_worker.ts", import.meta.url), { type: "module" });
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    // Without it programs go on as they are.
    this.#worker.onerror = (event) => event.preventDefault();
  }

  /** Compiles kernels. The promise is fulfilled when they are in the driver's cache, and never if they do not get there. */
  compile(kernels: readonly AheadKernel[]): Promise<void> {
    const done = this.#last.then(() =>
      new Promise<void>((resolve) => {
        this.#worker.onmessage = () => resolve();
        this.#worker.postMessage(kernels);
      })
    );
    this.#last = done;
    return done;
  }

  /** Ends the thread. */
  close(): void {
    this.#worker.terminate();
  }
}
