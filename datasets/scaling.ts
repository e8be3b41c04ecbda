/**
 * Columns of a table by their statistics: missing numbers filled in, and all brought to one scale. The statistics are of the training rows.
 *
 * @module
 */

import { type Dataset, features, type Scaling, type Split } from "../core/dataset.ts";

type Parts = Pick<Dataset, "train" | "test">;

/** Mean and standard deviation of each column, of the numbers that are not missing. */
function statistics({ values, count, missing }: Split): Scaling {
  const width = values.length / count;
  const [mean, squares, seen] = [new Float64Array(width), new Float64Array(width), new Float64Array(width)];
  const each = (use: (column: number, value: number) => void) => {
    for (let i = 0; i < values.length; i++) if (!missing?.[i]) use(i % width, values[i]);
  };
  each((column, value) => {
    mean[column] += value;
    seen[column]++;
  });
  for (let column = 0; column < width; column++) mean[column] /= Math.max(1, seen[column]);
  each((column, value) => squares[column] += (value - mean[column]) ** 2);
  // What float32 rounds is no deviation: such a column never changes.
  const deviation = Array.from(squares, (sum, column) => {
    const found = Math.sqrt(sum / Math.max(1, seen[column]));
    return found > 1e-6 * Math.abs(mean[column]) ? found : 1;
  });
  return { mean: [...mean], deviation };
}

/** Puts the column's mean in place of what is missing. */
export function filled({ train, test }: Parts): Parts {
  if (!train.missing && !test.missing) return { train, test };
  const { mean } = statistics(train);
  const fill = (split: Split): Split => {
    const { missing, values } = split;
    if (missing) { for (let i = 0; i < values.length; i++) if (missing[i]) values[i] = mean[i % mean.length]; }
    return split;
  };
  const filledTrain = fill(train);
  return { train: filledTrain, test: test === train ? filledTrain : fill(test) };
}

/** value = (number - mean) / deviation, in place where the numbers are floats. */
export function standardized({ train, test }: Parts): Parts & { readonly scaling: Scaling } {
  const scaling = statistics(train);
  const { mean, deviation } = scaling;
  const scale = (split: Split): Split => {
    const values = split.values instanceof Float32Array ? split.values : Float32Array.from(split.values);
    for (let i = 0; i < values.length; i++) {
      values[i] = (values[i] - mean[i % mean.length]) / deviation[i % mean.length];
    }
    return { ...split, values };
  };
  const scaledTrain = scale(train);
  return { train: scaledTrain, test: test === train ? scaledTrain : scale(test), scaling };
}

/** How far the scales of columns may lie apart. */
const FAR = 100;

/** A line that suggests to standardize, where the deviations of columns differ a hundredfold. */
export function suggestion(
  { shape, columns, train }: Pick<Dataset, "shape" | "columns" | "train">,
): string | undefined {
  if (shape[0] !== 1 || shape[2] !== 1 || features(shape) < 2 || train.values instanceof Uint8Array) return undefined;
  const { deviation, mean } = statistics(train);
  const varying = deviation.map((_, i) => i).filter((i) => deviation[i] !== 1 || isVarying(train, i, mean[i]));
  if (varying.length < 2) return undefined;
  const inOrder = varying.toSorted((a, b) => deviation[a] - deviation[b]);
  const [least, most] = [inOrder[0], inOrder.at(-1)!];
  if (deviation[most] < FAR * deviation[least]) return undefined;
  const shown = (i: number) => `${columns?.[i] ?? `column ${i + 1}`} ${Number(deviation[i].toPrecision(2))}`;
  return `standard deviations of columns differ ${
    Math.round(deviation[most] / deviation[least]).toLocaleString("en-US")
  }-fold (${shown(least)}, ${shown(most)}): --standardize brings them to one scale`;
}

function isVarying({ values, count }: Split, column: number, mean: number): boolean {
  const width = values.length / count;
  for (let i = column; i < values.length; i += width) {
    if (Math.abs(values[i] - mean) > 1e-6 * Math.abs(mean)) return true;
  }
  return false;
}
