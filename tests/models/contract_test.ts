/**
 * The plugin contract, on every model there is and on one that is defined here, outside models/: what a model says of itself is
 * enough to train, measure, sample, encode, save, load, stop and resume it.
 */

import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { FileError } from "../../core/bounds.ts";
import {
  aae,
  activate,
  bernoulliNll,
  betaVae,
  composed,
  constant,
  convVae,
  cvae,
  type Dataset,
  decodeCheckpoint,
  defaults,
  dense,
  DivergenceError,
  factorVae,
  flow,
  Gpu,
  GpuError,
  hierarchicalVae,
  iafVae,
  infoVae,
  iwae,
  ladderVae,
  type MlpConfig,
  mlpDecode,
  mlpEncode,
  mlpSettings,
  mlpShapes,
  type Model,
  models,
  type Settings,
  train,
  Trained,
  trainingSettings,
  type TrainOptions,
  vae,
  vaeGan,
  vqVae,
  wangVqVae,
} from "../../mod.ts";
import { vectorQuantized, type VqVaePreset } from "../../models/vector_quantized.ts";
import { load, save } from "../../storage/checkpoint.ts";
import { uniforms } from "../../core/graph/random.ts";
import { checkModelGradients } from "../support/gradients.ts";
import { assertSame, gpu } from "../support/gpu.ts";
import { checkpointOf, type Outcome, outcomeOf } from "./support.ts";

interface ProbedConfig extends MlpConfig {
  readonly probe: number;
}

/** A VAE with a second, linear decoder behind a sigmoid of z, whose likelihood counts as well. Only what mod.ts exports is used. */
const probedVae = {
  name: "probed_vae",
  summary: "a VAE whose latents must also be readable by one linear layer",
  source: "this test",
  settings: {
    ...mlpSettings,
    probe: {
      type: "number",
      default: 0.5,
      minimum: 0,
      help: "weight of the linear decoder's likelihood, reached after 20 steps",
    },
  },
  parameters: (config, data) => ({
    ...mlpShapes(config, data),
    probe: { inputs: config.latents, outputs: data.shape[0] * data.shape[1] * data.shape[2] },
  }),
  objectives(t, p, { x }, config) {
    const { z, kl } = mlpEncode(t, p, x, config).draw();
    const probe = bernoulliNll(t, dense(t, activate(t, z, "sigmoid"), p.get("probe")), x);
    return [{
      terms: [
        { name: "nll", value: mlpDecode(t, p, z, config).nll(x), weight: constant(1) },
        { name: "kl", value: kl, weight: constant(1) },
        { name: "probe", value: probe, weight: { kind: "linear", from: 0.1, to: config.probe, steps: 20 } },
      ],
    }];
  },
  encode: mlpEncode,
  decode: mlpDecode,
  latents: (config) => config.latents,
} as const satisfies Model<ProbedConfig>;

/** 240 rows of 4 x 4 grey pixels: two halves, one bright and one dark, with noise. */
function blocks(count = 240): Dataset {
  const noise = uniforms(new Float32Array(count * 16), 5, 0, 0);
  const values = Uint8Array.from(noise, (u, i) => ((i >> 4) % 2 === (i % 16 < 8 ? 0 : 1) ? 200 : 0) + 55 * u);
  const rows = { values, count, labels: Uint8Array.from({ length: count }, (_, i) => i % 2) };
  return { name: "blocks", shape: [4, 4, 1], classes: 2, train: rows, test: rows };
}

const dataset = blocks();

/** Settings of a training of a second or so: 5 epochs of 9 and a bit steps. */
const small = {
  hidden: [6],
  latents: 2,
  batchSize: 21,
  epochs: 5,
  validation: 40,
  learningRate: 0.03,
  seed: 3,
} as const;

/** The settings that a model or its training has: not every model has hidden layers, and a hierarchy has as many for each level. */
function known(model: Model, settings: object): object {
  const { hierarchy } = model.settings as Settings<{ hierarchy: string }>;
  const divided = hierarchy && hierarchy.default !== "none" ? { hidden: [6, 4] } : {};
  return Object.fromEntries(
    Object.entries({ ...settings, ...divided }).filter(([name]) => name in model.settings || name in trainingSettings),
  );
}

