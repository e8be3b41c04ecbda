import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { defaults } from "../../core/settings.ts";
import { readCsv } from "../../datasets/csv.ts";
import type { Rows } from "../../datasets/rows.ts";
import { type TableConfig, tableSettings } from "../../datasets/table.ts";
import { fileDataset } from "../../storage/file_dataset.ts";
import { piecewise } from "../../storage/read.ts";
import { gzip, withFolder } from "./support.ts";

async function read(text: string | Uint8Array, told: Partial<TableConfig> = {}): Promise<Rows> {
  let rows: Rows | undefined;
  await withFolder(async (folder) => {
    const path = `${folder}/t.csv`;
    await Deno.writeFile(path, typeof text === "string" ? new TextEncoder().encode(text) : text);
    rows = await readCsv(await piecewise(path), { ...defaults(tableSettings), ...told }).catch((error) => {
      throw new Error(error.message.replace(folder, "data"));
    });
  });
  return rows!;
}

Deno.test("readCsv() reads a table without names as float32", async () => {
  const { shape, count, values, labels } = await read("1,2.5\n-3e2, 0\n");
  assertEquals([shape, count, labels], [[1, 2, 1], 2, undefined]);
  assertEquals(values, new Float32Array([1, 2.5, -300, 0]));
});

Deno.test("readCsv() passes over names, empty lines, returns and a missing last line break", async () => {
  const { values, count } = await read('\ufeff"a","b,c"\r\n1,"2"\r\n\r\n3,4');
  assertEquals([[...values], count], [[1, 2, 3, 4], 2]);
});

Deno.test("readCsv() finds semicolons and tabs", async () => {
  assertEquals([...(await read("1;2\n3;4")).values], [1, 2, 3, 4]);
  assertEquals([...(await read("a\tb\n1\t2")).values], [1, 2]);
});

Deno.test("readCsv() takes the column label for the class", async () => {
  const { shape, values, labels } = await read("x,Label,y\n1,7,2\n3,0,4\n");
  assertEquals([shape, [...values], [...labels!]], [[1, 2, 1], [1, 2, 3, 4], [7, 0]]);
});

Deno.test("readCsv() takes columns whose names begin with c_ for covariates", async () => {
  const { shape, values, covariates, names, labels } = await read(
    "x,c_age,label,C_size,y\n1,30,0,0.5,2\n3,40,1,-1,4\n",
  );
  assertEquals([shape, [...values], [...labels!]], [[1, 2, 1], [1, 2, 3, 4], [0, 1]]);
  assertEquals([[...covariates!], names], [[30, 0.5, 40, -1], ["c_age", "C_size"]]);
});

Deno.test("readCsv() counts labels that are names in the order of the alphabet, and keeps the names", async () => {
  const { labels, classNames } = await read("label,x\nsetosa,1\nversicolor,2\nadder,3\nsetosa,4");
  assertEquals([[...labels!], classNames], [[1, 2, 0, 1], ["adder", "setosa", "versicolor"]]);
  const signed = await read("x,label\n1,-1\n2,1\n3,1000");
  assertEquals([[...signed.labels!], signed.classNames], [[0, 1, 2], ["-1", "1", "1000"]]);
});

Deno.test("readCsv() tells what stands between the cells: commas, semicolons, tabs or blanks", async () => {
  const expected = [[1, 2.5, -3, 4, 5, 6], ["a", "b b", "c"]];
  for (
    const [between, head] of [[",", ""], [";", ""], ["\t", ""], ["  ", ""], [" ; ", ""], [", ", ""], [" \t", "  "]]
  ) {
    const { values, columns } = await read(
      `${head}a${between}"b b"${between}c\n${head}1${between}2.5${between}-3\n${head}4${between}5${between}6 \n`,
    );
    assertEquals([[...values], columns], expected, JSON.stringify(between));
  }
  assertEquals([...(await read("1 2\n 3\t4\n")).values], [1, 2, 3, 4]);
  assertEquals((await read('"a" "b"\n"1" 5 6\n"2" 7 8\n')).columns, ["column 1", "a", "b"]);
  const utf16 = new Uint8Array([0xff, 0xfe, ...[..."a\tb\n1\t2\n"].flatMap((letter) => [letter.charCodeAt(0), 0])]);
  assertEquals((await read(utf16)).columns, ["a", "b"]);
});

Deno.test("readCsv() passes over comments, and takes NumPy's names from them", async () => {
  const { values, columns } = await read("# made by hand\n# x y\n1 2\n# between\n3 4\n");
  assertEquals([[...values], columns], [[1, 2, 3, 4], ["x", "y"]]);
  assertEquals((await read("% from MATLAB, 2026\n1,2\n")).columns, undefined);
});

