/** A run of a table from a CSV file as people have them: named classes, columns of every scale; what is said of it, and what is written. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { normals } from "../../core/graph/random.ts";
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
import { attempt, inFolder, jsonLines } from "./support.ts";

const COLUMNS = ["alcohol", "hue", "magnesium", "proline"];

/** 120 rows as those of the wine table: deviations from 0.2 to 300, two named classes. */
function wine(): string[][] {
  const z = normals(new Float64Array(480), 4, 0, 0);
  return Array.from({ length: 120 }, (_, i) => {
    const kind = i % 2;
    const of = (k: number, mean: number, deviation: number) => mean + deviation * (z[4 * i + k] / 2 + kind - 0.5);
    const numbers = [of(0, 13, 0.8).toFixed(2), of(1, 1, 0.2).toFixed(2), of(2, 100, 14).toFixed(0)];
    return [...numbers, of(3, 750, 300).toFixed(0), ["red", "white"][kind]];
  });
}

const csv = (rows: readonly (readonly string[])[], label = true) =>
  [[...COLUMNS, ...label ? ["cultivar"] : []], ...rows.map((cells) => label ? cells : cells.slice(0, -1))]
    .map((cells) => cells.join(",")).join("\n") + "\n";

const lines = async (path: string) =>
  (await Deno.readTextFile(path)).trimEnd().split("\n").map((line) => line.split(","));

Deno.test("a table in a CSV file is standardized by itself, learned on its scale, and written in its own units", () =>
  inFolder(async () => {
    const rows = wine();
    await Deno.writeTextFile("wine.csv", csv(rows));
    await Deno.writeTextFile("new.csv", csv(rows.slice(0, 10), false));
    const ran = async <G extends FlagGroups>(task: Task<G>, ...args: readonly string[]) => {
      const { code, stdout, stderr } = await attempt(task, args);
      assertEquals([code, stderr], [0, ""], args.join(" "));
      // A table has neither.
      assert(!/pixel|grey/.test(stdout), stdout);
      return stdout;
    };
    const told = "--dataset wine.csv --label-column cultivar --hidden 8 --latents 2 --batch-size 20 --epochs 10".split(
      " ",
    );
    const trained = await ran(trainTask, ...told, "--out", "run");
    assertMatch(
      trained,
      /4 columns \(alcohol, hue, magnesium, proline\), numbers from -\d\.\d+ to \d\.\d+, standardized; /,
    );
    assertStringIncludes(
      trained,
      "2 classes (red, white) from cultivar; --no-standardize keeps the columns' own numbers",
    );
    const { datasetSettings, data, config } = JSON.parse(await Deno.readTextFile("run/config.json"));
    assertEquals([datasetSettings.standardize, data.standardized, config.sigma], [true, true, 1]);
    const [{ elbo }] = jsonLines(await ran(evaluateTask, "--run", "run", "--json"));
    // Four standard normals have 4 (1 + ln 2π) / 2 = 5.68 nats.
    assert(elbo > -7, `elbo ${elbo}`);
    // The same line for what is measured as for what was trained on.
    assertStringIncludes(
      await ran(evaluateTask, "--run", "run"),
      ", standardized; 2 classes (red, white) from cultivar",
    );
    assertMatch(
      await ran(encodeTask, "--run", "run", "--split", "all"),
      /latents-all\.npz: all 120 rows, 2 latents each/,
    );
    assertMatch(await ran(scoreTask, "--run", "run"), /scores\.csv: 20 test rows, the least probable first/);
    assertStringIncludes(await ran(scoreTask, "--run", "run", "--dataset", "new.csv"), "scores-new.csv: 10 rows of ");
    assertMatch(await ran(reconstructTask, "--run", "run"), /reconstructions\.csv: 20 test rows, reconstructed by vae/);
    await ran(reportTask, "--run", "run");
    await ran(sampleTask, "--run", "run", "--count", "200");
    const [head, ...drawn] = await lines("run/samples.csv");
    const proline = drawn.map((cells) => Number(cells[head.indexOf("proline")]));
    const mean = proline.reduce((sum, value) => sum + value, 0) / proline.length;
    assert(Math.abs(mean - 750) < 100, `mean proline ${mean}`);

    // What was observed comes back in the digits of the file.
    assertMatch(
      await ran(imputeTask, "--run", "run", "--mask", "hue", "--iterations", "3"),
      /imputed\.csv: 20 test rows, 20 missing values filled in by vae\nmean squared error of .* 20 rows, standardized: /,
    );
    const [names, ...imputed] = await lines("run/imputed.csv");
    assertEquals(names, ["row", "label", ...COLUMNS]);
    for (const [row, label, alcohol, , magnesium, proline] of imputed) {
      const own = rows[Number(row)];
      assertEquals(
        [label, Number(alcohol), Number(magnesium), Number(proline)],
        [own[4], Number(own[0]), Number(own[2]), Number(own[3])],
      );
      assert([alcohol, magnesium, proline].every((cell) => cell.length <= 6), `${alcohol} ${magnesium} ${proline}`);
    }

    const few = await ran(
      trainTask,
      ...told.filter((arg, i) => arg !== "--epochs" && told[i - 1] !== "--epochs"),
      "--out",
      "few",
    );
    assertStringIncludes(few, "42 steps in all, too few to learn much from: train for longer, as with --epochs 200");
    assert(!trained.includes("steps in all, too few"));

    await ran(trainTask, ...told, "--no-standardize", "--out", "asis");
    const kept = JSON.parse(await Deno.readTextFile("asis/config.json"));
    assertEquals([kept.datasetSettings.standardize, kept.data.standardized], [false, undefined]);
    assert(kept.config.sigma > 100, `sigma ${kept.config.sigma}`);
  }));
