/**
 * Rows of a table that are images: by a shape that was asked for, or by the names that columns of pixels have.
 *
 * @module
 */

import { features, withBesides } from "../core/dataset.ts";
import { FileError } from "../core/bounds.ts";
import type { Rows } from "./rows.ts";

/**
 * Height, width and channels in a text: `28x28` or `32x32x3`; undefined for an empty one.
 *
 * @throws {RangeError} If it is none.
 */
function parseShape(text: string): Rows["shape"] | undefined {
  if (text === "") return undefined;
  const [, height, width, channels = "1"] = /^(\d{1,5})x(\d{1,5})(?:x([13]))?$/.exec(text) ?? [];
  const shape = [Number(height), Number(width), Number(channels)] as const;
  if (shape.every((size) => size >= 1)) return shape;
  throw new RangeError(`Cannot set "shape": expected height x width, as 28x28 or 32x32x3, found "${text}"`);
}

/**
 * The rows in a shape: that of `wanted`, or images where the columns are called as pixels are. Images have no names of columns.
 *
 * @param wanted As `28x28`, or empty.
 * @throws {FileError} If rows have more or fewer values.
 * @throws {RangeError} If `wanted` is no shape.
 */
export function shaped(rows: Rows, wanted: string, file: string): Rows {
  const { columns } = rows;
  const asked = parseShape(wanted);
  const found = asked ?? (columns && shapeOfPixels(columns));
  if (!found || found.join() === rows.shape.join()) return rows;
  const size = features(rows.shape);
  if (features(found) !== size) {
    throw new FileError(file, `expected rows of ${found.join(" x ")} = ${features(found)} values, found ${size}`);
  }
  if (!columns) return withBesides(rows, { shape: found });
  const range = `${columns[0]} to ${columns.at(-1)}`;
  const remark = `the columns ${range} are images of ${found[0]} x ${found[1]}`;
  const reading = { ...rows.reading, values: [range] };
  return withBesides(rows, {
    columns: undefined,
    shape: found,
    reading: asked ? reading : { ...reading, remarks: [...rows.reading?.remarks ?? [], remark] },
  });
}

/** Sides of images that names alone tell: fewer pixels may as well be a table. */
const SMALLEST = 4;

/** The shape that names of columns tell: `pixel0` ... `pixel783` of square images, `1x1` ... `28x28`, `pixel_0_0` ... `pixel_7_7`. */
function shapeOfPixels(names: readonly string[]): Rows["shape"] | undefined {
  const counted = names.map((name) => /^pixel[_ ]?(\d+)$/i.exec(name)?.[1]);
  const side = Math.sqrt(names.length);
  const start = Number(counted[0]);
  if (Number.isInteger(side) && side >= SMALLEST && counted.every((text, i) => Number(text) === start + i)) {
    return [side, side, 1];
  }
  const places = names.map((name) => /^(?:pixel[_ ]?)?(\d+)[x_](\d+)$/i.exec(name)?.slice(1).map(Number));
  const [first, last] = [places[0], places.at(-1)];
  if (!first || !last) return undefined;
  const [height, width] = [last[0] - first[0] + 1, last[1] - first[1] + 1];
  if (Math.min(height, width) < SMALLEST || height * width !== names.length) return undefined;
  const inOrder = places.every((place, i) =>
    place && place[0] === first[0] + Math.floor(i / width) && place[1] === first[1] + i % width
  );
  return inOrder ? [height, width, 1] : undefined;
}
