/**
 * Models that are to disentangle, strengths of what makes them, and seeds: what decides how disentangled the latents become.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import { disentanglement } from "../evaluation/mod.ts";
import { panels } from "../figures/charts.ts";
import type { Figure } from "../figures/figure.ts";
import { dataRows, traversals } from "../figures/images.ts";
import { encodeRows } from "../figures/latents.ts";
import { betaTcvae } from "../models/beta_tcvae.ts";
import { betaVae } from "../models/beta_vae.ts";
import { dipVae } from "../models/dip_vae.ts";
import { factorVae } from "../models/factor_vae.ts";
import { all, type Experiment, type Options, type Point, type PointResult, resultOf } from "./experiment.ts";
import { measured, renamed } from "./losses.ts";
import { spreadOf } from "../core/spread.ts";

/** A model, and the strengths that it is trained with. */
interface Family {
  readonly name: string;
  readonly model: Model;
  /** What a strength is: β, γ, C, λ. */
  readonly symbol: string;
  /** Six, of which a quick run takes the second and the fifth. */
  readonly strengths: readonly number[];
  config(strength: number, steps: number, quick: boolean): object;
}

const families: readonly Family[] = [
  {
    name: "β-VAE",
    model: betaVae as Model,
    symbol: "β",
    strengths: [1, 2, 4, 6, 8, 16],
    config: (beta) => ({ beta }),
  },
  {
    name: "AnnealedVAE",
    model: betaVae as Model,
    symbol: "C",
    strengths: [5, 10, 25, 50, 75, 100],
    // The capacity grows over a third of the training.
    config: (capacity, steps) => ({ beta: 1000, capacity, betaSteps: Math.max(1, Math.round(steps / 3)) }),
  },
  {
    name: "FactorVAE",
    model: factorVae as Model,
    symbol: "γ",
    strengths: [10, 20, 30, 40, 50, 100],
    // The study's discriminator has six layers of 1,000 units, of rate 1e-4.
    config: (penaltyWeight, _, quick) => ({
      penaltyWeight,
      ...(quick
        ? { discriminatorHidden: [128, 128], discriminatorRate: 1e-3 }
        : { discriminatorHidden: new Array<number>(6).fill(1000), discriminatorRate: 1e-4 }),
    }),
  },
  {
    name: "DIP-VAE-I",
    model: dipVae as Model,
    symbol: "λ",
    strengths: [1, 2, 5, 10, 20, 50],
    config: (weight) => ({ penalty: "dip-1", penaltyWeight: weight, diagonalWeight: 10 * weight }),
  },
  {
    name: "DIP-VAE-II",
    model: dipVae as Model,
    symbol: "λ",
    strengths: [1, 2, 5, 10, 20, 50],
    config: (weight) => ({ penalty: "dip-2", penaltyWeight: weight, diagonalWeight: weight }),
  },
  {
    name: "β-TCVAE",
    model: betaTcvae as Model,
    symbol: "β",
    strengths: [1, 2, 4, 6, 8, 10],
    config: (beta) => ({ penaltyWeight: beta - 1, estimator: "weighted" }),
  },
];

/** Rows of the dataset that are trained on. */
const ROWS = 20_000;

/** The measures, by their names in {@linkcode Measures}. */
const MEASURES = [
  "β-VAE score",
  "FactorVAE score",
  "MIG",
  "SAP",
  "modularity",
  "DCI",
  "InfoM",
  "InfoC",
  "InfoE",
] as const;

/** Those that the study compares. */
const STUDIED = MEASURES.slice(0, 6);

function strengthsOf({ strengths }: Family, { quick }: Pick<Options, "quick">): readonly number[] {
  return quick ? [strengths[1], strengths[4]] : strengths;
}

const id = ({ name }: Family, strength: number) => `${name.toLowerCase().replace("β", "beta")}-${strength}`;

