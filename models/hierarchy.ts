/**
 * Several levels of latents, one above the other: how a hierarchy is encoded, drawn from and decoded, whatever its layers are; and its
 * dense layers. It is no model.
 *
 * @module
 */

import { features } from "../core/dataset.ts";
import type { Likelihood, Posterior } from "../core/distributions/distribution.ts";
import { gaussianPrior, type Prior } from "../core/distributions/prior.ts";
import type { DataShape } from "../core/model.ts";
import { chain, linear, mlp } from "../core/nn/mod.ts";
import { columns } from "../core/ops/columns.ts";
import { concat } from "../core/ops/concat.ts";
import { elementwise } from "../core/ops/elementwise.ts";
import { drawProduct } from "../core/ops/gaussian_product.ts";
import { posteriorRatio } from "../core/ops/posterior_ratio.ts";
import { type Draw, reparameterize, type ReparameterizeOptions } from "../core/ops/reparameterize.ts";
import { reshape } from "../core/ops/reshape.ts";
import { sumValues } from "../core/ops/sum_values.ts";
import type { Parameters, Shapes } from "../core/graph/parameters.ts";
import type { RowScalars, Tape, Variable } from "../core/graph/tape.ts";
import { type LayersConfig, mlpDecode, mlpShapes } from "./mlp.ts";
import { contextColumns } from "./posterior_flow.ts";
import type { HierarchyConfig } from "./composed_settings.ts";

/** The layers of a hierarchy. Levels are counted from 0, next to the data; the top is the last. */
export interface LevelNetworks {
  /** What all layers hold. */
  readonly shapes: Shapes;
  /** K of each level. */
  readonly latents: readonly number[];
  /** How statistics of each level lie: so many means, then as many log-variances, and so on. */
  readonly blocks: readonly number[];
  /** Whether what is expected of a level follows from all levels above it, and not from the next one alone. */
  readonly carries: boolean;
  /**
   * From x, or from what is known of the level below (its features in a ladder, its z in a plain hierarchy), to features and what they
   * say of z: statistics [N, 2 K], of the top with the context of a flow.
   */
  up(t: Tape, p: Parameters, level: number, below: Variable): { readonly features: Variable; readonly found: Variable };
  /** Features of z of a level, and of those of the level above where they are carried. */
  down(t: Tape, p: Parameters, level: number, z: Variable, above?: Variable): Variable;
  /** Statistics of p(z | features of the level above) [N, 2 K]. */
  expected(t: Tape, p: Parameters, level: number, above: Variable): Variable;
  /** p(x | z) of level 0. */
  likelihood(t: Tape, p: Parameters, z: Variable, above?: Variable): Likelihood;
}

/** A draw from all levels. Sums and what is joined are recorded where they are asked for. */
export interface LevelsDraw extends Draw {
  /** Of each level, from the data up: z, and the part of the divergence that is its own. */
  readonly levels: readonly Draw[];
  /** p(x | z) */
  decode(): Likelihood;
}

/** q(z | x) of all levels; z is that of all of them side by side, from the data up. */
export interface LevelsPosterior extends Posterior {
  draw(options?: ReparameterizeOptions): LevelsDraw;
}

/** What the top of a hierarchy is. */
export interface Top {
  /** q(z | ...) of the top's statistics, with the divergence from its prior. */
  posterior(found: Variable): Posterior;
  /** p(z) of the top; undefined for N(0, I). */
  prior?(): Prior;
}

const productMean = elementwise({
  name: "mean of a product",
  inputs: ["u", "a", "m", "l"],
  value: "m + (u - m) / (1.0 + exp(a - l))",
  derivatives: {
    u: "1.0 / (1.0 + exp(a - l))",
    a: "(m - u) / (2.0 + exp(a - l) + exp(l - a))",
    m: "1.0 / (1.0 + exp(l - a))",
    l: "(u - m) / (2.0 + exp(a - l) + exp(l - a))",
  },
});

const productLogVariance = elementwise({
  name: "log-variance of a product",
  inputs: ["a", "l"],
  value: "min(a, l) - log(1.0 + exp(-abs(a - l)))",
  derivatives: { a: "1.0 / (1.0 + exp(a - l))", l: "1.0 / (1.0 + exp(l - a))" },
});

