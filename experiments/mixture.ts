/**
 * Mixtures of Gaussians by EM.
 *
 * @module
 */

import type { DatasetSource } from "../core/dataset.ts";
import { normals, uniforms } from "../core/graph/random.ts";
import type { Trained } from "../core/training/trained.ts";
import { histogramOf, linePlot } from "../figures/charts.ts";
import { encodePng, imageGrid } from "../figures/grid.ts";
import { gmm } from "../models/gmm.ts";
import { all, type Experiment, type Point, resultOf } from "./experiment.ts";
import { finalLoss, measured } from "./losses.ts";

/** A Gaussian and its share. */
interface Component {
  readonly share: number;
  readonly mean: number;
  readonly deviation: number;
}

/** What the 1-D data are drawn from. */
const TRUTH: readonly Component[] = [
  { share: 0.3, mean: -3, deviation: 0.5 },
  { share: 0.5, mean: 0, deviation: 1 },
  { share: 0.2, mean: 4, deviation: 0.8 },
];

/** 4,000 rows to fit and 1,000 to test on, of the mixture above. */
const line: DatasetSource = {
  name: "three gaussians",
  summary: "points on a line from three Gaussians",
  source: "generated",
  load() {
    const [train, test] = [4000, 1000].map((count, seed) => {
      const u = uniforms(new Float32Array(count), seed, 0, 0);
      const e = normals(new Float32Array(count), seed, 0, 1);
      const values = e.map((e, i) => {
        let k = 0;
        for (let below = TRUTH[0].share; u[i] > below && k < TRUTH.length - 1; below += TRUTH[k].share) k++;
        return TRUTH[k].mean + TRUTH[k].deviation * e;
      });
      return { values, count };
    });
    return Promise.resolve({ name: line.name, shape: [1, 1, 1], train, test });
  },
};

const onLine: Point = {
  id: "line-3",
  model: gmm,
  dataset: line,
  config: { components: 3, validation: 0, batchSize: 500, epochs: 300 },
};

/** K on MNIST, diagonal covariances. */
const COMPONENTS = [1, 10, 50] as const;

const onMnist: readonly Point[] = COMPONENTS.map((components) => ({
  id: `mnist-${components}`,
  model: gmm,
  dataset: "mnist",
  config: { components, validation: 0, batchSize: 500 },
}));

/** Shares, means and deviations of a mixture on a line, from left to right. */
async function componentsOf({ parameters, config }: Trained): Promise<readonly Component[]> {
  const { components } = config as { readonly components: number };
  const { means, variances: { weight: variances }, prior: { weight: prior } } = await parameters.values(
    ...["means", "variances", "prior"] as const,
  );
  return Array.from({ length: components }, (_, k) => ({
    share: Math.exp(prior[k]),
    mean: means.weight[k] + means.bias[0],
    deviation: Math.sqrt(variances[k]),
  })).sort((a, b) => a.mean - b.mean);
}

/** π N(x; μ, σ²) */
function density({ share, mean, deviation }: Component, x: number): number {
  return share * Math.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * Math.sqrt(2 * Math.PI));
}

/** A known mixture on a line, and MNIST. */
export const mixtureExperiment: Experiment = {
  name: "mixture",
  summary: "Mixtures of Gaussians by EM: three on a line with their sum, and MNIST with K = 1, 10 and 50",
  source: "Bishop, Pattern Recognition and Machine Learning, section 9.2",
  expectations: [
    "On a line, the fitted components match those the points were drawn from, up to the sampling error of 4,000 draws.",
    "The log-likelihood never falls from one iteration to the next, and rises with K.",
  ],
  full: { epochs: 100 },
  quick: { epochs: 10, rows: 10_000 },
  plan: () => all([onLine, ...onMnist]),
  async measure({ trained, dataset }) {
    const { elbo } = await trained.evaluate(dataset.test);
    if (trained.features > 1) return { test: elbo };
    const found = await componentsOf(trained);
    return {
      test: elbo,
      ...Object.fromEntries(
        found.flatMap((component, k) => Object.entries(component).map(([key, v]) => [`${key}${k}`, v])),
      ),
    };
  },
  tables: (results) => [
    {
      name: "mixture-line",
      title: "Three Gaussians on a line",
      columns: ["component", "share", "true", "mean", "true", "deviation", "true"],
      rows: TRUTH.map((truth, k) => [
        k + 1,
        ...(["share", "mean", "deviation"] as const).flatMap((key) => [
          measured(resultOf(results, onLine.id), `${key}${k}`),
          truth[key],
        ]),
      ]),
    },
    {
      name: "mixture-mnist",
      title: "MNIST, log-likelihood of grey values, nats per datum",
      columns: ["K", "train", "test"],
      rows: COMPONENTS.map((components, i) => {
        const result = resultOf(results, onMnist[i].id);
        return [components, finalLoss(result, "elbo"), measured(result, "test")];
      }),
      notes: [
        "The log-likelihood itself, since the posterior is exact: a density of grey values in which no variance is below 0.001, " +
        "so it may be above 0.",
      ],
    },
  ],
  async figures(results, { open }) {
    using fitted = await open(resultOf(results, onLine.id));
    const components = await componentsOf(fitted);
    const { train } = await line.load();
    const { edges, density: counts } = histogramOf(train.values, { bins: 60 });
    const [low, high] = [edges[0], edges[edges.length - 1]];
    const x = Array.from({ length: 241 }, (_, i) => low + (high - low) * i / 240);
    const curve = await linePlot({
      name: "line",
      title: "A mixture of three Gaussians by EM",
      caption: `${train.count} points, the components that EM found for them, and their sum.`,
      x: "x",
      y: "density",
      series: [
        { name: "points (histogram)", x: edges.slice(1).map((edge, i) => (edge + edges[i]) / 2), y: counts },
        ...components.map((component, k) => ({
          name: `component ${k + 1}`,
          x,
          y: x.map((x) => density(component, x)),
        })),
        { name: "sum", x, y: x.map((x) => components.reduce((sum, component) => sum + density(component, x), 0)) },
      ],
    });
    using digits = await open(resultOf(results, "mnist-50"));
    const indicators = new Float32Array(50 * 50);
    for (let k = 0; k < 50; k++) indicators[51 * k] = 1;
    const means = imageGrid(await digits.decode(indicators), { shape: digits.data.shape, columns: 10 });
    return [curve, {
      name: "means",
      title: "Means of 50 components",
      caption: "The mean of each Gaussian of the mixture on MNIST.",
      file: "means.png",
      content: encodePng(means),
    }];
  },
};
