/**
 * The plugin contract of models that fit themselves: the same events, checkpoints, stops and resumptions, sampling and evaluation as
 * the trained ones have (contract_test.ts).
 */

import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  type Dataset,
  DivergenceError,
  gmm,
  load,
  type Model,
  models,
  pca,
  ppca,
  train,
  Trained,
  type TrainOptions,
} from "../../mod.ts";
import { uniforms } from "../../core/graph/random.ts";
import { gpu } from "../support/gpu.ts";
import { checkpointOf, type Outcome, outcomeOf } from "./support.ts";

/** 240 rows of 4 x 4 grey pixels: two halves, one bright and one dark, with noise. */
function blocks(count = 240): Dataset {
  const noise = uniforms(new Float32Array(count * 16), 5, 0, 0);
  const values = Uint8Array.from(noise, (u, i) => ((i >> 4) % 2 === (i % 16 < 8 ? 0 : 1) ? 150 : 0) + 105 * u);
  const rows = { values, count };
  return { name: "blocks", shape: [4, 4, 1], train: rows, test: rows };
}

const dataset = blocks();

/** Fits to the end. `stopAt` aborts at the event of that number. */
async function fitted(
  model: Model,
  config: object = {},
  { stopAt, ...options }: TrainOptions & { readonly stopAt?: number } = {},
): Promise<Outcome> {
  const given = options.resume ? config : { batchSize: 21, epochs: 5, validation: 40, seed: 3, ...config };
  return await outcomeOf(
    (signal) => train(model, dataset, given, { gpu, ...options, signal }),
    (_, number) => number === stopAt,
  );
}

const cases = [
  { name: "pca", model: pca as Model, config: { latents: 2 }, iterations: 1, latents: 2 },
  { name: "ppca", model: ppca as Model, config: { latents: 2 }, iterations: 1, latents: 2 },
  { name: "ppca by EM", model: ppca as Model, config: { latents: 2, method: "em" }, iterations: 5, latents: 2 },
  { name: "gmm (full)", model: gmm as Model, config: { components: 3, covariance: "full" }, iterations: 5, latents: 3 },
  { name: "gmm (diagonal)", model: gmm as Model, config: { components: 3 }, iterations: 5, latents: 3 },
  {
    name: "gmm (spherical)",
    model: gmm as Model,
    config: { components: 3, covariance: "spherical" },
    iterations: 5,
    latents: 3,
  },
] as const;

Deno.test("every model that fits itself is tested here", () => {
  const tested = new Set<string>(cases.map(({ model }) => model.name));
  assertEquals([...models.values()].filter(({ fit }) => fit).map(({ name }) => name).filter((n) => !tested.has(n)), []);
});

