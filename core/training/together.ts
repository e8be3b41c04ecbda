/**
 * What must hold of ranks that train together. It is loaded by need.
 *
 * @module
 */

import type { Gpu } from "../gpu/device.ts";
import type { Parameters } from "../graph/parameters.ts";
import { type Ranks, textsOf } from "../graph/ranks.ts";
import type { Model } from "../model.ts";
import type { TrainingConfig } from "./training_settings.ts";

/**
 * @throws {RangeError} If a training cannot be divided among so many ranks.
 */
export function requireDivides(
  { size }: Ranks,
  { batchSize, accumulate, averageEvery }: TrainingConfig,
  model: Model,
  count: number,
): void {
  if (model.fit) return;
  const fail = (expected: string, found: unknown) => {
    throw new RangeError(`Cannot train on ${size} ranks: expected ${expected}, found ${found}`);
  };
  if (batchSize < size) fail("a row for each at least", `${count} training rows`);
  if (batchSize % size) fail("a batch that divides among them", `one of ${batchSize} rows`);
  if (accumulate > 1 && averageEvery === 0) fail("accumulate 1 (ranks add up a batch as it is)", accumulate);
}

/**
 * @throws {Error} If ranks do not hold the same bits: their adapters then round otherwise.
 */
export async function requireAlike(ranks: Ranks, gpu: Gpu, parameters: Parameters): Promise<void> {
  const all = await gpu.readAll([...parameters].map(({ tensor: { buffer } }) => ({ buffer })));
  // FNV-1a over words: different bits give another number, nearly always.
  let hash = 0x811c9dc5;
  for (const bytes of all) for (const word of new Uint32Array(bytes)) hash = Math.imul(hash ^ word, 0x01000193) >>> 0;
  const hashes = await textsOf(ranks, `${hash}`);
  const other = hashes.findIndex((each) => each !== hashes[0]);
  if (other > 0) {
    throw new Error(
      `Cannot go on: expected the same parameters on every rank, found others on rank ${other} than on rank 0; ` +
        "do their adapters or drivers differ?",
    );
  }
}
