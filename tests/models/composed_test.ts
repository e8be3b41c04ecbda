/** What a VAE is composed of: presets are combinations, any goes with any, and what has no meaning is refused. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  betaVae,
  composed,
  type ComposedConfig,
  configure,
  convVae,
  cvae,
  decodeCheckpoint,
  iwae,
  logLikelihood,
  type Model,
  train,
  vae,
} from "../../mod.ts";
import { slice, type Split } from "../../core/dataset.ts";
import type { Trained } from "../../core/training/trained.ts";
import { autoregressive, coupling } from "../reference/flows.ts";
import { assertClose } from "../support/compare.ts";
import { checkModelGradients } from "../support/gradients.ts";
import { gpu } from "../support/gpu.ts";
import { rows, stripes as dataset } from "../support/stripes.ts";

const small = { hidden: [6], latents: 2 } as const;

/** The trained parameters as bytes, by name. */
async function tensorsOf(model: Model<ComposedConfig>, config: Partial<ComposedConfig>) {
  const training = train(model, dataset, { ...small, batchSize: 21, epochs: 2, validation: 20, ...config }, { gpu });
  for await (const _ of training);
  using trained = training.trained;
  return [...decodeCheckpoint(await trained.toBytes(), "checkpoint").tensors];
}

const presets: readonly [Model<ComposedConfig>, Partial<ComposedConfig>][] = [
  [betaVae, { beta: 4 }],
  [cvae, { condition: "one-hot" }],
  [iwae, { objective: "iwae", samples: 5 }],
  [iwae, { objective: "miwae", samples: 5, bounds: 1 }],
  [iwae, { objective: "ciwae", samples: 5, combination: 0 }],
  [iwae, { objective: "piwae", samples: 5, bounds: 1 }],
  [convVae, { encoder: "conv", activation: "relu" }],
];

for (const [preset, config] of presets) {
  Deno.test(`${preset.name} is vae with ${Object.keys(config)}, to the bit`, async () => {
    assertEquals(await tensorsOf(preset, {}), await tensorsOf(vae, config));
  });
}

for (
  const [name, ends] of [
    ["as many bounds as draws", { objective: "miwae", samples: 4, bounds: 4 }],
    ["all of the ELBO", { objective: "ciwae", samples: 4, combination: 1 }],
  ] as const
) {
  Deno.test(`${name} is vae with a sampled divergence`, async () => {
    const [found, expected] = await Promise.all([
      tensorsOf(vae, ends),
      tensorsOf(vae, { samples: 4, divergence: "sampled" }),
    ]);
    found.forEach(([tensor, { data }], i) => assertClose(data, expected[i][1].data, tensor, { absolute: 1e-6 }));
  });
}

Deno.test("piwae takes the encoder's gradient from miwae, and the decoder's from iwae", async () => {
  // One step from the same weights, by a rule that takes the gradient as it is.
  const one = { samples: 6, batchSize: 100, epochs: 1, optimizer: "sgd" as const, validation: 20 };
  const of = async (config: object) => new Map(await tensorsOf(vae, { ...one, ...config }));
  const bounds = 3;
  const [both, encoder, decoder] = await Promise.all([
    of({ objective: "piwae", bounds }),
    of({ objective: "miwae", bounds }),
    of({ objective: "iwae" }),
  ]);
  for (const [name, { data }] of both) {
    const [own, other] = /\bencoder\b/.test(name) ? [encoder, decoder] : [decoder, encoder];
    assertClose(data, own.get(name)!.data, name, { absolute: 1e-8 });
    assert(data.some((value, i) => Math.abs(value - other.get(name)!.data[i]) > 1e-6), name);
  }
});

Deno.test("with --alternate the encoder is trained for some steps, and the decoder for as many", async () => {
  const every = { batchSize: 100, optimizer: "sgd", learningRate: 0.01, alternate: 2 } as const;
  const after = async (epochs: number) => new Map(await tensorsOf(vae, { ...every, epochs } as object));
  // A step an epoch: two of the encoder, two of the decoder, and one of the encoder again.
  const steps = await Promise.all([1, 2, 3, 4, 5].map(after));
  for (let i = 1; i < steps.length; i++) {
    const trained = i === 1 || i === 4 ? /^encoder/ : /^(decoder|likelihood)/;
    for (const [name, { data }] of steps[i]) {
      if (name.startsWith("optimizer")) continue;
      const same = data.every((value, at) => value === steps[i - 1].get(name)!.data[at]);
      assertEquals(same, !trained.test(name), `${name} at step ${i}`);
    }
  }
});

