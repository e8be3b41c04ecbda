/**
 * Holds the order of the house: who may import whom, who may print, and that what deno.json names exists.
 *
 * tasks -> everything; experiments -> storage, evaluation, figures, models, datasets, core; storage -> models, datasets, core;
 * figures, evaluation, models, datasets -> core; core -> shaders; mod.ts and files.ts re-export. Within core: training -> ops, distributions -> graph ->
 * products -> gpu.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const root = new URL("../", import.meta.url);

/** Which other folders a folder's files may import. `tasks`, `tests` and `bench` import what they like. */
const mayImport: Record<string, readonly string[]> = {
  "mod.ts": ["core", "models", "datasets", "figures", "evaluation"],
  "files.ts": ["core", "storage"],
  core: ["shaders"],
  models: ["core"],
  datasets: ["core"],
  figures: ["core"],
  evaluation: ["core"],
  storage: ["core", "datasets", "models"],
  experiments: ["core", "models", "datasets", "evaluation", "figures", "storage"],
  shaders: [],
};

/** The rooms of core from the bottom up: none imports from one above it. */
const rooms = ["gpu", "products", "graph", "ops", "distributions", "training"];

/** What models share; a model imports no other model. */
const shared = [
  "models/code_prior.ts",
  "models/composed.ts",
  "models/conv.ts",
  "models/conv_stack.ts",
  "models/k_means.ts",
  "models/likelihood.ts",
  "models/linear_gaussian.ts",
  "models/mlp.ts",
  "models/prior.ts",
];

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

