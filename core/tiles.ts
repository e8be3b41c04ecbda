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
import type { Dispatch, Fragment, Part } from "./kernel.ts";
import { read, write } from "./kernel.ts";
import biasNone from "../shaders/tiles/bias_none.wgsl" with { type: "text" };
import biasRow from "../shaders/tiles/bias_row.wgsl" with { type: "text" };
import layout from "../shaders/layout.wgsl" with { type: "text" };
import panel from "../shaders/tiles/panel.wgsl" with { type: "text" };
import panelPartial from "../shaders/tiles/panel_partial.wgsl" with { type: "text" };
import panelProductShader from "../shaders/tiles/panel_product.wgsl" with { type: "text" };
import panelRows from "../shaders/tiles/panel_rows.wgsl" with { type: "text" };
import panelWeightGradient from "../shaders/tiles/panel_weight_gradient.wgsl" with { type: "text" };
import rowSum from "../shaders/tiles/row_sum.wgsl" with { type: "text" };
import stageDirect from "../shaders/tiles/stage_direct.wgsl" with { type: "text" };
import stageTurned from "../shaders/tiles/stage_turned.wgsl" with { type: "text" };
import sumSlices from "../shaders/tiles/sum_slices.wgsl" with { type: "text" };
import workgroup from "../shaders/tiles/workgroup.wgsl" with { type: "text" };

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
  /** Columns of a row over which its kernels' `row_sum` adds; partial sums over rows are kept for each so many. */
  readonly summed: number;
}

/**
 * The tiles that suit an adapter, or the family asked for.
 *
 * @throws {RangeError} If the family asked for cannot run there.
 */
export function chooseTiles(gpu: Gpu, family: TileFamily | "auto" = "auto"): Tiles {
  // The panel kernels need to know how many lanes the driver gives a subgroup, and that they divide a panel.
  const panels = gpu.lanes === 4 || gpu.lanes === 8;
  if (family === "panel" && !panels) {
    throw new RangeError(
      `Cannot use tiles "panel" on ${gpu.adapter}: expected known subgroups of 4 or 8 lanes, found ${
        gpu.lanes || "none"
      }`,
    );
  }
  return family === "panel" || (family === "auto" && gpu.cpu && panels)
    ? { family: "panel", rowMultiple: 8, lanes: gpu.lanes, summed: 4 * gpu.lanes }
    : { family: "workgroup", rowMultiple: 32, lanes: 0, summed: 32 };
}

/** Which of the three products. */
export type ProductKind = "forward" | "inputGradient" | "weightGradient";

/** One matrix product and what is done with its result. */
export interface Product {
  readonly label: string;
  readonly kind: ProductKind;
  /** Stored rows of the result, or of each phase. */
  readonly rows: number;
  /** Stored length of the sum. */
  readonly depth: number;
  /** Stored columns of the result. */
  readonly columns: number;
  /** Gives load_a: X, dY or X. */
  readonly a: Fragment;
  /** Gives load_b: W, W or dY. */
  readonly b: Fragment;
  /** The row that holds (forward) or receives (weight gradient) the bias; 0 where the operand b gives bias_of by itself. */
  readonly biasRow?: number;
  /** Gives store. */
  readonly epilogue: Fragment;
  /** Products of one shape in one dispatch, of which the loaders and the epilogue know the number as `phase`. One, if left out. */
  readonly phases?: number;
  /** The function of the epilogue that takes the values in, if not `store`. */
  readonly store?: string;
  readonly macs: number;
}

/**
 * A weight gradient in two dispatches: partial sums over chunks of the summed index (and for each phase), then their sum in a fixed order.
 * For sums that are long beside the result: the chunks keep an adapter busy that one short result would not.
 */
export interface SplitProduct extends Omit<Product, "kind" | "biasRow" | "store"> {
  /**
   * Gives `slices_of(row)`: for a row of the sum the first slice to add, their number, and the row in each. It may use the
   * constants CHUNKS, SLICES and ROWS_slice; the column sums are in row ROWS_slice - 1 of a slice.
   */
  readonly slices: Fragment;
  /** A kernel in place of the one that uses `slices_of`, for elements that are sums of several. */
  readonly sum?: Part;
  /** Rows and stored columns of the sum; as many columns as the product has, if left out. */
  readonly summedRows: number;
  readonly summedColumns?: number;
}

