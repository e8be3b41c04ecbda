/**
 * Reads image files beside the main thread: a message names some of them, the answer has their rows.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import { features } from "../core/dataset.ts";
import type { Answer, Order } from "./image_workers.ts";
import { readInto } from "./image_reader.ts";

/** What is used here of a worker's global scope. */
const scope = globalThis as unknown as {
  onmessage: (message: MessageEvent<Order>) => void;
  postMessage(answer: Answer, transfer: Transferable[]): void;
};

scope.onmessage = async ({ data: { first, paths, plan } }) => {
  const width = features(plan.shape);
  const rows = new Uint8Array(paths.length * width);
  for (const [i, path] of paths.entries()) {
    try {
      await readInto(path, plan, rows, i * width);
    } catch (error) {
      const { message } = error as Error;
      scope.postMessage({ first, failure: { path, message, isFile: error instanceof FileError } }, []);
      return;
    }
  }
  scope.postMessage({ first, rows }, [rows.buffer]);
};
