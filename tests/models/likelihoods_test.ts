/**
 * The setting `likelihood`, on the VAE: each choice trains, has the gradients of central differences, is saved, loaded, resumed and
 * sampled; what it says of itself; the data that it takes.
 */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  betaVae,
  bitsPerDimension,
  type Dataset,
  decodeCheckpoint,
  defaults,
  likelihoodCaveats,
  LIKELIHOODS,
  load,
  type MlpConfig,
  type Model,
  models,
  train,
  Trained,
  type TrainingConfig,
  vae,
} from "../../mod.ts";
import { uniforms } from "../../core/graph/random.ts";
import { gpu } from "../support/gpu.ts";
import { assertClose } from "../support/compare.ts";
import { checkModelGradients } from "../support/gradients.ts";

/** 240 rows of 4 x 4 grey pixels: two halves, one bright and one dark, with noise. */
const count = 240;
const noise = uniforms(new Float32Array(count * 16), 5, 0, 0);
const values = Uint8Array.from(noise, (u, i) => ((i >> 4) % 2 === (i % 16 < 8 ? 0 : 1) ? 200 : 0) + 55 * u);
const dataset: Dataset = {
  name: "blocks",
  shape: [4, 4, 1],
  train: { values, count },
  test: { values: values.subarray(0, 50 * 16), count: 50 },
};
/** σ of the noise: 55 grey values of equal probability. */
const SIGMA = 55 / 255 / Math.sqrt(12);

const small = {
  hidden: [6],
  latents: 2,
  batchSize: 20,
  epochs: 8,
  validation: 40,
  learningRate: 0.02,
  seed: 3,
} as const;

/** Trains and gives the bytes of the checkpoint and the training NLL of every epoch. */
async function trained(config: Partial<MlpConfig & TrainingConfig>, from?: Uint8Array) {
  const resume = from && decodeCheckpoint(from, "checkpoint");
  const training = train(vae, dataset, resume ? config : { ...small, ...config }, { gpu, resume });
  const losses: number[] = [];
  for await (const event of training) {
    if (event.event !== "epoch") continue;
    assert(Object.values({ ...event.train, ...event.validation! }).every(Number.isFinite));
    losses.push(event.train.loss);
  }
  const bytes = await training.trained.toBytes();
  training.trained.destroy();
  return { losses, bytes };
}

const isDensity = (likelihood: string) => likelihood.startsWith("gaussian") || likelihood === "continuous-bernoulli";

for (const likelihood of LIKELIHOODS) {
  Deno.test(`vae with likelihood ${likelihood} trains, saves, loads, resumes to equal bytes, and samples`, async () => {
    const { losses, bytes } = await trained({ likelihood });
    assert(losses[7] < losses[0] - 1, `${losses}`);
    const half = await trained({ likelihood, epochs: 4 });
    assertEquals((await trained({ epochs: 8 }, half.bytes)).bytes, bytes);

    using model = await load(bytes, { gpu });
    assertEquals(model.training.binarize, likelihood === "bernoulli" ? "dynamic" : "none");
    const losses1 = await model.evaluate(dataset.test);
    assert(Object.values(losses1).every(Number.isFinite));
    using again = await load(await model.toBytes(), { gpu });
    assertEquals(await again.evaluate(dataset.test), losses1);
    for (const draw of ["mean", "sample"] as const) {
      const images = await model.sample({ count: 130, draw });
      assertEquals(images.length, 130 * 16);
      assert(images.every(Number.isFinite));
      if (!likelihood.startsWith("gaussian")) assert(images.every((value) => value >= 0 && value <= 1));
      assertEquals(await again.sample({ count: 130, draw }), images);
    }
    if (likelihood.startsWith("gaussian")) return;
    await assertRejects(
      () => model.sample({ draw: "quantiles" }),
      TypeError,
      `Cannot give quantiles with "vae": expected a gaussian likelihood, found ${
        likelihood.replace(/-(shared|pixel|decoder|independent)$/, "").replace("-", " ")
      }`,
    );
  });
}

