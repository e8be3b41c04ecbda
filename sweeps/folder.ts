/**
 * A sweep on disk: its plan, written once, and what became of each of its trainings. Any number of workers, on any number of machines
 * that share the folder, train from it: one gives way where two come to the same training.
 *
 * ```
 * sweep.json         the plan and its points
 * rung-1.json        the points that go on to the second rung, written when the first is complete
 * trials/0017        the run folder of training 17
 * records/0017       its log, and why it failed where it did
 * ```
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import { fields, listOf, parseJson, text, whole } from "../core/json.ts";
import type { EpochEvent } from "../core/training/events.ts";
import { spreadOf } from "../core/spread.ts";
import { FolderLock } from "../storage/folder_lock.ts";
import { readIfThere } from "../storage/read.ts";
import { join, readConfig, readMetrics } from "../storage/run_folder.ts";
import { writeText } from "../storage/write.ts";
import { type PointSettings, requirePlan, type Sweep, type SweepPlan } from "./plan.ts";

/** The file that makes a folder that of a sweep. */
export const SWEEP_FILE = "sweep.json";

/** A sweep that was written. */
export interface StoredSweep extends Sweep {
  readonly folder: string;
  readonly plan: SweepPlan;
}

/** One training of a point. */
export interface Trial {
  /** Its number, point by point and seed by seed. */
  readonly index: number;
  /** The number of its point. */
  readonly point: number;
  readonly seed: number;
  /** All that it is told, its seed too. */
  readonly settings: PointSettings;
  /** Its run folder. */
  readonly folder: string;
  /** Where its log is, and why it failed. */
  readonly record: string;
}

/** What became of a training. */
export interface TrialState {
  readonly trial: Trial;
  readonly state: "waiting" | "running" | "stopped" | "failed" | "done";
  /** Why it failed. */
  readonly reason?: string;
  /** The epochs trained. */
  readonly epochs: readonly EpochEvent[];
  /** The epoch that counts: the one with the lowest validation loss, or the last. */
  readonly best?: EpochEvent;
  /** What it is compared by, of that epoch. */
  readonly value?: number;
  /** Number of trained scalars. */
  readonly parameters?: number;
}

/**
 * Writes a sweep, once.
 *
 * @throws {Error} If another one is in the folder.
 */
export async function createSweep(folder: string, plan: SweepPlan, sweep: Sweep): Promise<StoredSweep> {
  const there = await readSweep(folder);
  const found = { folder, plan, ...sweep };
  if (there) {
    // As it would have been written: what is undefined has no place in a file.
    if (JSON.stringify(written(there)) === JSON.stringify(written(found))) return there;
    throw new Error(
      `Cannot begin a sweep in "${folder}": there is one of another plan; name another folder with --out, or ` +
        "leave the plan out to go on with that one",
    );
  }
  await Deno.mkdir(folder, { recursive: true });
  await writeText(join(folder, SWEEP_FILE), JSON.stringify(written(found), undefined, 2) + "\n");
  return found;
}

function written({ plan, points, seeds, objective, goal, rungs }: StoredSweep) {
  return JSON.parse(JSON.stringify({ version: 1, plan, points, seeds, objective, goal, rungs }));
}

const fileCheck = fields({
  version: whole(1, 1),
  points: listOf((value, name) => typeof value === "object" ? undefined : `expected ${name} to be settings`),
  seeds: whole(1, 1e6),
  objective: text,
  goal: text,
});

/**
 * The sweep in a folder; undefined where there is none.
 *
 * @throws {FileError} If it is damaged.
 */
export async function readSweep(folder: string): Promise<StoredSweep | undefined> {
  const file = join(folder, SWEEP_FILE);
  const bytes = await readIfThere(file);
  if (!bytes) return undefined;
  const found = parseJson(bytes, file);
  const wrong = fileCheck(found, "the sweep");
  if (wrong) throw new FileError(file, wrong);
  try {
    requirePlan((found as StoredSweep).plan);
  } catch (cause) {
    throw new FileError(file, (cause as Error).message);
  }
  return { ...found as StoredSweep, folder };
}

