/**
 * How the codes of a vector quantization learn: by the gradient of their loss, or as moving averages of what they stand for; and what
 * becomes of codes that nothing uses. It is the backward half of quantize.ts.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import { treeSum } from "../gpu/tree_sum.ts";
import type { Parameter } from "../graph/parameters.ts";
import { loader, type RowScalars, storing, type Tape, type Variable, zeros } from "../graph/tape.ts";
import { createTensor, type Tensor } from "../gpu/tensor.ts";
import { sumByCode } from "./codes.ts";
import codebookGradient from "../../shaders/codes/codebook_gradient.wgsl" with { type: "text" };
import codebookGradientUnit from "../../shaders/codes/codebook_gradient_unit.wgsl" with { type: "text" };
import codebookUpdate from "../../shaders/codes/codebook_update.wgsl" with { type: "text" };
import difference from "../../shaders/codes/difference.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import finishPart from "../../shaders/epilogues/finish.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };
import alongShader from "../../shaders/codes/along.wgsl" with { type: "text" };
import unitShader from "../../shaders/codes/unit_codes.wgsl" with { type: "text" };
import reviveShader from "../../shaders/codes/revive.wgsl" with { type: "text" };
import rowOfOriginShader from "../../shaders/codes/row_of_origin.wgsl" with { type: "text" };
import rowOfRankShader from "../../shaders/codes/row_of_rank.wgsl" with { type: "text" };
import usageShader from "../../shaders/codes/usage.wgsl" with { type: "text" };

/** The origin of a code that is none of a row. */
const NONE = 0xffffffff;

/** ε, what is added to the size of a cluster, in rows. */
const SMOOTHING = 1e-5;

/** What a training makes of the codes besides an optimizer. */
export interface CodebookUpdate {
  /**
   * What is kept from step to step, not trained: its bias [K] is N, the moving average of the rows that each code has in a batch. Where
   * the codes are averages, its weight [D, K] holds m, the moving average of the sums of those rows; else it has no weight.
   */
  readonly usage: Parameter;
  /** γ of the averages. */
  readonly decay: number;
  /** A code is dead once N is below this part of an even share of the rows. 0: none ever is. */
  readonly revival: number;
}

/** The columns of a codebook over their lengths. */
export interface UnitCodes {
  /** [D, K] */
  readonly codes: Tensor;
  /** 1 / |E[:, k]| */
  readonly inverseLengths: GPUBuffer;
  /** Records the dispatch that forms them. */
  form(): void;
}

/** The columns of a codebook over their lengths, once formed. */
export function unitCodes(
  t: Tape,
  { name, tensor, biasRow, shape: { inputs: depth, outputs: count } }: Parameter,
): UnitCodes {
  const codes = createTensor(t.gpu, `unit ${name}`, depth, count, { storedRows: biasRow });
  t.own(codes.buffer);
  const inverseLengths = t.buffer(`inverse lengths of ${name}`, codes.storedColumns * 4);
  const form = () =>
    t.dispatch({
      label: `unit ${name}`,
      fragments: [{
        parts: [layout, unitShader],
        constants: { ROWS_table: tensor.storedRows, ROWS_unit: codes.storedRows, DEPTH: depth, CODES: count },
        buffers: {
          table: read(tensor),
          unit_codes: write(codes),
          inverse_lengths: write(inverseLengths, "array<vec4f>"),
        },
      }],
      workgroups: [Math.ceil(codes.storedColumns / 4 / 64)],
    });
  return { codes, inverseLengths, form };
}

/** A fragment giving load_a: the gradient of a codebook whose codes are its columns over their lengths, from the sums that are left. */
function unitGradient(t: Tape, { codes, inverseLengths }: UnitCodes, left: Tensor): Fragment {
  const along = t.buffer("sums along the codes", codes.storedColumns * 4);
  t.dispatch({
    label: "sums along the codes",
    fragments: [{
      parts: [layout, alongShader],
      constants: {
        ROWS_left: left.storedRows,
        ROWS_unit: codes.storedRows,
        DEPTH: codes.rows,
        COLUMNS4: codes.storedColumns / 4,
      },
      buffers: { left: read(left), unit_codes: read(codes), along: write(along, "array<vec4f>") },
    }],
    workgroups: [Math.ceil(codes.storedColumns / 4 / 64)],
  });
  return merge(loader("code", codes), {
    parts: [codebookGradientUnit],
    buffers: { along: read(along, "array<vec4f>"), inverse_lengths: read(inverseLengths, "array<vec4f>") },
  });
}

interface Quantization {
  readonly z: Variable;
  readonly e: Variable;
  readonly codes: Variable;
  readonly codebook: Parameter;
  /** The codes, where they are not the columns of the codebook as they are. */
  readonly unit?: UnitCodes;
  readonly losses: RowScalars;
  readonly update?: CodebookUpdate;
}