Deno.test("an alternating training stopped within a turn and resumed gives the bytes of the uninterrupted one", async () => {
  // Ten steps in turns of three; the first two epochs end within the second turn.
  const config = { ...small, alternate: 3, batchSize: 50, validation: 20, seed: 1 };
  const bytesAfter = async (epochs: number, resume?: Uint8Array) => {
    const from = resume && { resume: decodeCheckpoint(resume, "checkpoint") };
    const training = train(vae, dataset, { ...config, epochs }, { gpu, ...from });
    for await (const _ of training);
    using trained = training.trained;
    return await trained.toBytes();
  };
  assertEquals(await bytesAfter(5, await bytesAfter(2)), await bytesAfter(5));
});

Deno.test("the loss of alternating objectives counts what both minimise once", async () => {
  const training = train(vae, dataset, { ...small, alternate: 1, beta: 2, epochs: 2, validation: 20 }, { gpu });
  for await (const event of training) {
    if (event.event !== "epoch") continue;
    for (const { loss, nll, kl } of [event.train, event.validation!]) assertAlmostEquals(loss, nll + 2 * kl, 1e-5);
  }
  training.trained.destroy();
});

const unweighted: readonly Partial<ComposedConfig>[] = [
  { penalty: "dip-1", diagonalWeight: 0 },
  { penalty: "dip-2", diagonalWeight: 0 },
  { penalty: "total-correlation" },
  { penalty: "mmd" },
  { penalty: "factor", discriminatorHidden: [5] },
  { penalty: "adversarial", discriminatorHidden: [5] },
];

for (const config of unweighted) {
  Deno.test(`a penalty of weight 0 leaves the VAE that it was, to the bit: ${config.penalty}`, async () => {
    const base = { latents: 3, samples: 2 };
    const tensors = await tensorsOf(vae, { ...base, ...config, penaltyWeight: 0 });
    assertEquals(tensors.filter(([name]) => !/\bdiscriminator\b/.test(name)), await tensorsOf(vae, base));
  });
}

const conv = { encoder: "conv", channels: [4, 3], kernel: 3 } as const;

