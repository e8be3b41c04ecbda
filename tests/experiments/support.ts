/**
 * A small experiment on a small dataset, for tests of the runner.
 *
 * @module
 */

import {
  all,
  type Experiment,
  type Options,
  type Point,
  type PointResult,
  type RunResult,
} from "../../experiments/experiment.ts";
import type { EpochEvent, Losses } from "../../core/training/events.ts";
import { finalLoss } from "../../experiments/losses.ts";
import type { Columns, RecordHead, RunRecord } from "../../experiments/record.ts";
import type { Outcome } from "../../experiments/runner.ts";
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

/** What an experiment came to, as its record (`experiments/record.ts`) tells it. */
export function outcomeOf(
  record: string,
  experiment: Experiment,
): { readonly outcome: Outcome; readonly options: Options } {
  const [head, ...runs] = record.trim().split("\n").map((line) => JSON.parse(line)) as [RecordHead, ...RunRecord[]];
  const { options, skipped } = head;
  const left = new Set(skipped.flatMap(({ points }) => points));
  const results: PointResult[] = [];
  const plan = experiment.plan(options);
  for (let next = plan.next(); !next.done;) {
    const found = next.value.filter(({ id }) => !left.has(id)).map((point) => ({
      point,
      runs: Array.from({ length: options.seeds }, (_, seed) => runOf(`${point.id}-seed-${seed}`, seed, runs)),
    }));
    results.push(...found);
    next = plan.next(found);
  }
  return { outcome: { results, skipped }, options };
}

function runOf(name: string, seed: number, runs: readonly RunRecord[]): RunResult {
  const found = runs.find(({ run }) => run === name);
  if (!found) throw new Error(`Cannot find the run ${name} in the record`);
  const { parameters, end, measures, epoch: numbers, stepsPerEpoch, train, validation, measured } = found;
  const at = (columns: Columns, i: number) =>
    Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[i] ?? NaN]));
  const epochs = numbers.map((epoch, i): EpochEvent => ({
    event: "epoch",
    epoch,
    step: epoch * stepsPerEpoch,
    train: at(train, i) as Losses,
    ...(validation ? { validation: at(validation, i) as Losses } : {}),
    ...(measured && Object.values(measured)[0][i] !== null ? { measures: at(measured, i) } : {}),
    samplesPerSecond: end.samplesPerSecond,
    seconds: NaN,
  }));
  return { folder: name, seed, parameters, epochs, end, measures };
}
