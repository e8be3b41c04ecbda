/** `deno task tune`, the file that it keeps its choices in, and that training on the processor does without. */

import { assert, assertEquals, assertMatch, assertStringIncludes, fail } from "@std/assert";
import { Gpu } from "../../core/gpu/device.ts";
import { readTuned } from "../../core/products/tiles.ts";
import { train } from "../../core/training/trainer.ts";
import { tuningKey } from "../../core/training/tuner.ts";
import { vae } from "../../models/vae.ts";
import { tileCache, TILES, tunedFor } from "../../tasks/cli/tiles.ts";
import { trainTask } from "../../tasks/train.ts";
import { tuneTask } from "../../tasks/tune.ts";
import { families, gpu as adapter } from "../support/gpu.ts";
import { attempt, blocks, inFolder, jsonLines, small } from "./support.ts";

const SMALL = "--architectures 6-2 --batch-sizes 21 --features 16".split(" ");
const timing = [...SMALL, "--tiles", "workgroup"];

const kept = async () => JSON.parse(await Deno.readTextFile(TILES)) as Record<string, unknown>;

Deno.test("tune times the tiles of every product, and keeps the fastest of each", () =>
  inFolder(async () => {
    const { code, stdout, stderr } = await attempt(tuneTask, [...timing, "--json"]);
    assertEquals([code, stderr], [0, ""]);
    const lines = jsonLines(stdout);
    assertEquals(lines.map(({ architecture, batch }) => [architecture, batch]), lines.map(() => ["6-2", 21]));
    for (const { gflops, tile } of lines) {
      assert(tile in gflops);
      assertEquals(gflops[tile], Math.max(...Object.values<number>(gflops)));
    }
    const [[key, tuned]] = Object.entries(await kept());
    assertStringIncludes(key, lines[0].adapter);
    assertEquals(tuned, Object.fromEntries(lines.map(({ shape, tile }) => [shape, tile])));
  }));

Deno.test("tune replaces a damaged file and says so, and needs no file that can be written", () =>
  inFolder(async () => {
    await Deno.mkdir("data");
    await Deno.writeTextFile(TILES, '{"half of a fi');
    const { code, stdout } = await attempt(tuneTask, timing);
    assertEquals(code, 0);
    assertMatch(stdout, /^The tile choices in data\/tiles\.json are damaged: they are measured again$/m);
    assertMatch(stdout, /^ {2}forward 32 x 32 x 32 +16x32 [\d.]+\*? +32x32 [\d.]+\*?$/m);
    assert(Object.values(await kept()).every(readTuned));
    await Deno.remove("data", { recursive: true });
    await Deno.writeTextFile("data", "a file where the folder would be");
    assertEquals((await attempt(tuneTask, timing)).code, 0);
  }));

Deno.test("tune has nothing to do where panels are used, and training there times nothing", {
  ignore: !families.some((family) => family === "panel"),
}, () =>
  inFolder(async () => {
    const { code, stdout } = await attempt(tuneTask, SMALL);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "takes panel tiles, and there is nothing to choose; --tiles workgroup");
    assertEquals((await attempt(trainTask, [...small, "--tiles", "workgroup", "--out", "runs/first"])).code, 0);
    assertEquals(await Deno.stat(TILES).catch(() => undefined), undefined);
  }));

Deno.test("training on a GPU times nothing, and takes what deno task tune has found for it", () =>
  inFolder(async () => {
    // The adapter of the tests, under no name that gives it away.
    const gpu = new Gpu(adapter.device);
    const tunedOf = async () => {
      const training = train(vae, blocks(), { hidden: [6], latents: 2, batchSize: 21, epochs: 1, validation: 40 }, {
        gpu,
        tune: (step) => tunedFor(step, fail),
      });
      for await (const _ of training);
      using trained = training.trained;
      return trained.tuned;
    };
    assertEquals(await tunedOf(), {});
    assertEquals(await Deno.stat(TILES).catch(() => undefined), undefined);
    const found = { "forward 32 x 32 x 32": "workgroup-32x32" } as const;
    await tileCache(fail).set(tuningKey(gpu), { ...found, "forward 1024 x 32 x 32": "workgroup-64x64" });
    assertEquals(await tunedOf(), found);
  }));

Deno.test("tune refuses an architecture that it cannot read", async () => {
  const { code, stderr } = await attempt(tuneTask, ["--architectures", "500"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, '--architectures: expected hidden widths and latents as 500-500-3, found "500"');
});
