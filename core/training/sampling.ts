/**
 * What is drawn and decoded with a trained model. It is loaded by need.
 *
 * @module
 */

import { requireSeed } from "../bounds.ts";
import { hasDensity, type Likelihood } from "../distributions/distribution.ts";
import type { Encoded } from "../distributions/encoded.ts";
import type { ConditionOptions } from "./batch.ts";
import type { Mapped, Mappings } from "./mapping.ts";
import { columns as columnsOf } from "../ops/columns.ts";
import { concat } from "../ops/concat.ts";
import { reshape } from "../ops/reshape.ts";
import { columnOf } from "../ops/sum.ts";
import { normals, uniforms } from "../graph/random.ts";
import { numbersFrom, requireFiniteRows, type RowValues } from "../values.ts";

/**
 * What is given of p(x | z): its mean, a draw from it, or for Gaussians μ - 2σ, μ - σ, μ, μ + σ and μ + 2σ, five rows for a datum in
 * that order.
 */
export const DRAWS = ["mean", "sample", "quantiles"] as const;

/** How many deviations from the mean the rows of "quantiles" are. */
export const QUANTILES = [-2, -1, 0, 1, 2] as const;

/** What z is drawn from in place of the model's own prior: a density that was fitted to encodings, or one of the caller's. */
export interface LatentPrior {
  /** What it is, for captions: "gmm fitted to the encodings". */
  readonly name: string;
  /**
   * Draws z, a function of the seed.
   *
   * @returns [count, K]
   */
  draw(options: { readonly count: number; readonly seed: number }): Promise<Float32Array<ArrayBuffer>>;
}

/**
 * How {@linkcode Trained.sample} draws. Conditions of fewer rows than are drawn are taken in turn; without any, every class is, while
 * covariates must be given.
 */
export interface SampleOptions extends ConditionOptions {
  /** How many. Default 100. */
  readonly count?: number;
  /** Standard deviation of the latents drawn. Default 1, the prior. */
  readonly temperature?: number;
  /** What to give of p(x | z). Default "mean". */
  readonly draw?: typeof DRAWS[number];
  /** Default 0. */
  readonly seed?: number;
  /** What z is drawn from, at temperature 1. Default: the model's own prior. */
  readonly prior?: LatentPrior;
  /** Which levels of latents are drawn once for several rows. Default: none. */
  readonly held?: HeldLevels;
}

/** Upper levels of latents that rows share, of which the levels below are drawn anew for each. */
export interface HeldLevels {
  /** The lowest of them, counted from 1, next to the data. */
  readonly from: number;
  /** So many rows in turn share them. */
  readonly rows: number;
}

/** z ~ q(z | x) of N rows with all that importance weights need: {@linkcode Trained.weightedDraws}. */
export interface WeightedDraws {
  /** q(z | x) */
  readonly encoded: Encoded;
  /** z [N, K] */
  readonly z: Float32Array<ArrayBuffer>;
  /** E[x | z] [N, D] */
  readonly mean: Float32Array<ArrayBuffer>;
  /** x ~ p(x | z) [N, D] */
  readonly sample: Float32Array<ArrayBuffer>;
  /** -log p(x | z) over what is observed of each row, nats [N] */
  readonly nll: Float32Array<ArrayBuffer>;
  /** log q(z | x) - log p(z), nats [N] */
  readonly divergence: Float32Array<ArrayBuffer>;
}

/** As `Trained.sample`. */
export async function sample(
  mappings: Mappings,
  options: SampleOptions,
): Promise<Float32Array<ArrayBuffer>> {
  const { of } = mappings;
  of.check();
  const { count = 100, temperature = 1, draw = "mean", seed = 0, labels } = options;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`Cannot sample: expected a count of at least 1, found ${count}`);
  }
  if (labels?.length && !["one-hot", "raw"].includes(of.model.condition?.(of.config) ?? "")) {
    const what = of.model.condition?.(of.config)
      ? `one that is conditioned on ${of.model.condition?.(of.config)}`
      : "one that is not";
    throw new TypeError(
      `Cannot sample labels with "${of.model.name}": expected a model conditioned on labels, such as cvae, found ${what}`,
    );
  }
  const z = await drawPrior(mappings, { ...options, count, temperature, seed });
  return await decode(mappings, z, { draw, seed, ...inTurn(of, count, options) });
}

