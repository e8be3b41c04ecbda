/**
 * Which rows a task that reads a run works on: the run's own, wherever they are now, or others of the same shape.
 *
 * @module
 */

import { type Dataset, type DatasetSource, slice, type Split, storedSplit } from "../../core/dataset.ts";
import { joinedRows, pickedRows } from "../../core/row_reader.ts";
import { differences, type Digest, digestOf, isOneFile } from "../../core/training/digest.ts";
import { type FlagGroup, UsageError } from "./flags.ts";
import { likeRun } from "./like_run.ts";
import type { Context } from "./run.ts";
import { type SplitName, SPLITS } from "./run_flags.ts";
import { dataChoice, datasetOf, loadData, namedDataset, type Run, sayData, splitOf } from "./run_folder.ts";

/** What a task is told of its data. */
export interface DataFlags {
  readonly dataset: string;
  readonly split: "auto" | SplitName | "all";
}

/** The flag of {@linkcode DataFlags} that names the data. */
export const datasetFlag = {
  type: "string",
  default: "",
  help: "where the run's data are now, or other data of the same shape: a name, or a path (default: where they were)",
} as const;

/** The flags of {@linkcode DataFlags}. */
export const dataFlags = {
  title: "Data",
  settings: {
    dataset: datasetFlag,
    split: {
      type: "choice",
      default: "auto",
      choices: ["auto", ...SPLITS, "all"],
      help: "which rows; auto: the test rows where data have such, all rows of new data in one file",
    },
  },
  placeholders: { dataset: "NAME" },
} as const satisfies FlagGroup<DataFlags>;

/** Data beside a run. */
export interface RunData {
  readonly dataset: Dataset;
  /** Whether they are those that the run was trained on. */
  readonly own: boolean;
}

/** Rows of them. */
export interface ChosenRows extends RunData {
  readonly rows: Split;
  readonly split: SplitName | "all";
  /** Which split each row is of, where the rows are of several. */
  readonly splits?: readonly string[];
  /** The rows to train on beside them, where the rows are none of these. */
  readonly training?: Split;
}

/**
 * The data of `--dataset`, or those of the run. Those of the run are recognized by the digest in its checkpoint, whatever they are called;
 * what else is there is new data.
 *
 * @param reading Settings that new data are read with, where their files know them.
 * @throws {UsageError} If there are none of that name.
 * @throws {Error} If they are of another shape.
 */
export async function runData(
  run: Run,
  dataset: string,
  { signal, print }: Context,
  reading: object = {},
): Promise<RunData> {
  const { data } = run.checkpoint;
  const source = dataset ? namedDataset(dataset) : undefined;
  if (!source || source.name === data.name) {
    const loaded = await datasetOf(run, signal);
    const differs = data.digest ? differences(data.digest, digestOf(loaded)) : [];
    if (!differs.length) return { dataset: loaded, own: true };
    print(`Other data: "${data.name}" is not what the run was trained on (${differs.join(", ")}); taken as new data`);
  }
  const from = source ?? namedDataset(data.name);
  const whole = likeRun(await loadNew(from, run, reading, signal), run, "missing" in reading);
  if (source && data.digest && rowsOf(digestOf(whole)) === rowsOf(data.digest)) {
    // As they were divided for the training: by its rows columns are standardized and missing cells filled in.
    const again = await loadData(from, knownChoice(from, run), signal).catch((error) => {
      // What cannot be read as the run's own were, for its missing cells say, are others.
      signal.throwIfAborted();
      if (!(error instanceof Error)) throw error;
    });
    if (again && !differences(data.digest, digestOf(again)).length) {
      print(`"${from.name}" holds the data that the run was trained on`);
      return { dataset: again, own: true };
    }
  }
  return { dataset: whole, own: false };
}

/** Rows of all parts. */
function rowsOf({ all, train, test }: Digest): number {
  return [all, train, test].reduce((sum, part) => sum + (part?.count ?? 0), 0);
}

/** The seed of a run and those of its data's settings that another source knows. */
export function knownChoice(
  source: DatasetSource,
  run: Run,
  more: object = {},
): { readonly seed: number; readonly settings: Record<string, unknown> } {
  const { seed, settings } = dataChoice(run.checkpoint);
  const all = { ...source.settingsFor?.(run.checkpoint.data.shape), ...settings, ...more };
  const known = Object.entries(all).filter(([name]) => name in (source.settings ?? {}));
  return { seed, settings: Object.fromEntries(known) as Record<string, unknown> };
}

/**
 * New data, whole, read as the run's own were: of a table the columns of their names, whatever else is there, with a column of labels or
 * without.
 */