function points(options: Options): readonly Point[] {
  const { quick, epochs, rows = ROWS } = options;
  const batchSize = quick ? 128 : 64;
  const setting = {
    latents: 10,
    hidden: [256],
    activation: "relu",
    likelihood: "bernoulli",
    binarize: "threshold",
    optimizer: "adam",
    learningRate: quick ? 1e-3 : 1e-4,
    batchSize,
    validation: 0,
    // Four convolutions of 4 x 4 in the study, on images of 64 x 64.
    ...(quick ? {} : { encoder: "conv", channels: [32, 32, 64] }),
  };
  return families.flatMap((family) =>
    strengthsOf(family, options).map((strength) => ({
      id: id(family, strength),
      model: family.model,
      dataset: "sprites",
      config: { ...setting, ...family.config(strength, epochs * Math.ceil(rows / batchSize), quick) },
    }))
  );
}

/** Shares of the variance of scores: between models, between strengths of a model, and between seeds of the same of both. */
export interface Shares {
  readonly model: number;
  readonly strength: number;
  readonly seed: number;
}

/**
 * Σ (x - x̄)² taken apart into that of the models' means, that of the strengths' means within each model, and the rest.
 *
 * @param scores One list for each model, of one for each strength, of one score for each seed.
 */
export function varianceShares(scores: readonly (readonly (readonly number[])[])[]): Shares {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = (values: readonly number[], from: number) =>
    values.reduce((sum, value) => sum + (value - from) ** 2, 0);
  const total = squares(scores.flat(2), mean(scores.flat(2)));
  const withinModels = scores.reduce((sum, model) => sum + squares(model.flat(), mean(model.flat())), 0);
  const withinStrengths = scores.flat().reduce((sum, seeds) => sum + squares(seeds, mean(seeds)), 0);
  if (total === 0) return { model: 0, strength: 0, seed: 0 };
  return {
    model: 1 - withinModels / total,
    strength: (withinModels - withinStrengths) / total,
    seed: withinStrengths / total,
  };
}

const scoresOf = ({ runs }: PointResult, measure: string) => runs.map(({ measures }) => Number(measures[measure]));

const resultsOf = (results: readonly PointResult[], family: Family, options: Pick<Options, "quick">) =>
  strengthsOf(family, options).map((strength) => [strength, resultOf(results, id(family, strength))] as const);

/** The run of the highest or the lowest MIG. */
function extremeRun(results: readonly PointResult[], sign: 1 | -1) {
  const runs = results.flatMap((result) => result.runs.map((run) => ({ result, run })));
  const mig = ({ run: { measures } }: typeof runs[number]) => sign * Number(measures.MIG);
  return runs.reduce((best, one) => mig(one) > mig(best) ? one : best);
}

