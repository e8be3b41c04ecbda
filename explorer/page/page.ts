/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The page: finds a way to compute, opens what there is, and shows it.
 *
 * @module
 */

import type { Engine } from "../engine.ts";
import { engineInServer } from "../in_server.ts";
import { engineInWorker } from "../in_worker.ts";
import { PlainEngine } from "../plain.ts";
import { App, type View } from "./app.ts";
import { element } from "./elements.ts";
import { mountPanel } from "./panel.ts";
import { type Manifest, readManifest } from "./source.ts";
import { State } from "./state.ts";
import { views } from "./views/mod.ts";

const byId = (id: string) => document.getElementById(id)!;

/** The first of the ways to compute that there is here; `#way=` in the address asks for another. */
async function findEngine(state: State, manifest: Manifest): Promise<Engine> {
  const wanted = state.get("way");
  if (wanted !== "server" && wanted !== "plain" && "gpu" in navigator) {
    try {
      return await engineInWorker(new URL("worker.js", document.baseURI));
    } catch {
      // There is WebGPU, but no adapter.
    }
  }
  if (wanted !== "plain" && manifest.server) return await engineInServer();
  return new PlainEngine();
}

/** Shows one view at a time, each behind a tab. */
function mountViews(app: App): void {
  const host = byId("view");
  let leave = () => {};
  let now: View | undefined;
  const tabs = new Map(views.map((view) => [
    view,
    element("button", {
      type: "button",
      role: "tab",
      id: `tab-${view.id}`,
      "aria-controls": "view",
      onclick: () => show(view),
    }, view.title),
  ]));
  const show = (view: View) => {
    now = view;
    app.state.set("view", view.id);
    for (const [each, tab] of tabs) {
      tab.setAttribute("aria-selected", String(each === view));
      tab.tabIndex = each === view ? 0 : -1;
    }
    host.setAttribute("aria-labelledby", `tab-${view.id}`);
    leave();
    leave = () => {};
    host.replaceChildren();
    const unfit = app.model ? view.unfit?.(app) : "Open a model, or train one.";
    if (unfit) host.append(element("p", { className: "quiet" }, unfit));
    else leave = view.mount(host, app);
  };
  byId("tabs").append(...tabs.values());
  byId("tabs").addEventListener("keydown", (event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const next = views[(views.indexOf(now!) + step + views.length) % views.length];
    show(next);
    tabs.get(next)!.focus();
  });
  const first = views.find(({ id }) => id === app.state.get("view")) ?? views[0];
  app.onChange((change) => change === "model" && show(now ?? first));
  show(first);
}

/** Says what went wrong, for a while. */
function say(message: string): void {
  const host = byId("message");
  host.textContent = message;
  setTimeout(() => host.textContent === message && (host.textContent = ""), 12_000);
}

try {
  const manifest = await readManifest();
  const state = new State();
  const engine = await findEngine(state, manifest);
  const ways = { webgpu: "WebGPU in this page", server: "the server", plain: "plain TypeScript" };
  byId("way").textContent = `Computes by ${ways[engine.way]}: ${engine.adapter}`;
  const app = new App(engine, manifest, state, say);
  mountPanel(byId("panel"), app);
  mountViews(app);
} catch (error) {
  byId("way").textContent = error instanceof Error ? error.message : String(error);
}
