/**
 * A gradient through a quantization that turns with the vector.
 *
 * @module
 */

import { merge, read, write } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import rotationGradient from "../../shaders/codes/rotation_gradient.wgsl" with { type: "text" };
import rotationShader from "../../shaders/codes/rotation.wgsl" with { type: "text" };

/**
 * y = e, as λ R z with λ = |e| / |z| and R the rotation that turns z to e in the plane of the two, both taken as constants
 *
 * Backward: dz = λ Rᵀ dy, with R = I - 2 s sᵀ / |s|² + 2 ê ẑᵀ, s = ẑ + ê, ẑ = z / |z|, ê = e / |e|; nothing passes to e. The angle
 * between dz and z is that between dy and e.
 *
 * Source: Fifty et al., "Restructuring Vector Quantization with the Rotation Trick", arXiv:2410.06424, section 4.2.
 *
 * @param z [M, D]
 * @param e What each row is quantized to [M, D].
 * @returns y [M, D]. It takes no dispatch.
 */
export function rotationTrick(t: Tape, z: Variable, e: Variable): Variable {
  const y: Variable = { ...t.variable(`${z.name} turned to ${e.name}`, e.columns, "f32", e.rows), same: () => e };
  t.record({
    name: y.name,
    inputs: [z],
    detached: [e],
    parameters: [],
    formula: (f) => f.straightThrough(f.of(z), f.of(e)),
    forward() {},
    backward() {
      if (!t.needsGradient(z)) return;
      const gradient = t.gradient(y);
      const factors = t.buffer(`rotations of ${z.name}`, t.stored(z.rows) * 16);
      t.dispatch({
        label: `rotations of ${z.name}`,
        fragments: [{
          parts: [layoutScalar, rotationShader],
          constants: { ROWS_z: t.stored(z.rows), ROWS_gradient: gradient.storedRows, VALID: z.rows, DEPTH: z.columns },
          buffers: {
            z: read(t.tensor(z), "array<f32>"),
            e: read(t.tensor(e), "array<f32>"),
            gradient: read(gradient, "array<f32>"),
            factors: write(factors, "array<vec4f>"),
          },
        }],
        workgroups: [Math.ceil(t.stored(z.rows) / 64)],
      });
      const load = merge(t.load("z", z), t.load("e", e), t.load("dy", gradient), {
        parts: [rotationGradient],
        buffers: { factors: read(factors, "array<vec4f>") },
      });
      t.map(`${z.name} gradient`, load, t.contribution(z), z);
    },
  }, y);
  return y;
}
