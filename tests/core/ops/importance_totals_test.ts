/** The running sums of importance weights against log-sum-exp over all draws at once, in float64. */

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { drawSums, importanceTotals } from "../../../core/ops/importance_totals.ts";
import { setState } from "../../../core/graph/program.ts";
import type { RowScalars } from "../../../core/graph/tape.ts";
import { draw } from "../../support/compare.ts";
import { Bench, families, gpu } from "../../support/gpu.ts";

for (const family of families) {
  for (const sign of [1, -1] as const) {
    Deno.test(`importanceTotals() of batches, the last a shorter one, and of several steps is log-sum-exp at once (${family}, ${sign})`, async () => {
      const [batch, count, samples, rounds] = [5, 12, 3, 4];
      const batches = 3;
      using bench = new Bench(batch, { family, count });
      const { tape } = bench;
      const nll = tape.rowScalars("nll", 2, batch * samples);
      const divergence = tape.rowScalars("divergence", 1, batch * samples);
      const kl = tape.rowScalars("kl", 3);
      const sums = importanceTotals(tape, { nll, divergence, kl, count, sign });
      const { program } = await bench.compile([]);
      const expected = Array.from({ length: count }, () => ({ logs: [] as number[], nll: 0, kl: 0 }));
      for (let b = 0; b < batches; b++) {
        setState(gpu, tape.state, { step: b, seed: 1, count, shuffle: false });
        for (let round = 0; round < rounds; round++) {
          const given = (values: RowScalars, scale: number) => {
            const all = draw(values.parts * values.storedRows, 10 * round + b).map((value) => scale * value);
            gpu.device.queue.writeBuffer(values.buffer, 0, all);
            return (row: number) => {
              let sum = 0;
              for (let part = 0; part < values.parts; part++) sum += all[part * values.storedRows + row];
              return sum;
            };
          };
          // Weights so far apart that a sum without rescaling would overflow.
          const [nllOf, divergenceOf, klOf] = [given(nll, 60), given(divergence, 40), given(kl, 1)];
          await program.submit(1);
          for (let i = 0; i < Math.min(batch, count - b * batch); i++) {
            const row = expected[b * batch + i];
            for (let s = 0; s < samples; s++) {
              row.logs.push(-sign * (nllOf(i * samples + s) + divergenceOf(i * samples + s)));
              row.nll += nllOf(i * samples + s);
            }
            row.kl = klOf(i);
          }
        }
      }
      const totals = new Float32Array(await gpu.read(sums.totals));
      const divergences = new Float32Array(await gpu.read(sums.divergences));
      expected.forEach(({ logs, nll, kl }, row) => {
        const { largest, sum, squares, nll: mean } = drawSums(totals, row, samples * rounds);
        const most = Math.max(...logs);
        assertAlmostEquals(largest, most, 1e-3);
        assertAlmostEquals(sum, logs.reduce((all, log) => all + Math.exp(log - most), 0), 1e-3);
        assertAlmostEquals(squares, logs.reduce((all, log) => all + Math.exp(2 * (log - most)), 0), 1e-3);
        assertAlmostEquals(mean, nll / (samples * rounds), 1e-3);
        assertAlmostEquals(divergences[row], kl, 1e-4);
      });
      const step = new Uint32Array(await gpu.read(tape.state))[0];
      assertEquals(step, 2 + rounds * batches);
      for (const buffer of [sums.totals, sums.divergences]) buffer.destroy();
    });
  }
}