/** Specifiers of all imports and re-exports, and whether they load only when called. */
function imports(code: string): { specifier: string; dynamic: boolean }[] {
  const statements = /^\s*(?:import|export)\b[^;"'`]*?["']([^"'\n]+)["']/gm;
  const calls = /\bimport\s*\(\s*["']([^"'\n]+)["']/g;
  return [
    ...code.matchAll(calls).map(([, specifier]) => ({ specifier, dynamic: true })),
    ...code.matchAll(statements)
      .filter(([text]) => /\bfrom\s*["']|^\s*import\s*["']/.test(text))
      .map(([, specifier]) => ({ specifier, dynamic: false })),
  ];
}

/** What is against the order in one file, in words. */
function violations(path: string, text: string): string[] {
  const code = withoutComments(text);
  const house = path.split("/")[0];
  const allowed = mayImport[house];
  if (!allowed) return [];
  const found: string[] = [];
  for (const { specifier, dynamic } of imports(code)) {
    if (!/^\.{1,2}\//.test(specifier)) {
      // a dataset may fetch a package when it is asked for; figures may use one, but then mod.ts can't load them
      const own = house === "storage" && specifier.startsWith("node:");
      if (!dynamic && house !== "figures" && !own) {
        found.push(`${path} depends on the package ${specifier}`);
      }
      continue;
    }
    const target = new URL(specifier, new URL(path, "file:///")).pathname.slice(1);
    const [targetHouse] = target.split("/");
    if (targetHouse !== house && !allowed.includes(targetHouse)) found.push(`${path} imports ${target}`);
    const [room, targetRoom] = [path, target].map((each) => rooms.indexOf(each.split("/")[1]));
    if (house === "core" && targetHouse === "core" && room >= 0 && room < targetRoom) {
      found.push(`${path} imports ${target}`);
    }
    const isModel = house === "models" && path !== "models/mod.ts";
    if (isModel && targetHouse === "models" && !shared.includes(target)) found.push(`${path} imports ${target}`);
  }
  for (const [name] of code.matchAll(/\bconsole\.\w+|\bDeno\.(?:stdout|stderr|stdin|args)\b/g)) {
    found.push(`${path} uses ${name}`);
  }
  return found;
}

/** The file and all that it loads, as paths from the root, and the packages among them; `later`: also what it loads when called. */
function loaded(path: string, later = false, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  if (!path.endsWith(".ts")) return seen;
  for (const { specifier, dynamic } of imports(withoutComments(read(path)))) {
    if (dynamic && !later) continue;
    if (specifier.startsWith(".")) loaded(new URL(specifier, new URL(path, "file:///")).pathname.slice(1), later, seen);
    else seen.add(`package ${specifier}`);
  }
  return seen;
}

/** What a text uses of Deno or of Node's standard library without asking whether it is there. */
function hostOnly(text: string): string[] {
  const code = withoutComments(text);
  return [...code.matchAll(/(?<![.\w])(?:globalThis\.)?Deno(?=\s*(?:\?\.|[.[]))|typeof Deno\b|["'`]node:/g)].map((
    [found],
  ) => found);
}

/** Which files may ask for what only some hosts have: they do without it where it is missing, or say so. */
const asksHost: Readonly<Record<string, readonly string[]>> = { "datasets/builtin.ts": ["`node:"] };

/** Paths of the files below a folder, or the file itself, from the root. */
function* files(path: string): Generator<string> {
  if (path.endsWith(".ts")) return yield path;
  for (const entry of Deno.readDirSync(new URL(path, root))) {
    if (entry.isDirectory) yield* files(`${path}/${entry.name}`);
    else if (entry.name.endsWith(".ts")) yield `${path}/${entry.name}`;
  }
}

const read = (path: string) => Deno.readTextFileSync(new URL(path, root));

Deno.test("every file imports only what its place in the house allows, and only tasks print", () => {
  const found = Object.keys(mayImport).flatMap((house) => [...files(house)])
    .flatMap((path) => violations(path, read(path)));
  assertEquals(found, []);
});

Deno.test("violations() finds an import of a folder that is not allowed", () => {
  assertEquals(violations("core/a.ts", 'import { vae } from "../models/vae.ts";'), ["core/a.ts imports models/vae.ts"]);
  assertEquals(violations("core/ops/a.ts", 'export * from "../../tasks/x.ts";'), ["core/ops/a.ts imports tasks/x.ts"]);
  assertEquals(violations("models/a.ts", 'const x = await import("../datasets/mnist.ts");'), [
    "models/a.ts imports datasets/mnist.ts",
  ]);
  assertEquals(violations("figures/a.ts", 'import type {\n  A,\n} from "../datasets/a.ts";'), [
    "figures/a.ts imports datasets/a.ts",
  ]);
  assertEquals(violations("core/a.ts", 'import "../models/a.ts";\nexport const a = "b";'), [
    "core/a.ts imports models/a.ts",
  ]);
  assertEquals(violations("mod.ts", 'export * from "./tasks/train.ts";'), ["mod.ts imports tasks/train.ts"]);
});

Deno.test("violations() finds a model that imports another model", () => {
  assertEquals(violations("models/a.ts", 'import { b } from "./b.ts";'), ["models/a.ts imports models/b.ts"]);
  assertEquals(violations("models/a.ts", 'import { mlp } from "./mlp.ts";'), []);
  assertEquals(violations("models/mod.ts", 'export { a } from "./a.ts";'), []);
});

Deno.test("violations() finds a package that the library would depend on, and lets a dataset fetch one", () => {
  assertEquals(violations("core/a.ts", 'import { x } from "@std/cli";'), ["core/a.ts depends on the package @std/cli"]);
  assertEquals(violations("datasets/a.ts", 'const { PNG } = await import("pngjs");'), []);
});

Deno.test("violations() finds printing and reading of the command line", () => {
  assertEquals(violations("core/a.ts", "if (x) console.log(x);"), ["core/a.ts uses console.log"]);
  assertEquals(violations("models/a.ts", "const [x] = Deno.args;"), ["models/a.ts uses Deno.args"]);
  assertEquals(violations("figures/a.ts", "Deno.stdout.writeSync(x);"), ["figures/a.ts uses Deno.stdout"]);
});

Deno.test("violations() lets the allowed pass, and looks into no comment", () => {
  const text =
    '/** ```ts\n * console.log(1);\n * ``` */\nimport { a } from "../core/a.ts"; // console.log, "../tasks/x.ts"\n';
  assertEquals(violations("figures/a.ts", text), []);
  assertEquals(violations("core/a.ts", 'import code from "../shaders/a.wgsl" with { type: "text" };'), []);
  assertEquals(violations("core/a.ts", 'fail(`expected other than from "${name}"`);'), []);
  assertEquals(violations("tasks/a.ts", 'import { a } from "../bench/a.ts"; console.log(Deno.args);'), []);
});

Deno.test("mod.ts and what it loads depend on no package", () => {
  assertEquals([...loaded("mod.ts", true)].filter((path) => path.startsWith("package ")), []);
});

Deno.test("mod.ts and what it loads use neither Deno nor node:, and no task, run folder or experiment", () => {
  const graph = [...loaded("mod.ts", true)];
  assert(graph.length > 100);
  const found = graph.filter((path) => path.endsWith(".ts"))
    .flatMap((path) =>
      hostOnly(read(path)).filter((use) => !asksHost[path]?.includes(use)).map((use) => `${path}: ${use}`)
    );
  assertEquals(found, []);
  assertEquals(graph.filter((path) => /^(?:tasks|storage|experiments)\//.test(path)), []);
});

Deno.test("hostOnly() finds Deno and node:, and lets what asks for them and comments pass", () => {
  assertEquals(hostOnly('const a = Deno.cwd();\nawait import("node:zlib");'), ["Deno", '"node:']);
  assertEquals(hostOnly("const a: typeof Deno = globalThis.Deno?.env;"), ["typeof Deno", "globalThis.Deno"]);
  assertEquals(
    hostOnly('/** Deno.cwd() */ // "node:zlib"\nconst { Deno } = globalThis as Host; fail("Deno, Node");'),
    [],
  );
});

/** What TypeScript's DOM library lacks of WebGPU: its constants. */
const CONSTANTS = ["GPUBufferUsage", "GPUTextureUsage", "GPUShaderStage", "GPUMapMode"]
  .map((name) => `declare const ${name}: Readonly<Record<string, number>>;`).join("\n");

Deno.test("mod.ts passes a check of types with the DOM library alone, and files.ts does not", async () => {
  const folder = await Deno.makeTempDir({ prefix: "elbo" });
  try {
    const lib = ["dom", "dom.iterable", "dom.asynciterable", "esnext"];
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ compilerOptions: { lib, strict: true } }));
    await Deno.writeTextFile(`${folder}/constants.d.ts`, CONSTANTS);
    const check = async (entry: string) => {
      const file = `${folder}/${entry}`;
      const imports = `import "./constants.d.ts";\nexport * from ${JSON.stringify(new URL(entry, root).href)};\n`;
      await Deno.writeTextFile(file, imports);
      const args = ["check", "--no-lock", "--quiet", "--config", `${folder}/deno.json`, file];
      const { stderr } = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
      return new TextDecoder().decode(stderr);
    };
    assertEquals(await check("mod.ts"), "");
    assertStringIncludes(await check("files.ts"), "Cannot find name 'Deno'");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const entry of ["mod.ts", "files.ts"]) {
  Deno.test(`${entry} re-exports and does nothing else`, () => {
    const rest = withoutComments(read(entry)).replace(/export (type )?(\*|\{[^}]*\}) from "[^"]+";/g, "").trim();
    assertEquals(rest, "");
  });
}

Deno.test("every task of deno.json runs a file that exists", () => {
  const { tasks } = JSON.parse(read("deno.json")) as { tasks: Record<string, { command: string }> };
  const missing = Object.entries(tasks).flatMap(([name, { command }]) =>
    [...command.matchAll(/[^\s=]+\.(?:ts|sh|md)\b/g)].map(([path]) => ({ name, path }))
  ).filter(({ path }) => !exists(path)).map(({ name, path }) => `${name}: ${path}`);
  assertEquals(missing, []);
});

Deno.test("every task of deno.json says what it is for", () => {
  const { tasks } = JSON.parse(read("deno.json")) as { tasks: Record<string, { description?: string }> };
  for (const [name, { description }] of Object.entries(tasks)) assert(description, `task ${name} has no description`);
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, root)).isFile;
  } catch {
    return false;
  }
}

/** What a file imports of the project, types included, as paths from the root. */
const neighbours = (path: string): string[] =>
  imports(withoutComments(read(path))).map(({ specifier }) => specifier).filter((specifier) =>
    /^\..*\.ts$/.test(specifier)
  )
    .map((specifier) => new URL(specifier, new URL(path, "file:///")).pathname.slice(1));

/** The first circle among files, or undefined. */
function circle(paths: Iterable<string>, next: (path: string) => readonly string[]): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const each of next(path)) {
      const found = visit(each, [...way, path]);
      if (found) return found;
    }
    done.add(path);
    return undefined;
  };
  for (const path of paths) {
    const found = visit(path, []);
    if (found) return found;
  }
  return undefined;
}

Deno.test("no file imports itself by way of others, not even for a type", () => {
  const houses = [
    "mod.ts",
    "files.ts",
    "storage",
    "bench",
    "core",
    "datasets",
    "evaluation",
    "experiments",
    "figures",
    "models",
    "tasks",
  ];
  assertEquals(circle(houses.flatMap((house) => [...files(house)]), neighbours), undefined);
  const links: Record<string, string[]> = { a: ["b"], b: ["c"], c: ["d", "b"], d: [] };
  assertEquals(circle(Object.keys(links), (path) => links[path]), ["b", "c", "b"]);
});
