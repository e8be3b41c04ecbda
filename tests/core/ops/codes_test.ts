/** The ops of a prior over codes, and counting codes, on both tile families, against the float64 reference. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { perplexity } from "../../../core/training/code_usage.ts";
import { causalContext, causalContextOfStep, contextOffsets } from "../../../core/ops/causal_context.ts";
import { drawCode } from "../../../core/ops/draw_code.ts";
import { embedding } from "../../../core/ops/embedding.ts";
import { softmaxNll } from "../../../core/ops/softmax_nll.ts";
import { counter } from "../../../core/ops/counter.ts";
import { randomBits } from "../../../core/graph/random.ts";
import { constant } from "../../../core/graph/schedule.ts";
import * as reference from "../../reference/codes.ts";
import { assertClose, draw, float64 } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

/** Codes below K, the same in every run. */
const drawCodes = (size: number, count: number) =>
  Float32Array.from({ length: size }, (_, i) => randomBits(7, 0, 5, i)[0] % count);

for (const family of families) {
  // N, H, W, K, E or R.
  for (const [batch, height, width, count, depth] of [[1, 1, 1, 2, 4], [5, 5, 7, 37, 3], [33, 3, 2, 100, 33]]) {
    const title = `${batch} x ${height} x ${width} of ${count} codes, ${family} tiles`;
    const positions = height * width;
    const rows = batch * positions;
    const codes = drawCodes(rows, count);

    Deno.test(`embedding() looks columns up, and sums their gradients by code: ${title}`, async () => {
      using bench = new Bench(batch, { family, shapes: { table: { inputs: depth, outputs: count } } });
      const [table, upstream] = [draw(depth * count, 1), draw(rows * depth, 2)];
      bench.set("table", table, new Float32Array(count).fill(9));
      const y = embedding(bench.tape, bench.input("codes", positions, codes), bench.parameters.get("table"));
      await bench.run([bench.given(y, upstream)]);
      const expected = new Float64Array(depth * count);
      upstream.forEach((value, i) => expected[i % depth * count + codes[Math.floor(i / depth)]] += value);
      const values = Array.from(upstream, (_, i) => table[i % depth * count + codes[Math.floor(i / depth)]]);
      assertEquals([...await bench.read(y)], values);
      const { weight, bias } = await bench.parameterGradient("table");
      assertClose(weight, expected, "dtable", { sum: rows, absolute: 1e-6 });
      assert(bias.every((value) => value === 0), "the bias has no gradient");
    });

    Deno.test(`softmaxNll() and its gradient agree with the reference: ${title}`, async () => {
      using bench = new Bench(batch, { family });
      // Far apart, so that an exponential without the largest taken out would overflow; at 200, float32 knows 1e-5.
      const logits = draw(rows * count, 3).map((value) => 40 * value + 50);
      const input = bench.input("logits", count, logits);
      const nll = softmaxNll(bench.tape, input, bench.input("codes", positions, codes));
      await bench.run([{ name: "nll", value: nll, weight: constant(0.5) }]);
      const expected = reference.softmaxNll(float64(logits), codes, { positions, count });
      assertClose(await bench.rows(nll), expected.nll, "nll", { sum: positions });
      assertClose(await bench.gradient(input), expected.gradient.map((value) => 0.5 * value), "da");
    });
  }

  for (
    const [batch, height, width, each, radius, channels] of [
      [1, 1, 1, 1, 1, 4],
      [3, 5, 7, 1, 2, 4],
      [2, 4, 3, 1, 3, 36],
      [3, 2, 5, 3, 1, 4],
    ]
  ) {
    const title = `${batch} x ${height} x ${width} x ${each} x ${channels}, radius ${radius}, ${family} tiles`;

    Deno.test(`causalContext() and its gradient agree with the reference: ${title}`, async () => {
      const rows = batch * height * width * each;
      const sizes = { height, width, each, radius, channels };
      using bench = new Bench(batch, { family });
      const x = draw(rows * channels, 1);
      const input = bench.input("x", channels, x);
      const y = causalContext(bench.tape, input, sizes);
      const upstream = draw(y.rows * y.columns, 2);
      await bench.run([bench.given(y, upstream)]);
      assertClose(await bench.read(y), reference.contextForward(float64(x), sizes), "y", { sum: each });
      const gradient = reference.contextBackward(float64(upstream), rows, sizes);
      assertClose(await bench.gradient(input), gradient, "dx", {
        sum: 2 * each * radius * (radius + 1),
        absolute: 1e-6,
      });
    });

    Deno.test(`causalContextOfStep() is the context of its item: ${title}`, async () => {
      const items = height * width * each;
      const count = 5;
      const table = draw(channels * each * count, 1);
      const codes = drawCodes(batch * items, count);
      const x = Float64Array.from(
        { length: batch * items * channels },
        (_, i) => {
          const item = Math.floor(i / channels);
          return table[i % channels * each * count + item % each * count + codes[item]];
        },
      );
      const all = reference.contextForward(x, { height, width, each, radius, channels });
      // As many steps as items begin anew.
      for (const step of [0, items - 1, items + Math.floor(items / 2)]) {
        const shapes = { table: { inputs: channels, outputs: each * count } };
        using bench = new Bench(batch, { family, step, shapes });
        bench.set("table", table, new Float32Array(each * count));
        const options = { height, width, each, radius };
        const input = bench.data("codes", items, codes);
        const y = causalContextOfStep(bench.tape, input, bench.parameters.get("table"), options);
        await (await bench.compile([])).program.submit(1);
        const expected = Array.from({ length: batch }, (_, n) => {
          const row = n * items + step % items;
          return [...all.subarray(row * y.columns, (row + 1) * y.columns)];
        });
        assertClose(await bench.read(y), expected.flat(), "context", { sum: each });
      }
    });
  }

  Deno.test(`counter() counts the rows that are data, over all steps, until it is set back, ${family} tiles`, async () => {
    // 13 rows in batches of 5: the last one holds 3.
    using bench = new Bench(5, { family, count: 13 });
    const codes = drawCodes(15, 4);
    counter(bench.tape, "perplexity", bench.input("codes", 3, codes), 4, perplexity);
    const value = bench.tape.rowScalars("zero", 1);
    const { program } = await bench.compile([{ name: "zero", value, weight: constant(1) }]);
    await program.submit(3);
    const expected = [0, 0, 0, 0];
    for (const rows of [5, 5, 3]) codes.subarray(0, 3 * rows).forEach((code) => expected[code]++);
    assertEquals(await program.counts(), [expected]);
    const shares = expected.map((count) => count / 39);
    const entropy = shares.reduce((sum, share) => share > 0 ? sum - share * Math.log(share) : sum, 0);
    assertAlmostEquals(program.measure([expected]).perplexity, Math.exp(entropy), 1e-12);
    program.setCounts([[1, 2, 3, 4]]);
    assertEquals(await program.counts(), [[1, 2, 3, 4]]);
    program.setCounts();
    assertEquals(await program.counts(), [[0, 0, 0, 0]]);
  });
}

