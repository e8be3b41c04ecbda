/**
 * What simple predictors make of a model's latents, beside what they make of the data and of PCA.
 *
 * @module
 */

import { pick, type Split } from "../core/dataset.ts";
import { permutation } from "../core/graph/random.ts";
import type { Trained } from "../core/training/trained.ts";
import { logisticRegression } from "./logistic_regression.ts";
import { nearestNeighbours } from "./nearest_neighbours.ts";
import { principalComponents } from "./principal_components.ts";
import { ridgeRegression } from "./ridge_regression.ts";

/** Rows as some representation has them, and what is to be predicted from them. */
export interface ProbeRows {
  /** [N, D] */
  readonly rows: Float32Array | Float64Array;
  /** [N] classes from 0, where there are such. */
  readonly labels?: ArrayLike<number>;
  /** Row-major [N, C] numbers, where there are such. */
  readonly factors?: ArrayLike<number>;
  /** N */
  readonly count: number;
}

/** Steps of logistic regression: of thousands of features more take minutes and hardly change what is predicted. */
const STEPS = 200;

/** What {@linkcode probe} gives. */
export interface ProbeScores {
  /** The part of the test rows whose label is predicted right. */
  readonly label?: { readonly logistic: number; readonly neighbours: number };
  /** R² = 1 - Σ (v - v̂)² / Σ (v - v̄)² over the test rows, of each factor; below 0 where the mean predicts better. */
  readonly factors?: readonly { readonly ridge: number; readonly neighbours: number }[];
}

/** How {@linkcode probes} measures. */
export interface ProbeOptions {
  /** Training rows that predictors learn from, drawn from the split. Default: 5,000, or all of fewer. */
  readonly train?: number;
  /** Rows that they are tested on, drawn likewise. Default: 2,000, or all of fewer. */
  readonly test?: number;
  /** Neighbours that vote, or whose mean is taken. Default: 5. */
  readonly neighbours?: number;
  /** What the factors are called. Default: as the covariates of the data that the model was trained on. */
  readonly factors?: readonly string[];
  /** Of the rows. Default: 0. */
  readonly seed?: number;
  /** Called now and then with the fraction done. */
  readonly onProgress?: (done: number) => void;
  /** Stops it. */
  readonly signal?: AbortSignal;
}

/** What {@linkcode probes} gives. */
export interface Probes {
  /** Of the means of q(z | x). */
  readonly latents: ProbeScores & { readonly size: number };
  /** Of the data themselves, as the model was given them. */
  readonly data: ProbeScores & { readonly size: number };
  /** Of as many principal components of the training rows as there are latents. */
  readonly pca: ProbeScores & { readonly size: number };
  /** The part of the test rows that have the most frequent label of the training rows: what knowing nothing reaches. */
  readonly chance?: number;
  /** What the factors are called, those left out that do not change or are the label. */
  readonly factors: readonly string[];
  /** Rows learned from. */
  readonly train: number;
  /** Rows tested on. */
  readonly test: number;
}

/**
 * Accuracy of labels by multinomial logistic regression and by k nearest neighbours; R² of factors by ridge regression and by the mean of k
 * nearest neighbours
 *
 * For the regressions rows are centred and divided by one number, the root of their mean variance over features, so that a penalty of
 * 1 weighs alike in every representation; distances keep their order. Votes of equal number go to the first of their classes.
 *
 * @param train What predictors learn from.
 * @param test What they are tested on: labels and factors as `train` has.
 * @param neighbours k
 */
export function probe(train: ProbeRows, test: ProbeRows, neighbours = 5): ProbeScores {
  const width = train.rows.length / train.count;
  const near = nearestNeighbours(train.rows, test.rows, width, Math.min(neighbours, train.count));
  const k = near.length / test.count;
  const [scaled, scaledTest] = scaledBy(train.rows, width, test.rows);
  const { labels, factors } = train;
  return {
    ...(labels && test.labels ? { label: labelScores(scaled, labels, scaledTest, test.labels, near) } : {}),
    ...(factors && test.factors ? { factors: factorScores(factors, test.factors) } : {}),
  };

  function labelScores(
    rows: Float64Array,
    labels: ArrayLike<number>,
    testRows: Float64Array,
    testLabels: ArrayLike<number>,
    near: Uint32Array,
  ) {
    const classes = 1 + Math.max(...new Set(Array.from(labels)));
    const told = logisticRegression(rows, labels, classes, { steps: STEPS }).predict(testRows);
    const voted = Int32Array.from({ length: test.count }, (_, m) => {
      const votes = new Uint32Array(classes);
      for (let i = 0; i < k; i++) votes[labels[near[m * k + i]]]++;
      return votes.indexOf(votes.reduce((most, n) => Math.max(most, n)));
    });
    const right = (predicted: Int32Array) =>
      predicted.filter((label, m) => label === testLabels[m]).length / test.count;
    return { logistic: right(told), neighbours: right(voted) };
  }

  function factorScores(values: ArrayLike<number>, testValues: ArrayLike<number>) {
    const targets = Float64Array.from(values);
    const width = targets.length / train.count;
    const predicted = ridgeRegression(scaled, targets, train.count).predict(scaledTest);
    const means = new Float64Array(test.count * width);
    near.forEach((row, i) => {
      for (let c = 0; c < width; c++) means[Math.floor(i / k) * width + c] += targets[row * width + c] / k;
    });
    return Array.from({ length: width }, (_, c) => ({
      ridge: determination(predicted, testValues, c, width),
      neighbours: determination(means, testValues, c, width),
    }));
  }
}

