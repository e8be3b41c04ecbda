/**
 * Where data lie in latent space, and the figures of that: which dimensions carry information, the encodings by class, and how they fill
 * the prior.
 *
 * @module
 */

import { slice, type Split } from "../core/dataset.ts";
import { latentName, latentUse, marginals } from "../core/distributions/encoded.ts";
import { eigenSymmetric } from "../core/linear_algebra.ts";
import { normals } from "../core/graph/random.ts";
import type { Trained } from "../core/training/trained.ts";
import { barPlot, densityPanels, scatterPlot } from "./charts.ts";
import type { Figure } from "./figure.ts";
import { normalDensity } from "./normal.ts";

/** The encodings of N data. */
export interface Encodings {
  /** N */
  readonly count: number;
  /** K */
  readonly latents: number;
  /** μ [N, K] */
  readonly mean: Float32Array<ArrayBuffer>;
  /** log σ² [N, K]; -Infinity where the encoding is a point. */
  readonly logVariance: Float32Array<ArrayBuffer>;
  /** Mean KL(q(z | x) ‖ N(0, I)) of each dimension, nats [K]; none for points. */
  readonly kl?: readonly number[];
  /** [N] */
  readonly labels?: Uint8Array<ArrayBuffer>;
}

/** Values that are encoded at most: 128 MiB of floats. */
const MOST_VALUES = 2 ** 25;

/** Encodes the first rows of a split, as the model was given them in training. */
export async function encodeRows(trained: Trained, split: Split, count = 2000): Promise<Encodings> {
  const rows = Math.min(count, split.count, Math.ceil(MOST_VALUES / trained.features));
  const part = slice(split, 0, rows);
  const encoded = await trained.posterior(trained.rowsOf(part), part);
  return {
    ...{ count: rows, latents: trained.latents, ...marginals(encoded) },
    ...(encoded.covariance ? { kl: latentUse(encoded).kl } : {}),
    ...(part.labels ? { labels: part.labels } : {}),
  };
}

/** The variance over data of μₖ, [K]. */
function varianceOfMeans({ count, latents, mean }: Encodings): Float64Array<ArrayBuffer> {
  const [sums, squares] = [new Float64Array(latents), new Float64Array(latents)];
  for (let i = 0; i < mean.length; i++) sums[i % latents] += mean[i] / count;
  for (let i = 0; i < mean.length; i++) squares[i % latents] += (mean[i] - sums[i % latents]) ** 2 / count;
  return squares;
}

/** Latent dimensions from the one that says most of a datum: by KL, and for points by the variance of the code. */
export function dimensionsByInformation(encodings: Encodings): readonly number[] {
  const information = encodings.kl ?? varianceOfMeans(encodings);
  return Array.from(information.keys()).sort((a, b) => information[b] - information[a] || a - b);
}

/** A name of a latent dimension, as axes have it; dimensions count from 1. */
export function dimensionName(dimension: number): string {
  return latentName(dimension);
}

/** A bar for the KL of each latent dimension, from the greatest; nothing for encodings that are points. */
export async function klBars({ kl, count }: Encodings): Promise<Figure | undefined> {
  return kl && await klBarsOf(kl, count);
}

/**
 * A bar for the KL of each latent dimension, from the greatest.
 *
 * @param kl [K], nats.
 * @param count N, the data that it is a mean of.
 */
export async function klBarsOf(kl: ArrayLike<number>, count: number): Promise<Figure> {
  const order = Array.from({ length: kl.length }, (_, i) => i).sort((a, b) => kl[b] - kl[a] || a - b);
  const total = Array.from(kl).reduce((sum, value) => sum + value, 0);
  return await barPlot({
    name: "kl-per-dimension",
    title: "KL of each latent dimension",
    caption: `Mean over ${count} data of KL(q(zₖ | x) ‖ N(0, 1)), ${total.toFixed(2)} nats in all. ` +
      "A dimension near 0 is not used: its posterior is the prior.",
    x: "latent dimension",
    y: "KL (nats per datum)",
    bars: { categories: order.map(dimensionName), values: order.map((k) => kl[k]) },
  });
}

/** Dimensions beyond which the principal components are looked for among those of greatest variance only: the work grows with K³. */
const MOST_DIMENSIONS = 256;