// Each two values of two settings meet in one of them.
const combinations: readonly Partial<ComposedConfig>[] = [
  { condition: "one-hot", beta: 4, betaSchedule: "warm-up", betaSteps: 20, likelihood: "gaussian-decoder", sigma: 2 },
  { condition: "raw", objective: "iwae", samples: 3, covariance: "full", likelihood: "gaussian-pixel", sigma: 2 },
  { towers: 2, covariance: "full", capacity: 2, betaSteps: 10, condition: "one-hot", samples: 2 },
  {
    towers: 2,
    objective: "iwae",
    samples: 2,
    gradient: "doubly-reparameterized",
    likelihood: "gaussian-shared",
    sigma: 2,
  },
  { ...conv, objective: "iwae", samples: 3, condition: "one-hot", likelihood: "gaussian-decoder", sigma: 2 },
  { ...conv, beta: 2, covariance: "full", condition: "raw" },
  { ...conv, capacity: 2, betaSteps: 10, likelihood: "gaussian", sigma: 2, samples: 2, condition: "one-hot" },
  { prior: "mixture", components: 3, condition: "one-hot", beta: 2 },
  { prior: "mixture", components: 3, covariance: "full", objective: "iwae", samples: 2 },
  { prior: "conditional", condition: "one-hot", samples: 2, beta: 2, divergence: "analytic" },
  { ...conv, prior: "conditional", condition: "raw", objective: "iwae", samples: 3 },
  { prior: "real-nvp", priorLayers: 2, priorHidden: [3], condition: "one-hot", samples: 2 },
  { ...conv, prior: "maf", priorLayers: 2, priorHidden: [3], objective: "iwae", samples: 2, covariance: "full" },
  { objective: "miwae", samples: 6, bounds: 2, covariance: "full" },
  {
    ...conv,
    objective: "piwae",
    samples: 4,
    bounds: 2,
    prior: "mixture",
    components: 3,
    penalty: "adversarial",
    discriminatorHidden: [2],
  },
  { objective: "piwae", samples: 4, bounds: 2, penalty: "dip-1", covariance: "full" },
  { objective: "ciwae", samples: 3, combination: 0.25, condition: "raw", prior: "mixture", components: 3 },
  { flow: "iaf", flowLayers: 2, flowHidden: [3], flowContext: 2, samples: 2, beta: 2, condition: "one-hot" },
  { flow: "planar", flowLayers: 2, objective: "iwae", samples: 2, covariance: "full" },
  {
    ...conv,
    flow: "iaf",
    flowLayers: 1,
    flowHidden: [3],
    flowContext: 3,
    prior: "maf",
    priorLayers: 1,
    priorHidden: [2],
  },
  { prior: "vamp", components: 3, towers: 2, capacity: 2, betaSteps: 10 },
  { ...conv, prior: "vamp", components: 3, objective: "iwae", samples: 2 },
  { ...conv, divergence: "sampled", covariance: "full", samples: 2, likelihood: "continuous-bernoulli" },
  { penalty: "dip-1", penaltyWeight: 3, covariance: "full", condition: "one-hot", samples: 2, beta: 2 },
  { penalty: "total-correlation", penaltyWeight: 3, condition: "one-hot", samples: 2, freeBits: 0.1 },
  { penalty: "total-correlation", estimator: "weighted", prior: "vamp", components: 3, beta: 2 },
  { penalty: "total-correlation", objective: "iwae", samples: 2, towers: 2, likelihood: "gaussian-shared", sigma: 2 },
  { penalty: "mmd", penaltyWeight: 5, prior: "conditional", condition: "one-hot", samples: 2, covariance: "full" },
  { penalty: "mmd", mmdKernel: "rbf", bandwidth: 0.5, prior: "maf", priorLayers: 1, priorHidden: [3] },
  {
    ...conv,
    penalty: "factor",
    discriminatorHidden: [4],
    condition: "one-hot",
    samples: 2,
    flow: "planar",
    flowLayers: 1,
  },
  {
    penalty: "adversarial",
    discriminatorHidden: [4, 3],
    prior: "mixture",
    components: 3,
    objective: "iwae",
    samples: 2,
  },
  {
    ...conv,
    reconstruction: "features",
    reconstructionWeight: 3,
    discriminatorHidden: [3],
    condition: "one-hot",
    beta: 2,
  },
  {
    reconstruction: "features",
    discriminatorHidden: [3],
    prior: "maf",
    priorLayers: 1,
    priorHidden: [3],
    likelihood: "gaussian-decoder",
    sigma: 2,
  },
  {
    reconstruction: "ms-ssim",
    reconstructionWeight: 30,
    condition: "raw",
    penalty: "mmd",
    capacity: 2,
    betaSteps: 10,
    likelihood: "gaussian-shared",
    sigma: 2,
    outputActivation: "sigmoid",
  },
  { ...conv, alternate: 3, condition: "one-hot", beta: 2, likelihood: "gaussian-shared", sigma: 2 },
  {
    alternate: 5,
    objective: "iwae",
    samples: 2,
    prior: "vamp",
    components: 3,
    penalty: "adversarial",
    discriminatorHidden: [2],
  },
  { ...conv, likelihood: "gaussian-low-rank", rank: 2, sigma: 2, objective: "iwae", samples: 2 },
  { reconstruction: "features", discriminatorHidden: [4], likelihood: "gaussian-full", sigma: 2 },
  { ...conv, penalty: "dip-2", prior: "mixture", components: 3, objective: "iwae", samples: 2 },
];

for (const combination of combinations) {
  const name = Object.entries(combination).map(([key, value]) => `${key} ${value}`).join(", ");
  Deno.test(`the gradients are those of central differences: ${name}`, async () => {
    const config = configure(vae.settings, { ...small, hidden: [3], ...combination });
    // The doubly reparameterized gradient of the encoder is no derivative of the bound of these draws.
    const skip = combination.gradient ? /^encoder/ : /^prior\..*\.bias$/;
    const binary = vae.support!(config) === "binary";
    await checkModelGradients(vae as Model, config, dataset, {
      ...{ binarize: binary ? "threshold" : "none", skip, most: 12 },
    });
  });
}

