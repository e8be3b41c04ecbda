/** Runs and data that moved, and new data: what is scored, encoded, reconstructed and imputed of which rows, and in which files. */

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { parquetReadObjects } from "npm:hyparquet@1.31.5";
import { uniforms } from "../../core/graph/random.ts";
import { encodeNpy, parseNpy, parseNpz } from "../../datasets/npy.ts";
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
import { greyPng, idx } from "../datasets/support.ts";
import { attempt, blocks, inFolder, jsonLines } from "./support.ts";

const tiny = "--hidden 6 --latents 2 --batch-size 20 --seed 3 --epochs 2".split(" ");

async function ran<G extends FlagGroups>(task: Task<G>, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await attempt(task, args);
  assertEquals([code, stderr], [0, ""], args.join(" "));
  return stdout;
}

/** Lines of a CSV as records. */
async function csv(path: string): Promise<Record<string, string>[]> {
  const [head, ...lines] = (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) => line.split(","));
  return lines.map((cells) => Object.fromEntries(cells.map((cell, i) => [head[i], cell])));
}

/** 60 rows of three columns that hang together, and a label; `from` begins another part of the same. */
function table(from = 0, rows = 60): string {
  const noise = uniforms(new Float64Array(1000), 7, 0, 0);
  const lines = Array.from({ length: rows }, (_, i) => {
    const t = noise[from + i];
    return [t, 1 - t, t / 2 + 0.25].map((value) => value.toFixed(4)).join(",") + `,${t < 0.5 ? 0 : 1}`;
  });
  return ["left,right,middle,label", ...lines].join("\n") + "\n";
}

const forTable = [...tiny, "--likelihood", "gaussian", "--activation", "tanh"];

/** A test in a folder with a run of a table in `run`, and its data in `table.csv`. */
function withTable(test: () => Promise<void>): Promise<void> {
  return inFolder(async () => {
    await Deno.writeTextFile("table.csv", table());
    await ran(trainTask, "--dataset", "table.csv", ...forTable, "--out", "run");
    await test();
  });
}

Deno.test("a run whose data moved finds them by --dataset as its own, in every task, and goes on to the same bytes", () =>
  inFolder(async () => {
    const { train } = blocks();
    await Deno.writeFile("old.idx", idx([train.count, 4, 4], train.values));
    const told = ["--dataset", "old.idx", "--data-seed", "5", ...tiny];
    await ran(trainTask, ...told, "--out", "run");
    await ran(trainTask, ...told.map((arg, i) => told[i - 1] === "--epochs" ? "3" : arg), "--out", "whole");
    const before = jsonLines(await ran(evaluateTask, "--run", "run", "--json"))[0];
    await Deno.mkdir("elsewhere");
    await Deno.rename("old.idx", "elsewhere/new.idx");
    await Deno.rename("run", "elsewhere/run");
    // The same rows out of a file of another format.
    await Deno.writeFile("same.npy", encodeNpy({ shape: [240, 4, 4], values: train.values }));
    for (const at of ["elsewhere/new.idx", "same.npy"]) {
      const [found] = jsonLines(await ran(evaluateTask, "--run", "elsewhere/run", "--dataset", at, "--json"));
      assertEquals([found.own, found.split, found.elbo], [true, "test", before.elbo]);
    }
    const where = ["--run", "elsewhere/run", "--dataset", "elsewhere/new.idx"];
    assertStringIncludes(await ran(encodeTask, ...where), 'new.idx" holds the data that the run was trained on');
    for (const task of [reconstructTask, imputeTask, reportTask]) await ran(task as Task<FlagGroups>, ...where);
    await ran(scoreTask, ...where, "--samples", "1");
    assertEquals(await csv("elsewhere/run/scores.csv").then((rows) => rows.length), 40);
    await ran(trainTask, "--resume", "elsewhere/run", "--dataset", "elsewhere/new.idx", "--epochs", "3");
    const tensors = async (run: string) => (await Deno.readFile(`${run}/checkpoint.safetensors`)).slice(-400);
    assertEquals(await tensors("elsewhere/run"), await tensors("whole"));
    // From now on it knows where they are.
    assertEquals(jsonLines(await ran(evaluateTask, "--run", "elsewhere/run", "--json"))[0].own, true);
  }));

