/** Many rows go through a trained model in larger pieces than few. */

import { assertEquals } from "@std/assert";
import { normals } from "../../core/graph/random.ts";
import { train, vae } from "../../mod.ts";
import { assertSame } from "../support/gpu.ts";

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
