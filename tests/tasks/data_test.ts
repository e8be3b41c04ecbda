import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeSafetensors, encodeSafetensors } from "../../core/training/safetensors.ts";
import type { DatasetSource } from "../../core/dataset.ts";
import { datasets } from "../../datasets/mod.ts";
import { models } from "../../models/mod.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { reconstructTask } from "../../tasks/reconstruct.ts";
import { sampleTask } from "../../tasks/sample.ts";
import { scoreTask } from "../../tasks/score.ts";
import { trainTask } from "../../tasks/train.ts";
import { idx } from "../datasets/support.ts";
import { attempt, blocks, inFolder, jsonLines, root } from "./support.ts";

const tiny = "--hidden 6 --latents 2 --batch-size 20 --seed 3".split(" ");

/** Writes the blocks as an idx file, in the order that they have. */
async function writeBlocks(path: string): Promise<void> {
  const { train } = blocks();
  await Deno.writeFile(path, idx([train.count, 4, 4], train.values));
}

Deno.test("train takes a path, and the other tasks find the data again from anywhere", () =>
  inFolder(async (folder) => {
    await writeBlocks("my blocks.idx");
    const args = ["--dataset", "./my blocks.idx", "--data-seed", "5", "--epochs", "2", ...tiny];
    const trained = await attempt(trainTask, args);
    assertEquals([trained.code, trained.stderr], [0, ""]);
    assertMatch(trained.stdout, /into runs\/vae-my_blocks\.idx-\d{8}-\d{6}\n/);
    const [{ name }] = [...Deno.readDirSync("runs")];
    const run = `${Deno.cwd()}/runs/${name}`;
    const config = JSON.parse(await Deno.readTextFile(`${run}/config.json`));
    assertEquals(config.dataset, `${Deno.cwd()}/my blocks.idx`);

    await Deno.mkdir(`${folder}/elsewhere`);
    Deno.chdir(`${folder}/elsewhere`);
    // 240 rows: 40 to test on, and a sixth of the other 200 to validate on.
    for (const [split, count] of [["test", 40], ["validation", 33], ["train", 167]] as const) {
      const { code, stdout } = await attempt(evaluateTask, ["--run", run, "--split", split, "--json"]);
      assertEquals([code, jsonLines(stdout)[0].count], [0, count]);
    }
    assertEquals((await attempt(reconstructTask, ["--run", run])).code, 0);
    assertEquals((await attempt(sampleTask, ["--run", run])).code, 0);
    const more = ["--resume", run, "--epochs", "3", "--dataset", "../my blocks.idx", "--data-seed", "5"];
    assertEquals((await attempt(trainTask, more)).code, 0);
    // The same rows as if it had never stopped: the division is the run's own.
    const whole = await attempt(trainTask, [
      "--dataset",
      "../my blocks.idx",
      ...tiny,
      "--data-seed",
      "5",
      "--epochs",
      "3",
      "--out",
      "whole",
    ]);
    assertEquals(whole.code, 0);
    assertEquals(
      await Deno.readFile(`${run}/checkpoint.safetensors`),
      await Deno.readFile("whole/checkpoint.safetensors"),
    );

    const other = await attempt(trainTask, ["--resume", run, "--data-seed", "6"]);
    assertEquals(other.code, 2);
    assertStringIncludes(other.stderr, "Cannot change --data-seed of the run");
    await Deno.writeFile("../my blocks.idx", idx([60, 4, 4], new Uint8Array(960)));
    const changed = await attempt(evaluateTask, ["--run", run]);
    assertEquals(changed.code, 0);
    assertStringIncludes(
      changed.stdout,
      "is not what the run was trained on (60 rows in place of 240); taken as new data",
    );
    assertStringIncludes(changed.stdout, "my blocks.idx, all: 60 rows, ");
    const resumed = await attempt(trainTask, ["--resume", run, "--epochs", "9"]);
    assertEquals(resumed.code, 2);
    assertStringIncludes(resumed.stderr, "expected the data that it was begun on, found others in ");
    assertStringIncludes(resumed.stderr, 'my blocks.idx": 60 rows in place of 240');
    await Deno.remove("../my blocks.idx");
    const gone = await attempt(evaluateTask, ["--run", run]);
    assertStringIncludes(gone.stderr, "is none of mnist, fashion_mnist, cifar10, frey_faces, sprites");
    assertStringIncludes(gone.stderr, "and no file or folder; say where it is with --dataset");
  }));

