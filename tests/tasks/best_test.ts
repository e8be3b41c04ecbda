/** What a training leaves besides its last checkpoint: early stopping, the best epoch, other runs that begin with its weights. */

import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { type Checkpoint, decodeCheckpoint } from "../../core/training/checkpoint.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { trainTask } from "../../tasks/train.ts";
import { attempt, inFolder, jsonLines, small } from "./support.ts";

const read = (path: string) => Deno.readFile(path);
const exists = (path: string) => Deno.stat(path).then(() => true, () => false);
const checkpointOf = async (file: string): Promise<Checkpoint> => decodeCheckpoint(await read(file), file);
const eventsOf = async (run: string) => jsonLines(await Deno.readTextFile(`${run}/metrics.jsonl`));

async function ran(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await attempt(trainTask, args);
  assertEquals([code, stderr], [0, ""]);
  return stdout;
}

/** So large a rate that the validation loss goes up and down, and threshold, so that nothing else does. */
const restless = [...small, "--learning-rate", "0.2", "--binarize", "threshold", "--epochs"].filter((arg, i, all) =>
  !(arg === "--epochs" && i < all.length - 1) && all[i - 1] !== "--epochs"
);

Deno.test("train --patience stops after so many epochs without a lower validation loss, and the tasks use the best epoch", () =>
  inFolder(async () => {
    const stdout = await ran(...restless, "60", "--patience", "3", "--out", "run");
    const events = await eventsOf("run");
    const [epochs, end] = [events.slice(0, -1), events.at(-1)];
    const losses: number[] = epochs.map(({ validation }) => validation.loss);
    const best = losses.indexOf(Math.min(...losses)) + 1;
    assertEquals([end.early, end.stopped, end.best.epoch, epochs.length], [true, false, best, best + 3]);
    assertStringIncludes(stdout, `(early: the validation loss was lowest after epoch ${best})`);
    assertStringIncludes(stdout, "best.safetensors");
    assertMatch(stdout, /train --resume run --patience 6\n/);

    const evaluated = async (...args: string[]) => {
      const told = ["--run", "run", "--split", "validation", "--seed", "3", ...args];
      return jsonLines((await attempt(evaluateTask, [...told, "--json"])).stdout)[0].elbo;
    };
    assertEquals(await evaluated(), epochs[best - 1].validation.elbo);
    assertEquals(await evaluated("--checkpoint", "last"), epochs.at(-1).validation.elbo);
    const said = await attempt(evaluateTask, ["--run", "run"]);
    assertMatch(said.stdout, new RegExp(`^Checkpoint: best\\.safetensors, of epoch ${best}, `));

    const again = await ran("--resume", "run");
    assertMatch(again, /^Nothing to do: the run "run" stopped early after \d+ epochs, 3 of them without a lower/);
    // With more patience it goes on, to what it would have been with it from the beginning.
    await ran("--resume", "run", "--patience", "5");
    await ran(...restless, "60", "--patience", "5", "--out", "whole");
    assertEquals(await read("run/checkpoint.safetensors"), await read("whole/checkpoint.safetensors"));
    assertEquals(await read("run/best.safetensors"), await read("whole/best.safetensors"));
  }));

Deno.test("a run with a best epoch that was stopped and resumed has the bytes of one that was not, however often it wrote", () =>
  inFolder(async () => {
    await ran(...restless, "9", "--out", "whole", "--checkpoint-seconds", "0");
    const best = await checkpointOf("whole/best.safetensors");
    const last = await checkpointOf("whole/checkpoint.safetensors");
    assertEquals(last.progress.best, best.progress.best);
    assert(best.progress.step === best.progress.best!.step && best.progress.step < last.progress.step);
    assert(![...best.tensors.keys()].some((name) => name.startsWith("optimizer.")), "nothing for the optimizer");
    for (const stop of ["3", "7"]) {
      await ran(...restless, stop, "--out", `at-${stop}`);
      await ran("--resume", `at-${stop}`, "--epochs", "9", "--out", `from-${stop}`);
      for (const file of ["checkpoint.safetensors", "best.safetensors"]) {
        assertEquals(await read(`from-${stop}/${file}`), await read(`whole/${file}`), `${file} of ${stop}`);
      }
    }
  }));

Deno.test("where the last epoch is the best there is one checkpoint, and none but the last where nothing is held out", () =>
  inFolder(async () => {
    await ran(...small, "--out", "run", "--checkpoint-seconds", "0");
    const { progress } = await checkpointOf("run/checkpoint.safetensors");
    assertEquals([progress.best?.epoch, progress.best?.step], [4, progress.step]);
    assertEquals(await exists("run/best.safetensors"), false);
    await ran(...small.map((arg) => arg === "40" ? "0" : arg), "--out", "none");
    assertEquals((await checkpointOf("none/checkpoint.safetensors")).progress.best, undefined);
    const refused = await attempt(trainTask, [
      ...small.map((arg) => arg === "40" ? "0" : arg),
      ...["--patience", "2", "--out", "no"],
    ]);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stderr, "expected validation rows to go by (patience), found none held out");
  }));

