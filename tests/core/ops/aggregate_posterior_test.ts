/** The divergence taken apart by q(z): values and gradients against float64, sums and extremes that are known, what pads a batch. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { AGGREGATE_ESTIMATORS, decomposeDivergence } from "../../../core/ops/aggregate_posterior.ts";
import { checkGradients } from "../../../core/ops/check_gradients.ts";
import { reparameterize } from "../../../core/ops/reparameterize.ts";
import { sumValues } from "../../../core/ops/sum_values.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { decomposeDivergence as reference } from "../../reference/aggregate_posterior.ts";
import { centralDifferences } from "../../reference/numeric.ts";
import { assertClose, draw } from "../../support/compare.ts";
import { Bench, families, gpu } from "../../support/gpu.ts";

const WEIGHTS = [0.5, 2, -1] as const;
const NAMES = ["mutualInformation", "totalCorrelation", "dimensionWiseKl"] as const;

/** What is recorded, as terms. */
const termsOf = (parts: ReturnType<typeof decomposeDivergence>) =>
  NAMES.map((name, i) => ({ name, value: parts[name], weight: constant(WEIGHTS[i]) }));

for (const family of families) {
  for (const estimator of AGGREGATE_ESTIMATORS) {
    for (const [rows, latents, count] of [[1, 1, 1], [2, 3, 7], [9, 5, 400], [33, 2, 60_000], [5, 34, 5]]) {
      Deno.test(`decomposeDivergence() and its gradients agree with float64: ${estimator}, ${rows} x ${latents} of ${count}, ${family} tiles`, async () => {
        const z = Float64Array.from(draw(rows * latents, 1));
        const statistics = Float64Array.from(draw(rows * 2 * latents, 2));
        const parts = () => reference({ z, statistics, latents, count, estimator });
        // In a shuffled order, so that a count beyond the batch leaves every row valid.
        using bench = new Bench(rows, { family, count, shuffle: true });
        const [drawn, posteriors] = [
          bench.input("z", latents, Float32Array.from(z)),
          bench.input("statistics", 2 * latents, Float32Array.from(statistics)),
        ];
        const decomposed = decomposeDivergence(bench.tape, drawn, posteriors, estimator);
        await bench.run(termsOf(decomposed));
        for (const [i, name] of NAMES.entries()) {
          const expected = parts().map((each) => each[i]);
          assertClose(await bench.rows(decomposed[name]), expected, name, { sum: 4 * latents });
        }
        const loss = () => parts().reduce((sum, each) => sum + each.reduce((a, b, i) => a + b * WEIGHTS[i], 0), 0);
        const options = { sum: rows * latents, absolute: 1e-4, relative: 1e-3 };
        assertClose(await bench.gradient(drawn), centralDifferences(loss, z), "dz", options);
        assertClose(await bench.gradient(posteriors), centralDifferences(loss, statistics), "dstatistics", options);
      });
    }
  }
}

for (const estimator of AGGREGATE_ESTIMATORS) {
  Deno.test(`the gradients through draws are those of differences: ${estimator}, 5 data with 3 draws`, async () => {
    await checkGradients(gpu, (t, { q }) => {
      const { z } = reparameterize(t, q, { samples: 3 });
      const { mutualInformation, totalCorrelation } = decomposeDivergence(t, z, q, estimator);
      return sumValues(t, "sum", mutualInformation, totalCorrelation);
    }, { q: { rows: 5, columns: 6 } });
  });

  Deno.test(`the three parts sum to the divergence of the draw: ${estimator}`, async () => {
    using bench = new Bench(21, { count: 100, shuffle: true });
    const q = bench.input("q", 8, draw(21 * 8, 3));
    const { z, kl } = reparameterize(bench.tape, q, { divergence: "sampled" });
    const parts = decomposeDivergence(bench.tape, z, q, estimator);
    await bench.run([...termsOf(parts), { name: "kl", value: kl, weight: constant(1) }]);
    const [a, b, c] = await Promise.all(NAMES.map((name) => bench.rows(parts[name])));
    assertClose(a.map((value, n) => value + b[n] + c[n]), await bench.rows(kl), "kl", { absolute: 1e-4 });
  });

  Deno.test(`rows that pad the last batch do not count: ${estimator}`, async () => {
    const [valid, latents, width] = [5, 3, 6];
    const [z, statistics] = [draw(9 * latents, 1), draw(9 * width, 2)];
    const count = 14;
    const expected = reference({
      z: z.subarray(0, valid * latents),
      statistics: statistics.subarray(0, valid * width),
      ...{ latents, count, estimator },
    });
    // The second batch of 9 of 14 rows.
    using bench = new Bench(9, { count, step: 1 });
    const [drawn, posteriors] = [bench.input("z", latents, z), bench.input("statistics", width, statistics)];
    const parts = decomposeDivergence(bench.tape, drawn, posteriors, estimator);
    await bench.run(termsOf(parts));
    for (const [i, name] of NAMES.entries()) {
      const rows = Float64Array.from({ length: 9 }, (_, n) => n < valid ? expected[n][i] : 0);
      assertClose(await bench.rows(parts[name]), rows, name, { absolute: 1e-4 });
    }
    assertEquals([...(await bench.gradient(drawn)).subarray(valid * latents)], new Array(4 * latents).fill(0));
    assertEquals([...(await bench.gradient(posteriors)).subarray(valid * width)], new Array(4 * width).fill(0));
  });
}

