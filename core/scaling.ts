/**
 * Columns of a table by their statistics: missing numbers filled in, and all brought to one scale. The statistics are of the training rows.
 *
 * @module
 */

import { type Dataset, features, type Scaling, type Split, typeOf, valuePieces, withValues } from "./dataset.ts";
import type { RowChange } from "./row_reader.ts";

type Parts = Pick<Dataset, "train" | "test">;

/** Mean and standard deviation of each column, of the numbers that are not missing. */
function statistics(split: Split, width: number): Scaling {
  const { missing } = split;
  const [mean, squares, seen] = [new Float64Array(width), new Float64Array(width), new Float64Array(width)];
  const each = (use: (column: number, value: number) => void) => {
    let start = 0;
    for (const values of valuePieces(split)) {
      for (let i = 0; i < values.length; i++) if (!missing?.[start + i]) use(i % width, values[i]);
      start += values.length;
    }
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
  const { mean } = statistics(train, train.values.length / train.count);
  const fill = (split: Split): Split => {
    const { missing, values } = split;
    if (missing) { for (let i = 0; i < values.length; i++) if (missing[i]) values[i] = mean[i % mean.length]; }
    return split;
  };
  const filledTrain = fill(train);
  return { train: filledTrain, test: test === train ? filledTrain : fill(test) };
}

/** value = (number - mean) / deviation */
export function standardized({ train, test }: Parts, width: number): Parts & { readonly scaling: Scaling } {
  const scaling = statistics(train, width);
  const { mean, deviation } = scaling;
  const change: RowChange = {
    type: "f32",
    columns: width,
    apply(rows, out) {
      for (let i = 0; i < rows.length; i++) out[i] = (rows[i] - mean[i % width]) / deviation[i % width];
    },
  };
  const scaledTrain = withValues(train, change);
  return { train: scaledTrain, test: test === train ? scaledTrain : withValues(test, change), scaling };
}

/** How far the scales of columns may lie apart. */
const FAR = 100;

/** A line that suggests to standardize, where the deviations of columns differ a hundredfold. */
export function suggestion(
  { shape, columns, train }: Pick<Dataset, "shape" | "columns" | "train">,
): string | undefined {
  if (shape[0] !== 1 || shape[2] !== 1 || features(shape) < 2 || typeOf(train) === "u8") return undefined;
  const { deviation, mean } = statistics(train, features(shape));
  const varying = deviation.map((_, i) => i).filter((i) => deviation[i] !== 1 || isVarying(train, i, mean));
  if (varying.length < 2) return undefined;
  const inOrder = varying.toSorted((a, b) => deviation[a] - deviation[b]);
  const [least, most] = [inOrder[0], inOrder.at(-1)!];
  if (deviation[most] < FAR * deviation[least]) return undefined;
  const shown = (i: number) => `${columns?.[i] ?? `column ${i + 1}`} ${Number(deviation[i].toPrecision(2))}`;
  return `standard deviations of columns differ ${
    Math.round(deviation[most] / deviation[least]).toLocaleString("en-US")
  }-fold (${shown(least)}, ${shown(most)}): --standardize brings them to one scale`;
}

function isVarying(split: Split, column: number, mean: readonly number[]): boolean {
  for (const values of valuePieces(split)) {
    for (let i = column; i < values.length; i += mean.length) {
      if (Math.abs(values[i] - mean[column]) > 1e-6 * Math.abs(mean[column])) return true;
    }
  }
  return false;
}
