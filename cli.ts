/**
 * Every task from one entry, where there is no `deno.json` of the project: `deno run -A jsr:@elbo/elbo/cli train --dataset mnist`.
 * `deno task` has the same tasks, with narrower permissions.
 *
 * @module
 */

import type { FlagGroups } from "./tasks/cli/flags.ts";
import { main, type Task } from "./tasks/cli/run.ts";

// deno-lint-ignore no-explicit-any -- each task knows its own flags
type AnyTask = Task<any>;

/** The tasks by name; each is loaded when it is asked for. */
const tasks: Readonly<Record<string, () => Promise<AnyTask>>> = {
  train: async () => (await import("./tasks/train.ts")).trainTask,
  sample: async () => (await import("./tasks/sample.ts")).sampleTask,
  reconstruct: async () => (await import("./tasks/reconstruct.ts")).reconstructTask,
  evaluate: async () => (await import("./tasks/evaluate.ts")).evaluateTask,
  encode: async () => (await import("./tasks/encode.ts")).encodeTask,
  score: async () => (await import("./tasks/score.ts")).scoreTask,
  impute: async () => (await import("./tasks/impute.ts")).imputeTask,
  report: async () => (await import("./tasks/report.ts")).reportTask,
  experiment: async () => (await import("./tasks/experiment.ts")).experimentTask,
  models: async () => (await import("./tasks/models.ts")).modelsTask,
  datasets: async () => (await import("./tasks/datasets.ts")).datasetsTask,
  tune: async () => (await import("./tasks/tune.ts")).tuneTask,
};

/** What stands in place of a task whose name was not given, or is none. */
const listing: Task<FlagGroups> = {
  flags: {
    name: "cli",
    usage: "deno run -A jsr:@elbo/elbo/cli TASK",
    summary: `Runs a task: ${Object.keys(tasks).join(", ")}. TASK --help shows its flags.`,
    groups: {},
    examples: ["deno run -A jsr:@elbo/elbo/cli train --dataset mnist", "deno run -A jsr:@elbo/elbo/cli sample"],
  },
  run: (_, { print }) => print(`Tasks: ${Object.keys(tasks).join(", ")}`),
};

if (import.meta.main) {
  const [name = "", ...args] = Deno.args;
  if (Object.hasOwn(tasks, name)) await main(await tasks[name](), args);
  await main(listing, Deno.args);
}
