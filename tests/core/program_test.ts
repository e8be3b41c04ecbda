/** Programs: that a training is the same bit for bit however it is run, that terms come back for the right steps, and that errors surface. */

import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Gpu, GpuError } from "../../core/gpu/device.ts";
import { bernoulliNll } from "../../core/ops/bernoulli_nll.ts";
import { gather, makeResident } from "../../core/ops/gather.ts";
import { createOptimizer } from "../../core/optimizers/mod.ts";
import { constant } from "../../core/graph/schedule.ts";
import { assertClose } from "../support/compare.ts";
import { Bench, families, gpu } from "../support/gpu.ts";
import { createVae, train, type TrainOptions } from "../support/vae.ts";

/** {@linkcode train} in a process with another environment. */
async function trainApart(options: TrainOptions, env: Record<string, string>): ReturnType<typeof train> {
  const script = new URL("../support/vae.ts", import.meta.url).href;
  const args = ["run", "-A", "--no-check", script, JSON.stringify(options)];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env }).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

const floats = (bits: readonly number[]) => new Float32Array(Uint32Array.from(bits).buffer);

for (const family of families) {
  Deno.test(`twenty steps give the same bits in submits of 20, 7 and 1, and when run again, ${family} tiles`, async () => {
    const expected = await train({ family, fuses: true, submits: [20] });
    assertEquals(expected.terms.length, 40);
    for (const submits of [[20], [7, 7, 6], Array(20).fill(1)]) {
      const found = await train({ family, fuses: true, submits });
      assertEquals(found.terms, expected.terms, `terms of submits ${submits}`);
      assertEquals(found.parameters, expected.parameters, `parameters of submits ${submits}`);
    }
    const terms = floats(expected.terms);
    assert(terms.every(Number.isFinite));
    assertNotEquals(terms.slice(0, 2), terms.slice(38), "nothing was trained");
  });
}

Deno.test("the number of the driver's threads changes no bit", async () => {
  const options = { submits: [20] };
  assertEquals(await trainApart(options, { LP_NUM_THREADS: "1" }), await train(options));
});

// Only Mesa's CPU adapter has panels, and lets the number of lanes be chosen.
for (const family of families.filter((family) => family === "panel")) {
  Deno.test(`subgroups of 4 lanes train like those of 8, ${family} tiles`, async () => {
    const options = { family, submits: [5] };
    const found = await trainApart(options, { LP_NATIVE_VECTOR_WIDTH: "128" });
    assertStringIncludes(found.adapter, "128 bits");
    const expected = await train(options);
    assertClose(floats(found.terms), floats(expected.terms), "terms");
    assertClose(floats(found.parameters), floats(expected.parameters), "parameters");
  });
}

Deno.test("submit() gives each step its own terms, also where the ring of 4096 wraps within a submit and between two", async () => {
  // Row r holds r ones and 7 - r zeros; logits are 1, so that its nll is 7 log(1 + e) - r.
  const values = Uint8Array.from({ length: 49 }, (_, i) => i % 7 < Math.floor(i / 7) ? 255 : 0);
  const resident = makeResident(gpu, "rows", [1, 7, 1], { values, count: 7 });
  using bench = new Bench(1, { count: 7 });
  const x = gather(bench.tape, resident, "none");
  const logits = bench.input("logits", 7, new Float32Array(7).fill(1));
  const term = { name: "nll", value: bernoulliNll(bench.tape, logits, x), weight: constant(1) };
  const { program } = await bench.compile([term]);
  const found: number[] = [];
  // Two submits are under way at a time, the third wraps, and so does the seventh.
  const sizes = [2000, 1500, 1000, 1, 2048, 1500, 500];
  let waiting: ReturnType<typeof program.submit> | undefined;
  for (const steps of sizes) {
    const submitted = program.submit(steps);
    if (waiting) found.push(...(await waiting).map(([nll]) => nll));
    waiting = submitted;
  }
  found.push(...(await waiting!).map(([nll]) => nll));
  const count = sizes.reduce((sum, steps) => sum + steps);
  assertEquals(program.step, count);
  const rows = found.map((nll) => Math.round((7 * Math.log(1 + Math.E) - nll) * 1e4) / 1e4);
  assertEquals(rows, Array.from({ length: count }, (_, step) => step % 7));
  resident.buffer.destroy();
});

