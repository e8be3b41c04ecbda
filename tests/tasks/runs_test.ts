/** The tasks that read a run folder, and the lists. */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { type CheckpointTensor, decodeSafetensors, encodeSafetensors } from "../../core/training/safetensors.ts";
import { models } from "../../models/mod.ts";
import { datasetsTask } from "../../tasks/datasets.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { modelsTask } from "../../tasks/models.ts";
import { reconstructTask } from "../../tasks/reconstruct.ts";
import { sampleTask } from "../../tasks/sample.ts";
import { trainTask } from "../../tasks/train.ts";
import { attempt, inFolder, jsonLines, small } from "./support.ts";

/** Width and height that a PNG declares. */
async function size(path: string): Promise<[number, number]> {
  const view = new DataView((await Deno.readFile(path)).buffer);
  return [view.getUint32(16), view.getUint32(20)];
}

/** A test in a folder with two runs: runs/first, and runs/second which is newer. */
function withRuns(test: () => Promise<void>): Promise<void> {
  return inFolder(async () => {
    for (const run of ["runs/first", "runs/second"]) {
      const { code } = await attempt(trainTask, [...small, "--out", run]);
      assertEquals(code, 0);
    }
    await Deno.utime("runs/first/checkpoint.safetensors", 1e9, 1e9);
    await test();
  });
}

Deno.test("sample takes the newest run, says which, and draws 100 images in 10 columns", () =>
  withRuns(async () => {
    const before = await Deno.readFile("runs/second/samples.png");
    await Deno.remove("runs/second/samples.png");
    const { code, stdout, stderr } = await attempt(sampleTask, []);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(
      stdout,
      "Run: runs/second (the newest in runs/)\nruns/second/samples.png: 100 images drawn from vae\n",
    );
    // 10 columns of 4 pixels, twice as large, and 11 gaps of 2: train draws the same picture.
    assertEquals(await size("runs/second/samples.png"), [102, 102]);
    assertEquals(await Deno.readFile("runs/second/samples.png"), before);
  }));

Deno.test("sample draws what the flags ask for", () =>
  withRuns(async () => {
    const draw = async (file: string, ...flags: string[]) => {
      const { code, stdout } = await attempt(sampleTask, [
        "--run",
        "runs/first",
        "--out",
        file,
        "--count",
        "6",
        "--json",
        ...flags,
      ]);
      assertEquals(code, 0);
      assertEquals(jsonLines(stdout).map(({ run, file, count }) => [run, file, count]), [["runs/first", file, 6]]);
      return await Deno.readFile(file);
    };
    const plain = await draw("a.png");
    assertEquals(await size("a.png"), [102, 12]);
    assertNotEquals(await draw("b.png", "--seed", "1"), plain);
    assertNotEquals(await draw("c.png", "--draw", "sample"), plain);
    assertNotEquals(await draw("d.png", "--temperature", "0.3"), plain);
    await draw("e.png", "--columns", "2");
    assertEquals(await size("e.png"), [22, 32]);
    const denied = await attempt(sampleTask, ["--run", "runs/first", "--out", "no/such/folder/a.png"]);
    assertEquals(denied.code, 1);
    assertStringIncludes(denied.stderr, 'Cannot write "no/such/folder/a.png"');
  }));

Deno.test("reconstruct draws pairs of a split", () =>
  withRuns(async () => {
    const { code, stdout } = await attempt(reconstructTask, [
      "--split",
      "validation",
      "--count",
      "15",
      "--out",
      "pairs.png",
    ]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "pairs.png: 15 validation images, each above its reconstruction by vae");
    // Two pairs of rows.
    assertEquals(await size("pairs.png"), [102, 42]);
    const all = await attempt(reconstructTask, ["--run", "runs/first", "--count", "1000", "--json"]);
    assertEquals(jsonLines(all.stdout).map(({ count, file }) => [count, file]), [[
      240,
      "runs/first/reconstructions.png",
    ]]);
  }));

Deno.test("evaluate measures the validation split as the training did", () =>
  withRuns(async () => {
    const end = jsonLines(await Deno.readTextFile("runs/first/metrics.jsonl")).at(-1);
    const { code, stdout } = await attempt(evaluateTask, [
      "--run",
      "runs/first",
      "--split",
      "validation",
      "--seed",
      "3",
      "--json",
    ]);
    assertEquals(code, 0);
    const [result, ...others] = jsonLines(stdout);
    assertEquals(others, []);
    assertEquals([result.elbo, result.nll, result.kl], [end.validation.elbo, end.validation.nll, end.validation.kl]);
    assertEquals([result.count, result.binarize, result.split, result.samples], [40, "dynamic", "validation", 1]);
  }));

