/**
 * Joining dispatches: what may run side by side, in what limits, that a step has as few dispatches as there are that wait for another,
 * and that a training stays the same, to the bit on a processor.
 */

import { assert, assertEquals } from "@std/assert";
import type { Model } from "../../core/model.ts";
import { fuse, type FusionLimits } from "../../core/graph/fusion.ts";
import { type Dispatch, join, read, write } from "../../core/gpu/kernel.ts";
import { bernoulliNll } from "../../core/ops/bernoulli_nll.ts";
import { dense as denseLayer } from "../../core/ops/dense.ts";
import { gather, makeResident } from "../../core/ops/gather.ts";
import { Parameters } from "../../core/graph/parameters.ts";
import { uniforms } from "../../core/graph/random.ts";
import { constant } from "../../core/graph/schedule.ts";
import { configure } from "../../core/settings.ts";
import { createBuffer } from "../../core/gpu/tensor.ts";
import { candidates, chooseTiles, shapeName, type TunedTiles, WORKGROUP_TILES } from "../../core/products/tiles.ts";
import { initializersOf, type TrainingConfig, trainingSettings } from "../../core/training/training_settings.ts";
import { createTrainingProgram } from "../../core/training/training_program.ts";
import { convVae } from "../../models/conv_vae.ts";
import { cvae } from "../../models/cvae.ts";
import { iwae } from "../../models/iwae.ts";
import { vae } from "../../models/vae.ts";
import { assertSame, Bench, type BenchOptions, dispatch, gpu } from "../support/gpu.ts";

const limits: FusionLimits = { buffers: 8, workgroupMemory: 16384 };

/** Floats of every buffer of the hand-made kernels. */
const SIZE = 64;

const buffer = (label: string) => createBuffer(gpu, label, SIZE * 4);

/** A kernel that makes each float of a buffer `scale` times that of another, plus what `constant` is. */
function scaling(label: string, from: GPUBuffer, to: GPUBuffer, scale: number, size = 64): Dispatch {
  return {
    label,
    fragments: [{
      parts: [
        "fn scaled(x: f32) -> f32 {\n  return SCALE * x; // SCALE of this kernel alone\n}",
        `@compute @workgroup_size(${size})\nfn main(@builtin(global_invocation_id) id: vec3u) {\n  to[id.x] = scaled(source[id.x]);\n}`,
      ],
      floats: { SCALE: scale },
      buffers: { source: read(from), to: write(to) },
    }],
    workgroups: [SIZE / size],
  };
}

const labels = (dispatches: readonly Dispatch[]) => dispatches.map(({ label }) => label);

Deno.test("fuse() joins what does not depend on each other, and keeps the order of what does", async () => {
  const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(buffer);
  gpu.device.queue.writeBuffer(a, 0, new Float32Array(SIZE).map((_, i) => i));
  const list = [
    scaling("b = 2 a", a, b, 2),
    scaling("c = 3 a", a, c, 3),
    scaling("d = 5 b", b, d, 5), // after b is written
    scaling("b = 7 c", c, b, 7), // after c is written and b is read
    scaling("e = 11 a", a, e, 11), // any time
    scaling("b = 13 a", a, b, 13), // after b is written once more
  ];
  const fused = fuse(list, limits);
  assertEquals(labels(fused), ["b = 2 a + c = 3 a + e = 11 a", "d = 5 b", "b = 7 c", "b = 13 a"]);
  for (const each of fused) await dispatch(each);
  const found = await Promise.all([b, c, d, e].map(async (buffer) => new Float32Array(await gpu.read(buffer))));
  assertEquals(found, [13, 3, 10, 11].map((scale) => new Float32Array(SIZE).map((_, i) => scale * i)));
  for (const buffer of [a, b, c, d, e]) buffer.destroy();
});

Deno.test("fuse() adds up what its kernels do, and binds a buffer that several of them read once", () => {
  const [a, b, c] = ["a", "b", "c"].map(buffer);
  const list = [{ ...scaling("one", a, b, 2), macs: 5 }, { ...scaling("two", a, c, 2), macs: 7, bytes: 100 }];
  const [{ macs, bytes, workgroups, ...joined }] = fuse(list, limits);
  assertEquals([macs, bytes, workgroups], [12, a.size + b.size + 100, [2, 1]]);
  const { code, bindings } = join({ ...joined, workgroups });
  assertEquals(bindings.map(({ buffer }) => buffer.label), ["a", "b", "c"]);
  // The constant and the function are the same in both.
  assertEquals(code.match(/SCALE = /g)?.length, 1);
  assertEquals(code.match(/fn scaled/g)?.length, 1);
  for (const buffer of [a, b, c]) buffer.destroy();
});

