/**
 * What the page can open: from the folder that it came from (`manifest.json`), or dropped on it.
 *
 * @module
 */

import type { Dataset, Split } from "../../core/dataset.ts";

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

/** Reads the manifest. */
export async function readManifest(): Promise<Manifest> {
  return await (await fetched("manifest.json")).json();
}

/** @throws {Error} If there is no such file, with its name. */
export async function fetched(path: string): Promise<Response> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`Cannot read ${path}: expected a file, found status ${response.status}`);
  return response;
}

/** The bytes of a checkpoint. */
export async function checkpointOf({ checkpoint }: ShippedModel): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetched(checkpoint)).arrayBuffer());
}

async function unpacked(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { body } = await fetched(path);
  return new Uint8Array(await new Response(body!.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}

/** Loads rows. */
export async function loadShipped({ name, shape, classes, train, test }: ShippedData): Promise<Dataset> {
  const split = async ({ count, values, labels }: ShippedData["train"]): Promise<Split> => ({
    count,
    values: await unpacked(values),
    ...labels ? { labels: await unpacked(labels) } : {},
  });
  return { name, shape, classes, train: await split(train), test: await split(test) };
}
