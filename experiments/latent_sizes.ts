/**
 * The number of latent dimensions.
 *
 * @module
 */

import { linePlot } from "../figures/charts.ts";
import { vae } from "../models/vae.ts";
import { all, type Experiment, type Point, type PointResult } from "./experiment.ts";
import { course, dataSeen, finalLoss } from "./losses.ts";
import { SOURCE, wangSetting } from "./wang.ts";

/** Both parts: on Frey faces the likelihood is Gaussian, with mean and deviation from the decoder. */
const parts = [
  {
    dataset: "mnist",
    title: "MNIST",
    latents: [2, 3, 5, 10, 20, 200],
    config: { hidden: [500], validation: 10_000 },
  },
  {
    dataset: "frey_faces",
    title: "Frey faces",
    latents: [2, 5, 10, 20],
    config: { hidden: [200], validation: 200, likelihood: "gaussian-decoder", outputActivation: "sigmoid" },
  },
] as const;

const points: readonly Point[] = parts.flatMap(({ dataset, latents, config }) =>
  latents.map((k) => ({
    id: `${dataset}-${k}`,
    model: vae,
    dataset,
    optional: dataset === "frey_faces",
    config: { ...wangSetting, activation: "tanh", towers: 1, learningRate: 0.02, ...config, latents: k },
  }))
);

/** The results of a part, from few latent dimensions to many. */
function resultsOf(results: readonly PointResult[], dataset: string): readonly (readonly [number, PointResult])[] {
  return results.filter(({ point }) => point.dataset === dataset)
    .map((result) => [Number(result.point.config.latents), result] as const);
}

/** The lower bound over data seen, for several K. */
export const latentSizesExperiment: Experiment = {
  name: "latent-sizes",
  summary:
    "The lower bound over data seen for K = 2 to 200 on MNIST and 2 to 20 on Frey faces, training and held-out rows",
  source: `Kingma and Welling, arXiv:1312.6114, figure 2; ${SOURCE}`,
  expectations: [
    "Published as curves: the bound rises with K up to about 20; further dimensions cost nothing, because they are switched off.",
    "Held-out rows stay close to training rows even at K = 200: the KL term regularizes.",
  ],
  full: { epochs: 1000 },
  quick: { epochs: 3, rows: 10_000 },
  plan: () => all(points),
  tables: (results) =>
    parts.flatMap(({ dataset, title }) => {
      const own = resultsOf(results, dataset);
      if (own.length === 0) return [];
      return [{
        name: `latent-sizes-${dataset}`,
        title: `${title}, nats per datum`,
        columns: ["K", "lower bound, train", "held out", "NLL, train", "held out", "KL, train", "held out"],
        rows: own.map(([k, result]) => [
          k,
          ...["elbo", "nll", "kl"].flatMap((term) =>
            (["train", "validation"] as const).map((side) => finalLoss(result, term, side))
          ),
        ]),
        notes: [
          dataset === "mnist"
            ? "Grey pixels with a Bernoulli loss: no likelihood, comparable only with the same."
            : "A density of grey values: it may be above 0, and compares only with densities of the same values.",
        ],
      }];
    }),
  figures: (results) =>
    Promise.all(
      parts.map(({ dataset, title }) => ({ title, dataset, own: resultsOf(results, dataset) }))
        .filter(({ own }) => own.length > 0)
        .flatMap(({ dataset, title, own }) =>
          (["train", "validation"] as const).map((side) => {
            const rows = side === "train" ? "training rows" : "held-out rows";
            return linePlot({
              name: `bound-${dataset}-${side}`,
              title: `${title}, ${rows}`,
              caption: `The lower bound of ${rows} after each epoch, over the data seen until then.`,
              x: "data seen",
              y: "lower bound (nats per datum)",
              logX: true,
              series: own.map(([k, result]) => course(`K = ${k}`, result, ({ elbo }) => elbo, side, dataSeen(result))),
            });
          })
        ),
    ),
};