Deno.test("a conditional prior is drawn by its class", async () => {
  const training = train(cvae, dataset, {
    ...{ hidden: [8], latents: 2, batchSize: 30, epochs: 40, learningRate: 0.02, validation: 0, seed: 2 },
    ...{ prior: "conditional", condition: "one-hot", binarize: "threshold" },
  }, { gpu });
  for await (const _ of training);
  using trained = training.trained;
  const { tensors } = decodeCheckpoint(await trained.toBytes(), "x");
  const [weight, bias] = ["weight", "bias"].map((name) => tensors.get(`prior.statistics.${name}`)!.data);
  // [3, 2 K]: the mean and log-variance of each class.
  const statistics = Array.from(weight, (value, i) => value + bias[i % 4]);
  assert(Math.abs(statistics[0] - statistics[4]) > 0.1, "the classes differ");
  const count = 20_000;
  for (const label of [0, 1, 2]) {
    const z = await trained.drawPrior({ count, seed: 1, labels: [label] });
    for (const k of [0, 1]) {
      const column = Array.from({ length: count }, (_, n) => z[2 * n + k]);
      const mean = column.reduce((sum, value) => sum + value, 0) / count;
      const deviation = Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
      const expected = Math.exp(statistics[4 * label + 2 + k] / 2);
      // Five standard errors.
      assertAlmostEquals(mean, statistics[4 * label + k], 5 * expected / Math.sqrt(count));
      assertAlmostEquals(deviation, expected, 5 * expected / Math.sqrt(2 * count));
    }
  }
  // Labels are taken in turn, as sampling takes them.
  const turns = await trained.drawPrior({ count: 3, seed: 1 });
  const last = await trained.drawPrior({ count: 3, seed: 1, labels: [2] });
  assertEquals([...turns.slice(4)], [...last.slice(4)]);
});

// In closed form to float32's last digits; by 200 draws of 120 rows within some standard errors.
for (const [divergence, tolerance] of [["auto", 1e-5], ["sampled", 0.02]] as const) {
  Deno.test(`the KL from a conditional prior is that of two Gaussians: divergence ${divergence}`, async () => {
    const training = train(cvae, dataset, {
      ...{ hidden: [8], latents: 2, batchSize: 30, epochs: 20, learningRate: 0.02, validation: 0, seed: 2 },
      ...{ prior: "conditional", condition: "one-hot", binarize: "threshold", beta: 0.01, divergence },
    }, { gpu });
    for await (const _ of training);
    using trained = training.trained;
    const { tensors } = decodeCheckpoint(await trained.toBytes(), "x");
    const [weight, bias] = ["weight", "bias"].map((name) => tensors.get(`prior.statistics.${name}`)!.data);
    const { statistics } = await trained.posterior(trained.rowsOf(rows), rows);
    let expected = 0;
    rows.labels!.forEach((label, n) => {
      for (const k of [0, 1]) {
        const [mean, a] = [k, 2 + k].map((column) => statistics[4 * n + column]);
        const [m, l] = [k, 2 + k].map((column) => weight[4 * label + column] + bias[column]);
        expected += 0.5 * (Math.exp(a - l) + (mean - m) ** 2 / Math.exp(l) - 1 + l - a) / rows.count;
      }
    });
    assert(expected > 1);
    const { kl } = await trained.evaluate(rows, { samples: divergence === "auto" ? 1 : 200 });
    assertAlmostEquals(kl, expected, tolerance * expected);
    const estimated = "kl is estimated by each draw of z: log q(z | x) - log p(z)";
    assertEquals(cvae.caveats!(trained.config as ComposedConfig).includes(estimated), divergence === "sampled");
  });
}

