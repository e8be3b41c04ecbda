import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { Gpu } from "../../core/gpu/device.ts";
import { decodeCheckpoint } from "../../core/training/checkpoint.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { reconstructTask } from "../../tasks/reconstruct.ts";
import { sampleTask } from "../../tasks/sample.ts";
import { trainTask } from "../../tasks/train.ts";
import { attempt, blocks, inFolder, jsonLines, root, small } from "./support.ts";

const read = (path: string) => Deno.readFile(path);
const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("train writes a run folder and says what is in it and what to type next", () =>
  inFolder(async () => {
    const { code, stdout, stderr } = await attempt(trainTask, [...small, "--out", "a/run"]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(names("a/run"), [
      "checkpoint.safetensors",
      "config.json",
      "figures",
      "metrics.jsonl",
      "reconstructions.png",
      "report.html",
      "samples.png",
    ]);
    assertStringIncludes(stdout, "pixels: binarize dynamic");
    assertMatch(
      stdout,
      /\n4 epochs, 39 steps, after \d+ s: elbo -\d+\.\d\d nll \d+\.\d\d kl \d+\.\d\d; validation elbo /,
    );
    for (const next of ["sample --run a/run", "evaluate --run a/run", "train --resume a/run --epochs 8"]) {
      assertStringIncludes(stdout, `\n  deno task ${next}\n`);
    }

    const config = JSON.parse(await Deno.readTextFile("a/run/config.json"));
    assertEquals([config.model, config.dataset, config.parameters], [
      "vae",
      "blocks",
      16 * 6 + 6 + 6 * 4 + 4 + 2 * 6 + 6 + 6 * 16 + 16,
    ]);
    assertEquals([config.config.hidden, config.config.batchSize, config.config.optimizer], [[6], 21, "adam"]);
    assertMatch(config.started, /^\d{4}-\d\d-\d\dT/);
    assert(config.adapter.length > 0);

    const metrics = jsonLines(await Deno.readTextFile("a/run/metrics.jsonl"));
    assertEquals(metrics.map(({ event, step }) => [event, step]), [["epoch", 10], ["epoch", 20], ["epoch", 29], [
      "epoch",
      39,
    ], ["end", 39]]);
    const { model, progress } = decodeCheckpoint(await read("a/run/checkpoint.safetensors"), "checkpoint");
    assertEquals([model, progress.step], ["vae", 39]);
  }));

Deno.test("train names the run folder by model, dataset and time where --out is left out", () =>
  inFolder(async () => {
    const args = small.map((arg, i) => small[i - 1] === "--epochs" ? "1" : arg);
    assertEquals((await attempt(trainTask, args)).code, 0);
    assertEquals((await attempt(trainTask, args)).code, 0);
    const folders = names("runs");
    assertEquals(folders.length, 2);
    for (const folder of folders) assertMatch(folder, /^vae-blocks-\d{8}-\d{6}(-2)?$/);
  }));

Deno.test("train --json prints the events and nothing else", () =>
  inFolder(async () => {
    const { code, stdout, stderr } = await attempt(trainTask, [...small, "--json", "--out", "run"]);
    assertEquals([code, stderr], [0, ""]);
    const events = jsonLines(stdout);
    assertEquals(events.map(({ event }) => event), ["start", "epoch", "epoch", "epoch", "epoch", "end"]);
    const [start, epoch] = events;
    for (const key of ["adapter", "model", "dataset", "parameters", "config"]) assert(key in start, key);
    for (const key of ["epoch", "step", "train", "validation", "samplesPerSecond", "seconds"]) {
      assert(key in epoch, key);
    }
    for (const losses of [epoch.train, epoch.validation]) {
      for (const key of ["elbo", "nll", "kl"]) assert(Number.isFinite(losses[key]));
    }
    const end = events.at(-1);
    assertEquals([end.run, end.epochs, end.stopped], ["run", 4, false]);
    assertEquals(end.validation, events.at(-2).validation);
  }));

Deno.test("train tells of an effective β, and of grey values that are no data of a Bernoulli", () =>
  inFolder(async () => {
    const args = [...small, "--model", "beta_vae", "--beta", "3", "--binarize", "none", "--out", "run"];
    const { code, stdout } = await attempt(trainTask, args);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "effective β = 3");
    assertStringIncludes(stdout, "with a Bernoulli likelihood elbo and nll are then no likelihood");
    const { remarks } = JSON.parse(await Deno.readTextFile("run/config.json"));
    assertEquals(remarks.length, 2);
  }));

