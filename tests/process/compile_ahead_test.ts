/** Kernels that a second thread compiles: the numbers of a training do not depend on when the program takes them. */

import { assert, assertEquals } from "@std/assert";
import { Gpu } from "../../core/gpu/device.ts";
import { Parameters } from "../../core/graph/parameters.ts";
import { configure } from "../../core/settings.ts";
import { chooseTiles } from "../../core/products/tiles.ts";
import { createTrainingProgram } from "../../core/training/training_program.ts";
import { initializersOf, trainingSettings } from "../../core/training/training_settings.ts";
import { vae } from "../../models/vae.ts";

const shape = [28, 28, 1] as const;
const values = new Uint8Array(300 * 784).map((_, i) => (i * 7919) % 7 < 2 ? 255 : 0);

/** Three steps, three more when the program has its fastest kernels, and what is then in the parameters. */
async function sixSteps(compileAhead: boolean) {
  using gpu = await Gpu.open({ compileAhead });
  const config = configure(vae.settings, { hidden: [240], latents: 5 });
  const training = configure(trainingSettings, { batchSize: 100, binarize: "threshold" });
  const parameters = new Parameters(gpu, vae.parameters(config, { shape }));
  parameters.initialize(initializersOf(training), 1);
  const tiles = chooseTiles(gpu);
  const split = { values, count: 300 };
  const { program } = await createTrainingProgram({
    ...{ gpu, tiles, model: vae, config, training, parameters, data: { shape }, split },
  });
  const before = program.dispatches;
  const terms = [...await program.submit(3)];
  await program.settled;
  terms.push(...await program.submit(3));
  return { tiles, changed: program.dispatches !== before, terms, parameters: await parameters.read() };
}

Deno.test("a program that goes over to long panels forms the same numbers as one that has them from the start", async () => {
  const [ahead, alone] = [await sixSteps(true), await sixSteps(false)];
  assertEquals(ahead.terms, alone.terms);
  assertEquals(ahead.parameters, alone.parameters);
  assert(!alone.changed);
  // A GPU's driver compiles soon enough.
  assertEquals(ahead.changed, ahead.tiles.family === "panel");
});

Deno.test("a program that is gone before its long panels are compiled leaves the device without an error", async () => {
  using gpu = await Gpu.open({ compileAhead: true });
  const config = configure(vae.settings, { hidden: [240], latents: 5 });
  const training = configure(trainingSettings, { batchSize: 100, binarize: "threshold" });
  const parameters = new Parameters(gpu, vae.parameters(config, { shape }));
  const split = { values, count: 300 };
  const step = await createTrainingProgram({
    ...{ gpu, tiles: chooseTiles(gpu), model: vae, config, training, parameters, data: { shape }, split },
  });
  await step.program.submit(1);
  const { settled } = step.program;
  step.destroy();
  await settled;
  // Errors are told a moment later.
  await gpu.device.queue.onSubmittedWorkDone();
  gpu.check();
});