Deno.test("other data under the old name are named as such, with what is other, and no training goes on with them", () =>
  withTable(async () => {
    const lines = table().trimEnd().split("\n");
    for (
      const [change, differs] of [
        [() => lines.toSpliced(30, 1, "0.1,0.9,0.3,0"), "other values in the rows, other labels of the rows"],
        [
          () =>
            lines.map((line) => line.replace(/,1$/, ",0").replace(/,0$/, (end) => line.startsWith("0.9") ? ",1" : end)),
          "other labels of the rows",
        ],
        [() => [lines[0], ...lines.slice(1).toReversed()], "other values in the rows"],
        [() => lines.slice(0, 50), "49 rows in place of 60"],
        [() => lines.map((line) => line.replace(/,[^,]+$/, "")), "no labels of the rows"],
      ] as const
    ) {
      await Deno.writeTextFile("table.csv", change().join("\n") + "\n");
      const stdout = await ran(evaluateTask, "--run", "run");
      assertMatch(stdout, /^Other data: ".*\/table\.csv" is not what the run was trained on \(/);
      assertStringIncludes(stdout.split("\n")[0], differs.split(", ")[0]);
      const { code, stderr } = await attempt(trainTask, ["--resume", "run", "--epochs", "9"]);
      assertEquals(code, 2);
      assertMatch(stderr, /expected the data that it was begun on, found others in ".*table\.csv": /);
      assertStringIncludes(stderr, differs.split(", ")[0]);
    }
    await Deno.writeTextFile("table.csv", table());
    await ran(trainTask, "--resume", "run", "--epochs", "3");
  }));

Deno.test("new data are scored and encoded whole, in the file's order, down to a single row", () =>
  withTable(async () => {
    await Deno.writeTextFile("new.csv", table(100, 25));
    const said = await ran(scoreTask, "--run", "run", "--dataset", "new.csv", "--samples", "2");
    assertMatch(
      said,
      /^Data: 25 rows; 3 columns .*\nrun\/scores-new\.csv: 25 rows of .*\/new\.csv, in the order of the file\n/,
    );
    const scored = await csv("run/scores-new.csv");
    assertEquals(scored.map(({ row }) => Number(row)), Array.from({ length: 25 }, (_, i) => i));
    assertEquals(Object.keys(scored[0]), ["row", "label", "score", "rank"]);
    const sorted = scored.toSorted((a, b) => Number(a.score) - Number(b.score));
    assertEquals(sorted.map(({ rank }) => Number(rank)), Array.from({ length: 25 }, (_, i) => i + 1));
    const labels = (await csv("new.csv")).map(({ label }) => label);
    assertEquals(scored.map(({ label }) => label), labels);

    await ran(encodeTask, "--run", "run", "--dataset", "new.csv");
    const npz = parseNpz(await Deno.readFile("run/latents-new.npz"), "z");
    assertEquals([npz.get("mean")!.shape, [...npz.get("row")!.read().values.slice(0, 3)]], [[25, 2], [0, 1, 2]]);
    assertEquals([...npz.get("labels")!.read().values].join(), labels.join());
    await Deno.writeTextFile("one.csv", table(100, 1));
    await ran(encodeTask, "--run", "run", "--dataset", "one.csv", "--out", "one.npy");
    const one = parseNpy(await Deno.readFile("one.npy"), "one");
    assertEquals([one.shape, [...one.values]], [[1, 2], [...npz.get("mean")!.read().values.slice(0, 2)]]);
    await ran(scoreTask, "--run", "run", "--dataset", "one.csv", "--samples", "1");
    const refused = await attempt(evaluateTask, ["--run", "run", "--dataset", "new.csv", "--split", "validation"]);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stderr, "only the run's own data have such rows");
  }));

Deno.test("rows of a run's own splits carry their number in the file, and all of them come in its order", () =>
  withTable(async () => {
    const file = await csv("table.csv");
    await ran(encodeTask, "--run", "run", "--out", "test.csv");
    await ran(encodeTask, "--run", "run", "--split", "all", "--out", "all.csv");
    const [test, all] = [await csv("test.csv"), await csv("all.csv")];
    assertEquals(all.map(({ row }) => Number(row)), Array.from({ length: 60 }, (_, i) => i));
    assertEquals(all.map(({ label }) => label), file.map(({ label }) => label));
    const count = (split: string) => all.filter((row) => row.split === split).length;
    assertEquals([count("train"), count("validation"), count("test")], [42, 8, 10]);
    assertEquals(test.length, 10);
    for (const { row, z1_mean, label } of test) {
      const same = all[Number(row)];
      assertEquals([same.split, same.z1_mean, same.label], ["test", z1_mean, label]);
    }
    // The same by their values.
    await Deno.writeTextFile("again.csv", (await Deno.readTextFile("table.csv")) + "0.5,0.5,0.5,1\n");
    await ran(encodeTask, "--run", "run", "--dataset", "again.csv", "--out", "again.parquet");
    const again = await parquetReadObjects({ file: (await Deno.readFile("again.parquet")).buffer });
    assertEquals(again.length, 61);
    all.forEach(({ z1_mean }, i) => assertAlmostEquals(again[i].z1_mean, Number(z1_mean), 1e-6));
  }));

