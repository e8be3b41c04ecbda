/**
 * A mixture of diagonal Gaussians as the prior of latents: its density, and drawing from it.
 *
 * @module
 */

import type { Formula, Formulas } from "../graph/formula.ts";
import { type Fragment, merge, read, write } from "../gpu/kernel.ts";
import type { RowScalars, Tape, Variable } from "../graph/tape.ts";
import { createTensor } from "../gpu/tensor.ts";
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import mixture from "../../shaders/priors/mixture.wgsl" with { type: "text" };
import drawShader from "../../shaders/priors/mixture_draw.wgsl" with { type: "text" };
import ratioShader from "../../shaders/priors/mixture_ratio.wgsl" with { type: "text" };
import toComponents from "../../shaders/priors/mixture_to_components.wgsl" with { type: "text" };
import toLatents from "../../shaders/priors/mixture_to_latents.wgsl" with { type: "text" };

/** Whether the components have weights of their own, from their columns. */
function weighted(components: Variable, latents: number): boolean {
  const extra = components.columns - 2 * latents;
  if (extra === 0 || extra === 1) return extra === 1;
  throw new RangeError(
    `Cannot mix "${components.name}": expected ${2 * latents} columns or one more, found ${components.columns}`,
  );
}

/** μ and log σ² [C, K] each, and log π [1, C], for exports. */
function partsOf(f: Formulas, components: Variable, latents: number): readonly [Formula, Formula, Formula] {
  const given = f.of(components);
  const v = f.elementwise("clamp(l, vec4f(-30), vec4f(20))", { l: f.columns(given, latents, latents) });
  const logits = weighted(components, latents)
    ? f.transposed(f.columns(given, 2 * latents, 1))
    : f.vector(Array(components.rows).fill(0));
  const most = f.most(logits);
  const total = f.sum(f.elementwise("exp(l - most)", { l: logits, most }));
  return [f.columns(given, 0, latents), v, f.elementwise("l - most - log(total)", { l: logits, most, total })];
}

function mixtureOf(t: Tape, components: Variable, latents: number): Fragment {
  const tensor = t.tensor(components);
  return {
    parts: [layout, layoutScalar, mixture],
    constants: {
      ROWS_components: tensor.storedRows,
      COMPONENTS: components.rows,
      LATENTS: latents,
      WEIGHTED: weighted(components, latents),
    },
    buffers: { components: read(tensor, "array<f32>") },
  };
}

/**
 * log N(z; 0, I) - log p(z) of each row, p(z) = Σ_c π_c N(z; μ_c, diag σ_c²): what is added to log q(z | x) - log N(z; 0, I) where p is
 * the prior
 *
 * Backward, with r_c = p(c | z) and w the row's upstream: dz = w (-z + Σ_c r_c (z - μ_c) / σ_c²), dμ_c = -Σ w r_c (z - μ_c) / σ_c²,
 * dlog σ_c² = -½ Σ w r_c ((z - μ_c)² / σ_c² - 1), and of the logits -Σ w (r_c - π_c). log σ² is clamped to [-30, 20].
 *
 * @param z [N, K]
 * @param components [C, 2 K]: μ_c, then log σ_c²; or [C, 2 K + 1] with logits of the weights π in the last column, else π_c = 1 / C.
 * @returns One value for each of N rows, nats.
 */
export function mixtureRatio(t: Tape, z: Variable, components: Variable): RowScalars {
  const latents = z.columns;
  const ratio = t.rowScalars("log N(z; 0, I) - log p(z)", 1, z.rows);
  const ROWS = t.stored(z.rows);
  const r = createTensor(t.gpu, "responsibilities", z.rows, components.rows, { storedRows: ROWS });
  t.own(r.buffer);
  const shared = (): Fragment =>
    merge(mixtureOf(t, components, latents), {
      parts: [],
      constants: { ROWS, VALID: z.rows },
      buffers: { z: read(t.tensor(z), "array<f32>") },
    });
  const gradient = (part: string): Fragment =>
    merge(shared(), t.upstream("ratio", ratio), {
      parts: [part],
      buffers: { responsibilities: read(r, "array<f32>") },
    });
  t.record({
    name: ratio.name,
    inputs: [z, components],
    parameters: [],
    formula(f) {
      // log p(z, c) by products: ‖z - μ‖²/σ² is multiplied out.
      const [m, v, log] = partsOf(f, components, latents);
      const inverse = f.elementwise("exp(-v)", { v });
      const terms = f.elementwise("m * m * i + v", { m, i: inverse, v });
      const [x, shift] = [f.of(z), f.elementwise("m * i", { m, i: inverse })];
      const each = f.elementwise("w - 0.5 * (s - 2.0 * p + q)", {
        w: log,
        s: f.product(f.elementwise("z * z", { z: x }), f.transposed(inverse)),
        p: f.product(x, f.transposed(shift)),
        q: f.transposed(f.sum(terms)),
      });
      const most = f.most(each);
      const total = f.sum(f.elementwise("exp(a - most)", { a: each, most }));
      const squares = f.sum(f.elementwise("z * z", { z: x }));
      return f.elementwise("-0.5 * squares - most - log(total)", { squares, most, total });
    },
    forward() {
      t.dispatch({
        label: ratio.name,
        fragments: [shared(), {
          parts: [ratioShader],
          buffers: { responsibilities: write(r, "array<f32>"), ratio: write(ratio.buffer) },
        }],
        workgroups: [Math.ceil(ROWS / 64)],
      });
    },
    backward() {
      if (t.needsGradient(components)) {
        t.map(`${components.name} gradient`, gradient(toComponents), t.contribution(components), components);
      }
      if (t.needsGradient(z)) t.map("prior to z", gradient(toLatents), t.contribution(z), z);
    },
  }, ratio);
  return ratio;
}

/**
 * z ~ Σ_c π_c N(μ_c, diag σ_c²): the component by a uniform number, then μ_c + σ_c ε
 *
 * It has no gradient.
 *
 * @param components As in {@linkcode mixtureRatio}.
 * @param noise [N, K + 1]: ε ~ N(0, I), and a uniform number in the last column.
 * @returns [N, K]
 */
export function drawMixture(t: Tape, components: Variable, noise: Variable): Variable {
  const latents = noise.columns - 1;
  const z = t.variable("z", latents, "f32", noise.rows);
  const ROWS = t.stored(noise.rows);
  t.record({
    name: "draw from the prior",
    inputs: [],
    detached: [components, noise],
    parameters: [],
    formula(f) {
      const [m, v, log] = partsOf(f, components, latents);
      const below = f.columns(f.cumulated(f.elementwise("exp(w)", { w: log })), 0, components.rows - 1 || 1);
      const given = f.of(noise);
      const passed = f.elementwise("select(vec4f(0), vec4f(1), below <= u)", {
        below,
        u: f.columns(given, latents, 1),
      });
      const place = components.rows === 1 ? f.elementwise("0 * n", { n: f.sum(passed) }) : f.sum(passed);
      return f.elementwise("m + exp(0.5 * v) * e", {
        ...{ m: f.rowsOf(m, place), v: f.rowsOf(v, place), e: f.columns(given, 0, latents) },
      });
    },
    forward() {
      t.dispatch({
        label: "draw from the prior",
        fragments: [mixtureOf(t, components, latents), {
          parts: [drawShader],
          constants: { ROWS },
          buffers: { noise: read(t.tensor(noise), "array<f32>"), z: write(t.tensor(z), "array<f32>") },
        }],
        workgroups: [Math.ceil(ROWS / 64)],
      });
    },
  }, z);
  return z;
}
