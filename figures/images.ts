/**
 * Figures of images that a trained model decodes: samples, reconstructions, and walks through its latent space. They ask the model's
 * contract for what they need, never for its name.
 *
 * @module
 */

import type { ConditionOptions } from "../core/training/batch.ts";
import { className, pick, slice, type Split } from "../core/dataset.ts";
import { plural } from "../core/plural.ts";
import { normals } from "../core/graph/random.ts";
import { QUANTILES, type SampleOptions } from "../core/training/sampling.ts";
import type { Trained } from "../core/training/trained.ts";
import type { Figure } from "./figure.ts";
import { imageGrid, pairGrid } from "./grid.ts";
import { gridFigure, labelledGrid } from "./labelled_grid.ts";
import { dimensionName, dimensionsByInformation, type Encodings } from "./latents.ts";
import { normalQuantile } from "./normal.ts";

/** Images in a row of samples. */
export const COLUMNS = 10;

/** Pairs of an image and its reconstruction. */
export const PAIRS = 50;

/** Whether data of this shape are images that can be drawn. */
export function isImage([height, width, channels]: Trained["data"]["shape"]): boolean {
  return height > 1 && width > 1 && (channels === 1 || channels === 3);
}

/** How large pixels are drawn where images stand under names: an image is 40 to 80 pixels wide, unless it is larger itself. */
export function layout(trained: Trained, columns: number, gap = 2) {
  const { shape } = trained.data;
  return { shape, columns, gap, scale: Math.max(1, Math.floor(80 / Math.max(shape[0], shape[1]))) };
}

/** Images from black, 0, to white, 1: numbers of another range from the smallest to the largest that the model was trained on. */
export function asPixels({ data: { range } }: Pick<Trained, "data">, images: Float32Array): Float32Array {
  if (range?.kind !== "real" || range.maximum <= range.minimum) return images;
  const { minimum, maximum } = range;
  return images.map((value) => (value - minimum) / (maximum - minimum));
}

/** The first rows of a split, with what is known of them besides. */
function firstRows(trained: Trained, split: Split, count: number) {
  const part = slice(split, 0, Math.min(count, split.count));
  return { rows: trained.rowsOf(part), count: part.count, part };
}

/** What is known of some rows of a split besides their values, in that order. */
function conditionAt({ labels, covariates, count }: Split, indices: readonly number[]): ConditionOptions {
  const width = (covariates?.length ?? 0) / count;
  return {
    ...(labels ? { labels: indices.map((i) => labels[i]) } : {}),
    ...(covariates ? { covariates: indices.flatMap((i) => [...covariates.subarray(i * width, (i + 1) * width)]) } : {}),
  };
}

/** Row `i` for each of `each` images, then the next. */
const repeatedRows = (count: number, each: number) =>
  Array.from({ length: count * each }, (_, i) => Math.floor(i / each));

/** What stands for all rows of a figure of a conditional model: that of the first row of a split. */
function sameFor(trained: Trained, split: Split, rows: number): ConditionOptions {
  return isConditional(trained) ? conditionAt(split, new Array<number>(rows).fill(0)) : {};
}

/** `, label 3`, or the covariates, of that row, for conditional models. */
function sameName(trained: Trained, split: Split): string {
  if (!isConditional(trained)) return "";
  const { labels = [], covariates = [] } = conditionAt(split, [0]);
  const names = trained.data.covariates ?? [];
  const byCovariates = trained.model.condition?.(trained.config) === "covariates";
  return byCovariates
    ? `, ${names.map((name, i) => `${name} ${Number(covariates[i].toFixed(2))}`).join(", ")}`
    : `, label ${className(labels[0], trained.data)}`;
}

/** Whether the model is told the label of a datum. */
export function isLabelled({ model, config }: Trained): boolean {
  return ["one-hot", "raw"].includes(model.condition?.(config) ?? "");
}

/** Whether the model is told more than the data. */
export function isConditional({ model, config }: Trained): boolean {
  return model.condition?.(config) !== undefined;
}