Deno.test("encode and score write labels and row numbers to CSV, Parquet and NumPy alike", () =>
  withTable(async () => {
    const formats = ["csv", "parquet", "npy", "npz"] as const;
    for (const format of formats) {
      await ran(scoreTask, "--run", "run", "--samples", "2", "--out", `s.${format}`);
      await ran(encodeTask, "--run", "run", "--out", `e.${format}`);
    }
    const lines = await csv("s.csv");
    const parquet = await parquetReadObjects({ file: (await Deno.readFile("s.parquet")).buffer });
    assertEquals(Object.keys(parquet[0]), ["row", "label", "score"]);
    const npz = parseNpz(await Deno.readFile("s.npz"), "s");
    // A structured array: its header names the fields.
    const npy = new TextDecoder().decode((await Deno.readFile("s.npy")).slice(0, 200));
    assertStringIncludes(npy, "[('row', '<u4'), ('label', '|u1'), ('score', '<f8')]");
    lines.forEach(({ row, label, score }, i) => {
      assertEquals([parquet[i].row, parquet[i].label, parquet[i].score], [Number(row), Number(label), Number(score)]);
      assertEquals([npz.get("row")!.read().values[i], npz.get("label")!.read().values[i]], [
        Number(row),
        Number(label),
      ]);
    });
    const encoded = await parquetReadObjects({ file: (await Deno.readFile("e.parquet")).buffer });
    assertEquals(Object.keys(encoded[0]), ["row", "label", "z1_mean", "z2_mean", "z1_variance", "z2_variance"]);
    assertEquals(parseNpy(await Deno.readFile("e.npy"), "e").shape, [10, 2]);
  }));

Deno.test("rows of a folder of images carry their files' names, and labels their classes' names", () =>
  inFolder(async () => {
    for (const [c, name] of ["cat", "dog"].entries()) {
      await Deno.mkdir(`photos/${name}`, { recursive: true });
      for (let i = 0; i < 6; i++) {
        await Deno.writeFile(`photos/${name}/${i}.png`, greyPng(16, 16, 40 + 20 * i + 100 * c));
      }
    }
    await ran(trainTask, "--dataset", "photos", ...tiny.map((arg) => arg === "20" ? "4" : arg), "--out", "run");
    await ran(encodeTask, "--run", "run", "--split", "all", "--out", "all.csv");
    const rows = await csv("all.csv");
    assertEquals(rows.map(({ row, id, label }) => [row, id, label]).slice(5, 7), [["5", "cat/5.png", "cat"], [
      "6",
      "dog/0.png",
      "dog",
    ]]);
    await ran(scoreTask, "--run", "run", "--samples", "1", "--out", "s.npz");
    assertStringIncludes(new TextDecoder().decode(await Deno.readFile("s.npz")), "'<U9'");
  }));

Deno.test("a score of other data leaves the run's own as they were, and those of other data as well", () =>
  withTable(async () => {
    await ran(scoreTask, "--run", "run", "--samples", "1");
    const own = await Deno.readTextFile("run/scores.csv");
    for (const folder of ["a", "b"]) {
      await Deno.mkdir(folder);
      await Deno.writeTextFile(`${folder}/x.csv`, table(folder === "a" ? 100 : 200, 20));
      const [{ file }] = jsonLines(
        await ran(scoreTask, "--run", "run", "--dataset", `${folder}/x.csv`, "--samples", "1", "--json"),
      );
      assertEquals(file, folder === "a" ? "run/scores-x.csv" : "run/scores-x-2.csv");
    }
    assertEquals(await Deno.readTextFile("run/scores.csv"), own);
    assertNotEquals(await Deno.readTextFile("run/scores-x.csv"), await Deno.readTextFile("run/scores-x-2.csv"));
    const report = await Deno.readTextFile("run/report.html");
    assertMatch(
      await ran(reportTask, "--run", "run", "--dataset", "a/x.csv"),
      /\nrun\/report-x\.html: .*figures are in run\/report-x\//,
    );
    assertEquals(await Deno.readTextFile("run/report.html"), report);
  }));

