/**
 * A VAE with discrete codes: convolutions with residual blocks around an image of codes, and an autoregressive prior over the codes.
 * `vq_vae` and `wang_vq_vae` are presets of it. It is no model.
 *
 * @module
 */

import type { Likelihood } from "../core/distributions/distribution.ts";
import { point } from "../core/distributions/point.ts";
import { features } from "../core/dataset.ts";
import type { Batch, DataShape, Model, PriorDraw, StartContext } from "../core/model.ts";
import { activation, chain, conv, type ImageShape, type Layer, residual } from "../core/nn/mod.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { permuted } from "../core/graph/random.ts";
import { constant } from "../core/graph/schedule.ts";
import { defaults as defaultsOf, presetSettings, type Settings } from "../core/settings.ts";
import type { Objective, Tape, Variable } from "../core/graph/tape.ts";
import {
  CODE_PRIOR,
  type CodeImage,
  type CodePriorConfig,
  codePriorNll,
  codePriorSettings,
  codePriorShapes,
  drawCodes,
} from "./code_prior.ts";
import { dataImages, type Doublings, downsample, pyramid, rowsOf, upsample } from "./conv_stack.ts";
import { likelihoodFindings } from "./likelihood.ts";
import {
  codesOf,
  codeWidth,
  type QuantizedPositions,
  type QuantizerConfig,
  quantizerSettings,
  quantizerShapes,
  quantizerTerms,
  recordQuantizer,
  requireQuantizer,
  startQuantizer,
  vectorsOf,
} from "./quantizer.ts";
import { type ConvStackConfig, convStackSettings } from "./composed_settings.ts";
import { chosenLikelihood, likelihoodByData, likelihoodCaveats, likelihoodSupport } from "./likelihood_settings.ts";

/** What shapes the encoder and decoder, the codes and how they learn, the prior and the likelihood. */
export interface VqVaeConfig extends ConvStackConfig, QuantizerConfig, CodePriorConfig {
  /** Residual blocks of the encoder, and of the decoder. */
  readonly residualBlocks: number;
  /** Channels within a residual block. */
  readonly residualChannels: number;
}

/** Training rows that are encoded for the first codes, and iterations of k-means on some of their positions. */
const START = { rows: 1024, iterations: 10 } as const;

/** Encoded positions that k-means looks at: 16 a code and 4096 at least, but no more than 2^24 distances, nor fewer than 2 a code. */
const startPositions = (codes: number) => Math.max(2 * codes, Math.min(Math.max(4096, 16 * codes), 2 ** 24 / codes));

/** The image of what is quantized, [H', W', D]. */
function codeImages(config: VqVaeConfig, data: ImageShape): ImageShape {
  const [height, width] = pyramid(config, data).at(-1)!;
  return [height, width, codeWidth(config)];
}

/** The image of codes. */
function codeImage(p: Parameters, config: VqVaeConfig): CodeImage {
  const [height, width] = p.get("decoder.in").shape.images!;
  return { height, width, ...codesOf(config) };
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
  const { residualBlocks, residualChannels, activation: f } = config;
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
      conv("encoder.out", smallest, codeWidth(config), { kernel: 1 }),
    ),
    decoder: chain(
      conv("decoder.in", codeImages(config, data), channels, { kernel: 3, padding: 1 }),
      blocks("decoder"),
    ),
    upsample: upsample(config, data),
  };
}

/** The encoder's; the codebooks' and what is kept of their use; the decoder's; the prior's. */
function shapes(config: VqVaeConfig, data: DataShape): Shapes {
  const [height, width] = codeImages(config, data.shape);
  const { encoder, decoder, upsample } = layersOf(config, data.shape);
  return {
    ...encoder.shapes,
    ...quantizerShapes(config),
    ...decoder.shapes,
    ...upsample.shapes,
    ...codePriorShapes(config, { height, width, ...codesOf(config) }),
  };
}

/** z [N P, D], what is quantized. */
function encodePositions(t: Tape, p: Parameters, x: Variable, config: VqVaeConfig): Variable {
  return layersOf(config, dataImages(p)).encoder.apply(t, p, x);
}

function quantized(t: Tape, p: Parameters, x: Variable, config: VqVaeConfig): QuantizedPositions {
  const z = encodePositions(t, p, x, config);
  return recordQuantizer(t, p, z, positionsOf(codeImage(p, config)), config);
}

/** p(x | z). z [N P, D] or [N, P D] */
function decodePositions(t: Tape, p: Parameters, z: Variable, config: VqVaeConfig, rows: number): Likelihood {
  const { decoder, upsample } = layersOf(config, dataImages(p));
  return upsample.decode(t, p, decoder.apply(t, p, z), rows);
}