/** What the classes are called, in their order. */
function classNamesOf({ data: { classes = 0, ...data } }: Trained): readonly string[] {
  return Array.from({ length: classes }, (_, label) => className(label, data));
}

/** A picture of images alone, or with words around it. */
export interface Framing {
  /** With its title and the names of rows and columns, as SVG. Default: the images alone, as PNG. */
  readonly framed?: boolean;
}

/** Images drawn from the prior. */
export async function samples(
  trained: Trained,
  { columns = COLUMNS, temperature = 1, framed = false, ...options }:
    & SampleOptions
    & Framing
    & { readonly columns?: number } = {},
): Promise<Figure> {
  const images = await trained.sample({ ...options, temperature });
  const { shape } = trained.data;
  const byLabel = isLabelled(trained);
  const names = classNamesOf(trained);
  const given = Array.from(options.labels ?? [], (label) => names[label]);
  // The classes in turn, one a column where they fill a row.
  const inTurn = byLabel && !given.length && options.draw !== "quantiles";
  const heads = inTurn && columns % names.length === 0
    ? Array.from({ length: columns }, (_, i) => names[i % names.length])
    : [];
  const classes = !byLabel
    ? ""
    : given.length
    ? `; ${plural(new Set(given).size, "class", "classes", false)} ${[...new Set(given)].join(", ")}`
    : `; the classes in turn: ${names.join(", ")}`;
  const held = options.held
    ? `; each ${options.held.rows} in turn share the levels of latents from ${options.held.from} up`
    : "";
  const words = {
    name: "samples",
    title: byLabel && given.length ? `Samples of ${[...new Set(given)].join(", ")}` : "Samples",
    caption: `${options.draw === "sample" ? "Draws from" : "Means of"} p(x | z), z drawn from ${
      options.prior?.name ?? "the prior"
    }${temperature === 1 ? "" : `, temperature ${temperature}`}${held}${classes}.`,
  };
  if (!framed) return gridFigure(words, imageGrid(asPixels(trained, images), { shape, columns }));
  const widest = Math.max(80, ...heads.map((name) => 10 + 8 * name.length));
  const scale = Math.max(1, Math.floor((heads.length ? widest : 60) / shape[1]));
  return labelledGrid(words, imageGrid(asPixels(trained, images), { shape, columns, scale }), { columns: heads });
}

/** The first rows of a split as the model was given them. */
export function dataRows(
  trained: Trained,
  split: Split,
  { count = PAIRS, columns = COLUMNS } = {},
): Figure {
  const { rows, count: shown } = firstRows(trained, split, count);
  const words = { name: "data", title: "Data", caption: `The first ${shown} rows.` };
  const { shape } = trained.data;
  return gridFigure(words, imageGrid(asPixels(trained, rows), { shape, columns }));
}

/** The first rows of one class. */
export function rowsOfLabel(split: Split, label: number, most = 2000): Split {
  const places = Array.from({ length: split.count }, (_, i) => i).filter((i) => split.labels?.[i] === label);
  return pick(split, places.slice(0, most));
}

/** The first rows of a split, each above its reconstruction. */
export async function reconstructions(
  trained: Trained,
  split: Split,
  { count = PAIRS, framed = false }: Framing & { readonly count?: number } = {},
): Promise<Figure> {
  const { rows, part, count: shown } = firstRows(trained, split, count);
  const words = {
    name: "reconstructions",
    title: "Reconstructions",
    caption: `${shown} data, each above the decoder's mean at the encoder's mean.`,
  };
  const again = await trained.reconstruct(rows, part);
  const { shape } = trained.data;
  if (!framed) return gridFigure(words, pairGrid(asPixels(trained, rows), asPixels(trained, again), { shape }));
  const grid = pairGrid(asPixels(trained, rows), asPixels(trained, again), {
    shape,
    scale: Math.max(1, Math.floor(60 / shape[1])),
  });
  return labelledGrid(words, grid, {
    rows: Array.from({ length: Math.ceil(shown / COLUMNS) }, () => ["data", "reconstruction"]).flat(),
  });
}

