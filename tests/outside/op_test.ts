/** Ops from outside: against float64 and by differences, and in a model that the command line trains. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { checkGradients, type DataShape, Gpu, train, valuesOf } from "../../mod.ts";
import { Bench } from "../support/gpu.ts";
import { assertClose, draw } from "../support/compare.ts";
import { blocks } from "../tasks/support.ts";
import { attentive } from "./op_model.ts";
import { softmax, softsign } from "./op.ts";

/** Row-major softmax in float64. */
function reference(x: ArrayLike<number>, columns: number): number[] {
  const rows = Array.from(
    { length: x.length / columns },
    (_, n) => Array.from(x).slice(n * columns, (n + 1) * columns),
  );
  return rows.flatMap((row) => {
    const sum = row.reduce((all, value) => all + Math.exp(value), 0);
    return row.map((value) => Math.exp(value) / sum);
  });
}

for (const [rows, columns] of [[1, 1], [5, 37], [65, 3]]) {
  Deno.test(`an op with kernels of its own agrees with float64, and its gradient with differences: ${rows} x ${columns}`, async () => {
    using bench = new Bench(rows);
    const x = draw(rows * columns, 1);
    const y = softmax(bench.tape, bench.input("x", columns, x));
    await bench.run([bench.given(y, x)]);
    assertClose(await bench.read(y), reference(x, columns), "y", { absolute: 1e-6 });
    using gpu = await Gpu.open();
    await checkGradients(gpu, (t, { x }) => softmax(t, x), { x: { rows, columns } });
  });

  Deno.test(`an op that is a formula agrees with float64, and its gradient with differences: ${rows} x ${columns}`, async () => {
    using bench = new Bench(rows);
    const x = draw(rows * columns, 1);
    const y = softsign(bench.tape, bench.input("x", columns, x));
    await bench.run([bench.given(y, x)]);
    assertClose(await bench.read(y), x.map((value) => value / (1 + Math.abs(value))), "y", { absolute: 1e-6 });
    using gpu = await Gpu.open();
    await checkGradients(gpu, (t, { x }) => valuesOf(t, "softsign", softsign(t, x)), { x: { rows, columns } });
  });
}

Deno.test("a model with ops from outside has the gradients of differences", async () => {
  using gpu = await Gpu.open();
  const config = { hidden: 5, latents: 2 };
  const x = { rows: 6, columns: 16, constant: true, values: draw(96, 1).map((value) => value > 0 ? 1 : 0) };
  const parameters = attentive.parameters(config, { shape: [4, 4, 1] });
  const report = await checkGradients(gpu, (t, { x }, p) => attentive.objectives(t, p, { x }), { x }, { parameters });
  assertEquals(report.length, 10);
  for (const { name, largest } of report) assert(largest > 0, name);
});

Deno.test("a model whose ops do not list a parameter is refused, not left untrained", async () => {
  const parameters = (config: Parameters<typeof attentive.parameters>[0], data: DataShape) => ({
    ...attentive.parameters(config, data),
    "lost": { inputs: 1, outputs: 1 },
  });
  const training = train({ ...attentive, parameters }, blocks(), { batchSize: 21, epochs: 1, validation: 40 });
  await assertRejects(
    async () => {
      for await (const _ of training);
    },
    Error,
    'Cannot train "attentive_vae": no gradient reaches the parameter "lost"',
  );
});
