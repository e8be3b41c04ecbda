/**
 * Many image files decoded by several workers at once. The rows are the same, in the same order, however many there are.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import { features, type LoadProgress } from "../core/dataset.ts";
import { type ImagePlan, readInto } from "./image_reader.ts";

/** Some files for a worker. */
export interface Order {
  /** The row of the first. */
  readonly first: number;
  readonly paths: readonly string[];
  readonly plan: ImagePlan;
}

/** Their rows, or what is wrong with one. */
export interface Answer {
  readonly first: number;
  readonly rows?: Uint8Array<ArrayBuffer>;
  readonly failure?: { readonly path: string; readonly message: string; readonly isFile: boolean };
}

/** Files that a worker gets at a time. */
const SOME = 8;

/** So many files are worth the start of a worker. */
const WORTH = 48;

/** A decoder takes tens of megabytes for a photograph; more threads than this wait for the disk. */
const MOST_WORKERS = 8;

/** How {@linkcode readImages} is called. */
export interface ReadImagesOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Threads. Default: as many as the machine has, at most 8, or none for a few files. */
  readonly workers?: number;
}

/**
 * Decodes the images of files.
 *
 * @param put Takes rows as they come, in any order.
 * @throws {FileError} If one is damaged or does not fit the plan: the first of those found.
 */
export async function readImages(
  paths: readonly string[],
  plan: ImagePlan,
  put: (first: number, rows: Uint8Array) => void,
  {
    signal,
    onProgress,
    workers = Math.min(MOST_WORKERS, navigator.hardwareConcurrency, Math.floor(paths.length / WORTH)),
  }: ReadImagesOptions = {},
): Promise<void> {
  const width = features(plan.shape);
  const tell = (done: number) => onProgress?.({ what: "images", done, of: paths.length });
  if (workers < 1) {
    for (const [row, path] of paths.entries()) {
      signal?.throwIfAborted();
      const out = new Uint8Array(width);
      await readInto(path, plan, out, 0, signal);
      put(row, out);
      tell(row + 1);
    }
    return;
  }
  let [next, done] = [0, 0];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });
  const all = Array.from(
    { length: workers },
    () => new Worker(new URL("./image_worker.ts", import.meta.url), { type: "module" }),
  );
  const give = (worker: Worker) => {
    if (next >= paths.length) return;
    const order: Order = { first: next, paths: paths.slice(next, next + SOME), plan };
    next += order.paths.length;
    worker.postMessage(order);
  };
  try {
    signal?.throwIfAborted();
    for (const worker of all) {
      worker.onmessage = ({ data: { first, rows, failure } }: MessageEvent<Answer>) => {
        if (failure) return reject(errorOf(failure));
        try {
          put(first, rows!);
        } catch (error) {
          return reject(error);
        }
        done += rows!.length / width;
        tell(done);
        if (done === paths.length) resolve();
        else give(worker);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`Cannot decode images: ${event.message}`));
      };
      give(worker);
    }
    await promise;
  } finally {
    signal?.removeEventListener("abort", abort);
    for (const worker of all) worker.terminate();
  }
}

function errorOf({ path, message, isFile }: NonNullable<Answer["failure"]>): Error {
  const begin = `Cannot read "${path}": `;
  return isFile && message.startsWith(begin) ? new FileError(path, message.slice(begin.length)) : new Error(message);
}
