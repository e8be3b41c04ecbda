/** What an adapter wants of its buffers and kernels, and that another one is spared it. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Gpu } from "../../core/gpu/device.ts";
import { isLavapipe } from "../../core/gpu/lavapipe/adapter.ts";
import { lanesOf } from "../../core/gpu/lavapipe/strategy.ts";
import { textureCopy } from "../../core/gpu/lavapipe/texture_copy.ts";
import { type AdapterFacts, runsOnProcessor, strategyFor, wantedFeatures } from "../../core/gpu/strategies.ts";
import { createBuffer, createTensor } from "../../core/gpu/tensor.ts";
import { chooseTiles, type TileFamily } from "../../core/products/tiles.ts";
import { Parameters } from "../../core/graph/parameters.ts";
import { configure } from "../../core/settings.ts";
import { createTrainingProgram } from "../../core/training/training_program.ts";
import { initializersOf, trainingSettings } from "../../core/training/training_settings.ts";
import { vae } from "../../models/vae.ts";
import { gpu } from "../support/gpu.ts";

/** The losses of five steps, and what is then in the parameters. */
async function fiveSteps(on: Gpu, family: TileFamily, side = 28) {
  const shape = [side, side, 1] as const;
  const values = new Uint8Array(300 * side ** 2).map((_, i) => (i * 7919) % 7 < 2 ? 255 : 0);
  const config = configure(vae.settings, { hidden: [60], latents: 5 });
  const training = configure(trainingSettings, { batchSize: 100, binarize: "threshold" });
  const parameters = new Parameters(on, vae.parameters(config, { shape }));
  parameters.initialize(initializersOf(training), 1);
  const tiles = chooseTiles(on, family);
  const split = { values, count: 300 };
  const { program, destroy } = await createTrainingProgram({
    ...{ gpu: on, tiles, model: vae, config, training, parameters, data: { shape }, split },
  });
  const result = { terms: await program.submit(5), parameters: await parameters.read() };
  destroy();
  parameters.destroy();
  return result;
}

/** The adapter of the tests under no name that gives it away: one of any host. */
const any = new Gpu(gpu.device);
/** Where this adapter is Mesa's. */
const ignore = !isLavapipe(gpu.adapter);

const NAMES = {
  "llvmpipe (LLVM 15.0.6, 256 bits)": { cpu: true, panels: true },
  "llvmpipe (LLVM 19.1.7, 512 bits)": { cpu: true, panels: true },
  "llvmpipe (LLVM 15.0.6, 64 bits)": { cpu: true, panels: false },
  "SwiftShader Device (LLVM 10.0.0)": { cpu: true, panels: false },
  "NVIDIA H100 80GB HBM3": { cpu: false, panels: false },
  "Apple M3": { cpu: false, panels: false },
};

for (const [name, { cpu, panels }] of Object.entries(NAMES)) {
  Deno.test(`strategyFor() gives ${name} ${panels ? "panels" : "workgroup tiles"}, and overlaps work ${cpu ? "never" : "where it can"}`, () => {
    const strategy = strategyFor(gpu.device, name, { granted: wantedFeatures(name) });
    assertEquals(runsOnProcessor(name), cpu);
    assertEquals([strategy.concurrent, strategy.fuses], [!cpu, !cpu]);
    assertEquals(strategy.kernels?.family, panels ? "panel" : undefined);
  });
}

/** What Chrome says of SwiftShader, and Firefox, which hides names and refuses the feature, of Mesa's. */
const SWIFTSHADER = { isFallbackAdapter: true, subgroupMinSize: 4, subgroupMaxSize: 4 };
const listed = new Set(["subgroups"]);

Deno.test("strategyFor() gives SwiftShader short panels where subgroups are listed, known and granted", () => {
  const name = "SwiftShader Device (Subzero)";
  const granted = wantedFeatures(name, SWIFTSHADER, listed);
  assertEquals(granted, ["subgroups"]);
  const family = (facts: AdapterFacts, granted: readonly string[]) =>
    strategyFor(gpu.device, name, { facts, granted }).kernels?.family;
  assertEquals(family(SWIFTSHADER, granted), "panel");
  assertEquals(family(SWIFTSHADER, []), undefined);
  assertEquals(family({ ...SWIFTSHADER, subgroupMaxSize: 32 }, granted), undefined);
  assertEquals(family({ isFallbackAdapter: true }, granted), undefined);
  assertEquals(wantedFeatures(name, SWIFTSHADER), []);
});

