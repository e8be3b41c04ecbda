/** What was read is said at the start of each training and measure, and kept. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { DatasetSource } from "../../core/dataset.ts";
import { datasets } from "../../datasets/mod.ts";
import { encodeTask } from "../../tasks/encode.ts";
import { evaluateTask } from "../../tasks/evaluate.ts";
import { imputeTask } from "../../tasks/impute.ts";
import { reconstructTask } from "../../tasks/reconstruct.ts";
import { scoreTask } from "../../tasks/score.ts";
import { trainTask } from "../../tasks/train.ts";
import { attempt, inFolder, jsonLines, small } from "./support.ts";

Deno.test("train, evaluate, encode, score, reconstruct and impute say what was read; config.json, the report and events keep it", () =>
  inFolder(async () => {
    const line = "Data: 200 rows to train on, 40 to validate, 240 to test; 4 x 4 grey, bytes from 0 to 254";
    const trained = await attempt(trainTask, [...small, "--out", "run"]);
    assertEquals(trained.code, 0, trained.stderr);
    assertStringIncludes(trained.stdout, `${line}; likelihood bernoulli, by the data: they are nearly black and white`);
    const { data, remarks } = JSON.parse(await Deno.readTextFile("run/config.json"));
    assertEquals(data.rows, { training: 200, validation: 40, test: 240 });
    assertEquals([data.shape, data.range.kind, data.remarks.length], [[4, 4, 1], "bytes", 1]);
    assert(remarks.length > 0);
    assertStringIncludes(await Deno.readTextFile("run/report.html"), line);
    const measures = [
      attempt(evaluateTask, ["--run", "run"]),
      attempt(encodeTask, ["--run", "run"]),
      attempt(scoreTask, ["--run", "run", "--samples", "1"]),
      attempt(reconstructTask, ["--run", "run"]),
      attempt(imputeTask, ["--run", "run", "--iterations", "1"]),
    ];
    for (const measure of measures) {
      const { code, stdout, stderr } = await measure;
      assertEquals([code, stderr], [0, ""]);
      assertStringIncludes(stdout, line);
    }
    const { stdout } = await attempt(trainTask, [...small, "--json", "--out", "other"]);
    const [start] = jsonLines(stdout);
    assertEquals([start.event, start.data.rows.test], ["start", 240]);
  }));

Deno.test("train of a table in a file says its columns, classes and what it passed over", () =>
  inFolder(async () => {
    const lines = Array.from({ length: 30 }, (_, i) => `${i},${i % 7 - 3},${(i * i) % 11 / 4},${["a", "b"][i % 2]}`);
    await Deno.writeTextFile("t.csv", `id,size,weight,Class\n${lines.join("\n")}\n`);
    const args = "--dataset t.csv --hidden 4 --latents 1 --epochs 1 --out run".split(" ");
    const { code, stdout, stderr } = await attempt(trainTask, args);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /Data: 21 rows to train on, 4 to validate, 5 to test; 2 columns \(size, weight\), /);
    assertStringIncludes(stdout, "from Class; passed over: id (it names the rows)");
    assertStringIncludes(stdout, "likelihood gaussian-shared, by the data: they are numbers");
    assertStringIncludes(stdout, "batches of 21, all rows, in place of 100");
    const refused = await attempt(trainTask, [...args.slice(0, -1), "other", "--likelihood", "bernoulli"]);
    assertEquals(refused.code, 2);
    assertMatch(refused.stderr, /the likelihood bernoulli is of 0 and 1.*found numbers from -3 to 3; scale them to/);
  }));

Deno.test("train standardizes a table of numbers whose likelihood nobody chose, where its source can", () =>
  inFolder(async () => {
    const told: unknown[] = [];
    const settings = { standardize: { type: "boolean", default: false, help: "columns" } } as const;
    const source: DatasetSource = {
      name: "table",
      summary: "",
      source: "",
      settings,
      load: (options) => {
        const chosen = { standardize: false, ...options?.settings };
        told.push(chosen.standardize);
        const values = Float32Array.from({ length: 60 }, (_, i) => (chosen.standardize ? 1 : 1000) * (i % 7 - 3));
        const rows = { values, count: 20 };
        return Promise.resolve({ name: "table", shape: [1, 3, 1], train: rows, test: rows, settings: chosen });
      },
    };
    (datasets as Map<string, DatasetSource>).set(source.name, source);
    try {
      const args = "--dataset table --hidden 4 --latents 1 --epochs 1".split(" ");
      const { code, stdout, stderr } = await attempt(trainTask, [...args, "--out", "run"]);
      assertEquals([code, stderr, told], [0, "", [false, true]]);
      assertStringIncludes(stdout, "numbers from -3 to 3; --no-standardize keeps the columns' own numbers");
      const { datasetSettings } = JSON.parse(await Deno.readTextFile("run/config.json"));
      assertEquals(datasetSettings, { standardize: true });
      const given = await attempt(trainTask, [...args, "--likelihood", "gaussian", "--out", "given"]);
      assertEquals([given.code, told.at(-1)], [0, false]);
    } finally {
      (datasets as Map<string, DatasetSource>).delete(source.name);
    }
  }));
