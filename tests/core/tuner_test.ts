/** Which tile is chosen: by rule, by times that a test gives in place of a clock, from a cache, and what a run keeps of it. */

import { assert, assertEquals, assertGreater, assertThrows } from "@std/assert";
import type { TapeProduct } from "../../core/graph/dispatches.ts";
import {
  candidates,
  chooseTiles,
  type ProductShape,
  productShape,
  shapeName,
  TILE_CHOICES,
  tilesName,
  type TunedTiles,
  WORKGROUP_TILES,
  type WorkgroupTile,
} from "../../core/products/tiles.ts";
import { ruledTile } from "../../core/products/workgroup.ts";
import { type TileCache, tune, tunedTiles, tuneTraining, tuningKey } from "../../core/training/tuner.ts";
import { configure } from "../../core/settings.ts";
import { FileError } from "../../core/bounds.ts";
import { decodeCheckpoint } from "../../core/training/checkpoint.ts";
import { train } from "../../core/training/trainer.ts";
import { trainingSettings } from "../../core/training/training_settings.ts";
import type { Dataset } from "../../core/dataset.ts";
import type { Model } from "../../core/model.ts";
import { vae } from "../../models/vae.ts";
import { families, gpu } from "../support/gpu.ts";

const shape = (rows: number, columns: number, slices = 1): ProductShape => ({
  kind: "forward",
  rows,
  depth: 512,
  columns,
  slices,
  begins: false,
});

/** A product of which only the shape is asked. */
const product = (rows: number, columns: number): TapeProduct => ({
  shape: shape(rows, columns),
  macs: rows * columns * 512,
  form: () => [],
});

/** A cache that remembers what it was told. */
function memory(initial?: unknown): TileCache & { kept: Map<string, unknown> } {
  const kept = new Map<string, unknown>(initial === undefined ? [] : [[tuningKey(gpu), initial]]);
  return {
    kept,
    get: (key) => Promise.resolve(kept.get(key)),
    set: (key, tuned) => Promise.resolve(void kept.set(key, tuned)),
  };
}

/** Milliseconds by tile, a second each to find out; and who asked for them. */
function clock(times: (product: TapeProduct, tile: WorkgroupTile) => number) {
  let time = 0;
  const asked: string[] = [];
  return {
    asked,
    now: () => time,
    timer: (product: TapeProduct, tile: WorkgroupTile) => {
      time += 1000;
      asked.push(`${product.shape.rows} ${tile}`);
      return Promise.resolve(times(product, tile));
    },
  };
}

const area: Readonly<Record<string, number>> = {
  "workgroup-16x32": 512,
  "workgroup-32x32": 1024,
  "workgroup-64x64": 4096,
};

Deno.test("a tile of which half would lie beyond the result is no candidate", () => {
  assertEquals(candidates(shape(32, 32)), WORKGROUP_TILES.slice(0, 2));
  assertEquals(candidates(shape(32, 512)), WORKGROUP_TILES.slice(0, 2));
  assertEquals(candidates(shape(64, 512)), WORKGROUP_TILES);
  assertEquals(candidates(shape(8192, 32)), WORKGROUP_TILES.slice(0, 2));
  assertEquals(candidates(shape(2 ** 20, 32)), WORKGROUP_TILES.slice(1, 2), "65536 workgroups of 16 rows");
  assertEquals(candidates(shape(2 ** 21, 32)), WORKGROUP_TILES.slice(-1));
});

Deno.test("a weight gradient whose sum is long beside its result is formed in chunks, whatever the tile", () => {
  const chunks = (rows: number, depth: number, columns: number) =>
    productShape({
      ...{ label: "", kind: "weightGradient", rows, depth, columns, biasRow: rows, macs: 0 },
      ...{ a: { parts: [] }, b: { parts: [] }, epilogue: { parts: [] } },
    }).slices;
  assertEquals(chunks(800, 128, 512), 1);
  assertEquals(chunks(800, 512, 512), 2);
  assertEquals(chunks(800, 8192, 512), 11);
  assertEquals(chunks(32, 8192, 512), 32, "no chunk shorter than 256");
});

Deno.test("without measurements, large results get large tiles and small ones small tiles", () => {
  assertEquals(ruledTile(shape(128, 512)), "workgroup-16x32");
  assertEquals(ruledTile(shape(1024, 512)), "workgroup-32x32");
  assertEquals(ruledTile(shape(8192, 512)), "workgroup-64x64");
  assertEquals(ruledTile(shape(512, 512, 4)), "workgroup-64x64");
});

