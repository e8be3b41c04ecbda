/**
 * A dataset of three classes, small enough for gradients by differences.
 *
 * @module
 */

import type { Dataset, Split } from "../../core/dataset.ts";
import { uniforms } from "../../core/graph/random.ts";

const noise = uniforms(new Float32Array(120 * 16), 5, 0, 0);
const values = Uint8Array.from(noise, (u, i) => ((i >> 4) % 3 === i % 3 ? 200 : 0) + 55 * u);

/** 120 rows of 4 x 4 grey pixels of three classes. */
export const rows: Split = { values, count: 120, labels: Uint8Array.from({ length: 120 }, (_, i) => i % 3) };
/** They, to train and to test on. */
export const stripes: Dataset = { name: "stripes", shape: [4, 4, 1], classes: 3, train: rows, test: rows };
