/** The GPU's own clock: its unit, its order, and what a profile makes of it. */

import { assert, assertEquals } from "@std/assert";
import { Clock } from "../../core/gpu/clock.ts";
import { inTurn } from "../../core/gpu/chunks.ts";
import { prepare, record, write } from "../../core/gpu/kernel.ts";
import { activate } from "../../core/ops/activate.ts";
import { bernoulliNll } from "../../core/ops/bernoulli_nll.ts";
import { dense } from "../../core/ops/dense.ts";
import { constant } from "../../core/graph/schedule.ts";
import { createBuffer } from "../../core/gpu/tensor.ts";
import { Bench, gpu } from "../support/gpu.ts";

const open = async () => {
  const clock = await Clock.open(gpu);
  assert(clock, `${gpu.adapter} has no timestamps`);
  return clock;
};

Deno.test("Clock measures passes in milliseconds, in their order", async () => {
  const clock = await open();
  const buffer = createBuffer(gpu, "sums", 4096);
  const busy = await prepare(gpu, {
    label: "busy",
    fragments: [{
      parts: [
        "@compute @workgroup_size(64)\nfn main(@builtin(local_invocation_index) i: u32) {\n  var sum = sums[i];\n  for (var k = 0u; k < ROUNDS; k++) { sum = sum * 0.5 + 1.0; }\n  sums[i] = sum;\n}",
      ],
      constants: { ROUNDS: 200_000 },
      buffers: { sums: write(buffer) },
    }],
    workgroups: [64],
  });
  const run = async () => {
    const encoder = gpu.device.createCommandEncoder();
    record(gpu, encoder, [busy], { times: 5, clock });
    const begin = performance.now();
    gpu.device.queue.submit([encoder.finish()]);
    const spans = await clock.spans();
    return { spans, wall: performance.now() - begin };
  };
  await run();
  const { spans, wall } = await run();
  assertEquals(spans.length, 5);
  assertEquals(spans.flat(), spans.flat().toSorted((a, b) => a - b));
  const busyFor = spans.reduce((sum, [begin, end]) => sum + end - begin, 0);
  // The rest is handing over and reading back.
  assert(busyFor > 0.2 * wall && busyFor < wall, `${busyFor} of ${wall} ms`);
  assertEquals(await clock.spans(), []);
  buffer.destroy();
  clock.destroy();
});

Deno.test("a program with a clock notes when its chunks begin and end, and its profile has a time for every dispatch", async () => {
  const clock = await open();
  using bench = new Bench(8, { count: 8, shapes: { layer: { inputs: 5, outputs: 7 } } });
  const x = bench.input("x", 5, new Float32Array(8 * 5).fill(0.5));
  const y = bench.input("y", 7, new Float32Array(8 * 7).fill(1));
  const logits = activate(bench.tape, dense(bench.tape, x, bench.parameters.get("layer")), "tanh");
  const { program } = await bench.compile([
    { name: "nll", value: bernoulliNll(bench.tape, logits, y), weight: constant(1) },
  ]);
  program.clock = clock;
  let chunks = 0;
  const results = await Array.fromAsync(inTurn(gpu, () => chunks++ < 3 ? program.chunk(2) : undefined));
  program.clock = undefined;
  assertEquals(results.map(({ length }) => length), [2, 2, 2]);
  const spans = (await clock.spans()).flat();
  assertEquals(spans.length, 3 * 2 * 2);
  assertEquals(spans, spans.toSorted((a, b) => a - b));
  const times = await program.profile(clock, 4);
  assertEquals(times.length, program.dispatches.length);
  assert(times.every((ms) => ms > 0 && ms < 1000), `${times}`);
  assertEquals(program.step, 6 + 4);
  clock.destroy();
});
