import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Gpu } from "../../core/gpu/device.ts";
import { all, type Experiment } from "../../experiments/experiment.ts";
import { type ExperimentEvent, runExperiment, type RunnerOptions } from "../../experiments/runner.ts";
import { dataSeen, isMilestone, measuredCourse } from "../../experiments/losses.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { sampleTask } from "../../tasks/sample.ts";
import { attempt, inFolder } from "../tasks/support.ts";
import { contents, options, points, tiny } from "./support.ts";

/** Runs the small experiment in the folder "out". */
async function run(more: Partial<RunnerOptions> = {}, asked = options, experiment: Experiment = tiny) {
  using gpu = await Gpu.open();
  return await runExperiment(experiment, asked, { folder: "out", gpu, ...more });
}

const checkpointOf = (folder: string) => Deno.readFile(`${folder}/checkpoint.safetensors`);

Deno.test("runExperiment() trains every point once for each seed, and says where it stands", () =>
  inFolder(async () => {
    const events: ExperimentEvent[] = [];
    const { results, skipped } = await run({ onEvent: (event) => events.push(event) });
    assertEquals(skipped, []);
    assertEquals(results.map(({ point, runs }) => [point.id, runs.map(({ seed }) => seed)]), [["w3", [0, 1]], [
      "w5",
      [0, 1],
    ]]);
    for (const { runs } of results) {
      for (const { epochs, end, folder } of runs) {
        assertEquals([epochs.length, end.stopped], [2, false]);
        assertEquals(end.validation, epochs[1].validation);
        assert((await checkpointOf(folder)).length > 0);
      }
      assert(runs[0].end.train.loss !== runs[1].end.train.loss);
    }
    const standings = events.flatMap((event) => "standing" in event ? [event.standing] : []);
    assert(standings.every(({ runs }) => runs === 4));
    assert(standings.every(({ done }, i) => i === 0 || done >= standings[i - 1].done));
    assertEquals(standings.at(-1), { finished: 4, runs: 4, done: 1, secondsLeft: 0 });
  }));

Deno.test("runExperiment() that was stopped goes on: finished runs keep their bytes, and all end as if never stopped", () =>
  inFolder(async () => {
    await run();
    const whole = await contents("out");
    await Deno.remove("out", { recursive: true });

    const controller = new AbortController();
    const onEvent = (event: ExperimentEvent) => {
      // In the middle of the second run.
      const inSecond = event.event === "run" && event.run.endsWith("w3-seed-1");
      if (inSecond && event.training.event === "epoch") controller.abort();
    };
    const error = await assertRejects(() => run({ signal: controller.signal, onEvent }));
    assertEquals((error as Error).name, "AbortError");
    const stopped = await contents("out");
    const first = (files: typeof stopped) => [...files].filter(([path]) => path.includes("w3-seed-0"));
    assertEquals(first(stopped).length, 3);
    assert(![...stopped.keys()].some((path) => path.includes("w5")));

    const trained: (readonly [string, boolean])[] = [];
    await run({ onEvent: (event) => event.event === "finished" && trained.push([event.run, event.trained]) });
    assertEquals(trained, [["out/w3-seed-0", false], ["out/w3-seed-1", true], ["out/w5-seed-0", true], [
      "out/w5-seed-1",
      true,
    ]]);
    const after = await contents("out");
    assertEquals(first(after), first(stopped));
    const checkpoints = (files: typeof after) => [...files].filter(([path]) => path.endsWith(".safetensors")).sort();
    assertEquals(checkpoints(after), checkpoints(whole));
  }));

Deno.test("runExperiment() gives the same runs when several go at a time", () =>
  inFolder(async () => {
    const alone = await run();
    await Deno.rename("out", "alone");
    const together = await run({ parallel: 3 });
    const losses = ({ results }: typeof alone) => results.map(({ runs }) => runs.map(({ end }) => end.train));
    assertEquals(losses(together), losses(alone));
    assertEquals(await checkpointOf("out/w5-seed-1"), await checkpointOf("alone/w5-seed-1"));
  }));

Deno.test("runExperiment() trains on when more epochs are asked for, and refuses a run of other settings", () =>
  inFolder(async () => {
    await run({}, { ...options, seeds: 1 });
    const { results } = await run({}, { ...options, seeds: 1, epochs: 3 });
    assertEquals(results[0].runs[0].epochs.map(({ epoch }) => epoch), [1, 2, 3]);
    const fewer = await assertRejects(() => run({}, { ...options, seeds: 1 }), Error);
    assertStringIncludes(fewer.message, "expected at most 2 epochs, found 3");
    const other = await assertRejects(() => run({}, { ...options, seeds: 1, epochs: 3, rows: 120 }), Error);
    assertStringIncludes(other.message, 'Cannot use the run "out/w3-seed-0": expected validation 20, found 40');
  }));

