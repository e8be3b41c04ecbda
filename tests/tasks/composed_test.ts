/** Composed models from the command line: trained, resumed, sampled and evaluated. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { datasets } from "../../datasets/mod.ts";
import type { DatasetSource } from "../../mod.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { sampleTask } from "../../tasks/sample.ts";
import { trainTask } from "../../tasks/train.ts";
import { attempt, blocks, inFolder, jsonLines } from "./support.ts";

const source: DatasetSource = {
  name: "labelled",
  summary: "blocks with their labels",
  source: "this test",
  load() {
    const { train, ...data } = blocks();
    const rows = { ...train, labels: Uint8Array.from({ length: train.count }, (_, i) => i % 2) };
    return Promise.resolve({ ...data, name: "labelled", classes: 2, train: rows, test: rows });
  },
};
(datasets as Map<string, DatasetSource>).set(source.name, source);

const small = "--dataset labelled --hidden 6 --latents 2 --batch-size 21 --validation 40 --seed 3".split(" ");

const commands = [
  "--model cvae --beta 4",
  "--model iwae --encoder conv --channels 4",
  "--model beta_vae --encoder conv --condition one-hot --channels 4",
  "--model vae --normalization batch",
  "--model conv_vae --normalization group --residual 1 --channels 4",
  "--model iwae --dropout 0.1",
  "--model cvae --encoder conv --normalization batch --channels 4",
];

for (const command of commands) {
  Deno.test(`train ${command} trains, resumes to equal bytes, samples and evaluates`, () =>
    inFolder(async () => {
      const given = [...command.split(" "), ...small];
      const run = async (...args: string[]) => {
        const { code, stderr } = await attempt(trainTask, args);
        assertEquals([code, stderr], [0, ""]);
      };
      await run(...given, "--epochs", "3", "--out", "whole");
      await run(...given, "--epochs", "1", "--out", "half");
      await run("--resume", "half", "--epochs", "3");
      const bytes = (folder: string) => Deno.readFile(`${folder}/checkpoint.safetensors`);
      assertEquals(await bytes("half"), await bytes("whole"));
      const label = command.includes("cvae") || command.includes("condition") ? ["--label", "1"] : [];
      assertEquals((await attempt(sampleTask, ["--run", "whole", ...label])).code, 0);
      const { code, stdout } = await attempt(evaluateTask, ["--run", "whole", "--json"]);
      assertEquals(code, 0);
      const [{ elbo, nll, kl }] = jsonLines(stdout).filter((line) => "elbo" in line);
      assert(Math.abs(elbo + nll + kl) < 1e-6, `${elbo} ${nll} ${kl}`);
    }));
}

Deno.test("train refuses what has no meaning together, before anything is written", () =>
  inFolder(async () => {
    const { code, stderr } = await attempt(trainTask, ["--model", "iwae", "--beta", "4", ...small, "--out", "run"]);
    assertEquals(code, 2);
    assertStringIncludes(
      stderr,
      "Cannot combine beta 4 with objective iwae: the importance-weighted bound has no KL term",
    );
    assertEquals(await Deno.stat("run").catch(() => undefined), undefined);
  }));

Deno.test("the help of a preset has its own settings first, and the rest under headings", async () => {
  const { stdout } = await attempt(trainTask, ["--model", "beta_vae", "--help"]);
  const places = [
    "Model beta_vae",
    "--beta X",
    "--hidden",
    "\nEncoder,",
    "--encoder",
    "\nPosterior",
    "\nObjective",
    "--gradient",
  ];
  const found = places.map((text) => stdout.indexOf(text));
  assert(found.every((place) => place > 0), `${found}`);
  assertEquals(found, found.toSorted((a, b) => a - b));
});
