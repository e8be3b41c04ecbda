/**
 * An autoencoder composed of settings: noise on its input, penalties on its code and on its decoder. `ae`, `dae`, `rae` and `sparse_ae` are
 * presets of it. It is no model.
 *
 * @module
 */

import type { Posterior } from "../core/distributions/distribution.ts";
import { point } from "../core/distributions/point.ts";
import { features } from "../core/dataset.ts";
import type { Batch, DataShape, Model } from "../core/model.ts";
import { chain, type Layer, linear, mlp } from "../core/nn/mod.ts";
import { add } from "../core/ops/add.ts";
import { square } from "../core/ops/arithmetic.ts";
import { columns } from "../core/ops/columns.ts";
import { corrupt, type Corruption, CORRUPTIONS } from "../core/ops/corrupt.ts";
import { elementwise } from "../core/ops/elementwise.ts";
import { parameterMatrix } from "../core/ops/parameter_matrix.ts";
import { priorNoise } from "../core/ops/prior_noise.ts";
import { sumColumns, valuesOf } from "../core/ops/sum.ts";
import { meanRows, sumRows } from "../core/ops/sum_rows.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import { constant } from "../core/graph/schedule.ts";
import { presetSettings, type Settings } from "../core/settings.ts";
import type { RowScalars, Tape, Term, Variable } from "../core/graph/tape.ts";
import { likelihoodFindings, likelihoodShapes } from "./likelihood.ts";
import { mlpDecode } from "./mlp.ts";
import { chosenLikelihood, likelihoodByData, likelihoodCaveats, likelihoodSupport } from "./likelihood_settings.ts";
import { type MlpConfig, mlpSettings } from "./composed_settings.ts";

/** What an autoencoder is composed of; a code has no variance to build a tower for. */
export interface AutoencoderConfig extends Omit<MlpConfig, "towers" | "covariance"> {
  /** The kind of noise on the input. */
  readonly noise: "none" | Corruption;
  /** Probability that a value is corrupted; standard deviation of gaussian noise. */
  readonly noiseAmount: number;
  /** What the code passes through. */
  readonly codeActivation: "identity" | "relu" | "sigmoid";
  /** What is penalized of the code. */
  readonly codePenalty: "none" | "l1" | "l2" | "rate";
  /** Its weight. */
  readonly codePenaltyWeight: number;
  /** ρ, the mean that each code is held at over a batch (rate). */
  readonly rate: number;
  /** What is penalized of the decoder. */
  readonly decoderPenalty: "none" | "l2" | "gradient";
  /** Its weight. */
  readonly decoderPenaltyWeight: number;
}

/** D - hidden - K */
function encoder(config: AutoencoderConfig, width: number): Layer {
  const { hidden, latents, codeActivation } = config;
  return chain(
    mlp("encoder", [width, ...hidden], config),
    linear("code", hidden.at(-1) ?? width, latents, codeActivation),
  );
}

function shapes(config: AutoencoderConfig, data: DataShape): Shapes {
  const { hidden, latents } = config;
  const width = features(data.shape);
  return {
    ...chain(encoder(config, width), mlp("decoder", [latents, ...hidden.toReversed()], config)).shapes,
    ...likelihoodShapes(config, hidden[0] ?? latents, width, data.shape[2]),
  };
}

function encode(t: Tape, p: Parameters, x: Variable, config: AutoencoderConfig): Posterior {
  return point(t, encoder(config, x.columns).apply(t, p, x));
}

function decode(t: Tape, p: Parameters, z: Variable, config: AutoencoderConfig) {
  return mlpDecode(t, p, z, { ...config, towers: 1, covariance: "diagonal" });
}

const absolute = elementwise({ name: "|z|", inputs: ["z"], value: "abs(z)", derivatives: { z: "sign(z)" } });

const halfSquare = elementwise({ name: "½ z²", inputs: ["z"], value: "0.5 * z * z", derivatives: { z: "z" } });

