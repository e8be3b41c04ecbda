/**
 * What a model that fits itself says of a fit, and is given for one.
 *
 * @module
 */

import type { DataShape, Split } from "../dataset.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Ranks } from "../graph/ranks.ts";
import type { Losses } from "./events.ts";
import type { Binarization, Resident } from "../ops/gather.ts";
import type { Parameters } from "../graph/parameters.ts";
import type { Tiles } from "../products/tiles.ts";
import type { ValueSummary } from "../values.ts";

/** A fit under way. */
export interface Fit {
  /**
   * Improves the parameters once. It yields which fraction of its work is done, and returns the losses over all rows at the parameters
   * that it leaves. It may be left at any yield: the parameters are then put back. What it needs of the iteration before must follow
   * from the parameters and the data, so that a resumed fit gives the same bytes.
   */
  iterate(): AsyncGenerator<number, Losses>;
  /** Frees what it holds on the GPU; the parameters stay. */
  destroy(): void;
}

/** What a fit is given. */
export interface FitContext {
  /** Where it runs. */
  readonly gpu: Gpu;
  /** Tiles of matrix products. */
  readonly tiles: Tiles;
  /** What is fitted. */
  readonly parameters: Parameters;
  /** The shape of the data, and what its values are. */
  readonly data: DataShape & { readonly range?: ValueSummary };
  /** How values become data. */
  readonly binarize: Binarization;
  /** Rows of a step. */
  readonly batchSize: number;
  /** The seed of the training. */
  readonly seed: number;
  /** The rows on the host. */
  readonly split: Split;
  /** The rows on the GPU. */
  readonly source: Resident;
  /** Whether the parameters hold the values of a checkpoint; else it is for the fit to choose where to start. */
  readonly resumed: boolean;
  /** Processes that fit it together: sweeps go over a part of the rows in each, and give every one the sums of all. */
  readonly ranks?: Ranks;
}
