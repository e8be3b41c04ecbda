/** A model that was exported for pages, in a page without WebGPU. */

import { assertEquals } from "@std/assert";
import { bundleFiles } from "../../exchange/bundle.ts";
import { graphsOf } from "../../exchange/graphs.ts";
import { assertClose, cases, expected, given, image, untrained } from "../exchange/support.ts";
import { heard, ignore, open, PLAIN_PAGE, serve, unless } from "./support.ts";

const script = (rows: Readonly<Record<string, Float32Array | undefined>>) => `
  import { load } from "./vae.js";
  const rows = ${JSON.stringify(rows, (_, value) => value instanceof Float32Array ? [...value] : value)};
  const vae = await load();
  const { mean, logVariance } = vae.encode(rows.x, rows.condition);
  const found = { mean, logVariance, decoded: vae.decode(rows.z, rows.condition) };
  globalThis.found = Object.fromEntries(Object.entries(found).map(([name, values]) => [name, [...values]]));
`;

Deno.test(`a model exported for pages gives in Chromium what elbo gives${unless}`, { ignore }, async () => {
  using trained = untrained(...cases["conv residual"], image);
  const files = await bundleFiles(trained, graphsOf(trained));
  const { x, z, condition } = given(trained);
  await using server = serve({
    "index.html": PLAIN_PAGE,
    "page.js": script({ x, z, condition }),
    ...Object.fromEntries(files.map(({ name, bytes }) => [name, bytes])),
  });
  await using opened = await open({ webgpu: false });
  const page = await opened.browser.newPage();
  const messages = heard(page);
  await page.goto(server.address);
  await page.waitForFunction("globalThis.found");
  assertEquals(messages, []);
  assertClose(await page.evaluate("globalThis.found") as Record<string, number[]>, await expected(trained));
});
