/** Latent statistics against PyTorch's integrals, and posteriors on the host against what the GPU makes of them. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  ae,
  drawEncoded,
  type Encoded,
  klByDimension,
  latentStatistics,
  logDensity,
  marginals,
  train,
} from "../../mod.ts";
import { normals } from "../../core/graph/random.ts";
import { reparameterizeFullForward } from "../reference/reparameterize_full.ts";
import { covarianceOf, logNormal } from "../reference/linear_gaussian.ts";
import { assertClose } from "../support/compare.ts";
import golden from "../golden/bits_vae.json" with { type: "json" };
import { bits, bitsVae } from "./support.ts";
import { gpu } from "../support/gpu.ts";

/** Posteriors with full covariance of so many rows. */
function full(count: number, latents: number): Encoded {
  const statistics = normals(new Float32Array(count * latents * (latents + 3) / 2), 4, 0, 0);
  return { statistics, count, latents, covariance: "full" };
}

Deno.test("latentStatistics() gives PyTorch's KL by dimension, variances and mutual information", async () => {
  using model = await bitsVae();
  const found = await latentStatistics(model, bits.test);
  assertClose(found.kl, golden.klByDimension, "kl");
  assertClose(found.variance, golden.variance, "variance");
  assertClose(found.aggregateVariance, golden.aggregateVariance, "aggregate variance");
  assertEquals([found.active, found.of, found.activeUnits, found.count], [2, 2, 2, 60]);
  assertAlmostEquals(found.mutualInformationLimit, Math.log(60), 1e-12);
  // One draw for each of 60 rows: the mean over seeds, which 400 draws of deviation 1/2 leave within 0.05.
  let mutualInformation = 0;
  for (let seed = 0; seed < 40; seed++) {
    const { mutualInformation: each, marginalKl } = await latentStatistics(model, bits.test, { seed });
    assertAlmostEquals(each + marginalKl, golden.klByDimension[0] + golden.klByDimension[1], 1e-4);
    mutualInformation += each / 40;
  }
  assertAlmostEquals(mutualInformation, golden.mutualInformation, 0.03);
});

Deno.test("latentStatistics() refuses a code without a distribution", async () => {
  const training = train(ae, bits, { hidden: [4], latents: 2, batchSize: 20, epochs: 1, validation: 0 }, { gpu });
  for await (const event of training) assert(event.event !== "end" || !event.stopped);
  using model = training.trained;
  await assertRejects(() => latentStatistics(model, bits.test), TypeError, "expected a Gaussian posterior");
});

Deno.test("drawEncoded() and klByDimension() are the float64 reference's with full covariance", () => {
  const encoded = full(7, 4);
  const noise = normals(new Float64Array(28), 11, 2, 0);
  const expected = reparameterizeFullForward(Float64Array.from(encoded.statistics), noise, { batch: 7, latents: 4 });
  assertClose(drawEncoded(encoded, 11, 2), expected.z, "z");
  const parts = klByDimension(encoded);
  const sums = Float64Array.from({ length: 7 }, (_, n) => parts.slice(4 * n, 4 * n + 4).reduce((a, b) => a + b));
  assertClose(sums, expected.kl, "kl");
});

Deno.test("logDensity() and marginals() agree with the covariance L Lᵀ written out", () => {
  const encoded = full(5, 3);
  const { mean, logVariance } = marginals(encoded);
  const density = logDensity(encoded);
  const z = normals(new Float64Array(3), 1, 0, 0);
  for (let row = 0; row < 5; row++) {
    const s = encoded.statistics.subarray(9 * row, 9 * row + 9);
    const [a, b, c] = [3, 4, 5].map((i) => Math.exp(s[i] / 2));
    // Columns of L as the rows that covarianceOf() takes, without noise of its own.
    const covariance = covarianceOf(Float64Array.of(a, s[6], s[7], 0, b, s[8], 0, 0, c), 3, 0);
    assertAlmostEquals(
      density(row, z, 0),
      logNormal(Array.from(z), mean.subarray(3 * row, 3 * row + 3), covariance),
      1e-4,
    );
    for (let i = 0; i < 3; i++) assertAlmostEquals(Math.exp(logVariance[3 * row + i]), covariance[4 * i], 1e-4);
  }
});
