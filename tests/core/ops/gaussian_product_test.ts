/** The draw from a product of Gaussians, its divergence and their gradients against float64. */

import { assertEquals, assertThrows } from "@std/assert";
import { drawProduct } from "../../../core/ops/gaussian_product.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { createTensor, upload } from "../../../core/gpu/tensor.ts";
import { productForward } from "../../reference/gaussian_product.ts";
import { centralDifferences } from "../../reference/numeric.ts";
import { assertClose, draw, float64 } from "../../support/compare.ts";
import { Bench, families, gpu } from "../../support/gpu.ts";

const [KL_WEIGHT, FLOORED_WEIGHT] = [0.7, 0.4];

const cases = [
  { rows: 1, latents: 1, divergence: "analytic" },
  { rows: 9, latents: 5, divergence: "sampled", repeats: 3 },
  { rows: 8, latents: 6, divergence: "analytic", block: 2, repeats: 2 },
  { rows: 7, latents: 3, divergence: "analytic", freeBits: 0.3 },
  { rows: 33, latents: 37, divergence: "analytic" },
] as const;

for (const family of families) {
  for (const each of cases) {
    const { rows, latents, divergence, block = latents, repeats = 1, freeBits = 0 } = {
      block: undefined,
      repeats: undefined,
      freeBits: undefined,
      ...each,
    };
    Deno.test(`drawProduct() and its gradients agree with float64: ${JSON.stringify(each)}, ${family} tiles`, async () => {
      const sizes = { latents, block, repeats };
      const [found, prior] = [draw(rows / repeats * 2 * latents, 1, 1.5), draw(rows * 2 * latents, 2, 1.5)];
      const [noise, upstream] = [draw(rows * latents, 3), draw(rows * latents, 4)];
      using bench = new Bench(rows, { family });
      const given = createTensor(gpu, "noise", rows, latents, { storedRows: bench.tape.rows });
      upload(gpu, given, noise);
      const inputs = [["found", found], ["prior", prior]] as const;
      const [a, b] = inputs.map(([name, values]) => bench.input(name, 2 * latents, values));
      const { z, kl, floored } = drawProduct(bench.tape, a, b, { noise: given, divergence, block, freeBits });
      await bench.run([
        { name: "kl", value: kl, weight: constant(KL_WEIGHT) },
        ...floored ? [{ name: "floored", value: floored, weight: constant(FLOORED_WEIGHT) }] : [],
        bench.given(z, upstream),
      ]);
      const [exactFound, exactPrior, exactNoise] = [found, prior, noise].map(float64);
      const forward = () => productForward(exactFound, exactPrior, exactNoise, sizes);
      const rowSums = (each: Float64Array) =>
        Float64Array.from(
          { length: rows },
          (_, n) => each.slice(n * latents, (n + 1) * latents).reduce((x, y) => x + y),
        );
      const floor = (each: Float64Array) => each.map((value) => Math.max(value, freeBits));
      const expected = forward();
      assertClose(await bench.read(z), expected.z, "z", { absolute: 4e-6 });
      assertClose(await bench.rows(kl), rowSums(expected[divergence]), "kl", { sum: latents });
      if (floored) {
        assertClose(await bench.rows(floored), rowSums(floor(expected.analytic)), "floored", { sum: latents });
      }
      const loss = () => {
        const now = forward();
        return now.z.reduce((sum, value, i) => {
          const extra = freeBits ? FLOORED_WEIGHT * Math.max(now.analytic[i], freeBits) : 0;
          return sum + value * upstream[i] + KL_WEIGHT * now[divergence][i] + extra;
        }, 0);
      };
      const tolerance = { sum: repeats, absolute: 3e-5 };
      // Differences of all elements take the square of their number.
      if (rows * latents > 100) return;
      assertClose(await bench.gradient(a), centralDifferences(loss, exactFound), "dfound", tolerance);
      assertClose(await bench.gradient(b), centralDifferences(loss, exactPrior), "dprior", tolerance);
    });
  }
}

Deno.test("drawProduct() is the prior where nothing was found, with no divergence; no gradient passes where it is clamped", async () => {
  using bench = new Bench(3);
  const found = bench.input("found", 2, Float32Array.of(5, 1000, 5, 20, 5, -1000));
  const prior = bench.input("prior", 2, Float32Array.of(1, -2, 1, -2, 1, -2));
  const { z, kl } = drawProduct(bench.tape, found, prior, { noise: noNoise(bench) });
  await bench.run([{ name: "kl", value: kl, weight: constant(1) }]);
  // A variance of e^20 beside e^-2, and e^-30 beside it.
  assertClose(await bench.read(z), [1, 1, 5], "z", { absolute: 1e-6 });
  assertClose(await bench.rows(kl), [0, 0, 0.5 * (28 - 1 + 16 * Math.exp(2))], "kl");
  const gradient = await bench.gradient(found);
  assertEquals([gradient[1], gradient[5]], [0, 0]);
});

function noNoise(bench: Bench) {
  return createTensor(gpu, "noise", bench.tape.batch, 1, { storedRows: bench.tape.rows });
}

Deno.test("drawProduct() refuses statistics that do not fit", () => {
  using bench = new Bench(4);
  const [found, prior] = [bench.input("found", 4, new Float32Array(12)), bench.input("prior", 4, new Float32Array(16))];
  const message =
    'Cannot draw from the product of "found" and "prior": expected 4 columns and a number of rows that divides 4';
  assertThrows(() => drawProduct(bench.tape, found, prior), RangeError, message);
  const odd = bench.input("odd", 3, new Float32Array(12));
  assertThrows(() => drawProduct(bench.tape, prior, odd), RangeError, "expected an even number of columns, found 3");
});
