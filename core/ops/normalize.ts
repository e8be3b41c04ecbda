/**
 * Batch, layer and group normalization: one op, which they call with different sets of elements.
 *
 * @module
 */

import { type Fragment, inRows, merge, read, write } from "../gpu/kernel.ts";
import { packed } from "../gpu/packed.ts";
import { gcd } from "../gpu/tensor.ts";
import { treeSum } from "../gpu/tree_sum.ts";
import type { Parameter, ParameterShape } from "../graph/parameters.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { activated, type Activation } from "./activations.ts";
import { layerOutput } from "./layer.ts";
import { validRows } from "./valid_rows.ts";
import affineGradient from "../../shaders/normalize/affine_gradient.wgsl" with { type: "text" };
import allPixels from "../../shaders/normalize/all_pixels.wgsl" with { type: "text" };
import blocksShader from "../../shaders/normalize/blocks.wgsl" with { type: "text" };
import forwardShader from "../../shaders/normalize/forward.wgsl" with { type: "text" };
import inputGradient from "../../shaders/normalize/input_gradient.wgsl" with { type: "text" };
import momentsHere from "../../shaders/normalize/moments_here.wgsl" with { type: "text" };
import momentsShader from "../../shaders/normalize/moments.wgsl" with { type: "text" };
import momentsShared from "../../shaders/normalize/moments_shared.wgsl" with { type: "text" };
import keepNone from "../../shaders/normalize/keep_none.wgsl" with { type: "text" };
import keepRunning from "../../shaders/normalize/keep_running.wgsl" with { type: "text" };
import validPixels from "../../shaders/normalize/valid_pixels.wgsl" with { type: "text" };
import shareMoments from "../../shaders/normalize/share_moments.wgsl" with { type: "text" };
import shareSums from "../../shaders/normalize/share_sums.wgsl" with { type: "text" };
import sumsHere from "../../shaders/normalize/sums_here.wgsl" with { type: "text" };
import sumsShader from "../../shaders/normalize/sums.wgsl" with { type: "text" };
import sumsShared from "../../shaders/normalize/sums_shared.wgsl" with { type: "text" };
import runningShader from "../../shaders/normalize/running.wgsl" with { type: "text" };
import setsShader from "../../shaders/normalize/sets.wgsl" with { type: "text" };

/** What every normalization can be told. */
export interface NormOptions {
  /** H W of images, [N H W, C] or, with C a multiple of four, [N, H W C]. Default 1: x is [N, C]. */
  readonly pixels?: number;
  /** f. Default "identity". */
  readonly activation?: Activation;
  /** ε. Default 1e-5. */
  readonly epsilon?: number;
}

/** What batch normalization can be told besides. */
export interface BatchNormOptions extends NormOptions {
  /** m, the part of a batch in the moving averages. Default 0.1. */
  readonly momentum?: number;
}

/** The shape of gain γ (the weight, 1 at first) and offset β (the bias) of C channels. */
export function normShape(channels: number): ParameterShape {
  return { inputs: 1, outputs: channels, initial: 1 };
}

/** The shape of the moving averages of C channels: the variances are the weight, 1 at first, the means the bias. */
export function runningShape(channels: number): ParameterShape {
  return { inputs: 1, outputs: channels, initial: 1, trained: false };
}

/**
 * y = f(γ x̂ + β), x̂ = (x - μ) / √(σ² + ε), μ and σ² of each channel over the batch: over N, or over N H W of images
 *
 * A tape compiled with a training has the statistics of its batch, rows of data alone. One that updates parameters moves the averages,
 * r = (1 - m) r + m s, with the variance without bias, as PyTorch's BatchNorm1d and BatchNorm2d do; one that only keeps gradients does
 * not. Where ranks share a batch, the statistics are of all of it. Without a training μ and σ² are the moving averages, so a row's y does not depend on the others.
 *
 * Backward, with da = dy f'(a): dβ = Σ da, dγ = Σ da x̂, dx = (da γ - mean(da γ) - x̂ mean(da γ x̂)) / √(σ² + ε). One dispatch forward, one
 * for dx, one for dγ and dβ, which the optimizer ends; sums in a fixed order. Source: Ioffe and Szegedy, "Batch Normalization",
 * arXiv:1502.03167, algorithm 1 and section 3.2 for images.
 *
 * @param parameter γ and β, of {@linkcode normShape}.
 * @param running The moving averages, of {@linkcode runningShape}.
 * @throws {RangeError} If x is not of that many channels, or a training's batch has one value a channel.
 */