async function loadNew(source: DatasetSource, run: Run, reading: object, signal: AbortSignal): Promise<Dataset> {
  const { columns } = run.checkpoint.data;
  const { seed, settings } = knownChoice(source, run, reading);
  const attempts = "columns" in settings
    ? [{ ...(columns ? { columns, dropColumn: [] } : {}) }, {
      labelColumn: "",
      dropColumn: [],
      ...(columns ? { columns } : {}),
    }, {
      labelColumn: "",
      dropColumn: [],
      columns: [],
    }]
    : [{}];
  for (const [i, attempt] of attempts.entries()) {
    try {
      return await loadData(source, { seed, settings: { ...settings, ...attempt }, undivided: true }, signal);
    } catch (error) {
      // A column of the run's table that new data do not have.
      if (!(error instanceof RangeError) || i === attempts.length - 1) throw error;
    }
  }
  throw new Error("There is no way to read data");
}

/**
 * The rows asked for. Of the run's own data as they were divided; of new data in one file all, in the file's order, where nothing else is
 * said; of new data that have test rows, these.
 */
export async function chosenRows(
  run: Run,
  { dataset, split }: DataFlags,
  context: Context,
  reading: object = {},
): Promise<ChosenRows> {
  const found = await runData(run, dataset, context, reading);
  const { own } = found;
  sayData(context, found.dataset, own ? run.checkpoint : undefined);
  const whole = found.dataset.train === found.dataset.test && !own;
  if (split === "validation" && !own) {
    throw new UsageError(
      "Cannot use --split validation: only the run's own data have such rows; expected test, train or all",
    );
  }
  const asked = split === "auto" ? whole ? "all" : "test" : split;
  if (asked !== "all") {
    const data = whole ? await divided(run, found.dataset, context) : found.dataset;
    const part = (name: SplitName) => own ? splitOf(data, run.checkpoint, name) : data[name as "test" | "train"];
    return {
      ...found,
      rows: part(asked),
      split: asked,
      ...(asked === "train" ? {} : { training: part("train") }),
    };
  }
  if (whole) return { ...found, rows: found.dataset.test, split: "all" };
  const names: SplitName[] = own && run.checkpoint.training.validation
    ? ["train", "validation", "test"]
    : ["train", "test"];
  const parts = names.map((name) => own ? splitOf(found.dataset, run.checkpoint, name) : found.dataset[name as "test"]);
  return { ...found, ...joined(parts, names, isOneFile(found.dataset)), split: "all" };
}

/** New data divided as training data would be. */
async function divided(run: Run, { name, settings }: Dataset, { signal }: Context): Promise<Dataset> {
  const { seed } = dataChoice(run.checkpoint);
  return likeRun(await loadData(namedDataset(name), { seed, settings: settings ?? {} }, signal), run);
}

/** All rows of some splits: in the order of the file, where they are of one, else one split after the other. */
function joined(
  parts: readonly Split[],
  names: readonly string[],
  oneFile: boolean,
): Pick<ChosenRows, "rows" | "splits"> {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const numbers = parts.flatMap((part) => Array.from({ length: part.count }, (_, i) => part.rowNumbers?.[i] ?? i));
  const order = Uint32Array.from(numbers.keys());
  if (oneFile && parts.every(({ rowNumbers }) => rowNumbers)) order.sort((a, b) => numbers[a] - numbers[b]);
  const all = <A extends Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(of: (part: Split) => A | undefined) => {
    const values = parts.map(of);
    if (!values.every((each) => each !== undefined)) return undefined;
    const width = values[0].length / parts[0].count;
    const places = parts.flatMap((part, p) => Array.from({ length: part.count }, (_, i) => [p, i] as const));
    const out = new (values[0].constructor as { new (length: number): A })(count * width);
    order.forEach((place, row) => {
      const [p, i] = places[place];
      out.set(values[p]!.subarray(i * width, (i + 1) * width), row * width);
    });
    return out;
  };
  const [labels, covariates, missing] = [
    all(({ labels }) => labels),
    all(({ covariates }) => covariates),
    all(({ missing }) => missing),
  ];
  const splits = parts.flatMap((part, p) => new Array<string>(part.count).fill(names[p]));
  const stored = parts.map((part) => part.stored).filter((reader) => reader !== undefined);
  const besides = {
    rowNumbers: Uint32Array.from(order, (place) => numbers[place]),
    ...(labels ? { labels } : {}),
    ...(covariates ? { covariates } : {}),
    ...(missing ? { missing } : {}),
  };
  return {
    rows: stored.length === parts.length
      ? storedSplit(pickedRows(joinedRows(stored), order), besides)
      : { count, values: all(({ values }) => values)!, ...besides },
    splits: Array.from(order, (place) => splits[place]),
  };
}

/** The first rows, as many as there are of so many. */
export function firstRows<R extends Pick<ChosenRows, "rows" | "splits">>(chosen: R, count: number): R {
  const { rows, splits } = chosen;
  if (count >= rows.count) return chosen;
  return { ...chosen, rows: slice(rows, 0, count), ...(splits ? { splits: splits.slice(0, count) } : {}) };
}
