/**
 * Where a training by gradient first came to a number that is not finite. It is loaded by need.
 *
 * @module
 */

import { DivergenceError, type Sighting } from "./divergence.ts";
import type { TrainingProgram } from "./training_program.ts";
import { completedEpochs } from "./training_settings.ts";

/** A training that went bad. */
export interface Diverged extends Pick<Parameters<typeof completedEpochs>[1], "training" | "data"> {
  readonly step: TrainingProgram;
  /** The step up to which it was good. */
  readonly from: number;
  /** Steps done. */
  readonly done: number;
  /** What was seen elsewhere than in the loss of a step. */
  readonly seen?: Sighting;
}

/** The error that says where it first went bad. */
export async function divergence({ step, from, done, seen, training, data }: Diverged): Promise<DivergenceError> {
  const error = (bad: number, place: string, hint?: string) =>
    new DivergenceError(bad, completedEpochs(bad, { training, data }) + 1, place, hint);
  if (!seen) return error(done, await findPlace(step, from, done) ?? "the sum of a term over the batch");
  // What the last update made is seen in the step after it.
  if (!seen.search) return error(done - 1, await findPlace(step, from, done) ?? seen.place);
  const hint = "A smaller learning rate, smaller weights such as beta, or data of a smaller scale may help";
  return error(await firstBad(step, from, done, seen), seen.place, hint);
}

/** Repeats the training from `from`, which gives the same bits. */
async function repeat({ program, seek }: TrainingProgram, from: number, to: number): Promise<void> {
  seek(from);
  while (program.step < to) await program.submit(Math.min(64, program.most, to - program.step));
}

/** Repeats the training up to the bad step, and looks into that one. */
async function findPlace(step: TrainingProgram, from: number, bad: number): Promise<string | undefined> {
  await repeat(step, from, bad);
  return await step.program.findNonFinite();
}

/** The first step after which there is something to find, by halves: what is not finite stays so. */
async function firstBad(
  step: TrainingProgram,
  from: number,
  to: number,
  { search, restore }: Sighting,
): Promise<number> {
  let [good, bad] = [from, to];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    restore();
    await repeat(step, from, middle);
    if (await search!()) bad = middle;
    else good = middle;
  }
  return bad - 1;
}
