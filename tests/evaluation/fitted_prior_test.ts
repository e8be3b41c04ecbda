/** Densities fitted to the encodings of models whose encodings are known: moments, a mixture that is found again, bytes by the seed. */

import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  ae,
  aggregatePosterior,
  cvae,
  decodeCheckpoint,
  fitPrior,
  fittedPrior,
  fitVampPrior,
  flow,
  gmm,
  isFittedTo,
  type LatentPrior,
  load,
  type Model,
  scores,
  type Split,
  train,
  type Trained,
  type TrainingConfig,
  vae,
} from "../../mod.ts";
import { chosen, normals, uniforms } from "../../core/graph/random.ts";
import { gpu } from "../support/gpu.ts";

const [COUNT, LATENTS, FEATURES] = [4000, 2, 4];

/** Of the latents: three Gaussians of different shares, means and scales. */
const truth = {
  shares: [0.5, 0.3, 0.2],
  means: [[-3, 0], [3, 1], [0, 6]],
  deviations: [[0.5, 1], [1, 0.3], [0.6, 0.6]],
};

/** Rows x = (z, 0 ...), z of the mixture above. */
function rows(count = COUNT): Split {
  const u = uniforms(new Float64Array(count), 7, 0, 0);
  const e = normals(new Float64Array(count * LATENTS), 7, 0, 1);
  const values = new Float32Array(count * FEATURES);
  for (let n = 0; n < count; n++) {
    const k = chosen(truth.shares, u[n]);
    for (let d = 0; d < LATENTS; d++) {
      values[n * FEATURES + d] = truth.means[k][d] + truth.deviations[k][d] * e[n * LATENTS + d];
    }
  }
  return { values, count };
}

const split = rows();
const dataset = { name: "mixture", shape: [1, FEATURES, 1] as const, train: split, test: split };

/** The density of z + e, e ~ N(0, 0.25 I). */
const density = (...z: readonly number[]) =>
  truth.shares.reduce((sum, share, k) =>
    sum + truth.means[k].reduce((product, mean, d) => {
      const variance = truth.deviations[k][d] ** 2 + 0.25;
      return product * Math.exp(-((z[d] - mean) ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
    }, share), 0);

/** A model of one step, whose encoder is then set by hand. */
async function begun(model: Model, config: object = {}): Promise<Trained> {
  const settings = { hidden: [], latents: LATENTS, epochs: 1, batchSize: COUNT, validation: 0, ...config };
  const training = train(model, dataset, settings as Partial<TrainingConfig>, { gpu });
  for await (const _ of training);
  return training.trained as Trained;
}

/** An autoencoder whose code is the first two features: its encodings are the mixture. */
async function projecting(): Promise<Trained> {
  const trained = await begun(ae as Model);
  const code = trained.parameters.get("code");
  const weight = new Float32Array(FEATURES * LATENTS);
  for (let d = 0; d < LATENTS; d++) weight[d * LATENTS + d] = 1;
  code.set(code.tensor, weight, new Float32Array(LATENTS));
  return trained;
}

/** A VAE with q(z | x) = N((x₁, x₂), 0.25 I). */
async function noisy(): Promise<Trained> {
  const trained = await begun(vae as Model);
  const posterior = trained.parameters.get("encoder.posterior");
  const weight = new Float32Array(FEATURES * 2 * LATENTS);
  for (let d = 0; d < LATENTS; d++) weight[d * 2 * LATENTS + d] = 1;
  posterior.set(posterior.tensor, weight, new Float32Array([0, 0, Math.log(0.25), Math.log(0.25)]));
  return trained;
}

/** Mean [K] and covariance [K, K] of rows, with the standard errors of both. */
function momentsOf(z: Float32Array) {
  const count = z.length / LATENTS;
  const mean = new Float64Array(LATENTS);
  z.forEach((value, i) => mean[i % LATENTS] += value / count);
  const covariance = new Float64Array(LATENTS ** 2);
  const squares = new Float64Array(LATENTS ** 2);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < LATENTS ** 2; i++) {
      const [a, b] = [Math.floor(i / LATENTS), i % LATENTS];
      const product = (z[n * LATENTS + a] - mean[a]) * (z[n * LATENTS + b] - mean[b]);
      covariance[i] += product / count;
      squares[i] += product ** 2 / count;
    }
  }
  return {
    mean,
    covariance,
    meanError: mean.map((_, i) => Math.sqrt(covariance[i * (LATENTS + 1)] / count)),
    covarianceError: covariance.map((value, i) => Math.sqrt((squares[i] - value ** 2) / count)),
  };
}

