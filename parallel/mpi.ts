/**
 * Ranks that `mpirun` started: Open MPI, called through Deno's foreign function interface. What two ranks of one machine share is memory,
 * those of two machines what MPI finds between them.
 *
 * @module
 */

import { CHOOSING_VARIABLES } from "../core/gpu/strategies.ts";
import { type Ranks, textsOf } from "../core/graph/ranks.ts";
import { isFileSync } from "../storage/read.ts";
import { SYMBOLS, type WatchRequest } from "./symbols.ts";

/** What keeps ranks from working together. */
export class MpiError extends Error {
  /** Tells it from other errors. */
  override readonly name = "MpiError";
}

/** The variable that names the library. */
export const LIBRARY_VARIABLE = "ELBO_MPI";

/** The variables by which Open MPI says of how many processes it started one, and as which of them. */
const STARTED = "OMPI_COMM_WORLD_SIZE";
const NUMBER = "OMPI_COMM_WORLD_RANK";

/** The variable by which it says how many it started on this machine. */
export const LOCAL_SIZE = "OMPI_COMM_WORLD_LOCAL_SIZE";

/** Variables that {@linkcode findMpi} and {@linkcode Mpi.open} read. */
export const MPI_VARIABLES: readonly string[] = [LIBRARY_VARIABLE, STARTED, NUMBER, "LD_LIBRARY_PATH"];

/** Where Open MPI's library lies, by how it was installed. */
const FOLDERS = [
  ...["x86_64", "aarch64", "powerpc64le", "s390x", "riscv64"].map((machine) => `/usr/lib/${machine}-linux-gnu`),
  ...["/usr/lib64/openmpi/lib", "/usr/lib64/mpi/gcc/openmpi4/lib64", "/usr/lib64", "/usr/lib", "/usr/local/lib"],
  ...["/opt/homebrew/lib", "/opt/openmpi/lib"],
];
const FILES = ["libmpi.so.40", "libmpi.40.dylib"];

/**
 * The path of MPI's library: what `ELBO_MPI` names, or Open MPI's where it is installed.
 *
 * @param variable Gives an environment variable.
 * @param isFile Whether there is such a file.
 */
export function findMpi(
  variable: (name: string) => string | undefined,
  isFile: (path: string) => boolean = isFileSync,
): string | undefined {
  const named = variable(LIBRARY_VARIABLE);
  if (named) return named;
  const folders = [...(variable("LD_LIBRARY_PATH") ?? "").split(":").filter(Boolean), ...FOLDERS];
  return folders.flatMap((folder) => FILES.map((file) => `${folder}/${file}`)).find(isFile);
}

/** Which of so many processes one is. */
export interface RankName {
  readonly rank: number;
  readonly size: number;
}

/** Which of its processes Open MPI says that this one is. */
export function rankHere(variable: (name: string) => string | undefined): RankName | undefined {
  const [rank, size] = [NUMBER, STARTED].map(variable);
  return rank !== undefined && size !== undefined ? { rank: Number(rank), size: Number(size) } : undefined;
}

/** Floats that one call adds: its count has 31 bits. */
const PIECE = 2 ** 28;

/** Seconds after which a rank that gives no sign of life counts as lost. */
const SILENCE = 6;

/** One of the processes that `mpirun` started. */
export class Mpi implements Ranks {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #float: bigint;
  readonly #double: bigint;
  readonly #add: bigint;
  readonly #world: bigint;
  readonly #watch: Worker;

  private constructor(
    library: Deno.DynamicLibrary<typeof SYMBOLS>,
    world: bigint,
    readonly rank: number,
    readonly size: number,
    watch: Worker,
  ) {
    const { symbols } = this.#library = library;
    this.#world = world;
    // Fortran's numbers of a type and of an operation are the same everywhere: REAL, DOUBLE PRECISION, SUM.
    this.#float = BigInt(symbols.MPI_Type_f2c(13));
    this.#double = BigInt(symbols.MPI_Type_f2c(17));
    this.#add = BigInt(symbols.MPI_Op_f2c(3));
    this.#watch = watch;
  }

