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
  type StoredRun,
} from "../../files.ts";
import { type Dataset, train, vae } from "../../mod.ts";
import { withFolder } from "../support/folder.ts";
import { gpu } from "../support/gpu.ts";

/** 120 rows of 16 features: two blocks that switch on together. */
function blocks(): Dataset {
  const values = new Uint8Array(120 * 16).map((_, i) => (i >> 4) % 2 === (i % 16 < 8 ? 0 : 1) ? 255 : 0);
  const rows = { values, count: 120 };
  return { name: "blocks", shape: [4, 4, 1], train: rows, test: rows };
}

const config = { hidden: [6], latents: 2, batchSize: 20, epochs: 3, validation: 20, seed: 4 };

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
  withFolder(async (folder) => {
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
  withFolder(async (folder) => {
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
  withFolder(async (folder) => {
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
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    const training = train(vae, blocks(), config, { gpu });
    await assertRejects(
      () => RunRecorder.claim(`${folder}/file/run`, training),
      Error,
      `Cannot write to the folder "${folder}/file/run": `,
    );
  }));

Deno.test("load() takes a path or a file: URL, and names the file that it cannot read", () =>
  withFolder(async (folder) => {
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

Deno.test("RunRecorder.claim() is refused while another records in the folder, and where a run in it is not gone on with", () =>
  withFolder(async (folder) => {
    const claim = (options = {}) => RunRecorder.claim(folder, train(vae, blocks(), config, { gpu }), options);
    const first = await claim();
    await assertRejects(() => claim(), Error, `Cannot write to the folder "${folder}": a training is running in it`);
    first[Symbol.dispose]();
    await trained(folder);
    await assertRejects(() => claim(), Error, `Cannot begin a run in "${folder}": expected none in it, found`);
    assertEquals((await readMetrics(folder)).length, 4);
    assertEquals([...Deno.readDirSync(folder)].some(({ name }) => name === ".lock"), false);
    (await claim({ resumed: await readRun(folder) }))[Symbol.dispose]();
  }));

Deno.test("RunRecorder cuts half a line off before it adds one, and knows in which epoch a checkpoint was", () =>
  withFolder(async (folder) => {
    // Epochs of 3 1/3 steps: three are done after 10.
    const thirds = { ...config, batchSize: 30 };
    const record = async (settings: object, resumed?: StoredRun) => {
      const training = train(vae, blocks(), settings, { gpu, resume: resumed?.checkpoint });
      using recorder = await RunRecorder.claim(folder, training, { resumed, seconds: 0 });
      const saved = [];
      for await (const event of training) {
        await recorder.record(event);
        if (event.event !== "progress") saved.push(recorder.saved);
      }
      training.trained.destroy();
      return saved;
    };
    const at = (epoch: number, step: number) => ({ epoch, step });
    assertEquals(await record(thirds), [at(0, 0), at(1, 4), at(2, 7), at(3, 10), at(3, 10)]);
    await Deno.writeTextFile(`${folder}/metrics.jsonl`, '{"event":"epoch","epo', { append: true });
    assertEquals(await record({ epochs: 4 }, await readRun(folder)), [at(3, 10), at(4, 14), at(4, 14)]);
    assertEquals((await readMetrics(folder)).map(({ event, step }) => [event, step]), [
      ...[4, 7, 10, 14].map((step) => ["epoch", step]),
      ["end", 14],
    ]);
    assertEquals((await Deno.readTextFile(`${folder}/metrics.jsonl`)).split("\n").length, 6);
  }));
