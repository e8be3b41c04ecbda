/**
 * What the page can open: from the folder that it came from (`manifest.json`), or dropped on it.
 *
 * @module
 */

import { type Dataset, features, pick, type Split } from "../../core/dataset.ts";
import type { EpochEvent } from "../../core/training/events.ts";
import { parseMetrics } from "../../core/training/metrics.ts";
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
  const events = parseMetrics(await (await fetched(metrics)).text(), metrics);
  return events.filter((event) => event.event === "epoch");
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

/** What files are: a checkpoint (of a run folder, too), a table of numbers, or images. */
export async function opened(
  files: readonly File[],
): Promise<{ readonly checkpoint: Uint8Array<ArrayBuffer> } | { readonly dataset: Dataset }> {
  const checkpoint = files.find(({ name }) => name.endsWith(".safetensors"));
  if (checkpoint) return { checkpoint: new Uint8Array(await checkpoint.arrayBuffer()) };
  const table = files.find(({ name }) => /\.(csv|txt|tsv)$/i.test(name));
  if (table) return { dataset: tableOf(table.name, await table.text()) };
  const images = files.filter(({ type }) => type.startsWith("image/"));
  if (images.length < 2) {
    throw new Error("Cannot open what was dropped: expected a .safetensors, a .csv of numbers, or at least two images");
  }
  return { dataset: await imagesOf(images) };
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

/** A table of numbers, each column scaled to 0..1: what a Bernoulli likelihood can be trained on. */
function tableOf(name: string, text: string): Dataset {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const cells = lines.map((line) => line.split(/[,;\t]/).map((cell) => Number(cell.trim() || NaN)));
  const rows = cells.filter((row) => row.every(Number.isFinite));
  const columns = rows[0]?.length ?? 0;
  if (rows.length < 12 || rows.some((row) => row.length !== columns)) {
    throw new Error(`Cannot open "${name}": expected at least 12 rows of as many numbers each, found ${rows.length}`);
  }
  const values = new Float32Array(rows.length * columns);
  for (let c = 0; c < columns; c++) {
    const column = rows.map((row) => row[c]);
    const [low, high] = [Math.min(...column), Math.max(...column)];
    column.forEach((value, row) => values[row * columns + c] = high > low ? (value - low) / (high - low) : 0);
  }
  return divided(name, [1, columns, 1], values);
}