/** The dispatch of a product. `scratch(floats)` gives a buffer for partial sums. */
export function product(tiles: Tiles, p: Product, scratch: (floats: number) => GPUBuffer): Dispatch {
  const shape = tiles.family === "panel" ? panelProduct(tiles, p, scratch) : workgroupProduct(p);
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

type Shape = Fragment & { readonly workgroups: readonly [x: number, y: number] };

/** Most rows of a workgroup: its partial sums, 128 bytes a row, should stay in the cache of a core. */
const PANEL_ROWS = 1024;

function panelProduct({ lanes }: Tiles, p: Product, scratch: (floats: number) => GPUBuffer): Shape {
  // A block is what one load of the streamed operand brings: 4 values a lane, or in a weight gradient one row a lane. One
  // block a panel (32 rows in a weight gradient, whose loads each serve four rows) compiles in a tenth of the time of a
  // panel four times as long, and runs at four fifths of its speed.
  const isWeight = p.kind === "weightGradient";
  const total = p.depth / (isWeight ? lanes : 4 * lanes);
  const blocks = isWeight ? Math.min(total, 32 / lanes) : 1;
  const ceiling = Math.ceil(total / blocks);
  const before = ceiling === 1 ? 0 : isWeight ? ceiling - 1 : ceiling;
  const { phases = 1, store = "store" } = p;
  const bias = p.kind === "forward" ? "bias" : "vec4f()";
  const kept = "kept(target_row, column4)";
  const which = p.kind === "forward" ? { direct: 1, turned: 0 } : { direct: 0, turned: 1 };
  const body = (name: string, blocks: number, start: string, finish: string): Part => ({
    text: isWeight ? panelWeightGradient : panelProductShader,
    parameters: { name, blocks, lanes, start, finish, ...which },
  });
  const parts: Part[] = [{ text: panel, parameters: { more: before > 0 ? 1 : 0, ends: 1 } }];
  if (p.kind === "forward" && p.biasRow) parts.push(biasRow);
  if (before > 0) parts.push(panelPartial, body("more", blocks, `select(${bias}, ${kept}, added)`, "keep"));
  if (before === 0) parts.push(body("end", total, bias, store));
  else {
    parts.push(
      isWeight ? body("end", total - before * blocks, kept, store) : { text: panelRows, parameters: { store } },
    );
  }
  const groups = p.columns / (4 * lanes);
  // Enough workgroups to keep the threads of the adapter evenly busy, of a multiple of four rows each.
  const wanted = Math.max(groups >= 8 ? 1 : Math.ceil(8 / groups), Math.ceil(p.rows / PANEL_ROWS));
  const rowsPerGroup = Math.max(4, Math.ceil(p.rows / wanted / 4) * 4);
  const rowGroups = Math.ceil(p.rows / rowsPerGroup);
  return {
    parts,
    constants: {
      LANES: lanes,
      ROWS: p.rows,
      ROWS_PER_GROUP: rowsPerGroup,
      GROUPS: rowGroups,
      CHUNKS: 1,
      PANELS_BEFORE: before,
      PANELS: before,
      BLOCKS: blocks,
      ROW_bias: p.biasRow ?? 0,
      ROWS_partial: phases * (p.rows + 1),
      ROWS_slice: p.rows + 1,
    },
    buffers: before > 0 ? { partial: write(scratch(phases * (p.rows + 1) * p.columns), "array<vec4f>") } : {},
    workgroups: [groups, rowGroups * phases],
  };
}

/** How a split product is cut up; `workgroups` are those of one slice. */
type Split = Shape & { readonly chunks: number };

/** Length of the summed index of which a split product leaves no less than one partial sum. */
const SPLIT_DEPTH = 32;

function chunksOf(depth: number, wanted: number): { chunks: number; each: number } {
  const total = depth / SPLIT_DEPTH;
  const each = Math.ceil(total / Math.max(1, wanted));
  return { chunks: Math.ceil(total / each), each };
}

function panelChunks({ lanes }: Tiles, p: SplitProduct): Split {
  const groups = p.columns / (4 * lanes);
  const rowGroups = Math.ceil(p.rows / PANEL_ROWS);
  const rowsPerGroup = Math.ceil(p.rows / rowGroups / 4) * 4;
  const { chunks, each } = chunksOf(p.depth, Math.ceil(8 / (groups * rowGroups * (p.phases ?? 1))));
  const blocks = SPLIT_DEPTH / lanes;
  const start = "select(vec4f(), kept(target_row, column4), added)";
  return {
    chunks,
    parts: [
      { text: panel, parameters: { more: 1, ends: 0 } },
      { text: panelWeightGradient, parameters: { name: "more", blocks, lanes, start, finish: "keep" } },
    ],
    constants: {
      LANES: lanes,
      ROWS: p.rows,
      ROWS_PER_GROUP: rowsPerGroup,
      GROUPS: Math.ceil(p.rows / rowsPerGroup),
      PANELS_BEFORE: each,
      PANELS: p.depth / SPLIT_DEPTH,
      BLOCKS: blocks,
      ROW_bias: p.rows,
    },
    workgroups: [groups, Math.ceil(p.rows / rowsPerGroup)],
  };
}

/** Workgroups that keep a GPU busy. */
const BUSY = 256;

function workgroupChunks(p: SplitProduct): Split {
  const { chunks, each } = chunksOf(p.depth, Math.ceil(BUSY / (p.rows * p.columns / 1024 * (p.phases ?? 1))));
  const shape = workgroupProduct({ ...p, kind: "weightGradient", biasRow: p.rows, store: "keep" });
  return {
    ...shape,
    chunks,
    constants: { DEPTH: p.depth, ROW_bias: p.rows, GROUPS: p.rows / 32, CHUNK: each * SPLIT_DEPTH },
    workgroups: [p.columns / 32, p.rows / 32],
  };
}

function workgroupProduct(p: Product): Shape {
  const stage = (m: "a" | "b", turned: boolean): Part => ({
    text: turned ? stageTurned : stageDirect,
    parameters: { m },
  });
  return {
    parts: [
      { text: workgroup, parameters: { sums: p.kind === "weightGradient" ? 1 : 0, store: p.store ?? "store" } },
      rowSum,
      ...(p.kind !== "forward" ? [biasNone] : p.biasRow ? [biasRow] : []),
      stage("a", p.kind === "weightGradient"),
      stage("b", p.kind === "inputGradient"),
    ],
    constants: { DEPTH: p.depth, CHUNK: p.depth, CHUNKS: 1, GROUPS: p.rows / 32, ROW_bias: p.biasRow ?? 0 },
    workgroups: [p.columns / 32, p.rows / 32 * (p.phases ?? 1)],
  };
}