  /**
   * Joins the other processes. From then on a rank that dies or stands still ends all of them within ten seconds.
   *
   * @param path The library, as {@linkcode findMpi} gives it.
   * @throws {MpiError} If `mpirun` did not start this process, or the library is another one than Open MPI's.
   */
  static async open(path: string): Promise<Mpi> {
    if (Deno.env.get(STARTED) === undefined) {
      throw new MpiError("Cannot find other ranks: expected to be started by Open MPI's mpirun, found no sign of it");
    }
    let library: Deno.DynamicLibrary<typeof SYMBOLS>;
    try {
      library = Deno.dlopen(path, SYMBOLS);
    } catch (cause) {
      const [reason] = String(cause instanceof Error ? cause.message : cause).split("\n");
      throw new MpiError(`Cannot use MPI: expected Open MPI's library in ${path}, found: ${reason}`, { cause });
    }
    const { symbols } = library;
    const [text, number] = [new Uint8Array(8192), new Int32Array(1)];
    symbols.MPI_Get_library_version(text, number);
    const version = new TextDecoder().decode(text.subarray(0, number[0])).split(/[,\n]/)[0];
    if (!version.startsWith("Open MPI")) throw new MpiError(`Cannot use MPI: expected Open MPI, found ${version}`);
    // Sums run in other threads than the one that watches.
    symbols.MPI_Init_thread(null, null, 3, number);
    if (number[0] < 3) throw new MpiError(`Cannot use ${version}: expected one that several threads may call`);
    const world = BigInt(symbols.MPI_Comm_f2c(0));
    symbols.MPI_Comm_rank(world, number);
    const [rank] = number;
    symbols.MPI_Comm_size(world, number);
    const [size] = number;
    const own = new BigUint64Array(1);
    symbols.MPI_Comm_dup(world, own);
    const worker = new Worker(new URL("./watch_worker.ts", import.meta.url), { type: "module" });
    const begun = Promise.withResolvers<void>();
    worker.onmessage = () => begun.resolve();
    worker.onerror = (event) => {
      event.preventDefault();
      begun.reject(new MpiError(`Cannot watch over the other ranks: ${event.message}`));
    };
    worker.postMessage({ path, communicator: own[0], rank, size, silence: SILENCE } satisfies WatchRequest);
    await begun.promise;
    return new Mpi(library, world, rank, size, worker);
  }

  async sum(values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): Promise<void> {
    const type = values instanceof Float64Array ? this.#double : this.#float;
    for (let from = 0; from < values.length; from += PIECE) {
      const part = values.subarray(from, from + PIECE);
      // 1 in place of an address: it is added up where it lies.
      await this.#library.symbols.MPI_Allreduce(1n, part, part.length, type, this.#add, this.#world);
    }
  }

  /** Ends every rank at once, with an exit code. */
  abort(code: number): never {
    this.#library.symbols.MPI_Abort(this.#world, code);
    Deno.exit(code);
  }

  /** Waits until every rank has come to its end, and leaves. */
  async finish(): Promise<void> {
    const { symbols } = this.#library;
    const [request, done] = [new BigUint64Array(1), new Int32Array(1)];
    symbols.MPI_Ibarrier(this.#world, request);
    // It may be long until the first has written its report: a wait of MPI's own would keep a processor busy.
    for (let wait = 1; !done[0]; wait = Math.min(50, 2 * wait)) {
      symbols.MPI_Test(request, done, null);
      if (!done[0]) await new Promise((resolve) => setTimeout(resolve, wait));
    }
    const stopped = new Promise((resolve) => this.#watch.onmessage = resolve);
    this.#watch.postMessage("stop");
    await stopped;
    this.#watch.terminate();
    symbols.MPI_Finalize();
  }
}

/**
 * Sees to it that ranks of one machine have each a GPU of their own.
 *
 * @param host The name of this machine.
 * @param adapter The adapter, where it is a GPU.
 * @param variables What {@linkcode CHOOSING_VARIABLES} are for this rank.
 * @throws {MpiError} If another rank of this machine was told the same and so has the same.
 */
export async function requireOwnGpu(
  ranks: Ranks,
  host: string,
  adapter: string | undefined,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const told = adapter === undefined ? "" : JSON.stringify([host, adapter, variables]);
  const all = await textsOf(ranks, told);
  const same = all.flatMap((each, rank) => each && each === told ? [rank] : []);
  if (same.length < 2) return;
  throw new MpiError(
    `Cannot train: ranks ${same.join(" and ")} share the ${adapter} of ${host}. Give each its own by one of ${
      CHOOSING_VARIABLES.join(", ")
    } (docs/parallel.md), or let them share it with --share-gpu`,
  );
}
