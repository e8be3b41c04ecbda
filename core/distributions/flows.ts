/**
 * Normalizing flows: invertible maps between a density that is wanted and N(0, I), with their log-determinants.
 *
 * @module
 */

import type { Parameters, Shapes } from "../graph/parameters.ts";
import type { Activation } from "../ops/activations.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import { chain, type Layer, linear, made, mlp } from "../nn/mod.ts";
import { columns } from "../ops/columns.ts";
import { concat } from "../ops/concat.ts";
import { elementwise } from "../ops/elementwise.ts";
import { sumValues } from "../ops/sum_values.ts";
import { activate } from "../ops/activate.ts";
import { add } from "../ops/add.ts";
import { multiply, square, subtract } from "../ops/arithmetic.ts";
import { columnOf, repeatColumn, sumColumns, valuesOf } from "../ops/sum.ts";
import type { Posterior } from "./distribution.ts";
import type { Prior } from "./prior.ts";

/** What a flow made of z, recorded as it is asked for. */
export interface Flowed {
  /** f(z) [N, K] */
  y(): Variable;
  /** ½ (‖f(z)‖² - ‖z‖²) - log |det ∂f/∂z| of each row: log N(z; 0, I) less the log-density that f gives z. Once. */
  ratio(): RowScalars;
}

/** An invertible map f of K dimensions, which may follow from a context. */
export interface Flow {
  /** What it holds, by full names. */
  readonly shapes: Shapes;
  /** Records f. z [N, K], context [N, C] */
  apply(t: Tape, p: Parameters, z: Variable, context?: Variable): Flowed;
  /** Records f⁻¹. y [N, K] */
  inverse(t: Tape, p: Parameters, y: Variable, context?: Variable): Variable;
}

/** How a flow is built. */
export interface FlowOptions {
  /** K */
  readonly latents: number;
  /** How many layers. */
  readonly layers: number;
  /** Widths of the hidden layers of each. */
  readonly hidden: readonly number[];
  /** C, columns of the context. Default 0. */
  readonly context?: number;
  /** Of the hidden layers. Default "relu". */
  readonly activation?: Activation;
}

/** Where the log-scale a of a dimension is kept: 3 tanh(s / 3), so that a scale is between 1/20 and 20. */
const SCALE = "3.0 * tanh(s / 3.0)";
const SCALE_DERIVATIVE = "(1.0 - tanh(s / 3.0) * tanh(s / 3.0))";

const scaled = elementwise({
  name: "x e^a + m",
  inputs: ["x", "s", "m"],
  value: `x * exp(${SCALE}) + m`,
  derivatives: { x: `exp(${SCALE})`, s: `(y - m) * ${SCALE_DERIVATIVE}`, m: "vec4f(1.0)" },
});

const unscaled = elementwise({
  name: "(x - m) e^-a",
  inputs: ["x", "s", "m"],
  value: `(x - m) * exp(-(${SCALE}))`,
  derivatives: { x: `exp(-(${SCALE}))`, s: `-y * ${SCALE_DERIVATIVE}`, m: `-exp(-(${SCALE}))` },
});

const logScale = elementwise({
  name: "a",
  inputs: ["s"],
  value: SCALE,
  derivatives: { s: SCALE_DERIVATIVE },
});

const moreLogScale = elementwise({
  name: "sum + a",
  inputs: ["sum", "s"],
  value: `sum + ${SCALE}`,
  derivatives: { sum: "vec4f(1.0)", s: SCALE_DERIVATIVE },
});

/** ½ (y² - z²) - a, or + a where the scales divide */
const ratioBy = (sign: "-" | "+") =>
  elementwise({
    name: `½ (y² - z²) ${sign} a`,
    inputs: ["z", "u", "a"],
    value: `0.5 * (u * u - z * z) ${sign} a`,
    derivatives: { z: "-z", u: "u", a: `vec4f(${sign === "-" ? -1 : 1})` },
  });

const ratioOfScales = ratioBy("-");
const ratioOfDivisors = ratioBy("+");

/** A variable beside the context, where there is one. */
const beside = (t: Tape, x: Variable, context: Variable | undefined) => context ? concat(t, [x, context]) : x;

