import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { decodeBatch, decodeLabels } from "../../datasets/cifar10.ts";
import { pngDecoder } from "../../datasets/png.ts";
import { findDataset } from "../../storage/datasets.ts";
import { greyPng, histogram, mean, png, withFolder } from "./support.ts";

const cifar10 = findDataset("cifar10");

Deno.test({
  name: "cifar10.load() gives the original 50,000 + 10,000 images (139 MB: with ELBO_TEST_CIFAR10=1)",
  ignore: Deno.env.get("ELBO_TEST_CIFAR10") !== "1",
  fn: async () => {
    const { name, shape, classes, train, test } = await cifar10.load();
    assertEquals([name, shape, classes], ["cifar10", [32, 32, 3], 10]);
    assertEquals([train.count, train.values.length, test.count, test.values.length], [
      50_000,
      153_600_000,
      10_000,
      30_720_000,
    ]);
    // A frog, two trucks, a deer and an automobile.
    assertEquals([...train.labels!.subarray(0, 5)], [6, 9, 9, 4, 1]);
    assertEquals([...train.values.subarray(0, 3)], [59, 62, 63]);
    assertEquals(histogram(train.labels!), new Array(10).fill(5000));
    assertEquals(histogram(test.labels!), new Array(10).fill(1000));
    // The means that everyone normalizes CIFAR-10 by.
    assertEquals([0, 1, 2].map((channel) => mean(train.values, channel, 3).toFixed(5)), [
      "0.49140",
      "0.48216",
      "0.44653",
    ]);
  },
});

/** A batch of so many images, each in one colour of its own. */
function batch(count: number): Uint8Array<ArrayBuffer> {
  const rows = Array.from(
    { length: count },
    (_, n) => Array.from({ length: 1024 }, (_, i) => [10 * n, i % 251, 7, 255]),
  );
  return png(count, 1024, rows.flat(2), 2);
}

Deno.test("decodeBatch() makes an image of every row, red, green and blue beside one another", async () => {
  const out = new Uint8Array(3 * 3072);
  decodeBatch({ bytes: batch(3), path: "b.png" }, await pngDecoder(), out);
  assertEquals([...out.subarray(0, 6)], [0, 0, 7, 0, 1, 7]);
  // The second row of the last image begins at its pixel 32.
  assertEquals([...out.subarray(2 * 3072 + 32 * 3, 2 * 3072 + 33 * 3)], [20, 32, 7]);
});

Deno.test("decodeBatch() refuses a picture of another size or colour", async () => {
  const decode = await pngDecoder();
  assertThrows(
    () => decodeBatch({ bytes: batch(3), path: "b.png" }, decode, new Uint8Array(2 * 3072)),
    Error,
    'Cannot read "b.png": expected 2 colour images in rows of 1024 pixels, found 3 rows of 1024 colour pixels',
  );
  assertThrows(
    () => decodeBatch({ bytes: greyPng(1, 1024, 0), path: "b.png" }, decode, new Uint8Array(3072)),
    Error,
    "found 1 rows of 1024 grey pixels",
  );
});

Deno.test("decodeLabels() reads a list of classes, and refuses anything else", () => {
  const file = (text: string) => ({ bytes: new TextEncoder().encode(text), path: "l.json" });
  assertEquals([...decodeLabels(file("[6,9,0]"), 3)], [6, 9, 0]);
  for (
    const [text, found] of [
      ["[6,9]", "found a list of 2"],
      ["[6,9,10]", "expected a list of 3 classes from 0 to 9"],
      ['{"a":1}', "found object"],
      ["[6,9,", 'Cannot read "l.json": expected a list in JSON, found "[6,9,", damaged'],
    ]
  ) assertThrows(() => decodeLabels(file(text), 3), Error, found);
});

Deno.test("cifar10.load() names the missing file", async () => {
  await withFolder(async (folder) => {
    const { message } = await assertRejects(() => cifar10.load({ folder }), Error);
    assertStringIncludes(
      message,
      `Cannot read "${folder}/data_batch_1.png": no such file; expected the files train_lables.json`,
    );
  });
});
