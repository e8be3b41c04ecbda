/**
 * Which tiles a training is given on this machine, and the file that keeps what was found of each adapter.
 *
 * @module
 */

import { writeText } from "../../storage/write.ts";
import { chooseTiles, readTuned, type TunedTiles } from "../../core/products/tiles.ts";
import { type TileCache, tunedTiles, tuneTraining } from "../../core/training/tuner.ts";
import type { TrainingStep } from "../../core/training/training_program.ts";
import { KEPT } from "./permissions.ts";
import type { Context } from "./run.ts";

/** Where it is, beside the classifiers. */
export const TILES = `${KEPT}/tiles.json`;

/**
 * The cache in {@linkcode TILES}. Where the file cannot be read it is as if there were none, and where it cannot be written the next
 * task measures again: neither is worth a failure.
 *
 * @param say Told in a line of a file that is damaged.
 * @param afresh Whether to give only what this cache was given itself, so that what is in the file is found anew.
 * @param file In place of {@linkcode TILES}.
 */
export function tileCache(say: (line: string) => void, afresh = false, file: string = TILES): TileCache {
  const given = new Map<string, TunedTiles>();
  let kept: Promise<Record<string, unknown>> | undefined;
  const read = () => kept ??= readKept(say, file);
  return {
    get: async (key) => given.get(key) ?? (afresh ? undefined : (await read())[key]),
    async set(key, tuned) {
      given.set(key, tuned);
      const all = await read();
      all[key] = { ...readTuned(all[key]), ...tuned };
      try {
        await Deno.mkdir(file.replace(/\/[^/]*$/, ""), { recursive: true });
        await writeText(file, JSON.stringify(all, undefined, 2) + "\n");
      } catch {
        // What was measured is used all the same.
      }
    },
  };
}

/**
 * The tiles of a training that {@linkcode TILES} keeps for its GPU, from `deno task tune`; undefined where a rule says which. Nothing is
 * timed here.
 */
export async function tunedFor(step: TrainingStep, print: Context["print"]): Promise<TunedTiles | undefined> {
  const { gpu, training } = step;
  const { family, pinned } = chooseTiles(gpu, training.tiles);
  if (gpu.cpu || family !== "workgroup" || pinned) return undefined;
  return tunedTiles(await tuneTraining(step, { cache: tileCache(print), seconds: 0 }));
}

async function readKept(say: (line: string) => void, file: string): Promise<Record<string, unknown>> {
  const text = await Deno.readTextFile(file).catch(() => undefined);
  if (text === undefined) return {};
  try {
    const kept = JSON.parse(text);
    if (typeof kept === "object" && kept !== null && !Array.isArray(kept)) return kept;
  } catch {
    // What follows says it.
  }
  say(`The tile choices in ${file} are damaged: they are measured again`);
  return {};
}
