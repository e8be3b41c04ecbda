/**
 * A mixture of discretized logistics for each pixel: its negative logarithm with the gradients, its mean and draws.
 *
 * @module
 */

import type { Formula, Formulas } from "../graph/formula.ts";
import { type Fragment, inRows, merge, type Part, read, write } from "../gpu/kernel.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import { layout, randoms } from "./parts.ts";
import bounded from "../../shaders/likelihoods/bounded.wgsl" with { type: "text" };
import discretizedLogistic from "../../shaders/likelihoods/discretized_logistic.wgsl" with { type: "text" };
import draw from "../../shaders/logistics/draw.wgsl" with { type: "text" };
import gradient from "../../shaders/logistics/gradient.wgsl" with { type: "text" };
import likelihoodStruct from "../../shaders/likelihoods/likelihood.wgsl" with { type: "text" };
import mean from "../../shaders/logistics/mean.wgsl" with { type: "text" };
import mixturePart from "../../shaders/logistics/mixture.wgsl" with { type: "text" };
import nllShader from "../../shaders/logistics/nll.wgsl" with { type: "text" };
import observedAll from "../../shaders/likelihoods/observed_all.wgsl" with { type: "text" };
import observedGiven from "../../shaders/likelihoods/observed_given.wgsl" with { type: "text" };
import weighPart from "../../shaders/logistics/weigh.wgsl" with { type: "text" };

/** A mixture of M discretized logistics for each of P pixels of C channels; {@linkcode logisticMixtureNll} has the formula. */
export interface LogisticMixture {
  /** Locations of the first component [N, P C]. */
  readonly location: Variable;
  /**
   * Of each pixel in turn [N, P W]: logits of the other M - 1 components; the distances of their locations from the first, C each; what
   * log s is beside `start`, C each of M; with `autoregressive`, coefficients before the hyperbolic tangent, C (C - 1) / 2 each of M.
   */
  readonly mixture: Variable;
  /** M */
  readonly components: number;
  /** C */
  readonly channels: number;
  /** Whether a channel's location follows from the channels before it. */
  readonly autoregressive: boolean;
  /** log s where the mixture has 0. */
  readonly start: number;
  /** Log s is kept above this, smoothly. */
  readonly lower: number;
  /** And below this. */
  readonly upper: number;
}

/** W, numbers of a pixel besides its location. */
export function mixtureColumns(
  { components, channels, autoregressive }: Pick<LogisticMixture, "components" | "channels" | "autoregressive">,
): number {
  const coefficients = autoregressive ? channels * (channels - 1) / 2 : 0;
  return (components - 1) * (1 + channels) + components * (channels + coefficients);
}

/** Pixels of one invocation. */
const RUN = 8;

/**
 * -log p(x) = -Σ_pixels log Σ_m π_m Π_c P(x_c | μ_mc, s_mc), P the discretized logistic of shaders/likelihoods/discretized_logistic.wgsl
 *
 * With `autoregressive` the location of channel c is μ_mc + Σ_{c' < c} a_mcc' (x_c' - ½), a = tanh of what is given. Backward: with r_m
 * = π_m Π_c P / Σ the part of a component in a pixel, dlogit_m = π_m - r_m, and locations and scales get r_m times what one logistic gets.
 * One dispatch each way. Source: Salimans et al., "PixelCNN++", arXiv:1701.05517, equations 1 to 3.
 *
 * @param x [N / L, P C]; each row is compared with its L.
 * @param observed [N / L, P C], 0 where x is missing: the other channels of a pixel count alone. Not with `autoregressive`.
 */
