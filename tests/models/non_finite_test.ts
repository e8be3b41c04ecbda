/** Numbers that are not finite are found where they come in and where they come out, and named. */

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FileError } from "../../core/bounds.ts";
import { slice } from "../../core/dataset.ts";
import { nonFiniteBuffers } from "../../core/gpu/non_finite.ts";
import { createTensor, upload } from "../../core/gpu/tensor.ts";
import { decodeCheckpoint } from "../../core/training/checkpoint.ts";
import { createTrainingProgram } from "../../core/training/training_program.ts";
import { decodeSafetensors, encodeSafetensors } from "../../core/training/safetensors.ts";
import {
  type Dataset,
  DivergenceError,
  impute,
  load,
  logLikelihood,
  type Model,
  models,
  scores,
  train,
  type Trained,
  vae,
} from "../../mod.ts";
import { gpu } from "../support/gpu.ts";
import { rows, stripes } from "../support/stripes.ts";

const small = { hidden: [6], latents: 2, batchSize: 20, epochs: 2, validation: 20 };

/** The rows as floats, larger by a factor. */
function scaled(factor: number): Dataset {
  const split = { ...rows, values: Float32Array.from(rows.values, (byte, i) => (byte / 255 + i % 3) * factor) };
  return { ...stripes, train: split, test: split };
}

async function trained(model: Model, dataset: Dataset, config: object): Promise<Trained> {
  const training = train(model, dataset, config, { gpu });
  for await (const { event } of training) assert(event);
  return training.trained as Trained;
}

/** A model whose weights all have a value, as a checkpoint may hold them. */
async function withWeights(value: number): Promise<Uint8Array<ArrayBuffer>> {
  using model = await trained(vae as Model, stripes, { ...small, epochs: 1 });
  const { tensors, metadata } = decodeSafetensors(await model.toBytes(), "bytes");
  for (const [name, { data }] of tensors) if (!name.startsWith("optimizer.")) data.fill(value);
  return encodeSafetensors(tensors, metadata);
}

Deno.test("nonFiniteBuffers() finds one number among many, at any place, and takes the largest for finite", async () => {
  for (const [value, isFound] of [[NaN, true], [Infinity, true], [-Infinity, true], [3.4e38, false], [-1e-45, false]]) {
    for (const place of [0, 1, 31_007, 62_999]) {
      const values = new Float32Array(63_000).fill(-1);
      values[place] = Number(value);
      const tensors = ["plain", "bad"].map((name) => createTensor(gpu, name, 900, 70));
      upload(gpu, tensors[1], values);
      const found = await nonFiniteBuffers(gpu, tensors.map(({ buffer }) => buffer));
      assertEquals(found.map(({ label }) => label), isFound ? ["bad"] : []);
      for (const { buffer } of tensors) buffer.destroy();
    }
  }
});

/** Where parameters or moments first overflow: looked for step by step. */
async function firstOverflow(model: Model, config: object): Promise<{ step: number; epoch: number }> {
  const begun = train(model, stripes, config, { gpu });
  for await (const { event } of begun) {
    assertEquals(event, "start");
    break;
  }
  using trained = begun.trained;
  const split = slice(rows, 0, trained.data.count);
  const { program, destroy } = await createTrainingProgram({ ...trained, gpu, model, data: stripes, split });
  let step = 0;
  for (; step < 90; step++) {
    await program.submit(1);
    if (await trained.parameters.nonFinite()) break;
  }
  destroy();
  return { step, epoch: Math.floor(step * trained.training.batchSize / split.count) + 1 };
}

Deno.test("train() finds moments that overflow while the loss does not, names the step and epoch, and keeps what was good", async () => {
  const beta = models.get("beta_vae")!;
  // Of a β that grows, moments overflow in the middle of an epoch of 10 steps.
  const late = { ...small, beta: 1e22, betaSchedule: "warm-up", betaSteps: 1000, batchSize: 10, epochs: 9 };
  const { step, epoch } = await firstOverflow(beta, late);
  assert(step % 10 > 0 && epoch > 1, `step ${step}`);
  for (
    const [config, expected, good] of [
      [{ beta: 1e30 }, [0, 1], 0],
      [{ beta: 1e30, ema: 0.9, batchSize: 7 }, [0, 1], 0],
      [late, [step, epoch], 10 * (epoch - 1)],
    ] as const
  ) {
    const training = train(beta, stripes, { ...small, ...config }, { gpu });
    const error = await assertRejects(
      async () => {
        for await (const { event } of training) assert(event);
      },
      DivergenceError,
      'gave a number that is not finite, first in "second_moment of ',
    );
    assertEquals([error.step, error.epoch], expected);
    assertEquals(decodeCheckpoint(await training.trained.toBytes(), "left").progress.step, good);
    training.trained.destroy();
  }
});

