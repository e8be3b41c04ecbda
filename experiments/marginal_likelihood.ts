/**
 * The marginal likelihood of small models, by two estimators.
 *
 * @module
 */

import { slice } from "../core/dataset.ts";
import { logLikelihood } from "../evaluation/mod.ts";
import { panels } from "../figures/charts.ts";
import { vae } from "../models/vae.ts";
import { all, type Experiment, type Measuring, resultOf } from "./experiment.ts";
import { dataSeen, finalLoss, isMilestone, lossCurves, measured, measuredCourse } from "./losses.ts";
import { SOURCE, wangSetting } from "./wang.ts";

/** Training rows, N. */
const ROWS = [1000, 50_000] as const;

/** L, draws of z for each datum. */
const DRAWS = 50;

/** Rows that are measured. */
const MEASURED = 1000;

const id = (rows: number) => `rows-${rows}`;

/** The bound and both estimates, of training and test rows. */
async function likelihoods({ trained, dataset: { train, test }, signal }: Measuring): Promise<Record<string, number>> {
  const options = { samples: DRAWS, signal };
  const sides = { train: slice(train, 0, Math.min(MEASURED, train.count)), test: slice(test, 0, MEASURED) };
  const found: Record<string, number> = {};
  for (const [side, rows] of Object.entries(sides)) {
    const importance = await logLikelihood(trained, rows, options);
    const harmonic = await logLikelihood(trained, rows, { ...options, estimator: "harmonic" });
    found[`${side} elbo`] = importance.elbo;
    found[`${side} importance`] = importance.mean;
    found[`${side} harmonic`] = harmonic.mean;
  }
  return found;
}

const ESTIMATES = ["importance", "harmonic"] as const;

/** 784-100-3, N = 1,000 and 50,000. */
export const marginalLikelihoodExperiment: Experiment = {
  name: "marginal-likelihood",
  summary: "log p(x) of 784-100-3 trained on 1,000 and on 50,000 rows: importance sampling beside the harmonic replica",
  source: `Kingma and Welling, arXiv:1312.6114, figure 3; ${SOURCE}`,
  expectations: [
    "Published as curves over the number of training samples, estimated by the harmonic form with L = 50.",
    "With 1,000 rows, training and test likelihood diverge early; with 50,000 they stay together.",
    "Importance sampling lies between the ELBO and log p(x). The harmonic form, with draws from q instead of the true posterior, is biased downwards in the limit and dominated by the least probable draws; it only reproduces what was published.",
  ],
  full: { epochs: 500 },
  quick: { epochs: 5 },
  plan: ({ quick, epochs }) => {
    const used = ROWS.map((rows) => quick ? Math.min(rows, 10_000) : rows);
    return all(ROWS.map((rows, i) => ({
      id: id(rows),
      model: vae,
      dataset: "mnist",
      rows: used[i],
      config: {
        ...wangSetting,
        hidden: [100],
        latents: 3,
        activation: "tanh",
        towers: 1,
        learningRate: 0.02,
        // As many data seen by the small set as by the large one.
        epochs: epochs * Math.max(...used) / used[i],
      },
    })));
  },
  measure: likelihoods,
  measureEpoch: async (measuring, epoch) => isMilestone(epoch) ? await likelihoods(measuring) : undefined,
  tables: (results) => [{
    name: "marginal-likelihood",
    title: `log p(x) of ${MEASURED} rows with L = ${DRAWS}, nats per datum`,
    columns: [
      "N",
      "epochs",
      ...["train", "test"].flatMap((side) => ["ELBO", "importance", "harmonic"].map((n) => `${n}, ${side}`)),
    ],
    rows: ROWS.map((rows) => {
      const result = resultOf(results, id(rows));
      return [
        result.point.rows,
        Number(result.point.config.epochs),
        ...["train", "test"].flatMap((side) =>
          ["elbo", "importance", "harmonic"].map((name) => measured(result, `${side} ${name}`))
        ),
      ];
    }),
    notes: [
      "Grey pixels with a Bernoulli loss, as published: no likelihood in the strict sense, comparable only with the same.",
    ],
  }],
  figures: async (results) => [
    await panels({
      name: "likelihood",
      title: "log p(x) over data seen",
      caption: `784-100-3 on MNIST; ${MEASURED} rows, L = ${DRAWS}, by importance sampling and by the harmonic form.`,
      columns: 2,
      panels: ESTIMATES.map((estimate) => ({
        title: estimate,
        x: "data seen",
        y: "log p(x) (nats per datum)",
        logX: true,
        series: results.flatMap((result) =>
          (["train", "test"] as const).map((side) =>
            measuredCourse(
              `N = ${result.point.rows?.toLocaleString("en-US")}, ${side}`,
              result,
              `${side} ${estimate}`,
              dataSeen(result),
            )
          )
        ),
      })),
    }),
    await lossCurves(
      {
        name: "curves",
        title: "784-100-3 on few rows and on many",
        caption: "MNIST, training rows, means over each epoch.",
      },
      results.filter((result) => finalLoss(result, "elbo")).map((result) =>
        [`N = ${result.point.rows?.toLocaleString("en-US")}`, result] as const
      ),
    ),
  ],
};