export function batchNorm(
  t: Tape,
  x: Variable,
  parameter: Parameter,
  running: Parameter,
  { momentum = 0.1, ...options }: BatchNormOptions = {},
): Variable {
  return normalize(t, x, parameter, { ...options, setChannels: 1, running: { averages: running, momentum } });
}

/**
 * y = f(γ x̂ + β), x̂ = (x - μ) / √(σ² + ε), μ and σ² of each datum and group: over H W and the C / G channels of the group
 *
 * γ and β are of each channel. In training and evaluation alike. Backward and dispatches as of {@linkcode batchNorm}. Source: Wu and He,
 * "Group Normalization", arXiv:1803.08494, equations 1 to 7.
 *
 * @param parameter γ and β, of {@linkcode normShape}.
 * @param groups G, which divides C.
 * @throws {RangeError} If x is not of that many channels, or they do not fall into so many groups.
 */
export function groupNorm(
  t: Tape,
  x: Variable,
  parameter: Parameter,
  groups: number,
  options: NormOptions = {},
): Variable {
  const { name, shape: { outputs } } = parameter;
  if (!Number.isInteger(groups) || groups < 1 || outputs % groups) {
    throw new RangeError(
      `Cannot apply "${name}": expected a number of groups that divides ${outputs}, found ${groups}`,
    );
  }
  return normalize(t, x, parameter, { ...options, setChannels: outputs / groups });
}

/**
 * y = f(γ x̂ + β), x̂ = (x - μ) / √(σ² + ε), μ and σ² of each datum over all of its features, H W C of an image
 *
 * γ and β are of each channel: of each feature, where x is [N, C]. It is {@linkcode groupNorm} with one group. Source: Ba et al., "Layer
 * Normalization", arXiv:1607.06450, equation 3; of images as Wu and He have it, arXiv:1803.08494, section 3.1.
 *
 * @param parameter γ and β, of {@linkcode normShape}.
 * @throws {RangeError} If x is not of that many channels.
 */
export function layerNorm(t: Tape, x: Variable, parameter: Parameter, options: NormOptions = {}): Variable {
  return groupNorm(t, x, parameter, 1, options);
}

interface Sets extends NormOptions {
  /** Channels of a set. */
  readonly setChannels: number;
  /** Where a set is of the whole batch, not of one datum. */
  readonly running?: { readonly averages: Parameter; readonly momentum: number };
}

