/**
 * What stands on a tape: variables, per-row values, and the nodes between them. The tape itself is tape.ts.
 *
 * @module
 */

import type { Fragment } from "../gpu/kernel.ts";
import type { Formula, Formulas } from "./formula.ts";
import type { Parameter } from "./parameters.ts";
import type { Tensor } from "../gpu/tensor.ts";

/** A matrix on the tape, [rows, columns]. Its storage is allocated when something needs it stored. */
export interface Variable {
  /** What it is called in messages. */
  readonly name: string;
  /** Rows, N or a multiple. */
  readonly rows: number;
  /** Columns. */
  readonly columns: number;
  /** How values are stored. */
  readonly type: Tensor["type"];
  /** The node that forms it; none for inputs. */
  producer?: Node;
  /** Who reads it, once for every use. */
  readonly consumers: Node[];
  /**
   * What the last contribution to this variable's gradient does with the sum: a fragment giving `finish`. Without one, the sum
   * is stored in `Tape.gradient`.
   */
  gradientEpilogue?: () => Fragment;
  /** An epilogue that could take the values in as they are formed, so that they need not be stored. */
  consumerEpilogue?: () => Fragment;
  /** Says that the consumer cannot take the values in after all, once everything is recorded. */
  unfused?: () => boolean;
  /** True where the producer can end with the consumer's epilogue. */
  fusible?: boolean;
  /** The variable, once compiling, whose values these are as they lie; undefined where they are stored by themselves. */
  same?: () => Variable | undefined;
}

/** One number for every row of the batch, kept as partial sums [parts, rows]. */
export interface RowScalars {
  /** What it is called in messages. */
  readonly name: string;
  /** Where the partial sums are stored. */
  readonly buffer: GPUBuffer;
  /** Partial sums for each row. */
  readonly parts: number;
  /** One for each of N rows, or several in turn for each. */
  readonly rows: number;
  /** Rows stored, padding included. */
  readonly storedRows: number;
  /** The node that forms them; none for inputs. */
  producer?: Node;
  /** The op that reads them, where they are not only a term. */
  consumer?: Node;
  /** A fragment giving upstream_m(row), dL/dvalue, from the op that reads them. */
  upstream?: (m: string) => Fragment;
  /** Its place among the terms of the objective, once compiled. */
  term?: number;
}

/**
 * One operation on the tape. Its dispatches are recorded when the tape is compiled: `forward` stores the outputs (or hands them on), and
 * `backward` gives each of its `inputs` and `parameters` that `Tape.needsGradient` one `Tape.contribution`, from the gradients of the
 * outputs (`Tape.gradient`, and `Tape.upstream` of per-row values). Whatever of it is forgotten is said when the tape is compiled for
 * training.
 */
export interface Node {
  /** What it is called in messages. */
  readonly name: string;
  /** What it reads and is differentiated by: each gets its gradient from `backward`. */
  readonly inputs: readonly Variable[];
  /** What it reads as constants (codes, what is drawn from): no gradient passes to these. */
  readonly detached?: readonly Variable[];
  /** Parameters that it reads. */
  readonly parameters: readonly Parameter[];
  /** Per-row values that it reads and is differentiated by; their `upstream` is set by it. */
  readonly values?: readonly RowScalars[];
  /** Records the forward dispatches. */
  forward(): void;
  /**
   * Records what forms the gradients of the inputs and parameters, in this order. A node without it cannot stand between a term of the
   * loss and what is trained.
   */
  backward?(): void;
  /** Says what an output is, without a training, to what exports it; a node that does not cannot be exported. */
  formula?(f: Formulas, output: Variable | RowScalars): Formula;
}

/** All variables that a node reads. */
export function readBy({ inputs, detached = [] }: Node): readonly Variable[] {
  return [...inputs, ...detached];
}