Deno.test("runExperiment() leaves an optional point out where its data are missing, and fails for another", () =>
  inFolder(async () => {
    const without = (optional: boolean): Experiment => ({
      ...tiny,
      plan: () => all([points[0], ...["a", "b"].map((id) => ({ ...points[1], id, dataset: "./nowhere", optional }))]),
    });
    const { results, skipped } = await run({}, { ...options, seeds: 1 }, without(true));
    assertEquals(results.map(({ point }) => point.id), ["w3"]);
    assertEquals(skipped.map(({ points }) => points), [["a", "b"]]);
    assertStringIncludes(skipped[0].reason, "./nowhere");
    await assertRejects(() => run({}, { ...options, seeds: 1 }, without(false)), Error, "./nowhere");
  }));

Deno.test("runExperiment() measures a run once, and keeps what it measured", () =>
  inFolder(async () => {
    let measured = 0;
    const measuring: Experiment = {
      ...tiny,
      measure: ({ trained }) => Promise.resolve({ k: trained.latents, n: ++measured }),
    };
    const first = await run({}, { ...options, seeds: 1 }, measuring);
    const again = await run({}, { ...options, seeds: 1 }, measuring);
    assertEquals(first.results.map(({ runs }) => runs[0].measures), [{ k: 2, n: 1 }, { k: 2, n: 2 }]);
    assertEquals(again, first);
  }));

Deno.test("runExperiment() keeps what is measured after an epoch, with the epoch, and a run that goes on has it still", () =>
  inFolder(async () => {
    const asked: number[] = [];
    const measuring: Experiment = {
      ...tiny,
      plan: () => all(points.slice(0, 1)),
      measure: () => Promise.resolve({ k: 9 }),
      measureEpoch: ({ trained }, epoch) => {
        asked.push(epoch);
        return Promise.resolve(epoch % 2 ? { k: trained.latents + epoch } : undefined);
      },
    };
    const short = await run({}, { ...options, seeds: 1, epochs: 1 }, measuring);
    assertEquals(short.results[0].runs[0].epochs.map(({ measures }) => measures), [{ k: 3 }]);
    const { results: [result] } = await run({}, { ...options, seeds: 1, epochs: 4 }, measuring);
    assertEquals(asked, [1, 2, 3, 4]);
    assertEquals(result.runs[0].epochs.map(({ measures }) => measures), [{ k: 3 }, undefined, { k: 5 }, undefined]);
    // The last one is that of the run.
    const { x, y } = measuredCourse("k", result, "k", dataSeen(result));
    assertEquals([x, y], [[200, 600, 800], [3, 5, 9]]);
  }));

Deno.test("isMilestone() takes four epochs of each power of ten", () => {
  const found = Array.from({ length: 1000 }, (_, i) => i + 1).filter(isMilestone);
  assertEquals(found, [1, 2, 3, 6, 10, 18, 32, 56, 100, 178, 316, 562, 1000]);
});

Deno.test("the runs of an experiment are run folders like any other: evaluate and sample read them", () =>
  inFolder(async () => {
    await run({}, { ...options, seeds: 1 });
    const evaluated = await attempt(evaluateTask, ["--run", "out/w3-seed-0", "--split", "validation", "--json"]);
    assertEquals([evaluated.code, evaluated.stderr], [0, ""]);
    assertEquals(JSON.parse(evaluated.stdout).count, 40);
    const sampled = await attempt(sampleTask, ["--run", "out/w3-seed-0", "--count", "4"]);
    assertEquals([sampled.code, sampled.stderr], [0, ""]);
  }));

Deno.test(
  "runExperiment() does not write through a link in its folder",
  { ignore: Deno.build.os === "windows" },
  () =>
    inFolder(async () => {
      await Deno.mkdir("out");
      await Deno.mkdir("elsewhere");
      await Deno.symlink(`${Deno.cwd()}/elsewhere`, "out/w3-seed-0");
      await assertRejects(() => run(), Error, 'Cannot write to "out/w3-seed-0": expected no symbolic link');
      assertEquals([...Deno.readDirSync("elsewhere")], []);
    }),
);
