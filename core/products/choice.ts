/**
 * Which tiles there are, and which are in use.
 *
 * @module
 */

import { OWN_FAMILIES, type OwnFamily } from "../gpu/strategies.ts";
import type { Kernels } from "../gpu/strategy.ts";

/** The tile families: those that adapters have of their own, and workgroup memory (GPUs, and any other adapter). */
export const TILE_FAMILIES = [...Object.keys(OWN_FAMILIES) as OwnFamily[], "workgroup"] as const;
/** A tile family's name. */
export type TileFamily = typeof TILE_FAMILIES[number];

/** The tiles by their names, rows x columns of the result that a workgroup forms; from the smallest to the largest. */
export const WORKGROUP_TILES = ["workgroup-16x32", "workgroup-32x32", "workgroup-64x64"] as const;
/** A workgroup tile's name. */
export type WorkgroupTile = typeof WORKGROUP_TILES[number];

/** Changes with what the tiles are: choices among those of another version say nothing about these. */
export const WORKGROUP_TILES_VERSION = 2;

/** The tile of each product that is not left to the rule, by the name of its shape. */
export type TunedTiles = Readonly<Record<string, WorkgroupTile>>;

/** The same value as choices of tiles, or undefined where it is none: from a file, say. */
export function readTuned(value: unknown): TunedTiles | undefined {
  return typeof value === "object" && value !== null &&
      Object.values(value).every((choice) => WORKGROUP_TILES.includes(choice))
    ? value as TunedTiles
    : undefined;
}

/** The tiles in use, and how kernels beside them are written. */
export interface Tiles extends Kernels<TileFamily> {
  /** The one tile of every product, for the workgroup family. */
  readonly pinned?: WorkgroupTile;
  /** Tiles of products by their shapes, for the workgroup family. */
  readonly tuned: TunedTiles;
  /** Whether dispatches become one where they can, for the workgroup family. */
  readonly fuses: boolean;
}
