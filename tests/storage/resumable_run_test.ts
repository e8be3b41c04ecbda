/** A run on disk by the public names alone: claimed, recorded, stopped, resumed, completed. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  completed,
  fileDataset,
  isComplete,
  load,
  readConfig,
  readMetrics,
  readRun,
  RunRecorder,
  save,
} from "../../files.ts";
import { type Dataset, train, vae } from "../../mod.ts";
import { gpu } from "../support/gpu.ts";

/** 120 rows of 16 features: two blocks that switch on together. */
function blocks(): Dataset {
  const values = new Uint8Array(120 * 16).map((_, i) => (i >> 4) % 2 === (i % 16 < 8 ? 0 : 1) ? 255 : 0);
  const rows = { values, count: 120 };
  return { name: "blocks", shape: [4, 4, 1], train: rows, test: rows };
}

const config = { hidden: [6], latents: 2, batchSize: 20, epochs: 3, validation: 20, seed: 4 };

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "elbo" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Trains in a folder, from where the run in it stands; stopped after the epoch of that number. */
async function trained(folder: string, stopAfter = Infinity): Promise<void> {
  const controller = new AbortController();
  const resumed = await readRun(folder);
  const options = { gpu, signal: controller.signal, resume: resumed?.checkpoint };
  const training = train(vae, blocks(), resumed ? {} : config, options);
  const recorder = await RunRecorder.claim(folder, training, { resumed });
  for await (const event of training) {
    await recorder.record(event);
    if (event.event === "epoch" && event.epoch === stopAfter) controller.abort();
  }
  training.trained.destroy();
}

Deno.test("a run that was stopped and resumed by the public names has the bytes and the epochs of one that was not", () =>
  inFolder(async (folder) => {
    const [whole, parts] = [`${folder}/whole`, `${folder}/parts`];
    await trained(whole);
    await trained(parts, 1);
    const stopped = (await readRun(parts))!;
    assertEquals([stopped.checkpoint.progress.step, isComplete(stopped.checkpoint)], [5, false]);
    await trained(parts);
    const file = "checkpoint.safetensors";
    assertEquals(await Deno.readFile(`${parts}/${file}`), await Deno.readFile(`${whole}/${file}`));
    const losses = async (run: string) => {
      const { epochs, end } = await completed((await readRun(run))!);
      return [...epochs, end!].map(({ train, validation, step }) => ({ train, validation, step }));
    };
    assertEquals(await losses(parts), await losses(whole));
    assertEquals((await readConfig(parts))?.started, stopped.config?.started);
  }));

Deno.test("a run on standardized columns keeps their statistics, and its configuration can be read", () =>
  inFolder(async (folder) => {
    const path = `${folder}/t.csv`;
    const lines = Array.from({ length: 60 }, (_, i) => `${i % 7 + 0.5},${1000 * (i % 5)},${i % 2 ? "cat" : "dog"}`);
    await Deno.writeTextFile(path, ["a,b,kind", ...lines].join("\n"));
    const dataset = await fileDataset(path).load({ settings: { standardize: true, labelColumn: "kind" } });
    const told = { ...config, epochs: 1, validation: 10, likelihood: "gaussian-shared" } as const;
    const training = train(vae, dataset, told, { gpu });
    const recorder = await RunRecorder.claim(`${folder}/run`, training);
    for await (const event of training) await recorder.record(event);
    training.trained.destroy();
    const { checkpoint, config: kept } = (await readRun(`${folder}/run`))!;
    const { scaling, columns, classNames, settings } = checkpoint.data;
    assertEquals([columns, classNames], [["a", "b"], ["cat", "dog"]]);
    assertEquals(scaling, dataset.scaling);
    assertEquals(settings, { ...dataset.settings });
    assertEquals(kept?.datasetSettings?.standardize, true);
  }));

Deno.test("completed() writes the end that a kill kept from being written, once", () =>
  inFolder(async (folder) => {
    await trained(folder);
    const file = `${folder}/metrics.jsonl`;
    const lines = (await Deno.readTextFile(file)).split("\n");
    // Without the end, and with half of a line.
    await Deno.writeTextFile(file, [...lines.slice(0, 3), '{"event":"e'].join("\n"));
    const { epochs, end } = await completed((await readRun(folder))!);
    assertEquals([epochs.length, end?.step, end?.stopped], [3, 15, false]);
    assertEquals(end?.train, epochs[2].train);
    assertEquals((await readMetrics(folder)).map(({ event }) => event), ["epoch", "epoch", "epoch", "end"]);
    assertEquals((await completed((await readRun(folder))!)).end, { ...end!, run: folder } as typeof end);
  }));

Deno.test("RunRecorder.claim() says that a folder cannot be written to, before anything is trained", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const training = train(vae, blocks(), config, { gpu });
    await assertRejects(
      () => RunRecorder.claim(`${folder}/file/run`, training),
      Error,
      `Cannot write to the folder "${folder}/file/run": `,
    );
  }));

Deno.test("load() takes a path or a file: URL, and names the file that it cannot read", () =>
  inFolder(async (folder) => {
    const training = train(vae, blocks(), { ...config, epochs: 1 }, { gpu });
    for await (const { event } of training) assert(event);
    const path = `${folder}/50 %.safetensors`;
    await save(training.trained, path);
    const bytes = await training.trained.toBytes();
    training.trained.destroy();
    for (const from of [path, new URL(`file://${folder}/50%20%25.safetensors`)]) {
      using again = await load(from, { gpu });
      assertEquals(await again.toBytes(), bytes);
    }
    await assertRejects(() => load(`${folder}/none`), Error, `Cannot read "${folder}/none": expected a file`);
  }));
