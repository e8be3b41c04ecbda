/** The VQ-VAE on the sizes of real data and on odd ones, and its prior. That it keeps the plugin contract, contract_test.ts shows. */

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ae,
  type Checkpoint,
  codeUsage,
  type Dataset,
  decodeCheckpoint,
  defaults,
  type Model,
  train,
  type Trained,
  vqVae,
  type VqVaeConfig,
} from "../../mod.ts";
import { recordBatch } from "../../core/training/batch.ts";
import { kMeans } from "../../models/k_means.ts";
import { Program, setState } from "../../core/graph/program.ts";
import { normals, uniforms } from "../../core/graph/random.ts";
import { codePriorNll, codePriorShapes, drawCodes } from "../../models/code_prior.ts";
import { assertClose } from "../support/compare.ts";
import { Bench, families, gpu } from "../support/gpu.ts";

/** [inputs, outputs] of every layer. */
function shapesOf(config: Partial<VqVaeConfig>, shape: Dataset["shape"]): Record<string, readonly [number, number]> {
  const shapes = vqVae.parameters({ ...defaults(vqVae.settings), ...config }, { shape });
  return Object.fromEntries(Object.entries(shapes).map(([name, { inputs, outputs }]) => [name, [inputs, outputs]]));
}

Deno.test("vq_vae has 7 x 7 codes of 28 x 28 x 1, and two residual blocks a side", () => {
  assertEquals(shapesOf({}, [28, 28, 1]), {
    "encoder.0": [4 * 4 * 1, 32],
    "encoder.1": [4 * 4 * 32, 128],
    "encoder.block.0.0": [3 * 3 * 128, 32],
    "encoder.block.0.1": [32, 128],
    "encoder.block.1.0": [3 * 3 * 128, 32],
    "encoder.block.1.1": [32, 128],
    "encoder.out": [128, 32],
    codebook: [32, 512],
    usage: [0, 512],
    "decoder.in": [3 * 3 * 32, 128],
    "decoder.block.0.0": [3 * 3 * 128, 32],
    "decoder.block.0.1": [32, 128],
    "decoder.block.1.0": [3 * 3 * 128, 32],
    "decoder.block.1.1": [32, 128],
    "decoder.1": [4 * 4 * 128, 32],
    likelihood: [4 * 4 * 32, 1],
    "prior.embedding": [16, 512],
    "prior.0": [24 * 16 + 49, 128],
    "prior.logits": [128, 512],
  });
  assertEquals(vqVae.latents!(defaults(vqVae.settings), { shape: [28, 28, 1] }), 49 * 32);
});

Deno.test("vq_vae has 8 x 8 codes of 32 x 32 x 3, and keeps the sums of moving averages", () => {
  const shapes = shapesOf({ codebook: "moving-average" }, [32, 32, 3]);
  assertEquals([shapes["encoder.0"], shapes.usage, shapes["prior.0"], shapes.likelihood], [
    [48, 32],
    [32, 512],
    [24 * 16 + 64, 128],
    [512, 3],
  ]);
});

Deno.test("vq_vae says what its prior cannot embed", () => {
  assertThrows(
    () => shapesOf({ priorEmbedding: 6 }, [28, 28, 1]),
    RangeError,
    "Cannot embed codes: expected a prior embedding of a multiple of 4, found 6",
  );
});

/** Images that are one of four patterns, with noise. */
function patterns(shape: Dataset["shape"], count = 120): Dataset {
  const size = shape[0] * shape[1] * shape[2];
  const noise = uniforms(new Float32Array(count * size), 5, 0, 0);
  const on = (image: number, i: number) => i % 2 === (image & 1) && Math.floor(i / 7) % 2 === image >> 1;
  const values = Uint8Array.from(noise, (u, i) => (on(Math.floor(i / size) % 4, i % size) ? 230 : 0) + 25 * u);
  const rows = { values, count };
  return { name: "patterns", shape, train: rows, test: { values: values.slice(0, 37 * size), count: 37 } };
}

const small = {
  channels: [4, 8],
  kernel: 3,
  residualBlocks: 1,
  residualChannels: 4,
  codeDimension: 3,
  priorEmbedding: 4,
  priorRadius: 1,
  priorHidden: [8],
  learningRate: 0.01,
  batchSize: 20,
  epochs: 5,
  validation: 20,
  binarize: "none",
} as const;