/** Rows less the mean of the first, divided by the root of their mean variance. */
function scaledBy(
  rows: ProbeRows["rows"],
  width: number,
  others: ProbeRows["rows"],
): readonly [Float64Array<ArrayBuffer>, Float64Array<ArrayBuffer>] {
  const mean = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) mean[i % width] += rows[i] * width / rows.length;
  let variance = 0;
  for (let i = 0; i < rows.length; i++) variance += (rows[i] - mean[i % width]) ** 2 / rows.length;
  const scale = variance > 0 ? 1 / Math.sqrt(variance) : 0;
  const scaled = (all: ProbeRows["rows"]) => Float64Array.from(all, (value, i) => (value - mean[i % width]) * scale);
  return [scaled(rows), scaled(others)];
}

/** R² of column c. */
function determination(predicted: Float64Array, values: ArrayLike<number>, c: number, width: number): number {
  const count = values.length / width;
  let mean = 0;
  for (let n = 0; n < count; n++) mean += values[n * width + c] / count;
  let [left, all] = [0, 0];
  for (let n = 0; n < count; n++) {
    left += (values[n * width + c] - predicted[n * width + c]) ** 2;
    all += (values[n * width + c] - mean) ** 2;
  }
  return 1 - left / all;
}

/**
 * {@linkcode probe} of a model's latents, of the data, and of PCA of as many dimensions, learned from training rows and tested on others
 *
 * Source: Alain and Bengio, "Understanding intermediate layers using linear classifier probes", arXiv:1610.01644.
 *
 * @throws {RangeError} If the rows have neither labels nor covariates that change.
 * @throws {TypeError} If the model has no encoder.
 */
export async function probes(
  trained: Trained,
  train: Split,
  test: Split,
  options: ProbeOptions = {},
): Promise<Probes> {
  const { neighbours = 5, seed = 0, onProgress, signal } = options;
  const { factors: names = trained.data.covariates ?? [] } = options;
  const drawn = (split: Split, most: number) => {
    const order = permutation(split.count, seed, 0);
    return pick(split, Array.from({ length: Math.min(most, split.count) }, (_, i) => order(i)));
  };
  const parts = [drawn(train, options.train ?? 5000), drawn(test, options.test ?? 2000)];
  const columns = parts.map(({ covariates, count }) => (covariates?.length ?? 0) / count);
  const changing = (c: number) =>
    parts.every(({ covariates, count }, p) => {
      const first = covariates![c];
      for (let n = 1; n < count; n++) if (covariates![n * columns[p] + c] !== first) return true;
      return false;
    });
  const hasLabels = parts.every(({ labels }) => labels);
  // A factor that is the label under another name is a class, and no number.
  const isLabel = (c: number) =>
    parts.every(({ covariates, labels, count }, p) => {
      for (let n = 0; n < count; n++) if (covariates![n * columns[p] + c] !== labels?.[n]) return false;
      return true;
    });
  const used = columns[0] === columns[1] ? [...Array(columns[0]).keys()].filter((c) => changing(c) && !isLabel(c)) : [];
  if (used.length === 0 && !hasLabels) {
    throw new RangeError("Cannot probe a representation: expected rows with labels or known factors, found none");
  }
  const told = parts.map(({ labels, covariates, count }, p) => ({
    count,
    ...(hasLabels ? { labels } : {}),
    ...(used.length
      ? {
        factors: Float64Array.from({ length: count * used.length }, (_, i) =>
          covariates![Math.floor(i / used.length) * columns[p] + used[i % used.length]]),
      }
      : {}),
  }));
  const rows = parts.map((part) => trained.rowsOf(part, 0, part.count, seed));
  const width = rows[0].length / parts[0].count;
  const codes: Float32Array[] = [];
  for (const [p, part] of parts.entries()) codes.push((await trained.encode(rows[p], part)).mean);
  const latents = codes[0].length / parts[0].count;
  let done = 0;
  const step = async <R>(measure: () => R): Promise<R> => {
    // Seconds of arithmetic each: between them others have their turn, and it can be stopped.
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    const found = measure();
    onProgress?.(++done / 4);
    return found;
  };
  const scores = ([learn, tell]: readonly ProbeRows["rows"][]) => ({
    size: learn.length / parts[0].count,
    ...probe({ ...told[0], rows: learn }, { ...told[1], rows: tell }, neighbours),
  });
  const ofLatents = await step(() => scores(codes));
  const components = await step(() => principalComponents(rows[0], width, Math.min(latents, width, parts[0].count)));
  const pca = await step(() => scores(rows.map((each) => components.project(each))));
  const data = await step(() => scores(rows));
  return {
    ...{ latents: ofLatents, data, pca },
    ...(hasLabels ? { chance: chanceOf(parts[0].labels!, parts[1].labels!) } : {}),
    factors: used.map((c) => names[c] ?? `c${c}`),
    train: parts[0].count,
    test: parts[1].count,
  };
}

function chanceOf(labels: Uint8Array, testLabels: Uint8Array): number {
  const counts = new Uint32Array(256);
  for (const label of labels) counts[label]++;
  const most = counts.indexOf(counts.reduce((max, n) => Math.max(max, n)));
  return testLabels.filter((label) => label === most).length / testLabels.length;
}
