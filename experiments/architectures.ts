/**
 * Depth, widths and latent dimensions.
 *
 * @module
 */

import { vae } from "../models/vae.ts";
import { all, type Experiment, type PointResult, resultOf } from "./experiment.ts";
import { lossCurves, spread } from "./losses.ts";
import { rankCorrelation } from "./rank_correlation.ts";
import { lateLoss, SOURCE, wangNotes, wangSetting } from "./wang.ts";

/** Hidden layers, the latent size last, with reconstruction and KL after 1,000 epochs. */
const structures: readonly (readonly [layers: readonly number[], reconstruction: number, kl: number])[] = [
  [[50, 4], 135.4, 9.1],
  [[500, 4], 114.0, 10.2],
  [[500, 3], 130.7, 7.2],
  [[500, 2], 138.5, 6.4],
  [[500, 500, 5], 100.9, 12.7],
  [[500, 500, 4], 111.1, 10.4],
  [[500, 500, 3], 115.5, 9.1],
  [[500, 500, 2], 130.4, 7.3],
  [[500, 100, 5], 115.4, 10.1],
  [[500, 100, 50, 10, 5], 150.5, 4.3],
  [[500, 100, 50, 10, 2], 150.9, 4.2],
];

const id = (layers: readonly number[]) => layers.join("-");

/** Whether the structures come in the published order, by reconstruction, KL and their sum. */
function orderOf(results: readonly PointResult[]): string {
  const both = structures.map(([layers, nll, kl]) => {
    const result = resultOf(results, id(layers));
    const own = (term: string) => lateLoss(result, term)?.mean ?? NaN;
    return { own: [own("nll"), own("kl")], published: [nll, kl] } as const;
  });
  type Pair = readonly [nll: number, kl: number];
  const correlation = (of: (pair: Pair) => number) =>
    rankCorrelation(both.map(({ own }) => of(own)), both.map(({ published }) => of(published))).toFixed(2);
  const [byNll, byKl, bySum] = [([nll]: Pair) => nll, ([, kl]: Pair) => kl, ([nll, kl]: Pair) => nll + kl].map(
    correlation,
  );
  return `Rank correlation with the published order: ${byNll} by reconstruction, ${byKl} by KL, ${bySum} by their sum.`;
}

/** Eleven structures in one setting. */
export const architecturesExperiment: Experiment = {
  name: "architectures",
  summary: "Eleven structures from [50, 4] to [500, 100, 50, 10, 5]: reconstruction and KL",
  source: `${SOURCE}, table 3`,
  expectations: [
    "More latent dimensions improve the reconstruction and raise the KL: from [500, 500, 2] to [500, 500, 5], reconstruction falls from 130.4 to 100.9 nats.",
    "At equal K, a second hidden layer of 500 gains 2 to 15 nats; with two more narrow layers the loss ends near 150 for every K.",
    "Published values are single runs; expect ±2.",
  ],
  full: { epochs: 1000 },
  quick: { epochs: 3, rows: 10_000 },
  plan: () =>
    all(structures.map(([layers]) => ({
      id: id(layers),
      model: vae,
      dataset: "mnist",
      config: { ...wangSetting, hidden: layers.slice(0, -1), latents: layers.at(-1) },
    }))),
  tables: (results) => [{
    name: "architectures",
    title: "Reconstruction and KL, nats per datum",
    columns: ["structure", "parameters", "reconstruction", "published", "KL", "published", "loss", "published"],
    rows: structures.map(([layers, reconstruction, kl]) => {
      const result = resultOf(results, id(layers));
      return [
        `[${layers.join(", ")}]`,
        result.runs[0].parameters,
        lateLoss(result, "nll"),
        reconstruction,
        lateLoss(result, "kl"),
        kl,
        spread(result, ({ end }) => end.train.loss),
        Number((reconstruction + kl).toFixed(1)),
      ];
    }),
    notes: [orderOf(results), ...wangNotes],
  }],
  figures: async (results) => [
    await lossCurves(
      { name: "curves", title: "Eleven structures", caption: "On MNIST, means over each epoch." },
      structures.map(([layers]) => [`[${layers.join(", ")}]`, resultOf(results, id(layers))] as const),
    ),
  ],
};
