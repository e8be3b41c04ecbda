/** Many rows go through a trained model in larger pieces than few. */

import { assertEquals, assertThrows } from "@std/assert";
import { normals } from "../../core/graph/random.ts";
import { decodeCheckpoint } from "../../core/training/checkpoint.ts";
import { type Dataset, train, vae } from "../../mod.ts";
import { assertSame, gpu } from "../support/gpu.ts";

const values = new Uint8Array(200 * 25).map((_, i) => (i * 7919) % 5 < 2 ? 255 : 0);
const rows = { values, count: 200 };

Deno.test("decode(), sample() and encode() give a row the same values among thousands as among few", async () => {
  const training = train(vae, { name: "pattern", shape: [5, 5, 1], train: rows, test: rows }, {
    ...{ hidden: [40], latents: 3, batchSize: 50, epochs: 1, validation: 0 },
  });
  for await (const _ of training);
  using trained = training.trained;
  const z = normals(new Float32Array(9000 * 3), 1, 0, 0);
  const x = await trained.decode(z);
  assertEquals(x.length, 9000 * 25);
  for (const from of [0, 4090, 8993]) {
    const few = await trained.decode(z.slice(from * 3, (from + 7) * 3));
    assertSame(x.slice(from * 25, (from + 7) * 25), few, `rows from ${from}`);
  }
  for (const draw of ["mean", "sample"] as const) {
    const many = await trained.sample({ count: 4200, seed: 1, draw });
    assertSame(many.slice(0, 150 * 25), await trained.sample({ count: 150, seed: 1, draw }), draw);
  }
  const { mean } = await trained.encode(x);
  assertSame((await trained.encode(x.slice(5000 * 25, 5001 * 25))).mean, mean.slice(5000 * 3, 5001 * 3), "mean");
});

Deno.test("train() past 2^32 rows seen takes the same rows resident and streamed, and ends at the last step of 32 bits", async () => {
  // A training of 10,000 rows in batches of 1,000, as a checkpoint may say that it stands: 2^32 rows are seen after step 4,294,967.
  const many = { values: new Uint8Array(10_000 * 4).map((_, i) => (i * 7919) % 251), count: 10_000 };
  const dataset: Dataset = { name: "pattern", shape: [2, 2, 1], train: many, test: many };
  const config = {
    hidden: [4],
    latents: 2,
    batchSize: 1000,
    epochs: 429_498,
    validation: 0,
    binarize: "none",
  } as const;
  const ended = async (rows: "resident" | "streamed") => {
    const begun = train(vae, dataset, { ...config, rows }, { gpu });
    for await (const _ of begun) break;
    using first = begun.trained;
    first.progress = { step: 4_294_960, sums: [], steps: 0 };
    const resume = decodeCheckpoint(await first.toBytes(), "near the edge");
    const training = train(vae, dataset, {}, { gpu, resume });
    const epochs: unknown[] = [];
    for await (const event of training) if (event.event === "epoch") epochs.push([event.step, event.train.loss]);
    using trained = training.trained;
    return { epochs, tensors: [...decodeCheckpoint(await trained.toBytes(), "after").tensors] };
  };
  const resident = await ended("resident");
  assertEquals(resident.epochs.length, 2);
  assertEquals(await ended("streamed"), resident);
  assertThrows(
    () => train(vae, dataset, { ...config, batchSize: 1, epochs: 1e6 }),
    RangeError,
    "Cannot train for 1000000 epochs: expected at most 4294967295 steps, found 10000000000",
  );
});
