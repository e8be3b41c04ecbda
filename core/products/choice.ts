/**
 * Which tiles there are, and which are in use: the names alone.
 *
 * @module
 */

/** The tile families: registers and subgroups (CPU adapters), workgroup memory (GPUs, and any other adapter). */
export const TILE_FAMILIES = ["panel", "workgroup"] as const;
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

/** The tiles in use. */
export interface Tiles {
  readonly family: TileFamily;
  /** Batches are stored with a multiple of this many rows. */
  readonly rowMultiple: number;
  /** Invocations of a subgroup, for the panel family. */
  readonly lanes: number;
  /** The fewest columns of a row over which a kernel's `row_sum` adds: a partial sum of a row is kept for each so many. */
  readonly summed: number;
  /** The one tile of every product, for the workgroup family. */
  readonly pinned?: WorkgroupTile;
  /** Tiles of products by their shapes, for the workgroup family. */
  readonly tuned: TunedTiles;
  /**
   * Whether dispatches become one where they can, for the workgroup family. On a GPU each that waits for another costs what a small product
   * does; on a CPU adapter it costs next to nothing, and a kernel takes a driver there as long to compile as the square of its length.
   */
  readonly fuses: boolean;
}
