/**
 * The pictures of a run folder.
 *
 * @module
 */

import { writeFileAtomically } from "../../core/checkpoint.ts";
import { slice, type Split } from "../../core/dataset.ts";
import type { SampleOptions, Trained } from "../../core/trained.ts";
import { encodePng, imageGrid, pairGrid } from "../../figures/grid.ts";

/** Images in a row of a picture. */
export const COLUMNS = 10;

/** Pairs of an image and its reconstruction. */
export const PAIRS = 50;

/** Draws images from a model and writes them side by side as PNG. */
export async function drawSamples(
  trained: Trained,
  path: string,
  { columns = COLUMNS, ...options }: SampleOptions & { readonly columns?: number } = {},
): Promise<void> {
  const images = await trained.sample(options);
  await writeFileAtomically(path, encodePng(imageGrid(images, { shape: trained.data.shape, columns })));
}

/** Writes the first rows of a split as PNG, each above its reconstruction. */
export async function drawReconstructions(trained: Trained, path: string, split: Split, count: number): Promise<void> {
  const shown = Math.min(count, split.count);
  const rows = trained.rowsOf(split, 0, shown);
  const picture = pairGrid(rows, await trained.reconstruct(rows, slice(split, 0, shown)), {
    shape: trained.data.shape,
  });
  await writeFileAtomically(path, encodePng(picture));
}
