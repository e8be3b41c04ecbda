/**
 * InfoMEC: modularity, explicitness and compactness of codes by information.
 *
 * @module
 */

import {
  type Coded,
  type CodedColumns,
  columnsOf,
  entropy,
  type Factor,
  factorOf,
  momentsOf,
  mutualInformation,
} from "./coded.ts";
import { logisticRegression } from "./logistic_regression.ts";

/** How {@linkcode infoMec} measures. */
export interface InfoMecOptions {
  /** Neighbours in a class that a density is estimated from. Default: 10. */
  readonly neighbours?: number;
  /** Whether codes are of few values each, as those of a codebook: counted, and given to the classifier as one-hot. Default: false. */
  readonly discrete?: boolean;
}

/** What {@linkcode infoMec} gives, about from 0 to 1. */
export interface InfoMec {
  /** Whether each code in use speaks of one factor only. */
  readonly modularity: number;
  /** How well a linear classifier predicts each factor from all codes. */
  readonly explicitness: number;
  /** Whether each factor is in one code only. */
  readonly compactness: number;
  /** NMI_kc = I(z_k; v_c) / H(v_c), K rows of C; of codes that are not in use too. */
  readonly information: readonly (readonly number[])[];
  /** Which codes are in use. */
  readonly active: readonly boolean[];
}

/** The part of the widest code's range below which a code counts as not in use. */
const UNUSED = 1 / 20;

/**
 * InfoM = (mean_k max_c NMI_kc / Σ_c NMI_kc - 1/C) / (1 - 1/C); InfoC likewise over codes; InfoE = mean_c (H(v_c) - H(v_c | z)) / H(v_c)
 *
 * I(z; v) of a number and classes is by nearest neighbours (Ross); H(v | z) is the cross-entropy of multinomial logistic regression on
 * standardized codes, without a penalty and with balanced classes, on the rows it was fitted to, and H(v) that of the same without codes.
 * As the authors' program has them. Codes not in use are left out of M and C.
 *
 * Source: Hsu et al., "Disentanglement via latent quantization", NeurIPS 2023, section 4; Ross, "Mutual information between discrete and
 * continuous data sets", PLoS ONE 9, 2014.
 */
export function infoMec(coded: Coded, { neighbours = 10, discrete = false }: InfoMecOptions = {}): InfoMec {
  const columns = columnsOf(coded);
  const { codes, factors } = columns;
  const entropies = factors.map(entropy);
  const information = codes.map((column) => {
    const code = discrete ? factorOf(column) : undefined;
    return factors.map((factor, c) =>
      (code ? mutualInformation(code, factor) : neighbourInformation(column, factor, neighbours)) / entropies[c]
    );
  });
  const ranges = codes.map((column) => {
    const [least, greatest] = column.reduce(([a, b], z) => [Math.min(a, z), Math.max(b, z)], [Infinity, -Infinity]);
    return greatest - least;
  });
  const widest = Math.max(...ranges);
  const active = ranges.map((range) => range > (discrete ? 0 : widest * UNUSED));
  const used = information.filter((_, k) => active[k]);
  return {
    modularity: concentration(used),
    explicitness: explicitness(columns, discrete),
    compactness: concentration(factors.map((_, c) => used.map((row) => row[c]))),
    information,
    active,
  };
}

/** (mean of max / sum over rows of n - 1/n) / (1 - 1/n); a row without information has it spread evenly. 0 without rows. */
function concentration(rows: readonly (readonly number[])[]): number {
  if (rows.length === 0 || rows[0].length === 0) return 0;
  const [{ length: n }] = rows;
  if (n === 1) return 1;
  const parts = rows.map((row) => {
    const sum = row.reduce((all, each) => all + each, 0);
    return sum > 0 ? Math.max(...row) / sum : 1 / n;
  });
  return (parts.reduce((sum, part) => sum + part) / parts.length - 1 / n) / (1 - 1 / n);
}

function explicitness({ codes, factors, count }: CodedColumns, discrete: boolean): number {
  const features = codes.flatMap((column): readonly Float64Array[] => {
    if (!discrete) {
      const { mean, deviation } = momentsOf(column);
      return [column.map((z) => deviation > 0 ? (z - mean) / deviation : 0)];
    }
    const { levels, of } = factorOf(column);
    return Array.from({ length: of }, (_, level) => Float64Array.from(levels, (each) => each === level ? 1 : 0));
  });
  const rows = Float64Array.from(
    { length: count * features.length },
    (_, i) => features[i % features.length][Math.floor(i / features.length)],
  );
  const parts = factors.map(({ levels, of }) => {
    const fitted = logisticRegression(rows, levels, of, { penalty: 0, balanced: true, tolerance: 1e-5, steps: 200 });
    const found = fitted.logProbabilities(rows);
    const crossEntropy = levels.reduce((sum, level, n) => sum - found[n * of + level], 0) / count;
    // Balanced classes without codes are equally probable.
    return 1 - crossEntropy / Math.log(of);
  });
  return parts.reduce((sum, part) => sum + part) / parts.length;
}

/**
 * I(z; v) = ψ(N) + ⟨ψ(k)⟩ - ⟨ψ(N_v)⟩ - ⟨ψ(m)⟩, at least 0: k neighbours of a row among the N_v of its class, m rows of any class no farther
 *
 * Classes of one row are left out. As scikit-learn's mutual_info_classif but for its noise: where the k-th neighbour is equal, k and m are
 * how many in the class and in all are equal (Gao et al., "Estimating mutual information for discrete-continuous mixtures", NIPS 2017).
 *
 * @param column [N]
 */
export function neighbourInformation(column: Float64Array, { levels, of }: Factor, neighbours: number): number {
  const groups = Array.from({ length: of }, () => [] as number[]);
  column.forEach((z, n) => groups[levels[n]].push(z));
  const known = groups.filter(({ length }) => length > 1).map((group) => Float64Array.from(group).sort());
  const all = Float64Array.from(known.flatMap((group) => [...group])).sort();
  let sum = 0;
  for (const group of known) {
    const k = Math.min(neighbours, group.length - 1);
    // The window of k + 1 numbers in order, this one among them, that reaches the least far: it only ever moves up.
    let from = 0;
    group.forEach((z, i) => {
      from = Math.max(from, i - k);
      const reach = (at: number) => Math.max(z - group[at], group[at + k] - z);
      while (from < i && from + k + 1 < group.length && reach(from + 1) <= reach(from)) from++;
      const radius = reach(from);
      if (radius > 0) {
        // The rows nearer than the k-th neighbour, this one among them.
        const within = first(all, (other) => other - z >= radius) - first(all, (other) => z - other < radius);
        sum += digamma(k) - digamma(group.length) - digamma(within);
      } else {
        const equal = (of: Float64Array) => first(of, (other) => other > z) - first(of, (other) => other >= z);
        sum += digamma(equal(group)) - digamma(group.length) - digamma(equal(all));
      }
    });
  }
  return Math.max(0, digamma(all.length) + sum / all.length);
}

/** The place of the first of some numbers from which on something holds; their number where there is none. */
function first(numbers: Float64Array, holds: (value: number) => boolean): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(numbers[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** ψ(n) of n at least 1: ψ(n) = ψ(n + 1) - 1/n up to 6, from there its asymptotic series (Abramowitz and Stegun, 6.3.18). */
function digamma(n: number): number {
  let shift = 0;
  for (; n < 6; n++) shift -= 1 / n;
  const square = 1 / (n * n);
  return shift + Math.log(n) - 0.5 / n -
    square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))));
}
