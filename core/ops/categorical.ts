/**
 * Which of K components a datum comes from: the posterior of a mixture.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { Parameter } from "../graph/parameters.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import { store } from "./store.ts";
import { validRows } from "./valid_rows.ts";
import categoricalShader from "../../shaders/categorical.wgsl" with { type: "text" };
import categoricalNllShader from "../../shaders/categorical_nll.wgsl" with { type: "text" };
import oneHotLoader from "../../shaders/loaders/one_hot.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };

/** p(k | x) of every row. */
export interface Categorical {
  /** r_k = p(k | x) [N, K]; zero in rows past the end of the data. */
  readonly probabilities: Variable;
  /** k ~ p(k | x), as an indicator [N, K]. */
  readonly z: Variable;
  /** KL(r ‖ p) of each row, nats. */
  readonly kl: RowScalars;
  /** Σ_k -r_k log p(x | k) of each row, nats: -log p(x) = nll + kl. */
  readonly nll: RowScalars;
}

/**
 * log p(x) = log Σ_k exp a_k, r_k = exp(a_k - log p(x)), with a_k = log p(k) + log p(x | k)
 *
 * It has no gradient. Source: Bishop, "Pattern Recognition and Machine Learning", equations 9.7 and 9.13; the largest a_k is taken out of
 * the sum, so that none overflows.
 *
 * @param logits a [N, K]
 * @param prior A parameter of K outputs whose first weights are log p(k).
 */
export function categorical(t: Tape, logits: Variable, prior: Parameter): Categorical {
  const components = logits.columns;
  const probabilities = t.variable("probabilities", components, "f32", logits.rows);
  const z = t.variable("z", components, "f32", logits.rows);
  const nll = t.rowScalars("nll", 1, logits.rows);
  const kl = t.rowScalars("kl", 1, logits.rows);
  const stream = t.stream();
  t.record(
    {
      name: "categorical",
      inputs: [logits],
      parameters: [],
      formula(f, output) {
        if (output !== probabilities) throw new TypeError("Cannot export a draw of a category");
        const a = f.of(logits);
        const weights = f.elementwise("exp(a - most)", { a, most: f.most(a) });
        return f.elementwise("w / total", { w: weights, total: f.sum(weights) });
      },
      forward() {
        t.dispatch({
          label: "categorical",
          fragments: [common(t, logits, prior), validRows(t), {
            parts: [random, categoricalShader],
            constants: { STREAM_categorical: stream, FIRST_categorical: logits.rows * t.together.ranks.rank },
            buffers: {
              probabilities: write(t.tensor(probabilities), "array<f32>"),
              z: write(t.tensor(z), "array<f32>"),
              nll: write(nll.buffer),
              kl: write(kl.buffer),
            },
          }],
          workgroups: [Math.ceil(t.stored(logits.rows) / 64)],
        });
      },
    },
    probabilities,
    z,
    nll,
    kl,
  );
  return { probabilities, z, nll, kl };
}

/**
 * -Σ_k z_k log p(x | k) of each row, from a_k = log p(k) + log p(x | k). It has no gradient.
 *
 * @param logits a [N, K]
 * @param prior A parameter of K outputs whose first weights are log p(k).
 * @param z [N, K]
 */
export function categoricalNll(t: Tape, logits: Variable, prior: Parameter, z: Variable): RowScalars {
  const nll = t.rowScalars("nll", 1, logits.rows);
  t.record({
    name: "nll",
    inputs: [logits, z],
    parameters: [],
    forward() {
      t.dispatch({
        label: "nll",
        fragments: [common(t, logits, prior), {
          parts: [categoricalNllShader],
          buffers: { z: read(t.tensor(z), "array<f32>"), nll: write(nll.buffer) },
        }],
        workgroups: [Math.ceil(t.stored(logits.rows) / 64)],
      });
    },
  }, nll);
  return nll;
}

function common(t: Tape, logits: Variable, prior: Parameter): Fragment {
  return {
    parts: [layout, layoutScalar],
    constants: {
      ROWS: t.stored(logits.rows),
      ROWS_prior: prior.tensor.storedRows,
      COMPONENTS: logits.columns,
    },
    buffers: { logits: read(t.tensor(logits), "array<f32>"), prior: read(prior.tensor, "array<f32>") },
  };
}

/**
 * Mean r and log-variance log(r (1 - r)), not below -30, of the indicators of a categorical distribution. It has no gradient.
 *
 * @param probabilities r [N, K]
 * @returns [N, 2 K]
 */
export function oneHot(t: Tape, probabilities: Variable): Variable {
  const components = probabilities.columns;
  const y = t.variable("statistics", 2 * components, "f32", probabilities.rows);
  t.record({
    name: y.name,
    inputs: [probabilities],
    parameters: [],
    formula(f) {
      const r = f.of(probabilities);
      return f.concat([r, f.elementwise("log(max(r * (1 - r), least))", { r, least: Math.exp(-30) })]);
    },
    forward() {
      const a = merge({
        parts: [layoutScalar, oneHotLoader],
        constants: { ROWS_probabilities: t.stored(y.rows), COMPONENTS: components },
        buffers: { probabilities: read(t.tensor(probabilities), "array<f32>") },
      });
      store(t, y, a);
    },
  }, y);
  return y;
}