/** KL(ρ ‖ r) of two Bernoulli distributions, r kept a little from 0 and 1, where it would be infinite. */
const divergence = (rate: number) =>
  elementwise({
    name: "KL(ρ ‖ r)",
    inputs: ["r"],
    constants: { rate },
    value:
      "rate * log(rate / clamp(r, vec4f(1e-6), vec4f(1.0 - 1e-6))) + (1.0 - rate) * log((1.0 - rate) / (1.0 - clamp(r, vec4f(1e-6), vec4f(1.0 - 1e-6))))",
    derivatives: {
      r: "(1.0 - rate) / (1.0 - clamp(r, vec4f(1e-6), vec4f(1.0 - 1e-6))) - rate / clamp(r, vec4f(1e-6), vec4f(1.0 - 1e-6))",
    },
  });

/** What is penalized of a code z [N, K], of each row. */
const CODE_PENALTIES: Readonly<
  Record<
    Exclude<AutoencoderConfig["codePenalty"], "none">,
    (t: Tape, z: Variable, config: AutoencoderConfig) => RowScalars
  >
> = {
  // Σ_k |z_k|
  l1: (t, z) => valuesOf(t, "code penalty", absolute(t, z)),
  // ½ ‖z‖²
  l2: (t, z) => valuesOf(t, "code penalty", halfSquare(t, z)),
  // Σ_k KL(ρ ‖ r_k), r_k the mean of z_k over the batch
  rate: (t, z, { rate }) => valuesOf(t, "code penalty", divergence(rate)(t, meanRows(t, z))),
};

/** h of the differences that estimate the decoder's Jacobian: their error is of the order of h², and that of their rounding of 1e-7 / h. */
const DIFFERENCE = 1 / 32;

const ahead = elementwise({
  name: "z + h v",
  inputs: ["z", "v"],
  constants: { h: DIFFERENCE },
  value: "z + h * v",
  derivatives: { z: "1.0", v: "h" },
});

const behind = elementwise({
  name: "z - h v",
  inputs: ["z", "v"],
  constants: { h: DIFFERENCE },
  value: "z - h * v",
  derivatives: { z: "1.0", v: "-h" },
});

/** ½ ((a - b) / 2 h)² */
const halfSlope = elementwise({
  name: "½ ((a - b) / 2 h)²",
  inputs: ["a", "b"],
  constants: { h: DIFFERENCE },
  value: "0.125 * (a - b) * (a - b) / (h * h)",
  derivatives: { a: "0.25 * (a - b) / (h * h)", b: "-0.25 * (a - b) / (h * h)" },
});

/**
 * ½ ‖∂μ/∂z‖² of each row, the sum over all elements of the Jacobian of the decoded mean μ(z)
 *
 * E_v ‖J v‖² = ‖J‖² for v ~ N(0, I), so a direction v drawn for each row estimates it without bias, and J v is (μ(z + h v) - μ(z - h v)) / 2h:
 * no second derivatives are needed for its gradient.
 *
 * @param mean Records μ(z).
 */
export function jacobianPenalty(t: Tape, z: Variable, mean: (z: Variable) => Variable): RowScalars {
  const v = columns(t, priorNoise(t, z.rows, z.columns), 0, z.columns);
  return valuesOf(t, "decoder penalty", halfSlope(t, mean(ahead(t, z, v)), mean(behind(t, z, v))));
}

/** Σ w² over the weights of the decoder, its biases left out; the same for each row. */
function squaredWeights(t: Tape, p: Parameters): RowScalars {
  const sums = [...p].filter(({ name }) => /^(decoder|likelihood|scale)\b/.test(name))
    .filter(({ shape: { inputs } }) => inputs > 0)
    .map((parameter) => sumColumns(t, sumRows(t, square(t, parameterMatrix(t, parameter)))));
  return valuesOf(t, "decoder penalty", sums.reduce((sum, each) => add(t, sum, each)));
}

/** The reconstruction of the batch from a seen, perhaps corrupted, version of it, and the penalties. */
function terms(t: Tape, p: Parameters, { x }: Batch, config: AutoencoderConfig): readonly Term[] {
  const { noise, noiseAmount, codePenalty, decoderPenalty } = config;
  const seen = noise === "none" ? x : corrupt(t, x, noise, noiseAmount);
  const z = encode(t, p, seen, config).statistics;
  const all: Term[] = [{ name: "nll", value: decode(t, p, z, config).nll(x), weight: constant(1) }];
  if (codePenalty !== "none") {
    const value = CODE_PENALTIES[codePenalty](t, z, config);
    all.push({ name: "codePenalty", value, weight: constant(config.codePenaltyWeight) });
  }
  if (decoderPenalty !== "none") {
    const value = decoderPenalty === "l2"
      ? squaredWeights(t, p)
      : jacobianPenalty(t, z, (at) => decode(t, p, at, config).mean());
    all.push({ name: "decoderPenalty", value, weight: constant(config.decoderPenaltyWeight) });
  }
  return all;
}