/** Means and log-variances [N, K] of statistics, wherever they lie. */
function halves(t: Tape, statistics: Variable, latents: number, block: number): Halves {
  const rows = block === latents ? statistics : reshape(t, statistics, 2 * block);
  const half = (first: number) => {
    const found = columns(t, rows, first, block);
    return block === latents ? found : reshape(t, found, latents);
  };
  return [half(0), half(block)];
}

/** The columns of z, or of noise, of each level. */
function split(t: Tape, z: Variable, latents: readonly number[]): Variable[] {
  let first = 0;
  return latents.map((count, level) => {
    const part = columns(t, z, first, level === latents.length - 1 ? z.columns - first : count);
    first += count;
    return part;
  });
}

/** A matrix of N rows as one of N L, beside which it lies. */
function besideRows(t: Tape, longer: Variable, x: Variable): Variable {
  return longer.rows === x.rows ? x : columns(t, concat(t, [x, longer]), 0, x.columns);
}

/** Σ of the values of all levels. */
function total(t: Tape, name: string, values: readonly RowScalars[]): RowScalars {
  return values.reduce((sum, each) => sumValues(t, name, sum, each));
}

/** How the levels of a datum are inferred. */
interface Inference {
  /** Draws every level, from the data up, and what the lowest is given by those above. */
  draw(options: ReparameterizeOptions): { readonly levels: readonly Draw[]; readonly above: Variable | undefined };
  /** Mean and log-variance of each level at the means of those that it follows from. */
  marginals(): readonly Halves[];
  /** log N(z; 0, I) - log q(z | x) of each level, at z of all of them. */
  ratios(z: readonly Variable[]): readonly RowScalars[];
}

/** Means and log-variances. */
type Halves = readonly [mean: Variable, logVariance: Variable];

/** What a level does with the one above it: features of that, going down. */
function descent(t: Tape, p: Parameters, networks: LevelNetworks) {
  let above: Variable | undefined;
  return {
    /** The features of the last step. */
    get above() {
      return above;
    },
    /** Statistics of p(z) of a level, by z of the one above it. */
    expected(level: number, z: Variable): Variable {
      above = networks.down(t, p, level + 1, z, networks.carries ? above : undefined);
      return networks.expected(t, p, level, above);
    },
  };
}

/** From the top down, each level by the product of what was found in the data and what the level above expects. */
function ladder(t: Tape, p: Parameters, networks: LevelNetworks, top: Top, x: Variable): Inference {
  const { latents, blocks } = networks;
  const found = foundOfAll(t, p, networks, x);
  const last = latents.length - 1;
  const posterior = top.posterior(found[last]);
  /** All levels, each of what the one above it came to. */
  const down = <T>(first: T, zOf: (of: T) => Variable, next: (level: number, expected: Variable) => T) => {
    const steps = descent(t, p, networks);
    const all = [first];
    for (let level = last - 1; level >= 0; level--) all.unshift(next(level, steps.expected(level, zOf(all[0]))));
    return { all, above: steps.above };
  };
  return {
    draw(options) {
      const { freeBits, divergence } = options;
      const { all, above } = down<Draw>(
        posterior.draw(options),
        ({ z }) => z,
        (level, expected) =>
          drawProduct(t, found[level], expected, {
            ...{ block: blocks[level], freeBits, divergence: divergence === "sampled" ? divergence : "analytic" },
          }),
      );
      return { levels: all, above };
    },
    marginals() {
      const first = halves(t, posterior.statistics, latents[last], latents[last]);
      return down<Halves>(first, ([mean]) => mean, (level, expected) => {
        const [[u, a], [m, l]] = [found[level], expected].map((each) => halves(t, each, latents[level], blocks[level]));
        return [productMean(t, u, a, m, l), productLogVariance(t, a, l)];
      }).all;
    },
    ratios(z) {
      const steps = descent(t, p, networks);
      const all = [posterior.ratio!(z[last])];
      for (let level = last - 1; level >= 0; level--) {
        const expected = steps.expected(level, z[level + 1]);
        const [[u, a], [m, l]] = [besideRows(t, expected, found[level]), expected].map((each) =>
          halves(t, each, latents[level], blocks[level])
        );
        const statistics = concat(t, [productMean(t, u, a, m, l), productLogVariance(t, a, l)]);
        all.unshift(posteriorRatio(t, z[level], statistics));
      }
      return all;
    },
  };
}

