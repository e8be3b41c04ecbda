/** What a training makes of the data: held against the likelihood, which they choose; batches and floors that follow them. */

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Dataset } from "../../core/dataset.ts";
import { findings } from "../../core/training/caveats.ts";
import type { Model } from "../../core/model.ts";
import { normals, uniforms } from "../../core/graph/random.ts";
import type { Setting } from "../../core/settings.ts";
import type { Trained } from "../../core/training/trained.ts";
import { train, type Training } from "../../core/training/trainer.ts";
import type { StartEvent } from "../../core/training/events.ts";
import type { DatasetInput, RowValues } from "../../core/values.ts";
import { impute } from "../../evaluation/impute.ts";
import { scores } from "../../evaluation/scores.ts";
import { models } from "../../models/mod.ts";
import { ae } from "../../models/ae.ts";
import { gmm } from "../../models/gmm.ts";
import { ppca } from "../../models/ppca.ts";
import { vae } from "../../models/vae.ts";
import { gpu } from "../support/gpu.ts";

const small = { hidden: [4], latents: 2, epochs: 1, validation: 0 };

/** Rows of a shape to train and to test on. */
function of(values: RowValues, shape: Dataset["shape"] = [2, 2, 1], name = "mine"): DatasetInput {
  return { name, shape, train: { values }, test: { values } };
}

const u = uniforms(new Float32Array(240), 1, 0, 0);
const photographs = Uint8Array.from(u, (value) => 40 + 170 * value);
const drawings = Uint8Array.from(u, (value) => value < 0.5 ? 8 : 250);

async function begun(training: Training<object>): Promise<StartEvent> {
  for await (const event of training) if (event.event === "start") return event;
  throw new Error("no start");
}

/** The first event of a training, and what became of the settings. */
async function started(dataset: DatasetInput, config: object, model: Model = vae as Model) {
  const training = train(model, dataset, config, { gpu });
  const start = await begun(training);
  using trained = training.trained;
  return { ...start, training: trained.training, data: start.data, description: trained.data };
}

Deno.test("the likelihood follows from the data where nobody gave one, and that is said", async () => {
  const z = normals(new Float32Array(240), 2, 0, 0);
  const cases: readonly [string, DatasetInput, likelihood: string, binarize: string][] = [
    ["masks", of(Uint8Array.from(u, (value) => value < 0.3 ? 1 : 0)), "bernoulli", "dynamic"],
    ["0 and 1 as floats", of(u.map((value) => value < 0.3 ? 1 : 0)), "bernoulli", "none"],
    ["drawings", of(drawings), "bernoulli", "dynamic"],
    ["drawings as floats", of(u.map((value) => value < 0.5 ? 0.03 : 0.98)), "bernoulli", "dynamic"],
    ["grey photographs", of(photographs), "discretized-logistic", "none"],
    ["colour", of(drawings, [2, 2, 3]), "discretized-logistic", "none"],
    ["numbers from 0 to 1", of(u), "gaussian-shared", "none"],
    ["a table", of(z, [1, 4, 1]), "gaussian-shared", "none"],
  ];
  for (const [what, dataset, likelihood, binarize] of cases) {
    const { config, data } = await started(dataset, { ...small, batchSize: 20 });
    assertEquals([config.likelihood, config.binarize], [likelihood, binarize], what);
    assert(data.remarks?.some((line) => line.startsWith(`likelihood ${likelihood}, by the data: `)), what);
  }
});

Deno.test("a likelihood that was given stays, and nothing is said of it", async () => {
  const { config, data } = await started(of(photographs), { ...small, batchSize: 20, likelihood: "bernoulli" });
  assertEquals([config.likelihood, config.binarize, data.remarks], ["bernoulli", "dynamic", undefined]);
});

Deno.test("a learned deviation begins with that of numbers on any scale, unless one was given", async () => {
  const z = normals(new Float32Array(240), 2, 0, 0);
  const rootMeanSquare = Math.sqrt(z.reduce((sum, value) => sum + value ** 2, 0) / z.length);
  const cases: readonly [scale: number, config: object, sigma: number][] = [
    [1, {}, rootMeanSquare],
    [1e3, {}, 1e3 * rootMeanSquare],
    [1e-3, { likelihood: "gaussian-pixel" }, 1e-3 * rootMeanSquare],
    [1e3, { sigma: 2 }, 2],
    [1e3, { likelihood: "gaussian" }, 0.1],
  ];
  for (const [scale, given, sigma] of cases) {
    const values = z.map((value) => scale * value);
    const { config, data } = await started(of(values, [1, 4, 1]), { ...small, batchSize: 20, ...given });
    assertAlmostEquals(Number(config.sigma) / sigma, 1, 0.05);
    const said = data.remarks?.some((line) => line.includes("σ, which is learned, begins at")) ?? false;
    assertEquals(said, sigma > 2 || sigma < 0.1 || scale === 1);
  }
  // Of numbers from 0 to 1, as of images, the default is right already.
  assertEquals((await started(of(u), { ...small, batchSize: 20 })).config.sigma, 0.1);
});

