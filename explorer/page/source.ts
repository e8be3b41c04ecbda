/**
 * What the page can open: from the folder that it came from (`manifest.json`), or dropped on it.
 *
 * @module
 */

import { type Dataset, features, pick, type Split } from "../../core/dataset.ts";
import { isTable } from "../../core/description.ts";
import type { EpochEvent } from "../../core/training/events.ts";
import { parseMetrics } from "../../core/training/metrics.ts";
import { readDataset, type ReadDatasetOptions } from "../../datasets/given_files.ts";
import { standardized, suggestion } from "../../core/scaling.ts";
import type { Manifest, ShippedData, ShippedModel } from "../manifest.ts";
import { element } from "./elements.ts";

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
  const stream = (await (await fetched(path)).blob()).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
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

/** The losses of a run's epochs: those of its validation too, where it has any. */
export async function epochsOf({ metrics }: ShippedModel): Promise<EpochEvent[]> {
  if (!metrics) return [];
  return epochsIn(await (await fetched(metrics)).text(), metrics);
}

function epochsIn(text: string, file: string): EpochEvent[] {
  return parseMetrics(text, file).filter((event) => event.event === "epoch");
}

/** The files that were dropped, those of a folder too. */
export async function droppedFiles({ items, files }: DataTransfer): Promise<File[]> {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.() ?? null).filter((entry) => entry !== null);
  if (!entries.length) return [...files];
  const walk = async (entry: FileSystemEntry): Promise<File[]> => {
    if (entry.isFile) {
      return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))];
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    const found: File[] = [];
    for (;;) {
      // A reader gives some entries at a time.
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return found;
      for (const each of some) found.push(...await walk(each));
    }
  };
  return (await Promise.all(entries.map(walk))).flat();
}

/** What was dropped or chosen. */
export type Opened =
  | { readonly checkpoint: Uint8Array<ArrayBuffer>; readonly epochs: readonly EpochEvent[] }
  | { readonly dataset: Dataset };

/** How a table is read. */
export interface Reading extends Pick<ReadDatasetOptions, "labelColumn" | "missing"> {
  /** Whether its columns are brought to one scale; without it, where the training program suggests that. */
  readonly standardize?: boolean;
}

/** A checkpoint with its losses (a run folder's files), if the files hold one. */
export async function openedRun(
  files: readonly File[],
): Promise<Extract<Opened, { readonly checkpoint: unknown }> | undefined> {
  const checkpoint = files.find(({ name }) => name.endsWith(".safetensors"));
  const metrics = files.find(({ name }) => name === "metrics.jsonl");
  if (!checkpoint) return undefined;
  return {
    checkpoint: new Uint8Array(await checkpoint.arrayBuffer()),
    epochs: metrics ? epochsIn(await metrics.text(), metrics.name) : [],
  };
}

/**
 * What files are: a checkpoint (of a run folder, too), images, or data that the library reads.
 *
 * @param reading How a table is read.
 */
export async function opened(files: readonly File[], { standardize, ...table }: Reading = {}): Promise<Opened> {
  const run = await openedRun(files);
  if (run) return run;
  const images = files.filter(({ type }) => type.startsWith("image/"));
  if (images.length) return { dataset: await imagesOf(images) };
  const dataset = await readDataset(files, table);
  const wanted = isTable(dataset.shape) && (standardize ?? suggestion(dataset) !== undefined);
  const settings = { ...table, standardize: wanted };
  return { dataset: { ...dataset, ...wanted ? standardized(dataset, features(dataset.shape)) : {}, settings } };
}

/** Rows of which every sixth is tested on. */
function divided(name: string, shape: Dataset["shape"], values: Split["values"]): Dataset {
  const rows = { values, count: values.length / features(shape) };
  const places = Array.from({ length: rows.count }, (_, row) => row);
  return {
    ...{ name, shape },
    train: pick(rows, places.filter((row) => row % 6 !== 5)),
    test: pick(rows, places.filter((row) => row % 6 === 5)),
  };
}

/** Images, cropped to squares of 28 x 28 greys as the digits are. */
async function imagesOf(files: readonly File[]): Promise<Dataset> {
  if (files.length < 2) throw new Error("Cannot train on one image: expected at least two");
  const side = 28;
  const values = new Uint8Array(files.length * side * side);
  const canvas = element("canvas", { width: side, height: side });
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  for (const [i, file] of files.entries()) {
    const bitmap = await createImageBitmap(file);
    const size = Math.min(bitmap.width, bitmap.height);
    const [x, y] = [(bitmap.width - size) / 2, (bitmap.height - size) / 2];
    context.drawImage(bitmap, x, y, size, size, 0, 0, side, side);
    bitmap.close();
    const { data } = context.getImageData(0, 0, side, side);
    // Rec. 709 luma.
    for (let p = 0; p < side * side; p++) {
      values[i * side * side + p] = Math.round(
        0.2126 * data[4 * p] + 0.7152 * data[4 * p + 1] + 0.0722 * data[4 * p + 2],
      );
    }
  }
  return divided(`${files.length} images`, [side, side, 1], values);
}
