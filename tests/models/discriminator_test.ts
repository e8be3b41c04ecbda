/** A discriminator estimates a total correlation: 0 of independent latents, and the known one of correlated normals. */

import { assert, assertAlmostEquals } from "@std/assert";
import { discriminator } from "../../models/discriminator.ts";
import { columns } from "../../core/ops/columns.ts";
import { dense } from "../../core/ops/dense.ts";
import { permuteColumns } from "../../core/ops/permute_columns.ts";
import { priorNoise } from "../../core/ops/prior_noise.ts";
import { valuesOf } from "../../core/ops/sum.ts";
import { constant } from "../../core/graph/schedule.ts";
import { Bench } from "../support/gpu.ts";

for (const correlation of [0, 0.8]) {
  Deno.test(`the mean logit of a trained discriminator is the total correlation: normals with a correlation of ${correlation}`, async () => {
    const [rows, steps, last] = [250, 800, 200];
    const of = discriminator("latents", 2, { discriminatorHidden: [24], discriminatorRate: 5e-3 });
    using bench = new Bench(rows, { shapes: { mixed: { inputs: 2, outputs: 2 }, ...of.shapes } });
    const { tape: t, parameters: p } = bench;
    p.initialize({ weight: { name: "glorot-uniform", scale: 1 }, bias: { name: "zeros", scale: 1 } }, 1);
    bench.set("mixed", Float32Array.of(1, correlation, 0, Math.sqrt(1 - correlation ** 2)), new Float32Array(2));
    const z = dense(t, columns(t, priorNoise(t, rows, 2), 0, 2), p.get("mixed"));
    const { logit: own } = of.apply(t, p, z);
    const objective = of.objective(t, [own], of.apply(t, p, permuteColumns(t, z)).logit);
    const measured = { name: "totalCorrelation", value: valuesOf(t, "total correlation", own), weight: constant(0) };
    const { program } = await bench.compileAll([{ ...objective, terms: [...objective.terms, measured] }], {
      optimizer: objective.optimizer!,
      reduction: "mean",
    });
    await program.submit(steps);
    const sums = await program.submit(last);
    const [entropy, found] = [0, 1].map((i) => sums.reduce((sum, each) => sum + each[i], 0) / last / rows);
    // KL(q(z) ‖ Π_k q(z_k)) of correlated normals.
    const expected = -0.5 * Math.log(1 - correlation ** 2);
    // What is left after so many steps, by trial; the estimate by its 50,000 draws is off by 0.004.
    assertAlmostEquals(found, expected, correlation ? 0.05 : 0.01);
    assert(correlation ? entropy < 0.9 * Math.LN2 : Math.abs(entropy - Math.LN2) < 2e-3, `${entropy}`);
  });
}
