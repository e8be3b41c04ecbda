/** Filters and the multi-scale structural similarity: values and gradients against float64, and against the measure on the host. */

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { filter } from "../../../core/ops/filter.ts";
import { msSsim, scalesOf } from "../../../core/ops/ms_ssim.ts";
import { ssim } from "../../../evaluation/image_quality.ts";
import { msSsim as reference } from "../../reference/ms_ssim.ts";
import { centralDifferences } from "../../reference/numeric.ts";
import { uniforms } from "../../../core/graph/random.ts";
import { assertClose, draw } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

for (
  const [shape, axis, taps, stride] of [
    [[5, 7, 3], "down", [0.5, -1, 2], 1],
    [[5, 7, 3], "across", [0.25, 3], 2],
    [[6, 4, 1], "down", [1], 3],
  ] as const
) {
  Deno.test(`filter() and its gradient agree with float64: ${shape.join(" x ")} ${axis}, ${taps.length} taps, stride ${stride}`, async () => {
    const [height, width, channels] = shape;
    const rows = 3;
    const size = height * width * channels;
    const x = draw(rows * size, 1);
    const [from, inner] = axis === "down" ? [height, width * channels] : [width, channels];
    const to = Math.floor((from - taps.length) / stride) + 1;
    const count = size / from * to;
    const dy = draw(rows * count, 2);
    const [y, dx] = [new Float64Array(rows * count), new Float64Array(rows * size)];
    for (let i = 0; i < y.length; i++) {
      const first = Math.floor(i / inner / to) * from + Math.floor(i / inner) % to * stride;
      taps.forEach((tap, k) => {
        const at = (first + k) * inner + i % inner;
        y[i] += tap * x[at];
        dx[at] += tap * dy[i];
      });
    }
    for (const family of families) {
      using bench = new Bench(rows, { family });
      const input = bench.input("x", size, x);
      const output = filter(bench.tape, input, { shape, axis, taps, stride });
      await bench.run([bench.given(output, dy)]);
      assertClose(await bench.read(output), y, "y");
      assertClose(await bench.gradient(input), dx, "dx");
    }
  });
}

for (const [shape, side, scales] of [[[12, 13, 2], 11, 1], [[23, 25, 1], 11, 2], [[6, 4, 1], 3, 1]] as const) {
  Deno.test(`msSsim() agrees with float64: ${shape.join(" x ")}`, async () => {
    const size = shape[0] * shape[1] * shape[2];
    const rows = 3;
    const a = uniforms(new Float32Array(rows * size), 1, 0, 0);
    // One image near the other, one far from it, and one equal to it.
    const b = uniforms(new Float32Array(rows * size), 2, 0, 0).map((u, i) =>
      i < size ? a[i] + 0.1 * (u - 0.5) : i < 2 * size ? u : a[i]
    );
    using bench = new Bench(rows);
    const similarity = msSsim(bench.tape, bench.data("a", size, a), bench.data("b", size, b), shape);
    const { program } = await bench.compile([bench.given(similarity, new Float32Array(rows))]);
    await program.submit(1);
    const found = await bench.read(similarity);
    assertEquals(scalesOf(shape), scales);
    const image = (values: Float32Array, n: number) => Float64Array.from(values.subarray(n * size, (n + 1) * size));
    for (let n = 0; n < rows; n++) {
      assertAlmostEquals(found[n], reference(image(a, n), image(b, n), shape, side, scales), 2e-5);
    }
    assertAlmostEquals(found[2], 1, 1e-5);
    const bytes = Uint8Array.from(a, (value) => Math.round(255 * value));
    using other = new Bench(rows);
    const both = ["a", "b"].map((name) => other.data(name, size, bytes));
    const equal = msSsim(other.tape, both[0], both[1], shape);
    const again = await other.compile([other.given(equal, new Float32Array(rows))]);
    await again.program.submit(1);
    for (const value of await other.read(equal)) assertAlmostEquals(value, 1, 1e-5);
    // At one scale it is the SSIM.
    if (scales === 1 && side === 11) {
      ssim(a, b, shape).forEach((value, n) => assertAlmostEquals(found[n], Math.max(value, 1e-4), 2e-5));
    }
  });
}

Deno.test("the gradient of msSsim() agrees with float64, at two scales", async () => {
  const shape = [22, 23, 1] as const;
  const size = 22 * 23;
  const a = uniforms(new Float32Array(size), 1, 0, 0);
  const b = a.map((value, i) => 0.7 * value + 0.3 * ((i * 7) % 11) / 11);
  using bench = new Bench(1);
  const decoded = bench.input("b", size, b);
  const similarity = msSsim(bench.tape, bench.data("a", size, a), decoded, shape);
  await bench.run([bench.given(similarity, Float32Array.of(1000))]);
  const [x, y] = [Float64Array.from(a), Float64Array.from(b)];
  const value = () => 1000 * reference(x, y, shape, 11, 2);
  assertClose(await bench.gradient(decoded), centralDifferences(value, y), "db", { absolute: 2e-4 });
});

Deno.test("msSsim() says what does not fit", () => {
  using bench = new Bench(2);
  const [a, b] = ["a", "b"].map((name) => bench.data(name, 14, draw(28, 1)));
  assertThrows(
    () => msSsim(bench.tape, a, b, [2, 7, 1]),
    RangeError,
    "Cannot form the MS-SSIM: expected images of at least 3 x 3 pixels, found 2 x 7",
  );
  assertThrows(
    () => filter(bench.tape, a, { shape: [2, 7, 1], axis: "down", taps: [1, 1, 1] }),
    RangeError,
    'Cannot filter "a": expected images of 2 x 7 x 1 numbers and at least 3 of them along the filter, found 14 and 2',
  );
});
