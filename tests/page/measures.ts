/**
 * Measures the explorer in Chromium: from pointer to pixels, idle and while a model trains; memory over a long training. And its engine
 * in Deno, for decoders that the page leaves to it, some of which Chromium's adapter without a GPU cannot compile.
 *
 * ```sh
 * deno run -A --lock=tests/deno.lock tests/page/measures.ts [minutes of training, 1 by default]
 * ```
 *
 * @module
 */

import type { Page } from "npm:playwright-core@1.65.1";
import { Session } from "../../explorer/session.ts";
import { findDataset } from "../../files.ts";
import { Gpu } from "../../mod.ts";
import { served } from "./explorer.ts";
import { open } from "./support.ts";

const minutes = Number(Deno.args[0] ?? 1);
const report = (value: Record<string, unknown>) => console.log(JSON.stringify(value));

/** Quantiles of milliseconds. */
function summary(times: readonly number[]): { readonly median: number; readonly p95: number; readonly count: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number) => Number(sorted[Math.floor(part * (sorted.length - 1))].toFixed(1));
  return { median: at(0.5), p95: at(0.95), count: sorted.length };
}

/** From a pointer's move over the plane until its point is drawn. */
async function pointerToPixels(page: Page): Promise<number[]> {
  return await page.evaluate(`(async () => {
    const [map, one] = document.querySelectorAll("#view canvas");
    const put = CanvasRenderingContext2D.prototype.putImageData;
    let drawn = () => {};
    CanvasRenderingContext2D.prototype.putImageData = function (...args) {
      put.apply(this, args);
      if (this.canvas === one) drawn();
    };
    const times = [];
    const { left, top, width, height } = map.getBoundingClientRect();
    for (let i = 0; i < 60; i++) {
      const at = { clientX: left + width * ((i * 0.37) % 1), clientY: top + height * ((i * 0.61) % 1) };
      const begun = performance.now();
      const seen = new Promise((resolve) => drawn = resolve);
      map.dispatchEvent(new PointerEvent("pointermove", { ...at, pointerType: "mouse", bubbles: true }));
      await seen;
      times.push(performance.now() - begun);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    CanvasRenderingContext2D.prototype.putImageData = put;
    return times.slice(10);
  })()`);
}

/** From a point that is asked for until it is decoded, by the engine. */
async function pointToMean(engine: Session, latents: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < 60; i++) {
    const begun = performance.now();
    await engine.decode(new Float32Array(latents).fill(i / 60));
    times.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  return times.slice(10);
}

/** Measures decoders that the page leaves to the engine. */
async function engineAlone(): Promise<void> {
  const gpu = await Gpu.open();
  const engine = new Session(gpu);
  await engine.useData(await findDataset("mnist").load());
  const models = [
    { hidden: [512, 512], normalization: "layer", latents: 20 },
    { encoder: "conv", channels: [16, 32], hidden: [64], latents: 8 },
  ];
  for (const config of models) {
    await engine.train({ model: "vae", config: { ...config, batchSize: 100, epochs: 100_000 } });
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    const training = summary(await pointToMean(engine, config.latents));
    await engine.control({ running: false });
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const idle = summary(await pointToMean(engine, config.latents));
    report({ measure: "point to mean, by the engine in Deno", adapter: gpu.adapter, ...config, training, idle });
  }
  await engine.close();
  gpu.destroy();
}

/** Megabytes that all of the browser's processes hold. */
async function memory(): Promise<number> {
  const { stdout } = await new Deno.Command("ps", { args: ["-C", "chromium", "-o", "rss="] }).output();
  const kilobytes = new TextDecoder().decode(stdout).split("\n").map(Number);
  return Math.round(kilobytes.reduce((sum, each) => sum + each, 0) / 1024);
}

await engineAlone();

await using site = await served({ train: 8000, test: 2000 });
await using opened = await open();
const page = await opened.browser.newPage({ viewport: { width: 1280, height: 900 } });
const begun = performance.now();
await page.goto(site.address);
await page.waitForFunction(() => {
  // deno-lint-ignore no-explicit-any -- the DOM's types are those of the page
  const canvas = (globalThis as any).document.querySelector("#view canvas");
  return canvas && canvas.width > 300;
});
report({ measure: "first picture", ms: Math.round(performance.now() - begun) });
await page.locator("#way", { hasText: "WebGPU" }).waitFor();
await page.waitForTimeout(8000);
report({ measure: "pointer to pixels, idle", ...summary(await pointerToPixels(page)) });

await page.getByRole("button", { name: "Train from the start" }).click();
await page.locator(".numbers dd").first().waitFor({ timeout: 60_000 });
await page.waitForTimeout(10_000);
report({ measure: "pointer to pixels, while 784-256-2 trains", ...summary(await pointerToPixels(page)) });

const until = performance.now() + minutes * 60_000;
for (let minute = 0; performance.now() < until; minute++) {
  const elbo = Number(await page.locator(".numbers dd").first().textContent());
  const heap = await page.evaluate("Math.round(performance.memory.usedJSHeapSize / 2 ** 20)");
  report({ measure: "training", minute, elbo, heapMB: heap, processesMB: await memory() });
  await page.waitForTimeout(60_000);
}
