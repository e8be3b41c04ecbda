import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Experiment } from "../../experiments/experiment.ts";
import { experiments } from "../../experiments/mod.ts";
import { experimentTask } from "../../tasks/experiment.ts";
import { trainTask } from "../../tasks/train.ts";
import { toMarkdown } from "../../experiments/table.ts";
import { outcomeOf, tiny } from "../experiments/support.ts";
import { attempt, inFolder, jsonLines, type Result } from "./support.ts";

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

Deno.test("experiment writes a record that its tables follow from", () =>
  inFolder(async () => {
    assertEquals((await attempt(experimentTask, ["tiny", "--seeds", "2"])).code, 0);
    const record = await Deno.readTextFile("runs/experiments/tiny/record.jsonl");
    const { outcome, options } = outcomeOf(record, tiny);
    const [table] = tiny.tables(outcome.results, options);
    assertStringIncludes(await Deno.readTextFile("runs/experiments/tiny/results.md"), toMarkdown(table));
    const [run] = outcome.results[1].runs;
    assertEquals(run.epochs.map(({ epoch, step }) => [epoch, step]), [[1, 10], [2, 20]]);
    const [, first] = jsonLines(record);
    assertEquals([first.run, first.config.hidden, first.adapter.length > 0], ["w3-seed-0", [3], true]);
  }));

Deno.test("experiment --quick has a folder of its own, and its results say how short it was", () =>
  inFolder(async () => {
    assertEquals((await attempt(experimentTask, ["tiny", "--quick"])).code, 0);
    const text = await Deno.readTextFile("runs/experiments/tiny-quick/results.md");
    assertStringIncludes(text, "Quick: 1 of 2 epochs, the first 120 training rows.");
  }));

/** When a file is there. */
async function made(folder: string): Promise<void> {
  const file = `${folder}/checkpoint.safetensors`;
  while (!await Deno.stat(file).then(() => true, () => false)) await new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("experiment and train refuse a folder in which an experiment is running, which ends as if alone", () =>
  inFolder(async () => {
    const others: Promise<unknown>[] = [];
    const onWrite = (stdout: string) => {
      if (others.length || !stdout.includes("w3-seed-0 trained")) return;
      const refused = ({ code, stderr }: Result) => {
        assertEquals(code, 1);
        assertMatch(stderr, /^Error: Cannot write to the folder "[^"]+": a training is running in it; .*\n$/);
      };
      others.push(attempt(experimentTask, ["tiny"]).then(refused));
      // The second of its runs begins with this line.
      const run = "runs/experiments/tiny/w5-seed-0";
      others.push(made(run).then(() => attempt(trainTask, ["--resume", run])).then(refused));
    };
    const { code, stderr } = await attempt(experimentTask, ["tiny", "--epochs", "20"], { onWrite });
    assertEquals([code, stderr, others.length], [0, "", 2]);
    await Promise.all(others);
  }));

Deno.test("experiment begins a run anew that was killed before its first checkpoint, says so, and gets the same bytes", () =>
  inFolder(async () => {
    assertEquals((await attempt(experimentTask, ["tiny"])).code, 0);
    const run = "runs/experiments/tiny/w5-seed-0";
    const file = `${run}/checkpoint.safetensors`;
    const whole = await Deno.readFile(file);
    await Deno.remove(file);
    await Deno.writeTextFile(`${run}/metrics.jsonl`, '{"event":"ep');
    await Deno.writeTextFile(`${run}/.lock`, "");
    const { code, stdout } = await attempt(experimentTask, ["tiny"]);
    assertEquals(code, 0);
    assertMatch(stdout, /^w5-seed-0 was stopped before its first checkpoint: it is begun anew$/m);
    assertMatch(stdout, /w3-seed-0 was there/);
    assertEquals(await Deno.readFile(file), whole);
    assertEquals((await Deno.readTextFile(`${run}/metrics.jsonl`)).split("\n").length, 4);
    assertEquals([...Deno.readDirSync(run)].map(({ name }) => name).includes(".lock"), false);
  }));

Deno.test("experiment --plan numbers the runs, --index trains one as a worker does, and the whole then trains no more", () =>
  inFolder(async () => {
    const plan = await attempt(experimentTask, ["tiny", "--seeds", "2", "--plan", "--json"]);
    const planned = jsonLines(plan.stdout);
    assertEquals(planned.map(({ index, done }) => [index, done]), [[0, false], [1, false], [2, false], [3, false]]);
    for (const index of [3, 0, 2, 1]) {
      const { code, stderr } = await attempt(experimentTask, ["tiny", "--seeds", "2", "--index", String(index)]);
      assertEquals([code, stderr], [0, ""]);
    }
    const done = await attempt(experimentTask, ["tiny", "--seeds", "2", "--plan"]);
    assertStringIncludes(done.stdout, "All 4 runs are done");
    const whole = await attempt(experimentTask, ["tiny", "--seeds", "2", "--json"]);
    assertEquals(jsonLines(whole.stdout).flatMap(({ trained }) => trained === undefined ? [] : [trained]), [
      ...[false, false, false, false],
    ]);
    const beyond = await attempt(experimentTask, ["tiny", "--seeds", "2", "--index", "4"]);
    assertEquals(beyond.code, 2);
    assertStringIncludes(beyond.stderr, "Cannot find run 4: expected 0 to 3");
  }));

Deno.test("experiment --all runs every one, one that fails too, and writes a page that links their pages", () =>
  inFolder(async () => {
    const known = [...experiments];
    const list = experiments as Map<string, Experiment>;
    const broken: Experiment = {
      ...tiny,
      name: "broken",
      plan: () => {
        throw new Error("no points");
      },
    };
    list.clear();
    for (const each of [broken, tiny]) list.set(each.name, each);
    try {
      const { code, stdout, stderr } = await attempt(experimentTask, ["--all", "--quick", "--out", "e"]);
      assertEquals(code, 1);
      assertStringIncludes(stdout, "broken failed: no points");
      assertStringIncludes(stderr, "1 experiment of 2 failed: broken");
      const page = await Deno.readTextFile("e/quick.html");
      const [, link] = /<td><a href="([^"]*)">tiny<\/a><\/td>/.exec(page)!;
      assertMatch(await Deno.readTextFile(`e/${link}`), /<td>w5<\/td>/);
      assertMatch(page, /<td>broken<\/td>.*<td>no points<\/td>/);
      assertEquals((await attempt(experimentTask, ["tiny", "--all"])).code, 2);
    } finally {
      list.clear();
      for (const [name, each] of known) list.set(name, each);
    }
  }));
