/** Several ranks that train one model: what one process comes to, the same bits on each, and what is resumed. */

import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { type Checkpoint, decodeCheckpoint, load, train, type TrainingConfig, type TrainingEvent } from "../../mod.ts";
import { Gpu } from "../../core/gpu/device.ts";
import { Parameters } from "../../core/graph/parameters.ts";
import { slice } from "../../core/dataset.ts";
import type { Ranks } from "../../core/graph/ranks.ts";
import { encodedParts } from "../../evaluation/encodings.ts";
import { scores } from "../../evaluation/scores.ts";
import { requireOwnGpu } from "../../parallel/mpi.ts";
import { averaging } from "../../core/training/averaging.ts";
import type { Model } from "../../core/model.ts";
import { models } from "../../models/mod.ts";
import { gpu } from "../support/gpu.ts";
import { ranksHere } from "../support/ranks.ts";
import { stripes } from "../support/stripes.ts";

const layers = { hidden: [6], latents: 2 };
const settings = { batchSize: 12, epochs: 2, validation: 20, seed: 3, learningRate: 0.01 };

interface Options {
  readonly model?: string;
  readonly changes?: Partial<TrainingConfig> & Record<string, unknown>;
  /** The settings of the model, all of them. */
  readonly only?: Record<string, unknown>;
  readonly resume?: Checkpoint;
  /** Aborts the training of a rank at an event. */
  readonly stops?: (event: TrainingEvent, rank: number) => boolean;
}

/** Checkpoints and events of every rank. */
async function trained(size: number, { model = "vae", changes, only = layers, resume, stops }: Options = {}) {
  return await Promise.all(
    ranksHere(size).map(async (ranks) => {
      using own = size === 1 ? undefined : await Gpu.open();
      const stop = new AbortController();
      const config = resume ? {} : { ...settings, ...only, ...changes };
      const options = { gpu: own ?? gpu, ranks, resume, signal: stop.signal };
      const training = train(models.get(model) as Model, stripes, config, options);
      const events: TrainingEvent[] = [];
      for await (const event of training) {
        events.push(event);
        if (stops?.(event, ranks.rank)) stop.abort();
      }
      const bytes = await training.trained.toBytes();
      training.trained.destroy();
      return { events, checkpoint: decodeCheckpoint(bytes, "here"), bytes };
    }),
  );
}

type Outcome = Awaited<ReturnType<typeof trained>>[number];

/** What was trained, by name, as plain arrays. */
const tensorsOf = ({ checkpoint: { tensors } }: Outcome) =>
  Object.fromEntries([...tensors].map(([name, { data }]) => [name, [...data]]));

/** The losses of every epoch. */
const lossesOf = ({ events }: Outcome) =>
  events.flatMap((event) => event.event === "epoch" ? [{ ...event.train }, { ...event.validation! }] : []);

/** Holds numbers of every entry together, up to the order of sums. */
function assertNear(found: Record<string, ArrayLike<number>>, expected: typeof found, what: string, tolerance = 2e-3) {
  assertEquals(Object.keys(found), Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    const scale = Math.max(...Array.from(values, Math.abs), 1e-3);
    Array.from(
      values,
      (value, i) =>
        assert(
          Math.abs(found[name][i] - value) <= tolerance * scale,
          `${what}: ${name} ${found[name][i]} for ${value}`,
        ),
    );
  }
}

/** Settings that each draw, add up or read something of their own. */
const CASES: Record<string, Options> = {
  "a VAE of drawn pixels": {},
  "three draws, dropout, streamed rows": { changes: { samples: 3, dropout: 0.2, rows: "streamed" } },
  "a limit of the gradient's norm and averages of the weights": {
    changes: { clipNorm: 0.5, ema: 0.9, reduction: "sum" },
  },
  "a conditional VAE": { model: "cvae" },
  "a denoising autoencoder": { model: "dae" },
  "batch normalization": { changes: { normalization: "batch", optimizer: "sgd", learningRate: 0.1 } },
  "codes as moving averages, of which dead ones are revived": {
    model: "vq_vae",
    only: { channels: [4], residualBlocks: 0, codes: 6, codeDimension: 3, codebook: "moving-average", revival: 0.9 },
  },
  "an adversary with an optimizer of its own": { model: "factor_vae" },
};

