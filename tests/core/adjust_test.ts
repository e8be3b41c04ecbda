/** A training whose settings change while it goes on. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type ComposedConfig, decodeCheckpoint, type EpochEvent, train, type TrainingConfig, vae } from "../../mod.ts";
import { gpu } from "../support/gpu.ts";
import { stripes } from "../support/stripes.ts";

type Config = Partial<TrainingConfig & ComposedConfig>;

const settings: Config = {
  ...{ hidden: [6], latents: 2, batchSize: 20, epochs: 4, validation: 20, learningRate: 0.01 },
};

/** Trains, with other settings from the end of the second epoch on; gives the bytes and the epochs. */
async function trained(first: Config, then: Config | undefined) {
  const training = train(vae, stripes, first, { gpu });
  const epochs: EpochEvent[] = [];
  for await (const event of training) {
    if (event.event !== "epoch") continue;
    epochs.push(event);
    if (event.epoch === 2 && then) training.adjust(then);
  }
  using model = training.trained;
  const { tensors, training: kept, config } = decodeCheckpoint(await model.toBytes(), "x");
  return { tensors: [...tensors], config: { ...kept, ...config }, epochs };
}

Deno.test("adjust() to the same settings changes no bit", async () => {
  const [plain, adjusted] = [await trained(settings, undefined), await trained(settings, { beta: 1 })];
  assertEquals(adjusted.tensors, plain.tensors);
  assertEquals(adjusted.epochs.map(({ train }) => train), plain.epochs.map(({ train }) => train));
});

Deno.test("after adjust() a training is, to the bit, one that was resumed with these settings", async () => {
  const begun = train(vae, stripes, { ...settings, epochs: 2 }, { gpu });
  for await (const _ of begun);
  const checkpoint = decodeCheckpoint(await begun.trained.toBytes(), "begun");
  begun.trained.destroy();
  for (
    const then of [{ beta: 7 }, { learningRate: 0.1 }, { freeBits: 0.5 }, { capacity: 3, betaSteps: 2 }, { samples: 2 }]
  ) {
    const { tensors, config, epochs } = await trained(settings, then);
    const part = Object.keys(then)[0] in checkpoint.config ? "config" : "training";
    // Free bits and capacities are terms of their own, of which the checkpoint has no sums.
    const progress = { ...checkpoint.progress, sums: [], steps: 0 };
    const resume = { ...checkpoint, progress, training: { ...checkpoint.training, epochs: 4 } };
    const again = train(vae, stripes, {}, { gpu, resume: { ...resume, [part]: { ...resume[part], ...then } } });
    for await (const _ of again);
    using expected = again.trained;
    assertEquals(tensors, [...decodeCheckpoint(await expected.toBytes(), "x").tensors], JSON.stringify(then));
    assertEquals({ ...config, ...then }, config, "the checkpoint has the new settings");
    assert(epochs[3].validation!.loss > 0);
  }
});

Deno.test("adjust() refuses what cannot change while a model is trained, and the training goes on", async () => {
  const training = train(vae, stripes, settings, { gpu });
  let steps = 0;
  for await (const event of training) {
    if (event.event === "epoch" && event.epoch === 1) {
      assertThrows(() => training.adjust({ latents: 3 }), RangeError, "Cannot adjust latents: the parameters would");
      assertThrows(() => training.adjust({ batchSize: 10 }), RangeError, "Cannot adjust batchSize: it is fixed");
      assertThrows(() => training.adjust({ beta: -1 }), RangeError, "beta");
    }
    if (event.event === "end") steps = event.step;
  }
  training.trained.destroy();
  assertEquals(steps, 20);
});

Deno.test("with chunkSeconds 0 each chunk is one step, and adjust() is heard between two", async () => {
  const training = train(vae, stripes, { ...settings, epochs: 2 }, { gpu, chunkSeconds: () => 0 });
  const seen: number[] = [];
  for await (const event of training) {
    if (event.event !== "progress") continue;
    seen.push(event.step);
    if (event.step === 3) training.adjust({ beta: 3 });
  }
  training.trained.destroy();
  assertEquals(seen, Array.from({ length: 10 }, (_, i) => i + 1));
  await assertRejects(async () => await training.trained.decode(new Float32Array(2)));
});