/**
 * Each datum, its reconstruction, and what lies around it: z = μ(x) + noise · ε
 *
 * @param options `count` data, a row each, with `neighbours` draws of the given standard deviation.
 */
export async function neighbourhoods(
  trained: Trained,
  split: Split,
  { count = 8, neighbours = 8, noise = 0.1, seed = 0 } = {},
): Promise<Figure> {
  const { rows, part, count: shown } = firstRows(trained, split, count);
  const [k, d, each] = [trained.latents, trained.features, neighbours + 1];
  const { mean } = await trained.encode(rows, part);
  const epsilon = normals(new Float32Array(shown * each * k), seed, 0, 3);
  // The first of each row is the encoding itself.
  const z = epsilon.map((value, i) => {
    const [row, at] = [Math.floor(i / k / each), Math.floor(i / k) % each];
    return mean[row * k + i % k] + (at === 0 ? 0 : noise * value);
  });
  const decoded = await trained.decode(z, conditionAt(part, repeatedRows(shown, each)));
  const images = new Float32Array(shown * (each + 1) * d);
  for (let row = 0; row < shown; row++) {
    images.set(rows.subarray(row * d, (row + 1) * d), row * (each + 1) * d);
    images.set(decoded.subarray(row * each * d, (row + 1) * each * d), (row * (each + 1) + 1) * d);
  }
  return labelledGrid(
    {
      name: "neighbourhoods",
      title: "Around the encodings of data",
      caption: `A datum x, the decoder's mean at its encoding μ, and at μ + ${noise} ε with ε ~ N(0, I).`,
    },
    imageGrid(asPixels(trained, images), layout(trained, each + 1)),
    { columns: ["x", "μ", ...Array.from({ length: neighbours }, () => `μ + ${noise} ε`)] },
  );
}

/** How {@linkcode manifold} spaces its points. */
export type ManifoldSpacing = "quantiles" | "linear";

/** z along an axis of the manifold: Φ⁻¹((i + ½) / n), or evenly from -3 to 3. */
export function manifoldAxis(size: number, spacing: ManifoldSpacing): readonly number[] {
  return Array.from(
    { length: size },
    (_, i) => spacing === "quantiles" ? normalQuantile((i + 0.5) / size) : size === 1 ? 0 : -3 + 6 * i / (size - 1),
  );
}

/**
 * What the decoder makes of a grid over two latent dimensions, the others 0: the first dimension runs to the right, the second up.
 *
 * Source: Kingma and Welling, arXiv:1312.6114, figure 4 (quantiles).
 *
 * @param options `dimensions` are the two, from 0; a conditional model is told what the first row of the split is.
 */
export async function manifold(
  trained: Trained,
  split: Split,
  { dimensions = [0, 1], size = 20, spacing = "quantiles" }: {
    readonly dimensions?: readonly [number, number];
    readonly size?: number;
    readonly spacing?: ManifoldSpacing;
  } = {},
): Promise<Figure> {
  const { latents } = trained;
  const [right, up] = dimensions;
  const axis = manifoldAxis(size, spacing);
  const z = new Float32Array(size * size * latents);
  for (let i = 0; i < size * size; i++) {
    z[i * latents + right] = axis[i % size];
    z[i * latents + up] = axis[size - 1 - Math.floor(i / size)];
  }
  const images = await trained.decode(z, sameFor(trained, split, size * size));
  const { shape } = trained.data;
  const scale = Math.max(1, Math.floor(800 / size / Math.max(shape[0], shape[1])));
  const names = axis.map((value) => value.toFixed(1));
  return labelledGrid(
    {
      name: spacing === "linear" ? "manifold-linear" : "manifold",
      title: `Latent plane${sameName(trained, split)}`,
      caption: `The decoder's mean over ${dimensionName(right)} and ${dimensionName(up)}, ` +
        (spacing === "quantiles" ? "at equal steps of the prior's probability" : "evenly spaced") +
        (latents > 2 ? `; the other ${latents - 2} dimensions are 0.` : "."),
    },
    imageGrid(asPixels(trained, images), { shape, columns: size, gap: 0, scale }),
    { columns: names, rows: names.toReversed(), x: dimensionName(right), y: dimensionName(up) },
  );
}

