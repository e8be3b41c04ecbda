/**
 * What each term of the loss does, and what linear models reach at as many latent dimensions.
 *
 * @module
 */

import { imageQuality } from "../evaluation/mod.ts";
import { slice } from "../core/dataset.ts";
import type { Model } from "../core/model.ts";
import { reconstructions } from "../figures/images.ts";
import { encodeRows, latentScatter } from "../figures/latents.ts";
import { ae } from "../models/ae.ts";
import { betaVae } from "../models/beta_vae.ts";
import { pca } from "../models/pca.ts";
import { ppca } from "../models/ppca.ts";
import { vae } from "../models/vae.ts";
import { all, type Experiment, type Point, resultOf } from "./experiment.ts";
import { klOnly } from "./kl_only.ts";
import { measured, renamed } from "./losses.ts";

/** Both sides of the comparison use squared error: a Gaussian of fixed σ² = 1/2, so that loss = ‖x - x̂‖² + KL + a constant. */
const squaredError = { likelihood: "gaussian", sigma: Math.SQRT1_2, validation: 0 };

/** A latent space of two dimensions. */
interface Space {
  readonly id: string;
  readonly title: string;
  readonly model: Model;
  readonly module?: string;
  readonly config?: object;
}

const deep = { hidden: [500], ...squaredError };

const spaces: readonly Space[] = [
  { id: "ae-2", title: "Autoencoder: reconstruction alone", model: ae as Model },
  // Draws without a KL: nothing holds their variance.
  { id: "no-kl-2", title: "VAE without the KL", model: betaVae as Model, config: { beta: 0 } },
  { id: "kl-2", title: "KL alone", model: klOnly as Model, module: new URL("./kl_only.ts", import.meta.url).href },
  { id: "vae-2", title: "VAE: both", model: vae as Model },
];

/** K of the comparison with linear models. */
const LATENTS = 20;

const reconstructing = [
  { id: `pca-${LATENTS}`, title: "PCA", model: pca as Model, config: { validation: 0 } },
  { id: `ppca-${LATENTS}`, title: "pPCA", model: ppca as Model, config: { validation: 0 } },
  {
    id: `linear-ae-${LATENTS}`,
    title: "linear autoencoder",
    model: ae as Model,
    config: { ...squaredError, hidden: [] },
  },
  { id: `ae-${LATENTS}`, title: "autoencoder", model: ae as Model, config: deep },
  // The effective β of σ = 0.1 is 0.02: with 1 a VAE gives up reconstruction for a small KL.
  { id: `vae-${LATENTS}`, title: "VAE, σ = 0.1", model: vae as Model, config: { ...deep, sigma: 0.1 } },
] as const;

const points: readonly Point[] = [
  ...spaces.map(({ title: _, ...point }) => ({ ...point, config: { ...deep, ...point.config, latents: 2 } })),
  ...reconstructing.map(({ title: _, ...point }) => ({ ...point, config: { ...point.config, latents: LATENTS } })),
].map((point) => ({ dataset: "mnist", ...point }));

/** How far the means of the posteriors lie apart, and how wide each posterior is, over all latent dimensions. */
function deviations(
  latents: number,
  { mean, logVariance }: { readonly mean: Float32Array; readonly logVariance: Float32Array },
): { spread: number; sigma: number; share: number } {
  const average = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const centres = Array.from({ length: latents }, (_, k) => average(mean.filter((_, i) => i % latents === k)));
  const spread = Math.sqrt(average(mean.map((value, i) => (value - centres[i % latents]) ** 2)));
  const sigma = average(logVariance.map((value) => Math.exp(value / 2)));
  return { spread, sigma, share: sigma / spread };
}

/** AE, VAE without KL, KL only and VAE; PCA, pPCA, linear AE, AE and VAE. */
export const autoencodersExperiment: Experiment = {
  name: "autoencoders",
  summary:
    "Latent spaces of reconstruction alone, with and without noise, KL alone and both; reconstructions of PCA, pPCA, linear AE, AE and VAE",
  source:
    "Kingma and Welling, arXiv:1312.6114; Tipping and Bishop, JRSS B 61(3), 1999; Baldi and Hornik, Neural Networks 2, 1989",
  expectations: [
    "The reconstruction term alone leaves gaps between classes and fixes no scale; the KL alone maps every datum to the origin; together they fill the prior with classes side by side.",
    "A VAE without its KL becomes an autoencoder: its posteriors shrink to points, or the means move apart, until the noise is small beside them.",
    "A linear autoencoder spans the subspace of PCA and cannot reconstruct better; pPCA reconstructs slightly worse, because its posterior mean shrinks towards 0.",
    "A deep autoencoder reconstructs better than PCA at equal K; a VAE gives up part of that gain for its KL.",
  ],
  full: { epochs: 100 },
  quick: { epochs: 4, rows: 15_000 },
  plan: () => all(points),
  async measure({ trained, dataset: { test } }) {
    const rows = trained.rowsOf(slice(test, 0, 1000));
    const { mse, psnr, ssim = NaN } = imageQuality(rows, await trained.reconstruct(rows), trained.data.shape);
    const { kl } = await trained.evaluate(test);
    return { mse, psnr, ssim, kl, ...deviations(trained.latents, await trained.encode(rows)) };
  },
  tables: (results) => [
    {
      name: "reconstructions",
      title: `Reconstructions of 1,000 test rows, K = ${LATENTS}`,
      columns: ["model", "mean squared error a pixel", "PSNR (dB)", "SSIM (range 1)", "KL (nats)"],
      rows: reconstructing.map(({ id, title }) => [
        title,
        ...["mse", "psnr", "ssim", "kl"].map((name) => measured(resultOf(results, id), name)),
      ]),
      notes: ["Reconstructions are the decoder's mean at the encoder's mean. An autoencoder has no KL."],
    },
    {
      name: "latent-spaces",
      title: "Two latent dimensions",
      columns: [
        "model",
        "mean squared error a pixel",
        "KL (nats)",
        "deviation of μ over data",
        "σ of q(z given x), mean",
        "σ in parts of the deviation",
      ],
      rows: spaces.map((
        { id, title },
      ) => [title, ...["mse", "kl", "spread", "sigma", "share"].map((name) => measured(resultOf(results, id), name))]),
      notes: ["Means over both dimensions. An autoencoder's code is a point: its σ is 0."],
    },
  ],
  async figures(results, { open, dataset }) {
    const { test } = await dataset("mnist");
    const figures = [];
    for (const { id, title } of spaces) {
      using trained = await open(resultOf(results, id));
      figures.push(renamed(await latentScatter(await encodeRows(trained, test)), `latents-${id}`, title));
    }
    for (const { id, title } of reconstructing) {
      using trained = await open(resultOf(results, id));
      figures.push(renamed(await reconstructions(trained, test, { count: 20 }), `reconstructions-${id}`, title));
    }
    return figures;
  },
};
