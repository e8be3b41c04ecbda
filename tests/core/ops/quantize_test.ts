/** Vector quantization, its gradients, and how its codes are kept, on both tile families, against the float64 reference. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { CodebookUpdate } from "../../../core/ops/codebook.ts";
import { quantize } from "../../../core/ops/quantize.ts";
import { createOptimizer } from "../../../core/optimizers/mod.ts";
import { randomBits } from "../../../core/graph/random.ts";
import { constant } from "../../../core/graph/schedule.ts";
import type { TileFamily } from "../../../core/products/tiles.ts";
import { type Averages, quantizeBackward, quantizeForward, updateAverages } from "../../reference/codes.ts";
import { assertClose, draw, float64 } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

// N, P, D, K: one of each, sizes beside a panel of 32, and several panels of numbers and of codes.
const SIZES = [[1, 1, 1, 2], [5, 35, 3, 3], [3, 35, 7, 37], [4, 9, 64, 10], [9, 4, 33, 100]] as const;

function examples(batch: number, positions: number, depth: number, count: number) {
  const z = draw(batch * positions * depth, 1);
  const codebook = draw(depth * count, 2);
  const sizes = { positions, depth, count };
  return { z, codebook, sizes, upstream: draw(z.length, 3) };
}

function benched(
  family: TileFamily,
  batch: number,
  { codebook, sizes }: ReturnType<typeof examples>,
  averaged: boolean,
) {
  const { depth: inputs, count: outputs } = sizes;
  const shapes = {
    codebook: { inputs, outputs, trained: !averaged },
    usage: { inputs: averaged ? inputs : 0, outputs, trained: false },
  };
  const bench = new Bench(batch, { family, shapes });
  bench.set("codebook", codebook, new Float32Array(outputs));
  return bench;
}

for (const family of families) {
  for (const [batch, positions, depth, count] of SIZES) {
    const title = `${batch} x ${positions} rows of ${depth}, ${count} codes, ${family} tiles`;

    Deno.test(`quantize() finds the nearest codes and passes gradients straight through: ${title}`, async () => {
      const values = examples(batch, positions, depth, count);
      const { z, codebook, sizes, upstream } = values;
      using bench = benched(family, batch, values, false);
      const input = bench.input("z", depth, z);
      const found = quantize(bench.tape, input, bench.parameters.get("codebook"), positions);
      const terms = [
        bench.given(found.e, upstream),
        { name: "commitment", value: found.commitment, weight: constant(0.25) },
        { name: "codebook", value: found.codebook, weight: constant(0.7) },
      ];
      await bench.run(terms);
      const expected = quantizeForward(float64(z), float64(codebook), sizes);
      const codes = await bench.read(found.codes);
      codes.forEach((code, m) => assert(code === expected.codes[m] || expected.margins[m] < 1e-5, `row ${m}: ${code}`));
      assertClose(await bench.read(found.e), expected.e, "e", { absolute: 0, relative: 0 });
      assertClose(await bench.rows(found.commitment), expected.distances, "|z - e|²", { sum: positions * depth });
      const gradient = quantizeBackward(float64(z), float64(codebook), codes, float64(upstream), sizes, {
        commitment: 0.25,
        weight: 0.7,
      });
      assertClose(await bench.gradient(input), gradient.z, "dz", { absolute: 1e-6 });
      const { weight, bias } = await bench.parameterGradient("codebook");
      assertClose(weight, gradient.codebook, "dE", { sum: batch * positions });
      assert(bias.every((value) => value === 0), "the bias has no gradient");
    });

    for (const averaged of [false, true]) {
      const how = averaged ? "as moving averages" : "of gradient descent";
      Deno.test(`quantize() keeps the usage of codes ${how}, and revives dead ones, as plain loops do: ${title}`, async () => {
        const values = examples(batch, positions, depth, count);
        const { z, codebook, sizes } = values;
        using bench = benched(family, batch, values, averaged);
        const rows = batch * positions;
        const start: Averages = {
          codebook: float64(codebook),
          usage: new Float64Array(count).fill(rows / count),
          sums: averaged ? float64(codebook).map((e) => e * rows / count) : new Float64Array(depth * count),
        };
        bench.set("usage", Float32Array.from(averaged ? start.sums : []), Float32Array.from(start.usage));
        const input = bench.input("z", depth, z);
        const update: CodebookUpdate = { usage: bench.parameters.get("usage"), decay: 0.8, revival: 0.5 };
        const found = quantize(bench.tape, input, bench.parameters.get("codebook"), positions, update);
        // Nothing is learned by the gradient: the rest is what the op does by itself.
        const optimizer = createOptimizer("sgd", { learningRate: constant(0) });
        const terms = [found.commitment, found.codebook].map((value) => ({
          name: value.name,
          value,
          weight: constant(1),
        }));
        const { program } = await bench.compile(terms, { optimizer, reduction: "mean" });
        let expected = { ...start, revived: 0 };
        let revived = 0;
        for (let step = 0; step < 6; step++) {
          await program.submit(1);
          const nearest = quantizeForward(float64(z), expected.codebook, sizes);
          // Codes that were revived by one row are equal but for rounding: either may be taken.
          const codes = await bench.read(found.codes);
          codes.forEach((code, m) =>
            assert(code === nearest.codes[m] || nearest.margins[m] < 1e-4, `row ${m}: ${code}`)
          );
          const origin = (k: number) => randomBits(1, step, 1, k)[0] % rows;
          const dead = Math.fround(0.5 * rows / count);
          expected = updateAverages(expected, float64(z), codes, sizes, { decay: 0.8, dead, averaged, origin });
          revived += expected.revived;
        }
        const kept = await bench.parameters.get("usage").get();
        const codes = (await bench.parameters.get("codebook").get()).weight;
        assertClose(kept.bias, expected.usage, "N", { sum: rows });
        assertClose(codes, expected.codebook, "E", { sum: rows });
        if (averaged) assertClose(kept.weight, expected.sums, "m", { sum: rows });
        assert(count < 37 || revived > 0, "no code died");
      });
    }
  }

  Deno.test(`quantize() takes the first of equal codes, ${family} tiles`, async () => {
    const values = examples(3, 2, 4, 40);
    // Codes 5, 6, 9, 38 are the row; so are all but in two columns of the table.
    const codebook = values.codebook.map((_, i) => [5, 6, 9, 38].includes(i % 40) ? 1 : 3);
    using bench = benched(family, 3, { ...values, codebook }, false);
    const input = bench.input("z", 4, new Float32Array(24).fill(1));
    const { codes } = quantize(bench.tape, input, bench.parameters.get("codebook"), 2);
    const { program } = await bench.compile([]);
    await program.submit(1);
    assertEquals([...await bench.read(codes)], Array(6).fill(5));
  });

  Deno.test(`quantize() changes no code where nothing is trained, ${family} tiles`, async () => {
    const values = examples(3, 4, 5, 37);
    using bench = benched(family, 3, values, true);
    const input = bench.input("z", 5, values.z);
    const update: CodebookUpdate = { usage: bench.parameters.get("usage"), decay: 0.5, revival: 1 };
    const { commitment } = quantize(bench.tape, input, bench.parameters.get("codebook"), 4, update);
    const { program } = await bench.compile([{ name: "commitment", value: commitment, weight: constant(1) }]);
    await program.submit(3);
    assertEquals((await bench.parameters.get("codebook").get()).weight, values.codebook);
    assert((await bench.parameters.get("usage").get()).bias.every((value) => value === 0));
  });
}

Deno.test("quantize() says which rows do not fit", () => {
  using bench = new Bench(4, { shapes: { codebook: { inputs: 3, outputs: 5 } } });
  const z = bench.input("z", 2, new Float32Array(16));
  assertThrows(
    () => quantize(bench.tape, z, bench.parameters.get("codebook"), 2),
    RangeError,
    'Cannot quantize "z": expected [N 2, 3], found [8, 2]',
  );
});
