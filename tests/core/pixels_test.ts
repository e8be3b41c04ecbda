/** How pixels become data on the host, against the GPU, where every step gathers them. */

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { uniforms } from "../../core/graph/random.ts";
import { type Binarization, gather, makeResident } from "../../core/ops/gather.ts";
import { readValues } from "../../core/training/pixels.ts";
import { Bench, gpu } from "../support/gpu.ts";

/** Every byte, in rows of 32. */
const bytes = { values: Uint8Array.from({ length: 256 }, (_, i) => i), count: 8 };
const floats = { values: Float32Array.from({ length: 256 }, (_, i) => Math.sin(i)), count: 8 };

for (
  const [split, binarize] of [[bytes, "none"], [bytes, "threshold"], [floats, "none"]] as [
    typeof bytes | typeof floats,
    Binarization,
  ][]
) {
  Deno.test(`readValues() of ${split === bytes ? "bytes" : "floats"}, ${binarize}, are what gather() gives the model`, async () => {
    const resident = makeResident(gpu, "data", [1, 32, 1], split, "resident");
    using bench = new Bench(8, { count: 8, shuffle: false });
    const x = gather(bench.tape, resident, binarize);
    const { program } = await bench.compile([]);
    await program.submit(1);
    const given = await bench.read(x);
    const read = readValues(split, binarize, 0, new Float32Array(256));
    // A GPU may divide by 255 with another last bit.
    read.forEach((value, i) => assertAlmostEquals(given[i], value, binarize === "none" ? 1e-7 : 0));
    resident.buffer.destroy();
  });
}

Deno.test("readValues() begins where it is told, and keeps float64 where it is asked for", () => {
  assertEquals([...readValues(bytes, "none", 51, new Float64Array(2))], [51 * (1 / 255), 52 * (1 / 255)]);
  assertEquals([...readValues(bytes, "threshold", 126, new Float64Array(4))], [0, 0, 1, 1]);
});

Deno.test("readValues() draws a pixel as often as it is bright, the same ones from one seed", () => {
  const split = { values: new Uint8Array(20_000).fill(51) };
  const drawn = readValues(split, "dynamic", 0, new Float32Array(20_000), 7);
  const u = uniforms(new Float32Array(20_000), 7, 0, 1);
  assertEquals(drawn, u.map((value) => value < Math.fround(0.2) ? 1 : 0));
  // Standard deviation of the mean: sqrt(0.2 · 0.8 / 20,000) = 0.0028.
  assertAlmostEquals(drawn.reduce((sum, value) => sum + value) / 20_000, 0.2, 0.012);
});
