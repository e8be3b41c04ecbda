/** The dense layer, its two gradients and all activations on every tile, against the float64 reference. */

import { assertEquals, assertThrows } from "@std/assert";
import { type Activation, ACTIVATIONS } from "../../../core/ops/activations.ts";
import { dense } from "../../../core/ops/dense.ts";
import { randomBits } from "../../../core/graph/random.ts";
import { WORKGROUP_TILES } from "../../../core/products/tiles.ts";
import { denseBackward, denseForward, type DenseSizes } from "../../reference/dense.ts";
import { assertClose, draw, float64 } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

/** Values of a layer and a gradient from above; sums of `inputs` products stay about 1. */
function example({ batch, inputs, outputs }: DenseSizes) {
  return {
    x: draw(batch * inputs, 1),
    weight: draw(inputs * outputs, 2, inputs ** -0.5),
    bias: draw(outputs, 3),
    upstream: draw(batch * outputs, 4),
  };
}

/** The reference on the same float32 values. */
function reference(values: ReturnType<typeof example>, sizes: DenseSizes, activation: Activation) {
  const [x, weight, bias] = [values.x, values.weight, values.bias].map(float64);
  const { preactivation, output } = denseForward(x, weight, bias, sizes, activation);
  const gradient = denseBackward(x, weight, preactivation, float64(values.upstream), sizes, activation);
  return { output, gradient };
}

// Batches of one, of a full tile and of neither; widths below, at, and above one panel of 32 columns, with and without
// partial sums.
const SMALL: readonly [batch: number, inputs: number, outputs: number][] = [
  [1, 3, 33],
  [1, 500, 3],
  [97, 37, 32],
  [97, 32, 37],
  [100, 33, 3],
];

// Of which each tile is taken, also the larger ones: results that end in the middle of a tile, and MNIST's first layer.
const LARGE: typeof SMALL = [[150, 70, 70], [100, 784, 500]];

for (const family of [...families, ...WORKGROUP_TILES]) {
  for (const [batch, inputs, outputs] of [...families.some((name) => name === family) ? SMALL : [], ...LARGE]) {
    Deno.test(`dense() and its gradients agree with the reference: ${batch} x ${inputs} x ${outputs}, ${family} tiles`, async () => {
      const sizes = { batch, inputs, outputs };
      const values = example(sizes);
      const expected = reference(values, sizes, "identity");
      using bench = new Bench(batch, { family, shapes: { layer: { inputs, outputs } } });
      bench.set("layer", values.weight, values.bias);
      const x = bench.input("x", inputs, values.x);
      const y = dense(bench.tape, x, bench.parameters.get("layer"));
      await bench.run([bench.given(y, values.upstream)]);
      assertClose(await bench.read(y), expected.output, "y", { sum: inputs, absolute: 1e-6 });
      assertClose(await bench.gradient(x), expected.gradient.x, "dx", { sum: outputs, absolute: 1e-6 });
      const { weight, bias } = await bench.parameterGradient("layer");
      assertClose(weight, expected.gradient.weight, "dW", { sum: batch, absolute: 1e-6 });
      assertClose(bias, expected.gradient.bias, "db", { sum: batch, absolute: 1e-6 });
    });
  }
}

Deno.test("dense() agrees with the reference where its weight gradient is formed in chunks", async () => {
  const sizes = { batch: 700, inputs: 90, outputs: 70 };
  const values = example(sizes);
  const expected = reference(values, sizes, "tanh");
  using bench = new Bench(sizes.batch, { family: "workgroup", shapes: { layer: sizes } });
  bench.set("layer", values.weight, values.bias);
  const x = bench.input("x", sizes.inputs, values.x);
  const y = dense(bench.tape, x, bench.parameters.get("layer"), "tanh");
  const term = bench.given(y, values.upstream);
  const { program } = await bench.compile([term], { optimizer: "gradients", reduction: "sum" });
  await program.submit(1);
  assertEquals(program.dispatches.map(({ label }) => label).slice(-3, -1), [
    ...["layer weight gradient", "layer weight gradient, sum"],
  ]);
  assertClose(await bench.read(y), expected.output, "y", { sum: sizes.inputs, absolute: 1e-6 });
  assertClose(await bench.gradient(x), expected.gradient.x, "dx", { sum: sizes.outputs, absolute: 1e-6 });
  const { weight, bias } = await bench.parameterGradient("layer");
  assertClose(weight, expected.gradient.weight, "dW", { sum: sizes.batch, absolute: 1e-6 });
  assertClose(bias, expected.gradient.bias, "db", { sum: sizes.batch, absolute: 1e-6 });
});

