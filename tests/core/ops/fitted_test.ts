/** The ops that fits are made of, against float64 loops, on ragged shapes and batches that the data do not fill. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { accumulate } from "../../../core/ops/accumulate.ts";
import { categorical, categoricalNll, oneHot } from "../../../core/ops/categorical.ts";
import { centred } from "../../../core/ops/centred.ts";
import { columns } from "../../../core/ops/columns.ts";
import { dense } from "../../../core/ops/dense.ts";
import { fittedGaussianNll, fittedGaussianSample } from "../../../core/ops/fitted_gaussian.ts";
import { gaussianLogits, noiseAndOne, weightedCopies } from "../../../core/ops/mixture.ts";
import { normals } from "../../../core/graph/random.ts";
import { unpack } from "../../../core/gpu/tensor.ts";
import { logSumExp } from "../../reference/mixture.ts";
import { assertClose } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

const random = (size: number, seed: number, scale = 1) =>
  normals(new Float32Array(size), seed, 0, 0).map((value) => value * scale);
/** [rows][columns] of row-major values. */
const rowsOf = (values: Float32Array, width: number) =>
  Array.from({ length: values.length / width }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);

for (const family of families) {
  for (const [n, live, d] of [[1, 1, 1], [7, 5, 5], [33, 33, 67], [100, 97, 32]]) {
    const shape = `${live} of ${n} rows of ${d} columns, ${family}`;

    Deno.test(`centred() takes the offset away, adds squares, and leaves rows past the data zero: ${shape}`, async () => {
      using bench = new Bench(n, { family, count: live, shapes: { offset: { inputs: 2, outputs: d } } });
      const [x, offset] = [random(n * d, 1), random(d, 2)];
      bench.set("offset", new Float32Array(2 * d), offset);
      const given = bench.data("x", d, x);
      const y = centred(bench.tape, given, bench.parameters.get("offset"));
      const both = centred(bench.tape, given, bench.parameters.get("offset"), true);
      const { program } = await bench.compile([]);
      await program.submit(1);
      const expected = rowsOf(x, d).map((row, i) => row.map((value, j) => i < live ? value - offset[j] : 0));
      assertClose(await bench.read(y), expected.flat(), "y");
      assertClose(await bench.read(both), expected.flatMap((row) => [...row, ...row.map((v) => v * v)]), "y, y²");
      const stored = await bench.stored(both);
      const sum = expected.flat().reduce((total, v) => total + v + v * v, 0);
      assertAlmostEquals(stored.reduce((total, value) => total + value, 0), sum, 1e-3 * (1 + n * d));
    });

    Deno.test(`accumulate() adds aᵀ b and the column sums of b at every step: ${shape}`, async () => {
      const width = 3 * d + 1;
      using bench = new Bench(n, { family });
      const [a, b] = [random(n * d, 1), random(n * width, 2)];
      const sum = accumulate(bench.tape, "sum", bench.input("a", d, a), bench.input("b", width, b));
      const { program } = await bench.compile([]);
      for (let i = 0; i < 3; i++) await program.submit(1);
      const stored = await bench.gpu.read(sum.tensor.buffer);
      const product = new Float64Array(d * width);
      const total = new Float64Array(width);
      for (let i = 0; i < n; i++) {
        for (let q = 0; q < width; q++) {
          total[q] += 3 * b[i * width + q];
          for (let p = 0; p < d; p++) product[p * width + q] += 3 * a[i * d + p] * b[i * width + q];
        }
      }
      assertClose(unpack(sum.tensor, stored), product, "aᵀ b", { sum: 3 * n });
      assertClose(unpack(sum.tensor, stored, sum.sumRow, 1), total, "column sums", { sum: 3 * n });
    });

    Deno.test(`categorical() gives posterior, evidence, divergence and oneHot: ${shape}`, async () => {
      using bench = new Bench(n, { family, count: live, shapes: { prior: { inputs: 2, outputs: d } } });
      // Far beyond what exp() of a float32 can hold.
      const [a, prior] = [random(n * d, 1, 40).map((value) => value + 900), random(2 * d, 2)];
      bench.set("prior", prior, new Float32Array(d));
      const logits = bench.input("logits", d, a);
      const { probabilities, z, nll, kl } = categorical(bench.tape, logits, bench.parameters.get("prior"));
      const statistics = oneHot(bench.tape, probabilities);
      const drawn = categoricalNll(bench.tape, logits, bench.parameters.get("prior"), z);
      const { program } = await bench.compile([]);
      await program.submit(1);
      const indicator = rowsOf(await bench.read(z), d);
      const [nlls, kls, drawnNlls] = [await bench.rows(nll), await bench.rows(kl), await bench.rows(drawn)];
      const expected = rowsOf(a, d).map((row, i) => {
        const evidence = logSumExp(row);
        const r = row.map((value) => Math.exp(value - evidence));
        const divergence = r.reduce((sum, value, k) => sum + value * (row[k] - evidence - prior[k]), 0);
        assertAlmostEquals(kls[i], divergence, 1e-3);
        assertAlmostEquals(nlls[i], -evidence - divergence, 1e-3);
        assertEquals([...indicator[i]].sort().slice(-2), d === 1 ? [1] : [0, 1]);
        const k = indicator[i].indexOf(1);
        assert(r[k] > 1e-6, `row ${i} drew a component of probability ${r[k]}`);
        assertAlmostEquals(drawnNlls[i], prior[k] - row[k], 1e-3);
        return r.map((value) => i < live ? value : 0);
      });
      assertClose(await bench.read(probabilities), expected.flat(), "r", { absolute: 1e-4 });
      const both = expected.flatMap((r) => [...r, ...r.map((v) => Math.log(Math.max(v * (1 - v), Math.exp(-30))))]);
      const found = await bench.read(statistics);
      // 1 - r has few digits left where r is nearly 1.
      rowsOf(found, 2 * d).forEach((row, i) => {
        assertClose(row.slice(0, d), both.slice(2 * d * i, 2 * d * i + d), `mean ${i}`, { absolute: 1e-4 });
        row.slice(d).forEach((value, k) => {
          assertAlmostEquals(Math.exp(value), Math.exp(both[2 * d * i + d + k]), 1e-4);
          assert(value >= -30.001);
        });
      });
    });

    Deno.test(`fittedGaussianNll() is the density with variances of a row or of each datum, and a spread: ${shape}`, async () => {
      const shapes = { mean: { inputs: 2, outputs: d }, noise: { inputs: 2, outputs: d } };
      using bench = new Bench(n, { family, shapes });
      const [h, x, w] = [random(2 * n, 1), random(n * d, 2), random(2 * d, 3)];
      const each = random(n * d, 4).map((value) => 0.1 + Math.abs(value));
      const noise = random(2 * d, 5).map((value) => 0.1 + Math.abs(value));
      bench.set("mean", w, new Float32Array(d));
      bench.set("noise", noise, new Float32Array(d));
      const { tape, parameters } = bench;
      const hidden = bench.input("h", 2, h);
      const data = bench.data("x", d, x);
      const [variance, spread] = [0, 1].map((row) => ({ parameter: parameters.get("noise"), row }));
      const shared = fittedGaussianNll(tape, dense(tape, hidden, parameters.get("mean")), data, variance, { spread });
      const own = fittedGaussianNll(tape, dense(tape, hidden, parameters.get("mean")), data, bench.input("v", d, each));
      const { program } = await bench.compile([]);
      await program.submit(1);
      const density = (v: (i: number, j: number) => number, s: (j: number) => number) =>
        Float64Array.from({ length: n }, (_, i) => {
          let sum = 0;
          for (let j = 0; j < d; j++) {
            const apart = x[i * d + j] - h[2 * i] * w[j] - h[2 * i + 1] * w[d + j];
            sum += 0.5 * ((apart ** 2 + s(j)) / v(i, j) + Math.log(2 * Math.PI * v(i, j)));
          }
          return sum;
        });
      assertClose(await bench.rows(shared), density((_, j) => noise[j], (j) => noise[d + j]), "shared", { sum: d });
      assertClose(await bench.rows(own), density((i, j) => each[i * d + j], () => 0), "own", { sum: d });
    });

    Deno.test(`columns(), weightedCopies() and gaussianLogits() give what they say: ${shape}`, async () => {
      const k = 3;
      using bench = new Bench(n, { family, shapes: { prior: { inputs: 2, outputs: k } } });
      const [y, w, prior] = [random(n * d, 1), random(n * k, 2), random(2 * k, 3)];
      bench.set("prior", prior, new Float32Array(k));
      const source = bench.input("y", d, y);
      const weights = bench.input("w", k, w);
      const copies = weightedCopies(bench.tape, weights, source);
      const logits = gaussianLogits(bench.tape, copies, bench.parameters.get("prior"));
      const last = columns(bench.tape, weights, 1, 2);
      const { program } = await bench.compile([]);
      await program.submit(1);
      const expected = rowsOf(w, k).flatMap((row, i) => row.flatMap((f) => rowsOf(y, d)[i].map((v) => f * v)));
      assertClose(await bench.read(copies), expected, "copies");
      assertClose(await bench.read(last), rowsOf(w, k).flatMap((row) => row.slice(1)), "columns");
      const norms = rowsOf(w, k).flatMap((row, i) => {
        const square = rowsOf(y, d)[i].reduce((sum, v) => sum + v * v, 0);
        return row.map((f, j) => prior[k + j] - 0.5 * f * f * square);
      });
      assertClose(await bench.read(logits), norms, "logits", { sum: d });
    });
  }

  Deno.test(`fittedGaussianSample() and noiseAndOne() draw standard normals, others for every seed: ${family}`, async () => {
    const [n, d] = [400, 50];
    const drawn = async (seed: number) => {
      using bench = new Bench(n, { family, seed });
      const mean = bench.input("mean", d, new Float32Array(n * d).fill(2));
      const variance = bench.input("variance", d, new Float32Array(n * d).fill(9));
      const x = fittedGaussianSample(bench.tape, mean, variance);
      const noise = noiseAndOne(bench.tape, n, d);
      const { program } = await bench.compile([]);
      await program.submit(1);
      return { x: await bench.read(x), noise: await bench.read(noise) };
    };
    const { x, noise } = await drawn(1);
    const ones = rowsOf(noise, d + 1);
    assert(ones.every((row) => row[d] === 1));
    for (const e of [Array.from(x, (value) => (value - 2) / 3), ones.flatMap((row) => row.slice(0, d))]) {
      const moment = (power: number) => e.reduce((sum, value) => sum + value ** power, 0) / e.length;
      // Five standard deviations of each moment.
      [[1, 0, 1], [2, 1, 2], [3, 0, 15], [4, 3, 96]].forEach(([power, value, variance]) =>
        assertAlmostEquals(moment(power), value, 5 * Math.sqrt(variance / e.length))
      );
    }
    assertEquals((await drawn(1)).x, x);
    assert((await drawn(2)).x.some((value, i) => value !== x[i]));
  });
}

Deno.test("centred() and columns() say which columns do not fit", () => {
  using bench = new Bench(4, { shapes: { offset: { inputs: 1, outputs: 3 } } });
  const x = bench.data("x", 5, new Float32Array(20));
  assertThrows(
    () => centred(bench.tape, x, bench.parameters.get("offset")),
    RangeError,
    'Cannot centre "x" by "offset": expected 5 outputs, found 3',
  );
  assertThrows(() => columns(bench.tape, x, 3, 3), RangeError, "expected at least one of its 5, found 3 from 3 on");
});
