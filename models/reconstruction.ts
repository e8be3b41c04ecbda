/**
 * What a VAE can minimise in place of -log p(x | z): another measure of how unlike x and its reconstruction are. It is no model.
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { Likelihood } from "../core/distributions/distribution.ts";
import type { DataShape } from "../core/model.ts";
import { add } from "../core/ops/add.ts";
import { elementwise } from "../core/ops/elementwise.ts";
import { MS_SSIM_SMALLEST, msSsim } from "../core/ops/ms_ssim.ts";
import { valuesOf } from "../core/ops/sum.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Objective, Tape, Term, Variable } from "../core/graph/tape.ts";
import { dataImages, downsample, pyramid, rowsOf } from "./conv_stack.ts";
import { type Discriminator, discriminator, unrecognized } from "./discriminator.ts";
import type { PriorPart } from "./prior.ts";
import type { ConvStackConfig, DiscriminatorConfig, ReconstructionConfig } from "./composed_settings.ts";

/** What a reconstruction is of. */
type Config =
  & ReconstructionConfig
  & DiscriminatorConfig
  & ConvStackConfig
  & { readonly encoder: "dense" | "conv" };

/** ½ (a - b)² */
const halfSquare = elementwise({
  name: "½ (a - b)²",
  inputs: ["a", "b"],
  value: "0.5 * (a - b) * (a - b)",
  derivatives: { a: "a - b", b: "b - a" },
});

/** The discriminator of data: with convolutions as the encoder has them, where it has. */
function ofData(config: Config, shape: DataShape["shape"]): Discriminator {
  if (config.encoder === "dense") return discriminator("data", features(shape), config);
  const smallest = features(pyramid(config, shape).at(-1)!);
  const plain = { ...config, activation: "leaky_relu", normalization: "none", dropout: 0, residual: 0 } as const;
  return discriminator("data", smallest, config, (of) => {
    const layers = downsample(plain, shape, { last: "leaky_relu", flat: true, of });
    return { shapes: layers.shapes, apply: (t, p, x) => rowsOf(t, layers.apply(t, p, x), x.rows) };
  });
}

/** The shapes of the discriminator of data, where there is one. */
export function reconstructionShapes(config: Config, data: DataShape): Shapes {
  const [height, width] = data.shape;
  if (config.reconstruction === "ms-ssim" && Math.min(height, width) < MS_SSIM_SMALLEST) {
    throw new RangeError(
      `Cannot reconstruct by ms-ssim: expected images of at least ${MS_SSIM_SMALLEST} x ${MS_SSIM_SMALLEST} pixels, ` +
        `found ${height} x ${width}`,
    );
  }
  return config.reconstruction === "features" ? ofData(config, data.shape).shapes : {};
}

/** What there is of a batch. */
export interface Reconstruction {
  readonly p: Parameters;
  /** [N, D] */
  readonly x: Variable;
  /** H, W and C of a row of it. */
  readonly shape?: DataShape["shape"];
  /** p(x | z) */
  readonly likelihood: Likelihood;
  /** Records p(x | z) of a draw of the prior for each datum. */
  decodePrior(): Likelihood;
}

/** What stands for the likelihood in the loss. */
export interface Reconstructed {
  /** What the encoder minimises; the decoder too, where it has no `decoder` of its own. */
  readonly terms: readonly Term[];
  /** What the decoder minimises instead. */
  readonly decoder?: readonly Term[];
  /** What a discriminator of its own minimises. */
  readonly adversary?: Objective;
}

/**
 * The encoder minimises R = ½ ‖f(x) - f(x̃)‖², and the decoder γ R - ½ (log (1 - D(x̃)) + log (1 - D(x_p)))
 *
 * x̃ = E[x | z], x_p is decoded from a draw of the prior, D is the probability that the discriminator takes a row for a decoded one, and f its
 * last hidden layer. The decoder minimises -log (1 - D) where the paper has log D, which has no gradient as long as D is right. Source: Larsen
 * et al., "Autoencoding beyond pixels using a learned similarity metric", arXiv:1512.09300, algorithm 1.
 */
function byFeatures(t: Tape, config: Config, { p, x, likelihood, decodePrior }: Reconstruction): Reconstructed {
  const { apply, objective } = ofData(config, config.encoder === "conv" ? dataImages(p) : [1, 1, x.columns]);
  const [given, decoded, drawn] = [x, likelihood.mean(), decodePrior().mean()].map((each) => apply(t, p, each));
  const apart = valuesOf(t, "features", halfSquare(t, given.features, decoded.features));
  const caught = add(t, unrecognized(t, decoded.logit), unrecognized(t, drawn.logit));
  return {
    terms: [{ name: "features", value: apart, weight: constant(1) }],
    decoder: [
      { name: "decoderFeatures", value: apart, weight: constant(config.reconstructionWeight) },
      { name: "adversarial", value: valuesOf(t, "adversarial", caught), weight: constant(0.5) },
    ],
    adversary: objective(t, [decoded.logit, drawn.logit], given.logit),
  };
}

const complement = elementwise({ name: "1 - s", inputs: ["s"], value: "1.0 - s", derivatives: { s: "-1.0" } });

/**
 * γ (1 - MS-SSIM(x, E[x | z])). Source: Snell et al., "Learning to Generate Images with Perceptual Similarity Metrics", arXiv:1511.06409, for
 * autoencoders that minimise it.
 */
function byMsSsim(t: Tape, config: Config, { x, shape, likelihood }: Reconstruction): Reconstructed {
  if (!shape) {
    throw new TypeError("Cannot reconstruct by ms-ssim: expected the shape of the data in the batch, found none");
  }
  const value = valuesOf(t, "dissimilarity", complement(t, msSsim(t, x, likelihood.mean(), shape)));
  return { terms: [{ name: "dissimilarity", value, weight: constant(config.reconstructionWeight) }] };
}

/** Records what stands for the likelihood, where something does. */
export function reconstruct(t: Tape, config: Config, given: Reconstruction): Reconstructed | undefined {
  switch (config.reconstruction) {
    case "likelihood":
      return undefined;
    case "features":
      return byFeatures(t, config, given);
    case "ms-ssim":
      return byMsSsim(t, config, given);
  }
}

/** Settings that have no meaning where something else stands for the likelihood, each with the value that it is refused at and why. */
export const refusedByReconstruction: PriorPart["refused"] = [
  ["objective", /^(?!elbo$)/, "its weights are likelihoods"],
  ["samples", /^(?!1$)/, "it compares a datum with one reconstruction"],
  ["likelihood", /^(?!bernoulli|gaussian)/, "its mean has no gradient"],
  ["normalization", "batch", "statistics of a batch of draws are not those of data"],
];

/** What a user must know of it, one line each. */
export function reconstructionCaveats({ reconstruction }: ReconstructionConfig): readonly string[] {
  if (reconstruction === "likelihood") return [];
  const instead = reconstruction === "ms-ssim" ? "1 - MS-SSIM, which is no likelihood," : reconstruction;
  return [`the loss has ${instead} in place of nll: elbo is a bound that is measured, and not minimised`];
}
