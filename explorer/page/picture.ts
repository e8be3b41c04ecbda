/**
 * Data as one looks at them: images as tiles of a canvas; rows of a table as rows, under the names of their columns and in their own units,
 * with a bar behind each number.
 *
 * @module
 */

import type { DataShape } from "../../core/dataset.ts";
import { isTable } from "../../core/description.ts";
import { element, labelled } from "./elements.ts";
import { tiles } from "./pixels.ts";

/** What must be known of data to show them. */
export type Shape = Pick<DataShape, "shape" | "columns" | "scaling">;

/** The name of a column of a table. */
export function columnName({ columns }: Shape, column: number): string {
  return columns?.[column] ?? `column ${column + 1}`;
}

/** A number of a column as it was before columns were standardized. */
export function unscaled({ scaling }: Shape, column: number, value: number): number {
  return scaling ? value * scaling.deviation[column] + scaling.mean[column] : value;
}

/** How {@linkcode Picture.show} shows. */
export interface Showing {
  /** Images in a row. */
  readonly perRow: number;
  /** Pixels between images. */
  readonly gap?: number;
  /** What each row of a table is called. */
  readonly name?: (row: number) => string;
}

/** A place for data on the page, hidden until there are any. */
export interface Picture {
  readonly host: HTMLElement;
  /** Shows rows [N, D]. */
  show(x: Float32Array, showing: Showing): void;
}

/** What the rows are called where each datum stands before its reconstruction. */
export const pairName = (row: number) => row % 2 ? "its reconstruction" : `datum ${row / 2 + 1}`;

/** Makes a place for data of a shape, under a label. */
export function picture(data: Shape, label: string): Picture {
  if (!isTable(data.shape)) {
    const canvas = element("canvas", { className: "pixels" });
    const host = labelled(canvas, label);
    host.hidden = true;
    return {
      host,
      show(x, { perRow, gap }) {
        tiles(canvas, x, data.shape, perRow, gap);
        host.hidden = false;
      },
    };
  }
  const body = element("div", { className: "rows", tabIndex: 0, role: "region", "aria-label": label });
  const host = element("figure", { hidden: true }, body, element("figcaption", {}, label));
  return {
    host,
    show(x, { name = (row) => String(row + 1) }) {
      body.replaceChildren(rowsTable(data, x, name));
      host.hidden = false;
    },
  };
}

function rowsTable(data: Shape, x: Float32Array, name: (row: number) => string): HTMLTableElement {
  const [, width] = data.shape;
  const count = x.length / width;
  const columns = Array.from({ length: width }, (_, column) => {
    const values = Array.from({ length: count }, (_, row) => unscaled(data, column, x[row * width + column]));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return { values, part: (value: number) => high > low ? (value - low) / (high - low) : 0 };
  });
  const cell = (column: number, row: number) => {
    const { values, part } = columns[column];
    const made = element("td", {}, String(Number(values[row].toPrecision(4))));
    made.style.setProperty("--part", `${(100 * part(values[row])).toFixed(1)}%`);
    return made;
  };
  const heading = (text: string, scope: string) => element("th", { scope }, text);
  const indices = columns.map((_, column) => column);
  return element(
    "table",
    {},
    element(
      "thead",
      {},
      element("tr", {}, element("td"), ...indices.map((column) => heading(columnName(data, column), "col"))),
    ),
    element(
      "tbody",
      {},
      ...Array.from(
        { length: count },
        (_, row) => element("tr", {}, heading(name(row), "row"), ...indices.map((column) => cell(column, row))),
      ),
    ),
  );
}
