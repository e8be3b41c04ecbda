/** The parameters: how they start, how they are stored, read and written, and what is refused. */

import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { initialize, type Initializer, INITIALIZERS } from "../../core/graph/initializers.ts";
import { convShape } from "../../core/ops/images.ts";
import { FileError } from "../../core/bounds.ts";
import { Parameters, type Shapes } from "../../core/graph/parameters.ts";
import { gpu } from "../support/gpu.ts";

const [FAN_IN, FAN_OUT] = [300, 200];
const COUNT = FAN_IN * FAN_OUT;

/** The variances that the names stand for, from the sources in core/graph/initializers.ts; `normal` has scale 0.02. */
const VARIANCES: Record<Initializer["name"], number> = {
  "zeros": 0,
  "normal": 0.02 ** 2,
  "glorot-uniform": 2 / 500,
  "glorot-normal": 2 / 500,
  "he-uniform": 2 / 300,
  "he-normal": 2 / 300,
  "lecun-uniform": 1 / 300,
  "lecun-normal": 1 / 300,
};

for (const name of INITIALIZERS) {
  Deno.test(`initialize() by ${name} has its mean, variance and range`, () => {
    const values = Float64Array.from(initialize({ name, scale: 0.02 }, FAN_IN, FAN_OUT, COUNT, 1, 0));
    const variance = VARIANCES[name];
    const mean = values.reduce((sum, x) => sum + x) / COUNT;
    const square = values.reduce((sum, x) => sum + x * x, 0) / COUNT;
    // Five standard errors; that of the mean square is at most √2 variances / √n.
    assertAlmostEquals(mean, 0, 5 * Math.sqrt(variance / COUNT));
    assertAlmostEquals(square, variance, 5 * Math.SQRT2 * variance / Math.sqrt(COUNT));
    const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const limit = Math.sqrt(3 * variance);
    if (name.endsWith("uniform")) {
      assert(largest <= limit * (1 + 1e-6), `${largest} lies beyond ${limit}`);
      assert(largest > 0.99 * limit, `${largest} is far below ${limit}`);
    } else if (name !== "zeros") {
      // Of 60,000 normals the largest lies at about 4.2 σ.
      assert(largest > 3.5 * Math.sqrt(variance) && largest < 6 * Math.sqrt(variance));
    }
  });
}

const shapes: Shapes = { one: { inputs: 3, outputs: 2 }, two: { inputs: 33, outputs: 40 } };
const initializers = {
  weight: { name: "glorot-uniform", scale: 1 },
  bias: { name: "normal", scale: 0.5 },
} as const;

Deno.test("a convolution by K x K kernels starts with fan_in K² channels in and fan_out K² channels out", async () => {
  const [kernel, channels, outputs] = [4, 24, 64];
  const parameters = new Parameters(gpu, { conv: convShape({ height: 8, width: 8, channels, kernel }, outputs) });
  // What PyTorch's _calculate_fan_in_and_fan_out gives: 16 x 24 and 16 x 64.
  const [fanIn, fanOut] = [384, 1024];
  const variances = { "glorot-uniform": 2 / (fanIn + fanOut), "he-uniform": 2 / fanIn, "lecun-uniform": 1 / fanIn };
  for (const [name, variance] of Object.entries(variances)) {
    const weight = { name: name as Initializer["name"], scale: 1 };
    parameters.initialize({ weight, bias: { name: "zeros", scale: 1 } }, 1);
    const values = (await parameters.get("conv").get()).weight;
    // The largest of 24,576 uniforms is all but the limit.
    const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    assertAlmostEquals(largest / Math.sqrt(3 * variance), 1, 1e-3, name);
  }
  parameters.destroy();
});

Deno.test("initialize() of Parameters follows from the seed, and no two matrices start alike", async () => {
  const same: Shapes = { one: { inputs: 8, outputs: 8 }, two: { inputs: 8, outputs: 8 } };
  const read = async (seed: number) => {
    const parameters = new Parameters(gpu, same);
    parameters.initialize(initializers, seed);
    const tensors = await parameters.read();
    parameters.destroy();
    return [...tensors.values()].map(({ data }) => data);
  };
  const [first, again, other] = [await read(5), await read(5), await read(6)];
  assertEquals(again, first);
  for (const [i, values] of first.entries()) assertNotEquals(other[i], values);
  assertNotEquals(first[0], first[2]);
  assertNotEquals(first[1], first[3]);
  assert(first.every((values) => values.every((value) => value !== 0)));
});

Deno.test("Parameters count their trained scalars, and say which names there are", () => {
  const parameters = new Parameters(gpu, shapes);
  assertEquals(parameters.count, 3 * 2 + 2 + 33 * 40 + 40);
  assertEquals([...parameters].map(({ name }) => name), ["one", "two"]);
  assertEquals(parameters.get("two").shape, { inputs: 33, outputs: 40 });
  assertThrows(() => parameters.get("three"), TypeError, 'Cannot find the parameter "three": declared are one, two');
  parameters.destroy();
});

