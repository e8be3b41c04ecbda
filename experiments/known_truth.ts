/**
 * VAEs on data whose density is known: what the number of latent dimensions does to a learned σ and to the likelihood.
 *
 * @module
 */

import type { DatasetSource, Split } from "../core/dataset.ts";
import { normals } from "../core/graph/random.ts";
import { latentUse } from "../core/distributions/encoded.ts";
import { logLikelihood } from "../evaluation/mod.ts";
import { scatterPlot } from "../figures/charts.ts";
import type { Figure } from "../figures/figure.ts";
import { vae } from "../models/vae.ts";
import { all, type Experiment, type Point, resultOf } from "./experiment.ts";
import { measured } from "./losses.ts";
import { spreadOf } from "../core/spread.ts";

/** x = f(z) + σ ε in the plane, z ~ N(0, 1). */
interface Truth {
  readonly title: string;
  readonly sigma: number;
  readonly f: (z: number) => readonly [number, number];
}

/** Nearly the standard normal's cumulative distribution: z becomes a nearly even angle. */
const angle = (z: number) => 2 * Math.PI / (1 + Math.exp(-1.702 * z));

const truths = {
  // Its posterior is a Gaussian: the bound is tight.
  line: { title: "line", sigma: 0.25, f: (z: number) => [z, z / 2] },
  // Both ends meet, so that the posterior of a datum there has two modes.
  circle: {
    title: "circle",
    sigma: 0.25,
    f: (z: number) => [Math.cos(angle(z)), Math.sin(angle(z))],
  },
} as const satisfies Record<string, Truth>;

type Name = keyof typeof truths;

const NAMES = Object.keys(truths) as readonly Name[];

/** Latent dimensions, k; the truth has one. */
const LATENTS = [1, 2, 4] as const;

/** Draws of z for the likelihood. */
const DRAWS = 500;

const source = (name: Name): DatasetSource => ({
  name,
  summary: `points of a ${name} with noise, z in one dimension`,
  source: "generated",
  load() {
    const { f, sigma } = truths[name];
    const [train, test] = [5000, 2000].map((count, seed): Split => {
      const noise = normals(new Float32Array(3 * count), seed, 0, 0);
      const values = new Float32Array(2 * count);
      for (let n = 0; n < count; n++) {
        f(noise[3 * n]).forEach((value, i) => values[2 * n + i] = value + sigma * noise[3 * n + 1 + i]);
      }
      return { values, count };
    });
    return Promise.resolve({ name, shape: [1, 2, 1], train, test });
  },
});

const sources = { line: source("line"), circle: source("circle") };

const id = (name: Name, latents: number) => `${name}-${latents}`;

/** Mean over rows of log p(x) = log ∫ N(z; 0, 1) N(x; f(z), σ² I) dz, by the trapezoidal rule. */
export function trueLogLikelihood(name: Name, { values, count }: Split): number {
  const { f, sigma } = truths[name];
  const [steps, range] = [2000, 6];
  const grid = Array.from({ length: steps + 1 }, (_, i) => {
    const z = -range + 2 * range * i / steps;
    const weight = 2 * range / steps * (i === 0 || i === steps ? 0.5 : 1);
    return [...f(z), weight * Math.exp(-z * z / 2) / (2 * Math.PI) ** 1.5 / sigma ** 2] as const;
  });
  let sum = 0;
  for (let n = 0; n < count; n++) {
    const [a, b] = [values[2 * n], values[2 * n + 1]];
    const p = grid.reduce((p, [x, y, w]) => p + w * Math.exp(-((a - x) ** 2 + (b - y) ** 2) / (2 * sigma ** 2)), 0);
    sum += Math.log(p) / count;
  }
  return sum;
}

