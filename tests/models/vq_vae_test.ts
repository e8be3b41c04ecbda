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
import { advance } from "../../core/ops/advance.ts";
import { recordBatch } from "../../core/training/batch.ts";
import { kMeans } from "../../models/k_means.ts";
import { Program, setState } from "../../core/graph/program.ts";
import { normals, uniforms } from "../../core/graph/random.ts";
import type { Variable } from "../../core/graph/tape.ts";
import {
  type CodeImage,
  type CodePriorConfig,
  codePriorNll,
  codePriorShapes,
  drawCodes,
} from "../../models/code_prior.ts";
import { codesOf, codeWidth, vectorsOf } from "../../models/quantizer.ts";
import * as reference from "../reference/codes.ts";
import { assertClose } from "../support/compare.ts";
import { Bench, type BenchOptions, families, gpu } from "../support/gpu.ts";

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
    [[8, 8, 1], { codes: 9, distance: "cosine", gradientEstimator: "rotation", codebook: "moving-average" }],
    [[8, 8, 1], { quantizer: "fsq", levels: [4, 3], groups: 2, codes: 512, codeDimension: 32 }],
  ] as const
) {
  Deno.test(`vq_vae learns ${shape.join(" x ")} images with ${JSON.stringify(config)}, and counts its codes`, async () => {
    const dataset = patterns(shape);
    const whole: VqVaeConfig = { ...defaults(vqVae.settings), ...small, ...config };
    const { each, count } = codesOf(whole);
    const names = each === 1 ? ["perplexity"] : Array.from({ length: each }, (_, m) => `perplexity${m}`);
    const training = train(vqVae, dataset, { ...small, ...config }, { gpu });
    const losses: number[] = [];
    for await (const event of training) {
      if (event.event !== "epoch") continue;
      losses.push(event.validation!.nll);
      for (const losses of [event.train, event.validation!]) {
        assert(names.every((name) => losses[name] >= 1 && losses[name] <= count), JSON.stringify(losses));
        assert(whole.quantizer === "fsq" || losses.commitment > 0, JSON.stringify(losses));
      }
    }
    assert(losses.every(Number.isFinite) && losses.at(-1)! < losses[0] - 1, `${losses}`);
    using trained = training.trained;
    // 37 rows are no multiple of the batch: the last one's padding must not count.
    const usage = await codeUsage(trained, dataset.test);
    const positions = trained.latents / codeWidth(whole);
    const measured = await trained.evaluate(dataset.test);
    assertEquals(usage.length, each);
    usage.forEach(({ counts, perplexity }, m) => {
      assertEquals(counts.reduce((sum, count) => sum + count), 37 * positions);
      assertAlmostEquals(measured[names[m]], perplexity, 1e-9);
    });
    // What encode gives is what the codes stand for.
    const rows = trained.rowsOf(dataset.test, 0, 5);
    const { mean } = await trained.encode(rows);
    const expected = await vectorsOf(trained.parameters, await trained.codes(rows), whole);
    assertClose(mean, expected, "e", whole.distance === "cosine" ? {} : { absolute: 0, relative: 1e-7 });
    assertEquals((await trained.sample({ count: 3 })).length, 3 * trained.features);
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
  const [started] = await codeUsage(trained, dataset.train);
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

/** The prior that a bench has, for the float64 reference. */
async function priorOf({ parameters }: Bench, hidden: number): Promise<reference.CodePrior> {
  const names = [...Array.from({ length: hidden }, (_, i) => `prior.${i}`), "prior.logits"];
  return {
    embedding: (await parameters.get("prior.embedding").get()).weight,
    layers: await Array.fromAsync(names, (name) => parameters.get(name).get()),
  };
}

/** A bench with a prior of random parameters. */
function priorBench(
  rows: number,
  config: CodePriorConfig,
  image: CodeImage,
  { scale = 1, ...options }: BenchOptions & { readonly scale?: number },
): Bench {
  const bench = new Bench(rows, { ...options, shapes: codePriorShapes(config, image) });
  bench.parameters.initialize({ weight: { name: "normal", scale }, bias: { name: "normal", scale } }, 1);
  return bench;
}

/** One that draws codes. */
function drawing(
  count: number,
  config: CodePriorConfig,
  image: CodeImage,
  temperature: number,
  options: Parameters<typeof priorBench>[3],
): { bench: Bench; codes: Variable } {
  const bench = priorBench(count, config, image, options);
  const input = bench.input("temperature", 1, new Float32Array(count).fill(temperature));
  const codes = drawCodes(bench.tape, bench.parameters, input, config, image);
  advance(bench.tape, 1);
  return { bench, codes };
}

for (const family of families) {
  // Of 2 x 2 positions with one code, or 1 x 2 with two, of 3 codes: all 81 images.
  for (const image of [{ height: 2, width: 2, count: 3 }, { height: 1, width: 2, each: 2, count: 3 }]) {
    Deno.test(`the prior over codes ${JSON.stringify(image)} sums to one over all of them, and is what is drawn from, ${family} tiles`, async () => {
      const config = { priorEmbedding: 4, priorRadius: 1, priorHidden: [5] };
      const sizes = { ...image, radius: 1, channels: 4 };
      const imageOf = (number: number) => [0, 1, 2, 3].map((i) => Math.floor(number / 3 ** i) % 3);
      // So even that each image is drawn a few times at least.
      const scale = 0.4;
      using bench = priorBench(81, config, image, { family, scale });
      const { tape, parameters } = bench;
      const all = Float32Array.from({ length: 81 * 4 }, (_, i) => imageOf(Math.floor(i / 4))[i % 4]);
      const nll = codePriorNll(tape, parameters, bench.input("codes", 4, all), config, image);
      const { program } = await bench.compile([]);
      await program.submit(1);
      const probabilities = (await bench.rows(nll)).map((value) => Math.exp(-value));
      assertAlmostEquals(probabilities.reduce((sum, value) => sum + value, 0), 1, 1e-5);
      const prior = await priorOf(bench, 1);
      const exact = Float64Array.from({ length: 81 }, (_, number) => {
        const codes = imageOf(number);
        return codes.reduce(
          (product, code, i) => product * reference.codeProbabilities(prior, codes, i, sizes)[code],
          1,
        );
      });
      assertClose(probabilities, exact, "p(c)", { sum: 16 });

      const count = 20000;
      const { bench: drawer, codes } = drawing(count, config, image, 1, { family, scale, seed: 3 });
      using _ = drawer;
      await (await drawer.compile([])).program.submit(4);
      const drawn = await drawer.read(codes);
      const found = new Float64Array(81);
      for (let n = 0; n < count; n++) {
        found[[0, 1, 2, 3].reduce((number, i) => number + drawn[4 * n + i] * 3 ** i, 0)]++;
      }
      // χ² of 80 degrees of freedom has the mean 80 and the variance 160: five deviations.
      const expected = exact.map((p) => count * p);
      const square = expected.reduce((sum, times, i) => sum + (found[i] - times) ** 2 / times, 0);
      assert(Math.min(...expected) > 5 && square < 80 + 5 * Math.sqrt(160), `${square}, ${Math.min(...expected)}`);
    });
  }

  for (const temperature of [1, 0.5, 0]) {
    const fuses = family === "workgroup";
    Deno.test(`drawCodes() draws at ${temperature} what the reference draws of the same numbers, ${family} tiles`, async () => {
      const config = { priorEmbedding: 8, priorRadius: 2, priorHidden: [6, 5] };
      const image = { height: 3, width: 5, count: 37 };
      const [count, positions] = [33, 15];
      const { bench, codes } = drawing(count, config, image, temperature, { family, fuses, seed: 7 });
      using _ = bench;
      const { program } = await bench.compile([]);
      const prior = await priorOf(bench, 2);
      const u = uniforms(new Float64Array(2 * count * positions), 7, 0, 0);
      let clear = 0;
      // The second batch goes on in the numbers, and finds the first one's codes in the grid.
      for (let batch = 0; batch < 2; batch++) {
        await program.submit(positions);
        const drawn = await bench.read(codes);
        for (let n = 0; n < count; n++) {
          const own = u.subarray((batch * count + n) * positions).subarray(0, positions);
          const sizes = { ...image, radius: 2, channels: 8 };
          const expected = reference.drawImage(prior, own, sizes, Math.max(temperature, 1e-6));
          // Where a number is as good as on the border of two codes, float32 may take the other one.
          if (expected.nearest < 1e-5) continue;
          assertEquals([...drawn.subarray(n * positions, (n + 1) * positions)], expected.codes, `${batch}, ${n}`);
          clear++;
        }
      }
      assert(clear > 0.9 * 2 * count, `${clear}`);
    });
  }
}

Deno.test("vq_vae draws the same of a seed, however many are drawn, in a few submits", async () => {
  const training = train(vqVae, patterns([9, 9, 1]), { ...small, codes: 16, epochs: 1 }, { gpu });
  for await (const event of training) if (event.event === "start") break;
  using trained = training.trained;
  const positions = trained.latents / small.codeDimension;
  assertEquals(positions, 9);
  const few = await trained.drawPrior({ count: 5, seed: 2 });
  const { queue } = gpu.device;
  const submit = queue.submit;
  let submits = 0;
  queue.submit = (commands) => (submits++, submit.call(queue, commands));
  // More than a batch.
  const many = await trained.drawPrior({ count: 200, seed: 2 }).finally(() => queue.submit = submit);
  assert(submits <= 8, `${submits} submits`);
  assertEquals(many.slice(0, few.length), few);
  assert((await trained.drawPrior({ count: 5, seed: 3 })).some((value, i) => value !== few[i]));
  // Cold, all are the most probable one.
  const cold = await trained.drawPrior({ count: 2, seed: 2, temperature: 0 });
  assertEquals(cold.slice(0, cold.length / 2), cold.slice(cold.length / 2));
  assertEquals((await trained.sample({ count: 3, seed: 2 })).length, 3 * 81);
});

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