Deno.test("the extension of --out decides the format, and an unknown one is wrong usage before anything is read", () =>
  withTable(async () => {
    const tasks = { sampleTask, reconstructTask, encodeTask, scoreTask, imputeTask, reportTask } as unknown as Record<
      string,
      Task<FlagGroups>
    >;
    for (const [name, task] of Object.entries(tasks)) {
      const { code, stderr } = await attempt(task, ["--run", "nowhere", "--out", "a.xlsx"]);
      assertEquals(code, 2, name);
      assertMatch(stderr, /^Error: --out: expected a file that ends with \.\w+.*, found "a\.xlsx"\n/);
    }
    const picture = await attempt(sampleTask, ["--run", "run", "--out", "a.png"]);
    assertEquals(picture.code, 2);
    assertStringIncludes(
      picture.stderr,
      "the run is of a table: expected a file that ends with .csv, .parquet, .npy or .npz",
    );

    assertStringIncludes(
      await ran(sampleTask, "--run", "run", "--count", "7"),
      "run/samples.csv: 7 rows drawn from vae",
    );
    const samples = await csv("run/samples.csv");
    assertEquals([samples.length, Object.keys(samples[0])], [7, ["left", "right", "middle"]]);
    await ran(reconstructTask, "--run", "run");
    const again = await csv("run/reconstructions.csv");
    assertEquals([again.length, Object.keys(again[0])], [10, ["row", "label", "left", "right", "middle"]]);
    await ran(reconstructTask, "--run", "run", "--out", "r.npy");
    assertEquals(parseNpy(await Deno.readFile("r.npy"), "r").shape, [10, 3]);
  }));

Deno.test("columns of new data are found by their names, in any order, and one that is not there is named", () =>
  withTable(async () => {
    const lines = table(100, 10).trimEnd().split("\n").map((line) => line.split(","));
    const order = (places: readonly number[]) =>
      lines.map((cells) => places.map((i) => cells[i]).join(",")).join("\n") + "\n";
    await Deno.writeTextFile("a.csv", order([0, 1, 2, 3]));
    await Deno.writeTextFile("b.csv", order([3, 2, 0, 1]));
    await Deno.writeTextFile("c.csv", order([0, 1, 3]));
    for (const name of ["a", "b"]) {
      await ran(encodeTask, "--run", "run", "--dataset", `${name}.csv`, "--out", `z-${name}.csv`);
    }
    assertEquals(await Deno.readTextFile("z-b.csv"), await Deno.readTextFile("z-a.csv"));
    const { code, stderr } = await attempt(encodeTask, ["--run", "run", "--dataset", "c.csv"]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "expected the columns left, right, middle; middle is not there");
  }));

Deno.test("impute hides columns of a table, or of each row what a mask or chance says, and writes the whole table", () =>
  withTable(async () => {
    const [named] = jsonLines(await ran(imputeTask, "--run", "run", "--mask", "right", "--iterations", "4", "--json"));
    assertEquals([named.file, named.missing, named.count], ["run/imputed.csv", 1, 10]);
    assert(Number.isFinite(named.mse) && Number.isFinite(named.baseline));
    const [imputed, file] = [await csv("run/imputed.csv"), await csv("table.csv")];
    assertEquals(Object.keys(imputed[0]), ["row", "label", "left", "right", "middle"]);
    for (const { row, left, middle } of imputed) {
      assertAlmostEquals(Number(left), Number(file[Number(row)].left), 1e-6);
      assertAlmostEquals(Number(middle), Number(file[Number(row)].middle), 1e-6);
    }
    // Another value of each row.
    const mask = Uint8Array.from({ length: 30 }, (_, i) => i % 3 === Math.floor(i / 3) % 3 ? 0 : 1);
    await Deno.writeFile("mask.npy", encodeNpy({ shape: [10, 3], values: mask }));
    await ran(imputeTask, "--run", "run", "--mask", "mask.npy", "--iterations", "2", "--out", "m.csv");
    const cells = (await csv("m.csv")).flatMap(({ row, left, right, middle }) =>
      [left, right, middle].map((value, i) =>
        Math.abs(Number(value) - Number(file[Number(row)][["left", "right", "middle"][i]])) < 1e-6
      )
    );
    cells.forEach((same, i) => same || assertEquals(mask[i], 0));
    assert(cells.filter((same) => !same).length >= 9);
    await ran(imputeTask, "--run", "run", "--mask", "random:0.4", "--iterations", "2", "--out", "r.parquet");
    for (
      const [mask, message] of [["wrong", "expected columns (left, right, middle)"], [
        "missing",
        "expected data with missing cells, found none",
      ], ["left,right,middle", "found 3 of 3"]]
    ) {
      const { code, stderr } = await attempt(imputeTask, ["--run", "run", "--mask", mask]);
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, message);
    }
  }));

