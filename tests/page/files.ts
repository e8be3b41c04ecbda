/**
 * What a page reads of files that are chosen and fetched, by the public names alone, and what it draws of a checkpoint.
 *
 * @module
 */

import { load, readDataset } from "@elbo/elbo";

/** What was read, short enough to compare. */
export interface Found {
  readonly datasets: readonly (readonly unknown[])[];
  readonly latents: number;
  /** Of the mean of p(x | 0). */
  readonly pixels: readonly number[];
}

/** Reads each group of files as a dataset, and the checkpoint, all below an address. */
export async function readAll(
  address: string,
  groups: readonly (readonly string[])[],
  checkpoint: string,
): Promise<Found> {
  const datasets = await Promise.all(groups.map(async (names) => {
    const files = await Promise.all(names.map(async (name, i) => {
      const response = await fetch(address + name);
      return i % 2 ? response : new File([await response.blob()], name);
    }));
    const { shape, classes, train, test } = await readDataset(files, { seed: 3 });
    return [
      shape,
      classes,
      ...[train, test].flatMap(({ count, values, labels = [] }) => [count, [...values], [...labels]]),
    ];
  }));
  const trained = await load(await fetch(address + checkpoint));
  const pixels = [...await trained.decode(new Float32Array(trained.latents))];
  const { latents } = trained;
  trained.destroy();
  return { datasets, latents, pixels };
}
