/** A learned vector repeated over rows, and its gradient: column sums, against plain sums in float64. */

import { assertEquals, assertThrows } from "@std/assert";
import { broadcast } from "../../../core/ops/broadcast.ts";
import { dense } from "../../../core/ops/dense.ts";
import { createOptimizer } from "../../../core/optimizers/mod.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { assertClose, draw } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

const none = new Float32Array();

for (const family of families) {
  for (
    const [batch, columns, outputs] of [[1, 3, 3], [97, 37, 37], [100, 784, 784], [97, 37, 1], [33, 3, 1], [5, 1, 1]]
  ) {
    Deno.test(`broadcast() of ${outputs} over ${batch} x ${columns} and its gradient, ${family} tiles`, async () => {
      const [vector, upstream] = [draw(outputs, 1), draw(batch * columns, 2)];
      using bench = new Bench(batch, { family, shapes: { vector: { inputs: 0, outputs } } });
      bench.set("vector", none, vector);
      const y = broadcast(bench.tape, bench.parameters.get("vector"), columns);
      await bench.run([bench.given(y, upstream)]);
      const at = (i: number) => outputs === 1 ? 0 : i % columns;
      assertEquals(await bench.read(y), upstream.map((_, i) => vector[at(i)]));
      const expected = new Float64Array(outputs);
      upstream.forEach((value, i) => expected[at(i)] += value);
      const { weight, bias } = await bench.parameterGradient("vector");
      assertEquals(weight.length, 0);
      assertClose(bias, expected, "dv", { sum: batch * columns / outputs, absolute: 1e-6 });
    });
  }
}

Deno.test("broadcast() ends its gradient with the optimizer, and adds up where a vector is repeated twice", async () => {
  const [vector, one, two] = [draw(5, 1), draw(45, 2), draw(45, 3)];
  using bench = new Bench(9, { shapes: { vector: { inputs: 0, outputs: 5 } } });
  bench.set("vector", none, vector);
  const parameter = bench.parameters.get("vector");
  const terms = [one, two].map((gradient) => bench.given(broadcast(bench.tape, parameter, 5), gradient));
  const optimizer = createOptimizer("sgd", { learningRate: constant(0.1) });
  const { program } = await bench.compile(terms, { optimizer, reduction: "sum" });
  await program.submit(1);
  const expected = Float64Array.from(vector);
  for (let i = 0; i < 45; i++) expected[i % 5] -= 0.1 * (one[i] + two[i]);
  assertClose((await parameter.get()).bias, expected, "v", { absolute: 1e-6 });
});

Deno.test("broadcast() refuses a layer, and a vector of another width", () => {
  using bench = new Bench(2, { shapes: { layer: { inputs: 1, outputs: 3 }, vector: { inputs: 0, outputs: 4 } } });
  const attempt = (name: string) =>
    assertThrows(() => broadcast(bench.tape, bench.parameters.get(name), 3), RangeError).message;
  assertEquals(
    attempt("layer"),
    'Cannot repeat "layer" over rows: expected 0 inputs and 1 or 3 outputs, found 1 and 3',
  );
  assertEquals(
    attempt("vector"),
    'Cannot repeat "vector" over rows: expected 0 inputs and 1 or 3 outputs, found 0 and 4',
  );
  assertThrows(() => dense(bench.tape, bench.input("x", 1, new Float32Array(2)), bench.parameters.get("vector")));
});