Deno.test("readCsv() tells names from a first row of data", async () => {
  const digits = await read("label,0,1\n5,1,2\n6,3,4\n");
  assertEquals([digits.count, digits.columns, [...digits.labels!]], [2, ["0", "1"], [5, 6]]);
  const iris = await read("5.1,3.5,Iris-setosa\n7,3.2,Iris-versicolor\n", { labelColumn: "3" });
  assertEquals([iris.count, iris.columns, iris.classNames], [2, undefined, ["Iris-setosa", "Iris-versicolor"]]);
});

Deno.test("readCsv() takes the columns that it is told to", async () => {
  const text = "id,day,a,b,kind\nx1,2026-01-02,1,2,cat\nx2,2026-01-03,3,4,dog\n";
  const some = await read(text, { columns: ["b", "3"], labelColumn: "Kind" });
  assertEquals([some.columns, [...some.values], some.classNames], [["a", "b"], [1, 2, 3, 4], ["cat", "dog"]]);
  assertEquals(some.reading?.passedOver, [{ name: "day", why: "left out" }, {
    name: "id",
    why: "it names the rows",
  }]);
  assertEquals(some.reading?.labels, "kind");
  const rest = await read(text, { dropColumn: ["id", "DAY", "5"] });
  assertEquals([rest.columns, rest.labels], [["a", "b"], undefined]);
  const value = await read("a,label\n1,300\n2,1.5\n", { labelColumn: "none" });
  assertEquals([...value.values], [1, 300, 2, 1.5]);
  const { message } = await assertRejects(() => read(text, { dropColumn: ["c"] }), Error);
  assertEquals(
    message,
    'Cannot read "data/t.csv" with --drop-column "c": expected a column (id, day, a, b, kind) or a number from 1 to 5',
  );
});

const gaps = 'a,b,c\n1,,x\n?,2,x\n3,NA,x\n4,4,x\n5,nan,""\n';

Deno.test("readCsv() counts missing cells, names their columns, and says what can be done", async () => {
  const { message } = await assertRejects(() => read(gaps, { dropColumn: ["c"] }), Error);
  assertEquals(
    message,
    'Cannot read "data/t.csv": expected numbers, found 4 missing cells in 4 of 5 rows: a (in line 3), ' +
      "b (3, first in line 2); --missing mean fills in the column's mean, --missing drop leaves these rows out",
  );
  const kept = await read(gaps, { columns: ["a", "b"], missing: "drop" });
  assertEquals([kept.count, [...kept.values], [...kept.rowNumbers!]], [1, [4, 4], [3]]);
  assertEquals(kept.reading?.remarks, [
    "4 rows with missing cells left out (a (in line 3), b (3, first in line 2))",
  ]);
  const empty = await read("a,b,\n1,2,\n3,4,\n");
  assertEquals([[...empty.values], empty.reading?.passedOver], [[1, 2, 3, 4], [{ name: "column 3", why: "empty" }]]);
});

Deno.test("missing cells become the mean of the training rows, and are marked", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/t.csv.gz`;
    const lines = Array.from({ length: 12 }, (_, i) => `${i + 0.5},${i === 4 ? "NA" : 10 * i}`);
    await Deno.writeFile(path, await gzip(new TextEncoder().encode(["a,b", ...lines].join("\n"))));
    const settings = { missing: "mean", standardize: false };
    const { train, test, reading, settings: kept } = await fileDataset(path).load({ settings });
    const rows = [train, test].flatMap(({ values, missing, count }) =>
      Array.from({ length: count }, (_, i) => [values[2 * i], values[2 * i + 1], missing![2 * i + 1]])
    );
    const present = Array.from({ length: train.count }, (_, i) => train.values[2 * i + 1])
      .filter((_, i) => !train.missing![2 * i + 1]);
    const mean = Math.fround(present.reduce((sum, value) => sum + value, 0) / present.length);
    assertEquals(rows.find(([a]) => a === 4.5), [4.5, mean, 1]);
    assertEquals(rows.filter(([, , hole]) => hole).length, 1);
    assertEquals(reading?.remarks, ["1 missing cell filled in with the column's mean (b (in line 6))"]);
    assertEquals(kept, { labelColumn: "", columns: [], dropColumn: [], shape: "", ...settings });
  });
});

Deno.test("standardize brings the columns of the training rows to mean 0 and deviation 1, and keeps the statistics", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/t.csv`;
    const lines = Array.from({ length: 60 }, (_, i) => `${i % 7},${1000 * (i % 5)},3`);
    await Deno.writeTextFile(path, ["a,b,c", ...lines].join("\n"));
    const raw = await fileDataset(path).load();
    assertEquals(raw.reading?.remarks, [
      "standard deviations of columns differ 708-fold (a 2, b 1400): --standardize brings them to one scale",
    ]);
    const { train, test, scaling, reading } = await fileDataset(path).load({ settings: { standardize: true } });
    assertEquals(reading?.remarks, undefined);
    assertEquals(scaling!.deviation[2], 1);
    for (const column of [0, 1]) {
      const own = Array.from({ length: train.count }, (_, i) => train.values[3 * i + column]);
      assertAlmostEquals(own.reduce((sum, value) => sum + value, 0), 0, 1e-4);
      assertAlmostEquals(own.reduce((sum, value) => sum + value ** 2, 0) / train.count, 1, 1e-4);
    }
    for (const [scaled, own] of [[train, raw.train], [test, raw.test]]) {
      scaled.values.forEach((value, i) =>
        assertAlmostEquals(value * scaling!.deviation[i % 3] + scaling!.mean[i % 3], own.values[i], 1e-3)
      );
    }
  });
});