Deno.test("train tells of a cosine that ends before the training does", () =>
  inFolder(async () => {
    const cosine = [...small, "--learning-rate-schedule", "cosine"];
    const short = await attempt(trainTask, [...cosine, "--learning-rate-steps", "5", "--out", "short"]);
    assertEquals(short.code, 0);
    assertStringIncludes(short.stdout, "learning rate: 0 from step 5 of 39 on, where its cosine ends");
    assertEquals(JSON.parse(await Deno.readTextFile("short/config.json")).remarks.length, 2);
    const whole = await attempt(trainTask, [...cosine, "--out", "whole"]);
    assert(!whole.stdout.includes("learning rate: 0"), whole.stdout);
  }));

/** Trains until stdout holds `text`, then aborts as Ctrl-C does. */
async function stopAt(text: string, args: readonly string[]) {
  const controller = new AbortController();
  const onWrite = (stdout: string) => stdout.includes(text) && controller.abort();
  return await attempt(trainTask, args, { signal: controller.signal, onWrite });
}

Deno.test("train stopped and resumed ends with the bytes of the uninterrupted run", () =>
  inFolder(async () => {
    await attempt(trainTask, [...small, "--out", "whole"]);
    const stopped = await stopAt("epoch 2/", [...small, "--out", "parts"]);
    assertEquals([stopped.code, stopped.stderr], [0, ""]);
    assertStringIncludes(stopped.stdout, "\nStopped in epoch 3 of 4, at step 20");
    assertStringIncludes(stopped.stdout, "\n  deno task train --resume parts\n");
    assertEquals(names("parts"), ["checkpoint.safetensors", "config.json", "metrics.jsonl"]);
    assertEquals(jsonLines(await Deno.readTextFile("parts/metrics.jsonl")).at(-1).stopped, true);

    const resumed = await attempt(trainTask, ["--resume", "parts"]);
    assertEquals([resumed.code, resumed.stderr], [0, ""]);
    assertStringIncludes(resumed.stdout, ", from step 20;");
    for (const file of ["checkpoint.safetensors", "samples.png", "reconstructions.png"]) {
      assertEquals(await read(`parts/${file}`), await read(`whole/${file}`), file);
    }
    const [whole, parts] = await Promise.all(["whole", "parts"].map(async (run) => {
      const events = jsonLines(await Deno.readTextFile(`${run}/metrics.jsonl`));
      return events.map(({ event, step, train, validation }) => ({ event, step, train, validation }));
    }));
    assertEquals(parts, whole);
    const started = await Promise.all(
      ["whole", "parts"].map(async (run) => JSON.parse(await Deno.readTextFile(`${run}/config.json`)).config),
    );
    assertEquals(started[1], started[0]);
  }));

Deno.test("train resumed from an older checkpoint cuts the metrics back, and clears away what a kill left", () =>
  inFolder(async () => {
    await attempt(trainTask, [...small, "--out", "run"]);
    const bytes = await read("run/checkpoint.safetensors");
    await attempt(trainTask, ["--resume", "run", "--epochs", "6"]);
    // As after a kill in epoch 6 of a run with --checkpoint-every 4: a checkpoint of step 39, metrics beyond it, half a line, half a file.
    await Deno.writeFile("run/checkpoint.safetensors", bytes);
    await Deno.writeTextFile("run/metrics.jsonl", '{"event":"epoch","ep', { append: true });
    await Deno.writeTextFile("run/checkpoint.safetensors.0.tmp", "half");
    const { code } = await attempt(trainTask, ["--resume", "run", "--epochs", "5"]);
    assertEquals(code, 0);
    const metrics = jsonLines(await Deno.readTextFile("run/metrics.jsonl"));
    assertEquals(metrics.map(({ event, step }) => [event, step]), [
      ...[10, 20, 29, 39, 48].map((step) => ["epoch", step]),
      ["end", 48],
    ]);
    assertEquals(names("run").filter((name) => name.endsWith(".tmp")), []);
  }));

