/** A GPU that is shared: by models, with its owner's own work; errors stay with the call that made them, and nothing is left behind. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  cvae,
  decodeCheckpoint,
  gmm,
  Gpu,
  GpuError,
  logLikelihood,
  type Model,
  models,
  train,
  Trained,
  type TrainOptions,
  vae,
} from "../../mod.ts";
import { Parameters } from "../../core/graph/parameters.ts";
import { stripes } from "../support/stripes.ts";
import { limited, watch } from "../support/watch.ts";

const device = async () => await (await navigator.gpu.requestAdapter())!.requestDevice();
const small = { batchSize: 20, epochs: 1, validation: 40, seed: 3 };
const settings = (model: Model): object => ({
  ...small,
  ...("hidden" in model.settings ? { hidden: [6] } : {}),
  ...("latents" in model.settings ? { latents: 2 } : {}),
  ...(model.name === "conv_vae" || model.codes ? { channels: [4] } : {}),
  ...(/^(?:hierarchical|ladder)_vae$/.test(model.name) ? { hidden: [6, 6], lowerLatents: [3] } : {}),
});

async function trained(model: Model, options: TrainOptions, config: object = {}): Promise<Trained> {
  const training = train(model, stripes, { ...settings(model), ...config }, options);
  try {
    for await (const _ of training);
    return training.trained as Trained;
  } catch (error) {
    // Left by a training that had begun; before that there is nothing.
    try {
      training.trained.destroy();
    } catch { /* It had not begun. */ }
    throw error;
  }
}

const { train: { values } } = stripes;
const x = Float32Array.from(values.subarray(0, 5 * 16), (byte) => byte / 255);

/** All that a model can do, and loading it. */
async function everything(model: Model, gpu: Gpu): Promise<void> {
  using one = await trained(model, { gpu });
  using other = await Trained.fromCheckpoint(model, decodeCheckpoint(await one.toBytes(), "checkpoint"), { gpu });
  await other.evaluate(stripes.test);
  const labels = Array(5).fill(1);
  if (model.decode) await other.sample({ count: 5 });
  if (model.encode) await other.encode(x, { labels });
  if (model.codes) await other.codes(x);
  if (await other.hasDensity()) await logLikelihood(other, stripes.test, { samples: 2 });
}

for (const model of models.values()) {
  Deno.test(`${model.name} makes every call on a device within error scopes, and leaves nothing on it`, async () => {
    using gpu = await Gpu.open();
    const watched = watch(gpu.device);
    await everything(model, gpu);
    assertEquals([...new Set(watched.unscoped)], []);
    assertEquals(watched.alive.size, 0, [...watched.alive].map((buffer) => (buffer as GPUBuffer).label).join());
  });
}

for (const model of [vae, cvae, gmm] as readonly Model[]) {
  Deno.test(`an error in any call of ${model.name} reaches its caller, leaves nothing behind, and breaks no other model`, async () => {
    using gpu = await Gpu.open();
    using healthy = await trained(vae as Model, { gpu });
    const expected = await healthy.sample({ count: 3 });
    await everything(model, gpu);
    const watched = watch(gpu.device);
    await everything(model, gpu);
    const { calls } = watched;
    const every = Math.ceil(calls / 16);
    for (let call = 0; call < calls; call += every) {
      watched.failAt(call);
      const error = await everything(model, gpu).then(() => undefined, (error) => error);
      // A slow machine has shorter chunks of steps and more of them.
      if (!watched.failed) break;
      assert(error instanceof GpuError, `call ${call} of ${calls}: ${error}`);
      watched.failAt(-1);
      assertEquals(await healthy.sample({ count: 3 }), expected);
      // The healthy model keeps what it sampled with.
      assertEquals([...watched.alive], [], `call ${call}: ${[...watched.alive].map((b) => (b as GPUBuffer).label)}`);
    }
  });
}