/**
 * Records, once the codes have been used for the last time in a step, their gradient g = 2 w Σ (e_k - z), or (g - (e_k · g) e_k) / |E_k| of
 * columns E_k whose codes have length 1, and in a training
 *
 * - N_k = γ N_k + (1 - γ) n_k, n_k the rows of code k;
 * - where the codes are averages, m_k = γ m_k + (1 - γ) Σ z over the rows of code k, and e_k = m_k / ((N_k + ε) / (Σ N + K ε) Σ N);
 * - for a dead code, e_k = a row z of the batch, drawn at random, N_k = an even share of the rows and m_k = N_k e_k.
 *
 * Source: van den Oord et al., arXiv:1711.00937, appendix A.1; Razavi et al., arXiv:1906.00446, for the smoothing after Laplace; Dhariwal
 * et al., "Jukebox", arXiv:2005.00341, section 3.1, for random restarts of codes.
 */
export function updateCodebook(t: Tape, { z, e, codes, codebook, unit, losses, update }: Quantization): void {
  const trained = t.needsGradient(codebook);
  const updated = t.updating ? update : undefined;
  if (!trained && !updated) return;
  const { name, biasRow, shape: { inputs: depth, outputs: count } } = codebook;
  const left = createTensor(t.gpu, `sums of what ${name} leaves`, depth, count, { storedRows: biasRow + 1 });
  t.own(left.buffer);
  sumByCode(t, {
    label: `${name} sums`,
    codes,
    table: codebook,
    a: merge(t.load("z", z), t.load("e", e), { parts: [difference] }),
    epilogue: merge({ parts: [finishPart] }, storing(left)),
    counts: true,
  });
  const size = { rows: depth, columns: count };
  if (trained) {
    const gradient = merge(
      loader("left", left),
      t.upstream("codebook", losses),
      unit ? unitGradient(t, unit, left) : { parts: [codebookGradient] },
    );
    t.map(`${name} gradient`, gradient, t.contribution(codebook), size);
  }
  if (!updated) return;
  // What the codes become follows from all rows of a batch.
  t.exchange([left.buffer]);
  const coded = z.rows * t.shares;
  const { usage, decay, revival } = updated;
  const averaged = usage.shape.inputs > 0;
  const origins = t.buffer("origins of codes", left.storedColumns * 4);
  const sizes = t.buffer("sizes of clusters", left.storedColumns * 4);
  const constants = {
    ROWS_left: left.storedRows,
    ROW_left: biasRow,
    ROWS_usage: usage.tensor.storedRows,
    ROW_usage: usage.biasRow,
    CODES: count,
    NONE,
  };
  t.dispatch({
    label: `${name} usage`,
    fragments: [{
      parts: [
        stateStruct,
        random,
        layoutScalar,
        treeSum("f32", 256),
        usageShader,
      ],
      constants: { ...constants, CODED: coded, STREAM_revival: t.stream() },
      floats: { DECAY: decay, DEAD: revival * coded / count, SMOOTHING },
      buffers: {
        state: t.readState(),
        left: read(left, "array<f32>"),
        usage: write(usage.tensor, "array<f32>"),
        sizes: write(sizes),
        origins: write(origins, "array<u32>"),
      },
    }],
    workgroups: [1],
  });
  const rowOfOrigin = revival > 0 && t.exchanges ? revivedByRank(t, name, z, left, origins, size) : {
    parts: [rowOfOriginShader],
    constants: { ROWS_z: t.stored(z.rows) },
    buffers: { z: read(t.tensor(z), "array<f32>") },
  };
  t.map(
    `${name} update`,
    loader("a", left),
    merge(rowOfOrigin, {
      parts: [layoutScalar, { text: codebookUpdate, parameters: { averaged: averaged ? 1 : 0, unit: unit ? 1 : 0 } }],
      constants: {
        ...constants,
        ...averaged && unit ? { ROWS_unit: unit.codes.storedRows } : {},
        ROWS_codebook: codebook.tensor.storedRows,
        DEPTH: depth,
      },
      floats: { DECAY: decay },
      buffers: {
        codebook: write(codebook.tensor),
        origins: read(origins, "array<u32>"),
        ...(averaged && unit ? { unit_codes: read(unit.codes) } : {}),
        ...(averaged ? { left: read(left), sizes: read(sizes, "array<vec4f>"), usage: write(usage.tensor) } : {}),
      },
    }),
    size,
  );
}

/** A fragment giving revived_at: each row that was drawn for a dead code is known to one rank, which tells the others. */
function revivedByRank(
  t: Tape,
  name: string,
  z: Variable,
  { storedRows, storedColumns }: Tensor,
  origins: GPUBuffer,
  size: { readonly rows: number; readonly columns: number },
): Fragment {
  const revived = t.buffer(`revived ${name}`, storedRows * storedColumns * 4);
  t.map(`${name} revived`, zeros("a"), {
    parts: [layoutScalar, reviveShader],
    constants: {
      ROWS_z: t.stored(z.rows),
      ROWS_revived: storedRows,
      ROWS_here: z.rows,
      FIRST_z: z.rows * t.together.ranks.rank,
      DEPTH: size.rows,
      CODES: size.columns,
      NONE,
    },
    buffers: {
      z: read(t.tensor(z), "array<f32>"),
      revived: write(revived, "array<f32>"),
      origins: read(origins, "array<u32>"),
    },
  }, size);
  t.exchange([revived]);
  return {
    parts: [rowOfRankShader],
    constants: { ROWS_revived: storedRows },
    buffers: { revived: read(revived, "array<f32>") },
  };
}
