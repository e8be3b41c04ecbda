/**
 * The distributions of `core/ops/likelihood.ts` as formulas, as their shaders in `shaders/likelihoods/` have them.
 *
 * @module
 */

import type { Formula, Formulas } from "../core/graph/formula.ts";

type Operands = Readonly<Record<string, Formula | number>>;

/** -log p of each element, of location, scale and x; and the mean, of location and scale. */
interface LikelihoodFormula {
  nll(f: Formulas, of: Operands): Formula;
  mean(f: Formulas, of: Operands): Formula;
}

/** A formula that is one expression. */
const text = (expression: string) => (f: Formulas, of: Operands): Formula => f.elementwise(expression, of);

/** The bins of a discretized logistic behind which it may lie: (k - ½) / 255. */
const EDGES = Array.from({ length: 255 }, (_, i) => (i + 0.5) / 255);

/** σ((x - edge) / s) summed over all edges. */
function discretizedMean(f: Formulas, { location, scale }: Operands): Formula {
  const x = location as Formula;
  // A scale may be one for all rows.
  const each = (given: Formula | number) => f.reshape(f.elementwise("given + 0 * x", { given, x }), 1);
  const beyond = f.elementwise("sigmoid((x - edge) * exp(-s))", { x: each(x), s: each(scale), edge: f.vector(EDGES) });
  return f.reshape(f.elementwise("total / 255", { total: f.sum(beyond) }), x.columns);
}

/** -log P of a bin. */
function discretizedNll(f: Formulas, { location, scale: s, x }: Operands): Formula {
  const of = { location, s, x };
  const above = f.elementwise("(x - location + 1 / 510) * exp(-s)", of);
  const below = f.elementwise("(x - location - 1 / 510) * exp(-s)", of);
  const width = f.elementwise("exp(-s) / 255", { s });
  const mass = f.elementwise(
    "select(log(1 - exp(-max(w, 0.1))), -5.541263545158426 - s - n * (0.5 - n / 24), w < 0.1)",
    { w: width, s, n: f.elementwise("min(w, 0.1)", { w: width }) },
  );
  return f.elementwise(
    "select(softplus(-above), vec4f(0), x > 254.5 / 255) + select(softplus(below), vec4f(0), x < 0.5 / 255) - " +
      "select(mass, vec4f(0), x > 254.5 / 255 | x < 0.5 / 255)",
    { above, below, mass, x },
  );
}

/** A(l) = log((e^l - 1) / l), near 0 by its series. */
function continuousNll(f: Formulas, of: Operands): Formula {
  const l = of.location;
  const near = f.elementwise("min(l * l, 1)", { l });
  const far = f.elementwise("max(abs(l), 1)", { l });
  const series = f.elementwise("n * (1 / 24 - n * (1 / 2880 - n * (1 / 181440 - n / 9676800)))", { n: near });
  const wide = f.elementwise("max(l, 0) + log((1 - exp(-far)) / far)", { l, far });
  return f.elementwise("select(wide, 0.5 * l + series, abs(l) < 1) - l * x", { l, x: of.x, wide, series });
}

function continuousMean(f: Formulas, { location: l }: Operands): Formula {
  const near = f.elementwise("clamp(l, -1, 1)", { l });
  const far = f.elementwise("max(abs(l), 1)", { l });
  const series = f.elementwise("1 / 12 - n * n * (1 / 720 - n * n * (1 / 30240 - n * n / 1209600))", { n: near });
  const above = f.elementwise("1 / (1 - exp(-far)) - 1 / far", { far });
  const wide = f.elementwise("select(1 - above, above, l > 0)", { above, l });
  return f.elementwise("select(wide, 0.5 + near * series, abs(l) < 1)", { wide, near, series, l });
}

/** By the names of the families. */
export const likelihoodFormulas: Readonly<Record<string, LikelihoodFormula>> = {
  "bernoulli": { nll: text("softplus(location) - location * x"), mean: text("sigmoid(location)") },
  "continuous bernoulli": { nll: continuousNll, mean: continuousMean },
  "gaussian": {
    nll: text("0.5 * (1.8378770664093453 + scale + (x - location) * (x - location) * exp(-scale))"),
    mean: text("location"),
  },
  "discretized logistic": { nll: discretizedNll, mean: discretizedMean },
};