/** Conditions of so many rows: those given in turn, or every class in turn. */
function inTurn(of: Mapped, count: number, options: ConditionOptions): Required<ConditionOptions> {
  const { labels = Array.from({ length: of.data.classes ?? 0 }, (_, label) => label), covariates = [] } = options;
  const inTurn = (given: ArrayLike<number>, length: number) =>
    Array.from({ length: given.length ? length : 0 }, (_, i) => given[i % given.length]);
  return {
    labels: inTurn(labels, count),
    covariates: inTurn(covariates, count * (of.data.covariates?.length ?? 0)),
  };
}

/** As `Trained.drawPrior`. */
export async function drawPrior(
  mappings: Mappings,
  { count = 100, temperature = 1, seed = 0, prior, held, ...options }: Omit<SampleOptions, "draw"> = {},
): Promise<Float32Array<ArrayBuffer>> {
  const { of } = mappings;
  of.check();
  if (!(temperature >= 0 && Number.isFinite(Math.fround(temperature)))) {
    throw new RangeError(`Cannot sample: expected a temperature of at least 0, found ${temperature}`);
  }
  requireSeed(seed);
  const first = held && firstHeld(of, held, prior);
  if (prior) {
    if (temperature !== 1) {
      throw new RangeError(`Cannot sample from ${prior.name}: expected temperature 1, found ${temperature}`);
    }
    const z = await prior.draw({ count, seed });
    const expected = count * of.latents;
    if (z.length !== expected) {
      throw new RangeError(`Cannot sample from ${prior.name}: expected ${expected} latents, found ${z.length}`);
    }
    return z;
  }
  const given = inTurn(of, count, options);
  const own = await of.model.drawPrior?.(of.parameters, of.config, {
    ...{ count, temperature, seed },
    outputs: (steps, record) =>
      mappings.apply(
        "draw from the prior",
        new Float32Array(count).fill(temperature),
        1,
        { seed, ...given },
        (t, input) => [record(t, input)],
        steps,
      ),
  });
  if (own) return own;
  const { latents } = of;
  const normal = normals(new Float32Array(count * latents), seed, 0, 0).map((value) => value * temperature);
  const record = of.model.prior?.(of.config);
  if (!record) return normal;
  const u = uniforms(new Float32Array(count), seed, 0, 1);
  const noise = new Float32Array(count * (latents + 1));
  for (let row = 0; row < count; row++) {
    noise.set(normal.subarray(row * latents, (row + 1) * latents), row * (latents + 1));
    noise[row * (latents + 1) + latents] = u[row];
    if (first === undefined) continue;
    const shared = (row - row % held!.rows) * (latents + 1);
    noise.copyWithin(row * (latents + 1) + first, shared + first, shared + latents + 1);
  }
  return await mappings.apply("draw from the prior", noise, latents + 1, given, (t, input, condition) => [
    record(t, of.parameters, input, condition),
  ]);
}

/** The first latent of the levels that are held. */
function firstHeld(of: Mapped, { from, rows }: HeldLevels, prior: LatentPrior | undefined): number {
  const levels = of.model.levels?.(of.config, of.data) ?? [];
  if (prior || levels.length < 2) {
    const found = prior ? prior.name : `one level of "${of.model.name}"`;
    throw new TypeError(
      `Cannot hold levels: expected the prior of a model with several, such as ladder_vae, found ${found}`,
    );
  }
  if (!Number.isInteger(from) || from < 2 || from > levels.length) {
    throw new RangeError(`Cannot hold levels: expected the first of them from 2 to ${levels.length}, found ${from}`);
  }
  if (!Number.isInteger(rows) || rows < 1) {
    throw new RangeError(`Cannot hold levels: expected at least 1 row that shares them, found ${rows}`);
  }
  return levels.slice(0, from - 1).reduce((sum, each) => sum + each);
}

/** As `Trained.decode`. */
export async function decode(
  mappings: Mappings,
  z: RowValues,
  { draw = "mean", seed = 0, ...given }: Omit<SampleOptions, "count" | "temperature"> = {},
): Promise<Float32Array<ArrayBuffer>> {
  const { of } = mappings;
  const { latents } = of;
  const codes = numbersFrom("decode", z, latents);
  requireFiniteRows(`decode with "${of.model.name}"`, codes, latents);
  return await mappings.apply(`decode ${draw}`, codes, latents, { seed, ...given }, (t, x, condition) => {
    const likelihood: Likelihood | undefined = of.model.decode?.(t, of.parameters, x, of.config, condition);
    if (!likelihood) return [];
    if (draw !== "quantiles") return [likelihood[draw]()];
    const { quantile, name } = likelihood;
    if (!quantile) {
      throw new TypeError(
        `Cannot give quantiles with "${of.model.name}": expected a gaussian likelihood, found ${name}`,
      );
    }
    return QUANTILES.map(quantile);
  });
}

