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
import { valuesOf } from "../ops/sum.ts";
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
export function autoregressiveFlow(
  name: string,
  { latents, layers, hidden, context = 0, activation = "relu" }: FlowOptions,
): Flow {
  const nets = Array.from(
    { length: layers },
    (_, i) => made(`${name}.${i}`, latents, hidden, 2, { activation, context, reversed: i % 2 === 1 }),
  );
  return {
    shapes: chain(...nets).shapes,
    apply(t, p, z, context) {
      let y = z;
      let logs: Variable | undefined;
      for (const net of nets) {
        const [s, m] = scaleAndShift(t, p, net, beside(t, y, context));
        y = unscaled(t, y, s, m);
        logs = logs ? moreLogScale(t, logs, s) : logScale(t, s);
      }
      return { y: () => y, ratio: () => valuesOf(t, "ratio", ratioOfDivisors(t, z, y, logs!)) };
    },
    inverse(t, p, y, context) {
      for (const net of nets.toReversed()) {
        // Each pass makes one more dimension right: the first follows from nothing, the last from all others.
        let z = y;
        for (let pass = 0; pass < latents; pass++) {
          const [s, m] = scaleAndShift(t, p, net, beside(t, z, context));
          z = scaled(t, y, s, m);
        }
        y = z;
      }
      return y;
    },
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
