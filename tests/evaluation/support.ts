/**
 * The checkpoint of tests/golden/bits_vae.py and its rows.
 *
 * @module
 */

import { type Dataset, type Trained as TrainedModel, vae } from "../../mod.ts";
import type { Model } from "../../core/model.ts";
import type { TileFamily } from "../../core/products/tiles.ts";
import { decodeCheckpoint } from "../../core/training/checkpoint.ts";
import { Trained } from "../../core/training/trained.ts";
import { families, gpu } from "../support/gpu.ts";

const values = Uint8Array.from({ length: 60 * 16 }, (_, i) => {
  const [n, d] = [Math.floor(i / 16), i % 16];
  return (n % 2 === (d < 8 ? 0 : 1)) !== ((n * 7 + d * 5) % 6 === 0) ? 255 : 0;
});
const rows = { values, count: 60 };

/** 60 rows of 16 bits. */
export const bits: Dataset = { name: "bits", shape: [4, 4, 1], train: rows, test: rows };

/** A vae 16-6-2 that was trained on them. */
export async function bitsVae(tiles: TileFamily = families[0]): Promise<TrainedModel> {
  const file = new URL("../golden/bits_vae.safetensors", import.meta.url);
  const checkpoint = decodeCheckpoint(await Deno.readFile(file), "bits_vae.safetensors");
  return await Trained.fromCheckpoint(vae as Model, { ...checkpoint, training: { ...checkpoint.training, tiles } }, {
    gpu,
  });
}
