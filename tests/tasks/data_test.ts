import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { reconstructTask } from "../../tasks/reconstruct.ts";
import { sampleTask } from "../../tasks/sample.ts";
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
    assertEquals(changed.code, 1);
    assertStringIncludes(changed.stderr, 'my blocks.idx" as it was, 200 training rows of [4,4,1], found 50 of [4,4,1]');
    await Deno.remove("../my blocks.idx");
    const gone = await attempt(evaluateTask, ["--run", run]);
    assertStringIncludes(gone.stderr, "is none of mnist, fashion_mnist, cifar10, frey_faces, sprites");
    assertStringIncludes(gone.stderr, "and no file or folder");
  }));

Deno.test("train makes sprites of the size and seed that it is told, and evaluate makes them again", () =>
  inFolder(async () => {
    const args = "--dataset sprites --image-size 8 --data-seed 1 --hidden 6 --latents 2 --batch-size 1000 --epochs 1";
    const trained = await attempt(trainTask, [...args.split(" "), "--out", "run"]);
    assertEquals([trained.code, trained.stderr], [0, ""]);
    const { stdout } = await attempt(evaluateTask, ["--run", "run", "--json"]);
    assertEquals(jsonLines(stdout)[0].count, 4000);
    const other = await attempt(trainTask, ["--resume", "run", "--image-size", "16"]);
    assertStringIncludes(other.stderr, "it was begun with 8, found 16");
  }));

Deno.test("train names the file that it cannot read", () =>
  inFolder(async () => {
    await Deno.writeTextFile("t.csv", "1,2\n3,x\n");
    const { code, stderr } = await attempt(trainTask, ["--dataset", "t.csv", ...tiny]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, '/t.csv": expected a number in line 2, column 2, found "x"');
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
