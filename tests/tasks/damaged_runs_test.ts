/** Run folders whose files say what they should not: every task refuses them in one line that names the file. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeSafetensors, encodeSafetensors } from "../../core/training/safetensors.ts";
import { load } from "../../storage/checkpoint.ts";
import type { FlagGroups } from "../../tasks/cli/flags.ts";
import type { Task } from "../../tasks/cli/run.ts";
import { encodeTask } from "../../tasks/encode.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { imputeTask } from "../../tasks/impute.ts";
import { reconstructTask } from "../../tasks/reconstruct.ts";
import { reportTask } from "../../tasks/report.ts";
import { sampleTask } from "../../tasks/sample.ts";
import { scoreTask } from "../../tasks/score.ts";
import { trainTask } from "../../tasks/train.ts";
import { attempt, inFolder, jsonLines, small } from "./support.ts";

/** Every way to open a run. */
const openers: Readonly<Record<string, (...more: readonly string[]) => ReturnType<typeof attempt>>> = {
  resume: (...more) => attempt(trainTask, ["--resume", "run", "--epochs", "5", ...more]),
  compare: (...more) => attempt(reportTask, ["--compare", "plain", "run", ...more]),
  ...Object.fromEntries(
    Object.entries({ sampleTask, reconstructTask, evaluateTask, encodeTask, scoreTask, imputeTask, reportTask }).map((
      [name, task],
    ) => [
      name,
      (...more: readonly string[]) => attempt(task as unknown as Task<FlagGroups>, ["--run", "run", ...more]),
    ]),
  ),
};

/** A test in a folder with a run of four epochs in `run`, and another one. */
function withRuns(test: () => Promise<void>): Promise<void> {
  return inFolder(async () => {
    for (const out of ["run", "plain"]) assertEquals((await attempt(trainTask, [...small, "--out", out])).code, 0);
    await test();
  });
}

/** Every task ends with 1, one line on stderr and nothing on stdout. */
async function refused(file: string, message: string): Promise<void> {
  for (const [name, open] of Object.entries(openers)) {
    const { code, stdout, stderr } = await open("--json");
    assertEquals([code, stdout], [1, ""], `${name}: ${message}`);
    const lines = stderr.split("\n");
    assertEquals(lines.length, 2, stderr);
    assert(lines[0].length < 500, stderr);
    assertStringIncludes(lines[0], `${file}": `, name);
    assertStringIncludes(lines[0], message, name);
  }
}

/** Values that are of no setting's type, and how a message shows them. */
const counted = "an integer from 0 to 4294967295";

Deno.test("every task refuses a config.json of wrong types, in one line that names the field", () =>
  withRuns(async () => {
    const file = "run/config.json";
    const config = JSON.parse(await Deno.readTextFile(file));
    for (
      const [key, value, message] of [
        ["model", null, 'expected "model" to be text, found null'],
        ["model", 5, 'expected "model" to be text, found 5'],
        ["started", 5, 'expected "started" to be text, found 5'],
        ["started", {}, 'expected "started" to be text, found {}'],
        ["adapter", ["a"], 'expected "adapter" to be text, found ["a"]'],
        ["dataset", false, 'expected "dataset" to be text, found false'],
        ["module", null, 'expected "module" to be text, found null'],
        ["parameters", -1, 'expected "parameters" to be an integer from 0 to 9007199254740991, found -1'],
        ["parameters", 1e300, "found 1e+300"],
        ["parameters", "9", 'found "9"'],
        ["remarks", null, 'expected "remarks" to be a list, found null'],
        ["remarks", [1], "expected remarks[0] to be text, found 1".replace("remarks[0]", '"remarks"[0]')],
        ["config", null, 'expected "config" to be an object, found null'],
        ["config", [], 'expected "config" to be an object, found []'],
        [
          "config",
          { latents: null },
          'expected "latents" to be a number, text, true or false, or a list of them, found null',
        ],
        ["config", { hidden: [[1]] }, "found [[1]]"],
        ["config", { constructor: 1 }, 'expected a name in "config", found "constructor"'],
      ] as const
    ) {
      await Deno.writeTextFile(file, JSON.stringify({ ...config, [key]: value }));
      await refused(file, message);
    }
    for (
      const [text, message] of [
        ["null", "expected the configuration to be an object, found null"],
        ["[]", "expected the configuration to be an object, found []"],
        ["", "expected JSON, found nothing"],
        ['{"model":', 'expected JSON, found "{\\"model\\":", damaged'],
        ['{"parameters":NaN}', 'found "{\\"parameters\\":NaN}", damaged'],
        [`{"config":{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}}`, "or a list of them, found [[[[...]]]]"],
      ]
    ) {
      await Deno.writeTextFile(file, text);
      await refused(file, message);
    }
  }));

