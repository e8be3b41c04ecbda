/**
 * What the tables and curves of several experiments share: losses of runs as spreads over seeds.
 *
 * @module
 */

import type { EpochEvent, Losses } from "../core/training/events.ts";
import { type Panel, panels, type Series } from "../figures/charts.ts";
import type { Figure, Words } from "../figures/figure.ts";
import type { PointResult, RunResult } from "./experiment.ts";
import { type Spread, spreadOf } from "../core/spread.ts";

/** Of which rows. */
export type Side = "train" | "validation";

/** A number of every run of a point. */
export function spread({ runs }: PointResult, of: (run: RunResult) => number | undefined): Spread | undefined {
  return spreadOf(runs.map((run) => of(run) ?? NaN));
}

/** A term at the end of every run. */
export function finalLoss(result: PointResult, term: string, side: Side = "train"): Spread | undefined {
  return spread(result, ({ end }) => end[side]?.[term]);
}

/** A measured number of every run. */
export function measured(result: PointResult, name: string): Spread | undefined {
  return spread(result, ({ measures }) => {
    const value = measures[name];
    return typeof value === "number" ? value : undefined;
  });
}

/** Losses over epochs as means over seeds, with a band of one standard deviation where there are several. */
export function course(
  name: string,
  result: PointResult,
  term: (losses: Losses) => number,
  side: Side = "train",
  x: (epoch: number) => number = (epoch) => epoch,
): Series {
  return overEpochs(name, result, ({ [side]: losses }) => losses ? term(losses) : NaN, x);
}

/** The same of a number that was measured after some epochs ({@linkcode Experiment.measureEpoch}) or at the end. */
export function measuredCourse(
  name: string,
  result: PointResult,
  measure: string,
  x: (epoch: number) => number = (epoch) => epoch,
): Series {
  const runs = result.runs.map(({ epochs, measures, ...run }) => {
    const last = epochs.length - 1;
    const found = epochs.map((event, i) => {
      const end = measures[measure];
      return event.measures || i < last || typeof end !== "number" ? event : { ...event, measures: { [measure]: end } };
    });
    return { ...run, measures, epochs: found.filter(({ measures }) => measures) };
  });
  return overEpochs(name, { ...result, runs }, ({ measures = {} }) => measures[measure] ?? NaN, x);
}

function overEpochs(
  name: string,
  { runs }: PointResult,
  of: (event: EpochEvent) => number,
  x: (epoch: number) => number,
): Series {
  const epochs = Math.min(...runs.map(({ epochs }) => epochs.length));
  const spreads = Array.from({ length: epochs }, (_, i) => spreadOf(runs.map(({ epochs }) => of(epochs[i]))));
  const values = (of: (spread: Spread) => number) => spreads.map((spread) => spread ? of(spread) : NaN);
  return {
    name,
    x: runs[0].epochs.slice(0, epochs).map(({ epoch }) => x(epoch)),
    y: values(({ mean }) => mean),
    ...(runs.length > 1
      ? {
        lower: values(({ mean, deviation = 0 }) => mean - deviation),
        upper: values(({ mean, deviation = 0 }) => mean + deviation),
      }
      : {}),
  };
}

/** Whether an epoch is one of 1, 2, 3, 6, 10, 18, 32, 56, 100, ...: four for each power of ten. */
export function isMilestone(epoch: number): boolean {
  return Math.round(10 ** (Math.round(4 * Math.log10(epoch)) / 4)) === epoch;
}

/** Data seen after an epoch of a point's runs. */
export function dataSeen({ point, runs }: PointResult): (epoch: number) => number {
  const { step, epoch } = runs[0].epochs[0];
  return (at) => at * step * Number(point.config.batchSize) / epoch;
}

/** Lower bound, NLL and KL over epochs, a line for each named result. */
export async function lossCurves(
  words: Words,
  results: readonly (readonly [name: string, result: PointResult])[],
  sides: readonly Side[] = ["train"],
): Promise<Figure> {
  const terms = [["Lower bound", "elbo"], ["NLL (reconstruction)", "nll"], ["KL", "kl"]] as const;
  return await panels({
    ...words,
    columns: sides.length > 1 ? 2 : 3,
    panels: terms.flatMap(([title, term]) =>
      sides.map((side): Panel => ({
        title: `${title}, ${side === "train" ? "training" : "validation"}`,
        x: "epoch",
        y: "nats per datum",
        series: results.map(([name, result]) => course(name, result, (losses) => losses[term], side)),
      }))
    ),
  });
}

/** A figure that stands beside others of its kind: name and title say of which model it is. */
export function renamed(figure: Figure, name: string, title: string): Figure {
  // The title that is drawn into an SVG stays, so its caption says what the new one would.
  return typeof figure.content === "string"
    ? { ...figure, name, file: `${name}.svg`, title, caption: `${title}: ${figure.caption}` }
    : { ...figure, name, file: `${name}.png`, title };
}
