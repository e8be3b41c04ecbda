/** Dropout: what it leaves out, its gradient, and that it is nothing without a training, on both tile families. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { add } from "../../../core/ops/add.ts";
import { dense } from "../../../core/ops/dense.ts";
import { dropout } from "../../../core/ops/dropout.ts";
import { uniforms } from "../../../core/graph/random.ts";
import { assertClose, draw } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

for (const family of families) {
  for (const [rows, columns, probability] of [[1, 1, 0.5], [5, 37, 0.1], [33, 64, 0.75]] as const) {
    Deno.test(`dropout() of ${rows} x ${columns} with ${probability} has the mask of (seed, step), backward too, ${family} tiles`, async () => {
      const [x, upstream] = [draw(rows * columns, 1), draw(rows * columns, 2)];
      using bench = new Bench(rows, { family, seed: 5, step: 7 });
      const input = bench.input("x", columns, x);
      const y = dropout(bench.tape, input, probability);
      await bench.run([bench.given(y, upstream)]);
      // Four columns of a row at a time, down the rows: the op's stream is the first of the tape.
      const u = uniforms(new Float32Array(Math.ceil(columns / 4) * rows * 4), 5, 7, 1);
      const kept = (i: number) => {
        const [row, column] = [Math.floor(i / columns), i % columns];
        return u[4 * ((column >> 2) * rows + row) + column % 4] >= Math.fround(probability);
      };
      const masked = (values: Float32Array) => values.map((value, i) => kept(i) ? value / (1 - probability) : 0);
      assertClose(await bench.read(y), masked(x), "y", { absolute: 0, relative: 1e-6 });
      assertClose(await bench.gradient(input), masked(upstream), "dx", { absolute: 0, relative: 1e-6 });
    });
  }

  Deno.test(`dropout() adds its gradient to what else reaches x, ${family} tiles`, async () => {
    const [x, upstream] = [draw(35, 1), draw(35, 2)];
    using bench = new Bench(5, { family });
    const input = bench.input("x", 7, x);
    const y = dropout(bench.tape, input, 0.5);
    await bench.run([bench.given(add(bench.tape, input, y), upstream)]);
    const [values, gradient] = [await bench.read(y), await bench.gradient(input)];
    assertEquals(gradient, upstream.map((value, i) => values[i] === 0 ? value : 3 * value));
  });

  Deno.test(`dropout() leaves out its share, another one at each step, ${family} tiles`, async () => {
    const count = 40_000;
    using bench = new Bench(100, { family });
    const y = dropout(bench.tape, bench.input("x", 400, new Float32Array(count).fill(1)), 0.3);
    const { program } = await bench.compile([bench.given(y, new Float32Array(count))], {
      ...{ optimizer: "gradients", reduction: "sum" },
    });
    const masks: Float32Array[] = [];
    for (let step = 0; step < 2; step++) {
      await program.submit(1);
      masks.push(await bench.read(y));
    }
    const share = (hit: (i: number) => boolean) => masks[0].reduce((sum, _, i) => sum + (hit(i) ? 1 : 0), 0) / count;
    // Four standard deviations of a share of 40,000.
    for (const mask of masks) assert(Math.abs(share((i) => mask[i] === 0) - 0.3) < 4 * Math.sqrt(0.21 / count));
    const both = share((i) => masks[0][i] === 0 && masks[1][i] === 0);
    assert(Math.abs(both - 0.09) < 4 * Math.sqrt(0.09 * 0.91 / count), `both steps: ${both}`);
  });

  Deno.test(`dropout() without a training is x, and dispatches nothing, ${family} tiles`, async () => {
    using bench = new Bench(5, { family, shapes: { layer: { inputs: 3, outputs: 3 } } });
    const [x, weight] = [draw(15, 1), draw(9, 2)];
    bench.set("layer", weight, new Float32Array(3));
    const input = bench.input("x", 3, x);
    const layer = bench.parameters.get("layer");
    const [y, plain] = [dense(bench.tape, dropout(bench.tape, input, 0.5), layer), dense(bench.tape, input, layer)];
    const { program } = await bench.compile([]);
    await program.submit(1);
    assertEquals(program.dispatches.map(({ label }) => label), ["layer forward", "layer forward"]);
    assertEquals(await bench.read(y), await bench.read(plain));
  });
}

Deno.test("dropout() with probability 0 is its input, and refuses what is none below 1", () => {
  using bench = new Bench(1);
  const x = bench.input("x", 1, draw(1, 1));
  assertEquals(dropout(bench.tape, x, 0), x);
  assertThrows(
    () => dropout(bench.tape, x, 1),
    RangeError,
    'Cannot drop of "x": expected a probability from 0 to below 1, found 1',
  );
});