export function logisticMixtureNll(t: Tape, of: LogisticMixture, x: Variable, observed?: Variable): RowScalars {
  const { location, mixture, channels, autoregressive } = of;
  const { rows, columns } = location;
  const pixels = columns / channels;
  const width = mixtureColumns(of) * pixels;
  if (x.columns !== columns || mixture.columns !== width || mixture.rows !== rows || rows % x.rows) {
    throw new RangeError(
      `Cannot compare "${location.name}" and "${mixture.name}" with "${x.name}": expected ${rows} x ${width} numbers of a ` +
        `mixture, and rows of ${columns} values, found ${mixture.rows} x ${mixture.columns} and ${x.columns}`,
    );
  }
  if (observed && autoregressive && channels > 1) {
    throw new TypeError(
      "Cannot leave out what is missing: expected channels that do not follow from each other, found an autoregressive mixture",
    );
  }
  const parts = Math.ceil(pixels / RUN);
  const nll = t.rowScalars("nll", parts, rows);
  const repeats = rows / x.rows;
  const compared = () =>
    merge(
      mixtureFragment(t, of),
      t.load("data", x, repeats),
      ...observed ? [t.load("observed", observed, repeats)] : [],
      {
        parts: [observed ? observedGiven : observedAll, written(of, weighPart)],
      },
    );
  const workgroups = inRows(Math.ceil(nll.storedRows * parts / 64));
  t.record({
    name: "nll",
    inputs: [location, mixture, x, ...observed ? [observed] : []],
    parameters: [],
    formula(f) {
      if (observed) throw new TypeError("Cannot export a likelihood of what is observed of a mixture");
      const given = byChannel(f, of, f.reshape(f.repeated(f.of(x), repeats), channels));
      const each = given.parts.map(({ location, scale, x }) => {
        return f.likelihood("discretized logistic", "nll", { location, scale, x: x! });
      });
      const total = each.reduce(
        (a, b) => f.elementwise("a + b", { a, b }),
        f.elementwise("-l", { l: given.logWeights }),
      );
      const least = f.elementwise("-m", { m: f.most(f.elementwise("-t", { t: total })) });
      const sum = f.sum(f.elementwise("exp(least - t)", { least, t: total }));
      return f.sum(f.reshape(f.elementwise("least - log(sum)", { least, sum }), pixels));
    },
    forward() {
      const output = { parts: [written(of, nllShader)], buffers: { nll: write(nll.buffer) } };
      t.dispatch({ label: "nll", fragments: [compared(), output], workgroups });
    },
    backward() {
      const [toLocation, toMixture] = [t.gradientTarget(location), t.gradientTarget(mixture)];
      const outputs = {
        parts: [written(of, gradient)],
        buffers: {
          to_location: write(toLocation.tensor, "array<f32>"),
          to_mixture: write(toMixture.tensor, "array<f32>"),
        },
      };
      t.dispatch({ label: "nll gradient", fragments: [compared(), t.upstream("nll", nll), outputs], workgroups });
      toLocation.deliver();
      toMixture.deliver();
    },
  }, nll);
  return nll;
}

/**
 * E[x] of each channel; with `autoregressive`, of every component the mean at the means of the channels before. It cannot be trained through.
 *
 * @returns [N, P C]
 */
export function logisticMixtureMean(t: Tape, of: LogisticMixture): Variable {
  return value(t, of, "mean", { parts: [written(of, mean)] });
}

/**
 * x ~ p(x): of each pixel a component, then its channels one after another, anew at every step. No gradient passes.
 *
 * @returns [N, P C]
 */
export function logisticMixtureSample(t: Tape, of: LogisticMixture): Variable {
  const constants = { STREAM_sample: t.stream(), VALID_sample: of.location.rows };
  return value(t, of, "sample", merge(randoms(t), { parts: [written(of, draw)], constants }));
}

/**
 * The components of each channel in turn [N P, M], for exports: their locations and scales, which follow from the channels before, of x or
 * else of the means; and log π.
 *
 * @param x [N P, C]
 */
