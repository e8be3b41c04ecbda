/** Normalization, dropout and residual blocks of the composed VAE: gradients, resuming, and whose statistics are used where. */

import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  type Checkpoint,
  type ComposedConfig,
  configure,
  convVae,
  cvae,
  decodeCheckpoint,
  impute,
  iwae,
  logLikelihood,
  type Model,
  scores,
  train,
  Trained,
  type TrainingConfig,
  vae,
} from "../../mod.ts";
import { checkModelGradients } from "../support/gradients.ts";
import { gpu } from "../support/gpu.ts";
import { rows, stripes as dataset } from "../support/stripes.ts";
import { assertClose } from "../support/compare.ts";

const small = { hidden: [6], latents: 2, batchSize: 21, epochs: 4, validation: 20, learningRate: 0.01 } as const;

/** Trains, once more from a checkpoint or until so many steps are done. */
async function bytesOf(
  model: Model<ComposedConfig>,
  config: Partial<ComposedConfig & TrainingConfig>,
  { resume, stopAfter = Infinity }: { readonly resume?: Checkpoint; readonly stopAfter?: number } = {},
) {
  const controller = new AbortController();
  const training = train(model, dataset, resume ? {} : { ...small, ...config }, {
    ...{ gpu, signal: controller.signal },
    ...resume ? { resume } : {},
  });
  for await (const event of training) if ("step" in event && event.step >= stopAfter) controller.abort();
  using trained = training.trained;
  return { bytes: await trained.toBytes(), step: trained.progress.step };
}

const load = (bytes: Uint8Array) => Trained.fromCheckpoint(vae, decodeCheckpoint(bytes, "checkpoint"), { gpu });

const conv = { encoder: "conv", channels: [4, 3], kernel: 3 } as const;

const gradients: readonly Partial<ComposedConfig>[] = [
  { normalization: "batch", likelihood: "gaussian-decoder", sigma: 2, condition: "raw" },
  { normalization: "layer", residual: 1, towers: 2 },
  { normalization: "group", dropout: 0.3, hidden: [3, 4], objective: "iwae", samples: 2 },
  { ...conv, normalization: "batch", residual: 1, channels: [3], likelihood: "gaussian", sigma: 2 },
  { ...conv, normalization: "layer", dropout: 0.2, condition: "one-hot" },
  { ...conv, residual: 1, channels: [3], hidden: [] },
  { ...conv, normalization: "group", dropout: 0.1, prior: "vamp", components: 3 },
];

for (const combination of gradients) {
  const name = Object.entries(combination).map(([key, value]) => `${key} ${value}`).join(", ");
  Deno.test(`the gradients are those of central differences: ${name}`, async () => {
    const config = configure(vae.settings, { hidden: [3], latents: 2, ...combination });
    // After a batch normalization a bias has no effect, and may have a gradient of exactly 0.
    const skip = combination.normalization === "batch"
      ? /^(encoder|decoder|trunk|fan).*\d\.bias$/
      : /^prior\..*\.bias$/;
    const binarize = vae.support!(config) === "binary" ? "threshold" : "none";
    const bends = combination.normalization !== undefined;
    await checkModelGradients(vae as Model, config, dataset, { training: true, bends, binarize, skip, most: 12 });
  });
}

const resumed: readonly [Model<ComposedConfig>, Partial<ComposedConfig>][] = [
  [vae, { normalization: "batch" }],
  [convVae, { normalization: "group", residual: 1, channels: [4, 8] }],
  [iwae, { dropout: 0.1 }],
  [cvae, { encoder: "conv", normalization: "batch", channels: [4] }],
];

for (const [model, config] of resumed) {
  const name = Object.entries(config).map(([key, value]) => `${key} ${value}`).join(", ");
  Deno.test(`${model.name} with ${name} stopped within an epoch and resumed gives the bytes of the uninterrupted training`, async () => {
    const whole = await bytesOf(model, config);
    const stopped = await bytesOf(model, config, { stopAfter: 7 });
    // 100 rows by 21: an epoch is 4.8 steps.
    assert(stopped.step >= 7 && stopped.step < whole.step, `stopped at ${stopped.step} of ${whole.step}`);
    const again = await bytesOf(model, config, { resume: decodeCheckpoint(stopped.bytes, "checkpoint") });
    assertEquals(again.bytes, whole.bytes);
  });
}

Deno.test("with batch normalization, what is made of a row does not depend on the others", async () => {
  const { bytes } = await bytesOf(vae, { normalization: "batch", hidden: [6, 5] });
  using trained = await load(bytes);
  const x = trained.rowsOf(rows, 0, 10);
  const all = await trained.posterior(x);
  const one = await trained.posterior(x.subarray(48, 64));
  assertEquals(one.statistics, all.statistics.subarray(12, 16));
  const means = await trained.decode(Float32Array.of(1, 2, -1, 0));
  assertEquals(await trained.decode(Float32Array.of(-1, 0)), means.subarray(16));
  // A batch of one row, and of ten: kl is in closed form, whatever is drawn.
  const part = (from: number, count: number) => ({
    values: rows.values.subarray(16 * from, 16 * (from + count)),
    count,
  });
  const single: number[] = [];
  for (let i = 0; i < 10; i++) single.push((await trained.evaluate(part(i, 1), { binarize: "threshold" })).kl);
  const { kl } = await trained.evaluate(part(0, 10), { binarize: "threshold" });
  assertAlmostEquals(kl, single.reduce((sum, value) => sum + value, 0) / 10, 1e-5 * Math.max(1, kl));
});

