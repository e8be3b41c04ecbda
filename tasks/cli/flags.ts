/**
 * Flags of the command line, read by tables of settings: `batchSize` is `--batch-size`, with the type, range,
 * default and help of its {@linkcode Setting}. It reads and explains; it prints nothing and exits nowhere.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { nearest } from "./nearest.ts";
import { wrap } from "./terminal.ts";
import { configure, defaults, expectation, type Setting, type Settings } from "../../core/settings.ts";

/** The command line was wrong: the message names the flag, what was expected and what was found. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The flags of one table of settings, under one heading of the help. */
export interface FlagGroup<C> {
  readonly title: string;
  readonly settings: Settings<C>;
  /** What stands for a value in the help, by setting: `DIR` in `--run DIR`. */
  readonly placeholders?: { readonly [K in keyof C]?: string };
}

/** Groups by the name under which their values come back. */
export type FlagGroups = Readonly<Record<string, FlagGroup<unknown>>>;

/** Everything that can be said to a task. `--json` and `--help` are always there. */
export interface Flags<G extends FlagGroups = FlagGroups> {
  /** The task, as in `deno task <name>`. */
  readonly name: string;
  /** How it is called, if not by `deno task <name>`. */
  readonly usage?: string;
  /** One sentence: what the task does. */
  readonly summary: string;
  readonly groups: G;
  /** The setting that may be given first, without its flag: `deno task experiment beta`. */
  readonly first?: string;
  /** What else the help lists. */
  readonly list?: { readonly title: string; readonly rows: readonly (readonly [name: string, text: string])[] };
  /** Settings that this task has under other circumstances, and which: `beta` of "--model beta_vae". */
  readonly elsewhere?: ReadonlyMap<string, string>;
  /** Whole command lines. */
  readonly examples?: readonly string[];
}

/** What was said. */
export interface Parsed<G extends FlagGroups = FlagGroups> {
  /** Checked values with defaults filled in, by group. */
  readonly values: { readonly [K in keyof G]: G[K] extends FlagGroup<infer C> ? C : never };
  /** Names of the settings that were given on the command line: `batchSize`. */
  readonly given: ReadonlySet<string>;
  readonly json: boolean;
  readonly help: boolean;
}

interface General {
  json: boolean;
  help: boolean;
}

const general: FlagGroup<General> = {
  title: "General",
  settings: {
    json: { type: "boolean", default: false, help: "JSON Lines on stdout, and nothing else there" },
    help: { type: "boolean", default: false, help: "this text" },
  },
};

/** `batchSize` -> `--batch-size`. */
export function flagName(setting: string): string {
  return "--" + setting.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase());
}

/**
 * One flag's text without looking at the others: for a flag on which the other flags depend, as those of a model do
 * on `--model`. The full reading by {@linkcode parseFlags} then checks it.
 *
 * @param args The command line.
 * @param setting The name of the setting, `model`.
 * @returns The text given, or undefined.
 */
export function peekFlag(args: readonly string[], setting: string): string | undefined {
  const flag = flagName(setting);
  for (const [i, arg] of args.entries()) {
    if (arg === "--") return undefined;
    if (arg.startsWith(flag + "=")) return arg.slice(flag.length + 1) || undefined;
    if (arg === flag && args[i + 1] !== undefined && !args[i + 1].startsWith("-")) return args[i + 1];
  }
  return undefined;
}

/** Whether help is asked for: it wins over any mistake beside it. */
export function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === "--help" || arg === "-h");
}

/**
 * Reads a command line.
 *
 * `--flag value` and `--flag=value` are the same; a value may be a negative number. A boolean is `--flag`,
 * `--no-flag` or `--flag=false`. A list is `500,500`; `none` is the empty list. A list of texts may have spaces for commas, as a shell
 * writes `runs/*`.
 *
 * @throws {UsageError} If a flag is unknown, given twice, without a value or with one that does not fit, or if there is
 * an argument that is no flag.
 * @throws {TypeError} If two groups have a setting of one name (a mistake of the task, not of its user).
 */
export function parseFlags<G extends FlagGroups>(flags: Flags<G>, args: readonly string[]): Parsed<G> {
  const settings = allSettings(flags);
  const help = wantsHelp(args);
  args = withFirst(flags.first, args);
  const given = help ? new Map<string, unknown>() : read(settings, args, flags.elsewhere);
  const pick = <C>(group: FlagGroup<C>): C => {
    const entries = Object.keys(group.settings).filter((name) => given.has(name)).map((
      name,
    ) => [name, given.get(name)]);
    return { ...defaults(group.settings), ...Object.fromEntries(entries) };
  };
  return {
    values: Object.fromEntries(
      Object.entries(flags.groups).map(([name, group]) => [name, pick(group)]),
    ) as Parsed<G>["values"],
    given: new Set(given.keys()),
    json: pick(general).json,
    help,
  };
}