Deno.test("evaluate shows elbo, nll and kl, and says where they are no likelihood", () =>
  withRuns(async () => {
    const { code, stdout } = await attempt(evaluateTask, ["--run", "runs/first", "--samples", "2"]);
    assertEquals(code, 0);
    assertMatch(
      stdout,
      /vae on blocks, test: 240 rows, 2 draws of z each, nats per datum\n\n {2}elbo +-\d+\.\d{3}\n {2}nll +\d+\.\d{3}\n {2}kl +\d+\.\d{3}\n/,
    );
    assert(!stdout.includes("no likelihood"));
    const grey = await attempt(evaluateTask, ["--run", "runs/first", "--binarize", "none"]);
    assertStringIncludes(grey.stdout, "with a Bernoulli likelihood elbo and nll are then no likelihood");
    const [none] = jsonLines(
      (await attempt(evaluateTask, ["--run", "runs/first", "--binarize", "none", "--json"])).stdout,
    );
    assertEquals([none.binarize, none.count], ["none", 240]);
    assertStringIncludes(none.remarks[0], "no likelihood");
    assertAlmostEquals(none.elbo, -(none.nll + none.kl), 1e-9);
  }));

Deno.test("sample --draw quantiles shows five images of a datum side by side, of a Gaussian only", () =>
  inFolder(async () => {
    const { code, stdout } = await attempt(trainTask, [...small, "--likelihood", "gaussian", "--out", "grey"]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "pixels: binarize none, grey values as they are\n");
    assertStringIncludes(stdout, "effective β = 0.02: with σ = 0.1 fixed");
    const drawn = await attempt(sampleTask, ["--run", "grey", "--draw", "quantiles", "--count", "3", "--json"]);
    assertEquals([drawn.code, jsonLines(drawn.stdout)[0].columns], [0, 5]);
    // 5 columns of 4 pixels, twice as large, and 6 gaps of 2; three rows.
    assertEquals(await size("grey/samples.png"), [52, 32]);
    await attempt(trainTask, [...small, "--out", "bits"]);
    const refused = await attempt(sampleTask, ["--run", "bits", "--draw", "quantiles"]);
    assertEquals(refused.code, 1);
    assertStringIncludes(
      refused.stderr,
      'Cannot give quantiles with "vae": expected a gaussian likelihood, found bernoulli',
    );
  }));

Deno.test("evaluate gives bits per dimension for a likelihood of bytes, and says where bits were made of them", () =>
  inFolder(async () => {
    await attempt(trainTask, [...small, "--likelihood", "discretized-logistic", "--out", "bytes"]);
    const [figures] = jsonLines((await attempt(evaluateTask, ["--run", "bytes", "--json"])).stdout);
    assertEquals(figures.binarize, "none");
    assertAlmostEquals(figures.bitsPerDimension, -figures.elbo / 16 / Math.LN2, 1e-9);
    const table = await attempt(evaluateTask, ["--run", "bytes"]);
    assertMatch(table.stdout, /\n {2}bitsPerDimension +\d+\.\d{3}\n/);
    const binarized = await attempt(evaluateTask, ["--run", "bytes", "--binarize", "threshold"]);
    assert(!binarized.stdout.includes("bitsPerDimension"));
    assertStringIncludes(binarized.stdout, "though the likelihood is of grey values");
  }));

Deno.test("evaluate --split validation is refused where nothing was held out", () =>
  inFolder(async () => {
    await attempt(trainTask, [...small.map((arg) => arg === "40" ? "0" : arg), "--out", "run"]);
    const { code, stderr } = await attempt(evaluateTask, ["--run", "run", "--split", "validation"]);
    assertEquals(code, 2);
    assertStringIncludes(
      stderr,
      "Cannot use --split validation: the run was trained with --validation 0; expected test or train",
    );
  }));

const readers = [
  (args: string[]) => attempt(sampleTask, args),
  (args: string[]) => attempt(evaluateTask, args),
  (args: string[]) => attempt(reconstructTask, args),
];

