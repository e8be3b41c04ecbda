/** What tests/outside brings, trained by `deno task train --model`: each test has a working directory of its own. */

import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeCheckpoint } from "../../mod.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { sampleTask } from "../../tasks/sample.ts";
import { trainTask } from "../../tasks/train.ts";
import { attempt, inFolder, jsonLines, small } from "./support.ts";

const moduleOf = (name: string) => new URL(`../outside/${name}.ts`, import.meta.url).href;

Deno.test("a model with ops from outside trains by the command line, its loss falls, and it is evaluated", () =>
  inFolder(async () => {
    const model = moduleOf("op_model");
    const settings = "--dataset blocks --batch-size 21 --epochs 8 --validation 40 --seed 3 --learning-rate 0.02";
    const { code, stderr } = await attempt(trainTask, [
      ...settings.split(" "),
      ...["--hidden", "12", "--model", model, "--out", "run"],
    ]);
    assertEquals([code, stderr], [0, ""]);
    const epochs = jsonLines(await Deno.readTextFile("run/metrics.jsonl")).filter(({ event }) => event === "epoch");
    const losses = epochs.map(({ train }) => train.loss);
    assert(losses.at(-1) < losses[0] - 1, `${losses}`);
    const { train } = epochs.at(-1);
    assertAlmostEquals(train.loss, train.nll + 0.1 * train["squared kl"], 1e-4);
    const evaluated = await attempt(evaluateTask, ["--run", "run", "--model", model]);
    assertEquals([evaluated.code, evaluated.stderr], [0, ""]);
    assertStringIncludes(evaluated.stdout, "elbo");
  }));

Deno.test("a model with a layer from outside trains by the command line, and is evaluated", () =>
  inFolder(async () => {
    const model = moduleOf("layer");
    const settings = "--dataset blocks --batch-size 21 --epochs 2 --validation 40 --seed 3 --width 8 --out run".split(
      " ",
    );
    const trained = await attempt(trainTask, [...settings, "--model", model]);
    assertEquals([trained.code, trained.stderr], [0, ""]);
    const evaluated = await attempt(evaluateTask, ["--run", "run", "--model", model]);
    assertEquals([evaluated.code, evaluated.stderr], [0, ""]);
  }));

Deno.test("a model with a prior from outside trains, is evaluated and sampled by the command line", () =>
  inFolder(async () => {
    const module = moduleOf("prior");
    const run = ["--run", "run", "--model", module];
    for (
      const [task, args] of [
        [trainTask, [...small, "--model", module, "--out", "run"]],
        [evaluateTask, [...run, "--samples", "10"]],
        [sampleTask, [...run, "--count", "4"]],
      ] as const
    ) {
      // deno-lint-ignore no-explicit-any
      const { code, stderr } = await attempt(task as any, args);
      assertEquals([code, stderr], [0, ""], args.join(" "));
    }
    const help = await attempt(trainTask, ["--help", "--model", module]);
    assertStringIncludes(help.stdout, "one learned Gaussian");
  }));

Deno.test("a rule and objectives of one's own train, stop, resume to the same bytes and are evaluated", () =>
  inFolder(async () => {
    const module = moduleOf("lagging_vae");
    const train = async (...args: string[]) => {
      const { code, stderr } = await attempt(trainTask, args);
      assertEquals([code, stderr], [0, ""]);
    };
    await train(...small, "--model", module, "--out", "whole");
    const shorter = small.map((value, i) => small[i - 1] === "--epochs" ? "2" : value);
    await train(...shorter, "--model", module, "--out", "part");
    await train("--resume", "part", "--model", module, "--epochs", "4");
    const whole = await Deno.readFile("whole/checkpoint.safetensors");
    const { tensors } = decodeCheckpoint(whole, "whole");
    assertEquals([...tensors], [
      ...decodeCheckpoint(await Deno.readFile("part/checkpoint.safetensors"), "part").tensors,
    ]);
    // The encoder's slots are those of the rule, the decoder's those of Adam.
    const slots = tensors.keys().filter((name) => name.startsWith("optimizer.") && name.endsWith("0.bias")).toArray();
    assertEquals(slots.toSorted(), [
      "optimizer.first_moment.decoder.0.bias",
      "optimizer.second_moment.decoder.0.bias",
      "optimizer.sign_momentum.encoder.0.bias",
    ]);
    const metrics = (await Deno.readTextFile("whole/metrics.jsonl")).trim().split("\n").map((line) => JSON.parse(line));
    const losses = metrics.filter(({ event }) => event === "epoch").map(({ train }) => train.nll);
    assert(losses[3] < losses[0], `the nll falls: ${losses}`);
    const { code, stdout } = await attempt(evaluateTask, ["--run", "whole", "--model", module]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "elbo");
  }));
