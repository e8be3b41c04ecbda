/**
 * The weight of the KL term.
 *
 * @module
 */

import { reconstructions, samples } from "../figures/images.ts";
import { encodeRows, latentScatter } from "../figures/latents.ts";
import { betaVae } from "../models/beta_vae.ts";
import { all, type Experiment, resultOf } from "./experiment.ts";
import { lossCurves, renamed } from "./losses.ts";
import { lateLoss, SOURCE, wangNotes, wangSetting } from "./wang.ts";

const BETAS = [1, 2, 5, 50] as const;

const id = (beta: number) => `beta-${beta}`;

/** β = 1, 2, 5 and 50 on [500, 20]. */
export const betaExperiment: Experiment = {
  name: "beta",
  summary: "β-VAE with β = 1, 2, 5 and 50 on [500, 20]: losses, samples, reconstructions, latent spaces",
  source: SOURCE,
  expectations: [
    "Only pictures were published for these four.",
    "A larger β lowers the KL and worsens the reconstruction; β above 1 loosens the bound and never tightens it.",
    "At β = 50 the posterior nearly equals the prior, and the decoder gives almost the same image for every z.",
  ],
  full: { epochs: 1000 },
  quick: { epochs: 4, rows: 20_000 },
  plan: () =>
    all(BETAS.map((beta) => ({
      id: id(beta),
      model: betaVae,
      dataset: "mnist",
      config: { ...wangSetting, hidden: [500], latents: 20, beta },
    }))),
  tables: (results) => [{
    name: "beta",
    title: "Losses, nats per datum",
    columns: ["β", "reconstruction", "KL", "loss = reconstruction + β KL", "lower bound"],
    rows: BETAS.map((beta) => {
      const result = resultOf(results, id(beta));
      return [beta, ...["nll", "kl", "loss", "elbo"].map((term) => lateLoss(result, term))];
    }),
    notes: wangNotes,
  }],
  async figures(results, { open, dataset }) {
    const figures = [
      await lossCurves(
        { name: "curves", title: "Four weights of the KL", caption: "[500, 20] on MNIST, means over each epoch." },
        BETAS.map((beta) => [`β = ${beta}`, resultOf(results, id(beta))] as const),
      ),
    ];
    const { test } = await dataset("mnist");
    for (const beta of BETAS) {
      using trained = await open(resultOf(results, id(beta)));
      const drawn = [
        await latentScatter(await encodeRows(trained, test)),
        await samples(trained, { count: 50 }),
        await reconstructions(trained, test, { count: 20 }),
      ];
      for (const figure of drawn) {
        figures.push(renamed(figure, `${figure.name}-${id(beta)}`, `${figure.title}, β = ${beta}`));
      }
    }
    return figures;
  },
};