for (const name of ["pca", "ppca", "gmm", "vae", "linear_vae", "ae"]) {
  Deno.test(`train() of ${name} on numbers of 1e30 says that they are too large`, async () => {
    const config = { batchSize: 20, validation: 20, epochs: 2 };
    const sizes = { gmm: { components: 3 }, vae: { latents: 2, hidden: [6] }, ae: { hidden: [6] } }[name] ??
      { latents: 2 };
    const error = await assertRejects(
      () => trained(models.get(name)!, scaled(1e30), { ...config, ...sizes }),
      DivergenceError,
    );
    assertEquals(error.epoch, 1);
  });
}

Deno.test("a divergence in a later epoch is named by that epoch and by its step", async () => {
  // A loss of weight 0 until a step, and of a weight that overflows float32 then: kl grows by it from step 12 on.
  const config = { ...small, epochs: 5, learningRate: 1e-3, learningRateSchedule: "decay", learningRateSteps: 12 };
  const training = train(vae, stripes, { ...config, learningRateFactor: 1e33, optimizer: "sgd" } as object, { gpu });
  const epochs: number[] = [];
  const error = await assertRejects(async () => {
    for await (const event of training) if (event.event === "epoch") epochs.push(event.epoch);
  }, DivergenceError);
  // Of 5 steps an epoch, step 12 is in the third; its weights are met in step 13.
  assertEquals([epochs, error.epoch, error.step], [[1, 2], 3, 13]);
  training.trained.destroy();
});

Deno.test("sample() and decode() refuse latents, temperatures and seeds that are no numbers", async () => {
  using model = await trained(vae as Model, stripes, { ...small, epochs: 1 });
  for (const value of [NaN, Infinity, -Infinity]) {
    await assertRejects(
      () => model.decode(Float32Array.of(0, 0, 0, value)),
      RangeError,
      `Cannot decode with "vae": expected finite numbers, found ${value} in row 1, column 1 (from 0)`,
    );
    await assertRejects(() => model.sample({ temperature: value }), RangeError, "expected a temperature of at least 0");
    await assertRejects(() => model.sample({ seed: value }), RangeError, `Cannot use the seed ${value}`);
    await assertRejects(() => model.evaluate(rows, { seed: value }), RangeError, `Cannot use the seed ${value}`);
    await assertRejects(() => logLikelihood(model, rows, { seed: value }), RangeError, `Cannot use the seed ${value}`);
  }
  for (const temperature of [-1, 1e39]) await assertRejects(() => model.drawPrior({ temperature }), RangeError);
  assert((await model.sample({ temperature: 0, count: 3 })).every(Number.isFinite));
});

Deno.test("train() refuses settings that float32 does not hold", () => {
  const beta = models.get("beta_vae")!;
  for (const value of [NaN, Infinity, 1e39]) {
    assertThrows(() => train(beta, stripes, { ...small, beta: value } as object), RangeError, 'Cannot set "beta"');
    assertThrows(() => train(vae, stripes, { ...small, learningRate: value }), RangeError, 'Cannot set "learningRate"');
  }
  assertThrows(() => train(vae, stripes, { ...small, learningRate: 1e-50 }), RangeError, "expected a number above 0");
});

Deno.test("a checkpoint with a number that is not finite is refused by its tensor, and none is written", async () => {
  const bytes = await withWeights(NaN);
  await assertRejects(
    () => load(bytes, { gpu, file: "a.safetensors" }),
    FileError,
    'Cannot load "a.safetensors": expected finite numbers in the tensor "',
  );
  using model = await trained(vae as Model, stripes, { ...small, epochs: 1 });
  const parameter = model.parameters.get("decoder.0");
  const { weight, bias } = await parameter.get();
  parameter.set(parameter.tensor, weight.fill(Infinity), bias);
  await assertRejects(
    () => model.toBytes(),
    RangeError,
    'Cannot use the tensor "decoder.0.weight" in a checkpoint: expected finite numbers, found Infinity at 0',
  );
});

Deno.test("weights that are finite but too large are told of by every measure and mapping", async () => {
  using model = await load(await withWeights(-1e38), { gpu });
  const x = model.rowsOf(rows, 0, 4);
  for (
    const [what, attempt] of Object.entries({
      evaluate: () => model.evaluate(rows),
      encode: () => model.encode(x),
      reconstruct: () => model.reconstruct(x),
      logLikelihood: () => logLikelihood(model, rows),
      scores: () => scores(model, rows, { samples: 2 }),
      impute: () => impute(model, x, Array.from({ length: 16 }, (_, i) => i % 2), { iterations: 2 }),
    })
  ) {
    const error = await attempt().then(() => undefined, (error) => error);
    assert(error instanceof RangeError && /expected (finite numbers|a finite \w+), found/.test(error.message), what);
  }
});

Deno.test("encode() gives variances as the model has them, where the encoder's output is beyond its bounds", async () => {
  using model = await trained(vae as Model, stripes, { ...small, epochs: 1 });
  const parameter = model.parameters.get("encoder.posterior");
  parameter.set(parameter.tensor, new Float32Array(6 * 4), Float32Array.of(0, 0, 1000, -1000));
  const { logVariance } = await model.encode(model.rowsOf(rows, 0, 1));
  assertAlmostEquals(logVariance[0], 20);
  assertAlmostEquals(logVariance[1], -30);
});
