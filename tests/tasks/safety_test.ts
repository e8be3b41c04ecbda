/**
 * A run folder or a file from anyone: it runs no code, writes nowhere else, and sends nothing to the terminal that the terminal obeys.
 */

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
import { statusLine } from "../../tasks/cli/terminal.ts";
import { attempt, inFolder, root, small } from "./support.ts";

const exists = (path: string) => Deno.lstat(path).then(() => true, () => false);

/** The module of a model of one's own; where it runs it leaves a file. */
const mine = (name = "my_vae") => `
  Deno.writeTextFileSync("ran", "");
  import { vae } from ${JSON.stringify(new URL("models/vae.ts", `file://${root}`).href)};
  export default { ...vae, name: ${JSON.stringify(name)} };
`;

/** Every way to open the run in `run`, or in a folder given. */
const openers: Record<string, (args: readonly string[], run?: string) => ReturnType<typeof attempt>> = {
  resume: (args, run = "run") => attempt(trainTask, ["--resume", run, "--epochs", "5", ...args]),
  compare: (args, run = "run") => attempt(reportTask, ["--compare", "plain", run, ...args]),
  ...Object.fromEntries(
    Object.entries({
      sample: sampleTask,
      reconstruct: reconstructTask,
      evaluate: evaluateTask,
      encode: encodeTask,
      score: scoreTask,
      impute: imputeTask,
      report: reportTask,
    }).map(([name, task]) => [
      name,
      (args: readonly string[], run = "run") => attempt(task as unknown as Task<FlagGroups>, ["--run", run, ...args]),
    ]),
  ),
};

/** A test in a folder with `mine.ts`, a run of its model in `run`, and one of vae in `plain`. */
function withRuns(test: () => Promise<void>): Promise<void> {
  return inFolder(async () => {
    await Deno.writeTextFile("mine.ts", mine());
    for (const args of [["--model", "./mine.ts", "--out", "run"], ["--out", "plain"]]) {
      const { code, stderr } = await attempt(trainTask, [...small, ...args]);
      assertEquals([code, stderr], [0, ""]);
    }
    await Deno.remove("ran");
    await test();
  });
}

/** Changes what a run says of itself, in `config.json` and in its checkpoint. */
async function edit(run: string, change: (values: Record<string, unknown>) => void): Promise<void> {
  const config = JSON.parse(await Deno.readTextFile(`${run}/config.json`));
  change(config);
  await Deno.writeTextFile(`${run}/config.json`, JSON.stringify(config));
  const file = `${run}/checkpoint.safetensors`;
  const { tensors, metadata } = decodeSafetensors(await Deno.readFile(file), file);
  const header = JSON.parse(metadata.elbo);
  change(header);
  await Deno.writeFile(file, encodeSafetensors(tensors, { ...metadata, elbo: JSON.stringify(header) }));
}

/** Addresses of code, as a run folder may name them. */
const addresses = () => [
  "data:text/javascript,Deno.writeTextFileSync('ran','')",
  "http://127.0.0.1:9/evil.ts",
  "npm:evil",
  "./run/evil.ts",
  new URL(`file://${Deno.cwd()}/run/evil.ts`).href,
];

/** A test for each address that a field of the run names, of which no code may run. */
function withAddresses(field: "module" | "model", test: (address: string) => Promise<void>): Promise<void> {
  return withRuns(async () => {
    await Deno.writeTextFile("run/evil.ts", mine());
    for (const address of addresses()) {
      await edit("run", (values) => values[field] = address);
      await test(address);
      assertEquals(await exists("ran"), false, address);
    }
  });
}

Deno.test("a module that config.json or the checkpoint names is not loaded by any task, nor under --help", () =>
  withAddresses("module", async () => {
    for (const [name, open] of Object.entries(openers)) {
      const { code, stdout, stderr } = await open([]);
      assertEquals([code, stdout], [1, ""], name);
      assertStringIncludes(stderr, 'its model "my_vae" is none of ae, dae, vae, ');
      assertStringIncludes(stderr, "name its module with --model, as --model ./my_vae.ts: a run folder");
      assertEquals(stderr.split("\n").length, 2);
      const help = await open(["--help"]);
      assertEquals([help.code, help.stderr], [0, ""], name);
      assertEquals(await exists("ran"), false, name);
    }
  }));

Deno.test("a checkpoint whose model is called like a module's address loads nothing, in a task or by load()", () =>
  withAddresses("model", async (address) => {
    for (const [name, open] of Object.entries(openers)) {
      for (const args of [[], ["--help"]]) {
        const { code, stderr } = await open(args);
        assertEquals(code, args.length ? 0 : 1, name);
        assertStringIncludes(stderr, args.length ? "" : `its model "${address}" is none of`);
      }
    }
    const error = await load("run/checkpoint.safetensors").then(() => undefined, (error) => error);
    assertStringIncludes(String(error), `Cannot find a model "${address}"`);
  }));

