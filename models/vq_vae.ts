/**
 * The Vector Quantised Variational AutoEncoder: convolutions with residual blocks around an image of codes, and an autoregressive prior
 * over the codes.
 *
 * @module
 */

import { perplexity } from "../core/training/code_usage.ts";
import type { Likelihood } from "../core/distributions/distribution.ts";
import { point } from "../core/distributions/point.ts";
import { features } from "../core/dataset.ts";
import { kMeans } from "./k_means.ts";
import type { Batch, DataShape, Model, PriorDraw, StartContext } from "../core/model.ts";
import { activation, chain, conv, type ImageShape, type Layer, residual } from "../core/nn/mod.ts";
import { quantize, type Quantized } from "../core/ops/quantize.ts";
import { counter } from "../core/ops/counter.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { permuted } from "../core/graph/random.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Objective, Tape, Term, Variable } from "../core/graph/tape.ts";
import {
  CODE_PRIOR,
  type CodeImage,
  type CodePriorConfig,
  codePriorNll,
  codePriorSettings,
  codePriorShapes,
  drawCodes,
} from "./code_prior.ts";
import {
  type ConvStackConfig,
  convStackSettings,
  dataImages,
  type Doublings,
  downsample,
  pyramid,
  rowsOf,
  upsample,
} from "./conv_stack.ts";
import {
  chosenLikelihood,
  likelihoodByData,
  likelihoodCaveats,
  likelihoodFindings,
  likelihoodSupport,
} from "./likelihood.ts";