Deno.test("train --resume of a complete run says so, finishes what is missing, and returns 0", () =>
  inFolder(async () => {
    await attempt(trainTask, [...small, "--out", "run"]);
    const before = await read("run/checkpoint.safetensors");
    const { code, stdout } = await attempt(trainTask, ["--resume", "run"]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, 'Nothing to do: the run "run" has trained 4 epochs (39 steps), and 4 were asked for.');
    assertStringIncludes(stdout, "deno task train --resume run --epochs 8");
    assertEquals(await read("run/checkpoint.safetensors"), before);

    // Killed after the last checkpoint, before the end event and the pictures.
    const lines = (await Deno.readTextFile("run/metrics.jsonl")).split("\n").slice(0, 4);
    await Deno.writeTextFile("run/metrics.jsonl", lines.join("\n") + "\n");
    await Deno.remove("run/samples.png");
    await Deno.utime("run/report.html", 1e9, 1e9);
    const again = await attempt(trainTask, ["--resume", "run", "--json"]);
    const [end, ...others] = jsonLines(again.stdout);
    assertEquals([end.event, end.run, end.epochs, end.step, others.length], ["end", "run", 4, 39, 0]);
    assert(Number.isFinite(end.validation.elbo));
    assert(names("run").includes("samples.png"));
    assertEquals(jsonLines(await Deno.readTextFile("run/metrics.jsonl")).length, 5);

    assertEquals((await attempt(trainTask, ["--resume", "run", "--epochs", "2"])).code, 0);
  }));

Deno.test("train --resume --out goes on in another folder and leaves the first as it is", () =>
  inFolder(async () => {
    await attempt(trainTask, [...small, "--out", "run"]);
    const before = await read("run/checkpoint.safetensors");
    const { code } = await attempt(trainTask, ["--resume", "run", "--epochs", "5", "--out", "longer"]);
    assertEquals(code, 0);
    assertEquals(await read("run/checkpoint.safetensors"), before);
    assertEquals(jsonLines(await Deno.readTextFile("longer/metrics.jsonl")).length, 6);
    assertEquals(names("longer"), names("run"));
  }));

Deno.test("train --resume refuses flags that would make another run of it, and takes the same ones", () =>
  inFolder(async () => {
    await attempt(trainTask, [...small, "--out", "run"]);
    for (
      const [flag, value, was] of [["--hidden", "7", "6"], ["--learning-rate", "0.1", "0.001"], [
        "--dataset",
        "mnist",
        "blocks",
      ]]
    ) {
      const { code, stderr } = await attempt(trainTask, ["--resume", "run", "--epochs", "5", flag, value]);
      assertEquals(code, 2);
      assertStringIncludes(stderr, `Cannot change ${flag} of the run "run": it was begun with ${was}, found ${value}`);
    }
    const other = await attempt(trainTask, ["--resume", "run", "--model", "beta_vae"]);
    assertEquals(other.code, 1);
    assertStringIncludes(other.stderr, 'expected a model "beta_vae", found "vae"');
    const same = await attempt(trainTask, ["--resume", "run", "--hidden", "6", "--dataset", "blocks", "--seed", "3"]);
    assertEquals(same.code, 0);
  }));

Deno.test("train refuses an output folder that is not empty, or that it cannot write to, before it trains", () =>
  inFolder(async () => {
    await Deno.mkdir("full");
    await Deno.writeTextFile("full/mine.txt", "keep");
    const full = await attempt(trainTask, [...small, "--out", "full"]);
    assertEquals([full.code, full.stdout, names("full")], [2, "", ["mine.txt"]]);
    assertStringIncludes(
      full.stderr,
      'Cannot write the run to "full": the folder is not empty; name another one',
    );
    const file = await attempt(trainTask, [...small, "--out", "full/mine.txt"]);
    assertEquals([file.code, file.stdout], [2, ""]);
    // Root may write anywhere, but not below a device.
    const denied = await attempt(trainTask, [...small, "--out", "/dev/null/run"]);
    assertEquals([denied.code, denied.stdout], [1, ""]);
    assertMatch(denied.stderr, /^Error: Cannot write to the folder "\/dev\/null\/run": .+\n$/);
    // An empty folder that is there is taken, a run in it is not overwritten.
    await Deno.mkdir("empty");
    assertEquals((await attempt(trainTask, [...small, "--out", "empty"])).code, 0);
    const again = await attempt(trainTask, [...small, "--out", "empty"]);
    assertEquals([again.code, again.stdout], [2, ""]);
    assertStringIncludes(again.stderr, "go on with the run in it by --resume empty, or name another one");
  }));