Deno.test("with a learned prior the log-likelihood is that of integration over z, and samples are its draws", async () => {
  const training = train(vae, dataset, {
    ...{ hidden: [8], latents: 1, batchSize: 30, epochs: 60, learningRate: 0.02, validation: 0, seed: 2 },
    ...{ prior: "mixture", components: 3, binarize: "threshold" },
  }, { gpu });
  for await (const _ of training);
  using trained = training.trained;
  // [3, 2 K + 1]: means, log-variances, logits.
  const { data: prior } = decodeCheckpoint(await trained.toBytes(), "x").tensors.get("prior.components.weight")!;
  const weights = [0, 1, 2].map((c) => Math.exp(prior[3 * c + 2]));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const density = (z: number) =>
    weights.reduce((sum, weight, c) => {
      const variance = Math.exp(prior[3 * c + 1]);
      return sum +
        weight / total * Math.exp(-0.5 * (z - prior[3 * c]) ** 2 / variance) / Math.sqrt(2 * Math.PI * variance);
    }, 0);
  const step = 1 / 256;
  const z = Float32Array.from({ length: 20 / step }, (_, i) => -10 + i * step);
  const logs = Array.from(z, (value) => Math.log(density(value) * step));
  const integrated = await integral(trained as Trained, rows, z, logs);
  const { mean, elbo } = await logLikelihood(trained, rows, { samples: 4000 });
  assertAlmostEquals(mean, integrated, 2e-3);
  assert(elbo < mean);
  // The mean of the prior by its components, within four deviations of 20,000 draws.
  const drawn = await trained.drawPrior({ count: 20_000, seed: 1 });
  const moment = (power: number) => drawn.reduce((sum, value) => sum + value ** power, 0) / drawn.length;
  const expected = weights.reduce((sum, weight, c) => sum + weight / total * prior[3 * c], 0);
  assertAlmostEquals(moment(1), expected, 4 * Math.sqrt((moment(2) - moment(1) ** 2) / drawn.length));
});

/** The points of a square about 0, side by side, [side², 2]. */
const square = (side: number, step: number) =>
  Float32Array.from(
    { length: 2 * side * side },
    (_, i) => ((i % 2 ? Math.floor(i / 2 / side) : Math.floor(i / 2) % side) - side / 2 + 0.5) * step,
  );

/** The mean of log p(x) of rows by sums over points z, each with the logarithm of what it stands for of p(z). */
async function integral(trained: Trained, some: Split, z: Float32Array, logs: readonly number[]): Promise<number> {
  const means = await trained.decode(z);
  const x = trained.rowsOf(some);
  let integrated = 0;
  for (let n = 0; n < some.count; n++) {
    let sum = 0;
    logs.forEach((start, i) => {
      let log = start;
      for (let d = 0; d < 16; d++) log += Math.log(x[16 * n + d] ? means[16 * i + d] : 1 - means[16 * i + d]);
      sum += Math.exp(log);
    });
    integrated += Math.log(sum) / some.count;
  }
  return integrated;
}

for (const flow of ["iaf", "planar"] as const) {
  Deno.test(`with a flow as posterior the log-likelihood is that of integration over z: ${flow}`, async () => {
    const training = train(vae, dataset, {
      ...{ hidden: [8], latents: 2, batchSize: 30, epochs: 40, learningRate: 0.02, validation: 0, seed: 2 },
      ...{ flow, flowLayers: 2, binarize: "threshold", ...flow === "iaf" ? { flowHidden: [6], flowContext: 4 } : {} },
    }, { gpu });
    for await (const _ of training);
    using trained = training.trained;
    const [side, step] = [100, 0.1];
    const z = square(side, step);
    const logs = Array.from(
      { length: side * side },
      (_, i) => 2 * Math.log(step) - Math.log(2 * Math.PI) - (z[2 * i] ** 2 + z[2 * i + 1] ** 2) / 2,
    );
    const some = slice(rows, 0, 30);
    const { mean } = await logLikelihood(trained, some, { samples: 4000 });
    assertAlmostEquals(mean, await integral(trained as Trained, some, z, logs), 5e-3);
    assert(await trained.hasDensity() && !await trained.hasGaussianPosterior());
    // A divergence that is drawn takes many draws.
    assert((await trained.evaluate(some, { samples: 200 })).elbo < mean);
    const { mean: encoded, logVariance } = await trained.encode(trained.rowsOf(some));
    assert(encoded.every(Number.isFinite) && logVariance.every(Number.isFinite));
  });
}

