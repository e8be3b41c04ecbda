/** The maximum mean discrepancy: value and gradient against float64, samples of one distribution and of two, what pads a batch. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { checkGradients } from "../../../core/ops/check_gradients.ts";
import { meanDiscrepancy, MMD_KERNELS } from "../../../core/ops/mean_discrepancy.ts";
import { priorNoise } from "../../../core/ops/prior_noise.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { meanDiscrepancy as reference } from "../../reference/mean_discrepancy.ts";
import { centralDifferences } from "../../reference/numeric.ts";
import { assertClose, draw } from "../../support/compare.ts";
import { Bench, families, gpu } from "../../support/gpu.ts";

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

for (const family of families) {
  for (const kernel of MMD_KERNELS) {
    for (const [rows, latents] of [[1, 1], [2, 3], [9, 5], [37, 2], [5, 34]]) {
      Deno.test(`meanDiscrepancy() and its gradient agree with float64: ${kernel}, ${rows} x ${latents}, ${family} tiles`, async () => {
        const z = Float64Array.from(draw(rows * latents, 1));
        const p = Float64Array.from(draw(rows * latents, 2));
        const options = { kernel, bandwidth: 2 * latents };
        using bench = new Bench(rows, { family });
        const [one, other] = [
          bench.input("z", latents, Float32Array.from(z)),
          bench.input("p", latents, Float32Array.from(p)),
        ];
        const mmd = meanDiscrepancy(bench.tape, one, other, options);
        await bench.run([{ name: "mmd", value: mmd, weight: constant(10) }]);
        const value = () => reference(z, p, latents, kernel, 2 * latents);
        assertAlmostEquals(mean(await bench.rows(mmd)), value(), 1e-5);
        for (const [name, sample, values] of [["dz", one, z], ["dp", other, p]] as const) {
          const gradient = centralDifferences(() => 10 * rows * value(), values);
          assertClose(await bench.gradient(sample), gradient, name, { sum: rows, absolute: 1e-4 });
        }
      });
    }
  }
}

for (const kernel of MMD_KERNELS) {
  Deno.test(`the gradient is that of differences, of a batch of 3 with 2 draws each: ${kernel}`, async () => {
    await checkGradients(gpu, (t, { z, p }) => meanDiscrepancy(t, z, p, { kernel, bandwidth: 3 }), {
      z: { rows: 6, columns: 5 },
      p: { rows: 6, columns: 5 },
    }, { batch: 3 });
  });

  Deno.test(`rows that pad the last batch do not count: ${kernel}`, async () => {
    const [valid, latents] = [5, 3];
    const [z, p] = [draw(9 * latents, 1), draw(9 * latents, 2)];
    const part = (values: Float32Array) => values.subarray(0, valid * latents);
    using bench = new Bench(9, { count: valid });
    const drawn = bench.input("z", latents, z);
    const mmd = meanDiscrepancy(bench.tape, drawn, bench.data("p", latents, p), { kernel, bandwidth: 6 });
    await bench.run([{ name: "mmd", value: mmd, weight: constant(1) }]);
    const rows = await bench.rows(mmd);
    assertAlmostEquals(mean(rows.subarray(0, valid)), reference(part(z), part(p), latents, kernel, 6), 1e-5);
    assertEquals([...rows.subarray(valid)], [0, 0, 0, 0]);
    assertEquals([...(await bench.gradient(drawn)).subarray(valid * latents)], new Array(4 * latents).fill(0));
  });

  Deno.test(`two samples of one distribution have a discrepancy of about 0, and of two distributions another: ${kernel}`, async () => {
    const [rows, latents] = [1000, 4];
    const found = async (z: Float32Array) => {
      using bench = new Bench(rows);
      const p = bench.data("p", latents, draw(rows * latents, 2));
      const mmd = meanDiscrepancy(bench.tape, bench.data("z", latents, z), p, { kernel, bandwidth: 2 * latents });
      const { program } = await bench.compile([{ name: "mmd", value: mmd, weight: constant(1) }]);
      await program.submit(1);
      return mean(await bench.rows(mmd));
    };
    // Its deviation is of the order of 1 / rows; the other's discrepancy was found in float64 by the reference.
    assertAlmostEquals(await found(draw(rows * latents, 1)), 0, 3 / rows);
    const shifted = draw(rows * latents, 1).map((value) => value + 0.5);
    const expected = reference(shifted, draw(rows * latents, 2), latents, kernel, 2 * latents);
    assert(expected > 20 / rows);
    assertAlmostEquals(await found(shifted), expected, 1e-5);
  });
}

Deno.test("priorNoise() is standard normal in all columns but the last, which is uniform, and new in each step", async () => {
  const [rows, latents] = [2000, 5];
  using bench = new Bench(rows);
  const noise = priorNoise(bench.tape, rows, latents);
  const { program } = await bench.compile([bench.given(noise, new Float32Array(rows * (latents + 1)))]);
  await program.submit(1);
  const first = await bench.read(noise);
  for (let k = 0; k <= latents; k++) {
    const column = first.filter((_, i) => i % (latents + 1) === k);
    const [expected, variance] = k < latents ? [0, 1] : [0.5, 1 / 12];
    // Four standard errors of a mean and of a variance.
    assertAlmostEquals(mean(column), expected, 4 * Math.sqrt(variance / rows));
    assertAlmostEquals(
      mean(column.map((value) => (value - expected) ** 2)),
      variance,
      4 * variance * Math.sqrt(2 / rows),
    );
    if (k === latents) assert(column.every((value) => value > 0 && value < 1));
  }
  await program.submit(1);
  const second = await bench.read(noise);
  assert(first.every((value, i) => value !== second[i]));
});

Deno.test("meanDiscrepancy() says what does not fit", () => {
  using bench = new Bench(4);
  const [z, p] = [bench.input("z", 3, draw(12, 1)), bench.data("p", 2, draw(8, 1))];
  assertThrows(
    () => meanDiscrepancy(bench.tape, z, p, { kernel: "rbf", bandwidth: 1 }),
    RangeError,
    'Cannot compare "z" with "p": expected two variables of one size and a multiple of 4 rows, found 4 x 3 and 4 x 2',
  );
});
