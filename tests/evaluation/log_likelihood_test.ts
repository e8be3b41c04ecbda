/** Estimates of log p(x) against integrals that PyTorch and closed forms give, for every kind of posterior. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  ae,
  cvae,
  type Dataset,
  gmm,
  linearVae,
  logLikelihood,
  type Model,
  scores,
  type Split,
  train,
  type Trained,
  vae,
} from "../../mod.ts";
import { normals } from "../../core/graph/random.ts";
import golden from "../golden/bits_vae.json" with { type: "json" };
import { bits, bitsVae } from "./support.ts";
import { covarianceOf, logNormal } from "../reference/linear_gaussian.ts";
import { families, gpu } from "../support/gpu.ts";

async function trained(model: Model, dataset: Dataset, config: object): Promise<Trained> {
  const training = train(model, dataset, { validation: 0, ...config }, { gpu });
  for await (const event of training) assert(event.event !== "end" || !event.stopped);
  return training.trained as Trained;
}

/** A linear map of three latents to eight features with noise, [1, 8, 1]. */
function plane(): Dataset {
  const [D, K, count] = [8, 3, 90];
  const [w, z, noise] = [D * K, count * K, count * D].map((n, i) => normals(new Float64Array(n), i + 1, 0, 0));
  const values = Float32Array.from(noise, (e, i) => {
    let sum = 0.5 * e + 0.1 * (i % D);
    for (let k = 0; k < K; k++) sum += 0.6 * w[k * D + i % D] * z[Math.floor(i / D) * K + k];
    return sum;
  });
  const rows = { values, count };
  return { name: "plane", shape: [1, D, 1], train: rows, test: rows };
}

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

for (const family of families) {
  Deno.test(`logLikelihood() of 2,000 draws is PyTorch's integral for every row, and elbo and kl are its own (${family})`, async () => {
    using model = await bitsVae(family);
    const found = await logLikelihood(model, bits.test, { samples: 2000 });
    const { rows } = golden;
    assertEquals([found.kind, found.samples, found.values.length], ["estimate", 2000, 60]);
    // The weights of a posterior this near vary by less than 1; five deviations of a mean of 2,000 of them.
    found.values.forEach((value, i) => assertAlmostEquals(value, rows.logLikelihood[i], 5 / Math.sqrt(2000)));
    assertAlmostEquals(found.mean, mean(rows.logLikelihood), 0.01);
    found.elbos.forEach((value, i) => assertAlmostEquals(value, rows.elbo[i], 0.15));
    assertAlmostEquals(found.elbo, mean(rows.elbo), 0.01);
    assertAlmostEquals(found.kl, mean(rows.kl), 1e-4);
    assertAlmostEquals(found.elbo, -(found.nll + found.kl), 1e-9);
    const deviation = Math.sqrt(
      rows.logLikelihood.reduce((sum, v) => sum + (v - mean(rows.logLikelihood)) ** 2, 0) / 59,
    );
    assertAlmostEquals(found.standardError, deviation / Math.sqrt(60), 0.01);
    assert(found.effectiveSamples > 500 && found.effectiveSamples < 2000, `${found.effectiveSamples}`);
  });
}

Deno.test("logLikelihood() with one draw is a noisy ELBO, and rises with draws towards the integral", async () => {
  using model = await bitsVae();
  const means = [];
  for (const samples of [1, 7, 200]) means.push((await logLikelihood(model, bits.test, { samples })).mean);
  assertAlmostEquals(means[0], mean(golden.rows.elbo), 0.3);
  assert(means[0] < means[1] && means[1] < means[2], `${means}`);
});

Deno.test("logLikelihood() by the harmonic estimator comes to its own limit, which is no log-likelihood", async () => {
  using model = await bitsVae();
  const found = await logLikelihood(model, bits.test, { samples: 20_000, estimator: "harmonic" });
  assertAlmostEquals(found.mean, mean(golden.rows.harmonicLimit), 0.05);
  assert(found.mean < mean(golden.rows.logLikelihood) - 0.3);
});

Deno.test("logLikelihood() of 5,000 draws is within 0.02 nats of the closed form of a linear VAE", async () => {
  const data = plane();
  using model = await trained(linearVae as Model, data, {
    latents: 3,
    sigma: 0.7,
    batchSize: 30,
    epochs: 40,
    learningRate: 0.03,
  });
  const { weight, bias } = await model.parameters.get("likelihood").get();
  const variance = 0.7 ** 2 * Math.exp((await model.parameters.get("scale").get()).bias[0]);
  const covariance = covarianceOf(weight, 8, variance);
  const found = await logLikelihood(model, data.test, { samples: 5000 });
  const expected = Array.from(
    { length: 90 },
    (_, i) => logNormal(data.test.values.slice(8 * i, 8 * i + 8), bias, covariance),
  );
  assertAlmostEquals(found.mean, mean(expected), 0.02);
  assert(found.elbo < found.mean);
});

