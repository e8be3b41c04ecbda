/**
 * Finite scalar quantization: every number becomes one of a few levels.
 *
 * @module
 */

import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { Tape, Variable } from "../graph/tape.ts";
import { store } from "./store.ts";
import backwardLoader from "../../shaders/codes/levels_backward.wgsl" with { type: "text" };
import codesShader from "../../shaders/codes/levels_codes.wgsl" with { type: "text" };
import forwardLoader from "../../shaders/codes/levels_forward.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import levelsShader from "../../shaders/codes/levels.wgsl" with { type: "text" };

/** By how much the outermost levels are drawn in, so that rounding does not leave them. */
const EPSILON = 1e-3;

/**
 * e = round(f(z)) / ⌊L / 2⌋, f(z) = h tanh(z + tan(o / h)) - o, h = (L - 1)(1 - ε) / 2, o = 0 for odd L and ½ for even
 *
 * A column with L levels is one of -⌊L / 2⌋ ... over ⌊L / 2⌋: between -1 and 1. Backward: the gradient passes straight through the rounding,
 * dz = de f'(z) / ⌊L / 2⌋. Source: Mentzer et al., "Finite Scalar Quantization: VQ-VAE Made Simple", arXiv:2309.15505, section 3.1 and
 * appendix A.1.
 *
 * @param z [N P, G d], a row for each position of each datum
 * @param levels L of d columns, the same for each of G groups.
 * @param positions P
 * @returns e [N P, G d]; and which of the Π L codes each group has [N, P G]: Σᵢ (round(fᵢ) + ⌊Lᵢ / 2⌋) Π_{j < i} Lⱼ. It has no gradient.
 */
export function quantizeScalars(
  t: Tape,
  z: Variable,
  levels: readonly number[],
  positions: number,
): { readonly e: Variable; readonly codes: Variable } {
  const groups = z.columns / levels.length;
  const data = z.rows / positions;
  if (!Number.isInteger(groups) || !Number.isInteger(data)) {
    throw new RangeError(
      `Cannot quantize "${z.name}": expected [N ${positions}, G ${levels.length}], found [${z.rows}, ${z.columns}]`,
    );
  }
  const e = t.variable("quantized", z.columns, "f32", z.rows);
  const codes = t.variable("codes", positions * groups, "f32", data);
  const cases = levels.map((count, i) => {
    const half = (count - 1) * (1 - EPSILON) / 2;
    const offset = count % 2 ? 0 : 0.5;
    const numbers = [half, offset, Math.tan(offset / half), count].map((number) => `f32(${number})`);
    return `${i ? `case ${i}u:` : "default:"} { return vec4f(${numbers.join(", ")}); }`;
  });
  const common: Fragment = {
    parts: [{ text: levelsShader, parameters: { cases: cases.toReversed().join(" ") } }],
    constants: { DIMENSIONS: levels.length, ROWS_valid: z.rows, COLUMNS_valid: z.columns },
  };
  t.record(
    {
      name: "quantize levels",
      inputs: [z],
      parameters: [],
      formula(f, output) {
        const columns = (of: (level: number, i: number) => number) =>
          f.vector(Array.from({ length: z.columns }, (_, d) => of(levels[d % levels.length], d % levels.length)));
        const half = columns((count) => (count - 1) * (1 - EPSILON) / 2);
        const offset = columns((count) => count % 2 ? 0 : 0.5);
        const shift = columns((count) => count % 2 ? 0 : Math.tan(0.5 / ((count - 1) * (1 - EPSILON) / 2)));
        const bent = f.elementwise("h * tanh(z + s) - o", { z: f.of(z), h: half, s: shift, o: offset });
        const places = f.straightThrough(bent, f.elementwise("round(v)", { v: bent }));
        const steps = columns((count) => Math.floor(count / 2));
        if (output === e) return f.elementwise("v / steps", { v: places, steps });
        const factor = columns((_, i) => levels.slice(0, i).reduce((product, count) => product * count, 1));
        const digits = f.elementwise("(v + steps) * factor", { v: places, steps, factor });
        return f.reshape(f.sum(f.reshape(digits, levels.length)), positions * groups);
      },
      forward() {
        store(t, e, merge(t.load("z", z), common, { parts: [forwardLoader] }));
        t.dispatch({
          label: "codes of the levels",
          fragments: [common, {
            parts: [layout, layoutScalar, codesShader],
            constants: { ROWS_z: t.stored(z.rows), ROWS_codes: t.stored(data), POSITIONS: positions, GROUPS: groups },
            buffers: { z: read(t.tensor(z), "array<f32>"), codes: write(t.tensor(codes), "array<f32>") },
          }],
          workgroups: [Math.ceil(z.rows * groups / 64)],
        });
      },
      backward() {
        if (!t.needsGradient(z)) return;
        const load = merge(t.load("z", z), t.load("de", t.gradient(e)), common, { parts: [backwardLoader] });
        t.map(`${z.name} gradient`, load, t.contribution(z), z);
      },
    },
    e,
    codes,
  );
  return { e, codes };
}