for (const family of families) {
  // Every activation on one family; on the others one whose derivative follows from y, and one that needs its input kept.
  for (const activation of family === families[0] ? ACTIVATIONS : ["tanh", "gelu"] as const) {
    Deno.test(`dense() with ${activation} and its gradients agree with the reference, ${family} tiles`, async () => {
      const sizes = { batch: 32, inputs: 19, outputs: 35 };
      const values = example(sizes);
      // Up to about ±12, where every activation has settled.
      values.weight.forEach((w, i) => values.weight[i] = 3 * w);
      const expected = reference(values, sizes, activation);
      using bench = new Bench(sizes.batch, { family, shapes: { layer: sizes } });
      bench.set("layer", values.weight, values.bias);
      const x = bench.input("x", sizes.inputs, values.x);
      const y = dense(bench.tape, x, bench.parameters.get("layer"), activation);
      await bench.run([bench.given(y, values.upstream)]);
      assertClose(await bench.read(y), expected.output, "y", { sum: sizes.inputs, absolute: 1e-6 });
      assertClose(await bench.gradient(x), expected.gradient.x, "dx", { sum: sizes.outputs, absolute: 3e-6 });
      const { weight, bias } = await bench.parameterGradient("layer");
      assertClose(weight, expected.gradient.weight, "dW", { sum: sizes.batch, absolute: 3e-6 });
      assertClose(bias, expected.gradient.bias, "db", { sum: sizes.batch, absolute: 3e-6 });
      const stored = await bench.stored(y);
      const padding = [...stored].filter((_, i) =>
        32 * Math.floor(i / (32 * bench.tape.rows)) + i % 32 >= sizes.outputs
      );
      assertEquals(padding, Array(bench.tape.rows * 29).fill(0), "columns 35 to 63 of y");
    });
  }

  Deno.test(`dense() takes bytes for byte / 255, ${family} tiles`, async () => {
    const sizes = { batch: 97, inputs: 37, outputs: 32 };
    const bytes = Uint8Array.from({ length: 97 * 37 }, (_, i) => randomBits(7, 0, 5, i)[0] & 255);
    const values = { ...example(sizes), x: Float32Array.from(bytes, (byte) => byte / 255) };
    const expected = reference(values, sizes, "identity");
    using bench = new Bench(sizes.batch, { family, shapes: { layer: sizes } });
    bench.set("layer", values.weight, values.bias);
    const x = bench.data("x", sizes.inputs, bytes);
    const y = dense(bench.tape, x, bench.parameters.get("layer"));
    await bench.run([bench.given(y, values.upstream)]);
    assertClose(await bench.read(y), expected.output, "y", { sum: sizes.inputs, absolute: 1e-6 });
    const { weight, bias } = await bench.parameterGradient("layer");
    assertClose(weight, expected.gradient.weight, "dW", { sum: sizes.batch, absolute: 1e-6 });
    assertClose(bias, expected.gradient.bias, "db", { sum: sizes.batch, absolute: 1e-6 });
  });

  for (const activation of ["identity", "tanh", "gelu"] as const) {
    Deno.test(`a variable behind ${activation} that two layers read gets the sum of both gradients, ${family} tiles`, async () => {
      const below = { batch: 32, inputs: 5, outputs: 33 };
      const above = { batch: 32, inputs: 33, outputs: 4 };
      const [lower, one, two] = [example(below), example(above), example(above)];
      two.weight = draw(33 * 4, 8);
      two.upstream = draw(32 * 4, 9);
      using bench = new Bench(32, { family, shapes: { lower: below, one: above, two: above } });
      for (const [name, { weight, bias }] of Object.entries({ lower, one, two })) bench.set(name, weight, bias);
      const { parameters, tape } = bench;
      const x = bench.input("x", 5, lower.x);
      const h = dense(tape, x, parameters.get("lower"), activation);
      const terms = [
        bench.given(dense(tape, h, parameters.get("one")), one.upstream),
        bench.given(dense(tape, h, parameters.get("two")), two.upstream),
      ];
      await bench.run(terms);
      const output = Float32Array.from(reference(lower, below, activation).output);
      const dh1 = reference({ ...one, x: output }, above, "identity").gradient.x;
      const dh2 = reference({ ...two, x: output }, above, "identity").gradient.x;
      const upstream = Float32Array.from(dh1, (value, i) => value + dh2[i]);
      const expected = reference({ ...lower, upstream }, below, activation).gradient;
      assertClose(await bench.gradient(x), expected.x, "dx", { sum: 33 });
      const { weight, bias } = await bench.parameterGradient("lower");
      assertClose(weight, expected.weight, "dW", { sum: 32 });
      assertClose(bias, expected.bias, "db", { sum: 32 });
    });
  }

  Deno.test(`a parameter that a tape uses three times gets the sum of the gradients, ${family} tiles`, async () => {
    const sizes = { batch: 32, inputs: 33, outputs: 33 };
    const values = example(sizes);
    using bench = new Bench(32, { family, shapes: { layer: sizes } });
    bench.set("layer", values.weight, values.bias);
    const x = bench.input("x", 33, values.x);
    const layer = bench.parameters.get("layer");
    const h = dense(bench.tape, x, layer);
    const h2 = dense(bench.tape, h, layer);
    const y = dense(bench.tape, h2, layer);
    await bench.run([bench.given(y, values.upstream)]);
    const outputs = [values.x];
    for (let i = 0; i < 2; i++) {
      outputs.push(Float32Array.from(reference({ ...values, x: outputs[i] }, sizes, "identity").output));
    }
    const expected = { weight: new Float64Array(33 * 33), bias: new Float64Array(33) };
    let { upstream } = values;
    for (const x of outputs.toReversed()) {
      const { gradient } = reference({ ...values, x, upstream }, sizes, "identity");
      gradient.weight.forEach((value, i) => expected.weight[i] += value);
      gradient.bias.forEach((value, i) => expected.bias[i] += value);
      upstream = Float32Array.from(gradient.x);
    }
    assertClose(await bench.gradient(x), upstream, "dx", { sum: 33 });
    const { weight, bias } = await bench.parameterGradient("layer");
    assertClose(weight, expected.weight, "dW", { sum: 32 });
    assertClose(bias, expected.bias, "db", { sum: 32 });
  });
}

Deno.test("dense() refuses an input of another width", () => {
  using bench = new Bench(1, { shapes: { layer: { inputs: 5, outputs: 2 } } });
  const x = bench.input("x", 4, new Float32Array(4));
  assertThrows(
    () => dense(bench.tape, x, bench.parameters.get("layer")),
    RangeError,
    'Cannot apply "layer" to "x": expected 5 columns, found 4',
  );
});
