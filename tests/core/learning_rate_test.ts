/** The learning rate's schedule: how long it is where nobody says, and what is said where it ends before the training. */

import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { type Dataset, decodeCheckpoint, train, vae, valueAt } from "../../mod.ts";
import { scheduleCaveats } from "../../core/training/caveats.ts";
import { defaults } from "../../core/settings.ts";
import { learningRate, type TrainingConfig, trainingSettings } from "../../core/training/training_settings.ts";
import { gpu } from "../support/gpu.ts";

const config = (values: Partial<TrainingConfig>): TrainingConfig => ({ ...defaults(trainingSettings), ...values });

const rows = { values: Uint8Array.from({ length: 40 * 6 }, (_, i) => (i * 7) % 5 < 2 ? 255 : 0), count: 40 };
const data: Dataset = { name: "bits", shape: [1, 6, 1], train: rows, test: rows };
const small = { hidden: [5], latents: 2, batchSize: 10, validation: 0, learningRate: 0.01, seed: 3 };

async function bytesOf(values: object, resume?: Uint8Array): Promise<Uint8Array> {
  const training = train(vae, data, { ...resume ? {} : small, ...values }, {
    gpu,
    ...resume ? { resume: decodeCheckpoint(resume, "checkpoint") } : {},
  });
  for await (const event of training) assert(event.event !== "end" || !event.stopped);
  using trained = training.trained;
  return await trained.toBytes();
}

const tensorsOf = (bytes: Uint8Array) => [...decodeCheckpoint(bytes, "checkpoint").tensors.entries()];

Deno.test("a cosine of the learning rate is as long as the training, and above 0 in each of its steps", () => {
  const rate = learningRate(config({ learningRateSchedule: "cosine" }), 6000);
  const at = (step: number) => valueAt(rate, step);
  // Half of it in the middle: 0.001 (1 + cos π/2) / 2.
  assertEquals([at(0), at(6000)], [0.001, 0]);
  assertAlmostEquals(at(3000), 0.0005, 1e-15);
  assert(at(1000) > 0.0009 && at(5999) > 0, `${at(1000)} ${at(5999)}`);
});

Deno.test("the other schedules of the learning rate last 1,000 steps where nobody says, and all as long as they are told", () => {
  for (const learningRateSchedule of ["warm-up", "decay", "tripling"] as const) {
    const [own, told] = [{}, { learningRateSteps: 1000 }].map((values) =>
      learningRate(config({ learningRateSchedule, ...values }), 6000)
    );
    assertEquals(own, told);
  }
  const told = learningRate(config({ learningRateSchedule: "cosine", learningRateSteps: 70 }), 6000);
  assertEquals(told, { kind: "cosine", from: 0.001, to: 0, steps: 70 });
});

Deno.test("train() with a cosine and no length for it trains as with the length of all its steps", async () => {
  // Four steps an epoch.
  const own = await bytesOf({ learningRateSchedule: "cosine", epochs: 5 });
  const told = await bytesOf({ learningRateSchedule: "cosine", epochs: 5, learningRateSteps: 20 });
  const other = await bytesOf({ learningRateSchedule: "cosine", epochs: 5, learningRateSteps: 1000 });
  assertEquals(tensorsOf(own), tensorsOf(told));
  assertNotEquals(tensorsOf(own), tensorsOf(other));
});

Deno.test("a checkpoint that holds the length of its cosine, as older ones do, is resumed with it", async () => {
  const schedule = { learningRateSchedule: "cosine", learningRateSteps: 1000 };
  const whole = await bytesOf({ ...schedule, epochs: 4 });
  const half = await bytesOf({ ...schedule, epochs: 2 });
  assertEquals(await bytesOf({ epochs: 4 }, half), whole);
});

Deno.test("a cosine that ends before its training is told of, and no other schedule", () => {
  const cosine = config({ learningRateSchedule: "cosine", learningRateSteps: 1000, epochs: 10 });
  assertEquals(scheduleCaveats(cosine, 60_000), [
    "learning rate: 0 from step 1000 of 6000 on, where its cosine ends; nothing is learned from there",
  ]);
  for (const values of [{ learningRateSteps: 0 }, { learningRateSteps: 6000 }, { learningRateSchedule: "decay" }]) {
    assertEquals(scheduleCaveats({ ...cosine, ...values } as TrainingConfig, 60_000), []);
  }
});