/** Trainings in all; of a rung, those of its points. */
export function trialCount({ points, seeds, rungs }: Sweep, rung = 0): number {
  return (rungs?.[rung].points ?? points.length) * seeds;
}

/**
 * A training by its number.
 *
 * @param rung Of successive halving; there numbers go by rank, the best of the rung before first.
 * @throws {RangeError} If there is none of that number.
 * @throws {Error} If the rung before is not complete.
 */
export async function trialAt(sweep: StoredSweep, index: number, rung = 0): Promise<Trial> {
  const { rungs = [] } = sweep;
  if (rung > 0 && rung >= rungs.length) {
    throw new RangeError(`Cannot find rung ${rung}: expected 0 to ${Math.max(0, rungs.length - 1)}`);
  }
  const count = trialCount(sweep, rung);
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw new RangeError(`Cannot find training ${index}: expected 0 to ${count - 1}`);
  }
  return trialOf(sweep, index, rung, await pointsOf(sweep, rung));
}

/** A training by its number in a rung, whose points are known. */
function trialOf(sweep: StoredSweep, index: number, rung: number, ranked: readonly number[]): Trial {
  const { folder, points, seeds, rungs = [] } = sweep;
  const point = ranked[Math.floor(index / seeds)];
  const seed = index % seeds;
  const own = point * seeds + seed;
  const digits = String(points.length * seeds - 1).length;
  const name = String(own).padStart(Math.max(4, digits), "0");
  const epochs: PointSettings = rungs.length ? { epochs: rungs[rung].epochs } : {};
  const seeded: PointSettings = "seed" in points[point] ? {} : { seed };
  return {
    ...{ index: own, point, seed, settings: { ...points[point], ...seeded, ...epochs } },
    folder: join(folder, `trials/${name}`),
    record: join(folder, `records/${name}`),
  };
}

/** All trainings, or those of a rung. */
export async function trialsOf(sweep: StoredSweep, rung = 0): Promise<Trial[]> {
  const points = await pointsOf(sweep, rung);
  return Array.from({ length: trialCount(sweep, rung) }, (_, i) => trialOf(sweep, i, rung, points));
}

/** The points of a rung, the best first. Decided once, when the rung before is complete: all workers find the same. */
async function pointsOf(sweep: StoredSweep, rung: number): Promise<readonly number[]> {
  if (rung === 0) return sweep.points.map((_, i) => i);
  const file = join(sweep.folder, `rung-${rung}.json`);
  const bytes = await readIfThere(file);
  if (bytes) {
    const kept = parseJson(bytes, file);
    const { points } = sweep.rungs![rung];
    const wrong = listOf(whole(0, sweep.points.length - 1), points)(kept, "the points");
    if (wrong) throw new FileError(file, wrong);
    return kept as number[];
  }
  const states = await statesOf(sweep, rung - 1);
  const open = states.filter(({ state }) => state !== "done" && state !== "failed");
  if (open.length) {
    throw new Error(
      `Cannot begin rung ${rung}: expected rung ${rung - 1} to be complete, found ${open.length} of ` +
        `${states.length} trainings that are not`,
    );
  }
  const best = ranked(sweep, states).slice(0, sweep.rungs![rung].points).map(({ point }) => point);
  await writeText(file, JSON.stringify(best) + "\n");
  return best;
}

/** A point by what its trainings came to. */
export interface RankedPoint {
  readonly point: number;
  readonly states: readonly TrialState[];
  /** Of the trainings that are done, with a value. */
  readonly values: readonly number[];
  /** Their mean; undefined where a training failed or none is done. */
  readonly mean?: number;
}

