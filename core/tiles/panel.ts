/**
 * The tiles for adapters that run on a CPU: panels in registers and subgroups (shaders/tiles/panel.wgsl).
 *
 * @module
 */

import { type Part, write } from "../kernel.ts";
import type { Tiles } from "../tiles.ts";
import { chunksOf, type Product, type Shape, type Split, SPLIT_DEPTH, type SplitProduct } from "./product.ts";
import biasRow from "../../shaders/tiles/bias_row.wgsl" with { type: "text" };
import panel from "../../shaders/tiles/panel.wgsl" with { type: "text" };
import panelPartial from "../../shaders/tiles/panel_partial.wgsl" with { type: "text" };
import panelProductShader from "../../shaders/tiles/panel_product.wgsl" with { type: "text" };
import panelRows from "../../shaders/tiles/panel_rows.wgsl" with { type: "text" };
import panelWeightGradient from "../../shaders/tiles/panel_weight_gradient.wgsl" with { type: "text" };

/** Most rows of a workgroup: its partial sums, 128 bytes a row, should stay in the cache of a core. */
const PANEL_ROWS = 1024;

/** A product in panels. */
export function panelProduct({ lanes }: Tiles, p: Product, scratch: (floats: number) => GPUBuffer): Shape {
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

/** A product in chunks, each in panels. */
export function panelChunks({ lanes }: Tiles, p: SplitProduct): Split {
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
