/** The engines of the page: one on the library, one in plain TypeScript, and that they agree. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import type { Engine, EngineEvent } from "../../explorer/engine.ts";
import { PlainEngine } from "../../explorer/plain.ts";
import { Session } from "../../explorer/session.ts";
import { Gpu } from "../../mod.ts";
import { stripes } from "../support/stripes.ts";

const small = { hidden: [7, 5], latents: 3, batchSize: 20, epochs: 3, validation: 20, learningRate: 0.01 };

/** A session with rows, closed at the end. */
async function withSession(work: (session: Session) => Promise<void>): Promise<void> {
  const gpu = await Gpu.open();
  const session = new Session(gpu);
  await session.useData(stripes);
  try {
    await work(session);
  } finally {
    await session.close();
    gpu.destroy();
  }
}

/** The next event of a kind. */
function next(engine: Engine, kind: EngineEvent["event"]): Promise<EngineEvent> {
  return new Promise((resolve) => {
    const unhear = engine.onEvent((event) => {
      if (event.event !== kind) return;
      unhear();
      resolve(event);
    });
  });
}

Deno.test("a session trains, and tells what comes of it", () =>
  withSession(async (session) => {
    const events: EngineEvent[] = [];
    session.onEvent((event) => events.push(event));
    const ended = next(session, "end");
    const info = await session.train({ model: "beta_vae", config: { ...small, beta: 2 } });
    assertEquals([info.model, info.latents, info.can.train], ["beta_vae", 3, true]);
    await ended;
    assertEquals(events.filter(({ event }) => event === "epoch").length, 3);
    const { x, z } = await session.sample({ count: 4, seed: 1 });
    assertEquals([x.length, z.length], [64, 12]);
    assertEquals((await session.model())!.step, 15);
  }));

Deno.test("a training pauses, goes on by single steps, takes another loss, and answers meanwhile", () =>
  withSession(async (session) => {
    const steps: number[] = [];
    session.onEvent((event) => event.event === "progress" && steps.push(event.step));
    const paused = next(session, "paused");
    await session.train({ model: "vae", config: { ...small, epochs: 100 } });
    await session.control({ running: false });
    await paused;
    // What was on the way when it paused has come.
    for (let i = 0; i < 3; i++) {
      const again = next(session, "paused");
      await session.control({ steps: 1 });
      await again;
    }
    const last = steps.slice(-3);
    assertEquals([last[1] - last[0], last[2] - last[1]], [1, 1]);
    assertEquals((await session.decode(new Float32Array(3))).length, 16);
    assertEquals((await session.encodeRows({ split: "test", count: 7 })).mean.length, 21);
    await session.control({ adjust: { beta: 5 } });
    // The step that was on the way still has the loss of before.
    for (let i = 0; i < 2; i++) {
      const again = next(session, "paused");
      await session.control({ steps: 1 });
      await again;
    }
    assertEquals((await session.model())!.config.beta, 5);
    await assertRejects(async () => await session.control({ adjust: { latents: 4 } }), RangeError, "latents");
    const ended = next(session, "end");
    await session.control({ stop: true });
    await ended;
    assertEquals((await session.decode(new Float32Array(3))).length, 16, "the model stays open");
  }));

Deno.test("a checkpoint is saved and opened, and one that is damaged leaves the model that was open", () =>
  withSession(async (session) => {
    const ended = next(session, "end");
    await session.train({ model: "cvae", config: small });
    await ended;
    const bytes = await session.save();
    const z = Float32Array.of(0.5, -1, 2);
    const before = await session.decode(z, [2]);
    assertEquals((await session.open(bytes)).condition, "one-hot");
    assertEquals(await session.decode(z, [2]), before);
    await assertRejects(() => session.open(bytes.slice(0, 100)), Error, "checkpoint");
    assertEquals(await session.decode(z, [2]), before);
  }));

for (const model of ["vae", "cvae"]) {
  Deno.test(`plain TypeScript encodes, decodes and scores as WebGPU does: ${model}`, () =>
    withSession(async (session) => {
      const ended = next(session, "end");
      await session.train({ model, config: small });
      await ended;
      const plain = new PlainEngine();
      const bytes = await session.save();
      const { step, parameters } = await session.open(bytes);
      const info = await plain.open(bytes);
      assertEquals([info.step, info.parameters, info.can.train], [step, parameters, false]);
      assertEquals(await plain.save(), bytes);
      await plain.useData(stripes);
      const which = { split: "test", rows: [3, 0, 8] } as const;
      const { x, labels } = await plain.rows(which);
      assertEquals({ x, labels }, await session.rows(which));
      const given = model === "cvae" ? Array.from(labels!) : undefined;
      const close = (found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number) => {
        assertEquals(found.length, expected.length);
        for (let i = 0; i < found.length; i++) assertAlmostEquals(found[i], expected[i], tolerance);
      };
      const [a, b] = [await plain.encode(x, given), await session.encode(x, given)];
      close(a.mean, b.mean, 1e-5);
      close(a.logVariance, b.logVariance, 1e-5);
      close(a.kl!, b.kl!, 1e-5);
      close(await plain.decode(a.mean, given), await session.decode(a.mean, given), 1e-5);
      close((await plain.sample({ count: 4, seed: 3 })).z, (await session.sample({ count: 4, seed: 3 })).z, 1e-6);
      // Two estimates of log p(x), each by draws of its own.
      const samples = 2000;
      close(await plain.score(x, { samples, labels: given }), await session.score(x, { samples, labels: given }), 0.1);
      const mask = Uint8Array.from({ length: 16 }, (_, i) => i < 8 ? 1 : 0);
      const filled = await plain.impute(x.slice(0, 16), mask, { labels: given });
      close(filled.subarray(0, 8), x.subarray(0, 8), 0);
      assert(filled.subarray(8).every((value) => value > 0 && value < 1));
    }));
}

Deno.test("plain TypeScript says what it cannot open", () =>
  withSession(async (session) => {
    const ended = next(session, "end");
    await session.train({ model: "vae", config: { ...small, prior: "mixture", components: 3 } });
    await ended;
    const bytes = await session.save();
    await assertRejects(
      () => new PlainEngine().open(bytes),
      Error,
      "Cannot open vae without WebGPU: expected prior standard, found mixture",
    );
  }));

Deno.test("a model tells which settings are not the defaults of their declarations", () =>
  withSession(async (session) => {
    const settings = { labelColumn: "kind", missing: "error", standardize: false };
    await session.useData({ ...stripes, settings });
    const ended = next(session, "end");
    await session.train({ model: "beta_vae", config: { ...small, beta: 4, biasCorrection: false } });
    await ended;
    const { chosen } = (await session.model())!;
    const { epochs, validation, batchSize, learningRate, hidden, latents } = small;
    assertEquals(chosen, {
      ...{ epochs, validation, batchSize, learningRate, hidden, latents, biasCorrection: false },
      labelColumn: "kind",
    });
  }));
