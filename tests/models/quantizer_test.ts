/** The quantizers of vq_vae, in groups and in levels of what is left over, against loops in float64; and what is refused. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { quantize } from "../../core/ops/quantize.ts";
import { constant } from "../../core/graph/schedule.ts";
import { defaults } from "../../core/settings.ts";
import {
  codesOf,
  codeWidth,
  type QuantizerConfig,
  quantizerShapes,
  recordQuantizer,
  vectorsOf,
} from "../../models/quantizer.ts";
import { vqVae } from "../../models/vq_vae.ts";
import { quantizeBackward, quantizeForward, rotationBackward, unit } from "../reference/codes.ts";
import { assertClose, draw, float64 } from "../support/compare.ts";
import { Bench, families } from "../support/gpu.ts";

const [BATCH, POSITIONS] = [3, 7];
const WEIGHTS = { commitment: 0.25, weight: 0.7 };

const configured = (config: Partial<QuantizerConfig>) => ({ ...defaults(vqVae.settings), codes: 11, ...config });

/** Columns of a matrix with `width` of them. */
const part = (values: Float64Array, width: number, first: number, count: number) =>
  Float64Array.from(
    { length: values.length / width * count },
    (_, i) => values[Math.floor(i / count) * width + first + i % count],
  );

/** What recordQuantizer() gives and its gradients, by loops; codes [N P, M]. */
function expectedOf(
  z: Float64Array,
  codebooks: readonly Float64Array[],
  upstream: Float64Array,
  { groups, depth, codes: count, codeDimension, distance, gradientEstimator }: QuantizerConfig,
) {
  const width = codeDimension / groups;
  const sizes = { positions: POSITIONS, depth: width, count };
  const rows = z.length / codeDimension;
  const found = {
    e: new Float64Array(z.length),
    z: new Float64Array(z.length),
    codes: Array<number>(rows * groups * depth),
    distances: new Float64Array(BATCH),
    codebooks: [] as Float64Array[],
    margin: Infinity,
  };
  for (let g = 0; g < groups; g++) {
    const own = part(z, codeDimension, g * width, width);
    const first = distance === "cosine" ? unit(own, width) : own;
    const de = part(upstream, codeDimension, g * width, width);
    const sum = new Float64Array(own.length);
    const dz = new Float64Array(own.length);
    let left = first;
    for (let r = 0; r < depth; r++) {
      const m = g * depth + r;
      const codebook = distance === "cosine" ? unit(codebooks[m], width, true) : codebooks[m];
      const { codes, e, distances, margins } = quantizeForward(left, codebook, sizes);
      const gradient = quantizeBackward(left, codebook, codes, new Float64Array(own.length), sizes, WEIGHTS);
      codes.forEach((code, i) => found.codes[i * groups * depth + m] = code);
      distances.forEach((distance, n) => found.distances[n] += distance);
      gradient.z.forEach((value, i) => dz[i] += value);
      e.forEach((value, i) => sum[i] += value);
      found.codebooks.push(gradient.codebook);
      found.margin = Math.min(found.margin, ...margins);
      left = left.map((value, i) => value - e[i]);
    }
    const through = gradientEstimator === "rotation" ? rotationBackward(first, sum, de, width) : de;
    for (let i = 0; i < own.length; i++) {
      const at = Math.floor(i / width) * codeDimension + g * width + i % width;
      found.e[at] = sum[i];
      found.z[at] = dz[i] + through[i];
    }
    if (distance !== "cosine") continue;
    // dz = (g - (u · g) u) / |z|, u = z / |z|
    for (let i = 0; i < own.length; i += width) {
      const at = Math.floor(i / width) * codeDimension + g * width;
      const [gradient, u] = [found.z.slice(at, at + width), first.subarray(i, i + width)];
      const along = gradient.reduce((sum, value, d) => sum + value * u[d], 0);
      const length = Math.hypot(...own.subarray(i, i + width));
      for (let d = 0; d < width; d++) found.z[at + d] = (gradient[d] - along * u[d]) / length;
    }
  }
  return found;
}

/** A bench with z of a configuration and its codebooks. */
function benched(family: typeof families[number], config: QuantizerConfig) {
  const bench = new Bench(BATCH, { family, shapes: quantizerShapes(config) });
  const { each, count } = codesOf(config);
  const width = config.codeDimension / config.groups;
  // Codes for what is left over are as small as that is.
  const codebooks = Array.from({ length: each }, (_, m) => draw(width * count, 20 + m, 0.6 ** (m % config.depth)));
  const names = Array.from({ length: each }, (_, m) => each === 1 ? "codebook" : `codebook.${m}`);
  names.forEach((name, m) => bench.set(name, codebooks[m], new Float32Array(count)));
  const z = draw(BATCH * POSITIONS * config.codeDimension, 1);
  return { bench, codebooks, names, z, input: bench.input("z", config.codeDimension, z) };
}

