/**
 * Codes beside the factors that the data were made from: what every measure of disentanglement is a function of. Nothing here knows a model.
 *
 * @module
 */

/**
 * Codes and factors of the same N rows. Measures that need rows to test on take the last third: the rows must be in random order.
 */
export interface Coded {
  /** Row-major [N, K]: of a VAE the means of q(z | x). */
  readonly codes: ArrayLike<number>;
  /** Row-major [N, C]: a few different values of each factor, whatever they are. */
  readonly factors: ArrayLike<number>;
  /** N */
  readonly count: number;
}

/** A factor of few values. */
export interface Factor {
  /** The place of each row's value among all in their order, [N]. */
  readonly levels: Int32Array<ArrayBuffer>;
  /** How many different values there are. */
  readonly of: number;
}

/** {@linkcode Coded} column by column. */
export interface CodedColumns {
  /** K columns of N codes. */
  readonly codes: readonly Float64Array<ArrayBuffer>[];
  /** C factors of N levels. */
  readonly factors: readonly Factor[];
  /** N */
  readonly count: number;
}

/** Rows of which the literature trains 10,000 and tests on 5,000. */
const TRAINING_PART = 2 / 3;

/** How many of N rows, the first, are to train on; the others are to test on. */
export function trainingRows(count: number): number {
  return Math.floor(count * TRAINING_PART);
}

/**
 * Checks codes and factors, and takes them apart.
 *
 * @throws {RangeError} If they are of different or of fewer than three rows, a number is not finite, or a factor never changes.
 */
export function columnsOf({ codes, factors, count }: Coded): CodedColumns {
  const fail = (expected: string, found: unknown): never => {
    throw new RangeError(`Cannot measure disentanglement: expected ${expected}, found ${found}`);
  };
  if (!Number.isSafeInteger(count) || count < 3) fail("at least 3 rows", count);
  for (const [what, { length }] of [["codes", codes], ["factors", factors]] as const) {
    if (length === 0 || length % count !== 0) fail(`${what} for each of ${count} rows`, `${length} numbers`);
  }
  const columns = (all: ArrayLike<number>, what: string) => {
    const width = all.length / count;
    return Array.from({ length: width }, (_, k) => {
      const column = Float64Array.from({ length: count }, (_, n) => all[n * width + k]);
      const bad = column.findIndex((value) => !Number.isFinite(value));
      return bad < 0 ? column : fail(`finite ${what}`, `${column[bad]} in row ${bad}`);
    });
  };
  const found = columns(factors, "factors").map(factorOf);
  const constant = found.findIndex(({ of }) => of < 2);
  if (constant >= 0) fail("factors of at least 2 values", `1 of factor ${constant} (from 0)`);
  return { codes: columns(codes, "codes"), factors: found, count };
}

/** The levels of a column of few different values. */
export function factorOf(column: ArrayLike<number>): Factor {
  const values = [...new Set(Array.from(column))].sort((a, b) => a - b);
  const places = new Map(values.map((value, i) => [value, i]));
  return { levels: Int32Array.from(column, (value) => places.get(value)!), of: values.length };
}

/** The numbers of the rows that have each level. */
export function rowsByLevel({ levels, of }: Factor): readonly Int32Array<ArrayBuffer>[] {
  const rows = Array.from({ length: of }, () => [] as number[]);
  levels.forEach((level, row) => rows[level].push(row));
  return rows.map((each) => Int32Array.from(each));
}

/**
 * Codes in bins of equal width from the least to the greatest; the greatest is in the last. As numpy.histogram's edges have it.
 *
 * @param column [N]
 */
export function binned(column: Float64Array, bins: number): Factor {
  let [least, greatest] = [Infinity, -Infinity];
  for (const value of column) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  const step = (greatest - least) / bins;
  const edge = (i: number) => least + i * step;
  const levels = Int32Array.from(column, (value) => {
    let bin = step > 0 ? Math.min(bins - 1, Math.floor((value - least) / step)) : 0;
    // Of a quotient that was rounded, the edges decide.
    while (bin > 0 && value < edge(bin)) bin--;
    while (bin < bins - 1 && value >= edge(bin + 1) && step > 0) bin++;
    return bin;
  });
  return { levels, of: bins };
}

/** H(v) = -Σ p log p in nats, of the levels as they are. */
export function entropy({ levels, of }: Factor): number {
  const counts = new Float64Array(of);
  for (const level of levels) counts[level]++;
  return counts.reduce((sum, n) => n === 0 ? sum : sum - n / levels.length * Math.log(n / levels.length), 0);
}

/** I(a; b) = Σ p(a, b) log p(a, b) / (p(a) p(b)) in nats, of the rows as they are: it is biased upwards by about (|a| - 1) (|b| - 1) / 2N. */
export function mutualInformation(a: Factor, b: Factor): number {
  const count = a.levels.length;
  const both = new Float64Array(a.of * b.of);
  const [ofA, ofB] = [new Float64Array(a.of), new Float64Array(b.of)];
  for (let n = 0; n < count; n++) {
    both[a.levels[n] * b.of + b.levels[n]]++;
    ofA[a.levels[n]]++;
    ofB[b.levels[n]]++;
  }
  let sum = 0;
  both.forEach((n, i) => {
    if (n > 0) sum += n / count * Math.log(n * count / (ofA[Math.floor(i / b.of)] * ofB[i % b.of]));
  });
  return Math.max(0, sum);
}

/** I(z_k; v_c) of every code, in bins of equal width, and every factor: K rows of C. */
export function informationMatrix({ codes, factors }: CodedColumns, bins: number): readonly Float64Array[] {
  return codes.map((column) => {
    const code = binned(column, bins);
    return Float64Array.from(factors, (factor) => mutualInformation(code, factor));
  });
}

/** Mean and deviation of a column, divided by N. */
export function momentsOf(column: ArrayLike<number>): { readonly mean: number; readonly deviation: number } {
  let [mean, square] = [0, 0];
  for (let n = 0; n < column.length; n++) mean += column[n] / column.length;
  for (let n = 0; n < column.length; n++) square += (column[n] - mean) ** 2 / column.length;
  return { mean, deviation: Math.sqrt(square) };
}

/** The mean of the difference between the largest and the second largest of each column of K rows of C; with one row, the second is 0. */
export function meanGap(rows: readonly Float64Array[]): number {
  const [{ length: columns }] = rows;
  let sum = 0;
  for (let c = 0; c < columns; c++) {
    const [first, second = 0] = rows.map((row) => row[c]).sort((a, b) => b - a);
    sum += first - second;
  }
  return sum / columns;
}
