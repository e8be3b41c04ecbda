/**
 * Which npm packages a task is started with: what the lock file pins, without large ones that this command line has no use for. Deno fetches
 * whatever a lock file names before anything runs.
 *
 * @module
 */

import { RUNS, trackersElsewhere } from "./permissions.ts";

/** A lock file, as far as it is looked at. */
export interface Lock {
  /** Versions by what is asked for: `npm:vega@6.4.0`. */
  readonly specifiers: Readonly<Record<string, string>>;
}

/** Reads a file, or lists the folders in a folder; undefined where there is none. */
export interface Disk {
  read(path: string): string | undefined;
  folders(path: string): readonly string[] | undefined;
}

const HDF5 = /\.(mat|h5|hdf5)(\.gz)?$/i;

/**
 * Whether HDF5 files may be read: the command line names one, or data of a run are such. A run that does not say counts as one.
 */
function mayReadHdf5(args: readonly string[], { read, folders }: Disk): boolean {
  const named = args.flatMap((arg) => arg.startsWith("--") ? arg.split("=").slice(1) : [arg]);
  if (named.some((arg) => HDF5.test(arg))) return true;
  const kept = folders(RUNS) ?? [];
  return [...named, ...kept.map((name) => `${RUNS}/${name}`)].some((folder) => {
    if (!folders(folder)) return false;
    const dataset = /"dataset":\s*("(?:[^"\\]|\\.)*")/.exec(read(`${folder}/config.json`) ?? "")?.[1];
    return dataset ? HDF5.test(JSON.parse(dataset)) : read(`${folder}/checkpoint.safetensors`) !== undefined;
  });
}

const tellsWandb = (task: string, args: readonly string[]) => trackersElsewhere(task, args).includes("wandb");

/** Packages that few tasks need, and when. */
const BY_NEED: Readonly<Record<string, (task: string, args: readonly string[], disk: Disk) => boolean>> = {
  "esbuild-wasm": (task) => task === "explore",
  "onnx-proto": (task) => task === "export",
  "@wandb/sdk": tellsWandb,
  // Named beside it, in the version that it takes.
  graphql: tellsWandb,
  "h5wasm": (_, args, disk) => mayReadHdf5(args, disk),
};

/** `h5wasm` of `npm:h5wasm@0.10.3`. */
const nameOf = (specifier: string) => specifier.slice("npm:".length).replace(/@[^@/]*$/, "");

/** The lock file that a task is started with. */
export function lockFor<L extends Lock>(lock: L, task: string, args: readonly string[], disk: Disk): L {
  const specifiers = Object.entries(lock.specifiers).filter(([specifier]) =>
    BY_NEED[nameOf(specifier)]?.(task, args, disk) ?? true
  );
  return { ...lock, specifiers: Object.fromEntries(specifiers) };
}

/**
 * The packages of a lock file that Deno's cache does not hold yet.
 *
 * @param cache Deno's own folder.
 */
export function packagesToFetch({ specifiers }: Lock, cache: string, { folders }: Disk): readonly string[] {
  const hosts = folders(`${cache}/npm`) ?? [];
  return Object.keys(specifiers).filter((specifier) => specifier.startsWith("npm:")).map(nameOf).filter((name) =>
    !hosts.some((host) => folders(`${cache}/npm/${host}/${name}`)?.length)
  );
}

/** Deno's own folder, by its environment. */
export function denoFolder(env: (name: string) => string | undefined, os: string = Deno.build.os): string {
  const own = env("DENO_DIR");
  if (own) return own;
  if (os === "windows") return `${env("LOCALAPPDATA")}/deno`;
  if (os === "darwin") return `${env("HOME")}/Library/Caches/deno`;
  return `${env("XDG_CACHE_HOME") || `${env("HOME")}/.cache`}/deno`;
}