/** Trains to the end. `stopAfter` aborts once so many steps are done. */
async function trained(
  model: Model,
  config: object = {},
  { stopAfter = Infinity, ...options }: TrainOptions & { readonly stopAfter?: number } = {},
): Promise<Outcome> {
  const given = options.resume ? config : { ...known(model, small), ...config };
  const on = options.device ? {} : { gpu };
  return await outcomeOf(
    (signal) => train(model, dataset, given, { ...on, ...options, signal }),
    (event) => "step" in event && event.step >= stopAfter,
  );
}

/** Convolutions as small as the data; with channels that come in fours and that do not. */
const smallConv = { encoder: "conv", channels: [4, 3], kernel: 3, activation: "tanh" } as const;

/** What composed VAEs say of themselves that no preset says. */
const [convIwae, vampVae, convBetaCvae, flowVae] = ([
  ["conv_iwae", { ...smallConv, objective: "iwae", samples: 3, condition: "one-hot", prior: "mixture", components: 3 }],
  ["vamp_vae", { prior: "vamp", components: 4 }],
  ["conv_beta_cvae", {
    ...smallConv,
    condition: "raw",
    covariance: "full",
    beta: 0.5,
    likelihood: "gaussian-shared",
    sigma: 2,
  }],
  ["flow_vae", { prior: "maf", priorLayers: 2, priorHidden: [4] }],
] as const).map(([name, defaults]) =>
  composed({ name, summary: "a composed VAE", source: "this test", own: [], defaults })
);

const smallConvVae = composed({ ...convVae, own: [], defaults: smallConv });

const smallIafVae = composed({
  ...iafVae,
  own: [],
  defaults: { flow: "iaf", flowLayers: 2, flowHidden: [4], flowContext: 3 },
});

/** Small discriminators; the VAE-GAN's learns fast enough that its features mean something after 48 steps. */
const adversarial = ([
  [factorVae, { penalty: "factor", penaltyWeight: 2, discriminatorHidden: [3] }],
  [aae, { penalty: "adversarial", beta: 0, penaltyWeight: 2, discriminatorHidden: [3] }],
  [vaeGan, {
    reconstruction: "features",
    reconstructionWeight: 20,
    discriminatorHidden: [8],
    discriminatorRate: 0.01,
  }],
] as const).map(([model, defaults]) => composed({ ...model, own: [], defaults }));

/** VQ-VAEs as small: an image of 2 x 2 codes, or with two groups of two levels. */
const tinyVqVae = (preset: VqVaePreset) =>
  vectorQuantized({
    ...preset,
    defaults: {
      ...preset.defaults,
      channels: [3],
      kernel: 3,
      residualBlocks: 1,
      residualChannels: 2,
      codes: 4,
      codeDimension: 2,
      activation: "tanh",
      priorEmbedding: 4,
      priorRadius: 1,
      priorHidden: [4],
    },
  });
const smallVqVae = tinyVqVae({ name: vqVae.name, summary: vqVae.summary, source: vqVae.source });
const smallWangVqVae = tinyVqVae({
  ...{ name: wangVqVae.name, summary: wangVqVae.summary, source: wangVqVae.source },
  defaults: {
    likelihood: "gaussian",
    sigma: 1,
    groups: 2,
    depth: 2,
    gradientEstimator: "rotation",
    codebook: "moving-average",
  },
});

/** Two levels of latents. */
const [smallHierarchicalVae, smallLadderVae] = ([
  [hierarchicalVae, { hierarchy: "plain" }],
  [ladderVae, { hierarchy: "ladder", betaSchedule: "warm-up", levelSteps: 3 }],
] as const).map(([model, defaults]) => composed({ ...model, own: [], defaults: { ...defaults, lowerLatents: [3] } }));

/** Two layers of the flow: with random weights, more of them bend too much for central differences. */
const smallFlow = { ...flow, settings: { ...flow.settings, layers: { ...flow.settings.layers, default: 2 } } };

