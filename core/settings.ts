/**
 * Settings: what a model, a dataset or a training can be told, as data. From one table follow the
 * defaults, the validation, the command-line flags, the `--help` text and what a checkpoint keeps.
 * This file knows no flag and prints nothing.
 *
 * @module
 */

import { excerpt } from "./bounds.ts";

/** What one setting accepts, its default and one line of help. */
export interface Setting<T> {
  /** How a value is read and checked. */
  readonly type: "integer" | "number" | "integers" | "numbers" | "strings" | "choice" | "boolean" | "string";
  /** The value where none is given. */
  readonly default: T;
  /** One line for `--help`. */
  readonly help: string;
  /** True where the data decide if no value is given; the default is for those who have no data. */
  readonly byData?: boolean;
  /** Smallest value allowed (of each element, for a list). */
  readonly minimum?: number;
  /** Largest value allowed (of each element, for a list). */
  readonly maximum?: number;
  /** True where the minimum itself is not allowed. */
  readonly exclusiveMinimum?: boolean;
  /** The words allowed, for a choice. */
  readonly choices?: readonly string[];
  /** Under which heading `--help` has it, where not among the first. */
  readonly heading?: string;
}

/** One {@linkcode Setting} for every property of a configuration `C`. */
export type Settings<C> = { readonly [K in keyof C]: Setting<C[K]> };

/** The defaults of a table of settings. */
export function defaults<C>(settings: Settings<C>): C {
  return Object.fromEntries(
    Object.entries<Setting<unknown>>(settings).map(([name, setting]) => [name, setting.default]),
  ) as C;
}

/**
 * The settings of a preset.
 *
 * @param settings Those of what it is a preset of.
 * @param defaults Its defaults, where they differ: the data no longer decide those.
 * @param own The settings that make it what it is, which come first in the help, without a heading.
 */
export function presetSettings<C>(
  settings: Settings<C>,
  defaults: Partial<C>,
  own: readonly (keyof C)[] = [],
): Settings<C> {
  const names = Object.keys(settings) as (keyof C)[];
  const ordered = [...own, ...names.filter((name) => !own.includes(name))];
  return Object.fromEntries(ordered.map((name) => {
    const setting = own.includes(name) ? { ...settings[name], heading: undefined } : settings[name];
    if (!(name in defaults)) return [name, setting];
    return [name, { ...setting, default: defaults[name], ...setting.byData ? { byData: false } : {} }];
  })) as unknown as Settings<C>;
}

/**
 * Says in words what a setting accepts: `an integer of at least 1`.
 *
 * @param value What it was given: where float32 cannot hold it, that is said too.
 */
export function expectation(setting: Setting<unknown>, value?: unknown): string {
  if (setting.type === "choice") return `one of ${setting.choices?.join(", ")}`;
  const noun = {
    integer: "an integer",
    number: "a number",
    integers: "integers joined by commas",
    numbers: "numbers joined by commas",
    strings: "texts joined by commas",
    boolean: "true or false",
    string: "text",
    choice: "",
  }[setting.type];
  const { minimum, exclusiveMinimum } = setting;
  const isBeyond = [value].flat().some((x) => Number.isFinite(x) && Math.abs(Number(x)) > LARGEST);
  const maximum = isBeyond ? largest(setting) : setting.maximum;
  const low = minimum === undefined ? "" : exclusiveMinimum ? `above ${minimum}` : `of at least ${minimum}`;
  const high = maximum === undefined ? "" : `at most ${maximum}`;
  const range = [low, high].filter(Boolean).join(" and ");
  const isList = setting.type === "integers" || setting.type === "numbers";
  return [noun, range].filter(Boolean).join(isList ? ", each " : " ");
}

/** The largest number of float32, about. */
const LARGEST = 3.4e38;

/** The largest number that a setting takes: what a GPU computes with is not above that of float32. */
function largest({ type, maximum }: Setting<unknown>): number | undefined {
  return maximum ?? (type === "number" || type === "numbers" ? LARGEST : undefined);
}

function fits(setting: Setting<unknown>, value: unknown): boolean {
  const maximum = largest(setting) ?? Infinity;
  const inRange = (x: unknown) =>
    typeof x === "number" && Number.isFinite(x) &&
    (setting.minimum === undefined ||
      (setting.exclusiveMinimum ? Math.fround(x) > setting.minimum : x >= setting.minimum)) &&
    x <= maximum && x >= -LARGEST;
  switch (setting.type) {
    case "integer":
      return Number.isSafeInteger(value) && inRange(value);
    case "number":
      return inRange(value);
    case "integers":
      return Array.isArray(value) && value.every((x) => Number.isSafeInteger(x) && inRange(x));
    case "numbers":
      return Array.isArray(value) && value.every(inRange);
    case "strings":
      return Array.isArray(value) && value.every((x) => typeof x === "string" && x !== "");
    case "choice":
      return typeof value === "string" && (setting.choices?.includes(value) ?? false);
    case "boolean":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string";
  }
}

/**
 * Fills in defaults and checks every value.
 *
 * @param settings The table.
 * @param values Values by name; missing or undefined ones take the default.
 * @param subject What is being configured, for the message.
 * @throws {RangeError} If a value does not fit its setting.
 * @throws {TypeError} If a name is not in the table.
 */
export function configure<C>(settings: Settings<C>, values: Partial<C> = {}, subject = "configuration"): C {
  const config = defaults(settings);
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const setting = Object.hasOwn(settings, name) ? (settings as Record<string, Setting<unknown>>)[name] : undefined;
    if (!setting) {
      throw new TypeError(`Cannot set "${name}" of ${subject}: known settings are ${Object.keys(settings).join(", ")}`);
    }
    if (!fits(setting, value)) {
      throw new RangeError(
        `Cannot set "${name}" of ${subject}: expected ${expectation(setting, value)}, found ${excerpt(value)}`,
      );
    }
    (config as Record<string, unknown>)[name] = value;
  }
  return config;
}
