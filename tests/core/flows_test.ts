/** Normalizing flows and the masked layers that they are made of: against float64, as inverses, as densities. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { isConnected } from "../../core/graph/connections.ts";
import {
  autoregressiveFlow,
  couplingFlow,
  type Flow,
  type FlowOptions,
  inverseAutoregressiveFlow,
  planarContext,
  planarFlow,
} from "../../core/distributions/flows.ts";
import { made } from "../../core/nn/mod.ts";
import { checkGradients } from "../../core/ops/check_gradients.ts";
import { constant } from "../../core/graph/schedule.ts";
import type { TileFamily } from "../../core/products/tiles.ts";
import type { Shapes } from "../../core/graph/parameters.ts";
import {
  autoregressive,
  coupling,
  inverseAutoregressive,
  logDeterminantOf,
  type Mapped,
  network,
  planar,
  type Weights,
} from "../reference/flows.ts";
import { assertClose, draw } from "../support/compare.ts";
import { Bench, families, gpu } from "../support/gpu.ts";

const kinds = {
  "affine coupling": { flowOf: couplingFlow, reference: coupling },
  "masked autoregressive": { flowOf: autoregressiveFlow, reference: autoregressive },
  "inverse autoregressive": { flowOf: inverseAutoregressiveFlow, reference: inverseAutoregressive },
} as const;

/** Random weights for what a flow holds, where there are any. */
function weightsFor(shapes: Shapes, scale = 0.25): Map<string, { weight: Float32Array; bias: Float32Array }> {
  return new Map(
    Object.entries(shapes).map(([name, { inputs, outputs, connections }], i) => {
      const weight = draw(inputs * outputs, 10 + i, scale);
      const masked = weight.map((value, at) =>
        connections && !isConnected(connections, Math.floor(at / outputs), at % outputs) ? 0 : value
      );
      return [name, { weight: masked, bias: draw(outputs, 50 + i, scale) }];
    }),
  );
}

/** The networks of a flow, each as its layers, in the order of their names. */
function networksOf(weights: ReadonlyMap<string, Weights>): Weights[][] {
  const nets = new Map<string, Weights[]>();
  for (const [name, each] of weights) {
    const net = name.split(".")[1];
    nets.set(net, [...nets.get(net) ?? [], each]);
  }
  return [...nets.values()];
}

interface Flowing {
  readonly y: Float32Array;
  readonly again: Float32Array;
  readonly ratio: Float64Array;
}

/** f(z), f⁻¹(f(z)) and the ratio, on the GPU. */
async function run(
  flow: Flow,
  { latents }: FlowOptions,
  z: Float32Array,
  context: Float32Array,
  family: TileFamily = families[0],
): Promise<Flowing> {
  const rows = z.length / latents;
  using bench = new Bench(rows, { family, shapes: flow.shapes });
  for (const [name, { weight, bias }] of weightsFor(flow.shapes)) bench.set(name, weight, bias);
  const { tape, parameters } = bench;
  const input = bench.data("z", latents, z);
  const given = context.length ? bench.data("context", context.length / rows, context) : undefined;
  const flowed = flow.apply(tape, parameters, input, given);
  const y = flowed.y();
  const ratio = flowed.ratio();
  const again = flow.inverse(tape, parameters, y, given);
  await (await bench.compile([{ name: "ratio", value: ratio, weight: constant(1) }])).program.submit(1);
  return { y: await bench.read(y), again: await bench.read(again), ratio: await bench.rows(ratio) };
}

const cases: readonly [rows: number, options: FlowOptions][] = [
  [7, { latents: 5, layers: 3, hidden: [9], context: 0 }],
  [33, { latents: 2, layers: 2, hidden: [6, 5], context: 3 }],
  [1, { latents: 33, layers: 1, hidden: [40], context: 0 }],
];