for (const { name, model, config, iterations, latents } of cases) {
  let whole: Promise<Outcome> | undefined;
  const uninterrupted = () => whole ??= fitted(model, config);
  const loaded = async () => await Trained.fromCheckpoint(model, checkpointOf(await uninterrupted()), { gpu });

  Deno.test(`${name} begins, reports every iteration with finite losses, and ends`, async () => {
    const { events, epochs, end } = await uninterrupted();
    const [start] = events;
    assert(start.event === "start" && start.step === 0 && start.epochs === iterations && start.stepsPerEpoch === 10);
    assertEquals(start.config.binarize, "none");
    assertEquals(epochs.map(({ epoch }) => epoch), [1, 2, 3, 4, 5].slice(0, iterations));
    // 200 rows by 21, as a training by gradient counts.
    assertEquals(epochs.map(({ step }) => step), [10, 20, 29, 39, 48].slice(0, iterations));
    for (const { train, validation } of epochs) {
      assert(Object.values({ ...train, ...validation! }).every(Number.isFinite), JSON.stringify(train));
      assertAlmostEquals(train.elbo, -(train.nll + train.kl), 1e-9);
    }
    epochs.forEach(({ train }, i) => assert(i === 0 || train.elbo >= epochs[i - 1].train.elbo - 1e-4, `epoch ${i}`));
    assertEquals({ ...end.train }, { ...epochs.at(-1)!.train });
    assertEquals([end.epochs, end.stopped], [iterations, false]);
    const progress = events.filter((event) => event.event === "progress");
    assert(progress.length >= iterations);
    progress.forEach(({ epoch }, i) => assert(i === 0 || epoch >= progress[i - 1].epoch, "progress goes back"));
  });

  Deno.test(`${name} evaluates to the losses that the fit reported`, async () => {
    const { epochs } = await uninterrupted();
    using trained = await loaded();
    const rows = { values: dataset.train.values.subarray(0, 200 * 16), count: 200 };
    const { elbo } = await trained.evaluate(rows);
    assertAlmostEquals(elbo, epochs.at(-1)!.train.elbo, 1e-4);
    const held = { values: dataset.train.values.subarray(200 * 16), count: 40 };
    assertEquals(await trained.evaluate(held), { ...epochs.at(-1)!.validation! });
  });

  Deno.test(`${name} samples, encodes, decodes and reconstructs`, async () => {
    using trained = await loaded();
    assertEquals(trained.latents, latents);
    for (const draw of ["mean", "sample"] as const) {
      const images = await trained.sample({ count: 130, draw, seed: 1 });
      assertEquals(images.length, 130 * 16);
      assert(images.every(Number.isFinite));
      assertEquals(await trained.sample({ count: 130, draw, seed: 1 }), images);
      assertNotEquals(await trained.sample({ count: 130, draw, seed: 2 }), images);
    }
    const rows = trained.rowsOf(dataset.test, 0, 131);
    const { mean, logVariance } = await trained.encode(rows);
    assertEquals([mean.length, logVariance.length], [131 * latents, 131 * latents]);
    assert([...mean, ...logVariance].every(Number.isFinite));
    const again = await trained.reconstruct(rows);
    const error = again.reduce((sum, value, i) => sum + (value - rows[i]) ** 2, 0) / again.length;
    // The noise has a variance of 0.41² / 12; the blocks are 0.59 apart.
    assert(error < 0.03, `${error}`);
  });

  Deno.test(`${name} is the same after saving and loading`, async () => {
    const { bytes } = await uninterrupted();
    using first = await loaded();
    using second = await load(await first.toBytes(), { model, gpu });
    assertEquals(await first.toBytes(), bytes);
    const rows = first.rowsOf(dataset.test, 0, 5);
    assertEquals(await second.sample({ count: 5 }), await first.sample({ count: 5 }));
    assertEquals(await second.encode(rows), await first.encode(rows));
  });

  Deno.test(`${name} stopped anywhere and resumed gives the bytes of the uninterrupted fit`, async () => {
    const { bytes, epochs, events } = await uninterrupted();
    // Before the first iteration, within it, after it, within a later one.
    for (const stopAt of [1, 2, 3, Math.floor(events.length / 2)]) {
      const stopped = await fitted(model, config, { stopAt });
      assert(stopped.end.event === "end" && stopped.end.epochs === stopped.epochs.length);
      assertEquals(stopped.end.stopped, stopped.epochs.length < iterations);
      const resumed = await fitted(model, {}, { resume: checkpointOf(stopped) });
      assertEquals(resumed.bytes, bytes);
      assertEquals(resumed.epochs.map((e) => e.train), epochs.slice(stopped.epochs.length).map((e) => e.train));
    }
  });

  Deno.test(`${name} fitted for fewer iterations and resumed with more gives the bytes of all at once`, async () => {
    const short = await fitted(model, { ...config, epochs: 1 });
    const resumed = await fitted(model, { epochs: 5 }, { resume: checkpointOf(short) });
    assertEquals(resumed.bytes, (await uninterrupted()).bytes);
  });

  Deno.test(`${name} fits pixels that were made black and white by a threshold`, async () => {
    const { epochs } = await fitted(model, { ...config, binarize: "threshold", epochs: 2 });
    assert(Number.isFinite(epochs.at(-1)!.validation!.elbo));
  });
}

Deno.test("a fit with a loss that is not finite ends with what it was, and what may help", async () => {
  const broken: Model<{ latents: number }> = {
    ...pca,
    name: "broken",
    fit: (context, config) =>
      pca.fit!(context, config).then((fit) => ({
        ...fit,
        async *iterate() {
          return { ...(yield* fit.iterate()), loss: NaN };
        },
      })),
  };
  const error = await assertRejects(() => fitted(broken as Model, { latents: 2 }), DivergenceError);
  assert(
    /epoch 1, step 9 gave a number that is not finite, first in the log-likelihood\. A larger floor/.test(
      error.message,
    ),
  );
});

Deno.test("a fit to streamed rows has the bytes of one to resident rows", async () => {
  const config = { components: 3, epochs: 2 };
  const [streamed, resident] = [
    await fitted(gmm as Model, { ...config, rows: "streamed" }),
    await fitted(gmm as Model, config),
  ]
    .map(checkpointOf);
  assertEquals([...streamed.tensors], [...resident.tensors]);
});