// Each distribution and each way to a scale once: the ops' own tests have every combination, on both tile families.
const combined = [
  "continuous-bernoulli",
  "gaussian",
  "gaussian-shared",
  "gaussian-decoder",
  "gaussian-full",
  "discretized-logistic-pixel",
  "logistic-mixture",
];
for (const likelihood of LIKELIHOODS.filter((name) => combined.includes(name))) {
  Deno.test(`vae with likelihood ${likelihood} has the gradients of central differences, for every parameter`, async () => {
    const config = { ...defaults(vae.settings), hidden: [3], latents: 2, likelihood, sigma: 0.8 };
    const bends = likelihood === "logistic-mixture";
    await checkModelGradients(vae as Model, config, dataset, { binarize: "none", most: 24, bends });
  });
}

for (const likelihood of LIKELIHOODS.filter((name) => name.startsWith("gaussian"))) {
  Deno.test(`vae with likelihood ${likelihood} gives μ - 2σ ... μ + 2σ of each datum in turn`, async () => {
    const { bytes } = await trained({ likelihood, epochs: 2 });
    using model = await load(bytes, { gpu });
    const z = uniforms(new Float32Array(131 * 2), 1, 0, 0);
    const [mean, rows] = [await model.decode(z), await model.decode(z, { draw: "quantiles" })];
    assertEquals(rows.length, 131 * 5 * 16);
    const row = (n: number, i: number) => rows.subarray((5 * n + i) * 16, (5 * n + i + 1) * 16);
    for (const n of [0, 127, 128, 130]) {
      assertClose(row(n, 2), mean.subarray(n * 16, (n + 1) * 16), "the middle", { absolute: 1e-6 });
      const sigma = row(n, 3).map((value, d) => value - row(n, 2)[d]);
      assert(sigma.every((value) => value > 0));
      if (likelihood === "gaussian") assertClose(sigma, new Float32Array(16).fill(0.1), "σ", { absolute: 1e-6 });
      for (const [i, k] of [-2, -1, 0, 1, 2].entries()) {
        assertClose(row(n, i), row(n, 2).map((mean, d) => mean + k * sigma[d]), `k = ${k}`, { absolute: 1e-6 });
      }
    }
  });
}

Deno.test("a learned σ comes to that of the noise in the data", async () => {
  for (const likelihood of ["gaussian-shared", "gaussian-pixel"] as const) {
    const { bytes } = await trained({ likelihood, sigma: 0.3, epochs: 60 });
    const { tensors } = decodeCheckpoint(bytes, "checkpoint");
    assert(!tensors.has("scale.weight"));
    const learned = tensors.get("scale.bias")!;
    assertEquals(learned.shape, [likelihood === "gaussian-shared" ? 1 : 16]);
    for (const value of learned.data as Float32Array) {
      assertAlmostEquals(0.3 * Math.exp(value / 2), SIGMA, 0.3 * SIGMA, likelihood);
    }
  }
});

Deno.test("the discretized logistic codes noise of 55 grey values in about log2 55 bits a pixel", async () => {
  const { bytes } = await trained({ likelihood: "discretized-logistic", epochs: 60 });
  using model = await load(bytes, { gpu });
  const { elbo } = await model.evaluate(dataset.test, { samples: 4 });
  const bits = bitsPerDimension(-elbo, 16);
  // No model can do with less but for the 1 bit of which half is bright.
  assert(bits > Math.log2(55) && bits < Math.log2(55) + 0.7, `${bits} bits`);
});

Deno.test("a likelihood takes grey values as they are, unless the training is told otherwise", async () => {
  const { bytes } = await trained({ likelihood: "gaussian", binarize: "threshold", epochs: 1 });
  assertEquals(decodeCheckpoint(bytes, "checkpoint").training.binarize, "threshold");
  // A run that goes on keeps what it began with.
  const resumed = await trained({ epochs: 2 }, bytes);
  assertEquals(decodeCheckpoint(resumed.bytes, "checkpoint").training.binarize, "threshold");
});

