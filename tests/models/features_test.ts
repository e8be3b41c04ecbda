/** A VAE that sees by an encoder trained before: gradients, features that stay as they are, checkpoints. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Trained } from "../../core/training/trained.ts";
import { train } from "../../core/training/trainer.ts";
import { decodeCheckpoint } from "../../core/training/checkpoint.ts";
import type { Model } from "../../core/model.ts";
import { configure } from "../../core/settings.ts";
import { dae } from "../../models/ae.ts";
import { betaVae } from "../../models/beta_vae.ts";
import { comparedByFeatures } from "../../models/features.ts";
import { vae } from "../../models/vae.ts";
import { checkModelGradients } from "../support/gradients.ts";
import { gpu } from "../support/gpu.ts";
import { stripes as dataset } from "../support/stripes.ts";

const own = { name: "seeing_vae", summary: "a VAE that sees by another model", source: "this test" };
const config = { hidden: [7], latents: 3, likelihood: "gaussian", outputActivation: "sigmoid", beta: 0.7 } as const;

for (const [model, hidden] of [[dae as Model, [5]], [vae as Model, [6, 4]]] as const) {
  Deno.test(`a VAE that sees by ${model.name} has the gradients of its loss, and none for the features`, async () => {
    const encoding = configure<object>(
      model.settings,
      { hidden, latents: 2, likelihood: "gaussian" } as object,
      model.name,
    );
    const seeing = comparedByFeatures(betaVae, own, { model, config: encoding, tensors: () => Promise.reject() });
    const whole = configure(seeing.settings, config, own.name);
    await checkModelGradients(seeing as Model, whole, dataset, { binarize: "none", skip: /^features\./ });
  });
}

Deno.test("a VAE keeps the features that it was given, trains against them, and is opened with them", async () => {
  const options = { batchSize: 20, epochs: 1, binarize: "none", validation: 0 } as const;
  const first = train(dae, dataset, { ...options, hidden: [5], latents: 2, likelihood: "gaussian", seed: 3 }, { gpu });
  for await (const _ of first);
  using encoder = first.trained;
  const tensors = await encoder.parameters.read({ slots: false });
  const asked: number[] = [];
  const seeing = comparedByFeatures(betaVae, own, {
    model: dae,
    config: encoder.config,
    tensors: (seed) => {
      asked.push(seed);
      return Promise.resolve(tensors);
    },
  });
  const training = train(seeing, dataset, { ...config, ...options, epochs: 3, seed: 5 } as object, { gpu });
  const losses: number[] = [];
  for await (const event of training) if (event.event === "epoch") losses.push(event.train.features);
  using trained = training.trained;
  assertEquals(asked, [5]);
  assert(losses[2] < losses[0], `${losses}`);
  const after = await trained.parameters.read();
  for (const [name, { data }] of tensors) assertEquals(after.get(`features.${name}`)?.data, data);
  assert(![...after.keys()].some((name) => name.startsWith("optimizer.") && name.includes("features.")));
  const checkpoint = decodeCheckpoint(await trained.toBytes(), "bytes");
  using opened = await Trained.fromCheckpoint(seeing, checkpoint, { gpu });
  assertEquals((await opened.parameters.read()).get("features.code.weight")?.data, tensors.get("code.weight")?.data);
});

Deno.test("a VAE that compares by features refuses what has no meaning with them", () => {
  const encoding = configure(dae.settings, {}, "dae");
  const seeing = comparedByFeatures(betaVae, own, {
    model: dae,
    config: encoding,
    tensors: () => Promise.reject(),
  });
  for (const more of [{ likelihood: "bernoulli" }, { capacity: 3 }, { penalty: "mmd" }]) {
    assertThrows(
      () => train(seeing, dataset, { ...config, ...more } as object, { gpu }),
      RangeError,
      "Cannot compare by features with",
    );
  }
});
