/**
 * How losses went over the epochs of a training, of one or of several.
 *
 * @module
 */

import type { EpochEvent, Losses } from "../core/training/events.ts";
import { type Panel, panels, type Series } from "./charts.ts";
import type { Figure } from "./figure.ts";

/** A training and what it yielded. */
export interface Course {
  readonly name: string;
  readonly epochs: readonly Pick<EpochEvent, "epoch" | "train" | "validation" | "ssim">[];
}

/** Units of the terms that are no nats. */
const UNITS: Readonly<Record<string, string>> = {
  ssim: "SSIM",
  perplexity: "codes",
  mmd: "squared discrepancy",
  offDiagonal: "squared covariance",
  diagonal: "squared variance",
};

/** What a reader calls a term. */
const TITLES: Readonly<Record<string, string>> = {
  elbo: "ELBO",
  nll: "NLL (reconstruction)",
  kl: "KL",
  loss: "Loss (weights included)",
  freeBits: "KL with free bits",
  capacity: "Distance of the KL from its capacity",
  mutualInformation: "Mutual information of data and latents",
  totalCorrelation: "Total correlation of the latents",
  dimensionWiseKl: "KL of each latent by itself, summed",
  mmd: "Maximum mean discrepancy of the latents from the prior, squared",
  offDiagonal: "Covariance of latents off the diagonal, squared",
  diagonal: "Variance of latents apart from 1, squared",
  ssim: "SSIM",
};

/** A run with what is measured on validation rows beside its losses. */
const withMeasures = ({ name, epochs }: Course): Course => ({
  name,
  epochs: epochs.map((epoch) =>
    epoch.validation && epoch.ssim !== undefined
      ? { ...epoch, validation: { ...epoch.validation, ssim: epoch.ssim } }
      : epoch
  ),
});

/** Terms that have something to show: a KL that is always 0 has not, nor a loss that is -ELBO. */
function termsOf(courses: readonly Course[]): readonly string[] {
  const all = courses.flatMap(({ epochs }) =>
    epochs.flatMap(({ train, validation }) => validation ? [train, validation] : [train])
  );
  const names = [...new Set(all.flatMap((losses) => Object.keys(losses)))];
  const weighted = all.some(({ loss, elbo }) => Math.abs(loss + elbo) > 1e-4 * Math.abs(elbo));
  return names.filter((name) => all.some((losses) => losses[name]) && (name !== "loss" || weighted));
}

/**
 * A panel for each term over the epochs: training and validation of one run, or for several runs the validation of each (their training
 * where one has no validation).
 *
 * @throws {RangeError} If no run has an epoch.
 */
export async function curves(runs: readonly Course[]): Promise<Figure> {
  const courses = runs.map(withMeasures);
  const terms = termsOf(courses);
  if (terms.length === 0) {
    throw new RangeError("Cannot draw curves: expected the figures of at least one epoch, found none");
  }
  const validated = courses.every(({ epochs }) => epochs.every(({ validation }) => validation));
  const series = (
    name: string,
    { epochs }: Course,
    losses: (epoch: Course["epochs"][number]) => Losses | undefined,
    term: string,
  ): Series => ({
    name,
    x: epochs.map(({ epoch }) => epoch),
    y: epochs.map((epoch) => losses(epoch)?.[term] ?? NaN),
  });
  const linesOf = (term: string): readonly Series[] => {
    const [course] = courses;
    const lines = courses.length > 1
      ? courses.map((course) =>
        series(course.name, course, ({ train, validation }) => validated ? validation : train, term)
      )
      : [
        series("training", course, ({ train }) => train, term),
        series("validation", course, ({ validation }) => validation, term),
      ];
    return lines.filter(({ y }) => Array.from(y).some(Number.isFinite));
  };
  return await panels({
    name: "curves",
    title: courses.length > 1 ? `Losses of ${courses.length} runs, ${validated ? "validation" : "training"}` : "Losses",
    caption: "Means over data after each epoch, in nats where nothing else is said; ELBO = -(NLL + KL). " +
      "Training figures are means over the steps of the epoch, while the parameters still changed.",
    panels: terms.map((term): Panel => ({
      title: TITLES[term] ?? term.replace(/^kl(\d+)$/, "KL of level $1"),
      x: "epoch",
      y: UNITS[term.replace(/\d+$/, "")] ?? "nats per datum",
      series: linesOf(term),
    })),
  });
}