Deno.test("every task refuses a metrics.jsonl of wrong types, in one line that names the field and the line", () =>
  withRuns(async () => {
    const file = "run/metrics.jsonl";
    const events = jsonLines(await Deno.readTextFile(file));
    const write = async (line: string) =>
      await Deno.writeTextFile(
        file,
        events.map((event, i) => (i === 1 ? line : JSON.stringify(event)) + "\n").join(""),
      );
    for (
      const [change, message] of [
        [{ event: "progress" }, 'expected "event" to be one of epoch, end, found "progress", in line 2'],
        [{ event: null }, 'expected "event" to be one of epoch, end, found null, in line 2'],
        [{ epoch: null }, `expected "epoch" to be ${counted}, found null, in line 2`],
        [{ epoch: -1 }, `expected "epoch" to be ${counted}, found -1, in line 2`],
        [{ epoch: 1.5 }, `expected "epoch" to be ${counted}, found 1.5, in line 2`],
        [{ step: -1 }, `expected "step" to be ${counted}, found -1, in line 2`],
        [{ step: "2" }, `expected "step" to be ${counted}, found "2", in line 2`],
        [{ step: 1e300 }, `expected "step" to be ${counted}, found 1e+300, in line 2`],
        [{ train: null }, 'expected "train" to be an object, found null, in line 2'],
        [{ train: { elbo: "x" } }, 'expected "elbo" to be a finite number, found "x", in line 2'],
        [{ train: {} }, 'expected "elbo" to be a finite number, found nothing, in line 2'],
        [{ train: { ...events[1].train, kl: 1e-320 } }, 'expected "kl" to be a finite number, found 1e-320, in line 2'],
        [{ train: { toString: 1 } }, 'expected a name in "train", found "toString", in line 2'],
        [{ validation: [1] }, 'expected "validation" to be an object, found [1], in line 2'],
        [{ validation: { kl: null } }, 'expected "kl" to be a finite number, found null, in line 2'],
        [{ latents: 3 }, 'expected "latents" to be an object, found 3, in line 2'],
        [{ latents: { kl: 3, active: 1, of: 2 } }, 'expected "kl" to be a list, found 3, in line 2'],
        [{ ssim: {} }, 'expected "ssim" to be a finite number, found {}, in line 2'],
        [{ seconds: null }, 'expected "seconds" to be a finite number, found null, in line 2'],
        [{ samplesPerSecond: [] }, 'expected "samplesPerSecond" to be a finite number, found [], in line 2'],
      ] as const
    ) {
      await write(JSON.stringify({ ...events[1], ...change }));
      await refused(file, message);
    }
    for (
      const [line, message] of [
        ["null", "expected the event to be an object, found null, in line 2"],
        ["7", "expected the event to be an object, found 7, in line 2"],
        ['{"event":"epoch","epoch":NaN}', "expected an event in JSON in line 2"],
        [JSON.stringify(events[1]).replace(/"step":\d+/, '"step":1e999'), "found null, in line 2"],
        ["", "expected an event in JSON in line 2, found nothing"],
      ]
    ) {
      await write(line);
      await refused(file, message);
    }
  }));

