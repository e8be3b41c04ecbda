/**
 * The files of the page: its document, style and scripts, and what it ships. A server serves them as they are, and a static site is nothing
 * else.
 *
 * @module
 */

import { type Dataset, features, type Split } from "../core/dataset.ts";
import { encodePng, imageGrid } from "../figures/grid.ts";
import { bundle } from "../packaging/bundle.ts";
import { planePoints } from "./lattice.ts";
import type { Manifest, ShippedData, ShippedModel } from "./manifest.ts";
import { PlainEngine } from "./plain.ts";

/** Files by their path below the page's folder. */
export type Files = Map<string, string | Uint8Array<ArrayBuffer>>;

/** The document, the style and the scripts. */
export async function pageFiles(): Promise<Files> {
  const read = (name: string) => Deno.readTextFile(new URL(name, import.meta.url));
  return new Map([
    ["index.html", await read("page/index.html")],
    ["style.css", await read("page/style.css")],
    ["page.js", await bundle(new URL("page/page.ts", import.meta.url))],
    ["worker.js", await bundle(new URL("worker.ts", import.meta.url))],
  ]);
}

/** Images a side of the picture that stands until something computes: few, for a small file. */
const STILL = 10;

async function packed(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

/**
 * Adds the model that the page opens with, and the picture that stands in the page until something computes, or in its place: what the
 * lattice of its first two latents decodes to.
 */
export async function shipModel(
  files: Files,
  checkpoint: Uint8Array<ArrayBuffer>,
  { name, title }: Pick<ShippedModel, "name" | "title">,
): Promise<ShippedModel> {
  const path = `models/${name}.safetensors`;
  files.set(path, checkpoint);
  const engine = new PlainEngine();
  const { latents, data: { shape } } = await engine.open(checkpoint);
  const images = await engine.decode(planePoints(new Float32Array(latents), [0, Math.min(1, latents - 1)], STILL));
  files.set("still.png", encodePng(imageGrid(images, { shape, columns: STILL, gap: 0, scale: 1 })));
  return { name, title, checkpoint: path };
}

/** Adds the first rows of a dataset of bytes to the files, and says how the page finds them. */
export async function shipData(
  files: Files,
  dataset: Dataset,
  title: string,
  counts: { readonly train: number; readonly test: number },
): Promise<ShippedData> {
  const { name, shape, classes } = dataset;
  const width = features(shape);
  const ship = async (split: Split, part: "train" | "test") => {
    const count = Math.min(counts[part], split.count);
    if (!(split.values instanceof Uint8Array)) {
      throw new TypeError(`Cannot ship "${name}": expected bytes, found floats`);
    }
    const values = `data/${name}-${part}.u8.gz`;
    files.set(values, await packed(split.values.slice(0, count * width)));
    if (!split.labels) return { count, values };
    const labels = `data/${name}-${part}-labels.u8.gz`;
    files.set(labels, await packed(split.labels.slice(0, count)));
    return { count, values, labels };
  };
  return {
    name,
    title,
    shape,
    classes,
    train: await ship(dataset.train, "train"),
    test: await ship(dataset.test, "test"),
  };
}

/** Adds the manifest. */
export function addManifest(files: Files, manifest: Manifest): void {
  files.set("manifest.json", JSON.stringify(manifest));
}
