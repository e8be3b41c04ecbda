/**
 * A dense VAE on photographs.
 *
 * @module
 */

import { slice } from "../core/dataset.ts";
import { imageQuality, ssim } from "../evaluation/mod.ts";
import { neighbourhoods, reconstructions, samples } from "../figures/images.ts";
import { encodeRows, latentScatter } from "../figures/latents.ts";
import { vae } from "../models/vae.ts";
import { all, type Experiment, resultOf } from "./experiment.ts";
import { lossCurves, measured, spread } from "./losses.ts";

/** σ² = 1/2: then -log p(x | z) = ‖x - μ‖² + D/2 log π. */
const SIGMA = Math.SQRT1_2;

/** D/2 log π, the part of the nll that squared error does not have. */
const CONSTANT = 3072 / 2 * Math.log(Math.PI);

/** Rows whose reconstructions are measured. */
const MEASURED = 500;

/** 3072-512-256 on CIFAR-10. */
export const cifar10Experiment: Experiment = {
  name: "cifar10",
  summary: "3072-512(GELU)-256 on CIFAR-10 with squared error: loss, SSIM, reconstructions, latent space, samples",
  source: 'Chakravarthy, "Variational Auto-Encoders (VAEs): A Review"',
  expectations: [
    "3,543,552 parameters, 100 epochs, training SSIM about 0.8, probably with a data range of 2, which raises every SSIM; both ranges are reported.",
    "A dense VAE with squared error and β = 1 reconstructs colours and large shapes; its random samples are blurred patches.",
  ],
  full: { epochs: 100 },
  quick: { epochs: 2, rows: 6_000 },
  plan: () =>
    all([{
      id: "gelu-512-256",
      model: vae,
      dataset: "cifar10",
      config: {
        hidden: [512],
        latents: 256,
        activation: "gelu",
        likelihood: "gaussian",
        sigma: SIGMA,
        outputActivation: "sigmoid",
        optimizer: "adam",
        learningRate: 0.001,
        batchSize: 32,
        validation: 0,
      },
    }]),
  async measure({ trained, dataset: { train, test } }) {
    const of = async (rows: typeof test) => {
      const values = trained.rowsOf(slice(rows, 0, Math.min(MEASURED, rows.count)));
      const again = await trained.reconstruct(values);
      const wide = ssim(values, again, trained.data.shape, 2);
      return {
        ...imageQuality(values, again, trained.data.shape),
        wide: wide.reduce((sum, v) => sum + v, 0) / wide.length,
      };
    };
    const sides = { train: await of(train), test: await of(test) };
    return Object.fromEntries(
      Object.entries(sides).flatMap(([side, { ssim = NaN, wide, mse, psnr }]) => [
        [`${side} ssim`, ssim],
        [`${side} wide`, wide],
        [`${side} mse`, mse],
        [`${side} psnr`, psnr],
      ]),
    );
  },
  tables(results) {
    const result = resultOf(results, "gelu-512-256");
    return [{
      name: "cifar10",
      title: "Losses and reconstructions",
      columns: ["", "measured", "published"],
      rows: [
        ["parameters", result.runs[0].parameters, 3543552],
        [
          "squared error, training, summed over 3,072 values",
          spread(result, ({ end }) => end.train.nll - CONSTANT),
          undefined,
        ],
        ["KL, training (nats)", spread(result, ({ end }) => end.train.kl), undefined],
        ["SSIM, training, data range 1", measured(result, "train ssim"), undefined],
        ["SSIM, training, data range 2", measured(result, "train wide"), 0.8],
        ["SSIM, test, data range 1", measured(result, "test ssim"), undefined],
        ["SSIM, test, data range 2", measured(result, "test wide"), undefined],
        ["PSNR, test (dB)", measured(result, "test psnr"), undefined],
        ["mean squared error, test", measured(result, "test mse"), undefined],
      ],
      notes: [
        `Loss = squared error + KL. SSIM, PSNR and mean squared error are of the reconstructions of ${MEASURED} rows.`,
      ],
    }];
  },
  async figures(results, { open, dataset }) {
    const result = resultOf(results, "gelu-512-256");
    using trained = await open(result);
    const { train, test } = await dataset("cifar10");
    return [
      await lossCurves(
        {
          name: "curves",
          title: "3072-512-256 on CIFAR-10",
          caption: "After each epoch; the NLL holds D/2 log π = 1,758 nats.",
        },
        [["VAE", result]],
        ["train"],
      ),
      await reconstructions(trained, train, { count: 20 }),
      await latentScatter(await encodeRows(trained, test)),
      await samples(trained, { count: 40 }),
      await neighbourhoods(trained, test),
    ];
  },
};
