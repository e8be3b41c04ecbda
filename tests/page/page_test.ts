/** The library in a page: what the documentation shows there, a training beside Deno's own, and what a page is told. */

import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { gzipSync } from "node:zlib";
import { parse } from "npm:acorn@8.19.0";
import { bundle, bundleByNeed } from "../../packaging/bundle.ts";
import { type Found, readAll } from "./files.ts";
import { hundredSteps, type Steps } from "./hundred_steps.ts";
import { assertAccessible, heard, ignore, open, PLAIN_PAGE, scriptOf, serve, unless } from "./support.ts";

/** The first example of a section of a document. */
async function exampleOf(path: string, section: string): Promise<string> {
  const text = await Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
  const [, code] = /```ts\n([\s\S]*?)```/.exec(text.slice(text.indexOf(`\n## ${section}\n`))) ?? [];
  assert(code, `${path} has no example in "${section}"`);
  return code;
}

/** Deno's way of a training whose page is compared with it; begun first, for it is the shorter. */
const here = hundredSteps();

Deno.test(
  `the page of docs/extending.md trains and draws in a browser, and fetches parts as settings ask for them${unless}`,
  {
    ignore,
  },
  async () => {
    const example = await exampleOf("docs/extending.md", "A page");
    // Parts are called here that only a setting asks for.
    const further = `
    globalThis.trained = true;
    await new Promise((resolve) => globalThis.goOn = resolve);
    const other = train(vae, dataset, { objective: "iwae", samples: 2, hidden: [8], latents: 2, batchSize: 50, epochs: 1 });
    for await (const event of other) if (event.event === "end") console.log(Number.isFinite(event.train.bound));
    globalThis.done = true;`;
    const { first, later } = await bundleByNeed(example + further);
    await using site = serve({ ...first, ...later, "index.html": PLAIN_PAGE, "page.js": 'import "./stdin.js";' });
    await using opened = await open();
    const page = await opened.browser.newPage();
    const messages = heard(page);
    const fetched: string[] = [];
    page.on("request", (request) => fetched.push(new URL(request.url()).pathname.slice(1)));
    await page.goto(site.address);
    await page.waitForFunction("globalThis.trained && globalThis.goOn");
    assertEquals(messages, ["log: 256", "log: 256"]);
    const parts = () => fetched.filter((path) => path.startsWith("composed_parts"));
    assertEquals(parts(), []);
    await page.evaluate("goOn()");
    await page.waitForFunction("globalThis.done");
    assertEquals(messages.slice(2), ["log: true"]);
    assertEquals(parts().length, 1);
  },
);

Deno.test(
  `a hundred steps in a page's worker have the losses that they have in Deno${unless}`,
  { ignore },
  async () => {
    const files = {
      "index.html": PLAIN_PAGE,
      "page.js": await scriptOf("page.ts"),
      "worker.js": await scriptOf("worker.ts"),
    };
    await using site = serve(files);
    await using opened = await open();
    const page = await opened.browser.newPage();
    const messages = heard(page);
    await page.goto(site.address);
    await page.waitForFunction("globalThis.result");
    const there = await page.evaluate("result") as Steps;
    const { losses, tiles } = await here;
    assertEquals(there.tiles, tiles);
    assertEquals(there.losses.length, 100);
    const furthest = Math.max(...losses.map((loss, i) => Math.abs(loss - there.losses[i]) / Math.abs(loss)));
    assert(furthest < 1e-5, `they differ by ${furthest}`);
    assert(losses[99] < 0.7 * losses[0], `${losses[0]} became ${losses[99]}`);
    await assertAccessible(page);
    assertEquals(messages, []);
  },
);

const GROUPS = [
  ["table.csv"],
  ["deflated.npz"],
  ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"],
];

/** A table, an archive that NumPy packed, and images with labels. */
async function dataFiles(): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  const idx = (shape: readonly number[]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const header = [0, 0, 8, shape.length, ...shape.flatMap((size) => [0, 0, 0, size])];
    return new Uint8Array(gzipSync(Uint8Array.from([...header, ...Array.from({ length: count }, (_, i) => i % 9)])));
  };
  const golden = new URL("../golden/", import.meta.url);
  return {
    "table.csv": new TextEncoder().encode("a,b,label\n1,2,cat\n3,4,dog\n5,6,cat\n"),
    "deflated.npz": Uint8Array.fromBase64(
      JSON.parse(await Deno.readTextFile(new URL("arrays.json", golden)))["deflated.npz"],
    ),
    "train-images-idx3-ubyte.gz": idx([6, 2, 2]),
    "train-labels-idx1-ubyte.gz": idx([6]),
    "model.safetensors": await Deno.readFile(new URL("bits_vae.safetensors", golden)),
  };
}

Deno.test(
  `files that a page is given, packed ones too, and a checkpoint are read as in Deno${unless}`,
  { ignore },
  async () => {
    const files = await dataFiles();
    const script = await bundle({
      text: `import { readAll } from "./tests/page/files.ts";
      globalThis.result = await readAll(location.href, ${JSON.stringify(GROUPS)}, "model.safetensors");`,
    });
    await using site = serve({ ...files, "index.html": PLAIN_PAGE, "page.js": script });
    await using opened = await open();
    const page = await opened.browser.newPage();
    const messages = heard(page);
    await page.goto(site.address);
    await page.waitForFunction("globalThis.result");
    const { pixels, ...there } = await page.evaluate("result") as Found;
    const { pixels: expected, ...here } = await readAll(site.address, GROUPS, "model.safetensors");
    assertEquals(there, here);
    assertEquals(pixels.length, expected.length);
    for (const [i, value] of expected.entries()) assertAlmostEquals(pixels[i], value, 1e-5);
    assertEquals(messages, []);
  },
);

Deno.test(`a page without an adapter is told what its visitor can do${unless}`, { ignore }, async () => {
  const script = await bundle({
    text: `import { Gpu } from "@elbo/elbo";
      globalThis.done = await Gpu.open().then(() => "opened", (error) => error.name + ": " + error.message);`,
  });
  await using site = serve({ "index.html": PLAIN_PAGE, "page.js": script });
  await using opened = await open({ webgpu: false });
  const page = await opened.browser.newPage();
  await page.goto(site.address);
  await page.waitForFunction("globalThis.done");
  const said = await page.evaluate("done") as string;
  assertStringIncludes(
    said,
    "GpuError: Cannot find a GPU adapter: this browser has WebGPU but no adapter for it here.",
  );
  assert(!said.includes("apt-get"), said);
});

Deno.test("all of the library as a page has it is written in ES2022, as Safari reads it", async () => {
  const script = await bundle({
    text: 'export * from "@elbo/elbo"; { using _ = new (await import("@elbo/elbo")).Gpu(null); }',
  });
  parse(script, { ecmaVersion: 2022, sourceType: "module" });
});