/** The table with its first column a thousandfold. */
const large = (from = 0, rows = 60) =>
  table(from, rows).split("\n").map((line) => line.replace(/^[\d.]+/, (left) => String(1000 * Number(left)))).join(
    "\n",
  );

Deno.test("a standardized table is its own again where it moved, new rows come on its scale, and samples in its units", () =>
  inFolder(async () => {
    await Deno.writeTextFile("table.csv", large());
    await ran(trainTask, "--dataset", "table.csv", "--standardize", ...forTable, "--out", "run");
    await Deno.copyFile("table.csv", "moved.csv");
    assertEquals(jsonLines(await ran(evaluateTask, "--run", "run", "--dataset", "moved.csv", "--json"))[0].own, true);
    // A row of the file among other rows is encoded as it is among its own.
    await ran(encodeTask, "--run", "run", "--split", "all", "--out", "all.csv");
    const lines = large().split("\n");
    await Deno.writeTextFile("few.csv", [lines[0], lines[1], lines[5]].join("\n") + "\n");
    await ran(encodeTask, "--run", "run", "--dataset", "few.csv", "--out", "few.csv.npz");
    const few = parseNpz(await Deno.readFile("few.csv.npz"), "few").get("mean")!.read().values;
    const all = await csv("all.csv");
    [all[0], all[4]].forEach(({ z1_mean, z2_mean }, i) => {
      assertAlmostEquals(few[2 * i], Number(z1_mean), 1e-4);
      assertAlmostEquals(few[2 * i + 1], Number(z2_mean), 1e-4);
    });
    await ran(sampleTask, "--run", "run", "--count", "50");
    const samples = await csv("run/samples.csv");
    const mean = samples.reduce((sum, { left }) => sum + Number(left) / 50, 0);
    assert(mean > 300 && mean < 700, `${mean}`);
    await ran(reconstructTask, "--run", "run");
    assert((await csv("run/reconstructions.csv")).every(({ left }) => Number(left) > 50));
  }));

Deno.test("impute fills in the cells that a file lacks, each row's own, and leaves all others as they are", () =>
  withTable(async () => {
    const lines = table(100, 12).trimEnd().split("\n").map((line) => line.split(","));
    const holes = [[1, 1], [3, 0], [3, 2], [7, 1]];
    for (const [line, column] of holes) lines[line][column] = line === 7 ? "NA" : "";
    // Nothing is known of the last row.
    lines.push(["", "", "", "1"]);
    await Deno.writeTextFile("holes.csv", lines.map((cells) => cells.join(",")).join("\n") + "\n");
    const stdout = await ran(imputeTask, "--run", "run", "--dataset", "holes.csv", "--iterations", "4");
    assertMatch(
      stdout,
      /run\/imputed-holes\.csv: 13 rows of .*holes\.csv, 7 missing values filled in by vae\n/,
    );
    assertStringIncludes(stdout, "1 row with nothing observed (the first is row 12): imputed as the mean row");
    // As many rows as the run's own, of which some lack cells, are not taken for these.
    const same = table().trimEnd().split("\n").map((line, i) => i === 3 ? line.replace(/^[^,]*/, "") : line);
    await Deno.writeTextFile("same.csv", same.join("\n") + "\n");
    assertStringIncludes(
      await ran(imputeTask, "--run", "run", "--dataset", "same.csv", "--iterations", "2"),
      "60 rows of ",
    );
    const imputed = await csv("run/imputed-holes.csv");
    imputed.slice(0, 12).forEach((row, i) =>
      ["left", "right", "middle"].forEach((name, c) => {
        const value = Number(row[name]);
        if (holes.some(([line, column]) => line === i + 1 && column === c)) {
          assert(Number.isFinite(value) && value !== 0);
        } else assertAlmostEquals(value, Number(lines[i + 1][c]), 1e-6);
      })
    );
  }));

