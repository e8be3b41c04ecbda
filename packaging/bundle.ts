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
import { withoutFormulas } from "./formulas.ts";
import { withoutRemarks } from "./shaders.ts";

const root = new URL("../", import.meta.url);

/** Folders of which no file does anything when it is imported, but for one. */
const PURE = /^(?:core|datasets|evaluation|figures|models|shaders)\/|^mod\.[jt]s$/;

/** What has all parts from the start. In one text they are there anyway. */
const EVERY_PART = /^models\/every_part\.[jt]s$/;

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
  const { outputFiles: [file] } = await build(entry, library, { minify, plugins: [sources(library, EVERY_PART)] });
  return file.text;
}

/**
 * Bundles an entry's text in files, by their names: what a page fetches first, `stdin.js` being the entry, and what is loaded by need.
 *
 * @throws {Error} What esbuild says is wrong.
 */
export async function bundleByNeed(
  text: string,
  library: URL = root,
): Promise<Readonly<Record<"first" | "later", Readonly<Record<string, string>>>>> {
  const options = { minify: true, splitting: true, metafile: true, outdir: "/", plugins: [sources(library)] };
  const { outputFiles, metafile } = await build({ text }, library, options);
  const outputs = metafile!.outputs;
  const first = new Set<string>();
  const visit = (path: string) => {
    if (first.has(path)) return;
    first.add(path);
    for (const each of outputs[path].imports) if (each.kind === "import-statement") visit(each.path);
  };
  visit(Object.keys(outputs).find((path) => path.endsWith("stdin.js"))!);
  const nameOf = (path: string) => path.split("/").at(-1)!;
  const names = new Set([...first].map(nameOf));
  const texts = (isFirst: boolean) =>
    Object.fromEntries(
      outputFiles.map(({ path, text }) => [nameOf(path), text]).filter(([name]) => names.has(name) === isFirst),
    );
  return { first: texts(true), later: texts(false) };
}

async function build(entry: URL | { readonly text: string }, library: URL, options: esbuild.BuildOptions) {
  await (started ??= start());
  return await esbuild.build({
    ...entry instanceof URL
      ? { entryPoints: [entry.href] }
      : { stdin: { contents: entry.text, loader: "ts" as const, sourcefile: new URL("entry.ts", library).href } },
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent",
    ...options,
    write: false,
  });
}

/** Reads modules by their addresses, and says which are pure, but for some; shaders lose their remarks. */
const sources = (library: URL, impure?: RegExp): esbuild.Plugin => ({
  name: "sources",
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
      const { href } = new URL(path === "@elbo/elbo" ? "./mod.ts" : path, path.startsWith(".") ? importer : library);
      const file = href.startsWith(library.href) ? href.slice(library.href.length) : "";
      const pure = kind !== "entry-point" && PURE.test(file) && !impure?.test(file);
      return { path: href, namespace: "sources", sideEffects: !pure };
    });
    build.onLoad({ filter: /.*/, namespace: "sources" }, async ({ path }) => {
      const contents = await (await fetch(path)).text();
      if (path.endsWith(".wgsl")) return { contents: withoutRemarks(contents), loader: "text" };
      return path.endsWith(".js")
        ? { contents, loader: "js" }
        : { contents: withoutFormulas(path, contents), loader: "ts" };
    });
  },
});

/** Bytes of a text, packed by gzip. */
export async function gzipped(text: string): Promise<number> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).bytes()).length;
}