/** Six models, strengths and seeds on sprites. */
export const disentanglementExperiment: Experiment = {
  name: "disentanglement",
  summary:
    "β-VAE, AnnealedVAE, FactorVAE, DIP-VAE I and II and β-TCVAE by strength and seed on sprites: how disentangled, and what decides it",
  source: "Locatello et al., arXiv:1811.12359",
  expectations: [
    "The study: six models x six strengths x 50 seeds on seven datasets. Seeds and strengths matter more than the model: a good run of a bad strength beats a bad run of a good one.",
    "No strength is best throughout, and none can be chosen without labels.",
    "Scores of different measures agree in part; modularity agrees with none.",
  ],
  // 300,000 steps of 64 rows.
  full: { epochs: 960, seeds: 50 },
  quick: { epochs: 5, rows: 10_000, seeds: 2 },
  plan: (options) => all(points(options)),
  async measure({ trained, dataset: { test }, options: { quick }, signal }) {
    const found = await disentanglement(trained, test, { ...(quick ? { rows: 600 } : {}), signal });
    const { dci, infoMec } = found;
    const scores: Record<typeof MEASURES[number], number> = {
      "β-VAE score": found.betaVaeScore,
      "FactorVAE score": found.factorVaeScore,
      "MIG": found.mutualInformationGap,
      "SAP": found.separatedAttributePredictability,
      "modularity": found.modularity,
      "DCI": dci.disentanglement,
      "InfoM": infoMec.modularity,
      "InfoC": infoMec.compactness,
      "InfoE": infoMec.explicitness,
    };
    return scores;
  },
  tables: (results, options) => [
    {
      name: "disentanglement",
      title: "Scores of test rows, from 0 to about 1, the more disentangled the larger",
      columns: ["model", "strength", ...MEASURES],
      rows: families.flatMap((family) =>
        resultsOf(results, family, options).map(([strength, result]) => [
          family.name,
          `${family.symbol} = ${strength}`,
          ...MEASURES.map((measure) => measured(result, measure)),
        ])
      ),
      notes: [
        `Of the means of q(z | x) of ${options.quick ? "600" : "4,000"} rows; K = 10.`,
        ...(options.quick
          ? ["Quick: dense layers of 256 units, Adam 1e-3, batch 128; in full, convolutions, Adam 1e-4, batch 64."]
          : []),
      ],
    },
    {
      name: "variance",
      title: "What the variance of a score over all runs is due to",
      columns: [
        "measure",
        "model",
        "strength within a model",
        "seed",
        "range over seeds, mean",
        "range of the models' means",
      ],
      rows: STUDIED.map((measure) => {
        const scores = families.map((family) =>
          resultsOf(results, family, options).map(([, result]) => scoresOf(result, measure))
        );
        const { model, strength, seed } = varianceShares(scores);
        const range = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
        const means = scores.map((each) => spreadOf(each.flat())?.mean ?? NaN);
        const groups = scores.flat();
        return [
          measure,
          ...[model, strength, seed, groups.reduce((sum, seeds) => sum + range(seeds) / groups.length, 0), range(means)]
            .map((value) => spreadOf([value])),
        ];
      }),
      notes: [
        byChance(families.length, families.length * strengthsOf(families[0], options).length, options.seeds),
      ],
    },
  ],
  async figures(results, { options, open, dataset }) {
    const { test } = await dataset("sprites");
    const figures: Figure[] = [
      await panels({
        name: "scores",
        title: "Scores over strengths, with one deviation over seeds",
        caption: "Each model's strengths from the weakest to the strongest, as the study has them.",
        panels: STUDIED.map((measure) => ({
          title: measure,
          x: "strength, by its place",
          y: measure,
          series: families.map((family) => {
            const spreads = resultsOf(results, family, options).map(([strength, result]) => ({
              place: family.strengths.indexOf(strength) + 1,
              spread: measured(result, measure),
            }));
            const ends = (sign: number) =>
              spreads.map(({ spread }) => (spread?.mean ?? NaN) + sign * (spread?.deviation ?? 0));
            return {
              name: family.name,
              x: spreads.map(({ place }) => place),
              y: ends(0),
              ...(options.seeds > 1 ? { lower: ends(-1), upper: ends(1) } : {}),
            };
          }),
        })),
      }),
    ];
    for (const [which, sign] of [["highest", 1], ["lowest", -1]] as const) {
      const { result, run } = extremeRun(results, sign);
      using trained = await open(result, run);
      if (figures.length === 1) figures.push(dataRows(trained, test, { count: 40 }));
      const figure = await traversals(trained, test, { encodings: await encodeRows(trained, test) });
      const what = `the ${which} MIG, ${Number(run.measures.MIG).toFixed(2)}: ${result.point.id}, seed ${run.seed}`;
      figures.push(renamed(figure, `traversals-${which}`, `Traversals of ${what}`));
    }
    return figures;
  },
};

/** What shares would be if nothing but chance decided. */
function byChance(models: number, groups: number, seeds: number): string {
  const runs = groups * seeds;
  const percent = (part: number) => `${Math.round(100 * part / (runs - 1))} %`;
  return `Shares of the sum of squares over ${runs} runs. By chance alone the model would have ${
    percent(models - 1)
  }, the strength ` +
    `${percent(groups - models)} and the seed ${percent(runs - groups)}.`;
}