Deno.test("fuse() keeps to the limits: buffers, workgroup memory, one workgroup size, and kernels that it understands", () => {
  const [a, b, c, d] = ["a", "b", "c", "d"].map(buffer);
  const three = [scaling("b", a, b, 2), scaling("c", a, c, 3), scaling("d", a, d, 5)];
  assertEquals(labels(fuse(three, limits)), ["b + c + d"]);
  assertEquals(labels(fuse(three, { ...limits, buffers: 3 })), ["b + c", "d"]);
  assertEquals(labels(fuse(three, { ...limits, buffers: 2 })), ["b", "c", "d"]);
  assertEquals(labels(fuse([three[0], scaling("c", a, c, 3, 32), three[2]], limits)), ["b + d", "c"]);

  const using = (each: Dispatch, name: string, floats: number): Dispatch => ({
    ...each,
    fragments: [...each.fragments, { parts: [`var<workgroup> ${name}: array<vec4f, ${floats / 4}>;`] }],
  });
  // One array that both declare alike is one; two are two.
  assertEquals(labels(fuse([using(three[0], "tile", 4096), using(three[1], "tile", 4096)], limits)), ["b + c"]);
  assertEquals(labels(fuse([using(three[0], "tile", 2048), using(three[1], "other", 2048)], limits)), ["b + c"]);
  assertEquals(labels(fuse([using(three[0], "tile", 2048), using(three[1], "other", 2052)], limits)), ["b", "c"]);

  // Sizes may be constants of the kernel, and elements arrays.
  const nested = (each: Dispatch, high: number): Dispatch => ({
    ...each,
    fragments: [...each.fragments, {
      parts: ["var<workgroup> tile: array<array<vec4f, 8u>, HIGH>;"],
      constants: { HIGH: high },
    }],
  });
  assertEquals(labels(fuse([nested(three[0], 64), nested(three[1], 64)], limits)), ["b + c"]);
  assertEquals(labels(fuse([nested(three[0], 64), nested(three[1], 63)], limits)), ["b + c"]);
  assertEquals(labels(fuse([nested(three[0], 64), nested(three[1], 65)], limits)), ["b", "c"]);
  const named = (each: Dispatch, size: number): Dispatch => {
    const [{ parts: [scaled, main], ...rest }] = each.fragments;
    return {
      ...each,
      fragments: [{ ...rest, parts: [scaled, `${main}`.replace("(64)", "(WIDE)")], constants: { WIDE: size } }],
    };
  };
  assertEquals(labels(fuse([three[0], named(three[1], 64), named(three[2], 32)], limits)), ["b + c", "d"]);

  // Of what it does not know the size, there may be too much.
  const unknown = (each: Dispatch): Dispatch => ({
    ...each,
    fragments: [...each.fragments, { parts: ["var<workgroup> tile: array<vec2u, 4>;"] }],
  });
  assertEquals(labels(fuse([unknown(three[0]), three[1]], limits)), ["b", "c"]);

  const [{ parts, ...rest }] = three[1].fragments;
  const flat: Dispatch = {
    ...three[1],
    fragments: [{ ...rest, parts: [parts[0], `${parts[1]}`.replace("(64)", "(8, 8)")] }],
  };
  assertEquals(labels(fuse([three[0], flat, three[2]], limits)), ["b + d", "c"]);
  for (const buffer of [a, b, c, d]) buffer.destroy();
});

Deno.test("fuse() goes to a second dimension where there are more workgroups than one takes", async () => {
  const counts = createBuffer(gpu, "counts", 16);
  const other = createBuffer(gpu, "other", 16);
  const counting = (label: string, to: GPUBuffer, x: number, y: number): Dispatch => ({
    label,
    fragments: [{
      parts: [
        `@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  atomicAdd(&counts[0], 1u);
  atomicMax(&counts[1], group.x);
  atomicMax(&counts[2], group.y);
  atomicMax(&counts[3], groups.x * groups.y);
}`,
      ],
      buffers: { counts: write(to, "array<atomic<u32>, 4>") },
    }],
    workgroups: [x, y],
  });
  const [joined] = fuse([counting("many", counts, 300, 230), counting("few", other, 7, 3)], limits);
  assertEquals(joined.workgroups, [65535, 2]);
  await dispatch(joined);
  assertEquals([...new Uint32Array(await gpu.read(counts))], [69000, 299, 229, 69000]);
  assertEquals([...new Uint32Array(await gpu.read(other))], [21, 6, 2, 21]);
  for (const buffer of [counts, other]) buffer.destroy();
});

