/**
 * A Gaussian whose variance was estimated, not trained: it is read from a parameter or a variable and has no gradient.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { Parameter } from "../graph/parameters.ts";
import { loader, type RowScalars, type Tape, type Variable, zeros } from "../graph/tape.ts";
import { PANEL, roundUp } from "../gpu/tensor.ts";
import fittedGaussianNllShader from "../../shaders/epilogues/fitted_gaussian_nll.wgsl" with { type: "text" };
import fittedGaussianSampleShader from "../../shaders/epilogues/fitted_gaussian_sample.wgsl" with { type: "text" };
import loadRow from "../../shaders/loaders/row.wgsl" with { type: "text" };
import noiseRandom from "../../shaders/noise_random.wgsl" with { type: "text" };
import observedAll from "../../shaders/likelihoods/observed_all.wgsl" with { type: "text" };
import observedGiven from "../../shaders/likelihoods/observed_given.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };

/**
 * Variances [N, D], or a row of a parameter's weight of D outputs: the same for every datum. Record variables before the mean: then the
 * likelihood is formed where the mean is.
 */
export type Variances = Variable | { readonly parameter: Parameter; readonly row: number };

function load(t: Tape, m: string, source: Variances): Fragment {
  if (!("parameter" in source)) return t.load(m, source);
  const { parameter: { tensor }, row } = source;
  return {
    parts: [{ text: loadRow, parameters: { m } }],
    constants: { [`ROWS_${m}`]: tensor.storedRows, [`ROW_${m}`]: row },
    buffers: { [m]: read(tensor) },
  };
}

function inputsOf(...sources: readonly (Variances | undefined)[]): Variable[] {
  return sources.flatMap((source) => source && !("parameter" in source) ? [source] : []);
}

/**
 * E[-log N(x; m, diag v)] = ½ Σ_d ((x_d - μ_d)² + s_d) / v_d + log 2πv_d of each row, for m of mean μ and variance s
 *
 * @param mean μ [N, D]
 * @param x [N, D]
 * @param options `spread`: s; 0 where left out: m is known. `observed` [N, D], 0 where x is missing: the sum is over the other features.
 */
export function fittedGaussianNll(
  t: Tape,
  mean: Variable,
  x: Variable,
  variance: Variances,
  { spread, observed }: { readonly spread?: Variances; readonly observed?: Variable } = {},
): RowScalars {
  const nll = t.rowScalars("nll", roundUp(mean.columns, PANEL) / t.tiles.summed, mean.rows);
  const epilogue = (): Fragment =>
    merge(
      t.load("data", x),
      load(t, "variance", variance),
      spread ? load(t, "spread", spread) : zeros("spread"),
      ...(observed ? [t.load("observed", observed)] : []),
      {
        parts: [observed ? observedGiven : observedAll, fittedGaussianNllShader],
        constants: { ROWS_nll: nll.storedRows, COLUMNS: mean.columns },
        buffers: { nll: write(nll.buffer) },
      },
    );
  mean.consumerEpilogue = epilogue;
  t.record({
    name: "nll",
    inputs: [mean, x, ...inputsOf(variance, spread), ...(observed ? [observed] : [])],
    parameters: [],
    forward() {
      if (!t.fused(mean)) t.map("nll", loader("a", t.tensor(mean)), epilogue(), mean);
    },
  }, nll);
  return nll;
}

/**
 * x ~ N(μ, diag v)
 *
 * @param mean μ [N, D]
 * @returns x [N, D]
 */
export function fittedGaussianSample(t: Tape, mean: Variable, variance: Variances): Variable {
  const x = t.variable("sample", mean.columns, "f32", mean.rows);
  const stream = t.stream();
  const epilogue = (): Fragment =>
    merge(load(t, "variance", variance), {
      parts: [stateStruct, random, noiseRandom, fittedGaussianSampleShader],
      constants: {
        ROWS_y: t.stored(x.rows),
        COLUMNS: mean.columns,
        STREAM_noise: stream,
        ...t.drawn("noise", x.rows),
      },
      buffers: { y: write(t.tensor(x)), state: t.readState() },
    });
  mean.consumerEpilogue = epilogue;
  t.record({
    name: x.name,
    inputs: [],
    detached: [mean, ...inputsOf(variance)],
    parameters: [],
    forward() {
      if (!t.fused(mean)) t.map(x.name, loader("a", t.tensor(mean)), epilogue(), mean);
    },
  }, x);
  return x;
}
