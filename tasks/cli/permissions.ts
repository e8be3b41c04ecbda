/**
 * What a task is permitted, by its command line. Only the flags that name what is written are looked at, and nothing is loaded: it is
 * decided before any code runs that the command line names.
 *
 * @module
 */

import { CHOOSING_VARIABLES, DRIVER_VARIABLES } from "../../core/gpu/strategies.ts";
import { findMpi, MPI_VARIABLES } from "../../parallel/mpi.ts";
import { HUB_CACHE, HUB_VARIABLES, hubHosts, isReference } from "../../storage/hub_address.ts";
import { type Addressed, ADDRESSES, trackerAddress } from "../../trackers/addresses.ts";
import { temporaryNames } from "../../storage/write.ts";
import { peekFlag, UsageError, wantsHelp } from "./flags.ts";
import { nearestOf } from "./nearest.ts";
import { OUTLIVES } from "./hangup.ts";

/** Where `train` puts its folders, and where the other tasks look for the newest. */
export const RUNS = "runs";

/** Where `experiment` puts its folders. */
export const EXPERIMENTS = "runs/experiments";

/** Where `sweep` puts its folders. */
export const SWEEPS = "runs/sweeps";

/** The page of `report --compare`. */
export const COMPARISON = "comparison.html";

/** What is kept from one training to the next: tiles that were timed, classifiers. */
export const KEPT = "data";

/** Environment variables that a task may read; the first two it may set for the driver of the GPU. */
export const VARIABLES: readonly string[] = [
  "DENO_WEBGPU_BACKEND",
  "XDG_RUNTIME_DIR",
  ...DRIVER_VARIABLES,
  "ELBO_DATA",
  "ELBO_DEBUG",
  OUTLIVES,
  "TERM",
];

/** Gives what the command line says of a setting. */
type Said = (setting: string) => string | undefined;

/** A file, which is written beside its place first. */
const file = (path: string) => [path, ...temporaryNames(path)];

/** The run folder; of a model on the Hub, where those are kept. */
function runFolder(said: Said): string {
  const run = said("run") ?? RUNS;
  return isReference(run) ? HUB_CACHE : run;
}

/** Whether the command line names a model on the Hub. */
const namesHub = (args: readonly string[]) => args.some((arg) => isReference(arg.replace(/^--[\w-]+=/, "")));

/** The run folder, or the files of `--out` in its place. */
function runOrFiles(said: Said, files: (out: string) => readonly string[] = file): readonly string[] {
  const out = said("out");
  return out === undefined ? [runFolder(said)] : files(out);
}

/** The run folder, where a density is kept that is fitted for `--prior`. */
const priorsIn = (said: Said) => said("prior") === undefined ? [] : [runFolder(said)];

/** Folders and files that each task may write. */
const WRITES: Readonly<Record<string, (said: Said) => readonly string[]>> = {
  train: (said) => {
    const named = [said("out"), said("resume")].filter((folder) => folder !== undefined);
    return [...(named.length ? named : [RUNS]), KEPT];
  },
  // What is fitted is kept in the run folder.
  sample: (said) => [...new Set([...runOrFiles(said), ...priorsIn(said)])],
  reconstruct: runOrFiles,
  encode: runOrFiles,
  impute: runOrFiles,
  import: (said) => [said("out") ?? RUNS],
  export: (said) => [said("out") ?? runFolder(said)],
  // Pictures lie beside the table.
  score: (said) =>
    runOrFiles(said, (out) => {
      const stem = out.replace(/\.[^./\\]+$/, "");
      return [out, `${stem}-images.svg`, `${stem}.svg`].flatMap(file);
    }),
  log: (said) => [said("run") ?? RUNS, KEPT],
  evaluate: (said) => [KEPT, ...priorsIn(said)],
  report: (said) =>
    said("compare") !== undefined
      ? file(said("out") ?? COMPARISON)
      // The figures are in a folder beside the page.
      : runOrFiles(said, (out) => [...file(out), out.replace(/\.html$/i, "")]),
  experiment: (said) => [said("out") ?? EXPERIMENTS],
  sweep: (said) => [said("out") ?? SWEEPS, KEPT],
  tune: () => [KEPT],
  explore: (said) => said("build") === undefined ? [] : [said("build")!],
  models: () => [],
  datasets: () => [],
};

/** The tasks that are permitted what they need and nothing else. */
export const TASKS: readonly string[] = Object.keys(WRITES);