/** What is not the derivative of a loss: all before a quantization, which is tested by itself; and what no optimizer changes. */
const notDerivatives: Record<string, RegExp> = {
  // A matrix on its own has a bias that nothing reads.
  [convIwae.name]: /^prior\..*\.bias$/,
  [vampVae.name]: /^prior\..*\.bias$/,
  [vqVae.name]: /^(encoder|codebook|usage)\b|^prior\.embedding\.bias$/,
  [wangVqVae.name]: /^(encoder|codebook|usage)\b|^prior\.embedding\.bias$/,
};

/**
 * Settings of a gradient check. A discrepancy of weight 1000 loses in float32 what differences need; of more units of a discriminator one is
 * near the bend of its leaky ReLU.
 */
const checked: Readonly<Record<string, object>> = {
  [infoVae.name]: { penaltyWeight: 30 },
  [vaeGan.name]: { discriminatorHidden: [3] },
};

// Models that fit themselves have tests of their own: fit_test.ts.
const smaller = new Map(
  [
    smallConvVae,
    smallVqVae,
    smallWangVqVae,
    smallIafVae,
    smallHierarchicalVae,
    smallLadderVae,
    smallFlow,
    ...adversarial,
  ]
    .map((model) => model as Model)
    .map((model) => [model.name, model]),
);
const contract = [...models.values().filter(({ fit }) => !fit), probedVae, convIwae, vampVae, convBetaCvae, flowVae]
  .map((model) => model as Model)
  .map((model) => smaller.get(model.name) ?? model);

