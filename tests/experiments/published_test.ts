/** Every published number stands in the table that it belongs to. The numbers here are from the publications themselves. */

import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { EpochEvent } from "../../core/training/events.ts";
import type { Experiment, Options, PointResult } from "../../experiments/experiment.ts";
import { varianceShares } from "../../experiments/disentanglement.ts";
import { trueLogLikelihood } from "../../experiments/known_truth.ts";
import { experiments } from "../../experiments/mod.ts";
import { cellText } from "../../experiments/table.ts";

/** A training that reached 1 in every term. */
function epoch(): EpochEvent {
  const losses = { elbo: 1, nll: 1, kl: 1, loss: 1 };
  return { event: "epoch", epoch: 1, step: 1, train: losses, validation: losses, samplesPerSecond: 1, seconds: 1 };
}

/** The cells of a table under a column's name, or of a row, after runs that reached 1 everywhere. */
function cells(name: string, table = 0): readonly (readonly string[])[] {
  const experiment = experiments.get(name) as Experiment;
  const options: Options = { ...experiment.full, quick: false, seeds: 1, settings: {} };
  const { value } = experiment.plan(options).next();
  const results: PointResult[] = (value || []).map((point) => ({
    point,
    runs: [{
      folder: "",
      seed: 0,
      parameters: 1,
      epochs: [epoch()],
      end: { ...epoch(), event: "end", epochs: 1, stopped: false },
      measures: {},
    }],
  }));
  const { rows, columns } = experiment.tables(results, options)[table];
  const published = [0, ...columns.flatMap((column, i) => column === "published" ? [i] : [])];
  return rows.map((row) => published.map((i) => cellText(row[i])));
}

Deno.test("the table of optimizers holds Hu's figures at epoch 150, train and validation", () => {
  assertEquals(cells("optimizers"), [
    ["adam", "-77.6", "-82.92", "45.79", "51.06", "31.81", "31.86"],
    ["rmsprop", "-81.62", "-86.53", "50.65", "55.36", "30.98", "31.17"],
    ["adagrad", "-88.25", "-89.47", "59.25", "60.49", "29", "28.98"],
    ["sgd", "-89.29", "-89.93", "60.42", "61.23", "28.87", "28.7"],
  ]);
});

Deno.test("the table of architectures holds Wang's eleven structures", () => {
  assertEquals(
    cells("architectures").map(([structure, reconstruction, kl]) => `${structure} ${reconstruction}/${kl}`),
    [
      "[50, 4] 135.4/9.1",
      "[500, 4] 114/10.2",
      "[500, 3] 130.7/7.2",
      "[500, 2] 138.5/6.4",
      "[500, 500, 5] 100.9/12.7",
      "[500, 500, 4] 111.1/10.4",
      "[500, 500, 3] 115.5/9.1",
      "[500, 500, 2] 130.4/7.3",
      "[500, 100, 5] 115.4/10.1",
      "[500, 100, 50, 10, 5] 150.5/4.3",
      "[500, 100, 50, 10, 2] 150.9/4.2",
    ],
  );
});

Deno.test("the table of conditions holds Wang's CVAE", () => {
  assertEquals(cells("condition"), [["one-hot", "107.2", "7.2", "114.4"], ["raw", "", "", ""]]);
});

Deno.test("the table of the benchmark holds Wang's three models", () => {
  assertEquals(cells("benchmark"), [
    ["VAE", "115.1", "9.1", "124.2"],
    ["β-VAE, β = 2", "116.1", "7.8", "131.7"],
    ["CVAE", "107.2", "7.2", "114.4"],
    ["VQ-VAE, 7 x 7 codes, K = 10", "", "", ""],
  ]);
  assertEquals(cells("benchmark", 1), [
    ["VAE, K = 2", "130.4", "7.3", "137.7"],
    ["β-VAE, β = 2, K = 2", "", "", ""],
    ["CVAE, K = 2", "", "", ""],
  ]);
});

Deno.test("the table of importance weighting holds Burda's one stochastic layer", () => {
  assertEquals(cells("importance").map(([name, nll]) => `${name} ${nll}`), [
    "VAE 86.76",
    "VAE 86.47",
    "VAE 86.35",
    "IWAE 85.54",
    "IWAE 84.78",
  ]);
});

Deno.test("the table of CIFAR-10 holds Chakravarthy's parameters and SSIM", () => {
  const published = cells("cifar10").filter(([, value]) => value !== "");
  assertEquals(published, [["parameters", "3543552"], ["SSIM, training, as the source measures it", "0.8"]]);
});

Deno.test("the true log-likelihood of the line is that of a Gaussian with covariance σ² I + (1, ½)(1, ½)ᵀ", () => {
  const values = Float32Array.of(0.3, -0.2, 1.5, 0.9);
  const [v, along] = [0.25 ** 2, 1.25];
  const expected = [0, 1].reduce((sum, n) => {
    const [a, b] = [values[2 * n], values[2 * n + 1]];
    // Eigenvalues σ² + |(1, ½)|² along the line and σ² across.
    const on = (a + b / 2) ** 2 / along;
    const off = a * a + b * b - on;
    return sum - 0.5 * (on / (v + along) + off / v + Math.log(v * (v + along))) - Math.log(2 * Math.PI);
  }, 0) / 2;
  assertAlmostEquals(trueLogLikelihood("line", { values, count: 2 }), expected, 1e-9);
});

Deno.test("varianceShares() takes the squares of scores apart into those of models, of strengths and of seeds, which sum to 1", () => {
  // Means 1 and 5 of the models, 0, 2 and 4, 6 of the strengths, 1 to either side the seeds: 8 · 4, 8 · 1, 8 · 1.
  const { model, strength, seed } = varianceShares([[[-1, 1], [1, 3]], [[3, 5], [5, 7]]]);
  assertAlmostEquals(model, 32 / 48, 1e-12);
  assertAlmostEquals(strength, 8 / 48, 1e-12);
  assertAlmostEquals(seed, 8 / 48, 1e-12);
  assertEquals(varianceShares([[[2, 2]], [[2, 2]]]), { model: 0, strength: 0, seed: 0 });
});

Deno.test("every experiment says what it is, where it was published and what to expect, and plans points of different names", () => {
  for (const [name, experiment] of experiments) {
    assertEquals(experiment.name, name);
    assertEquals([experiment.summary, experiment.source].filter((text) => text.length < 10), []);
    assertEquals(experiment.expectations.filter((line) => !/[.:]$/.test(line)), []);
    const options: Options = { ...experiment.full, quick: false, seeds: 1, settings: settingsOf(experiment) };
    const { value } = experiment.plan(options).next();
    const ids = (value || []).map(({ id }) => id);
    assertEquals(new Set(ids).size, ids.length);
    assertEquals(ids.length > 0, true);
  }
});

function settingsOf({ settings = {} }: Experiment): Options["settings"] {
  return Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, setting.default]));
}
