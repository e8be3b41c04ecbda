/** Convolutions and transposed convolutions and their gradients on both tile families, against the float64 reference and PyTorch. */

import { assertEquals, assertThrows } from "@std/assert";
import golden from "../../golden/conv2d.json" with { type: "json" };
import type { Activation } from "../../../core/ops/activations.ts";
import { conv2d } from "../../../core/ops/conv2d.ts";
import { convTranspose2d } from "../../../core/ops/conv_transpose2d.ts";
import { convShape } from "../../../core/ops/images.ts";
import { randomBits } from "../../../core/graph/random.ts";
import { createOptimizer } from "../../../core/optimizers/mod.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { conv2dBackward, conv2dForward, type ConvSizes, outputSize } from "../../reference/conv2d.ts";
import { assertClose, draw, float64 } from "../../support/compare.ts";
import { type TileChoice, WORKGROUP_TILES } from "../../../core/products/tiles.ts";
import { Bench, families } from "../../support/gpu.ts";

/** Values of a layer and a gradient from above; sums stay about 1. */
function example(sizes: ConvSizes) {
  const { batch, channels, outputs, kernel } = sizes;
  const to = outputSize(sizes);
  const inputs = kernel * kernel * channels;
  return {
    x: draw(batch * sizes.height * sizes.width * channels, 1),
    weight: draw(inputs * outputs, 2, inputs ** -0.5),
    bias: draw(outputs, 3),
    upstream: draw(batch * to.height * to.width * outputs, 4),
  };
}

/** The reference on the same float32 values. */
function reference(values: ReturnType<typeof example>, sizes: ConvSizes, activation: Activation) {
  const [x, weight, bias] = [values.x, values.weight, values.bias].map(float64);
  const { preactivation, output } = conv2dForward(x, weight, bias, sizes, activation);
  const gradient = conv2dBackward(x, weight, preactivation, float64(values.upstream), sizes, activation);
  return { output, gradient };
}

interface Case {
  readonly activation?: Activation;
  /** Whether images are stored as rows [N, H W C]. */
  readonly flatInput?: boolean;
  readonly flat?: boolean;
}

/** Runs a layer and its gradients and compares them with what is expected. */
async function check(
  family: TileChoice,
  sizes: ConvSizes,
  { activation = "identity", flatInput = false, flat = false }: Case,
  values: ReturnType<typeof example> = example(sizes),
  expected: ReturnType<typeof reference> = reference(values, sizes, activation),
): Promise<void> {
  const { batch, height, width, channels, outputs, kernel, transposed } = sizes;
  const to = outputSize(sizes);
  using bench = new Bench(batch, { family, shapes: { layer: convShape(sizes, outputs) } });
  bench.set("layer", values.weight, values.bias);
  const x = bench.input("x", flatInput ? height * width * channels : channels, values.x);
  const op = transposed ? convTranspose2d : conv2d;
  const size = [to.height, to.width] as const;
  const y = op(bench.tape, x, bench.parameters.get("layer"), { ...sizes, outputSize: size, activation, flat });
  assertEquals(
    [y.rows, y.columns],
    flat ? [batch, to.height * to.width * outputs] : [
      batch * to.height * to.width,
      outputs,
    ],
  );
  await bench.run([bench.given(y, values.upstream)]);
  const absolute = activation === "identity" ? 1e-6 : 3e-6;
  assertClose(await bench.read(y), expected.output, "y", { sum: kernel ** 2 * channels, absolute });
  assertClose(await bench.gradient(x), expected.gradient.x, "dx", { sum: kernel ** 2 * outputs, absolute });
  const { weight, bias } = await bench.parameterGradient("layer");
  const sum = values.upstream.length / outputs;
  assertClose(weight, expected.gradient.weight, "dW", { sum, absolute });
  assertClose(bias, expected.gradient.bias, "db", { sum, absolute });
}

const title = (
  { batch, height, width, channels, outputs, kernel, stride, padding, transposed, outputPadding }: ConvSizes,
) =>
  `${
    transposed ? "convTranspose2d" : "conv2d"
  }() and its gradients agree with the reference: ${batch} x ${height} x ${width} x ${channels} -> ${outputs}, kernel ${kernel}, stride ${stride}, padding ${padding}${
    outputPadding ? `, output padding ${outputPadding}` : ""
  }`;