function objectives(t: Tape, p: Parameters, { x }: Batch, config: VqVaeConfig): readonly Objective[] {
  const found = quantized(t, p, x, config);
  const terms = quantizerTerms(t, found, config);
  const nll = decodePositions(t, p, found.e, config, x.rows).nll(x);
  const kl = codePriorNll(t, p, found.codes, config, codeImage(p, config));
  return [
    { terms: [{ name: "nll", value: nll, weight: constant(1) }, ...terms] },
    { parameters: CODE_PRIOR, terms: [{ name: "kl", value: kl, weight: constant(1) }] },
  ];
}

/** The first codes: means of k-means of what the encoder makes of training rows. */
async function start(context: StartContext, config: VqVaeConfig): Promise<void> {
  const { parameters: p, batchSize, seed, count, outputs } = context;
  const { codes, codeDimension, quantizer } = config;
  if (quantizer === "fsq") return;
  const images = Array.from({ length: Math.min(count, START.rows) }, (_, i) => permuted(i, count, seed, 0xffff));
  const all = await outputs(images, (t, x) => rowsOf(t, encodePositions(t, p, x, config), x.rows));
  const positions = all.length / codeDimension;
  const size = Math.min(positions, Math.floor(startPositions(codes)));
  const values = new Float32Array(size * codeDimension);
  for (let i = 0; i < size; i++) {
    const from = permuted(i, positions, seed, 0xfffe) * codeDimension;
    values.set(all.subarray(from, from + codeDimension), i * codeDimension);
  }
  const rows = batchSize * positionsOf(codeImage(p, config));
  startQuantizer(p, values, { rows, seed, iterations: START.iterations }, config);
}

/** Codes from the learned prior, as the vectors that they stand for [count, P D]. */
async function drawPrior(p: Parameters, config: VqVaeConfig, draw: PriorDraw): Promise<Float32Array<ArrayBuffer>> {
  const image = codeImage(p, config);
  const codes = await draw.outputs(
    positionsOf(image) * (image.each ?? 1),
    (t, temperature) => drawCodes(t, p, temperature, config, image),
  );
  return await vectorsOf(p, codes, config);
}

/** Every setting. */
const standard: Settings<VqVaeConfig> = {
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
  ...quantizerSettings,
  activation: convStackSettings.activation,
  ...codePriorSettings,
  ...likelihoodByData,
};

/** What a model is beside a VAE with discrete codes. */
export interface VqVaePreset extends Pick<Model, "name" | "summary" | "source" | "training"> {
  /** Its defaults, where they differ. */
  readonly defaults?: Partial<VqVaeConfig>;
}

/**
 * loss = -log p(x | e) + α |sg(z) - e|² + β |z - sg(e)|², e the nearest code of z at each position, and apart from it -log p(codes)
 *
 * The encoder gives an image of P vectors z of D numbers, each replaced by the nearest of K codes, through which the gradient passes
 * straight. Every term is summed over pixels or positions and numbers, not averaged: where a loss takes means, over P D numbers and over
 * X pixel values, its β is β X / (P D) here. The latents are the vectors e of all positions, P D numbers, so that `decode`
 * takes what lies between codes too. Other quantizers are settings: {@linkcode QuantizerConfig}.
 *
 * `kl` is -log p(codes) under the learned prior, which is the divergence of the posterior from it, since the posterior is one point:
 * -(nll + kl) is a bound on log p(x). It trains the prior alone; nothing of it reaches the encoder. `perplexity` is exp H of how often each
 * code is used over an epoch or a split, at most K; of several codes at a position, each has its own: `perplexity0`, ...
 *
 * For 28 x 28 x 1 and the defaults: 14 x 14 x 32, 7 x 7 x 128, blocks of 3 x 3 to 32 channels and 1 x 1 back, 7 x 7 codes; for
 * 32 x 32 x 3, 8 x 8 codes. The codes start as the means of k-means of encoded training rows.
 */
export function vectorQuantized({ name, summary, source, training, defaults = {} }: VqVaePreset): Model<VqVaeConfig> {
  const settings = presetSettings(standard, defaults);
  return {
    name,
    summary,
    source,
    training,
    settings,
    check: (config) => requireQuantizer(config, defaultsOf(settings)),
    parameters: shapes,
    objectives,
    start,
    encode: (t, p, x, config) => point(t, rowsOf(t, quantized(t, p, x, config).e, x.rows)),
    decode: (t, p, z, config) => decodePositions(t, p, z, config, z.rows),
    codes: {
      count: (config) => codesOf(config).count,
      each: (config) => codesOf(config).each,
      record: (t, p, x, config) => quantized(t, p, x, config).codes,
    },
    drawPrior,
    latents: (config, data) => features(codeImages(config, data.shape)),
    support: likelihoodSupport,
    findings: likelihoodFindings,
    choose: defaults.likelihood ? undefined : chosenLikelihood,
    caveats: (config) => [
      "kl is -log p(codes) under the learned prior, which it trains: elbo is a bound on log p(x) for the encoder's codes",
      ...likelihoodCaveats(config, config.quantizer === "fsq" ? 0 : config.commitment, "|z - sg(e)|²"),
    ],
  };
}
