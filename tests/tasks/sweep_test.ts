/** Sweeps on the command line: every point is trained once, whoever trains it; what fails is said and tried again alone. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FolderLock } from "../../storage/folder_lock.ts";
import { sweepTask } from "../../tasks/sweep.ts";
import { attempt, inFolder, jsonLines } from "./support.ts";

const few = { dataset: "blocks", hidden: [6], latents: 2, batchSize: 21, epochs: 2, validation: 40 };
const write = (plan: object) => Deno.writeTextFile("plan.json", JSON.stringify(plan));
const trials = (stdout: string) => jsonLines(stdout).filter(({ event }) => event === "trial");
const states = async () =>
  trials((await attempt(sweepTask, ["--out", "s", "--status", "--json"])).stdout).map(({ state }) => state);
const checkpoint = (name: string) => Deno.readFile(`s/trials/${name}/checkpoint.safetensors`);

Deno.test("sweep trains every point with every seed once, collects a table and a page, and does nothing again", () =>
  inFolder(async () => {
    await write({ settings: { ...few, latents: { values: [2, 3] } }, seeds: 2 });
    const first = await attempt(sweepTask, ["plan.json", "--out", "s"]);
    assertEquals([first.code, first.stderr], [0, ""]);
    assertStringIncludes(first.stdout, "2 points with 2 seeds each into s; maximize validation.elbo");
    assertMatch(first.stdout, /4\/4 {2}3 {2}latents 3, seed 1 {2}validation\.elbo -\d+\.\d\d after 2 epochs/);
    assertMatch(first.stdout, /Best: point \d \(latents \d\), validation\.elbo -\d+\.\d\d, mean of 2/);
    const bytes = await checkpoint("0003");
    const again = await attempt(sweepTask, ["--out", "s", "--json"]);
    assertEquals(trials(again.stdout).map(({ state }) => state), ["done", "done", "done", "done"]);
    assertEquals(await checkpoint("0003"), bytes);

    const { stdout } = await attempt(sweepTask, ["--out", "s", "--collect"]);
    assertStringIncludes(stdout, "results.csv, results.parquet, index.html");
    const [head, ...rows] = (await Deno.readTextFile("s/results.csv")).trim().split(/\r?\n/);
    assertStringIncludes(head, "index,point,seed,latents,state,best validation.elbo,");
    assertEquals(rows.length, 4);
    assertMatch(await Deno.readTextFile("s/index.html"), /<h2>The best<\/h2>[\s\S]*All trainings/);
    // The run folders are those of any training.
    assert(JSON.parse(await Deno.readTextFile("s/trials/0002/config.json")).commands[0].includes("--latents=3"));
  }));

Deno.test("sweep --index trains one alone, the same bytes as the whole sweep, and gives way where another worker has it", () =>
  inFolder(async () => {
    await write({ settings: { ...few, beta: { values: [1, 2] }, model: "beta_vae" } });
    assertEquals((await attempt(sweepTask, ["plan.json", "--out", "all"])).code, 0);
    assertEquals((await attempt(sweepTask, ["plan.json", "--out", "s", "--index", "1"])).code, 0);
    assertEquals(await states(), ["waiting", "done"]);
    assertEquals(await checkpoint("0001"), await Deno.readFile("all/trials/0001/checkpoint.safetensors"));
    {
      using _ = await FolderLock.take("s/records/0000");
      assertEquals(await states(), ["running", "done"]);
      const { code, stdout } = await attempt(sweepTask, ["--out", "s", "--index", "0"]);
      assertEquals(code, 0);
      assertStringIncludes(stdout, "Training 0 is under way elsewhere");
    }
    const beyond = await attempt(sweepTask, ["--out", "s", "--index", "2"]);
    assertEquals(beyond.code, 2);
    assertStringIncludes(beyond.stderr, "Cannot find training 2: expected 0 to 1");
  }));

Deno.test("a training of a sweep that was stopped is resumed, to the bytes of one that was not", () =>
  inFolder(async () => {
    await write({ settings: { ...few, epochs: 30, checkpointSeconds: 0 } });
    assertEquals((await attempt(sweepTask, ["plan.json", "--out", "all"])).code, 0);
    const controller = new AbortController();
    const run = attempt(sweepTask, ["plan.json", "--out", "s", "--index", "0"], {
      signal: controller.signal,
      onWrite: (text) => /epoch 2\/30/.test(text) && controller.abort(),
    });
    assertEquals((await run).code, 0);
    assertEquals(await states(), ["stopped"]);
    assertEquals((await attempt(sweepTask, ["--out", "s"])).code, 0);
    assertEquals(await checkpoint("0000"), await Deno.readFile("all/trials/0000/checkpoint.safetensors"));
  }));

Deno.test("what fails is said with its reason, ends with 1, and is tried again alone", () =>
  inFolder(async () => {
    // More rows to validate on than there are is seen only with the data.
    await write({ settings: { ...few, validation: { values: [40, 500] } } });
    const { code, stdout, stderr } = await attempt(sweepTask, ["plan.json", "--out", "s"]);
    assertEquals(code, 1);
    assertMatch(stdout, /validation 500 {2}failed: Cannot validate on 500 rows/);
    assertMatch(stderr, /1 training of 2 failed, the first with: Cannot validate on 500 rows/);
    assertEquals(await states(), ["done", "failed"]);
    const { stdout: status } = await attempt(sweepTask, ["--out", "s", "--status"]);
    assertMatch(status, /2 trainings: 1 done, 1 failed/);
    assertMatch(status, /failed {2}1 {2}validation 500: Cannot validate/);
    assertMatch(await Deno.readTextFile("s/records/0001/log.txt"), /\$ deno task train .*\nError: Cannot validate/);
    const again = await attempt(sweepTask, ["--out", "s"]);
    assertEquals([again.code, await states()], [1, ["done", "failed"]]);
  }));

Deno.test("sweep --budget halves: the best go on from their checkpoints; a rung waits for the one before", () =>
  inFolder(async () => {
    await write({ settings: { ...few, epochs: 4, learningRate: { values: [1e-5, 1e-2, 1e-3, 1e-4] } } });
    const early = await attempt(sweepTask, [
      "plan.json",
      "--out",
      "s",
      "--budget",
      "2",
      "--factor",
      "2",
      "--index",
      "0",
    ]);
    assertEquals(early.code, 0);
    const tooEarly = await attempt(sweepTask, ["--out", "s", "--rung", "1", "--index", "0"]);
    assertStringIncludes(tooEarly.stderr, "expected rung 0 to be complete, found 3 of 4 trainings that are not");
    const { code, stdout } = await attempt(sweepTask, ["--out", "s"]);
    assertEquals(code, 0);
    assertEquals(JSON.parse(await Deno.readTextFile("s/rung-1.json")), [1, 2]);
    assertMatch(stdout, /2\/2 {2}2 {2}learningRate 0.001 {2}validation\.elbo -\d+\.\d\d after 4 epochs/);
    // The same as without a rung between.
    await write({ settings: { ...few, epochs: 4, learningRate: 1e-2 } });
    assertEquals((await attempt(sweepTask, ["plan.json", "--out", "whole"])).code, 0);
    const tensors = async (file: string) => (await Deno.readFile(file)).slice(-2000);
    assertEquals(
      await tensors("s/trials/0001/checkpoint.safetensors"),
      await tensors("whole/trials/0000/checkpoint.safetensors"),
    );
    const again = await attempt(sweepTask, ["--out", "s", "--rung", "1", "--index", "1"]);
    assertStringIncludes(again.stdout, "Training 2 is done");
  }));

Deno.test("a plan with settings that no training takes, or another plan in the folder, is wrong usage and trains nothing", () =>
  inFolder(async () => {
    const refused = async (plan: object, words: string) => {
      await write(plan);
      const { code, stderr } = await attempt(sweepTask, ["plan.json", "--out", "s"]);
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, words);
    };
    await refused({ settings: { ...few, latent: 3 } }, "Point 0 (dataset blocks");
    await refused({ settings: { ...few, model: "vaee" } }, 'Cannot find a model "vaee"');
    await refused({ settings: { ...few, freeBits: { values: [0, 1] }, prior: "mixture" } }, "Point 1");
    await refused({ settings: { ...few, out: "x" } }, "Cannot sweep over out");
    await refused({ settings: few, method: "grids" }, "Cannot read the plan");
    assertEquals(await Deno.stat("s").catch(() => undefined), undefined);
    const none = await attempt(sweepTask, ["--out", "s"]);
    assertStringIncludes(none.stderr, "there is no sweep.json in it; begin it with a plan");
    await write({ settings: few });
    assertEquals((await attempt(sweepTask, ["plan.json", "--out", "s", "--index", "0"])).code, 0);
    await write({ settings: { ...few, latents: 3 } });
    const other = await attempt(sweepTask, ["plan.json", "--out", "s"]);
    assertStringIncludes(other.stderr, "there is one of another plan");
  }));

Deno.test("a plan may be a module, whose default export is a plan or makes one", () =>
  inFolder(async () => {
    await Deno.writeTextFile(
      "plan.ts",
      `export default () => ({ settings: ${JSON.stringify({ ...few, epochs: 1 })} });`,
    );
    const { code, stderr } = await attempt(sweepTask, ["plan.ts", "--out", "s"]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(await states(), ["done"]);
  }));
