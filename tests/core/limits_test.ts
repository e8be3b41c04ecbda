/** Many terms and scheduled numbers, on a device that was asked for nothing. */

import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { configure, type Dataset, type Model, train, vae } from "../../mod.ts";
import { uniforms } from "../../core/graph/random.ts";
import { MOST_SCHEDULES, type Schedule } from "../../core/graph/schedule.ts";

const values = Uint8Array.from(uniforms(new Float32Array(60 * 16), 5, 0, 0), (u) => 255 * u);
const rows = { values, count: 60 };
const dataset: Dataset = { name: "noise", shape: [4, 4, 1], train: rows, test: rows };

/** A VAE whose KL is counted in so many terms, each with a weight that rises at its own pace to 1 / count. */
const manyTerms = (count: number): Model => {
  const model = vae as Model;
  const rising = (i: number): Schedule => ({ kind: "linear", from: 0, to: 1 / count, steps: 1 + i % 3 });
  return {
    ...model,
    name: "many_terms",
    objectives: (t, p, batch, config) =>
      model.objectives(t, p, batch, config).map(({ terms: [nll, kl] }) => ({
        terms: [
          nll,
          kl,
          ...Array.from({ length: count - 1 }, (_, i) => ({ ...kl, name: `kl ${i}`, weight: rising(i) })),
        ],
      })),
  };
};

Deno.test("20 terms and 40 scheduled numbers train on a device of default limits", async () => {
  const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
  assertEquals(device.limits.maxStorageBuffersPerShaderStage, 8);
  const config = { hidden: [6], latents: 2, batchSize: 20, epochs: 4, validation: 20, seed: 1 };
  const training = train(manyTerms(40), dataset, config, { device });
  for await (const event of training) {
    if (event.event !== "epoch") continue;
    const { kl } = event.train;
    for (let i = 0; i < 39; i++) {
      assertAlmostEquals((event.train as unknown as Record<string, number>)[`kl ${i}`], kl, 1e-6);
    }
  }
  training.trained.destroy();
  device.destroy();
});

Deno.test("more scheduled numbers than there is room for are refused", async () => {
  const training = train(manyTerms(MOST_SCHEDULES), dataset, { ...configure({}), batchSize: 20, validation: 20 });
  await assertRejects(
    () => Array.fromAsync(training),
    RangeError,
    `Cannot compile the tape: expected at most ${MOST_SCHEDULES} scheduled numbers, found `,
  );
});
