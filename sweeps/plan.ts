/**
 * What a sweep trains: settings that stay, settings that vary and how, and the points that follow from them. It knows no task and no
 * file; what a setting may be is the business of whoever reads the settings of a point.
 *
 * @module
 */

import { excerpt } from "../core/bounds.ts";
import { either, fields, finite, flag, listOf, oneOf, optional, recordOf, text, whole } from "../core/json.ts";
import { uniforms } from "../core/graph/random.ts";
import { sobol, SOBOL_DIMENSIONS } from "./sobol.ts";

/** What a setting can be. */
export type Value = number | string | boolean | readonly (number | string)[];

/** The settings of one training, by name: "batchSize". */
export type PointSettings = Readonly<Record<string, Value>>;

/** When a setting varies at all: other settings, each with the value or one of the values that it must have. */
export type Condition = Readonly<Record<string, Value>>;

/** How a setting varies. */
export type Varied =
  | { readonly values: readonly Value[]; readonly when?: Condition }
  | {
    readonly from: number;
    readonly to: number;
    /** Default: linear. */
    readonly scale?: "linear" | "log";
    /** Of a grid: how many values, the ends among them. */
    readonly steps?: number;
    readonly when?: Condition;
  };

/** A sweep, as its user writes it. */
export interface SweepPlan {
  /** Settings of `train`, by name: a value for all points, or how it varies. A condition looks at settings that stand before it. */
  readonly settings: Readonly<Record<string, Value | Varied>>;
  /** How points are chosen. Default: grid, all combinations. */
  readonly method?: "grid" | "random" | "sobol";
  /** How many (random, sobol), or what each has besides, one by one. */
  readonly points?: number | readonly PointSettings[];
  /** Trainings of every point, with seeds 0, 1, 2, ... Default: 1. */
  readonly seeds?: number;
  /** Of the choice of points. Default: 0. */
  readonly seed?: number;
  /** What points are compared by. Default: `validation.elbo`, without validation rows `train.elbo`. */
  readonly objective?: string;
  /** Default: `maximize` for elbo, bound and ssim, else `minimize`. */
  readonly goal?: "maximize" | "minimize";
  /** Successive halving: all points for some epochs, the best part of them for more, up to the epochs of the settings. */
  readonly halving?: Halving;
}

/** Successive halving. */
export interface Halving {
  /** Epochs of the first rung. */
  readonly epochs: number;
  /** Of the points the best 1 / factor go on, for `factor` times the epochs. Default: 3. */
  readonly factor?: number;
}

/** The points of a plan, and what is done with them. */
export interface Sweep {
  /** Each without its seed. */
  readonly points: readonly PointSettings[];
  readonly seeds: number;
  /** "train.loss", "validation.elbo" */
  readonly objective: string;
  readonly goal: "maximize" | "minimize";
  /** Epochs of each rung, where points are halved. */
  readonly rungs?: readonly Rung[];
}

/** A rung of successive halving. */
export interface Rung {
  /** Epochs that its points have been trained for at its end. */
  readonly epochs: number;
  /** How many points. */
  readonly points: number;
}

const single = either("a number, text, true or false", finite, text, flag);
const value = either("a number, text, true or false, or a list of them", single, listOf(single));
const when = optional(recordOf(value));
const varied = either(
  "a value, { values }, or { from, to }",
  value,
  fields({ values: listOf(value), when }),
  fields({
    from: finite,
    to: finite,
    scale: optional(oneOf("linear", "log")),
    steps: optional(whole(2, 1e6)),
    when,
  }),
);

/** What {@linkcode SweepPlan} must be. */
const planCheck = fields({
  settings: recordOf(varied),
  method: optional(oneOf("grid", "random", "sobol")),
  points: optional(either("a number or a list of settings", whole(1, 1e6), listOf(recordOf(value)))),
  seeds: optional(whole(1, 1e6)),
  seed: optional(whole(0, 2 ** 32 - 1)),
  objective: optional(text),
  goal: optional(oneOf("maximize", "minimize")),
  halving: optional(fields({ epochs: whole(1, 1e6), factor: optional(finite) })),
});

