import { assertAlmostEquals, assertEquals } from "@std/assert";
import { spreadOf } from "../../core/spread.ts";
import { rankCorrelation } from "../../experiments/rank_correlation.ts";
import { cellText, type Table, toCsv, toMarkdown } from "../../experiments/table.ts";

Deno.test("spreadOf() is the mean and the sample standard deviation", () => {
  const { mean, deviation, count } = spreadOf([1, 2, 3, 6])!;
  assertEquals([mean, count], [3, 4]);
  // sqrt((4 + 1 + 0 + 9) / 3)
  assertAlmostEquals(deviation!, Math.sqrt(14 / 3), 1e-12);
});

Deno.test("spreadOf() knows no deviation of a single value, and nothing of none or of NaN", () => {
  assertEquals(spreadOf([-82.92]), { mean: -82.92, count: 1 });
  assertEquals(spreadOf([]), undefined);
  assertEquals(spreadOf([1, NaN]), undefined);
});

Deno.test("cellText() gives measured numbers two digits, small ones three that count, and published ones as printed", () => {
  assertEquals(cellText({ mean: -82.9178, deviation: 0.1049, count: 3 }), "-82.92 ± 0.10");
  assertEquals(cellText({ mean: 0.012345, count: 1 }), "0.0123");
  assertEquals(cellText({ mean: 0, count: 1 }), "0");
  assertEquals(cellText(115.1), "115.1");
  assertEquals(cellText(undefined), "");
});

const table: Table = {
  name: "t",
  title: "T",
  columns: ["a, b", "loss", "published"],
  rows: [["x|y", { mean: 1.5, deviation: 0.5, count: 2 }, 1.4], ['"z"', undefined, undefined]],
  notes: ["One note."],
};

Deno.test("toMarkdown() escapes bars and ends with the notes", () => {
  assertEquals(
    toMarkdown(table),
    "## T\n\n| a, b | loss | published |\n| --- | --- | --- |\n| x\\|y | 1.50 ± 0.50 | 1.4 |\n" +
      '| "z" |  |  |\n\nOne note.\n',
  );
});

Deno.test("toCsv() gives a measured column its mean, deviation and number of runs", () => {
  assertEquals(
    toCsv(table),
    '"a, b",loss,loss (sd),loss (runs),published\r\nx|y,1.5,0.5,2,1.4\r\n"""z""",,,,\r\n',
  );
});

Deno.test("rankCorrelation() is 1 for the same order, -1 for the opposite one, and shares ranks of equal values", () => {
  assertEquals(rankCorrelation([1, 5, 20], [-3, 0, 0.5]), 1);
  assertEquals(rankCorrelation([1, 5, 20], [3, 2, -7]), -1);
  // By scipy.stats.spearmanr.
  assertAlmostEquals(rankCorrelation([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]), 0.8207826816681233, 1e-12);
});
