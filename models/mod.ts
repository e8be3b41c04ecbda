/**
 * The list of models. Adding a variant is one file and one line here.
 *
 * @module
 */

import type { Gpu } from "../core/gpu/device.ts";
import type { Model } from "../core/model.ts";
import { readWhole } from "../core/bounds.ts";
import { decodeCheckpoint, Trained } from "../core/training/trained.ts";
import { ae, dae } from "./ae.ts";
import { betaVae } from "./beta_vae.ts";
import { cvae } from "./cvae.ts";
import { convVae } from "./conv_vae.ts";
import { iwae } from "./iwae.ts";
import { gmm } from "./gmm.ts";
import { linearVae } from "./linear_vae.ts";
import { pca } from "./pca.ts";
import { ppca } from "./ppca.ts";
import { vae } from "./vae.ts";
import { vqVae } from "./vq_vae.ts";

/** Every model by name. */
export const models: ReadonlyMap<string, Model> = new Map(
  [ae, dae, vae, betaVae, cvae, iwae, convVae, vqVae, linearVae, ppca, pca, gmm].map((
    model,
  ) => [model.name, model as Model]),
);

/**
 * The model of a name.
 *
 * @throws {RangeError} If there is none, with the names there are.
 */
export function findModel(name: string): Model {
  const model = models.get(name);
  if (!model) throw new RangeError(`Cannot find a model "${name}": known models are ${[...models.keys()].join(", ")}`);
  return model;
}

/**
 * Loads a trained model from a checkpoint.
 *
 * @param file The path of a `checkpoint.safetensors`, or its bytes.
 * @param options The model, where it is not one of {@linkcode models}; a {@linkcode Gpu} or `GPUDevice` to load it on.
 * @throws If the file is missing, damaged, or of another model.
 */
export async function load(
  file: string | URL | Uint8Array,
  options: { readonly model?: Model; readonly gpu?: Gpu; readonly device?: GPUDevice } = {},
): Promise<Trained> {
  const bytes = file instanceof Uint8Array
    ? file
    : await (typeof file === "string" ? readWhole : Deno.readFile)(file as string);
  const checkpoint = decodeCheckpoint(bytes, file instanceof Uint8Array ? "checkpoint" : String(file));
  return await Trained.fromCheckpoint(options.model ?? findModel(checkpoint.model), checkpoint, options);
}
