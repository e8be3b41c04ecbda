/**
 * Many points of several settings, and what each came to: lines over parallel axes, and the values by each setting alone. They know no
 * model.
 *
 * @module
 */

import type { Figure, Words } from "./figure.ts";
import { renderPlot } from "./plot.ts";

/** One axis: a setting, and its value in each point. */
export interface Axis {
  readonly name: string;
  /** Numbers, or words; undefined where a point has none. */
  readonly values: readonly (number | string | undefined)[];
}

/** Points to be drawn. */
export interface ParallelPoints extends Words {
  readonly axes: readonly Axis[];
  /** What they came to, and what that is called; NaN for none. */
  readonly results: { readonly name: string; readonly values: ArrayLike<number> };
}

/** Where each value stands on its axis, from 0 to 1, and the words beside it. */
interface Placed {
  readonly at: readonly (number | undefined)[];
  readonly labels: readonly { readonly at: number; readonly text: string }[];
  readonly log: boolean;
}

const short = (value: number) => Number(value.toPrecision(4)).toString();

/** Numbers that span a factor of 30 lie on a logarithmic axis. */
function place(values: Axis["values"]): Placed {
  const known = values.filter((value) => value !== undefined);
  const numbers = known.filter((value) => typeof value === "number");
  if (numbers.length < known.length) {
    const words = [...new Set(known.map(String))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const at = (word: string) => words.length < 2 ? 0.5 : words.indexOf(word) / (words.length - 1);
    return {
      at: values.map((value) => value === undefined ? undefined : at(String(value))),
      labels: words.map((text) => ({ at: at(text), text })),
      log: false,
    };
  }
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const log = least > 0 && most / least >= 30;
  const scale = log ? Math.log : (value: number) => value;
  const at = (value: number) => most === least ? 0.5 : (scale(value) - scale(least)) / (scale(most) - scale(least));
  const distinct = [...new Set(numbers)].sort((a, b) => a - b);
  const shown = distinct.length <= 6 ? distinct : [least, most];
  return {
    at: values.map((value) => value === undefined ? undefined : at(value as number)),
    labels: shown.map((value) => ({ at: at(value), text: short(value) })),
    log,
  };
}

/** A line for each point through its place on the axis of every setting, to what it came to. */
export async function parallelCoordinates({ axes, results, ...words }: ParallelPoints): Promise<Figure> {
  const values = Array.from(results.values);
  const all = [...axes, {
    name: results.name,
    values: values.map((value) => Number.isFinite(value) ? value : undefined),
  }];
  const placed = all.map(({ values }) => place(values));
  const lines = values.flatMap((value, point) =>
    Number.isFinite(value)
      ? all.flatMap(({ name }, i) => {
        const at = placed[i].at[point];
        return at === undefined ? [] : [{ point, axis: name, at, value }];
      })
      : []
  );
  const labels = placed.flatMap(({ labels }, i) => labels.map((label) => ({ axis: all[i].name, ...label })));
  const x = {
    field: "axis",
    type: "nominal",
    sort: all.map(({ name }) => name),
    axis: { title: null, labelAngle: 0, grid: true, orient: "top", domain: false, ticks: false, labelFontSize: 13 },
  };
  const y = { field: "at", type: "quantitative", axis: null, scale: { domain: [-0.05, 1.05], nice: false } };
  const content = await renderPlot({
    title: words.title,
    width: Math.max(420, 130 * all.length),
    height: 320,
    layer: [
      {
        data: { values: lines },
        mark: { type: "line", opacity: 0.75, strokeWidth: 1.5 },
        encoding: {
          ...{ x, y, detail: { field: "point", type: "nominal" } },
          color: { field: "value", type: "quantitative", title: results.name, scale: { scheme: "viridis" } },
        },
      },
      {
        data: { values: labels },
        mark: { type: "text", align: "left", dx: 6, fontSize: 11, stroke: "white", strokeWidth: 3 },
        encoding: { x, y, text: { field: "text" } },
      },
      {
        data: { values: labels },
        mark: { type: "text", align: "left", dx: 6, fontSize: 11 },
        encoding: { x, y, text: { field: "text" } },
      },
    ],
  });
  return { ...words, file: `${words.name}.svg`, content };
}

/** For each setting a panel: what all points came to, by their value of it. */
export async function marginals({ axes, results, ...words }: ParallelPoints): Promise<Figure> {
  const panel = ({ name, values }: Axis) => {
    const numeric = values.every((value) => value === undefined || typeof value === "number");
    const points = values.flatMap((x, i) =>
      x !== undefined && Number.isFinite(results.values[i]) ? [{ x, y: results.values[i] }] : []
    );
    const scale = place(values).log ? { type: "log", nice: false, padding: 12 } : { zero: false, padding: 12 };
    return {
      width: 220,
      height: 180,
      data: { values: points },
      mark: { type: "point", filled: true, size: 40, opacity: 0.7 },
      encoding: {
        x: numeric
          ? { field: "x", type: "quantitative", title: name, scale }
          : { field: "x", type: "nominal", title: name, axis: { labelAngle: 0 } },
        y: { field: "y", type: "quantitative", title: results.name, scale: { zero: false } },
      },
    };
  };
  const content = await renderPlot({
    title: words.title,
    columns: 3,
    spacing: { row: 50, column: 60 },
    concat: axes.map(panel),
  });
  return { ...words, file: `${words.name}.svg`, content };
}
