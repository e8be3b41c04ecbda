/**
 * TensorBoard's event files: records of protocol buffers, each framed by its length and two checksums. Only what is written here is
 * encoded: scalars, pictures and histograms.
 *
 * Source: TensorFlow's `event.proto`, `summary.proto` and the format of TFRecord.
 *
 * @module
 */

/** CRC-32C (Castagnoli) of bytes. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0x82f63b78 : n >>> 1;
  return n >>> 0;
});

/** A checksum as records have it: one of data that hold checksums would otherwise be weak. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** A message under construction. */
class Message {
  readonly #bytes: number[] = [];

  #varint(value: number): void {
    for (let left = value;; left = Math.floor(left / 128)) {
      const byte = left % 128;
      if (left < 128) return void this.#bytes.push(byte);
      this.#bytes.push(byte | 128);
    }
  }

  integer(field: number, value: number): this {
    this.#varint(field * 8);
    this.#varint(value);
    return this;
  }

  double(field: number, value: number): this {
    this.#varint(field * 8 + 1);
    this.#bytes.push(...new Uint8Array(new Float64Array([value]).buffer));
    return this;
  }

  float(field: number, value: number): this {
    this.#varint(field * 8 + 5);
    this.#bytes.push(...new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    for (const byte of value) this.#bytes.push(byte);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.encoded);
  }

  doubles(field: number, values: readonly number[]): this {
    return this.bytes(field, new Uint8Array(Float64Array.from(values).buffer));
  }

  get encoded(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }
}

/** A value of a step under its tag: `train/elbo`. */
export type Value = Message;

/** A number. */
export function scalar(tag: string, value: number): Value {
  return new Message().text(1, tag).float(2, value);
}

/** A picture, as PNG. */
export function picture(
  tag: string,
  { png, width, height }: { readonly png: Uint8Array; readonly width: number; readonly height: number },
): Value {
  const image = new Message().integer(1, height).integer(2, width).integer(3, 4).bytes(4, png);
  return new Message().text(1, tag).message(4, image);
}

/** Buckets of a histogram. */
const BUCKETS = 30;

/** How numbers are spread. */
export function histogram(tag: string, values: ArrayLike<number>): Value {
  let [least, most, sum, squares] = [Infinity, -Infinity, 0, 0];
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i]);
    most = Math.max(most, values[i]);
    sum += values[i];
    squares += values[i] ** 2;
  }
  const width = (most - least) / BUCKETS || 1;
  const counts = new Array<number>(BUCKETS).fill(0);
  for (let i = 0; i < values.length; i++) counts[Math.min(BUCKETS - 1, Math.floor((values[i] - least) / width))]++;
  const limits = counts.map((_, i) =>
    i === BUCKETS - 1 ? Math.max(most, least + width * BUCKETS) : least + width * (i + 1)
  );
  const found = new Message().double(1, least).double(2, most).double(3, values.length).double(4, sum)
    .double(5, squares).doubles(6, limits).doubles(7, counts);
  return new Message().text(1, tag).message(5, found);
}

/** A record of an event file. */
function record(data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(16 + data.length);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return out;
}

/** What an event file begins with. */
export function fileStart(seconds: number): Uint8Array<ArrayBuffer> {
  return record(new Message().double(1, seconds).text(3, "brain.Event:2").encoded);
}

/** The values of a step. */
export function eventOf(seconds: number, step: number, values: readonly Value[]): Uint8Array<ArrayBuffer> {
  const summary = new Message();
  for (const value of values) summary.message(1, value);
  return record(new Message().double(1, seconds).integer(2, step).message(5, summary).encoded);
}
