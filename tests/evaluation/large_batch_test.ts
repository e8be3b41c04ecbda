/** What a large batch comes to, where the sum over it is large: a decoder that ignores z has its nll in closed form. */

import { assertAlmostEquals } from "@std/assert";
import { type Dataset, train, vae } from "../../mod.ts";
import { uniforms } from "../../core/graph/random.ts";
import { families, gpu } from "../support/gpu.ts";

const [D, COUNT] = [3072, 4096];

/** The same bits in every row, so that rounding cannot average out. */
const row = uniforms(new Float32Array(D), 5, 0, 0).map((u) => u < 0.4 ? 1 : 0);
const rows = { values: new Uint8Array(COUNT * D).map((_, i) => 255 * row[i % D]), count: COUNT };
const data: Dataset = { name: "bits", shape: [1, D, 1], train: rows, test: rows };
const logits = uniforms(new Float32Array(D), 6, 0, 0).map((u) => 2 * u - 1);
const nll = logits.reduce((sum, y, d) => sum + Math.log1p(Math.exp(y)) - row[d] * y, 0);

for (const family of families) {
  Deno.test(`evaluate() in batches of 1,000 and of 4,096 rows of 3,072 values is within 1e-3 of the closed form (${family})`, async () => {
    for (const batchSize of [1000, 4096]) {
      const config = {
        hidden: [],
        latents: 2,
        batchSize,
        validation: 0,
        binarize: "threshold",
        tiles: family,
      } as const;
      const training = train(vae, data, config, { gpu });
      const events = training[Symbol.asyncIterator]();
      await events.next();
      using trained = training.trained;
      const { tensor, shape: { inputs, outputs } } = trained.parameters.get("likelihood");
      trained.parameters.get("likelihood").set(tensor, new Float32Array(inputs * outputs), logits);
      assertAlmostEquals((await trained.evaluate(rows)).nll, nll, 1e-3, `batches of ${batchSize}`);
      await events.return?.(undefined);
    }
  });
}