// Batch, height, width, channels in and out, kernel, stride, padding: sizes that a stride divides and that it does not, channels
// that come in fours and that do not, sums within one panel of 32 and over many, and one result over several panels of columns.
const SHAPES: readonly [number, number, number, number, number, number, number, number][] = [
  [1, 5, 7, 1, 1, 1, 1, 0],
  [3, 5, 7, 3, 37, 3, 1, 1],
  [3, 5, 7, 4, 3, 3, 2, 1],
  [2, 8, 8, 1, 32, 4, 2, 1],
  [5, 8, 8, 37, 4, 4, 2, 1],
  [2, 8, 8, 32, 37, 5, 1, 2],
  [2, 8, 8, 4, 4, 5, 2, 2],
  [1, 8, 8, 3, 1, 1, 2, 0],
  [2, 28, 28, 1, 32, 4, 2, 1],
  [1, 28, 28, 3, 4, 3, 1, 0],
];
const SIZES: readonly ConvSizes[] = SHAPES.flatMap(
  ([batch, height, width, channels, outputs, kernel, stride, padding]) => {
    const sizes = { batch, height, width, channels, outputs, kernel, stride, padding };
    return [sizes, { ...sizes, transposed: true }];
  },
);

// Phases and chunks with the tiles that images as small as these would not be given.
for (const tile of WORKGROUP_TILES.slice(1)) {
  for (const sizes of SIZES.slice(8, 10)) Deno.test(`${title(sizes)}, ${tile} tiles`, () => check(tile, sizes, {}));
}

for (const family of families) {
  for (
    const sizes of [
      ...SIZES,
      { ...SIZES[4], transposed: true, kernel: 3, outputPadding: 1 },
    ]
  ) Deno.test(`${title(sizes)}, ${family} tiles`, () => check(family, sizes, {}));

  for (const transposed of [false, true]) {
    const name = transposed ? "convTranspose2d" : "conv2d";
    const sizes = {
      batch: 3,
      height: 6,
      width: 4,
      channels: 8,
      outputs: 12,
      kernel: 4,
      stride: 2,
      padding: 1,
      transposed,
    };

    for (const activation of ["tanh", "gelu"] as const) {
      Deno.test(`${name}() with ${activation} agrees with the reference, ${family} tiles`, () =>
        check(family, sizes, { activation }));
    }

    for (const [flatInput, flat] of [[true, false], [false, true], [true, true]]) {
      const ways = `${flatInput ? "rows" : "pixels"} to ${flat ? "rows" : "pixels"}`;
      Deno.test(`${name}() from images as ${ways} agrees with the reference, ${family} tiles`, () =>
        check(family, sizes, { activation: "tanh", flatInput, flat }));
    }
  }

  for (
    const [height, width, channels, outputs, kernel, stride, padding] of [
      [2, 4, 8, 1, 4, 2, 1],
      [4, 4, 5, 3, 4, 2, 1],
      [4, 8, 4, 1, 3, 1, 1],
      [4, 2, 12, 2, 5, 2, 2],
      [3, 5, 9, 1, 4, 2, 1],
      [5, 3, 6, 3, 5, 1, 2],
      [2, 3, 37, 7, 7, 3, 2],
    ]
  ) {
    const sizes = { batch: 3, height, width, channels, outputs, kernel, stride, padding, transposed: true };
    const outputPadding = stride * height - outputSize(sizes).height;
    Deno.test(`convTranspose2d() to few channels in rows agrees with the reference: ${height} x ${width} x ${channels} -> ${outputs}, kernel ${kernel}, stride ${stride}, ${family} tiles`, () =>
      check(family, { ...sizes, outputPadding }, { activation: "tanh", flat: true }));
  }

  Deno.test(`conv2d() reads bytes as a dataset gives them, ${family} tiles`, async () => {
    for (const channels of [1, 3, 4]) {
      const sizes = { batch: 9, height: 6, width: 5, channels, outputs: 8, kernel: 3, stride: 1, padding: 1 };
      const bytes = Uint8Array.from({ length: 9 * 30 * channels }, (_, i) => randomBits(7, 0, 5, i)[0] & 255);
      const values = { ...example(sizes), x: Float32Array.from(bytes, (byte) => byte / 255) };
      const expected = reference(values, sizes, "identity");
      using bench = new Bench(9, { family, shapes: { layer: convShape(sizes, 8) } });
      bench.set("layer", values.weight, values.bias);
      const x = bench.data("x", 30 * channels, bytes);
      const y = conv2d(bench.tape, x, bench.parameters.get("layer"), sizes);
      await bench.run([bench.given(y, values.upstream)]);
      assertClose(await bench.read(y), expected.output, "y", { sum: 9 * channels, absolute: 1e-6 });
      const { weight, bias } = await bench.parameterGradient("layer");
      assertClose(weight, expected.gradient.weight, "dW", { sum: 270, absolute: 1e-6 });
      assertClose(bias, expected.gradient.bias, "db", { sum: 270, absolute: 1e-6 });
    }
  });

  Deno.test(`conv2d() gives the gradient of images as rows whose channels come not in fours, ${family} tiles`, () =>
    check(family, { batch: 5, height: 6, width: 4, channels: 3, outputs: 8, kernel: 4, stride: 2, padding: 1 }, {
      flatInput: true,
    }));

  for (const { sizes, expected, ...values } of golden.layers) {
    Deno.test(`${sizes.transposed ? "convTranspose2d" : "conv2d"}() with stride ${sizes.stride} agrees with PyTorch, ${family} tiles`, () =>
      check(
        family,
        sizes,
        {},
        {
          x: Float32Array.from(values.x),
          weight: Float32Array.from(values.weight),
          bias: Float32Array.from(values.bias),
          upstream: Float32Array.from(values.upstream),
        },
        {
          output: Float64Array.from(expected.y),
          gradient: {
            x: Float64Array.from(expected.x),
            weight: Float64Array.from(expected.weight),
            bias: Float64Array.from(expected.bias),
          },
        },
      ));
  }

  for (const transposed of [false, true]) {
    const name = transposed ? "convTranspose2d" : "conv2d";
    Deno.test(`${name}() keeps what is padding at zero through steps of Adam, ${family} tiles`, async () => {
      const sizes = {
        batch: 3,
        height: 4,
        width: 4,
        channels: 3,
        outputs: 5,
        kernel: 3,
        stride: 1,
        padding: 1,
        transposed,
      };
      const values = example(sizes);
      using bench = new Bench(3, { family, shapes: { layer: convShape(sizes, 5) } });
      bench.set("layer", values.weight, values.bias);
      const layer = bench.parameters.get("layer");
      const x = bench.input("x", 3, values.x);
      const y = (transposed ? convTranspose2d : conv2d)(bench.tape, x, layer, { ...sizes, activation: "sigmoid" });
      const optimizer = createOptimizer("adam", { learningRate: constant(0.1) });
      const { program } = await bench.compile([bench.given(y, values.upstream)], { optimizer, reduction: "sum" });
      await program.submit(3);
      const beyond = (stored: Float32Array, live: (row: number, column: number) => boolean) =>
        stored.filter((value, i) => value !== 0 && !live(Math.floor(i / 32), i % 32)).length;
      assertEquals(beyond(await bench.stored(y), (_, column) => column < 5), 0, "y");
      const weights = new Float32Array(await bench.gpu.read(layer.tensor.buffer));
      assertEquals(
        beyond(weights, (row, column) => column < 5 && (row < 27 || row === layer.biasRow)),
        0,
        "weights",
      );
    });
  }
}

