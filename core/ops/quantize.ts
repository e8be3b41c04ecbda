/**
 * Vector quantization: every row becomes the nearest of K codes.
 *
 * @module
 */

import { merge, read, write } from "../gpu/kernel.ts";
import type { Parameter } from "../graph/parameters.ts";
import { type RowScalars, storing, type Tape, type Variable, zeros } from "../graph/tape.ts";
import { PANEL, roundUp } from "../gpu/tensor.ts";
import { type CodebookUpdate, unitCodes, updateCodebook } from "./codebook.ts";
import { lookup } from "./codes.ts";
import { store } from "./store.ts";
import biasHalfNorms from "../../shaders/codes/bias_half_norms.wgsl" with { type: "text" };
import halfNorms from "../../shaders/codes/half_norms.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import nearest from "../../shaders/codes/nearest.wgsl" with { type: "text" };
import finishPart from "../../shaders/epilogues/finish.wgsl" with { type: "text" };
import straightThrough from "../../shaders/codes/straight_through.wgsl" with { type: "text" };

/** What is nearest: by the distance of vectors, or by that of their directions, with codes of length 1. */
export const DISTANCES = ["euclidean", "cosine"] as const;
/** The name of a distance. */
export type Distance = typeof DISTANCES[number];

/** What quantizing gives. */
export interface Quantized {
  /** e, the nearest code of each row [N P, D]. */
  readonly e: Variable;
  /** Which code that is [N, P]. It has no gradient. */
  readonly codes: Variable;
  /** |z - sg(e)|² of each datum, summed over its positions: its gradient goes to z. */
  readonly commitment: RowScalars;
  /** |sg(z) - e|², the same number: its gradient goes to the codes. As a term, it weighs every datum alike. */
  readonly codebook: RowScalars;
}

/**
 * e = the column e_k of the codebook that minimises |z - e_k|², the first of equal ones
 *
 * With "cosine", e_k is the column over its length, and rows of length 1 become the code at the least angle; dE is then that of e_k
 * through its length (Yu et al., "Vector-quantized Image Modeling with Improved VQGAN", arXiv:2110.04627, section 3.2).
 *
 * The nearest is found by the product z e_k - ½ |e_k|². Backward, with the weights w of the terms: dz = de + 2 w (z - e), the gradient of
 * e passed straight through; dE[:, k] = 2 w Σ (e_k - z) over the rows of code k, by a product with the codes as indicators, which the
 * optimizer ends. Then, in training only, what `update` asks for. Source: van den Oord et al., "Neural Discrete Representation
 * Learning", arXiv:1711.00937, equations 1 to 3.
 *
 * @param z [N P, D], a row for each position of each datum
 * @param codebook E: weight [D, K], a column for each code. The bias has no part in it.
 * @param positions P
 */
export function quantize(
  t: Tape,
  z: Variable,
  codebook: Parameter,
  positions: number,
  update?: CodebookUpdate,
  distance: Distance = "euclidean",
): Quantized {
  const { inputs: depth, outputs: count } = codebook.shape;
  if (z.columns !== depth || z.rows % positions) {
    throw new RangeError(
      `Cannot quantize "${z.name}": expected [N ${positions}, ${depth}], found [${z.rows}, ${z.columns}]`,
    );
  }
  const data = z.rows / positions;
  const rows = t.stored(z.rows);
  const e = t.variable("quantized", depth, "f32", z.rows);
  const codes = t.variable("codes", positions, "f32", data);
  const scores = t.variable("scores", count, "f32", z.rows);
  const commitment = t.rowScalars("commitment", positions, data);
  const losses: RowScalars = { ...commitment, name: "codebook" };
  const columns = roundUp(count, PANEL);
  const norms = t.buffer("half norms", columns * 4);
  const unit = distance === "cosine" ? unitCodes(t, codebook) : undefined;
  const codesOf = unit?.codes ?? codebook.tensor;
  const table = { ROWS_table: codesOf.storedRows, DEPTH: depth, CODES: count };
  let target: ReturnType<Tape["gradientTarget"]> | undefined;
  const finish = e.gradientEpilogue = () => {
    target = t.gradientTarget(z);
    return merge(t.load("z", z), t.load("e", e), t.upstream("commitment", commitment), {
      parts: [straightThrough],
      constants: { ROWS_gradient: target.tensor.storedRows, POSITIONS: positions },
      buffers: { gradient: write(target.tensor) },
    });
  };
  t.record(
    {
      name: "quantize",
      inputs: [z],
      parameters: [codebook],
      formula(f, output) {
        const given = f.of(z);
        const rows = f.transposed(f.weight(codebook));
        const table = unit
          ? f.elementwise("e * inverseSqrt(max(square, vec4f(1.0e-12)))", {
            ...{ e: rows, square: f.sum(f.elementwise("e * e", { e: rows })) },
          })
          : rows;
        const [scores, squares] = [f.product(given, f.transposed(table)), f.sum(f.elementwise("e * e", { e: table }))];
        const places = f.largest(f.elementwise("s - 0.5 * q", { s: scores, q: f.transposed(squares) }));
        if (output === codes) return f.reshape(places, positions);
        const nearest = f.rowsOf(table, places);
        if (output === e) return f.straightThrough(given, nearest);
        const [one, other] = output === commitment ? [given, f.constant(nearest)] : [f.constant(given), nearest];
        const squared = f.sum(f.elementwise("(a - b) * (a - b)", { a: one, b: other }));
        return f.sum(f.reshape(squared, positions));
      },
      forward() {
        unit?.form();
        t.dispatch({
          label: "norms of the codes",
          fragments: [{
            parts: [layout, halfNorms],
            constants: table,
            buffers: { table: read(codesOf), half_norms: write(norms, "array<vec4f>") },
          }],
          workgroups: [Math.ceil(columns / 4 / 64)],
        });
        t.product({
          label: "scores of the codes",
          kind: "forward",
          rows,
          depth: roundUp(depth, PANEL),
          columns,
          a: t.operand("a", z),
          b: merge(t.operand("b", codesOf), {
            parts: [biasHalfNorms],
            buffers: { half_norms: read(norms, "array<vec4f>") },
          }),
          epilogue: merge({ parts: [finishPart] }, storing(t.tensor(scores))),
          macs: z.rows * depth * count,
        });
        t.dispatch({
          label: "nearest codes",
          fragments: [{
            parts: [layout, layoutScalar, nearest],
            constants: {
              ...table,
              ROWS_z: rows,
              ROWS_codes: t.stored(data),
              ROWS_distances: commitment.storedRows,
              POSITIONS: positions,
              CODED: z.rows,
            },
            buffers: {
              scores: read(t.tensor(scores)),
              z: read(t.tensor(z), "array<f32>"),
              table: read(codesOf, "array<f32>"),
              codes: write(t.tensor(codes), "array<f32>"),
              distances: write(commitment.buffer),
            },
          }],
          workgroups: [Math.ceil(z.rows / 64)],
        });
        store(t, e, lookup(t, codes, codesOf));
      },
      backward() {
        if (t.needsGradient(z)) {
          if (!t.needsGradient(e)) {
            t.map("commitment gradient", zeros("a"), merge({ parts: [finishPart] }, finish()), e);
          }
          target?.deliver();
        }
        updateCodebook(t, { z, e, codes, codebook, unit, losses, update });
      },
    },
    e,
    codes,
    commitment,
    losses,
  );
  return { e, codes, commitment, codebook: losses };
}