Deno.test("train stops at a number that is not finite, names tensor, step and the last good checkpoint, and returns 1", () =>
  inFolder(async () => {
    await attempt(trainTask, [...small, "--out", "good"]);
    const { code, stdout, stderr } = await attempt(trainTask, [...small, "--learning-rate", "1e30", "--out", "run"]);
    assertEquals(code, 1);
    assert(!stdout.includes("Next:"));
    assertMatch(
      stderr,
      /^Error: .*step 1 gave a number that is not finite, first in "[^"]+", written by "[^"]+".* The last good checkpoint is kept: run\/checkpoint\.safetensors \(before the first step\); train on from it with: deno task train --from run --learning-rate 0\.001\n$/,
    );
    const { progress, tensors } = decodeCheckpoint(await read("run/checkpoint.safetensors"), "checkpoint");
    assertEquals(progress.step, 0);
    for (const { data } of tensors.values()) assert(data.every((value) => Math.abs(value) < 10));
  }));

const RUNNING = "a training is running in it; wait for it, or name another folder";

Deno.test("train refuses a folder that another training is in, new or resumed, and leaves it alone", () =>
  inFolder(async () => {
    await attempt(trainTask, [...small, "--out", "whole"]);
    const others: Promise<unknown>[] = [];
    const onWrite = (stdout: string) => {
      if (others.length || !stdout.includes("epoch 1/")) return;
      for (const args of [[...small, "--out", "run"], ["--resume", "run"], [...small, "--out", "run/"]]) {
        others.push(
          attempt(trainTask, args).then(({ code, stdout, stderr }) => {
            assertEquals([code, stdout], [1, ""]);
            assertMatch(stderr, /^Error: Cannot write to the folder "run\/?": .*\n$/);
            assertStringIncludes(stderr, RUNNING);
          }),
        );
      }
    };
    const { code, stderr } = await attempt(trainTask, [...small, "--out", "run"], { onWrite });
    assertEquals([code, stderr, others.length], [0, "", 3]);
    await Promise.all(others);
    assertEquals(await read("run/checkpoint.safetensors"), await read("whole/checkpoint.safetensors"));
    assertEquals(names("run"), names("whole"));
  }));

Deno.test("train --resume of a run that was killed before its first checkpoint begins it anew and says so", () =>
  inFolder(async () => {
    const { train: { values } } = blocks();
    const lines = Array.from({ length: 240 }, (_, row) => values.subarray(row * 16, (row + 1) * 16).join());
    await Deno.writeTextFile("rows.csv", lines.join("\n") + "\n");
    const data = "--dataset rows.csv --data-seed 7 --batch-size 21 --validation 40".split(" ");
    for (
      const model of [
        "vae --hidden 6 --latents 2 --epochs 2 --seed 5 --likelihood gaussian",
        "gmm --components 3 --epochs 3",
        "ppca --latents 2",
      ]
    ) {
      const args = [...data, "--model", ...model.split(" ")];
      assertEquals((await attempt(trainTask, [...args, "--out", "whole"])).code, 0);
      await Deno.mkdir("killed");
      await Deno.copyFile("whole/config.json", "killed/config.json");
      for (const left of [".lock", "checkpoint.safetensors.0.tmp", "metrics.jsonl"]) {
        await Deno.writeTextFile(`killed/${left}`, left === ".lock" ? "" : "half");
      }
      const again = await attempt(trainTask, ["--resume", "killed"]);
      assertEquals([again.code, again.stderr], [0, ""]);
      assertStringIncludes(again.stdout, 'The run "killed" was stopped before its first checkpoint: it is begun anew');
      assertEquals(names("killed"), names("whole"));
      assertEquals(await read("killed/checkpoint.safetensors"), await read("whole/checkpoint.safetensors"));
      for (const folder of ["whole", "killed"]) await Deno.remove(folder, { recursive: true });
    }
  }));

