/**
 * The list of models. Adding a variant is one file and one line here.
 *
 * @module
 */

import "./every_part.ts";
import type { Gpu } from "../core/gpu/device.ts";
import type { Model } from "../core/model.ts";
import { type ByteSource, nameOf, readBytes } from "../core/source.ts";
import { decodeCheckpoint } from "../core/training/checkpoint.ts";
import { Trained } from "../core/training/trained.ts";
import { aae } from "./aae.ts";
import { ae, dae } from "./ae.ts";
import { betaVae } from "./beta_vae.ts";
import { betaTcvae } from "./beta_tcvae.ts";
import { cvae } from "./cvae.ts";
import { convVae } from "./conv_vae.ts";
import { iafVae } from "./iaf_vae.ts";
import { dipVae } from "./dip_vae.ts";
import { hierarchicalVae } from "./hierarchical_vae.ts";
import { factorVae } from "./factor_vae.ts";
import { iwae } from "./iwae.ts";
import { ladderVae } from "./ladder_vae.ts";
import { flow } from "./flow.ts";
import { gmm } from "./gmm.ts";
import { infoVae } from "./info_vae.ts";
import { linearVae } from "./linear_vae.ts";
import { pca } from "./pca.ts";
import { piwae } from "./piwae.ts";
import { rae } from "./rae.ts";
import { sparseAe } from "./sparse_ae.ts";
import { ppca } from "./ppca.ts";
import { vae } from "./vae.ts";
import { vaeGan } from "./vae_gan.ts";
import { wae } from "./wae.ts";
import { vqVae } from "./vq_vae.ts";
import { wangVqVae } from "./wang_vq_vae.ts";

/** Every model by name. */
export const models: ReadonlyMap<string, Model> = new Map(
  [
    ae,
    dae,
    vae,
    betaVae,
    cvae,
    iwae,
    piwae,
    iafVae,
    convVae,
    hierarchicalVae,
    ladderVae,
    betaTcvae,
    dipVae,
    infoVae,
    wae,
    factorVae,
    aae,
    vaeGan,
    vqVae,
    wangVqVae,
    rae,
    sparseAe,
    linearVae,
    ppca,
    pca,
    gmm,
    flow,
  ].map((
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

/** How {@linkcode load} loads. */
export interface LoadModelOptions {
  /** The model, where it is not one of {@linkcode models}. */
  readonly model?: Model;
  /** Where it runs. Default: the best adapter. */
  readonly gpu?: Gpu;
  /** The same, as a device of yours. */
  readonly device?: GPUDevice;
  /** The name of the file, for messages. Default: the source's own, or "checkpoint". */
  readonly file?: string;
}

/**
 * Loads a trained model from a checkpoint.
 *
 * @param source A `checkpoint.safetensors`: its bytes, a file that was chosen in a page, or what `fetch` answered. From its path, `load`
 * of `@elbo/elbo/files` loads it.
 * @throws {FileError} If it is not there, is damaged, or of another model.
 */
export async function load(source: ByteSource, options: LoadModelOptions = {}): Promise<Trained> {
  const file = options.file ?? nameOf(source) ?? "checkpoint";
  const checkpoint = decodeCheckpoint(await readBytes(source, file), file);
  return await Trained.fromCheckpoint(options.model ?? findModel(checkpoint.model), checkpoint, options);
}
