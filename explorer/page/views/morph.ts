/**
 * Between two data: along the line and along the sphere in latent space, and by mixing pixels; and arithmetic of encodings.
 *
 * @module
 */

import type { View } from "../app.ts";
import { element, entry } from "../elements.ts";
import { picture } from "../picture.ts";

const STEPS = 11;
/** From a to b, in the order shown. */
const WAYS = ["line", "arc", "mixed"];

/** The point between a and b on the arc that they span, t from 0 to 1; a line where they lie in one direction. */
export function slerp(a: Float32Array, b: Float32Array, t: number): Float32Array {
  const dot = (u: Float32Array, v: Float32Array) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  const [lengthA, lengthB] = [Math.sqrt(dot(a, a)), Math.sqrt(dot(b, b))];
  const angle = Math.acos(Math.min(1, Math.max(-1, dot(a, b) / (lengthA * lengthB || 1))));
  if (!(Math.sin(angle) > 1e-4)) return a.map((value, i) => value + t * (b[i] - value));
  const [wa, wb] = [Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)];
  return a.map((value, i) => wa * value + wb * b[i]);
}

/** Morphs and arithmetic. */
export const morph: View = {
  id: "morph",
  title: "Morphs",
  unfit: ({ model, data }) =>
    !model?.can.encode || !model.can.decode
      ? "This model does not encode and decode."
      : data
      ? undefined
      : "Open data to morph between.",
  mount(host, app) {
    const { engine, state } = app;
    const { latents, features, data, condition } = app.model!;
    const last = app.data!.test - 1;
    const chosen = state.numbers("abc", 3) ?? [0, Math.min(2, last), Math.min(1, last)];
    const morphs = picture(
      data,
      "From a to b: along the line in latent space, along the arc, and by mixing the data themselves",
    );
    const sum = picture(data, "a, b, c, and the decoded a - b + c of their encodings");
    const draw = app.newest(async () => {
      const { x, labels } = await engine.rows({ split: "test", rows: chosen });
      const given = condition && labels ? Array.from(labels) : undefined;
      const { mean } = await engine.encode(x, given);
      const z = (i: number) => mean.subarray(i * latents, (i + 1) * latents);
      const pixels = (i: number) => x.subarray(i * features, (i + 1) * features);
      const [a, b, c] = [z(0), z(1), z(2)];
      const points = new Float32Array((2 * STEPS + 1) * latents);
      for (let i = 0; i < STEPS; i++) {
        const t = i / (STEPS - 1);
        points.set(a.map((value, k) => value + t * (b[k] - value)), i * latents);
        points.set(slerp(a, b, t), (STEPS + i) * latents);
      }
      points.set(a.map((value, k) => value - b[k] + c[k]), 2 * STEPS * latents);
      const decoded = await engine.decode(points, given && [given[0]]);
      const all = new Float32Array(3 * STEPS * features);
      all.set(decoded.subarray(0, 2 * STEPS * features));
      for (let i = 0; i < STEPS; i++) {
        const t = i / (STEPS - 1);
        all.set(pixels(0).map((value, d) => value + t * (pixels(1)[d] - value)), (2 * STEPS + i) * features);
      }
      morphs.show(all, {
        ...{ perRow: STEPS, gap: 1 },
        name: (row) => `${WAYS[Math.floor(row / STEPS)]}, ${(row % STEPS / (STEPS - 1)).toFixed(1)}`,
      });
      const parts = new Float32Array(4 * features);
      parts.set(x);
      parts.set(decoded.subarray(2 * STEPS * features), 3 * features);
      sum.show(parts, { perRow: 4, gap: 2, name: (row) => ["a", "b", "c", "a - b + c"][row] });
    });
    const field = (name: string, i: number) => {
      const { host: field, input } = entry(`${name}, test row`, {
        type: "number",
        min: 0,
        max: last,
        value: chosen[i],
      });
      input.addEventListener("input", () => {
        const value = Number(input.value);
        if (!Number.isInteger(value) || value < 0 || value > last) return;
        chosen[i] = value;
        state.set("abc", chosen.join(","));
        draw();
      });
      return field;
    };
    host.append(
      element("div", { className: "columns" }, field("a", 0), field("b", 1), field("c", 2)),
      morphs.host,
      element("div", { className: "medium" }, sum.host),
    );
    draw();
    return app.onChange((change) => change !== "model" && draw());
  },
};