/** The first two principal components of the means: coordinates [N] each, and the share of the variance that they hold. */
export function principalPlane(
  encodings: Encodings,
): { readonly x: Float64Array; readonly y: Float64Array; readonly share: number } {
  const { count, latents, mean } = encodings;
  const variances = varianceOfMeans(encodings);
  const kept = Array.from(variances.keys()).sort((a, b) => variances[b] - variances[a]).slice(0, MOST_DIMENSIONS);
  const k = kept.length;
  const centres = kept.map((j) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += mean[i * latents + j];
    return sum / count;
  });
  const covariance = new Float64Array(k * k);
  const row = new Float64Array(k);
  const centred = (i: number) => kept.forEach((j, at) => row[at] = mean[i * latents + j] - centres[at]);
  for (let i = 0; i < count; i++) {
    centred(i);
    for (let a = 0; a < k; a++) for (let b = 0; b < k; b++) covariance[a * k + b] += row[a] * row[b] / count;
  }
  const { values, vectors } = eigenSymmetric(covariance, k);
  const [x, y] = [new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    centred(i);
    for (let a = 0; a < k; a++) {
      x[i] += row[a] * vectors[a];
      if (k > 1) y[i] += row[a] * vectors[k + a];
    }
  }
  const total = variances.reduce((sum, value) => sum + value, 0);
  return { x, y, share: total > 0 ? (values[0] + (values[1] ?? 0)) / total : 1 };
}

/**
 * The means of the encodings in two dimensions, coloured by label: as they are for K = 2, by principal components for more.
 *
 * @param options `dimensions` to show in place of principal components, from 0; `names` of the classes.
 */
export async function latentScatter(
  encodings: Encodings,
  { dimensions, names }: {
    readonly dimensions?: readonly [number, number];
    readonly names?: readonly string[];
  } = {},
): Promise<Figure> {
  const { count, latents, mean, labels } = encodings;
  const words = { name: "latent-scatter", title: "Encodings in latent space" };
  const coloured = labels ? ", coloured by label" : "";
  const classes = labels
    ? { classes: names ? Array.from(labels, (label) => names[label] ?? String(label)) : labels }
    : {};
  if (latents === 2 || dimensions) {
    const [right, up] = dimensions ?? [0, 1];
    const column = (k: number) => Float32Array.from({ length: count }, (_, i) => mean[latents * i + k]);
    return await scatterPlot({
      ...words,
      caption: `The means of q(z | x) of ${count} data${coloured}${
        latents > 2 ? `, ${dimensionName(right)} and ${dimensionName(up)} of ${latents} dimensions` : ""
      }.`,
      x: dimensionName(right),
      y: dimensionName(up),
      square: true,
      points: { x: column(right), y: column(up), ...classes },
    });
  }
  const { x, y, share } = principalPlane(encodings);
  const one = latents === 1;
  const among = latents > MOST_DIMENSIONS ? ` of the ${MOST_DIMENSIONS} dimensions of greatest variance` : "";
  return await scatterPlot({
    ...words,
    caption: one
      ? `The means of q(z | x) of ${count} data${coloured}.`
      : `The means of q(z | x) of ${count} data${coloured}, along their first two principal components${among}, which hold ` +
        `${(100 * share).toFixed(0)} % of the variance over ${latents} dimensions.`,
    x: one ? dimensionName(0) : "first principal component",
    y: one ? "" : "second principal component",
    square: !one,
    points: { x, y, ...classes },
  });
}

/** Panels of {@linkcode priorAndPosterior}. */
const PANELS = 12;

/**
 * z ~ q(z) = mean over data of q(z | x), against the prior N(0, 1), for the dimensions that say most of a datum. Where the two differ,
 * draws from the prior decode to what no datum is like.
 *
 * Source: Hoffman and Johnson, "ELBO surgery", 2016.
 */
export async function priorAndPosterior(encodings: Encodings, seed = 0): Promise<Figure> {
  const { count, latents, mean, logVariance } = encodings;
  const noise = normals(new Float32Array(mean.length), seed, 0, 2);
  const z = mean.map((mean, i) => mean + Math.exp(logVariance[i] / 2) * noise[i]);
  const shown = dimensionsByInformation(encodings).slice(0, PANELS);
  const most = shown.length < latents ? `, the ${shown.length} dimensions of ${latents} that say most of a datum` : "";
  return await densityPanels({
    name: "prior-and-posterior",
    title: "Prior and aggregated posterior",
    caption: `A draw from q(z | x) for each of ${count} data, against N(0, 1)${most}.`,
    x: "z",
    y: "density",
    names: ["aggregated posterior q(z)", "prior N(0, 1)"],
    density: normalDensity,
    range: 4,
    panels: shown.map((k) => ({
      name: dimensionName(k),
      values: Float32Array.from({ length: count }, (_, i) => z[i * latents + k]),
    })),
  });
}
