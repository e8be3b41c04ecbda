/**
 * How a training step grows with the batch, the width, the depth and the latents: one of them at a time, from 784-500-20 at batch 128.
 * Writes a table and a plot of the time a datum costs, beside what its multiply-adds would cost at the speed of the largest.
 *
 *     deno run -A bench/growth.ts [FOLDER]
 *
 * @module
 */

import { Gpu } from "../core/gpu/device.ts";
import { chooseTiles } from "../core/products/tiles.ts";
import { panels } from "../figures/charts.ts";
import { bytesOf } from "../figures/figure.ts";
import { tunedFor } from "../tasks/cli/tiles.ts";
import { measure, median, parse, prepare } from "./steps.ts";

const SERIES = [
  {
    title: "Batch",
    x: "rows a step",
    values: [32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384],
    of: (n: number) => `500-20:${n}`,
  },
  {
    title: "Width",
    x: "units of the hidden layer",
    values: [50, 100, 200, 500, 1000, 2000, 4096],
    of: (n: number) => `${n}-20:128`,
  },
  {
    title: "Depth",
    x: "hidden layers of 500",
    values: [1, 2, 4, 8],
    of: (n: number) => `${"500-".repeat(n)}20:128`,
  },
  {
    title: "Latents",
    x: "latent dimensions",
    values: [2, 8, 32, 128, 512],
    of: (n: number) => `500-${n}:128`,
  },
];

/** Rounds, over which the median is taken, of about so many seconds. */
const [ROUNDS, SECONDS] = [3, 0.7];

if (import.meta.main) {
  const [folder = "bench/results"] = Deno.args;
  await Deno.mkdir(folder, { recursive: true });
  using gpu = await Gpu.open();
  const context = { print: console.log, signal: new AbortController().signal };
  console.log(`${gpu.adapter}; microseconds a datum, and GFLOP/s`);
  const drawn = [];
  for (const { title, x, values, of } of SERIES) {
    const micros: number[] = [];
    const rates: number[] = [];
    for (const value of values) {
      const subject = await prepare(
        gpu,
        parse(of(value))[0],
        chooseTiles(gpu),
        (step) => tunedFor(step, context.print),
      );
      for (let round = 0; round < ROUNDS; round++) await measure(gpu, subject, { seconds: SECONDS });
      const samplesPerSecond = median(subject.rates);
      micros.push(1e6 / samplesPerSecond);
      rates.push(2 * subject.step.program.macs / subject.batch * samplesPerSecond / 1e9);
      subject.step.destroy();
      console.log(`${title} ${value}: ${micros.at(-1)!.toFixed(1)} ${rates.at(-1)!.toFixed(1)}`);
    }
    // At a constant GFLOP/s the time goes as the multiply-adds.
    const most = Math.max(...rates);
    drawn.push({
      title,
      x,
      y: "µs a datum",
      logX: true,
      logY: true,
      series: [
        { name: "measured", x: values, y: micros },
        { name: "at the best GFLOP/s", x: values, y: micros.map((time, i) => time * rates[i] / most) },
      ],
    });
  }
  const figure = await panels({
    name: "growth",
    title: "A training step over batch, width, depth and latents",
    caption: gpu.adapter,
    panels: drawn,
  });
  await Deno.writeFile(`${folder}/${figure.file}`, bytesOf(figure));
  console.log(`${folder}/${figure.file}`);
}
