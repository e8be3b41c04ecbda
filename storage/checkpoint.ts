/**
 * Checkpoints on disk.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Trained } from "../core/training/trained.ts";
import { load as loadBytes, type LoadModelOptions } from "../models/mod.ts";
import { fetchModel } from "./hub.ts";
import { isReference } from "./hub_address.ts";
import { readWhole } from "./read.ts";
import { FILES, join } from "./run_folder.ts";
import { writeFileAtomically } from "./write.ts";

/** Writes a checkpoint; a file that was there stays good until the new one is whole. */
export async function save(trained: Pick<Trained<object>, "toBytes">, path: string): Promise<void> {
  await writeFileAtomically(path, await trained.toBytes());
}

/**
 * Loads a trained model from a checkpoint.
 *
 * @param path Of a `checkpoint.safetensors`; or of a model on the Hugging Face Hub, `hf:owner/name` or `hf:owner/name@revision`, which is fetched
 *   once into `data/hub`, by `HF_ENDPOINT` and `HF_TOKEN` where they are set.
 * @param options The model, where it is not one of elbo's; a `Gpu` or `GPUDevice` to load it on.
 * @throws {FileError} If the file is missing, damaged, or of another model.
 */
export async function load(path: string | URL, options: Omit<LoadModelOptions, "file"> = {}): Promise<Trained> {
  const named = path instanceof URL ? fileURLToPath(path) : path;
  const file = isReference(named) ? join(await fetchModel(named), FILES.checkpoint) : named;
  return await loadBytes(await readWhole(file), { ...options, file });
}