Deno.test("train --resume of a run that is begun anew takes no other settings, and more epochs", () =>
  inFolder(async () => {
    await attempt(trainTask, [...small, "--out", "run"]);
    for (const file of ["checkpoint.safetensors", "metrics.jsonl"]) await Deno.remove(`run/${file}`);
    for (const [flag, value, was] of [["--hidden", "7", "6"], ["--seed", "1", "3"], ["--dataset", "mnist", "blocks"]]) {
      const { code, stderr } = await attempt(trainTask, ["--resume", "run", flag, value]);
      assertEquals(code, 2);
      assertStringIncludes(stderr, `Cannot change ${flag} of the run "run": it was begun with ${was}, found ${value}`);
    }
    const other = await attempt(trainTask, [...small, "--out", "run"]);
    assertStringIncludes(other.stderr, "go on with the run in it by --resume run, or name another one");
    const { code, stdout } = await attempt(trainTask, ["--resume", "run", "--hidden", "6", "--epochs", "5"]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "\n5 epochs, ");
    // A checkpoint that was taken away is not one that never was.
    await Deno.remove("run/checkpoint.safetensors");
    const lost = await attempt(trainTask, ["--resume", "run"]);
    assertEquals([lost.code, lost.stdout], [1, ""]);
    assertStringIncludes(lost.stderr, "expected a checkpoint.safetensors in it, found none");
    await Deno.mkdir("nothing");
    await Deno.writeTextFile("nothing/.lock", "");
    const nothing = await attempt(trainTask, ["--resume", "nothing"]);
    assertEquals(nothing.code, 1);
    assertStringIncludes(nothing.stderr, "stopped before anything was written to it; begin again with --out nothing");
    assertEquals((await attempt(trainTask, [...small, "--out", "nothing"])).code, 0);
  }));

Deno.test("train on a full disk leaves no probe and nothing half-written, and says in one line what is kept", {
  ignore: Deno.build.os === "windows",
}, () =>
  inFolder(async () => {
    const fit = "--dataset blocks --model ppca --latents 2 --method em --epochs 60 --batch-size 100 --validation 40";
    // A limit on the size of files stands for the full disk: it needs no privilege.
    const limited = async (blocks: number, out: string) => {
      const program = `${root}tests/process/killable.ts`;
      const run = ["run", "-A", "--no-check", `--config=${root}deno.json`, `--lock=${root}tests/deno.lock`, program];
      const { code, stderr } = await new Deno.Command("sh", {
        args: [
          ...["-c", `trap '' XFSZ; ulimit -f ${blocks}; exec "$@"`, "sh", Deno.execPath(), ...run],
          ...["train", ...fit.split(" "), "--out", out],
        ],
        env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
        stdout: "null",
      }).output();
      return { code, errors: new TextDecoder().decode(stderr).split("\n").filter((line) => line.startsWith("Error")) };
    };
    // Blocks are of 512 or 1,024 bytes: one is not enough for config.json, and 20 are for the checkpoint, but not for 60 epochs.
    const none = await limited(1, "none");
    assertEquals([none.code, names("none")], [1, []]);
    assertMatch(none.errors.join("\n"), /^Error: Cannot write "none\/config\.json": File too large.*unchanged$/);
    const some = await limited(20, "some");
    assertEquals(some.code, 1);
    assertMatch(
      some.errors.join("\n"),
      /^Error: Cannot write .*: File too large.* The last checkpoint is: .*--resume some$/,
    );
    assertEquals(names("some"), ["checkpoint.safetensors", "config.json", "metrics.jsonl"]);
    assert((await Deno.readTextFile("some/metrics.jsonl")).endsWith("}\n"));
  }));

