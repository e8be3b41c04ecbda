import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { Dataset } from "../../core/dataset.ts";
import { dataLine, describeData } from "../../core/description.ts";
import { type DatasetInput, inputRows, type RowValues, settled, summarizeValues } from "../../core/values.ts";

/** Rows of 2 x 2 to train and to test on. */
const of = (values: RowValues, more: Partial<DatasetInput> = {}): DatasetInput => ({
  name: "mine",
  shape: [2, 2, 1],
  train: { values },
  test: { values },
  ...more,
});

Deno.test("summarizeValues() tells binary values, bytes, numbers from 0 to 1 and others apart, and finds their range", () => {
  const kinds = (values: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>) => {
    const { type, kind, minimum, maximum } = summarizeValues({ values });
    return [type, kind, minimum, maximum];
  };
  assertEquals(kinds(Uint8Array.of(0, 255, 255, 0)), ["bytes", "binary", 0, 255]);
  assertEquals(kinds(Uint8Array.of(3, 255, 9, 7)), ["bytes", "bytes", 3, 255]);
  assertEquals(kinds(Float32Array.of(0, 1, 1, 0)), ["floats", "binary", 0, 1]);
  assertEquals(kinds(Float32Array.of(0, 12 / 255, 1)), ["floats", "bytes", 0, 1]);
  assertEquals(kinds(Float32Array.of(0, 0.123, 1)), ["floats", "unit", 0, 1]);
  assertEquals(kinds(Float32Array.of(-2, 0.5, 3)), ["floats", "real", -2, 3]);
});

Deno.test("settled() gives what needs nothing back as it is", () => {
  const rows = { values: Uint8Array.of(0, 9, 255, 3), count: 1 };
  const dataset: Dataset = { name: "mine", shape: [2, 2, 1], train: rows, test: rows };
  assertStrictEquals(settled(dataset), dataset);
});

Deno.test("settled() takes bytes of 0 and 1 for masks, and whole numbers that reach 255 for bytes, and says so", () => {
  const mask = settled(of(Uint8Array.of(0, 1, 1, 0)));
  assertEquals([...mask.train.values, ...mask.test.values], [0, 255, 255, 0, 0, 255, 255, 0]);
  assertEquals(mask.reading?.remarks, ["bytes that are only 0 and 1: masks"]);
  for (const values of [Float32Array.of(0, 200, 7, 255), Int32Array.of(0, 200, 7, 255), [0, 200, 7, 255]]) {
    const { train, reading } = settled(of(values));
    assertEquals(train.values, Uint8Array.of(0, 200, 7, 255));
    assertEquals(reading?.remarks, ["whole numbers from 0 to 255: taken as bytes, each value / 255"]);
  }
  // A table of counts is none of pixels, nor are the 17 levels of a scanned digit.
  const table = settled(of([1, 2, 200, 3], { shape: [1, 4, 1] }));
  assertEquals(table.train.values, Float32Array.of(1, 2, 200, 3));
  assertEquals(settled(of([0, 16, 8, 3])).train.values, Float32Array.of(0, 16, 8, 3));
});

Deno.test("settled() takes every array of numbers, lists of rows, and arrays of bytes for bytes", () => {
  const numbers = Float32Array.of(0, 0.5, 1, 0.25);
  for (const values of [[0, 0.5, 1, 0.25], Float64Array.of(0, 0.5, 1, 0.25), [[0, 0.5, 1, 0.25]], [numbers]]) {
    assertEquals(settled(of(values)).train, { values: numbers, count: 1 });
  }
  const bytes = Uint8Array.of(0, 9, 255, 3);
  for (const values of [new Uint8ClampedArray(bytes), [bytes], [new Uint8ClampedArray(bytes)]]) {
    assertEquals(settled(of(values)).train.values, bytes);
  }
  const { classes, train } = settled({ ...of([0, 0.5, 1, 0.25]), train: { values: [0, 0.5, 1, 0.25], labels: [2] } });
  assertEquals([classes, train.labels], [undefined, Uint8Array.of(2)]);
});