const PARTS = ["settings", "method", "points", "seeds", "seed", "objective", "goal", "halving"];

/** Points that a sweep may have at most, seeds counted. */
const MOST = 100_000;

function fail(expected: string, found: unknown): never {
  throw new RangeError(`Cannot read the plan: expected ${expected}, found ${excerpt(found)}`);
}

/**
 * Checks the form of a plan.
 *
 * @throws {RangeError} If something in it is not as it must be.
 */
export function requirePlan(plan: unknown): asserts plan is SweepPlan {
  const wrong = planCheck(plan, "the plan");
  if (wrong) throw new RangeError(`Cannot read the plan: ${wrong}`);
  const given = plan as SweepPlan;
  for (const name of Object.keys(given)) if (!PARTS.includes(name)) fail(`only ${PARTS.join(", ")}`, name);
  const { method = "grid", points, halving, settings, seeds = 1 } = given;
  const listed = typeof points === "object";
  if (method === "grid" && typeof points === "number") fail("a number of points with random or sobol only", method);
  if (method !== "grid" && typeof points !== "number") fail(`how many points ${method} draws`, points);
  if (listed && Object.values(settings).some(isVaried)) fail("listed points or settings that vary", "both");
  if (halving?.factor !== undefined && !(halving.factor > 1)) fail("a factor above 1", halving.factor);
  if (seeds > 1 && "seed" in settings) fail("seeds, or the seed among the settings", "both");
  const before = new Set<string>();
  for (const [name, given] of Object.entries(settings)) {
    if (isVaried(given)) requireVaried(name, given, method, before);
    before.add(name);
  }
}

function requireVaried(name: string, given: Varied, method: string, before: ReadonlySet<string>): void {
  for (const other of Object.keys(given.when ?? {})) {
    if (!before.has(other)) fail(`a condition of ${name} on a setting that stands before it`, other);
  }
  if ("values" in given) {
    if (!given.values.length) fail(`values of ${name}`, given.values);
    return;
  }
  const { from, to, scale = "linear", steps } = given;
  if (!(to > from)) fail(`${name} from a smaller number to a larger one`, [from, to]);
  if (scale === "log" && from <= 0) fail(`${name} from above 0 on a log scale`, from);
  if (method === "grid" && steps === undefined) fail(`the steps of ${name} in a grid`, given);
}

/** Whether a setting of a plan varies. */
export function isVaried(given: Value | Varied): given is Varied {
  return typeof given === "object" && !Array.isArray(given);
}

/**
 * The points of a plan. The same plan always has the same points, in the same order.
 *
 * @param isInteger Whether a setting of a point takes whole numbers alone.
 * @throws {RangeError} If the plan is not as it must be, or has more points than can be handled.
 */
export function sweepOf(
  plan: SweepPlan,
  isInteger: (name: string, settings: PointSettings) => boolean | Promise<boolean>,
): Promise<Sweep> {
  requirePlan(plan);
  return expanded(plan, isInteger);
}

async function expanded(plan: SweepPlan, isInteger: Parameters<typeof sweepOf>[1]): Promise<Sweep> {
  const { settings, method = "grid", points: asked, seeds = 1, seed = 0, halving } = plan;
  const entries = Object.entries(settings);
  const points: PointSettings[] = [];
  const add = (point: PointSettings) => {
    points.push(point);
    if (points.length * seeds > MOST) fail(`at most ${MOST} trainings`, "more");
  };
  if (typeof asked === "object") {
    const fixed = settings as PointSettings;
    for (const each of asked) add({ ...fixed, ...each });
  } else if (method === "grid") {
    for await (const point of grid(entries, {}, isInteger)) add(point);
  } else {
    const names = entries.filter(([, given]) => isVaried(given)).map(([name]) => name);
    if (method === "sobol" && names.length > SOBOL_DIMENSIONS) {
      fail(`at most ${SOBOL_DIMENSIONS} settings that vary (sobol)`, names.length);
    }
    const cube = method === "sobol"
      ? sobol(asked!, names.length, seed)
      : Array.from({ length: asked! }, (_, i) => [...uniforms(new Float64Array(names.length), seed, i, 0)]);
    for (const u of cube) {
      let point: PointSettings = {};
      for (const [name, given] of entries) {
        if (!isVaried(given)) point = { ...point, [name]: given };
        else if (holds(given.when, point)) {
          const at = u[names.indexOf(name)];
          point = { ...point, [name]: valueAt(given, at, await isInteger(name, point)) };
        }
      }
      add(point);
    }
  }
  if (!points.length) fail("at least one point", asked);
  const { objective = objectiveOf(points) } = plan;
  const {
    goal = /\.(elbo|bound|ssim|logLikelihood)$|^ssim$/.test(objective) ? "maximize" : "minimize",
  } = plan;
  const rungs = halving ? { rungs: rungsOf(points, halving) } : {};
  return { points, seeds, objective, goal, ...rungs };
}

