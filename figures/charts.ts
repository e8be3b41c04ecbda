/**
 * Charts of plain numbers, with titles, axes and units: lines with bands of spread, points, bars, histograms. They know no model.
 *
 * @module
 */

import type { Figure, Words } from "./figure.ts";
import { CATEGORIES, classColours, type PlotSpecification, renderPlot } from "./plot.ts";

/** The words of a chart: axes are named with their unit, "epoch", "KL (nats)". */
export interface ChartWords extends Words {
  readonly x: string;
  readonly y: string;
}

/** Points of one colour, joined in the order given. */
export interface Series {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** Ends of the band around the line, such as a deviation or the spread over seeds. */
  readonly lower?: ArrayLike<number>;
  readonly upper?: ArrayLike<number>;
}

/** How axes run. */
export interface Scales {
  /** Logarithmic axes. */
  readonly logX?: boolean;
  readonly logY?: boolean;
}

/** Width and height of the frame of a chart, in pixels. */
const SIZE = { width: 560, height: 340 } as const;

async function chart(words: Words, specification: PlotSpecification): Promise<Figure> {
  const { name, title, caption } = words;
  const content = await renderPlot({ title, ...specification });
  return { name, title, caption, file: `${name}.svg`, content };
}

function requireEqual(name: string, what: string, expected: number, found: number): void {
  if (expected !== found) {
    throw new RangeError(`Cannot draw "${name}": expected ${expected} values of ${what}, found ${found}`);
  }
}

/** Numbers that can be drawn; others leave a gap. */
const finite = (value: number | undefined) => Number.isFinite(value) ? value : null;

const quantitative = (field: string, title: string, log = false) => ({
  field,
  type: "quantitative",
  title,
  scale: log ? { type: "log", nice: false } : { zero: false, nice: true },
});

/** The axis of whole numbers has no ticks between them. */
function axisOf(values: Iterable<number>): PlotSpecification {
  return [...values].every(Number.isInteger) ? { tickMinStep: 1, format: "~s" } : {};
}

/** One colour for each name, in the order in which the names are first given; one name needs no legend. */
function colours(names: readonly string[], palette = CATEGORIES): PlotSpecification {
  return {
    field: "series",
    type: "nominal",
    title: null,
    scale: { domain: names, range: names.map((_, i) => palette[i % palette.length]) },
    // As strong as a line, though the band has the same colour faintly.
    legend: names.length < 2 ? null : { symbolOpacity: 1 },
  };
}

/** The layers of {@linkcode linePlot}, without size: what a panel of several holds. */
export function lineLayers(
  name: string,
  series: readonly Series[],
  { x, y, logX, logY }: Scales & { readonly x: string; readonly y: string },
): PlotSpecification {
  const values = series.flatMap((one) => {
    requireEqual(name, `y of "${one.name}"`, one.x.length, one.y.length);
    for (const end of [one.lower, one.upper]) if (end) requireEqual(name, "a band's end", one.x.length, end.length);
    return Array.from(one.x, (x, i) => ({
      series: one.name,
      x,
      y: finite(one.y[i]),
      lower: finite(one.lower?.[i]),
      upper: finite(one.upper?.[i]),
    }));
  });
  const banded = series.some(({ lower, upper }) => lower && upper);
  // A point for each value where they are few; one value is no line.
  const point = Math.max(0, ...series.map(({ x }) => x.length)) <= 30 ? { size: 30, filled: true } : false;
  const names = [...new Set(series.map(({ name }) => name))];
  return {
    data: { values },
    encoding: {
      x: { ...quantitative("x", x, logX), axis: axisOf(values.map(({ x }) => x)) },
      color: colours(names),
    },
    layer: [
      ...(banded
        ? [{
          mark: { type: "area", opacity: 0.2, line: false },
          encoding: { y: quantitative("lower", y, logY), y2: { field: "upper" } },
        }]
        : []),
      { mark: { type: "line", point }, encoding: { y: quantitative("y", y, logY) } },
    ],
  };
}

