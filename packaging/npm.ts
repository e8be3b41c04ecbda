/**
 * Builds the package for npm from the sources that JSR has: JavaScript and types of mod.ts and of what it loads, shaders as modules, and
 * nothing of Deno. `deno pack` compiles; here it becomes what bundlers take.
 *
 * @module
 */

import { run } from "./run.ts";
import { withoutFormulas } from "./formulas.ts";
import { withoutRemarks } from "./shaders.ts";
import config from "../deno.json" with { type: "json" };

const root = new URL("../", import.meta.url);

/** Where npm finds it if no folder is given, from the root. */
export const FOLDER = "dist/npm/";

/** What stands in place of modules that only Deno has a use for. */
const REPLACED: Readonly<Record<string, string>> = { "core/gpu/host.js": "export const host = () => undefined;\n" };

/** Modules that a file of JavaScript or of types imports. */
const IMPORTS = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g;

/**
 * Builds the package.
 *
 * @param folder Where to; what was there is replaced.
 * @returns The paths of its files in it.
 */
export async function buildNpm(folder: URL): Promise<string[]> {
  const work = await Deno.makeTempDir({ prefix: "elbo" });
  try {
    await run(Deno.execPath(), ["pack", "--quiet", "--allow-dirty", "--no-source-maps", "-o", `${work}/all.tgz`], root);
    await run("tar", ["xzf", "all.tgz"], new URL(`file://${work}/`));
    const files = await reached(new URL(`file://${work}/package/`), ["mod.js", "mod.d.ts"]);
    for (const [name, text] of Object.entries(await ownFiles())) files.set(name, text);
    await Deno.remove(folder, { recursive: true }).catch((cause) => {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    });
    for (const [path, text] of files) {
      const file = new URL(path, folder);
      await Deno.mkdir(new URL(".", file), { recursive: true });
      await Deno.writeTextFile(file, text);
    }
    return [...files.keys()].sort();
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** The files that entries load, shaders as modules. */
async function reached(folder: URL, entries: readonly string[]): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const open = [...entries];
  for (let path: string | undefined; (path = open.pop()) !== undefined;) {
    if (files.has(path)) continue;
    if (path.endsWith(".wgsl")) {
      const text = withoutRemarks(await Deno.readTextFile(new URL(path, folder)));
      files.set(path, "").set(`${path}.js`, `export default ${JSON.stringify(text)};\n`);
      files.set(`${path}.d.ts`, "declare const text: string;\nexport default text;\n");
      continue;
    }
    const text = REPLACED[path] ?? withoutFormulas(path, await Deno.readTextFile(new URL(path, folder)));
    files.set(path, text.replaceAll(/from "([^"]+\.wgsl)"(?: with \{\s*type: "text",?\s*\})?/g, 'from "$1.js"'));
    for (const [, specifier] of text.matchAll(IMPORTS)) {
      const found = new URL(specifier, new URL(path, folder)).href.slice(folder.href.length);
      open.push(path.endsWith(".d.ts") ? found.replace(/(?:\.d)?\.[jt]s$/, ".d.ts") : found);
    }
  }
  for (const path of [...files.keys()].filter((path) => path.endsWith(".wgsl"))) files.delete(path);
  return files;
}

/** What the package has beside the code. */
async function ownFiles(): Promise<Record<string, string>> {
  const { name, version, license } = config;
  const description = {
    ...{ name, version, license },
    description: "Variational Auto-Encoders on WebGPU: train, sample and explore, with fused WGSL shaders",
    keywords: ["vae", "variational autoencoder", "webgpu", "wgsl", "machine learning"],
    type: "module",
    sideEffects: false,
    exports: { ".": { types: "./mod.d.ts", default: "./mod.js" } },
    engines: { node: ">=22" },
  };
  return {
    "package.json": `${JSON.stringify(description, undefined, 2)}\n`,
    "README.md": await Deno.readTextFile(new URL("npm.md", import.meta.url)),
    "LICENSE": await Deno.readTextFile(new URL("LICENSE", root)),
  };
}

if (import.meta.main) {
  const [target = FOLDER, ...others] = Deno.args.filter((arg) => arg !== "--check");
  if (others.length || target.startsWith("-")) {
    console.error(
      "Usage: deno task npm [FOLDER] [--check]\nBuilds the package for npm in FOLDER, dist/npm/ by itself;",
    );
    console.error("--check installs it in fresh projects and trains in Chromium, Node and Bun (minutes, a registry).");
    Deno.exit(2);
  }
  const folder = new URL(`${target.replace(/\/*$/, "")}/`, `file://${Deno.cwd()}/`);
  const files = await buildNpm(folder);
  console.log(`${files.length} files in ${target}`);
  if (Deno.args.includes("--check")) await (await import("./check.ts")).check(folder);
}
