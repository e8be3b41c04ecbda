/**
 * Tasks that several processes do together: the flags for it, and what each of them is given.
 *
 * @module
 */

import { CHOOSING_VARIABLES } from "../../core/gpu/strategies.ts";
import { type Ranks, textsOf } from "../../core/graph/ranks.ts";
import type { Gpu } from "../../core/gpu/device.ts";
import type { Settings } from "../../core/settings.ts";
import { findMpi, Mpi, MpiError, requireOwnGpu } from "../../parallel/mpi.ts";
import { type FlagGroup, UsageError } from "./flags.ts";
import type { Context } from "./run.ts";
import { nowhere } from "./terminal.ts";

/** Settings of such a task. */
export interface ParallelSettings {
  readonly parallel: typeof WAYS[number];
  readonly shareGpu: boolean;
}

const WAYS = ["none", "mpi"] as const;

/** What becomes flags. */
export const parallelSettings: Settings<ParallelSettings> = {
  parallel: {
    type: "choice",
    default: "none",
    choices: WAYS,
    help: "mpi: together with the other processes that mpirun started (docs/parallel.md)",
  },
  shareGpu: { type: "boolean", default: false, help: "with --parallel: processes of one machine may share a GPU" },
};

/** The flags of a task that has no group to put them in. */
export const parallelFlags: FlagGroup<ParallelSettings> = { title: "Several processes", settings: parallelSettings };

/** Runs a task as one of several ranks, or alone. Only the first of them prints; what goes wrong on another ends all. */
export async function together(
  { parallel }: ParallelSettings,
  context: Context,
  run: (context: Context, ranks: Ranks | undefined) => Promise<void>,
): Promise<void> {
  if (parallel === "none") return await run(context, undefined);
  const path = findMpi((name) => Deno.env.get(name));
  if (!path) {
    throw new UsageError(
      "Cannot use --parallel mpi: expected Open MPI's library, found none; install it (Debian: apt-get install openmpi-bin), " +
        "or name it by ELBO_MPI=/path/to/libmpi.so.40",
    );
  }
  const mpi = await Mpi.open(path).catch((error) => {
    if (error instanceof MpiError && /mpirun/.test(error.message)) {
      throw new UsageError(`${error.message}: mpirun -n 2 ${context.command}`);
    }
    throw error;
  });
  await run(mpi.rank === 0 ? context : silent(context), mpi);
  await mpi.finish();
}

/** The same context, but for what it prints. */
function silent(context: Context): Context {
  return {
    ...context,
    terminal: nowhere,
    print() {},
    emit() {},
  };
}

/** What the first rank has, as JSON holds it, on every rank; also where they wait for one another. */
export async function agreed<T>(ranks: Ranks | undefined, value: T): Promise<T> {
  if (!ranks) return value;
  const [first] = await textsOf(ranks, ranks.rank === 0 ? JSON.stringify(value) ?? "" : "");
  // What JSON has no word for is undefined.
  return (first ? JSON.parse(first) : undefined) as T;
}

/** Sees to it that each rank has a GPU of its own. */
export async function requireOwn(ranks: Ranks, { adapter, cpu }: Gpu, { shareGpu }: ParallelSettings): Promise<void> {
  const variables = Object.fromEntries(CHOOSING_VARIABLES.map((name) => [name, Deno.env.get(name) ?? ""]));
  await requireOwnGpu(ranks, Deno.hostname(), cpu || shareGpu ? undefined : adapter, variables);
}
