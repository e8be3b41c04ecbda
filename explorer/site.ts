/**
 * The files of the page: its document, style and scripts, and what it ships. A server serves them as they are, and a static site is nothing
 * else.
 *
 * @module
 */

import type { Dataset, Split } from "../core/dataset.ts";
import { bundle } from "../packaging/bundle.ts";
import type { Manifest, ShippedData } from "./manifest.ts";

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

async function packed(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

/** Adds the first rows of a dataset of bytes to the files, and says how the page finds them. */
export async function shipData(
  files: Files,
  dataset: Dataset,
  title: string,
  counts: { readonly train: number; readonly test: number },
): Promise<ShippedData> {
  const { name, shape, classes } = dataset;
  const width = shape[0] * shape[1] * shape[2];
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