Deno.test("epochs under a growing weight of the KL are compared by the weight that it ends with", () =>
  inFolder(async () => {
    const warm = "--model beta_vae --beta 4 --beta-schedule warm-up --beta-steps 30".split(" ");
    await ran(...small, ...warm, "--out", "run");
    const losses = (await eventsOf("run")).slice(0, -1).map(({ validation: { nll, kl } }) => nll + 4 * kl);
    const { best } = (await checkpointOf("run/checkpoint.safetensors")).progress;
    assertEquals(best!.epoch, losses.indexOf(Math.min(...losses)) + 1);
    assert(Math.abs(best!.loss - Math.min(...losses)) < 1e-3 * best!.loss, `${best!.loss} of ${losses}`);
  }));

Deno.test("train --checkpoint-seconds writes the checkpoints of short epochs together, and the last in any case", () =>
  inFolder(async () => {
    const writes: string[] = [];
    const rename = Deno.rename;
    Deno.rename = async (from, to) => {
      if (String(to).endsWith("checkpoint.safetensors")) writes.push(String(to));
      await rename(from, to);
    };
    try {
      await ran(...small, "--out", "seldom");
      assertEquals(writes.length, 2, "at the start and at the end");
      await ran(...small, "--out", "often", "--checkpoint-seconds", "0");
      assertEquals(writes.length, 2 + 5);
    } finally {
      Deno.rename = rename;
    }
    assertEquals(await read("seldom/checkpoint.safetensors"), await read("often/checkpoint.safetensors"));
  }));

Deno.test("train --from begins with the weights of a run, keeps its settings but for those given, and leaves it as it was", () =>
  inFolder(async () => {
    await ran(...small, "--out", "first");
    const before = await read("first/checkpoint.safetensors");
    const stdout = await ran("--from", "first", "--learning-rate", "1e-9", "--epochs", "1", "--out", "second");
    assertStringIncludes(stdout, "into second, from first/checkpoint.safetensors");
    const [first, second] = [
      await checkpointOf("first/checkpoint.safetensors"),
      await checkpointOf("second/checkpoint.safetensors"),
    ];
    assertEquals(second.config, first.config);
    assertEquals(second.training, { ...first.training, learningRate: 1e-9, epochs: 1 });
    assertEquals(second.progress.step, 10);
    const name = "encoder.0.weight";
    const [a, b] = [first, second].map(({ tensors }) => tensors.get(name)!.data as Float32Array);
    assert(a.every((value, i) => Math.abs(value - b[i]) < 1e-6));
    assertEquals(await read("first/checkpoint.safetensors"), before);
    assertEquals(JSON.parse(await Deno.readTextFile("second/config.json")).from, "first");

    // Another objective of the same weights; and weights that do not fit.
    await ran("--from", "first", "--model", "beta_vae", "--beta", "2", "--epochs", "1", "--out", "third");
    assertEquals((await checkpointOf("third/checkpoint.safetensors")).config.beta, 2);
    for (
      const [args, message] of [
        [["--latents", "3"], /expected "encoder.posterior.weight" of shape \[6,6\], found \[6,4\]/],
        [
          ["--dataset", "sprites", "--image-size", "8"],
          /Cannot use "sprites" with "first\/checkpoint.safetensors": expected data of \[4,4,1\], found \[8,8,1\]/,
        ],
        [["--resume", "first"], /expected --resume or --from, found both/],
        [["--model", "ppca"], /expected a model that is trained by gradient; "ppca" fits itself anew/],
      ] as const
    ) {
      const { code, stderr } = await attempt(trainTask, ["--from", "first", ...args, "--out", "no"]);
      assertNotEquals(code, 0);
      assertMatch(stderr, message);
      assertEquals(await exists("no"), false);
    }
  }));

Deno.test("a training that diverges keeps the last good epoch, though its checkpoint was not due, and says how to go on", () =>
  inFolder(async () => {
    // Good until step 25.
    const growing =
      "--learning-rate 0.001 --learning-rate-schedule decay --learning-rate-factor 1e33 --learning-rate-steps 25";
    const { code, stderr } = await attempt(trainTask, [...small, ...growing.split(" "), "--out", "run"]);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /is kept: run\/checkpoint\.safetensors \(after epoch 2, step 20\); train on from it with: deno task train --from run --learning-rate 0\.0001\n$/,
    );
    const { progress } = await checkpointOf("run/checkpoint.safetensors");
    assertEquals([progress.step, progress.best?.step], [20, 20]);
    await ran("--from", "run", "--learning-rate", "0.0001", "--learning-rate-schedule", "constant", "--out", "mended");
  }));
