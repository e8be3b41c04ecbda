/** Sums over columns, slices and joined matrices, against float64 and by differences, on ragged widths; values as columns and back. */

import { assertEquals, assertThrows } from "@std/assert";
import { absoluteDifference } from "../../../core/ops/absolute_difference.ts";
import { add } from "../../../core/ops/add.ts";
import { exp, multiply, square } from "../../../core/ops/arithmetic.ts";
import { bernoulliNll } from "../../../core/ops/bernoulli_nll.ts";
import { checkGradients } from "../../../core/ops/check_gradients.ts";
import { columns as slice } from "../../../core/ops/columns.ts";
import { concat } from "../../../core/ops/concat.ts";
import { dense } from "../../../core/ops/dense.ts";
import { importanceBound } from "../../../core/ops/importance.ts";
import { reparameterize } from "../../../core/ops/reparameterize.ts";
import { columnOf, meanColumns, repeatColumn, sumColumns, valuesOf } from "../../../core/ops/sum.ts";
import { sumValues } from "../../../core/ops/sum_values.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { assertClose, draw } from "../../support/compare.ts";
import { Bench, families, gpu } from "../../support/gpu.ts";

/** Row sums in float64. */
const sums = (x: Float32Array, columns: number) =>
  Array.from({ length: x.length / columns }, (_, n) => {
    let sum = 0;
    for (let d = 0; d < columns; d++) sum += x[n * columns + d];
    return sum;
  });
/** The number of each row in all of its columns. */
const spread = (x: ArrayLike<number>, columns: number) =>
  Float32Array.from({ length: x.length * columns }, (_, i) => x[Math.floor(i / columns)]);