/** Holds draws against encodings: every moment within so many standard errors of both. */
function assertMoments(drawn: Float32Array, encodings: Float32Array, errors: number, noise = 0) {
  const [is, was] = [momentsOf(drawn), momentsOf(encodings)];
  is.mean.forEach((value, i) =>
    assertAlmostEquals(value, was.mean[i], errors * Math.hypot(is.meanError[i], was.meanError[i]), `mean ${i}`)
  );
  is.covariance.forEach((value, i) =>
    assertAlmostEquals(
      value,
      was.covariance[i] + (i % (LATENTS + 1) === 0 ? noise : 0),
      errors * Math.hypot(is.covarianceError[i], was.covarianceError[i]),
      `covariance ${i}`,
    )
  );
}

const encodingsOf = async (trained: Trained) => (await trained.encode(split.values)).mean;

Deno.test("aggregatePosterior() draws encodings of rows of an autoencoder, by the seed", async () => {
  using trained = await projecting();
  const prior = aggregatePosterior(trained, split);
  const z = await prior.draw({ count: 4000, seed: 1 });
  const encodings = await encodingsOf(trained);
  assertMoments(z, encodings, 4);
  const known = new Set(Array.from({ length: COUNT }, (_, n) => encodings.subarray(2 * n, 2 * n + 2).join()));
  for (let n = 0; n < 100; n++) assert(known.has(z.subarray(2 * n, 2 * n + 2).join()));
  assertEquals(await prior.draw({ count: 4000, seed: 1 }), z);
  assertNotEquals(await prior.draw({ count: 4000, seed: 2 }), z);
});

Deno.test("aggregatePosterior() of a VAE has the variance of the means and of the posteriors", async () => {
  using trained = await noisy();
  const z = await aggregatePosterior(trained, split).draw({ count: 4000, seed: 3 });
  assertMoments(z, await encodingsOf(trained), 4, 0.25);
});

Deno.test("fitPrior() with gmm finds the mixture that the encodings are drawn from, in their own scale", async () => {
  using trained = await projecting();
  using prior = await fitPrior(trained, split, gmm, { components: 3, covariance: "full", epochs: 40 });
  const { mean: centre, deviation } = prior.density.data.scaling!;
  const { weight, bias } = await prior.density.parameters.get("means").get();
  const { weight: logShares } = await prior.density.parameters.get("prior").get();
  const found = [0, 1, 2].map((k) => ({
    share: Math.exp(logShares[k]),
    mean: [0, 1].map((d) => (weight[k * LATENTS + d] + bias[d]) * deviation[d] + centre[d]),
  })).sort((a, b) => b.share - a.share);
  for (const [k, { share, mean }] of found.entries()) {
    const count = COUNT * truth.shares[k];
    assertAlmostEquals(share, truth.shares[k], 4 * Math.sqrt(truth.shares[k] * (1 - truth.shares[k]) / COUNT));
    mean.forEach((value, d) =>
      assertAlmostEquals(value, truth.means[k][d], 4 * truth.deviations[k][d] / Math.sqrt(count))
    );
  }
  assertMoments(await prior.draw({ count: 4000, seed: 1 }), await encodingsOf(trained), 4);
});

Deno.test("fitPrior() with gmm covers the noise of a VAE's posteriors", async () => {
  using trained = await noisy();
  using prior = await fitPrior(trained, split, gmm, { components: 3, covariance: "full", epochs: 20 });
  assertMoments(await prior.draw({ count: 4000, seed: 1 }), await encodingsOf(trained), 4, 0.25);
});