Deno.test("settled() refuses in words what is no data, with its part, row and column", () => {
  const refused = (input: DatasetInput, message: string) => assertThrows(() => settled(input), Error, message);
  const good = [0, 0.5, 1, 0.25];
  refused(of([...good, 0, NaN, 1, 1]), "found NaN in row 1, column 1 (from 0)");
  refused(
    { ...of(good), test: { values: [0, Infinity, 1, 1] } },
    'Cannot use the test rows of "mine": expected finite numbers, found Infinity in row 0, column 1 (from 0)',
  );
  refused(of([[0, 1, 0.5]]), "expected 4 values in row 0 (from 0), found 3");
  refused(of([0, 0.5, 1]), "expected at least 1 row, found 0.75");
  refused(
    { ...of(good), test: { values: [] } },
    'Cannot use the test rows of "mine": expected at least 1 row, found 0',
  );
  const labelled = { values: [...good, ...good], labels: [0] };
  refused({ ...of(good), train: labelled }, "expected a label for each of 2 rows, found 1");
  refused({ ...of(good), classes: 2, train: { values: good, labels: [2] } }, "expected labels below 2");
  refused({ ...of(good), train: { values: good, labels: [-1] } }, "expected labels from 0 to 255, found -1 in row 0");
  const odd = ["0", "1", "0", "1"] as unknown as number[];
  refused(of(odd), 'expected an array of numbers, or a list of rows, found the text "0" in row 0, column 0');
  refused(of(new BigInt64Array(4) as unknown as number[]), "found a BigInt64Array");
});

Deno.test("inputRows() means by every array what a dataset means by it", () => {
  const bytes = Uint8Array.of(0, 51, 255, 102);
  const expected = Float32Array.of(0, 51 * (1 / 255), 1, 102 * (1 / 255));
  for (const given of [bytes, new Uint8ClampedArray(bytes), [bytes]]) {
    assertEquals(inputRows("encode", given, 4, "bytes"), expected);
  }
  assertEquals(inputRows("encode", [0, 0.2, 1, 0.4], 4), Float32Array.of(0, 0.2, 1, 0.4));
  assertEquals(inputRows("encode", Uint8Array.of(0, 1), 2, "binary"), Float32Array.of(0, 1));
  assertEquals(inputRows("encode", Uint8Array.of(0, 1), 2, "bytes"), Float32Array.of(0, 1 / 255));
  const finite = "Cannot encode: expected finite numbers, found NaN in row 1, column 0 (from 0)";
  assertThrows(() => inputRows("encode", [0, 1, NaN, 1], 2), RangeError, finite);
  const scale = "found whole numbers from 0 to 255; divide them by 255, or give them as a Uint8Array";
  assertThrows(() => inputRows("encode", [0, 255, 9, 1], 2, "bytes"), RangeError, scale);
});

Deno.test("dataLine() says the rows, the shape, the values, the classes, the columns, and what was passed over", () => {
  const rows = { values: Float32Array.of(0.5, 3, 7, -1), count: 2, labels: Uint8Array.of(0, 1) };
  const dataset: Dataset = {
    name: "mine",
    shape: [1, 2, 1],
    classes: 2,
    classNames: ["cat", "dog"],
    columns: ["weight", "size"],
    train: rows,
    test: rows,
    reading: { labels: "species", passedOver: [{ name: "id", why: "it counts the rows" }], remarks: ["3 cells empty"] },
  };
  assertEquals(
    dataLine(describeData(dataset, 1, 1)),
    "Data: 1 row to train on, 1 to validate, 2 to test; 2 columns (weight, size), numbers from -1 to 7; " +
      "2 classes (cat, dog) from species; passed over: id (it counts the rows); 3 cells empty",
  );
  const pixels = { values: new Uint8Array(12).fill(255), count: 1 };
  const line = dataLine(describeData({ name: "p", shape: [2, 2, 3], train: pixels, test: pixels }, 1, 0));
  assert(line.includes("2 x 2 colour, binary values (0 and 1)"), line);
});