for (const family of families) {
  for (const [rows, columns] of [[1, 1], [5, 37], [33, 64], [9, 3]]) {
    const size = `${rows} x ${columns}, ${family} tiles`;
    Deno.test(`sumColumns() and meanColumns() agree with float64, and so do their gradients: ${size}`, async () => {
      for (const [op, factor] of [[sumColumns, 1], [meanColumns, 1 / columns]] as const) {
        using bench = new Bench(rows, { family });
        const [x, upstream] = [draw(rows * columns, 1), draw(rows, 2)];
        const input = bench.input("x", columns, x);
        const y = op(bench.tape, input);
        assertEquals([y.rows, y.columns], [rows, 1]);
        await bench.run([bench.given(y, upstream)]);
        assertClose(await bench.read(y), sums(x, columns).map((sum) => factor * sum), "y", {
          sum: columns,
          absolute: 1e-6,
        });
        assertClose(await bench.gradient(input), spread(upstream, columns).map((g) => factor * g), "dx", {
          absolute: 1e-7,
        });
      }
    });

    Deno.test(`repeatColumn() repeats, and sums its gradient: ${size}`, async () => {
      using bench = new Bench(rows, { family });
      const [x, upstream] = [draw(rows, 1), draw(rows * columns, 2)];
      const input = bench.input("x", 1, x);
      const y = repeatColumn(bench.tape, input, columns);
      await bench.run([bench.given(y, upstream)]);
      assertEquals(await bench.read(y), spread(x, columns));
      assertClose(await bench.gradient(input), sums(upstream, columns), "dx", { sum: columns, absolute: 1e-6 });
      const stored = await bench.stored(y);
      assertEquals(stored.filter((value) => value !== 0).length, rows * columns, "the padding of y");
    });

    Deno.test(`valuesOf() is a term of a loss, whose weight is its gradient: ${size}`, async () => {
      using bench = new Bench(rows, { family });
      const x = draw(rows * columns, 1);
      const input = bench.input("x", columns, x);
      const value = valuesOf(bench.tape, "sum", input);
      const [terms] = await bench.run([{ name: "sum", value, weight: constant(0.75) }]);
      const expected = sums(x, columns);
      assertClose(await bench.rows(value), expected, "values", { sum: columns, absolute: 1e-6 });
      assertClose(terms, [expected.reduce((all, each) => all + each)], "the term", {
        sum: rows * columns,
        absolute: 1e-6,
      });
      assertEquals(await bench.gradient(input), new Float32Array(rows * columns).fill(0.75));
    });
  }

  for (const [columns, first, count] of [[1, 0, 1], [37, 0, 37], [37, 3, 5], [37, 30, 7], [70, 33, 2], [70, 5, 64]]) {
    Deno.test(`columns() ${first} to ${first + count} of ${columns}, and its gradient, ${family} tiles`, async () => {
      using bench = new Bench(5, { family });
      const [x, upstream] = [draw(5 * columns, 1), draw(5 * count, 2)];
      const input = bench.input("x", columns, x);
      const y = slice(bench.tape, input, first, count);
      await bench.run([bench.given(y, upstream)]);
      const inside = (i: number) => i % columns >= first && i % columns < first + count;
      assertEquals(await bench.read(y), x.filter((_, i) => inside(i)));
      const place = (i: number) => Math.floor(i / columns) * count + i % columns - first;
      assertEquals(await bench.gradient(input), x.map((_, i) => inside(i) ? upstream[place(i)] : 0));
    });
  }

  Deno.test(`concat() of ragged widths, one part for several rows, and its gradients, ${family} tiles`, async () => {
    const widths = [3, 37, 1];
    using bench = new Bench(2, { family });
    const parts = [draw(6 * 3, 1), draw(2 * 37, 2), draw(6, 3)];
    const inputs = parts.map((values, i) => bench.input(`part ${i}`, widths[i], values));
    const y = concat(bench.tape, inputs);
    assertEquals([y.rows, y.columns], [6, 41]);
    const upstream = draw(6 * 41, 4);
    await bench.run([bench.given(y, upstream)]);
    const row = (part: number, n: number) => {
      const from = (part === 1 ? Math.floor(n / 3) : n) * widths[part];
      return [...parts[part].subarray(from, from + widths[part])];
    };
    const expected = Array.from({ length: 6 }, (_, n) => [0, 1, 2].flatMap((part) => row(part, n))).flat();
    assertEquals(await bench.read(y), Float32Array.from(expected));
    const gradient = (first: number, width: number, repeats: number) =>
      Array.from({ length: 6 / repeats * width }, (_, i) => {
        let sum = 0;
        for (let l = 0; l < repeats; l++) {
          sum += upstream[(Math.floor(i / width) * repeats + l) * 41 + first + i % width];
        }
        return sum;
      });
    assertClose(await bench.gradient(inputs[0]), gradient(0, 3, 1), "the first", { absolute: 0, relative: 0 });
    assertClose(await bench.gradient(inputs[1]), gradient(3, 37, 3), "the repeated", { absolute: 1e-6 });
    assertClose(await bench.gradient(inputs[2]), gradient(40, 1, 1), "the last", { absolute: 0, relative: 0 });
  });

  Deno.test(`slices, joined in another order, and sums of them have the gradients of differences, ${family} tiles`, async () => {
    await checkGradients(
      gpu,
      (t, { x, s }) => {
        const [left, right] = [slice(t, x, 0, 5), slice(t, x, 5, 6)];
        const joined = concat(t, [exp(t, right), left, right]);
        return multiply(t, repeatColumn(t, add(t, meanColumns(t, joined), s), 3), slice(t, joined, 4, 3));
      },
      { x: { rows: 5, columns: 11 }, s: { rows: 5, columns: 1 } },
      { tiles: family },
    );
  });

  Deno.test(`columnOf() brings per-row values back to ops, with the gradients of differences, ${family} tiles`, async () => {
    // A likelihood and a divergence, squared: their upstreams are the gradients of columns.
    const report = await checkGradients(gpu, (t, { x, data }, p) => {
      const { z, kl } = reparameterize(t, dense(t, x, p.get("head")));
      const nll = bernoulliNll(t, dense(t, z, p.get("decoder")), data);
      return valuesOf(t, "loss", add(t, square(t, columnOf(t, kl)), square(t, columnOf(t, nll))));
    }, {
      x: { rows: 5, columns: 3 },
      data: { rows: 5, columns: 7, constant: true, values: draw(35, 1).map((value) => value > 0 ? 1 : 0) },
    }, { parameters: { head: { inputs: 3, outputs: 4 }, decoder: { inputs: 2, outputs: 7 } }, tiles: family });
    for (const { name, largest } of report) assertEquals(largest > 0, true, name);
  });

  Deno.test(`absoluteDifference(), sumValues() and importanceBound() pass on what reads them, ${family} tiles`, async () => {
    const of = (values: string) => ({ rows: 6, columns: 3, values: draw(18, values.length) });
    const target = constant(0.5);
    const report = await checkGradients(
      gpu,
      (t, { a, bb, ccc }) => {
        const [one, two, three] = [a, bb, ccc].map((x, i) => valuesOf(t, `values ${i}`, square(t, x)));
        const bound = importanceBound(t, one, two);
        const apart = columnOf(t, absoluteDifference(t, sumValues(t, "sum", bound, three), target));
        return square(t, apart);
      },
      { a: of("a"), bb: of("bb"), ccc: of("ccc") },
      { tiles: family },
    );
    for (const { name, largest } of report) assertEquals(largest > 0, true, name);
  });
}

Deno.test("columns(), concat() and repeatColumn() refuse what does not fit", () => {
  using bench = new Bench(4);
  const [a, b] = [bench.input("a", 3, new Float32Array(12)), bench.input("b", 2, new Float32Array(6))];
  for (const [first, count] of [[0, 4], [-1, 2], [1, 0], [0.5, 1]]) {
    assertThrows(
      () => slice(bench.tape, a, first, count),
      RangeError,
      `found ${count} from ${first} on`,
    );
  }
  assertThrows(
    () => concat(bench.tape, [a, b]),
    RangeError,
    'Cannot join "b" to others: expected a number of rows that divides 4, found 3',
  );
  assertThrows(() => repeatColumn(bench.tape, a, 4), RangeError, 'Cannot repeat "a": expected 1 column, found 3');
});