/** Small steps of a model, with and without joining. */
interface Case {
  readonly model: Model;
  readonly config: object;
  readonly training?: Partial<TrainingConfig>;
  readonly tuned?: TunedTiles;
}

const count = 50;
const shape = [8, 8, 1] as const;
const split = {
  values: Uint8Array.from(uniforms(new Float32Array(count * 64), 3, 0, 0), (u) => 256 * u),
  labels: Uint8Array.from({ length: count }, (_, i) => i % 2),
  count,
};

async function steps({ model, config, training: told, tuned }: Case, fuses: boolean, { run = true } = {}) {
  const training = configure(trainingSettings, { batchSize: 37, learningRate: 0.01, binarize: "dynamic", ...told });
  const data = { shape, classes: 2 };
  const parameters = new Parameters(gpu, model.parameters(configure(model.settings, config), data));
  parameters.initialize(initializersOf(training), 1);
  const { program, destroy } = await createTrainingProgram({
    gpu,
    tiles: { ...chooseTiles(gpu, "workgroup", tuned), fuses },
    model,
    config: configure(model.settings, config),
    training,
    parameters,
    data,
    split,
  });
  const terms = run ? await program.submit(4) : [];
  const found = { terms, parameters: await parameters.read(), labels: program.dispatches.map(({ label }) => label) };
  destroy();
  parameters.destroy();
  return { ...found, macs: program.macs };
}

const cases: Record<string, Case> = {
  "pixels drawn anew, tiles of several sizes": {
    model: vae as Model,
    config: { hidden: [40], latents: 3 },
    tuned: {
      "forward 64 x 64 x 64": "workgroup-64x64",
      "forward 64 x 64 x 64 formed": "workgroup-32x32",
      "inputGradient 64 x 64 x 64": "workgroup-64x64",
      "weightGradient 64 x 64 x 64": "workgroup-32x32",
    },
  },
  "a condition, rows on the host, plain gradient descent": {
    model: cvae as Model,
    config: { hidden: [20], latents: 2 },
    training: { rows: "streamed", optimizer: "sgd", binarize: "none" },
  },
  "several draws": { model: iwae as Model, config: { hidden: [20], latents: 2, samples: 3 } },
  "convolutions": { model: convVae as Model, config: { channels: [4], kernel: 3, latents: 2 } },
};

Deno.test("a step has as many dispatches as wait for each other, with what forms data and latents in the layers that read them", async () => {
  const at = async (hidden: readonly number[], latents: number) =>
    (await steps({ model: vae as Model, config: { hidden, latents } }, true, { run: false })).labels;
  assertEquals(await at([500, 500], 3), [
    "gather x + encoder.0 forward",
    "encoder.1 forward",
    "encoder.posterior forward",
    "reparameterize + decoder.0 forward",
    "decoder.1 forward",
    "likelihood forward",
    "likelihood input gradient",
    "likelihood weight gradient + decoder.1 input gradient",
    "decoder.1 weight gradient + decoder.0 input gradient",
    "decoder.0 weight gradient + encoder.posterior input gradient + metrics",
    "encoder.posterior weight gradient + encoder.1 input gradient",
    "encoder.1 weight gradient + encoder.0 weight gradient",
  ]);
  assertEquals((await at([500], 20)).length, 8);
});

/** Rows on the GPU, and a bench for a layer from them. */
function onRows(batch: number, outputs: number, options: BenchOptions) {
  const resident = makeResident(gpu, "rows", shape, split);
  const bench = new Bench(batch, { ...options, count, shapes: { layer: { inputs: 64, outputs } } });
  return {
    resident,
    bench,
    [Symbol.dispose]() {
      bench[Symbol.dispose]();
      resident.buffer.destroy();
    },
  };
}

Deno.test("a product does not form data that its own epilogue reads, nor set the numbers that it uses", async () => {
  using rows = onRows(37, 64, { family: "workgroup", fuses: true });
  const { bench, resident } = rows;
  bench.parameters.initialize({ weight: { name: "normal", scale: 0.1 }, bias: { name: "zeros", scale: 1 } }, 1);
  const x = gather(bench.tape, resident, "dynamic");
  const nll = bernoulliNll(bench.tape, denseLayer(bench.tape, x, bench.parameters.get("layer")), x);
  const terms = [{ name: "nll", value: nll, weight: constant(1) }];
  const { program } = await bench.compile(terms, { optimizer: "gradients", reduction: "sum" });
  assertEquals(program.dispatches.map(({ label }) => label), [
    "gather x",
    "layer forward",
    "layer weight gradient + metrics",
  ]);
});