for (const [name, { flowOf, reference }] of Object.entries(kinds)) {
  for (const family of families) {
    for (const [rows, options] of cases) {
      const { latents, layers, context = 0 } = options;
      Deno.test(`${name}: f(z), its inverse and log-determinant agree with float64: ${rows} x ${latents}, ${layers} layers, context ${context}, ${family} tiles`, async () => {
        const flow = flowOf("flow", options);
        const [z, c] = [draw(rows * latents, 1), draw(rows * context, 2)];
        const { y, again, ratio } = await run(flow, options, z, c, family);
        const nets = networksOf(weightsFor(flow.shapes));
        const of = (n: number): Mapped =>
          reference(nets, [...z.slice(n * latents, (n + 1) * latents)], [...c.slice(n * context, (n + 1) * context)]);
        const expected = Array.from({ length: rows }, (_, n) => of(n));
        assertClose(y, expected.flatMap(({ y }) => y), "f(z)", { sum: 40, absolute: 1e-5 });
        again.forEach((value, i) => assertAlmostEquals(value, z[i], 1e-5 * (1 + Math.abs(z[i]))));
        const squares = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v * v / 2, 0);
        const ratios = expected.map(({ y, logDeterminant }, n) =>
          squares(y) - squares(z.slice(n * latents, (n + 1) * latents)) - logDeterminant
        );
        assertClose(ratio, ratios, "ratio", { sum: 40 * latents, absolute: 1e-5 });
        if (rows * latents > 100) return;
        // What the reference says of its determinant is that of its Jacobian.
        const at = [...z.slice(0, latents)];
        const h = 1e-6;
        const jacobian = at.map((_, j) => {
          const moved = (by: number) =>
            reference(nets, at.map((v, k) => k === j ? v + by : v), [...c.slice(0, context)]).y;
          const [above, below] = [moved(h), moved(-h)];
          return above.map((value, i) => (value - below[i]) / (2 * h));
        });
        assertAlmostEquals(logDeterminantOf(jacobian), expected[0].logDeterminant, 1e-6);
      });
    }
  }

  Deno.test(`${name}: a density in two dimensions integrates to 1`, async () => {
    const options = { latents: 2, layers: 3, hidden: [5] };
    const flow = flowOf("flow", options);
    const [side, step] = [160, 0.15];
    const z = Float32Array.from({ length: 2 * side * side }, (_, i) => {
      const place = i % 2 ? Math.floor(i / 2 / side) : Math.floor(i / 2) % side;
      return (place - side / 2 + 0.5) * step;
    });
    const { ratio } = await run(flow, options, z, new Float32Array(0));
    let total = 0;
    ratio.forEach((value, n) => {
      const square = z[2 * n] ** 2 + z[2 * n + 1] ** 2;
      total += Math.exp(-square / 2 - value) / (2 * Math.PI) * step * step;
    });
    assertAlmostEquals(total, 1, 2e-3);
  });

  Deno.test(`${name}: gradients of the ratio are those of differences`, async () => {
    const options = { latents: 3, layers: 2, hidden: [4], context: 2, activation: "tanh" } as const;
    const flow = flowOf("flow", options);
    const parameters = flow.shapes;
    const inputs = { z: { rows: 5, columns: 3 }, c: { rows: 5, columns: 2 } };
    const report = await checkGradients(gpu, (t, { z, c }, p) => flow.apply(t, p, z, c).ratio(), inputs, {
      parameters,
    });
    assert(report.every(({ largest }) => largest > 0));
  });

  if (flowOf === inverseAutoregressiveFlow) continue;
  Deno.test(`${name}: at first it leaves z as it is`, async () => {
    const options = { latents: 3, layers: 2, hidden: [4] };
    const flow = flowOf("flow", options);
    using bench = new Bench(4, { shapes: flow.shapes });
    bench.parameters.initialize({ weight: { name: "glorot-uniform", scale: 1 }, bias: { name: "zeros", scale: 1 } }, 1);
    const z = draw(12, 3);
    const y = flow.apply(bench.tape, bench.parameters, bench.data("z", 3, z)).y();
    await (await bench.compile([])).program.submit(1);
    assertEquals(await bench.read(y), z);
  });
}

