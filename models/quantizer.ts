/**
 * How vectors become codes: nearest codes of learned codebooks, in groups and in levels of what is left over, or levels of each number. It
 * is no model.
 *
 * @module
 */

import { perplexity } from "../core/training/code_usage.ts";
import { add } from "../core/ops/add.ts";
import { subtract } from "../core/ops/arithmetic.ts";
import { columns } from "../core/ops/columns.ts";
import { concat } from "../core/ops/concat.ts";
import { counter } from "../core/ops/counter.ts";
import { quantizeScalars } from "../core/ops/finite_scalar.ts";
import { type Distance, DISTANCES, quantize, type Quantized } from "../core/ops/quantize.ts";
import { reshape } from "../core/ops/reshape.ts";
import { rotationTrick } from "../core/ops/rotation_trick.ts";
import { stopGradient } from "../core/ops/stop_gradient.ts";
import { sumValues } from "../core/ops/sum_values.ts";
import { unitRows } from "../core/ops/unit_rows.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Settings } from "../core/settings.ts";
import type { RowScalars, Tape, Term, Variable } from "../core/graph/tape.ts";
import { kMeans, nearestMeans } from "./k_means.ts";

/** How z becomes codes, and how the codes learn. */
export interface QuantizerConfig {
  /** Nearest codes of codebooks, or levels of each number. */
  readonly quantizer: "nearest" | "fsq";
  /** K, of each codebook. */
  readonly codes: number;
  /** D, numbers of a position. */
  readonly codeDimension: number;
  /** G, parts of D / G numbers that are quantized by themselves. */
  readonly groups: number;
  /** R, codes whose sum stands for a part: the first for it, each next one for what is left over. */
  readonly depth: number;
  /** What is nearest. */
  readonly distance: Distance;
  /** Levels of each number with fsq: D / G of them. */
  readonly levels: readonly number[];
  /** How the gradient passes through. */
  readonly gradientEstimator: "straight-through" | "rotation";
  /** β, weight of |z - sg(e)|². */
  readonly commitment: number;
  /** How the codebook is trained. */
  readonly codebook: "gradient" | "moving-average";
  /** α, weight of |sg(z) - e|² where the codes learn by its gradient. */
  readonly codebookWeight: number;
  /** γ of the moving averages. */
  readonly decay: number;
  /** A code used less than this part of an even share is replaced. */
  readonly revival: number;
}

/** The most codes to choose from, and of one position. */
const MOST = { codes: 8192, each: 32 } as const;

/** The settings of {@linkcode QuantizerConfig}. */
export const quantizerSettings: Settings<QuantizerConfig> = {
  codes: { type: "integer", default: 512, minimum: 2, maximum: MOST.codes, help: "codes of a codebook, K" },
  codeDimension: { type: "integer", default: 32, minimum: 1, maximum: 512, help: "numbers of a position, D" },
  quantizer: {
    type: "choice",
    default: "nearest",
    choices: ["nearest", "fsq"],
    help: "the nearest of learned codes, or each number rounded to one of a few levels (finite scalar quantization)",
  },
  levels: {
    type: "integers",
    default: [8, 5, 5, 5],
    minimum: 2,
    maximum: 256,
    help: "levels of each number (fsq); their product is K",
  },
  groups: {
    type: "integer",
    default: 1,
    minimum: 1,
    maximum: MOST.each,
    help: "parts of a position that are quantized by themselves, each with a codebook of its own",
  },
  depth: {
    type: "integer",
    default: 1,
    minimum: 1,
    maximum: MOST.each,
    help: "codes whose sum stands for a part: each next one, of a codebook of its own, for what is left over",
  },
  distance: {
    type: "choice",
    default: "euclidean",
    choices: DISTANCES,
    help: "what is nearest; cosine: directions, with z and codes of length 1",
  },
  gradientEstimator: {
    type: "choice",
    default: "straight-through",
    choices: ["straight-through", "rotation"],
    help: "how the gradient passes through: as it is, or turned and scaled as z is to its code (rotation trick)",
  },
  commitment: { type: "number", default: 0.25, minimum: 0, help: "weight of |z - sg(e)|², β" },
  codebook: {
    type: "choice",
    default: "gradient",
    choices: ["gradient", "moving-average"],
    help: "how the codes learn: by the gradient of |sg(z) - e|², or as averages of what they stand for",
  },
  codebookWeight: { type: "number", default: 1, minimum: 0, help: "weight of |sg(z) - e|² with gradient" },
  decay: { type: "number", default: 0.99, minimum: 0, maximum: 0.999999, help: "of the moving averages, a step" },
  revival: {
    type: "number",
    default: 0.1,
    minimum: 0,
    maximum: 1,
    help: "a code used less than this part of an even share becomes an encoded position of the batch; 0: none does",
  },
};