Deno.test("perplexity() is 1 for one code, K for K codes used alike, and 0 of nothing", () => {
  assertEquals(perplexity([0, 7, 0]), 1);
  assertAlmostEquals(perplexity(Array(37).fill(5)), 37, 1e-9);
  assertEquals(perplexity([0, 0]), 0);
});

Deno.test("contextOffsets() are all pixels before this one in reading order, within the radius", () => {
  assertEquals(contextOffsets(1), [[-1, -1], [-1, 0], [-1, 1], [0, -1]]);
  assertEquals(contextOffsets(3).length, 24);
  assert(contextOffsets(3).every(([dy, dx]) => dy < 0 || dx < 0));
});

Deno.test("softmaxNll(), causalContext() and drawCode() say what does not fit", () => {
  using bench = new Bench(4);
  const x = bench.input("x", 6, new Float32Array(48));
  assertThrows(
    () => softmaxNll(bench.tape, x, bench.input("codes", 3, new Float32Array(12))),
    RangeError,
    'Cannot compare "x" with "codes": expected 4 x 3 rows, found 8',
  );
  assertThrows(
    () => causalContext(bench.tape, x, { height: 2, width: 1, radius: 1 }),
    RangeError,
    'Cannot form the context of "x": expected images of 2 x 1 as [N 2, E], E a multiple of 4, found [8, 6]',
  );
  assertThrows(
    () => drawCode(bench.tape, { logits: x, temperature: x, codes: bench.input("codes", 3, new Float32Array(12)) }),
    RangeError,
    'Cannot draw "codes" from "x": expected 4 rows, found 8',
  );
});
