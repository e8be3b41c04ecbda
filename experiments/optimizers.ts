/**
 * Four optimizers on one model.
 *
 * @module
 */

import { manifold, morphs, samples } from "../figures/images.ts";
import { vae } from "../models/vae.ts";
import { all, type Experiment, type Point, resultOf } from "./experiment.ts";
import { finalLoss, lossCurves, renamed } from "./losses.ts";
import type { Cell, Table } from "./table.ts";

/** Lower bound, NLL and KL after 150 epochs, [train, validation] each, K = 20. */
interface Published {
  readonly elbo: readonly [number, number];
  readonly nll: readonly [number, number];
  readonly kl: readonly [number, number];
}

const optimizers: Readonly<Record<string, { readonly config: object; readonly published: Published }>> = {
  adam: {
    config: { optimizer: "adam", learningRate: 0.001, biasCorrection: false, reduction: "sum" },
    published: { elbo: [-77.60, -82.92], nll: [45.79, 51.06], kl: [31.81, 31.86] },
  },
  rmsprop: {
    config: { optimizer: "rmsprop", learningRate: 0.001, epsilon: 1e-4, reduction: "sum" },
    published: { elbo: [-81.62, -86.53], nll: [50.65, 55.36], kl: [30.98, 31.17] },
  },
  adagrad: {
    config: { optimizer: "adagrad", learningRate: 0.01, epsilon: 1e-4, reduction: "sum" },
    published: { elbo: [-88.25, -89.47], nll: [59.25, 60.49], kl: [29.00, 28.98] },
  },
  sgd: {
    config: { optimizer: "sgd", learningRate: 5e-4, momentum: 0.9, reduction: "mean", decoupledWeightDecay: false },
    published: { elbo: [-89.29, -89.93], nll: [60.42, 61.23], kl: [28.87, 28.70] },
  },
};

/** Latent dimensions, K. */
const LATENTS = [2, 20] as const;

/**
 * What all runs share, as peiyunh/mat-vae has it: weights U(±sqrt(3 / fan-in)), biases the same with a fan-in of 1 and at twice the
 * learning rate; the decay follows the step, but with SGD it goes into the momentum.
 */
const setting = {
  hidden: [500],
  activation: "tanh",
  binarize: "threshold",
  batchSize: 250,
  validation: 10_000,
  weightDecay: 5e-4,
  biasLearningRate: 2,
  initializer: "lecun-uniform",
  biasInitializer: "lecun-uniform",
};

const id = (optimizer: string, latents: number) => `${optimizer}-${latents}`;

function points(): readonly Point[] {
  return LATENTS.flatMap((latents) =>
    Object.entries(optimizers).map(([name, { config }]) => ({
      id: id(name, latents),
      model: vae,
      dataset: "mnist",
      config: { ...setting, ...config, latents },
    }))
  );
}

/** Adam, RMSprop, Adagrad and SGD with momentum, at K = 2 and 20. */
export const optimizersExperiment: Experiment = {
  name: "optimizers",
  summary: "Adam, RMSprop, Adagrad and SGD with momentum on 784-500-K, K = 2 and 20",
  source: 'Hu, "Understanding Variational Auto-Encoder"',
  expectations: [
    "At K = 20, Adam reaches the highest lower bound in training and validation, followed by RMSprop, Adagrad and SGD.",
    "Adam and RMSprop fit training rows 5 nats better than held-out rows, Adagrad and SGD about 1 nat.",
    "The figures of Adam are those in the statistics of the source's .mat file, the others are read off the curves of its writeup. Its SGD begins each epoch without momentum; here momentum goes on.",
  ],
  full: { epochs: 150 },
  quick: { epochs: 3, rows: 24_000 },
  plan: () => all(points()),
  tables: (results) =>
    [20, 2].map((latents): Table => ({
      name: `optimizers-${latents}`,
      title: `K = ${latents}, nats per datum`,
      columns: [
        "optimizer",
        ...["lower bound", "NLL", "KL"].flatMap((term) =>
          ["train", "validation"].flatMap((side) => [
            `${term}, ${side}`,
            ...(latents === 20 ? [`published`] : []),
          ])
        ),
      ],
      rows: Object.entries(optimizers).map(([name, { published }]) => {
        const result = resultOf(results, id(name, latents));
        return [
          name,
          ...(["elbo", "nll", "kl"] as const).flatMap((term) =>
            (["train", "validation"] as const).flatMap((side, i): Cell[] => [
              finalLoss(result, term, side),
              ...(latents === 20 ? [published[term][i]] : []),
            ])
          ),
        ];
      }),
      ...(latents === 2 ? { notes: ["No figures were published for K = 2, only pictures of the curves."] } : {}),
    })),
  async figures(results, { open, dataset }) {
    const curves = await Promise.all(
      LATENTS.toReversed().map((latents) =>
        lossCurves(
          {
            name: `curves-${latents}`,
            title: `Four optimizers, K = ${latents}`,
            caption: "784-500-K on thresholded MNIST, batch 250; after each epoch, one draw of z for each datum.",
          },
          Object.keys(optimizers).map((name) => [name, resultOf(results, id(name, latents))] as const),
          ["train", "validation"],
        )
      ),
    );
    const { test } = await dataset("mnist");
    using wide = await open(resultOf(results, id("adam", 20)));
    using plane = await open(resultOf(results, id("adam", 2)));
    const drawn = [
      [await samples(wide, { count: 100 }), 20],
      [await manifold(plane, test, { size: 20, spacing: "linear" }), 2],
      [await morphs(wide, test, { steps: 13 }), 20],
    ] as const;
    return [
      ...curves,
      ...drawn.map(([figure, k]) => renamed(figure, `${figure.name}-${k}`, `${figure.title}, Adam, K = ${k}`)),
    ];
  },
};
