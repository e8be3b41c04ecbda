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
import { isLong, panelChunks, panelProduct } from "./tiles/panel.ts";
import type { Product, Shape, SplitProduct } from "./tiles/product.ts";
import { workgroupChunks, workgroupProduct } from "./tiles/workgroup.ts";
import layout from "../shaders/layout.wgsl" with { type: "text" };
import panelPartial from "../shaders/tiles/panel_partial.wgsl" with { type: "text" };
import sumSlices from "../shaders/tiles/sum_slices.wgsl" with { type: "text" };

export type { Product, ProductKind, SplitProduct } from "./tiles/product.ts";

/** The tile families: registers and subgroups (CPU adapters), workgroup memory (GPUs, and any other adapter). */
export const TILE_FAMILIES = ["panel", "workgroup"] as const;
/** A tile family's name. */
export type TileFamily = typeof TILE_FAMILIES[number];

/** The tiles in use. */
export interface Tiles {
  readonly family: TileFamily;
  /** Batches are stored with a multiple of this many rows. */
  readonly rowMultiple: number;
  /** Invocations of a subgroup, for the panel family. */
  readonly lanes: number;
  /** The fewest columns of a row over which a kernel's `row_sum` adds: a partial sum of a row is kept for each so many. */
  readonly summed: number;
  /**
   * Whether dispatches become one where they can, for the workgroup family. On a GPU each that waits for another costs what a small product does; on a CPU adapter
   * it costs next to nothing, and a kernel takes a driver there as long to compile as the square of its length.
   */
  readonly fuses: boolean;
}

/**
 * The tiles that suit an adapter, or the family asked for.
 *
 * @throws {RangeError} If the family asked for cannot run there.
 */
export function chooseTiles(gpu: Gpu, family: TileFamily | "auto" = "auto"): Tiles {
  // The panel kernels need to know how many lanes the driver gives a subgroup, and that they divide a panel.
  const panels = [4, 8, 16].includes(gpu.lanes);
  if (family === "panel" && !panels) {
    throw new RangeError(
      `Cannot use tiles "panel" on ${gpu.adapter}: expected known subgroups of 4, 8 or 16 lanes, found ${
        gpu.lanes || "none"
      }`,
    );
  }
  return family === "panel" || (family === "auto" && gpu.cpu && panels)
    ? { family: "panel", rowMultiple: 8, lanes: gpu.lanes, summed: Math.min(4 * gpu.lanes, 32), fuses: false }
    : { family: "workgroup", rowMultiple: 32, lanes: 0, summed: 32, fuses: !gpu.cpu };
}

/** The dispatch of a product. `scratch(floats)` gives a buffer for partial sums. */
export function product(tiles: Tiles, p: Product, scratch: (floats: number) => GPUBuffer): Dispatch {
  const dispatch = (shape: Shape): Dispatch => ({
    label: p.label,
    macs: p.macs,
    workgroups: shape.workgroups,
    fragments: [{ parts: [layout] }, p.a, p.b, p.epilogue, shape],
  });
  if (tiles.family === "workgroup") return dispatch(workgroupProduct(p));
  const long = dispatch(panelProduct(tiles, p, scratch));
  return isLong(p) ? { ...long, quick: dispatch(panelProduct(tiles, p, scratch, false)) } : long;
}

/** The two dispatches of a weight gradient that is summed in chunks. */
export function splitProduct(
  tiles: Tiles,
  p: SplitProduct,
  scratch: (floats: number) => GPUBuffer,
): readonly [product: Dispatch, sum: Dispatch] {
  const { phases = 1, rows, columns } = p;
  const split = tiles.family === "panel" ? panelChunks(tiles, p) : workgroupChunks(p);
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