Deno.test("what the next dispatch does not load is formed by itself", async () => {
  const { labels } = await steps({ model: cvae as Model, config: { hidden: [20], latents: 2 } }, true, { run: false });
  // The condition is joined to x and to z before a layer reads them.
  assertEquals(labels.slice(0, 2), ["gather x + gather condition", "x into x | condition"]);
  assert(labels.includes("reparameterize"), `${labels}`);
});

/** 70 of the rows and a layer on them: what is stored of both, and the numbers that the step set. */
async function layerOnRows(options: BenchOptions) {
  using rows = onRows(70, 70, { ...options, shuffle: true });
  const { bench, resident } = rows;
  bench.parameters.initialize({ weight: { name: "normal", scale: 0.1 }, bias: { name: "normal", scale: 1 } }, 1);
  const x = gather(bench.tape, resident, "dynamic");
  const y = denseLayer(bench.tape, x, bench.parameters.get("layer"));
  const { program, compiled } = await bench.compile([]);
  bench.tape.setSchedules(Array.from({ length: 256 }, (_, i) => constant(i + 1)));
  await program.submit(1);
  const { dispatches } = program;
  const stored = {
    x: new Uint8Array(await gpu.read(bench.tape.tensor(x).buffer)),
    y: await bench.stored(y),
    scalars: new Float32Array(await gpu.read(bench.tape.scalars)),
  };
  return { stored, labels: dispatches.map(({ label }) => label), product: compiled.products[0] };
}

Deno.test("every tile forms the rows that there are, and no others, and sets the numbers of the step", async () => {
  for (const family of WORKGROUP_TILES) {
    const expected = await layerOnRows({ family });
    assertEquals(expected.labels, ["gather x", "layer forward"]);
    assertEquals([...expected.stored.scalars], Array.from({ length: 256 }, (_, i) => i + 1));
    const { stored, labels } = await layerOnRows({ family, fuses: true });
    assertEquals(labels, ["gather x + layer forward"]);
    assertEquals(stored, expected.stored, family);
  }
});

Deno.test("a product that forms its operand has a name of its own among tiles", async () => {
  const { labels: found, product: { shape, form } } = await layerOnRows({ family: "workgroup", fuses: true });
  assertEquals(found, ["gather x + layer forward"]);
  assertEquals(shapeName(shape), "forward 96 x 64 x 96 formed");
  assertEquals(candidates(shape), [...WORKGROUP_TILES]);
  // As a tuner asks for it.
  const dispatches = WORKGROUP_TILES.map((pinned) => form({ ...chooseTiles(gpu, "workgroup"), pinned }));
  assertEquals(dispatches.map(labels), WORKGROUP_TILES.map(() => ["gather x + layer forward"]));
});

Deno.test("what stands before a mark on the tape is formed before it", async () => {
  using rows = onRows(37, 2, { family: "workgroup", fuses: true });
  const { bench, resident } = rows;
  const x = gather(bench.tape, resident, "threshold");
  const mark = bench.tape.mark();
  denseLayer(bench.tape, x, bench.parameters.get("layer"));
  const { program } = await bench.compile([]);
  assertEquals(mark(), 1);
  assertEquals(program.dispatches.map(({ label }) => label), ["gather x", "layer forward"]);
});

for (const [name, each] of Object.entries(cases)) {
  Deno.test(`a training is the same with its dispatches joined: ${each.model.name}, ${name}`, async () => {
    const expected = await steps(each, false);
    const found = await steps(each, true);
    assert(found.labels.length < expected.labels.length, `${found.labels}`);
    assertSame(found.terms.flatMap((terms) => [...terms]), expected.terms.flatMap((terms) => [...terms]), "terms");
    assertEquals([...found.parameters.keys()], [...expected.parameters.keys()]);
    for (const [name, { data }] of expected.parameters) assertSame(found.parameters.get(name)!.data, data, name);
    assertEquals(found.macs, expected.macs);
    // Every kernel is still named.
    const names = (labels: readonly string[]) => labels.flatMap((label) => label.split(" + ")).sort();
    assertEquals(names(found.labels), names(expected.labels));
  });
}
