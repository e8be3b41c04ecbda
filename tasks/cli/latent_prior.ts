/**
 * `--prior`: what z is drawn from in place of a run's own prior. What was fitted is kept in the run folder as a checkpoint of its own, and
 * fitted anew once the run has gone on.
 *
 * @module
 */

import {
  aggregatePosterior,
  fitPrior,
  type FittedPrior,
  fittedPrior,
  fitVampPrior,
  isFittedTo,
} from "../../evaluation/fitted_prior.ts";
import { FileError } from "../../core/bounds.ts";
import type { Model } from "../../core/model.ts";
import { type Checkpoint, decodeCheckpoint, requireFit } from "../../core/training/checkpoint.ts";
import type { LatentPrior } from "../../core/training/sampling.ts";
import { Trained } from "../../core/training/trained.ts";
import { flow } from "../../models/flow.ts";
import { gmm } from "../../models/gmm.ts";
import { vae } from "../../models/vae.ts";
import { save } from "../../storage/checkpoint.ts";
import { readIfThere } from "../../storage/read.ts";
import { requireNoLink } from "../../storage/write.ts";
import { type FlagGroup, UsageError } from "./flags.ts";
import { measuringProgress } from "./measuring.ts";
import type { Context } from "./run.ts";
import { runData } from "./run_data.ts";
import { join, type Run, splitOf } from "./run_folder.ts";

/** What z can be drawn from. */
const KINDS = ["own", "aggregate", "gmm", "flow", "two-stage", "vamp"] as const;

/** What a task is told of it. */
export interface PriorFlags {
  readonly prior: typeof KINDS[number];
  readonly components: number;
  readonly covariance: string;
  readonly priorEpochs: number;
}

/** The flags of {@linkcode PriorFlags}. */
export const priorFlags = {
  title: "Prior",
  settings: {
    prior: {
      type: "choice",
      default: "own",
      choices: KINDS,
      help:
        "where z is drawn from: the model's own prior; q(z | x) of training rows in turn (aggregate); or a density " +
        "that is fitted to the encodings of the training rows and kept in the run folder: a mixture of Gaussians " +
        "(gmm), a masked autoregressive flow (flow), a second VAE (two-stage), the mean of q(z | u) over learned " +
        "pseudo-inputs u (vamp)",
    },
    components: { ...gmm.settings.components, help: "components of a mixture, or pseudo-inputs (default 100)" },
    covariance: { ...gmm.settings.covariance, default: "full" },
    priorEpochs: { type: "integer", default: 20, minimum: 1, maximum: 1e6, help: "passes over the encodings" },
  },
} as const satisfies FlagGroup<PriorFlags>;

/** The folder in a run folder with the densities. */
const PRIORS = "priors";

/** What a kind fits, with all settings that are not left to their defaults. */
function densityOf(
  { prior, components, covariance, priorEpochs: epochs }: PriorFlags,
  { model, latents, data: { count } }: Trained,
  given: ReadonlySet<string>,
) {
  const batchSize = 250;
  const descent = { epochs, batchSize, learningRateSchedule: "cosine" };
  const densities: Readonly<Record<string, { readonly model: Model; readonly config: Record<string, unknown> }>> = {
    gmm: { model: gmm as Model, config: { epochs, components, covariance } },
    flow: {
      model: flow as Model,
      config: { ...descent, learningRate: 0.003, layers: 6, hidden: [256], activation: "relu" },
    },
    vamp: {
      model,
      config: {
        ...descent,
        learningRate: 0.003,
        prior: "vamp",
        components: given.has("components") ? components : 100,
      },
    },
    "two-stage": {
      model: vae as Model,
      // Encodings that are nearly N(0, I) leave the second posterior at its prior unless the KL comes in slowly.
      config: {
        ...descent,
        hidden: [256, 256],
        latents,
        activation: "relu",
        likelihood: "gaussian-shared",
        betaSchedule: "warm-up",
        betaSteps: Math.ceil(epochs * count / batchSize / 2),
      },
    },
  };
  return densities[prior];
}

/**
 * What z is drawn from; undefined for the model's own prior.
 *
 * @param dataset Where the run's data are now, "" for where they were. They are read only where something is fitted or encoded.
 * @throws {UsageError} If a flag does not fit, or the data are others than those that the run was trained on.
 */
export async function chosenPrior(
  run: Run,
  trained: Trained,
  flags: PriorFlags,
  given: ReadonlySet<string>,
  dataset: string,
  context: Context,
): Promise<LatentPrior & Disposable | undefined> {
  const { prior: kind } = flags;
  const refuse = (flag: string, kinds: string) => {
    throw new UsageError(`${flag}: expected --prior ${kinds}, found --prior ${kind}`);
  };
  if (kind !== "gmm" && kind !== "vamp" && given.has("components")) refuse("--components", "gmm or vamp");
  if (kind !== "gmm" && given.has("covariance")) refuse("--covariance", "gmm");
  if (kind === "own" || kind === "aggregate") {
    if (given.has("priorEpochs")) refuse("--prior-epochs", "gmm, flow, two-stage or vamp");
  }
  if (kind === "own") return undefined;
  const training = async () => {
    const { dataset: loaded, own } = await runData(run, dataset, context);
    if (!own) throw new UsageError(`--prior ${kind}: expected the data that the run was trained on, found others`);
    return splitOf(loaded, run.checkpoint, "train");
  };
  if (kind === "aggregate") return { ...aggregatePosterior(trained, await training()), [Symbol.dispose]: () => {} };
  const { model, config } = densityOf(flags, trained, given);
  const file = join(join(run.folder, PRIORS), `${kind}.safetensors`);
  const kept = await keptPrior(file, trained, model, config, context);
  if (kept) return kept;
  const rows = await training();
  using progress = measuringProgress(context);
  const options = { signal: context.signal, onProgress: (done: number) => progress.show({ done }) };
  const fitted = kind === "vamp"
    ? await fitVampPrior(trained, rows, config, options)
    : await fitPrior(trained, rows, model, config, options);
  await requireNoLink(join(run.folder, PRIORS));
  await Deno.mkdir(join(run.folder, PRIORS), { recursive: true });
  await save(fitted.density, file);
  context.print(`${file}: ${fitted.name}`);
  return fitted;
}

/** What was kept, where it is of these encodings and these settings. */
async function keptPrior(
  file: string,
  trained: Trained,
  model: Model,
  config: Readonly<Record<string, unknown>>,
  { print }: Context,
): Promise<FittedPrior | undefined> {
  const bytes = await readIfThere(file);
  if (!bytes) return undefined;
  try {
    const checkpoint = decodeCheckpoint(bytes, file);
    if (!await isFittedTo(checkpoint.data, trained)) {
      print(`${file}: fitted anew, since the weights are others than those that it was fitted to`);
      return undefined;
    }
    if (!hasSettings(checkpoint, config, requireFit(model, checkpoint).config)) {
      print(`${file}: fitted anew, with other settings`);
      return undefined;
    }
    return fittedPrior(await Trained.fromCheckpoint(model, checkpoint, { gpu: trained.gpu }));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    print(`${error.message}; fitted anew`);
    return undefined;
  }
}

/** Whether a density was fitted with these settings. */
function hasSettings(
  { training }: Checkpoint,
  asked: Readonly<Record<string, unknown>>,
  config: object,
): boolean {
  const has: Readonly<Record<string, unknown>> = { ...training, ...config };
  return Object.entries(asked).every(([name, value]) => JSON.stringify(has[name]) === JSON.stringify(value));
}
