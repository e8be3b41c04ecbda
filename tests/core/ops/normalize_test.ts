/** Batch, layer and group normalization, their gradients and moving averages, on both tile families, against the float64 reference. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Activation } from "../../../core/ops/activations.ts";
import { activate } from "../../../core/ops/activate.ts";
import { add } from "../../../core/ops/add.ts";
import { batchNorm, groupNorm, layerNorm, normShape, runningShape } from "../../../core/ops/normalize.ts";
import { createOptimizer } from "../../../core/optimizers/mod.ts";
import { constant } from "../../../core/graph/schedule.ts";
import type { Variable } from "../../../core/graph/tape.ts";
import type { TileFamily } from "../../../core/products/tiles.ts";
import { activations } from "../../reference/dense.ts";
import {
  moments,
  normalizeBackward,
  normalizeForward,
  ofBatch,
  ofGroups,
  type SetOf,
} from "../../reference/normalize.ts";
import { assertClose, draw, float64 } from "../../support/compare.ts";
import { assertSame, Bench, type BenchOptions, families } from "../../support/gpu.ts";

// N, H W, C, G: dense rows and images, widths in fours and not, beyond a panel of 32, groups within and across four channels.
const SIZES = [
  [2, 1, 1, 1],
  [5, 1, 37, 1],
  [33, 1, 64, 16],
  [5, 1, 500, 25],
  [3, 9, 6, 2],
  [9, 4, 12, 12],
  [2, 35, 36, 6],
  [4, 49, 64, 4],
] as const;

type Kind = "batch" | "layer" | "group";
const kinds: readonly Kind[] = ["batch", "layer", "group"];

const setsOf = (kind: Kind, channels: number, groups: number): SetOf =>
  kind === "batch" ? ofBatch : ofGroups(channels, kind === "layer" ? 1 : groups);

function examples(count: number, pixels: number, channels: number) {
  const size = count * pixels * channels;
  // About a mean far from 0, where E[x²] - E[x]² would cancel.
  const x = draw(size, 1).map((value, i) => 2 * value + 30 + i % channels);
  return { x, gain: draw(channels, 2), offset: draw(channels, 3), upstream: draw(size, 4) };
}

function benched(channels: number, count: number, options: BenchOptions) {
  return new Bench(count, { shapes: { norm: normShape(channels), running: runningShape(channels) }, ...options });
}

/** Records a normalization of images of so many pixels. */
function normalized(
  { tape, parameters }: Bench,
  kind: Kind,
  x: Variable,
  groups: number,
  options: { pixels: number; activation?: Activation },
): Variable {
  const norm = parameters.get("norm");
  if (kind === "batch") return batchNorm(tape, x, norm, parameters.get("running"), options);
  return kind === "layer" ? layerNorm(tape, x, norm, options) : groupNorm(tape, x, norm, groups, options);
}