Deno.test("seek() goes back to a step, which gives the same terms again", async () => {
  const optimizer = createOptimizer("sgd", { learningRate: constant(0) });
  using vae = await createVae({ optimizer, givenNoise: false, shuffle: true });
  const { program } = vae;
  const first = await program.submit(10);
  program.seek({ step: 4, seed: 1, count: 50, shuffle: true });
  assertEquals(await program.submit(3), first.slice(4, 7));
  assertEquals(program.step, 7);
});

Deno.test("another seed gives other terms", async () => {
  const optimizer = createOptimizer("sgd", { learningRate: constant(0) });
  using vae = await createVae({ optimizer, givenNoise: false, shuffle: true });
  const [one] = await vae.program.submit(1);
  vae.program.seek({ step: 0, seed: 2, count: 50, shuffle: true });
  const [two] = await vae.program.submit(1);
  assertNotEquals(one, two);
});

Deno.test("dispatches and macs tell what one step does", async () => {
  const optimizer = createOptimizer("adam", { learningRate: constant(0) });
  using vae = await createVae({ optimizer, givenNoise: false });
  assertEquals(vae.program.dispatches.map(({ label }) => label), [
    "gather x",
    "encoder.0 forward",
    "head forward",
    "reparameterize",
    "decoder.0 forward",
    "decoder.1 forward",
    "decoder.1 input gradient",
    "decoder.1 weight gradient",
    "decoder.0 input gradient",
    "decoder.0 weight gradient",
    "head input gradient",
    "head weight gradient",
    "encoder.0 weight gradient",
    "metrics",
  ]);
  // Weights of 12 x 7, 7 x 6, 3 x 7 and 7 x 12, a batch of 5; three products each, but no gradient of the data.
  assertEquals(vae.program.macs, 5 * (3 * (84 + 42 + 21 + 84) - 84));
});

for (const family of families) {
  Deno.test(`findNonFinite() finds nothing in a sound training, whatever its bytes, and names what first went wrong, ${family} tiles`, async () => {
    const optimizer = createOptimizer("adam", { learningRate: constant(0) });
    using vae = await createVae({ family, fuses: true, optimizer, givenNoise: false });
    const { program, bench } = vae;
    // Every step of the data: four white pixels side by side are a NaN if taken for a float.
    for (let step = 0; step < 10; step++) assertEquals(await program.findNonFinite(), undefined, `step ${step}`);
    program.seek({ step: 0, seed: 0xffffffff, count: 50, shuffle: false });
    assertEquals(await program.findNonFinite(), undefined, "a seed that is a NaN if taken for a float");
    bench.set("head", new Float32Array(42).fill(Infinity), new Float32Array(6));
    assertMatch(await program.findNonFinite() ?? "", /^".+", written by "head forward"$/);
    // The mean is finite, its square in the divergence is not.
    using other = await createVae({ family, fuses: true, optimizer, givenNoise: false });
    other.bench.set("head", new Float32Array(42), new Float32Array(6).fill(3e38));
    const named = /^"kl", written by "reparameterize( \+ decoder\.0 forward)?"$/;
    assertMatch(await other.program.findNonFinite() ?? "", named);
  });
}

Deno.test("check() tells of a device that was lost, and of one that was destroyed on purpose", async () => {
  const [lost, destroyed] = [await Gpu.open(), await Gpu.open()];
  lost.check();
  lost.device.destroy();
  destroyed.destroy();
  await Promise.all([lost.device.lost, destroyed.device.lost]);
  assertThrows(() => lost.check(), GpuError, `The GPU device was lost (destroyed) on ${lost.adapter}`);
  assertThrows(() => destroyed.check(), GpuError, `The GPU was destroyed (${destroyed.adapter})`);
});