function byChannel(f: Formulas, of: LogisticMixture, x?: Formula) {
  const { components, channels, autoregressive, start, lower, upper } = of;
  const [locations, numbers] = [
    f.reshape(f.of(of.location), channels),
    f.reshape(f.of(of.mixture), mixtureColumns(of)),
  ];
  const column = (from: Formula, at: number) => f.columns(from, at, 1);
  const zero = f.elementwise("0 * x", { x: column(locations, 0) });
  const ofAll = (first: number, step: number, count = components) =>
    Array.from({ length: count }, (_, m) => column(numbers, first + m * step));
  const logits = f.concat([zero, ...ofAll(0, 1, components - 1)]);
  const most = f.most(logits);
  const total = f.sum(f.elementwise("exp(l - most)", { l: logits, most }));
  const scales = (components - 1) * (1 + channels);
  const each = channels * (channels - 1) / 2;
  const parts: { location: Formula; scale: Formula; x?: Formula; mean?: Formula }[] = [];
  for (let c = 0; c < channels; c++) {
    const distances = f.concat([zero, ...ofAll(components - 1 + c, channels, components - 1)]);
    let location = f.elementwise("x + d", { x: column(locations, c), d: distances });
    for (let before = 0; autoregressive && before < c; before++) {
      const given = ofAll(scales + components * channels + c * (c - 1) / 2 + before, each);
      const value = parts[before].x ?? parts[before].mean!;
      location = f.elementwise("x + tanh(a) * (v - 0.5)", { x: location, a: f.concat(given), v: value });
    }
    const v = f.concat(ofAll(scales + c, channels));
    const w = f.elementwise("upper - softplus(upper - start - v)", { upper, start, v });
    const scale = f.elementwise("lower + softplus(w - lower)", { lower, w });
    const known = x ? { x: column(x, c) } : { mean: f.likelihood("discretized logistic", "mean", { location, scale }) };
    parts.push({ location, scale, ...known });
  }
  return { parts, logWeights: f.elementwise("l - most - log(total)", { l: logits, most, total }) };
}

function value(t: Tape, of: LogisticMixture, name: string, by: Fragment): Variable {
  const { location, mixture, channels } = of;
  const { rows, columns } = location;
  const y = t.variable(name, columns, "f32", rows);
  t.record({
    name,
    inputs: [],
    detached: [location, mixture],
    parameters: [],
    formula(f) {
      if (name !== "mean") throw new TypeError(`Cannot export the ${name} of a mixture: expected its mean`);
      const { parts, logWeights: l } = byChannel(f, of);
      return f.reshape(f.concat(parts.map(({ mean }) => f.sum(f.elementwise("exp(l) * m", { l, m: mean! })))), columns);
    },
    forward() {
      const output = { buffers: { y: write(t.tensor(y), "array<f32>") }, parts: [] };
      const groups = Math.ceil(t.stored(rows) * Math.ceil(columns / channels / RUN) / 64);
      t.dispatch({ label: name, fragments: [mixtureFragment(t, of), output, by], workgroups: inRows(groups) });
    },
  }, y);
  return y;
}

/** A shader whose components, four in a group, and channels are written out. */
function written({ components, channels, autoregressive }: LogisticMixture, text: string): Part {
  return { text, parameters: { groups: Math.ceil(components / 4), channels, bends: autoregressive ? 1 : 0 } };
}

/** Gives what shaders/logistics/mixture.wgsl gives. */
function mixtureFragment(t: Tape, of: LogisticMixture): Fragment {
  const { location, mixture, components, channels, start, lower, upper } = of;
  return merge(layout, {
    parts: [likelihoodStruct, discretizedLogistic, bounded, written(of, mixturePart)],
    constants: {
      MIXTURE_ROWS: location.rows,
      MIXTURE_STORED: t.stored(location.rows),
      COLUMNS: location.columns,
      PIXELS: location.columns / channels,
      RUN,
      MIXED: components,
      CHANNELS: channels,
      WIDTH: mixtureColumns(of),
    },
    floats: { SCALE_START: start, SCALE_LOWER: lower, SCALE_UPPER: upper },
    buffers: {
      location: read(t.tensor(location), "array<f32>"),
      mixture: read(t.tensor(mixture), "array<f32>"),
    },
  });
}