for (const family of families) {
  for (const kind of kinds) {
    for (const [count, pixels, channels, groups] of SIZES) {
      for (const flat of pixels > 1 && channels % 4 === 0 ? [false, true] : [false]) {
        const images = `${count} x ${pixels} x ${channels}${flat ? " in rows" : ""}`;
        Deno.test(`${kind}Norm() and its gradients: ${images}, ${groups} groups, ${family} tiles`, async () => {
          const { x, gain, offset, upstream } = examples(count, pixels, channels);
          using bench = benched(channels, count, { family });
          bench.set("norm", gain, offset);
          const input = bench.input("x", flat ? pixels * channels : channels, x);
          const y = normalized(bench, kind, input, groups, { pixels });
          await bench.run([bench.given(y, upstream)]);
          const sizes = { count, pixels, channels };
          const setOf = setsOf(kind, channels, groups);
          const [x64, gain64, upstream64] = [x, gain, upstream].map(float64);
          const expected = normalizeForward(x64, gain64, float64(offset), sizes, setOf);
          // 1 / σ of a float32 x around 30 to 530; where a set is one element, or two close ones, ε is what it is over.
          const near = { absolute: channels > 64 ? 2e-4 : 5e-5 };
          assertClose(await bench.read(y), expected, "y", near);
          const { dx, dGain, dOffset } = normalizeBackward(x64, gain64, upstream64, sizes, setOf);
          assertClose(await bench.gradient(input), dx, "dx", near);
          const { weight, bias } = await bench.parameterGradient("norm");
          assertClose(weight, dGain, "dγ", { ...near, sum: count * pixels });
          assertClose(bias, dOffset, "dβ", { sum: count * pixels });
        });
      }
    }

    for (const activation of ["tanh", "gelu"] as const) {
      Deno.test(`${kind}Norm() ends with ${activation}, and adds to what else reaches x, ${family} tiles`, async () => {
        const [count, pixels, channels] = [5, 3, 8];
        const { x, gain, offset, upstream } = examples(count, pixels, channels);
        using bench = benched(channels, count, { family });
        bench.set("norm", gain, offset);
        const input = bench.input("x", channels, x);
        const y = normalized(bench, kind, input, 2, { pixels, activation });
        await bench.run([bench.given(add(bench.tape, input, y), upstream)]);
        const sizes = { count, pixels, channels };
        const setOf = setsOf(kind, channels, 2);
        const { value, derivative } = activations[activation];
        const a = normalizeForward(float64(x), float64(gain), float64(offset), sizes, setOf);
        assertClose(await bench.read(y), a.map(value), "y", { absolute: 5e-5 });
        const da = float64(upstream).map((dy, i) => dy * derivative(a[i]));
        const { dx, dGain } = normalizeBackward(float64(x), float64(gain), da, sizes, setOf);
        assertClose(await bench.gradient(input), dx.map((value, i) => value + upstream[i]), "dx", { absolute: 5e-5 });
        assertClose((await bench.parameterGradient("norm")).weight, dGain, "dγ", { absolute: 5e-5, sum: 15 });
      });
    }
  }

  Deno.test(`batchNorm() leaves rows that are no data out of its statistics and gives them no gradient, ${family} tiles`, async () => {
    // A batch of 8 with 5 rows of data: of 13 rows in their order, those of the second step.
    const [data, pixels, channels] = [5, 2, 4];
    const { x, gain, offset, upstream } = examples(8, pixels, channels);
    const live = data * pixels * channels;
    upstream.fill(0, live);
    using bench = benched(channels, 8, { family, count: 13, step: 1 });
    bench.set("norm", gain, offset);
    const input = bench.input("x", channels, x);
    const y = normalized(bench, "batch", input, 1, { pixels });
    await bench.run([bench.given(y, upstream)]);
    const sizes = { count: data, pixels, channels };
    const seen = float64(x.subarray(0, live));
    const expected = normalizeForward(seen, float64(gain), float64(offset), sizes, ofBatch);
    assertClose((await bench.read(y)).subarray(0, live), expected, "y", { absolute: 5e-5 });
    const { dx, dGain } = normalizeBackward(seen, float64(gain), float64(upstream.subarray(0, live)), sizes, ofBatch);
    const gradient = await bench.gradient(input);
    assertClose(gradient.subarray(0, live), dx, "dx", { absolute: 5e-5 });
    assertEquals([...gradient.subarray(live)], Array(x.length - live).fill(0));
    assertClose((await bench.parameterGradient("norm")).weight, dGain, "dγ", { absolute: 5e-5, sum: 10 });
  });

  Deno.test(`batchNorm() moves its averages in a training that updates, and takes them without a training, ${family} tiles`, async () => {
    const [count, pixels, channels] = [5, 3, 37];
    const { x, gain, offset, upstream } = examples(count, pixels, channels);
    const sizes = { count, pixels, channels };
    const found = moments(float64(x), sizes, ofBatch);
    const start = { variance: draw(channels, 5).map((value) => value ** 2 + 0.5), mean: draw(channels, 6) };
    const run = async (training?: "gradients" | "sgd") => {
      using bench = benched(channels, count, { family });
      bench.set("norm", gain, offset);
      bench.set("running", start.variance, start.mean);
      const y = normalized(bench, "batch", bench.input("x", channels, x), 1, { pixels });
      const given = bench.given(y, upstream);
      const { program } = await bench.compile(
        [given],
        training && {
          optimizer: training === "sgd" ? createOptimizer("sgd", { learningRate: constant(0) }) : training,
          reduction: "sum",
        },
      );
      await program.submit(1);
      const { weight, bias } = await bench.parameters.get("running").get();
      return { y: await bench.read(y), variance: weight, mean: bias, dispatches: program.dispatches.length };
    };
    const evaluated = await run();
    const expected = float64(x).map((value, i) => {
      const c = i % channels;
      return gain[c] * (value - start.mean[c]) / Math.sqrt(start.variance[c] + 1e-5) + offset[c];
    });
    assertClose(evaluated.y, expected, "y of the averages");
    assertEquals([evaluated.mean, evaluated.variance], [start.mean, start.variance]);
    const measured = await run("gradients");
    assertEquals([measured.mean, measured.variance], [start.mean, start.variance]);
    const trained = await run("sgd");
    assertEquals(trained.y, measured.y);
    const size = count * pixels;
    assertClose(trained.mean, start.mean.map((mean, c) => 0.9 * mean + 0.1 * found.get(c)!.mean), "means");
    assertClose(
      trained.variance,
      start.variance.map((variance, c) => 0.9 * variance + 0.1 * found.get(c)!.variance * size / (size - 1)),
      "variances",
    );
  });

  Deno.test(`a normalization is one dispatch forward and two backward, ${family} tiles`, async () => {
    for (const kind of kinds) {
      using bench = benched(8, 5, { family });
      const x = activate(bench.tape, bench.input("x", 8, draw(40, 1)), "tanh");
      const y = normalized(bench, kind, x, 2, { pixels: 1, activation: "relu" });
      const { program } = await bench.compile([bench.given(y, draw(40, 2))], {
        ...{ optimizer: "gradients", reduction: "sum" },
      });
      const labels = program.dispatches.map(({ label }) => label).filter((label) => label.startsWith("norm"));
      assertEquals(labels, ["norm forward", "norm input gradient", "norm gradient"]);
    }
  });
}

