/**
 * The page: finds a way to compute, opens what there is, and shows it.
 *
 * @module
 */

import type { Engine, Way } from "../engine.ts";
import { engineInServer } from "../in_server.ts";
import { engineInWorker } from "../in_worker.ts";
import { PlainEngine } from "../plain.ts";
import { decodesPointsHere } from "../points.ts";
import { App, type View } from "./app.ts";
import { element } from "./elements.ts";
import { mountPanel } from "./panel.ts";
import type { Manifest } from "../manifest.ts";
import { checkpointOf, readManifest } from "./source.ts";
import { State } from "./state.ts";
import { views } from "./views/mod.ts";

const byId = (id: string) => document.getElementById(id)!;

/** How an engine of each way is begun. */
const BEGIN: Readonly<Record<Way, () => Promise<Engine>>> = {
  webgpu: () => engineInWorker(new URL("worker.js", document.baseURI)),
  server: engineInServer,
  plain: () => Promise.resolve(new PlainEngine()),
};

/** The first of the ways to compute that there is here; `#way=` in the address asks for another. */
async function findEngine(state: State, manifest: Manifest): Promise<Engine> {
  const wanted = state.get("way");
  if (wanted !== "server" && wanted !== "plain" && "gpu" in navigator) {
    try {
      return decodesPointsHere(await BEGIN.webgpu());
    } catch {
      // There is WebGPU, but no adapter.
    }
  }
  if (wanted !== "plain" && manifest.server) return decodesPointsHere(await BEGIN.server());
  return await BEGIN.plain();
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
    // Until a model is open, the picture of the document stands.
    if (!app.model) return;
    leave();
    leave = () => {};
    host.replaceChildren();
    const unfit = view.unfit?.(app);
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
  app.onChange((change) => change !== "weights" && show(now ?? first));
  show(first);
}

/** Says what went wrong, for a while. */
function say(message: string): void {
  const host = byId("message");
  host.textContent = message;
  setTimeout(() => host.textContent === message && (host.textContent = ""), 12_000);
}

/** Seconds of a chunk of training steps: short while a hand moves, so that pixels follow it. */
const CHUNK = { busy: 0.012, idle: 0.08 };

/** Has a training leave the GPU to whoever moves a pointer over the views. */
function yieldToHands(engine: Engine): void {
  let still: ReturnType<typeof setTimeout> | undefined;
  const control = (chunkSeconds: number) => void engine.control({ chunkSeconds });
  byId("stage").addEventListener("pointermove", () => {
    if (still === undefined) control(CHUNK.busy);
    clearTimeout(still);
    still = setTimeout(() => {
      still = undefined;
      control(CHUNK.idle);
    }, 1000);
  });
}

/** Shows the first model by plain TypeScript, until there is a faster way. */
async function showAtOnce(app: App, manifest: Manifest): Promise<void> {
  const first = manifest.models.find(({ name }) => name === (app.state.get("run") ?? manifest.models[0].name));
  if (!first) return;
  const [plain, { engine }] = [new PlainEngine(), app];
  const model = await plain.open(await checkpointOf(first));
  if (app.engine !== engine || app.model) return;
  app.engine = plain;
  app.model = model;
  app.changed("model");
}

try {
  const manifest = await readManifest();
  const state = new State();
  const app: App = new App(new PlainEngine(), manifest, state, say, () => BEGIN[app.engine.way]());
  mountViews(app);
  // A model that plain TypeScript cannot open is shown when WebGPU has opened it.
  void showAtOnce(app, manifest).catch(() => {});
  const engine = await findEngine(state, manifest);
  const ways = { webgpu: "WebGPU in this page", server: "the server", plain: "plain TypeScript" };
  byId("way").textContent = `Computes by ${ways[engine.way]}: ${engine.adapter}`;
  await mountPanel(byId("panel"), app, engine);
  yieldToHands(engine);
} catch (error) {
  byId("way").textContent = error instanceof Error ? error.message : String(error);
}
