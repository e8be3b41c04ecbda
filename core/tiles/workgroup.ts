/**
 * The tiles for GPUs, and for any other adapter: blocks of both operands in workgroup memory (shaders/tiles/workgroup.wgsl).
 *
 * @module
 */

import type { Part } from "../kernel.ts";
import type { Tiles } from "../tiles.ts";
import {
  chunksOf,
  type Product,
  type ProductShape,
  type Shape,
  shapeName,
  type Split,
  SPLIT_DEPTH,
  type SplitProduct,
} from "./product.ts";
import biasNone from "../../shaders/tiles/bias_none.wgsl" with { type: "text" };
import biasRow from "../../shaders/tiles/bias_row.wgsl" with { type: "text" };
import rowSum from "../../shaders/tiles/row_sum.wgsl" with { type: "text" };
import stageDirect from "../../shaders/tiles/stage_direct.wgsl" with { type: "text" };
import stageTurned from "../../shaders/tiles/stage_turned.wgsl" with { type: "text" };
import workgroup from "../../shaders/tiles/workgroup.wgsl" with { type: "text" };

/** The tiles by their names, rows x columns of the result that a workgroup forms; from the smallest to the largest. */
export const WORKGROUP_TILES = ["workgroup-16x32", "workgroup-32x32", "workgroup-64x64", "workgroup-128x64"] as const;
/** A workgroup tile's name. */
export type WorkgroupTile = typeof WORKGROUP_TILES[number];

/** Changes with what the tiles are: choices among those of another version say nothing about these. */
export const WORKGROUP_TILES_VERSION = 1;

/** A tile, or a tile with the sum divided into so many chunks, which a second dispatch adds: `workgroup-32x32 in 4`. */
export type TunedTile = WorkgroupTile | `${WorkgroupTile} in ${number}`;

/** The tile of each product that was not left to the rule of {@linkcode ruledTile}, by {@linkcode shapeName}. */
export type TunedTiles = Readonly<Record<string, TunedTile>>;

/** A tile and its number of chunks, or undefined where there is no such tile. */
function parse(choice: string): { tile: WorkgroupTile; chunks: number } | undefined {
  const [, name, chunks = "1"] = /^(\S+)(?: in ([1-9]\d{0,3}))?$/.exec(choice) ?? [];
  const tile = WORKGROUP_TILES.find((each) => each === name);
  return tile && { tile, chunks: Number(chunks) };
}

/** The same value as choices of tiles, or undefined where it is none: from a file, say. */
export function readTuned(value: unknown): TunedTiles | undefined {
  const known = (choice: unknown) => typeof choice === "string" && parse(choice) !== undefined;
  return typeof value === "object" && value !== null && Object.values(value).every(known)
    ? value as TunedTiles
    : undefined;
}

/**
 * How a tile is cut up among 8 x `down` invocations: each has `rows` rows x `vectors` times four columns, from blocks `depth` deep. Large
 * blocks of results need few reads of workgroup memory for each multiply-add: 4 rows x 4 columns take a read for every 8 of them, 8 rows x
 * 8 columns one for every 16. Both operands' blocks and the partial sums of rows fit into 16 KiB.
 */
interface Cut {
  readonly down: number;
  readonly rows: number;
  readonly vectors: number;
  readonly depth: number;
}