Deno.test("a run of a built-in model is opened with that one, whatever module config.json names", () =>
  withRuns(async () => {
    await edit("plain", (values) => values.module = addresses()[0]);
    for (const [name, open] of Object.entries(openers)) {
      if (name === "compare") continue;
      const { code, stderr } = await open([], "plain");
      assertEquals([code, stderr], [0, ""], name);
    }
    assertEquals(await exists("ran"), false);
  }));

Deno.test("a module that --model names opens its runs in every task; of another model it is refused", () =>
  withRuns(async () => {
    for (const [name, open] of Object.entries(openers)) {
      const { code, stderr } = await open(["--model", "./mine.ts"]);
      assertEquals([code, stderr], [0, ""], name);
    }
    await Deno.writeTextFile("other.ts", mine("other"));
    const compared = await attempt(reportTask, ["--compare", "plain", "run", "--model", "other.ts", "./mine.ts"]);
    assertEquals([compared.code, compared.stderr], [0, ""]);
    const other = await attempt(sampleTask, ["--run", "run", "--model", "./other.ts"]);
    assertEquals(other.code, 1);
    assertStringIncludes(other.stderr, 'expected a model "other", found "my_vae"');
  }));

Deno.test("--model takes a file or a package of JSR: any other address ends with 2 before anything is loaded", () =>
  withRuns(async () => {
    const tried = (model: string) => [
      attempt(trainTask, [...small, "--model", model, "--out", "new"]),
      attempt(trainTask, ["--model", model, "--resume", "run"]),
      attempt(sampleTask, ["--run", "run", "--model", model]),
      attempt(reportTask, ["--compare", "plain", "run", "--model", model]),
    ];
    for (
      const [model, found] of [
        ["data:text/javascript;base64," + btoa(mine()), "an address that begins with data:"],
        ["DATA:text/javascript;base64," + btoa(mine()), "an address that begins with DATA:"],
        ["http://127.0.0.1:9/x.ts", "an address that begins with http:"],
        ["https://127.0.0.1:9/x.ts", "an address that begins with https:"],
        ["blob:null/0", "an address that begins with blob:"],
        ["npm:my-vae", "an address that begins with npm:"],
        ["node:fs", "an address that begins with node:"],
        ["file://elsewhere/mine.ts", "a file of another machine"],
      ]
    ) {
      for (const { code, stdout, stderr } of await Promise.all(tried(model))) {
        assertEquals([code, stdout], [2, ""], model);
        assertStringIncludes(
          stderr,
          `expected a file, as ./my_vae.ts, or a package of JSR, as jsr:@me/my-vae, found ${found}`,
        );
      }
    }
    assertEquals(await exists("ran"), false);
    assertEquals(await exists("new"), false);
    const file = await attempt(sampleTask, ["--run", "run", "--model", `file://${Deno.cwd()}/mine.ts`]);
    assertEquals([file.code, file.stderr], [0, ""]);
  }));

Deno.test("a model of one's own may not be called like a built-in one, which its runs would be opened with", () =>
  inFolder(async () => {
    await Deno.writeTextFile("mine.ts", mine("vae"));
    const { code, stderr } = await attempt(trainTask, [...small, "--model", "./mine.ts"]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, 'expected a name of its own, found "vae", a built-in model');
  }));

/** What a terminal obeys: ESC, BEL, DEL, a C1 control, a reversal of text; and how it is shown. */
const ORDERS = "\x1b]0;title\x07\x7f\x9b31m\u202e";
const SHOWN = String.raw`\u001b]0;title\u0007\u007f\u009b31m\u202e`;
// deno-lint-ignore no-control-regex
const OBEYED = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/;

