/**
 * What elbo does with files, for Deno: checkpoints on disk, datasets by name or path, and run folders. Everything else is in
 * `@elbo/elbo` and runs in browsers too.
 *
 * @example A model trained on a named dataset, saved and loaded
 * ```ts
 * import { train, vae } from "@elbo/elbo";
 * import { findDataset, load, save } from "@elbo/elbo/files";
 *
 * const dataset = await findDataset("sprites").load();
 * const training = train(vae, dataset, { hidden: [8], latents: 2, epochs: 1, batchSize: 500 });
 * for await (const event of training) if (event.event === "end") console.log(event.train.elbo);
 *
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * await save(training.trained, path);
 * training.trained.destroy();
 *
 * using again = await load(path);
 * console.log((await again.sample({ count: 4 })).length);
 * ```
 *
 * @module
 */

export { FileError } from "./core/bounds.ts";
export { compileWorker } from "./core/gpu/second_thread.ts";
export { driversIdle } from "./core/gpu/device.ts";
export { load, save } from "./storage/checkpoint.ts";
export { folderCache } from "./storage/cache.ts";
export { findDataset } from "./storage/datasets.ts";
export { fileDataset } from "./storage/file_dataset.ts";
export { completed, isComplete, type RecordOptions, RunRecorder } from "./storage/resumable_run.ts";
export {
  readConfig,
  readMetrics,
  readRun,
  type RunConfig,
  type StoredRun,
  type TestResults,
} from "./storage/run_folder.ts";
export { withFiles } from "./storage/source_files.ts";
export type { Ranks } from "./core/graph/ranks.ts";
export { findMpi, Mpi, MpiError } from "./parallel/mpi.ts";
export { FolderLock } from "./storage/folder_lock.ts";
export { temporaryNames, writeFileAtomically } from "./storage/write.ts";