Deno.test("one step of a normalization has the same bits every time", async () => {
  const once = async (kind: Kind, family: TileFamily) => {
    const { x, gain, offset, upstream } = examples(9, 35, 12);
    using bench = benched(12, 9, { family });
    bench.set("norm", gain, offset);
    const input = bench.input("x", 12, x);
    const y = normalized(bench, kind, input, 3, { pixels: 35, activation: "silu" });
    await bench.run([bench.given(y, upstream)]);
    return [await bench.read(y), await bench.gradient(input), await bench.parameterGradient("norm")];
  };
  for (const kind of kinds) assertEquals(await once(kind, families[0]), await once(kind, families[0]));
});

Deno.test("normalizations that do not depend on each other become one dispatch, which gives the same values", async () => {
  const run = async (fuses: boolean) => {
    const { x, gain, offset, upstream } = examples(5, 9, 12);
    const shapes = { one: normShape(12), other: normShape(12) };
    using bench = new Bench(5, { family: "workgroup", fuses, shapes });
    const outputs = ["one", "other"].map((name, i) => {
      bench.set(name, gain, offset);
      const parameter = bench.parameters.get(name);
      const input = bench.input(`x of ${name}`, 12, x);
      return groupNorm(bench.tape, input, parameter, 2 + i, { pixels: 9, activation: "gelu" });
    });
    const terms = outputs.map((y) => bench.given(y, upstream));
    const { program } = await bench.compile(terms, { optimizer: "gradients", reduction: "sum" });
    await program.submit(1);
    const values = await Promise.all(outputs.map((y) => bench.read(y)));
    const gradients = await Promise.all(["one", "other"].map((name) => bench.parameterGradient(name)));
    const all = [...values, ...gradients.flatMap(({ weight, bias }) => [weight, bias])];
    return { all, labels: program.dispatches.map(({ label }) => label) };
  };
  const [apart, joined] = [await run(false), await run(true)];
  assert(joined.labels.includes("one forward + other forward"), joined.labels.join("; "));
  joined.all.forEach((values, i) => assertSame(values, apart.all[i], `${i}`));
});

Deno.test("more sets than workgroups of one dimension are all normalized", async () => {
  // 33,000 rows of one group: more than 32,768.
  const [count, channels] = [33_000, 4];
  const { x, gain, offset, upstream } = examples(count, 1, channels);
  using bench = benched(channels, count, {});
  bench.set("norm", gain, offset);
  const y = normalized(bench, "layer", bench.input("x", channels, x), 1, { pixels: 1 });
  await bench.run([bench.given(y, upstream)]);
  const last = (values: Float32Array) => float64(values.subarray(-400));
  const sizes = { count: 100, pixels: 1, channels };
  const expected = normalizeForward(last(x), float64(gain), float64(offset), sizes, ofGroups(4, 1));
  assertClose((await bench.read(y)).subarray(-400), expected, "y", { absolute: 5e-5 });
});

Deno.test("normalizations refuse widths and groups that do not fit, and a batch of one row", () => {
  using bench = benched(6, 1, {});
  const { tape, parameters } = bench;
  const [norm, running] = [parameters.get("norm"), parameters.get("running")];
  const x = bench.input("x", 6, draw(6, 1));
  const wide = bench.input("wide", 24, draw(24, 1));
  assertThrows(
    () => layerNorm(tape, wide, norm),
    RangeError,
    'Cannot apply "norm" to "wide": expected [N, 6], found [1, 24]',
  );
  assertThrows(
    () => batchNorm(tape, wide, norm, running, { pixels: 4 }),
    RangeError,
    'Cannot apply "norm" to "wide": expected [N 4, 6], found [1, 24]',
  );
  assertThrows(
    () => groupNorm(tape, x, norm, 4),
    RangeError,
    'Cannot apply "norm": expected a number of groups that divides 6, found 4',
  );
  const y = batchNorm(tape, x, norm, running);
  const error = assertThrows(
    () => tape.compile([{ terms: [bench.given(y, draw(6, 2))] }], { optimizer: "gradients", reduction: "sum" }),
    RangeError,
  );
  assert(error.message.startsWith('Cannot train "norm" on batches of 1 row'), error.message);
});
