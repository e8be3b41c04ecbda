/**
 * Importance weights of any number of draws, summed as they come.
 *
 * @module
 */

import { read, write } from "../gpu/kernel.ts";
import type { RowScalars, Tape } from "../graph/tape.ts";
import { createBuffer } from "../gpu/tensor.ts";
import { advance } from "./advance.ts";
import importanceTotalsShader from "../../shaders/importance_totals.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/** What {@linkcode importanceTotals} sums up. */
export interface Weighed {
  /** -log p(x | z) of N S rows, the S draws of a datum together. */
  readonly nll: RowScalars;
  /** log q(z | x) - log p(z) of the same rows (`sampled` in {@linkcode reparameterize}). */
  readonly divergence: RowScalars;
  /** KL(q(z | x) ‖ p(z)) of N rows; it is kept as it is. */
  readonly kl: RowScalars;
  /** Rows of the split; batches come in the stored order. */
  readonly count: number;
  /** 1 for the weights w = p(x, z) / q(z | x), -1 for their inverses. */
  readonly sign: 1 | -1;
}

/** Sums over all draws so far. They stay the caller's to free. */
export interface ImportanceTotals {
  /** Of each of `count` rows eight numbers, from which {@linkcode drawSums} makes its sums. */
  readonly totals: GPUBuffer;
  /** The kl of each row. */
  readonly divergences: GPUBuffer;
}

/** The sums over all draws of a datum, with a = sign · log w. */
export interface DrawSums {
  /** m, the largest a. */
  readonly largest: number;
  /** Σ exp(a - m) */
  readonly sum: number;
  /** Σ exp(a - m)² */
  readonly squares: number;
  /** Mean of nll. */
  readonly nll: number;
}

/** The sums of a row, in float64, from the `totals` of {@linkcode ImportanceTotals} as they were read. `draws`: how many there were. */
export function drawSums(totals: Float32Array, row: number, draws: number): DrawSums {
  const [sum, squares, difference, largest, olderSum, olderSquares, olderDifference, first] = totals.subarray(8 * row);
  return {
    largest,
    sum: sum + olderSum,
    squares: squares + olderSquares,
    nll: first + (difference + olderDifference) / draws,
  };
}

/** Draws, about, whose sums are kept apart from those of the draws before: the root of many. */
const BLOCK = 256;

/**
 * log Σₗ wₗ^±1 for each datum as a running log-sum-exp over steps, log wₗ = -(nllₗ + divergenceₗ)
 *
 * Memory does not grow with the number of draws: a new largest exponent rescales what was summed. Nor does the rounding: a sum of
 * float32 is that of at most {@linkcode BLOCK} draws, or of as many such sums. Its second dispatch goes on to the next
 * draws of the same batch. It has no gradient.
 */
export function importanceTotals(t: Tape, { nll, divergence, kl, count, sign }: Weighed): ImportanceTotals {
  const totals = createBuffer(t.gpu, "importance totals", count * 32);
  const divergences = createBuffer(t.gpu, "divergences", count * 4);
  const samples = nll.rows / t.batch;
  const sizes = Object.entries({ nll, divergence, kl }).flatMap(([name, values]) => [
    [`ROWS_${name}`, values.storedRows],
    [`PARTS_${name}`, values.parts],
  ]);
  t.record({
    name: "importance totals",
    inputs: [],
    parameters: [],
    values: [nll, divergence, kl],
    forward() {
      t.dispatch({
        label: "importance totals",
        fragments: [{
          parts: [stateStruct, importanceTotalsShader],
          constants: {
            BATCH: t.batch,
            SAMPLES: samples,
            FOLD: Math.ceil(BLOCK / samples),
            ...Object.fromEntries(sizes),
          },
          floats: { SIGN: sign },
          buffers: {
            state: t.readState(),
            nll: read(nll.buffer),
            divergence: read(divergence.buffer),
            kl: read(kl.buffer),
            totals: write(totals, "array<vec4f>"),
            divergences: write(divergences),
          },
        }],
        workgroups: [Math.ceil(t.batch / 64)],
      });
    },
  });
  advance(t, Math.ceil(count / t.batch));
  return { totals, divergences };
}
