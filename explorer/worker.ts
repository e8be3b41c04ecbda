/**
 * The module worker of the page: a {@linkcode Session} behind messages. A call is `{ id, call, args }` and is answered by `{ id, result }`
 * or `{ id, error }`; events come as `{ event }`. The first message is `{ ready }` or `{ failed }`.
 *
 * @module
 */

import { Gpu } from "../core/gpu/device.ts";
import { CALLS } from "./engine.ts";
import { Session } from "./session.ts";

/** The part of a worker's global scope that is used. */
interface Scope {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

const scope = globalThis as unknown as Scope;
const failed = (error: unknown) => error instanceof Error ? error.message : String(error);

/** The buffers of an answer, which are handed over without a copy. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return [...new Set(Object.values(value).flatMap(buffersOf))];
}

try {
  const session = new Session(await Gpu.open());
  session.onEvent((event) => scope.postMessage({ event }));
  scope.onmessage = async ({ data: { id, call, args } }) => {
    try {
      if (!CALLS.includes(call)) throw new Error(`Cannot call "${call}": the engine has no such method`);
      const method = session[call as "decode"] as unknown as (...args: unknown[]) => Promise<unknown>;
      const result = await method.apply(session, args);
      // Labels may be part of the rows that are kept.
      scope.postMessage({ id, result }, call === "rows" || call === "encodeRows" ? [] : buffersOf(result));
    } catch (error) {
      scope.postMessage({ id, error: failed(error) });
    }
  };
  scope.postMessage({ ready: session.adapter });
} catch (error) {
  scope.postMessage({ failed: failed(error) });
}
