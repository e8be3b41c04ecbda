/** What every reader of files goes by: sizes are checked before memory is taken. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { elementCount, excerpt, FileError, requireMemory, setAvailableMemory } from "../../core/bounds.ts";
import { measure, parseJson, recordOf, text } from "../../core/json.ts";

Deno.test("elementCount() multiplies sizes", () => {
  assertEquals([[], [0, 5], [2, 3, 4], [2 ** 31 - 1]].map((shape) => elementCount(shape, "a")), [
    1,
    0,
    24,
    2 ** 31 - 1,
  ]);
});

for (
  const [what, shape] of [
    ["negative", [-4, -4]],
    ["fractional", [2.5, 2]],
    ["no number", [NaN]],
    ["infinite", [Infinity]],
    ["2^31 or more", [2 ** 31]],
    ["together beyond exact integers", Array(5).fill(2 ** 20)],
  ] as const
) {
  Deno.test(`elementCount() refuses sizes that are ${what}`, () => {
    const { message } = assertThrows(() => elementCount(shape, "data/a.npy"), FileError);
    assertEquals(
      message,
      `Cannot read "data/a.npy": expected a shape of integers from 0 to 2147483647, found [${shape.join(", ")}]`,
    );
  });
}

Deno.test("elementCount() refuses more than 32 dimensions, however long the list", () => {
  const shape = new Array(1_000_000).fill(1);
  assertThrows(() => elementCount(shape, "a"), FileError, "expected at most 32 dimensions, found 1000000");
});

Deno.test("requireMemory() says how much there is and how much is asked for", () => {
  requireMemory(1000, "a", "a file");
  const { message } = assertThrows(() => requireMemory(2 ** 50, "a.npy", "numbers"), FileError);
  assert(
    /^Cannot read "a.npy": expected what fits into memory, [\d,]+ MiB, found numbers of 1,073,741,824 MiB$/.test(
      message,
    ),
    message,
  );
});

Deno.test("setAvailableMemory() says what sizes are held against, 4 GiB where it is not known", () => {
  try {
    setAvailableMemory(() => 2 ** 25);
    requireMemory(2 ** 25, "a", "a file");
    assertThrows(() => requireMemory(2 ** 25 + 1, "a", "a file"), FileError, "what fits into memory, 32 MiB, found");
  } finally {
    setAvailableMemory(() => undefined);
  }
  requireMemory(2 ** 32, "a", "a file");
  assertThrows(() => requireMemory(2 ** 32 + 1, "a", "a file"), FileError, "what fits into memory, 4,096 MiB, found");
});

Deno.test("excerpt() is short, whatever the value", () => {
  assertEquals(excerpt({ a: [1, null, "x"] }), '{"a":[1,null,"x"]}');
  assertEquals([undefined, NaN, "a\n"].map(excerpt), ["nothing", "null", '"a\\n"']);
  let deep: unknown = 0;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  for (const value of [deep, "x".repeat(1e6), new Array(1e6).fill(1), { [`${"y".repeat(1e6)}`]: 1 }]) {
    assert(excerpt(value).length < 100);
  }
});

Deno.test("parseJson() names the file and where it is damaged, and does not repeat it", () => {
  const source = `{"a": ${"1".repeat(1000)}x}`;
  const { message } = assertThrows(() => parseJson(source, "a.json"), FileError);
  assert(message.startsWith('Cannot read "a.json": expected JSON, found "{\\"a\\": 111'), message);
  assert(message.endsWith("damaged at position 1006"), message);
  assertThrows(() => parseJson(new Uint8Array([0xff]), "a.json"), FileError, "damaged or cut short");
  assertThrows(() => parseJson("", "a.json"), FileError, "found nothing");
});

Deno.test("recordOf() takes no names that every object has", () => {
  assertEquals(recordOf(text)({ a: "b" }, "it"), undefined);
  assertEquals(recordOf(text)({ constructor: "b" }, "it"), 'expected a name in it, found "constructor"');
  assertEquals(recordOf(text)(JSON.parse('{"__proto__":"b"}'), "it"), 'expected a name in it, found "__proto__"');
  assertEquals(recordOf(text)(["b"], "it"), 'expected it to be an object, found ["b"]');
});

Deno.test("measure() takes numbers of which plots can be made, and looks into nothing else", () => {
  for (const value of [0, -3, 1e300, 1e-300]) assertEquals(measure(value, "it"), undefined);
  let deep: unknown = 1;
  for (let i = 0; i < 10_000; i++) deep = [deep];
  for (const value of [NaN, Infinity, 1e-320, null, "1", [1], deep, undefined]) {
    assertStringIncludes(measure(value, "it")!, "expected it to be a finite number, found ");
  }
});