Deno.test("a caller's own mistake on their device breaks nothing, and is told to the caller alone", async () => {
  const own = await device();
  const told: string[] = [];
  own.addEventListener("uncapturederror", (event) => told.push((event as GPUUncapturedErrorEvent).error.message));
  const mistake = () => own.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE });
  const training = train(vae, stripes, { ...settings(vae as Model), epochs: 3 }, { device: own });
  let mistakes = 0;
  for await (const { event } of training) {
    if (event !== "epoch") continue;
    mistake();
    mistakes++;
  }
  using one = training.trained;
  mistake();
  own.pushErrorScope("validation");
  await one.sample({ count: 3 });
  assertEquals(await own.popErrorScope(), null);
  await one.evaluate(stripes.test);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(told.length, mistakes + 1);
  assertMatch(told[0], /MAP/);
  own.destroy();
});

Deno.test("a call that fails can be made again, and a kernel that did not compile is compiled anew", async () => {
  using gpu = await Gpu.open();
  using one = await trained(vae as Model, { gpu });
  const watched = watch(gpu.device);
  watched.failAt(0);
  await assertRejects(() => one.sample({ count: 3 }), GpuError);
  assertEquals((await one.sample({ count: 3 })).length, 3 * 16);
});

/** Every method of a model that works on the GPU. */
const methods: Record<string, (model: Trained) => unknown> = {
  check: (model) => model.check(),
  sample: (model) => model.sample(),
  drawPrior: (model) => model.drawPrior(),
  decode: (model) => model.decode(new Float32Array(4)),
  encode: (model) => model.encode(x),
  posterior: (model) => model.posterior(x),
  hasDensity: (model) => model.hasDensity(),
  hasGaussianPosterior: (model) => model.hasGaussianPosterior(),
  hasPosteriorDensity: (model) => model.hasPosteriorDensity(),
  posteriorDraws: (model) => model.posteriorDraws(x),
  posteriorRatios: (model) => model.posteriorRatios(x, new Float32Array(x.length / 16 * model.latents)),
  reconstruct: (model) => model.reconstruct(x),
  codes: (model) => model.codes(x),
  outputs: (model) => model.outputs(x, (_, input) => input),
  weightedDraws: (model) => model.weightedDraws(new Float32Array(2 * 16)),
  evaluate: (model) => model.evaluate(stripes.test),
  toBytes: (model) => model.toBytes(),
};

/** What asks for no GPU. */
const onTheHost = ["constructor", "features", "latents", "hasPrior", "hasStandardPrior", "rowsOf", "admit", "destroy"];

async function assertRefused(model: Trained, calls: () => number, message: string): Promise<void> {
  const before = calls();
  for (const [name, call] of Object.entries(methods)) {
    await assertRejects(async () => await call(model), GpuError, message, name);
  }
  await assertRejects(() => logLikelihood(model, stripes.test), GpuError, message);
  assertEquals(calls(), before);
}

Deno.test("every method of a model that was destroyed says so before it touches the GPU", async () => {
  const all = Object.getOwnPropertyNames(Trained.prototype);
  assertEquals(all.filter((name) => !onTheHost.includes(name)).sort(), Object.keys(methods).sort());
  using gpu = await Gpu.open();
  const model = await trained(vae as Model, { gpu });
  await model.sample();
  const watched = watch(gpu.device);
  const { calls } = watched;
  model.destroy();
  model.destroy();
  await assertRefused(model, () => watched.calls, 'Cannot use the model "vae": it was destroyed');
  const { parameters } = model;
  const [parameter] = parameters;
  for (
    const call of [
      () => parameters.read(),
      () => parameters.values("encoder.0"),
      () => parameters.snapshot(),
      () => parameters.copyTo("average"),
      () => parameter.get(),
      () => parameter.slot("more"),
      () => parameter.set(parameter.tensor, new Float32Array(), new Float32Array()),
    ]
  ) await assertRejects(async () => void await call(), GpuError, "destroyed");
  assertEquals(watched.calls, calls);
});

Deno.test("every method of a model on a GPU that was destroyed, or whose device is lost, says so before it touches it", async () => {
  for (const lost of [false, true]) {
    const gpu = await Gpu.open();
    using model = await trained(vae as Model, { gpu });
    const watched = watch(gpu.device);
    if (lost) gpu.device.destroy();
    else gpu.destroy();
    await gpu.device.lost;
    const message = lost ? "The GPU device was lost (destroyed) on " : "The GPU was destroyed (";
    await assertRefused(model, () => watched.calls, message);
    assertThrows(() => new Parameters(gpu, { one: { inputs: 1, outputs: 1 } }), GpuError, message);
    await assertRejects(() => trained(vae as Model, { gpu }), GpuError, message);
    await assertRejects(() => trained(gmm as Model, { gpu }), GpuError, message);
    gpu.destroy();
  }
});

