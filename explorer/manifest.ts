/**
 * What the page finds in its folder, as `manifest.json` says.
 *
 * @module
 */

import type { Dataset } from "../core/dataset.ts";

/** Rows that come as files of bytes, packed by gzip: values [N, D] and labels [N]. */
export interface ShippedData {
  readonly name: string;
  readonly title: string;
  readonly shape: Dataset["shape"];
  readonly classes?: number;
  readonly train: { readonly count: number; readonly values: string; readonly labels?: string };
  readonly test: { readonly count: number; readonly values: string; readonly labels?: string };
}

/** A checkpoint to open. */
export interface ShippedModel {
  readonly name: string;
  readonly title: string;
  readonly checkpoint: string;
  /** The losses of its epochs, as `metrics.jsonl`. */
  readonly metrics?: string;
  readonly config?: string;
  /** When it last changed, in milliseconds since 1970; a training that is under way changes it. */
  readonly changed?: number;
}

/** What there is to open. */
export interface Manifest {
  readonly models: readonly ShippedModel[];
  readonly datasets: readonly ShippedData[];
  /** Whether a server answers that computes, and that lists runs as they come. */
  readonly server?: boolean;
}
