/**
 * Compiling on a second thread. Mesa's software adapter compiles a kernel where it is first dispatched, on one thread of the device, and keeps
 * the result in a cache on disk (measured with Mesa 22.3.6 and 25.0.7; no public issue is known). A worker with a device of its own dispatches
 * kernels once, and then the program takes them out of the cache.
 *
 * Kernels of long panels run at twice the speed of short ones and take five times as long to compile. So a program begins with short ones,
 * of which the worker compiles the last ones first, while the program's first step goes through them from the front; then come the long ones.
 * Both add in the same order: the numbers are the same to the last bit, whenever it goes over.
 *
 * Nothing depends on the worker. Where it does not start, or ends, or is silent for too long, it is given up, and kernels are compiled where
 * they are first dispatched.
 *
 * A process must not exit while the worker is in the driver: the libraries of its compiler are then taken down beneath it, and the process
 * ends with a fault (seen with Mesa 22.3.6; a worker cannot be interrupted there). So it is asked to stop, does so after the kernel in hand,
 * and {@linkcode compilersStopped} is when all have.
 *
 * @module
 */

import { type Dispatch, join } from "../kernel.ts";
import type { TexelFormat, TextureCopy } from "./texture_copy.ts";

/** A kernel as the worker is given it. */
export interface AheadKernel {
  readonly label: string;
  readonly code: string;
  readonly bindings: readonly {
    readonly access: "read" | "uniform" | "read_write";
    readonly format?: TexelFormat;
    readonly size: number;
  }[];
}

/** What the worker is told: to compile kernels, or to compile no more of them and free its device. */
export type Order = readonly AheadKernel[] | "stop";

/** What the worker says of each kernel that it is given, in their order; at last, that it has stopped. */
export type Answer = { readonly compiled: true } | { readonly error: string } | { readonly stopped: true };

/** What became of kernels: in the driver's cache; not, since the worker was given up; not, since the thread was closed. */
export type Outcome = "compiled" | "lost" | "closed";

/** How a {@linkcode CompileAhead} works. */
export interface CompileAheadOptions {
  /** Starts the worker, compile_worker.ts. */
  readonly start: () => Worker;
  /** Told once, in a sentence, if the worker is given up. */
  readonly onLost?: (warning: string) => void;
  /** Milliseconds for which the worker may be silent: the longest that a kernel takes to compile, several times over. */
  readonly patience?: number;
}

/** A kernel of a long panel took up to 24 s with Mesa 25.0.7 on two quiet cores. */
const PATIENCE = 180_000;

/** Milliseconds for answers that were there before the time was up, but found this thread waiting for the device. */
const GRACE = 1000;

/** Those whose worker may be in the driver. */
const running = new Set<CompileAhead>();

/** Ends every second thread, and waits until none is in the driver. */
export async function compilersStopped(): Promise<void> {
  await Promise.all([...running].map((each) => each.close()));
}

/** The second thread. */
export class CompileAhead {
  readonly #patience: number;
  readonly #onLost: (warning: string) => void;
  #worker: Worker | undefined;
  /** Why there is no worker. */
  #over: "lost" | "closed" | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Ends the wait for kernels in hand. */
  #end: ((outcome: Outcome) => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor({ start, onLost = () => {}, patience = PATIENCE }: CompileAheadOptions) {
    this.#onLost = onLost;
    this.#patience = patience;
    try {
      const worker = this.#worker = start();
      running.add(this);
      // What it throws would otherwise end this program (https://github.com/denoland/deno/issues/12221).
      worker.onerror = (event) => {
        event.preventDefault();
        this.#lose(event.message || "it ended with an error");
      };
      worker.onmessageerror = () => this.#lose("it gave an answer that cannot be read");
    } catch (error) {
      this.#lose(error instanceof Error ? error.message : String(error));
    }
  }

  /** Whether the worker is there, as far as is known. */
  get running(): boolean {
    return this.#worker !== undefined;
  }

  /** Compiles kernels, after those that it was given before. The promise is always fulfilled. */
  compile(kernels: readonly AheadKernel[]): Promise<Outcome> {
    const outcome = this.#last.then(() => this.#compile(kernels));
    this.#last = outcome;
    return outcome;
  }

  #compile(kernels: readonly AheadKernel[]): Outcome | Promise<Outcome> {
    const worker = this.#worker;
    if (!worker) return this.#over!;
    if (!kernels.length) return "compiled";
    return new Promise((resolve) => {
      this.#end = (outcome) => {
        clearTimeout(this.#timer);
        this.#end = undefined;
        resolve(outcome);
      };
      let left = kernels.length;
      worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        if ("error" in data) this.#lose(data.error);
        else if (--left > 0) this.#wait();
        else this.#end?.("compiled");
      };
      this.#wait();
      worker.postMessage(kernels satisfies Order);
    });
  }

  /** Gives the worker up if it is silent for too long from now on. */
  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = setTimeout(() => this.#lose(`no answer for ${this.#patience / 1000} s`), GRACE);
    }, this.#patience);
  }

  #lose(reason: string): void {
    if (this.#over) return;
    this.#stop("lost");
    // What Deno says of a worker may have lines of advice after the first.
    const [first] = reason.trim().split("\n");
    this.#onLost(
      `Cannot compile kernels ahead on a second thread (${first.replace(/\.?\s*$/, "")}): ` +
        "the first steps take longer, and nothing else changes",
    );
  }

  #stop(outcome: "lost"): void {
    this.#over = outcome;
    this.#worker?.terminate();
    this.#worker = undefined;
    running.delete(this);
    this.#end?.(outcome);
  }

  /** Ends the thread. The promise is fulfilled when it is no longer in the driver. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#over ??= "closed";
    const worker = this.#worker;
    this.#worker = undefined;
    this.#end?.("closed");
    if (!worker) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#patience);
      const stopped = () => {
        clearTimeout(timer);
        resolve();
      };
      worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        if ("stopped" in data) stopped();
      };
      worker.onerror = (event) => {
        event.preventDefault();
        stopped();
      };
      worker.postMessage("stop" satisfies Order);
    });
    running.delete(this);
    // Later than whoever waits for it, who may end the process: a thread that is being ended is in the driver once more.
    setTimeout(() => worker.terminate());
  }
}

/** What the worker needs to compile a dispatch. */
export function kernelOf(dispatch: Dispatch): AheadKernel {
  const { code, bindings } = join(dispatch);
  return {
    label: dispatch.label,
    code,
    bindings: bindings.map(({ access, copy, buffer: { size } }) => ({
      access,
      format: (copy as TextureCopy | undefined)?.format,
      size,
    })),
  };
}
