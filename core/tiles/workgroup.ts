/**
 * The tiles for GPUs, and for any other adapter: blocks of both operands in workgroup memory (shaders/tiles/workgroup.wgsl).
 *
 * @module
 */

import type { Part } from "../kernel.ts";
import { chunksOf, type Product, type Shape, type Split, SPLIT_DEPTH, type SplitProduct } from "./product.ts";
import biasNone from "../../shaders/tiles/bias_none.wgsl" with { type: "text" };
import biasRow from "../../shaders/tiles/bias_row.wgsl" with { type: "text" };
import rowSum from "../../shaders/tiles/row_sum.wgsl" with { type: "text" };
import stageDirect from "../../shaders/tiles/stage_direct.wgsl" with { type: "text" };
import stageTurned from "../../shaders/tiles/stage_turned.wgsl" with { type: "text" };
import workgroup from "../../shaders/tiles/workgroup.wgsl" with { type: "text" };

/** Workgroups that keep a GPU busy. */
const BUSY = 256;

/** A product in chunks, each in blocks. */
export function workgroupChunks(p: SplitProduct): Split {
  const { chunks, each } = chunksOf(p.depth, Math.ceil(BUSY / (p.rows * p.columns / 1024 * (p.phases ?? 1))));
  const shape = workgroupProduct({ ...p, kind: "weightGradient", biasRow: p.rows, store: "keep" });
  return {
    ...shape,
    chunks,
    constants: { DEPTH: p.depth, ROW_bias: p.rows, GROUPS: p.rows / 32, CHUNK: each * SPLIT_DEPTH },
    workgroups: [p.columns / 32, p.rows / 32],
  };
}

/** A product in blocks. */
export function workgroupProduct(p: Product): Shape {
  const stage = (m: "a" | "b", turned: boolean): Part => ({
    text: turned ? stageTurned : stageDirect,
    parameters: { m },
  });
  return {
    parts: [
      {
        text: workgroup,
        parameters: {
          sums: p.kind === "weightGradient" ? 1 : 0,
          begins: p.begins ? 1 : 0,
          store: p.store ?? "store",
        },
      },
      rowSum,
      ...(p.kind !== "forward" ? [biasNone] : p.biasRow ? [biasRow] : []),
      stage("a", p.kind === "weightGradient"),
      stage("b", p.kind === "inputGradient"),
    ],
    constants: { DEPTH: p.depth, CHUNK: p.depth, CHUNKS: 1, GROUPS: p.rows / 32, ROW_bias: p.biasRow ?? 0 },
    workgroups: [p.columns / 32, p.rows / 32 * (p.phases ?? 1)],
  };
}