/** From the data up, each level by z of the one below it. */
function plain(t: Tape, p: Parameters, networks: LevelNetworks, top: Top, x: Variable): Inference {
  const { latents, blocks } = networks;
  const first = networks.up(t, p, 0, x).found;
  const last = latents.length - 1;
  const halvesOf = (statistics: Variable, level: number) => halves(t, statistics, latents[level], blocks[level]);
  /** Means first, as a draw reads them. */
  const statisticsOf = (found: Variable, level: number) =>
    blocks[level] === latents[level] ? found : concat(t, halvesOf(found, level));
  /** The levels below the top, each by z of the one below it, and the statistics of the top. */
  const up = <T>(each: (level: number, found: Variable) => T, zOf: (of: T) => Variable) => {
    let found = first;
    const lower = latents.slice(0, last).map((_, level) => {
      const of = each(level, found);
      found = networks.up(t, p, level + 1, zOf(of)).found;
      return of;
    });
    return { lower, posterior: top.posterior(found) };
  };
  return {
    draw(options) {
      const { samples = 1 } = options;
      const { lower, posterior } = up((level, found) => {
        const statistics = statisticsOf(found, level);
        return reparameterize(t, statistics, { samples: level === 0 ? samples : 1, divergence: "sampled" });
      }, ({ z }) => z);
      const levels: Draw[] = [posterior.draw({ ...options, samples: 1 })];
      const steps = descent(t, p, networks);
      for (let level = last - 1; level >= 0; level--) {
        const expected = halvesOf(steps.expected(level, levels[0].z), level);
        const { z, kl } = lower[level];
        levels.unshift({ z, kl: sumValues(t, "kl", kl, gaussianPrior(t, "level", () => expected).ratio(z)) });
      }
      return { levels, above: steps.above };
    },
    marginals() {
      const { lower, posterior } = up((level, found) => halvesOf(found, level), ([mean]) => mean);
      return [...lower, halves(t, posterior.statistics, latents[last], latents[last])];
    },
    ratios(z) {
      const { lower, posterior } = up((level, found) => {
        const ratio = posteriorRatio(t, z[level], statisticsOf(found, level));
        return { z: z[level], ratio };
      }, ({ z }) => z);
      return [...lower.map(({ ratio }) => ratio), posterior.ratio!(z[last])];
    },
  };
}

/**
 * q(z | x) of all levels
 *
 * The statistics are means and log-variances of each level at the means of those that it follows from.
 */
export function levelsPosterior(
  t: Tape,
  p: Parameters,
  { hierarchy }: HierarchyConfig,
  networks: LevelNetworks,
  top: Top,
  x: Variable,
): LevelsPosterior {
  const inference = (hierarchy === "ladder" ? ladder : plain)(t, p, networks, top, x);
  return {
    name: `${hierarchy} of ${networks.latents.length} levels`,
    latents: networks.latents.reduce((sum, each) => sum + each),
    density: true,
    get statistics() {
      const all = inference.marginals();
      return concat(t, [0, 1].flatMap((half) => all.map((each) => each[half])));
    },
    ratio: (z) => total(t, "ratio", inference.ratios(split(t, z, networks.latents))),
    draw(options = {}) {
      const { levels, above } = inference.draw(options);
      let [z, kl, floored]: [Variable?, RowScalars?, RowScalars?] = [];
      return {
        levels,
        get z() {
          return z ??= concat(t, levels.map((level) => level.z));
        },
        get kl() {
          return kl ??= total(t, "kl", levels.map((level) => level.kl));
        },
        get floored() {
          const all = levels.flatMap((level) => level.floored ?? []);
          return floored ??= all.length ? total(t, "floored kl", all) : undefined;
        },
        decode: () => networks.likelihood(t, p, levels[0].z, above),
      };
    },
  };
}

/** What a ladder finds in the data of every level, from features of features: statistics from the data up. */
export function foundOfAll(t: Tape, p: Parameters, networks: LevelNetworks, x: Variable): Variable[] {
  let below = x;
  return networks.latents.map((_, level) => {
    const { features, found } = networks.up(t, p, level, below);
    below = features;
    return found;
  });
}

