/** A layer from a module that imports the public names alone: it trains, is saved, loaded and evaluated. */

import { assert, assertEquals } from "@std/assert";
import { type Dataset, decodeCheckpoint, train, Trained } from "../../mod.ts";
import { shiftedVae } from "./layer.ts";

const values = Uint8Array.from({ length: 120 * 16 }, (_, i) => (i >> 4) % 2 === (i % 16 < 8 ? 0 : 1) ? 255 : 0);
const rows = { values, count: 120 };
const dataset: Dataset = { name: "halves", shape: [4, 4, 1], train: rows, test: rows };

Deno.test("a layer from outside trains in a model from outside, which is saved and loaded", async () => {
  const training = train(shiftedVae, dataset, { epochs: 20, batchSize: 21, validation: 0, learningRate: 0.02 });
  const losses: number[] = [];
  for await (const event of training) if (event.event === "epoch") losses.push(event.train.loss);
  // Two images: a fair coin for each pixel costs 16 log 2 nats, and knowing which image it is log 2.
  assert(losses.at(-1)! < 0.5 * losses[0], losses.join(" "));
  using trained = training.trained;
  const bytes = await trained.toBytes();
  const { bias } = await trained.parameters.get("encoder.shift").get();
  assert(bias.some((value) => value !== 0), "the layer did not learn");
  using loaded = await Trained.fromCheckpoint(shiftedVae, decodeCheckpoint(bytes, "checkpoint"));
  const x = Float32Array.from(values.subarray(0, 32), (value) => value / 255);
  assertEquals(await loaded.reconstruct(x), await trained.reconstruct(x));
  const means = await loaded.reconstruct(x);
  means.forEach((mean, i) => assert(Math.abs(mean - x[i]) < 0.25, `pixel ${i}: ${mean} of ${x[i]}`));
});