const terms = ({ commitment, codebook }: Pick<ReturnType<typeof recordQuantizer>, "commitment" | "codebook">) => [
  { name: "commitment", value: commitment!, weight: constant(WEIGHTS.commitment) },
  { name: "codebook", value: codebook!, weight: constant(WEIGHTS.weight) },
];

for (const family of families) {
  for (
    const config of [
      { codeDimension: 5, depth: 3 },
      { codeDimension: 6, groups: 2 },
      { codeDimension: 6, groups: 2, depth: 2, gradientEstimator: "rotation" },
      { codeDimension: 6, groups: 3, distance: "cosine", gradientEstimator: "rotation" },
    ] as const
  ) {
    Deno.test(`recordQuantizer() does what loops do, with ${JSON.stringify(config)}, ${family} tiles`, async () => {
      const whole = configured(config);
      const { bench, codebooks, names, z, input } = benched(family, whole);
      using _ = bench;
      const found = recordQuantizer(bench.tape, bench.parameters, input, POSITIONS, whole);
      const upstream = draw(z.length, 3);
      await bench.run([bench.given(found.e, upstream), ...terms(found)]);
      const expected = expectedOf(float64(z), codebooks.map(float64), float64(upstream), whole);
      assert(expected.margin > 1e-5, "a row is as near to two codes");
      const codes = await bench.read(found.codes);
      assertEquals([...codes], expected.codes);
      assertClose(await bench.read(found.e), expected.e, "e");
      assertClose(await vectorsOf(bench.parameters, codes, whole), expected.e, "vectorsOf()");
      assertClose(await bench.rows(found.commitment!), expected.distances, "|z - e|²", { sum: z.length / BATCH });
      const tolerance = { sum: 32, absolute: 1e-4, relative: 1e-3 };
      assertClose(await bench.gradient(input), expected.z, "dz", tolerance);
      if (whole.distance === "cosine") return;
      for (const [m, name] of names.entries()) {
        const { weight } = await bench.parameterGradient(name);
        assertClose(weight, expected.codebooks[m], `d${name}`, { sum: BATCH * POSITIONS });
      }
    });
  }

  Deno.test(`recordQuantizer() with one group and one level is quantize() to the bit, ${family} tiles`, async () => {
    const whole = configured({ codeDimension: 5 });
    const outcomes = [];
    for (const record of [recordQuantizer, undefined]) {
      const { bench, input, z } = benched(family, whole);
      using _ = bench;
      const { tape, parameters } = bench;
      const update = { usage: parameters.get("usage"), decay: whole.decay, revival: whole.revival };
      const found = record?.(tape, parameters, input, POSITIONS, whole) ??
        quantize(tape, input, parameters.get("codebook"), POSITIONS, update);
      await bench.run([bench.given(found.e, draw(z.length, 3)), ...terms(found)]);
      outcomes.push([
        await bench.read(found.e),
        await bench.read(found.codes),
        await bench.gradient(input),
        (await bench.parameterGradient("codebook")).weight,
      ]);
    }
    assertEquals(outcomes[0], outcomes[1]);
  });

  Deno.test(`recordQuantizer() with fsq gives codes that vectorsOf() brings back, ${family} tiles`, async () => {
    const whole = configured({ quantizer: "fsq", codes: 512, groups: 2, levels: [4, 3] });
    using bench = new Bench(BATCH, { family });
    const width = codeWidth(whole);
    const input = bench.input("z", width, draw(BATCH * POSITIONS * width, 1));
    const { e, codes, commitment } = recordQuantizer(bench.tape, bench.parameters, input, POSITIONS, whole);
    assertEquals([width, codes.columns, commitment], [4, 2 * POSITIONS, undefined]);
    await (await bench.compile([])).program.submit(1);
    const given = await vectorsOf(bench.parameters, await bench.read(codes), whole);
    assertClose(given, await bench.read(e), "e", { absolute: 1e-6 });
  });
}

Deno.test("vq_vae refuses quantizers that have no meaning", () => {
  const refused = (config: Partial<QuantizerConfig>, message: string) =>
    assertThrows(() => vqVae.check!({ ...defaults(vqVae.settings), ...config }), RangeError, message);
  refused({ quantizer: "fsq", commitment: 1 }, "Cannot combine commitment 1 with quantizer fsq: it has no codebook");
  refused({ quantizer: "fsq", codes: 10 }, "Cannot combine codes 10 with quantizer fsq: its levels say how many");
  refused({ quantizer: "fsq", depth: 2 }, "Cannot combine depth 2 with quantizer fsq");
  refused({ quantizer: "fsq", gradientEstimator: "rotation" }, "what is rounded to 0 has no direction");
  refused({ quantizer: "fsq", levels: [100, 100] }, "expected at most 8192 codes, found 10000");
  refused({ levels: [3] }, "Cannot combine levels 3 with quantizer nearest: only fsq has them");
  refused({ groups: 3 }, "Cannot combine groups 3 with codeDimension 32: each has as many numbers");
  refused({ depth: 2, distance: "cosine" }, "Cannot combine depth 2 with distance cosine");
  refused({ groups: 8, depth: 8 }, "expected at most 32 codes at a position, found 64");
});
