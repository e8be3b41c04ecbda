/** The mixture of discretized logistics: probabilities that sum to 1, its gradients against float64, its draws and its mean. */

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { DISCRETIZED_LOGISTIC } from "../../../core/ops/families.ts";
import { likelihoodNll } from "../../../core/ops/likelihood.ts";
import {
  logisticMixtureMean,
  logisticMixtureNll,
  logisticMixtureSample,
  mixtureColumns,
} from "../../../core/ops/logistic_mixture.ts";
import { uniforms } from "../../../core/graph/random.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { componentsOf, mixtureNll } from "../../reference/logistic_mixture.ts";
import { likelihoods } from "../../reference/likelihoods.ts";
import { centralDifferences } from "../../reference/numeric.ts";
import { assertClose, draw, float64, repeated } from "../../support/compare.ts";
import { Bench } from "../../support/gpu.ts";

const bounds = { start: -2, lower: -7, upper: 5 };
/** Bytes, with many at both ends. */
const bytes = (count: number) =>
  Uint8Array.from(uniforms(new Float32Array(count), 9, 0, 100), (u) => Math.min(255, Math.max(0, 400 * u - 72)));

const shapes = [
  { components: 1, channels: 1, autoregressive: true },
  { components: 3, channels: 1, autoregressive: false, masked: true },
  { components: 5, channels: 3, autoregressive: true, repeats: 2 },
  { components: 2, channels: 3, autoregressive: false, masked: true },
  { components: 10, channels: 2, autoregressive: true },
] as const;

for (const each of shapes) {
  Deno.test(`logisticMixtureNll() and its gradients agree with float64: ${JSON.stringify(each)}`, async () => {
    const { masked, repeats, ...shape } = { masked: false, repeats: 1, ...each };
    const [rows, pixels] = [4, 9];
    const [width, { channels }] = [mixtureColumns(shape), shape];
    const [location, mixture] = [
      draw(rows * pixels * channels, 1, 0.4).map((value) => value + 0.5),
      draw(rows * pixels * width, 2),
    ];
    const x = bytes(rows / repeats * pixels * channels);
    const mask = Float32Array.from(x, (_, i) => masked && i % 3 === 0 ? 0 : 1);
    using bench = new Bench(rows);
    const [a, b] = [
      bench.input("location", pixels * channels, location),
      bench.input("mixture", pixels * width, mixture),
    ];
    const observed = masked ? bench.data("observed", pixels * channels, mask) : undefined;
    const given = { location: a, mixture: b, ...shape, ...bounds };
    const nll = logisticMixtureNll(bench.tape, given, bench.data("x", pixels * channels, x), observed);
    await bench.run([{ name: "nll", value: nll, weight: constant(0.5) }]);
    const [exactLocation, exactMixture] = [location, mixture].map(float64);
    const exact = (n: number) =>
      Array.from({ length: pixels }, (_, i) => {
        const at = (Math.floor(n / repeats) * pixels + i) * channels;
        return mixtureNll(
          exactLocation.subarray((n * pixels + i) * channels, (n * pixels + i + 1) * channels),
          exactMixture.subarray((n * pixels + i) * width, (n * pixels + i + 1) * width),
          Array.from(x.subarray(at, at + channels), (value) => value / 255),
          { ...shape, ...bounds },
          mask.subarray(at, at + channels),
        );
      }).reduce((sum, value) => sum + value);
    const values = () => Array.from({ length: rows }, (_, n) => exact(n));
    assertClose(await bench.rows(nll), values(), "nll", { sum: pixels * channels, relative: 1e-5 });
    // A row's loss depends on its own numbers alone.
    const slopes = (all: Float64Array, columns: number) =>
      values().flatMap((_, n) => [
        ...centralDifferences(() => 0.5 * exact(n), all.subarray(n * columns, (n + 1) * columns)),
      ]);
    const tolerance = { absolute: 2e-4, relative: 1e-3 };
    assertClose(await bench.gradient(a), slopes(exactLocation, pixels * channels), "dlocation", tolerance);
    assertClose(await bench.gradient(b), slopes(exactMixture, pixels * width), "dmixture", tolerance);
  });
}

