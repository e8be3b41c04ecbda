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

import type { Gpu } from "../gpu/device.ts";
import { type Dispatch, type Fragment, read, write } from "../gpu/kernel.ts";
import type { Product, Shape, SplitProduct } from "../gpu/product.ts";
import { OWN_FAMILIES, type OwnFamily } from "../gpu/strategies.ts";
import { PANEL } from "../gpu/tensor.ts";
import { TILE_FAMILIES, type Tiles, type TunedTiles, WORKGROUP_TILES } from "./choice.ts";
import { inChunks, workgroupChunks, workgroupKernels, workgroupProduct } from "./workgroup.ts";
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import mapTile from "../../shaders/tiles/map.wgsl" with { type: "text" };
import partial from "../../shaders/tiles/partial.wgsl" with { type: "text" };
import rowSum from "../../shaders/tiles/row_sum.wgsl" with { type: "text" };
import slicesRows from "../../shaders/tiles/slices_rows.wgsl" with { type: "text" };
import sumSlices from "../../shaders/tiles/sum_slices.wgsl" with { type: "text" };

export { type Product, type ProductKind, type ProductShape, shapeName, type SplitProduct } from "../gpu/product.ts";
export {
  readTuned,
  TILE_FAMILIES,
  type TileFamily,
  type Tiles,
  type TunedTiles,
  WORKGROUP_TILES,
  WORKGROUP_TILES_VERSION,
  type WorkgroupTile,
} from "./choice.ts";
export { candidates, productShape, splitShape } from "./workgroup.ts";

/** What may be asked for: what suits the adapter, a family, or one tile of the workgroup family for every product. */
export const TILE_CHOICES = ["auto", ...TILE_FAMILIES, ...WORKGROUP_TILES] as const;
/** One of {@linkcode TILE_CHOICES}. */
export type TileChoice = typeof TILE_CHOICES[number];

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
  const { kernels, fuses } = gpu.strategy;
  // Not measured: where an adapter has kernels of its own they are several times as fast, and each that is tried takes seconds to compile.
  if (kernels && (choice === "auto" || choice === kernels.family)) return { ...kernels, tuned: {}, fuses: false };
  if (choice in OWN_FAMILIES) {
    const needs = OWN_FAMILIES[choice as OwnFamily];
    throw new RangeError(`Cannot use tiles "${choice}" on ${gpu.adapter}: expected ${needs}, found none`);
  }
  const pinned = WORKGROUP_TILES.find((tile) => tile === choice);
  return { ...workgroupKernels, pinned, tuned, fuses };
}

/** The dispatches of a product, one or two. `scratch(floats)` gives a buffer for partial sums. */
export function product(tiles: Tiles, p: Product, scratch: (floats: number) => GPUBuffer): readonly Dispatch[] {
  const dispatch = (shape: Shape): Dispatch => ({
    label: p.label,
    macs: p.macs,
    workgroups: shape.workgroups,
    fragments: [{ parts: [layout] }, p.a, p.b, p.epilogue, shape],
    ...p.bytes === undefined ? {} : { bytes: p.bytes },
  });
  if (tiles.products) {
    const { shape, starter } = tiles.products.product(p, scratch);
    if (!starter) return [dispatch(shape)];
    const { fragments, workgroups } = dispatch(starter);
    return [{ ...dispatch(shape), starter: { fragments, workgroups } }];
  }
  if (!inChunks(p)) return [dispatch(workgroupProduct(tiles, p))];
  return splitProduct(tiles, { ...p, slices: { parts: [slicesRows] }, summedRows: p.rows + 1 }, scratch);
}

/** Partial sums of `chunks` for each of `residues`. */
function partials(
  { rows, columns, residues = 1 }: Pick<Product, "rows" | "columns" | "residues">,
  chunks: number,
  scratch: (floats: number) => GPUBuffer,
): { kept: Fragment; given: Fragment; slices: number } {
  const slices = residues * chunks;
  const buffer = scratch(slices * (rows + 1) * columns);
  const constants = { ROWS_partial: slices * (rows + 1), ROWS_slice: rows + 1, CHUNKS: chunks };
  return {
    kept: { parts: [partial], constants, buffers: { partial: write(buffer, "array<vec4f>") } },
    given: { parts: [], constants, buffers: { partial: read(buffer, "array<vec4f>") } },
    slices,
  };
}

/** An epilogue on what a loader `load_a` gives, without a product; rows and columns as they are stored. */
export function mapped(
  label: string,
  a: readonly Fragment[],
  epilogue: Fragment,
  { rows, columns }: Pick<Product, "rows" | "columns">,
): Dispatch {
  const panels = columns / PANEL;
  const folds = Math.ceil(rows / 8 / 65535);
  return {
    label,
    fragments: [
      {
        parts: [layout, mapTile, { text: rowSum, parameters: { invocations: 64 } }],
        constants: { PANELS_map: panels, ROWS_map: rows },
      },
      ...a,
      epilogue,
    ],
    workgroups: [panels * folds, Math.ceil(rows / 8 / folds)],
  };
}

/** The two dispatches of a weight gradient that is summed in chunks. */
export function splitProduct(
  tiles: Tiles,
  p: SplitProduct,
  scratch: (floats: number) => GPUBuffer,
): readonly [product: Dispatch, sum: Dispatch] {
  const split = tiles.products?.split(p) ?? workgroupChunks(tiles, p);
  const { kept, given, slices } = partials(p, split.chunks, scratch);
  return [{
    label: p.label,
    macs: p.macs,
    workgroups: [split.workgroups[0], split.workgroups[1] * slices],
    fragments: [{ parts: [layout] }, kept, p.a, p.b, split],
  }, {
    label: `${p.label}, sum`,
    workgroups: [(p.summedColumns ?? p.columns) / PANEL, Math.ceil(p.summedRows / 8)],
    fragments: [
      { parts: [layout, p.sum ?? sumSlices], constants: { ROWS_sum: p.summedRows, SLICES: slices } },
      given,
      p.slices,
      p.epilogue,
    ],
  }];
}