/**
 * Lines of several named series over a common axis, with bands where a series has them.
 *
 * @throws {RangeError} If a series has more values of one kind than of another.
 */
export async function linePlot(
  { series, ...words }: ChartWords & Scales & { readonly series: readonly Series[] },
): Promise<Figure> {
  return await chart(words, { ...SIZE, ...lineLayers(words.name, series, words) });
}

/** Lines of one panel of {@linkcode panels}. */
export interface Panel extends Scales {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

/** Frames stand in line, whatever stands around them; a legend beside them would be far from most. */
const PANELS: PlotSpecification = {
  bounds: "flush",
  spacing: { row: 90, column: 90 },
  config: { legend: { orient: "top", labelFontSize: 13, offset: 18 } },
};

/** A panel's title as a mark: the library's own is lifted by an axis title that is estimated longer than the frame is high. */
const panelTitle = (text: string): PlotSpecification => ({
  data: { values: [{ text }] },
  mark: { type: "text", align: "left", baseline: "alphabetic", fontSize: 13, fontWeight: 600, color: "black" },
  encoding: { text: { field: "text" }, x: { value: 0 }, y: { value: -8 } },
});

/** Small line plots side by side, each with an axis of its own; a name has one colour in all of them. */
export async function panels(
  { panels, columns = 3, ...words }: Words & { readonly panels: readonly Panel[]; readonly columns?: number },
): Promise<Figure> {
  const names = [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))];
  return await chart(words, {
    columns,
    ...PANELS,
    concat: panels.map(({ title, series, ...axes }) => {
      const { encoding, ...lines } = lineLayers(words.name, series, axes);
      return {
        width: 260,
        height: 180,
        layer: [panelTitle(title), { ...lines, encoding: { ...(encoding as object), color: colours(names) } }],
      };
    }),
  });
}

/** Points of {@linkcode scatterPlot}. */
export interface ScatterPoints extends Scales {
  readonly points: {
    readonly x: ArrayLike<number>;
    readonly y: ArrayLike<number>;
    /** The class of each point; each class has a colour, an entry of the legend, and its name at the median of its points. */
    readonly classes?: ArrayLike<number | string>;
  };
  /** What the legend says above the classes. Default "label". */
  readonly legend?: string;
  /** One unit has one length on both axes. */
  readonly square?: boolean;
}

/**
 * A mark for each point, coloured by class.
 *
 * @throws {RangeError} If there are more of x than of y, or of classes.
 */
