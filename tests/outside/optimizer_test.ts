/** An optimizer rule and objectives of somebody else, by way of the public names alone, from the command line. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeCheckpoint } from "../../mod.ts";
import { trainTask } from "../../tasks/train.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { attempt, inFolder, small } from "../tasks/support.ts";

const module = new URL("lagging_vae.ts", import.meta.url).href;

Deno.test("a rule and objectives of one's own train, stop, resume to the same bytes and are evaluated", () =>
  inFolder(async () => {
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
