/**
 * Whether a run is gone on with as it was begun: for the library, the command line and experiments alike. Told something else, it would
 * be neither the old run nor a new one.
 *
 * @module
 */

import type { Checkpoint } from "./checkpoint.ts";
import type { Model } from "../model.ts";
import { configure } from "../settings.ts";

/** A setting that a run was begun with, and what is asked for now. */
export interface Change {
  readonly name: string;
  readonly was: unknown;
  readonly now: unknown;
}

/**
 * The first setting that would change; what is not asked for stays. How long a run goes on changes nothing of what was done: `epochs`
 * and `patience` may be others.
 *
 * @param was What the run was begun with.
 * @param now What is asked for.
 */
export function firstChange(
  was: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): Change | undefined {
  for (const [name, value] of Object.entries(now)) {
    const free = value === undefined || name === "epochs" || name === "patience";
    if (free || JSON.stringify(value) === JSON.stringify(was[name])) continue;
    // A batch of more rows than there are is one of all.
    if (name === "batchSize" && was.batchSize === was.rows && Number(value) > Number(was.rows)) continue;
    return { name, was: was[name], now: value };
  }
  return undefined;
}

/** Everything that a run was begun with: settings of the training, of the model and of the data, and `model`, `dataset`, `dataSeed`, `rows`. */
export function begunWith({ name, settings }: Model, { training, config, data }: Checkpoint): Record<string, unknown> {
  return {
    ...training,
    // What an older version did not know, it did as by default.
    ...configure<object>(settings, config, `the model "${name}"`),
    model: name,
    dataset: data.name,
    dataSeed: data.seed ?? 0,
    rows: data.count,
    ...data.settings,
  };
}
