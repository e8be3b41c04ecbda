/** The pages of docs/experiments hold what the records of their runs hold. */

import { assert, assertEquals } from "@std/assert";
import { experiments } from "../../experiments/mod.ts";
import { recordOf } from "../../experiments/record.ts";
import { toMarkdown } from "../../experiments/table.ts";
import { options, outcomeOf, points, tiny } from "./support.ts";

const RESULTS = "bench/results";

/** The cells of every row of Markdown's tables, without the padding. */
function rowsOf(markdown: string): string[] {
  return markdown.split("\n").filter((line) => line.startsWith("|")).map((line) =>
    line.split("|").map((cell) => cell.trim()).join("|")
  ).filter((row) => !/^[|-]*$/.test(row));
}

const found: (readonly [name: string, record: string])[] = [];
for (const { name } of Deno.readDirSync(RESULTS)) {
  const [, experiment] = /^\d+-\d+-\d+-\w+-(.*)\.jsonl$/.exec(name) ?? [];
  const record = experiments.has(experiment) ? Deno.readTextFileSync(`${RESULTS}/${name}`) : "";
  if (record.startsWith('{"experiment":')) found.push([experiment, record]);
}

Deno.test("there are records of whole experiments, one of each", () => {
  const names = found.map(([name]) => name);
  assert(names.includes("optimizers"), names.join(", "));
  assertEquals(new Set(names).size, names.length);
});

for (const [name, record] of found) {
  Deno.test(`the page of ${name} has the tables that follow from its record, and is no smoke run`, () => {
    const experiment = experiments.get(name)!;
    const { outcome, options } = outcomeOf(record, experiment);
    const page = Deno.readTextFileSync(`docs/experiments/${name}.md`);
    const rows = new Set(rowsOf(page));
    const expected = experiment.tables(outcome.results, options).flatMap((table) => rowsOf(toMarkdown(table)));
    assertEquals(expected.filter((row) => !rows.has(row)), []);
    assertEquals(page.split("\n")[0], `# ${name}`);
  });
}

Deno.test("the record of a long run keeps every epoch that was measured, and of the others each tenth", async () => {
  const epochs = Array.from({ length: 400 }, (_, i) => ({
    event: "epoch" as const,
    epoch: i + 1,
    step: i + 1,
    train: { elbo: -i, nll: i, kl: 0, loss: i },
    samplesPerSecond: 1,
    seconds: i,
    ...i + 1 === 178 ? { measures: { test: -170.4 } } : {},
  }));
  const { train, samplesPerSecond, seconds } = epochs[399];
  const end = { event: "end" as const, epochs: 400, step: 400, train, samplesPerSecond, seconds, stopped: false };
  const run = { folder: "none-seed-0", seed: 0, parameters: 1, epochs, end, measures: {} };
  const record = await recordOf(tiny, { results: [{ point: points[0], runs: [run] }], skipped: [] }, options);
  const { epoch, measured } = JSON.parse(record.split("\n")[1]);
  assertEquals(epoch.length, 100 + 20 + 1 + 100);
  assertEquals(measured.test[epoch.indexOf(178)], -170.4);
});