const CUTS: Readonly<Record<WorkgroupTile, Cut>> = {
  "workgroup-16x32": { down: 8, rows: 2, vectors: 1, depth: 32 },
  "workgroup-32x32": { down: 8, rows: 4, vectors: 1, depth: 32 },
  "workgroup-64x64": { down: 8, rows: 8, vectors: 2, depth: 16 },
  "workgroup-128x64": { down: 16, rows: 8, vectors: 2, depth: 16 },
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

/** The tiles none of which half or more would lie beyond the result; the largest where those are too many for one dispatch. */
function fitting({ rows, columns, slices }: ProductShape): readonly WorkgroupTile[] {
  const tiles = WORKGROUP_TILES.filter((tile) => {
    const size = sizeOf(CUTS[tile]);
    return rows > size.rows / 2 && columns > size.columns / 2 && Math.ceil(rows / size.rows) * slices <= MOST;
  });
  return tiles.length ? tiles : WORKGROUP_TILES.slice(-1);
}

/** Tiles whose workgroups may be too few for a GPU, and large enough to be worth a second dispatch that makes up for it. */
const SPLIT_TILES: readonly WorkgroupTile[] = ["workgroup-32x32", "workgroup-64x64"];

/** What may suit a product: the tiles that fit its result; and where those leave a GPU idle, some with the sum in chunks. */
export function candidates(shape: ProductShape): readonly TunedTile[] {
  const tiles = fitting(shape);
  const split = tiles.filter((tile) => shape.splittable && SPLIT_TILES.includes(tile)).flatMap((tile): TunedTile[] => {
    // Chunks of less than two blocks would only be partial sums.
    const wanted = Math.min(Math.ceil(BUSY / workgroupsOf(tile, shape)), shape.depth / SPLIT_DEPTH / 2);
    const { chunks } = chunksOf(shape.depth, wanted);
    return chunks > 1 ? [`${tile} in ${chunks}`] : [];
  });
  return [...tiles, ...split];
}

/** The tile of a product where nothing was measured: the largest that keeps a GPU busy, or the smallest. */
export function ruledTile(shape: ProductShape): WorkgroupTile {
  const tiles = fitting(shape);
  return tiles.findLast((tile) => workgroupsOf(tile, shape) >= BUSY) ?? tiles[0];
}

function choiceOf({ pinned, tuned }: Tiles, shape: ProductShape): { tile: WorkgroupTile; chunks: number } {
  const choice = parse(pinned ?? tuned[shapeName(shape)] ?? ruledTile(shape))!;
  return shape.splittable ? choice : { ...choice, chunks: 1 };
}

/** How the sum of a split product is divided: whatever the tile, so that the order of a sum depends on the product alone. */
function chunksOfSplit(p: Pick<SplitProduct, "rows" | "depth" | "columns" | "phases">) {
  return chunksOf(p.depth, Math.ceil(BUSY / (p.rows * p.columns / 1024 * (p.phases ?? 1))));
}

/** The shape of a split product. */
export function splitShape(p: Pick<SplitProduct, "rows" | "depth" | "columns" | "phases">): ProductShape {
  const slices = (p.phases ?? 1) * chunksOfSplit(p).chunks;
  return {
    kind: "weightGradient",
    rows: p.rows,
    depth: p.depth,
    columns: p.columns,
    slices,
    splittable: false,
    begins: false,
  };
}

/** A product in chunks, each in blocks. */
export function workgroupChunks(tiles: Tiles, p: SplitProduct): Split {
  const { chunks, each } = chunksOfSplit(p);
  const { tile } = choiceOf(tiles, splitShape(p));
  const shape = blocks(tile, { ...p, kind: "weightGradient", biasRow: p.rows, store: "keep" });
  return {
    ...shape,
    chunks,
    constants: { ...shape.constants, CHUNK: each * SPLIT_DEPTH, CHUNKS: chunks },
  };
}

/** The shape of a product. */
export function productShape(
  { kind, rows, depth, columns, phases = 1, store, biasRow, begins = false }: Product,
): ProductShape {
  // Chunks of what is formed as it is loaded would each have to keep their part of it.
  const splittable = phases === 1 && !store && !begins &&
    (kind === "inputGradient" || (kind === "forward" && !!biasRow));
  return { kind, rows, depth, columns, slices: phases, splittable, begins };
}

/** A product in blocks. */
export function workgroupProduct(tiles: Tiles, p: Product): Shape {
  const shape = blocks(choiceOf(tiles, productShape(p)).tile, p);
  const [x, y] = shape.workgroups;
  return { ...shape, workgroups: [x, y * (p.phases ?? 1)] };
}

/** A product with its sum in chunks, where that was chosen; the parts that add the bias belong to the dispatch that adds the chunks. */
export function workgroupSplit(tiles: Tiles, p: Product): { split: Split; bias: Part } | undefined {
  const choice = choiceOf(tiles, productShape(p));
  const { chunks, each } = chunksOf(p.depth, choice.chunks);
  if (chunks === 1) return undefined;
  const shape = blocks(choice.tile, { ...p, biasRow: undefined, store: "keep" });
  return {
    bias: p.biasRow ? biasRow : biasNone,
    split: {
      ...shape,
      chunks,
      parts: p.kind === "forward" ? [...shape.parts, biasNone] : shape.parts,
      constants: { ...shape.constants, CHUNK: each * SPLIT_DEPTH, CHUNKS: chunks },
    },
  };
}

/** The parts of a tile, and the workgroups of one slice. */
function blocks(
  tile: WorkgroupTile,
  p: Pick<Product, "kind" | "rows" | "depth" | "columns" | "biasRow" | "store" | "begins">,
): Shape {
  const { down, rows, vectors, depth } = CUTS[tile];
  const size = sizeOf(CUTS[tile]);
  const invocations = 8 * down;
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
          ...{ rows, vectors, blocks: depth / 4 },
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