/** The two numbers of each dimension that a network gives: [N, 2 H] as s [N, H] and m [N, H]. */
function scaleAndShift(t: Tape, p: Parameters, net: Layer, input: Variable): [s: Variable, m: Variable] {
  const both = net.apply(t, p, input);
  return [columns(t, both, 0, both.columns / 2), columns(t, both, both.columns / 2, both.columns / 2)];
}

/**
 * Affine coupling layers: of z = (a, b) each layer leaves one half and makes b e^s(a) + m(a) of the other, in turn
 *
 * log |det| = Σ s. Both ways take one pass. Source: Dinh et al., "Density estimation using Real NVP", arXiv:1605.08803, equations
 * 4 to 8, with networks of dense layers and halves in place of checkerboards.
 *
 * @throws {RangeError} If there are fewer than two dimensions.
 */
export function couplingFlow(
  name: string,
  { latents, layers, hidden, context = 0, activation = "relu" }: FlowOptions,
): Flow {
  if (latents < 2) throw new RangeError(`Cannot couple ${latents} dimension: expected at least 2`);
  const sizes = [Math.ceil(latents / 2), Math.floor(latents / 2)];
  // Layer i changes half (i + 1) mod 2 by the other.
  const nets = Array.from({ length: layers }, (_, i) => {
    const [given, changed] = [sizes[i % 2], sizes[(i + 1) % 2]];
    const widths = [given + context, ...hidden];
    return chain(
      mlp(`${name}.${i}`, widths, { activation }),
      linear(`${name}.${i}.scale`, widths.at(-1)!, 2 * changed, "identity", { initial: 0 }),
    );
  });
  const halves = (t: Tape, z: Variable) => [columns(t, z, 0, sizes[0]), columns(t, z, sizes[0], sizes[1])];
  return {
    shapes: chain(...nets).shapes,
    apply(t, p, z, context) {
      const start = halves(t, z);
      const now = [...start];
      const logs: (Variable | undefined)[] = [undefined, undefined];
      nets.forEach((net, i) => {
        const [given, changed] = [i % 2, (i + 1) % 2];
        const [s, m] = scaleAndShift(t, p, net, beside(t, now[given], context));
        now[changed] = scaled(t, now[changed], s, m);
        const before = logs[changed];
        logs[changed] = before ? moreLogScale(t, before, s) : logScale(t, s);
      });
      return {
        y: () => concat(t, now),
        ratio() {
          const [one, other] = [1, 0].flatMap((half) => {
            const log = logs[half];
            return log ? [valuesOf(t, `ratio of half ${half}`, ratioOfScales(t, start[half], now[half], log))] : [];
          });
          return other ? sumValues(t, "ratio", one, other) : one;
        },
      };
    },
    inverse(t, p, y, context) {
      const now = halves(t, y);
      for (let i = layers - 1; i >= 0; i--) {
        const [given, changed] = [i % 2, (i + 1) % 2];
        const [s, m] = scaleAndShift(t, p, nets[i], beside(t, now[given], context));
        now[changed] = unscaled(t, now[changed], s, m);
      }
      return concat(t, now);
    },
  };
}

/**
 * Masked autoregressive layers: uᵢ = (zᵢ - m(z₁ ... zᵢ₋₁)) e^-s(z₁ ... zᵢ₋₁), the order of the dimensions reversed from layer to layer
 *
 * log |det| = -Σ s. A density takes one pass, a draw K passes of each layer. Source: Papamakarios et al., "Masked Autoregressive Flow for
 * Density Estimation", arXiv:1705.07057, equations 4 and 5.
 */
export function autoregressiveFlow(name: string, options: FlowOptions): Flow {
  return maskedFlow(name, options, {
    ...{ apply: unscaled, undo: scaled, log: logScale, more: moreLogScale },
    ratio: ratioOfDivisors,
  });
}

/** What a masked layer makes of a dimension x, by the s and m that follow from those before it. */
interface MaskedStep {
  apply(t: Tape, x: Variable, s: Variable, m: Variable): Variable;
  undo(t: Tape, y: Variable, s: Variable, m: Variable): Variable;
  log(t: Tape, s: Variable): Variable;
  more(t: Tape, sum: Variable, s: Variable): Variable;
  /** Of z, of what all layers made of it, and of the sum of the logs. */
  ratio(t: Tape, z: Variable, y: Variable, sum: Variable): Variable;
}

