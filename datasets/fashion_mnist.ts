/**
 * Fashion-MNIST: where its four files come from. No npm package holds the original (`fashion-mnist` mixes train and
 * test), so nothing is fetched: a Debian package or a folder gives the files.
 *
 * @module
 */

import type { DatasetSource } from "../core/dataset.ts";
import { noSuchFile } from "./known_files.ts";
import { loadMnistFiles, MNIST_FILES, type MnistSums } from "./mnist_files.ts";

/** What the Debian (and Ubuntu) package is called, and where it puts the files. */
const PACKAGE = "dataset-fashion-mnist";
const PACKAGE_FOLDER = "/usr/share/datasets/fashion-mnist";

/** Of the unpacked files whose MD5 sums are f4a8712d..., 9018921c..., 8181f547..., 15d48437... */
const SUMS: MnistSums = {
  "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
  "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
  "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
  "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
};

/**
 * Fashion-MNIST, 60,000 + 10,000 grey images of 28 x 28 in ten classes: T-shirt, trouser, pullover, dress, coat,
 * sandal, shirt, sneaker, bag, ankle boot. MIT licence, Zalando SE.
 *
 * In a program, `findDataset("fashion_mnist")` of `@elbo/elbo/files` finds the files: in `options.folder`; else in
 * `$ELBO_DATA/fashion_mnist`; else where the Debian package `dataset-fashion-mnist` puts them; packed (`.gz`) or not. Elsewhere
 * `options.read` gives them. Their SHA-256 is verified each time. `load()` throws an `Error` that names the file when one is
 * missing, broken or not the original, and one that says how to get them when there are none.
 */
export const fashionMnist: DatasetSource = {
  name: "fashion_mnist",
  summary: "photographs of clothes, 60,000 + 10,000 grey images of 28 x 28 in 10 classes",
  source: `Xiao, Rasul, Vollgraf, "Fashion-MNIST" (arXiv:1708.07747, 2017); Debian package ${PACKAGE}, ` +
    "or $ELBO_DATA/fashion_mnist",
  files: {
    names: MNIST_FILES,
    installed: PACKAGE_FOLDER,
    missing: (path) => path === undefined ? new Error(NOT_THERE) : noSuchFile(path, MNIST_FILES),
  },
  load: async (options) => await loadMnistFiles(fashionMnist.name, SUMS, options),
};

const NOT_THERE =
  `Cannot load Fashion-MNIST: install the Debian package ${PACKAGE} (apt-get install ${PACKAGE}), or put ` +
  `${MNIST_FILES.join(", ")} (or each with .gz) into a folder "fashion_mnist" and set ELBO_DATA to the folder above it`;
