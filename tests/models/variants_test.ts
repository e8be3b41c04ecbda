/** What each variant must equal, and what its own settings do. The contract that all share is in contract_test.ts. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  ae,
  betaVae,
  cvae,
  dae,
  type Dataset,
  decodeCheckpoint,
  iwae,
  load,
  type Losses,
  makeSprites,
  type Model,
  slice,
  train,
  Trained,
  vae,
} from "../../mod.ts";
import { uniforms } from "../../core/graph/random.ts";
import { gpu } from "../support/gpu.ts";

/** 300 rows of 4 x 4 pixels; the label says which half is bright. */
function blocks(classes?: number): Dataset {
  const noise = uniforms(new Float32Array(300 * 16), 5, 0, 0);
  const values = Uint8Array.from(noise, (u, i) => ((i >> 4) % 2 === (i % 16 < 8 ? 0 : 1) ? 200 : 0) + 55 * u);
  const rows = { values, count: 300, labels: Uint8Array.from({ length: 300 }, (_, i) => i % 2) };
  return { name: "blocks", shape: [4, 4, 1], classes, train: rows, test: rows };
}

const small = { hidden: [6], latents: 2, batchSize: 20, epochs: 3, validation: 60, learningRate: 0.02, seed: 3 };

async function fit<C extends object>(
  variant: Model<C>,
  config: object,
  dataset = blocks(2),
): Promise<{ tensors: Map<string, Float32Array>; train: Losses; validation: Losses }> {
  const model: Model = variant as Model;
  const training = train(model, dataset, { ...small, ...config }, { gpu });
  let last: { train: Losses; validation?: Losses } | undefined;
  for await (const event of training) if (event.event === "end") last = event;
  using trained = training.trained;
  const { tensors } = decodeCheckpoint(await trained.toBytes(), "checkpoint");
  return {
    tensors: new Map([...tensors].map(([name, { data }]) => [name, data as Float32Array])),
    train: last!.train,
    validation: last!.validation!,
  };
}

function assertSameTensors(a: Map<string, Float32Array>, b: Map<string, Float32Array>, tolerance: number): void {
  assertEquals([...a.keys()], [...b.keys()]);
  for (const [name, values] of a) {
    const other = b.get(name)!;
    values.forEach((value, i) =>
      assertAlmostEquals(value, other[i], tolerance * (1 + Math.abs(value)), `${name}[${i}]`)
    );
  }
}

Deno.test("iwae with one sample is vae with a sampled divergence, from the same seed", async () => {
  const [one, base] = [await fit(iwae, { samples: 1 }), await fit(vae, { divergence: "sampled" })];
  // The same sums in another order: 45 steps of Adam apart by rounding.
  assertSameTensors(one.tensors, base.tensors, 2e-3);
  assertAlmostEquals(one.validation.bound, -base.validation.elbo, 1e-3);
});

Deno.test("iwae has a tighter bound with more samples", async () => {
  const training = train(iwae, blocks(2), { ...small, samples: 5, epochs: 8 }, { gpu });
  for await (const _ of training);
  using trained = training.trained;
  const checkpoint = decodeCheckpoint(await trained.toBytes(), "checkpoint");
  const bounds = [];
  for (const samples of [1, 5, 50]) {
    const config = { ...checkpoint.config, samples };
    using again = await Trained.fromCheckpoint(iwae, { ...checkpoint, config }, { gpu });
    bounds.push((await again.evaluate(blocks(2).test, { samples: 20, binarize: "threshold" })).bound);
  }
  assert(bounds[0] > bounds[1] && bounds[1] > bounds[2], bounds.join(" "));
});

Deno.test("iwae trains as well with the doubly reparameterized gradient", async () => {
  const [standard, doubly] = [
    await fit(iwae, { samples: 10, epochs: 8 }),
    await fit(iwae, { samples: 10, epochs: 8, gradient: "doubly-reparameterized" }),
  ];
  assertAlmostEquals(doubly.validation.bound, standard.validation.bound, 0.4);
});

Deno.test("dae without noise is ae, bit for bit", async () => {
  for (const noise of ["masking", "gaussian", "salt-and-pepper"]) {
    const [denoising, plain] = [await fit(dae, { noise, noiseAmount: 0 }), await fit(ae, {})];
    // x is floats in one and bytes in the other: the products round alike, since both hold byte / 255.
    assertSameTensors(denoising.tensors, plain.tensors, 1e-5);
  }
});

Deno.test("dae with noise has a worse loss on what it must guess", async () => {
  const losses = [];
  for (const noiseAmount of [0, 0.3, 0.9]) losses.push((await fit(dae, { noiseAmount, epochs: 8 })).train.nll);
  assert(losses[0] < losses[1] && losses[1] < losses[2], losses.join(" "));
});