/** z ~ p(z) of all levels [N, Σ K], the top first, from noise [N, Σ K + 1] whose last column is uniform. */
export function drawLevels(t: Tape, p: Parameters, networks: LevelNetworks, top: Top, noise: Variable): Variable {
  const { latents, blocks } = networks;
  const last = latents.length - 1;
  const each = split(t, noise, latents);
  const z = [top.prior ? top.prior().draw(each[last]) : columns(t, each[last], 0, latents[last])];
  const steps = descent(t, p, networks);
  for (let level = last - 1; level >= 0; level--) {
    const expected = halves(t, steps.expected(level, z[0]), latents[level], blocks[level]);
    z.unshift(gaussianPrior(t, "level", () => expected).draw(each[level]));
  }
  return concat(t, z);
}

/** p(x | z) of z of all levels [N, Σ K]. */
export function decodeLevels(t: Tape, p: Parameters, networks: LevelNetworks, z: Variable): Likelihood {
  const { latents, carries } = networks;
  if (!carries) return networks.likelihood(t, p, columns(t, z, 0, latents[0]));
  const each = split(t, z, latents);
  let above: Variable | undefined;
  for (let level = latents.length - 1; level > 0; level--) above = networks.down(t, p, level, each[level], above);
  return networks.likelihood(t, p, each[0], above);
}

/** Ends the name of a level's layers: nothing next to the data. */
export const levelName = (name: string, level: number): string => level === 0 ? name : `${name}.level${level + 1}`;

/**
 * Dense layers: `hidden` divided evenly, as many between the data and z₁ as between z₁ and z₂
 *
 * Each level follows from the next one alone: p(x, z) = p(x | z₁) p(z₁ | z₂) ... p(z_L). A condition is joined to x and to z of each level.
 *
 * @param data The shape of the data.
 * @param condition c, or how many columns it has.
 */
export function denseLevels(
  config: LayersConfig & HierarchyConfig,
  data: DataShape,
  condition: Variable | number = 0,
): LevelNetworks {
  const { hidden, lowerLatents, hierarchy } = config;
  const latents = [...lowerLatents, config.latents];
  const top = latents.length - 1;
  const conditions = typeof condition === "number" ? condition : condition.columns;
  const joined = (t: Tape, x: Variable) => typeof condition === "number" ? x : concat(t, [x, condition]);
  const each = hidden.length / latents.length;
  const levels = latents.map((latents, level): LayersConfig => ({
    ...{ ...config, latents, hidden: hidden.slice(level * each, (level + 1) * each) },
    ...level < top ? { flow: "none" } : {},
  }));
  /** Widths from what a level is inferred from to its features. */
  const sizes = (level: number): number[] => {
    const inputs = level === 0
      ? features(data.shape) + conditions
      : hierarchy === "plain"
      ? latents[level - 1]
      : sizes(level - 1).at(-1)!;
    return [inputs, ...levels[level].hidden];
  };
  const up = (level: number) => {
    const name = levelName("encoder", level);
    const outputs = 2 * latents[level] + contextColumns(levels[level]);
    return {
      features: mlp(name, sizes(level), config),
      found: linear(`${name}.posterior`, sizes(level).at(-1)!, outputs),
    };
  };
  const down = (level: number) => {
    const name = levelName("decoder", level);
    const sizes = [latents[level] + conditions, ...levels[level].hidden.toReversed()];
    return {
      features: mlp(name, sizes, config),
      expected: linear(`${name}.prior`, sizes.at(-1)!, 2 * latents[level - 1]),
    };
  };
  const above = latents.map((_, level) => level).slice(1);
  return {
    shapes: {
      ...mlpShapes(levels[0], data, conditions),
      ...chain(...above.flatMap((level) => [...Object.values(up(level)), ...Object.values(down(level))])).shapes,
    },
    latents,
    blocks: latents,
    carries: false,
    up(t, p, level, below) {
      const layers = up(level);
      const features = layers.features.apply(t, p, level === 0 ? joined(t, below) : below);
      return { features, found: layers.found.apply(t, p, features) };
    },
    down: (t, p, level, z) => down(level).features.apply(t, p, joined(t, z)),
    expected: (t, p, level, above) => down(level + 1).expected.apply(t, p, above),
    likelihood: (t, p, z) => mlpDecode(t, p, z, levels[0], typeof condition === "number" ? undefined : condition),
  };
}
