/**
 * Makes the explorer's pictures of the README: `docs/explorer.png`, and `docs/explorer.gif` of a training.
 *
 * ```sh
 * deno run -A --lock=tests/deno.lock tests/page/pictures.ts
 * ```
 *
 * @module
 */

import { PNG } from "pngjs";
import gifenc from "npm:gifenc@1.0.3";
import { served } from "./explorer.ts";
import { open } from "./support.ts";

const FRAMES = 24;

const file = (name: string) => new URL(`../../docs/${name}`, import.meta.url);
await using site = await served({ train: 8000, test: 2000 });
await using opened = await open();
const page = await opened.browser.newPage({ viewport: { width: 1120, height: 760 }, deviceScaleFactor: 0.65 });
await page.goto(`${site.address}#view=scatter`);
await page.locator("#way", { hasText: "WebGPU" }).waitFor();
await page.waitForTimeout(9000);
await page.locator("#view canvas.touch").hover({ position: { x: 120, y: 320 } });
await page.waitForTimeout(3000);
const large = await opened.browser.newPage({ viewport: { width: 1240, height: 900 } });
await large.goto(`${site.address}#view=scatter`);
await large.locator("#way", { hasText: "WebGPU" }).waitFor();
await large.waitForTimeout(9000);
await large.locator("#view canvas.touch").hover({ position: { x: 150, y: 300 } });
await large.waitForTimeout(3000);
await Deno.writeFile(file("explorer.png"), await large.screenshot());
await large.close();

await page.locator("#tab-plane").click();
await page.getByRole("button", { name: "Train from the start" }).click();
await page.locator(".numbers dd").first().waitFor({ timeout: 60_000 });
const gif = gifenc.GIFEncoder();
for (let i = 0; i < FRAMES; i++) {
  const { data, width, height } = PNG.sync.read(await page.screenshot());
  const palette = gifenc.quantize(data, 48);
  gif.writeFrame(gifenc.applyPalette(data, palette), width, height, { palette, delay: 250 });
  await page.waitForTimeout(700 + 60 * i);
}
gif.finish();
await Deno.writeFile(file("explorer.gif"), gif.bytes());
