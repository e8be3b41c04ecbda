/**
 * The Frey faces: a MATLAB file that the user has. No registry serves it and its licence is not stated, so nothing is
 * fetched.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import type { Dataset, DatasetSource, LoadOptions } from "../core/dataset.ts";
import { requireReader } from "./known_files.ts";
import { parseMat } from "./mat.ts";
import { divide } from "./rows.ts";

const FILE = "frey_rawface.mat";
const COUNT = 1965;
const HEIGHT = 28;
const WIDTH = 20;

/**
 * The Frey faces, 1,965 grey images of 28 x 20: frames of a film of Brendan Frey's face. No licence is stated.
 *
 * In a program, `findDataset("frey_faces")` of `@elbo/elbo/files` finds the file `frey_rawface.mat`: in `options.folder`, else in
 * `$ELBO_DATA/frey_faces`. Elsewhere `options.read` gives it. A sixth of the rows, mixed by `options.seed`, are the test rows. `load()`
 * throws an `Error` that says where to put the file when it is not there, and one that names it when it holds something else.
 */
export const freyFaces: DatasetSource = {
  name: "frey_faces",
  summary: "frames of a film of a face, 1,965 grey images of 28 x 20",
  source: `Roweis and Saul, https://cs.nyu.edu/~roweis/data.html; ${FILE} in $ELBO_DATA/frey_faces (not fetched)`,
  files: {
    names: [FILE],
    missing: (path = FILE) =>
      new Error(
        `Cannot load the Frey faces: expected ${path}; get ${FILE} from https://cs.nyu.edu/~roweis/data.html, put it ` +
          'into a folder "frey_faces" and set ELBO_DATA to the folder above it',
      ),
  },
  load,
};

async function load({ read, seed = 0, undivided, signal }: LoadOptions = {}): Promise<Dataset> {
  signal?.throwIfAborted();
  const { bytes, path } = await requireReader(freyFaces.name, read)(FILE);
  const faces = parseMat(bytes, path).values()
    .find(({ shape }) => shape.length === 2 && shape[0] === HEIGHT * WIDTH && shape[1] === COUNT)?.read();
  if (!(faces?.values instanceof Uint8Array)) {
    throw new FileError(path, `expected bytes [${HEIGHT * WIDTH}, ${COUNT}], found no such matrix`);
  }
  // A column of the matrix is an image, row by row; the file holds one column after the other.
  const rows = { shape: [HEIGHT, WIDTH, 1] as const, count: COUNT, values: faces.values };
  const parts = undivided ? { train: rows, test: rows } : divide(rows, seed, path);
  return { name: freyFaces.name, shape: rows.shape, seed, ...parts };
}
