/** A task as a process of its own that knows the small dataset "blocks" and the experiment "tiny": `killable.ts train --dataset blocks`. */

import type { Experiment } from "../../experiments/experiment.ts";
import { experiments } from "../../experiments/mod.ts";
import type { FlagGroups } from "../../tasks/cli/flags.ts";
import { main, type Task } from "../../tasks/cli/run.ts";
import { experimentTask } from "../../tasks/experiment.ts";
import { trainTask } from "../../tasks/train.ts";
import { tiny } from "../experiments/support.ts";

/** The tasks that write runs, by name. */
export const tasks: Readonly<Record<string, Task<FlagGroups>>> = {
  train: trainTask as unknown as Task<FlagGroups>,
  experiment: experimentTask as unknown as Task<FlagGroups>,
};

// The list is read-only for everyone but a test that wants an experiment of seconds.
(experiments as Map<string, Experiment>).set(tiny.name, tiny);

if (import.meta.main) {
  const [task, ...args] = Deno.args;
  await main(tasks[task], args);
}
