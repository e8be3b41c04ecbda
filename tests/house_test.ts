/**
 * Holds the order of the house: who may import whom, who may print, and that what deno.json names exists.
 *
 * tasks -> everything; experiments -> storage, evaluation, figures, models, datasets, core; storage -> models, datasets, core;
 * figures, evaluation, models, datasets -> core; core -> shaders; mod.ts and files.ts re-export. Within core: training -> distributions ->
 * nn -> ops -> graph ->
 * products -> gpu.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { withFolder } from "./support/folder.ts";

const root = new URL("../", import.meta.url);

/** Which other folders a folder's files may import. `tasks`, `tests` and `bench` import what they like. */
const mayImport: Record<string, readonly string[]> = {
  "mod.ts": ["core", "models", "datasets", "figures", "evaluation"],
  "files.ts": ["core", "storage", "parallel"],
  core: ["shaders"],
  models: ["core"],
  datasets: ["core"],
  figures: ["core"],
  evaluation: ["core"],
  storage: ["core", "datasets", "models", "deno.json"],
  explorer: ["core", "models", "datasets", "evaluation", "figures", "packaging"],
  exchange: ["core", "models", "storage"],
  experiments: ["core", "models", "datasets", "evaluation", "figures", "storage"],
  sweeps: ["core", "figures", "storage"],
  parallel: ["core", "storage"],
  trackers: ["core", "figures", "storage"],
  shaders: [],
};

/**
 * What knows which adapters have a strategy of their own, and the words of theirs that nobody else uses. `compileAhead`, an
 * option, and "panel" in what a user reads of the tiles are not among them.
 */
const strategies: readonly string[] = [
  "core/more.ts",
  "core/gpu/strategies.ts",
  "core/gpu/second_thread.ts",
];
const privateWords: readonly { readonly words: RegExp; readonly own: readonly string[]; readonly within?: string }[] = [
  {
    words:
      /lavapipe|llvmpipe|\bLP_[A-Z]\w*|\bMESA_[A-Z]\w*|texture\w*|\btexels?\b|subgroup\w*|CompileAhead|compile_ahead|compile_worker/g,
    own: ["core/gpu/lavapipe/", "shaders/lavapipe/"],
  },
  { words: /"panel"|\bpanel(?:Product|Chunk)\w*|\blanes?\b|\bquick\b/g, own: ["core/gpu/lavapipe/"], within: "core/" },
];

/** The rooms of core from the bottom up: none imports from one above it. */
const rooms = ["gpu", "products", "graph", "ops", "nn", "distributions", "training"];

/** What models share; a model imports no other model. */
const shared = [
  "models/autoencoder.ts",
  "models/code_prior.ts",
  "models/composed.ts",
  "models/composed_parts.ts",
  "models/composed_settings.ts",
  "models/conv.ts",
  "models/conv_hierarchy.ts",
  "models/conv_stack.ts",
  "models/discriminator.ts",
  "models/hierarchy.ts",
  "models/k_means.ts",
  "models/likelihood.ts",
  "models/likelihood_settings.ts",
  "models/linear_gaussian.ts",
  "models/mlp.ts",
  "models/plain.ts",
  "models/posterior_flow.ts",
  "models/penalty.ts",
  "models/prior.ts",
  "models/quantizer.ts",
  "models/vector_quantized.ts",
  "models/reconstruction.ts",
];