Deno.test("chooseTiles() pins one tile, and takes what was found before the rule", () => {
  for (const tile of WORKGROUP_TILES) {
    const { family, pinned } = chooseTiles(gpu, tile);
    assertEquals([family, pinned], ["workgroup", tile]);
    assertEquals(tilesName(chooseTiles(gpu, tile)), tile);
  }
  assertEquals(tilesName(chooseTiles(gpu, "workgroup")), "workgroup");
  assert(WORKGROUP_TILES.every((tile) => TILE_CHOICES.includes(tile)));
});

Deno.test("tune() takes the tile with the least median time, of each shape by itself", async () => {
  const { timer, now } = clock(({ shape: { rows } }, tile) => rows > 1000 ? 1 / area[tile] : area[tile]);
  const found = await tune(gpu, [product(128, 512), product(2048, 512), product(128, 512)], {
    ...{ timer, now, seconds: 1000 },
  });
  assertEquals(found.map(({ tile, macs }) => [tile, macs]), [
    ["workgroup-16x32", 128 * 512 * 512],
    ["workgroup-64x64", 2048 * 512 * 512],
  ]);
  assertEquals(Object.keys(found[0].milliseconds), [...WORKGROUP_TILES]);
  assertEquals(tunedTiles(found), {
    "forward 128 x 512 x 512": "workgroup-16x32",
    "forward 2048 x 512 x 512": "workgroup-64x64",
  });
});

Deno.test("tune() times rivals in turn several times, so that one bad moment does not decide", async () => {
  const seen = new Map<string, number>();
  const { timer, now, asked } = clock((_, tile) => {
    const count = (seen.get(tile) ?? 0) + 1;
    seen.set(tile, count);
    if (tile === "workgroup-64x64") return count === 2 ? 9 : 1;
    return tile === "workgroup-32x32" ? 1.1 : 5;
  });
  const [{ tile, milliseconds }] = await tune(gpu, [product(128, 512)], { timer, now, seconds: 1000 });
  assertEquals(tile, "workgroup-64x64");
  assertEquals(milliseconds["workgroup-64x64"], 1);
  assertEquals(seen.get("workgroup-16x32"), 1, "five times as slow as the best: no rival");
  assertEquals(asked.slice(3, 5), ["128 workgroup-32x32", "128 workgroup-64x64"]);
});

Deno.test("tune() ends in time, begins with the largest product, and leaves the others to the rule", async () => {
  const { timer, now, asked } = clock((_, tile) => area[tile]);
  const found = await tune(gpu, [product(128, 512), product(2048, 512)], { timer, now, seconds: 5 });
  assertEquals(asked.length, 5);
  assert(asked.slice(0, 3).every((text) => text.startsWith("2048 ")), asked.join());
  assertEquals(found.map(({ tile }) => tile), [undefined, "workgroup-16x32"]);
});

Deno.test("tune() times nothing that the cache knows, and keeps what it finds under the adapter's name", async () => {
  const cache = memory();
  const first = clock((_, tile) => area[tile]);
  await tune(gpu, [product(128, 512)], { ...first, cache, seconds: 1000 });
  assertGreater(first.asked.length, 0);
  assertEquals([...cache.kept], [[tuningKey(gpu), { "forward 128 x 512 x 512": "workgroup-16x32" }]]);
  const again = clock(() => 1);
  let started = 0;
  const found = await tune(gpu, [product(128, 512)], { ...again, cache, onStart: (shapes) => started += shapes });
  assertEquals([again.asked, started, found[0].tile], [[], 0, "workgroup-16x32"]);
  await tune(gpu, [product(128, 512), product(2048, 512)], {
    ...{ ...again, cache, seconds: 1000, onStart: (shapes) => started += shapes },
  });
  assertEquals(started, 1);
  assert(again.asked.every((text) => text.startsWith("2048 ")));
  assertEquals(Object.keys(cache.kept.get(tuningKey(gpu)) as TunedTiles).length, 2);
});

