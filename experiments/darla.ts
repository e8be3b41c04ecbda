/**
 * DARLA: a policy that is learned on disentangled latents in one domain, and taken to others as it is.
 *
 * @module
 */

import type { Split } from "../core/dataset.ts";
import type { Model } from "../core/model.ts";
import type { Trained } from "../core/training/trained.ts";
import { barPlot } from "../figures/charts.ts";
import type { Figure } from "../figures/figure.ts";
import { encodePng, imageGrid } from "../figures/grid.ts";
import { reconstructions, traversals } from "../figures/images.ts";
import { encodeRows } from "../figures/latents.ts";
import { ae, dae } from "../models/ae.ts";
import { betaVae } from "../models/beta_vae.ts";
import { requireRun } from "../storage/run_folder.ts";
import { catching, type Domain, observations, SHAPE } from "./catching.ts";
import { daeConfig, darlaVae } from "./darla_vae.ts";
import { type Experiment, type Measures, type Options, type Plan, type Point, resultOf } from "./experiment.ts";
import { measured } from "./losses.ts";
import { chance, learn, rewardOf, type Views } from "./q_learning.ts";

/** Where the policy is learned: yellow things on blue. */
const SOURCE: Domain = { background: 0.62, thing: 0.15 };

/** Where it is taken to. */
const TARGETS: Readonly<Record<string, readonly Domain[]>> = {
  "other things": [0.4, 0.8, 0.95].map((thing) => ({ ...SOURCE, thing })),
  "other background": [0, 0.3, 0.8].map((background) => ({ ...SOURCE, background })),
  "both": [[0, 0.4], [0.3, 0.8], [0.8, 0.5]].map(([background, thing]) => ({ background, thing })),
};

/** Latent dimensions of what a policy sees. */
const LATENTS = 10;

/** What policies see, and by which run it is measured. */
const agents = [
  { id: "darla", title: "DARLA: β-VAE on features of a DAE" },
  { id: "beta-vae", title: "β-VAE on pixels" },
  { id: "ae", title: "entangled autoencoder" },
  { id: "dae", title: "pixels" },
] as const;

/** What all that is learned without rewards shares. */
const setting = {
  hidden: [256],
  activation: "relu",
  likelihood: "gaussian",
  sigma: Math.SQRT1_2,
  outputActivation: "sigmoid",
  binarize: "none",
  optimizer: "adam",
  learningRate: 0.001,
  batchSize: 100,
  validation: 0,
};

const point = (id: string, model: Model, config: object): Point => ({
  id,
  model,
  dataset: catching,
  config: { ...setting, ...config },
});

/** First what features are of, then what sees by them; the rest needs neither. */
function* plan({ settings }: Options): Plan {
  const { beta, pixelBeta } = settings as { readonly beta: number; readonly pixelBeta: number };
  const first = [
    point("dae", dae as Model, daeConfig),
    point("ae", ae as Model, { latents: LATENTS }),
    point("beta-vae", betaVae as Model, { latents: LATENTS, beta: pixelBeta }),
  ];
  const [{ runs }] = yield first;
  const model = darlaVae(async (seed) => {
    const { folder } = runs.find((run) => run.seed === seed)!;
    return (await requireRun(folder)).checkpoint.tensors;
  });
  const module = new URL("./darla_vae.ts", import.meta.url).href;
  yield [{ ...point("darla", model as Model, { latents: LATENTS, beta }), module }];
}

/** All states as pixels from 0 to 1. */
const pixelsOf = (domain: Domain) => Float32Array.from(observations(domain), (byte) => byte / 255);

/**
 * What a policy sees of all states: codes, or the pixels themselves. What never changes in the source domain is 0 there; one divisor makes the
 * mean square 1 over what a random policy sees in all domains.
 */
async function viewer(trained: Trained, seen: Split, pixels: boolean): Promise<(domain: Domain) => Promise<Views>> {
  const look = async (x: Float32Array) => pixels ? x : (await trained.encode(x)).mean;
  const all = await look(trained.rowsOf(seen));
  const columns = all.length / seen.count;
  const meanOf = (values: Float32Array) => {
    const mean = new Float64Array(columns);
    values.forEach((value, i) => mean[i % columns] += value * columns / values.length);
    return mean;
  };
  const [everywhere, here] = [meanOf(all), meanOf(await look(pixelsOf(SOURCE)))];
  const square = all.reduce((sum, value, i) => sum + (value - everywhere[i % columns]) ** 2, 0) / all.length;
  return async (domain) => {
    const views = await look(pixelsOf(domain));
    return { values: views.map((value, i) => (value - here[i % columns]) / Math.sqrt(square)), columns };
  };
}

