/**
 * The record of an experiment: every number that its tables and curves follow from, in a file small enough to keep and to compare where
 * the trained models are not.
 *
 * @module
 */

import type { EndEvent, EpochEvent } from "../core/training/events.ts";
import { readConfig } from "../storage/run_folder.ts";
import type { Experiment, Options, RunResult } from "./experiment.ts";
import type { Outcome } from "./runner.ts";

/** Epochs at the beginning and at the end of which every one is kept; of longer runs every tenth between them, and each measured one. */
const KEPT = 100;

/** The first line: what was asked for, and what was left out. */
export interface RecordHead extends Pick<Outcome, "skipped"> {
  readonly experiment: string;
  readonly options: Options;
}

/** Numbers by name. */
export type Columns = Readonly<Record<string, readonly (number | null)[]>>;

/** A line for each run: where it was trained, its settings, a column for each loss over epochs, its end, and what was measured. */
export interface RunRecord extends Pick<RunResult, "parameters" | "end" | "measures"> {
  readonly run: string;
  readonly model?: string;
  readonly dataset?: string;
  readonly adapter?: string;
  readonly started?: string;
  readonly versions?: Readonly<Record<string, string>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly epoch: readonly number[];
  readonly stepsPerEpoch: number;
  readonly train: Columns;
  readonly validation?: Columns;
  /** By {@linkcode Experiment.measureEpoch}; null after epochs without. */
  readonly measured?: Columns;
}

/** The record of an experiment, JSON in lines; fractions with nine digits. */
export async function recordOf({ name }: Experiment, { results, skipped }: Outcome, options: Options): Promise<string> {
  const head: RecordHead = { experiment: name, options, skipped };
  const lines: object[] = [head];
  for (const { runs } of results) {
    for (const run of runs) lines.push(await recordOfRun(run));
  }
  const short = (_: string, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(9)) : value;
  return lines.map((line) => JSON.stringify(line, short) + "\n").join("");
}

async function recordOfRun({ folder, parameters, epochs, end, measures }: RunResult): Promise<RunRecord> {
  const { model, dataset, adapter, started, versions, config } = await readConfig(folder) ?? {};
  // Where the run folder lay means nothing elsewhere.
  const { run: _, ...told } = end as EndEvent & { readonly run?: string };
  const last = epochs.length;
  const kept = epochs.filter(({ epoch, measures }) =>
    measures || epoch <= KEPT || epoch > last - KEPT || epoch % 10 === 0
  );
  const columns = (of: (event: EpochEvent) => Readonly<Record<string, number>> | undefined): Columns | undefined => {
    const names = new Set(kept.flatMap((event) => Object.keys(of(event) ?? {})));
    if (names.size === 0) return undefined;
    return Object.fromEntries([...names].map((name) => [name, kept.map((event) => of(event)?.[name] ?? null)]));
  };
  return {
    run: folder.replace(/.*[/\\]/, ""),
    model,
    dataset,
    adapter,
    started,
    versions,
    parameters,
    config,
    stepsPerEpoch: end.step / end.epochs,
    epoch: kept.map(({ epoch }) => epoch),
    train: columns(({ train }) => train) ?? {},
    validation: columns(({ validation }) => validation),
    measured: columns(({ measures }) => measures),
    end: told,
    measures,
  };
}
