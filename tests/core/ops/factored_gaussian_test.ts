/** A Gaussian with factors: its density and gradients against float64, with what is missing; moments of draws; quantiles. */

import { assertAlmostEquals, assertThrows } from "@std/assert";
import {
  type FactoredGaussian,
  factoredGaussianNll,
  factoredGaussianQuantile,
  factoredGaussianSample,
} from "../../../core/ops/factored_gaussian.ts";
import { constant } from "../../../core/graph/schedule.ts";
import type { Variable } from "../../../core/graph/tape.ts";
import { covarianceOf, gaussianNll } from "../../reference/factored_gaussian.ts";
import { centralDifferences } from "../../reference/numeric.ts";
import { assertClose, draw } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

/** Bounds so far away that the log-variance is what is given. */
const FREE = { start: -0.5, lower: -60, upper: 60, factor: 0.7 };

const of = (location: Variable, scale: Variable, factors: Variable): FactoredGaussian => ({
  ...{ location, scale, factors },
  ...FREE,
});

for (const family of families) {
  for (const [rows, features, rank, repeats] of [[1, 1, 1, 1], [5, 3, 3, 1], [2, 33, 2, 2], [9, 6, 6, 1]]) {
    for (const missing of [false, true]) {
      Deno.test(`factoredGaussianNll() and its gradients agree with float64: ${rows} x ${features}, rank ${rank}${missing ? ", values missing" : ""}, ${family} tiles`, async () => {
        const all = rows * repeats;
        const [x, location] = [draw(rows * features, 1), Float64Array.from(draw(all * features, 2))];
        const scale = Float64Array.from(draw(all * features, 3));
        const factors = Float64Array.from(draw(all * features * rank, 4));
        const seen = Float32Array.from(x, (_, i) => missing && i % 3 === 1 ? 0 : 1);
        using bench = new Bench(rows, { family });
        const [mean, logs, matrix] = ([["μ", location, 1], ["s", scale, 1], ["W", factors, rank]] as const).map((
          [name, values, each],
        ) => bench.input(name, features * each, Float32Array.from(values)));
        const observed = missing ? bench.data("observed", features, seen) : undefined;
        const nll = factoredGaussianNll(bench.tape, of(mean, logs, matrix), bench.data("x", features, x), observed);
        await bench.run([{ name: "nll", value: nll, weight: constant(0.5) }]);
        const each = (n: number) => {
          const first = Math.floor(n / repeats) * features;
          const apart = Array.from({ length: features }, (_, d) => x[first + d] - location[n * features + d]);
          const own = (values: Float64Array, width: number) => values.subarray(n * width, (n + 1) * width);
          const covariance = covarianceOf(
            own(scale, features).map((value) => FREE.start + value),
            own(factors, features * rank).map((value) => FREE.factor * value),
          );
          return gaussianNll(apart, covariance, apart.map((_, d) => seen[first + d] > 0));
        };
        const found = await bench.rows(nll);
        if (repeats === 1) {
          assertClose(found, Float64Array.from({ length: rows }, (_, n) => each(n)), "nll", { sum: 40 });
        }
        for (const [variable, values] of [[mean, location], [logs, scale], [matrix, factors]] as const) {
          const width = values.length / all;
          // Of several draws for a datum the loss is the mean.
          const gradient = Array.from(
            { length: all },
            (_, n) => centralDifferences(() => 0.5 * each(n) / repeats, values.subarray(n * width, (n + 1) * width)),
          ).flatMap((row) => [...row]);
          assertClose(await bench.gradient(variable), gradient, variable.name, { sum: 40, absolute: 1e-4 });
        }
      });
    }
  }
}

Deno.test("draws have the mean and the covariance, and quantiles its diagonal", async () => {
  const [rows, features, rank] = [40_000, 3, 2];
  const [location, scale, factors] = [draw(features, 1), draw(features, 2), draw(features * rank, 3)];
  using bench = new Bench(rows);
  const repeated = (name: string, values: Float32Array) =>
    bench.data(
      name,
      values.length,
      Float32Array.from({ length: rows * values.length }, (_, i) => values[i % values.length]),
    );
  const gaussian = of(repeated("μ", location), repeated("s", scale), repeated("W", factors));
  const [drawn, above] = [
    factoredGaussianSample(bench.tape, gaussian),
    factoredGaussianQuantile(bench.tape, gaussian, 2),
  ];
  const none = new Float32Array(rows * features);
  const { program } = await bench.compile([bench.given(drawn, none), bench.given(above, none)]);
  await program.submit(1);
  const [values, quantiles] = [await bench.read(drawn), await bench.read(above)];
  const covariance = covarianceOf(
    scale.map((value) => FREE.start + value),
    factors.map((value) => FREE.factor * value),
  );
  for (let i = 0; i < features; i++) {
    const mean = (j: number, of: (a: number, b: number) => number) => {
      let sum = 0;
      for (let n = 0; n < rows; n++) {
        sum += of(values[n * features + i] - location[i], values[n * features + j] - location[j]);
      }
      return sum / rows;
    };
    const variance = covariance[i * features + i];
    // Four standard errors.
    assertAlmostEquals(mean(i, (a) => a), 0, 4 * Math.sqrt(variance / rows));
    for (let j = 0; j <= i; j++) {
      const between = covariance[i * features + j];
      const error = Math.sqrt((variance * covariance[j * features + j] + between ** 2) / rows);
      assertAlmostEquals(mean(j, (a, b) => a * b), between, 4 * error);
    }
    assertAlmostEquals(quantiles[i], location[i] + 2 * Math.sqrt(variance), 1e-5);
  }
});

Deno.test("the density integrates to 1", async () => {
  const [side, step] = [81, 0.15];
  const rows = side * side;
  const x = Float32Array.from(
    { length: 2 * rows },
    (_, i) => ((i % 2 ? Math.floor(i / 2 / side) : Math.floor(i / 2) % side) - (side - 1) / 2) * step,
  );
  using bench = new Bench(rows);
  const same = (name: string, values: readonly number[]) =>
    bench.data(
      name,
      values.length,
      Float32Array.from({ length: rows * values.length }, (_, i) => values[i % values.length]),
    );
  const gaussian = of(same("μ", [0.3, -0.2]), same("s", [0.4, -0.6]), same("W", [0.9, 0.2, 0.8, -1.1]));
  const nll = factoredGaussianNll(bench.tape, gaussian, bench.data("x", 2, x));
  const { program } = await bench.compile([{ name: "nll", value: nll, weight: constant(1) }]);
  await program.submit(1);
  const total = (await bench.rows(nll)).reduce((sum, value) => sum + Math.exp(-value) * step * step, 0);
  assertAlmostEquals(total, 1, 1e-3);
});

Deno.test("factoredGaussianNll() says what does not fit", () => {
  using bench = new Bench(4);
  const [three, two] = [bench.data("μ", 3, draw(12, 1)), bench.data("s", 2, draw(8, 1))];
  assertThrows(
    () => factoredGaussianNll(bench.tape, of(three, two, three), three),
    RangeError,
    'Cannot compare "μ" with "μ": expected rows of 3 values, 4 x 3 scales and 3 or more factors a row, found rows of 3, 4 x 2 and 4 x 3',
  );
});
