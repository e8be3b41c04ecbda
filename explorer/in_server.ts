/**
 * The engine that the page's server runs, as the page sees it: for browsers without WebGPU.
 *
 * @module
 */

import { type Engine, engineElsewhere } from "./engine.ts";
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
  const events = new EventSource(`engine/events?session=${session}`);
  const { engine, tell } = engineElsewhere({
    ...{ way: "server", adapter },
    close() {
      events.close();
      void fetch(`engine/end?session=${session}`, { method: "POST", keepalive: true }).catch(() => {});
    },
    async call(call, args) {
      const response = await fetch(`engine/${call}?session=${session}`, { method: "POST", body: encodeWire(args) });
      if (!response.ok) throw new Error(await response.text());
      return decodeWire(new Uint8Array(await response.arrayBuffer()));
    },
  });
  events.onmessage = ({ data }) => tell(JSON.parse(data));
  return engine;
}
