/** `loss` is what is minimised: free bits, schedules and capacities included, each step by its own weights. */

import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import {
  betaVae,
  type Checkpoint,
  type Dataset,
  decodeCheckpoint,
  type EndEvent,
  type EpochEvent,
  factorVae,
  type Losses,
  train,
  type Trained,
} from "../../mod.ts";
import { uniforms } from "../../core/graph/random.ts";
import { gpu } from "../support/gpu.ts";

const [COUNT, D] = [40, 6];

/** Bits at random; with `equal`, the same bits in every row. */
function bits({ equal = false } = {}): Dataset {
  const values = uniforms(new Float32Array(COUNT * D), 5, 0, 0).map((u) => u < 0.4 ? 1 : 0);
  const rows = { values: equal ? values.map((_, i) => values[i % D]) : values, count: COUNT };
  return { name: "bits", shape: [1, D, 1], train: rows, test: rows };
}

/** A rate at which nothing changes, so that what is measured after an epoch holds for each of its steps. */
const still = {
  hidden: [5],
  latents: 4,
  learningRate: 1e-30,
  initializerScale: 1,
  biasInitializer: "normal",
  initializer: "normal",
  seed: 7,
} as const;

async function fit(config: object, dataset: Dataset): Promise<{ epochs: EpochEvent[]; trained: Trained }> {
  const training = train(betaVae, dataset, { batchSize: 10, validation: 0, ...still, ...config }, { gpu });
  const epochs = (await Array.fromAsync(training)).filter((event) => event.event === "epoch");
  return { epochs, trained: training.trained as unknown as Trained };
}

/** KL(N(μₖ, σₖ²) ‖ N(0, 1)) of every row and dimension of the training rows, from the encoder's statistics, in float64. */
async function divergences(trained: Trained, { train: rows }: Dataset): Promise<Float64Array> {
  const { mean, logVariance } = await trained.encode(trained.rowsOf(rows));
  return Float64Array.from(mean, (m, i) => 0.5 * (Math.exp(logVariance[i]) + m * m - 1 - logVariance[i]));
}

const perDatum = (values: Float64Array) => values.reduce((sum, value) => sum + value) / COUNT;

Deno.test("the loss of beta_vae with free bits holds Σ max(λ, KLₖ) times β, while kl is the KL", async () => {
  const [beta, freeBits, data] = [3, 0.3, bits()];
  const { epochs: [{ train: losses }], trained } = await fit({ epochs: 1, beta, freeBits }, data);
  using _ = trained;
  const kl = await divergences(trained, data);
  const floored = perDatum(kl.map((value) => Math.max(freeBits, value)));
  assertAlmostEquals(losses.kl, perDatum(kl), 1e-4);
  assertAlmostEquals(losses.freeBits, floored, 1e-4);
  assertAlmostEquals(losses.loss, losses.nll + beta * floored, 1e-3);
  assertAlmostEquals(losses.elbo, -(losses.nll + losses.kl), 1e-12);
  const evaluated = await trained.evaluate(data.train);
  assertAlmostEquals(evaluated.loss, evaluated.nll + beta * floored, 1e-3);
});

Deno.test("the loss of beta_vae with free bits and a capacity is β |Σ max(λ, KLₖ) - C|", async () => {
  const [beta, freeBits, capacity, data] = [3, 0.3, 1e3, bits()];
  const { epochs, trained } = await fit({ epochs: 2, beta, freeBits, capacity, betaSteps: 1 }, data);
  using _ = trained;
  const floored = perDatum((await divergences(trained, data)).map((value) => Math.max(freeBits, value)));
  const { loss, nll } = epochs[1].train;
  assertAlmostEquals(loss, nll + beta * (capacity - floored), 1e-2);
});

Deno.test("beta_vae says that its free bits and its capacity are per datum", () => {
  for (const name of ["freeBits", "capacity"] as const) assertStringIncludes(betaVae.settings[name].help, "per datum");
});

// The weights by hand: four steps an epoch, a cycle or warm-up of eight. A cycle rises in its first half.
const WEIGHTS = {
  "cyclic": [[0, 1 / 4, 2 / 4, 3 / 4], [1, 1, 1, 1], [0, 1 / 4, 2 / 4, 3 / 4]],
  "warm-up": [[0, 1 / 8, 2 / 8, 3 / 8], [4 / 8, 5 / 8, 6 / 8, 7 / 8], [1, 1, 1, 1]],
  "constant": [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]],
} as const;

