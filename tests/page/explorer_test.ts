/** The explorer in a browser: it opens, trains, draws, compares and exports, with WebGPU, through the server and in plain TypeScript. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import type { Page } from "npm:playwright-core@1.65.1";
import { served } from "./explorer.ts";
import { assertAccessible, heard, ignore, open, unless } from "./support.ts";

/** A table whose columns have scales of their own, with its classes in a column that is not called so. */
const FRUIT = Buffer.from(
  [
    "weight,redness,kind",
    ...Array.from({ length: 60 }, (_, i) => i % 2 ? `${1000 + i},0.${i},melon` : `${150 + i},0.${i},apple`),
  ]
    .join("\n"),
);

/** How many different bytes the n-th canvas of the view has: an empty one has one or two. */
const variety = (page: Page, n: number) =>
  page.locator("#view canvas").nth(n).evaluate((canvas) => {
    const { width, height } = canvas as unknown as { width: number; height: number };
    // deno-lint-ignore no-explicit-any -- the DOM's types are those of the page
    const { data } = (canvas as any).getContext("2d", { willReadFrequently: true }).getImageData(0, 0, width, height);
    return new Set(data as Iterable<number>).size;
  });

/** Waits until the n-th canvas of the view shows something. It is another one once a faster engine has taken over. */
async function shows(page: Page, n: number): Promise<void> {
  let seen = await variety(page, n);
  for (let i = 0; i < 200 && seen < 10; i++) {
    await page.waitForTimeout(100);
    seen = await variety(page, n);
  }
  assert(seen >= 10, `canvas ${n} shows nothing`);
}

/** All that a page says but for what this test makes it say by reading its canvases. */
const ofThePage = (text: string) => !text.includes("willReadFrequently");

const number = async (page: Page, at: number) => Number(await page.locator(".numbers dd").nth(at).textContent());

Deno.test({
  name: `the explorer trains, drags, draws, compares and exports in a browser with WebGPU${unless}`,
  ignore,
  async fn() {
    await using site = await served();
    await using opened = await open();
    const page = await opened.browser.newPage({ viewport: { width: 1280, height: 900 } });
    const said = heard(page);
    await page.goto(site.address);
    await page.locator("#way", { hasText: "WebGPU in this page" }).waitFor();
    await shows(page, 0);
    await assertAccessible(page);

    // Drag over the plane: another point is decoded, and the address keeps it.
    const before = await page.locator("#view .side .quiet").first().textContent();
    await page.locator("#view canvas.touch").hover({ position: { x: 40, y: 60 } });
    await page.waitForTimeout(600);
    assert(await page.locator("#view .side .quiet").first().textContent() !== before);
    assertMatch(page.url(), /#.*z=-?\d/);
    // And by the keyboard alone.
    await page.locator("#view canvas.touch").focus();
    await page.keyboard.press("ArrowRight");

    for (
      const [id, canvases] of [["samples", 2], ["scatter", 1], ["traversal", 1], ["morph", 2], ["draw", 2]] as const
    ) {
      await page.locator(`#tab-${id}`).click();
      for (let n = 0; n < canvases; n++) await shows(page, n);
      await assertAccessible(page);
    }
    // Still on "draw": a stroke changes the reconstruction's canvas, and hiding a half fills it in.
    await page.getByRole("button", { name: "Hide the right half" }).click();
    await shows(page, 2);
    assertMatch((await page.locator("#view p[aria-live]").textContent())!, /Encoded as z1 = .*log p\(x\) is about -\d/);

    await page.locator("#tab-compare").click();
    for (const n of [1, 2, 3, 4]) await shows(page, n);
    await page.getByText("No setting differs").waitFor();
    await page.locator("#tab-tour").click();
    await shows(page, 0);
    await page.getByRole("button", { name: "Next" }).click();
    await assertAccessible(page);

    // A training, its pause, a single step, and another loss on the way.
    await page.getByLabel("Hidden units").fill("32");
    await page.getByLabel("Hidden units").press("Enter");
    await page.getByRole("button", { name: "Train from the start" }).click();
    await page.locator(".numbers dd").first().waitFor({ timeout: 30_000 });
    const early = await number(page, 0);
    for (let i = 0; i < 200 && await number(page, 0) <= early; i++) await page.waitForTimeout(50);
    assert(await number(page, 0) > early, "the ELBO rises");
    await page.getByLabel("β").fill("8");
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "One step" }).click();
    await page.locator("#tab-keep").click();
    await page.locator("#view code", { hasText: "--beta" }).waitFor();
    const command = (await page.locator("#view code").textContent())!;
    assertMatch(command, /^deno task train --model vae --dataset mnist --epochs \d{1,3} .*--hidden 32 .*--beta 8/);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Checkpoint" }).click(),
    ]);
    assertEquals(download.suggestedFilename(), "vae-mnist.safetensors");

    // Another model, of several levels: the page goes on with it.
    await page.getByLabel("Model", { exact: true }).selectOption("ladder_vae");
    await page.getByRole("button", { name: "Train from the start" }).click();
    await page.locator(".quiet", { hasText: /^ladder_vae on .*: 4 latents/ }).waitFor({ timeout: 60_000 });
    const begun = await number(page, 0);
    for (let i = 0; i < 400 && await number(page, 0) <= begun; i++) await page.waitForTimeout(50);
    assert(await number(page, 0) > begun, "the ELBO rises");
    assertEquals(await page.locator("#message").textContent(), "");
    assertEquals(said.filter(ofThePage), []);
  },
});