function maskedFlow(
  name: string,
  { latents, layers, hidden, context = 0, activation = "relu" }: FlowOptions,
  { apply, undo, log, more, ratio }: MaskedStep,
): Flow {
  const nets = Array.from(
    { length: layers },
    (_, i) => made(`${name}.${i}`, latents, hidden, 2, { activation, context, reversed: i % 2 === 1 }),
  );
  return {
    shapes: chain(...nets).shapes,
    apply(t, p, z, context) {
      let y = z;
      let sum: Variable | undefined;
      for (const net of nets) {
        const [s, m] = scaleAndShift(t, p, net, beside(t, y, context));
        y = apply(t, y, s, m);
        sum = sum ? more(t, sum, s) : log(t, s);
      }
      return { y: () => y, ratio: () => valuesOf(t, "ratio", ratio(t, z, y, sum!)) };
    },
    inverse(t, p, y, context) {
      for (const net of nets.toReversed()) {
        // Each pass makes one more dimension right: the first follows from nothing, the last from all others.
        let z = y;
        for (let pass = 0; pass < latents; pass++) z = undo(t, y, ...scaleAndShift(t, p, net, beside(t, z, context)));
        y = z;
      }
      return y;
    },
  };
}

/** a = s + 2: at first a gate lets 0.88 of z pass. */
const GATE = "1.0 / (1.0 + exp(-(s + 2.0)))";

const gated = elementwise({
  name: "g x + (1 - g) m",
  inputs: ["x", "s", "m"],
  value: `m + (x - m) * ${GATE}`,
  derivatives: { x: GATE, s: `(y - m) * (1.0 - ${GATE})`, m: `1.0 - ${GATE}` },
});

const ungated = elementwise({
  name: "m + (x - m) / g",
  inputs: ["x", "s", "m"],
  value: "m + (x - m) * (1.0 + exp(-(s + 2.0)))",
  derivatives: {
    x: "1.0 + exp(-(s + 2.0))",
    s: "-(x - m) * exp(-(s + 2.0))",
    m: "-exp(-(s + 2.0))",
  },
});

/** log g = -softplus(-a), and its sum over layers */
const LOG_GATE = "-(max(-(s + 2.0), vec4f(0.0)) + log(1.0 + exp(-abs(s + 2.0))))";

const logGate = elementwise({
  name: "log g",
  inputs: ["s"],
  value: LOG_GATE,
  derivatives: { s: `1.0 - ${GATE}` },
});

const moreLogGate = elementwise({
  name: "sum + log g",
  inputs: ["sum", "s"],
  value: `sum ${LOG_GATE}`,
  derivatives: { sum: "vec4f(1.0)", s: `1.0 - ${GATE}` },
});

/**
 * Inverse autoregressive layers: yᵢ = gᵢ zᵢ + (1 - gᵢ) mᵢ, gᵢ = sigmoid(sᵢ + 2), s and m of z₁ ... zᵢ₋₁ and the context, the order of the
 * dimensions reversed from layer to layer
 *
 * log |det| = Σ log g. A draw and its density take one pass, what a posterior needs; the inverse K passes of each layer. Source: Kingma et
 * al., "Improving Variational Inference with Inverse Autoregressive Flow", arXiv:1606.04934, equations 10 to 14 and algorithm 1.
 */
export function inverseAutoregressiveFlow(name: string, options: FlowOptions): Flow {
  return maskedFlow(name, options, {
    ...{ apply: gated, undo: ungated, log: logGate, more: moreLogGate },
    ratio: ratioOfScales,
  });
}

/** log(1 + e^x) - 1, what ŵᵀû is in place of wᵀu, so that a planar layer is invertible */
const enough = elementwise({
  name: "softplus - 1",
  inputs: ["x"],
  value: "max(x, vec4f(0.0)) + log(1.0 + exp(-abs(x))) - 1.0",
  derivatives: { x: "1.0 / (1.0 + exp(-x))" },
});

