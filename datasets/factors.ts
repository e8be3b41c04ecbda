/**
 * Known factors in files of arrays: `c_NAME` arrays, and the layouts that dSprites, 3D Shapes and SmallNORB have. It recognizes them by the
 * names and shapes of arrays and turns them into covariates; it opens no file and knows no format.
 *
 * @module
 */

import { FileError, requireMemory } from "../core/bounds.ts";
import { arrayNamed } from "./layout.ts";
import type { NumericArray, StoredArray } from "./rows.ts";

/** Arrays with their factors as one array of covariates. */
export interface WithFactors {
  readonly arrays: ReadonlyMap<string, StoredArray>;
  /** What the covariates are called, where that is known. */
  readonly names?: readonly string[];
  /** The arrays that they, and the labels, are from. */
  readonly sources: ReadonlySet<string>;
}

/** The columns of dSprites' `latents_classes` [N, 6], beside `imgs` [N, 64, 64]. */
const DSPRITES = ["color", "shape", "scale", "orientation", "x", "y"];

/** The columns of 3D Shapes' `labels` [N, 6], beside `images` [N, 64, 64, 3]. */
const SHAPES_3D = ["floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"];

/** Arrays of SmallNORB, of [N] each, and what TensorFlow Datasets puts before most of their names. The first is the class. */
const NORB = ["category", "instance", "elevation", "azimuth", "lighting"];
const NORB_PREFIX = "label_";

/** What names begin with that are of one factor each, as in columns of tables. */
const PREFIX = "c_";

/** The column of an array [N, C]. */
function columnOf(array: StoredArray, column: number): StoredArray {
  const [count, width] = array.shape;
  const read = (): NumericArray => {
    const { values } = array.read();
    return { shape: [count], values: Float32Array.from({ length: count }, (_, n) => values[n * width + column]) };
  };
  return { shape: [count], read };
}

/**
 * Arrays of [N] side by side, [N, C].
 *
 * @throws {FileError} If they are of different lengths; when they are read, if there is no room for them.
 */
function sideBySide(arrays: ReadonlyMap<string, StoredArray>, names: readonly string[], path: string): StoredArray {
  const length = (name: string) => arrays.get(name)!.shape.reduce((product, size) => product * size, 1);
  const count = length(names[0]);
  const other = names.find((name) => length(name) !== count);
  if (other !== undefined) {
    throw new FileError(path, `expected ${count} numbers in "${other}", as in "${names[0]}", found ${length(other)}`);
  }
  const read = (): NumericArray => {
    requireMemory(4 * count * names.length, path, "factors");
    const values = new Float32Array(count * names.length);
    names.forEach((name, c) => {
      const column = arrays.get(name)!.read().values;
      for (let n = 0; n < count; n++) values[n * names.length + c] = column[n];
    });
    return { shape: [count, names.length], values };
  };
  return { shape: [count, names.length], read };
}

/**
 * The arrays with known factors, if there are any, as an array of covariates `c`, and with the labels that a known layout has.
 *
 * @param path The file, for messages.
 * @param inRows Whether rows are counted by the first axis, as NumPy and HDF5 have them.
 * @throws {FileError} If arrays of one factor each are of different lengths.
 */
export function withFactors(arrays: ReadonlyMap<string, StoredArray>, path: string, inRows: boolean): WithFactors {
  const none = { arrays, sources: new Set<string>() };
  const [...names] = arrays.keys();
  if (!inRows || names.some((name) => arrayNamed(name)?.of === "covariates")) return none;
  const replaced = (
    taken: readonly string[],
    factors: readonly string[],
    covariates: StoredArray,
    labels?: StoredArray,
  ): WithFactors => {
    const rest = [...arrays].filter(([name]) => !taken.includes(name));
    const added: [string, StoredArray][] = [
      ["c", covariates],
      ...labels ? [["y", labels] as [string, StoredArray]] : [],
    ];
    return { arrays: new Map([...rest, ...added]), names: factors, sources: new Set(taken) };
  };
  const isTable = (name: string, width: number) => {
    const array = arrays.get(name);
    return array && !array.holds && array.shape.length === 2 && array.shape[1] === width ? array : undefined;
  };
  const dsprites = arrays.has("imgs") ? isTable("latents_classes", DSPRITES.length) : undefined;
  if (dsprites) {
    return replaced(["latents_classes"], DSPRITES, dsprites, columnOf(dsprites, DSPRITES.indexOf("shape")));
  }
  const images = arrays.get("images")?.shape.slice(1).join();
  const shapes = images === "64,64,3" ? isTable("labels", SHAPES_3D.length) : undefined;
  if (shapes) return replaced(["labels"], SHAPES_3D, shapes, columnOf(shapes, SHAPES_3D.indexOf("shape")));
  const isColumn = (name: string) => {
    const array = arrays.get(name);
    return array !== undefined && !array.holds && array.shape.filter((size) => size > 1).length === 1;
  };
  const norb = NORB.map((name) => [name, NORB_PREFIX + name].find(isColumn));
  if (norb.every((name) => name !== undefined)) {
    return replaced(norb, NORB, sideBySide(arrays, norb, path), arrays.get(norb[0]));
  }
  const own = names.filter((name) =>
    name.toLowerCase().startsWith(PREFIX) && name.length > PREFIX.length && isColumn(name) && !arrayNamed(name)
  );
  if (own.length === 0) return none;
  return replaced(own, own, sideBySide(arrays, own, path));
}