export async function scatterPlot(
  { points, legend = "label", square = false, logX, logY, ...words }: ChartWords & ScatterPoints,
): Promise<Figure> {
  const { x, y, classes } = points;
  requireEqual(words.name, "y", x.length, y.length);
  if (classes) requireEqual(words.name, "classes", x.length, classes.length);
  const names = classes
    ? [...new Set(Array.from(classes, String))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    : [];
  const values = Array.from(x, (x, i) => ({ x, y: y[i], series: classes ? String(classes[i]) : "" }))
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  const middles = names.map((series) => {
    const own = values.filter((value) => value.series === series);
    return { series, x: median(own.map(({ x }) => x)), y: median(own.map(({ y }) => y)) };
  });
  const scale = (values: number[]) => square ? { domain: squareDomain(values, all), nice: false } : {};
  const all = [values.map(({ x }) => x), values.map(({ y }) => y)];
  const axis = (field: string, title: string, log: boolean | undefined, values: number[]) => {
    const base = quantitative(field, title, log);
    return { ...base, scale: { ...base.scale, ...scale(values) }, axis: { tickCount: 8 } };
  };
  const encoding = { x: axis("x", words.x, logX, all[0]), y: axis("y", words.y, logY, all[1]) };
  return await chart(words, {
    ...(square ? { width: 480, height: 480 } : SIZE),
    encoding,
    layer: [
      {
        data: { values },
        mark: { type: "circle", size: values.length > 500 ? 14 : 40, opacity: values.length > 500 ? 0.65 : 0.8 },
        encoding: {
          color: classes
            ? { ...colours(names, classColours(names.length)), title: legend }
            // One colour for all: of a scale without names there is none.
            : { value: CATEGORIES[0] },
        },
      },
      // Twice, so that the name stands on a light ground.
      ...(names.length > 1
        ? [{ stroke: "white", strokeWidth: 4, strokeOpacity: 0.85 }, {}].map((halo) => ({
          data: { values: middles },
          mark: { type: "text", fontSize: 15, fontWeight: 700, color: "#111", ...halo },
          encoding: { text: { field: "series" } },
        }))
        : []),
    ],
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The values' middle and, on both sides, half the greatest range of any axis. */
function squareDomain(values: readonly number[], axes: readonly (readonly number[])[]): [number, number] {
  const ends = (values: readonly number[]) =>
    values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const half = Math.max(...axes.map(ends).map(([low, high]) => (high - low) / 2)) * 1.03 || 1;
  const [low, high] = ends(values);
  return [(low + high) / 2 - half, (low + high) / 2 + half];
}

/** Bars of {@linkcode barPlot}. */
export interface Bars {
  /** What stands under each bar. */
  readonly categories: readonly (string | number)[];
  readonly values: ArrayLike<number>;
  /** Half the length of the line over each bar, such as a standard deviation. */
  readonly spread?: ArrayLike<number>;
}

/**
 * A bar for each category, in the order given.
 *
 * @throws {RangeError} If there are more categories than values.
 */
export async function barPlot({ bars, ...words }: ChartWords & { readonly bars: Bars }): Promise<Figure> {
  const { categories, spread } = bars;
  requireEqual(words.name, "bars", categories.length, bars.values.length);
  if (spread) requireEqual(words.name, "spread", categories.length, spread.length);
  const values = categories.map((category, i) => {
    const value = bars.values[i];
    const error = spread?.[i] ?? 0;
    return { category: String(category), value: finite(value), low: value - error, high: value + error };
  });
  // Names under the bars for as long as they can be read.
  const every = Math.ceil(categories.length / 40);
  const longest = Math.max(...values.map(({ category }) => category.length));
  const shown = values.filter((_, i) => i % every === 0).map(({ category }) => category);
  const x = {
    field: "category",
    type: "nominal",
    sort: null,
    title: words.x,
    axis: {
      values: shown,
      labelAngle: longest * 7 * shown.length > SIZE.width ? -40 : 0,
      grid: false,
      // Widths are estimated, and too large.
      labelLimit: 340,
    },
  };
  return await chart(words, {
    ...SIZE,
    data: { values },
    encoding: { x },
    layer: [
      {
        mark: { type: "bar", color: CATEGORIES[0] },
        encoding: { y: { field: "value", type: "quantitative", title: words.y } },
      },
      ...(spread
        ? [{
          mark: { type: "rule", strokeWidth: 2, color: "#222" },
          encoding: { y: { field: "low", type: "quantitative", title: words.y }, y2: { field: "high" } },
        }]
        : []),
    ],
  });
}

/** Counts of values in intervals of equal width. */
export interface Histogram {
  /** [bins + 1], rising. */
  readonly edges: readonly number[];
  /** The share of all values in each interval divided by its width, [bins]: a density, which integrates to 1. */
  readonly density: readonly number[];
}

/**
 * Divides finite values into intervals.
 *
 * @param values Any; what is not finite, or outside the range, is left out of the intervals.
 * @param options Default: 40 intervals from the smallest value to the largest.
 * @throws {RangeError} If no value is finite.
 */
export function histogramOf(
  values: ArrayLike<number>,
  { bins = 40, range }: { readonly bins?: number; readonly range?: readonly [low: number, high: number] } = {},
): Histogram {
  const known = Array.from(values).filter(Number.isFinite);
  if (known.length === 0) throw new RangeError("Cannot make a histogram: expected finite values, found none");
  const [least, most] = range ??
    known.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const [low, high] = least < most ? [least, most] : [least - 0.5, least + 0.5];
  const width = (high - low) / bins;
  const density = new Array<number>(bins).fill(0);
  for (const value of known) {
    if (value < low || value > high) continue;
    density[Math.min(bins - 1, Math.floor((value - low) / width))] += 1 / known.length / width;
  }
  return { edges: Array.from({ length: bins + 1 }, (_, i) => low + i * width), density };
}

/** Named values that share the intervals of a histogram. */
export interface NamedValues {
  readonly name: string;
  readonly values: ArrayLike<number>;
}

/**
 * Histograms of one or several sets of values over common intervals, as densities, so that sets of different size can be compared.
 *
 * @param options `bins` intervals, default 40; `marks` are values to be shown by a line with its name.
 */
export async function histogramPlot(
  { sets, bins = 40, marks = [], ...words }: Omit<ChartWords, "y"> & {
    readonly sets: readonly NamedValues[];
    readonly bins?: number;
    readonly marks?: readonly { readonly name: string; readonly value: number }[];
  },
): Promise<Figure> {
  const all = sets.flatMap(({ values }) => Array.from(values));
  const { edges } = histogramOf(all, { bins });
  const range = [edges[0], edges[bins]] as const;
  const values = sets.flatMap(({ name, values }) =>
    histogramOf(values, { bins, range }).density.map((density, i) => ({
      series: name,
      from: edges[i],
      to: edges[i + 1],
      density,
    }))
  );
  return await chart(words, {
    ...SIZE,
    layer: [
      {
        data: { values },
        mark: { type: "bar", opacity: sets.length > 1 ? 0.55 : 0.9, binSpacing: 0 },
        encoding: {
          x: { ...quantitative("from", words.x), bin: { binned: true } },
          x2: { field: "to" },
          y: { field: "density", type: "quantitative", title: "density", stack: null },
          color: colours(sets.map(({ name }) => name)),
        },
      },
      ...(marks.length
        ? [
          { mark: { type: "rule", color: "#222", strokeDash: [5, 4] }, encoding: {} },
          {
            mark: { type: "text", align: "left", dx: 5, baseline: "top", fontSize: 12 },
            encoding: { y: { value: 2 }, text: { field: "name" } },
          },
        ].map(({ mark, encoding }) => ({
          mark,
          data: { values: marks },
          encoding: { ...encoding, x: { field: "value", type: "quantitative" } },
        }))
        : []),
    ],
  });
}

/** A histogram beside a density that it is held against; {@linkcode densityPanels} draws one of them for each name. */
export interface DensityPanel {
  readonly name: string;
  readonly values: ArrayLike<number>;
}

/**
 * Small histograms side by side, each under the same known density.
 *
 * @param options `density` of x, drawn from -range to range, and what both are called.
 */
export async function densityPanels(
  { panels, density, range, names, columns = 4, ...words }: ChartWords & {
    readonly panels: readonly DensityPanel[];
    readonly density: (x: number) => number;
    readonly range: number;
    readonly names: readonly [histogram: string, density: string];
    readonly columns?: number;
  },
): Promise<Figure> {
  const color = colours(names);
  const curve = Array.from({ length: 81 }, (_, i) => (i / 40 - 1) * range)
    .map((x) => ({ series: names[1], x, density: density(x) }));
  const y = { field: "density", type: "quantitative", title: words.y };
  return await chart(words, {
    columns,
    ...PANELS,
    concat: panels.map(({ name, values }) => {
      const { edges, density } = histogramOf(values, { bins: 32, range: [-range, range] });
      return {
        width: 150,
        height: 110,
        layer: [
          panelTitle(name),
          {
            data: {
              values: density.map((value, i) => ({
                series: names[0],
                from: edges[i],
                to: edges[i + 1],
                density: value,
              })),
            },
            mark: { type: "bar", opacity: 0.55, binSpacing: 0 },
            encoding: {
              x: { ...quantitative("from", words.x), bin: { binned: true } },
              x2: { field: "to" },
              y: { ...y, stack: null },
              color,
            },
          },
          { data: { values: curve }, mark: "line", encoding: { x: quantitative("x", words.x), y, color } },
        ],
      };
    }),
  });
}
