/** Shapes without a place for a number: refused where they are declared, in one line, and never seen by the driver. */

import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { type Dataset, logLikelihood, type Model, models, scores, train, type Trained, vae } from "../../mod.ts";
import { Parameters } from "../../core/graph/parameters.ts";
import { createTensor } from "../../core/gpu/tensor.ts";
import { trainTask } from "../../tasks/train.ts";
import { withFolder } from "../support/folder.ts";
import { gpu } from "../support/gpu.ts";
import { attempt } from "../tasks/support.ts";

const COUNT = 24;

/** Rows of a shape, of two classes. */
function dataOf(shape: Dataset["shape"], count = COUNT): Dataset {
  const width = shape[0] * shape[1] * shape[2];
  const values = Float32Array.from({ length: count * width }, (_, i) => (i * 7) % 5 < 2 ? 1 : 0);
  const rows = { values, count, labels: Uint8Array.from({ length: count }, (_, i) => i % 2) };
  return { name: "tiny", shape, classes: 2, train: rows, test: rows };
}

async function fit(model: Model, data: Dataset, config: object = {}): Promise<Trained> {
  const training = train(model, data, { batchSize: 8, validation: 0, epochs: 1, binarize: "none", ...config }, { gpu });
  for await (const event of training) assert(event.event !== "end" || !event.stopped);
  return training.trained as Trained;
}

/** Two convolutions by 4 x 4 with stride 2 and padding 1: h' = ⌊(h - 2) / 2⌋ + 1, so 4 pixels a side are the fewest. */
const REFUSED: readonly (readonly [shape: Dataset["shape"], config: object, message: string])[] = [
  [
    [1, 4, 1],
    {},
    "Cannot halve images of 1 x 4: expected at least 4 x 4 for 2 convolutions with kernels of 4 x 4, " +
    "found 0 x 2 behind convolution 1",
  ],
  [
    [2, 2, 3],
    {},
    "Cannot halve images of 2 x 2: expected at least 4 x 4 for 2 convolutions with kernels of 4 x 4, " +
    "found 0 x 0 behind convolution 2",
  ],
  [
    [7, 9, 1],
    { channels: [4, 4, 4, 4] },
    "Cannot halve images of 7 x 9: expected at least 16 x 16 for 4 convolutions with kernels of 4 x 4, " +
    "found 0 x 1 behind convolution 3",
  ],
  [
    [8, 8, 1],
    { channels: [] },
    "Cannot halve images: expected channels for at least 1 convolution, found none",
  ],
];

for (const name of ["conv_vae", "vq_vae"]) {
  Deno.test(`${name} refuses images that are too small for its convolutions before anything is trained`, () => {
    for (const [shape, config, message] of REFUSED) {
      const error = assertThrows(
        () => train(models.get(name)!, dataOf(shape), { batchSize: 8, ...config }),
        RangeError,
      );
      assertEquals(error.message, message);
    }
  });

  Deno.test(`${name} trains on the smallest images that it says to take`, async () => {
    const small = { channels: [4, 4], ...name === "vq_vae" ? { codes: 4, residualChannels: 4 } : { hidden: [6] } };
    using trained = await fit(models.get(name)!, dataOf([4, 4, 1]), small);
    assertEquals((await trained.sample({ count: 3 })).length, 3 * 16);
  });
}

Deno.test("every model trains on rows of one and of two values, or says in one line why not", async () => {
  for (const model of models.values()) {
    for (const shape of [[1, 1, 1], [1, 2, 1], [2, 1, 1]] as const) {
      try {
        (await fit(model, dataOf(shape))).destroy();
      } catch (error) {
        assert(error instanceof RangeError, `${model.name} on ${shape.join(" x ")}: ${error}`);
        assert(/^Cannot [^\n]*: expected [^\n]*$/.test(error.message), `${model.name}: ${error.message}`);
      }
    }
  }
});

Deno.test("train() refuses rows that are none, or not of their shape", () => {
  const of = (data: Dataset) => () => train(vae, data, { batchSize: 8 });
  assertThrows(
    of(dataOf([0, 4, 1])),
    RangeError,
    'Cannot use the training rows of "tiny": expected rows of height x width x channels, each at least 1, found 0 x 4 x 1',
  );
  assertThrows(of(dataOf([1, 1.5, 2])), RangeError, "each at least 1, found 1 x 1.5 x 2");
  assertThrows(
    of(dataOf([1, 4, 1], 0)),
    RangeError,
    'Cannot use the training rows of "tiny": expected at least 1 row, found 0',
  );
  const { values } = dataOf([1, 3, 1]).train;
  assertThrows(
    of({ ...dataOf([1, 4, 1]), train: { values, count: COUNT } }),
    RangeError,
    'Cannot use the training rows of "tiny": expected 24 x 4 values, found 72',
  );
});

Deno.test("a model is not measured on no rows", async () => {
  using trained = await fit(vae as Model, dataOf([1, 4, 1]), { hidden: [3], latents: 2 });
  const none = { values: new Float32Array(), count: 0 };
  for (const measure of [(t: Trained) => t.evaluate(none), (t: Trained) => logLikelihood(t, none)]) {
    await assertRejects(() => measure(trained), RangeError, "expected at least 1 row, found 0");
  }
  await assertRejects(() => scores(trained, none), RangeError, "expected at least 1 row, found 0");
});

Deno.test("a parameter without an output, or of images without a pixel, is not created; nor is a buffer without a byte", () => {
  const message = 'Cannot create the parameter "a": expected at least 0 inputs and 1 output, found 3 and 0';
  assertThrows(() => new Parameters(gpu, { a: { inputs: 3, outputs: 0 } }), RangeError, message);
  for (const images of [[0, 2, 1], [2, 2, 2]] as const) {
    assertThrows(() => new Parameters(gpu, { a: { inputs: 9, outputs: 1, images } }), RangeError, images.join(" x "));
  }
  assertThrows(
    () => createTensor(gpu, "a", 3, 0),
    RangeError,
    'Cannot allocate "a": expected at least 1 byte, found 0',
  );
});

Deno.test("train refuses a table that is no image for convolutions with 2 and one line, and leaves no folder", () =>
  withFolder(async (folder) => {
    const file = `${folder}/table.csv`;
    await Deno.writeTextFile(file, "a,b,c,d\n" + "0,1,0,1\n1,1,0,0\n".repeat(12));
    for (const name of ["conv_vae", "vq_vae"]) {
      const args = ["--model", name, "--dataset", file, "--batch-size", "4", "--out", `${folder}/run`];
      const { code, stderr } = await attempt(trainTask, args);
      assertEquals(code, 2);
      assertStringIncludes(stderr, "Cannot halve images of 1 x 4: expected at least 4 x 4 for 2 convolutions");
      assertEquals([...Deno.readDirSync(folder)].map((entry) => entry.name), ["table.csv"]);
    }
  }));
