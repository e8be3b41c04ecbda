/**
 * Every measure of disentanglement of a model's codes, on data whose factors are known.
 *
 * @module
 */

import { pick, type Split } from "../core/dataset.ts";
import { permutation } from "../core/graph/random.ts";
import type { Trained } from "../core/training/trained.ts";
import { betaVaeScore } from "./beta_vae_score.ts";
import { binned, type Coded } from "./coded.ts";
import { type Dci, dci } from "./dci.ts";
import { factorVaeScore } from "./factor_vae_score.ts";
import { type InfoMec, infoMec } from "./info_mec.ts";
import { modularity } from "./modularity.ts";
import { mutualInformationGap } from "./mutual_information_gap.ts";
import { separatedAttributePredictability } from "./separated_attribute_predictability.ts";

/** How {@linkcode disentanglement} measures. The defaults are those of Locatello et al., arXiv:1811.12359. */
export interface DisentanglementOptions {
  /** Rows, drawn from the split: two thirds to train predictors on, one to test them on. Default: 15,000, or all of fewer. */
  readonly rows?: number;
  /** Bins that codes, and factors of more than 100 values, are cut into. Default: 20. */
  readonly bins?: number;
  /** Pairs of rows for a point of the β-VAE score, and rows for a vote of the FactorVAE score. Default: 64. */
  readonly votes?: number;
  /** What the factors are called. Default: as the covariates of the data that the model was trained on. */
  readonly factors?: readonly string[];
  /** Of the rows and of the draws. Default: 0. */
  readonly seed?: number;
  /** Called now and then with the fraction done. */
  readonly onProgress?: (done: number) => void;
  /** Stops it. */
  readonly signal?: AbortSignal;
}

/** What {@linkcode disentanglement} gives: every score about from 0 to 1, the more disentangled the larger. */
export interface Disentanglement {
  /** {@linkcode betaVaeScore} */
  readonly betaVaeScore: number;
  /** {@linkcode factorVaeScore} */
  readonly factorVaeScore: number;
  /** {@linkcode mutualInformationGap} */
  readonly mutualInformationGap: number;
  /** {@linkcode separatedAttributePredictability}, of classes */
  readonly separatedAttributePredictability: number;
  /** {@linkcode modularity} */
  readonly modularity: number;
  /** {@linkcode dci} */
  readonly dci: Dci;
  /** {@linkcode infoMec} */
  readonly infoMec: InfoMec;
  /** The factors measured, with how many values each has in the rows; `binned` where it was cut into bins. */
  readonly factors: readonly { readonly name: string; readonly values: number; readonly binned: boolean }[];
  /** Factors that never change in the rows. */
  readonly leftOut: readonly string[];
  /** K */
  readonly latents: number;
  /** N */
  readonly count: number;
}

/** Values above which a factor is taken for a number of any value. */
const MOST_VALUES = 100;

/** Different values of a code up to which it is taken for one of a codebook. */
const FEW_CODES = 32;

/**
 * The β-VAE and FactorVAE scores, MIG, SAP, DCI, modularity and InfoMEC of the means of q(z | x), against the covariates of the rows.
 *
 * @throws {RangeError} If the rows have no covariates, or none of them ever changes.
 * @throws {TypeError} If the model has no encoder.
 */
export async function disentanglement(
  trained: Trained,
  split: Split,
  options: DisentanglementOptions = {},
): Promise<Disentanglement> {
  const { rows = 15_000, bins = 20, votes = 64, seed = 0, onProgress, signal } = options;
  const { covariates } = split;
  if (!covariates) throw new RangeError("Cannot measure disentanglement: expected rows with known factors, found none");
  const order = permutation(split.count, seed, 0);
  const part = pick(split, Array.from({ length: Math.min(rows, split.count) }, (_, i) => order(i)));
  const { count } = part;
  const width = covariates.length / split.count;
  const { factors: names = trained.data.covariates ?? [] } = options;
  const found = Array.from({ length: width }, (_, c) => {
    const column = Float64Array.from({ length: count }, (_, n) => part.covariates![n * width + c]);
    const values = new Set(column).size;
    const cut = values > MOST_VALUES;
    return { name: names[c] ?? `c${c}`, values, binned: cut, column: cut ? binned(column, bins).levels : column };
  });
  const used = found.filter(({ values }) => values > 1);
  if (used.length === 0) {
    throw new RangeError("Cannot measure disentanglement: expected a factor that changes, found none");
  }
  const { mean: codes } = await trained.encode(trained.rowsOf(part, 0, count, seed), part);
  const factors = Float64Array.from(
    { length: count * used.length },
    (_, i) => used[i % used.length].column[Math.floor(i / used.length)],
  );
  const coded: Coded = { codes, factors, count };
  const latents = codes.length / count;
  const discrete = Array.from({ length: latents }, (_, k) => k).every((k) => {
    const different = new Set<number>();
    for (let n = 0; n < count && different.size <= FEW_CODES; n++) different.add(codes[n * latents + k]);
    return different.size <= FEW_CODES;
  });
  const parts = {
    betaVaeScore: () => betaVaeScore(coded, { pairs: votes, seed }),
    factorVaeScore: () => factorVaeScore(coded, { rows: votes, seed }),
    mutualInformationGap: () => mutualInformationGap(coded, { bins }),
    separatedAttributePredictability: () => separatedAttributePredictability(coded),
    modularity: () => modularity(coded, { bins }),
    infoMec: () => infoMec(coded, { discrete }),
    dci: () => dci(coded),
  };
  const measures = Object.entries(parts);
  const scores: Record<string, unknown> = {};
  for (const [i, [name, measure]] of measures.entries()) {
    // Seconds of arithmetic each: between them others have their turn, and it can be stopped.
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    scores[name] = measure();
    onProgress?.((i + 1) / measures.length);
  }
  return {
    ...scores as { [name in keyof typeof parts]: ReturnType<typeof parts[name]> },
    factors: used.map(({ name, values, binned: cut }) => ({ name, values: cut ? bins : values, binned: cut })),
    leftOut: found.filter(({ values }) => values < 2).map(({ name }) => name),
    latents,
    count,
  };
}