Deno.test("a fixed σ says its effective β, 2σ² times the weight of the KL term", () => {
  const config = { ...defaults(betaVae.settings), likelihood: "gaussian", sigma: Math.SQRT1_2, beta: 1 } as const;
  const [samples, divergence] = [1, "analytic" as const];
  assert(vae.caveats!({ ...config, samples, divergence })[1].startsWith("effective β = 1: "));
  assert(vae.caveats!({ ...config, samples, divergence, sigma: 0.1 })[1].startsWith("effective β = 0.02: "));
  // 2 · 0.1² · 5
  const product = "effective β = 0.1: with σ = 0.1 fixed, ‖x - μ‖²/(2σ²) + 5 KL has the minimum of ‖x - μ‖² + 0.1 KL ";
  const [bound, , effective] = betaVae.caveats!({ ...config, sigma: 0.1, beta: 5 });
  assertEquals(bound, "the loss is a looser bound than the ELBO is; elbo is reported with weight 1");
  assert(effective.startsWith(product), effective);
  assertEquals(likelihoodCaveats({ ...config, likelihood: "bernoulli" }), []);
  for (const likelihood of LIKELIHOODS) {
    const remarks = likelihoodCaveats({ ...config, likelihood });
    assertEquals(remarks.some((line) => line.includes("density")), isDensity(likelihood));
  }
});

Deno.test("every model says one effective β at most, and those that minimise nothing beside nll none", () => {
  const effective = (model: Model, config: object) =>
    (model.caveats?.({ ...defaults(model.settings), ...config }) ?? []).filter((line) => line.includes("effective β"));
  for (const model of models.values()) {
    for (const likelihood of "likelihood" in model.settings ? LIKELIHOODS : []) {
      for (const beta of "beta" in model.settings ? [0, 0.5, 1, 4] : [1]) {
        const lines = effective(model, { likelihood, beta });
        assert(lines.length <= 1, `${model.name}, ${likelihood}: ${lines}`);
        if (/^d?ae$/.test(model.name)) assertEquals(lines, []);
      }
    }
  }
  const fixed = { likelihood: "gaussian", sigma: 0.1 };
  const holds = (model: string, config: object, text: string) => {
    const lines = effective(models.get(model)!, { ...fixed, ...config });
    assert(lines[0].includes(text), `${lines}`);
  };
  // 2 · 0.1² times the weight.
  holds("vq_vae", { commitment: 0.25 }, "‖x - μ‖² + 0.005 |z - sg(e)|² ");
  holds("beta_vae", { beta: 4, freeBits: 0.1 }, "‖x - μ‖² + 0.08 Σₖ max(λ, KLₖ) ");
  holds("beta_vae", { beta: 4, freeBits: 0.1, capacity: 2 }, "‖x - μ‖² + 0.08 |KL - C| ");
});

Deno.test("with σ² = ½ the loss is squared error + KL and a constant, for any σ with its effective β", async () => {
  const { bytes } = await trained({ likelihood: "gaussian", sigma: 0.2, epochs: 1 });
  using model = await load(bytes, { gpu });
  const checkpoint = decodeCheckpoint(bytes, "checkpoint");
  // The same parameters under σ² = ½: what is minimised differs by the factor 2σ² and a constant.
  const config = { ...checkpoint.config, sigma: Math.SQRT1_2 };
  using plain = await Trained.fromCheckpoint(vae as Model, { ...checkpoint, config }, { gpu });
  const [own, other] = [await model.evaluate(dataset.test), await plain.evaluate(dataset.test)];
  const squares = other.nll - 8 * Math.log(2 * Math.PI * 0.5);
  assertAlmostEquals(2 * 0.2 ** 2 * (own.nll - 8 * Math.log(2 * Math.PI * 0.2 ** 2)), squares, 1e-4);
  assertAlmostEquals(own.kl, other.kl, 1e-6);
});

Deno.test("outputActivation sigmoid keeps the mean within (0, 1)", async () => {
  const { bytes, losses } = await trained({ likelihood: "gaussian", sigma: 1, outputActivation: "sigmoid" });
  assert(losses[7] < losses[0]);
  using model = await load(bytes, { gpu });
  assert((await model.sample({ count: 50, temperature: 3 })).every((value) => value > 0 && value < 1));
});