for (const prior of ["real-nvp", "maf"] as const) {
  Deno.test(`with a flow as prior the log-likelihood is that of integration over z, and samples are its draws: ${prior}`, async () => {
    const training = train(vae, dataset, {
      ...{ hidden: [8], latents: 2, batchSize: 30, epochs: 60, learningRate: 0.02, validation: 0, seed: 2 },
      ...{ prior, priorLayers: 3, priorHidden: [6], binarize: "threshold" },
    }, { gpu });
    for await (const _ of training);
    using trained = training.trained;
    const { tensors } = decodeCheckpoint(await trained.toBytes(), "x");
    const nets = [0, 1, 2].map((layer) =>
      ["0", prior === "maf" ? "1" : "scale"].map((name) => ({
        weight: tensors.get(`prior.${layer}.${name}.weight`)!.data,
        bias: tensors.get(`prior.${layer}.${name}.bias`)!.data,
      }))
    );
    const flow = prior === "maf" ? autoregressive : coupling;
    const logDensity = (z: number[]) => {
      const { y, logDeterminant } = flow(nets, z, [], Math.tanh);
      return logDeterminant - y.reduce((sum, value) => sum + value * value / 2, 0) - Math.log(2 * Math.PI);
    };
    const [side, step] = [160, 0.2];
    const z = square(side, step);
    const logs = Array.from(
      { length: side * side },
      (_, i) => logDensity([z[2 * i], z[2 * i + 1]]) + 2 * Math.log(step),
    );
    assertAlmostEquals(logs.reduce((sum, log) => sum + Math.exp(log), 0), 1, 1e-3);
    const some = slice(rows, 0, 30);
    const integrated = await integral(trained as Trained, some, z, logs);
    const { mean, elbo } = await logLikelihood(trained, some, { samples: 4000 });
    assertAlmostEquals(mean, integrated, 5e-3);
    assert(elbo < mean);
    // Both coordinates' means and squares, within four deviations of 20,000 draws.
    const drawn = await trained.drawPrior({ count: 20_000, seed: 1 });
    for (const k of [0, 1]) {
      for (const power of [1, 2]) {
        const moment = (power: number) =>
          drawn.reduce((sum, value, i) => sum + (i % 2 === k ? value ** power : 0), 0) / 20_000;
        const expected = logs.reduce((sum, log, i) => sum + Math.exp(log) * z[2 * i + k] ** power, 0);
        const deviation = Math.sqrt((moment(2 * power) - moment(power) ** 2) / 20_000);
        assertAlmostEquals(moment(power), expected, 4 * deviation + 1e-3);
      }
    }
  });
}

