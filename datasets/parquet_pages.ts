/**
 * The headers of a Parquet file's pages: whether each says what it must, and fits into its column. What reads them afterwards believes them,
 * and would go round and round where a length is missing.
 *
 * @see https://parquet.apache.org/docs/file-format/data-pages/
 * @see https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 * @module
 */

/** A column of a row group, as far as it is looked at. */
export interface ColumnChunk {
  readonly meta_data?: {
    readonly data_page_offset: bigint;
    readonly dictionary_page_offset?: bigint;
    readonly total_compressed_size: bigint;
    readonly path_in_schema: readonly string[];
  };
}

/** Fields of a struct by their numbers. */
type Struct = ReadonlyMap<number, unknown>;

/** Types of fields. */
const [TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT] = Array.from(
  { length: 12 },
  (_, i) => i + 1,
);

/** Structs within structs. */
const DEEPEST = 16;

/** Reads what the compact protocol of Thrift has written. */
class Thrift {
  constructor(readonly bytes: Uint8Array, public at: number, readonly end: number) {}

  #byte(): number {
    if (this.at >= this.end) throw new Error("a page header that is cut short");
    return this.bytes[this.at++];
  }

  #varint(): number {
    let [value, scale] = [0, 1];
    for (let i = 0; i < 10; i++, scale *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new Error("a page header with a number that does not end");
  }

  #integer(): number {
    const value = this.#varint();
    return value % 2 ? -(value + 1) / 2 : value / 2;
  }

  struct(depth = 0): Struct {
    if (depth > DEEPEST) throw new Error("a page header that is nested too deeply");
    const found = new Map<number, unknown>();
    for (let id = 0;;) {
      const head = this.#byte();
      if (head === 0) return found;
      id = head >> 4 ? id + (head >> 4) : this.#integer();
      found.set(id, this.#value(head & 15, depth));
    }
  }

  #value(type: number, depth: number): unknown {
    switch (type) {
      case TRUE:
      case FALSE:
        return type === TRUE;
      case BYTE:
        return this.#byte();
      case I16:
      case I32:
      case I64:
        return this.#integer();
      case DOUBLE:
        return void (this.at += 8);
      case BINARY:
        return void (this.at += this.#varint());
      case LIST:
      case SET: {
        const head = this.#byte();
        const length = head >> 4 === 15 ? this.#varint() : head >> 4;
        // A value takes a byte at least, true and false as well within a list.
        if (length > this.end - this.at) throw new Error("a page header that is cut short");
        for (let i = 0; i < length; i++) {
          if ((head & 15) === TRUE || (head & 15) === FALSE) this.#byte();
          else this.#value(head & 15, depth + 1);
        }
        return undefined;
      }
      case STRUCT:
        return this.struct(depth + 1);
      default:
        throw new Error(`a page header with a field of type ${type === MAP ? "map" : type}`);
    }
  }
}

/** What must be in the header of a page of a type: the field that holds it, and the numbers in that. */
const HEADERS: Readonly<Record<number, { readonly name: string; readonly field: number; readonly numbers: number[] }>> =
  {
    0: { name: "data", field: 5, numbers: [1, 2, 3, 4] },
    2: { name: "dictionary", field: 7, numbers: [1, 2] },
    3: { name: "data", field: 8, numbers: [1, 2, 3, 4, 5, 6] },
  };

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * Checks every page of a column.
 *
 * @param rows The values that it may have: of a flat column as many as its group has rows.
 * @throws {Error} If a header lacks something, or a page ends beyond its column.
 */
export function requirePages(bytes: Uint8Array, { meta_data: about }: ColumnChunk, rows: number): void {
  if (!about) throw new Error("a column without a place");
  const [data, dictionary] = [Number(about.data_page_offset), Number(about.dictionary_page_offset ?? 0)];
  const from = dictionary > 0 && dictionary < data ? dictionary : data;
  const end = from + Number(about.total_compressed_size);
  if (!isSize(from) || !isSize(end) || end > bytes.length) throw new Error("a column that ends beyond the file");
  let values = 0;
  for (let at = from; at < end - 1;) {
    const thrift = new Thrift(bytes, at, end);
    const header = thrift.struct();
    const [type, unpacked, packed] = [1, 2, 3].map((id) => header.get(id));
    if (!isSize(type) || !isSize(unpacked) || !isSize(packed)) throw new Error("a page without its size");
    at = thrift.at + packed;
    if (at > end) throw new Error("a page that ends beyond its column");
    const known = HEADERS[type];
    if (!known) continue;
    const own = header.get(known.field);
    if (!(own instanceof Map) || !known.numbers.every((id) => isSize(own.get(id)))) {
      throw new Error(`a ${known.name} page without its lengths`);
    }
    if (type === 3 && own.get(5) + own.get(6) > packed) throw new Error("levels that end beyond their page");
    if (type !== 2) values += own.get(1);
    if (values > rows) throw new Error(`${values} values of ${rows} rows`);
  }
}
