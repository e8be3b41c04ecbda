/**
 * The weight of the KL term of a conditional VAE.
 *
 * @module
 */

import type { Figure } from "../figures/figure.ts";
import { labelGrid, manifold, rowsOfLabel, samples } from "../figures/images.ts";
import { encodeRows, latentScatter, priorAndPosterior } from "../figures/latents.ts";
import { cvae } from "../models/cvae.ts";
import { all, type Experiment, resultOf } from "./experiment.ts";
import { finalLoss, measured, renamed } from "./losses.ts";

const BETAS = [0.01, 1, 50] as const;

const id = (beta: number) => `beta-${beta}`;

/** The label whose images are drawn at many z. */
const LABEL = 4;

/** Small, medium and large β on 784-500-2 with labels. */
export const betaCvaeExperiment: Experiment = {
  name: "beta-cvae",
  summary: "β-CVAE with a small, a medium and a large β, K = 2: posterior against prior, and one label at many z",
  source: "Beaulac, arXiv:2103.12679, figures 9 to 11",
  expectations: [
    "Published as pictures. A small β leaves the posteriors where reconstruction puts them, far from the prior: z drawn from the prior fall where no datum is, and samples suffer.",
    "A medium β fills the prior, and at one label z is the style: slant, width, stroke.",
    "At a large β every posterior is the prior: all z give the same image, the mean of the label.",
  ],
  full: { epochs: 100 },
  quick: { epochs: 5, rows: 15_000 },
  plan: () =>
    all(BETAS.map((beta) => ({
      id: id(beta),
      model: cvae,
      dataset: "mnist",
      // Squared error + β KL.
      config: {
        hidden: [500],
        latents: 2,
        likelihood: "gaussian",
        sigma: Math.SQRT1_2,
        outputActivation: "sigmoid",
        validation: 0,
        beta,
      },
    }))),
  async measure({ trained, dataset: { test } }) {
    const { mean, logVariance, count, latents } = await encodeRows(trained, test);
    const average = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = average(mean.map((value) => value ** 2));
    const variance = average(logVariance.map(Math.exp));
    // Mean squared difference of images of one label at two z each.
    const pairs = 200;
    const labels = new Array<number>(2 * pairs).fill(LABEL);
    const images = await trained.sample({ count: 2 * pairs, labels, seed: count + latents });
    const half = images.length / 2;
    const difference = average(images.subarray(0, half).map((value, i) => (value - images[half + i]) ** 2));
    return {
      sigma: average(logVariance.map((v) => Math.exp(v / 2))),
      aggregate: Math.sqrt(squares + variance),
      difference,
    };
  },
  tables: (results) => [{
    name: "beta-cvae",
    title: "Squared error + β KL, K = 2",
    columns: [
      "β",
      "squared error",
      "KL (nats)",
      "σ of q(z given x), mean",
      "root mean square of z ~ q(z)",
      `squared difference a pixel, two samples of label ${LABEL}`,
    ],
    rows: BETAS.map((beta) => {
      const result = resultOf(results, id(beta));
      const nll = finalLoss(result, "nll");
      return [
        beta,
        nll && { ...nll, mean: nll.mean - 784 / 2 * Math.log(Math.PI) },
        finalLoss(result, "kl"),
        ...["sigma", "aggregate", "difference"].map((name) => measured(result, name)),
      ];
    }),
    notes: ["Squared error and KL of training rows, the rest of test rows. z ~ p(z) has a root mean square of 1."],
  }],
  async figures(results, { open, dataset }) {
    const { test } = await dataset("mnist");
    const figures: Figure[] = [];
    for (const beta of BETAS) {
      using trained = await open(resultOf(results, id(beta)));
      const encodings = await encodeRows(trained, test);
      const drawn = [
        await priorAndPosterior(encodings),
        await latentScatter(encodings),
        await samples(trained, { count: 50, labels: [LABEL] }),
        await manifold(trained, rowsOfLabel(test, LABEL, 1), { size: 12 }),
        await labelGrid(trained),
      ];
      for (const figure of drawn) {
        figures.push(renamed(figure, `${figure.name}-${id(beta)}`, `${figure.title}, β = ${beta}`));
      }
    }
    return figures;
  },
};
