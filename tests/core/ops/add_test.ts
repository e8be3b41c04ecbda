/** Sums of variables: formed where the layer before ends, or by themselves; gradients shared, or added up. */

import { assertEquals, assertThrows } from "@std/assert";
import { activate } from "../../../core/ops/activate.ts";
import { add } from "../../../core/ops/add.ts";
import { dense } from "../../../core/ops/dense.ts";
import { Program } from "../../../core/graph/program.ts";
import { activations } from "../../reference/dense.ts";
import { assertClose, draw } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

for (const family of families) {
  for (const [rows, columns] of [[1, 1], [5, 37], [33, 64]]) {
    Deno.test(`add() of two inputs has their sum and passes its gradient to both: ${rows} x ${columns}, ${family} tiles`, async () => {
      using bench = new Bench(rows, { family });
      const [a, b, upstream] = [1, 2, 3].map((stream) => draw(rows * columns, stream));
      const [left, right] = [bench.input("a", columns, a), bench.input("b", columns, b)];
      const y = add(bench.tape, left, right);
      await bench.run([bench.given(y, upstream)]);
      assertEquals(await bench.read(y), a.map((value, i) => value + b[i]));
      assertEquals(await bench.gradient(left), upstream);
      assertEquals(await bench.gradient(right), upstream);
    });
  }

  Deno.test(`add() around a layer is formed where the layer ends, and adds up what comes from both ways, ${family} tiles`, async () => {
    using bench = new Bench(9, { family, shapes: { layer: { inputs: 3, outputs: 3 } } });
    const [x, weight, upstream] = [draw(27, 1), draw(9, 2), draw(27, 3)];
    bench.set("layer", weight, new Float32Array(3));
    const input = bench.input("x", 3, x);
    const inner = dense(bench.tape, activate(bench.tape, input, "tanh"), bench.parameters.get("layer"));
    const y = add(bench.tape, input, inner);
    const { program } = await bench.compile([bench.given(y, upstream)], { optimizer: "gradients", reduction: "sum" });
    assertEquals(
      program.dispatches.map(({ label }) => label).filter((label) => label.startsWith("x + ")),
      [],
      "a dispatch of its own",
    );
    await program.submit(1);
    const { tanh } = activations;
    const sum = (f: (j: number) => number) => [0, 1, 2].reduce((total, j) => total + f(j), 0);
    const sums = Array.from(x, (value, i) => {
      const row = i - i % 3;
      return value + sum((j) => tanh.value(x[row + j]) * weight[j * 3 + i % 3]);
    });
    assertClose(await bench.read(y), sums, "y", { absolute: 1e-6 });
    const gradient = Array.from(x, (value, i) => {
      const row = i - i % 3;
      return upstream[i] + tanh.derivative(value) * sum((o) => upstream[row + o] * weight[i % 3 * 3 + o]);
    });
    assertClose(await bench.gradient(input), gradient, "dx", { absolute: 1e-6 });
  });

  Deno.test(`add() adds what two objectives send back, each in its own pass, ${family} tiles`, async () => {
    // The first reads the sum alone, the second the layer's output too.
    using bench = new Bench(5, { family, shapes: { one: { inputs: 3, outputs: 3 }, two: { inputs: 3, outputs: 3 } } });
    const [x, weight] = [draw(15, 1), draw(9, 2)];
    const [first, second, third] = [3, 4, 5].map((stream) => draw(15, stream));
    const { tape, parameters } = bench;
    for (const name of ["one", "two"]) bench.set(name, weight, new Float32Array(3));
    const input = bench.input("x", 3, x);
    const [a, b] = [dense(tape, input, parameters.get("one")), dense(tape, input, parameters.get("two"))];
    const y = add(tape, a, b);
    const terms = [bench.given(y, first), bench.given(y, second), bench.given(b, third)];
    const objectives = [{ parameters: "one", terms: terms.slice(0, 1) }, { parameters: "two", terms: terms.slice(1) }];
    const compiled = tape.compile(objectives, { optimizer: "gradients", reduction: "sum" });
    const program = await Program.create(tape, compiled);
    await program.submit(1);
    const gradient = (upstream: Float32Array) =>
      Array.from(
        { length: 9 },
        (_, i) => [0, 1, 2, 3, 4].reduce((sum, n) => sum + x[3 * n + Math.floor(i / 3)] * upstream[3 * n + i % 3], 0),
      );
    const both = second.map((value, i) => value + third[i]);
    assertClose((await bench.parameterGradient("one")).weight, gradient(first), "one", { absolute: 1e-6 });
    assertClose((await bench.parameterGradient("two")).weight, gradient(both), "two", { absolute: 1e-6 });
    program.destroy();
  });

  Deno.test(`add() of a variable to itself doubles it and its gradient, ${family} tiles`, async () => {
    using bench = new Bench(5, { family });
    const x = draw(35, 1);
    const input = bench.input("x", 7, x);
    const y = add(bench.tape, input, input);
    await bench.run([bench.given(y, x)]);
    assertEquals(await bench.read(y), x.map((value) => 2 * value));
    assertEquals(await bench.gradient(input), x.map((value) => 2 * value));
  });
}

Deno.test("add() refuses sizes that differ", () => {
  using bench = new Bench(4);
  const [a, b] = [bench.input("a", 3, new Float32Array(12)), bench.input("b", 2, new Float32Array(8))];
  assertThrows(() => add(bench.tape, a, b), RangeError, 'Cannot add "a" and "b": expected equal sizes, found 4 x 3');
});