Deno.test("every task refuses a checkpoint whose header is of wrong types, in one line that names the field", () =>
  withRuns(async () => {
    const file = "run/checkpoint.safetensors";
    const { tensors, metadata } = decodeSafetensors(await Deno.readFile(file), file);
    const header = JSON.parse(metadata.elbo);
    const { data, progress, config, training } = header;
    const latents = "an integer of at least 1 and at most 4096";
    for (
      const [change, message] of [
        [{ model: 3 }, 'expected "model" to be text, found 3'],
        [{ model: null }, 'expected "model" to be text, found null'],
        [{ config: null }, 'expected "config" to be an object, found null'],
        [
          { config: { ...config, latents: -2 } },
          `Cannot set "latents" of the model "vae": expected ${latents}, found -2`,
        ],
        [{ config: { ...config, latents: null } }, `expected ${latents}, found null`],
        [{ config: { ...config, constructor: 1 } }, 'expected a name in "config", found "constructor"'],
        [{ config: { ...config, hidden: [16384] } }, 'expected "encoder.0.weight" of shape [16,16384], found [16,6]'],
        [{ training: [] }, 'expected "training" to be an object, found []'],
        [{ training: { ...training, batchSize: 0 } }, 'Cannot set "batchSize" of the training: expected an integer'],
        [{ training: { ...training, seed: "0" } }, 'Cannot set "seed" of the training: expected an integer'],
        [{ data: null }, 'expected "data" to be an object, found null'],
        [{ data: { ...data, name: 0 } }, 'expected "name" to be text, found 0'],
        [{ data: { ...data, name: "\ud800" } }, 'expected "name" to be text, found "\\ud800"'],
        [{ data: { ...data, shape: [4, 4] } }, 'expected "shape" to be a list of 3, found [4,4]'],
        [
          { data: { ...data, shape: [-4, -4, 1] } },
          'expected "shape"[0] to be an integer from 1 to 2147483647, found -4',
        ],
        [{ data: { ...data, shape: [4, 2.5, 1] } }, "found 2.5"],
        [{ data: { ...data, shape: [2 ** 30, 2 ** 30, 1] } }, "expected a shape of at most 2147483647 values"],
        [{ data: { ...data, count: 0 } }, 'expected "count" to be an integer from 1 to 2147483647, found 0'],
        [{ data: { ...data, classes: "10" } }, 'expected "classes" to be an integer from 1 to 256, found "10"'],
        [{ progress: {} }, `expected "step" to be ${counted}, found nothing`],
        [{ progress: { ...progress, step: -1 } }, `expected "step" to be ${counted}, found -1`],
        [{ progress: { ...progress, step: 1e300 } }, `expected "step" to be ${counted}, found 1e+300`],
        [{ progress: { ...progress, sums: [null] } }, 'expected "sums"[0] to be a finite number, found null'],
        [{ progress: { ...progress, counts: [3] } }, 'expected "counts"[0] to be a list, found 3'],
        [{ adapter: {} }, 'expected "adapter" to be text, found {}'],
        [{ tuned: null }, "expected known tiles, found null"],
      ] as const
    ) {
      const elbo = JSON.stringify({ ...header, ...change });
      await Deno.writeFile(file, encodeSafetensors(tensors, { ...metadata, elbo }));
      await refused(file, message);
      const error = await load(file).then(() => undefined, (error) => error);
      assertStringIncludes(error.message, `${file}": `);
    }
    for (const elbo of ["", "null", "[]", "{", "3"]) {
      await Deno.writeFile(file, encodeSafetensors(tensors, { ...metadata, elbo }));
      await refused(file, "expected ");
    }
  }));

