/**
 * The variance of a Gaussian decoder.
 *
 * @module
 */

import { quantileStrips, samples } from "../figures/images.ts";
import type { Figure } from "../figures/figure.ts";
import { cvae } from "../models/cvae.ts";
import { all, type Experiment, resultOf } from "./experiment.ts";
import { measured, renamed } from "./losses.ts";

/** Where σ comes from. The mean alone: squared error + KL, which is σ² = 1/2. */
const deviations: Readonly<Record<string, { readonly title: string; readonly config: object }>> = {
  "mean-only": { title: "mean only (σ² = ½)", config: { likelihood: "gaussian", sigma: Math.SQRT1_2 } },
  fixed: { title: "fixed σ = 0.1", config: { likelihood: "gaussian", sigma: 0.1 } },
  shared: { title: "one learned σ", config: { likelihood: "gaussian-shared" } },
  pixel: { title: "learned σ for each pixel", config: { likelihood: "gaussian-pixel" } },
  decoder: { title: "σ from the decoder", config: { likelihood: "gaussian-decoder" } },
};

/** The weight of the KL: moderately large. */
const BETA = 5;

/** Five ways to have a σ. */
export const decoderVarianceExperiment: Experiment = {
  name: "decoder-variance",
  summary:
    "β-CVAE, β = 5, whose Gaussian decoder has its σ learned, for each pixel, from the decoder, fixed, or the mean only",
  source: "Beaulac, arXiv:2103.12679, figure 3",
  expectations: [
    "Published as pictures of a conditional model with a moderately large β: samples of a learned σ, x ~ p(x | z), are called horrible, while its means look like data.",
    "With the mean only, or σ² = ½, the effective β is 5: few dimensions are used, and means are blurred.",
    "A learned σ gives by far the higher likelihood; σ from the decoder is most confident where pixels never vary.",
  ],
  full: { epochs: 100 },
  quick: { epochs: 4, rows: 15_000 },
  plan: () =>
    all(
      Object.entries(deviations).map(([id, { config }]) => ({
        id,
        model: cvae,
        dataset: "mnist",
        config: { hidden: [500], latents: 20, outputActivation: "sigmoid", validation: 0, beta: BETA, ...config },
      })),
    ),
  async measure({ trained, dataset: { test } }) {
    const { elbo, nll, kl } = await trained.evaluate(test);
    // (x_{μ+σ} - x_μ): the deviation as the decoder has it at draws from the prior.
    const strips = await trained.sample({ count: 100, draw: "quantiles" });
    const d = trained.features;
    let sum = 0;
    for (let i = 0; i < 100 * d; i++) {
      const at = (row: number) => strips[(5 * Math.floor(i / d) + row) * d + i % d];
      sum += at(3) - at(2);
    }
    return { elbo, nll, kl, sigma: sum / (100 * d) };
  },
  tables: (results) => [{
    name: "decoder-variance",
    title: "Test rows, nats per datum",
    columns: ["decoder", "σ, mean over pixels", "effective β = 2σ² · 5", "lower bound", "NLL", "KL"],
    rows: Object.entries(deviations).map(([id, { title }]) => {
      const result = resultOf(results, id);
      const sigma = measured(result, "sigma");
      return [
        title,
        sigma,
        sigma && { mean: 2 * BETA * sigma.mean ** 2, count: sigma.count },
        ...["elbo", "nll", "kl"].map((name) => measured(result, name)),
      ];
    }),
    notes: [
      "A density of grey values: it may be above 0, and grows without limit as σ goes to 0 where pixels never change (σ is bounded " +
      "below at 0.0067). One draw of z for each row.",
    ],
  }],
  async figures(results, { open }) {
    const figures: Figure[] = [];
    for (const [id, { title }] of Object.entries(deviations)) {
      using trained = await open(resultOf(results, id));
      const drawn = [
        [await samples(trained, { count: 20, draw: "sample" }), "ancestral samples"],
        [await samples(trained, { count: 20 }), "means"],
        [await quantileStrips(trained, { count: 6 }), "μ ± σ and 2σ"],
      ] as const;
      drawn.forEach(([figure, what], i) => figures.push(renamed(figure, `${id}-${i}`, `${title}: ${what}`)));
    }
    return figures;
  },
};
