/** Probes of representations, and the predictors and components that they are made with, against scikit-learn. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { logisticRegression } from "../../evaluation/logistic_regression.ts";
import { nearestNeighbours } from "../../evaluation/nearest_neighbours.ts";
import { principalComponents } from "../../evaluation/principal_components.ts";
import { probe } from "../../evaluation/probe.ts";
import golden from "../golden/probe.json" with { type: "json" };

const { train, test } = golden;

/** The data of tests/golden/probe.py. */
function data(width: number) {
  const rows = Float64Array.from({ length: (train + test) * width }, (_, i) => {
    const [n, d] = [Math.floor(i / width), i % width];
    return Math.sin(0.7 * n * (1 + d % 7) + d) + 0.5 * Math.cos(1.3 * n + 0.1 * d * d);
  });
  const factors = Float64Array.from({ length: 2 * (train + test) }, (_, i) => {
    const n = Math.floor(i / 2);
    return i % 2 === 0 ? rows[n * width] + 0.3 * Math.sin(5 * n) : Math.sin(0.7 * n) * rows[n * width + 1];
  });
  const labels = Array.from(
    { length: train + test },
    (_, n) => factors[2 * n] > 0.4 ? 2 : factors[2 * n + 1] > 0 ? 1 : 0,
  );
  return { rows, factors, labels };
}

for (const { width, ...expected } of golden.sets) {
  const { rows, factors, labels } = data(width);
  const learned = rows.subarray(0, train * width);
  const tested = rows.subarray(train * width);

  Deno.test(`probe() gives scikit-learn's accuracies and R²: ${train} rows of ${width}`, () => {
    const found = probe(
      { rows: learned, labels: labels.slice(0, train), factors: factors.subarray(0, 2 * train), count: train },
      { rows: tested, labels: labels.slice(train), factors: factors.subarray(2 * train), count: test },
    );
    assertEquals(found.label, { logistic: expected.logistic, neighbours: expected.neighbours });
    found.factors!.forEach(({ ridge, neighbours }, c) => {
      assertAlmostEquals(ridge, expected.ridge[c], 1e-10);
      assertAlmostEquals(neighbours, expected.neighbourMeans[c], 1e-10);
    });
  });

  Deno.test(`logisticRegression() gives scikit-learn's log-probabilities: ${train} rows of ${width}`, () => {
    const mean = Float64Array.from({ length: width }, (_, d) => {
      let sum = 0;
      for (let n = 0; n < train; n++) sum += rows[n * width + d];
      return sum / train;
    });
    const variance = learned.reduce((sum, value, i) => sum + (value - mean[i % width]) ** 2, 0) / learned.length;
    const scaled = rows.map((value, i) => (value - mean[i % width]) / Math.sqrt(variance));
    const fitted = logisticRegression(scaled.subarray(0, train * width), labels.slice(0, train), 3, {
      tolerance: 1e-11,
    });
    const found = fitted.logProbabilities(scaled.subarray(train * width, (train + 3) * width));
    found.forEach((value, i) => assertAlmostEquals(value, expected.logProbabilities[i], 5e-6));
  });

  Deno.test(`nearestNeighbours() are scikit-learn's, in their order: ${train} rows of ${width}`, () => {
    assertEquals([...nearestNeighbours(learned, tested.subarray(0, 3 * width), width, 5)], expected.nearest);
  });

  Deno.test(`principalComponents() are scikit-learn's: ${train} rows of ${width}`, () => {
    const { variances, vectors, project } = principalComponents(learned, width, 4);
    variances.forEach((value, k) => assertAlmostEquals(value, expected.variances[k], 1e-8 * expected.variances[0]));
    // The sign of a component is no matter.
    project(tested.subarray(0, 2 * width)).forEach((value, i) =>
      assertAlmostEquals(Math.abs(value), expected.coordinates[i], 1e-4)
    );
    const product = (a: number, b: number) =>
      vectors.subarray(a * width, (a + 1) * width).reduce((sum, value, d) => sum + value * vectors[b * width + d], 0);
    for (const [a, b] of [[0, 0], [1, 1], [0, 1], [2, 3]]) assertAlmostEquals(product(a, b), a === b ? 1 : 0, 1e-12);
  });
}

Deno.test("principalComponents() beyond the rank of the rows are 0", () => {
  const rows = Float64Array.from({ length: 30 }, (_, i) => (Math.floor(i / 3) % 5) * (1 + i % 3));
  const { variances, project } = principalComponents(rows, 3, 3);
  assertAlmostEquals(variances[0], 2 * (1 + 4 + 9), 1e-9);
  assert(variances[1] < 1e-9 && variances[2] < 1e-9);
  assert(project(rows).every((value, i) => i % 3 === 0 || Math.abs(value) < 1e-9));
});

Deno.test("nearestNeighbours() of equal distance come in the order of the rows; more than there are is refused", () => {
  const rows = Float64Array.of(1, 0, -1, 0, 0, 1, 0, 0);
  assertEquals([...nearestNeighbours(rows, Float64Array.of(0, 0), 2, 4)], [3, 0, 1, 2]);
  assertThrows(() => nearestNeighbours(rows, rows, 2, 5), RangeError, "expected 1 to 4 of them, found 5");
});

Deno.test("probe() predicts what rows hold, and no more than chance what they do not", () => {
  const { rows, factors, labels } = data(6);
  const without = rows.map((_, i) => Math.sin(i * i));
  const of = (rows: Float64Array) =>
    probe(
      {
        rows: rows.subarray(0, train * 6),
        labels: labels.slice(0, train),
        factors: factors.subarray(0, 2 * train),
        count: train,
      },
      {
        rows: rows.subarray(train * 6),
        labels: labels.slice(train),
        factors: factors.subarray(2 * train),
        count: test,
      },
    );
  const [with6, none] = [of(rows), of(without)];
  assert(with6.label!.logistic > none.label!.logistic + 0.2);
  assert(with6.factors![0].ridge > 0.9 && none.factors![0].ridge < 0.1);
});
