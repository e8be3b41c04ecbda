/**
 * The tile variants of the matrix kernels, and which one suits an adapter. All heavy work is one of three products,
 *
 *     forward          Y  = X W + b     X [M, K], W [K, N]
 *     input gradient   dX = dY Wᵀ
 *     weight gradient  dW = Xᵀ dY, db = the column sums of dY
 *
 * and each is one tile + a loader for each operand + an epilogue. The operands stay in the layout of the forward product.
 *
 * @module
 */

import type { Gpu } from "./device.ts";
import { type Dispatch, type Fragment, read, write } from "./kernel.ts";
import { panelChunks, panelProduct } from "./tiles/panel.ts";
import type { Product, SplitProduct } from "./tiles/product.ts";
import {
  type TunedTiles,
  WORKGROUP_TILES,
  workgroupChunks,
  workgroupProduct,
  type WorkgroupTile,
} from "./tiles/workgroup.ts";
import layout from "../shaders/layout.wgsl" with { type: "text" };
import panelPartial from "../shaders/tiles/panel_partial.wgsl" with { type: "text" };
import sumSlices from "../shaders/tiles/sum_slices.wgsl" with { type: "text" };

export { type Product, type ProductKind, type ProductShape, shapeName, type SplitProduct } from "./tiles/product.ts";
export {
  candidates,
  productShape,
  readTuned,
  splitShape,
  type TunedTiles,
  WORKGROUP_TILES,
  WORKGROUP_TILES_VERSION,
  type WorkgroupTile,
} from "./tiles/workgroup.ts";

/** The tile families: registers and subgroups (CPU adapters), workgroup memory (GPUs, and any other adapter). */
export const TILE_FAMILIES = ["panel", "workgroup"] as const;
/** A tile family's name. */
export type TileFamily = typeof TILE_FAMILIES[number];

/** What may be asked for: what suits the adapter, a family, or one tile of the workgroup family for every product. */
export const TILE_CHOICES = ["auto", ...TILE_FAMILIES, ...WORKGROUP_TILES] as const;
/** One of {@linkcode TILE_CHOICES}. */
export type TileChoice = typeof TILE_CHOICES[number];

/** The tiles in use. */
export interface Tiles {
  readonly family: TileFamily;
  /** Batches are stored with a multiple of this many rows. */
  readonly rowMultiple: number;
  /** Invocations of a subgroup, for the panel family. */
  readonly lanes: number;
  /** Columns of a row over which its kernels' `row_sum` adds; partial sums over rows are kept for each so many. */
  readonly summed: number;
  /** The one tile of every product, for the workgroup family. */
  readonly pinned?: WorkgroupTile;
  /** Tiles of products by their shapes, for the workgroup family. */
  readonly tuned: TunedTiles;
}

/** What tiles are in use, in a word: the family, or the one tile. */
export function tilesName({ family, pinned }: Tiles): string {
  return pinned ?? family;
}

/**
 * The tiles that suit an adapter, or those asked for.
 *
 * @param tuned What was chosen for products by measuring; the workgroup family takes a rule for all others.
 * @throws {RangeError} If the family asked for cannot run there.
 */
export function chooseTiles(gpu: Gpu, choice: TileChoice = "auto", tuned: TunedTiles = {}): Tiles {
  // The panel kernels need to know how many lanes the driver gives a subgroup, and that they divide a panel.
  const panels = gpu.lanes === 4 || gpu.lanes === 8;
  if (choice === "panel" && !panels) {
    throw new RangeError(
      `Cannot use tiles "panel" on ${gpu.adapter}: expected known subgroups of 4 or 8 lanes, found ${
        gpu.lanes || "none"
      }`,
    );
  }
  // Not measured: panels are several times as fast where they run, and each kernel more takes seconds to compile there.
  if (choice === "panel" || (choice === "auto" && gpu.cpu && panels)) {
    return { family: "panel", rowMultiple: 8, lanes: gpu.lanes, summed: 4 * gpu.lanes, tuned: {} };
  }
  const pinned = WORKGROUP_TILES.find((tile) => tile === choice);
  return { family: "workgroup", rowMultiple: 32, lanes: 0, summed: 32, pinned, tuned };
}

/** The dispatch of a product. `scratch(floats)` gives a buffer for partial sums. */
export function product(tiles: Tiles, p: Product, scratch: (floats: number) => GPUBuffer): Dispatch {
  const shape = tiles.family === "panel" ? panelProduct(tiles, p, scratch) : workgroupProduct(tiles, p);
  return {
    label: p.label,
    macs: p.macs,
    workgroups: shape.workgroups,
    fragments: [{ parts: [layout] }, p.a, p.b, p.epilogue, shape],
  };
}

/** The two dispatches of a weight gradient that is summed in chunks. */
export function splitProduct(
  tiles: Tiles,
  p: SplitProduct,
  scratch: (floats: number) => GPUBuffer,
): readonly [product: Dispatch, sum: Dispatch] {
  const { phases = 1, rows, columns } = p;
  const split = tiles.family === "panel" ? panelChunks(tiles, p) : workgroupChunks(tiles, p);
  const slices = phases * split.chunks;
  const partial: Fragment = {
    parts: [],
    constants: { ROWS_partial: slices * (rows + 1), ROWS_slice: rows + 1, CHUNKS: split.chunks },
    buffers: { partial: write(scratch(slices * (rows + 1) * columns), "array<vec4f>") },
  };
  return [{
    label: p.label,
    macs: p.macs,
    workgroups: [split.workgroups[0], split.workgroups[1] * slices],
    fragments: [{ parts: [layout, panelPartial] }, partial, p.a, p.b, split],
  }, {
    label: `${p.label}, sum`,
    workgroups: [(p.summedColumns ?? columns) / 32, Math.ceil(p.summedRows / 8)],
    fragments: [
      { parts: [layout, p.sum ?? sumSlices], constants: { ROWS_sum: p.summedRows, SLICES: slices } },
      { ...partial, buffers: { partial: read(partial.buffers!.partial.buffer, "array<vec4f>") } },
      p.slices,
      p.epilogue,
    ],
  }];
}