const { towers: _towers, covariance: _covariance, ...layers } = { ...mlpSettings, ...likelihoodByData };

const settings: Settings<AutoencoderConfig> = {
  ...layers,
  noise: { type: "choice", default: "none", choices: ["none", ...CORRUPTIONS], help: "kind of noise on the input" },
  noiseAmount: {
    type: "number",
    default: 0.25,
    minimum: 0,
    help: "probability that a value is corrupted; standard deviation of gaussian noise",
  },
  codeActivation: {
    type: "choice",
    default: "identity",
    choices: ["identity", "relu", "sigmoid"],
    help: "what the code passes through",
  },
  codePenalty: {
    type: "choice",
    default: "none",
    choices: ["none", ...Object.keys(CODE_PENALTIES)],
    help:
      "of the code: l1, the sum of |z|; l2, half the sum of its squares; rate, the divergence of each code's mean over a batch from --rate",
  },
  codePenaltyWeight: { type: "number", default: 1, minimum: 0, help: "its weight" },
  rate: {
    type: "number",
    default: 0.05,
    minimum: 0.001,
    maximum: 0.999,
    help: "mean that each code is held at over a batch (rate)",
  },
  decoderPenalty: {
    type: "choice",
    default: "none",
    choices: ["none", "l2", "gradient"],
    help: "of the decoder: l2, the squares of its weights; gradient, half the squares of its Jacobian at the code",
  },
  decoderPenaltyWeight: { type: "number", default: 1e-4, minimum: 0, help: "its weight" },
};

/** Refuses settings that would change nothing, or have no meaning together. */
function requireMeaning(config: AutoencoderConfig): void {
  const refuse = (one: keyof AutoencoderConfig, other: keyof AutoencoderConfig, why: string) => {
    throw new RangeError(`Cannot combine ${one} ${config[one]} with ${other} ${config[other]}: ${why}`);
  };
  const { codePenalty, codeActivation, decoderPenalty, likelihood } = config;
  if (codePenalty === "rate" && codeActivation !== "sigmoid") {
    refuse("codeActivation", "codePenalty", "a rate is of codes from 0 to 1, as sigmoid gives them");
  }
  if (codePenalty !== "rate" && config.rate !== settings.rate.default) refuse("rate", "codePenalty", "it has none");
  if (decoderPenalty === "gradient" && /^(?!bernoulli|gaussian)/.test(likelihood)) {
    refuse("likelihood", "decoderPenalty", "its mean has no gradient");
  }
}

const REMARK =
  "an autoencoder has no prior: what `sample` decodes was drawn from N(0, I) unless `--prior` says otherwise, and `elbo` is only -nll";

/** What an autoencoder is beside its settings. */
export interface AutoencoderPreset extends Pick<Model, "name" | "summary" | "source"> {
  /** The settings that make it what it is, which come first in the help. */
  readonly own: readonly (keyof AutoencoderConfig)[];
  /** Its defaults, where they differ. */
  readonly defaults?: Partial<AutoencoderConfig>;
}

/** loss = -log p(x | z) + what is penalized, z = f(x̃), x̃ = x or x with noise */
export function autoencoder(
  { name, summary, source, own, defaults = {} }: AutoencoderPreset,
): Model<AutoencoderConfig> {
  return {
    name,
    summary,
    source,
    settings: presetSettings(settings, defaults, own),
    check: requireMeaning,
    parameters: shapes,
    objectives: (t, p, batch, config) => [{ terms: terms(t, p, batch, config) }],
    encode,
    decode,
    latents: (config) => config.latents,
    hasPrior: false,
    support: likelihoodSupport,
    findings: likelihoodFindings,
    choose: chosenLikelihood,
    caveats: (config) => [REMARK, ...likelihoodCaveats(config, 0)],
  };
}
