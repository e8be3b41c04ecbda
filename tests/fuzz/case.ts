/**
 * One input of the fuzzer, made from a seed. A format writes a sound file field by field and lets each go through
 * {@linkcode Case}, which now and then puts something else in its place: so lengths and checksums are those of what was
 * written, and damage reaches the deeper layers of a reader. What a field becomes follows from (seed, which field), so a
 * fault can be repeated with fewer of the changes.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** A hash of integers, 32 bits (murmur3's finalizer over a running sum). */
export function hash(...values: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const value of values) {
    h = (h ^ value) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = (h ^ (h >>> 16)) >>> 0;
  }
  return h;
}

/** How often a field is changed, in turn: one change of a whole file in mind, and many. */
const RATES = [0.01, 0.03, 0.08, 0.2];

/** JSON that may come in place of other JSON. */
const STRAYS = [
  ...["null", "true", "0", "-1", "1", "0.5", "-0", "1e308", "1e999", "-1e999", "NaN", "Infinity", "01"],
  ...["255", "256", "65536", "2147483647", "2147483648", "4294967295", "4294967296", "9007199254740993"],
  ...['""', '"x"', '"NaN"', '"1"', '"\\ud800"', '"\\u0000"', '"\\n"', '"__proto__"', `"${"long ".repeat(2000)}"`],
  ...["[]", "{}", "[null]", "[[]]", '{"__proto__":null}', '{"constructor":{}}', '[1,"a",null]', "", "}", '"open'],
  `${"[".repeat(5000)}${"]".repeat(5000)}`,
];

/** What makes an input. */
export class Case {
  #field = 0;
  readonly #rate: number;
  /** The changes that were made, by field, in words. */
  readonly changes = new Map<number, string>();

  /**
   * @param seed Of this input.
   * @param only The fields that may be changed, where not all of them may.
   */
  constructor(readonly seed: number, readonly only?: ReadonlySet<number>) {
    this.#rate = RATES[hash(seed, 0xffff) % RATES.length];
  }

  /** The value, or one of others. */
  or<T>(value: T, others: () => readonly T[], name: string): T {
    const field = this.#field++;
    if (hash(this.seed, field, 1) >= this.#rate * 2 ** 32 || (this.only && !this.only.has(field))) return value;
    const all = others();
    const other = all[hash(this.seed, field, 2) % all.length];
    const text = other instanceof Uint8Array ? `${other.length} bytes` : String(other);
    this.changes.set(field, `${name}: ${text.slice(0, 60)}`);
    return other;
  }

  /** One of several sound values. */
  one<T>(...values: readonly T[]): T {
    return values[hash(this.seed, this.#field++, 3) % values.length];
  }

  /** An integer of so many bits, or a nearby or extreme one. */
  integer(value: number, name: string, bits: 8 | 16 | 32 = 32): number {
    const most = 2 ** bits - 1;
    const others = () => [0, 1, value + 1, value - 1, 2 * value, most, most >>> 1, 2 ** (bits - 1), this.#draw(most)];
    return Math.min(most, Math.max(0, this.or(value, others, name)));
  }

  /** Bytes, or others like them: cut, doubled, turned, lengthened, emptied. */
  bytes(bytes: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
    const own = new Uint8Array(bytes);
    const { length } = own;
    return this.or(own, () => {
      const [from, to] = [this.#draw(length), this.#draw(length)].sort((a, b) => a - b);
      const turned = own.slice();
      if (length) turned[from % length] ^= 1 << this.#draw(7);
      const other = own.slice();
      if (length) other[from % length] = this.#draw(255);
      return [
        ...[own.slice(0, from), own.slice(from), new Uint8Array(0), turned, turned, other],
        concat(own.slice(0, to), own.slice(from)),
        concat(own.slice(0, from), own.slice(to)),
        concat(own, own.slice(0, Math.min(length, 16))),
        own.slice().fill(0, from, to),
        own.slice().fill(255, from, Math.min(to, from + 4)),
      ];
    }, name);
  }

  /** Text of a value as JSON, whose parts may be others. */
  json(value: unknown, name = "value"): string {
    return this.or(this.#parts(value, name), () => STRAYS, name);
  }

  #parts(value: unknown, name: string): string {
    if (Array.isArray(value)) {
      const list = value.map((element, i) => this.json(element, `${name}[${i}]`));
      return `[${this.or(list, () => [list.slice(1), [...list, ...list], []], name).join(",")}]`;
    }
    if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
    const entries = Object.entries(value).map(([key, inner]) => {
      const written = this.or(key, () => ["", "__proto__", "x", "constructor", key.toUpperCase()], `name of ${key}`);
      return `${JSON.stringify(written)}:${this.json(inner, key)}`;
    });
    const at = this.#draw(entries.length);
    const others = () => [entries.toSpliced(at, 1), [...entries, ...entries.slice(at)], ['"x":1', ...entries]];
    return `{${this.or(entries, others, `fields of ${name}`).join(",")}}`;
  }

  /** From 0 to a bound, by the field. */
  #draw(most: number): number {
    return hash(this.seed, this.#field++, 4) % (most + 1);
  }
}

/** Bytes after one another. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}

/** Integers as bytes: `u(4, true)(1, 2)` are two of four bytes, the least first. */
export const u = (size: 1 | 2 | 4, little = true) => (...values: readonly number[]): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(size * values.length);
  values.forEach((value, i) => {
    for (let byte = 0; byte < size; byte++) {
      bytes[i * size + (little ? byte : size - 1 - byte)] = Math.floor(value / 2 ** (8 * byte));
    }
  });
  return bytes;
};

/** ASCII as bytes. */
export const ascii = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
