/**
 * A page's module with all that it imports, in one text: TypeScript and shaders as the sources have them, minified, in the syntax of ES2022,
 * which every browser with WebGPU reads (`using` is newer). What of the library is not used is left out.
 *
 * The bundler is esbuild as WebAssembly: it starts no program, so that a task may bundle with the few permissions that tasks have, and reads
 * modules from wherever the sources are, a package registry included.
 *
 * @module
 */

import * as esbuild from "npm:esbuild-wasm@0.28.2/esm/browser.js";
import { withoutRemarks } from "./shaders.ts";

const root = new URL("../", import.meta.url);

/** Folders of which no file does anything when it is imported. */
const PURE = /^(?:core|datasets|evaluation|figures|models|shaders)\/|^mod\.[jt]s$/;

/** How {@linkcode bundle} bundles. */
export interface BundleOptions {
  /** Default true. */
  readonly minify?: boolean;
  /** Where the library is, and what an entry's text imports from. Default: the sources. */
  readonly library?: URL;
}

let started: Promise<void> | undefined;

/** Starts the bundler, once. */
async function start(): Promise<void> {
  const wasm = new URL(import.meta.resolve("npm:esbuild-wasm@0.28.2/esbuild.wasm"));
  const wasmModule = await WebAssembly.compile(await Deno.readFile(wasm));
  await esbuild.initialize({ wasmModule, worker: false });
}

/**
 * Bundles an entry, in which `@elbo/elbo` is mod.ts.
 *
 * @param entry A file, or the text of one that stands beside mod.ts.
 * @throws {Error} What esbuild says is wrong.
 */
export async function bundle(
  entry: URL | { readonly text: string },
  { minify = true, library = root }: BundleOptions = {},
): Promise<string> {
  await (started ??= start());
  const { outputFiles: [file] } = await esbuild.build({
    ...entry instanceof URL
      ? { entryPoints: [entry.href] }
      : { stdin: { contents: entry.text, loader: "ts" as const, sourcefile: new URL("entry.ts", library).href } },
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent",
    write: false,
    minify,
    plugins: [sources(library)],
  });
  return file.text;
}

/** Reads modules by their addresses, and says which are pure; shaders lose their remarks. */
const sources = (library: URL): esbuild.Plugin => ({
  name: "sources",
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
      const { href } = new URL(path === "@elbo/elbo" ? "./mod.ts" : path, path.startsWith(".") ? importer : library);
      const pure = kind !== "entry-point" && href.startsWith(library.href) &&
        PURE.test(href.slice(library.href.length));
      return { path: href, namespace: "sources", sideEffects: !pure };
    });
    build.onLoad({ filter: /.*/, namespace: "sources" }, async ({ path }) => {
      const contents = await (await fetch(path)).text();
      if (path.endsWith(".wgsl")) return { contents: withoutRemarks(contents), loader: "text" };
      return { contents, loader: path.endsWith(".js") ? "js" : "ts" };
    });
  },
});

/** Bytes of a text, packed by gzip. */
export async function gzipped(text: string): Promise<number> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).bytes()).length;
}