/** As `Trained.weightedDraws`. */
export async function weightedDraws(
  mappings: Mappings,
  rows: Float32Array,
  { seed = 0, ...given }: ConditionOptions & { readonly seed?: number } = {},
): Promise<WeightedDraws> {
  const { of } = mappings;
  const { features, latents, parameters, config } = of;
  const out = await mappings.apply("weigh draws", rows, 2 * features, { seed, ...given }, (t, input, condition) => {
    const { encode, decode, density } = of.model;
    if (!encode || !decode || density === "none") return [];
    const x = columnsOf(t, input, 0, features);
    const posterior = encode(t, parameters, x, config, condition);
    mappings.covariance = posterior.covariance;
    if (!posterior.covariance) return [];
    const { z, kl } = posterior.draw({ divergence: "sampled" });
    const likelihood = decode(t, parameters, z, config, condition);
    const nll = likelihood.nll(x, columnsOf(t, input, features, features));
    const parts = [z, likelihood.mean(), likelihood.sample(), columnOf(t, nll), columnOf(t, kl)];
    return [concat(t, [...parts, posterior.statistics])];
  });
  const count = rows.length / (2 * features);
  const width = out.length / count;
  let first = 0;
  const next = (columns: number) => {
    const from = first;
    first += columns;
    const part = new Float32Array(count * columns);
    for (let row = 0; row < count; row++) {
      part.set(out.subarray(row * width + from, row * width + from + columns), row * columns);
    }
    return part;
  };
  const [z, mean, sample, nll, divergence] = [latents, features, features, 1, 1].map(next);
  const encoded = { statistics: next(width - first), count, latents, covariance: mappings.covariance };
  return { encoded, z, mean, sample, nll, divergence };
}

/** As `Trained.posteriorDraws`. */
export async function posteriorDraws(
  mappings: Mappings,
  rows: Float32Array,
  { samples = 1, seed = 0, ...given }: ConditionOptions & { readonly samples?: number; readonly seed?: number },
): Promise<Pick<WeightedDraws, "z" | "divergence">> {
  const { of } = mappings;
  const { features, latents, parameters, config } = of;
  const name = `draw from the posterior, ${samples} each`;
  const out = await mappings.apply(name, rows, features, { seed, ...given }, (t, input, condition) => {
    const posterior = of.model.encode?.(t, parameters, input, config, condition);
    if (!posterior || !hasDensity(posterior)) return [];
    const { z, kl } = posterior.draw({ samples, divergence: "sampled" });
    return [reshape(t, concat(t, [z, columnOf(t, kl)]), samples * (latents + 1))];
  });
  const count = out.length / (latents + 1);
  const z = new Float32Array(count * latents);
  const divergence = Float32Array.from({ length: count }, (_, i) => {
    z.set(out.subarray(i * (latents + 1), (i + 1) * (latents + 1) - 1), i * latents);
    return out[(i + 1) * (latents + 1) - 1];
  });
  return { z, divergence };
}

/** As `Trained.posteriorRatios`. */
export async function posteriorRatios(
  mappings: Mappings,
  rows: Float32Array,
  z: Float32Array,
  options: ConditionOptions,
): Promise<Float32Array<ArrayBuffer>> {
  const { of } = mappings;
  const { features, latents, parameters, config } = of;
  const count = rows.length / features;
  const width = z.length / count;
  const each = width / latents;
  if (!Number.isInteger(each)) {
    throw new RangeError(
      `Cannot weigh latents with "${of.model.name}": expected a multiple of ${count} rows of ${latents}, found ${z.length} values`,
    );
  }
  const both = new Float32Array(count * (features + width));
  for (let row = 0; row < count; row++) {
    both.set(rows.subarray(row * features, (row + 1) * features), row * (features + width));
    both.set(z.subarray(row * width, (row + 1) * width), row * (features + width) + features);
  }
  return await mappings.apply(`weigh latents, ${each} each`, both, features + width, options, (t, input, condition) => {
    const x = columnsOf(t, input, 0, features);
    const posterior = of.model.encode?.(t, parameters, x, config, condition);
    if (!posterior?.ratio) return [];
    const given = reshape(t, columnsOf(t, input, features, width), latents);
    return [reshape(t, columnOf(t, posterior.ratio(given)), each)];
  });
}