for (const transform of ["autoregressive", "coupling"] as const) {
  Deno.test(`fitPrior() with a flow (${transform}) draws what the encodings are like, better than a Gaussian does`, async () => {
    using trained = await projecting();
    const flowing = { transform, layers: 4, hidden: [32], activation: "relu" } as const;
    const descent = { epochs: 12, batchSize: 200, learningRate: 0.01, learningRateSchedule: "cosine" } as const;
    const config = { ...flowing, ...descent };
    using prior = await fitPrior(trained, split, flow, config);
    // A flow has no mean or covariance of its own that maximum likelihood would match: 0.15 of a deviation.
    const [is, was] = [momentsOf(await prior.draw({ count: 4000, seed: 1 })), momentsOf(await encodingsOf(trained))];
    for (let d = 0; d < LATENTS; d++) {
      const deviation = Math.sqrt(was.covariance[d * (LATENTS + 1)]);
      assertAlmostEquals(is.mean[d], was.mean[d], 0.15 * deviation);
      assertAlmostEquals(Math.sqrt(is.covariance[d * (LATENTS + 1)]), deviation, 0.15 * deviation);
    }
    // Of standardized columns, a Gaussian's log p(z) is -(log 2π + 1) - ½ log (1 - ρ²).
    const rho = was.covariance[1] / Math.sqrt(was.covariance[0] * was.covariance[3]);
    const gaussian = -(Math.log(2 * Math.PI) + 1) - 0.5 * Math.log(1 - rho ** 2);
    const { mean, deviation } = prior.density.data.scaling!;
    const z = (await encodingsOf(trained)).map((value, i) => (value - mean[i % 2]) / deviation[i % 2]);
    const { elbo } = await prior.density.evaluate({ values: z, count: COUNT });
    assert(elbo > gaussian + 0.3, `${elbo} and ${gaussian}`);
  });
}

Deno.test("the density of a trained flow integrates to 1 in two dimensions", async () => {
  using trained = await projecting();
  using prior = await fitPrior(trained, split, flow, { hidden: [16], epochs: 3, learningRate: 0.005 });
  const [side, step] = [240, 0.05];
  const values = Float32Array.from({ length: 2 * side * side }, (_, i) => {
    const place = i % 2 ? Math.floor(i / 2 / side) : Math.floor(i / 2) % side;
    return (place - side / 2 + 0.5) * step;
  });
  const { values: logs, kind } = await scores(prior.density, { values, count: side * side });
  assertEquals(kind, "exact");
  assertAlmostEquals(logs.reduce((sum, log) => sum + Math.exp(log) * step * step, 0), 1, 5e-3);
});

Deno.test("a VAE fitted to encodings, the second of two stages, draws what they are like", async () => {
  using trained = await projecting();
  const config = { hidden: [32], latents: 2, likelihood: "gaussian-shared", activation: "relu" } as const;
  using prior = await fitPrior(trained, split, vae, { ...config, epochs: 15, learningRate: 0.01 });
  const [is, was] = [momentsOf(await prior.draw({ count: 4000, seed: 1 })), momentsOf(await encodingsOf(trained))];
  for (let d = 0; d < LATENTS; d++) {
    const deviation = Math.sqrt(was.covariance[d * (LATENTS + 1)]);
    assertAlmostEquals(is.mean[d], was.mean[d], 0.2 * deviation);
    assertAlmostEquals(Math.sqrt(is.covariance[d * (LATENTS + 1)]), deviation, 0.2 * deviation);
  }
});

Deno.test("a fitted prior gives the same bytes for a seed, fitted again, saved and loaded", async () => {
  using trained = await projecting();
  const fit = () => fitPrior(trained, split, gmm, { components: 3, epochs: 3 });
  using first = await fit();
  using second = await fit();
  const bytes = await first.density.toBytes();
  assertEquals(await second.density.toBytes(), bytes);
  using again = fittedPrior(await load(bytes, { gpu }));
  const drawn = await trained.sample({ count: 20, seed: 4, prior: first });
  assertEquals(await trained.sample({ count: 20, seed: 4, prior: again }), drawn);
  assertEquals(await trained.decode(await first.draw({ count: 20, seed: 4 })), drawn);
  assertNotEquals(await trained.sample({ count: 20, seed: 5, prior: first }), drawn);
});

