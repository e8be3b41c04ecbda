/**
 * The tiles for GPUs, and for any other adapter: blocks of both operands in workgroup memory (shaders/tiles/workgroup.wgsl).
 *
 * @module
 */

import { type Part, read } from "../gpu/kernel.ts";
import { type Tiles, WORKGROUP_TILES, type WorkgroupTile } from "./choice.ts";
import {
  chunksOf,
  type Product,
  type ProductShape,
  type Shape,
  shapeName,
  type Split,
  SPLIT_DEPTH,
  type SplitProduct,
} from "../gpu/product.ts";
import type { Kernels } from "../gpu/strategy.ts";
import { packed, packedBefore } from "../gpu/packed.ts";
import biasNone from "../../shaders/tiles/bias_none.wgsl" with { type: "text" };
import biasRow from "../../shaders/tiles/bias_row.wgsl" with { type: "text" };
import rowSum from "../../shaders/tiles/row_sum.wgsl" with { type: "text" };
import stageDirect from "../../shaders/tiles/stage_direct.wgsl" with { type: "text" };
import stageTurned from "../../shaders/tiles/stage_turned.wgsl" with { type: "text" };
import workgroup from "../../shaders/tiles/workgroup.wgsl" with { type: "text" };

/** How the kernels of a tape with these tiles are written. */
export const workgroupKernels: Kernels<"workgroup"> = {
  family: "workgroup",
  rowMultiple: 32,
  summed: 32,
  invocations: 128,
  dividesSums: true,
  packed,
  before: () => packedBefore,
  uniform: read,
};

/**
 * How a tile is cut up among its invocations, `parts` times 8 x `down` of them: each has `rows` rows x `vectors` times four columns, and
 * sums its part of blocks that are `depth` deep. Large blocks of results need few reads of workgroup memory for each multiply-add: 2 rows x
 * 4 columns take a read for every 5 of them, 4 x 4 for every 8, 8 x 8 for every 16. Both operands' blocks and the partial sums of rows fit
 * into 16 KiB.
 */
interface Cut {
  readonly down: number;
  readonly rows: number;
  readonly vectors: number;
  readonly depth: number;
  readonly parts: number;
}

const CUTS: Readonly<Record<WorkgroupTile, Cut>> = {
  "workgroup-16x32": { down: 4, rows: 4, vectors: 1, depth: 64, parts: 4 },
  "workgroup-32x32": { down: 16, rows: 2, vectors: 1, depth: 32, parts: 1 },
  "workgroup-64x64": { down: 8, rows: 8, vectors: 2, depth: 16, parts: 1 },
};

/** Rows and columns of the result that a workgroup forms. */
function sizeOf({ down, rows, vectors }: Cut): { rows: number; columns: number } {
  return { rows: down * rows, columns: 32 * vectors };
}

/** Workgroups that keep a GPU busy. */
const BUSY = 256;

/** Workgroups of a tile for a product. */
function workgroupsOf(tile: WorkgroupTile, { rows, columns, slices }: ProductShape): number {
  const size = sizeOf(CUTS[tile]);
  return Math.ceil(rows / size.rows) * Math.ceil(columns / size.columns) * slices;
}

/** Most workgroups in a dimension of a dispatch. */
const MOST = 65535;

/**
 * What may suit a product: the tiles none of which half or more would lie beyond the result; the largest where their workgroups are too
 * many for one dispatch.
 */
export function candidates({ rows, columns, slices }: ProductShape): readonly WorkgroupTile[] {
  const tiles = WORKGROUP_TILES.filter((tile) => {
    const size = sizeOf(CUTS[tile]);
    return rows > size.rows / 2 && columns > size.columns / 2 && Math.ceil(rows / size.rows) * slices <= MOST;
  });
  return tiles.length ? tiles : WORKGROUP_TILES.slice(-1);
}

/** The tile of a product where nothing else was chosen: the largest that keeps a GPU busy, or the smallest. */
export function ruledTile(shape: ProductShape): WorkgroupTile {
  const tiles = candidates(shape);
  return tiles.findLast((tile) => workgroupsOf(tile, shape) >= BUSY) ?? tiles[0];
}

function choiceOf({ pinned, tuned }: Tiles, shape: ProductShape): WorkgroupTile {
  return pinned ?? tuned[shapeName(shape)] ?? ruledTile(shape);
}

/** Workgroups of the largest tile, with a chunk of the sum each, that keep a GPU busy. */
const BUSY_CHUNKS = 1024;
/** The shortest chunk that pays for its partial sums. */
const CHUNK = 256;

