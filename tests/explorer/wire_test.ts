/** Plain data as bytes, and what is no such bytes. */

import { assertEquals, assertThrows } from "@std/assert";
import { decodeWire, encodeWire } from "../../explorer/wire.ts";

Deno.test("what is sent arrives: objects, lists, texts, and arrays of each type", () => {
  const values = [
    null,
    [1, "zwölf", { a: [true] }],
    { x: new Float32Array([1, 2, 3]), y: { z: new Uint8Array([255]), w: new Float64Array([1e-300]) }, n: 7 },
    [new Uint32Array([4294967295]), new Float32Array(0), [new Uint8Array(9)]],
  ];
  for (const value of values) assertEquals(decodeWire(encodeWire(value)), value);
});

Deno.test("what was left out arrives as null", () => {
  assertEquals(decodeWire(encodeWire(undefined)), null);
});

Deno.test("messages that are cut short, or whose arrays end beyond them, are refused", () => {
  const bytes = encodeWire({ x: new Float32Array(8) });
  for (const length of [0, 3, 10]) {
    assertThrows(() => decodeWire(bytes.slice(0, length)), RangeError, "Cannot read a message");
  }
  assertThrows(() => decodeWire(bytes.slice(0, bytes.length - 8)), RangeError, "an array ends beyond it");
  const text = new TextEncoder().encode(' {"$array":"Float32Array","length":-1}');
  const forged = new Uint8Array(4 + text.length);
  new DataView(forged.buffer).setUint32(0, text.length, true);
  forged.set(text, 4);
  assertThrows(() => decodeWire(forged), RangeError, "an array ends beyond it");
});
