/** The mixture prior: its density and gradients against float64, its draws by their moments. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { drawMixture, mixtureRatio } from "../../../core/ops/mixture_prior.ts";
import { parameterMatrix } from "../../../core/ops/parameter_matrix.ts";
import { sumValues } from "../../../core/ops/sum_values.ts";
import { uniforms } from "../../../core/graph/random.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { assertClose, draw } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

interface Mixture {
  readonly latents: number;
  readonly columns: number;
}

/** log N(z; 0, I) - log p(z) of one row. */
function ratioOf(z: Float64Array, components: Float64Array, { latents, columns }: Mixture): number {
  const count = components.length / columns;
  const logits = Array.from(
    { length: count },
    (_, c) => columns > 2 * latents ? components[c * columns + 2 * latents] : 0,
  );
  const normalizer = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  let density = 0;
  for (let c = 0; c < count; c++) {
    let log = logits[c] - normalizer;
    for (let k = 0; k < latents; k++) {
      const logVariance = components[c * columns + latents + k];
      log -= 0.5 * (logVariance + (z[k] - components[c * columns + k]) ** 2 / Math.exp(logVariance));
    }
    density += Math.exp(log);
  }
  return -0.5 * z.reduce((sum, value) => sum + value * value, 0) - Math.log(density);
}

/** The derivative of `f` by each value, by central differences in float64. */
const derivatives = (values: Float64Array, f: () => number) =>
  values.map((original, i) => {
    const at = (value: number) => (values[i] = value, f());
    const difference = (at(original + 1e-5) - at(original - 1e-5)) / 2e-5;
    values[i] = original;
    return difference;
  });

for (const family of families) {
  for (const [rows, latents, count, weights] of [[1, 1, 1, 0], [9, 3, 5, 1], [97, 5, 33, 0], [100, 33, 4, 1]]) {
    Deno.test(`mixtureRatio() and its gradients agree with float64: ${rows} x ${latents}, ${count} components${weights ? ", weighed" : ""}, ${family} tiles`, async () => {
      const columns = 2 * latents + weights;
      const z = Float64Array.from(draw(rows * latents, 1));
      const components = Float64Array.from(draw(count * columns, 2)).map((value) => value / 2);
      const upstream = 0.25;
      const shape = { latents, columns };
      const rowOf = (n: number) => z.subarray(n * latents, (n + 1) * latents);
      const ratios = () => Float64Array.from({ length: rows }, (_, n) => ratioOf(rowOf(n), components, shape));
      using bench = new Bench(rows, { family, shapes: { prior: { inputs: count, outputs: columns } } });
      bench.set("prior", Float32Array.from(components), new Float32Array(columns));
      const variable = bench.input("z", latents, Float32Array.from(z));
      const ratio = mixtureRatio(bench.tape, variable, parameterMatrix(bench.tape, bench.parameters.get("prior")));
      await bench.run([{ name: "ratio", value: ratio, weight: constant(upstream) }]);
      assertClose(await bench.rows(ratio), ratios(), "ratio", { sum: latents });
      const total = () => upstream * ratios().reduce((sum, value) => sum + value, 0);
      assertClose(await bench.gradient(variable), derivatives(z, total), "dz", { sum: count });
      const { weight } = await bench.parameterGradient("prior");
      assertClose(weight, derivatives(components, total), "dcomponents", { sum: rows });
    });
  }
}

Deno.test("mixtureRatio() is zero where the mixture is N(0, I), and has no gradient where the variance is clamped", async () => {
  using bench = new Bench(4, { shapes: { prior: { inputs: 2, outputs: 4 }, wide: { inputs: 1, outputs: 4 } } });
  bench.set("prior", new Float32Array(8), new Float32Array(4));
  bench.set("wide", Float32Array.of(0, 0, 25, 0), new Float32Array(4));
  const z = bench.input("z", 2, draw(8, 1));
  const [same, wide] = ["prior", "wide"].map((name) =>
    mixtureRatio(bench.tape, z, parameterMatrix(bench.tape, bench.parameters.get(name)))
  );
  const sum = sumValues(bench.tape, "sum", same, wide);
  await bench.run([{ name: "sum", value: sum, weight: constant(1) }]);
  assertClose(await bench.rows(same), new Float64Array(4), "ratio", { absolute: 1e-6 });
  const { weight } = await bench.parameterGradient("wide");
  assertEquals(weight[2], 0);
  assert(weight[3] !== 0);
});

Deno.test("drawMixture() draws components by their weights, each with its mean and deviation", async () => {
  const count = 4000;
  const means = [-3, 0, 5];
  const logits = [0, Math.log(2), Math.log(5)];
  using bench = new Bench(count, { shapes: { prior: { inputs: 3, outputs: 3 } } });
  bench.set(
    "prior",
    Float32Array.from(means.flatMap((mean, c) => [mean, Math.log(0.01), logits[c]])),
    new Float32Array(3),
  );
  const [normal, uniform] = [draw(count, 1), uniforms(new Float32Array(count), 1, 0, 5)];
  const noise = bench.input(
    "noise",
    2,
    Float32Array.from({ length: 2 * count }, (_, i) => [normal, uniform][i % 2][i >> 1]),
  );
  const z = drawMixture(bench.tape, parameterMatrix(bench.tape, bench.parameters.get("prior")), noise);
  await bench.run([bench.given(z, new Float32Array(count))]);
  const drawn = await bench.read(z);
  for (const [c, mean] of means.entries()) {
    const own = drawn.filter((value) => Math.abs(value - mean) < 1);
    // Three deviations of a share of 4,000, of a mean and of a deviation of so many.
    const share = [1, 2, 5][c] / 8;
    assertAlmostEquals(own.length / count, share, 3 * Math.sqrt(share * (1 - share) / count));
    const average = own.reduce((sum, value) => sum + value, 0) / own.length;
    assertAlmostEquals(average, mean, 0.3 / Math.sqrt(own.length));
    const deviation = Math.sqrt(own.reduce((sum, value) => sum + (value - average) ** 2, 0) / own.length);
    assertAlmostEquals(deviation, 0.1, 0.3 / Math.sqrt(2 * own.length));
  }
});

Deno.test("mixtureRatio() says what does not fit", () => {
  using bench = new Bench(4, { shapes: { prior: { inputs: 2, outputs: 7 } } });
  const z = bench.input("z", 2, draw(8, 1));
  mixtureRatio(bench.tape, z, parameterMatrix(bench.tape, bench.parameters.get("prior")));
  assertThrows(() => bench.tape.compile([]), RangeError, 'Cannot mix "prior": expected 4 columns or one more, found 7');
});
