import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { readCsv } from "../../datasets/csv.ts";
import type { Rows } from "../../datasets/rows.ts";
import { piecewise } from "../../storage/read.ts";
import { withFolder } from "./support.ts";

async function read(text: string | Uint8Array): Promise<Rows> {
  let rows: Rows | undefined;
  await withFolder(async (folder) => {
    const path = `${folder}/t.csv`;
    await Deno.writeFile(path, typeof text === "string" ? new TextEncoder().encode(text) : text);
    rows = await readCsv(await piecewise(path)).catch((error) => {
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

Deno.test("readCsv() counts labels that are names in the order of the alphabet", async () => {
  assertEquals([...(await read("label,x\nsetosa,1\nversicolor,2\nadder,3\nsetosa,4")).labels!], [1, 2, 0, 1]);
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
  ["1,2\n3,x\n", 'expected a number in line 2, column 2, found "x"'],
  ["1,2\n3,\n", "expected a number in line 2, column 2, found nothing"],
  ["1,2\n\n3,Infinity\n", 'expected a number in line 3, column 2, found "Infinity"'],
  ["1,NaN\n3,4\n", 'expected a number in line 1, column 2, found "NaN"'],
  ["1,2\n3\n", "expected 2 columns in line 2, as in the first, found 1"],
  ["label,x\n1.5,1\n2,1", 'expected labels to be integers from 0 to 255, or all of them names, found "1.5"'],
  ["", "expected rows of numbers, found none"],
  ["a,b\n", "expected rows of numbers, found none"],
  ["label\n1\n", "expected rows of numbers, found none"],
  [
    `label,x\n${Array.from({ length: 257 }, (_, n) => `c${n},0\n`).join("")}`,
    'expected at most 256 different values of "label", found more',
  ],
];
for (const [text, message] of refused) {
  Deno.test(`readCsv() refuses ${JSON.stringify(text.slice(0, 20))}: ${message}`, async () => {
    assertEquals((await assertRejects(() => read(text), Error)).message, `Cannot read "data/t.csv": ${message}`);
  });
}