/** What shapes the encoder and decoder, the codebook and how it learns, the prior and the likelihood. */
export interface VqVaeConfig extends ConvStackConfig, CodePriorConfig {
  /** Residual blocks of the encoder, and of the decoder. */
  readonly residualBlocks: number;
  /** Channels within a residual block. */
  readonly residualChannels: number;
  /** K */
  readonly codes: number;
  /** D, numbers of a code. */
  readonly codeDimension: number;
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

/** Training rows that are encoded for the first codes, and iterations of k-means on some of their positions. */
const START = { rows: 1024, iterations: 10 } as const;

/** Encoded positions that k-means looks at: 16 a code and 4096 at least, but no more than 2^24 distances, nor fewer than 2 a code. */
const startPositions = (codes: number) => Math.max(2 * codes, Math.min(Math.max(4096, 16 * codes), 2 ** 24 / codes));

/** The image of codes [H', W', D]. */
function codeImages(config: VqVaeConfig, data: ImageShape): ImageShape {
  const [height, width] = pyramid(config, data).at(-1)!;
  return [height, width, config.codeDimension];
}

/** The same of a model's parameters. */
function codeImage(p: Parameters): CodeImage {
  const [height, width] = p.get("decoder.in").shape.images!;
  return { height, width, count: p.get("codebook").shape.outputs };
}

const positionsOf = ({ height, width }: CodeImage) => height * width;

/** The layers around the codes. */
interface Layers {
  /** encoder.0 ... ; encoder.block.0.0 (3 x 3) and encoder.block.0.1 (1 x 1), ...; encoder.out to D channels. */
  readonly encoder: Layer;
  /** decoder.in from D channels, and the decoder's blocks. */
  readonly decoder: Layer;
  readonly upsample: Doublings;
}

function layersOf(config: VqVaeConfig, data: ImageShape): Layers {
  const { residualBlocks, residualChannels, codeDimension, activation: f } = config;
  const smallest = pyramid(config, data).at(-1)!;
  const [height, width, channels] = smallest;
  // x + conv1x1(f(conv3x3(f(x)))), for each block; then f.
  const blocks = (side: string): Layer => {
    const block = (i: number) =>
      residual(chain(
        activation(f),
        conv(`${side}.block.${i}.0`, smallest, residualChannels, { kernel: 3, padding: 1, activation: f }),
        conv(`${side}.block.${i}.1`, [height, width, residualChannels], channels, { kernel: 1 }),
      ));
    return chain(...Array.from({ length: residualBlocks }, (_, i) => block(i)), activation(f));
  };
  return {
    encoder: chain(
      downsample(config, data, { last: "identity", flat: false }),
      blocks("encoder"),
      conv("encoder.out", smallest, codeDimension, { kernel: 1 }),
    ),
    decoder: chain(
      conv("decoder.in", codeImages(config, data), channels, { kernel: 3, padding: 1 }),
      blocks("decoder"),
    ),
    upsample: upsample(config, data),
  };
}

/** The encoder's; codebook [D, K]; usage, what is kept of how the codes are used; the decoder's; the prior's. */
function shapes(config: VqVaeConfig, data: DataShape): Shapes {
  const { codes, codeDimension, codebook } = config;
  const [height, width] = codeImages(config, data.shape);
  const { encoder, decoder, upsample } = layersOf(config, data.shape);
  const averaged = codebook === "moving-average";
  return {
    ...encoder.shapes,
    codebook: { inputs: codeDimension, outputs: codes, ...averaged ? { trained: false } : {} },
    usage: { inputs: averaged ? codeDimension : 0, outputs: codes, trained: false },
    ...decoder.shapes,
    ...upsample.shapes,
    ...codePriorShapes(config, { height, width, count: codes }),
  };
}

/** z [N P, D], what is quantized. */
function encodePositions(t: Tape, p: Parameters, x: Variable, config: VqVaeConfig): Variable {
  return layersOf(config, dataImages(p)).encoder.apply(t, p, x);
}

function quantized(t: Tape, p: Parameters, x: Variable, config: VqVaeConfig): Quantized {
  const { decay, revival } = config;
  const z = encodePositions(t, p, x, config);
  return quantize(t, z, p.get("codebook"), positionsOf(codeImage(p)), { usage: p.get("usage"), decay, revival });
}

/** p(x | z). z [N P, D] or [N, P D] */
function decodePositions(t: Tape, p: Parameters, z: Variable, config: VqVaeConfig, rows: number): Likelihood {
  const { decoder, upsample } = layersOf(config, dataImages(p));
  return upsample.decode(t, p, decoder.apply(t, p, z), rows);
}

function objectives(t: Tape, p: Parameters, { x }: Batch, config: VqVaeConfig): readonly Objective[] {
  const { e, codes, commitment, codebook } = quantized(t, p, x, config);
  counter(t, "perplexity", codes, config.codes, perplexity);
  const nll = decodePositions(t, p, e, config, x.rows).nll(x);
  const terms: Term[] = [
    { name: "nll", value: nll, weight: constant(1) },
    { name: "commitment", value: commitment, weight: constant(config.commitment) },
  ];
  if (config.codebook === "gradient") {
    terms.push({ name: "codebook", value: codebook, weight: constant(config.codebookWeight) });
  }
  const kl = codePriorNll(t, p, codes, config, codeImage(p));
  return [{ terms }, { parameters: CODE_PRIOR, terms: [{ name: "kl", value: kl, weight: constant(1) }] }];
}

/** The first codes: means of k-means of what the encoder makes of training rows. Each starts with an even share of the usage. */
async function start(context: StartContext, config: VqVaeConfig): Promise<void> {
  const { parameters: p, batchSize, seed, count, outputs } = context;
  const { codes, codeDimension } = config;
  const images = Array.from({ length: Math.min(count, START.rows) }, (_, i) => permuted(i, count, seed, 0xffff));
  const all = await outputs(images, (t, x) => rowsOf(t, encodePositions(t, p, x, config), x.rows));
  const positions = all.length / codeDimension;
  const size = Math.min(positions, Math.floor(startPositions(codes)));
  const values = new Float32Array(size * codeDimension);
  for (let i = 0; i < size; i++) {
    const from = permuted(i, positions, seed, 0xfffe) * codeDimension;
    values.set(all.subarray(from, from + codeDimension), i * codeDimension);
  }
  const means = kMeans(values, codeDimension, codes, seed, START.iterations);
  const columns = new Float32Array(means.length);
  for (let k = 0; k < codes; k++) {
    for (let d = 0; d < codeDimension; d++) columns[d * codes + k] = means[k * codeDimension + d];
  }
  const share = batchSize * positionsOf(codeImage(p)) / codes;
  const [codebook, usage] = [p.get("codebook"), p.get("usage")];
  codebook.set(codebook.tensor, columns, new Float32Array(codes));
  usage.set(usage.tensor, columns.map((value) => value * share), new Float32Array(codes).fill(share));
}

/** Codes from the learned prior, as the vectors that they stand for [count, P D]. */
async function drawPrior(p: Parameters, config: VqVaeConfig, draw: PriorDraw): Promise<Float32Array<ArrayBuffer>> {
  const { codes: count, codeDimension } = config;
  const image = codeImage(p);
  const codes = await draw.outputs(
    positionsOf(image),
    (t, temperature) => drawCodes(t, p, temperature, config, image),
  );
  const { weight } = await p.get("codebook").get();
  return Float32Array.from(
    { length: codes.length * codeDimension },
    (_, i) => weight[i % codeDimension * count + codes[Math.floor(i / codeDimension)]],
  );
}

/**
 * loss = -log p(x | e) + α |sg(z) - e|² + β |z - sg(e)|², e the nearest code of z at each position, and apart from it -log p(codes)
 *
 * The encoder gives an image of P vectors z of D numbers, each replaced by the nearest of K codes, through which the gradient passes
 * straight. Every term is summed over pixels or positions and numbers, not averaged: where a loss takes means, over P D numbers and over
 * X pixel values, its β is β X / (P D) here. The latents are the vectors e of all positions, P D numbers, so that `decode`
 * takes what lies between codes too.
 *
 * `kl` is -log p(codes) under the learned prior, which is the divergence of the posterior from it, since the posterior is one point:
 * -(nll + kl) is a bound on log p(x). It trains the prior alone; nothing of it reaches the encoder. `perplexity` is exp H of how often each
 * code is used over an epoch or a split, at most K.
 *
 * For 28 x 28 x 1 and the defaults: 14 x 14 x 32, 7 x 7 x 128, blocks of 3 x 3 to 32 channels and 1 x 1 back, 7 x 7 codes; for
 * 32 x 32 x 3, 8 x 8 codes. The codes start as the means of k-means of encoded training rows.
 *
 * Source: van den Oord et al., "Neural Discrete Representation Learning", arXiv:1711.00937, equation 3 and appendix A.1.
 */
export const vqVae: Model<VqVaeConfig> = {
  name: "vq_vae",
  summary: "VQ-VAE: an image of discrete codes, residual convolutions, a learned prior over the codes",
  source: "van den Oord et al., arXiv:1711.00937, equation 3",
  settings: {
    channels: { ...convStackSettings.channels, default: [32, 128] },
    kernel: convStackSettings.kernel,
    residualBlocks: {
      type: "integer",
      default: 2,
      minimum: 0,
      maximum: 16,
      help: "residual blocks of the encoder, and of the decoder",
    },
    residualChannels: { type: "integer", default: 32, minimum: 1, maximum: 512, help: "channels within such a block" },
    codes: { type: "integer", default: 512, minimum: 2, maximum: 8192, help: "codes of the codebook, K" },
    codeDimension: { type: "integer", default: 32, minimum: 1, maximum: 512, help: "numbers of a code, D" },
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
    activation: convStackSettings.activation,
    ...codePriorSettings,
    ...likelihoodByData,
  },
  parameters: shapes,
  objectives,
  start,
  encode: (t, p, x, config) => point(t, rowsOf(t, quantized(t, p, x, config).e, x.rows)),
  decode: (t, p, z, config) => decodePositions(t, p, z, config, z.rows),
  codes: {
    count: ({ codes }) => codes,
    record: (t, p, x, config) => quantized(t, p, x, config).codes,
  },
  drawPrior,
  latents: (config, data) => features(codeImages(config, data.shape)),
  support: likelihoodSupport,
  findings: likelihoodFindings,
  choose: chosenLikelihood,
  caveats: (config) => [
    "kl is -log p(codes) under the learned prior, which it trains: elbo is a bound on log p(x) for the encoder's codes",
    ...likelihoodCaveats(config, config.commitment, "|z - sg(e)|²"),
  ],
};