for (const [betaSchedule, weights] of Object.entries(WEIGHTS)) {
  Deno.test(`the loss of an epoch weighs the KL of each step by the weight of that step: ${betaSchedule}`, async () => {
    const [beta, data] = [2, bits({ equal: true })];
    const { epochs, trained } = await fit({ epochs: 3, beta, betaSchedule, betaSteps: 8, validation: 0 }, data);
    using _ = trained;
    epochs.forEach(({ train: { loss, nll, kl } }, i) => {
      const mean = weights[i].reduce((sum, weight) => sum + weight, 0) / 4;
      assertAlmostEquals(loss, nll + beta * mean * kl, 1e-4, `epoch ${i + 1}`);
    });
  });
}

Deno.test("the loss of validation is that of the last step's weights, not of the step to come", async () => {
  const [beta, data] = [2, bits()];
  // 30 rows in steps of 10: a cycle of three steps ends with the epoch at 2/3 / rising, the whole weight, and would start again at 0.
  const config = { epochs: 2, beta, betaSchedule: "cyclic", betaSteps: 3, validation: 10 };
  const { epochs, trained } = await fit(config, data);
  using _ = trained;
  for (const { validation } of epochs) {
    const { loss, nll, kl } = validation!;
    assertAlmostEquals(loss, nll + beta * kl, 1e-5);
  }
  const { loss, nll, kl } = await trained.evaluate(data.test);
  assertAlmostEquals(loss, nll + beta * kl, 1e-5);
});

/** 40 steps an epoch, in cycles of 7. */
const stopping = {
  hidden: [5],
  latents: 4,
  seed: 7,
  batchSize: 1,
  epochs: 1,
  validation: 0,
  binarize: "none",
  beta: 2,
  freeBits: 0.1,
  betaSchedule: "cyclic",
  betaSteps: 7,
} as const;

async function run(
  { stop = false, resume, config = {} }: { stop?: boolean; resume?: Checkpoint; config?: object },
): Promise<{ last: Losses; checkpoint: Checkpoint; bytes: Uint8Array }> {
  const abort = new AbortController();
  const training = train(betaVae, bits(), { ...stopping, ...config }, { gpu, signal: abort.signal, resume });
  let last: Losses | undefined;
  for await (const event of training) {
    if (event.event === "progress" && stop) abort.abort();
    if (event.event === "end") last = event.train;
  }
  using trained = training.trained;
  const bytes = await trained.toBytes();
  return { last: last!, checkpoint: decodeCheckpoint(bytes, "checkpoint"), bytes };
}

Deno.test("what a discriminator minimises is reported and no part of the loss, which the best epoch goes by", async () => {
  const config = { hidden: [5], latents: 3, discriminatorHidden: [4], penaltyWeight: 2 };
  const training = train(factorVae, bits(), { ...config, batchSize: 10, epochs: 3, validation: 10, seed: 2 }, { gpu });
  const events = await Array.fromAsync(training);
  training.trained.destroy();
  const measured = events.filter((event) => event.event === "epoch").flatMap(({ train, validation }) => [
    train,
    validation!,
  ]);
  for (const { loss, nll, kl, totalCorrelation, discriminator } of measured) {
    assertAlmostEquals(loss, nll + kl + 2 * totalCorrelation, 1e-4);
    assert(discriminator > 0.5);
  }
  const { best } = events.at(-1) as EndEvent;
  assertEquals(best!.loss, Math.min(...measured.filter((_, i) => i % 2).map(({ loss }) => loss)));
});

Deno.test("a training that was stopped within an epoch goes on with the loss of its steps so far", async () => {
  const [whole, part] = [await run({}), await run({ stop: true })];
  const { step } = part.checkpoint.progress;
  assert(step > 0 && step < COUNT, `stopped at step ${step}`);
  const resumed = await run({ resume: part.checkpoint });
  assertEquals(resumed.last, whole.last);
  assertEquals(resumed.bytes, whole.bytes);
});

Deno.test("a checkpoint without the loss of its steps so far, as older ones are, is resumed: with its terms, or anew where they differ", async () => {
  const whole = await run({});
  const { checkpoint } = await run({ stop: true });
  const { loss: _, ...progress } = checkpoint.progress;
  const constant = { betaSchedule: "constant" };
  const same = await run({ config: constant });
  const stopped = (await run({ stop: true, config: constant })).checkpoint;
  const { loss: __, ...before } = stopped.progress;
  // With constant weights the sums of the terms say it all.
  const resumed = await run({ config: constant, resume: { ...stopped, progress: before } });
  assertAlmostEquals(resumed.last.loss, same.last.loss, 1e-9);
  // Free bits were no term: nll and kl alone.
  const older = await run({ resume: { ...checkpoint, progress: { ...progress, sums: progress.sums.slice(0, 2) } } });
  assertEquals([...older.checkpoint.tensors], [...whole.checkpoint.tensors]);
  assert(Object.values(older.last).every(Number.isFinite), JSON.stringify(older.last));
});