for (const model of contract) {
  // One uninterrupted training serves many tests.
  let whole: Promise<Outcome> | undefined;
  const uninterrupted = () => whole ??= trained(model);
  const loaded = async () => await Trained.fromCheckpoint(model, checkpointOf(await uninterrupted()), { gpu });

  Deno.test(`${model.name} trains with a finite and falling loss, and reports every epoch`, async () => {
    const { epochs, end } = await uninterrupted();
    assertEquals(epochs.map(({ epoch }) => epoch), [1, 2, 3, 4, 5]);
    // 5 epochs of 200 rows by 21: an epoch ends with the step that completes it.
    assertEquals(epochs.map(({ step }) => step), [10, 20, 29, 39, 48]);
    for (const { train, validation } of epochs) {
      assert(Object.values({ ...train, ...validation! }).every(Number.isFinite), JSON.stringify(train));
      assertAlmostEquals(train.elbo, -(train.nll + train.kl), 1e-9);
    }
    assert(epochs[0].train.nll > epochs[4].train.nll + 0.3, `${epochs[0].train.nll} -> ${epochs[4].train.nll}`);
    assert(epochs[0].validation!.loss > epochs[4].validation!.loss, "the validation loss does not fall");
    assertEquals({ ...end.train }, { ...epochs[4].train });
    assertEquals([end.epochs, end.step, end.stopped], [5, 48, false]);
  });

  Deno.test(`${model.name} has the gradients of central differences, for every parameter`, async () => {
    const settings = { hidden: [3], latents: 2, ...checked[model.name] };
    const config = { ...defaults<object>(model.settings), ...known(model, settings) };
    await checkModelGradients(model, config, dataset, { skip: notDerivatives[model.name] });
  });

  Deno.test(`${model.name} says what it is, and takes its own defaults`, async () => {
    assert(model.name && model.summary && model.source);
    assert(Object.values(model.settings as Settings<Record<string, unknown>>).every(({ help }) => help.length > 0));
    const checkpoint = checkpointOf(await uninterrupted());
    assertEquals(Object.keys(checkpoint.config).sort(), Object.keys(model.settings).sort());
    for (const line of model.caveats?.(checkpoint.config) ?? []) assert(!line.includes("\n"));
  });

  Deno.test(`${model.name} samples rows of the data's shape and range, by the seed`, async () => {
    using trained = await loaded();
    const means = await trained.sample({ count: 130, seed: 1 });
    assertEquals(means.length, 130 * 16);
    const binary = (model.support?.(trained.config) ?? "binary") === "binary";
    assert(means.every((value) => binary ? value > 0 && value < 1 : Number.isFinite(value)));
    assertEquals(await trained.sample({ count: 130, seed: 1 }), means);
    assertNotEquals(await trained.sample({ count: 130, seed: 2 }), means);
    const draws = await trained.sample({ count: 130, seed: 1, draw: "sample" });
    assert(draws.every((value) => binary ? value === 0 || value === 1 : Number.isFinite(value)));
    const told = ["one-hot", "raw"].includes(trained.model.condition?.(trained.config) ?? "") ? { labels: [1] } : {};
    const cold = await trained.sample({ count: 2, temperature: 0, ...told });
    if (!told.labels) {
      const refused = "expected a model conditioned on labels, such as cvae";
      await assertRejects(() => trained.sample({ count: 2, labels: [1] }), TypeError, refused);
    }
    // The means of the components of another prior differ.
    if (!trained.model.prior?.(trained.config)) assertEquals(cold.subarray(0, 16), cold.subarray(16));
    await assertRejects(() => trained.sample({ count: 0 }), RangeError, "expected a count of at least 1, found 0");
  });

  Deno.test(`${model.name} encodes, decodes and reconstructs any number of rows`, async () => {
    using trained = await loaded();
    const rows = trained.rowsOf(dataset.test, 0, 131);
    const labels = dataset.test.labels!.subarray(0, 131);
    const { mean, logVariance } = await trained.encode(rows, { labels });
    const { latents } = trained;
    assertEquals([mean.length, logVariance.length], [131 * latents, 131 * latents]);
    const decoded = await trained.decode(mean, { labels });
    assertEquals(decoded.length, 131 * 16);
    assertEquals(await trained.reconstruct(rows, { labels }), decoded);
    // A row's result depends on no other row.
    const last = await trained.encode(rows.subarray(130 * 16), { labels: labels.subarray(130) });
    assertEquals(last.mean, mean.subarray(130 * latents));
    await assertRejects(
      () => trained.encode(new Float32Array(17)),
      RangeError,
      "expected rows of 16 values, found 17 values",
    );
  });

  Deno.test(`${model.name} evaluates a split the same each time, and all rows of it`, async () => {
    using trained = await loaded();
    const losses = await trained.evaluate(dataset.test, { samples: 3 });
    assert(Object.values(losses).every(Number.isFinite));
    assertEquals(await trained.evaluate(dataset.test, { samples: 3 }), losses);
    // Threshold leaves only the noise of z; 40 rows are no multiple of the batch.
    const [values, labels] = [dataset.test.values.subarray(0, 40 * 16), dataset.test.labels!.subarray(0, 40)];
    const part = { values, count: 40, labels };
    const few = await trained.evaluate(part, { binarize: "threshold" });
    const twice = {
      values: Uint8Array.from([...values, ...values]),
      count: 80,
      labels: Uint8Array.from([...labels, ...labels]),
    };
    const many = await trained.evaluate(twice, { binarize: "threshold", samples: 40 });
    assertAlmostEquals(few.elbo, many.elbo, 0.2 * Math.abs(many.elbo));
    await assertRejects(
      () => trained.evaluate(part, { samples: 0 }),
      RangeError,
      "expected at least 1 sample, found 0",
    );
  });

  Deno.test(`${model.name} is the same after saving and loading`, async () => {
    const { bytes } = await uninterrupted();
    const file = await Deno.makeTempFile({ suffix: ".safetensors" });
    using first = await loaded();
    await save(first, file);
    assertEquals(await Deno.readFile(file), bytes);
    using second = await load(file, { model, gpu });
    const rows = first.rowsOf(dataset.test, 0, 5);
    assertEquals(await second.sample({ count: 5 }), await first.sample({ count: 5 }));
    const labels = dataset.test.labels!.subarray(0, 5);
    assertEquals(await second.encode(rows, { labels }), await first.encode(rows, { labels }));
    assertEquals(await second.evaluate(dataset.test), await first.evaluate(dataset.test));
    await Deno.remove(file);
  });

  Deno.test(`${model.name} gives equal bytes for one seed, however its steps are submitted, and others for another seed`, async () => {
    const { bytes, epochs } = await uninterrupted();
    const clock = performance.now;
    // The number of steps a submit follows from this clock: now it finds every chunk slow.
    let time = 0;
    performance.now = () => time += 1000;
    const slow = await trained(model).finally(() => performance.now = clock);
    assertEquals(slow.bytes, bytes);
    assertEquals(
      slow.epochs.map(({ train, validation }) => [train, validation]),
      epochs.map((e) => [e.train, e.validation]),
    );
    const other = await trained(model, { seed: 4, epochs: 1 });
    assertNotEquals(other.epochs[0].train.loss, epochs[0].train.loss);
  });

  Deno.test(`${model.name} stopped anywhere and resumed gives the bytes of the uninterrupted training`, async () => {
    const { bytes, epochs } = await uninterrupted();
    // Within the first epoch, within a later one, and at the end of one.
    for (const stopAfter of [1, 23, 39]) {
      const stopped = await trained(model, {}, { stopAfter });
      assert(
        stopped.end.stopped && stopped.end.step >= stopAfter && stopped.end.step < 48,
        JSON.stringify(stopped.end),
      );
      const resumed = await trained(model, {}, { resume: checkpointOf(stopped) });
      assertEquals(resumed.bytes, bytes);
      assertEquals(
        resumed.epochs.map(({ train }) => train),
        epochs.slice(stopped.end.epochs).map(({ train }) => train),
      );
    }
  });

  Deno.test(`${model.name} trained for fewer epochs and resumed with more gives the bytes of all at once`, async () => {
    const short = await trained(model, { epochs: 2 });
    const resumed = await trained(model, { epochs: 5 }, { resume: checkpointOf(short) });
    assertEquals(resumed.bytes, (await uninterrupted()).bytes);
  });
}

