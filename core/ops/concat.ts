/**
 * Joining matrices side by side.
 *
 * @module
 */

import { merge, read, write } from "../gpu/kernel.ts";
import { storing, type Tape, type Variable } from "../graph/tape.ts";
import columnsLoader from "../../shaders/loaders/columns.wgsl" with { type: "text" };
import layoutScalar from "../../shaders/layout_scalar.wgsl" with { type: "text" };
import finishPart from "../../shaders/epilogues/finish.wgsl" with { type: "text" };
import columnsEpilogue from "../../shaders/epilogues/columns.wgsl" with { type: "text" };

/**
 * y = [a | b | ...]
 *
 * Backward: each part's gradient is its columns of dy. A part with fewer rows than the longest stands for several rows in turn, whose
 * gradients are summed.
 *
 * @param parts [N, Dᵢ] each, or [N / L, Dᵢ]
 * @returns [N, Σ Dᵢ]
 */
export function concat(t: Tape, parts: readonly Variable[]): Variable {
  const rows = Math.max(...parts.map((part) => part.rows));
  for (const part of parts) {
    if (rows % part.rows) {
      throw new RangeError(
        `Cannot join "${part.name}" to others: expected a number of rows that divides ${rows}, found ${part.rows}`,
      );
    }
  }
  const y = t.variable(
    parts.map(({ name }) => name).join(" | "),
    parts.reduce((sum, { columns }) => sum + columns, 0),
    "f32",
    rows,
  );
  const placed: { part: Variable; first: number }[] = [];
  for (const part of parts) {
    const previous = placed.at(-1);
    placed.push({ part, first: previous ? previous.first + previous.part.columns : 0 });
  }
  t.record({
    name: y.name,
    inputs: parts,
    parameters: [],
    formula: (f) => f.concat(parts.map((part) => f.of(part))),
    forward() {
      for (const { part, first } of placed) {
        t.map(`${part.name} into ${y.name}`, t.load("a", part, rows / part.rows), {
          parts: [layoutScalar, columnsEpilogue],
          constants: { ROWS_y: t.stored(rows), FIRST: first, COLUMNS: part.columns },
          buffers: { y: write(t.tensor(y), "array<f32>") },
        }, { rows, columns: part.columns });
      }
    },
    backward() {
      const gradient = t.gradient(y);
      for (const { part, first } of placed) {
        if (!t.needsGradient(part)) continue;
        const load = {
          parts: [layoutScalar, { text: columnsLoader, parameters: { m: "a" } }],
          constants: { ROWS_a: gradient.storedRows, REPEATS_a: 1, FIRST_a: first, COLUMNS_a: part.columns },
          buffers: { a: read(gradient, "array<f32>") },
        };
        if (part.rows === rows) {
          t.map(`${part.name} gradient`, load, t.contribution(part), part);
          continue;
        }
        const { tensor, deliver } = t.gradientTarget(part, rows / part.rows);
        t.map(`${part.name} gradients`, load, merge({ parts: [finishPart] }, storing(tensor)), tensor);
        deliver();
      }
    },
  }, y);
  return y;
}