Deno.test("an adapter without a name runs on the processor where it says that it is a fallback, and a GPU is asked for nothing more", () => {
  const name = "unknown adapter";
  assert(runsOnProcessor(name, { isFallbackAdapter: true }));
  assert(!strategyFor(gpu.device, name, { facts: { isFallbackAdapter: true } }).concurrent);
  assertEquals(wantedFeatures("Mali-G78", { subgroupMinSize: 16, subgroupMaxSize: 16 }, listed), []);
});

Deno.test(
  "short panels that read buffers give the same bits as this adapter's",
  { ignore },
  async () => {
    const lanes = lanesOf(gpu.adapter);
    const facts = { isFallbackAdapter: true, subgroupMinSize: lanes, subgroupMaxSize: lanes };
    const strategy = strategyFor(gpu.device, "SwiftShader", {
      facts,
      granted: wantedFeatures("SwiftShader", facts, listed),
    });
    const other = new Gpu(gpu.device);
    Object.defineProperty(other, "strategy", { value: strategy });
    assertEquals(await fiveSteps(other, "panel", 14), await fiveSteps(gpu, "panel", 14));
  },
);

Deno.test("strategyFor() gives no panels where subgroups were refused", () => {
  const [name] = Object.keys(NAMES);
  assertEquals(strategyFor(gpu.device, name, {}).kernels, undefined);
});

Deno.test("chooseTiles() says what panels need where an adapter has none, and takes workgroup tiles of itself", () => {
  assertThrows(
    () => chooseTiles(any, "panel"),
    RangeError,
    'Cannot use tiles "panel" on unknown adapter: expected known subgroups of 4, 8 or 16 lanes, found none',
  );
  assertEquals(chooseTiles(any).family, "workgroup");
});

Deno.test("createBuffer() pads to whole rows of a texture where the adapter reads through one, and to 16 bytes elsewhere", () => {
  const sizes = (on: Gpu) =>
    [1, 20, 16_368, 16_384, 16_385, 100_000].map((size) => {
      const buffer = createBuffer(on, "padded", size);
      on.strategy.free(buffer);
      return buffer.size;
    });
  assertEquals(sizes(any), [16, 32, 16_368, 16_384, 16_400, 100_000]);
  if (!ignore) assertEquals(sizes(gpu), [16, 32, 16_368, 16_384, 32_768, 114_688]);
});

Deno.test("freeing a buffer frees its texture copy, which is made once and where it is bound", { ignore }, () => {
  const live = new Set<GPUTexture>();
  const device = new Proxy(gpu.device, {
    get(target, name) {
      if (name === "createTexture") {
        return (descriptor: GPUTextureDescriptor) => {
          const texture = target.createTexture(descriptor);
          const destroy = texture.destroy.bind(texture);
          live.add(texture);
          texture.destroy = () => {
            live.delete(texture);
            destroy();
          };
          return texture;
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const { buffer } = createTensor(gpu, "read twice", 128, 32);
  const copy = textureCopy(device, buffer, "rgba32float");
  assertEquals(textureCopy(device, buffer, "rgba32float"), copy);
  assertEquals(live.size, 0);
  copy.resource();
  copy.resource();
  assertEquals(live.size, 1);
  gpu.strategy.free(buffer);
  assertEquals(live.size, 0);
});

Deno.test("a matrix is read through a texture by panels alone, and only where that pays", { ignore }, () => {
  const [large, small] = [createTensor(gpu, "large", 128, 32), createTensor(gpu, "small", 8, 32)];
  const copied = (family: TileFamily, tensor: typeof large) =>
    chooseTiles(gpu, family).packed("m", tensor).buffers!.m.copy !== undefined;
  assert(copied("panel", large));
  assert(!copied("panel", small));
  assert(!copied("workgroup", large));
  const access = (family: TileFamily) => chooseTiles(gpu, family).uniform(small.buffer, "State").access;
  assertEquals([access("panel"), access("workgroup")], ["uniform", "read"]);
  for (const { buffer } of [large, small]) gpu.strategy.free(buffer);
});

Deno.test(
  "a training gives the same bits on buffers as any host has them, none of which is padded",
  { ignore },
  async () => {
    assertEquals(await fiveSteps(any, "workgroup"), await fiveSteps(gpu, "workgroup"));
  },
);