for (const model of [vae, cvae] as Model[]) {
  Deno.test(`${model.name} trains on a caller's own device, and leaves it alive`, async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    // Which tiles are chosen depends on what a device was asked for, and the last bits, though not the draws, on the tiles.
    const config = { epochs: 1, tiles: "workgroup" };
    const [own, usual] = [await trained(model, config, { device }), await trained(model, config)].map(checkpointOf);
    assertEquals([...own.tensors.keys()], [...usual.tensors.keys()]);
    for (const [name, { data }] of usual.tensors) assertSame(own.tensors.get(name)!.data, data, name);
    device.pushErrorScope("validation");
    device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE }).destroy();
    assertEquals(await device.popErrorScope(), null);
    device.destroy();
  });

  Deno.test(`${model.name} trained on streamed rows has the bytes of one trained on resident rows`, async () => {
    const [streamed, resident] = [await trained(model, { rows: "streamed" }), await trained(model)];
    assertEquals([...checkpointOf(streamed).tensors], [...checkpointOf(resident).tensors]);
    assertEquals(streamed.epochs.map(({ validation }) => validation), resident.epochs.map((e) => e.validation));
  });
}

Deno.test("a model's own term is weighted in the loss and left out of the elbo", async () => {
  const { epochs } = await trained(probedVae as Model, { probe: 2 });
  const { nll, kl, probe, loss, elbo } = epochs[4].validation!;
  // After 20 steps the weight stays at 2.
  assertAlmostEquals(loss, nll + kl + 2 * probe, 1e-6);
  assertAlmostEquals(elbo, -(nll + kl), 1e-6);
});

Deno.test("beta_vae with beta 1 is vae: equal bytes in every tensor", async () => {
  const [plain, beta] = [await trained(vae as Model), await trained(betaVae as Model, { beta: 1 })].map(checkpointOf);
  assertEquals([...beta.tensors], [...plain.tensors]);
});