/** Pairs of rows of different classes, or of one class; where there are no classes, of neighbours. */
function pairsOf(
  labels: ArrayLike<number> | undefined,
  count: number,
  pairs: number,
  same: boolean,
): [number, number][] {
  const found: [number, number][] = [];
  const used = new Set<number>();
  for (let first = 0; first < count && found.length < pairs; first++) {
    if (used.has(first)) continue;
    for (let second = first + 1; second < count; second++) {
      if (used.has(second) || (labels && (labels[first] === labels[second]) !== same)) continue;
      found.push([first, second]);
      used.add(first).add(second);
      break;
    }
  }
  return found;
}

/** Rows [from.length / D · steps, D] that go in equal steps from each row to that of the other array. */
export function interpolate(
  from: Float32Array,
  to: Float32Array,
  width: number,
  steps: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(from.length * steps);
  for (let i = 0; i < out.length; i++) {
    const [row, step] = [Math.floor(i / width / steps), Math.floor(i / width) % steps];
    const [a, b] = [from[row * width + i % width], to[row * width + i % width]];
    const t = steps === 1 ? 0 : step / (steps - 1);
    out[i] = (1 - t) * a + t * b;
  }
  return out;
}

/**
 * From one datum to another in equal steps: the decoder's mean between the encodings, and under it the mixture of the pixels. The ends
 * of the first are the reconstructions. A conditional model is told the class that both are of.
 *
 * @param options `pairs` of data, in `steps` steps.
 */
export async function morphs(trained: Trained, split: Split, { pairs = 5, steps = 13 } = {}): Promise<Figure> {
  const { rows, part, count } = firstRows(trained, split, 200);
  const { latents: k, features: d } = trained;
  // Where all rows are of one class there are no pairs of different ones.
  const oneClass = new Set(part.labels).size < 2;
  const chosen = pairsOf(oneClass ? undefined : part.labels, count, pairs, isConditional(trained));
  if (chosen.length === 0) throw new RangeError("expected two rows of one class, found none");
  const pick = (values: Float32Array, width: number, end: 0 | 1) => {
    const out = new Float32Array(chosen.length * width);
    chosen.forEach((pair, i) => out.set(values.subarray(pair[end] * width, (pair[end] + 1) * width), i * width));
    return out;
  };
  const { mean } = await trained.encode(rows, part);
  const z = interpolate(pick(mean, k, 0), pick(mean, k, 1), k, steps);
  const firsts = repeatedRows(chosen.length, steps).map((i) => chosen[i][0]);
  const decoded = await trained.decode(z, conditionAt(part, firsts));
  const mixed = interpolate(pick(rows, d, 0), pick(rows, d, 1), d, steps);
  const strip = steps * d;
  const images = new Float32Array(2 * chosen.length * strip);
  chosen.forEach((_, i) => {
    images.set(decoded.subarray(i * strip, (i + 1) * strip), 2 * i * strip);
    images.set(mixed.subarray(i * strip, (i + 1) * strip), (2 * i + 1) * strip);
  });
  return labelledGrid(
    {
      name: "morphs",
      title: "Between data: in latent space and in pixel space",
      caption:
        `${steps} equal steps between the encodings of two data, and under them the same steps between their pixels.`,
    },
    imageGrid(asPixels(trained, images), {
      ...layout(trained, steps),
      scale: Math.max(1, Math.floor(60 / trained.data.shape[1])),
    }),
    { rows: chosen.flatMap(() => ["latent", "pixels"]) },
  );
}

/**
 * A row for each latent dimension, which runs from -range to range while the others stay where they are: at 0, or at the encoding of a
 * datum.
 *
 * @param encodings Where given, rows are ordered by KL, which their names show.
 */