/** Points by the mean over their seeds, the best first; a point of which a training failed comes last. */
export function ranked({ goal }: Sweep, states: readonly TrialState[]): RankedPoint[] {
  const sign = goal === "maximize" ? -1 : 1;
  const byPoint = Map.groupBy(states, ({ trial: { point } }) => point);
  const points = [...byPoint].map(([point, states]): RankedPoint => {
    const values = states.flatMap(({ state, value }) =>
      (state === "done" || state === "running" || state === "stopped") && value !== undefined ? [value] : []
    );
    const whole = values.length > 0 && !states.some(({ state }) => state === "failed");
    const spread = whole ? spreadOf(values) : undefined;
    return { point, states, values, ...spread ? { mean: spread.mean } : {} };
  });
  const worth = ({ mean }: RankedPoint) => mean === undefined ? Infinity : sign * mean;
  return points.sort((a, b) => {
    const [first, second] = [worth(a), worth(b)];
    return first === second ? a.point - b.point : first - second;
  });
}

/** What became of all trainings, or of those of a rung. */
export async function statesOf(sweep: StoredSweep, rung?: number): Promise<TrialState[]> {
  const states: TrialState[] = [];
  for (const trial of await trialsOf(sweep, rung)) states.push(await stateOf(sweep, trial));
  return states;
}

/** The number within events: "train.loss", "validation.elbo", "ssim". */
function numberAt(event: EpochEvent, path: string): number | undefined {
  const found = path.split(".").reduce<unknown>(
    (from, name) =>
      typeof from === "object" && from !== null ? (from as Readonly<Record<string, unknown>>)[name] : undefined,
    event,
  );
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
}

/** What became of a training. What is there is read each time: other workers write it. */
export async function stateOf(sweep: Pick<StoredSweep, "objective" | "rungs">, trial: Trial): Promise<TrialState> {
  const { folder, record, settings } = trial;
  const events = await readMetrics(folder);
  const asked = sweep.rungs ? Number(settings.epochs) : Infinity;
  const epochs = events.filter((event): event is EpochEvent => event.event === "epoch" && event.epoch <= asked);
  const end = events.findLast((event) => event.event === "end");
  const trained = Math.max(0, ...events.map((event) => event.event === "epoch" ? event.epoch : 0));
  const ended = end !== undefined && !end.stopped && (!sweep.rungs || end.early === true);
  const best = epochs.reduce<EpochEvent | undefined>(
    (best, event) =>
      !best || !event.validation || !best.validation || event.validation.loss < best.validation.loss ? event : best,
    undefined,
  );
  const value = best && numberAt(best, sweep.objective);
  const config = await readConfig(folder);
  const failed = await readFailure(record);
  const done = ended || trained >= asked;
  const state = done
    ? "done"
    : await FolderLock.isTaken(record)
    ? "running"
    : failed
    ? "failed"
    : config
    ? "stopped"
    : "waiting";
  return {
    ...{ trial, state, epochs },
    ...(state === "failed" ? { reason: failed!.reason } : {}),
    ...(best ? { best } : {}),
    ...(value === undefined ? {} : { value }),
    ...(config?.parameters === undefined ? {} : { parameters: config.parameters }),
  };
}

const FAILED = "failed.json";

/** Why a training failed, and when. */
export interface Failure {
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** Why the training of a record failed the last time; undefined where it did not. */
export async function readFailure(record: string): Promise<Failure | undefined> {
  const file = join(record, FAILED);
  const bytes = await readIfThere(file);
  if (!bytes) return undefined;
  const found = parseJson(bytes, file);
  const wrong = fields({ reason: text, at: text })(found, "the failure");
  if (wrong) throw new FileError(file, wrong);
  return found as Failure;
}

/** Keeps why a training failed. */
export async function writeFailure(record: string, reason: string): Promise<void> {
  const failure: Failure = { reason, at: new Date().toISOString() };
  await writeText(join(record, FAILED), JSON.stringify(failure) + "\n");
}

/** Forgets it, when it is tried again. */
export async function clearFailure(record: string): Promise<void> {
  await Deno.remove(join(record, FAILED)).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