Deno.test({
  name:
    `without WebGPU the explorer computes by its server, without a server in plain TypeScript, and without a script shows a picture${unless}`,
  ignore,
  async fn() {
    await using site = await served();
    await using opened = await open({ webgpu: false });
    const still = await opened.browser.newContext({ javaScriptEnabled: false });
    const without = await still.newPage();
    await without.goto(site.address);
    const picture = without.locator("#view img");
    assertEquals(await picture.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth), 280);
    await still.close();

    // From 360 pixels of width on, nothing is wider than the page.
    const page = await opened.browser.newPage({ viewport: { width: 360, height: 740 }, colorScheme: "dark" });
    const said = heard(page);
    await page.goto(site.address);
    await page.locator("#way", { hasText: "the server" }).waitFor();
    await shows(page, 0);
    await page.getByLabel("Hidden units").fill("16");
    await page.getByLabel("Hidden units").press("Enter");
    await page.getByRole("button", { name: "Train from the start" }).click();
    await page.locator(".numbers dd").first().waitFor({ timeout: 30_000 });
    assertEquals(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
    await assertAccessible(page);

    // A table of one's own keeps the names of its columns and classes.
    await page.getByLabel("Your own").setInputFiles({
      name: "fruit.csv",
      mimeType: "text/csv",
      buffer: FRUIT,
    });
    await page.getByText("found text in kind").waitFor();
    await page.getByLabel("Class column").fill("kind");
    await page.getByLabel("Class column").press("Enter");
    await page.getByText("fruit.csv: 50 rows to train on, 10 to test on; classes apple, melon").waitFor();
    assert(await page.getByLabel("Standardize the columns").isChecked());
    await page.getByRole("button", { name: "Train from the start" }).click();
    await page.locator("#tab-samples").click();
    await page.getByRole("row", { name: "its reconstruction" }).first().waitFor();
    assertEquals(await page.locator("#view thead").first().getByRole("columnheader").allTextContents(), [
      "weight",
      "redness",
    ]);
    await page.locator("#tab-scatter").click();
    await page.getByRole("button", { name: "melon" }).waitFor();
    await assertAccessible(page);

    // By way of another page, since this one may be writing its own address.
    await page.goto("about:blank");
    await page.goto(`${site.address}#way=plain`);
    await page.locator("#way", { hasText: "plain TypeScript" }).waitFor();
    for (const id of ["plane", "samples", "scatter", "draw"]) {
      await page.locator(`#tab-${id}`).click();
      await shows(page, 0);
    }
    await assertAccessible(page);
    assertEquals(said.filter((text) => ofThePage(text) && !text.includes("/engine/")), []);
  },
});
