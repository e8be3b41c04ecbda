/**
 * The engine that the page's server runs, as the page sees it: for browsers without WebGPU.
 *
 * @module
 */

import { CALLS, type Engine, type EngineEvent } from "./engine.ts";
import { decodeWire, encodeWire } from "./wire.ts";

/**
 * Begins a session there.
 *
 * @throws {Error} If no server answers that computes.
 */
export async function engineInServer(): Promise<Engine> {
  const begun = await fetch("engine/begin", { method: "POST" });
  if (!begun.ok) throw new Error("no server that computes");
  const { session, adapter } = await begun.json() as { readonly session: string; readonly adapter: string };
  const listeners = new Set<(event: EngineEvent) => void>();
  const events = new EventSource(`engine/events?session=${session}`);
  events.onmessage = ({ data }) => {
    for (const listener of listeners) listener(JSON.parse(data));
  };
  const calls = CALLS.map((call) =>
    [call, async (...args: unknown[]) => {
      const response = await fetch(`engine/${call}?session=${session}`, { method: "POST", body: encodeWire(args) });
      if (!response.ok) throw new Error(await response.text());
      return decodeWire(new Uint8Array(await response.arrayBuffer()));
    }] as const
  );
  return {
    ...Object.fromEntries(calls) as unknown as Engine,
    way: "server",
    adapter,
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => events.close(),
  };
}