/** Refuses settings that have no meaning together. `defaults` are those that nobody chose. */
export function requireQuantizer(config: QuantizerConfig, defaults: QuantizerConfig): void {
  const { quantizer, groups, depth, distance, codeDimension, levels } = config;
  const refuse = (one: string, other: string, why: string) => {
    throw new RangeError(`Cannot combine ${one} with ${other}: ${why}`);
  };
  const refuseChanged = (names: readonly (keyof QuantizerConfig)[], why: string) => {
    const changed = names.find((name) => String(config[name]) !== String(defaults[name]));
    if (changed) refuse(`${changed} ${config[changed]}`, `quantizer ${quantizer}`, why);
  };
  if (quantizer === "fsq") {
    refuseChanged(["codes", "codeDimension"], "its levels say how many there are");
    refuseChanged(["depth"], "its levels are as far apart for what is left over");
    refuseChanged(["gradientEstimator"], "what is rounded to 0 has no direction");
    const learning = ["distance", "commitment", "codebook", "codebookWeight", "decay", "revival"] as const;
    refuseChanged(learning, "it has no codebook");
    const { count } = codesOf(config);
    if (count > MOST.codes) {
      refuse(`levels ${levels}`, "quantizer fsq", `expected at most ${MOST.codes} codes, found ${count}`);
    }
  } else {
    refuseChanged(["levels"], "only fsq has them");
    if (codeDimension % groups) {
      refuse(`groups ${groups}`, `codeDimension ${codeDimension}`, "each has as many numbers");
    }
    if (depth > 1 && distance === "cosine") {
      refuse(`depth ${depth}`, "distance cosine", "codes of length 1 do not stand for the little that is left over");
    }
  }
  const { each } = codesOf(config);
  if (each > MOST.each) {
    refuse(`groups ${groups}`, `depth ${depth}`, `expected at most ${MOST.each} codes at a position, found ${each}`);
  }
}

/** M, codes of a position, and K, how many there are to choose from for each. */
export function codesOf({ quantizer, codes, groups, depth, levels }: QuantizerConfig): {
  readonly each: number;
  readonly count: number;
} {
  if (quantizer === "fsq") return { each: groups, count: levels.reduce((product, count) => product * count, 1) };
  return { each: groups * depth, count: codes };
}

/** D, numbers of a position. */
export function codeWidth({ quantizer, codeDimension, groups, levels }: QuantizerConfig): number {
  return quantizer === "fsq" ? groups * levels.length : codeDimension;
}

/** Of code m of a position: code r of group g is number g R + r. */
const named = (name: "codebook" | "usage" | "perplexity", config: QuantizerConfig, m: number, joint = ".") =>
  codesOf(config).each === 1 ? name : `${name}${joint}${m}`;

