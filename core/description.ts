/**
 * What was read, in one place: how many rows of what, which classes and columns, what was passed over. As data for events, `config.json`
 * and reports, and as the line that tasks begin with.
 *
 * @module
 */

import type { Dataset, Reading } from "./dataset.ts";
import { plural } from "./plural.ts";
import { describeValues, summarizeValues, type ValueSummary } from "./values.ts";

/** What a training or a measure is of. */
export interface DataSummary extends Reading {
  /** How many. */
  readonly rows: { readonly training: number; readonly validation: number; readonly test: number };
  /** [height, width, channels] */
  readonly shape: Dataset["shape"];
  /** What the values are, and from where to where. */
  readonly range: ValueSummary;
  /** Number of classes. */
  readonly classes?: number;
  /** Their names. */
  readonly classNames?: readonly string[];
  /** Names of the columns of a table. */
  readonly columns?: readonly string[];
  /** Whether the columns of a table were standardized: the range is that of the standardized ones. */
  readonly standardized?: boolean;
  /** Names of the covariates. */
  readonly covariates?: readonly string[];
}

/**
 * Describes a dataset.
 *
 * @param training The first of its training rows that are trained on; those after them validate.
 * @param range What its values are, where that is known already.
 */
export function describeData(
  dataset: Dataset,
  training: number,
  validation: number,
  range: ValueSummary = summarizeValues(dataset.train, dataset.test),
): DataSummary {
  const { shape, classes, classNames, columns, scaling, covariates, reading, test } = dataset;
  return {
    rows: { training, validation, test: test.count },
    shape,
    range,
    ...(classes ? { classes } : {}),
    ...(classNames ? { classNames } : {}),
    ...(columns ? { columns } : {}),
    ...(scaling ? { standardized: true } : {}),
    ...(covariates?.length ? { covariates } : {}),
    ...reading,
  };
}

/** Names that a line can hold. */
const FEW = 12;

/** `red, green, blue`, or the first and the last of many. */
function listed(names: readonly string[]): string {
  return names.length <= FEW ? names.join(", ") : `${names.slice(0, FEW - 2).join(", ")}, ..., ${names.at(-1)}`;
}

/** Whether data of a shape are a table: nothing that can be drawn. */
export function isTable([height, width]: Dataset["shape"]): boolean {
  return height === 1 || width === 1;
}

/** `28 x 28 grey`, `13 columns`. */
function describeShape([height, width, channels]: Dataset["shape"]): string {
  if (height === 1 && channels === 1) return plural(width, "column");
  return `${height} x ${width} ${channels === 1 ? "grey" : channels === 3 ? "colour" : `x ${channels}`}`;
}

/** `Data: 200 rows to train on, 40 to validate, 40 to test; 4 x 4 grey, bytes from 0 to 255; 2 classes (cat, dog)`; `40 rows` of new data. */
export function dataLine(summary: DataSummary): string {
  const { rows, shape, range, classes, classNames, columns, standardized, covariates } = summary;
  const { values, labels, passedOver, remarks } = summary;
  const number = (count: number) => count.toLocaleString("en-US");
  const names = classNames?.some((name, i) => name !== String(i)) ? listed(classNames) : undefined;
  const from = labels && labels !== "label" ? ` from ${labels}` : "";
  const parts = [
    rows.training
      ? `${plural(rows.training, "row")} to train on, ${number(rows.validation)} to validate, ${
        number(rows.test)
      } to test`
      : plural(rows.test, "row"),
    `${describeShape(shape)}${columns ? ` (${listed(columns)})` : ""}, ${describeValues(range)}${
      standardized ? ", standardized" : ""
    }`,
    values && !columns ? `from ${listed(values)}` : "",
    classes ? `${number(classes)} ${classes === 1 ? "class" : "classes"}${names ? ` (${names})` : ""}${from}` : "",
    covariates ? `${plural(covariates.length, "covariate")} (${listed(covariates)})` : "",
    passedOver?.length ? `passed over: ${passedOver.map(({ name, why }) => `${name} (${why})`).join(", ")}` : "",
    ...remarks ?? [],
  ];
  return `Data: ${parts.filter(Boolean).join("; ")}`;
}
