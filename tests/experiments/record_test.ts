/** The pages of docs/experiments hold what the records of their runs hold. */

import { assert, assertEquals } from "@std/assert";
import { experiments } from "../../experiments/mod.ts";
import { toMarkdown } from "../../experiments/table.ts";
import { outcomeOf } from "./support.ts";

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