/** What opens an address in a browser. */
export const BROWSERS = ["xdg-open", "open", "explorer"] as const;

/** Whether a task is done together with other processes, by a library that is called directly. */
export function usesMpi(task: string, args: readonly string[]): boolean {
  return PARALLEL.includes(task) && peekFlag(args, "parallel") === "mpi" && !wantsHelp(args);
}

/** Tasks that several processes may do together. */
const PARALLEL = ["train", "evaluate", "score", "encode"];

/** The page is served from one address, and a browser is started where that is asked for. */
function servingFlags(said: Said, open: boolean): string[] {
  const host = said("host") ?? "127.0.0.1";
  if (!/^[\w.:-]+$/.test(host)) throw new UsageError(`Cannot listen on "${host}": expected an address or a name`);
  return [
    `--allow-net=${host.includes(":") ? `[${host}]` : host}`,
    ...(open ? [`--allow-run=${BROWSERS.join()}`] : []),
  ];
}

/** The hosts of the Hub, as the environment has it. */
function hostsOfHub(): readonly string[] {
  const endpoint = Deno.env.get("HF_ENDPOINT");
  if (endpoint && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? "")) {
    throw new UsageError(`Cannot use HF_ENDPOINT "${endpoint}": expected an address, as https://huggingface.co`);
  }
  return hubHosts(endpoint);
}

/** Trackers elsewhere that are to be told of a run. */
export function trackersElsewhere(task: string, args: readonly string[]): readonly Addressed[] {
  const flag = ({ train: "log", log: "to" } as Readonly<Record<string, string>>)[task];
  const names = flag && !wantsHelp(args) ? peekFlag(args, flag)?.split(",") : undefined;
  return (Object.keys(ADDRESSES) as Addressed[]).filter((name) => names?.includes(name));
}

/** The host of a tracker. */
function hostOfTracker(name: Addressed): string {
  try {
    return trackerAddress(name, (variable) => Deno.env.get(variable)).host;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/**
 * The flags of `deno run` for a task. It may read files, since data can be anywhere, write what its command line says, and load modules
 * from files and from JSR. It may use no network (packages of npm are fetched by Deno itself) but that of
 * the Hugging Face Hub where `hf:owner/name` is named and of the trackers that are told of a run, start no program and load no library;
 * only `explore` listens on the address of its page, and with `--open` starts a browser; `--parallel mpi` alone loads MPI's.
 *
 * @throws {UsageError} If there is no such task, or if Deno cannot be told of a path.
 */
export function permissionFlags(task: string, args: readonly string[]): string[] {
  if (!Object.hasOwn(WRITES, task)) {
    throw new UsageError(`Cannot start the task "${task}": ${nearestOf(task, TASKS)}`);
  }
  const hub = namesHub(args);
  const writable = [...WRITES[task]((setting) => peekFlag(args, setting)), ...(hub ? [HUB_CACHE] : [])];
  const withComma = writable.find((path) => path.includes(","));
  if (withComma !== undefined) {
    throw new UsageError(
      `Cannot permit writing to "${withComma}": expected a path without a comma, which separates paths in Deno's flags`,
    );
  }
  const trackers = trackersElsewhere(task, args);
  const hosts = [...trackers.map(hostOfTracker), ...(hub ? hostsOfHub() : [])];
  const mpi = usesMpi(task, args) ? findMpi((name) => Deno.env.get(name)) : undefined;
  return [
    "--no-prompt",
    "--allow-read",
    "--allow-import=jsr.io",
    `--allow-env=${
      [
        ...VARIABLES,
        ...(mpi ? [...MPI_VARIABLES, ...CHOOSING_VARIABLES] : []),
        ...(hub ? HUB_VARIABLES : []),
        ...trackers.flatMap((name) => ADDRESSES[name].variables),
      ].join()
    }`,
    // How much memory there is, which data of a declared size are held against.
    `--allow-sys=systemMemoryInfo${mpi ? ",hostname" : ""}`,
    ...(mpi ? [`--allow-ffi=${mpi}`] : []),
    ...(writable.length ? [`--allow-write=${writable.join()}`] : []),
    ...(hosts.length && task !== "explore" ? [`--allow-net=${hosts.join()}`] : []),
    ...(task === "explore" ? servingFlags((setting) => peekFlag(args, setting), args.includes("--open")) : []),
  ];
}
