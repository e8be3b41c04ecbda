/**
 * An autoregressive prior over images of codes: what a model with a codebook needs to generate. It is no model.
 *
 * @module
 */

import type { Settings } from "../core/settings.ts";
import { chain, type Layer, linear, mlp } from "../core/nn/mod.ts";
import { causalContext, causalContextOfStep, contextColumns } from "../core/ops/causal_context.ts";
import { drawCode } from "../core/ops/draw_code.ts";
import { embedding } from "../core/ops/embedding.ts";
import { softmaxNll } from "../core/ops/softmax_nll.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import type { RowScalars, Tape, Variable } from "../core/graph/tape.ts";

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

/** An image of codes: rows, columns, codes at each position, and how many there are to choose from. */
export interface CodeImage {
  readonly height: number;
  readonly width: number;
  /** M, codes of as many codebooks. Default 1. */
  readonly each?: number;
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

/** prior.embedding: a column for each code of each codebook; prior.0 ...: the hidden layers; prior.logits. */
export function codePriorShapes(config: CodePriorConfig, image: CodeImage): Shapes {
  const { priorEmbedding: channels, priorRadius: radius } = config;
  if (channels % 4) {
    throw new RangeError(`Cannot embed codes: expected a prior embedding of a multiple of 4, found ${channels}`);
  }
  const inputs = contextColumns({ ...image, radius }, channels);
  return {
    [`${CODE_PRIOR}.embedding`]: { inputs: channels, outputs: (image.each ?? 1) * image.count },
    ...network(config, inputs, image.count).shapes,
  };
}

/**
 * -log p(c) = -Σ log p(cᵢ | the codes before i in reading order, within R rows and columns; i) of each datum, nats
 *
 * The logits of a code are a dense network with SiLU on the embeddings of the codes before it, and its place. Of several codes at a position,
 * each follows from those before it there too, and embeddings of one position are summed: Lee et al., "Autoregressive Image Generation
 * using Residual Quantization", arXiv:2203.01941, section 3.2.
 *
 * @param codes c [N, P M], those of one position side by side
 */
export function codePriorNll(
  t: Tape,
  p: Parameters,
  codes: Variable,
  config: CodePriorConfig,
  image: CodeImage,
): RowScalars {
  const embedded = embedding(t, codes, p.get(`${CODE_PRIOR}.embedding`), image.each);
  const context = causalContext(t, embedded, { ...image, radius: config.priorRadius });
  return softmaxNll(t, network(config, context.columns, image.count).apply(t, p, context), codes);
}

/**
 * c ~ p(c), ancestrally: step t of the program draws code t of every image, from the softmax of the logits over the temperature
 *
 * Equal seeds give equal codes; P M steps draw all of them. What a place holds before its turn has no influence.
 *
 * @param temperature T [N, 1]: each code is drawn from p^(1 / T), the most probable one where it is 0.
 * @returns Codes [N, P M], complete after P M steps
 */
export function drawCodes(
  t: Tape,
  p: Parameters,
  temperature: Variable,
  config: CodePriorConfig,
  image: CodeImage,
): Variable {
  const codes = t.variable("codes", image.height * image.width * (image.each ?? 1), "f32", temperature.rows);
  const options = { ...image, radius: config.priorRadius };
  const context = causalContextOfStep(t, codes, p.get(`${CODE_PRIOR}.embedding`), options);
  drawCode(t, { logits: network(config, context.columns, image.count).apply(t, p, context), temperature, codes });
  return codes;
}
