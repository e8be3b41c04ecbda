/**
 * Compiling on a second thread. Mesa's software adapter compiles a kernel where it is first dispatched, on the thread that submits it, and
 * keeps the result in a cache on disk. Kernels of long panels run at twice the speed of short ones and take five times as long to compile. So
 * a program begins with short ones, a worker with a device of its own dispatches the long ones once, and then the program takes those, out
 * of the cache. Both add in the same order: the numbers are the same to the last bit, whenever it goes over.
 *
 * @module
 */

import type { Binding } from "./kernel.ts";

/** A kernel as the worker is given it. */
export interface AheadKernel {
  readonly label: string;
  readonly code: string;
  readonly bindings: readonly (Pick<Binding, "access" | "texels"> & { readonly size: number })[];
}

/** The second thread. */
export class CompileAhead {
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Compiles kernels. The promise is fulfilled when they are in the driver's cache, and never if they do not get there. */
  compile(kernels: readonly AheadKernel[]): Promise<void> {
    const done = this.#last.then(() =>
      new Promise<void>((resolve) => {
        this.#worker ??= new Worker(new URL("./compile_worker.ts", import.meta.url), { type: "module" });
        // Without it the program goes on as it is.
        this.#worker.onerror = (event) => event.preventDefault();
        this.#worker.onmessage = () => resolve();
        this.#worker.postMessage(kernels);
      })
    );
    this.#last = done;
    return done;
  }

  /** Ends the thread. */
  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
