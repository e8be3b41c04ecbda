/** Averages of the weights over a whole training: what rests, what goes on, and what a checkpoint has of both. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { decodeCheckpoint } from "../../core/training/checkpoint.ts";
import { train } from "../../core/training/trainer.ts";
import type { TrainingConfig } from "../../core/training/training_settings.ts";
import { vae } from "../../models/vae.ts";
import { gpu } from "../support/gpu.ts";
import { blocks } from "../tasks/support.ts";

const dataset = blocks();
const settings = { hidden: [6], latents: 2, batchSize: 21, epochs: 3, validation: 40, seed: 3, learningRate: 0.01 };

/** The checkpoint at the end, the validation ELBO of every epoch, and the ELBO of the model that is left. */
async function trained(changes: Partial<TrainingConfig>, options: Parameters<typeof train>[3] = {}) {
  const training = train(vae, dataset, { ...settings, ...changes }, { gpu, ...options });
  const elbos: number[] = [];
  for await (const event of training) if (event.event === "epoch") elbos.push(event.validation!.elbo);
  const { elbo } = await training.trained.evaluate(dataset.test);
  return { checkpoint: decodeCheckpoint(await training.trained.toBytes(), "x"), elbos, elbo };
}

const valuesOf = ({ checkpoint: { tensors } }: Awaited<ReturnType<typeof trained>>, prefix = "") =>
  ["encoder.0.weight", "decoder.0.bias", "likelihood.weight"].map((name) => [...tensors.get(prefix + name)!.data]);

Deno.test("the averages are the model's weights, and those that are trained are as without averages", async () => {
  const plain = await trained({});
  const averaged = await trained({ ema: 0.9 });
  assertEquals(valuesOf(averaged, "optimizer.weights."), valuesOf(plain));
  assertNotEquals(valuesOf(averaged), valuesOf(plain));
  assertNotEquals(averaged.elbos, plain.elbos);
  // Adam's moments are those of the weights that are trained.
  assertEquals(valuesOf(averaged, "optimizer.first_moment."), valuesOf(plain, "optimizer.first_moment."));
});

Deno.test("averages of the last weight alone are that weight", async () => {
  const plain = await trained({});
  const averaged = await trained({ ema: 1e-7 });
  const [expected, found] = [plain, averaged].map((each) => valuesOf(each).flat());
  found.forEach((value, i) => assert(Math.abs(value - expected[i]) < 1e-5 * (1 + Math.abs(expected[i]))));
});

Deno.test("a training with averages, clipping and accumulation goes on to the same bytes wherever it stopped", async () => {
  const changes = { ema: 0.9, clipNorm: 5, clipValue: 3, accumulate: 4, optimizer: "adamw" } as const;
  const whole = await trained(changes);
  for (const stopAt of [1, 7, 13]) {
    const stop = new AbortController();
    const training = train(vae, dataset, { ...settings, ...changes }, { gpu, signal: stop.signal });
    let steps = 0;
    for await (const event of training) {
      if (event.event === "progress" && (steps = event.step) >= stopAt) stop.abort();
    }
    assert(steps < 28);
    const resume = decodeCheckpoint(await training.trained.toBytes(), "stopped");
    const again = await trained(changes, { resume });
    assertEquals([...again.checkpoint.tensors], [...whole.checkpoint.tensors]);
    assertEquals(again.elbo, whole.elbo);
  }
});

Deno.test("a training that is left between epochs leaves the averages", async () => {
  const training = train(vae, dataset, { ...settings, ema: 0.9 }, { gpu });
  for await (const event of training) if (event.event === "progress" && event.step > 15) break;
  const { tensors } = decodeCheckpoint(await training.trained.toBytes(), "x");
  const [rests, goesOn] = ["", "optimizer.weights."].map((prefix) => [...tensors.get(`${prefix}decoder.0.bias`)!.data]);
  assertNotEquals(rests, goesOn);
});
