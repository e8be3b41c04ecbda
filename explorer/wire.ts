/**
 * Plain data as bytes, for HTTP: a JSON text in which typed arrays are places, then the arrays themselves.
 *
 * Layout: the length of the JSON in four bytes, little-endian; the JSON, padded with blanks to a multiple of eight; each array, padded likewise.
 *
 * @module
 */

const TYPES = { Uint8Array, Uint32Array, Float32Array, Float64Array } as const;
type Name = keyof typeof TYPES;
type Numbers = InstanceType<typeof TYPES[Name]>;

/** What stands in the JSON for an array. */
interface Place {
  readonly $array: Name;
  readonly length: number;
}

const padded = (length: number) => Math.ceil(length / 8) * 8;

/** Encodes a value of objects, lists, texts, numbers and typed arrays. */
export function encodeWire(value: unknown): Uint8Array<ArrayBuffer> {
  const arrays: Numbers[] = [];
  const json = JSON.stringify(value, (_, each) => {
    if (!ArrayBuffer.isView(each)) return each;
    const name = each.constructor.name as Name;
    if (!Object.hasOwn(TYPES, name)) {
      throw new TypeError(`Cannot send a ${name}: expected ${Object.keys(TYPES).join(", ")}`);
    }
    arrays.push(each as Numbers);
    return { $array: name, length: (each as Numbers).length } satisfies Place;
  }) ?? "null";
  const text = new TextEncoder().encode(json);
  const head = padded(4 + text.length);
  const bytes = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + padded(byteLength), head));
  bytes.fill(32, 4, head);
  new DataView(bytes.buffer).setUint32(0, head - 4, true);
  bytes.set(text, 4);
  let at = head;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += padded(byteLength);
  }
  return bytes;
}

/**
 * The value again.
 *
 * @throws {RangeError} If an array ends beyond the bytes.
 */
export function decodeWire(bytes: Uint8Array<ArrayBuffer>): unknown {
  const length = bytes.length < 4 ? NaN : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (!(4 + length <= bytes.length)) {
    throw new RangeError(`Cannot read a message of ${bytes.length} bytes: it is cut short`);
  }
  const json = new TextDecoder().decode(bytes.subarray(4, 4 + length));
  let at = 4 + length;
  // Values are visited from the first to the last, as they were written.
  const read = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    const { $array: name, length: count } = value as Partial<Place>;
    if (name !== undefined && Object.hasOwn(TYPES, name)) {
      const type = TYPES[name];
      const size = (count ?? NaN) * type.BYTES_PER_ELEMENT;
      if (!Number.isSafeInteger(count) || size < 0 || !(at + size <= bytes.length)) {
        throw new RangeError(`Cannot read a message of ${bytes.length} bytes: an array ends beyond it`);
      }
      const array = new type(bytes.slice(at, at + size).buffer);
      at += padded(size);
      return array;
    }
    if (Array.isArray(value)) return value.map(read);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, read(each)]));
  };
  return read(JSON.parse(json));
}
