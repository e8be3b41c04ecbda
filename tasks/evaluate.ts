/**
 * `deno task evaluate`: ELBO, log-likelihood, use of latents and image quality of a trained model on a split of its data.
 *
 * @module
 */

import { plural } from "../core/plural.ts";
import { type Dataset, slice, type Split } from "../core/dataset.ts";
import { bitsPerDimension } from "../core/distributions/discretized_logistic.ts";
import { latentName, UNUSED_KL } from "../core/distributions/encoded.ts";
import type { Ranks } from "../core/graph/ranks.ts";
import type { Losses } from "../core/training/events.ts";
import { type Binarization, BINARIZATIONS } from "../core/ops/gather.ts";
import type { SampleOptions } from "../core/training/sampling.ts";
import { Trained } from "../core/training/trained.ts";
import { caveats, collapseWarning, findings } from "../core/training/caveats.ts";
import { disentanglement } from "../evaluation/disentanglement.ts";
import { frechetClassifierDistance, trainClassifier } from "../evaluation/frechet_classifier_distance.ts";
import { imageQuality } from "../evaluation/image_quality.ts";
import { latentStatistics } from "../evaluation/latent_statistics.ts";
import { ESTIMATORS, logLikelihood, type LogLikelihoodOptions } from "../evaluation/log_likelihood.ts";
import { probes } from "../evaluation/probe.ts";
import { folderCache } from "../storage/cache.ts";
import { type FlagGroup, type Flags, type Parsed, tableLines, UsageError } from "./cli/flags.ts";
import { chosenPrior, type PriorFlags, priorFlags } from "./cli/latent_prior.ts";
import { measuringProgress } from "./cli/measuring.ts";
import { KEPT } from "./cli/permissions.ts";
import {
  disentanglementLines,
  probeLines,
  type RepresentationFlags,
  representationFlags,
} from "./cli/representation.ts";
import { parallelFlags, type ParallelSettings, requireOwn, together } from "./cli/parallel.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { type ChosenRows, chosenRows, type DataFlags, dataFlags } from "./cli/run_data.ts";
import { type RunChoice, runChoice, seedFlag } from "./cli/run_flags.ts";
import { chosenRun } from "./cli/run_folder.ts";

interface Measuring {
  readonly samples: number;
  readonly estimator: typeof ESTIMATORS[number];
  readonly binarize: Binarization | "as-trained";
  readonly frechet: boolean;
  readonly seed: number;
}

type Groups = {
  readonly run: FlagGroup<RunChoice>;
  readonly data: FlagGroup<DataFlags>;
  readonly parallel: FlagGroup<ParallelSettings>;
  readonly measuring: FlagGroup<Measuring>;
  readonly representation: FlagGroup<RepresentationFlags>;
  readonly prior: FlagGroup<PriorFlags>;
};

const flags: Flags<Groups> = {
  name: "evaluate",
  summary:
    "Means over the rows of a split, in nats per datum: elbo = -(nll + kl), whatever weights were trained with; " +
    "the log-likelihood; how the latents are used; how near reconstructions are.",
  groups: {
    run: runChoice,
    data: dataFlags,
    parallel: parallelFlags,
    measuring: {
      title: "Measuring",
      settings: {
        samples: {
          type: "integer",
          default: 1,
          minimum: 1,
          maximum: 100_000,
          help:
            "draws of z for each row, L: elbo is their mean, and from 2 on logLikelihood their importance-weighted one",
        },
        estimator: {
          type: "choice",
          default: "importance",
          choices: ESTIMATORS,
          help: "of logLikelihood; harmonic is biased, only to compare with figures that were formed so",
        },
        binarize: {
          type: "choice",
          default: "as-trained",
          choices: ["as-trained", ...BINARIZATIONS],
          help: "how pixels become data; figures of two ways cannot be compared",
        },
        frechet: {
          type: "boolean",
          default: false,
          help:
            "the Fréchet distance of drawn images to test images in the features of a classifier that is trained on the " +
            "dataset's labels, once, and kept in data/classifiers; it is not the FID",
        },
        seed: seedFlag("of the draws"),
      },
    },
    representation: representationFlags,
    prior: { ...priorFlags, title: "Prior of the images drawn for --frechet" },
  },
  examples: [
    "deno task evaluate",
    "deno task evaluate --run runs/mine --split validation --samples 5000 --json",
    "deno task evaluate --dataset new.csv",
    "deno task evaluate --run runs/sprites --disentanglement --probe",
  ],
};

