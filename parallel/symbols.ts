/**
 * The functions of MPI that are called. Handles are addresses, as Open MPI has them.
 *
 * @module
 */

/** What is looked up in the library. */
export const SYMBOLS = {
  MPI_Get_library_version: { parameters: ["buffer", "buffer"], result: "i32" },
  MPI_Init_thread: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" },
  MPI_Comm_f2c: { parameters: ["i32"], result: "usize" },
  MPI_Type_f2c: { parameters: ["i32"], result: "usize" },
  MPI_Op_f2c: { parameters: ["i32"], result: "usize" },
  MPI_Comm_rank: { parameters: ["usize", "buffer"], result: "i32" },
  MPI_Comm_size: { parameters: ["usize", "buffer"], result: "i32" },
  MPI_Comm_dup: { parameters: ["usize", "buffer"], result: "i32" },
  MPI_Allreduce: {
    parameters: ["usize", "buffer", "i32", "usize", "usize", "usize"],
    result: "i32",
    nonblocking: true,
  },
  MPI_Ibarrier: { parameters: ["usize", "buffer"], result: "i32" },
  MPI_Test: { parameters: ["buffer", "buffer", "pointer"], result: "i32" },
  MPI_Isend: { parameters: ["buffer", "i32", "usize", "i32", "i32", "usize", "buffer"], result: "i32" },
  MPI_Irecv: { parameters: ["buffer", "i32", "usize", "i32", "i32", "usize", "buffer"], result: "i32" },
  MPI_Abort: { parameters: ["usize", "i32"], result: "i32" },
  MPI_Finalize: { parameters: [], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** What {@linkcode ./watch_worker.ts} is told. */
export interface WatchRequest {
  /** The library. */
  readonly path: string;
  /** A communicator of its own. */
  readonly communicator: bigint;
  readonly rank: number;
  readonly size: number;
  /** Seconds without a sign of life after which a rank counts as lost. */
  readonly silence: number;
}