/**
 * How the sum of a weight gradient is divided, which goes over the batch and is long beside the result: whatever the tile, so that the
 * order of a sum depends on the product alone.
 */
function chunksOfGradient(
  { rows, columns, depth, residues = 1 }: Pick<SplitProduct, "rows" | "depth" | "columns" | "residues">,
) {
  return chunksOf(depth, Math.min(BUSY_CHUNKS * 4096 / (rows * columns * residues), depth / CHUNK));
}

/** The shape of a split product. */
export function splitShape(p: Pick<SplitProduct, "rows" | "depth" | "columns" | "residues">): ProductShape {
  const slices = (p.residues ?? 1) * chunksOfGradient(p).chunks;
  return { kind: "weightGradient", rows: p.rows, depth: p.depth, columns: p.columns, slices, begins: false };
}

/** A product in chunks, each in blocks. */
export function workgroupChunks(tiles: Tiles, p: SplitProduct): Split {
  const { chunks, each } = chunksOfGradient(p);
  const shape = blocks(choiceOf(tiles, splitShape(p)), {
    ...p,
    kind: "weightGradient",
    biasRow: p.rows,
    store: "keep",
  });
  return {
    ...shape,
    chunks,
    constants: { ...shape.constants, CHUNK: each * SPLIT_DEPTH, CHUNKS: chunks },
  };
}

/** Whether a product's sum is long enough beside its result to be formed in chunks. */
export function inChunks(p: Product): boolean {
  return p.kind === "weightGradient" && chunksOfGradient(p).chunks > 1;
}

/** The shape of a product. */
export function productShape(p: Product): ProductShape {
  if (inChunks(p)) return splitShape(p);
  const { kind, rows, depth, columns, residues = 1, begins = false } = p;
  return { kind, rows, depth, columns, slices: residues, begins };
}

/** A product in blocks. */
export function workgroupProduct(tiles: Tiles, p: Product): Shape {
  const shape = blocks(choiceOf(tiles, productShape(p)), p);
  const [x, y] = shape.workgroups;
  return { ...shape, workgroups: [x, y * (p.residues ?? 1)] };
}

/** The parts of a tile, and the workgroups of one slice. */
function blocks(
  tile: WorkgroupTile,
  p: Pick<Product, "kind" | "rows" | "depth" | "columns" | "biasRow" | "store" | "begins">,
): Shape {
  const { down, rows, vectors, depth, parts } = CUTS[tile];
  const size = sizeOf(CUTS[tile]);
  const invocations = 8 * down * parts;
  const groups = Math.ceil(p.rows / size.rows);
  const stage = (m: "a" | "b", turned: boolean): Part => {
    const [high, wide] = m === "a" ? [size.rows, depth / 4] : [depth, size.columns / 4];
    return turned
      ? { text: stageTurned, parameters: { m, wide, squares: high / 4 * wide } }
      : { text: stageDirect, parameters: { m, wide, each: high * wide / invocations } };
  };
  return {
    parts: [
      {
        text: workgroup,
        parameters: {
          ...{ rows, vectors, blocks: depth / 4 / parts },
          single: parts === 1 ? 1 : 0,
          several: parts === 1 ? 0 : 1,
          first: parts === 1 ? "0u" : "part * PART_BLOCKS",
          sums: p.kind === "weightGradient" ? 1 : 0,
          begins: p.begins ? 1 : 0,
          store: p.store ?? "store",
        },
      },
      { text: rowSum, parameters: { invocations } },
      ...(p.kind !== "forward" ? [biasNone] : p.biasRow ? [biasRow] : []),
      stage("a", p.kind === "weightGradient"),
      stage("b", p.kind === "inputGradient"),
    ],
    constants: {
      DOWN: down,
      INVOCATIONS: invocations,
      TILE_ROWS: size.rows,
      TILE_COLUMNS4: size.columns / 4,
      TILE_DEPTH: depth,
      PART_BLOCKS: depth / 4 / parts,
      // A vector more than a row of the block has.
      TILE_STRIDE4: depth / 4 + 1,
      ROWS: p.rows,
      COLUMNS4: p.columns / 4,
      DEPTH: p.depth,
      CHUNK: p.depth,
      CHUNKS: 1,
      GROUPS: groups,
      ROW_bias: p.biasRow ?? 0,
    },
    workgroups: [Math.ceil(p.columns / size.columns), groups],
  };
}
