/**
 * Pages in Debian's Chromium, without a screen: with WebGPU on its processor adapter, SwiftShader, or without any.
 *
 * Never run `conv_vae` or `vq_vae` in it: one kernel of theirs takes SwiftShader's compiler past 6 GB, which ends the browser's GPU process.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import axe from "npm:axe-core@4.14.1";
import { type Browser, chromium, type Page } from "npm:playwright-core@1.65.1";
import { bundle } from "../../packaging/bundle.ts";

/** The browser's program; undefined where none is installed. */
export const program: string | undefined = (Deno.env.get("PATH") ?? "").split(":").map((folder) => `${folder}/chromium`)
  .find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });

/** For the options of a test, and for its name where it is ignored. */
export const ignore: boolean = program === undefined;
/** To be added to the name of a test. */
export const unless: string = ignore ? " (ignored: there is no chromium to open it)" : "";

const WEBGPU = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
  "--use-angle=swiftshader",
];

/** A file that is served: its text or bytes, and its type, which follows from its name. */
export type Files = Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>;

const TYPES: Readonly<Record<string, string>> = { html: "text/html", js: "text/javascript", css: "text/css" };

/** Serves files on a free port of this machine, below `/`. */
export function serve(files: Files): { readonly address: string } & AsyncDisposable {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const path = new URL(request.url).pathname.slice(1) || "index.html";
    const type = TYPES[path.replace(/.*\./, "")] ?? "application/octet-stream";
    if (!Object.hasOwn(files, path)) return new Response("no such file", { status: 404 });
    return new Response(files[path], { headers: { "content-type": type } });
  });
  return {
    address: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A page that loads `page.js`, as plain as can be. */
export const PLAIN_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>elbo</title></head>
<body><main><h1>elbo</h1></main><script type="module" src="page.js"></script></body>
</html>
`;

/** A started browser; pages are opened in it. */
export interface Opened extends AsyncDisposable {
  readonly browser: Browser;
}

/** Starts the browser. */
export async function open({ webgpu = true } = {}): Promise<Opened> {
  const browser = await chromium.launch({
    executablePath: program,
    args: ["--no-sandbox", ...webgpu ? WEBGPU : []],
  });
  return { browser, [Symbol.asyncDispose]: () => browser.close() };
}

/** What a page said: each message of the console, each error that nobody caught, each request that failed. */
export function heard(page: Page): string[] {
  const messages: string[] = [];
  page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => messages.push(`error: ${error.message}`));
  page.on("requestfailed", (request) => messages.push(`failed: ${request.url()}`));
  return messages;
}

/** The text of a script as the page has it, from the sources. */
export async function scriptOf(path: string): Promise<string> {
  return await bundle(new URL(path, import.meta.url));
}

/** Asserts that axe finds nothing to object to in a page as it is now. */
export async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate((axe as unknown as { readonly source: string }).source);
  const found = await page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html)))`,
  );
  assertEquals(found, []);
}