function normalize(
  t: Tape,
  x: Variable,
  parameter: Parameter,
  { pixels = 1, activation = "identity", epsilon = 1e-5, setChannels, running }: Sets,
): Variable {
  const { name, shape: { outputs: channels } } = parameter;
  const flat = pixels > 1 && x.columns === pixels * channels;
  const data = flat ? x.rows : x.rows / pixels;
  if ((!flat && x.columns !== channels) || !Number.isInteger(data) || (flat && channels % 4)) {
    const rows = pixels === 1 ? `[N, ${channels}]` : `[N ${pixels}, ${channels}]`;
    const images = pixels > 1 && channels % 4 === 0 ? ` or [N, ${pixels * channels}]` : "";
    throw new RangeError(
      `Cannot apply "${name}" to "${x.name}": expected ${rows}${images}, found [${x.rows}, ${x.columns}]`,
    );
  }
  const { y, epilogue } = layerOutput(t, name, x.rows, x.columns, activation, false);
  const channels4 = Math.ceil(channels / 4);
  // As many whole sets as fill vectors of four channels, if there are several.
  const shared = setChannels / gcd(setChannels, 4);
  const width4 = Math.min(channels4, shared);
  const blocks = Math.ceil(channels4 / width4);
  const count = running ? data * pixels : pixels;
  const allBlocks = running ? blocks : blocks * data;
  // Sets of the whole batch are few and long.
  const invocations = running ? 256 : 64;
  const moments = t.buffer(`moments of ${name}`, allBlocks * 32);
  const { tensor } = parameter;
  // The statistics of a batch are of the rows of all ranks.
  const { ranks } = t.together;
  const sharing = running && t.exchanges;
  const sized = (text: string) => ({ text, parameters: { invocations } });
  const values = () => packed("norm_x", t.tensor(x));
  const workgroups = inRows(allBlocks);
  const constants = {
    FLAT: flat,
    PIXELS: pixels,
    CHANNELS: channels,
    CHANNELS4: channels4,
    SET_CHANNELS: setChannels,
    BLOCK_SETS: 4 / gcd(setChannels, 4),
    WIDTH4: width4,
    BLOCKS: blocks,
    IMAGE_SETS: !running,
    COUNT: count,
    ALL_BLOCKS: allBlocks,
    ACROSS: workgroups[0],
    ROWS_norm_affine: tensor.storedRows,
    ROW_norm_offset: parameter.biasRow,
  };
  const counted = (): Fragment =>
    running
      ? merge(validRows(t), {
        parts: [validPixels],
        constants: { VALID_PIXELS: data % t.batch ? 0 : data / t.batch * pixels },
      })
      : { parts: [allPixels] };
  const kept = (access: typeof read): Fragment =>
    running
      ? {
        parts: [],
        constants: {
          ROWS_norm_running: running.averages.tensor.storedRows,
          ROW_norm_running: running.averages.biasRow,
        },
        buffers: { norm_running: access(running.averages.tensor) },
      }
      : { parts: [] };
  t.record({
    name,
    inputs: [x],
    parameters: [parameter],
    formula(f) {
      const normalized = f.normalized(f.of(x), parameter, { pixels, setChannels, epsilon, running });
      return activated(f, normalized, activation);
    },
    forward() {
      const affine: Fragment = { parts: [], floats: { EPSILON: epsilon }, buffers: { norm_affine: read(tensor) } };
      if (running && !t.training) {
        const a = merge(values(), affine, kept(read), { parts: [runningShader], constants });
        t.map(`${name} forward`, a, epilogue(), y);
        return;
      }
      if (running && count < 2) {
        throw new RangeError(`Cannot train "${name}" on batches of 1 row: a variance needs 2 values of each channel`);
      }
      const keeps = running && t.updating
        ? merge(kept(write), { parts: [keepRunning], floats: { MOMENTUM: running.momentum } })
        : { parts: [keepNone] };
      const found = [treeSum("vec4f", invocations), sized(setsShader), sized(momentsShader)];
      const whole = sharing && t.buffer(`moments of ${name} by rank`, allBlocks * 32 * ranks.size);
      if (whole) {
        t.dispatch({
          label: `${name} moments`,
          fragments: [
            merge(values(), counted(), {
              parts: [...found, shareMoments, sized(blocksShader)],
              constants: { ...constants, RANK: ranks.rank, RANKS: ranks.size },
              buffers: { norm_shares: write(whole, "array<vec4f>") },
            }),
          ],
          workgroups,
        });
        t.exchange([whole]);
      }
      t.dispatch({
        label: `${name} forward`,
        fragments: [
          merge(values(), counted(), affine, keeps, epilogue(), {
            parts: [...found, whole ? momentsShared : momentsHere, sized(forwardShader), sized(blocksShader)],
            constants: { ...constants, ...whole ? { RANKS: ranks.size } : {} },
            buffers: {
              norm_moments: write(moments, "array<vec4f>"),
              ...whole ? { norm_shares: read(whole, "array<vec4f>") } : {},
            },
          }),
        ],
        workgroups,
      });
    },
    backward() {
      const upstream = t.gradient(y);
      const given = (): Fragment =>
        merge(values(), {
          parts: [treeSum("vec4f", invocations), sized(setsShader)],
          constants: { ...constants, ROWS_norm_upstream: upstream.storedRows },
          buffers: { norm_upstream: read(upstream), norm_moments: read(moments, "array<vec4f>") },
        });
      // The input gradient first: that of gain and offset ends by changing the gain.
      if (t.needsGradient(x)) {
        const whole = sharing && t.buffer(`sums of ${name}`, allBlocks * 32);
        const affine = { norm_affine: read(tensor) };
        if (whole) {
          t.dispatch({
            label: `${name} sums`,
            fragments: [
              merge(given(), counted(), {
                parts: [sized(sumsShader), shareSums, sized(blocksShader)],
                buffers: { ...affine, norm_sums: write(whole, "array<vec4f>") },
              }),
            ],
            workgroups,
          });
          t.exchange([whole]);
        }
        t.dispatch({
          label: `${name} input gradient`,
          fragments: [
            merge(given(), counted(), t.contribution(x), {
              parts: [sized(sumsShader), whole ? sumsShared : sumsHere, sized(inputGradient), sized(blocksShader)],
              ...whole ? { constants: { RANKS: ranks.size } } : {},
              buffers: { ...affine, ...whole ? { norm_sums: read(whole, "array<vec4f>") } : {} },
            }),
          ],
          workgroups,
        });
      }
      if (t.needsGradient(parameter)) {
        t.dispatch({
          label: `${name} gradient`,
          fragments: [
            merge(given(), t.contribution(parameter), {
              parts: [sized(affineGradient)],
              constants: { ALL_PIXELS: data * pixels },
            }),
          ],
          workgroups: [channels4],
        });
      }
    },
  }, y);
  return y;
}