for (
  const [shape, config] of [
    [[5, 7, 1], { codes: 3 }],
    [[5, 7, 1], { codes: 37, codebook: "moving-average", decay: 0.9 }],
    [[8, 12, 3], { codes: 10, likelihood: "gaussian", sigma: 0.3, residualBlocks: 0 }],
  ] as const
) {
  Deno.test(`vq_vae learns ${shape.join(" x ")} images with ${JSON.stringify(config)}, and counts its codes`, async () => {
    const dataset = patterns(shape);
    const training = train(vqVae, dataset, { ...small, ...config }, { gpu });
    const losses: number[] = [];
    for await (const event of training) {
      if (event.event !== "epoch") continue;
      losses.push(event.validation!.nll);
      for (const { perplexity, commitment } of [event.train, event.validation!]) {
        assert(perplexity >= 1 && perplexity <= config.codes && commitment > 0, `${perplexity}, ${commitment}`);
      }
    }
    assert(losses.every(Number.isFinite) && losses.at(-1)! < losses[0] - 1, `${losses}`);
    using trained = training.trained;
    // 37 rows are no multiple of the batch: the last one's padding must not count.
    const { counts, perplexity } = await codeUsage(trained, dataset.test);
    const positions = trained.latents / 3;
    assertEquals(counts.reduce((sum, count) => sum + count), 37 * positions);
    const measured = await trained.evaluate(dataset.test);
    assertAlmostEquals(measured.perplexity, perplexity, 1e-9);
    // What encode gives are the columns of the codebook that codes names.
    const rows = trained.rowsOf(dataset.test, 0, 5);
    const codes = await trained.codes(rows);
    const { weight } = await trained.parameters.get("codebook").get();
    const expected = Array.from(
      { length: 5 * positions * 3 },
      (_, i) => weight[i % 3 * config.codes + codes[Math.floor(i / 3)]],
    );
    assertEquals([...(await trained.encode(rows)).mean], expected);
  });
}

Deno.test("vq_vae with moving averages, stopped and resumed, gives the bytes of the uninterrupted training", async () => {
  const dataset = patterns([8, 8, 1]);
  const config = { ...small, codes: 12, codebook: "moving-average", decay: 0.7, revival: 0.5, epochs: 2 } as const;
  const run = async ({ stopAfter = Infinity, resume }: { stopAfter?: number; resume?: Checkpoint } = {}) => {
    const controller = new AbortController();
    const training = train(vqVae, dataset, resume ? {} : config, { gpu, resume, signal: controller.signal });
    const perplexities: number[] = [];
    for await (const event of training) {
      if ("step" in event && event.step >= stopAfter) controller.abort();
      if (event.event === "epoch") perplexities.push(event.train.perplexity);
    }
    const bytes = await training.trained.toBytes();
    training.trained.destroy();
    return { checkpoint: decodeCheckpoint(bytes, "checkpoint"), bytes, perplexities };
  };
  const whole = await run();
  const stopped = await run({ stopAfter: 2 });
  const resumed = await run({ resume: stopped.checkpoint });
  assert(stopped.checkpoint.progress.step < 5, "stopped within the first epoch");
  assertEquals(resumed.bytes, whole.bytes);
  assertEquals(resumed.perplexities, whole.perplexities);
  const names = [...whole.checkpoint.tensors.keys()];
  assert(names.includes("usage.weight") && !names.some((name) => /optimizer.*(usage|codebook)/.test(name)), `${names}`);
  // The sums of the averages over their sizes are the codes.
  const [codes, sums, sizes] = ["codebook.weight", "usage.weight", "usage.bias"].map((name) =>
    whole.checkpoint.tensors.get(name)!.data
  );
  assertClose(Array.from(codes), Array.from(sums, (sum, i) => sum / sizes[i % 12]), "codes", { absolute: 1e-3 });
});

Deno.test("vq_vae begins with codes that its encoder uses, where random ones would all but one be idle", async () => {
  const dataset = patterns([8, 8, 1]);
  const config = { ...small, codes: 16, epochs: 1 };
  const training = train(vqVae, dataset, config, { gpu });
  for await (const event of training) if (event.event === "start") break;
  using trained = training.trained;
  const started = await codeUsage(trained, dataset.train);
  assert(started.perplexity > 16 / 3, `${started.perplexity}`);
  const used = (await trained.parameters.get("usage").get()).bias;
  assert(used.every((count) => count === 20 * 4 / 16), `${used}`);
});

Deno.test("the gradient of vq_vae's encoder and codebook has nothing of the prior", async () => {
  const dataset = patterns([8, 8, 1]);
  const config = { ...defaults(vqVae.settings), ...small, codes: 7 };
  const gradientsOf = async (objectives: number) => {
    using bench = new Bench(8, { shapes: vqVae.parameters(config, dataset), count: 120 });
    const { tape, parameters } = bench;
    parameters.initialize({ weight: { name: "normal", scale: 0.3 }, bias: { name: "normal", scale: 0.3 } }, 1);
    const source = {
      model: vqVae as Model,
      config,
      data: dataset,
      split: dataset.train,
      binarize: "none",
      rows: "auto",
    } as const;
    const { batch, destroy } = recordBatch(tape, source);
    const [autoencoder, prior] = vqVae.objectives(tape, parameters, batch, config);
    const compiled = tape.compile([autoencoder, prior].slice(0, objectives), {
      optimizer: "gradients",
      reduction: "mean",
    });
    setState(gpu, tape.state, { step: 0, seed: 1, count: 120, shuffle: false });
    const program = await Program.create(tape, compiled);
    await program.submit(1);
    const found = new Map<string, Float32Array>();
    for (const { name } of parameters) {
      if (/^(encoder|codebook|decoder|likelihood)/.test(name)) {
        found.set(name, (await bench.parameterGradient(name)).weight);
      }
    }
    destroy();
    return found;
  };
  const [alone, both] = [await gradientsOf(1), await gradientsOf(2)];
  for (const [name, gradient] of alone) {
    assert(gradient.some((value) => value !== 0), `${name} has no gradient`);
    assertEquals(both.get(name), gradient, name);
  }
});