/** The private words of a strategy that a file outside of its folder uses, comments included. */
function leaks(path: string, text: string): string[] {
  if (strategies.includes(path)) return [];
  return privateWords.filter(({ own, within = "" }) =>
    path.startsWith(within) && !own.some((folder) => path.startsWith(folder))
  ).flatMap(({ words }) => [...new Set(text.match(words))].map((word) => `${path} says ${word}`));
}

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
      const own = ["storage", "trackers"].includes(house) && specifier.startsWith("node:");
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
  // One ends a process that waits for others and can leave it to nobody to say why; the other silences a package that prints.
  if (path === "parallel/watch_worker.ts" || path === "trackers/wandb_worker.ts") return found;
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
function* files(path: string, end = ".ts"): Generator<string> {
  if (path.endsWith(end)) return yield path;
  for (const entry of Deno.readDirSync(new URL(path, root))) {
    if (entry.isDirectory) yield* files(`${path}/${entry.name}`, end);
    else if (entry.name.endsWith(end)) yield `${path}/${entry.name}`;
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

Deno.test("what one adapter wants is said in the folder of its strategy alone", () => {
  const houses = [...Object.keys(mayImport), "tasks", "cli.ts"];
  const texts = [...houses.flatMap((house) => [...files(house)]), ...files("shaders", ".wgsl")];
  assert(texts.includes("core/gpu/lavapipe/panel.ts") && texts.includes("shaders/lavapipe/panel.wgsl"));
  assertEquals(texts.flatMap((path) => leaks(path, read(path))), []);
});

Deno.test("leaks() finds a word of a strategy elsewhere, and leaves alone its folder and who chooses it", () => {
  const text = '// texture copies, as llvmpipe wants\nif (family === "panel") set("LP_NATIVE_VECTOR_WIDTH", quick);\n';
  assertEquals(leaks("core/graph/a.ts", text), [
    "core/graph/a.ts says texture",
    "core/graph/a.ts says llvmpipe",
    "core/graph/a.ts says LP_NATIVE_VECTOR_WIDTH",
    'core/graph/a.ts says "panel"',
    "core/graph/a.ts says quick",
  ]);
  assertEquals(leaks("core/a.ts", 'import { free } from "./gpu/lavapipe/texture_copy.ts";'), [
    "core/a.ts says lavapipe",
    "core/a.ts says texture_copy",
  ]);
  assertEquals(leaks("core/gpu/lavapipe/a.ts", text), []);
  assertEquals(leaks("core/gpu/strategies.ts", text), []);
  assertEquals(leaks("tasks/a.ts", "if (options.quick) await Gpu.open({ compileAhead: true });"), []);
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

Deno.test("mod.ts passes a check of types with the DOM library alone, and files.ts does not", () =>
  withFolder(async (folder) => {
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
  }));

for (const entry of ["mod.ts", "files.ts"]) {
  Deno.test(`${entry} re-exports and does nothing else`, () => {
    const rest = withoutComments(read(entry)).replace(/export (type )?(\*(?: as \w+)?|\{[^}]*\}) from "[^"]+";/g, "")
      .trim();
    assertEquals(rest, "");
  });
}

Deno.test("every task of deno.json runs a file that exists", () => {
  const { tasks } = JSON.parse(read("deno.json")) as { tasks: Record<string, { command: string }> };
  const missing = Object.entries(tasks).flatMap(([name, { command }]) =>
    [...command.matchAll(/[^\s=,]+\.(?:ts|sh|md)\b/g)].map(([path]) => ({ name, path }))
  ).filter(({ path }) => !exists(path)).map(({ name, path }) => `${name}: ${path}`);
  assertEquals(missing, []);
});

Deno.test("every task of deno.json says what it is for", () => {
  const { tasks } = JSON.parse(read("deno.json")) as { tasks: Record<string, { description?: string }> };
  for (const [name, { description }] of Object.entries(tasks)) assert(description, `task ${name} has no description`);
});

/** What a `deno test` command runs of the files of the project: tests, and with `--doc` the examples of documentation. */
function runs(command: string): (path: string, example: boolean) => boolean {
  const [, words] = /\bdeno test\b(.*)/.exec(command) ?? [];
  const args = words?.split(" ").filter((word) => word) ?? [];
  const ignored = args.find((arg) => arg.startsWith("--ignore="))?.slice(9).split(",") ?? [];
  const paths = args.filter((arg) => !arg.startsWith("-"));
  const within = (path: string, roots: readonly string[]) =>
    roots.some((root) => path === root || path.startsWith(`${root}/`));
  return (path, example) =>
    words !== undefined && (!example || args.includes("--doc")) && !within(path, ignored) &&
    (paths.length === 0 || within(path, paths));
}

/** Paths of all TypeScript and Markdown of the project, from the root. */
function* everything(folder = ""): Generator<string> {
  const { exclude } = JSON.parse(read("deno.json")) as { exclude: readonly string[] };
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder || ".", root))) {
    const path = folder + name;
    if (name.startsWith(".") || exclude.includes(path)) continue;
    if (isDirectory) yield* everything(`${path}/`);
    else if (/\.(ts|md)$/.test(name)) yield path;
  }
}