/** The command line with a flag before its first word. */
export function withFirst(setting: string | undefined, args: readonly string[]): readonly string[] {
  if (setting === undefined || args.length === 0 || args[0].startsWith("-")) return args;
  return [`${flagName(setting)}=${args[0]}`, ...args.slice(1)];
}

function allSettings(flags: Flags): Map<string, Setting<unknown>> {
  const all = new Map<string, Setting<unknown>>();
  for (const group of [...Object.values(flags.groups), general as FlagGroup<unknown>]) {
    for (const [name, setting] of Object.entries<Setting<unknown>>(group.settings)) {
      if (all.has(name)) throw new TypeError(`Cannot make ${flagName(name)} of two settings called "${name}"`);
      all.set(name, setting);
    }
  }
  return all;
}

/** The settings given, by name, as checked values. */
function read(
  settings: ReadonlyMap<string, Setting<unknown>>,
  args: readonly string[],
  elsewhere: Flags["elsewhere"] = new Map(),
): Map<string, unknown> {
  const names = new Map([...settings.keys()].map((name) => [flagName(name), name]));
  const keys = [...names.keys()].map((flag) => flag.slice(2));
  const found = parseArgs(joinValues(settings, names, args), {
    string: keys,
    collect: keys,
    unknown: (arg) => {
      if (!arg.startsWith("-")) throw new UsageError(`Unexpected argument "${arg}": every value follows a flag`);
      const flag = arg.split("=", 1)[0];
      const where = elsewhere.entries().find(([name]) => flagName(name) === flag)?.[1];
      if (where) throw new UsageError(`Unknown flag ${flag}: it is one of ${where}`);
      throw new UsageError(`Unknown flag ${flag}: the nearest known one is ${nearestFlag(flag, settings)}`);
    },
  });
  if (found._.length > 0) throw new UsageError(`Unexpected argument "${found._[0]}": every value follows a flag`);

  const values = new Map<string, unknown>();
  for (const [flag, name] of names) {
    const texts = found[flag.slice(2)] as string[];
    if (texts.length > 1) {
      throw new UsageError(`Cannot read ${flag}: expected it once, found ${texts.map(quote).join(" and ")}`);
    }
    if (texts.length === 1) values.set(name, readValue(flag, name, settings.get(name)!, texts[0]));
  }
  return values;
}

/**
 * Every known flag as `--flag=value`: parseArgs takes `-3` for a flag, and a flag without a value for an empty one.
 */
function joinValues(
  settings: ReadonlyMap<string, Setting<unknown>>,
  names: ReadonlyMap<string, string>,
  args: readonly string[],
): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "--") return [...joined, ...args.slice(i)];
    const positive = names.get(arg);
    const negative = names.get(arg.replace(/^--no-/, "--"));
    if (positive === undefined) {
      const negates = negative !== undefined && settings.get(negative)!.type === "boolean";
      joined.push(negates ? `${flagName(negative)}=false` : arg);
      continue;
    }
    const setting = settings.get(positive)!;
    const next = args[i + 1];
    if (setting.type === "boolean") {
      const isValue = next === "true" || next === "false";
      joined.push(`${arg}=${isValue ? next : "true"}`);
      if (isValue) i++;
    } else if (next === undefined || (next.startsWith("-") && Number.isNaN(Number.parseFloat(next)))) {
      throw new UsageError(`Cannot read ${arg}: expected ${expectation(setting)}, found nothing`);
    } else {
      const values = [next];
      i++;
      while (setting.type === "strings" && args[i + 1] !== undefined && !args[i + 1].startsWith("-")) {
        values.push(args[++i]);
      }
      joined.push(`${arg}=${values.join(",")}`);
    }
  }
  return joined;
}