export async function traversals(
  trained: Trained,
  split: Split,
  { encodings, from, range = 3, steps = 13, most = 12 }: {
    readonly encodings?: Encodings;
    /** z [K] to start from. Default 0. */
    readonly from?: ArrayLike<number>;
    readonly range?: number;
    readonly steps?: number;
    /** Rows at most. */
    readonly most?: number;
  } = {},
): Promise<Figure> {
  const { latents: k } = trained;
  const kl = encodings?.kl;
  const order = encodings ? dimensionsByInformation(encodings) : Array.from({ length: k }, (_, i) => i);
  const shown = order.slice(0, most);
  const values = Array.from({ length: steps }, (_, i) => -range + 2 * range * i / (steps - 1));
  const z = new Float32Array(shown.length * steps * k);
  shown.forEach((dimension, row) =>
    values.forEach((value, step) => {
      const at = (row * steps + step) * k;
      if (from) z.set(Array.from(from), at);
      z[at + dimension] = value;
    })
  );
  const images = await trained.decode(z, sameFor(trained, split, shown.length * steps));
  const name = (dimension: number) => dimensionName(dimension) + (kl ? `  KL ${kl[dimension].toFixed(2)}` : "");
  return labelledGrid(
    {
      name: "traversals",
      title: `Latent traversals${sameName(trained, split)}`,
      caption: `One dimension a row, ${shown.length < k ? `${shown.length} of ${k}, ` : ""}` +
        `${kl ? "from the greatest KL (nats), " : ""}the others at ${from ? "the encoding of a datum" : "0"}.`,
    },
    imageGrid(asPixels(trained, images), {
      ...layout(trained, steps),
      scale: Math.max(1, Math.floor(60 / trained.data.shape[1])),
    }),
    { rows: shown.map(name), columns: values.map((value) => value.toFixed(1)), x: "value of the dimension" },
  );
}

/** Every label of a conditional model in a row of its own; a column has one z. */
export async function labelGrid(trained: Trained, { columns = 10, seed = 0 } = {}): Promise<Figure> {
  const { data: { classes = 0 }, latents: k } = trained;
  const z = new Float32Array(classes * columns * k);
  for (let label = 0; label < classes; label++) {
    // The same for every label, unless the prior is conditional.
    z.set(await trained.drawPrior({ count: columns, seed, labels: [label] }), label * columns * k);
  }
  const same = z.every((value, i) => value === z[i % (columns * k)]);
  const labels = Uint8Array.from({ length: classes * columns }, (_, i) => Math.floor(i / columns));
  const images = await trained.decode(z, { labels });
  return labelledGrid(
    {
      name: "labels",
      title: same ? "Every label at the same z" : "Every label at its own prior's z",
      caption: same
        ? "A row for each label; the z of a column, drawn from the prior, is the same in all rows."
        : "A row for each label; the z of a column is drawn from each label's prior by the same noise.",
    },
    imageGrid(asPixels(trained, images), layout(trained, columns)),
    { rows: classNamesOf(trained), y: "label" },
  );
}

/** μ - 2σ to μ + 2σ of p(x | z), z drawn from the prior: for a likelihood that has quantiles. */
export async function quantileStrips(
  trained: Trained,
  { count = 8, ...options }: Omit<SampleOptions, "draw"> = {},
): Promise<Figure> {
  const images = await trained.sample({ ...options, count, draw: "quantiles" });
  const name = (k: number) => k === 0 ? "μ" : `μ ${k < 0 ? "-" : "+"} ${Math.abs(k) === 1 ? "" : Math.abs(k)}σ`;
  return labelledGrid(
    {
      name: "quantiles",
      title: "What the decoder is unsure of",
      caption: "The mean μ of p(x | z) and its deviation σ around it, z drawn from the prior, a row each.",
    },
    imageGrid(asPixels(trained, images), layout(trained, QUANTILES.length)),
    { columns: QUANTILES.map(name) },
  );
}