Deno.test("vae with several samples, and with two towers, trains to about the same bound", async () => {
  const bounds = [];
  for (const config of [{}, { samples: 4 }, { towers: 2 }, { samples: 3, divergence: "sampled", towers: 2 }]) {
    bounds.push((await fit(vae, { epochs: 8, ...config })).validation.elbo);
  }
  for (const bound of bounds) assertAlmostEquals(bound, bounds[0], 0.6, bounds.join(" "));
});

Deno.test("iwae with one sample is vae with a sampled divergence for full covariance too, and refuses the other gradient", async () => {
  const full = { covariance: "full" };
  const [one, base] = [
    await fit(iwae, { samples: 1, ...full }),
    await fit(vae, { divergence: "sampled", ...full }),
  ];
  assertSameTensors(one.tensors, base.tensors, 2e-3);
  await assertRejects(
    () => fit(iwae, { ...full, gradient: "doubly-reparameterized" }),
    RangeError,
    "Cannot combine gradient doubly-reparameterized with covariance full",
  );
});

Deno.test("beta_vae holds the KL at its capacity", async () => {
  const config = { epochs: 30, beta: 10, betaSteps: 100, binarize: "threshold" };
  for (const capacity of [0.5, 1.5]) {
    const { validation } = await fit(betaVae, { ...config, capacity });
    assertAlmostEquals(validation.kl, capacity, 0.25);
    assertAlmostEquals(validation.loss, validation.nll + 10 * validation.capacity, 1e-3);
  }
});

Deno.test("beta_vae leaves a dimension its free bits", async () => {
  const config = { epochs: 20, beta: 20 };
  const [pressed, free] = [await fit(betaVae, config), await fit(betaVae, { ...config, freeBits: 1 })];
  assert(pressed.validation.kl < 0.2 && free.validation.kl > 0.7, `${pressed.validation.kl} ${free.validation.kl}`);
});

Deno.test("cvae is told by its label which half is bright", async () => {
  for (const condition of ["one-hot", "raw"]) {
    const training = train(cvae, blocks(2), { ...small, epochs: 12, condition: condition as "raw" }, { gpu });
    for await (const _ of training);
    using trained = training.trained;
    for (const label of [0, 1]) {
      const rows = await trained.sample({ count: 20, labels: [label] });
      const bright = (from: number) =>
        rows.filter((_, i) => i % 16 >= from && i % 16 < from + 8).reduce((a, b) => a + b) / 160;
      assert(bright(8 * label) > bright(8 - 8 * label) + 0.3, `${condition} ${label}: ${bright(0)} ${bright(8)}`);
    }
    await assertRejects(
      () => trained.encode(new Float32Array(32)),
      RangeError,
      "expected one for each of 2 rows, found 0",
    );
    await assertRejects(() => trained.sample({ labels: [2] }), RangeError, "expected a class from 0 to 1");
  }
});

Deno.test("cvae is told by covariates how large a sprite is, and where", async () => {
  const dataset = makeSprites({ train: 1500, test: 100, size: 8, seed: 1 });
  const training = train(cvae, dataset, { ...small, hidden: [32], epochs: 25, condition: "covariates" }, { gpu });
  await Array.fromAsync(training);
  using trained = await load(await training.trained.toBytes(), { gpu });
  training.trained.destroy();
  const draw = async (scale: number, x: number) => {
    const rows = await trained.sample({ count: 20, covariates: [0, scale, 0, x, 0.5] });
    const mass = (from: number, to: number) =>
      rows.reduce((sum, v, i) => sum + (i % 8 >= from && i % 8 < to ? v : 0), 0);
    return [mass(0, 4), mass(4, 8)];
  };
  const [[leftOf0, rightOf0], [leftOf1, rightOf1]] = [await draw(0.75, 0), await draw(0.75, 1)];
  assert(leftOf0 > 3 * rightOf0 && rightOf1 > 3 * leftOf1, `${[leftOf0, rightOf0, leftOf1, rightOf1]}`);
  const [tiny, large] = [await draw(0.5, 0.5), await draw(1, 0.5)].map(([left, right]) => left + right);
  assert(large > 1.5 * tiny, `${tiny} ${large}`);
  const rows = trained.rowsOf(dataset.test, 0, 3);
  assertEquals((await trained.encode(rows, slice(dataset.test, 0, 3))).mean.length, 3 * small.latents);
  await assertRejects(
    () => trained.encode(rows),
    RangeError,
    "expected 5 for each of 3 rows (shape, scale, orientation, x, y), found 0",
  );
  const nowhere = [0, 1, 0, NaN, 0];
  await assertRejects(() => trained.sample({ covariates: nowhere }), RangeError, "expected finite numbers, found NaN");
  await assertRejects(
    () => fit(cvae, { condition: "covariates" }, blocks(2)),
    RangeError,
    "expected a dataset with covariates, found none",
  );
});

Deno.test("cvae needs a dataset with classes", async () => {
  const { name, shape, train } = blocks();
  const { values, count } = train;
  const unlabelled = { name, shape, train: { values, count }, test: { values, count } };
  await assertRejects(() => fit(cvae, {}, unlabelled), RangeError, "expected a dataset with classes, found none");
});
