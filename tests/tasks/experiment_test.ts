import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Experiment } from "../../experiments/experiment.ts";
import { experiments } from "../../experiments/mod.ts";
import { experimentTask } from "../../tasks/experiment.ts";
import { tiny } from "../experiments/support.ts";
import { attempt, inFolder, jsonLines } from "./support.ts";

// The list is read-only for everyone but a test that wants an experiment of seconds.
(experiments as Map<string, Experiment>).set(tiny.name, tiny);

Deno.test("experiment without a name lists every experiment with its source", async () => {
  const { code, stdout } = await attempt(experimentTask, []);
  assertEquals(code, 0);
  for (const { name, source } of experiments.values()) assertMatch(stdout, new RegExp(`^${name} .*`, "m"), source);
  const { stdout: lines } = await attempt(experimentTask, ["--json"]);
  assertEquals(jsonLines(lines).map(({ name }) => name), [...experiments.keys()]);
});

Deno.test("experiment --help lists the experiments, and the flags of the one that is named", async () => {
  const { stdout } = await attempt(experimentTask, ["minimal-architecture", "--help"]);
  assertStringIncludes(stdout, "Usage: deno task experiment [name] [flags]");
  for (const name of experiments.keys()) assertStringIncludes(stdout, `  ${name} `);
  assertStringIncludes(stdout, "--reconstruction X");
  const { stdout: other } = await attempt(experimentTask, ["tiny", "--help"]);
  assertEquals(other.includes("--reconstruction X"), false);
});

Deno.test("experiment of an unknown name names the nearest one, a flag of another one says whose it is; both end with 2", async () => {
  const unknown = await attempt(experimentTask, ["optimisers"]);
  assertEquals(unknown.code, 2);
  assertStringIncludes(unknown.stderr, 'Cannot find an experiment "optimisers": the nearest known one is optimizers');
  const foreign = await attempt(experimentTask, ["tiny", "--kl", "9"]);
  assertEquals(foreign.code, 2);
  assertStringIncludes(foreign.stderr, "deno task experiment minimal-architecture");
});

Deno.test("experiment writes tables, a page and run folders, and the second time trains nothing", () =>
  inFolder(async () => {
    const first = await attempt(experimentTask, ["tiny", "--seeds", "2"]);
    assertEquals([first.code, first.stderr], [0, ""]);
    assertMatch(first.stdout, /w3 +-\d+\.\d\d ± \d+\.\d\d/);
    const csv = await Deno.readTextFile("runs/experiments/tiny/tiny.csv");
    assertMatch(csv, /^width,lower bound,lower bound \(sd\),lower bound \(runs\)\r\nw3,-[\d.]+,[\d.]+,2\r\n/);
    const page = await Deno.readTextFile("runs/experiments/tiny/index.html");
    assertMatch(page, /<td>w5<\/td>/);
    const second = await attempt(experimentTask, ["tiny", "--seeds", "2", "--json"]);
    const events = jsonLines(second.stdout);
    assertEquals(events.map(({ event }) => event), ["finished", "finished", "finished", "finished", "table", "end"]);
    assertEquals(events.slice(0, 4).map(({ trained }) => trained), [false, false, false, false]);
    assertEquals(await Deno.readTextFile("runs/experiments/tiny/tiny.csv"), csv);
  }));

Deno.test("experiment --quick has a folder of its own, and its results say how short it was", () =>
  inFolder(async () => {
    assertEquals((await attempt(experimentTask, ["tiny", "--quick"])).code, 0);
    const text = await Deno.readTextFile("runs/experiments/tiny-quick/results.md");
    assertStringIncludes(text, "Quick: 1 of 2 epochs, the first 120 training rows.");
  }));