/** The flag that was probably meant: one that goes on as it begins, one of its initials, or the nearest in letters. */
function nearestFlag(flag: string, settings: ReadonlyMap<string, Setting<unknown>>): string {
  const known = [...settings.keys()].map(flagName);
  const initials = (name: string) => name.slice(2).split("-").map((word) => word[0]).join("");
  return known.find((name) => flag.length > 3 && name.startsWith(flag)) ??
    known.find((name) => initials(name) === flag.replace(/^-+/, "")) ??
    nearest(flag, known);
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function toNumber(text: string): number {
  return decimal.test(text.trim()) ? Number(text) : NaN;
}

function readValue(flag: string, name: string, setting: Setting<unknown>, text: string): unknown {
  const value = {
    integer: () => toNumber(text),
    number: () => toNumber(text),
    integers: () => text === "none" ? [] : text.split(",").map(toNumber),
    numbers: () => text === "none" ? [] : text.split(",").map(toNumber),
    strings: () => text.split(","),
    boolean: () => text === "true" ? true : text === "false" ? false : undefined,
    choice: () => text,
    string: () => text || undefined,
  }[setting.type]();
  try {
    if (value === undefined) throw new RangeError("no such value");
    configure({ [name]: setting }, { [name]: value });
  } catch {
    throw new UsageError(`Cannot read ${flag}: expected ${expectation(setting, value)}, found ${quote(text)}`);
  }
  return value;
}

function quote(text: string): string {
  return text === "" ? "nothing" : JSON.stringify(text);
}

/**
 * The text of `--help`: usage, summary, every flag with its range and default, examples.
 *
 * @param flags The task's flags.
 * @param columns Width to fill.
 */
export function helpText(flags: Flags, columns = 100): string {
  const groups = [...Object.values(flags.groups), general as FlagGroup<unknown>]
    .filter((group) => Object.keys(group.settings).length > 0);
  const titled = groups.flatMap(underHeadings);
  const tables = titled.map(settingRows);
  const indent = 4 + Math.max(...tables.flatMap((rows) => rows.map(([left]) => left.length)));
  const first = flags.first ? ` [${flags.first}]` : "";
  const lines = [
    `Usage: ${flags.usage ?? `deno task ${flags.name}`}${first} [flags]`,
    "",
    ...wrap(flags.summary, columns),
  ];
  if (flags.list) lines.push("", flags.list.title, ...tableLines(flags.list.rows, columns));
  titled.forEach(({ title }, i) => lines.push("", title, ...tableLines(tables[i], columns, indent)));
  if (flags.examples?.length) lines.push("", "Examples", ...flags.examples.map((example) => "  " + example));
  return lines.join("\n") + "\n";
}

/** A group, and what of it has headings of its own. */
function underHeadings({ title, settings, placeholders }: FlagGroup<unknown>): FlagGroup<unknown>[] {
  const headed = Map.groupBy(Object.entries<Setting<unknown>>(settings), ([, { heading }]) => heading ?? title);
  const order = [title, ...headed.keys()].filter((each, i, all) => headed.has(each) && all.indexOf(each) === i);
  return order.map((each) => ({
    title: each,
    settings: Object.fromEntries(headed.get(each)!) as Settings<unknown>,
    ...placeholders ? { placeholders } : {},
  }));
}

/** The table of a group: `--latents N`, and what it is with its range and default. */
export function settingRows(group: FlagGroup<unknown>): (readonly [flag: string, help: string])[] {
  return Object.entries<Setting<unknown>>(group.settings).map(([name, setting]) => [
    heading(name, setting, (group.placeholders as Record<string, string> | undefined)?.[name]),
    `${setting.help}${details(setting)}`,
  ]);
}

/** Two columns of text: the second begins at `indent` and is wrapped to fit. */
export function tableLines(
  rows: readonly (readonly [left: string, right: string])[],
  columns: number,
  indent: number = 4 + Math.max(...rows.map(([left]) => left.length)),
): string[] {
  return rows.flatMap(([left, right]) => {
    const [first, ...others] = wrap(right, Math.max(30, columns - indent));
    return [("  " + left).padEnd(indent) + first, ...others.map((line) => " ".repeat(indent) + line)];
  });
}

function heading(name: string, setting: Setting<unknown>, placeholder?: string): string {
  const flag = flagName(name);
  if (setting.type === "boolean") return setting.default === true ? flag.replace("--", "--[no-]") : flag;
  const value = {
    integer: "N",
    number: "X",
    integers: "N,N,...",
    numbers: "X,X,...",
    strings: "TEXT ...",
    choice: "WORD",
    string: "TEXT",
  }[setting.type];
  return `${flag} ${placeholder ?? value}`;
}

/** ` (at least 1; default 20)`. */
function details(setting: Setting<unknown>): string {
  const { type, minimum, maximum, exclusiveMinimum, choices } = setting;
  const parts: string[] = [];
  if (type === "choice") parts.push(choices?.join(", ") ?? "");
  else if (minimum !== undefined && maximum !== undefined && !exclusiveMinimum) parts.push(`${minimum} to ${maximum}`);
  else {
    const low = minimum === undefined ? "" : `${exclusiveMinimum ? "above" : "at least"} ${minimum}`;
    parts.push([low, maximum === undefined ? "" : `at most ${maximum}`].filter(Boolean).join(", "));
  }
  const preset = setting.default;
  if (setting.byData) parts.push("default by the data");
  else if (Array.isArray(preset)) parts.push(`default ${preset.join(",") || "none"}`);
  else if (preset !== undefined && preset !== "" && preset !== false) parts.push(`default ${preset}`);
  const text = parts.filter(Boolean).join("; ");
  return text && ` (${text})`;
}
