/**
 * How a label is told to a conditional VAE.
 *
 * @module
 */

import { labelGrid } from "../figures/images.ts";
import { encodeRows, latentScatter } from "../figures/latents.ts";
import { cvae } from "../models/cvae.ts";
import { all, type Experiment, resultOf } from "./experiment.ts";
import { lossCurves, renamed } from "./losses.ts";
import { lateLoss, SOURCE, wangNotes, wangSetting } from "./wang.ts";

const CONDITIONS = ["one-hot", "raw"] as const;

/** Reconstruction, KL and loss after 2,000 epochs. */
const published: Readonly<Record<typeof CONDITIONS[number], readonly [number, number, number] | undefined>> = {
  "one-hot": [107.2, 7.2, 114.4],
  raw: undefined,
};

/** The label as a number against one column for each class. */
export const conditionExperiment: Experiment = {
  name: "condition",
  summary: "CVAE with the raw label against one-hot labels on [500, 500, 3]",
  source: SOURCE,
  expectations: [
    "One-hot labels reach 107.2 + 7.2 = 114.4 nats after 2,000 epochs; for raw labels only pictures were published.",
    "A raw label implies that classes are ordered and equally spaced, which they are not: expect a higher loss, and samples less true to their class.",
  ],
  full: { epochs: 2000 },
  quick: { epochs: 4, rows: 10_000 },
  plan: () =>
    all(CONDITIONS.map((condition) => ({
      id: condition,
      model: cvae,
      dataset: "mnist",
      config: { ...wangSetting, hidden: [500, 500], latents: 3, condition },
    }))),
  tables: (results) => [{
    name: "condition",
    title: "Losses, nats per datum",
    columns: ["label", "reconstruction", "published", "KL", "published", "loss", "published"],
    rows: CONDITIONS.map((condition) => {
      const result = resultOf(results, condition);
      return [
        condition,
        ...["nll", "kl", "loss"].flatMap((term, i) => [lateLoss(result, term), published[condition]?.[i]]),
      ];
    }),
    notes: wangNotes,
  }],
  async figures(results, { open, dataset }) {
    const figures = [
      await lossCurves(
        {
          name: "curves",
          title: "Two ways to tell a label",
          caption: "[500, 500, 3] on MNIST, means over each epoch.",
        },
        CONDITIONS.map((condition) => [condition, resultOf(results, condition)] as const),
      ),
    ];
    const { test } = await dataset("mnist");
    for (const condition of CONDITIONS) {
      using trained = await open(resultOf(results, condition));
      for (const figure of [await labelGrid(trained), await latentScatter(await encodeRows(trained, test))]) {
        figures.push(renamed(figure, `${figure.name}-${condition}`, `${figure.title}, ${condition} labels`));
      }
    }
    return figures;
  },
};