Deno.test("train --resume refuses a checkpoint with sums of other terms than the model's", () =>
  withRuns(async () => {
    const file = "run/checkpoint.safetensors";
    const { tensors, metadata } = decodeSafetensors(await Deno.readFile(file), file);
    const header = JSON.parse(metadata.elbo);
    const elbo = JSON.stringify({ ...header, progress: { ...header.progress, sums: [1] } });
    await Deno.writeFile(file, encodeSafetensors(tensors, { ...metadata, elbo }));
    const { code, stderr } = await attempt(trainTask, ["--resume", "run", "--epochs", "5"]);
    assertEquals([code, stderr.split("\n").length], [1, 2]);
    assertStringIncludes(stderr, `Cannot load "${file}": expected sums of 2 terms, found 1`);
  }));

Deno.test("report leaves curves out that have nothing to show", () =>
  withRuns(async () => {
    const file = "run/metrics.jsonl";
    const zero = { elbo: 0, nll: 0, kl: 0, loss: 0 };
    const events = jsonLines(await Deno.readTextFile(file)).map((event) => ({
      ...event,
      train: zero,
      validation: zero,
    }));
    await Deno.writeTextFile(file, events.map((event) => JSON.stringify(event) + "\n").join(""));
    const { code, stderr } = await openers.reportTask();
    assertEquals([code, stderr], [0, ""]);
  }));

Deno.test("every task refuses a run folder of pipes and devices, and does not wait for them", {
  ignore: Deno.build.os === "windows",
}, () =>
  withRuns(async () => {
    for (const name of ["config.json", "metrics.jsonl", "checkpoint.safetensors"]) {
      const file = `run/${name}`;
      const content = await Deno.readFile(file);
      await Deno.remove(file);
      await new Deno.Command("mkfifo", { args: [file] }).output();
      await refused(file, "expected a file, found a pipe");
      await Deno.remove(file);
      await Deno.symlink("/dev/zero", file);
      await refused(file, "expected a file, found a device");
      await Deno.remove(file);
      await Deno.writeFile(file, content);
    }
  }));

Deno.test("train --resume takes the last line of metrics.jsonl for cut short where it has no end, and writes it anew", () =>
  withRuns(async () => {
    const file = "run/metrics.jsonl";
    const lines = (await Deno.readTextFile(file)).split("\n");
    await Deno.writeTextFile(file, `${lines.slice(0, 4).join("\n")}\n${lines[4].slice(0, 20)}`);
    assertEquals((await attempt(trainTask, ["--resume", "run"])).code, 0);
    const events = jsonLines(await Deno.readTextFile(file));
    assertEquals(events.map(({ event }) => event), ["epoch", "epoch", "epoch", "epoch", "end"]);
  }));

/** Puts one value into every weight of the run's model. */
async function fillWeights(value: number): Promise<void> {
  const file = "run/checkpoint.safetensors";
  const { tensors, metadata } = decodeSafetensors(await Deno.readFile(file), file);
  for (const [name, { data }] of tensors) if (!name.startsWith("optimizer.")) data.fill(value);
  await Deno.writeFile(file, encodeSafetensors(tensors, metadata));
}

Deno.test("every task refuses a checkpoint with a number that is not finite, and names the tensor", () =>
  withRuns(async () => {
    for (const value of [NaN, -Infinity]) {
      await fillWeights(value);
      await refused("run/checkpoint.safetensors", `expected finite numbers in the tensor "decoder.0.`);
    }
  }));

Deno.test("no task prints figures that are no numbers: of weights that are too large it ends with 1 and says so in one line", () =>
  withRuns(async () => {
    await fillWeights(-1e38);
    for (const name of ["reconstructTask", "evaluateTask", "encodeTask", "scoreTask", "imputeTask"]) {
      const { code, stdout, stderr } = await openers[name]("--json");
      assertEquals([code, stdout], [1, ""], name);
      assert(
        /^Error: Cannot .*: expected (finite numbers|a finite \w+), found .*\n$/.test(stderr),
        `${name}: ${stderr}`,
      );
    }
    const sampled = await openers.sampleTask("--temperature", "1e38");
    assert(sampled.code === 0 || /^Error: Cannot use .*expected finite numbers/.test(sampled.stderr), sampled.stderr);
  }));
