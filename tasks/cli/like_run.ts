/**
 * Data as the model of a run takes them: what columns, numbers and labels mean was settled in its training.
 *
 * @module
 */

import {
  classOf,
  type Dataset,
  features,
  type Scaling,
  type Split,
  typeOf,
  valuePieces,
  withBesides,
  withValues,
} from "../../core/dataset.ts";
import type { RowArray } from "../../core/row_reader.ts";
import type { ValueSummary } from "../../core/values.ts";
import type { StoredRun } from "../../storage/run_folder.ts";
import type { NamedModel } from "./model_module.ts";

/**
 * Other data as the run's model takes them: the columns in its order, on its scale, with its classes.
 *
 * @param mayLack Whether columns may be lacking: they are missing in each row then.
 * @throws {Error} If they do not have what it takes.
 */
export function likeRun(
  dataset: Dataset,
  { checkpoint, model }: Pick<StoredRun & NamedModel, "checkpoint" | "model">,
  mayLack = false,
): Dataset {
  const { data, config, file } = checkpoint;
  const fail = (message: string): never => {
    throw new Error(`Cannot use "${dataset.name}" with "${file}": ${message}`);
  };
  let [train, test] = [dataset.train, dataset.test];
  const change = (to: (split: Split) => Split) =>
    [train, test] = train === test ? bothOf(to(train)) : [to(train), to(test)];
  const { columns } = data;
  let { scaling } = dataset;
  if (columns && dataset.columns && columns.join("\n") !== dataset.columns.join("\n")) {
    const places = columns.map((name) => dataset.columns!.indexOf(name));
    const lacking = columns.filter((_, i) => places[i] < 0);
    if (lacking.length && (!mayLack || lacking.length === columns.length)) {
      fail(`expected the columns ${columns.join(", ")}; ${lacking.join(", ")} is not there`);
    }
    const { mean = [], deviation = [] } = dataset.scaling ?? {};
    scaling = dataset.scaling && {
      mean: places.map((place, i) => place < 0 ? data.scaling?.mean[i] ?? 0 : mean[place]),
      deviation: places.map((place) => place < 0 ? 1 : deviation[place]),
    };
    change((split) => withColumns(split, places, dataset.columns!.length));
  } else if (dataset.shape.join() !== data.shape.join()) {
    fail(`expected data of [${data.shape}], found [${dataset.shape}]`);
  }
  const { range } = data;
  if (range) change((split) => typedAs(split, range, features(data.shape)));
  if (data.scaling) change((split) => scaledAs(split, scaling, data.scaling!));
  const kind = model.condition?.(config);
  const [theirs, ours] = [dataset.classNames, data.classNames];
  if (kind && kind !== "covariates" && theirs && ours && theirs.join("\n") !== ours.join("\n")) {
    const labels = theirs.map((name) =>
      ours.includes(name) ? classOf(name, data) : fail(`its class ${name} is none of the run's`)
    );
    change((split) =>
      split.labels ? withBesides(split, { labels: split.labels.map((label) => labels[label]) }) : split
    );
    dataset = { ...dataset, classNames: ours, classes: data.classes };
  }
  return {
    ...{ ...dataset, shape: data.shape, train, test },
    ...(dataset.columns && columns ? { columns } : {}),
    ...(data.scaling ? { scaling: data.scaling } : {}),
  };
}

/**
 * Whole numbers as what they were in training: what they mean is told there by all of them, and a few new rows may not show it.
 */
function typedAs(split: Split, { type, maximum }: ValueSummary, columns: number): Split {
  const apply = (rows: RowArray, out: RowArray) => out.set(rows);
  if (type === "floats") {
    return maximum > 1 && typeOf(split) === "u8" ? withValues(split, { type: "f32", columns, apply }) : split;
  }
  if (typeOf(split) === "u8") return split;
  let largest = 0;
  for (const values of valuePieces(split)) {
    for (const value of values) {
      if (!Number.isInteger(value) || value < 0 || value > 255) return split;
      largest = Math.max(largest, value);
    }
  }
  return largest > 1 ? withValues(split, { type: "u8", columns, apply }) : split;
}

const bothOf = (split: Split): [Split, Split] => [split, split];

/** The columns at some places; those at -1 are missing. */
function withColumns(split: Split, places: readonly number[], width: number): Split {
  const columns = places.length;
  const pick = (without: number) => (rows: RowArray, out: RowArray) => {
    for (let i = 0; i < out.length; i++) {
      const place = places[i % columns];
      out[i] = place < 0 ? without : rows[Math.floor(i / columns) * width + place];
    }
  };
  const found = withValues(split, { type: typeOf(split), columns, apply: pick(0) });
  if (!split.missing && !places.includes(-1)) return found;
  const missing = new Uint8Array(split.count * columns);
  pick(1)(split.missing ?? new Uint8Array(split.count * width), missing);
  return withBesides(found, { missing });
}

/** (x - mean) / deviation of the run, of numbers that were standardized by statistics of their own, or not at all. */
function scaledAs(split: Split, was: Scaling | undefined, scaling: Scaling): Split {
  const width = scaling.mean.length;
  const same = was &&
    [...was.mean, ...was.deviation].every((value, i) => value === [...scaling.mean, ...scaling.deviation][i]);
  if (same) return split;
  const apply = (rows: RowArray, out: RowArray) => {
    for (let i = 0; i < rows.length; i++) {
      const column = i % width;
      const number = was ? rows[i] * was.deviation[column] + was.mean[column] : rows[i];
      out[i] = (number - scaling.mean[column]) / scaling.deviation[column];
    }
  };
  return withValues(split, { type: "f32", columns: width, apply });
}