/** Rewards of a policy that is learned in the source domain. */
async function rewards(trained: Trained, seen: Split, pixels: boolean, episodes: number): Promise<Measures> {
  const viewsOf = await viewer(trained, seen, pixels);
  const source = await viewsOf(SOURCE);
  const network = learn(source, { seed: trained.training.seed, episodes });
  const found: Record<string, number> = { source: rewardOf(network, source) };
  let sum = 0;
  for (const [name, domains] of Object.entries(TARGETS)) {
    let total = 0;
    for (const domain of domains) total += rewardOf(network, await viewsOf(domain));
    found[name] = total / domains.length;
    sum += found[name];
  }
  found.target = sum / Object.keys(TARGETS).length;
  return { ...found, ratio: (found.target - chance()) / (found.source - chance()) };
}

const COLUMNS = ["source", ...Object.keys(TARGETS), "target", "ratio"] as const;

/** A policy on four kinds of views, in the source domain and in targets. */
export const darlaExperiment: Experiment = {
  name: "darla",
  summary:
    "A policy learned on disentangled latents in one domain and taken to others, beside one on pixels and on an autoencoder",
  source: "Higgins et al., DARLA, arXiv:1707.08475",
  expectations: [
    "Published on DeepMind Lab and Jaco: policies on disentangled latents keep most of their reward in domains of other colours; those on pixels and on entangled latents lose most of theirs.",
    "In the source domain all do about equally well.",
    "Here the best policy catches every thing in every domain, a reward of 1.",
  ],
  full: { epochs: 200, seeds: 10 },
  quick: { epochs: 25, rows: 10_000, seeds: 2 },
  settings: {
    beta: { type: "number", default: 0.5, minimum: 0, help: "weight of the KL beside the error of features" },
    pixelBeta: {
      type: "number",
      default: 0.5,
      minimum: 0,
      help: "weight of the KL beside the squared error of pixels",
    },
  },
  plan,
  measure: ({ point, trained, dataset: { test }, options: { quick } }) =>
    rewards(trained, test, point.id === "dae", quick ? 3000 : 8000),
  tables: (results, { rows = 20_000 }) => [{
    name: "darla",
    title: "Mean reward for each thing that falls",
    columns: ["what the policy sees", ...COLUMNS.slice(0, -1), "transfer ratio"],
    rows: agents.map(({ id, title }) => [title, ...COLUMNS.map((name) => measured(resultOf(results, id), name))]),
    notes: [
      "Exact: over all beginnings, by the greedy policy. The transfer ratio is the mean over target domains divided by the source's, both " +
      `above what acting at random gives, ${chance().toFixed(2)}.`,
      `The same network and Q-learning for all, until the policy is nine tenths as good as the best in the source domain; codes have ` +
      `${LATENTS} dimensions. What sees is trained on ${
        rows.toLocaleString("en-US")
      } observations of a random policy in domains of all ` +
      "hues, and never on a reward.",
    ],
  }],
  async figures(results, { open }) {
    const spreads = agents.map(({ id }) => measured(resultOf(results, id), "ratio"));
    const figures: Figure[] = [
      await barPlot({
        name: "ratio",
        title: "Reward above chance in target domains, in parts of that in the source domain",
        caption: "Mean over target domains; the lines are a deviation over seeds to both sides.",
        x: "what the policy sees",
        y: "transfer ratio",
        bars: {
          categories: agents.map(({ title }) => title),
          values: spreads.map((spread) => spread?.mean ?? NaN),
          spread: spreads.map((spread) => spread?.deviation ?? 0),
        },
      }),
      worlds(),
    ];
    const { test } = await catching.load();
    for (const id of ["darla", "ae"] as const) {
      using trained = await open(resultOf(results, id));
      const drawn = [
        await reconstructions(trained, test, { count: 20 }),
        ...id === "ae" ? [] : [await traversals(trained, test, { encodings: await encodeRows(trained, test) })],
      ];
      for (const figure of drawn) {
        const file = figure.file.replace(/^[^.]+/, `${figure.name}-${id}`) as Figure["file"];
        figures.push({ ...figure, name: `${figure.name}-${id}`, file, title: `${figure.title}, ${id}` });
      }
    }
    return figures;
  },
};

/** Some states in the source domain and in one target of each kind. */
function worlds(): Figure {
  const places = [7, 23, 38, 52, 66, 81, 94];
  const size = SHAPE[0] * SHAPE[1] * SHAPE[2];
  const domains = [SOURCE, ...Object.values(TARGETS).map(([first]) => first)];
  const images = new Uint8Array(domains.length * places.length * size);
  domains.forEach((domain, row) => {
    const all = observations(domain);
    places.forEach((place, column) => {
      images.set(all.subarray(place * size, (place + 1) * size), (row * places.length + column) * size);
    });
  });
  return {
    name: "domains",
    title: "One state a column in four domains",
    caption: `The source domain, then ${Object.keys(TARGETS).join(", ")}. White catches.`,
    file: "domains.png",
    content: encodePng(imageGrid(images, { shape: SHAPE, columns: places.length, scale: 4 })),
  };
}
