/** Every task from the one entry that the package exports. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TASKS } from "../../tasks/cli/permissions.ts";
import { withFolder } from "../support/folder.ts";
import { root } from "./support.ts";

const sprites = "--dataset sprites --epochs 1 --hidden 8 --latents 2 --batch-size 500 --validation 500".split(" ");

async function cli(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--lock=deno.lock", "cli.ts", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("cli runs every task that deno task has", async () => {
  const names = await Promise.all(
    TASKS.map(async (task) => (await cli(task, "--help")).stdout.split("\n", 1)[0].split(" [")[0]),
  );
  assertEquals(names, TASKS.map((task) => `Usage: elbo ${task}`));
});

Deno.test("cli hands a task its flags and gives its exit code", async () => {
  const { code, stdout } = await cli("models", "--json");
  assertEquals(code, 0);
  assertEquals(JSON.parse(stdout.split("\n", 1)[0]).name, "ae");
  const wrong = await cli("train", "--epochs", "many");
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.stderr, "Cannot read --epochs");
});

Deno.test("cli lists the tasks, and refuses what is none", async () => {
  assertStringIncludes((await cli("--help")).stdout, "Runs a task: train, sample,");
  const listed = (await cli()).stdout.trimEnd().replace("Tasks: ", "").split(", ");
  assertEquals(listed.toSorted(), TASKS.toSorted());
  const { code, stderr } = await cli("trian");
  assertEquals(code, 2);
  assertStringIncludes(stderr, 'Cannot find a task "trian": the nearest known one is train of train, sample');
});

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd, env: { NO_COLOR: "1" } })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals(code, 0, text(stderr));
  return text(stdout);
}

Deno.test("cli trains from any folder, and keeps the run there", () =>
  withFolder(async (folder) => {
    await run(Deno.execPath(), [
      "run",
      "-A",
      `--lock=${root}deno.lock`,
      `${root}cli.ts`,
      "train",
      ...sprites,
      "--out",
      "mine",
    ], folder);
    assert((await Deno.stat(`${folder}/mine/report.html`)).isFile);
    const said = await run(Deno.execPath(), [
      "run",
      "-A",
      `--lock=${root}deno.lock`,
      `${root}cli.ts`,
      "evaluate",
      "--run",
      "mine",
    ], folder);
    assertStringIncludes(said, "elbo");
  }));

/** Copies what is published, its packages named where they are imported, as in the package of a registry. */
async function publish(to: string): Promise<void> {
  const { imports, publish: { include } } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  const resolved = (text: string) =>
    Object.entries<string>(imports).reduce((text, [name, specifier]) => {
      // Where JSR is not reached, its packages come from bridges/.
      const at = name.startsWith("@std/")
        ? new URL(`bridges/${name.slice(5)}/mod.ts`, `file://${root}`).href
        : specifier;
      return text.replaceAll(`"${name}"`, JSON.stringify(at));
    }, text);
  const copy = async (path: string): Promise<void> => {
    if ((await Deno.stat(`${root}${path}`)).isDirectory) {
      await Deno.mkdir(`${to}/${path}`, { recursive: true });
      for await (const { name } of Deno.readDir(`${root}${path}`)) await copy(`${path}/${name}`);
    } else if (path.endsWith(".ts")) {
      await Deno.writeTextFile(`${to}/${path}`, resolved(await Deno.readTextFile(`${root}${path}`)));
    } else await Deno.copyFile(`${root}${path}`, `${to}/${path}`);
  };
  await Deno.mkdir(to);
  for (const path of include) if (path !== "deno.json") await copy(path);
}

Deno.test("cli of the published files, installed as a command, lists models and trains in another folder", () =>
  withFolder(async (folder) => {
    await publish(`${folder}/package`);
    await Deno.mkdir(`${folder}/work`);
    const install = ["install", "--global", "-A", "--root", `${folder}/installed`, "--name", "elbo"];
    await run(Deno.execPath(), [...install, `${folder}/package/cli.ts`], `${folder}/work`);
    const elbo = `${folder}/installed/bin/elbo${Deno.build.os === "windows" ? ".cmd" : ""}`;
    assertStringIncludes(await run(elbo, ["models"], `${folder}/work`), "Train one: elbo train --model NAME");
    await run(elbo, ["train", ...sprites, "--out", "mine"], `${folder}/work`);
    assert((await Deno.stat(`${folder}/work/mine/checkpoint.safetensors`)).isFile);
  }));
