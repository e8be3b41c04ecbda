/**
 * Starts a task of deno.json with the permissions that its command line asks for: `launch.ts train --out runs/mine`. This program may
 * start others; the task, and a model's module that it loads, may not.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { driverVariables } from "../core/gpu/strategies.ts";
import { LOCAL_SIZE, rankHere } from "../parallel/mpi.ts";
import { peekFlag, UsageError, wantsHelp } from "./cli/flags.ts";
import { listenToHangup, OUTLIVES, outlivesTerminal } from "./cli/hangup.ts";
import { denoFolder, type Disk, type Lock, lockFor, packagesToFetch } from "./cli/packages.ts";
import { permissionFlags, usesMpi } from "./cli/permissions.ts";
import { shown } from "./cli/terminal.ts";

/** A file of the project. */
const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** A file of the kernel, or "". It is read by a program: Deno gives these only to those that may do everything. */
function kernelFile(path: string): string {
  try {
    return new TextDecoder().decode(new Deno.Command("cat", { args: [path], stderr: "null" }).outputSync().stdout);
  } catch {
    return "";
  }
}

/** Files as {@linkcode lockFor} looks at them. */
const disk: Disk = {
  read: (path) => {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return undefined;
    }
  },
  folders: (path) => {
    try {
      return Array.from(Deno.readDirSync(path)).filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
    } catch {
      return undefined;
    }
  },
};

/**
 * A copy of the lock file, which pins all that a task runs, without what it has no use for. To the copy may be added what only some need: the
 * packages of a model's module, or of a large dataset, whose files have known sums. What is to be fetched is said in a line: it takes a while.
 */
function copyOfLock(task: string, args: readonly string[]): { readonly file: string } & Disposable {
  let file: string | undefined;
  try {
    const lock = lockFor(JSON.parse(Deno.readTextFileSync(path("deno.lock"))) as Lock, task, args, disk);
    file = Deno.makeTempFileSync({ prefix: "elbo-", suffix: ".lock" });
    Deno.writeTextFileSync(file, JSON.stringify(lock, undefined, 2) + "\n");
    const missing = packagesToFetch(lock, denoFolder((name) => Deno.env.get(name)), disk);
    if (missing.length) console.error(`Fetching packages, at their first use: ${missing.join(", ")}`);
  } catch (cause) {
    if (file) Deno.removeSync(file);
    throw new LaunchError(`Cannot copy deno.lock to ${file ?? "a temporary file"}: ${reasonOf(cause)}`, { cause });
  }
  const copy = file;
  return { file: copy, [Symbol.dispose]: () => Deno.removeSync(copy) };
}

/** Signals that are passed on to the task, which says itself what came of it. */
const PASSED_ON: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Which of MPI's processes this is, where it is one. */
function rankName(): string {
  const rank = rankHere((name) => Deno.env.get(name));
  return rank ? `Rank ${rank.rank} of ${rank.size}: ` : "";
}

/** What tells drivers of the processes that MPI started on this machine, where the user has told them nothing. */
function threads(): Record<string, string> {
  const processes = Number(Deno.env.get(LOCAL_SIZE) ?? 1);
  const wanted = Object.entries(driverVariables(navigator.hardwareConcurrency, processes));
  return Object.fromEntries(wanted.filter(([name]) => Deno.env.get(name) === undefined));
}

/** What keeps a task from being started. */
class LaunchError extends Error {}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Workers that a sweep is asked to have on this machine. */
function workersOf(task: string, args: readonly string[]): number {
  const alone = wantsHelp(args) || ["index", "worker"].some((setting) => peekFlag(args, setting) !== undefined) ||
    args.some((arg) => /^--(?:status|collect)\b/.test(arg));
  const workers = task === "sweep" && !alone ? Number(peekFlag(args, "parallel") ?? 1) : 1;
  // What is no such number is refused by the task, which knows its range.
  return Number.isInteger(workers) && workers > 1 && workers <= 64 ? workers : 1;
}

/** Runs the task, or so many workers of it, to the end and returns the exit code: of several, the largest. */
async function launch(task: string, args: readonly string[]): Promise<number> {
  const flags = permissionFlags(task, args);
  // Programs that are started inherit which signals are ignored.
  const outlives = outlivesTerminal(() => kernelFile("/proc/self/status"));
  using lock = copyOfLock(task, args);
  const locked = [`--lock=${lock.file}`, "--frozen=false"];
  const start = (own: readonly string[]) =>
    new Deno.Command(Deno.execPath(), {
      // Quiet: packages that are fetched at first use would take dozens of lines.
      args: ["run", "--quiet", `--config=${path("deno.json")}`, ...locked, ...flags, path(`tasks/${task}.ts`), ...own],
      env: { ...outlives ? { [OUTLIVES]: "1" } : {}, ...usesMpi(task, args) ? threads() : {} },
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  const workers = workersOf(task, args);
  const children = workers === 1
    ? [start(args)]
    : Array.from({ length: workers }, (_, i) => start([...args, `--worker=${i + 1}`]));
  const passOn = (signal: Deno.Signal) => () => {
    for (const child of children) {
      try {
        // Ctrl-C reaches all anyway; a signal to this process alone does not. On Windows it would kill.
        if (Deno.build.os !== "windows") child.kill(signal);
      } catch {
        // It has ended.
      }
    }
  };
  Deno.addSignalListener("SIGINT", passOn("SIGINT"));
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", passOn("SIGTERM"));
  listenToHangup(outlives, passOn("SIGHUP"));
  const ended = await Promise.all(children.map(({ status }) => status));
  const killed = ended.find(({ signal }) => signal && !PASSED_ON.includes(signal));
  if (killed) console.error(`Error: ${rankName()}deno task ${task} was ended by ${killed.signal}`);
  return Math.max(...ended.map(({ code }) => code));
}

if (import.meta.main) {
  const [task = "", ...args] = Deno.args;
  try {
    Deno.exit(await launch(task, args));
  } catch (error) {
    const usage = error instanceof UsageError;
    if (!usage && !(error instanceof LaunchError)) throw error;
    console.error(`Error: ${shown(error.message)}`);
    Deno.exit(usage ? 2 : 1);
  }
}
