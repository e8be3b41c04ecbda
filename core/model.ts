/**
 * The plugin contract: what a variant says of itself. Training, sampling, evaluation, checkpoints, flags and `--help` follow from it.
 *
 * @module
 */

import type { DataShape } from "./dataset.ts";
import type { Likelihood, Posterior } from "./distributions/distribution.ts";
import type { Fit, FitContext } from "./training/fit_context.ts";
import type { TrainingConfig } from "./training/training_settings.ts";
import type { Binarization } from "./ops/gather.ts";
import type { Parameters, Shapes } from "./graph/parameters.ts";
import type { Settings } from "./settings.ts";
import type { Objective, Tape, Variable } from "./graph/tape.ts";
import type { ValueSummary } from "./values.ts";

export type { DataShape };

/** How {@linkcode Model.drawPrior} draws. */
export interface PriorDraw {
  /** How many. */
  readonly count: number;
  /** Standard deviation of the noise; 1 is the prior. */
  readonly temperature: number;
  /** What the noise follows from. */
  readonly seed: number;
  /**
   * Runs what is recorded for as many steps, from 0 on, without waiting for any: for priors that draw one part after another, each given
   * those before it.
   *
   * @param steps How many draw a datum.
   * @param record Records a variable of N rows from the temperature [N, 1]. Once recorded, it serves later draws too.
   * @returns The variable after the last step, row-major [count, columns].
   */
  outputs(steps: number, record: (t: Tape, temperature: Variable) => Variable): Promise<Float32Array<ArrayBuffer>>;
}

/**
 * What a likelihood is a distribution of: 0 or 1, real numbers, those from 0 to 1, or the 256 values of a byte. Pixels are made into such
 * data unless the training is told otherwise: binarized for "binary" only.
 */
export type Support = "binary" | "density" | "unit" | "bytes";

/** What a model takes from the data where nobody said otherwise. */
export interface Choice<C extends object> {
  /** The settings that the data choose. */
  readonly config: Partial<C>;
  /** How values become data, where the data choose it. */
  readonly binarize?: Binarization;
  /** One line: what was chosen, and by what. */
  readonly why: string;
}

/** The rows of one step. */
export interface Batch {
  /** [N, D] */
  readonly x: Variable;
  /** What a conditional model is given besides: [N, classes], [N, 1] or [N, C]. */
  readonly condition?: Variable;
  /** H, W and C of a row of x, for what looks at it as an image. */
  readonly shape?: DataShape["shape"];
}

/**
 * What a conditional model is given of each datum: its label, as a 1 in the label's column of [N, classes] or as a number [N, 1], or its
 * covariates [N, C].
 */
export const CONDITIONS = ["one-hot", "raw", "covariates"] as const;
/** The name of a condition. */
export type Condition = typeof CONDITIONS[number];

/** The codes that stand for a datum: one of K, or several, at each of P positions. */
export interface Codes<C extends object> {
  /** K */
  count(config: C): number;
  /** M, codes of a position, each of K of its own. Default 1. */
  each?(config: C): number;
  /** Records which codes every position has, from 0 to K - 1. x [N, D]; the codes [N, P M], those of a position side by side */
  record(t: Tape, p: Parameters, x: Variable, config: C): Variable;
}

/** What {@linkcode Model.start} is given. */
export interface StartContext {
  /** The parameters, initialized. */
  readonly parameters: Parameters;
  /** Rows of a step. */
  readonly batchSize: number;
  /** The seed of the training. */
  readonly seed: number;
  /** Rows trained on. */
  readonly count: number;
  /** What is recorded from training rows of these numbers, row-major: [rows, columns]. */
  outputs(rows: readonly number[], record: (t: Tape, x: Variable) => Variable): Promise<Float32Array>;
}

/**
 * A variant of the VAE. Its loss is a sum of weighted terms; a model that encodes and decodes can be sampled, reconstructed and
 * evaluated too. A model is data, and shares by calling functions, not by inheritance.
 */
