/**
 * The separated attribute predictability (SAP) of codes.
 *
 * @module
 */

import { type Coded, columnsOf, type Factor, meanGap, trainingRows } from "./coded.ts";

/** How {@linkcode separatedAttributePredictability} predicts. */
export interface PredictabilityOptions {
  /**
   * Whether factors are numbers, predicted by a line, whose score is R² over all rows, or classes, whose score is the accuracy of a linear
   * classifier on the rows to test on. One for all, or one for each. Default: classes, as Locatello et al., arXiv:1811.12359.
   */
  readonly continuous?: boolean | readonly boolean[];
  /** C of the classifier. Default: 0.01. */
  readonly strength?: number;
}

/**
 * SAP = 1/C Σ_c (S_kc - S_lc), k and l the codes that predict factor c best and second best, each alone
 *
 * Of classes the score of a code that says nothing is not 0 but the part of the most frequent class, so that even perfect codes of two
 * even classes stay at ½; and one line of numbers tells few classes apart. Of numbers it goes from 0 to 1.
 *
 * Source: Kumar et al., "Variational inference of disentangled latent concepts from unlabeled observations", ICLR 2018, section 3.
 *
 * @returns From 0 to 1.
 */
export function separatedAttributePredictability(
  coded: Coded,
  { continuous = false, strength = 0.01 }: PredictabilityOptions = {},
): number {
  const columns = columnsOf(coded);
  const { codes, factors, count } = columns;
  const train = trainingRows(count);
  const values = factors.map((_, c) =>
    Float64Array.from({ length: count }, (_, n) => coded.factors[n * factors.length + c])
  );
  const numbers = (c: number) => typeof continuous === "boolean" ? continuous : continuous[c];
  return meanGap(
    codes.map((code) =>
      Float64Array.from(
        factors,
        (factor, c) => numbers(c) ? determination(code, values[c]) : accuracy(code, factor, train, strength),
      )
    ),
  );
}

/** R² = Cov(a, b)² / (Var a Var b) */
function determination(a: Float64Array, b: Float64Array): number {
  const mean = (of: Float64Array) => of.reduce((sum, value) => sum + value, 0) / of.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let n = 0; n < a.length; n++) {
    ab += (a[n] - meanA) * (b[n] - meanB);
    aa += (a[n] - meanA) ** 2;
    bb += (b[n] - meanB) ** 2;
  }
  // Codes that never change, but for rounding.
  return aa / a.length > 1e-12 && bb > 0 ? ab * ab / (aa * bb) : 0;
}

/** The part of the rows from `train` on whose level is told right by the lines of {@linkcode supportVector}, one a level. */
function accuracy(code: Float64Array, { levels, of }: Factor, train: number, strength: number): number {
  const counts = new Float64Array(of);
  for (let n = 0; n < train; n++) counts[levels[n]]++;
  const known = [...counts.keys()].filter((level) => counts[level] > 0);
  const balance = (level: number) => strength * train / (known.length * counts[level]);
  const side = (level: number) => Int8Array.from({ length: train }, (_, n) => levels[n] === level ? 1 : -1);
  const told = (() => {
    if (known.length === 1) return () => known[0];
    if (known.length === 2) {
      const [slope, bias] = supportVector(code, side(known[1]), balance(known[1]), balance(known[0]));
      return (z: number) => slope * z + bias > 0 ? known[1] : known[0];
    }
    // As liblinear has it, only the level itself is weighted, the rest is not.
    const lines = known.map((level) => supportVector(code, side(level), balance(level), strength));
    return (z: number) => {
      let [best, most] = [0, -Infinity];
      lines.forEach(([slope, bias], i) => {
        if (slope * z + bias > most) [best, most] = [i, slope * z + bias];
      });
      return known[best];
    };
  })();
  let right = 0;
  for (let n = train; n < code.length; n++) if (told(code[n]) === levels[n]) right++;
  return right / (code.length - train);
}

/**
 * min over w, b of ½ (w² + b²) + Σ_n C_n max(0, 1 - y_n (w z_n + b))²: a linear support vector machine of one number, by Newton's method
 *
 * Source: scikit-learn's LinearSVC, which is liblinear: Fan et al., JMLR 9, 2008.
 *
 * @param sides y_n, 1 or -1, of the first rows.
 */
function supportVector(
  code: Float64Array,
  sides: Int8Array,
  ofPositive: number,
  ofNegative: number,
): readonly [slope: number, bias: number] {
  let [w, b] = [0, 0];
  const loss = (w: number, b: number) => {
    let sum = 0.5 * (w * w + b * b);
    for (let n = 0; n < sides.length; n++) {
      const margin = 1 - sides[n] * (w * code[n] + b);
      if (margin > 0) sum += (sides[n] > 0 ? ofPositive : ofNegative) * margin * margin;
    }
    return sum;
  };
  let value = loss(w, b);
  for (let step = 0; step < 100; step++) {
    let [gw, gb, hww, hwb, hbb] = [w, b, 1, 0, 1];
    for (let n = 0; n < sides.length; n++) {
      const z = code[n];
      const margin = 1 - sides[n] * (w * z + b);
      if (margin <= 0) continue;
      const cost = 2 * (sides[n] > 0 ? ofPositive : ofNegative);
      gw -= cost * sides[n] * margin * z;
      gb -= cost * sides[n] * margin;
      hww += cost * z * z;
      hwb += cost * z;
      hbb += cost;
    }
    const determinant = hww * hbb - hwb * hwb;
    const [dw, db] = [(hwb * gb - hbb * gw) / determinant, (hwb * gw - hww * gb) / determinant];
    let length = 1;
    let next = loss(w + dw, b + db);
    while (next > value && length > 1e-10) {
      length /= 2;
      next = loss(w + length * dw, b + length * db);
    }
    if (!(next < value)) break;
    [w, b] = [w + length * dw, b + length * db];
    const gained = value - next;
    value = next;
    if (gained < 1e-14 * value) break;
  }
  return [w, b];
}
