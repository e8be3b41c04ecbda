/**
 * A Gaussian whose covariance is a diagonal and a product of factors: its negative log-density with the gradients, draws and quantiles.
 *
 * @module
 */

import { type Fragment, inRows, merge, read, write } from "../gpu/kernel.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import { layout, randoms } from "./parts.ts";
import bounded from "../../shaders/likelihoods/bounded.wgsl" with { type: "text" };
import compared from "../../shaders/factored/compared.wgsl" with { type: "text" };
import draw from "../../shaders/factored/draw.wgsl" with { type: "text" };
import factored from "../../shaders/factored/factored.wgsl" with { type: "text" };
import gradient from "../../shaders/factored/gradient.wgsl" with { type: "text" };
import moments from "../../shaders/factored/moments.wgsl" with { type: "text" };
import observedAll from "../../shaders/likelihoods/observed_all.wgsl" with { type: "text" };
import observedGiven from "../../shaders/likelihoods/observed_given.wgsl" with { type: "text" };
import quantile from "../../shaders/factored/quantile.wgsl" with { type: "text" };
import solve from "../../shaders/factored/solve.wgsl" with { type: "text" };
import valueShader from "../../shaders/factored/value.wgsl" with { type: "text" };

/** N(μ, diag(σ²) + W Wᵀ) of D features; with as many factors as features the covariance is any that has σ² to spare. */
export interface FactoredGaussian {
  /** μ [N, D] */
  readonly location: Variable;
  /** What is learned of log σ² [N, D], to which `start` is added. */
  readonly scale: Variable;
  /** W / `factor`, the R factors of the first feature, then those of the second, and so on [N, D R]. */
  readonly factors: Variable;
  /** log σ² where the scale is 0. */
  readonly start: number;
  /** It is kept above this. */
  readonly lower: number;
  /** And below this. */
  readonly upper: number;
  /** What the factors are in units of. */
  readonly factor: number;
}

/** R */
const rankOf = ({ location, factors }: FactoredGaussian) => factors.columns / location.columns;

/**
 * -log p(x) = ½ (D log 2π + log |Σ| + (x - μ)ᵀ Σ⁻¹ (x - μ)), Σ = diag(σ²) + W Wᵀ, by R x R matrices alone
 *
 * What is missing is left out of μ and Σ: the density of the others. Two dispatches each way; the second forward takes an R x R matrix apart in one invocation
 * for each row, so a rank is small. Backward: shaders/factored/gradient.wgsl has the formulas. Source: the lemmas of Woodbury and of the
 * determinant, as Ghahramani and Hinton, "The EM Algorithm for Mixtures of Factor Analyzers", 1996, have them.
 *
 * @param x [N / L, D]; each row is compared with its L.
 * @param observed [N / L, D], 0 where x is missing.
 */