Deno.test("tune() takes nothing from a cache with tiles that there are none of, and replaces it", async () => {
  for (const damaged of ["text", 7, null, { "forward 128 x 512 x 512": "workgroup-1x1" }]) {
    const cache = memory(damaged);
    const { timer, now, asked } = clock((_, tile) => area[tile]);
    const [{ tile }] = await tune(gpu, [product(128, 512)], { timer, now, cache, seconds: 1000 });
    assertGreater(asked.length, 0);
    assertEquals(tile, "workgroup-16x32");
    assertEquals(cache.kept.get(tuningKey(gpu)), { "forward 128 x 512 x 512": "workgroup-16x32" });
  }
});

/** 64 rows of 12 grey pixels. */
const rows = { values: Uint8Array.from({ length: 64 * 12 }, (_, i) => (i * 37) % 256), count: 64 };
const dataset: Dataset = { name: "grey", shape: [1, 12, 1], train: rows, test: rows };
const small = {
  hidden: [40],
  latents: 2,
  batchSize: 32,
  epochs: 2,
  validation: 0,
  seed: 4,
  tiles: "workgroup",
} as const;

Deno.test("tuneTraining() times the kernels of a training step on the GPU, and changes nothing that it is given", async () => {
  const { hidden, latents, batchSize } = small;
  const found = await tuneTraining({
    gpu,
    model: vae as Model,
    config: configure(vae.settings, { hidden: [...hidden], latents }),
    training: configure(trainingSettings, { batchSize }),
    data: dataset,
    split: rows,
  }, { seconds: 30 });
  const names = found.map(({ shape }) => shape);
  assert(
    names.includes(
      shapeName({ ...shape(32, 64), kind: "weightGradient", depth: 32 }),
    ),
    names.join(),
  );
  for (const { tile, milliseconds } of found) {
    assert(tile && milliseconds[tile] > 0);
    assertEquals(milliseconds[tile], Math.min(...Object.values(milliseconds)));
  }
});

/** Trains to an epoch, and gives the checkpoint's bytes. */
async function bytesOf(
  epochs: number,
  options: Parameters<typeof train>[3],
  tiles: typeof TILE_CHOICES[number] = "workgroup",
) {
  const training = train(vae, dataset, options?.resume ? { epochs } : { ...small, hidden: [40], epochs, tiles }, {
    gpu,
    ...options,
  });
  for await (const _ of training);
  using trained = training.trained;
  return await trained.toBytes();
}

Deno.test("a run keeps its tiles in the checkpoint: resumed with other choices at hand, it ends with the same bytes", async () => {
  const tuned: TunedTiles = {
    "forward 32 x 32 x 64": "workgroup-32x32",
    "weightGradient 32 x 32 x 64": "workgroup-32x32",
  };
  const tune = () => Promise.resolve(tuned);
  const through = await bytesOf(2, { tune });
  const half = decodeCheckpoint(await bytesOf(1, { tune }), "half");
  assertEquals(half.tuned, tuned);
  const resumed = await bytesOf(2, {
    resume: half,
    tune: () => Promise.resolve({ "forward 32 x 32 x 64": "workgroup-16x32" }),
  });
  assertEquals(decodeCheckpoint(resumed, "resumed").tuned, tuned);
  assertEquals(resumed, through);
});

Deno.test("a pinned tile is what the checkpoint names, and what a resumed run has", async () => {
  const half = decodeCheckpoint(await bytesOf(1, {}, "workgroup-32x32"), "half");
  assertEquals([half.tiles, half.training.tiles, half.tuned], ["workgroup-32x32", "workgroup-32x32", undefined]);
  const resumed = decodeCheckpoint(await bytesOf(2, { resume: half }), "resumed");
  assertEquals(resumed.tiles, "workgroup-32x32");
});

Deno.test("a checkpoint of tiles that there are none of is refused", async () => {
  const bytes = await bytesOf(1, { tune: () => Promise.resolve({ "forward 32 x 32 x 64": "workgroup-32x32" }) });
  // A character a byte: what TextDecoder calls latin1 has others for 128 to 159.
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("").replace(
    "workgroup-32x32",
    "workgroup-99x32",
  );
  const damaged = Uint8Array.from(text, (character) => character.charCodeAt(0));
  assertThrows(() => decodeCheckpoint(damaged, "file"), FileError, 'Cannot load "file": expected known tiles');
});

Deno.test("the panel family is chosen by rule on a processor that has subgroups", {
  ignore: !families.some((family) => family === "panel"),
}, () => {
  const { family, tuned } = chooseTiles(gpu, "auto", { "forward 32 x 32 x 64": "workgroup-32x32" });
  assertEquals([family, tuned], ["panel", {}]);
});