Deno.test("the mixture of one component is the discretized logistic, and others sum to 1 over the values of a byte", async () => {
  const [location, scale, x] = [draw(7 * 12, 1, 0.5), draw(7 * 12, 2), bytes(7 * 12)];
  using bench = new Bench(7);
  const data = bench.data("x", 12, x);
  const inputs = () => ({ location: bench.input("location", 12, location), mixture: bench.input("scale", 12, scale) });
  const [one, other] = [inputs(), inputs()];
  const single = { components: 1, channels: 3, autoregressive: false, ...bounds };
  const found = logisticMixtureNll(bench.tape, { ...one, ...single }, data);
  const expected = likelihoodNll(bench.tape, {
    ...{ family: DISCRETIZED_LOGISTIC, location: other.location, scale: { variable: other.mixture, ...bounds } },
  }, data);
  await bench.run([found, expected].map((value, i) => ({ name: `nll${i}`, value, weight: constant(1) })));
  assertClose(await bench.rows(found), await bench.rows(expected), "nll", { relative: 1e-6 });
  for (const name of ["location", "mixture"] as const) {
    assertClose(await bench.gradient(one[name]), await bench.gradient(other[name]), name, { relative: 1e-5 });
  }
  // The last channel at each of its values, the first two as they are: Σ p(a, b, x) = p(a, b), of which no value is missing.
  const shape = { components: 4, channels: 2, autoregressive: true } as const;
  const width = mixtureColumns(shape);
  for (const first of [0, 77, 255]) {
    using all = new Bench(256);
    const [locations, numbers] = [[0.3, 0.6], [...draw(width, 5)]];
    const given = {
      location: all.input("location", 2, repeated(locations, 256)),
      mixture: all.input("mixture", width, repeated(numbers, 256)),
    };
    const values = Uint8Array.from({ length: 512 }, (_, i) => i % 2 ? i >> 1 : first);
    const nll = logisticMixtureNll(all.tape, { ...given, ...shape, ...bounds }, all.data("x", 2, values));
    await all.run([{ name: "nll", value: nll, weight: constant(1) }]);
    const total = (await all.rows(nll)).reduce((sum, value) => sum + Math.exp(-value), 0);
    const x = [first / 255, 0];
    const marginal = Math.exp(-mixtureNll(locations, numbers, x, { ...shape, ...bounds }, [1, 0]));
    assertAlmostEquals(total / marginal, 1, 1e-5);
  }
});

Deno.test("draws of a mixture have its moments, channel by channel, and its mean is theirs where channels do not follow", async () => {
  const rows = 20_000;
  for (const autoregressive of [false, true]) {
    const shape = { components: 3, channels: 2, autoregressive } as const;
    const width = mixtureColumns(shape);
    const [locations, numbers] = [[0.4, 0.55], [...draw(width, 8)]];
    using bench = new Bench(rows);
    const given = {
      location: bench.data("location", 2, repeated(locations, rows)),
      mixture: bench.data("mixture", width, repeated(numbers, rows)),
      ...{ ...shape, ...bounds },
    };
    const [sample, mean] = [logisticMixtureSample(bench.tape, given), logisticMixtureMean(bench.tape, given)];
    const { program } = await bench.compile([]);
    await program.submit(1);
    const [x, means] = [await bench.read(sample), await bench.read(mean)];
    const average = (of: (a: number, b: number) => number) => {
      let [sum, squares] = [0, 0];
      for (let n = 0; n < rows; n++) {
        const value = of(x[2 * n], x[2 * n + 1]);
        sum += value / rows;
        squares += value * value / rows;
      }
      return { mean: sum, error: 5 * Math.sqrt((squares - sum * sum) / rows) };
    };
    // Over every pair of values, by the first channel's probabilities and the second's mean.
    const { nll, mean: meanOf } = likelihoods["discretized logistic"];
    const exact = { a: 0, b: 0, ab: 0 };
    for (let k = 0; k < 256; k++) {
      for (
        const { log, channels: [first, second] } of componentsOf(locations, numbers, [k / 255], { ...shape, ...bounds })
      ) {
        const p = Math.exp(log - nll(first.location, first.scale, k / 255));
        const then = meanOf(second.location, second.scale);
        exact.a += p * k / 255;
        exact.b += p * then;
        exact.ab += p * then * k / 255;
      }
    }
    for (
      const [name, of] of Object.entries({
        a: (a: number) => a,
        b: (_: number, b: number) => b,
        ab: (a: number, b: number) => a * b,
      })
    ) {
      const { mean, error } = average(of);
      assertAlmostEquals(mean, exact[name as keyof typeof exact], error, name);
    }
    assertAlmostEquals(means[0], exact.a, 1e-4);
    assertAlmostEquals(means[1], exact.b, autoregressive ? 0.02 : 1e-4);
    assertEquals(x.every((value) => Math.abs(255 * value - Math.round(255 * value)) < 1e-4), true);
  }
});

Deno.test("a mixture refuses numbers that do not fit, and what is missing of channels that follow from each other", () => {
  using bench = new Bench(2);
  const shape = { components: 2, channels: 3, autoregressive: true } as const;
  const [location, x] = [bench.data("location", 6, new Float32Array(12)), bench.data("x", 6, new Uint8Array(12))];
  const given = (columns: number) => ({
    ...{ location, mixture: bench.data("mixture", columns, new Float32Array(2 * columns)), ...shape, ...bounds },
  });
  const message = 'Cannot compare "location" and "mixture" with "x": expected 2 x 32 numbers of a mixture';
  assertThrows(() => logisticMixtureNll(bench.tape, given(30), x), RangeError, message);
  const missing = "Cannot leave out what is missing: expected channels that do not follow from each other";
  assertThrows(() => logisticMixtureNll(bench.tape, given(32), x, x), TypeError, missing);
});