Deno.test("new data without labels, with more columns or with text among them are read by the names of the run's columns", () =>
  inFolder(async () => {
    const species = (text: string, names: readonly string[]) =>
      text.trimEnd().split("\n").map((line, i) =>
        i ? line.replace(/.$/, (label) => names[Number(label)]) : line.replace("label", "species")
      );
    await Deno.writeTextFile("table.csv", species(table(), ["oak", "elm"]).join("\n") + "\n");
    await ran(trainTask, "--dataset", "table.csv", "--label-column", "species", ...forTable, "--out", "run");
    const rows = species(table(100, 10), ["elm", "oak"]);
    await Deno.writeTextFile("labelled.csv", rows.join("\n") + "\n");
    await Deno.writeTextFile("bare.csv", rows.map((line) => line.replace(/,[^,]*$/, "")).join("\n") + "\n");
    await Deno.writeTextFile(
      "more.csv",
      rows.map((line, i) => `${i ? "on a hill" : "place"},${line}`).join("\n") + "\n",
    );
    for (const name of ["labelled", "bare", "more"]) {
      await ran(encodeTask, "--run", "run", "--dataset", `${name}.csv`, "--out", `z-${name}.csv`);
    }
    const [labelled, bare, more] = await Promise.all(["labelled", "bare", "more"].map((name) => csv(`z-${name}.csv`)));
    assertEquals(labelled.map(({ label }) => label), rows.slice(1).map((line) => line.split(",").at(-1)));
    assertEquals(more, labelled);
    assertEquals(bare, labelled.map(({ label: _, ...row }) => row));
  }));

Deno.test("a column that names the rows is no number of them: encode and score carry it as id", () =>
  inFolder(async () => {
    const named = table().trimEnd().split("\n").map((line, i) => `${i ? `row-${i}` : "ID"},${line}`);
    await Deno.writeTextFile("table.csv", named.join("\n") + "\n");
    const stdout = await ran(trainTask, "--dataset", "table.csv", ...forTable, "--out", "run");
    assertStringIncludes(stdout, "passed over: ID (it names the rows)");
    await ran(encodeTask, "--run", "run", "--out", "z.csv");
    await ran(scoreTask, "--run", "run", "--samples", "1", "--out", "s.csv");
    for (const row of [...await csv("z.csv"), ...await csv("s.csv")]) {
      assertEquals(row.id, `row-${Number(row.row) + 1}`);
    }
  }));

Deno.test("impute fills in a whole column that new data do not have, in any order of the others, standardized ones too", () =>
  inFolder(async () => {
    await Deno.writeTextFile("table.csv", large());
    await ran(trainTask, "--dataset", "table.csv", "--standardize", ...forTable, "--out", "run");
    const lines = large(100, 8).trimEnd().split("\n").map((line) => line.split(","));
    await Deno.writeTextFile("without.csv", lines.map((cells) => [cells[1], cells[0]].join(",")).join("\n") + "\n");
    await ran(imputeTask, "--run", "run", "--dataset", "without.csv", "--out", "whole.csv");
    const whole = await csv("whole.csv");
    assertEquals(Object.keys(whole[0]), ["row", "left", "right", "middle"]);
    whole.forEach(({ left, right, middle }, i) => {
      assertAlmostEquals(Number(left), Number(lines[i + 1][0]), 0.01);
      assertAlmostEquals(Number(right), Number(lines[i + 1][1]), 1e-4);
      assert(Math.abs(Number(middle)) < 3);
    });
    const refused = await attempt(encodeTask, ["--run", "run", "--dataset", "without.csv"]);
    assertStringIncludes(refused.stderr, "middle is not there");
  }));

Deno.test("samples of a conditional model of a table have the class that each was drawn for", () =>
  inFolder(async () => {
    await Deno.writeTextFile("table.csv", table());
    await ran(trainTask, "--dataset", "table.csv", "--model", "cvae", ...forTable, "--out", "run");
    await ran(sampleTask, "--run", "run", "--count", "5");
    assertEquals((await csv("run/samples.csv")).map(({ label }) => label), ["0", "1", "0", "1", "0"]);
  }));