/** The mean of the total correlation of draws from posteriors N(μ, 1/16), their means given. */
async function totalCorrelationOf(
  means: readonly (readonly number[])[],
  estimator: typeof AGGREGATE_ESTIMATORS[number],
) {
  const rows = means.length;
  const statistics = Float32Array.from(means.flatMap((mean) => [...mean, ...mean.map(() => -Math.log(16))]));
  using bench = new Bench(rows);
  const q = bench.input("q", statistics.length / rows, statistics);
  const { z } = reparameterize(bench.tape, q);
  const parts = decomposeDivergence(bench.tape, z, q, estimator);
  await bench.run(termsOf(parts));
  return (await bench.rows(parts.totalCorrelation)).reduce((sum, value) => sum + value / rows, 0);
}

Deno.test("the total correlation is 0 where q(z) is factorized, and is not where its latents are equal", async () => {
  const side = 16;
  // All pairs of positions: q(z) = q(z_1) q(z_2), of which the whole dataset leaves no error.
  const grid = Array.from({ length: side * side }, (_, n) => [n % side, Math.floor(n / side)].map((i) => i / 4 - 2));
  const line = Array.from({ length: side * side }, (_, n) => [n, n].map((i) => i / 64 - 2));
  const shift = Math.log(side * side);
  assertAlmostEquals(await totalCorrelationOf(grid, "weighted"), shift, 1e-4);
  // A batch that is the whole dataset leaves one neighbour of each draw nearly out.
  assertAlmostEquals(await totalCorrelationOf(grid, "stratified"), 0, 0.1);
  for (const [estimator, least] of [["weighted", shift + 1], ["stratified", 1]] as const) {
    const found = await totalCorrelationOf(line, estimator);
    assert(found > least, `${found}`);
  }
});

Deno.test("stratified sampling estimates q(z) without bias, and weighted sampling too low", () => {
  // By the reference, which the op agrees with: the mean of the estimate over batches that complete one datum by others at random.
  const [count, batch, rounds] = [40, 8, 2000];
  const all = draw(count * 2, 4);
  const z = all[0] + 0.3;
  const densityOf = (i: number) =>
    Math.exp(-0.5 * (all[2 * i + 1] + (z - all[2 * i]) ** 2 / Math.exp(all[2 * i + 1]))) / Math.sqrt(2 * Math.PI);
  const exact = Array.from({ length: count }, (_, i) => densityOf(i) / count).reduce((a, b) => a + b, 0);
  for (const estimator of AGGREGATE_ESTIMATORS) {
    const estimates = Array.from({ length: rounds }, (_, round) => {
      const noise = draw(count, 100 + round);
      const others = Array.from({ length: count - 1 }, (_, i) => i + 1).sort((a, b) => noise[a] - noise[b]);
      const rows = [0, ...others.slice(0, batch - 1)];
      const [[information]] = reference({
        z: new Array(batch).fill(z),
        statistics: rows.flatMap((i) => [all[2 * i], all[2 * i + 1]]),
        ...{ latents: 1, count, estimator },
      });
      return densityOf(0) / Math.exp(information);
    });
    const mean = estimates.reduce((sum, value) => sum + value, 0) / rounds;
    const deviation = Math.sqrt(estimates.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rounds / rounds);
    if (estimator === "stratified") assertAlmostEquals(mean, exact, 4 * deviation);
    else assert(mean < exact / 2, `${mean}`);
  }
});

Deno.test("decomposeDivergence() says what does not fit", () => {
  using bench = new Bench(4);
  const [z, q] = [bench.input("z", 3, draw(12, 1)), bench.input("q", 7, draw(28, 1))];
  assertThrows(
    () => decomposeDivergence(bench.tape, z, q, "weighted"),
    RangeError,
    'Cannot decompose the divergence of "q": expected 4 x 6, and a multiple of 4 draws, found 4 x 7 and 4',
  );
});
