/** An activation on its own: formed where the layer before ends, or after it; alone, in chains, and far out. */

import { assertEquals } from "@std/assert";
import { activate } from "../../../core/ops/activate.ts";
import { ACTIVATIONS } from "../../../core/ops/activations.ts";
import { dense } from "../../../core/ops/dense.ts";
import { normals } from "../../../core/graph/random.ts";
import { activations } from "../../reference/dense.ts";
import { assertClose } from "../../support/compare.ts";
import { Bench } from "../../support/gpu.ts";

// Into the tails, where float32 exponentials overflow and vanish, around 0, and the kink itself.
const POINTS = Float32Array.of(
  ...[1e-6, 1e-3, 0.1, 0.5, 1, 2, 5, 10, 20, 40, 80, 90, 110, 1000, 1e6].flatMap((x) => [x, -x]),
  0,
);
const ONES = new Float32Array(POINTS.length).fill(1);

for (const activation of ACTIVATIONS) {
  Deno.test(`activate() with ${activation} and its derivative agree with the reference, far out too`, async () => {
    using bench = new Bench(POINTS.length);
    const x = bench.input("x", 1, POINTS);
    const y = activate(bench.tape, x, activation);
    await bench.run([bench.given(y, ONES)]);
    const { value, derivative } = activations[activation];
    const expected = (f: (x: number) => number) => Array.from(POINTS, f);
    assertClose(await bench.read(y), expected(value), "y", { absolute: 1e-6, relative: 3e-6 });
    assertClose(await bench.gradient(x), expected(derivative), "dx", { absolute: 1e-6, relative: 3e-6 });
  });
}

const shapes = { layer: { inputs: 1, outputs: 1 } };
const labels = (dispatches: readonly { label: string }[]) => dispatches.map(({ label }) => label);

Deno.test("activate() is formed where a layer without activation ends", async () => {
  using bench = new Bench(POINTS.length, { shapes });
  bench.set("layer", Float32Array.of(2), Float32Array.of(0.5));
  const a = dense(bench.tape, bench.input("x", 1, POINTS), bench.parameters.get("layer"));
  const y = activate(bench.tape, a, "sigmoid");
  const { program } = await bench.compile([]);
  assertEquals(labels(program.dispatches), ["layer forward"]);
  await program.submit(1);
  const { value } = activations.sigmoid;
  assertClose(await bench.read(y), Array.from(POINTS, (x) => value(2 * x + 0.5)), "y", { absolute: 1e-6 });
});

Deno.test("activate() after a layer with an activation, and after another activate(), has values and gradients", async () => {
  const x = normals(new Float32Array(8), 1, 0, 0);
  using bench = new Bench(8, { shapes });
  bench.set("layer", Float32Array.of(2), Float32Array.of(0.5));
  const input = bench.input("x", 1, x);
  const a = dense(bench.tape, input, bench.parameters.get("layer"), "tanh");
  const y = activate(bench.tape, activate(bench.tape, a, "sigmoid"), "softplus");
  await bench.run([bench.given(y, new Float32Array(8).fill(1))]);
  const { tanh, sigmoid, softplus } = activations;
  const chain = Array.from(x, (x) => {
    const a = 2 * x + 0.5;
    const b = tanh.value(a);
    const c = sigmoid.value(b);
    return { y: softplus.value(c), dx: softplus.derivative(c) * sigmoid.derivative(b) * tanh.derivative(a) * 2 };
  });
  assertClose(await bench.read(y), chain.map(({ y }) => y), "y", { absolute: 1e-6 });
  assertClose(await bench.gradient(input), chain.map(({ dx }) => dx), "dx", { absolute: 1e-6 });
});

Deno.test("activate() of what something else reads too leaves it stored, and both gradients add up", async () => {
  const x = normals(new Float32Array(8), 1, 0, 0);
  using bench = new Bench(8, { shapes });
  bench.set("layer", Float32Array.of(2), Float32Array.of(0.5));
  const input = bench.input("x", 1, x);
  const a = dense(bench.tape, input, bench.parameters.get("layer"));
  const ones = new Float32Array(8).fill(1);
  const terms = [
    bench.given(activate(bench.tape, a, "sigmoid"), ones),
    bench.given(activate(bench.tape, a, "silu"), ones),
    bench.given(a, ones),
  ];
  await bench.run(terms);
  assertClose(await bench.read(a), Array.from(x, (x) => 2 * x + 0.5), "a", { absolute: 1e-6 });
  const { sigmoid, silu } = activations;
  const slope = (a: number) => 2 * (sigmoid.derivative(a) + silu.derivative(a) + 1);
  assertClose(await bench.gradient(input), Array.from(x, (x) => slope(2 * x + 0.5)), "dx", { absolute: 1e-6 });
});
