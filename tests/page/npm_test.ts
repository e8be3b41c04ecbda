/** The package for npm, as it is built: what is in it, what it weighs, and that nothing in it needs Deno. */

import { assert, assertEquals } from "@std/assert";
import { pathToFileURL } from "node:url";
import { parse } from "npm:acorn@8.19.0";
import { bundleByNeed, gzipped } from "../../packaging/bundle.ts";
import { buildNpm } from "../../packaging/npm.ts";
import { withoutRemarks } from "../../packaging/shaders.ts";
import * as sources from "../../mod.ts";

/** Bytes that a page fetches in order to train a VAE on a GPU, packed by gzip: 56.2 kB when this was written (54.0 by Vite), and a little to grow. */
const MOST = 58_000;

const folder = await Deno.makeTempDir({ prefix: "elbo" });
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const root = pathToFileURL(`${folder}/`);
const files = await buildNpm(root);
const read = (path: string) => Deno.readTextFile(new URL(path, root));

Deno.test("the package has what mod.ts loads, each module with its types, and nothing that is Deno's", async () => {
  assertEquals(
    files.filter((path) => /^(?:tasks|storage|experiments|tests)\/|\.ts$(?<!\.d\.ts)|\.wgsl$/.test(path)),
    [],
  );
  assert(files.filter((path) => path.endsWith(".wgsl.js")).length > 150);
  const loaded = await import(new URL("mod.js", root).href);
  assertEquals(Object.keys(loaded).sort(), Object.keys(sources).sort());
  const { name, exports, sideEffects, dependencies } = JSON.parse(await read("package.json"));
  assertEquals([name, sideEffects, dependencies], ["@elbo/elbo", false, undefined]);
  for (const path of Object.values<string>(exports["."])) assert(files.includes(path.slice(2)), path);
});

Deno.test("every module of the package has what it imports, types too", async () => {
  const missing: string[] = [];
  for (const path of files.filter((path) => /\.(?:js|d\.ts)$/.test(path))) {
    for (const [, specifier] of (await read(path)).matchAll(/^(?:import|export)\b[^;"]*?from "([^"]+)"/gm)) {
      const found = new URL(specifier, new URL(path, root)).href.slice(root.href.length);
      const types = found.replace(/(?:\.d)?\.[jt]s$/, ".d.ts");
      if (!files.includes(path.endsWith(".d.ts") ? types : found)) missing.push(`${path}: ${specifier}`);
    }
  }
  assertEquals(missing, []);
  // What only exports read.
  const ops = files.filter((path) => /^core\/ops\/.*(?<!\.d\.ts|\.wgsl\.js)$/.test(path));
  for (const path of ops) assert(!/^\s*formula\s*[:(]/m.test(await read(path)), path);
});

Deno.test("what trains a VAE is small, in ES2022, and does without Deno; the rest is loaded by need", async () => {
  const names = { Gpu: "core/gpu/device.js", train: "core/training/trainer.js", vae: "models/vae.js" };
  const text = Object.entries(names).map(([name, path]) => `export { ${name} } from "./${path}";`).join("\n");
  const files = await bundleByNeed(text, root);
  const [first, later] = [files.first, files.later].map((each) => Object.values(each));
  const size = await gzipped(first.join(""));
  assert(size <= MOST, `${size} bytes`);
  assert(size > MOST / 2, `${size} bytes, so few that something must be missing`);
  for (const [name, isFirst] of Object.entries({ first_moment: true, square_sum: false, encoderBound: false })) {
    assertEquals([first, later].map((texts) => texts.some((each) => each.includes(name))), [isFirst, !isFirst], name);
  }
  for (const script of [...first, ...later]) {
    assertEquals(script.match(/\bDeno\b.{0,40}/g), null);
    parse(script, { ecmaVersion: 2022, sourceType: "module" });
  }
});

Deno.test("withoutRemarks() leaves directives and code", () => {
  assertEquals(
    withoutRemarks(
      "// Needs: a.\n\n/// Sum.\nfn f() {\n  //: repeat i 0..2\n  let a_$i = 1.0 / 2.0; // half\n  //: end\n}\n",
    ),
    "fn f(){\n//: repeat i 0..2\nlet a_$i=1.0 / 2.0;\n//: end\n}\n",
  );
});