/** codebook [D / G, K] of each code of a position, and usage, what is kept of how its codes are used. */
export function quantizerShapes(config: QuantizerConfig): Shapes {
  const { quantizer, codes: outputs, codeDimension, groups, codebook } = config;
  if (quantizer === "fsq") return {};
  const averaged = codebook === "moving-average";
  const inputs = codeDimension / groups;
  return Object.fromEntries(
    Array.from({ length: codesOf(config).each }, (_, m) => [
      [named("codebook", config, m), { inputs, outputs, ...averaged ? { trained: false } : {} }],
      [named("usage", config, m), { inputs: averaged ? inputs : 0, outputs, trained: false }],
    ]).flat(),
  );
}

/** What stands for z. */
export interface QuantizedPositions {
  /** e [N P, D] */
  readonly e: Variable;
  /** [N, P M], those of a position side by side */
  readonly codes: Variable;
  /** |z - sg(e)|², summed over the codes of a position; none with fsq. */
  readonly commitment?: RowScalars;
  /** |sg(z) - e|², likewise. */
  readonly codebook?: RowScalars;
}

/**
 * Quantizes z [N P, D] at P positions
 *
 * Each of G groups of its columns, z_g, becomes Σ_r e_r: e_0 the nearest code of z_g, e_r that of z_g - Σ_{i < r} sg(e_i), each in a codebook
 * of its own. The gradient passes straight through the sum, or turned and scaled as z_g is to it. Commitments and codebook losses are those of
 * each level.
 *
 * Source: Zeghidour et al., "SoundStream", arXiv:2107.03312, algorithm 1, and Lee et al., arXiv:2203.01941, section 3.1, for levels; Jégou
 * et al., "Product Quantization for Nearest Neighbor Search", IEEE TPAMI 33, 2011, for groups.
 */
export function recordQuantizer(
  t: Tape,
  p: Parameters,
  z: Variable,
  positions: number,
  config: QuantizerConfig,
): QuantizedPositions {
  const { quantizer, groups, depth, levels, distance, gradientEstimator, decay, revival } = config;
  if (quantizer === "fsq") return quantizeScalars(t, z, levels, positions);
  const width = z.columns / groups;
  const found = Array.from({ length: groups }, (_, g) => {
    const part = groups === 1 ? z : columns(t, z, g * width, width);
    const first = distance === "cosine" ? unitRows(t, part) : part;
    const parts: Quantized[] = [];
    let left = first;
    for (let r = 0; r < depth; r++) {
      const m = g * depth + r;
      const usage = p.get(named("usage", config, m));
      const codebook = p.get(named("codebook", config, m));
      parts.push(quantize(t, left, codebook, positions, { usage, decay, revival }, distance));
      if (r + 1 < depth) left = subtract(t, left, stopGradient(t, parts[r].e));
    }
    const sum = gradientEstimator === "rotation"
      ? rotationTrick(t, first, parts.map(({ e }) => e).reduce((one, other) => add(t, one, other)))
      : parts.slice(1).reduce((one, { e }) => add(t, stopGradient(t, e), one), parts[0].e);
    return { sum, parts };
  });
  const all = found.flatMap(({ parts }) => parts);
  const total = (values: readonly RowScalars[]) => values.reduce((one, other) => sumValues(t, one.name, one, other));
  const sums = found.map(({ sum }) => sum);
  const ofPositions = all.map(({ codes }) => all.length === 1 ? codes : reshape(t, codes, 1));
  return {
    e: groups === 1 ? sums[0] : concat(t, sums),
    codes: all.length === 1 ? ofPositions[0] : reshape(t, concat(t, ofPositions), positions * all.length),
    commitment: total(all.map(({ commitment }) => commitment)),
    codebook: total(all.map(({ codebook }) => codebook)),
  };
}

