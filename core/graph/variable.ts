/**
 * What stands on a tape: variables, per-row values, and the nodes between them. The tape itself is tape.ts.
 *
 * @module
 */

import type { Fragment } from "../gpu/kernel.ts";
import type { Parameter } from "./parameters.ts";
import type { Tensor } from "../gpu/tensor.ts";

/** A matrix on the tape, [rows, columns]. Its storage is allocated when something needs it stored. */
export interface Variable {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly type: Tensor["type"];
  /** The node that forms it; none for inputs. */
  producer?: Node;
  /** Who reads it, once for every use. */
  readonly consumers: Node[];
  /**
   * What the last contribution to this variable's gradient does with the sum: a fragment giving `finish`. Without one, the sum
   * is stored in `Tape.gradient`.
   */
  finish?: () => Fragment;
  /** An epilogue that could take the values in as they are formed, so that they need not be stored. */
  sink?: () => Fragment;
  /** Says that the sink cannot take the values in after all, once everything is recorded. */
  unfused?: () => boolean;
  /** True where the producer can end with the sink. */
  fusible?: boolean;
  /** The variable, once compiling, whose values these are as they lie; undefined where they are stored by themselves. */
  same?: () => Variable | undefined;
}

/** One number for every row of the batch, kept as partial sums [parts, rows]. */
export interface Values {
  readonly name: string;
  readonly buffer: GPUBuffer;
  readonly parts: number;
  /** One for each of N rows, or several in turn for each. */
  readonly rows: number;
  /** Rows stored, padding included. */
  readonly storedRows: number;
  producer?: Node;
  /** The op that reads them, where they are not only a term. */
  consumer?: Node;
  /** A fragment giving upstream_m(row), dL/dvalue, from the op that reads them. */
  upstream?: (m: string) => Fragment;
  /** Its place among the terms of the objective, once compiled. */
  term?: number;
}

/** One operation on the tape. */
export interface Node {
  readonly name: string;
  readonly inputs: readonly Variable[];
  readonly parameters: readonly Parameter[];
  /** Per-row values that it reads. */
  readonly values?: readonly Values[];
  /** Records the forward dispatches. */
  forward(): void;
  /** Records what passes the gradient back to the inputs and parameters; forms their gradients in this order. */
  backward?(): void;
}