Deno.test("a run that cannot be read is refused in one line, by every task that reads one", () =>
  withRuns(async () => {
    const file = "runs/first/checkpoint.safetensors";
    const bytes = await Deno.readFile(file);
    const { tensors, metadata } = decodeSafetensors(bytes, file);
    const changed = (change: (tensors: Map<string, CheckpointTensor>, header: Record<string, unknown>) => void) => {
      const [copy, header] = [new Map(tensors), JSON.parse(metadata.elbo)];
      change(copy, header);
      return encodeSafetensors(copy, { ...metadata, elbo: JSON.stringify(header) });
    };
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [bytes.subarray(0, bytes.length - 100), `Cannot read "${file}": `],
      [bytes.subarray(0, 100), `Cannot read "${file}": `],
      [
        new Uint8Array(0),
        `Cannot read "${file}": expected 8 bytes with the length of the header, found 0 (cut short?)`,
      ],
      [
        changed((_, header) => header.model = "gan"),
        `Cannot load "${file}": its model "gan" is none of ${
          [...models.keys()].join(", ")
        }; name its module with --model`,
      ],
      [
        changed((all) => all.set("encoder.0.weight", { shape: [6, 16], data: new Float32Array(96) })),
        `Cannot load "${file}": expected "encoder.0.weight" of shape [16,6], found [6,16]`,
      ],
      [
        changed((all) => all.delete("likelihood.bias")),
        `Cannot load "${file}": expected a tensor "likelihood.bias" of shape [16], found none`,
      ],
      [encodeSafetensors(tensors, {}), `Cannot load "${file}": expected a checkpoint of format "elbo 1", found none`],
    ];
    for (const [content, message] of cases) {
      await Deno.writeFile(file, content);
      for (const tried of readers) {
        const { code, stdout, stderr } = await tried(["--run", "runs/first", "--json"]);
        assertEquals([code, stdout], [1, ""], message);
        assertEquals(stderr.split("\n").length, 2, stderr);
        assertStringIncludes(stderr, `Error: ${message}`);
      }
    }
    // A model that has all that the checkpoint says, but is another one.
    await Deno.writeFile(file, bytes);
    const other = await attempt(sampleTask, ["--run", "runs/first", "--model", "beta_vae"]);
    assertEquals(other.code, 1);
    assertStringIncludes(other.stderr, `Cannot load "${file}": expected a model "beta_vae", found "vae"`);
    await Deno.writeTextFile("runs/first/config.json", '{"model":');
    const config = await attempt(sampleTask, ["--run", "runs/first"]);
    assertEquals(config.code, 1);
    assertStringIncludes(config.stderr, 'Cannot read "runs/first/config.json"');
  }));

Deno.test("a run that is not there is refused, and what to do is said", () =>
  inFolder(async () => {
    const none = await attempt(sampleTask, []);
    assertEquals(none.code, 1);
    assertStringIncludes(
      none.stderr,
      'Cannot find a run in runs/: train one with "deno task train:mnist", or say where it is with --run DIR',
    );
    const missing = await attempt(sampleTask, ["--run", "nowhere"]);
    assertEquals(missing.code, 2);
    assertStringIncludes(missing.stderr, 'Cannot open the run "nowhere": there is no such folder');
    await Deno.mkdir("runs/empty", { recursive: true });
    const empty = await attempt(evaluateTask, ["--run", "runs/empty"]);
    assertEquals(empty.code, 1);
    assertStringIncludes(
      empty.stderr,
      'Cannot open the run "runs/empty": expected a checkpoint.safetensors in it, found none',
    );
    assertEquals((await attempt(sampleTask, [])).code, 1);
    await Deno.writeTextFile("file", "");
    assertStringIncludes((await attempt(sampleTask, ["--run", "file"])).stderr, "expected a folder, found a file");
  }));

Deno.test("models lists every model, and each with its source and flags", async () => {
  const { code, stdout } = await attempt(modelsTask, []);
  assertEquals(code, 0);
  for (const { name, summary, source } of models.values()) {
    assertStringIncludes(stdout.replace(/\s+/g, " "), ` ${name} ${summary} `);
    const one = (await attempt(modelsTask, ["--model", name])).stdout;
    assertStringIncludes(one, `${name}: ${summary}\nSource: ${source}\n`);
  }
  assertStringIncludes((await attempt(modelsTask, ["--model", "beta_vae"])).stdout, "--beta X");
  const list = jsonLines((await attempt(modelsTask, ["--json"])).stdout);
  assertEquals(list.map(({ name }) => name), [...models.keys()]);
  assertEquals(list[0].settings.latents.default, 20);
});

Deno.test("datasets lists every dataset with its source and settings", async () => {
  const { stdout } = await attempt(datasetsTask, []);
  assertStringIncludes(stdout, "mnist: handwritten digits");
  assertMatch(
    stdout,
    /\nsprites: .*\n +Source: .*\n +--image-size N +height and width, in pixels \(8 to 256; default 32\)\n/,
  );
  const list = jsonLines((await attempt(datasetsTask, ["--json"])).stdout);
  assertEquals(list.map(({ name }) => name), ["mnist", "fashion_mnist", "cifar10", "frey_faces", "sprites", "blocks"]);
  assertEquals([list[0].settings, list[4].settings.imageSize.default], [{}, 32]);
});