Deno.test("conv2d() refuses images of another size, other weights, and an output of nothing", () => {
  const options = { height: 6, width: 5, channels: 4, kernel: 3 };
  using bench = new Bench(2, { shapes: { layer: convShape(options, 6) } });
  const layer = bench.parameters.get("layer");
  const x = bench.input("x", 4, new Float32Array(2 * 30 * 4));
  assertThrows(
    () => conv2d(bench.tape, x, layer, { ...options, width: 7 }),
    RangeError,
    'Cannot apply "layer" to "x": expected images of 6 x 7 x 4 as [N, 168] or [N 42, 4], found [60, 4]',
  );
  assertThrows(
    () => conv2d(bench.tape, x, layer, { ...options, kernel: 4 }),
    RangeError,
    'Cannot apply "layer" to "x": expected 4 x 4 x 4 x 6 weights, found 36 x 6',
  );
  assertThrows(
    () => conv2d(bench.tape, x, layer, { ...options, height: 2, width: 15 }),
    RangeError,
    'Cannot apply "layer": expected an output of at least 1 x 1, found 0 x 13',
  );
  assertThrows(
    () => conv2d(bench.tape, x, layer, { ...options, flat: true }),
    RangeError,
    'Cannot apply "layer": expected a multiple of 4 channels of a flat output, found 6',
  );
  assertThrows(
    () => convTranspose2d(bench.tape, x, layer, { ...options, stride: 2, outputSize: [13, 13] }),
    RangeError,
    'Cannot apply "layer" to "x": expected an output of 13 x 11, or of less than a stride more, found 13 x 13',
  );
});