/** The terms of a quantization, and the perplexity of each code of a position. */
export function quantizerTerms(
  t: Tape,
  { codes, commitment, codebook }: QuantizedPositions,
  config: QuantizerConfig,
): readonly Term[] {
  const { each, count } = codesOf(config);
  for (let m = 0; m < each; m++) {
    counter(t, named("perplexity", config, m, ""), codes, count, perplexity, { first: m, every: each });
  }
  if (!commitment || !codebook) return [];
  const term = (name: string, value: RowScalars, weight: number): Term => ({ name, value, weight: constant(weight) });
  return [
    term("commitment", commitment, config.commitment),
    ...config.codebook === "gradient" ? [term("codebook", codebook, config.codebookWeight)] : [],
  ];
}

/**
 * Sets the codebooks of `nearest` to means of k-means of what they are to stand for, each with an even share of the usage.
 *
 * @param values z of some positions [size, D]
 * @param rows Positions of a batch.
 */
export function startQuantizer(
  p: Parameters,
  values: Float32Array,
  { rows, seed, iterations }: { readonly rows: number; readonly seed: number; readonly iterations: number },
  config: QuantizerConfig,
): void {
  const { codes, codeDimension, groups, depth, distance } = config;
  const width = codeDimension / groups;
  const size = values.length / codeDimension;
  const share = rows / codes;
  for (let g = 0; g < groups; g++) {
    const left = new Float32Array(size * width);
    for (let i = 0; i < size; i++) {
      left.set(values.subarray(i * codeDimension + g * width, i * codeDimension + (g + 1) * width), i * width);
    }
    if (distance === "cosine") scaleToUnit(left, width, 1);
    for (let r = 0; r < depth; r++) {
      const means = kMeans(left, width, codes, seed, iterations);
      const columns = new Float32Array(means.length);
      means.forEach((value, i) => columns[i % width * codes + Math.floor(i / width)] = value);
      const m = g * depth + r;
      const [codebook, usage] = [p.get(named("codebook", config, m)), p.get(named("usage", config, m))];
      codebook.set(codebook.tensor, columns, new Float32Array(codes));
      usage.set(usage.tensor, columns.map((value) => value * share), new Float32Array(codes).fill(share));
      if (r + 1 === depth) break;
      nearestMeans(left, means, width).forEach((k, i) => {
        for (let d = 0; d < width; d++) left[i * width + d] -= means[k * width + d];
      });
    }
  }
}

/** Scales vectors of `width` numbers, `stride` apart from one another, to length 1. */
function scaleToUnit(values: Float32Array, width: number, stride: number): void {
  const first = stride === 1 ? (i: number) => i * width : (i: number) => i;
  for (let i = 0; i < values.length / width; i++) {
    let square = 0;
    for (let d = 0; d < width; d++) square += values[first(i) + d * stride] ** 2;
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let d = 0; d < width; d++) values[first(i) + d * stride] *= scale;
  }
}

/** What codes [positions, M] stand for: [positions, D]. */
export async function vectorsOf(
  p: Parameters,
  codes: ArrayLike<number>,
  config: QuantizerConfig,
): Promise<Float32Array<ArrayBuffer>> {
  const { quantizer, codes: count, levels, groups, depth, distance } = config;
  const { each } = codesOf(config);
  const width = codeWidth(config);
  const size = codes.length / each;
  const values = new Float32Array(size * width);
  for (let m = 0; m < each; m++) {
    if (quantizer === "fsq") {
      let place = 1;
      levels.forEach((steps, d) => {
        const half = Math.floor(steps / 2);
        for (let i = 0; i < size; i++) {
          values[i * width + m * levels.length + d] = (Math.floor(codes[i * each + m] / place) % steps - half) / half;
        }
        place *= steps;
      });
      continue;
    }
    const { weight } = await p.get(named("codebook", config, m)).get();
    const part = width / groups;
    if (distance === "cosine") scaleToUnit(weight, part, count);
    for (let i = 0; i < size; i++) {
      const at = i * width + Math.floor(m / depth) * part;
      for (let d = 0; d < part; d++) values[at + d] += weight[d * count + codes[i * each + m]];
    }
  }
  return values;
}