const meaningless: readonly [Partial<ComposedConfig>, message: string][] = [
  [{ channels: [8] }, "Cannot combine channels 8 with encoder dense: only convolutions have them"],
  [{ encoder: "conv", towers: 2 }, "Cannot combine towers 2 with encoder conv: its posterior has one trunk"],
  [
    { objective: "iwae", beta: 4 },
    "Cannot combine beta 4 with objective iwae: the importance-weighted bound has no KL term",
  ],
  [{ objective: "iwae", freeBits: 1 }, "Cannot combine freeBits 1 with objective iwae"],
  [{ objective: "iwae", divergence: "analytic" }, "Cannot combine divergence analytic with objective iwae"],
  [{ gradient: "doubly-reparameterized" }, "Cannot combine gradient doubly-reparameterized with objective elbo"],
  [{ prior: "real-nvp", latents: 1 }, "Cannot combine latents 1 with prior real-nvp: it couples two halves of them"],
  [{ prior: "maf", components: 7 }, "Cannot combine components 7 with prior maf: it has none"],
  [{ objective: "miwae", samples: 7 }, "Cannot combine samples 7 with bounds 5: each has as many draws"],
  [{ bounds: 2 }, "Cannot combine bounds 2 with objective elbo: it has one bound"],
  [{ objective: "iwae", combination: 0.1 }, "Cannot combine combination 0.1 with objective iwae: it is no combination"],
  [{ penalty: "dip-1", flow: "iaf" }, "Cannot combine flow iaf with penalty dip-1: it takes a Gaussian posterior"],
  [{ priorLayers: 2 }, "Cannot combine priorLayers 2 with prior standard: it has none"],
  [{ prior: "vamp", flow: "iaf" }, "Cannot combine flow iaf with prior vamp: its components are Gaussians"],
  [{ flow: "iaf", freeBits: 1 }, "Cannot combine freeBits 1 with flow iaf: its KL is not one of each latent dimension"],
  [{ flow: "planar", flowContext: 3 }, "Cannot combine flowContext 3 with flow planar"],
  [{ flowLayers: 3 }, "Cannot combine flowLayers 3 with flow none: there is none"],
  [{ components: 7 }, "Cannot combine components 7 with prior standard: it has none"],
  [{ prior: "conditional" }, "Cannot combine condition none with prior conditional: it follows from a condition"],
  [{ prior: "vamp", condition: "one-hot" }, "Cannot combine condition one-hot with prior vamp"],
  [{ prior: "mixture", divergence: "analytic" }, "Cannot combine divergence analytic with prior mixture"],
  [
    { prior: "conditional", condition: "one-hot", covariance: "full", divergence: "analytic" },
    "Cannot combine divergence analytic with prior conditional",
  ],
  [{ freeBits: 1, covariance: "full" }, "Cannot combine freeBits 1 with covariance full"],
  [{ freeBits: 1, divergence: "sampled" }, "Cannot combine freeBits 1 with divergence sampled"],
  [{ penaltyWeight: 2 }, "Cannot combine penaltyWeight 2 with penalty none: it has none"],
  [{ penalty: "dip-1", estimator: "weighted" }, "Cannot combine estimator weighted with penalty dip-1: it has none"],
  [
    { penalty: "total-correlation", covariance: "full" },
    "Cannot combine covariance full with penalty total-correlation",
  ],
  [
    { penalty: "total-correlation", objective: "iwae", gradient: "doubly-reparameterized" },
    "Cannot combine gradient doubly-reparameterized with penalty total-correlation",
  ],
  [{ penalty: "mmd", prior: "mixture" }, "Cannot combine penalty mmd with prior mixture: its draws have no gradient"],
  [{ penalty: "dip-1", bandwidth: 2 }, "Cannot combine bandwidth 2 with penalty dip-1: it has none"],
  [
    { penalty: "mmd", discriminatorHidden: [3] },
    "Cannot combine discriminatorHidden 3 with penalty mmd: it has none",
  ],
  [{ alternate: 2, objective: "piwae", samples: 5 }, "Cannot combine alternate 2 with objective piwae"],
  [{ alternate: 2, reconstruction: "features" }, "Cannot combine alternate 2 with reconstruction features"],
  [{ rank: 2, likelihood: "gaussian-full" }, "Cannot combine rank 2 with likelihood gaussian-full"],
  [{ reconstructionWeight: 2 }, "Cannot combine reconstructionWeight 2 with reconstruction likelihood"],
  [{ reconstruction: "features", samples: 2 }, "Cannot combine samples 2 with reconstruction features"],
  [
    { reconstruction: "features", likelihood: "discretized-logistic" },
    "Cannot combine likelihood discretized-logistic with reconstruction features: its mean has no gradient",
  ],
  [{ penalty: "dip-2", covariance: "full" }, "Cannot combine covariance full with penalty dip-2"],
];

for (const [config, message] of meaningless) {
  Deno.test(`what has no meaning is refused in one line: ${message}`, () => {
    const error = assertThrows(
      () => train(vae, dataset, { ...small, ...config }),
      RangeError,
      message,
    );
    assert(!error.message.includes("\n"));
  });
}

Deno.test("composed() gives a model of one's own, its settings first", () => {
  const mine = composed({
    ...{ name: "mine", summary: "mine", source: "this test", own: ["beta", "encoder"] },
    defaults: { beta: 2, encoder: "conv" },
  });
  const entries = Object.entries(mine.settings);
  assertEquals(entries.slice(0, 2).map(([name, { default: value, heading }]) => [name, value, heading]), [
    ["beta", 2, undefined],
    ["encoder", "conv", undefined],
  ]);
  assert(entries.slice(2).every(([, { heading }]) => heading));
  assertEquals(Object.keys(mine.settings).sort(), Object.keys(vae.settings).sort());
});
