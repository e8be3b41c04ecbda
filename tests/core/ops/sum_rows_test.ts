/** Sums and means over rows and their gradients, against float64; what pads a batch. */

import { assertThrows } from "@std/assert";
import { checkGradients } from "../../../core/ops/check_gradients.ts";
import { square } from "../../../core/ops/arithmetic.ts";
import { meanRows, sumRows } from "../../../core/ops/sum_rows.ts";
import { assertClose, draw } from "../../support/compare.ts";
import { Bench, families, gpu } from "../../support/gpu.ts";

for (const family of families) {
  for (const [rows, columns, valid] of [[1, 1, 1], [9, 5, 7], [100, 34, 100], [97, 3, 61]]) {
    Deno.test(`meanRows() and its gradient agree with float64: ${valid} of ${rows} x ${columns}, ${family} tiles`, async () => {
      const [x, dy] = [draw(rows * columns, 1), draw(rows * columns, 2).fill(0, valid * columns)];
      using bench = new Bench(rows, { family, count: valid });
      const input = bench.input("x", columns, x);
      const y = meanRows(bench.tape, input);
      await bench.run([bench.given(y, dy)]);
      const means = (values: Float32Array) =>
        Float64Array.from({ length: rows * columns }, (_, i) => {
          if (i >= valid * columns) return 0;
          let sum = 0;
          for (let n = 0; n < valid; n++) sum += values[n * columns + i % columns];
          return sum / valid;
        });
      assertClose(await bench.read(y), means(x), "y", { sum: valid });
      assertClose(await bench.gradient(input), means(dy), "dx", { sum: valid });
    });

    Deno.test(`sumRows() sums a matrix of other rows than the batch: ${rows} x ${columns}, ${family} tiles`, async () => {
      const batch = 6;
      const [x, dy] = [draw(rows * columns, 1), draw(batch * columns, 2)];
      using bench = new Bench(batch, { family });
      const input = bench.input("x", columns, x);
      const y = sumRows(bench.tape, input);
      await bench.run([bench.given(y, dy)]);
      const sums = (values: Float32Array, to: number) =>
        Float64Array.from({ length: to * columns }, (_, i) => {
          let sum = 0;
          for (let n = i % columns; n < values.length; n += columns) sum += values[n];
          return sum;
        });
      assertClose(await bench.read(y), sums(x, batch), "y", { sum: rows });
      assertClose(await bench.gradient(input), sums(dy, rows), "dx", { sum: batch });
    });
  }
}

Deno.test("sums and means over rows have the gradients of differences", async () => {
  await checkGradients(gpu, (t, { x }) => meanRows(t, square(t, x)), { x: { rows: 7, columns: 5 } });
  await checkGradients(gpu, (t, { x }) => sumRows(t, square(t, x)), { x: { rows: 7, columns: 5 } }, { batch: 3 });
});

Deno.test("meanRows() says what does not fit", () => {
  using bench = new Bench(4);
  const message = 'Cannot average "x" over the batch: expected 4 rows, found 5';
  assertThrows(() => meanRows(bench.tape, bench.data("x", 2, draw(10, 1))), RangeError, message);
});
