/**
 * How data lie in files: which array is which by its name, which axis counts the rows, labels as one-hot rows, a column that only counts
 * the rows, the names of parts and of labels. It recognizes; it opens no file and knows no format.
 *
 * @module
 */

import { features, type Reading, typeOf, valuePieces, withBesides, withValues } from "../core/dataset.ts";
import type { RowArray } from "../core/row_reader.ts";
import { FileError } from "../core/bounds.ts";
import type { NumericArray, Rows } from "./rows.ts";

/** Names of the column or array that holds the classes, the first of them that is there. */
export const LABEL_NAMES = ["label", "labels", "class", "classes", "target", "targets", "y", "species"] as const;

/** Names of the array with the data. */
export const DATA_NAMES = ["x", "data", "images"] as const;

/** Names of the array with the covariates. */
export const COVARIATE_NAMES = ["c", "covariates"] as const;

/** Names of the array of texts that say what columns, rows or classes are called; which of them, its length tells where a name may be of several. */
export const NAME_ARRAYS = {
  columns: ["feature_names", "features", "columns", "column_names", "colnames", "variable_names", "names"],
  rowNames: ["ids", "id", "row_names", "rownames", "index", "filenames", "files", "names"],
  classNames: ["target_names", "class_names", "label_names", "classnames", "labelnames"],
} as const;

/** What the parts of a dataset are called: as a folder, or before or after the name of an array. */
const PARTS = {
  train: ["train", "training", "tr"],
  validation: ["val", "valid", "validation", "dev"],
  test: ["test", "testing", "te"],
} as const;

/** A part of a dataset. */
export type Part = keyof typeof PARTS;

/** The part that a folder is named after: `Train`, `testing`. Two letters are as well those of a language. */
export function partNamed(name: string): Part | undefined {
  const lower = name.toLowerCase();
  if (lower.length < 3) return undefined;
  return (Object.keys(PARTS) as Part[]).find((part) => (PARTS[part] as readonly string[]).includes(lower));
}

/** What an array is. */
export interface ArrayRole {
  readonly of: "data" | "labels" | "covariates";
  readonly part?: Part;
}

const roles = new Map<string, ArrayRole>();
for (const [of, names] of [["data", DATA_NAMES], ["labels", LABEL_NAMES], ["covariates", COVARIATE_NAMES]] as const) {
  for (const name of names) {
    roles.set(name, { of });
    for (const part of Object.keys(PARTS) as Part[]) {
      for (const word of PARTS[part]) {
        for (const dash of ["_", "-", ".", ""]) {
          for (const joined of [name + dash + word, word + dash + name]) roles.set(joined, { of, part });
        }
      }
    }
  }
}

// dSprites' own.
roles.set("imgs", { of: "data" });

/** What an array is by its name, whatever the case: alone, or with that of a part before or after it (`x_train`, `testdata`). */
export function arrayNamed(name: string): ArrayRole | undefined {
  return roles.get(name.toLowerCase());
}

/** The column that holds the classes, by its name, whatever the case; -1 where there is none. Beside `x`, `y` is a coordinate. */
export function labelColumn(names: readonly string[]): number {
  const lower = names.map((name) => name.trim().toLowerCase());
  const known = LABEL_NAMES.filter((name) => name !== "y" || !lower.includes("x"));
  return known.map((name) => lower.indexOf(name)).find((column) => column >= 0) ?? -1;
}

/** Where rows are, and what there is to say of it. */
export interface Axis {
  /** The axis that counts the rows: the first or the last. */
  readonly axis: number;
  readonly remark?: string;
}

/**
 * The axis that counts the rows. As many labels as an axis is long decide; without labels, of three axes two of which are equal the
 * third does, being the sides of square images.
 *
 * @param labels How many there are.
 * @param last Whether the order that the file's format is used in has rows last, as MATLAB's images [H, W, N].
 * @throws {FileError} If the shape can be read in either way.
 */
export function rowAxis(
  shape: readonly number[],
  file: string,
  { labels, last = false }: { readonly labels?: number; readonly last?: boolean },
): Axis {
  const end = shape.length - 1;
  const usual = last && shape.length > 2 ? end : 0;
  const other = end - usual;
  const text = `[${shape.join(", ")}]`;
  const turned = (why: string): Axis => ({ axis: other, remark: `${text} ${why}` });
  if (end < 1 || labels === shape[usual]) return { axis: usual };
  if (labels !== undefined) {
    if (labels !== shape[other]) return { axis: usual };
    return turned(`counts its rows ${other === 0 ? "first" : "last"}, as its labels say`);
  }
  if (shape.length === 3) {
    const [size, side] = [shape[other], shape[usual]];
    // Of [400, 64, 64] and [64, 64, 400] the images are square.
    if (side === shape[1] && size !== side && (last || size > side)) {
      return turned(`read as ${size} images of ${side} x ${side}`);
    }
    if (last && size !== shape[1] && size > side) {
      throw new FileError(
        file,
        `expected images whose rows can be told, found ${text}: ${side} images of ${size} x ${
          shape[1]
        }, or ${size} of ` +
          `${shape[1]} x ${side}; put one label for each image beside them, or save them as .npy [N, H, W]`,
      );
    }
  }
  const isChannels = (size: number) => size === 1 || size === 3;
  // MATLAB's [H, W, C, N] has channels third; [N, H, W, C] and [N, C, H, W] come from NumPy.
  if (shape.length === 4 && last && !isChannels(shape[2]) && (isChannels(shape[3]) || isChannels(shape[1]))) {
    return turned(`read as ${shape[0]} images`);
  }
  return { axis: usual };
}

