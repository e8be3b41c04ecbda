/**
 * A matrix product as the tiles take it in, and what a tile makes of it.
 *
 * @module
 */

import type { Fragment, Part } from "./kernel.ts";

/** Which of the three products. */
export type ProductKind = "forward" | "inputGradient" | "weightGradient";

/** What decides which tile suits a product. */
export interface ProductShape {
  /** Which of the three. */
  readonly kind: ProductKind;
  /** Stored rows of the result of a slice. */
  readonly rows: number;
  /** Stored length of the sum. */
  readonly depth: number;
  /** Stored columns of the result. */
  readonly columns: number;
  /** Products of this shape in one dispatch, or pieces of one: residues times chunks. */
  readonly slices: number;
  /** Whether the first operand is formed as it is loaded, anew in each workgroup that has the same rows. */
  readonly begins: boolean;
}

/** A shape as tables and choices name it: `forward 128 x 784 x 512`, rows x summed index x columns; `formed` where the first operand is. */
export function shapeName({ kind, rows, depth, columns, slices, begins }: ProductShape): string {
  return `${kind} ${rows} x ${depth} x ${columns}${slices === 1 ? "" : ` in ${slices}`}${begins ? " formed" : ""}`;
}

/** One matrix product and what is done with its result. */
export interface Product {
  /** What it is called in profiles and errors. */
  readonly label: string;
  /** Which of the three. */
  readonly kind: ProductKind;
  /** Stored rows of the result, or of each residue. */
  readonly rows: number;
  /** Stored length of the sum. */
  readonly depth: number;
  /** Stored columns of the result. */
  readonly columns: number;
  /** Gives load_a: X, dY or X. */
  readonly a: Fragment;
  /** Gives load_b: W, W or dY. */
  readonly b: Fragment;
  /** The row that holds (forward) or receives (weight gradient) the bias; 0 where the operand b gives bias_of by itself. */
  readonly biasRow?: number;
  /** Gives store. */
  readonly epilogue: Fragment;
  /** Products of one shape in one dispatch, of which the loaders and the epilogue know the number as `residue`. One, if left out. */
  readonly residues?: number;
  /** The function of the epilogue that takes the values in, if not `store`. */
  readonly store?: string;
  /** Whether `a` gives begin_a as well, which is told of rows before they are loaded; of workgroup tiles alone. */
  readonly begins?: boolean;
  /** Multiply-adds that the mathematics asks for. */
  readonly macs: number;
  /** Bytes that it reads and writes, if not all of its buffers. */
  readonly bytes?: number;
}

/**
 * A weight gradient in two dispatches: partial sums over chunks of the summed index (and for each residue), then their sum in a fixed order.
 * For sums that are long beside the result: the chunks keep an adapter busy that one short result would not.
 */
export interface SplitProduct extends Omit<Product, "kind" | "biasRow" | "store"> {
  /**
   * Gives `slices_of(row)`: for a row of the sum the first slice to add, their number, and the row in each. It may use the
   * constants CHUNKS, SLICES and ROWS_slice; the column sums are in row ROWS_slice - 1 of a slice.
   */
  readonly slices: Fragment;
  /** A kernel in place of the one that uses `slices_of`, for elements that are sums of several. */
  readonly sum?: Part;
  /** Rows of the sum. */
  readonly summedRows: number;
  /** Stored columns of the sum; as many as the product has, if left out. */
  readonly summedColumns?: number;
}

/** A tile fitted to a product: its parts, and how many workgroups. */
export type Shape = Fragment & { readonly workgroups: readonly [x: number, y: number] };

/** How a split product is cut up; `workgroups` are those of one slice. */
export type Split = Shape & { readonly chunks: number };

/** Length of the summed index of which a split product leaves no less than one partial sum. */
export const SPLIT_DEPTH = 32;

/** A summed index in about so many chunks: how many, and how many times {@linkcode SPLIT_DEPTH} each. */
export function chunksOf(depth: number, wanted: number): { chunks: number; each: number } {
  const total = depth / SPLIT_DEPTH;
  const each = Math.ceil(total / Math.max(1, wanted));
  return { chunks: Math.ceil(total / each), each };
}