Deno.test("train says that the device was lost, where the last checkpoint is and how to go on, and returns 1", () =>
  inFolder(async () => {
    const open = Gpu.open;
    let device: GPUDevice | undefined;
    Gpu.open = async () => {
      const gpu = await open.call(Gpu);
      device = gpu.device;
      return gpu;
    };
    const onWrite = (stdout: string) => stdout.includes("epoch 2/") && device!.destroy();
    const often = ["--checkpoint-seconds", "0"];
    const lost = await attempt(trainTask, [...small, ...often, "--out", "run"], { onWrite }).finally(() =>
      Gpu.open = open
    );
    assertEquals(lost.code, 1);
    assertMatch(
      lost.stderr,
      /^Error: The GPU device was lost \(destroyed\) on .+\. The last checkpoint is: run\/checkpoint\.safetensors \(after epoch 2, step 20\); go on with: deno task train --resume run\n$/,
    );
    await attempt(trainTask, [...small, "--out", "whole"]);
    assertEquals((await attempt(trainTask, ["--resume", "run"])).code, 0);
    assertEquals(await read("run/checkpoint.safetensors"), await read("whole/checkpoint.safetensors"));
  }));

Deno.test("train whose device is lost when all is trained says so, and where the checkpoint is", () =>
  inFolder(async () => {
    const open = Gpu.open;
    let device: GPUDevice | undefined;
    Gpu.open = async () => {
      const gpu = await open.call(Gpu);
      device = gpu.device;
      return gpu;
    };
    const onWrite = (stdout: string) => stdout.includes("4 epochs, 39 steps, after") && device!.destroy();
    const lost = await attempt(trainTask, [...small, "--out", "run"], { onWrite }).finally(() => Gpu.open = open);
    assertEquals(lost.code, 1);
    assertMatch(
      lost.stderr,
      /^Error: The GPU device was lost \(destroyed\) on .+\. The training is done, and its checkpoint is: run\/checkpoint\.safetensors; for the figures: deno task report --run run\n$/,
    );
  }));

Deno.test("train ends silently when the reader of its output went away, and can be resumed", () =>
  inFolder(async () => {
    const onWrite = (stdout: string) => {
      if (stdout.includes("epoch 2/")) throw new Deno.errors.BrokenPipe("Broken pipe");
    };
    const { code, stderr } = await attempt(trainTask, [...small, "--checkpoint-every", "3", "--out", "run"], {
      onWrite,
    });
    assertEquals([code, stderr], [141, ""]);
    // Two epochs are done, and three were to pass before the first checkpoint after the start's.
    assertEquals(decodeCheckpoint(await read("run/checkpoint.safetensors"), "checkpoint").progress.step, 0);
    assertEquals((await attempt(trainTask, ["--resume", "run"])).code, 0);
  }));

Deno.test("train refuses a wrong command line with 2, and says what was expected", async () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["--batch-size", "0"], 'Cannot read --batch-size: expected an integer of at least 1 and at most 65536, found "0"'],
    [["--latents", "-3"], 'Cannot read --latents: expected an integer of at least 1 and at most 4096, found "-3"'],
    [["--hidden", "500,,3"], "Cannot read --hidden: expected integers joined by commas, each of at least 1"],
    [["--hiden", "500"], "Unknown flag --hiden: the nearest known one is --hidden"],
    [["--codes", "4"], "Unknown flag --codes: it is one of --model vq_vae"],
    [["--dataset", "mnits"], 'Cannot find a dataset "mnits": the nearest known one is mnist of mnist, fashion_mnist'],
    [["--model", "vaee"], 'Cannot find a model "vaee": the nearest known one is vae of ae, dae, vae, beta_vae'],
    [["--model", "./none.ts"], 'Cannot load the model "./none.ts": there is no file '],
    [["--resume", "/no/such/run"], 'Cannot open the run "/no/such/run": there is no such folder'],
    [["--checkpoint-every", "0"], "Cannot read --checkpoint-every: expected an integer of at least 1"],
    [
      ["--dataset", "blocks", "--validation", "240"],
      'Cannot validate on 240 rows: expected fewer than the 240 training rows of "blocks"',
    ],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await attempt(trainTask, args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertStringIncludes(stderr, `Error: ${message}`);
  }
});

Deno.test("train --help shows the flags of the model that is named, whatever else is wrong", async () => {
  const beta = await attempt(trainTask, ["--help", "--model", "beta_vae"]);
  assertEquals(beta.code, 0);
  assertStringIncludes(beta.stdout, "--beta-schedule WORD");
  const wrong = await attempt(trainTask, ["--resume", "/no/such/run", "--help"]);
  assertEquals(wrong.code, 0);
  assertStringIncludes(wrong.stdout, "--latents N");
  for (
    const flag of [
      "--model NAME",
      "--resume DIR",
      "--checkpoint-every EPOCHS",
      "--learning-rate X",
      "--[no-]bias-correction",
    ]
  ) {
    assertStringIncludes(wrong.stdout, flag);
  }
});

