/**
 * `deno run -A bench/conv.ts [--cold]`: the products of convolutions beside those of dense layers of the same sizes, measured in turn,
 * since machines drift. `--cold` leaves the driver's shader cache out and shows what the kernels take to compile.
 *
 * FLOP are counted as 2 per multiply-add of a dense layer on copied windows: zeros around images count, padding of channels does not.
 *
 * @module
 */

import { Gpu } from "../core/gpu/device.ts";
import { conv2d } from "../core/ops/conv2d.ts";
import { convTranspose2d } from "../core/ops/conv_transpose2d.ts";
import { convShape } from "../core/ops/images.ts";
import { dense } from "../core/ops/dense.ts";
import { createOptimizer } from "../core/optimizers/mod.ts";
import { Parameters } from "../core/graph/parameters.ts";
import { createState, Program } from "../core/graph/program.ts";
import { constant } from "../core/graph/schedule.ts";
import { loader, Tape, type Variable } from "../core/graph/tape.ts";
import { chooseTiles } from "../core/products/tiles.ts";

/** Side, channels, outputs, kernel, stride, padding, batch; the decoder's are transposed. */
const SHAPES: readonly [number, number, number, number, number, number, number, boolean][] = [
  [28, 1, 64, 4, 2, 1, 32, false],
  [14, 64, 128, 4, 2, 1, 32, false],
  [14, 64, 128, 4, 2, 1, 64, false],
  [7, 128, 128, 3, 1, 1, 32, false],
  [7, 128, 32, 3, 1, 1, 64, false],
  [7, 128, 64, 4, 2, 1, 32, true],
  [14, 64, 1, 4, 2, 1, 32, true],
  [16, 64, 3, 4, 2, 1, 32, true],
];
const KINDS = ["forward", "input gradient", "weight gradient"] as const;
const ROUNDS = 5;

/** A layer with its gradients; milliseconds of each of its products. */
async function layer(
  gpu: Gpu,
  rows: number,
  inputs: number,
  columns: number,
  shape: { inputs: number; outputs: number },
  apply: (t: Tape, x: Variable, p: Parameters) => Variable,
): Promise<{ time(kind: string): Promise<number>; compileMs: number }> {
  const tape = new Tape(gpu, rows, chooseTiles(gpu), createState(gpu));
  const parameters = new Parameters(gpu, { layer: shape, input: { inputs: 1, outputs: 1 } });
  const x = tape.variable("x", columns, "f32", inputs);
  tape.tensor(x);
  const parameter = parameters.get("input");
  // Its gradient is nobody's: what would form it is asked for and left out.
  const backward = () => void tape.contribution(parameter);
  tape.record({ name: "x", inputs: [], parameters: [parameter], forward() {}, backward }, x);
  const y = apply(tape, x, parameters);
  const value = tape.rowScalars("loss", 1);
  tape.record({
    name: "loss",
    inputs: [y],
    parameters: [],
    forward() {},
    backward: () => tape.map("upstream", loader("a", tape.tensor(y)), tape.contribution(y), y),
  }, value);
  const optimizer = createOptimizer("adam", { learningRate: constant(1e-3) });
  const compiled = tape.compile([{ terms: [{ name: "loss", value, weight: constant(1) }] }], {
    optimizer,
    reduction: "mean",
  });
  const program = await Program.create(tape, compiled);
  const begin = performance.now();
  await program.submit(1);
  const compileMs = performance.now() - begin;
  return {
    compileMs,
    async time(kind) {
      let ms = 0;
      for (const [i, { label }] of program.dispatches.entries()) {
        if (label.startsWith(`layer ${kind}`)) ms += await program.time(i, 8);
      }
      return ms;
    },
  };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

if (import.meta.main) {
  if (Deno.args.includes("--cold")) Deno.env.set("MESA_SHADER_CACHE_DISABLE", "true");
  using gpu = await Gpu.open();
  console.log(`${gpu.adapter}, tiles ${chooseTiles(gpu).family}; GFLOP/s of convolution / dense = ratio`);
  for (const [side, channels, outputs, kernel, stride, padding, batch, transposed] of SHAPES) {
    // The last layer of a decoder gives a row for each image.
    const options = { height: side, width: side, channels, kernel, stride, padding, flat: outputs < 4 };
    const shape = convShape(options, outputs);
    const to = transposed ? side * stride : side / stride;
    const coarse = transposed ? side : to;
    const op = transposed ? convTranspose2d : conv2d;
    const conv = await layer(
      gpu,
      batch,
      batch * side * side,
      channels,
      shape,
      (t, x, p) => op(t, x, p.get("layer"), options),
    );
    // The same multiply-adds: a row for each coarse pixel, and for a transposed convolution the roles of W's sides exchanged.
    const rows = batch * coarse * coarse;
    const [inputs, width] = transposed ? [channels, kernel ** 2 * outputs] : [shape.inputs, outputs];
    const plain = await layer(
      gpu,
      rows,
      rows,
      inputs,
      { inputs, outputs: width },
      (t, x, p) => dense(t, x, p.get("layer")),
    );
    const gflop = 2 * rows * inputs * width / 1e9;
    const results = [];
    for (const kind of KINDS) {
      const pairs: [number, number][] = [];
      for (let round = 0; round < ROUNDS; round++) pairs.push([await conv.time(kind), await plain.time(kind)]);
      const [ours, theirs] = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))];
      const ratio = median(pairs.map(([a, b]) => b / a));
      results.push(
        `${kind} ${(1e3 * gflop / ours).toFixed(1)} / ${(1e3 * gflop / theirs).toFixed(1)} = ${ratio.toFixed(2)}`,
      );
    }
    console.log(
      `${
        transposed ? "convTranspose2d" : "conv2d"
      } ${side}x${side}x${channels} -> ${to}x${to}x${outputs}, kernel ${kernel}, stride ${stride}, batch ${batch}: ` +
        `${results.join("; ")}; first step ${conv.compileMs.toFixed(0)} / ${plain.compileMs.toFixed(0)} ms`,
    );
  }
}
