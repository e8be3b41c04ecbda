/** Full covariance against the float64 reference, and against the diagonal op where it must be the same. */

import { assertEquals, assertThrows } from "@std/assert";
import { reparameterize, statisticsColumns } from "../../../core/ops/reparameterize.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { createTensor, upload } from "../../../core/gpu/tensor.ts";
import { assertClose, draw, float64 } from "../../support/compare.ts";
import { Bench, gpu } from "../../support/gpu.ts";
import { centralDifferences } from "../../reference/numeric.ts";
import { reparameterizeFullForward } from "../../reference/reparameterize_full.ts";

function given(bench: Bench, latents: number, values: Float32Array, samples = 1) {
  const rows = bench.tape.batch * samples;
  const tensor = createTensor(gpu, "noise", rows, latents, { storedRows: bench.tape.stored(rows) });
  upload(gpu, tensor, values);
  return tensor;
}

const sizes = [[9, 1], [33, 3], [7, 10]] as const;
const divergences = ["analytic", "sampled"] as const;
for (const [[batch, latents], divergence] of sizes.flatMap((each) => divergences.map((d) => [each, d] as const))) {
  Deno.test(`reparameterize() with full covariance agrees with the reference: ${batch} rows, ${latents} latents, ${divergence}`, async () => {
    const sizes = { batch, latents };
    const columns = statisticsColumns(latents, "full");
    const [values, noise, upstream] = [draw(batch * columns, 1), draw(batch * latents, 2), draw(batch * latents, 3)];
    using bench = new Bench(batch);
    const statistics = bench.input("statistics", columns, values);
    const { z, kl } = reparameterize(bench.tape, statistics, {
      covariance: "full",
      divergence,
      noise: given(bench, latents, noise),
    });
    await bench.run([{ name: "kl", value: kl, weight: constant(0.7) }, bench.given(z, upstream)]);
    const expected = reparameterizeFullForward(float64(values), float64(noise), sizes, divergence);
    assertClose(await bench.read(z), expected.z, "z", { sum: latents });
    assertClose(await bench.rows(kl), expected.kl, "kl", { sum: columns, absolute: 2e-6 });
    // dL of L = Σ dz z + 0.7 kl by central differences of the reference, in float64.
    const point = float64(values);
    const loss = () => {
      const { z, kl } = reparameterizeFullForward(point, float64(noise), sizes, divergence);
      return z.reduce((sum, value, i) => sum + value * upstream[i], 0) + 0.7 * kl.reduce((a, b) => a + b);
    };
    assertClose(await bench.gradient(statistics), centralDifferences(loss, point), "dstatistics", {
      sum: latents,
      absolute: 2e-5,
    });
  });
}

Deno.test("reparameterize() with a diagonal factor is the diagonal one", async () => {
  const [batch, latents] = [20, 5];
  const [values, noise] = [draw(batch * 2 * latents, 1), draw(batch * latents, 2)];
  const columns = statisticsColumns(latents, "full");
  const wide = new Float32Array(batch * columns);
  for (let n = 0; n < batch; n++) wide.set(values.subarray(n * 2 * latents, (n + 1) * 2 * latents), n * columns);
  using bench = new Bench(batch);
  const options = { noise: given(bench, latents, noise) };
  const diagonal = reparameterize(bench.tape, bench.input("diagonal", 2 * latents, values), options);
  const full = reparameterize(bench.tape, bench.input("full", columns, wide), { ...options, covariance: "full" });
  await bench.run([
    { name: "kl", value: diagonal.kl, weight: constant(1) },
    { name: "full", value: full.kl, weight: constant(1) },
  ]);
  assertEquals(await bench.read(full.z), await bench.read(diagonal.z));
  assertClose(await bench.rows(full.kl), await bench.rows(diagonal.kl), "kl", { absolute: 2e-6 });
});

Deno.test("reparameterize() refuses statistics that are of no whole number of latents, and what full covariance cannot do", () => {
  using bench = new Bench(4);
  const seven = bench.input("seven", 7, draw(28, 1));
  assertThrows(() => reparameterize(bench.tape, seven), RangeError, "expected an even number of columns, found 7");
  assertThrows(
    () => reparameterize(bench.tape, seven, { covariance: "full" }),
    RangeError,
    "K (K + 3) / 2 columns, found 7",
  );
  assertThrows(
    () => reparameterize(bench.tape, bench.input("five", 5, draw(20, 1)), { covariance: "full", divergence: "doubly" }),
    RangeError,
    "expected the analytic or the sampled divergence",
  );
});
