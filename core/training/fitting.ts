/**
 * A model that fits itself (EM, a closed form) as an optimization: an iteration is an epoch, and its losses are those at the parameters
 * that it leaves. An iteration that is stopped is undone.
 *
 * @module
 */

import { type Dataset, dataShape, slice } from "../dataset.ts";
import { DivergenceError, type Sighting } from "./divergence.ts";
import type { Losses } from "./events.ts";
import { NonFiniteMatrixError } from "../linear_algebra.ts";
import type { Fit } from "./fit_context.ts";
import { type Ranks, summed } from "../graph/ranks.ts";
import type { Model } from "../model.ts";
import { makeResident } from "../ops/gather.ts";
import type { Optimization } from "./optimization.ts";
import { summarizeValues } from "../values.ts";
import type { Trained } from "./trained.ts";
import { completedEpochs, type TrainingConfig } from "./training_settings.ts";

/** Settings of the training that mean something to a fit; the others are those of an optimizer. */
export const FIT_SETTINGS = [
  "batchSize",
  "epochs",
  "binarize",
  "rows",
  "validation",
  "patience",
  "seed",
  "tiles",
] as const satisfies readonly (
  keyof TrainingConfig
)[];

/** What is fitted. */
export interface FittingOptions {
  readonly model: Model;
  readonly config: object;
  readonly dataset: Dataset;
  readonly trained: Trained;
  /** Rows fitted to, the first ones. */
  readonly count: number;
  /** Steps already done, where it is resumed. */
  readonly step: number;
  /** Processes that fit it together. */
  readonly ranks?: Ranks;
}

/** Uploads the rows. */
export function fitting({ model, config, dataset, trained, count, step: start, ranks }: FittingOptions): Optimization {
  const { gpu, tiles, parameters, training: { batchSize, seed, binarize, rows } } = trained;
  const split = slice(dataset.train, 0, count);
  const scopes = gpu.scopes();
  const source = scopes.within(() => makeResident(gpu, "training rows", dataset.shape, split, rows));
  let fit: Fit | undefined;
  let step = start;
  let train: Losses = { elbo: 0, nll: 0, kl: 0, loss: 0 };
  /** What went bad. */
  let lost = "the log-likelihood";
  return {
    get step() {
      return step;
    },
    get train() {
      return train;
    },
    async begin() {
      await scopes.settle();
      const data = { ...dataShape(dataset), range: trained.data.range ?? summarizeValues(split) };
      const resumed = start > 0;
      fit = await model.fit!(
        { gpu, tiles, parameters, data, binarize, batchSize, seed, split, source, resumed, ranks },
        config,
      );
    },
    async *advance({ epoch, end, stop }) {
      const from = performance.now();
      const rate = () => count / Math.max(1e-9, (performance.now() - from) / 1000);
      const iteration = fit!.iterate();
      // Ranks must do the same: they agree once, before they begin.
      const agreed = ranks && ranks.size > 1 ? (await summed(ranks, [stop() ? 1 : 0]))[0] > 0 : undefined;
      while (!(agreed ?? stop())) {
        const next = await iteration.next().catch((error) => {
          if (error instanceof NonFiniteMatrixError) return undefined;
          throw error;
        });
        if (!next) {
          [step, lost] = [end, "the covariance"];
          return "diverged";
        }
        const { value, done } = next;
        if (done) {
          [step, train] = [end, value];
          const samplesPerSecond = rate();
          return Number.isFinite(train.loss) ? { step, train, samplesPerSecond } : "diverged";
        }
        yield { epoch: epoch - 1 + value, step, train, samplesPerSecond: value * rate() };
      }
      await iteration.return(train);
      return undefined;
    },
    progress: () => Promise.resolve({ step, sums: [], steps: 0 }),
    diverged(_, { place }: Pick<Sighting, "place"> = { place: lost }) {
      // An iteration is all the steps of its epoch.
      const epoch = completedEpochs(step - 1, { training: { batchSize }, data: { count } }) + 1;
      const hint = "A larger floor of the variances, or data of a smaller scale, may help";
      return Promise.resolve(new DivergenceError(step - 1, epoch, place, hint));
    },
    destroy() {
      fit?.destroy();
      source.buffer.destroy();
    },
  };
}
