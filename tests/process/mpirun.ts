/**
 * Programs that Open MPI starts as ranks, some of which are stopped or killed.
 *
 * @module
 */

import { findMpi } from "../../parallel/mpi.ts";
import { root } from "../tasks/support.ts";

/** Why the tests of several ranks are left out, where Open MPI is not installed. */
export const unless = await hasMpi() ? "" : " (ignored: Open MPI is not installed)";
export const ignore = unless !== "";

async function hasMpi(): Promise<boolean> {
  if (!findMpi((name) => Deno.env.get(name))) return false;
  const started = await new Deno.Command("mpirun", { args: ["--version"], stdout: "null", stderr: "null" }).output()
    .catch(() => undefined);
  return started?.success ?? false;
}

/** A process and what it wrote. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Seconds from when a rank was hurt, or from the start. */
  readonly seconds: number;
}

/** What is done to a rank. */
export interface Hurt {
  readonly rank: number;
  readonly signal: "SIGKILL" | "SIGSTOP";
  /** Milliseconds after the start, or what must have been written by then. */
  readonly after: number | string;
}

/** Arguments of Deno that run a task in this checkout as `deno task` does. */
export const launched = (task: string, ...args: readonly string[]) => [
  ...["run", "--quiet", "--allow-run", "--allow-read", "--allow-write", "--allow-env"],
  ...[`--config=${root}deno.json`, `${root}tasks/launch.ts`, task, ...args],
];

/** What `mpirun` is told here: it may run as anyone, with more ranks than processors. */
export const environment = {
  NO_COLOR: "1",
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
  LP_NUM_THREADS: "1",
};

/**
 * Runs Deno as so many ranks, each with the same arguments, or each with its own.
 *
 * @param hurt What is done to a rank on the way.
 */
export async function mpirun(
  args: readonly string[] | readonly (readonly string[])[],
  { ranks = 2, hurt, cwd }: { readonly ranks?: number; readonly hurt?: Hurt; readonly cwd?: string } = {},
): Promise<Ended> {
  const each = Array.isArray(args[0]) ? args as readonly (readonly string[])[] : undefined;
  const programs = each
    ? each.flatMap((own, i) => [...i ? [":"] : [], "-n", "1", Deno.execPath(), ...own])
    : ["-n", `${ranks}`, Deno.execPath(), ...args as readonly string[]];
  const child = new Deno.Command("mpirun", {
    args: ["--oversubscribe", "--bind-to", "none", ...programs],
    env: environment,
    cwd,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let begun = performance.now();
  let reach = () => {};
  const reached = new Promise<void>((resolve) => reach = resolve);
  const text = { stdout: "", stderr: "" };
  const read = async (name: "stdout" | "stderr") => {
    for await (const part of child[name].pipeThrough(new TextDecoderStream())) {
      text[name] += part;
      if (typeof hurt?.after === "string" && text[name].includes(hurt.after)) reach();
    }
  };
  const reading = [read("stdout"), read("stderr")];
  const hurting = hurt && (async () => {
    if (typeof hurt.after === "number") await new Promise((resolve) => setTimeout(resolve, hurt.after as number));
    else await Promise.race([reached, child.status]);
    const process = rankOf(child.pid, hurt.rank);
    begun = performance.now();
    if (process !== undefined) Deno.kill(process, hurt.signal);
    return process;
  })().catch(() => undefined);
  const { code } = await child.status;
  const seconds = (performance.now() - begun) / 1000;
  const stopped = await hurting;
  // A process that stands still is not ended by SIGTERM.
  if (hurt?.signal === "SIGSTOP" && stopped !== undefined) {
    try {
      Deno.kill(stopped, "SIGKILL");
    } catch {
      // It is gone, as it should be.
    }
  }
  await Promise.all(reading);
  return { code, seconds, ...text };
}

/** The process of a rank: the last of a line of processes that Open MPI has numbered. */
function rankOf(mpirun: number, rank: number): number | undefined {
  for (let process = mpirun, found: number | undefined;;) {
    const children = childrenOf(process);
    const own = process === mpirun ? children.filter((child) => numberOf(child) === rank) : children;
    if (!own.length) return found;
    found = process = own[0];
  }
}

function childrenOf(parent: number): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((process) => {
    try {
      // The name in parentheses may hold anything; behind it are the state and the parent.
      return process > 0 &&
        Number(Deno.readTextFileSync(`/proc/${process}/stat`).split(") ").at(-1)!.split(" ")[1]) === parent;
    } catch {
      return false; // it has ended
    }
  });
}

function numberOf(process: number): number | undefined {
  try {
    const variables = Deno.readTextFileSync(`/proc/${process}/environ`).split("\0");
    const line = variables.find((each) => each.startsWith("OMPI_COMM_WORLD_RANK="));
    return line && Number(line.split("=")[1]) || (line ? 0 : undefined);
  } catch {
    return undefined;
  }
}