/**
 * Labels of one-hot rows [N, K], or columns [K, N], as [N]; other arrays as they are.
 *
 * @param count N
 */
export function withoutOneHot(labels: NumericArray, count: number): NumericArray {
  const { shape, values } = labels;
  if (shape.length !== 2 || Math.min(...shape) < 2 || !shape.includes(count)) return labels;
  const inRows = shape[0] === count;
  const classes = shape[inRows ? 1 : 0];
  const found = new Float32Array(count).fill(-1);
  const one = values instanceof Uint8Array && values.includes(255) ? 255 : 1;
  for (let row = 0; row < count; row++) {
    for (let k = 0; k < classes; k++) {
      const value = values[inRows ? row * classes + k : k * count + row];
      if (value === 0) continue;
      if (value !== one || found[row] >= 0) return labels;
      found[row] = k;
    }
    if (found[row] < 0) return labels;
  }
  return { shape: [count], values: found };
}

/** What the names of columns look like that number the rows. */
const INDEX = /^(|#|index|idx|id|.*[_ ]id|rowid|row|rownames|no\.?|nr\.?|number|unnamed:? ?\d*|level_0)$/i;

/** Rows from which on a column without a name is taken for one that counts them. */
const ENOUGH = 10;

/**
 * A table without the column that only counts its rows, 0, 1, 2, ... or 1, 2, 3, ...: it is no number of a datum. One whose name says
 * something else stays, and that is said.
 *
 * @param besides Other rows of the same columns, such as test rows, that lose the same.
 */
export function withoutIndex(rows: Rows, besides: readonly Rows[] = []): readonly Rows[] {
  const all = [rows, ...besides];
  const { shape, count, columns } = rows;
  const width = features(shape);
  if (shape[0] !== 1 || shape[2] !== 1 || width < 2 || count < 3) return all;
  const counting = countingColumns(rows, width);
  const isIndex = (column: number) => columns ? INDEX.test(columns[column].trim()) : count >= ENOUGH;
  const nameOf = (column: number) => columns?.[column] || `column ${column + 1}`;
  const [dropped] = counting.filter(isIndex);
  const kept = counting.filter((column) => column !== dropped && columns);
  const reading: Reading = {
    ...rows.reading,
    ...(dropped === undefined ? {} : {
      passedOver: [...rows.reading?.passedOver ?? [], { name: nameOf(dropped), why: "it counts the rows" }],
    }),
    ...(kept.length
      ? {
        remarks: [
          ...rows.reading?.remarks ?? [],
          ...kept.map((column) =>
            `the column ${nameOf(column)} counts the rows: drop it if it is only a number of them`
          ),
        ],
      }
      : {}),
  };
  const [own, ...others] = dropped === undefined ? all : all.map((each) => withoutColumn(each, dropped));
  return [counting.length ? withBesides(own, { reading }) : own, ...others];
}

/** The columns that hold 0, 1, 2, ... or 1, 2, 3, ... */
function countingColumns(rows: Rows, width: number): number[] {
  let left = Array.from({ length: width }, (_, column) => column);
  let first: RowArray | undefined;
  let seen = 0;
  for (const values of valuePieces(rows)) {
    const start = first ??= values.slice(0, width);
    const some = values.length / width;
    left = left.filter((column) => {
      if (start[column] !== 0 && start[column] !== 1) return false;
      for (let row = 0; row < some; row++) {
        if (values[row * width + column] !== start[column] + seen + row) return false;
      }
      return true;
    });
    if (!left.length) break;
    seen += some;
  }
  return left;
}

function withoutColumn(rows: Rows, column: number): Rows {
  const width = features(rows.shape);
  const apply = (from: RowArray, to: RowArray) => {
    let place = 0;
    for (let i = 0; i < from.length; i++) if (i % width !== column) to[place++] = from[i];
  };
  return withBesides(withValues(rows, { type: typeOf(rows), columns: width - 1, apply }), {
    shape: [1, width - 1, 1],
    ...(rows.missing ? { missing: rows.missing.filter((_, i) => i % width !== column) } : {}),
    ...(rows.columns ? { columns: rows.columns.filter((_, i) => i !== column) } : {}),
  });
}