/** Without validation rows, what was trained on decides. */
function objectiveOf(points: readonly PointSettings[]): string {
  return points.some(({ validation }) => validation === 0) ? "train.elbo" : "validation.elbo";
}

/** All combinations, the last setting's values running fastest. */
async function* grid(
  [first, ...others]: readonly (readonly [string, Value | Varied])[],
  point: PointSettings,
  isInteger: Parameters<typeof sweepOf>[1],
): AsyncGenerator<PointSettings> {
  if (!first) return yield point;
  const [name, given] = first;
  if (!isVaried(given)) return yield* grid(others, { ...point, [name]: given }, isInteger);
  if (!holds(given.when, point)) return yield* grid(others, point, isInteger);
  const found: Value[] = [];
  if ("values" in given) found.push(...given.values);
  else {
    const whole = await isInteger(name, point);
    const { steps = 2 } = given;
    const at = (i: number) => between(given, i / (steps - 1));
    const values = Array.from({ length: steps }, (_, i) => whole ? Math.round(at(i)) : at(i));
    found.push(...new Set(values));
  }
  for (const value of found) yield* grid(others, { ...point, [name]: value }, isInteger);
}

function holds(condition: Condition | undefined, point: PointSettings): boolean {
  const same = (a: Value, b: Value) => JSON.stringify(a) === JSON.stringify(b);
  return Object.entries(condition ?? {}).every(([name, expected]) => {
    if (!Object.hasOwn(point, name)) return false;
    const found = point[name];
    return same(found, expected) || (Array.isArray(expected) && expected.some((each) => same(found, each)));
  });
}

/** From 0 at one end to 1 at the other. */
function between({ from, to, scale }: Extract<Varied, { from: number }>, part: number): number {
  // The ends are what was written, to the last digit.
  if (part === 0) return from;
  if (part === 1) return to;
  return scale === "log" ? from * (to / from) ** part : from + (to - from) * part;
}

/** The value at u, from 0 to below 1. */
function valueAt(given: Varied, u: number, whole: boolean): Value {
  if ("values" in given) return given.values[Math.floor(u * given.values.length)];
  if (!whole) return Number(between(given, u).toPrecision(6));
  // Each whole number has an equal part of the range, on its scale.
  const { from, to, scale } = given;
  return Math.min(Math.floor(to), Math.floor(between({ from, to: to + 1, scale }, u)));
}

/** Epochs and points of each rung. */
function rungsOf(points: readonly PointSettings[], { epochs: first, factor = 3 }: Halving): readonly Rung[] {
  const asked = new Set(points.map(({ epochs }) => epochs));
  const [last] = asked;
  if (asked.size !== 1 || typeof last !== "number") fail("the same epochs in all points that are halved", [...asked]);
  if (first > last) fail(`a first rung of at most ${last} epochs`, first);
  const rungs: Rung[] = [];
  for (let i = 0;; i++) {
    const epochs = Math.min(last, Math.round(first * factor ** i));
    const count = Math.max(1, Math.ceil(points.length / factor ** i - 1e-9));
    rungs.push({ epochs, points: count });
    if (epochs === last || count === 1) {
      if (epochs < last) rungs[i] = { epochs: last, points: count };
      return rungs;
    }
  }
}
