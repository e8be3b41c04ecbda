/**
 * An autoregressive prior over images of codes: what a model with a codebook needs to generate. It is no model.
 *
 * @module
 */

import type { Settings } from "../core/settings.ts";
import { chain, type Layer, linear, mlp } from "../core/nn/mod.ts";
import { causalContext, contextColumns, contextOffsets } from "../core/ops/causal_context.ts";
import { embedding } from "../core/ops/embedding.ts";
import { softmaxNll } from "../core/ops/softmax_nll.ts";
import type { Parameter, Parameters, Shapes } from "../core/graph/parameters.ts";
import { chosen, uniforms } from "../core/graph/random.ts";
import type { Tape, Values, Variable } from "../core/graph/tape.ts";

/** What shapes the prior. */
export interface CodePriorConfig {
  /** E, channels of a code as the prior sees it. */
  readonly priorEmbedding: number;
  /** R, rows and columns that the prior looks back. */
  readonly priorRadius: number;
  /** Widths of its hidden layers. */
  readonly priorHidden: readonly number[];
}

/** The settings of {@linkcode CodePriorConfig}. */
export const codePriorSettings: Settings<CodePriorConfig> = {
  priorEmbedding: {
    type: "integer",
    default: 16,
    minimum: 4,
    maximum: 512,
    help: "prior: channels of a code as it sees it, a multiple of 4",
  },
  priorRadius: {
    type: "integer",
    default: 3,
    minimum: 1,
    maximum: 16,
    help: "prior: rows above and columns beside a position that it sees",
  },
  priorHidden: { type: "integers", default: [128], minimum: 1, maximum: 16384, help: "prior: widths of hidden layers" },
};

/** An image of codes: rows, columns, and how many codes there are. */
export interface CodeImage {
  readonly height: number;
  readonly width: number;
  /** K */
  readonly count: number;
}

/** All parameters of the prior have names that begin so. */
export const CODE_PRIOR = "prior";

/** From contexts to logits. */
function network({ priorHidden }: CodePriorConfig, inputs: number, count: number): Layer {
  return chain(
    mlp(CODE_PRIOR, [inputs, ...priorHidden], { activation: "silu" }),
    linear(`${CODE_PRIOR}.logits`, priorHidden.at(-1) ?? inputs, count),
  );
}

/** prior.embedding: a column for each code; prior.0 ...: the hidden layers; prior.logits. */
export function codePriorShapes(config: CodePriorConfig, image: CodeImage): Shapes {
  const { priorEmbedding: channels, priorRadius: radius } = config;
  if (channels % 4) {
    throw new RangeError(`Cannot embed codes: expected a prior embedding of a multiple of 4, found ${channels}`);
  }
  const inputs = contextColumns({ ...image, radius }, channels);
  return {
    [`${CODE_PRIOR}.embedding`]: { inputs: channels, outputs: image.count },
    ...network(config, inputs, image.count).shapes,
  };
}

/**
 * -log p(c) = -Σ log p(cᵢ | the codes before i in reading order, within R rows and columns; i) of each datum, nats
 *
 * p(cᵢ | ...) is a softmax of a dense network with SiLU, of the embeddings of those codes and an indicator of the position.
 *
 * @param codes c [N, P]
 */
export function codePriorNll(
  t: Tape,
  p: Parameters,
  codes: Variable,
  config: CodePriorConfig,
  image: CodeImage,
): Values {
  const embedded = embedding(t, codes, p.get(`${CODE_PRIOR}.embedding`));
  const context = causalContext(t, embedded, { ...image, radius: config.priorRadius });
  return softmaxNll(t, network(config, context.columns, image.count).apply(t, p, context), codes);
}

/** How {@linkcode drawCodes} draws. */
export interface CodeDraw {
  readonly count: number;
  /** T: each position is drawn from p^(1 / T), the most probable code where it is 0. */
  readonly temperature: number;
  readonly seed: number;
}

/**
 * c ~ p(c), position by position, on the host.
 *
 * @returns Codes [count, P]
 */
export async function drawCodes(
  p: Parameters,
  config: CodePriorConfig,
  { height, width, count: codes }: CodeImage,
  { count, temperature, seed }: CodeDraw,
): Promise<Uint32Array<ArrayBuffer>> {
  const { priorEmbedding: channels, priorRadius: radius, priorHidden } = config;
  const table = (await p.get(`${CODE_PRIOR}.embedding`).get()).weight;
  const names = [...priorHidden.map((_, i) => `${CODE_PRIOR}.${i}`), `${CODE_PRIOR}.logits`];
  const layers = await Promise.all(names.map((name) => p.get(name).get()));
  const offsets = contextOffsets(radius);
  const positions = height * width;
  const u = uniforms(new Float64Array(count * positions), seed, 0, 0);
  const drawn = new Uint32Array(count * positions);
  const context = new Float32Array(contextColumns({ height, width, radius }, channels));
  for (let n = 0; n < count; n++) {
    const image = drawn.subarray(n * positions, (n + 1) * positions);
    for (let i = 0; i < positions; i++) {
      context.fill(0);
      offsets.forEach(([dy, dx], b) => {
        const y = Math.floor(i / width) + dy;
        const x = i % width + dx;
        if (y < 0 || x < 0 || x >= width) return;
        const code = image[y * width + x];
        for (let e = 0; e < channels; e++) context[b * channels + e] = table[e * codes + code];
      });
      context[offsets.length * channels + i] = 1;
      const logits = layers.reduce<Float32Array>(
        (h, layer, l) => apply(layer, l > 0 ? h.map((value) => value / (1 + Math.exp(-value))) : h),
        context,
      );
      const largest = logits.reduce((most, value) => Math.max(most, value), -Infinity);
      const shares = logits.map((value) => Math.exp((value - largest) / Math.max(temperature, 1e-6)));
      image[i] = chosen(shares, u[n * positions + i]);
    }
  }
  return drawn;
}

/** x W + b */
function apply({ weight, bias }: Awaited<ReturnType<Parameter["get"]>>, x: Float32Array): Float32Array {
  const y = bias.slice();
  for (let i = 0; i < x.length; i++) {
    if (x[i] === 0) continue;
    const from = i * y.length;
    for (let o = 0; o < y.length; o++) y[o] += x[i] * weight[from + o];
  }
  return y;
}
