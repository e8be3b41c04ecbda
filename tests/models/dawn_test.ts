/**
 * Everything through Dawn, the WebGPU of Chrome, which refuses what Deno's lets pass: other rules of uniform control flow, of bindings, of
 * limits. Its null backend compiles and checks but computes nothing, so no number is tested here, and no adapter is needed. Since it is
 * no CPU adapter, it is given what a GPU is: workgroup tiles, dispatches joined.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { create } from "npm:webgpu@0.6.2";
import { type Dataset, Gpu, GpuError, type Model, models, train, trainingSettings } from "../../mod.ts";
import { TILE_CHOICES, type TileChoice } from "../../core/products/tiles.ts";

const dawn: GPU = create(["backend=null"]);

/** A device as a page has it that asks for nothing. Its buffers read as zeros: what was never computed is any number else. */
async function open(requiredFeatures: readonly GPUFeatureName[] = []): Promise<GPUDevice> {
  const adapter = await dawn.requestAdapter();
  const device = await adapter!.requestDevice({ requiredFeatures: [...requiredFeatures] });
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    buffer.getMappedRange = () => new ArrayBuffer(descriptor.size);
    return buffer;
  };
  return device;
}

const values = new Uint8Array(60 * 64).map((_, i) => 37 * i);
const rows = { values, count: 60, labels: Uint8Array.from({ length: 60 }, (_, i) => i % 2) };
const dataset: Dataset = { name: "stripes", shape: [8, 8, 1], classes: 2, train: rows, test: rows };

/** Trains a few steps, and does with the model all that can be done. */
async function everything(model: Model, tiles: TileChoice, gpu?: Gpu, settings: object = {}): Promise<void> {
  const device = gpu?.device ?? await open();
  const config = { hidden: [40, 36], latents: 2, batchSize: 21, epochs: 1, validation: 10, tiles, ...settings };
  const training = train(
    model,
    dataset,
    Object.fromEntries(
      Object.entries(config).filter(([name]) => name in model.settings || name in trainingSettings),
    ),
    gpu ? { gpu } : { device },
  );
  let ended = false;
  for await (const { event } of training) ended ||= event === "end";
  assert(ended);
  const { trained } = training;
  const some = trained.rowsOf(rows);
  const { labels } = rows;
  await trained.sample({ count: 3, draw: "sample" });
  await trained.encode(some, { labels });
  await trained.reconstruct(some, { labels });
  await trained.evaluate(rows);
  trained.destroy();
  device.destroy();
}

for (const model of models.values()) {
  // Five levels by itself, among which two hidden layers cannot be divided.
  const settings = model.name === "ladder_vae" ? { lowerLatents: [3] } : {};
  Deno.test(`${model.name} runs through Dawn`, async () => await everything(model, "auto", undefined, settings));
}

for (const name of ["vae", "conv_vae", "vq_vae"]) {
  for (const tiles of TILE_CHOICES.filter((tiles) => tiles.startsWith("workgroup-"))) {
    Deno.test(`${name} with ${tiles} tiles runs through Dawn`, async () => await everything(models.get(name)!, tiles));
  }
}

for (
  const settings of [
    { groups: 2, depth: 2, gradientEstimator: "rotation" },
    { distance: "cosine", codebook: "moving-average" },
    { quantizer: "fsq" },
  ]
) {
  Deno.test(`vq_vae with ${JSON.stringify(settings)} runs through Dawn`, async () => {
    await everything(models.get("vq_vae")!, "auto", undefined, { channels: [4, 4], residualChannels: 4, ...settings });
  });
}

/** As a browser says it of SwiftShader, whose panels are then tried too. */
const SWIFTSHADER = { description: "SwiftShader", isFallbackAdapter: true, subgroupMinSize: 4, subgroupMaxSize: 4 };

for (const name of ["vae", "conv_vae", "vq_vae"]) {
  Deno.test(`${name} with panels runs through Dawn, which wants subgroups enabled in the text`, async () => {
    const device = await open(["subgroups"]);
    const gpu = new Gpu(device, SWIFTSHADER as GPUAdapterInfo, { granted: ["subgroups"] });
    assertEquals(gpu.strategy.kernels?.family, "panel");
    await everything(models.get(name)!, "panel", gpu);
  });
}

Deno.test("Dawn refuses what Deno takes: a barrier that not all invocations reach", async () => {
  const code = `var<workgroup> shared_value: f32;
@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
  if (i < 3u) { workgroupBarrier(); }
  shared_value = 1.0;
}`;
  using here = await Gpu.open();
  await here.pipeline("divergent", code, []);
  using there = new Gpu(await open());
  await assertRejects(() => there.pipeline("divergent", code, []), GpuError, "workgroupBarrier");
});