Deno.test("names out of files are shown, not obeyed: in lines, in errors and in JSON", () =>
  withRuns(async () => {
    const tried = async (text: string, what: ReturnType<typeof attempt>) => {
      const { stdout, stderr } = await what;
      assertStringIncludes(stdout + stderr, text);
      assert(!OBEYED.test(stdout + stderr), JSON.stringify(stdout + stderr));
      return stdout;
    };
    // The model's name, in an error.
    await edit("run", (values) => values.model = ORDERS);
    await tried(`its model "${SHOWN}" is none of`, openers.sample([]));
    // A tensor's name, in an error.
    const file = "run/checkpoint.safetensors";
    const { tensors, metadata } = decodeSafetensors(await Deno.readFile(file), file);
    const bytes = encodeSafetensors(new Map([...tensors, [ORDERS, { shape: [4], data: new Uint8Array(4) }]]), metadata);
    await Deno.writeFile(file, bytes.subarray(0, -1));
    await tried(`tensor "${SHOWN}"`, openers.sample([]));
    // The name of data, in an error.
    await Deno.writeTextFile(`${ORDERS}.csv`, "1,2\n3,x\n");
    await tried(`${SHOWN}.csv": expected numbers`, openers.score(["--dataset", `./${ORDERS}.csv`], "plain"));
    // A path, in a line and in JSON, which stays what it was.
    await tried(String.raw`a\u000a${SHOWN}.png: 100 images`, openers.sample(["--out", `a\n${ORDERS}.png`], "plain"));
    const json = await tried(SHOWN, openers.sample(["--out", `${ORDERS}.png`, "--json"], "plain"));
    assertEquals(JSON.parse(json).file, `${ORDERS}.png`);
    // The text of a help, which may be a module's.
    await Deno.writeTextFile("named.ts", mine(ORDERS));
    await tried(`Model ${SHOWN} `, attempt(trainTask, ["--model", "./named.ts", "--help"]));
  }));

Deno.test("statusLine() shows a line and does not obey it", () => {
  let written = "";
  const line = statusLine({ interactive: true, columns: () => 80, write: (text) => written += text });
  line.draw(`run ${ORDERS}`);
  assertEquals(written, `\rrun ${SHOWN}\x1b[K`);
});

/** The files of a folder outside, each with its text. */
const outside = async () =>
  await Promise.all(
    [...Deno.readDirSync("outside")].map(async ({ name }) => [name, await Deno.readTextFile(`outside/${name}`)]),
  );

Deno.test("a link in a run folder is not written through: a file is replaced, adding and folders are refused", {
  ignore: Deno.build.os === "windows",
}, () =>
  withRuns(async () => {
    const files = [
      "checkpoint.safetensors",
      "config.json",
      "samples.png",
      "reconstructions.png",
      "report.html",
      "latents.npz",
      "scores.csv",
      "scores-images.svg",
      "scores.svg",
      "imputed.svg",
      "figures/curves.svg",
    ];
    await Deno.mkdir("outside");
    const keep = async (name: string) => {
      const target = `${Deno.cwd()}/outside/${name.replace("/", "-")}`;
      if (await exists(`plain/${name}`)) await Deno.rename(`plain/${name}`, target);
      else await Deno.writeTextFile(target, "keep");
      await Deno.symlink(target, `plain/${name}`);
    };
    for (const name of files) await keep(name);
    const before = await outside();
    for (const [name, open] of Object.entries(openers)) {
      const { code, stderr } = name === "compare" ? { code: 0, stderr: "" } : await open([], "plain");
      assertEquals([code, stderr], [0, ""], name);
    }
    for (const name of files) assertEquals((await Deno.lstat(`plain/${name}`)).isFile, true, name);
    assertEquals(await outside(), before);

    // Killed before the last event: the next training would add it.
    const lines = (await Deno.readTextFile("plain/metrics.jsonl")).split("\n").slice(0, 5).join("\n") + "\n";
    await Deno.writeTextFile("plain/metrics.jsonl", lines);
    await keep("metrics.jsonl");
    const appended = await attempt(trainTask, ["--resume", "plain"]);
    assertEquals(appended.code, 1);
    assertStringIncludes(
      appended.stderr,
      'Cannot write to "plain/metrics.jsonl": expected no symbolic link in a run folder, found one',
    );
    assertEquals(await Deno.readTextFile("outside/metrics.jsonl"), lines);
    // A training that goes on writes a file of its own.
    assertEquals((await attempt(trainTask, ["--resume", "plain", "--epochs", "6"])).code, 0);
    assertEquals(await Deno.readTextFile("outside/metrics.jsonl"), lines);

    await Deno.mkdir("outside-figures");
    await Deno.remove("plain/figures", { recursive: true });
    await Deno.symlink(`${Deno.cwd()}/outside-figures`, "plain/figures");
    const figures = await openers.report([], "plain");
    assertEquals(figures.code, 1);
    assertStringIncludes(figures.stderr, 'Cannot write to "plain/figures": expected no symbolic link');
    assertEquals([...Deno.readDirSync("outside-figures")], []);
  }));

Deno.test(
  "a run folder may itself be a link, which the user named",
  { ignore: Deno.build.os === "windows" },
  () =>
    withRuns(async () => {
      await Deno.symlink(`${Deno.cwd()}/plain`, "latest");
      for (const open of [openers.resume, openers.sample, openers.report]) {
        const { code, stderr } = await open([], "latest");
        assertEquals([code, stderr], [0, ""]);
      }
    }),
);
