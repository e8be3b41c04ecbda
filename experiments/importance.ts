/**
 * Importance-weighted bounds in training.
 *
 * @module
 */

import { slice } from "../core/dataset.ts";
import { logLikelihood } from "../evaluation/mod.ts";
import { barPlot } from "../figures/charts.ts";
import { iwae } from "../models/iwae.ts";
import type { Model } from "../core/model.ts";
import { vae } from "../models/vae.ts";
import { all, type Experiment, resultOf } from "./experiment.ts";
import { finalLoss, measured } from "./losses.ts";

/** Draws of z in training, and the published -log p(x) of the test rows by 5,000 draws. */
const published: readonly (readonly [id: string, model: Model, samples: number, nll: number])[] = [
  ["vae-1", vae as Model, 1, 86.76],
  ["vae-5", vae as Model, 5, 86.47],
  ["vae-50", vae as Model, 50, 86.35],
  ["iwae-5", iwae as Model, 5, 85.54],
  ["iwae-50", iwae as Model, 50, 84.78],
];

/** VAE and IWAE with 1, 5 and 50 draws. */
export const importanceExperiment: Experiment = {
  name: "importance",
  summary: "VAE and IWAE trained with k = 1, 5 and 50 draws of z on 784-200-200-50: -log p(x) of the test rows",
  source: "Burda, Grosse and Salakhutdinov, arXiv:1509.00519, table 1",
  expectations: [
    "More draws improve a VAE by 0.4 nats and an IWAE by 2 nats, so VAE < IWAE k = 5 < IWAE k = 50: a tighter training bound gives a better model.",
    "A replication of the IWAE figures: 85.18 (k = 5) and 84.59 (k = 50).",
  ],
  full: { epochs: 3280 },
  quick: { epochs: 4, rows: 3_000 },
  plan: ({ rows }) =>
    all(published.map(([id, model, samples]) => ({
      id,
      model,
      dataset: "mnist",
      config: {
        hidden: [200, 200],
        latents: 50,
        activation: "tanh",
        samples,
        ...(model.name === "vae" ? { divergence: "sampled" } : {}),
        binarize: "dynamic",
        optimizer: "adam",
        learningRate: 0.001,
        // Stages of 3^i epochs at 1e-3 · 10^(-i/7).
        learningRateSchedule: "tripling",
        learningRateFactor: 10 ** (-1 / 7),
        learningRateSteps: Math.ceil((rows ?? 60_000) / 20),
        epsilon: 1e-4,
        batchSize: 20,
        validation: 0,
      },
    }))),
  async measure({ trained, dataset: { test }, options: { quick }, signal }) {
    const rows = quick ? slice(test, 0, 500) : test;
    const { mean, standardError, elbo } = await logLikelihood(trained, rows, { samples: quick ? 200 : 5000, signal });
    return { nll: -mean, standardError, elbo };
  },
  tables: (results, { quick }) => [{
    name: "importance",
    title: "-log p(x) of test rows, nats per datum",
    columns: [
      "training",
      "k",
      "-log p(x)",
      "published",
      "standard error over rows",
      "ELBO, test",
      "lower bound, train",
    ],
    rows: published.map(([id, model, samples, nll]) => {
      const result = resultOf(results, id);
      return [
        model.name.toUpperCase(),
        samples,
        measured(result, "nll"),
        nll,
        measured(result, "standardError"),
        measured(result, "elbo"),
        finalLoss(result, "elbo"),
      ];
    }),
    notes: [
      `Dynamic binarization. Estimated by ${quick ? "200 draws on 500 rows" : "5,000 draws on 10,000 rows"}.`,
    ],
  }],
  figures: async (results) => {
    const measures = published.map(([id]) => resultOf(results, id)).map((result) => [
      measured(result, "nll")?.mean ?? NaN,
      measured(result, "standardError")?.mean ?? NaN,
    ]);
    return [
      await barPlot({
        name: "nll",
        title: "Test rows under models trained with k draws",
        caption: "-log p(x), the lower the better; the lines are a standard error over rows to both sides.",
        x: "training",
        y: "-log p(x) (nats)",
        bars: {
          categories: published.map(([, model, samples]) => `${model.name.toUpperCase()}, k = ${samples}`),
          values: measures.map(([nll]) => nll),
          spread: measures.map(([, error]) => error),
        },
      }),
    ];
  },
};
