import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { findDataset } from "../../storage/datasets.ts";
import { gzip, histogram, idx, mean, withFolder } from "./support.ts";

const fashionMnist = findDataset("fashion_mnist");

/** Where the Debian package dataset-fashion-mnist puts the files. */
const INSTALLED = "/usr/share/datasets/fashion-mnist";
const installed = await Deno.stat(INSTALLED).then(() => true, () => false);

Deno.test({
  name: "fashionMnist.load() gives the original 60,000 + 10,000 images of the Debian package",
  ignore: !installed,
  fn: async () => {
    const { name, shape, classes, train, test } = await fashionMnist.load({ folder: INSTALLED });
    assertEquals([name, shape, classes], ["fashion_mnist", [28, 28, 1], 10]);
    assertEquals([train.count, train.values.length, test.count, test.values.length], [60000, 47040000, 10000, 7840000]);
    // The first one is an ankle boot; as many of each class.
    assertEquals([...train.labels!.subarray(0, 5)], [9, 0, 0, 3, 0]);
    assertEquals([histogram(train.labels!), histogram(test.labels!)], [
      new Array(10).fill(6000),
      new Array(10).fill(1000),
    ]);
    // The mean that everyone normalizes Fashion-MNIST by: 0.2860.
    assertEquals([mean(train.values).toFixed(4), mean(test.values).toFixed(4)], ["0.2860", "0.2868"]);
  },
});

Deno.test("fashionMnist.load() refuses a packed file of another checksum, naming it", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/train-images-idx3-ubyte.gz`;
    await Deno.writeFile(path, await gzip(idx([60000, 28, 28], new Uint8Array(60000 * 784))));
    const { message } = await assertRejects(() => fashionMnist.load({ folder }), Error);
    assertStringIncludes(message, `Cannot use "${path}": expected SHA-256 c59f468a`);
  });
});

Deno.test("fashionMnist.load() refuses a packed file cut short", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/train-images-idx3-ubyte.gz`;
    await Deno.writeFile(path, (await gzip(idx([2, 28, 28], new Uint8Array(2 * 784)))).subarray(0, 30));
    const { message } = await assertRejects(() => fashionMnist.load({ folder }), Error);
    assertStringIncludes(message, `Cannot read "${path}": expected `);
    assertStringIncludes(message, "(cut short?)");
  });
});

Deno.test("fashionMnist.load() names the missing file and those it expects", async () => {
  await withFolder(async (folder) => {
    const { message } = await assertRejects(() => fashionMnist.load({ folder }), Error);
    assertStringIncludes(message, `Cannot read "${folder}/train-images-idx3-ubyte": no such file; expected the files `);
    assertStringIncludes(message, "or each with .gz");
  });
});

Deno.test("fashionMnist.load() says how to get the data where there are none", async () => {
  const module = JSON.stringify(new URL("../../files.ts", import.meta.url).href);
  // Without the right to read, the package's folder is passed over, as where it is not installed.
  const script = `const { findDataset } = await import(${module});
    await Deno.permissions.revoke({ name: "read" });
    console.log(await findDataset("fashion_mnist").load().then(() => "loaded", (error) => error.message));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", script],
    stderr: "null",
  }).output();
  const printed = new TextDecoder().decode(stdout).trim();
  assertMatch(
    printed,
    /^Cannot load Fashion-MNIST: install the Debian package dataset-fashion-mnist \(apt-get install/,
  );
  assertStringIncludes(printed, "set ELBO_DATA to the folder above it");
});
