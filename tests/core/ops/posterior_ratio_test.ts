/** The density of a Gaussian posterior at given latents against float64. */

import { assertThrows } from "@std/assert";
import { posteriorRatio } from "../../../core/ops/posterior_ratio.ts";
import { type Covariance, statisticsColumns } from "../../../core/ops/reparameterize.ts";
import { constant } from "../../../core/graph/schedule.ts";
import { logDensity } from "../../../mod.ts";
import { assertClose, draw } from "../../support/compare.ts";
import { Bench, families } from "../../support/gpu.ts";

for (const family of families) {
  for (const [rows, latents, covariance] of [[1, 1, "diagonal"], [7, 5, "diagonal"], [33, 3, "full"]] as const) {
    Deno.test(`posteriorRatio() is log N(z; 0, I) less the density on the host: ${rows} x ${latents}, ${covariance}, ${family} tiles`, async () => {
      const repeats = 3;
      const columns = statisticsColumns(latents, covariance);
      const statistics = draw(rows * columns, 1);
      const z = draw(rows * repeats * latents, 2);
      using bench = new Bench(rows * repeats, { family });
      const given = [bench.data("z", latents, z), bench.data("q", columns, statistics)] as const;
      const value = posteriorRatio(bench.tape, ...given, covariance);
      await (await bench.compile([{ name: "ratio", value, weight: constant(0) }])).program.submit(1);
      const density = logDensity({ statistics: Float32Array.from(statistics), count: rows, latents, covariance });
      const expected = Float64Array.from({ length: rows * repeats }, (_, i) => {
        const own = z.slice(i * latents, (i + 1) * latents);
        const normal = own.reduce((sum, v) => sum - (v * v + Math.log(2 * Math.PI)) / 2, 0);
        return normal - density(Math.floor(i / repeats), own, 0);
      });
      assertClose(await bench.rows(value), expected, "ratio", { sum: 20 * latents, absolute: 1e-5 });
    });
  }
}

Deno.test("posteriorRatio() refuses z of another width", () => {
  using bench = new Bench(4);
  const [z, q] = [bench.data("z", 3, draw(12, 1)), bench.data("q", 4, draw(16, 2))];
  const weigh = (covariance: Covariance) => () => posteriorRatio(bench.tape, z, q, covariance);
  assertThrows(weigh("diagonal"), RangeError, "expected 2 columns and a multiple of 4 rows, found 4 x 3");
});
