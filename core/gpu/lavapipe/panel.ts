/**
 * The products of Mesa's software adapter: panels in registers and subgroups (shaders/lavapipe/panel.wgsl).
 *
 * @module
 */

import { type Part, write } from "../kernel.ts";
import { chunksOf, type Product, type Shape, type Split, SPLIT_DEPTH, type SplitProduct } from "../product.ts";
import type { Products } from "../strategy.ts";
import panel from "../../../shaders/lavapipe/panel.wgsl" with { type: "text" };
import panelProductShader from "../../../shaders/lavapipe/panel_product.wgsl" with { type: "text" };
import panelWeightGradient from "../../../shaders/lavapipe/panel_weight_gradient.wgsl" with { type: "text" };
import biasRow from "../../../shaders/tiles/bias_row.wgsl" with { type: "text" };
import partial from "../../../shaders/tiles/partial.wgsl" with { type: "text" };

/** Most rows of a workgroup: its partial sums, 128 bytes a row, should stay in the cache of a core. */
const PANEL_ROWS = 1024;

/** Values that a panel of a large product sums over. */
const LONG = 128;
/** The same of other products, and of all that are to be compiled soon. */
const SHORT = 32;

/** A sum in panels: some that leave partial sums, of equal length, then one that ends it. */
interface Panels {
  readonly before: number;
  readonly length: number;
  readonly end: number;
}

/**
 * Divides a sum into panels of about `most`. Code grows with a panel's length, and a panel that ends in the epilogue is code of its own: so
 * that one is short, where it is not the only one.
 */
function panelsOf(total: number, most: number): Panels {
  let best: Panels = { before: 0, length: total, end: total };
  if (total <= 1.25 * most) return best;
  for (let length = Math.ceil(0.75 * most); length <= 1.25 * most; length++) {
    const before = Math.floor((total - 1) / length);
    const end = total - before * length;
    if (end < best.end || (end === best.end && before < best.before)) best = { before, length, end };
  }
  return best;
}

/** Workgroups side by side that cover so many columns; a condition that keeps the last from going beyond them. */
function across({ columns }: Pick<Product, "columns">, lanes: number): { groups: number; guard: string } {
  const groups = Math.ceil(columns / (4 * lanes));
  return { groups, guard: groups * 4 * lanes > columns ? "if (column4 < COLUMNS4) " : "" };
}

/**
 * Whether a product is worth long panels. They leave fewer partial sums, whose loads and stores are as much work as 64 multiply-adds of a
 * column, but take long to compile: five times as long for a panel four times as long, and more where it is loaded from storage.
 */
function isLong({ b, rows, columns, depth }: Product): boolean {
  return b.buffers?.b?.copy !== undefined && rows * columns * depth > 2 ** 22;
}

/** A product in panels of about `most` values. Any length forms the same numbers. */
function panelProduct(
  lanes: number,
  p: Product,
  scratch: (floats: number) => GPUBuffer,
  most: number,
): Shape {
  // The length of a sum counts groups of four values, in a weight gradient rows of the batch.
  const isWeight = p.kind === "weightGradient";
  const unit = isWeight ? 1 : 4;
  const { before, length, end } = panelsOf(p.depth / unit, most / unit);
  const { residues = 1, store = "store" } = p;
  const bias = p.kind === "forward" ? "bias" : "vec4f()";
  const kept = "kept(target_row, column4)";
  const which = p.kind === "forward" ? { direct: 1, turned: 0 } : { direct: 0, turned: 1 };
  const { groups, guard } = across(p, lanes);
  const body = (name: string, length: number, start: string, finish: string): Part => ({
    text: isWeight ? panelWeightGradient : panelProductShader,
    parameters: {
      ...{ name, start, finish, guard, lanes, loads: Math.ceil(length / lanes) },
      ...isWeight ? { rows: length } : { fours: length, ...which },
    },
  });
  const parts: Part[] = [{ text: panel, parameters: { more: before > 0 ? 1 : 0, ends: 1 } }];
  if (p.kind === "forward" && p.biasRow) parts.push(biasRow);
  if (before > 0) parts.push(partial, body("more", length, `select(${bias}, ${kept}, added)`, "keep"));
  parts.push(body("end", end, before > 0 ? kept : bias, store));
  // Enough workgroups to keep the threads of the adapter evenly busy, of a multiple of four rows each. An odd number of them keeps one of
  // two threads waiting; in a weight gradient it costs next to nothing to load the stationary operand twice.
  const few = groups >= 8 ? 1 + (isWeight ? groups % 2 : 0) : Math.ceil(8 / groups);
  const wanted = Math.max(few, Math.ceil(p.rows / PANEL_ROWS));
  const rowsPerGroup = Math.max(4, Math.ceil(p.rows / wanted / 4) * 4);
  const rowGroups = Math.ceil(p.rows / rowsPerGroup);
  return {
    parts,
    constants: {
      LANES: lanes,
      ROWS: p.rows,
      COLUMNS4: p.columns / 4,
      ROWS_PER_GROUP: rowsPerGroup,
      GROUPS: rowGroups,
      CHUNKS: 1,
      PANELS_BEFORE: before,
      PANELS: before,
      LENGTH: length,
      ROW_bias: p.biasRow ?? 0,
      ROWS_partial: residues * (p.rows + 1),
      ROWS_slice: p.rows + 1,
    },
    buffers: before > 0 ? { partial: write(scratch(residues * (p.rows + 1) * p.columns), "array<vec4f>") } : {},
    workgroups: [groups, rowGroups * residues],
  };
}

/** A product in chunks, each in panels. */
function panelChunks(lanes: number, p: SplitProduct): Split {
  const { groups, guard } = across(p, lanes);
  const rowGroups = Math.ceil(p.rows / PANEL_ROWS);
  const rowsPerGroup = Math.ceil(p.rows / rowGroups / 4) * 4;
  const { chunks, each } = chunksOf(p.depth, Math.ceil(8 / (groups * rowGroups * (p.residues ?? 1))));
  const start = "select(vec4f(), kept(target_row, column4), added)";
  const loads = Math.ceil(SPLIT_DEPTH / lanes);
  return {
    chunks,
    parts: [
      { text: panel, parameters: { more: 1, ends: 0 } },
      {
        text: panelWeightGradient,
        parameters: { name: "more", rows: SPLIT_DEPTH, loads, lanes, start, guard, finish: "keep" },
      },
    ],
    constants: {
      LANES: lanes,
      ROWS: p.rows,
      COLUMNS4: p.columns / 4,
      ROWS_PER_GROUP: rowsPerGroup,
      GROUPS: Math.ceil(p.rows / rowsPerGroup),
      PANELS_BEFORE: each,
      PANELS: p.depth / SPLIT_DEPTH,
      LENGTH: SPLIT_DEPTH,
      ROW_bias: p.rows,
    },
    workgroups: [groups, Math.ceil(p.rows / rowsPerGroup)],
  };
}

/** The products of an adapter whose subgroups have so many invocations; `long`: whether large products may have long panels. */
export function panelProducts(lanes: number, long: boolean): Products {
  return {
    product: (p, scratch) =>
      long && isLong(p)
        ? { shape: panelProduct(lanes, p, scratch, LONG), starter: panelProduct(lanes, p, scratch, SHORT) }
        : { shape: panelProduct(lanes, p, scratch, SHORT) },
    split: (p) => panelChunks(lanes, p),
  };
}