for (const [what, options] of Object.entries(CASES)) {
  Deno.test(`2 and 3 ranks come to what one process does: ${what}`, async () => {
    const [alone] = await trained(1, options);
    for (const size of options.model || options.changes ? [2] : [2, 3]) {
      const all = await trained(size, options);
      for (const each of all) {
        assertEquals(each.bytes, all[0].bytes);
        assertEquals(lossesOf(each), lossesOf(all[0]));
      }
      // What permutes the batch of each rank by itself cannot be what one process does.
      if (options.model === "factor_vae") continue;
      assertNear(tensorsOf(all[0]), tensorsOf(alone), `${size} ranks`);
      lossesOf(alone).forEach((losses, i) => assertNear(wrapped(lossesOf(all[0])[i]), wrapped(losses), "losses"));
    }
  });
}

Deno.test("ranks that were stopped go on to equal bytes, and as other numbers of ranks from the same parameters", async () => {
  const whole = await trained(2);
  // One of them is told, in the middle of an epoch.
  const stopped = await trained(2, {
    stops: (event, rank) => rank === 1 && event.event === "progress" && event.step > 4,
  });
  assert(stopped[0].checkpoint.progress.step < whole[0].checkpoint.progress.step);
  assertEquals(stopped[0].bytes, stopped[1].bytes);
  const again = await trained(2, { resume: stopped[0].checkpoint });
  for (const each of again) assertEquals(each.bytes, whole[0].bytes);
  const [alone] = await trained(1, { resume: stopped[0].checkpoint });
  assertNear(tensorsOf(alone), tensorsOf(whole[0]), "one rank in place of two");
});

Deno.test("an average every 3 steps: ranks are the same where they meet, stop there alone, and go on to equal bytes", async () => {
  const changes = { averageEvery: 3, outerMomentum: 0.9, outerLearningRate: 0.7 };
  const whole = await trained(2, { changes });
  assertEquals(whole[0].bytes, whole[1].bytes);
  assertNotEquals(tensorsOf(whole[0]), tensorsOf((await trained(2))[0]));
  const stopped = await trained(2, { changes, stops: (event) => event.event === "progress" && event.step > 3 });
  const { step } = stopped[0].checkpoint.progress;
  assert(step % 3 === 0 && step < whole[0].checkpoint.progress.step, `it stopped at step ${step}`);
  const again = await trained(2, { resume: stopped[0].checkpoint });
  for (const each of again) assertEquals(each.bytes, whole[0].bytes);
});

Deno.test("the mean of parameters after single steps of plain gradient descent is a step by the mean gradient", async () => {
  const changes = { optimizer: "sgd", learningRate: 0.05 } as const;
  const [seldom] = await trained(2, { changes: { ...changes, averageEvery: 1 } });
  const [exact] = await trained(2, { changes });
  assertNear(tensorsOf(seldom), tensorsOf(exact), "averages");
});

Deno.test("DiLoCo's outer step is that of Nesterov momentum on what each averaging goes", async () => {
  const values = [[1, 2], [3, 6]];
  const buffers = values.map((own) => {
    const parameters = new Parameters(gpu, { layer: { inputs: 0, outputs: 2 } });
    parameters.get("layer").set(parameters.get("layer").tensor, new Float32Array(), Float32Array.from([10, 20]));
    return { own, parameters };
  });
  const ranks = ranksHere(2);
  const found = await Promise.all(buffers.map(async ({ own, parameters }, i) => {
    const options = { outerLearningRate: 0.5, outerMomentum: 0.9 };
    const outer = await averaging(gpu, parameters, ranks[i], options);
    const layer = parameters.get("layer");
    const at: number[][] = [];
    for (let round = 0; round < 2; round++) {
      layer.set(layer.tensor, new Float32Array(), Float32Array.from(own));
      await outer();
      at.push([...(await parameters.read()).get("layer.bias")!.data]);
    }
    parameters.destroy();
    return at;
  }));
  // In float64: from 10 and 20 towards the means 2 and 4, twice.
  const expected = [10, 20].map((start, j) => {
    const mean = (values[0][j] + values[1][j]) / 2;
    let [at, velocity] = [start, 0];
    return [0, 1].map(() => {
      const way = at - mean;
      velocity = 0.9 * velocity + way;
      return at -= 0.5 * (way + 0.9 * velocity);
    });
  });
  for (const each of found) each.flat().forEach((value, i) => assertAlmostEquals(value, expected[i % 2][i >> 1], 1e-5));
});

