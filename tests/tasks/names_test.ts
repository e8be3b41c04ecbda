/** What is said of names that are unknown, and of labels that mean nothing. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type FlagGroups, UsageError } from "../../tasks/cli/flags.ts";
import { models } from "../../mod.ts";
import { nearest } from "../../tasks/cli/nearest.ts";
import { permissionFlags } from "../../tasks/cli/permissions.ts";
import type { Task } from "../../tasks/cli/run.ts";
import { experimentTask } from "../../tasks/experiment.ts";
import { modelsTask } from "../../tasks/models.ts";
import { reportTask } from "../../tasks/report.ts";
import { sampleTask } from "../../tasks/sample.ts";
import { trainTask } from "../../tasks/train.ts";
import { attempt, inFolder, jsonLines, small } from "./support.ts";

Deno.test("nearest() finds a name by its letters, without case and hyphens, and by its beginning", () => {
  const known = ["mnist", "fashion_mnist", "frey_faces", "cifar10", "sprites"];
  const found = ["minst", "MNIST", "fashion-mnist", "FashionMNIST", "cifar", "frey", "Sprite"].map((name) =>
    nearest(name, known)
  );
  assertEquals(found, ["mnist", "mnist", "fashion_mnist", "fashion_mnist", "cifar10", "frey_faces", "sprites"]);
  assertEquals(nearest("vea", ["ae", "dae", "vae"]), "vae");
});

Deno.test("an unknown dataset, model, experiment, task or flag gets the nearest name", () =>
  inFolder(async () => {
    const cases: [task: Task<FlagGroups>, args: string[], message: string][] = [
      [
        trainTask as unknown as Task<FlagGroups>,
        ["--dataset", "minst"],
        'a dataset "minst": the nearest known one is mnist of',
      ],
      [
        trainTask as unknown as Task<FlagGroups>,
        ["--dataset", "fashion-mnist"],
        "the nearest known one is fashion_mnist of",
      ],
      [trainTask as unknown as Task<FlagGroups>, ["--model", "beta-vae"], "the nearest known one is beta_vae of"],
      [modelsTask as unknown as Task<FlagGroups>, ["--model", "VAE"], "the nearest known one is vae of"],
      [experimentTask as unknown as Task<FlagGroups>, ["optimiser"], "the nearest known one is optimizers of"],
      [
        trainTask as unknown as Task<FlagGroups>,
        ["--epoch", "3"],
        "Unknown flag --epoch: the nearest known one is --epochs",
      ],
    ];
    for (const [task, args, message] of cases) {
      const { code, stderr } = await attempt(task, args);
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, message);
    }
    // A path is no misspelled name.
    const { stderr } = await attempt(trainTask, ["--dataset", "./minst.csv"]);
    assert(!stderr.includes("nearest"), stderr);
    assertThrows(() => permissionFlags("trian", []), UsageError, 'task "trian": the nearest known one is train of');
  }));

Deno.test("models is a list of one line each, and all of one with --model", async () => {
  const { stdout } = await attempt(modelsTask, []);
  const lines = stdout.split("\n");
  for (const name of models.keys()) assertEquals(lines.filter((line) => line.startsWith(`  ${name} `)).length, 1, name);
  assertEquals(lines.filter((line) => line.startsWith("  ")).length, models.size, stdout);
  assert(lines.every((line) => line.length <= 100), stdout);
  const all = (await attempt(modelsTask, ["--model", "beta_vae"])).stdout;
  for (const word of ["Source:", "--free-bits", "--latents", "Train it: deno task train --model beta_vae"]) {
    assertStringIncludes(all, word);
  }
  assertEquals(jsonLines((await attempt(modelsTask, ["--json"])).stdout).length, models.size);
  assertEquals(jsonLines((await attempt(modelsTask, ["beta_vae", "--json"])).stdout).length, 1);
});

Deno.test("a label that means nothing is wrong usage for every model, in sample and in report", () =>
  inFolder(async () => {
    const labelled = Array.from({ length: 60 }, (_, i) => `${i % 7},${(i * 5) % 11},${i % 3 ? "oak" : "elm"}`);
    await Deno.writeTextFile("trees.csv", ["a,b,label", ...labelled].join("\n") + "\n");
    const tiny = "--dataset trees.csv --hidden 4 --latents 1 --epochs 1 --batch-size 20 --validation 0".split(" ");
    const train = async (model: string, ...args: string[]) => {
      const { code, stderr } = await attempt(trainTask, [...args, "--model", model, "--out", model]);
      assertEquals(code, 0, stderr);
    };
    for (const model of ["vae", "ae"]) await train(model, ...small);
    await train("gmm", "--dataset", "blocks", "--components", "2");
    for (const model of ["vae", "ae", "gmm"]) {
      const refused = await attempt(sampleTask, ["--run", model, "--label", "99"]);
      assertEquals(refused.code, 2, refused.stdout);
      assertStringIncludes(refused.stderr, "--label: expected a model that is told labels, such as cvae");
      const report = await attempt(reportTask, ["--run", model, "--label", "99"]);
      assertEquals([report.code, report.stderr.split("\n")[0]], [
        2,
        "Error: --label: expected data with labels, found none",
      ]);
    }
    await train("cvae", ...tiny, "--likelihood", "gaussian");
    for (const label of ["99", "ash"]) {
      for (const task of [sampleTask, reportTask] as unknown as Task<FlagGroups>[]) {
        const { code, stderr } = await attempt(task, ["--run", "cvae", "--label", label]);
        assertEquals(code, 2);
        assertStringIncludes(stderr, `--label: expected a class (`);
        assertStringIncludes(stderr, `found "${label}"`);
      }
    }
    const { code } = await attempt(sampleTask, ["--run", "cvae", "--label", "1", "--count", "3", "--out", "one.csv"]);
    assertEquals([code, (await Deno.readTextFile("one.csv")).trimEnd().split("\n").length], [0, 4]);
  }));