const mine = (name: string) =>
  `import { vae } from ${
    JSON.stringify(new URL("models/vae.ts", `file://${root}`).href)
  };\nexport const ${name} = { ...vae, name: "${name}" };\n`;

Deno.test("a model of one's own trains from a module, and how its run is named on the command line is said", () =>
  inFolder(async () => {
    await Deno.mkdir("models");
    await Deno.writeTextFile("models/my_vae.ts", mine("my_vae"));
    const { code, stdout } = await attempt(trainTask, [...small, "--model", "./models/my_vae.ts", "--out", "run"]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "my_vae on blocks");
    const typed = `run --model ${new URL(`file://${Deno.cwd()}/models/my_vae.ts`).href}`;
    for (const next of [`sample --run ${typed}`, `train --resume ${typed} --epochs 8`]) {
      assertStringIncludes(stdout, `\n  deno task ${next}\n`);
    }
    const { module } = JSON.parse(await Deno.readTextFile("run/config.json"));
    assertEquals(typed, `run --model ${module}`);
    const resumed = await attempt(trainTask, ["--resume", ...typed.split(" "), "--epochs", "5"]);
    assertEquals([resumed.code, resumed.stderr], [0, ""]);
  }));

Deno.test("a module that holds no model, several, or a mistake is refused", () =>
  inFolder(async () => {
    await Deno.writeTextFile("none.ts", "export const a = 1;");
    await Deno.writeTextFile("two.ts", mine("one") + mine("two").split("\n")[1]);
    await Deno.writeTextFile("wrong.ts", "throw new Error('no luck');");
    for (
      const [file, message] of [
        ["none.ts", "expected one export with a model's shape, found none; a model has a name"],
        ["two.ts", "expected one export with a model's shape, found one, two; export the one meant as default"],
        ["wrong.ts", "no luck"],
      ]
    ) {
      const { code, stderr } = await attempt(trainTask, ["--model", file]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `Error: Cannot load the model "${file}": ${message}`);
    }
  }));

/** Starts `train` as a process of its own and signals it once its stdout holds `text`. */
async function interrupt(
  args: readonly string[],
  text: string,
  signal: Deno.Signal,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `--config=${root}deno.json`, `--lock=${root}deno.lock`, `${root}tasks/train.ts`, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  let stdout = "";
  let sent = false;
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    stdout += part;
    if (sent || !stdout.includes(text)) continue;
    child.kill(signal);
    sent = true;
  }
  const { code } = await child.status;
  return { code, stdout, stderr: await stderr };
}

Deno.test("train on MNIST, stopped by Ctrl-C and then killed, ends with the bytes of the uninterrupted run", () =>
  inFolder(async () => {
    const args = "--hidden 8 --latents 2 --batch-size 1000 --epochs 4 --validation 30000".split(" ");
    const stopped = await interrupt([...args, "--json", "--out", "parts"], '"event":"start"', "SIGINT");
    assertEquals([stopped.code, stopped.stderr], [130, ""]);
    assertEquals(jsonLines(stopped.stdout).at(-1).stopped, true);
    const killed = await interrupt(["--resume", "parts"], "epoch 2/", "SIGKILL");
    assertEquals(killed.code, 137);
    assertEquals((await attempt(trainTask, ["--resume", "parts"])).code, 0);
    assertEquals((await attempt(trainTask, [...args, "--out", "whole"])).code, 0);
    assertEquals(await read("parts/checkpoint.safetensors"), await read("whole/checkpoint.safetensors"));
  }));

Deno.test("train without a Vulkan driver says in one line what to install, and returns 1", () =>
  inFolder(async () => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        `--config=${root}deno.json`,
        `--lock=${root}deno.lock`,
        `${root}tasks/train.ts`,
        "--out",
        "run",
      ],
      env: { VK_DRIVER_FILES: "/nonexistent", VK_ICD_FILENAMES: "/nonexistent", NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder();
    assertEquals([code, text.decode(stdout)], [1, ""]);
    assertMatch(text.decode(stderr), /^Error: Cannot find a GPU adapter: .*apt-get install mesa-vulkan-drivers.*\n$/);
    assertEquals(names("."), []);
  }));

Deno.test("two seeds give two models", () =>
  inFolder(async () => {
    await attempt(trainTask, [...small, "--out", "a"]);
    await attempt(trainTask, [...small.slice(0, -1), "4", "--out", "b"]);
    assertNotEquals(await read("a/samples.png"), await read("b/samples.png"));
  }));

Deno.test("train, sample, reconstruct and evaluate take a model that fits itself, and resume it", () =>
  inFolder(async () => {
    const common = "--dataset blocks --batch-size 21 --validation 40".split(" ");
    const em = ["--model", "gmm", "--components", "3", "--epochs", "2", "--out", "mixture"];
    const first = await attempt(trainTask, [...common, ...em, "--json"]);
    assertEquals([first.code, first.stderr], [0, ""]);
    assertEquals(jsonLines(first.stdout).map(({ event }) => event), ["start", "epoch", "epoch", "end"]);
    const resumed = await attempt(trainTask, ["--resume", "mixture", "--epochs", "3", "--json"]);
    assertEquals(jsonLines(resumed.stdout).map(({ event, epoch }) => [event, epoch]), [
      ["start", undefined],
      ["epoch", 3],
      ["end", undefined],
    ]);
    const run = ["--run", "mixture"];
    for (
      const { code, stderr } of [
        await attempt(sampleTask, run),
        await attempt(reconstructTask, run),
        await attempt(evaluateTask, run),
      ]
    ) assertEquals([code, stderr], [0, ""]);
    const closed = await attempt(trainTask, [...common, "--model", "ppca", "--latents", "2", "--out", "closed"]);
    assertEquals([closed.code, closed.stderr], [0, ""]);
    assert(closed.stdout.includes("epoch 1/1") && !closed.stdout.includes("--resume"), closed.stdout);
    const again = await attempt(trainTask, ["--resume", "closed", "--epochs", "9"]);
    assert(again.code === 0 && again.stdout.startsWith('Nothing to do: the run "closed" has trained 1 epoch'));
  }));

Deno.test("train --help of a model that fits itself leaves the optimizer out, and a flag of it says whose it is", async () => {
  const { stdout } = await attempt(trainTask, ["--model", "gmm", "--help"]);
  assert(stdout.includes("--covariance") && stdout.includes("--batch-size") && !stdout.includes("--learning-rate"));
  const wrong = await attempt(trainTask, ["--model", "gmm", "--learning-rate", "1"]);
  assertEquals(wrong.code, 2);
  assert(
    wrong.stderr.includes("Unknown flag --learning-rate: it is one of the models that are trained by gradient"),
    wrong.stderr,
  );
});

Deno.test("train with clipping, accumulation and averages resumes to the same bytes; nesterov needs a momentum", () =>
  inFolder(async () => {
    const flags = "--optimizer nesterov --momentum 0.9 --clip-norm 5 --clip-value 2 --accumulate 3 --ema 0.9".split(
      " ",
    );
    const shorter = small.map((value, i) => small[i - 1] === "--epochs" ? "2" : value);
    const run = async (...args: readonly string[]) => {
      const { code, stderr } = await attempt(trainTask, args);
      assertEquals([code, stderr], [0, ""]);
    };
    await run(...small, ...flags, "--out", "whole");
    await run(...shorter, ...flags, "--out", "part");
    await run("--resume", "part", "--epochs", "4");
    const [whole, part] = await Promise.all(["whole", "part"].map(async (folder) => {
      const file = `${folder}/checkpoint.safetensors`;
      return [...decodeCheckpoint(await Deno.readFile(file), file).tensors];
    }));
    assertEquals(part, whole);
    assert(whole.some(([name]) => name === "optimizer.accumulated.encoder.0.bias"));
    const refused = await attempt(trainTask, [...small, "--optimizer", "nesterov", "--out", "no"]);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stderr, "expected a momentum above 0, found 0");
    assert(!await Deno.stat("no").then(() => true, () => false), "no folder is left");
  }));