Deno.test("logLikelihood() with full covariance comes to the same as with the mean-field posterior of the same decoder", async () => {
  const data = plane();
  const config = {
    hidden: [],
    latents: 3,
    likelihood: "gaussian",
    sigma: 0.6,
    batchSize: 30,
    epochs: 30,
    learningRate: 0.03,
  };
  using model = await trained(vae as Model, data, { ...config, covariance: "full" });
  const { weight, bias } = await model.parameters.get("likelihood").get();
  const covariance = covarianceOf(weight, 8, 0.36);
  const expected = Array.from(
    { length: 90 },
    (_, i) => logNormal(data.test.values.slice(8 * i, 8 * i + 8), bias, covariance),
  );
  const found = await logLikelihood(model, data.test, { samples: 2000 });
  assertAlmostEquals(found.mean, mean(expected), 0.02);
});

Deno.test("logLikelihood() of a mixture is exact, whatever the number of draws", async () => {
  const data = plane();
  using model = await trained(gmm as Model, data, { components: 2, epochs: 5, batchSize: 40 });
  const found = await logLikelihood(model, data.test, { samples: 50 });
  const { elbo } = await model.evaluate(data.test);
  assertEquals([found.kind, found.samples], ["exact", 1]);
  assertAlmostEquals(found.mean, elbo, 1e-4);
  assertAlmostEquals(found.mean, found.elbo, 1e-4);
});

Deno.test("logLikelihood() of a conditional model is given the labels", async () => {
  const labels = Uint8Array.from({ length: 60 }, (_, i) => i % 2);
  const labelled: Split = { ...bits.train, labels };
  const data = { ...bits, classes: 2, train: labelled, test: labelled };
  using model = await trained(cvae as Model, data, { hidden: [6], latents: 2, batchSize: 20, epochs: 60 });
  const right = await logLikelihood(model, labelled, { samples: 50 });
  const wrong = await logLikelihood(model, { ...labelled, labels: labels.map((label) => 1 - label) }, { samples: 50 });
  assert(right.mean > wrong.mean + 1, `${right.mean} ${wrong.mean}`);
});

Deno.test("logLikelihood() says that an autoencoder has no density; scores() takes its reconstruction", async () => {
  using model = await trained(ae as Model, bits, { hidden: [6], latents: 2, batchSize: 20, epochs: 5 });
  await assertRejects(
    () => logLikelihood(model, bits.test, { samples: 5 }),
    TypeError,
    'Cannot estimate a log-likelihood with "ae": expected a Gaussian posterior and a likelihood, found a model without a density',
  );
  const found = await scores(model, bits.test);
  assertEquals(found.kind, "reconstruction");
  assertAlmostEquals(mean(found.values), -(await model.evaluate(bits.test)).nll, 1e-4);
});

Deno.test("scores() puts the rows that the model knows least first", async () => {
  using model = await bitsVae();
  const values = bits.test.values.slice() as Uint8Array<ArrayBuffer>;
  // Every second pixel of row 17 turned over.
  for (let d = 0; d < 16; d += 2) values[17 * 16 + d] = 255 - values[17 * 16 + d];
  const found = await scores(model, { values, count: 60 }, { samples: 100 });
  assertEquals(found.order[0], 17);
  found.order.forEach((row, i) => assert(i === 0 || found.values[row] >= found.values[found.order[i - 1]]));
  assertEquals([...found.order].sort((a, b) => a - b), Array.from({ length: 60 }, (_, i) => i));
});

Deno.test("logLikelihood() gives the same bits again, stops when asked to, and refuses no draws", async () => {
  using model = await bitsVae();
  const [a, b] = [
    await logLikelihood(model, bits.test, { samples: 30 }),
    await logLikelihood(model, bits.test, { samples: 30 }),
  ];
  assertEquals(a.values, b.values);
  await assertRejects(
    () => logLikelihood(model, bits.test, { samples: 10, signal: AbortSignal.abort() }),
    DOMException,
  );
  await assertRejects(() => logLikelihood(model, bits.test, { samples: 0 }), RangeError, "at least 1 sample, found 0");
});
