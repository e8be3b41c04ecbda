/**
 * A page's module with all that it imports, in one text: TypeScript and shaders as the sources have them, minified, in the syntax of ES2022,
 * which every browser with WebGPU reads (`using` is newer). What of the library is not used is left out.
 *
 * @module
 */

import * as esbuild from "npm:esbuild@0.28.2";
import { fileURLToPath as fromFileUrl } from "node:url";
import { withoutRemarks } from "./shaders.ts";

const root = new URL("../", import.meta.url);

/** Folders of which no file does anything when it is imported. */
const PURE = /^(?:core|datasets|evaluation|figures|models|shaders)\/|^mod\.ts$/;

/** How {@linkcode bundle} bundles. */
export interface BundleOptions {
  /** Default true. */
  readonly minify?: boolean;
  /** Where modules are looked for that are packages, as `node_modules` does; in place of the sources for `@elbo/elbo`. */
  readonly packages?: string;
}

/**
 * Bundles an entry, in which `@elbo/elbo` is mod.ts.
 *
 * @param entry A file, or the text of one that stands in the root.
 * @throws {Error} What esbuild says is wrong.
 */
export async function bundle(
  entry: URL | { readonly text: string },
  { minify = true, packages }: BundleOptions = {},
): Promise<string> {
  try {
    const { outputFiles: [file] } = await esbuild.build({
      ...entry instanceof URL
        ? { entryPoints: [fromFileUrl(entry)] }
        : { stdin: { contents: entry.text, loader: "ts" as const, resolveDir: packages ?? fromFileUrl(root) } },
      ...{
        bundle: true,
        format: "esm",
        platform: "browser",
        target: "es2022",
        logLevel: "silent",
        write: false,
        minify,
      },
      plugins: packages ? [] : [sources],
    });
    return file.text;
  } finally {
    await esbuild.stop();
  }
}

/** The project's sources: what is pure of them, what their name stands for, and shaders without remarks. */
const sources: esbuild.Plugin = {
  name: "sources",
  setup(build) {
    build.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir }) => {
      const file = new URL(path, `file://${resolveDir}/`);
      const pure = file.href.startsWith(root.href) && PURE.test(file.href.slice(root.href.length));
      return { path: fromFileUrl(file), sideEffects: !pure };
    });
    build.onResolve({ filter: /^@elbo\/elbo$/ }, () => ({
      path: fromFileUrl(new URL("mod.ts", root)),
      sideEffects: false,
    }));
    build.onLoad({ filter: /\.wgsl$/ }, async ({ path }) => ({
      contents: withoutRemarks(await Deno.readTextFile(path)),
      loader: "text",
    }));
  },
};

/** Bytes of a text, packed by gzip. */
export async function gzipped(text: string): Promise<number> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).bytes()).length;
}
