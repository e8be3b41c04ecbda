/** Rows of images as rows of pixels and back, with the gradient, on both tile families. */

import { assertEquals, assertThrows } from "@std/assert";
import { bernoulliNll } from "../../../core/ops/bernoulli_nll.ts";
import { dense } from "../../../core/ops/dense.ts";
import { reshape } from "../../../core/ops/reshape.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { bernoulliNllBackward, bernoulliNllForward } from "../../reference/bernoulli_nll.ts";
import { assertClose } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

/** 0, 1/8, 2/8, ... below 4, each element another where there are few. */
const counted = (count: number, factor = 1) => Float32Array.from({ length: count }, (_, i) => i * factor % 32 / 8);

for (const family of families) {
  // To fewer and to more columns, in fours and not, over one panel of 32 and several; 5 rows are no multiple of a tile's.
  for (const [rows, columns, to] of [[5, 36, 4], [180, 1, 36], [5, 105, 3], [15, 35, 105], [35, 48, 240]]) {
    Deno.test(`reshape() keeps the order of ${rows} x ${columns} elements by ${to}, and so does its gradient, ${family} tiles`, async () => {
      using bench = new Bench(5, { family });
      const x = bench.input("x", columns, counted(rows * columns));
      const y = reshape(bench.tape, x, to);
      assertEquals([y.rows, y.columns], [rows * columns / to, to]);
      await bench.run([bench.given(y, counted(rows * columns, 3))]);
      assertEquals(await bench.read(y), counted(rows * columns));
      assertEquals(await bench.gradient(x), counted(rows * columns, 3));
      const stored = await bench.stored(y);
      const height = stored.length / Math.ceil(to / 32) / 32;
      const padding = stored.filter((_, i) => 32 * Math.floor(i / (32 * height)) + i % 32 >= to);
      assertEquals(padding.every((value) => value === 0), true, "the padding of y");
    });
  }

  Deno.test(`reshape() passes values on to a likelihood as they are, ${family} tiles`, async () => {
    // Three images of 2 x 6 pixels whose logits are one column of a layer.
    const sizes = { batch: 3, features: 12 };
    using bench = new Bench(3, { family, shapes: { layer: { inputs: 1, outputs: 1 } } });
    bench.set("layer", Float32Array.of(2), Float32Array.of(-1));
    const input = counted(36);
    const data = counted(36, 5).map((value) => value / 4) as Float32Array;
    const x = bench.input("x", 1, input);
    const target = bench.data("data", 12, data);
    const logits = reshape(bench.tape, dense(bench.tape, x, bench.parameters.get("layer")), 12);
    const value = bernoulliNll(bench.tape, logits, target);
    await bench.run([{ name: "nll", value, weight: constant(1) }]);
    const expected = Float64Array.from(input, (value) => 2 * value - 1);
    const pixels = Float64Array.from(data);
    assertClose(await bench.rows(value), bernoulliNllForward(expected, pixels, sizes), "nll", { sum: 12 });
    const gradient = bernoulliNllBackward(expected, pixels, Float64Array.of(1, 1, 1), sizes);
    assertClose(await bench.gradient(x), gradient.map((value) => 2 * value), "dx");
  });
}

Deno.test("reshape() refuses a width that does not divide the elements", () => {
  using bench = new Bench(5);
  const x = bench.input("x", 6, new Float32Array(30));
  assertThrows(
    () => reshape(bench.tape, x, 4),
    RangeError,
    'Cannot reshape "x": expected a number of columns that divides 5 x 6, found 4',
  );
});