Deno.test("flat rows are images of a shape, and Kaggle's pixels without being told", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/train.csv`;
    const write = async (names: readonly string[]) => {
      const lines = Array.from(
        { length: 6 },
        (_, row) => [row % 2, ...names.map((_, i) => (row + 20 * i) % 256)].join(),
      );
      await Deno.writeTextFile(path, [["label", ...names].join(), ...lines].join("\n"));
    };
    const load = async (settings = {}) => {
      const { shape, classes, columns, reading } = await fileDataset(path).load({ settings });
      return [shape, classes, columns, reading?.values];
    };
    const counted = Array.from({ length: 16 }, (_, i) => `pixel${i}`);
    await write(counted);
    assertEquals(await load(), [[4, 4, 1], 2, undefined, ["pixel0 to pixel15"]]);
    assertEquals((await load({ shape: "2x8" }))[0], [2, 8, 1]);
    await assertRejects(() => load({ shape: "5x5" }), Error, "expected rows of 5 x 5 x 1 = 25 values, found 16");
    await assertRejects(
      () => load({ shape: "4" }),
      RangeError,
      'expected height x width, as 28x28 or 32x32x3, found "4"',
    );
    await assertRejects(() => load({ standardize: true }), RangeError, "expected the columns of a table, found images");
    await write(Array.from({ length: 24 }, (_, i) => `${1 + Math.floor(i / 6)}x${1 + i % 6}`));
    assertEquals((await load())[0], [4, 6, 1]);
    await write(Array.from({ length: 16 }, (_, i) => `x${i}`));
    assertEquals((await load())[0], [1, 16, 1]);
  });
});

Deno.test("readCsv() reads lines that lie across the pieces that a file is read in", async () => {
  const text = Array.from({ length: 30_000 }, (_, n) => `${n},${n / 7}`).join("\n");
  const { count, values } = await read(text);
  assertEquals(count, 30_000);
  for (let n = 0; n < count; n++) {
    assertEquals(values[2 * n], n);
    assertAlmostEquals(values[2 * n + 1], n / 7, 1e-3);
  }
});

const refused: [text: string, message: string][] = [
  [
    "1,2\n3,x\n",
    'expected numbers, found text in column 2 ("x" in line 2); --drop-column 2 leaves it out',
  ],
  [
    "a,b\n1,Infinity\n\n3,1e39\n",
    'expected numbers, found infinite numbers in b ("Infinity" in line 2, 2 cells); --drop-column b leaves it out',
  ],
  [
    "a;b\n1,5;2\n2,5;3\n",
    'expected numbers, found decimal commas in a ("1,5" in line 2, 2 cells); write numbers with a decimal point',
  ],
  [
    "word,day,a\nx,2026-01-02,1\ny,2026-01-03,2\n",
    'expected numbers, found text in word ("x" in line 2, 2 cells), dates in day ("2026-01-02" in line 2, 2 cells); ' +
    "--label-column word takes it for the classes, --drop-column word,day leaves them out",
  ],
  [
    "city,kind,a\nBern,low,1\nBasel,high,2\n",
    'expected numbers, found text in city ("Bern" in line 2, 2 cells), text in kind ("low" in line 2, 2 cells); ' +
    "--label-column city or kind takes it for the classes, --drop-column city,kind leaves them out",
  ],
  ["1,2\n3\n", "expected 2 columns in line 2, as in the first, found 1"],
  [
    'a,b,c\n1,2,3\n1,"2,3\n3,4,5\n',
    "expected 3 columns in line 3, as in the first, found 2 (a line break within quotes is not understood)",
  ],
  ["label,x\n1.5,1\n2,1", 'expected labels to be integers or names, found "1.5"'],
  [
    "label,x\n,1\n2,1",
    "expected numbers, found rows without a label in label (in line 2); --drop-column label leaves it out",
  ],
  ["", "expected rows of numbers, found none"],
  ["a,b\n", "expected rows of numbers, found none"],
  ["label\n1\n", "expected rows of numbers, found no column of values"],
  [
    `label,x\n${Array.from({ length: 257 }, (_, n) => `c${n},0\n`).join("")}`,
    'expected at most 256 different values of "label", found more; if they are no classes: --label-column none, or another column',
  ],
];
for (const [text, message] of refused) {
  Deno.test(`readCsv() refuses ${JSON.stringify(text.slice(0, 20))}: ${message}`, async () => {
    assertEquals((await assertRejects(() => read(text), Error)).message, `Cannot read "data/t.csv": ${message}`);
  });
}