Deno.test("a parameter stores its bias as the row after the padded weight, and zeros around both", async () => {
  const parameters = new Parameters(gpu, { one: { inputs: 2, outputs: 2 } });
  const one = parameters.get("one");
  one.set(one.tensor, Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6));
  const stored = new Float32Array(await gpu.read(one.tensor.buffer));
  const expected = new Float32Array(33 * 32);
  expected.set([1, 2]);
  expected.set([3, 4], 32);
  expected.set([5, 6], 32 * 32);
  assertEquals(stored, expected);
  assertEquals(await one.get(), { weight: Float32Array.of(1, 2, 3, 4), bias: Float32Array.of(5, 6) });
  parameters.destroy();
});

Deno.test("a parameter without inputs is a vector: one row, one tensor, read, written and counted as such", async () => {
  const shapes: Shapes = { vector: { inputs: 0, outputs: 40 } };
  const parameters = new Parameters(gpu, shapes);
  assertEquals(parameters.count, 40);
  const vector = parameters.get("vector");
  assertEquals([vector.biasRow, vector.tensor.storedRows], [0, 1]);
  const data = Float32Array.from({ length: 40 }, (_, i) => i + 1);
  const tensors = new Map(["", "optimizer.velocity."].map((prefix) => [`${prefix}vector.bias`, { shape: [40], data }]));
  parameters.write(tensors, "x");
  assertEquals(await parameters.read(), tensors);
  assertEquals(await vector.get(), { weight: new Float32Array(), bias: data });
  for (const name of INITIALIZERS) {
    const initializer = { name, scale: 1 };
    parameters.initialize({ weight: initializer, bias: initializer }, 1);
    assert((await vector.get()).bias.every(Number.isFinite), name);
  }
  parameters.destroy();
});

/** Tensors of the shapes, with one slot, every value its place in the order. */
function example() {
  let next = 1;
  const tensor = (...shape: number[]) => {
    const count = shape.reduce((product, n) => product * n);
    return { shape, data: Float32Array.from({ length: count }, () => next++) };
  };
  return new Map(
    ["", "optimizer.velocity."].flatMap((prefix) =>
      Object.entries(shapes).flatMap(([name, { inputs, outputs }]) => [
        [`${prefix}${name}.weight`, tensor(inputs, outputs)] as const,
        [`${prefix}${name}.bias`, tensor(outputs)] as const,
      ])
    ),
  );
}

Deno.test("read() of Parameters gives back what write() took, slots included", async () => {
  const parameters = new Parameters(gpu, shapes);
  parameters.write(example(), "x");
  const found = await parameters.read();
  assertEquals(new Map([...found].toSorted()), new Map([...example()].toSorted()));
  parameters.destroy();
});

Deno.test("read() of Parameters has no slots where no optimizer made any", async () => {
  const parameters = new Parameters(gpu, shapes);
  assertEquals([...(await parameters.read()).keys()], ["one.weight", "one.bias", "two.weight", "two.bias"]);
  parameters.destroy();
});

const wrong: readonly [string, (tensors: Map<string, { shape: number[]; data: ArrayLike<number> }>) => void, string][] =
  [
    [
      "a missing bias",
      (tensors) => tensors.delete("two.bias"),
      'Cannot load "a.safetensors": expected a tensor "two.bias" of shape [40], found none',
    ],
    [
      "a missing slot",
      (tensors) => tensors.delete("optimizer.velocity.two.weight"),
      'expected a tensor "optimizer.velocity.two.weight" of shape [33,40], found none',
    ],
    [
      "a weight that is turned",
      (tensors) => tensors.set("two.weight", { shape: [40, 33], data: new Float32Array(1320) }),
      'Cannot load "a.safetensors": expected "two.weight" of shape [33,40], found [40,33]',
    ],
    [
      "a tensor of another type",
      (tensors) => tensors.set("two.bias", { shape: [40], data: new Uint8Array(40) }),
      'Cannot load "a.safetensors": expected "two.bias" in float32',
    ],
  ];

for (const [what, spoil, message] of wrong) {
  Deno.test(`write() of Parameters refuses ${what} before it writes anything`, async () => {
    const parameters = new Parameters(gpu, shapes);
    parameters.initialize(initializers, 1);
    const before = await parameters.read();
    const tensors: Map<string, { shape: number[]; data: ArrayLike<number> }> = example();
    spoil(tensors);
    assertThrows(() => parameters.write(tensors, "a.safetensors"), FileError, message);
    assertEquals(await parameters.read(), before);
    parameters.destroy();
  });
}