for (const family of families) {
  Deno.test(`the prior over codes sums to one over all of them, and is what is drawn from, ${family} tiles`, async () => {
    const config = { priorEmbedding: 4, priorRadius: 1, priorHidden: [5] };
    // Of 2 x 2 positions and 3 codes: all 81 images.
    const image = { height: 2, width: 2, count: 3 };
    using bench = new Bench(81, { family, shapes: codePriorShapes(config, image) });
    const { tape, parameters } = bench;
    parameters.initialize({ weight: { name: "normal", scale: 1 }, bias: { name: "normal", scale: 1 } }, 1);
    const codes = Float32Array.from({ length: 81 * 4 }, (_, i) => Math.floor(Math.floor(i / 4) / 3 ** (i % 4)) % 3);
    const nll = codePriorNll(tape, parameters, bench.input("codes", 4, codes), config, image);
    const { program } = await bench.compile([]);
    await program.submit(1);
    const probabilities = (await bench.rows(nll)).map((value) => Math.exp(-value));
    assertAlmostEquals(probabilities.reduce((sum, value) => sum + value, 0), 1, 1e-5);
    const count = 20000;
    const numberOf = (drawn: Uint32Array, n: number) =>
      [0, 1, 2, 3].reduce((number, i) => number + drawn[4 * n + i] * 3 ** i, 0);
    const drawn = await drawCodes(parameters, config, image, { count, temperature: 1, seed: 3 });
    const found = new Float64Array(81);
    for (let n = 0; n < count; n++) found[numberOf(drawn, n)]++;
    // Five standard deviations of each count, and one for those that are hardly ever drawn.
    found.forEach((times, i) => {
      const expected = count * probabilities[i];
      assert(Math.abs(times - expected) <= 5 * Math.sqrt(expected) + 1, `${i}: ${times} of ${expected}`);
    });
    // Cold, the most probable code at each position, given those before it.
    const cold = await drawCodes(parameters, config, image, { count: 2, temperature: 0, seed: 3 });
    assertEquals(cold.slice(0, 4), cold.slice(4));
    let left = Array.from(probabilities, (p, i) => ({ p, i }));
    for (let position = 0; position < 4; position++) {
      const mass = [0, 1, 2].map((code) =>
        left.filter(({ i }) => Math.floor(i / 3 ** position) % 3 === code).reduce((sum, { p }) => sum + p, 0)
      );
      assertEquals(cold[position], mass.indexOf(Math.max(...mass)), `position ${position}`);
      left = left.filter(({ i }) => Math.floor(i / 3 ** position) % 3 === cold[position]);
    }
  });
}

Deno.test("kMeans() finds clusters that lie apart, and leaves a mean without rows where it is", () => {
  const noise = normals(new Float32Array(300 * 2), 1, 0, 0);
  const values = noise.map((value, i) => 0.1 * value + 10 * (Math.floor(i / 2) % 3) * (i % 2 + 1)) as Float32Array;
  const means = kMeans(values, 2, 3, 1, 10);
  const expected = Array.from(
    { length: 3 },
    (_, k) =>
      [0, 1].map((d) =>
        values.reduce((sum, value, i) => i % 2 === d && Math.floor(i / 2) % 3 === k ? sum + value : sum, 0) / 100
      ),
  );
  const found = [0, 1, 2].map((k) => [...means.subarray(2 * k, 2 * k + 2)]).sort((a, b) => a[0] - b[0]);
  assertClose(found.flat(), expected.flat(), "means", { absolute: 1e-4 });
  // Two rows for three means: one has none to itself.
  const few = kMeans(Float32Array.of(1, 2), 1, 3, 1, 5);
  assertEquals([...new Set(few)].sort(), [1, 2]);
});

Deno.test("codes() and codeUsage() refuse a model without a codebook", async () => {
  const dataset = patterns([2, 2, 1]);
  const training = train(ae, dataset, { hidden: [2], latents: 1, epochs: 1, batchSize: 50, validation: 0 }, { gpu });
  for await (const event of training) if (event.event === "start") break;
  using trained: Trained = training.trained as Trained;
  await assertRejects(
    () => codeUsage(trained, dataset.test),
    TypeError,
    'Cannot count the codes of "ae": expected a model with a codebook',
  );
  await assertRejects(() => trained.codes(new Float32Array(4)), TypeError, 'Cannot give codes with "ae"');
});
