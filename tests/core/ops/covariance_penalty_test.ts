/** The covariance penalty of DIP-VAE: its values and gradients against float64, what pads a batch, and its minimum. */

import { assertEquals, assertThrows } from "@std/assert";
import { checkGradients } from "../../../core/ops/check_gradients.ts";
import { covariancePenalty } from "../../../core/ops/covariance_penalty.ts";
import { sumValues } from "../../../core/ops/sum_values.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { covariancePenalty as reference } from "../../reference/covariance_penalty.ts";
import { centralDifferences } from "../../reference/numeric.ts";
import { assertClose, draw } from "../../support/compare.ts";
import { Bench, families, gpu } from "../../support/gpu.ts";

for (const family of families) {
  for (const  of of["means", "latents"] as const) {
    for (const [rows, latents] of [[1, 1], [9, 5], [100, 6], [6, 33]]) {
      Deno.test(`covariancePenalty() and its gradient agree with float64: ${of}, ${rows} x ${latents}, ${family} tiles`, async () => {
        const width = 2 * latents;
        const values = Float64Array.from(draw(rows * width, 1));
        const expected = reference(values, width, latents, of);
        using bench = new Bench(rows, { family });
        const statistics = bench.input("statistics", width, Float32Array.from(values));
        const { offDiagonal, diagonal } = covariancePenalty(bench.tape, statistics, latents, of);
        await bench.run([
          { name: "offDiagonal", value: offDiagonal, weight: constant(0.5) },
          { name: "diagonal", value: diagonal, weight: constant(3) },
        ]);
        const all = (value: number) => new Float64Array(rows).fill(value);
        assertClose(await bench.rows(offDiagonal), all(expected.offDiagonal), "off the diagonal");
        assertClose(await bench.rows(diagonal), all(expected.diagonal), "on the diagonal");
        const loss = () => {
          const { offDiagonal, diagonal } = reference(values, width, latents, of);
          return rows * (0.5 * offDiagonal + 3 * diagonal);
        };
        const gradient = centralDifferences(loss, values);
        assertClose(await bench.gradient(statistics), gradient, "gradient", { sum: latents * rows, absolute: 1e-4 });
      });
    }
  }
}

Deno.test("covariancePenalty() takes a posterior of any width by its means, and its gradients are those of differences", async () => {
  const sum = (of: "means" | "latents", latents: number) =>
    checkGradients(gpu, (t, { q }) => {
      const { offDiagonal, diagonal } = covariancePenalty(t, q, latents, of);
      return sumValues(t, "sum", offDiagonal, diagonal);
    }, { q: { rows: 7, columns: of === "means" ? 9 : 2 * latents } });
  await sum("means", 3);
  await sum("latents", 5);
});

Deno.test("covariancePenalty() leaves out the rows that pad the last batch", async () => {
  const [valid, latents] = [5, 3];
  const values = draw(9 * 6, 1, 2);
  const expected = reference(Float64Array.from(values.subarray(0, valid * 6)), 6, latents, "latents");
  using bench = new Bench(9, { count: valid });
  const statistics = bench.input("statistics", 6, values);
  const { offDiagonal, diagonal } = covariancePenalty(bench.tape, statistics, latents, "latents");
  await bench.run([
    { name: "offDiagonal", value: offDiagonal, weight: constant(1) },
    { name: "diagonal", value: diagonal, weight: constant(1) },
  ]);
  for (const name of ["offDiagonal", "diagonal"] as const) {
    const rows = Float64Array.from({ length: 9 }, (_, n) => n < valid ? expected[name] : 0);
    assertClose(await bench.rows({ offDiagonal, diagonal }[name]), rows, name);
  }
  assertEquals([...(await bench.gradient(statistics)).subarray(valid * 6)], new Array(4 * 6).fill(0));
});

Deno.test("covariancePenalty() is 0 where the covariance is the identity", async () => {
  // The corners of a square have covariance I; with variances of ½ those of one half as large.
  const corners = [[1, 1], [1, -1], [-1, 1], [-1, -1]];
  const half = Math.log(0.5);
  const rows = corners.flatMap(([a, b]) => [a * Math.SQRT1_2, b * Math.SQRT1_2, half, half]);
  for (const [of, values] of [["means", corners.flat()], ["latents", rows]] as const) {
    using bench = new Bench(4);
    const statistics = bench.input("statistics", values.length / 4, Float32Array.from(values));
    const { offDiagonal, diagonal } = covariancePenalty(bench.tape, statistics, 2, of);
    await bench.run([
      { name: "offDiagonal", value: offDiagonal, weight: constant(1) },
      { name: "diagonal", value: diagonal, weight: constant(1) },
    ]);
    assertClose(await bench.rows(offDiagonal), new Float64Array(4), of, { absolute: 1e-12 });
    assertClose(await bench.rows(diagonal), new Float64Array(4), of, { absolute: 1e-12 });
    assertClose(await bench.gradient(statistics), new Float64Array(values.length), of, { absolute: 1e-6 });
  }
});

Deno.test("covariancePenalty() says what does not fit", () => {
  using bench = new Bench(4);
  const statistics = bench.input("q", 7, draw(28, 1));
  assertThrows(
    () => covariancePenalty(bench.tape, statistics, 3, "latents"),
    RangeError,
    'Cannot penalize the covariance of "q": expected 4 x 6, found 4 x 7',
  );
});
