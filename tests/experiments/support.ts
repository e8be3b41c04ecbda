/**
 * A small experiment on a small dataset, for tests of the runner.
 *
 * @module
 */

import { all, type Experiment, type Options, type Point, type PointResult } from "../../experiments/experiment.ts";
import { finalLoss } from "../../experiments/losses.ts";
import { vae } from "../../models/vae.ts";
// It makes the dataset "blocks" known.
import "../tasks/support.ts";

/** Two points of 10 steps an epoch. */
export const points: readonly Point[] = [3, 5].map((width) => ({
  id: `w${width}`,
  model: vae,
  dataset: "blocks",
  config: { hidden: [width], latents: 2, batchSize: 20, validation: 40 },
}));

/** The small experiment. */
export const tiny: Experiment = {
  name: "tiny",
  summary: "two widths",
  source: "this test",
  expectations: [],
  full: { epochs: 2 },
  quick: { epochs: 1, rows: 120 },
  plan: () => all(points),
  tables: (results: readonly PointResult[]) => [{
    name: "tiny",
    title: "Lower bound",
    columns: ["width", "lower bound"],
    rows: results.map((result) => [result.point.id, finalLoss(result, "elbo", "validation")]),
  }],
};

/** What the small experiment is asked for. */
export const options: Options = { epochs: 2, quick: false, seeds: 2, settings: {} };

/** The bytes of every file below a folder, by path. */
export async function contents(folder: string): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) { for (const [key, bytes] of await contents(path)) found.set(key, bytes); }
    else found.set(path, await Deno.readFile(path));
  }
  return found;
}