Deno.test("every model that has a likelihood of choice, and decides on none, takes it from the data", () => {
  const chosen = [...models.values()].filter(({ settings }) => {
    const { likelihood } = settings as Readonly<Record<string, Setting<unknown> | undefined>>;
    return "outputActivation" in settings && likelihood?.byData;
  });
  assert(chosen.length > 10);
  for (const { name, choose } of chosen) assert(choose, name);
});

Deno.test("values that are no data of the likelihood are refused, with what to do", () => {
  const z = normals(new Float32Array(240), 2, 0, 0);
  const refused = (values: RowValues, config: object, message: string) =>
    assertThrows(() => train(vae, of(values), { ...small, batchSize: 20, ...config }, { gpu }), RangeError, message);
  refused(
    z,
    { likelihood: "bernoulli" },
    "scale them to [0, 1], or use a likelihood of any numbers, as gaussian-shared",
  );
  refused(z, { likelihood: "continuous-bernoulli" }, "the likelihood continuous-bernoulli is of numbers from 0 to 1");
  refused(u.map((x) => 16 * x), { likelihood: "bernoulli" }, "divide them by the largest");
  refused(u.map((x) => 254.5 * x), { likelihood: "bernoulli" }, "divide them by 255");
  refused(u.map((x) => 2 * x - 1), { likelihood: "bernoulli" }, "take (x + 1) / 2 of them");
  refused(u, { likelihood: "discretized-logistic" }, "round them to steps of 1/255");
  refused(z, { likelihood: "bernoulli", binarize: "threshold" }, "expected values from 0 to 1 to binarize");
  assertThrows(
    () => train(ae, of(z), { ...small, likelihood: "bernoulli" }, { gpu }),
    RangeError,
    "scale them to [0, 1]",
  );
});

Deno.test("floats from 0 to 1 are binarized as bytes are", async () => {
  const losses = async (values: RowValues, binarize: "threshold" | "dynamic") => {
    const config = { ...small, batchSize: 20, likelihood: "bernoulli", binarize } as const;
    const training = train(vae, of(values), config, { gpu });
    const events = await Array.fromAsync(training);
    training.trained.destroy();
    return events.filter((event) => event.event === "epoch").map((event) => event.train.elbo);
  };
  const floats = Float32Array.from(photographs, (value) => value / 255);
  for (const binarize of ["threshold", "dynamic"] as const) {
    assertEquals(await losses(floats, binarize), await losses(photographs, binarize), binarize);
  }
});

Deno.test("fewer rows than a batch are one batch, and that is said; a fit says nothing", async () => {
  const rows = photographs.subarray(0, 7 * 4);
  const { data, training } = await started(of(rows), small);
  assertEquals(training.batchSize, 7);
  assert(data.remarks?.includes("batches of 7, all rows, in place of 100"));
  const fit = await started(of(rows), { latents: 1 }, ppca as Model);
  assertEquals([fit.training.batchSize, fit.data.remarks], [7 - 1, undefined]);
});

Deno.test("a trained model names the row and the column of what is not finite, wherever it comes in", async () => {
  const training = train(vae, of(u, [1, 4, 1]), { ...small, batchSize: 20 }, { gpu });
  for await (const _ of training);
  using trained = training.trained as Trained;
  const bad = [[0, 1, 0.5, 0.5], [0, 0.2, NaN, 1]];
  const place = "found NaN in row 1, column 2 (from 0)";
  const split = { values: bad };
  for (
    const entrance of [
      () => trained.encode(bad),
      () => trained.reconstruct(bad),
      () => trained.posterior(bad),
      () => trained.evaluate(split),
      () => scores(trained, split),
      () => impute(trained, bad, [0, 1, 1, 1], { iterations: 1 }),
    ]
  ) await assertRejects(async () => void await entrance(), RangeError, place);
  await assertRejects(() => trained.decode([[0, Infinity]]), RangeError, "found Infinity in row 0, column 1");
  await assertRejects(() => trained.evaluate({ values: [] }), RangeError, "expected at least 1 row, found 0");
  await assertRejects(() => trained.evaluate({ values: [0, 1, 1, 0], labels: [1, 2] }), RangeError, "a label for each");
  // What is missing is not read.
  await impute(trained, [NaN, 0.2, 0.1, 1], [0, 1, 1, 1], { iterations: 1 });
  assertThrows(() => train(vae, of(bad, [1, 4, 1]), small, { gpu }), RangeError, place);
});