Deno.test("fitVampPrior() learns pseudo-inputs whose posteriors lie as the encodings do, and leaves the encoder alone", async () => {
  using trained = await noisy();
  const settings = { components: 100, epochs: 10, batchSize: 200, learningRate: 0.02 };
  using prior = await fitVampPrior(trained, split, settings);
  for (const { name } of trained.parameters) {
    assertEquals(await prior.density.parameters.get(name).get(), await trained.parameters.get(name).get(), name);
  }
  const z = await prior.draw({ count: 4000, seed: 1 });
  const [is, was] = [momentsOf(z), momentsOf(await encodingsOf(trained))];
  // Each component has as large a share, so that those of clusters of rows are multiples of 1 / 100.
  is.mean.forEach((value, i) => assertAlmostEquals(value, was.mean[i], 0.5, `mean ${i}`));
  // KL(q(z | x) ‖ q(z)) of known densities, by as many draws.
  const draws = await aggregatePosterior(trained, split).draw({ count: 4000, seed: 3 });
  const entropy = draws.reduce((sum, _, i) => i % 2 ? sum : sum - Math.log(density(draws[i], draws[i + 1])), 0) / 4000;
  const least = entropy - Math.log(2 * Math.PI * Math.E * 0.25);
  const { kl } = await prior.density.evaluate(split);
  const standard = await trained.evaluate(split);
  assert(kl > least - 0.1 && kl < least + 0.2 && kl < standard.kl - 1, `${least}, ${kl}, ${standard.kl}`);
  const bytes = await prior.density.toBytes();
  assertEquals(await isFittedTo(decodeCheckpoint(bytes, "kept").data, trained), true);
  using kept = fittedPrior(await load(bytes, { gpu }));
  assertEquals(await kept.draw({ count: 4000, seed: 1 }), z);
  using point = await projecting();
  await assertRejects(() => fitVampPrior(point, split), TypeError, "expected a VAE with a Gaussian posterior");
});

Deno.test("isFittedTo() tells the model that was encoded with from the same one trained on", async () => {
  using trained = await projecting();
  using prior = await fitPrior(trained, split, gmm, { components: 2, epochs: 1 });
  const { data } = decodeCheckpoint(await prior.density.toBytes(), "kept");
  assertEquals(await isFittedTo(data, trained), true);
  const code = trained.parameters.get("code");
  code.set(code.tensor, (await code.get()).weight.fill(0.5), new Float32Array(LATENTS));
  assertEquals(await isFittedTo(data, trained), false);
});

Deno.test("a prior is refused where there is no density of z alone, and at another temperature", async () => {
  using mixture = await begun(gmm as Model, { hidden: undefined, latents: undefined, components: 2 });
  const discrete = "its latents are discrete, and it has learned a prior of them: draw from that one";
  await assertRejects(() => fitPrior(mixture, split, gmm, {}), TypeError, discrete);
  const labels = new Uint8Array(COUNT);
  const labelled = { ...split, labels };
  const training = train(
    cvae as Model,
    { ...dataset, classes: 1, train: labelled, test: labelled },
    { hidden: [], latents: 2, epochs: 1, batchSize: COUNT } as object,
    { gpu },
  );
  for await (const _ of training);
  using conditional = training.trained;
  await assertRejects(
    () => fitPrior(conditional, labelled, gmm, {}),
    TypeError,
    "follow from a condition too (one-hot)",
  );
  using trained = await projecting();
  const prior: LatentPrior = { name: "zeros", draw: ({ count }) => Promise.resolve(new Float32Array(count * LATENTS)) };
  await assertRejects(
    () => trained.sample({ count: 2, prior, temperature: 0.5 }),
    RangeError,
    "Cannot sample from zeros: expected temperature 1, found 0.5",
  );
  const short = { ...prior, draw: () => Promise.resolve(new Float32Array(3)) };
  await assertRejects(() => trained.sample({ count: 2, prior: short }), RangeError, "expected 4 latents");
});