/** Whether a text has examples that `deno test --doc` runs. */
const hasExamples = (text: string) => /^(?: *\*)? *```(?:ts|js|typescript|javascript)\b(?! +ignore)/m.test(text);

/** Files that are not run by exactly one of the commands, and by which. */
function misplaced(paths: Iterable<string>, example: boolean, commands: Record<string, string>): string[] {
  const tasks = Object.entries(commands).map(([name, command]) => [name, runs(command)] as const);
  return [...paths].map((path) =>
    [path, tasks.filter(([, takes]) => takes(path, example)).map(([name]) => name)] as const
  )
    .filter(([, by]) => by.length !== 1)
    .map(([path, by]) => `${path}: ${by.join(" and ") || "none"}`);
}

/** The tasks of deno.json that the task `test` is made of. */
function testTasks(): Record<string, string> {
  const { tasks } = JSON.parse(read("deno.json")) as { tasks: Record<string, { command: string }> };
  const names = Object.keys(tasks).filter((name) => name.startsWith("test:"));
  return Object.fromEntries(names.map((name) => [name, tasks[name].command]));
}

Deno.test("every test, and every example of the documentation, is run by exactly one task", () => {
  const all = [...everything()];
  const tests = all.filter((path) => path.endsWith("_test.ts"));
  const examples = all.filter((path) => hasExamples(read(path)));
  assert(tests.length > 80 && examples.includes("README.md") && examples.includes("mod.ts"), `${examples}`);
  assertEquals([...misplaced(tests, false, testTasks()), ...misplaced(examples, true, testTasks())], []);
});

Deno.test("deno task test runs each of its parts once", () => {
  const { tasks } = JSON.parse(read("deno.json")) as { tasks: Record<string, { command: string }> };
  const parts = [...tasks.test.command.matchAll(/deno task (\S+?)(?=[\s)]|$)/g)].map(([, name]) => name);
  assertEquals(parts.sort(), Object.keys(testTasks()).sort());
});

Deno.test("misplaced() finds a file that no task runs, or two", () => {
  const commands = {
    one: "A=1 deno test -A --doc --ignore=tests/b,tests/c/x_test.ts",
    two: "deno test tests/b",
    three: "deno test -A tests/d",
    none: "deno run tests/e",
  };
  const found = misplaced(
    ["tests/a_test.ts", "tests/b/a_test.ts", "tests/c/x_test.ts", "tests/d/a_test.ts"],
    false,
    commands,
  );
  assertEquals(found, ["tests/c/x_test.ts: none", "tests/d/a_test.ts: one and three"]);
  assertEquals(misplaced(["core/a.ts", "tests/b/a.ts"], true, commands), ["tests/b/a.ts: none"]);
  assertEquals([" * ```ts\n", "```ts\n", " * ```ts ignore\n", "```sh\n"].map(hasExamples), [true, true, false, false]);
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, root)).isFile;
  } catch {
    return false;
  }
}

/** What a file imports of the project, types included, as paths from the root; what it loads by need may import it. */
const neighbours = (path: string): string[] =>
  imports(withoutComments(read(path))).filter(({ dynamic }) => !dynamic).map(({ specifier }) => specifier).filter((
    specifier,
  ) => /^\..*\.ts$/.test(specifier))
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

Deno.test("what tests bring from outside imports nothing but mod.ts and its neighbours", () => {
  const modules = [...files("tests/outside")].filter((path) => !path.endsWith("_test.ts"));
  assert(modules.length > 0);
  const found = modules.flatMap((path) =>
    imports(withoutComments(read(path))).map(({ specifier }) => specifier).filter((specifier) =>
      specifier !== "../../mod.ts" && !/^\.\/\w+\.ts$/.test(specifier)
    ).map((specifier) => `${path} imports ${specifier}`)
  );
  assertEquals(found, []);
});

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
    "sweeps",
    "tasks",
  ];
  assertEquals(circle(houses.flatMap((house) => [...files(house)]), neighbours), undefined);
  const links: Record<string, string[]> = { a: ["b"], b: ["c"], c: ["d", "b"], d: [] };
  assertEquals(circle(Object.keys(links), (path) => links[path]), ["b", "c", "b"]);
});

Deno.test("of the tests that run side by side, one file alone changes the working directory, which all share", () => {
  const changing = [...files("tests")].filter((path) =>
    !/^tests\/(tasks|process)\//.test(path) && /inFolder\b[^;]*tasks\/support\.ts|Deno\.chdir\(/.test(read(path))
  );
  assertEquals(changing.filter((path) => path !== "tests/house_test.ts"), ["tests/experiments/runner_test.ts"]);
});