for (const model of [vae, gmm] as readonly Model[]) {
  Deno.test(`a training of ${model.name} whose model is destroyed, or whose device is lost, ends with one line`, async () => {
    for (const event of ["start", "epoch"]) {
      for (const lost of [false, true]) {
        const gpu = await Gpu.open();
        const training = train(model, stripes, { ...settings(model), epochs: 3 }, { gpu });
        const error = await assertRejects(async () => {
          for await (const each of training) {
            if (each.event !== event) continue;
            if (lost) gpu.device.destroy();
            else training.trained.destroy();
          }
        }, GpuError);
        const expected = lost ? `The GPU device was lost (destroyed) on ${gpu.adapter}` : "destroyed";
        assertStringIncludes(error.message, expected);
        assert(!error.message.includes("\n"));
        gpu.destroy();
      }
    }
  });
}

Deno.test("a model whose device is lost is usable again once its checkpoint is loaded", async () => {
  const gpu = await Gpu.open();
  const model = await trained(vae as Model, { gpu });
  const [bytes, expected] = [await model.toBytes(), await model.sample({ count: 3 })];
  gpu.device.destroy();
  await assertRejects(() => model.sample({ count: 3 }), GpuError, "lost");
  model.destroy();
  using again = await Trained.fromCheckpoint(vae as Model, decodeCheckpoint(bytes, "checkpoint"));
  assertEquals(await again.sample({ count: 3 }), expected);
  assertEquals(await again.toBytes(), bytes);
});

for (const model of models.values()) {
  Deno.test(`${model.name} does all that it can on a device of default limits`, async () => {
    const own = await device();
    assertEquals([own.limits.maxStorageBuffersPerShaderStage, own.limits.maxBufferSize], [8, 2 ** 28]);
    await everything(model, new Gpu(own, own.adapterInfo));
    own.destroy();
  });
}

/** What is asked of devices with less than the default limits. */
const less = {
  maxStorageBuffersPerShaderStage: [4, 2, 1],
  maxComputeInvocationsPerWorkgroup: [128, 32],
  maxComputeWorkgroupStorageSize: [8192, 64],
  maxComputeWorkgroupsPerDimension: [1],
  maxUniformBufferBindingSize: [16],
  maxStorageBufferBindingSize: [1024],
  maxBufferSize: [1024],
};

for (const [limit, found] of Object.entries(less)) {
  Deno.test(`a device whose ${limit} is less is enough, or is refused by name before anything runs on it`, async () => {
    for (const value of found) {
      for (const model of [vae, cvae, gmm] as readonly Model[]) {
        const own = limited(await device(), { [limit]: value });
        const watched = watch(own);
        const outcome = await everything(model, new Gpu(own, own.adapterInfo)).then(() => "works", (error) => error);
        if (outcome !== "works") {
          assert(outcome instanceof GpuError || outcome instanceof RangeError, `${model.name}: ${outcome.stack}`);
          assertMatch(
            outcome.message,
            new RegExp(`${limit}.* at least \\d+, found ${value}\\b|at most ${value} .*${limit}`),
          );
          assert(!outcome.message.includes("\n"));
        }
        assertEquals([...watched.unscoped], []);
        own.destroy();
      }
    }
  });
}

Deno.test("all tensors of a model are read in one wait, and sums with counts and totals in one each", async () => {
  using gpu = await Gpu.open();
  using model = await trained(vae as Model, { gpu }, { hidden: [6, 6] });
  const watched = watch(gpu.device);
  const waits = async (work: () => Promise<unknown>) => {
    const before = watched.waits;
    await work();
    return watched.waits - before;
  };
  // Six layers, each with two slots of Adam.
  assertEquals((await model.parameters.read()).size, 6 * 3 * 2);
  assertEquals(await waits(() => model.toBytes()), 1);
  assertEquals(await waits(() => model.parameters.values("likelihood", "encoder.0")), 1);
});
