/**
 * Two ops from outside: one that is a formula, and one with kernels of its own. Nothing but mod.ts is imported.
 *
 * @module
 */

import { elementwise, layout, read, type Tape, type Variable, write } from "../../mod.ts";

/** y = x / (1 + |x|), element by element */
export const softsign = elementwise({
  name: "softsign",
  inputs: ["x"],
  value: "x / (1.0 + abs(x))",
  derivatives: { x: "1.0 / ((1.0 + abs(x)) * (1.0 + abs(x)))" },
});

const FORWARD = /* wgsl */ `
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= SOFTMAX_ROWS) {
    return;
  }
  var largest = -3.0e38;
  for (var d = 0u; d < SOFTMAX_COLUMNS; d++) {
    largest = max(largest, softmax_x[at_scalar(SOFTMAX_STORED, row, d)]);
  }
  var sum = 0.0;
  for (var d = 0u; d < SOFTMAX_COLUMNS; d++) {
    sum += exp(softmax_x[at_scalar(SOFTMAX_STORED, row, d)] - largest);
  }
  for (var d = 0u; d < SOFTMAX_COLUMNS; d++) {
    let place = at_scalar(SOFTMAX_STORED, row, d);
    softmax_y[place] = exp(softmax_x[place] - largest) / sum;
  }
}`;

const BACKWARD = /* wgsl */ `
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (row >= SOFTMAX_ROWS) {
    return;
  }
  var sum = 0.0;
  for (var d = 0u; 4u * d < SOFTMAX_COLUMNS; d++) {
    sum += dot(load_softmax_dy(row, d), load_softmax_y(row, d));
  }
  for (var d = 0u; 4u * d < SOFTMAX_COLUMNS; d++) {
    store(row, d, load_softmax_y(row, d) * (load_softmax_dy(row, d) - sum));
  }
}`;

/**
 * y[n, d] = exp(x[n, d]) / Σ_e exp(x[n, e])
 *
 * Backward: dx = y (dy - Σ_e dy[n, e] y[n, e]).
 *
 * @param x [N, D]
 * @returns y [N, D]
 */
export function softmax(t: Tape, x: Variable): Variable {
  const y = t.variable(`softmax of ${x.name}`, x.columns, "f32", x.rows);
  const constants = { SOFTMAX_ROWS: x.rows, SOFTMAX_COLUMNS: x.columns };
  const workgroups = [Math.ceil(x.rows / 64)] as const;
  t.record({
    name: y.name,
    inputs: [x],
    parameters: [],
    // What it is, for exports.
    formula(f) {
      const weights = f.elementwise("exp(x - largest)", { x: f.of(x), largest: f.most(f.of(x)) });
      return f.elementwise("w / sum", { w: weights, sum: f.sum(weights) });
    },
    forward() {
      t.dispatch({
        label: y.name,
        fragments: [layout, {
          parts: [FORWARD],
          constants: { ...constants, SOFTMAX_STORED: t.stored(x.rows) },
          buffers: {
            softmax_x: read(t.tensor(x), "array<f32>"),
            softmax_y: write(t.tensor(y), "array<f32>"),
          },
        }],
        workgroups,
      });
    },
    backward() {
      if (!t.needsGradient(x)) return;
      t.dispatch({
        label: `${x.name} gradient`,
        fragments: [
          t.load("softmax_y", y),
          t.load("softmax_dy", t.gradient(y)),
          t.contribution(x),
          { parts: [BACKWARD], constants },
        ],
        workgroups,
      });
    },
  }, y);
  return y;
}
