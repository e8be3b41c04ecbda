/**
 * What every likelihood is made of whose features are independent given a location (a mean, a logit) and a scale: its negative
 * logarithm with the gradients, its mean, draws and quantiles. Which distribution it is, is a shader of `shaders/likelihoods/`.
 *
 * @module
 */

import type { Formula, Formulas } from "../graph/formula.ts";
import { type Fragment, merge, type Part, write } from "../gpu/kernel.ts";
import { loader, type RowScalars, type Tape, type Variable } from "../graph/tape.ts";
import { PANEL, roundUp } from "../gpu/tensor.ts";
import backwardNone from "../../shaders/epilogues/backward_none.wgsl" with { type: "text" };
import backwardStore from "../../shaders/epilogues/backward_store.wgsl" with { type: "text" };
import bounded from "../../shaders/likelihoods/bounded.wgsl" with { type: "text" };
import likelihoodStruct from "../../shaders/likelihoods/likelihood.wgsl" with { type: "text" };
import nllEpilogue from "../../shaders/epilogues/likelihood_nll.wgsl" with { type: "text" };
import observedAll from "../../shaders/likelihoods/observed_all.wgsl" with { type: "text" };
import observedGiven from "../../shaders/likelihoods/observed_given.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
import scaleBounded from "../../shaders/likelihoods/scale_bounded.wgsl" with { type: "text" };
import scaleFixed from "../../shaders/likelihoods/scale_fixed.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };
import upstreamNone from "../../shaders/epilogues/upstream_none.wgsl" with { type: "text" };
import valueDrawn from "../../shaders/likelihoods/value_drawn.wgsl" with { type: "text" };
import valueEpilogue from "../../shaders/epilogues/likelihood_value.wgsl" with { type: "text" };
import valueMean from "../../shaders/likelihoods/value_mean.wgsl" with { type: "text" };
import valueQuantile from "../../shaders/likelihoods/value_quantile.wgsl" with { type: "text" };

/** A distribution of each feature, given its location and scale. Those that there are: `families.ts`. */
export interface Family {
  readonly name: string;
  /** Of `shaders/likelihoods/`. */
  readonly shader: string;
  /** What noise a draw is made of. */
  readonly noise: "uniform" | "normal";
  /** Whether its mean is the location, to which a gradient passes then. */
  readonly isCentred?: boolean;
}

/** A scale that is learned: `start` + variable, kept between `lower` and `upper` by shaders/likelihoods/bounded.wgsl. */
export interface LearnedScale {
  /**
   * [N, D], of zeros at first. Record it before the location: then the likelihood can still be formed where the location is.
   */
  readonly variable: Variable;
  /** The scale where the variable is 0. */
  readonly start: number;
  readonly lower: number;
  readonly upper: number;
}

/** A distribution of N rows of D features on a tape. */
export interface Elementwise {
  readonly family: Family;
  /** [N, D] */
  readonly location: Variable;
  /** log σ² of a Gaussian, log s of a logistic: a number, or learned. Left out for those that have none. */
  readonly scale?: number | LearnedScale;
}

/**
 * -log p(x | location, scale) of each row, summed over its features, nats
 *
 * Backward: dlocation and dscale times the weight of the term, by the formulas of the family's shader. Both are formed where the
 * layer before ends, in its epilogue, and the location is not stored, unless something else reads it.
 *
 * @param x [N, D]; where the location has L rows for each row of x, each row is compared with all of its L. It is data: what is trained
 *   cannot form it.
 * @param observed [N, D], 0 where x is missing: the sum is over the other features. Default: all are observed.
 */
export function likelihoodNll(t: Tape, distribution: Elementwise, x: Variable, observed?: Variable): RowScalars {
  const { family, location, scale } = distribution;
  if (location.columns !== x.columns) {
    throw new RangeError(
      `Cannot compare "${location.name}" with "${x.name}": expected ${x.columns} columns, found ${location.columns}`,
    );
  }
  if (observed && (observed.columns !== x.columns || observed.rows !== x.rows)) {
    throw new RangeError(
      `Cannot leave out what is missing of "${x.name}": expected ${x.rows} x ${x.columns} values that say so, ` +
        `found ${observed.rows} x ${observed.columns}`,
    );
  }
  const learned = learnedScale(distribution);
  const nll = t.rowScalars("nll", roundUp(location.columns, PANEL) / t.tiles.summed, location.rows);
  let deliver: (() => void)[] = [];
  const backward = (m: string, variable: Variable | undefined, wanted: boolean): Fragment => {
    if (!wanted || !variable) return { parts: [{ text: backwardNone, parameters: { m } }] };
    const target = t.gradientTarget(variable);
    deliver.push(target.deliver);
    return {
      parts: [{ text: backwardStore, parameters: { m } }],
      constants: { [`ROWS_gradient_${m}`]: target.tensor.storedRows },
      buffers: { [`gradient_${m}`]: write(target.tensor) },
    };
  };
  const epilogue = (gradient: boolean): Fragment => {
    deliver = [];
    return merge(
      {
        parts: [likelihoodStruct, family.shader, observed ? observedGiven : observedAll, nllEpilogue],
        constants: { ROWS_nll: nll.storedRows, COLUMNS: location.columns },
        buffers: { nll: write(nll.buffer) },
      },
      scaleFragment(t, scale),
      t.load("data", x, location.rows / x.rows),
      ...(observed ? [t.load("observed", observed, location.rows / x.rows)] : []),
      gradient ? t.upstream("nll", nll) : { parts: [{ text: upstreamNone, parameters: { m: "nll" } }] },
      backward("location", location, gradient),
      backward("scale", learned?.variable, gradient),
    );
  };
  location.consumerEpilogue = () => epilogue(t.training);
  location.unfused = () => t.deferred(nll);
  t.record({
    name: "nll",
    formula(f) {
      const each = f.likelihood(family.name, "nll", {
        location: f.of(location),
        scale: scaleFormula(f, scale),
        x: f.repeated(f.of(x), location.rows / x.rows),
      });
      if (!observed) return f.sum(each);
      const seen = f.repeated(f.of(observed), location.rows / x.rows);
      return f.sum(f.elementwise("select(vec4f(0), each, seen != vec4f(0))", { each, seen }));
    },
    inputs: [location, ...(learned ? [learned.variable] : []), x, ...(observed ? [observed] : [])],
    parameters: [],
    forward() {
      if (t.fused(location)) return;
      t.map("nll", loader("a", t.tensor(location)), epilogue(t.training && !t.deferred(nll)), location);
    },
    backward() {
      if (t.deferred(nll)) t.map("nll gradient", loader("a", t.tensor(location)), epilogue(true), location);
      deliver.forEach((each) => each());
    },
  }, nll);
  return nll;
}