/** Rows whose reconstructions are compared. */
const QUALITY_ROWS = 1000;

/** What all draws together say. */
async function weighed(trained: Trained, rows: Split, options: LogLikelihoodOptions, context: Context) {
  using progress = measuringProgress(context);
  const found = await logLikelihood(trained, rows, {
    ...options,
    signal: context.signal,
    onProgress: progress.show,
  });
  const { mean, standardError, elbo, nll, kl, kind, effectiveSamples, datumSamplesPerSecond } = found;
  return {
    losses: { elbo, nll, kl, loss: -elbo } satisfies Losses,
    likelihood: {
      logLikelihood: mean,
      // Of one row nothing is known.
      ...(rows.count > 1 ? { standardError } : {}),
      exact: kind === "exact",
      ...(kind === "estimate" ? { effectiveSamples, datumSamplesPerSecond } : {}),
    },
  };
}

/** SSIM, PSNR and MSE of reconstructions of the first rows, with the range 1 of values from 0 to 1; SSIM also as if it were 2. */
async function quality(trained: Trained, rows: Split, seed: number) {
  const count = Math.min(QUALITY_ROWS, rows.count);
  const { shape } = trained.data;
  if (shape[0] === 1 || !trained.model.encode || !trained.model.decode) return undefined;
  const x = trained.rowsOf(rows, 0, count, seed);
  const again = await trained.reconstruct(x, slice(rows, 0, count));
  const found = imageQuality(x, again, shape);
  const wide = found.ssim === undefined ? {} : { ssimOfRange2: imageQuality(x, again, shape, 2).ssim };
  return { ...found, ...wide, count };
}

/** Where classifiers are kept. */
const CLASSIFIERS = `${KEPT}/classifiers`;

async function frechetOf(
  trained: Trained,
  dataset: Dataset,
  options: Pick<SampleOptions, "seed" | "prior">,
  context: Context,
) {
  using progress = measuringProgress(context);
  using by = await trainClassifier(dataset, {
    gpu: trained.gpu,
    cache: folderCache(CLASSIFIERS),
    signal: context.signal,
    onProgress: (done) => progress.show({ done }),
  });
  return await frechetClassifierDistance(trained, dataset, by, options);
}

/** What `--disentanglement` and `--probe` ask for must be there before anything is measured. */
function requireKnown(
  { disentanglement, probe }: RepresentationFlags,
  { dataset, rows, split, training }: ChosenRows,
  { model, folder }: { readonly model: Trained["model"]; readonly folder: string },
): void {
  const asked = [...disentanglement ? ["--disentanglement"] : [], ...probe ? ["--probe"] : []];
  if (asked.length && !model.encode) {
    throw new UsageError(`${asked[0]}: expected a model with latents; ${folder} holds a ${model.name}`);
  }
  if (disentanglement && !rows.covariates) {
    throw new UsageError(
      `--disentanglement: expected a dataset with known factors (covariates, such as those of sprites), found ${dataset.name} without`,
    );
  }
  if (disentanglement && rows.count < 30) {
    throw new UsageError(`--disentanglement: expected at least 30 rows, found ${rows.count}`);
  }
  if (probe && !rows.covariates && !rows.labels) {
    throw new UsageError(`--probe: expected a dataset with labels or known factors, found ${dataset.name} without`);
  }
  if (probe && !training) {
    throw new UsageError(`--probe: expected rows that are not trained on (--split test), found --split ${split}`);
  }
}

