/** Points that are decoded where they are drawn: as the engine decodes them, by weights that are no older than they may be. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { callByName, type Engine, engineElsewhere, type EngineEvent } from "../../explorer/engine.ts";
import { decodesPointsHere } from "../../explorer/points.ts";
import { Session } from "../../explorer/session.ts";
import { Gpu } from "../../mod.ts";
import { stripes } from "../support/stripes.ts";

const small = { hidden: [7], latents: 3, batchSize: 20, epochs: 2, validation: 20, learningRate: 0.01 };

/** An engine whose points are decoded here, beside the session behind it, and what that was asked. */
async function withPoints(work: (here: Engine, session: Session, asked: string[]) => Promise<void>): Promise<void> {
  const gpu = await Gpu.open();
  const session = new Session(gpu);
  const asked: string[] = [];
  const { engine, tell } = engineElsewhere({
    ...{ way: "webgpu", adapter: session.adapter, close: () => void session.close() },
    call(name, args) {
      asked.push(name);
      return callByName(session, name, args);
    },
  });
  session.onEvent(tell);
  const here = decodesPointsHere(engine);
  await here.useData(stripes);
  try {
    await work(here, session, asked);
  } finally {
    await session.close();
    gpu.destroy();
  }
}

const told = (engine: Engine, kind: EngineEvent["event"]) =>
  new Promise<void>((resolve) => {
    const unhear = engine.onEvent(({ event }) => {
      if (event !== kind) return;
      unhear();
      resolve();
    });
  });

/** What is decoded here, once the engine is no longer asked for it. */
async function decodedHere(here: Engine, asked: string[], z: Float32Array<ArrayBuffer>): Promise<Float32Array> {
  for (let tried = 0; tried < 200; tried++) {
    asked.length = 0;
    const x = await here.decode(z);
    if (!asked.includes("decode")) return x;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("The engine was asked each time");
}

function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>): void {
  assertEquals(found.length, expected.length);
  for (let i = 0; i < found.length; i++) assertAlmostEquals(found[i], expected[i], 1e-5);
}

Deno.test("points are decoded here as the engine does, of the model opened last and of a training that rests", () =>
  withPoints(async (here, session, asked) => {
    const ended = told(here, "end");
    await here.train({ model: "vae", config: { ...small, prior: "mixture", components: 3 } });
    await ended;
    const z = Float32Array.of(0.3, -1, 2, 0, 0, 1);
    const trained = await decodedHere(here, asked, z);
    assertClose(trained, await session.decode(z));
    const bytes = await here.save();

    await here.train({ model: "vae", config: { ...small, epochs: 100_000, seed: 1 } });
    await here.control({ running: false });
    await told(here, "paused");
    const paused = await decodedHere(here, asked, z);
    assertClose(paused, await session.decode(z));
    assert(paused.some((value, i) => Math.abs(value - trained[i]) > 0.01), "it is another model");

    await here.open(bytes);
    assertClose(await decodedHere(here, asked, z), trained);
  }));

Deno.test("points of a running training follow its weights", () =>
  withPoints(async (here, _, asked) => {
    await here.train({ model: "vae", config: { ...small, epochs: 100_000 } });
    const z = Float32Array.of(1, 1, 1);
    const first = await decodedHere(here, asked, z);
    let later = first;
    for (let tried = 0; tried < 300 && later.every((value, i) => value === first[i]); tried++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      later = await decodedHere(here, asked, z);
    }
    assert(later.some((value, i) => value !== first[i]));
    const ended = told(here, "end");
    await here.control({ stop: true });
    await ended;
  }));

Deno.test("points of Gaussian decoders are decoded here too, with any activation", () =>
  withPoints(async (here, session, asked) => {
    const z = Float32Array.of(0.3, -1, 2, 0, 0, 1);
    for (const [activation, likelihood] of [["gelu", "gaussian"], ["elu", "gaussian-decoder"]]) {
      const ended = told(here, "end");
      const others = { activation, likelihood, outputActivation: "sigmoid" };
      await here.train({ model: "vae", config: { ...small, ...others } });
      await ended;
      assertClose(await decodedHere(here, asked, z), await session.decode(z));
    }
  }));

Deno.test("a training goes by single steps as long as the engine is asked for points", () =>
  withPoints(async (here, session) => {
    const steps: number[] = [];
    session.onEvent((event) => event.event === "progress" && steps.push(event.step));
    await here.train({ model: "vae", config: { ...small, epochs: 100_000 } });
    const z = new Float32Array(3);
    for (let i = 0; i < 2000 && steps.length < 30; i++) {
      await session.decode(z);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const taken = steps.map((step, i) => step - (steps[i - 1] ?? 0)).slice(-10);
    assertEquals(taken, Array(10).fill(1));
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert(steps.at(-1)! - steps.at(-2)! > 1, "it goes on as before");
  }));

Deno.test("what is no dense decoder, and many points, are left to the engine", () =>
  withPoints(async (here, session, asked) => {
    const ended = told(here, "end");
    await here.train({ model: "vae", config: { ...small, normalization: "layer" } });
    await ended;
    await session.save();
    asked.length = 0;
    await here.decode(new Float32Array(3));
    assertEquals(asked, ["decode"]);
    const again = told(here, "end");
    await here.train({ model: "vae", config: small });
    await again;
    await decodedHere(here, asked, new Float32Array(3));
    asked.length = 0;
    await here.decode(new Float32Array(3 * 100_000));
    assertEquals(asked, ["decode"]);
  }));