const moved = elementwise({
  name: "z + û h",
  inputs: ["z", "u", "w", "n", "h"],
  value: "z + (u + n * w) * h",
  derivatives: { z: "vec4f(1.0)", u: "h", w: "n * h", n: "w * h", h: "u + n * w" },
});

const stretch = elementwise({
  name: "(softplus - 1 - wᵀu) / ‖w‖²",
  inputs: ["e", "d", "q"],
  value: "(e - d) / (q + 1e-6)",
  derivatives: { e: "1.0 / (q + 1e-6)", d: "-1.0 / (q + 1e-6)", q: "-y / (q + 1e-6)" },
});

const bent = elementwise({
  name: "tanh",
  inputs: ["a", "b"],
  value: "tanh(a + b)",
  derivatives: { a: "1.0 - y * y", b: "1.0 - y * y" },
});

const logStretch = elementwise({
  name: "-log(1 + (1 - h²) ŵᵀû)",
  inputs: ["h", "e"],
  value: "-log(1.0 + (1.0 - h * h) * e)",
  derivatives: {
    h: "2.0 * h * e / (1.0 + (1.0 - h * h) * e)",
    e: "-(1.0 - h * h) / (1.0 + (1.0 - h * h) * e)",
  },
});

const halfDifference = elementwise({
  name: "½ (y² - z²)",
  inputs: ["z", "u"],
  value: "0.5 * (u * u - z * z)",
  derivatives: { z: "-z", u: "u" },
});

const movedBack = elementwise({
  name: "y - û h",
  inputs: ["y_", "u", "w", "n", "h"],
  value: "y_ - (u + n * w) * h",
  derivatives: { y_: "vec4f(1.0)", u: "-h", w: "-n * h", n: "-w * h", h: "-(u + n * w)" },
});

/** Steps after which a is right to float32, but where the layer hardly rises. */
const NEWTON_STEPS = 20;

/** Where a + e tanh a is concave on the way to c, from 0; where it is convex, from beyond: c - e sign(c). */
const beginning = elementwise({
  name: "start of a",
  inputs: ["c", "e"],
  value: "select(c - e * sign(c), vec4f(0.0), e > vec4f(0.0))",
  derivatives: {
    c: "select(vec4f(1.0), vec4f(0.0), e > vec4f(0.0))",
    e: "select(-sign(c), vec4f(0.0), e > vec4f(0.0))",
  },
});

const nearer = elementwise({
  name: "a + e tanh(a) = c by a step of Newton's",
  inputs: ["a", "c", "e"],
  value: "a - (a + e * tanh(a) - c) / (1.0 + e * (1.0 - tanh(a) * tanh(a)))",
  // Of the root, where a does not matter any more.
  derivatives: {
    a: "vec4f(0.0)",
    c: "1.0 / (1.0 + e * (1.0 - tanh(y) * tanh(y)))",
    e: "-tanh(y) / (1.0 + e * (1.0 - tanh(y) * tanh(y)))",
  },
});

/** Columns of the context that {@linkcode planarFlow} takes its layers from. */
export const planarContext = (latents: number, layers: number): number => layers * (2 * latents + 1);

/**
 * Planar layers: y = z + û tanh(wᵀz + b), with u, w and b of each row from its context, and û = u + (log(1 + e^(wᵀu)) - 1 - wᵀu) w / ‖w‖²
 *
 * log |det| = Σ log(1 + (1 - tanh²) wᵀû). It has no parameters of its own. Of the inverse a = wᵀz + b is sought, the one root of
 * a + wᵀû tanh(a) = wᵀy + b, which rises as wᵀû > -1: Newton's steps from the side on which none passes it. Source: Rezende and Mohamed,
 * "Variational Inference with Normalizing Flows", arXiv:1505.05770, equations 10 to 13 and appendix A.1.
 */
