/** Every task from the one entry that the package exports. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { TASKS } from "../../tasks/cli/permissions.ts";
import { root } from "./support.ts";

async function cli(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "cli.ts", ...args],
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
  assertEquals(names, TASKS.map((task) => `Usage: deno task ${task}`));
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
  assertStringIncludes(stderr, 'Cannot find a task "trian": expected one of train, sample');
});
