/** Columns in random orders of their own: each keeps its values, what pads a batch is left out, and every step has other orders. */

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { permuteColumns } from "../../../core/ops/permute_columns.ts";
import { permuted, randomBits } from "../../../core/graph/random.ts";
import { draw } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

for (const family of families) {
  for (const [rows, columns, draws] of [[1, 1, 1], [7, 5, 1], [97, 3, 1], [6, 34, 3]]) {
    Deno.test(`permuteColumns() gives each column in the order that follows from seed, step and column: ${rows} x ${columns}, ${draws} draws, ${family} tiles`, async () => {
      const [valid, seed] = [Math.ceil(0.8 * rows), 3];
      const x = draw(rows * draws * columns, 1);
      using bench = new Bench(rows, { family, count: valid, seed });
      const { tape } = bench;
      const stream = tape.stream() + 1;
      const y = permuteColumns(tape, bench.data("x", columns, x));
      const { program } = await bench.compile([bench.given(y, new Float32Array(rows * draws * columns))]);
      const count = valid * draws;
      const found: Float32Array[] = [];
      for (const step of [0, 1]) {
        program.seek({ step, seed, count: valid, shuffle: false });
        await program.submit(1);
        found.push(await bench.read(y));
        const expected = Float32Array.from(x, (_, i) => {
          const [row, column] = [Math.floor(i / columns), i % columns];
          const [first, second] = randomBits(seed, step, stream, column);
          return row < count ? x[permuted(row, count, first, second) * columns + column] : 0;
        });
        assertEquals(found[step], expected);
      }
      if (rows > 1) assertNotEquals(found[0], found[1]);
    });
  }
}

Deno.test("permuteColumns() leaves nothing of what two columns have in common", async () => {
  const rows = 2000;
  const first = draw(rows, 1);
  const x = Float32Array.from({ length: 2 * rows }, (_, i) => first[i >> 1]);
  using bench = new Bench(rows);
  const y = permuteColumns(bench.tape, bench.data("x", 2, x));
  const { program } = await bench.compile([bench.given(y, new Float32Array(2 * rows))]);
  await program.submit(1);
  const values = await bench.read(y);
  const column = (k: number) => Array.from({ length: rows }, (_, n) => values[2 * n + k]);
  assertEquals(column(0).toSorted(), column(1).toSorted());
  const correlation = column(0).reduce((sum, a, n) => sum + a * column(1)[n], 0) / rows;
  // Four standard errors of standard normals that have nothing to do with each other.
  assert(Math.abs(correlation) < 4 / Math.sqrt(rows), `${correlation}`);
});

Deno.test("permuteColumns() says what does not fit", () => {
  using bench = new Bench(4);
  const x = bench.data("x", 2, draw(10, 1));
  assertThrows(
    () => permuteColumns(bench.tape, x),
    RangeError,
    'Cannot permute the columns of "x": expected a multiple of 4 rows, found 5',
  );
});