export function planarFlow({ latents, layers }: Pick<FlowOptions, "latents" | "layers">): Flow {
  /** Each layer as it is asked for: u and w [N, K], b, ŵᵀû and what û has of w [N, 1]. */
  const layersOf = (t: Tape, z: Variable, context: Variable | undefined) => {
    const width = planarContext(latents, layers);
    if (context?.columns !== width) {
      throw new RangeError(
        `Cannot apply a planar flow: expected a context of ${width} columns, found ${context?.columns ?? 0}`,
      );
    }
    // Of each row of z, of which there may be several for one of the context.
    const all = concat(t, [z, context]);
    return (i: number) => {
      const first = latents + i * (2 * latents + 1);
      const [u, w, b] = [[0, latents], [latents, latents], [2 * latents, 1]].map(([at, count]) =>
        columns(t, all, first + at, count)
      );
      const dot = sumColumns(t, multiply(t, w, u));
      const e = enough(t, dot);
      return { u, w, b, e, n: stretch(t, e, dot, sumColumns(t, square(t, w))) };
    };
  };
  return {
    shapes: {},
    apply(t, _, z, context) {
      const layer = layersOf(t, z, context);
      let y = z;
      let logs: RowScalars | undefined;
      for (let i = 0; i < layers; i++) {
        const { u, w, b, e, n } = layer(i);
        const h = bent(t, sumColumns(t, multiply(t, w, y)), b);
        y = moved(t, y, u, w, repeatColumn(t, n, latents), repeatColumn(t, h, latents));
        const log = valuesOf(t, `-log |det| of planar layer ${i}`, logStretch(t, h, e));
        logs = logs ? sumValues(t, "-log |det|", logs, log) : log;
      }
      return {
        y: () => y,
        ratio: () => sumValues(t, "ratio", valuesOf(t, "½ (y² - z²)", halfDifference(t, z, y)), logs!),
      };
    },
    inverse(t, _, y, context) {
      const layer = layersOf(t, y, context);
      let z = y;
      for (let i = layers - 1; i >= 0; i--) {
        const { u, w, b, e, n } = layer(i);
        const given = add(t, sumColumns(t, multiply(t, w, z)), b);
        let a = beginning(t, given, e);
        for (let step = 0; step < NEWTON_STEPS; step++) a = nearer(t, a, given, e);
        const h = activate(t, a, "tanh");
        z = movedBack(t, z, u, w, repeatColumn(t, n, latents), repeatColumn(t, h, latents));
      }
      return z;
    },
  };
}

/**
 * q(z | x): a draw of `base`, through a flow that follows from the context of x
 *
 * log q(z | x) = log q₀(z₀ | x) - log |det ∂f/∂z₀|. The statistics are f at the mean of the base and, for its variance, that of the base.
 *
 * @param base A Gaussian posterior.
 * @param flow Without an inverse the density at the z of another datum is not known.
 */
export function flowPosterior(
  t: Tape,
  p: Parameters,
  base: Posterior,
  flow: Omit<Flow, "inverse"> & Partial<Pick<Flow, "inverse">>,
  context: Variable | undefined,
): Posterior {
  const { latents, name, statistics } = base;
  const { inverse } = flow;
  return {
    name: `flow of ${name}`,
    latents,
    density: true,
    get statistics() {
      const mean = columns(t, statistics, 0, latents);
      return concat(t, [flow.apply(t, p, mean, context).y(), columns(t, statistics, latents, latents)]);
    },
    draw(options = {}) {
      const { z, kl } = base.draw({ ...options, divergence: "sampled", freeBits: 0 });
      const flowed = flow.apply(t, p, z, context);
      return { z: flowed.y(), kl: sumValues(t, "kl", kl, flowed.ratio()) };
    },
    ...inverse && base.ratio
      ? {
        ratio(z) {
          const drawn = inverse(t, p, z, context);
          const flowed = flow.apply(t, p, drawn, context);
          return valuesOf(t, "ratio", subtract(t, columnOf(t, base.ratio!(drawn)), columnOf(t, flowed.ratio())));
        },
      }
      : {},
  };
}

/**
 * log p(z) = log N(f(z); 0, I) + log |det ∂f/∂z|, z = f⁻¹(u) with u ~ N(0, I)
 *
 * @param context c [N / L, C], where the prior follows from one.
 */
export function flowPrior(t: Tape, p: Parameters, flow: Flow, latents: number, context?: Variable): Prior {
  return {
    name: "flow",
    ratio: (z) => flow.apply(t, p, z, context).ratio(),
    draw: (noise) => flow.inverse(t, p, columns(t, noise, 0, latents), context),
  };
}
