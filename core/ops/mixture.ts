/**
 * What a mixture of Gaussians with full covariances needs besides products.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { Parameter } from "../graph/parameters.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { store } from "./store.ts";
import componentLogits from "../../shaders/component_logits.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import noiseAndOneLoader from "../../shaders/loaders/noise_and_one.wgsl" with { type: "text" };
import noiseRandom from "../../shaders/noise_random.wgsl" with { type: "text" };
import random from "../../shaders/random.wgsl" with { type: "text" };
import stateStruct from "../../shaders/state.wgsl" with { type: "text" };
import weightedCopiesLoader from "../../shaders/loaders/weighted_copies.wgsl" with { type: "text" };

/**
 * a_k = c_k - ½ ‖u_k‖², with u_k = Σ_k^-½ (x - μ_k): log p(k) + log N(x; μ_k, Σ_k) where c_k is all that does not depend on x. It has no
 * gradient.
 *
 * @param whitened u [N, K D]
 * @param prior A parameter of K outputs whose second weights are c_k.
 * @returns a [N, K]
 */
export function gaussianLogits(t: Tape, whitened: Variable, prior: Parameter): Variable {
  const components = prior.shape.outputs;
  const logits = t.variable("logits", components, "f32", whitened.rows);
  t.record({
    name: "logits",
    inputs: [whitened],
    parameters: [],
    formula(f) {
      const squares = f.elementwise("u * u", { u: f.of(whitened) });
      const each = f.reshape(f.sum(f.reshape(squares, whitened.columns / components)), components);
      const c = f.rowsOf(f.weight(prior), f.vector([1]));
      return f.elementwise("c - 0.5 * q", { c, q: each });
    },
    forward() {
      const rows = t.stored(whitened.rows);
      t.dispatch({
        label: "logits",
        fragments: [{
          parts: [layout, layoutScalar, componentLogits],
          constants: {
            ROWS: rows,
            ROWS_prior: prior.tensor.storedRows,
            COMPONENTS: components,
            FEATURES: whitened.columns / components,
          },
          buffers: {
            whitened: read(t.tensor(whitened), "array<f32>"),
            prior: read(prior.tensor, "array<f32>"),
            logits: write(t.tensor(logits), "array<f32>"),
          },
        }],
        workgroups: [Math.ceil(rows * components / 64)],
      });
    },
  }, logits);
  return logits;
}

/**
 * [w_1 y | w_2 y | ... | w_K y]. It has no gradient.
 *
 * @param weights w [N, K]
 * @param y [N, D]
 * @returns [N, K D]
 */
export function weightedCopies(t: Tape, weights: Variable, y: Variable): Variable {
  const copies = t.variable("weighted copies", weights.columns * y.columns, "f32", y.rows);
  mapped(t, copies, [weights, y], () => ({
    parts: [layoutScalar, weightedCopiesLoader],
    constants: { ROWS_source: t.stored(y.rows), ROWS_weights: t.stored(y.rows), FEATURES: y.columns },
    buffers: { source: read(t.tensor(y), "array<f32>"), weights: read(t.tensor(weights), "array<f32>") },
  }));
  return copies;
}

/**
 * [ε | 1], ε ~ N(0, I) [rows, features]. It has no gradient.
 *
 * @returns [rows, features + 1]
 */
export function noiseAndOne(t: Tape, rows: number, features: number): Variable {
  const noise = t.variable("noise", features + 1, "f32", rows);
  const stream = t.stream();
  mapped(t, noise, [], () => ({
    parts: [stateStruct, random, noiseRandom, noiseAndOneLoader],
    constants: { STREAM_noise: stream, ...t.drawn("noise", rows), FEATURES: features },
    buffers: { state: t.readState() },
  }));
  return noise;
}

/** Records that a variable is what a loader gives. */
function mapped(t: Tape, y: Variable, inputs: readonly Variable[], load: () => Fragment): void {
  t.record({
    name: y.name,
    inputs,
    parameters: [],
    forward() {
      const a = merge(load(), { parts: [], constants: { COLUMNS: y.columns } });
      store(t, y, a);
    },
  }, y);
}
