/** A prior of somebody else, by way of the public names alone: its gradients, its draws, and a model that trains with it. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { checkGradients, decodeCheckpoint, Gpu, load, type Model, train } from "../../mod.ts";
import { blocks } from "../tasks/support.ts";
import { movedVae } from "./prior.ts";

Deno.test("a model with a prior from outside has the gradients of differences", async () => {
  using gpu = await Gpu.open();
  const dataset = blocks();
  const { settings } = movedVae;
  const config = Object.fromEntries(Object.entries(settings).map(([name, each]) => [name, each.default]));
  const small = { ...config, hidden: [5], latents: 3 } as unknown as Parameters<typeof movedVae.parameters>[0];
  const values = Array.from(dataset.train.values.subarray(0, 6 * 16), (value) => value > 127 ? 1 : 0);
  const report = await checkGradients(
    gpu,
    (t, { x }, p) => movedVae.objectives(t, p, { x }, small),
    { x: { rows: 6, columns: 16, constant: true, values } },
    { parameters: movedVae.parameters(small, dataset) },
  );
  const ofPrior = report.filter(({ name, largest }) => name.startsWith("prior") && largest > 0);
  assertEquals(ofPrior.map(({ name }) => name), ["prior.mean.bias", "prior.logDeviation.bias"]);
});

Deno.test("a prior from outside moves to the posteriors, and is what is drawn from", async () => {
  const settings = { hidden: [16], latents: 2, batchSize: 20, epochs: 20, validation: 40, learningRate: 0.02 };
  const training = train(movedVae, blocks(), { ...settings, binarize: "threshold" });
  for await (const _ of training);
  const bytes = await training.trained.toBytes();
  training.trained.destroy();
  const { tensors } = decodeCheckpoint(bytes, "x");
  const [mean, logDeviation] = ["mean", "logDeviation"].map((name) => tensors.get(`prior.${name}.bias`)!.data);
  assert(Math.max(...Array.from(logDeviation, Math.abs)) > 0.05, "the prior was trained");
  using trained = await load(bytes, { model: movedVae as Model });
  const count = 20_000;
  const z = await trained.drawPrior({ count, seed: 1 });
  for (const k of [0, 1]) {
    const column = Array.from({ length: count }, (_, n) => z[2 * n + k]);
    const m = column.reduce((sum, value) => sum + value, 0) / count;
    const s = Math.sqrt(column.reduce((sum, value) => sum + (value - m) ** 2, 0) / count);
    const deviation = Math.exp(logDeviation[k]);
    // Five standard errors.
    assertAlmostEquals(m, mean[k], 5 * deviation / Math.sqrt(count));
    assertAlmostEquals(s, deviation, 5 * deviation / Math.sqrt(2 * count));
  }
});
