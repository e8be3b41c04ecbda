/** Vector quantization, its gradients, and how its codes are kept, on both tile families, against the float64 reference. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { CodebookUpdate } from "../../../core/ops/codebook.ts";
import { quantize } from "../../../core/ops/quantize.ts";
import { createOptimizer } from "../../../core/optimizers/mod.ts";
import { randomBits } from "../../../core/graph/random.ts";
import { constant } from "../../../core/graph/schedule.ts";
import type { TileFamily } from "../../../core/products/tiles.ts";
import { quantizeScalars } from "../../../core/ops/finite_scalar.ts";
import { rotationTrick } from "../../../core/ops/rotation_trick.ts";
import { stopGradient } from "../../../core/ops/stop_gradient.ts";
import { unitRows } from "../../../core/ops/unit_rows.ts";
import { checkGradients } from "../../../core/ops/check_gradients.ts";
import * as reference from "../../reference/codes.ts";
import { centralDifferences, largestDifference } from "../../reference/numeric.ts";
import { type Averages, quantizeBackward, quantizeForward, updateAverages } from "../../reference/codes.ts";
import { assertClose, draw, float64 } from "../../support/compare.ts";
import { Bench, families, gpu } from "../../support/gpu.ts";

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

  for (const [batch, positions, depth, count] of [[5, 35, 3, 3], [3, 5, 7, 37], [2, 3, 33, 100]]) {
    const title = `${batch} x ${positions} rows of ${depth}, ${count} codes, ${family} tiles`;

    Deno.test(`quantize() by cosine takes codes of length 1, and passes gradients through their lengths: ${title}`, async () => {
      const values = examples(batch, positions, depth, count);
      const { codebook, sizes, upstream } = values;
      const z = Float32Array.from(reference.unit(float64(values.z), depth));
      const codes64 = reference.unit(float64(codebook), depth, true);
      using bench = benched(family, batch, values, false);
      const input = bench.input("z", depth, z);
      const found = quantize(bench.tape, input, bench.parameters.get("codebook"), positions, undefined, "cosine");
      const terms = [
        bench.given(found.e, upstream),
        { name: "commitment", value: found.commitment, weight: constant(0.25) },
        { name: "codebook", value: found.codebook, weight: constant(0.7) },
      ];
      await bench.run(terms);
      const expected = quantizeForward(float64(z), codes64, sizes);
      const codes = await bench.read(found.codes);
      codes.forEach((code, m) => assert(code === expected.codes[m] || expected.margins[m] < 1e-5, `row ${m}: ${code}`));
      const e = await bench.read(found.e);
      assertClose(e, Array.from(e, (_, i) => codes64[i % depth * count + codes[Math.floor(i / depth)]]), "e");
      for (let m = 0; m < e.length / depth; m++) {
        const square = e.subarray(m * depth, (m + 1) * depth).reduce((sum, value) => sum + value * value, 0);
        assert(Math.abs(square - 1) < 1e-5, `row ${m} has the squared length ${square}`);
      }
      const weights = { commitment: 0.25, weight: 0.7 };
      const gradient = quantizeBackward(float64(z), codes64, codes, float64(upstream), sizes, weights);
      assertClose(await bench.gradient(input), gradient.z, "dz", { absolute: 1e-5 });
      // Through E_k / |E_k|, by differences of what is linear in the codes.
      const loss = () => {
        const codes = reference.unit(matrix, depth, true);
        return codes.reduce((sum, value, i) => sum + value * gradient.codebook[i], 0);
      };
      const matrix = float64(codebook);
      const { weight } = await bench.parameterGradient("codebook");
      assertClose(weight, centralDifferences(loss, matrix), "dE", { sum: batch * positions, absolute: 1e-5 });
    });

    Deno.test(`rotationTrick() turns gradients as the rotation of z to e does: ${title}`, async () => {
      const { z, upstream } = examples(batch, positions, depth, count);
      const e = draw(z.length, 4, 0.7);
      using bench = new Bench(batch, { family });
      const input = bench.input("z", depth, z);
      const quantized = bench.input("e", depth, e);
      const y = rotationTrick(bench.tape, input, quantized);
      await bench.run([bench.given(y, upstream)]);
      assertEquals(await bench.read(y), e);
      const expected = reference.rotationBackward(float64(z), float64(e), float64(upstream), depth);
      // Rows that point away from each other magnify rounding.
      assertClose(await bench.gradient(input), expected, "dz", { sum: depth, absolute: 1e-4, relative: 1e-3 });
    });
  }

  for (
    const [batch, positions, groups, levels] of [[1, 1, 1, [2]], [5, 7, 1, [8, 5, 5, 5]], [3, 5, 3, [4, 3, 7]]] as const
  ) {
    Deno.test(`quantizeScalars() rounds to levels, and passes gradients through f: ${batch} x ${positions} x ${groups} of ${levels}, ${family} tiles`, async () => {
      const width = groups * levels.length;
      const z = draw(batch * positions * width, 1, 1.5);
      const upstream = draw(z.length, 2);
      using bench = new Bench(batch, { family });
      const input = bench.input("z", width, z);
      const { e, codes } = quantizeScalars(bench.tape, input, levels, positions);
      await bench.run([bench.given(e, upstream)]);
      const expected = reference.quantizeScalars(float64(z), levels);
      assert(expected.margins.every((margin) => margin > 1e-6), "a value is as good as between two levels");
      assertClose(await bench.read(e), expected.e, "e", { absolute: 1e-7 });
      assertEquals([...await bench.read(codes)], expected.codes);
      const gradient = expected.slope.map((slope, i) => slope * upstream[i]);
      assertClose(await bench.gradient(input), gradient, "dz");
    });
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

Deno.test("the reference's rotation is one, takes z to e, and keeps the angle of the gradient to them", () => {
  const [z, e, g] = [1, 2, 3].map((stream) => float64(draw(5, stream)));
  const { matrix, scale } = reference.rotation(z, e);
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, x, i) => sum + x * b[i], 0);
  matrix.forEach((one, i) => matrix.forEach((other, j) => assertClose([dot(one, other)], [i === j ? 1 : 0], "R Rᵀ")));
  assertClose(matrix.map((row) => scale * dot(row, z)), e, "λ R z", { absolute: 1e-12, relative: 0 });
  const dz = reference.rotationBackward(z, e, g, 5);
  const cosine = (a: ArrayLike<number>, b: ArrayLike<number>) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  assertClose([cosine(dz, z)], [cosine(g, e)], "the angle", { absolute: 1e-12, relative: 0 });
});

Deno.test("the reference's levels are all reached, and their slope is that of f", () => {
  const levels = [2, 5, 8];
  const z = float64(draw(levels.length * 4000, 1, 3));
  const { e, codes, slope } = reference.quantizeScalars(z, levels);
  levels.forEach((count, d) => assertEquals(new Set(e.filter((_, i) => i % 3 === d)).size, count));
  assert(Math.min(...codes) === 0 && Math.max(...codes) === 2 * 5 * 8 - 1);
  const few = z.slice(0, 30);
  const loss = () => reference.quantizeScalars(few, levels).bounded.reduce((sum, value) => sum + value, 0);
  assert(largestDifference(centralDifferences(loss, few), slope.subarray(0, 30)) < 1e-8);
});

Deno.test("unitRows() has rows of length 1 and the gradient of x / |x|; no gradient passes stopGradient()", async () => {
  await checkGradients(gpu, (t, { x }) => unitRows(t, x), { x: { rows: 7, columns: 5 } });
  using bench = new Bench(3);
  const values = draw(12, 1);
  const x = bench.input("x", 4, values);
  const [y, constant] = [unitRows(bench.tape, x), stopGradient(bench.tape, x)];
  await bench.run([bench.given(y, draw(12, 2)), bench.given(constant, draw(12, 3))]);
  assertClose(await bench.read(y), reference.unit(float64(values), 4), "y");
  assertEquals(await bench.read(constant), values);
  const square = values.subarray(0, 4).reduce((sum, value) => sum + value * value, 0);
  const [dy, unit] = [draw(12, 2).subarray(0, 4), reference.unit(float64(values), 4).subarray(0, 4)];
  const along = dy.reduce((sum, value, i) => sum + value * unit[i], 0);
  const expected = Array.from(dy, (value, i) => (value - along * unit[i]) / Math.sqrt(square));
  assertClose((await bench.gradient(x)).subarray(0, 4), expected, "dx");
});

Deno.test("quantize() says which rows do not fit", () => {
  using bench = new Bench(4, { shapes: { codebook: { inputs: 3, outputs: 5 } } });
  const z = bench.input("z", 2, new Float32Array(16));
  assertThrows(
    () => quantize(bench.tape, z, bench.parameters.get("codebook"), 2),
    RangeError,
    'Cannot quantize "z": expected [N 2, 3], found [8, 2]',
  );
});
