/** A model whose code is loaded by need: when it is loaded, and when its settings are checked. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { byNeed } from "../../core/by_need.ts";
import { type ComposedConfig, type Model, train, vae } from "../../mod.ts";
import { gpu } from "../support/gpu.ts";
import { stripes } from "../support/stripes.ts";

const settings = { hidden: [6], latents: 2, batchSize: 20, epochs: 2, validation: 20 };

/** `vae`, of which everything but β = 1 has to be loaded first. */
function loadedByNeed() {
  const part = byNeed(() => Promise.resolve(vae));
  const loaded: string[] = [];
  const of = (config: ComposedConfig) => config.beta === 1 ? vae : part.now;
  const model: Model<ComposedConfig> = {
    ...vae,
    missing({ beta }) {
      const load = beta === 1 ? undefined : part.missing;
      return load && (() => {
        loaded.push(`beta ${beta}`);
        return load();
      });
    },
    check: (config) => of(config).check!(config),
    parameters: (config, data) => of(config).parameters(config, data),
    objectives: (t, p, batch, config) => of(config).objectives(t, p, batch, config),
  };
  return { model, loaded };
}

Deno.test("a training loads what its settings need, once, as the first event is asked for", async () => {
  const { model, loaded } = loadedByNeed();
  const training = train(model, stripes, { ...settings, beta: 2 }, { gpu });
  assertEquals(loaded, []);
  assertThrows(() => training.adjust({ beta: 3 }), Error, "expected it to have begun");
  for await (const event of training) if (event.event === "epoch") assert(Number.isFinite(event.train.loss));
  assertEquals(loaded, ["beta 2"]);
  training.trained.destroy();
});

Deno.test("settings without a meaning are refused before there is anything, once that can be known", async () => {
  const { model, loaded } = loadedByNeed();
  const training = train(model, stripes, { ...settings, beta: 2, objective: "iwae" }, { gpu });
  await assertRejects(() => training[Symbol.asyncIterator]().next(), RangeError, "Cannot combine beta 2");
  assertEquals(loaded, ["beta 2"]);
  assertThrows(() => training.trained, Error, "expected the training to have begun");
  assertThrows(() => train(vae, stripes, { ...settings, beta: 2, objective: "iwae" }), RangeError, "Cannot combine");
});

Deno.test("adjust() to settings that need more takes effect once that is loaded", async () => {
  const { model, loaded } = loadedByNeed();
  const training = train(model, stripes, settings, { gpu });
  for await (const event of training) if (event.event === "epoch" && event.epoch === 1) training.adjust({ beta: 2 });
  assertEquals([loaded, training.trained.config.beta], [["beta 2"], 2]);
  training.trained.destroy();
});

Deno.test("what could not be loaded is tried again", async () => {
  let tries = 0;
  const part = byNeed(() => ++tries === 1 ? Promise.reject(new Error("offline")) : Promise.resolve(tries));
  assertThrows(() => part.now, Error, "not loaded yet");
  await assertRejects(() => part.load(), Error, "offline");
  assertEquals([await part.load(), part.now, part.missing], [2, 2, undefined]);
});