Deno.test("planar layers: f(z) and its log-determinant agree with float64, gradients with differences", async () => {
  const [rows, latents, layers] = [9, 3, 2];
  const flow = planarFlow({ latents, layers });
  const width = planarContext(latents, layers);
  const [z, c] = [draw(rows * latents, 1), draw(rows * width, 2)];
  {
    using bench = new Bench(rows);
    const flowed = flow.apply(bench.tape, bench.parameters, bench.data("z", latents, z), bench.data("c", width, c));
    const [y, ratio] = [flowed.y(), flowed.ratio()];
    await (await bench.compile([{ name: "ratio", value: ratio, weight: constant(1) }])).program.submit(1);
    const expected = Array.from(
      { length: rows },
      (_, n) => planar(layers, [...z.slice(n * latents, (n + 1) * latents)], [...c.slice(n * width, (n + 1) * width)]),
    );
    assertClose(await bench.read(y), expected.flatMap(({ y }) => y), "f(z)", { sum: 40, absolute: 1e-5 });
    const half = (values: readonly number[]) => values.reduce((sum, v) => sum + v * v / 2, 0);
    const ratios = expected.map(({ y, logDeterminant }, n) =>
      half(y) - half([...z.slice(n * latents, (n + 1) * latents)]) - logDeterminant
    );
    assertClose(await bench.rows(ratio), ratios, "ratio", { sum: 100, absolute: 1e-5 });
    {
      using bench = new Bench(rows);
      const y = Float32Array.from(expected.flatMap(({ y }) => y));
      const given = [bench.data("y", latents, y), bench.data("c", width, c)] as const;
      const inverse = flow.inverse(bench.tape, bench.parameters, ...given);
      await (await bench.compile([])).program.submit(1);
      assertClose(await bench.read(inverse), z, "inverse", { absolute: 1e-5 });
    }
    const jacobian = Array.from({ length: latents }, (_, j) => {
      const moved = (by: number) =>
        planar(layers, [...z.slice(0, latents)].map((v, k) => k === j ? v + by : v), [...c.slice(0, width)]).y;
      const [above, below] = [moved(1e-6), moved(-1e-6)];
      return above.map((value, i) => (value - below[i]) / 2e-6);
    });
    assertAlmostEquals(logDeterminantOf(jacobian), expected[0].logDeterminant, 1e-6);
  }
  await checkGradients(gpu, (t, { z, c }, p) => flow.apply(t, p, z, c).ratio(), {
    z: { rows: 5, columns: latents },
    c: { rows: 5, columns: width },
  });
  await checkGradients(gpu, (t, { z, c }, p) => flow.inverse(t, p, z, c), {
    z: { rows: 5, columns: latents },
    c: { rows: 5, columns: width },
  });
});

Deno.test("couplingFlow() refuses one dimension", () => {
  assertThrows(() => couplingFlow("flow", { latents: 1, layers: 1, hidden: [] }), RangeError, "expected at least 2");
});

for (
  const [latents, context, widths, reversed] of [[4, 0, [7, 6], false], [4, 2, [7], true], [1, 2, [3], false], [
    3,
    0,
    [],
    true,
  ]] as const
) {
  Deno.test(`made() sees the dimensions before alone, and as many of them as it can: K ${latents}, C ${context}, ${widths.length} hidden layers${reversed ? ", reversed" : ""}`, () => {
    const layer = made("net", latents, widths, 2, { activation: "relu", context, reversed });
    // All that may be there is positive: what reaches an output is then seen in it.
    const weights = Object.values(layer.shapes).map(({ inputs, outputs, connections }): Weights => ({
      weight: Float64Array.from(
        { length: inputs * outputs },
        (_, i) => isConnected(connections!, Math.floor(i / outputs), i % outputs) ? 0.1 + (i % 7) / 10 : 0,
      ),
      bias: new Float64Array(outputs).fill(0.1),
    }));
    const x = Array.from({ length: latents + context }, (_, i) => 1 + i / 3);
    const start = network(weights, x);
    for (let i = 0; i < x.length; i++) {
      const moved = network(weights, x.map((value, j) => j === i ? value + 1 : value));
      const seen = moved.map((value, o) => value !== start[o]);
      const place = (dimension: number) => reversed ? latents - 1 - dimension : dimension;
      const expected = seen.map((_, o) => i >= latents || place(i) < place(o % latents));
      assertEquals(seen, expected, `input ${i}`);
    }
  });
}