const points: readonly Point[] = NAMES.flatMap((name) =>
  LATENTS.map((latents) => ({
    id: id(name, latents),
    model: vae,
    dataset: sources[name],
    config: {
      hidden: [50, 50],
      latents,
      likelihood: "gaussian-shared",
      sigma: 0.5,
      optimizer: "adam",
      learningRate: 0.002,
      batchSize: 250,
      validation: 0,
    },
  }))
);

/** k = 1, 2 and 4 on data of one latent dimension. */
export const knownTruthExperiment: Experiment = {
  name: "known-truth",
  summary: "VAEs with k = 1, 2 and 4 latents and a learned σ on data of one latent dimension and a known density",
  source: "Yacoby, Pan and Doshi-Velez, arXiv:2007.07124",
  expectations: [
    "Published for made data: a VAE prefers a biased σ where its posteriors cannot be the true ones, and more latent dimensions than the data have.",
    "On the line the true posterior is a Gaussian: with k = 1 the bound is tight, σ comes out right, and further dimensions stay unused.",
    "On the circle it is none: with k = 1 a bound that is maximized takes a σ that is too large; with k = 2 a plane of latents explains noise too, and σ comes out too small.",
  ],
  full: { epochs: 1000, seeds: 5 },
  quick: { epochs: 100, seeds: 3 },
  plan: () => all(points),
  async measure({ point, trained, dataset: { test }, signal }) {
    const { mean, elbo } = await logLikelihood(trained, test, { samples: DRAWS, signal });
    // N(x; μ, σ²) from its quantiles: the σ that was learned is the same everywhere.
    const strips = await trained.decode(new Float32Array(trained.latents), { draw: "quantiles" });
    const { active } = latentUse(await trained.posterior(trained.rowsOf(test)));
    const name = NAMES.find((name) => point.id.startsWith(name))!;
    return { likelihood: mean, elbo, sigma: strips[6] - strips[4], active, truth: trueLogLikelihood(name, test) };
  },
  tables: (results) =>
    NAMES.map((name) => ({
      name: `known-truth-${name}`,
      title: `The ${truths[name].title}, σ = ${truths[name].sigma}, one latent dimension`,
      columns: ["k", "σ", "true", "ELBO, test", "log p(x), test", "true", "ELBO below log p(x)", "dimensions in use"],
      rows: LATENTS.map((latents) => {
        const result = resultOf(results, id(name, latents));
        const gap = spreadOf(result.runs.map(({ measures }) => Number(measures.likelihood) - Number(measures.elbo)));
        return [
          latents,
          measured(result, "sigma"),
          truths[name].sigma,
          measured(result, "elbo"),
          measured(result, "likelihood"),
          measured(result, "truth"),
          gap,
          measured(result, "active"),
        ];
      }),
      notes: [
        `Nats per datum. log p(x) of the model by importance sampling with ${DRAWS} draws; the true one by quadrature, on the same rows.`,
      ],
    })),
  async figures(results, { open }) {
    const figures: Figure[] = [];
    for (const name of NAMES) {
      const { test } = await sources[name].load();
      const some = 1000;
      const panels: [string, ArrayLike<number>][] = [["data", test.values.slice(0, 2 * some)]];
      for (const latents of LATENTS) {
        using trained = await open(resultOf(results, id(name, latents)));
        panels.push([`k = ${latents}`, await trained.sample({ count: some, draw: "sample" })]);
      }
      for (const [what, values] of panels) {
        figures.push(
          await scatterPlot({
            name: `${name}-${what.replaceAll(/[ =]/g, "")}`,
            title: `The ${name}: ${what === "data" ? what : `samples, ${what}`}`,
            caption: what === "data" ? `${some} points.` : `${some} draws of p(x | z), z drawn from the prior.`,
            x: "x₁",
            y: "x₂",
            square: true,
            points: {
              x: Array.from({ length: some }, (_, i) => values[2 * i]),
              y: Array.from({ length: some }, (_, i) => values[2 * i + 1]),
            },
          }),
        );
      }
    }
    return figures;
  },
};