/** What is asked for of the representation, said and for JSON. */
async function represented(
  trained: Trained,
  { dataset, rows, training }: ChosenRows,
  { disentanglement: wanted, probe, factorRows, bins, votes, probeRows, probeTestRows, neighbours }:
    RepresentationFlags,
  seed: number,
  context: Context,
): Promise<object> {
  using progress = measuringProgress(context);
  const { signal } = context;
  const told = { seed, signal, factors: dataset.covariates, onProgress: (done: number) => progress.show({ done }) };
  const found = wanted ? await disentanglement(trained, rows, { ...told, rows: factorRows, bins, votes }) : undefined;
  const probed = probe
    ? await probes(trained, training!, rows, { ...told, train: probeRows, test: probeTestRows, neighbours })
    : undefined;
  progress.clear();
  const tables = [
    ...found ? [disentanglementLines(found)] : [],
    ...probed ? [probeLines(probed, dataset, neighbours)] : [],
  ];
  for (const lines of tables) for (const line of [...lines, ""]) context.print(line);
  return { ...(found ? { disentanglement: found } : {}), ...(probed ? { probes: probed } : {}) };
}

async function run({ values, given }: Parsed<Groups>, context: Context, ranks: Ranks | undefined): Promise<void> {
  const chosen = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = chosen;
  const { samples, seed, estimator, frechet } = values.measuring;
  const binarize = values.measuring.binarize === "as-trained"
    ? checkpoint.training.binarize
    : values.measuring.binarize;
  const data = await chosenRows(chosen, values.data, context);
  const { dataset, rows, split, own } = data;
  requireKnown(values.representation, data, chosen);
  if (frechet && !dataset.classes) {
    throw new UsageError(`--frechet: expected a dataset with labels, found ${dataset.name} without`);
  }
  if (frechet && !(model.decode && model.latents)) {
    throw new UsageError(`--frechet: expected a model that can be sampled; ${folder} holds a ${model.name}`);
  }
  if (!frechet && values.prior.prior !== "own") {
    throw new UsageError(
      `--prior ${values.prior.prior}: expected --frechet beside it, which is what images are drawn for`,
    );
  }
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  if (ranks) await requireOwn(ranks, trained.gpu, values.parallel);
  using prior = ranks?.rank
    ? undefined
    : await chosenPrior(chosen, trained, values.prior, given, values.data.dataset, context);
  const told = { samples, binarize, seed, signal: context.signal, ranks };
  const density = model.density === "exact" || await trained.hasDensity();
  if (!density && given.has("estimator")) {
    throw new UsageError(`--estimator: expected a model with a density; ${folder} holds a ${model.name}`);
  }
  if (estimator !== "importance" && samples === 1) {
    throw new UsageError(`--estimator ${estimator}: expected --samples of at least 2, found 1`);
  }
  const drawn = density && (samples > 1 || model.density === "exact")
    ? await weighed(trained, rows, { ...told, estimator }, context)
    : undefined;
  const measured: Losses = drawn?.losses ?? await trained.evaluate(rows, told);
  if (ranks?.rank) return;
  const { loss: _, ...terms } = measured;
  // One, or one for each code of a position.
  const isPerplexity = ([name]: readonly [string, number]) => name.startsWith("perplexity");
  const perplexities = Object.fromEntries(Object.entries(terms).filter(isPerplexity));
  const losses = Object.fromEntries(Object.entries(terms).filter((term) => !isPerplexity(term))) as Omit<
    Losses,
    "loss"
  >;
  // Of pixels as they were: their probability is the whole datum's.
  const ofBytes = model.support?.(trained.config) === "bytes" && binarize === "none";
  const nats = -(drawn?.likelihood.logLikelihood ?? losses.elbo);
  const bits = ofBytes ? { bitsPerDimension: bitsPerDimension(nats, trained.features) } : {};
  const { exact, ...likelihood } = drawn?.likelihood ?? { exact: false };
  const latents = model.density !== "exact" && await trained.hasPosteriorDensity()
    ? await latentStatistics(trained, rows, { seed })
    : undefined;
  const images = await quality(trained, rows, seed);
  const notes = [...caveats(model, trained.config, binarize, trained.data), ...await findings(trained)];
  const draws = plural(exact ? 1 : samples, "draw");
  context.print(
    `${model.name} on ${dataset.name}, ${split}: ${plural(rows.count, "row")}, ${
      exact ? "exact" : `${draws} of z each`
    }, nats per datum`,
  );
  context.print();
  const decimals = (name: string) => name === "datumSamplesPerSecond" ? 0 : name === "mse" ? 5 : 3;
  const table = (entries: object) => {
    const lines = Object.entries(entries).map(([name, value]) =>
      [name, Number(value).toFixed(decimals(name)).padStart(10)] as const
    );
    for (const line of tableLines(lines, 100)) context.print(line);
    context.print();
  };
  table({ ...losses, ...likelihood, ...bits });
  if (Object.keys(perplexities).length) {
    context.print("Codes, over all positions of all rows");
    context.print();
    table(perplexities);
  }
  if (latents) {
    const { kl, active, of, activeUnits, mutualInformation, mutualInformationLimit, marginalKl } = latents;
    const used = active === undefined ? `${of}` : `${active} of ${of} with a KL of at least ${UNUSED_KL} nats`;
    context.print(`Latents, ${plural(latents.count, "row")}: ${used}`);
    context.print();
    table({ activeUnits, mutualInformation, mutualInformationLimit, marginalKl });
    if (kl && active !== undefined) {
      context.print("KL by dimension, from the greatest");
      context.print();
      for (const line of latentTable(kl)) context.print(`  ${line}`);
      context.print();
      const collapse = collapseWarning({ kl, active, of });
      if (collapse) notes.push(collapse);
    }
  }
  if (images) {
    const { count, ...measures } = images;
    context.print(
      `Reconstructions of ${plural(count, "row")} beside the pixels that the model was given, data range 1`,
    );
    context.print();
    table(measures);
  }
  const distance = frechet ? await frechetOf(trained, dataset, { seed, prior }, context) : undefined;
  if (distance) {
    context.print(
      `Fréchet classifier distance (not FID), ${plural(distance.count, "image")} drawn${
        prior ? `, z from ${prior.name},` : ""
      } and ${distance.count} test images; in place of the ` +
        `drawn ones as many training images; test images told right by the classifier`,
    );
    context.print();
    const { distance: drawn, reference, accuracy } = distance;
    table({
      frechetClassifierDistance: drawn,
      ofTrainingImages: reference,
      ...(accuracy === undefined ? {} : { accuracy }),
    });
  }
  const representation = await represented(trained, data, values.representation, seed, context);
  for (const note of notes) context.print(note);
  context.emit({
    run: folder,
    dataset: dataset.name,
    own,
    split,
    samples,
    seed,
    ...losses,
    ...perplexities,
    ...likelihood,
    ...(drawn ? { exact, estimator } : {}),
    ...bits,
    ...(latents ? { latents: { ...latents, names: latents.variance.map((_, k) => latentName(k)) } } : {}),
    ...(images ? { images } : {}),
    ...(distance ? { frechetClassifierDistance: distance } : {}),
    ...(prior ? { prior: values.prior.prior } : {}),
    ...representation,
    count: rows.count,
    binarize,
    remarks: notes,
  });
}

/** `z3 2.41  z1 1.90`, the latents from the greatest KL, ten a line. */
function latentTable(kl: readonly number[]): string[] {
  const order = Array.from(kl.keys()).sort((a, b) => kl[b] - kl[a] || a - b);
  const width = latentName(kl.length - 1).length;
  const cells = order.map((k) => `${latentName(k).padEnd(width)} ${kl[k].toFixed(2)}`.padEnd(width + 7));
  const lines = Array.from({ length: Math.ceil(cells.length / 10) }, (_, i) => cells.slice(10 * i, 10 * i + 10));
  return lines.map((line) => line.join("").trimEnd());
}

/** The task. */
export const evaluateTask: Task<Groups> = {
  flags,
  run: (parsed, context) => together(parsed.values.parallel, context, (context, ranks) => run(parsed, context, ranks)),
};

if (import.meta.main) await main(evaluateTask);
