/** Ops that are a formula, against float64 and by differences, on ragged sizes; and what a definition must say. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { divide, exp, log, multiply, sqrt, square, subtract } from "../../../core/ops/arithmetic.ts";
import { activate } from "../../../core/ops/activate.ts";
import { checkGradients } from "../../../core/ops/check_gradients.ts";
import { dense } from "../../../core/ops/dense.ts";
import { elementwise } from "../../../core/ops/elementwise.ts";
import { valueAt } from "../../../core/graph/schedule.ts";
import type { Tape, Variable } from "../../../core/graph/tape.ts";
import { assertClose, draw, float64 } from "../../support/compare.ts";
import { Bench, families, gpu } from "../../support/gpu.ts";

type Op = (t: Tape, ...operands: Variable[]) => Variable;

/** f and its derivatives in float64. */
const references: Record<string, { op: Op; f(...x: number[]): number; df: ((...x: number[]) => number)[] }> = {
  subtract: { op: subtract as Op, f: (a, b) => a - b, df: [() => 1, () => -1] },
  multiply: { op: multiply as Op, f: (a, b) => a * b, df: [(_, b) => b, (a) => a] },
  divide: { op: divide as Op, f: (a, b) => a / b, df: [(_, b) => 1 / b, (a, b) => -a / b ** 2] },
  square: { op: square as Op, f: (x) => x * x, df: [(x) => 2 * x] },
  exp: { op: exp as Op, f: Math.exp, df: [Math.exp] },
  log: { op: log as Op, f: Math.log, df: [(x) => 1 / x] },
  sqrt: { op: sqrt as Op, f: Math.sqrt, df: [(x) => 0.5 / Math.sqrt(x)] },
};

/** Between 1/2 and about 5: where a logarithm, a root and a quotient have values. */
const positive = (count: number, stream: number) => draw(count, stream).map((x) => 0.5 + Math.abs(x));

for (const family of families) {
  for (const [name, { op, f, df }] of Object.entries(references)) {
    for (const [rows, columns] of [[1, 1], [5, 37], [33, 64]]) {
      Deno.test(`${name}() agrees with float64, and so do its gradients: ${rows} x ${columns}, ${family} tiles`, async () => {
        using bench = new Bench(rows, { family });
        const operands = df.map((_, i) => positive(rows * columns, i));
        const upstream = draw(rows * columns, 9);
        const inputs = operands.map((values, i) => bench.input(`x${i}`, columns, values));
        const y = op(bench.tape, ...inputs);
        await bench.run([bench.given(y, upstream)]);
        const at = (g: (...x: number[]) => number) =>
          Array.from(upstream, (_, i) => g(...operands.map((values) => values[i])));
        assertClose(await bench.read(y), at(f), "y", { absolute: 1e-6, relative: 3e-6 });
        for (const [i, derivative] of df.entries()) {
          const expected = at(derivative).map((slope, n) => slope * upstream[n]);
          assertClose(await bench.gradient(inputs[i]), expected, `dx${i}`, { absolute: 1e-6, relative: 3e-6 });
        }
        // 1 / 0 and log(0) are in no padding: they would go into every sum over rows.
        const count = (values: Float32Array) => values.filter((value) => value !== 0).length;
        assertEquals(count(await bench.stored(y)) <= rows * columns, true, "the padding of y");
      });
    }
  }

  Deno.test(`elementwise() of one variable twice adds up both gradients, ${family} tiles`, async () => {
    using bench = new Bench(5, { family });
    const [x, upstream] = [draw(35, 1), draw(35, 2)];
    const input = bench.input("x", 7, x);
    const y = multiply(bench.tape, input, input);
    await bench.run([bench.given(y, upstream)]);
    assertClose(await bench.gradient(input), x.map((value, i) => 2 * value * upstream[i]), "dx", { absolute: 1e-6 });
  });

  Deno.test(`elementwise() after a layer, and of what others read too, has the gradients of differences, ${family} tiles`, async () => {
    const report = await checkGradients(
      gpu,
      (t, { x }, p) => {
        const h = dense(t, x, p.get("layer"), "tanh");
        return multiply(t, exp(t, h), activate(t, h, "silu"));
      },
      { x: { rows: 5, columns: 3 } },
      { parameters: { layer: { inputs: 3, outputs: 7 } }, tiles: family },
    );
    assertEquals(report.map(({ name, largest }) => [name, largest > 0]), [
      ["x", true],
      ["layer.weight", true],
      ["layer.bias", true],
    ]);
  });
}