Deno.test("encode() and evaluate() mean by bytes, lists and floats what the training did", async () => {
  const training = train(vae, of(photographs), { ...small, batchSize: 20 }, { gpu });
  for await (const _ of training);
  using trained = training.trained as Trained;
  const rows = photographs.subarray(0, 8);
  const { mean } = await trained.encode(Float32Array.from(rows, (value) => value * (1 / 255)));
  for (const given of [rows, new Uint8ClampedArray(rows), [rows.subarray(0, 4), rows.subarray(4)]]) {
    assertEquals((await trained.encode(given)).mean, mean);
  }
  assertEquals(
    await trained.evaluate({ values: [rows.subarray(0, 4), rows.subarray(4)] }),
    await trained.evaluate({ values: rows, count: 2 }),
  );
  await assertRejects(() => trained.encode([...rows]), RangeError, "divide them by 255, or give them as a Uint8Array");
});

Deno.test("a mask of 0 and 1 is trained on, encoded and evaluated as black and white", async () => {
  const mask = Uint8Array.from(u, (value) => value < 0.3 ? 1 : 0);
  const ends = async (values: RowValues) => {
    const training = train(vae, of(values), { ...small, batchSize: 20 }, { gpu });
    for await (const _ of training);
    using trained = training.trained as Trained;
    const { elbo } = await trained.evaluate({ values });
    return [elbo, ...(await trained.encode(values)).mean];
  };
  assertEquals(await ends(mask), await ends(mask.map((value) => 255 * value)));
});

/** The last elbo of a fit, with what was found. */
async function fitted(model: Model, dataset: DatasetInput, config: object) {
  const training = train(model, dataset, { validation: 0, epochs: 5, ...config }, { gpu });
  let elbo = NaN;
  for await (const event of training) if (event.event === "end") elbo = event.train.elbo;
  using trained = training.trained as Trained;
  return { elbo, found: await findings(trained) };
}

/** 60 rows of three columns, the third a sum of the others and a little noise; each in a unit of its own. */
function table(units: readonly number[]): DatasetInput {
  const z = normals(new Float64Array(180), 3, 0, 0);
  const values = Array.from({ length: 60 }, (_, n) => {
    const [a, b, e] = z.subarray(3 * n, 3 * n + 3);
    return [a + (n % 2 ? 3 : -3), b, a + b + 0.1 * e].map((value, d) => value * units[d]);
  });
  return of(values, [1, 3, 1], "table");
}

Deno.test("ppca and gmm fit a table in any unit: the density only changes by the unit", async () => {
  for (const unit of [1e-6, 1e4]) {
    const shift = -3 * Math.log(unit);
    for (const method of ["closed-form", "em"]) {
      const config = { latents: 1, method };
      const [one, other] = [
        await fitted(ppca as Model, table([1, 1, 1]), config),
        await fitted(
          ppca as Model,
          table([unit, unit, unit]),
          config,
        ),
      ];
      assertAlmostEquals(other.elbo - one.elbo, shift, 1e-3, `ppca ${method} ${unit}`);
      assertEquals([one.found, other.found], [[], []]);
    }
  }
  for (const covariance of ["full", "diagonal"]) {
    const config = { components: 2, covariance };
    const [one, other] = [
      await fitted(gmm as Model, table([1, 1, 1]), config),
      await fitted(
        gmm as Model,
        table([1e-4, 1, 1e3]),
        config,
      ),
    ];
    assertAlmostEquals(other.elbo - one.elbo, -Math.log(1e-4) - Math.log(1e3), 1e-2, covariance);
    assertEquals([one.found, other.found], [[], []]);
  }
});

Deno.test("a floor of variances that binds is said", async () => {
  const line = Array.from({ length: 40 }, (_, i) => [i % 7, 2 * (i % 7), 3 * (i % 7)]);
  const { found } = await fitted(ppca as Model, of(line, [1, 3, 1]), { latents: 1 });
  assertEquals(found, [
    "ppca: σ² is held at its floor, 0.000001 of the data's mean variance; elbo follows from the floor",
  ]);
  for (const covariance of ["full", "diagonal", "spherical"]) {
    const few = Array.from({ length: 40 }, (_, i) => [i % 2, 5 * (i % 2)]);
    const { found } = await fitted(gmm as Model, of(few, [1, 2, 1]), { components: 2, covariance, epochs: 10 });
    assertEquals(found, [
      "gmm: 4 of 4 variances are held at the floor, 0.001 of the data's; elbo rises as it is lowered",
    ]);
  }
});

Deno.test("a learned deviation at its lower bound is said", async () => {
  const tiny = normals(new Float32Array(240), 4, 0, 0).map((value) => 1e-5 * value);
  const config = { ...small, epochs: 300, batchSize: 60, sigma: 0.007, learningRate: 0.003 };
  const { found } = await fitted(ae as Model, of(tiny, [1, 4, 1]), config);
  assertEquals(found, [
    "likelihood: the learned deviation is held at the lower bound, σ = 0.0067; elbo follows from the bound, not from the data",
  ]);
});