export interface Model<C extends object = object> {
  /** The name in `--model` and in checkpoints. */
  readonly name: string;
  /** One line: what it is. */
  readonly summary: string;
  /** The paper, with the equation. */
  readonly source: string;
  /** Every setting: default, range, help. Flags and validation follow. */
  readonly settings: Settings<C>;
  /** Settings of its training where nobody chose others: of a published one, its learning rate. */
  readonly training?: Partial<TrainingConfig>;
  /**
   * What loads the code that a configuration needs and that is not there yet; undefined where it is. {@linkcode train} and `load` await it before
   * they ask for anything below.
   */
  missing?(config: C): (() => Promise<unknown>) | undefined;
  /**
   * Refuses settings that have no meaning together, before a training begins.
   *
   * @throws {RangeError} If there are any.
   */
  check?(config: C): void;
  /** "encoder.0" -> { inputs: 784, outputs: 500 } */
  parameters(config: C, data: DataShape): Shapes;
  /** Records the loss of a batch; one objective for each group of parameters. Terms named "nll" and "kl" make the ELBO. */
  objectives(t: Tape, p: Parameters, batch: Batch, config: C): readonly Objective[];
  /** Records q(z | x). x [N, D] */
  encode?(t: Tape, p: Parameters, x: Variable, config: C, condition?: Variable): Posterior;
  /** Records p(x | z). z [N, K] */
  decode?(t: Tape, p: Parameters, z: Variable, config: C, condition?: Variable): Likelihood;
  /** What the model is given besides the data, if anything. */
  condition?(config: C): Condition | undefined;
  /** K, for models that decode. */
  latents?(config: C, data: DataShape): number;
  /** K of each level of latents, from the data up, whose sum is {@linkcode Model.latents}; left out, or one, where there is one level. */
  levels?(config: C, data: DataShape): readonly number[];
  /**
   * Draws z ~ p(z), [count, K], where p(z) is neither N(0, I) nor {@linkcode Model.prior}'s: on the host, or by what `draw` runs on the
   * GPU. A temperature below 1 keeps to what is probable, as it does by a smaller standard deviation there.
   */
  drawPrior?(p: Parameters, config: C, draw: PriorDraw): Promise<Float32Array<ArrayBuffer>>;
  /**
   * Records z ~ p(z), or p(z | c), where p is learned, [N, K], from noise [N, K + 1]: standard normals (times the temperature), and a
   * uniform number in the last column. Undefined where p(z) is N(0, I).
   */
  prior?(
    config: C,
  ): ((t: Tape, p: Parameters, noise: Variable, condition?: Variable) => Variable) | undefined;
  /** For models whose latents are codes of a codebook. */
  readonly codes?: Codes<C>;
  /** Sets parameters by what they make of data, once before the first step of a training; a resumed one has them already. */
  start?(context: StartContext, config: C): Promise<void>;
  /**
   * Fits the parameters by iterations of its own (EM, a closed form), in place of descending the gradient of the objectives, which then
   * only measure: their terms need no backward pass. An iteration is an epoch.
   */
  fit?(context: FitContext, config: C): Promise<Fit>;
  /** Iterations after which the fit changes nothing any more: 1 for a closed form. */
  fitIterations?(config: C): number | undefined;
  /** What the likelihood is a distribution of. Default "binary". */
  support?(config: C): Support;
  /**
   * Settings that follow from the data where neither the user nor the model itself decides: the likelihood.
   *
   * @param given The settings that the user gave.
   */
  choose?(data: DataShape, range: ValueSummary, given: Partial<C>): Choice<C> | undefined;
  /**
   * What -(nll + kl) is where it is no lower bound: "exact", log p(x) itself, since the posterior is the true one; "none", nothing that
   * a density has to do with.
   */
  readonly density?: "exact" | "none";
  /** False where there is no p(z): what is decoded from N(0, I) are then no samples. Default true. */
  readonly hasPrior?: boolean;
  /** What a user must know of a configuration, one line each: the effective β, a bound that is none. */
  caveats?(config: C): readonly string[];
  /** What a user must know of what was learned, one line each: a variance that is held at its floor. */
  findings?(
    p: Parameters,
    config: C,
    data: DataShape & { readonly range?: ValueSummary },
  ): Promise<readonly string[]>;
}