Deno.test("beta_vae with a larger beta has a smaller KL, and says its effective β", async () => {
  const [low, high] = [await trained(betaVae as Model, { beta: 0.1 }), await trained(betaVae as Model, { beta: 5 })];
  const [before, after] = [low, high].map(({ epochs }) => epochs[4].validation!);
  assert(after.kl < before.kl, `${after.kl} and ${before.kl}`);
  assertAlmostEquals(after.loss, after.nll + 5 * after.kl, 1e-6);
  const { caveats } = betaVae as Model;
  assert(caveats!(checkpointOf(high).config)[0].includes("effective β = 5"));
});

Deno.test("beta_vae warms its KL weight up from 0, or lets it go in cycles", async () => {
  const warm = await trained(betaVae as Model, { beta: 2, betaSchedule: "warm-up", betaSteps: 40 });
  // The last steps of the epochs are 9, 19, 28, 38 and 47: 2 x 9 / 40, ..., and then the end.
  const expected = [0.45, 0.95, 1.4, 1.9, 2];
  warm.epochs.forEach(({ validation }, i) => {
    const { loss, nll, kl } = validation!;
    assertAlmostEquals((loss - nll) / kl, expected[i], 1e-4);
  });
  // Trained otherwise than with the weight at its end, from the first step on.
  const flat = await trained(betaVae as Model, { beta: 2, epochs: 1 });
  assert(
    warm.epochs[0].train.kl > flat.epochs[0].train.kl,
    `${warm.epochs[0].train.kl} and ${flat.epochs[0].train.kl}`,
  );
  const cyclic = await trained(betaVae as Model, { beta: 2, betaSchedule: "cyclic", betaSteps: 20 });
  // In cycles of 20 that rise for 10 the weight is 2 x 9 / 10 at step 9, 2 at 19, 2 x 8 / 10 at 28, 2 at 38 and 2 x 7 / 10 at 47.
  cyclic.epochs.forEach(({ validation }, i) => {
    const { loss, nll, kl } = validation!;
    assertAlmostEquals((loss - nll) / kl, [1.8, 2, 1.6, 2, 1.4][i], 1e-4);
  });
});

Deno.test("train() stops at a number that is not finite, names tensor and step, and goes back to the last epoch", async () => {
  const training = train(vae, dataset, { ...small, learningRate: 1e30 }, { gpu });
  const epochs: number[] = [];
  const error = await assertRejects(async () => {
    for await (const event of training) if (event.event === "epoch") epochs.push(event.epoch);
  }, DivergenceError);
  assertEquals(epochs, []);
  // The first update makes every weight ±1e30; the second step meets them.
  assertEquals(error.step, 1);
  assert(
    /epoch 1, step 1 gave a number that is not finite, first in "[^"]+", written by "[^"]+"/.test(error.message),
    error.message,
  );
  const { tensors, progress } = decodeCheckpoint(await training.trained.toBytes(), "left");
  assertEquals(progress.step, 0);
  for (const [name, { data }] of tensors) assert(data.every((value) => Math.abs(value) < 10), `${name} went bad`);
  training.trained.destroy();
});

Deno.test("train() finds a number that is not finite in the validation, before the epoch becomes a checkpoint", async () => {
  // One step an epoch: its loss is still that of the start.
  const training = train(vae, dataset, { ...small, batchSize: 200, learningRate: 1e30 }, { gpu });
  await assertRejects(
    async () => {
      for await (const event of training) assert(event.event !== "epoch");
    },
    DivergenceError,
    "epoch 1, step 0 gave a number that is not finite",
  );
  training.trained.destroy();
});

Deno.test("train() says in one line that the device was lost", async () => {
  const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  const training = train(vae, dataset, { ...small, epochs: 50 }, { device });
  const error = await assertRejects(async () => {
    for await (const event of training) if (event.event === "epoch" && event.epoch === 2) device.destroy();
  }, GpuError);
  assert(/^The GPU device was lost \(destroyed\) on \S.*$/.test(error.message), error.message);
});