export function factoredGaussianNll(t: Tape, of: FactoredGaussian, x: Variable, observed?: Variable): RowScalars {
  const { location, scale, factors } = of;
  const { rows, columns } = location;
  const rank = rankOf(of);
  const fits = x.columns === columns && rows % x.rows === 0 && [scale, factors].every((each) => each.rows === rows);
  if (!fits || scale.columns !== columns || !Number.isInteger(rank) || rank < 1) {
    throw new RangeError(
      `Cannot compare "${location.name}" with "${x.name}": expected rows of ${columns} values, ${rows} x ${columns} ` +
        `scales and ${columns} or more factors a row, found rows of ${x.columns}, ${scale.rows} x ${scale.columns} and ` +
        `${factors.rows} x ${factors.columns}`,
    );
  }
  const nll = t.rowScalars("nll", 1, rows);
  const stored = t.stored(rows);
  const places = rank * rank + rank + 1;
  const work = t.buffer("moments of factors", (places + rank * rank) * stored * 4);
  const repeats = rows / x.rows;
  const given = () =>
    merge(
      factoredFragment(t, of),
      t.load("data", x, repeats),
      ...observed ? [t.load("observed", observed, repeats)] : [],
      { parts: [observed ? observedGiven : observedAll, compared], constants: { COLUMNS: columns } },
    );
  t.record({
    name: "nll",
    inputs: [location, scale, factors, x, ...observed ? [observed] : []],
    parameters: [],
    forward() {
      t.dispatch({
        label: "moments of factors",
        fragments: [given(), { parts: [moments], buffers: { moments: write(work) } }],
        workgroups: inRows(Math.ceil(stored * places / 64)),
      });
      t.dispatch({
        label: "nll",
        fragments: [{
          parts: [{ text: solve, parameters: { inverts: t.training ? 1 : 0 } }],
          constants: { STORED: stored, VALID: rows, RANK: rank },
          buffers: { moments: write(work), nll: write(nll.buffer) },
        }],
        workgroups: [Math.ceil(rows / 64)],
      });
    },
    backward() {
      const targets = [location, scale, factors].map((each) => t.gradientTarget(each));
      const [toLocation, toScale, toFactors] = targets.map(({ tensor }) => write(tensor, "array<f32>"));
      const form = (label: string, parameters: { own: number; shared: number }, buffers: Fragment["buffers"]) =>
        t.dispatch({
          label,
          fragments: [given(), t.upstream("nll", nll), {
            parts: [{ text: gradient, parameters }],
            buffers: { moments: read(work), ...buffers },
          }],
          workgroups: inRows(Math.ceil(stored * columns / 64)),
        });
      form("nll gradient", { own: 1, shared: 0 }, { to_location: toLocation, to_scale: toScale });
      form("nll gradient of factors", { own: 0, shared: 1 }, { to_factors: toFactors });
      for (const { deliver } of targets) deliver();
    },
  }, nll);
  return nll;
}

/**
 * x ~ p(x), anew at every step. No gradient passes.
 *
 * @returns [N, D]
 */
export function factoredGaussianSample(t: Tape, of: FactoredGaussian): Variable {
  const constants = { STREAM_own: t.stream(), STREAM_shared: t.stream() };
  return value(t, of, "sample", merge(randoms(t), { parts: [draw], constants }));
}

/**
 * μ + k √Σ_dd of each feature by itself. No gradient passes.
 *
 * @returns [N, D]
 */
export function factoredGaussianQuantile(t: Tape, of: FactoredGaussian, k: number): Variable {
  return value(t, of, "quantile", { parts: [quantile], floats: { QUANTILE: k } });
}

function value(t: Tape, of: FactoredGaussian, name: string, by: Fragment): Variable {
  const { location, scale, factors } = of;
  const y = t.variable(name, location.columns, "f32", location.rows);
  t.record({
    name,
    inputs: [],
    detached: [location, scale, factors],
    parameters: [],
    forward: () =>
      t.dispatch({
        label: name,
        fragments: [factoredFragment(t, of), by, {
          parts: [valueShader],
          buffers: { y: write(t.tensor(y), "array<f32>") },
        }],
        workgroups: inRows(Math.ceil(t.stored(y.rows) * y.columns / 64)),
      }),
  }, y);
  return y;
}

/** Gives what shaders/factored/factored.wgsl gives. */
function factoredFragment(t: Tape, of: FactoredGaussian): Fragment {
  const { location, scale, factors, start, lower, upper, factor } = of;
  const bind = (variable: Variable) => read(t.tensor(variable), "array<f32>");
  return merge(layout, {
    parts: [bounded, factored],
    constants: {
      STORED: t.stored(location.rows),
      VALID: location.rows,
      FEATURES: location.columns,
      RANK: rankOf(of),
    },
    floats: { SCALE_START: start, SCALE_LOWER: lower, SCALE_UPPER: upper, FACTOR: factor },
    buffers: { location: bind(location), scale: bind(scale), factors: bind(factors) },
  });
}
