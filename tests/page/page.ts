/**
 * A page that has a worker train.
 *
 * @module
 */

import type { Steps } from "./hundred_steps.ts";

const worker = new Worker("worker.js", { type: "module" });
worker.onmessage = ({ data }: MessageEvent<Steps>) => {
  Object.assign(globalThis, { result: data });
};