Deno.test("train() resumed refuses other settings than it was begun with, and takes the same ones and more epochs", async () => {
  const config = { ...small, beta: 1, epochs: 1 };
  const begun = train(betaVae as Model, dataset, config as object, { gpu });
  for await (const { event } of begun) assert(event);
  const resume = decodeCheckpoint(await begun.trained.toBytes(), "a run");
  begun.trained.destroy();
  const others = { beta: 100, hidden: [7], learningRate: 0.5, seed: 9, batchSize: 20, optimizer: "sgd" };
  for (const [name, value] of Object.entries(others)) {
    assertThrows(
      () => train(betaVae as Model, dataset, { [name]: value } as object, { gpu, resume }),
      RangeError,
      `Cannot resume "a run": expected ${name} `,
    );
  }
  const again = train(betaVae as Model, dataset, { ...config, epochs: 2, beta: undefined } as object, { gpu, resume });
  for await (const event of again) assert(event);
  assertEquals((again.trained.config as { beta: number }).beta, 1);
  again.trained.destroy();
});

Deno.test("train() refuses what does not fit before anything is trained", () => {
  const attempt = (config: object) => assertThrows(() => train(vae, dataset, config, { gpu }), Error).message;
  assertEquals(
    attempt({ validation: 240 }),
    'Cannot validate on 240 rows: expected fewer than the 240 training rows of "blocks"',
  );
  assertEquals(
    attempt({ batchSize: 0 }),
    'Cannot set "batchSize" of the training: expected an integer of at least 1 and at most 65536, found 0',
  );
  assertEquals(
    attempt({ latents: -3 }),
    'Cannot set "latents" of model "vae": expected an integer of at least 1 and at most 4096, found -3',
  );
  assertEquals(
    attempt({ hidden: [500, NaN, 3] }),
    'Cannot set "hidden" of model "vae": expected integers joined by commas, each of at least 1 and at most 16384, found [500,null,3]',
  );
  assertEquals(
    attempt({ betta: 1 }),
    `Cannot set "betta" of model "vae": known settings are ${Object.keys(vae.settings).join(", ")}`,
  );
});

Deno.test("a checkpoint loads only where it belongs: model, shapes and dataset are checked", async () => {
  const checkpoint = checkpointOf(await trained(vae as Model, { epochs: 1 }));
  await assertRejects(
    () => Trained.fromCheckpoint(betaVae as Model, checkpoint, { gpu }),
    FileError,
    'Cannot load "checkpoint": expected a model "beta_vae", found "vae"',
  );
  const wider = { ...checkpoint, config: { ...checkpoint.config, hidden: [7] } };
  await assertRejects(
    () => Trained.fromCheckpoint(vae as Model, wider, { gpu }),
    FileError,
    'expected "encoder.0.weight" of shape [16,7], found [16,6]',
  );
  assertThrows(
    () => train(vae as Model, blocks(300), {}, { gpu, resume: checkpoint }),
    RangeError,
    'Cannot resume "checkpoint": expected the data that it was begun on, found others in "blocks": ',
  );
});

Deno.test("a Gpu may serve several trainings, one after another", async () => {
  using own = await Gpu.open();
  const [a, b] = [
    await trained(vae as Model, { epochs: 1 }, { gpu: own }),
    await trained(vae as Model, { epochs: 1 }, { gpu: own }),
  ];
  assertEquals(a.bytes, b.bytes);
});

for (
  const [model, settings] of [
    [vae, { samples: 3 }],
    [vae, { covariance: "full", latents: 3 }],
    [vae, { samples: 2, divergence: "sampled", towers: 2 }],
    [betaVae, { capacity: 0.4, betaSteps: 10 }],
    [betaVae, { freeBits: 0.1 }],
    [betaVae, { freeBits: 0.1, capacity: 0.4, betaSteps: 10, betaSchedule: "cyclic" }],
    [cvae, { condition: "raw", towers: 2 }],
    [iwae, { samples: 3 }],
  ] as const
) {
  Deno.test(`${model.name} has the gradients of central differences with ${JSON.stringify(settings)}`, async () => {
    const config = { ...defaults<object>(model.settings as Settings<object>), hidden: [3], latents: 2, ...settings };
    await checkModelGradients(model as Model, config, dataset);
  });
}