/**
 * E[x | location, scale]. Of a Gaussian it is the location, to which the gradient passes; the others cannot be trained through.
 *
 * @returns [N, D]
 */
export function likelihoodMean(t: Tape, distribution: Elementwise): Variable {
  return value(t, distribution, "mean", { parts: [valueMean] });
}

/**
 * x ~ p(x | location, scale), anew at every step. No gradient passes.
 *
 * @returns [N, D]
 */
export function likelihoodSample(t: Tape, distribution: Elementwise): Variable {
  const { noise } = distribution.family;
  return value(t, distribution, "sample", {
    parts: [stateStruct, random, { text: valueDrawn, parameters: { noise } }],
    constants: { STREAM_sample: t.stream(), VALID_sample: distribution.location.rows },
    buffers: { state: t.readState() },
  });
}

/**
 * μ + k σ of a Gaussian. It cannot be trained through.
 *
 * @returns [N, D]
 */
export function gaussianQuantile(
  t: Tape,
  distribution: Elementwise,
  k: number,
): Variable {
  return value(t, distribution, "quantile", { parts: [valueQuantile], floats: { QUANTILE: k } });
}

function value(t: Tape, distribution: Elementwise, name: "mean" | "sample" | "quantile", of: Fragment): Variable {
  const { family, location, scale } = distribution;
  const learned = learnedScale(distribution);
  const y = t.variable(name, location.columns, "f32", location.rows);
  const shader: readonly Part[] = [likelihoodStruct, family.shader, valueEpilogue];
  const epilogue = (): Fragment =>
    merge(of, scaleFragment(t, scale), {
      parts: shader,
      constants: { ROWS_y: t.stored(y.rows), COLUMNS: location.columns },
      buffers: { y: write(t.tensor(y)) },
    });
  location.consumerEpilogue = epilogue;
  const scales = learned ? [learned.variable] : [];
  const read = {
    mean: family.isCentred
      ? { inputs: [location], detached: scales, backward: () => t.passGradient(y, location) }
      : { inputs: [location, ...scales] },
    sample: { inputs: [], detached: [location, ...scales] },
    quantile: { inputs: [location, ...scales] },
  };
  t.record({
    name,
    ...read[name],
    formula(f) {
      if (name !== "mean") throw new TypeError(`Cannot export the ${name} of a likelihood: expected its mean`);
      return f.likelihood(family.name, "mean", { location: f.of(location), scale: scaleFormula(f, scale) });
    },
    parameters: [],
    forward() {
      if (!t.fused(location)) t.map(name, loader("a", t.tensor(location)), epilogue(), location);
    },
  }, y);
  return y;
}

/** The learned scale, if it is one that fits the location. */
function learnedScale({ location, scale }: Elementwise): LearnedScale | undefined {
  if (typeof scale !== "object") return undefined;
  const { rows, columns, name } = scale.variable;
  if (rows !== location.rows || columns !== location.columns) {
    throw new RangeError(
      `Cannot scale "${location.name}" by "${name}": expected ${location.rows} x ${location.columns} values, ` +
        `found ${rows} x ${columns}`,
    );
  }
  return scale;
}

/** The scale, for exports: {@linkcode LearnedScale}. */
export function scaleFormula(f: Formulas, scale: Elementwise["scale"] = 0): Formula | number {
  if (typeof scale === "number") return scale;
  const { start, lower, upper } = scale;
  const w = f.elementwise("upper - softplus(upper - start - v)", { upper, start, v: f.of(scale.variable) });
  return f.elementwise("lower + softplus(w - lower)", { lower, w });
}

/** A fragment giving scale_at. */
function scaleFragment(t: Tape, scale: Elementwise["scale"] = 0): Fragment {
  if (typeof scale === "number") return { parts: [scaleFixed], floats: { SCALE: scale } };
  return merge({
    parts: [bounded, scaleBounded],
    floats: { SCALE_START: scale.start, SCALE_LOWER: scale.lower, SCALE_UPPER: scale.upper },
  }, t.load("scale", scale.variable));
}