for (const model of ["gmm", "ppca", "linear_vae"]) {
  Deno.test(`${model}: ranks that each sum their part of the rows come to what one process does`, async () => {
    const only = model === "gmm" ? { components: 3 } : { latents: 2 };
    const changes = { binarize: "none", batchSize: 14, optimizer: "sgd" } as const;
    const [alone] = await trained(1, { model, only, changes: changes });
    const all = await trained(2, { model, only, changes });
    assertEquals(all[0].bytes, all[1].bytes);
    assertNear(tensorsOf(all[0]), tensorsOf(alone), model);
  });
}

Deno.test("ranks that each measure some of the rows come to the bits of one process", async () => {
  const [{ bytes }] = await trained(1);
  const measure = async (ranks?: Ranks) => {
    using own = ranks && await Gpu.open();
    using model = await load(bytes, { gpu: own ?? gpu });
    const { elbo, nll } = await model.evaluate(stripes.test, { samples: 2, ranks });
    const { values, order } = await scores(model, stripes.test, { samples: 5, ranks });
    const parts: (readonly [number, number[]])[] = [];
    const part = (from: number, to: number) => slice(stripes.test, from, to);
    for await (const { from, encoded } of encodedParts(model, 120, part, { seed: 1, ranks })) {
      parts.push([from, [...encoded.statistics]]);
    }
    return { elbo, nll, values, order, parts };
  };
  const { parts: [[, statistics]], elbo, nll, ...expected } = await measure();
  const all = await Promise.all(ranksHere(3).map(measure));
  for (const { parts: _, elbo: itsElbo, nll: itsNll, ...found } of all) {
    assertEquals(found, expected);
    assertAlmostEquals(itsElbo, elbo, 1e-9);
    assertAlmostEquals(itsNll, nll, 1e-9);
  }
  assertEquals(all.flatMap(({ parts }) => parts.map(([from]) => from)), [0, 40, 80]);
  // Statistics are [N, 2 K], rows of each rank after those of the one before.
  assertEquals(all.flatMap(({ parts }) => parts.flatMap(([, values]) => values)), statistics);
});

Deno.test("ranks of one machine that were told the same share a GPU, which is refused by their numbers", async () => {
  const told = (own: Record<string, string>[], adapters: (string | undefined)[], hosts = ["a", "a", "b"]) =>
    Promise.allSettled(ranksHere(3).map((ranks, i) => requireOwnGpu(ranks, hosts[i], adapters[i], own[i])))
      .then((all) => all.map((each) => each.status === "rejected" ? String(each.reason.message) : ""));
  const gpus = ["Radeon", "Radeon", "Radeon"];
  const [first, second, third] = await told([{}, {}, {}], gpus);
  assertEquals([first, third], [second, ""]);
  assert(
    first.startsWith("Cannot train: ranks 0 and 1 share the Radeon of a. Give each its own by one of MESA_"),
    first,
  );
  assertEquals(await told([{ A: "0" }, { A: "1" }, { A: "1" }], gpus), ["", "", ""]);
  assertEquals(await told([{}, {}, {}], [undefined, undefined, undefined]), ["", "", ""]);
  assertEquals(await told([{}, {}, {}], gpus, ["a", "b", "c"]), ["", "", ""]);
});

Deno.test("what cannot be divided among ranks is refused before anything is trained", () => {
  const [, second] = ranksHere(2);
  const begin = (changes: Partial<TrainingConfig>) => () =>
    train(models.get("vae") as Model, stripes, { ...settings, ...layers, ...changes }, { gpu, ranks: second });
  assertThrows(begin({ batchSize: 11 }), RangeError, "expected a batch that divides among them, found one of 11 rows");
  assertThrows(begin({ accumulate: 2 }), RangeError, "expected accumulate 1");
  const training = begin({})();
  assertThrows(() => training.adjust({ learningRate: 1 }), RangeError, "2 ranks train it");
});

const wrapped = (losses: object) => Object.fromEntries(Object.entries(losses).map(([name, value]) => [name, [value]]));
