/**
 * Training by gradient: chunks of steps, and the means of their losses over an epoch.
 *
 * @module
 */

import { more } from "../by_need.ts";
import { FileError } from "../bounds.ts";
import { Pace } from "../gpu/chunks.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { Losses } from "./events.ts";
import type { Optimization } from "./optimization.ts";
import { ALONE } from "../graph/ranks.ts";
import { lossesOf, weighted } from "./sweep.ts";
import { createTrainingProgram, type TrainingProgramOptions } from "./training_program.ts";

/** About how long a chunk of several ranks should take. */
const RANKS_SECONDS = 1;

/** Compiles the step of a training, which goes on where `resume` stood. */
export async function descent(
  options: Omit<TrainingProgramOptions, "step">,
  resume: Checkpoint | undefined,
  chunkSeconds?: () => number,
): Promise<Optimization> {
  const { training: { batchSize }, split: { count } } = options;
  let { epochs } = options.training;
  const { together: { ranks, every } = { ranks: ALONE, every: "step" } } = options;
  const { averageEvery } = options.training;
  const start = resume?.progress.step ?? 0;
  let step = await createTrainingProgram({ ...options, step: start });
  let { program } = step;
  let { terms } = program;

  // A checkpoint of an older version has no sum of the loss, and may have other terms: the means are then of the steps from here on.
  const kept = resume?.progress;
  if (kept?.loss !== undefined && kept.sums.length && kept.sums.length !== terms.length) {
    const message = `expected sums of ${terms.length} terms, found ${kept.sums.length}`;
    throw new FileError(resume!.file, message, { verb: "load" });
  }
  const begun = kept?.sums.length === terms.length ? kept : undefined;
  let sums = Float64Array.from(begun?.sums ?? terms.map(() => 0));
  // Each step by its own weights.
  let loss = begun ? begun.loss ?? weighted(terms, begun.sums, start - 1) : 0;
  let steps = begun?.steps ?? 0;
  program.setCounts(resume?.progress.counts);
  const train = (): Losses => {
    const mean = (sum: number) => sum / Math.max(1, steps) / batchSize;
    return lossesOf(terms, [...sums].map(mean), mean(loss));
  };
  // What ranks have measured is read once for a chunk, and each reading waits: so theirs are longer.
  const pace = new Pace(ranks.size > 1 ? () => RANKS_SECONDS : chunkSeconds);
  let done = start;
  const average = ranks.size > 1 && every === "seldom"
    ? await (await more.load()).averaging(options.gpu, options.parameters, ranks, options.training)
    : undefined;
  const isApart = () => average !== undefined && done % averageEvery !== 0;
  /** The next step after which the ranks' parameters are averaged: only there they are the same, so only there a training can stop. */
  const meeting = (end: number) => average ? Math.min(end, (Math.floor(done / averageEvery) + 1) * averageEvery) : end;
  const forget = () => {
    sums = new Float64Array(terms.length);
    loss = steps = 0;
    program.setCounts();
  };

  return {
    get step() {
      return done;
    },
    get train() {
      return train();
    },
    begin: () => Promise.resolve(),
    async *advance({ end, stop }) {
      let samplesPerSecond: number | undefined;
      let stopped = false;
      while (done < end && !stopped) {
        const next = meeting(end);
        for await (const chunk of program.run(next - program.step, pace, () => !isApart() && stop())) {
          for (const values of chunk) {
            if (!values.every(Number.isFinite)) return "diverged";
            values.forEach((value, i) => sums[i] += value);
            loss += weighted(terms, values, done);
            done++;
            steps++;
          }
          samplesPerSecond = pace.rate * batchSize;
          yield { epoch: Math.min(epochs, done * batchSize / count), step: done, train: train(), samplesPerSecond };
        }
        stopped = done < next;
        if (!stopped) await average?.();
      }
      if (samplesPerSecond === undefined) return undefined;
      const reached = { step: done, train: train(), samplesPerSecond };
      if (done < end) return reached;
      const measured = program.measure(await program.counts());
      forget();
      return { ...reached, train: { ...reached.train, ...measured } };
    },
    async progress() {
      const counts = steps ? await program.counts() : [];
      return { step: done, sums: [...sums], loss, steps, ...(counts.length ? { counts } : {}) };
    },
    async adjust(training, config) {
      const adjusted = await createTrainingProgram({ ...options, training, config, step: done });
      step.destroy();
      step = adjusted;
      ({ program } = step);
      ({ terms } = program);
      ({ epochs } = training);
      forget();
    },
    diverged: async (from, seen) =>
      await (await more.load()).divergence({ step, from, done, seen, training: { batchSize }, data: { count } }),
    destroy: () => step.destroy(),
  };
}
