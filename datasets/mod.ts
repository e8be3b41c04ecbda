/**
 * The list of datasets. A dataset is one file beside this one, and one line here.
 *
 * @module
 */

import type { DatasetSource } from "../core/dataset.ts";
import { cifar10 } from "./cifar10.ts";
import { fashionMnist } from "./fashion_mnist.ts";
import { freyFaces } from "./frey_faces.ts";
import { mnist } from "./mnist.ts";
import { sprites } from "./sprites.ts";

/** Every dataset that can be named, by name. Those that are read from files are loaded with `findDataset` of `@elbo/elbo/files`. */
export const datasets: ReadonlyMap<string, DatasetSource> = new Map(
  [mnist, fashionMnist, cifar10, freyFaces, sprites].map((source) => [source.name, source]),
);