Deno.test("train makes sprites of the size and seed that it is told, and evaluate makes them again", () =>
  inFolder(async () => {
    const args = "--dataset sprites --image-size 8 --data-seed 1 --hidden 6 --latents 2 --batch-size 1000 --epochs 1";
    const trained = await attempt(trainTask, [...args.split(" "), "--out", "run"]);
    assertEquals([trained.code, trained.stderr], [0, ""]);
    assertEquals(JSON.parse(await Deno.readTextFile("run/config.json")).datasetSettings, { imageSize: 8 });
    const count = async () => jsonLines((await attempt(evaluateTask, ["--run", "run", "--json"])).stdout)[0]?.count;
    assertEquals(await count(), 4000);
    const other = await attempt(trainTask, ["--resume", "run", "--image-size", "16"]);
    assertStringIncludes(other.stderr, "it was begun with 8, found 16");
    assertEquals((await attempt(trainTask, ["--resume", "run", "--image-size", "8", "--epochs", "2"])).code, 0);

    // A checkpoint of an older version keeps no settings: the size is that of its shape.
    await changeData((data) => delete data.settings);
    assertEquals(await count(), 4000);
    assertEquals((await attempt(trainTask, ["--resume", "run", "--epochs", "3"])).code, 0);
    const old = await attempt(trainTask, ["--resume", "run", "--image-size", "16"]);
    assertStringIncludes(old.stderr, "it was begun with 8, found 16");
    assertEquals((await attempt(scoreTask, "--run run --dataset sprites --samples 1".split(" "))).code, 0);

    for (
      const [settings, message] of [
        [{ imageSize: 1e9 }, "expected an integer of at least 8 and at most 256, found 1000000000"],
        [{ size: 8 }, 'Cannot set "size" of the dataset "sprites": known settings are imageSize'],
      ] as const
    ) {
      await changeData((data) => data.settings = settings);
      const { code, stderr } = await attempt(evaluateTask, ["--run", "run"]);
      assertEquals(code, 1);
      assertMatch(stderr, /^Error: Cannot load the data of "run\/checkpoint.safetensors": /);
      assertStringIncludes(stderr, message);
    }
  }));

/** Changes what the checkpoint in "run" says of its data. */
async function changeData(change: (data: Record<string, unknown>) => void): Promise<void> {
  const file = "run/checkpoint.safetensors";
  const { tensors, metadata } = decodeSafetensors(await Deno.readFile(file), file);
  const header = JSON.parse(metadata.elbo);
  change(header.data);
  await Deno.writeFile(file, encodeSafetensors(tensors, { ...metadata, elbo: JSON.stringify(header) }));
}

Deno.test("train has the flags of the dataset that is named, under a heading, and says whose a flag is", async () => {
  const help = async (...args: string[]) => (await attempt(trainTask, [...args, "--help"])).stdout;
  assertMatch(
    await help("--dataset", "sprites"),
    /\nDataset sprites \(.*\)\n +--image-size N +height and width, in pixels/,
  );
  assertEquals(/image-size|\nDataset/.test(await help()), false);
  const { code, stderr } = await attempt(trainTask, ["--dataset", "mnist", "--image-size", "16"]);
  assertEquals([code, stderr.split("\n")[0]], [2, "Error: Unknown flag --image-size: it is one of --dataset sprites"]);
  const size = await attempt(trainTask, ["--dataset", "sprites", "--image-size", "4"]);
  assertStringIncludes(
    size.stderr,
    'Cannot read --image-size: expected an integer of at least 8 and at most 256, found "4"',
  );
});

Deno.test("no setting of a dataset is called like one of a model, of a training or of a run", async () => {
  for (const { name, settings } of datasets.values()) {
    for (const model of settings ? models.keys() : []) {
      const { code, stderr } = await attempt(trainTask, ["--dataset", name, "--model", model, "--help"]);
      assertEquals([code, stderr], [0, ""], `${name}, ${model}`);
    }
  }
});

Deno.test("train refuses a dataset that has settings and does not say with which it was loaded", () =>
  inFolder(async () => {
    const settings = { brightness: { type: "number", default: 1, help: "of the blocks" } } as const;
    const source = { name: "forgetful", summary: "", source: "", settings, load: () => Promise.resolve(blocks()) };
    (datasets as Map<string, DatasetSource>).set(source.name, source);
    try {
      const { code, stderr } = await attempt(trainTask, ["--dataset", "forgetful", "--brightness", "2", ...tiny]);
      assertEquals(code, 1);
      assertStringIncludes(
        stderr,
        'Cannot use "forgetful": expected its load() to give the settings of the dataset, found none',
      );
      assertEquals([...Deno.readDirSync(".")], []);
    } finally {
      (datasets as Map<string, DatasetSource>).delete(source.name);
    }
  }));

Deno.test("train names the file that it cannot read", () =>
  inFolder(async () => {
    await Deno.writeTextFile("t.csv", "1,2\n3,x\n");
    const { code, stderr } = await attempt(trainTask, ["--dataset", "t.csv", ...tiny]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, '/t.csv": expected numbers, found text in column 2 ("x" in line 2)');
  }));

Deno.test("train of eight images ends with a report, and says which figure one test image is too few for", () =>
  inFolder(async () => {
    const small = "--hidden 6 --latents 2 --epochs 1".split(" ");
    const path = `${root}tests/fuzz/corpus/images-8-rows.npz`;
    const { code, stdout, stderr } = await attempt(trainTask, [
      "--dataset",
      path,
      ...small,
      "--batch-size",
      "1",
      "--out",
      "run",
    ]);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "No morphs: they go from one test image to another, and there is only one");
    assertEquals((await Deno.stat("run/report.html")).isFile, true);
  }));