Deno.test("with batch normalization, every measure is by the moving averages that the checkpoint holds", async () => {
  const { bytes } = await bytesOf(vae, { normalization: "batch" });
  const checkpoint = decodeCheckpoint(bytes, "checkpoint");
  const names = [...checkpoint.tensors.keys()].filter((name) => name.includes("running"));
  assertEquals(names.toSorted(), [
    "decoder.0.norm.running.bias",
    "decoder.0.norm.running.weight",
    "encoder.0.norm.running.bias",
    "encoder.0.norm.running.weight",
  ]);
  const shifted = (side: string) => {
    const tensors = new Map(checkpoint.tensors);
    const name = `${side}.0.norm.running.bias`;
    const { shape, data } = tensors.get(name)!;
    tensors.set(name, { shape, data: Float32Array.from(data, (value) => value + 1) });
    return Trained.fromCheckpoint(vae, { ...checkpoint, tensors }, { gpu });
  };
  using trained = await load(bytes);
  using encoder = await shifted("encoder");
  using decoder = await shifted("decoder");
  const x = trained.rowsOf(rows, 0, 10);
  const part = { values: rows.values.subarray(0, 160), count: 10 };
  const either: Record<string, (trained: Trained) => Promise<unknown>> = {
    reconstruct: (trained) => trained.reconstruct(x),
    "evaluate nll": async (trained) => (await trained.evaluate(part)).nll,
    "log-likelihood": async (trained) => (await logLikelihood(trained, part, { samples: 8 })).mean,
    scores: (trained) => scores(trained, part, { samples: 8 }),
    impute: (trained) => impute(trained, x, [0, ...Array(15).fill(1)], { iterations: 2 }),
  };
  for (const [name, measure] of Object.entries(either)) {
    const measured = await measure(trained as Trained);
    for (const other of [encoder, decoder]) assertNotEquals(await measure(other as Trained), measured, name);
  }
  assertNotEquals(await encoder.encode(x), await trained.encode(x));
  assertNotEquals((await encoder.evaluate(part)).kl, (await trained.evaluate(part)).kl);
  assertNotEquals(await decoder.sample({ count: 3 }), await trained.sample({ count: 3 }));
});

Deno.test("the moving averages come to the moments of the data", async () => {
  // Without learning, a layer's output stays: batches of one moment each, 0.9^60 of the start left.
  const { bytes } = await bytesOf(vae, {
    normalization: "batch",
    binarize: "threshold",
    validation: 0,
    ...{ batchSize: 120, epochs: 60, learningRate: 1e-12 },
  });
  const { tensors } = decodeCheckpoint(bytes, "checkpoint");
  const { data: weight } = tensors.get("encoder.0.weight")!;
  const { data: bias } = tensors.get("encoder.0.bias")!;
  using trained = await load(bytes);
  const x = trained.rowsOf(rows);
  const a = Float64Array.from({ length: 720 }, (_, i) => {
    let sum = bias[i % 6];
    for (let d = 0; d < 16; d++) sum += x[Math.floor(i / 6) * 16 + d] * weight[d * 6 + i % 6];
    return sum;
  });
  const mean = Float64Array.from(
    { length: 6 },
    (_, c) => a.reduce((sum, v, i) => sum + (i % 6 === c ? v : 0), 0) / 120,
  );
  const variance = mean.map((m, c) => a.reduce((sum, v, i) => sum + (i % 6 === c ? (v - m) ** 2 : 0), 0) / 119);
  const near = { absolute: 5e-3, relative: 5e-3 };
  assertClose(Float64Array.from(tensors.get("encoder.0.norm.running.bias")!.data), mean, "means", near);
  assertClose(Float64Array.from(tensors.get("encoder.0.norm.running.weight")!.data), variance, "variances", near);
});

Deno.test("a checkpoint without the settings of hidden layers loads as it was", async () => {
  const { bytes } = await bytesOf(convVae, { channels: [4] });
  const checkpoint = decodeCheckpoint(bytes, "checkpoint");
  const { normalization, dropout, residual, ...config } = checkpoint.config;
  assertEquals([normalization, dropout, residual], ["none", 0, 0]);
  using now = await Trained.fromCheckpoint(convVae, checkpoint, { gpu });
  using old = await Trained.fromCheckpoint(convVae, { ...checkpoint, config }, { gpu });
  const x = now.rowsOf(rows, 0, 3);
  assertEquals(await old.reconstruct(x), await now.reconstruct(x));
});

const meaningless: readonly [Partial<ComposedConfig>, message: string][] = [
  [{ hidden: [], dropout: 0.1 }, "Cannot combine dropout 0.1 with no hidden layers: it is of hidden layers"],
  [{ hidden: [], residual: 1 }, "Cannot combine residual 1 with no hidden layers: it is of hidden layers"],
  [
    { normalization: "batch", prior: "vamp" },
    "Cannot combine normalization batch with prior vamp: statistics of a batch of pseudo-inputs are not those of data",
  ],
];

for (const [config, message] of meaningless) {
  Deno.test(`what has no meaning is refused in one line: ${message}`, () => {
    const error = assertThrows(() => train(vae, dataset, { ...small, ...config }), RangeError, message);
    assert(!error.message.includes("\n"));
  });
}
