/**
 * Every task from one entry, where there is no `deno.json` of the project: `deno run -A jsr:@elbo/elbo/cli train --dataset mnist`.
 * `deno task` has the same tasks, with narrower permissions.
 *
 * @module
 */

/** The tasks, a file each. */
const TASKS: readonly string[] = [
  ...["train", "sample", "reconstruct", "evaluate", "encode", "score", "impute", "report", "experiment"],
  ...["export", "import", "log", "sweep", "explore", "models", "datasets", "tune"],
];

/** What it is called where it is installed: what hints of further commands begin with. */
const PROGRAM = "elbo";

/** What stands in place of a task whose name was not given, or is none. */
const listing = {
  flags: {
    name: "cli",
    usage: "deno run -A jsr:@elbo/elbo/cli TASK",
    summary: `Runs a task: ${TASKS.join(", ")}. TASK --help shows its flags.`,
    groups: {},
    examples: ["deno run -A jsr:@elbo/elbo/cli train --dataset mnist", "deno run -A jsr:@elbo/elbo/cli sample"],
  },
  run: (_: unknown, { print }: { print(line: string): void }) => print(`Tasks: ${TASKS.join(", ")}`),
};

/** A module of the tasks. By a name that no analysis follows: what they import is of no concern to who imports the library. */
const load = (name: string) => import(["./tasks", `${name}.ts`].join("/"));

if (import.meta.main) {
  const { main } = await load("cli/run");
  const [name = "", ...args] = Deno.args;
  if (TASKS.includes(name)) await main((await load(name))[`${name}Task`], args, PROGRAM);
  if (name && !name.startsWith("-")) {
    const { nearestOf } = await load("cli/nearest");
    console.error(`Error: Cannot find a task ${JSON.stringify(name)}: ${nearestOf(name, TASKS)}`);
    Deno.exit(2);
  }
  await main(listing, Deno.args, PROGRAM);
}