Deno.test("elementwise() leaves no value and no derivative of its padding in a sum over rows", async () => {
  // 1 / 0 times a gradient of 0 is none: the weight gradient sums over stored rows.
  const report = await checkGradients(
    gpu,
    (t, { x }, p) => {
      const y = log(t, divide(t, x, sqrt(t, x)));
      return dense(t, y, p.get("layer"));
    },
    { x: { rows: 5, columns: 3, values: positive(15, 1) } },
    {
      parameters: { layer: { inputs: 3, outputs: 2 } },
    },
  );
  assertEquals(report.length, 3);
});

Deno.test("elementwise() has constants that are fixed or follow from the step, and a derivative by y", async () => {
  const temperature = { kind: "linear", from: 1, to: 3, steps: 10 } as const;
  const tempered = elementwise({
    name: "tempered",
    inputs: ["x", "scale"],
    value: "shift + exp(x * t) * scale",
    derivatives: { x: "t * (y - shift)", scale: "exp(x * t)" },
    constants: { shift: 0.25, t: temperature },
  });
  const [x, scale] = [draw(35, 1).map((value) => 0.3 * value), draw(35, 2)];
  using bench = new Bench(5, { step: 4 });
  const y = tempered(bench.tape, bench.input("x", 7, x), bench.input("scale", 7, scale));
  await bench.run([bench.given(y, draw(35, 3))]);
  const t = valueAt(temperature, 4);
  const expected = float64(x).map((value, i) => 0.25 + Math.exp(value * t) * scale[i]);
  assertClose(await bench.read(y), expected, "y", { absolute: 1e-6, relative: 3e-6 });
  const inputs = { x: { rows: 5, columns: 7, values: x }, scale: { rows: 5, columns: 7 } };
  await checkGradients(gpu, (t, { x, scale }) => tempered(t, x, scale), inputs, { step: 4 });
});

Deno.test("elementwise() refuses a definition without a derivative, with a wrong name, or with two", () => {
  const define = (part: object) => () =>
    // A definition from plain JavaScript.
    elementwise(
      { name: "op", inputs: ["x"], value: "x", derivatives: { x: "1.0" }, ...part } as Parameters<
        typeof elementwise
      >[0],
    );
  for (
    const [part, message] of [
      [{ derivatives: {} }, 'Cannot define the op "op": expected the derivative by "x", found none'],
      [{ derivatives: { x: "1.0", z: "1.0" } }, 'expected derivatives by inputs only, found "z"'],
      [{ value: " " }, "expected an expression for its value, found none"],
      [{ inputs: [] }, "expected at least one input, found none"],
      [{ inputs: ["y"] }, 'expected identifiers of WGSL other than "y", which is the output, found "y"'],
      [{ inputs: ["x;"] }, 'found "x;"'],
      [{ inputs: ["x", "x"] }, 'expected different names for inputs and constants, found two "x"'],
      [{ constants: { x: 1 } }, 'found two "x"'],
      [{ constants: { c: NaN } }, 'expected a finite number for "c", found NaN'],
    ] as const
  ) assertThrows(define(part), TypeError, message);
  // @ts-expect-error no derivative by z
  assertThrows(() => elementwise({ name: "op", inputs: ["x", "z"], value: "x", derivatives: { x: "1.0" } }), TypeError);
});

Deno.test("elementwise() refuses operands of different sizes, and too few", () => {
  using bench = new Bench(4);
  const [a, b] = [bench.input("a", 3, new Float32Array(12)), bench.input("b", 2, new Float32Array(8))];
  assertThrows(
    () => multiply(bench.tape, a, b),
    RangeError,
    'Cannot apply "multiply": expected 2 variables of one size, found "a" of 4 x 3, "b" of 4 x 2',
  );
  assertThrows(
    () => (multiply as Op)(bench.tape, a),
    RangeError,
    'expected 2 variables of one size, found "a" of 4 x 3',
  );
});

Deno.test("checkGradients() names what is wrong, where it is worst, and takes what is right", async () => {
  const wrong = elementwise({
    name: "wrong",
    inputs: ["a", "b"],
    value: "a * a * b",
    derivatives: { a: "2.0 * a * b", b: "a" },
  });
  const a = { rows: 2, columns: 3, values: [1, 1, 1, 1, 3, 1] };
  const b = { rows: 2, columns: 3 };
  await assertRejects(
    () => checkGradients(gpu, (t, { a, b }) => wrong(t, a, b), { a, b }),
    Error,
    "Cannot confirm the gradients: expected an error of at most 0.004, found\n  b[4] is ",
  );
  const report = await checkGradients(gpu, (t, { a, b }) => wrong(t, a, b), { a, b: { ...b, constant: true } });
  assertEquals(report.map(({ name, error }) => [name, error < 4e-3]), [["a", true]]);
  assertEquals((await checkGradients(gpu, (t, { a, b }) => wrong(t, a, b), { a, b }, { skip: /^b$/ })).length, 1);
});
