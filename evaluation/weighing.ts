/**
 * Importance weights of draws from the posterior for every row of a split, on the GPU; what there is of a density and how rows are
 * summed up. It is no measure by itself: {@linkcode logLikelihood} and {@linkcode scores} are made of it.
 *
 * @module
 */

import { recordBatch, type RecordedBatch } from "../core/training/batch.ts";
import { hasDensity } from "../core/distributions/distribution.ts";
import { requireFinite, requireSeed } from "../core/bounds.ts";
import { type Chunk, inTurn, Pace } from "../core/gpu/chunks.ts";
import type { Split } from "../core/dataset.ts";
import { fuse, fusionLimits } from "../core/graph/fusion.ts";
import { type Dispatch, prepare, type Prepared, record } from "../core/gpu/kernel.ts";
import { drawSums, type ImportanceTotals, importanceTotals } from "../core/ops/importance_totals.ts";
import type { Binarization } from "../core/ops/gather.ts";
import { createState, LAST_STEP, setState } from "../core/graph/program.ts";
import { otherSeed } from "../core/graph/random.ts";
import { ALONE, type Ranks, shareOf, summed } from "../core/graph/ranks.ts";
import { type HostStream, type RowScalars, Tape } from "../core/graph/tape.ts";
import type { Trained } from "../core/training/trained.ts";
import type { SplitInput } from "../core/values.ts";

/**
 * What is known of a row: log p(x) itself, an estimate of it from draws of the posterior, or, of a model without a density, only how well
 * it is reconstructed.
 */
export type WeighingKind = "exact" | "estimate" | "reconstruction";

/** The estimators of {@linkcode logLikelihood}, for settings. */
export const ESTIMATORS = ["importance", "harmonic"] as const;

/** How {@linkcode logLikelihood} measures. */
export interface LogLikelihoodOptions {
  /** L, draws of z for each datum. Default 1, with which the importance estimate is that of the ELBO. */
  readonly samples?: number;
  /** Default "importance". */
  readonly estimator?: typeof ESTIMATORS[number];
  /** Default: as in training. Pixels that are drawn are drawn once for each datum: L draws of z are of the same x. */
  readonly binarize?: Binarization;
  /** Default: that of the training. */
  readonly seed?: number;
  /** Stops it. */
  readonly signal?: AbortSignal;
  /** Processes that each weigh a part of the rows, and come to the same. */
  readonly ranks?: Ranks;
  /** Called after each submit that is done. */
  readonly onProgress?: (progress: LikelihoodProgress) => void;
}

/** How far a measurement has come. */
export interface LikelihoodProgress {
  /** From 0 to 1. */
  readonly done: number;
  /** Draws of z weighed a second, over all data. */
  readonly datumSamplesPerSecond: number;
  /** Seconds left, at that speed. */
  readonly secondsLeft: number;
}

/** What was measured; nats per datum. */
export interface LogLikelihood {
  /** Mean of log p(x) over the rows. */
  readonly mean: number;
  /** Of the mean, from how much the rows differ: deviation / √count. The rows are the sample; it says nothing of the draws. */
  readonly standardError: number;
  /** log p(x) of each row. */
  readonly values: Float64Array<ArrayBuffer>;
  /** -(nll + kl) of each row. */
  readonly elbos: Float64Array<ArrayBuffer>;
  /** Whether it is an estimate. */
  readonly kind: WeighingKind;
  /** Mean of -(nll + kl). */
  readonly elbo: number;
  /** Mean of -log p(x | z) over the same draws. */
  readonly nll: number;
  /** Mean of KL(q(z | x) ‖ p(z)), in closed form. */
  readonly kl: number;
  /** Mean of (Σ w)² / Σ w²: how many of the L draws count. Near 1, the estimate hangs on single draws and is too low. */
  readonly effectiveSamples: number;
  /** Draws of z weighed a second, without compilation. */
  readonly datumSamplesPerSecond: number;
  /** L */
  readonly samples: number;
}

/** How {@linkcode weighRows} works. */
export interface WeighingOptions extends LogLikelihoodOptions {
  /** Takes -nll of a model without a density, where {@linkcode logLikelihood} throws. */
  readonly orReconstruction?: boolean;
}

/** Values of a batch, about: rows are as many as keep to it. */
const BATCH_VALUES = 2 ** 21;

interface Recording {
  readonly kind: WeighingKind;
  /** L: 1 where there is nothing to draw. */
  readonly samples: number;
  readonly sign: 1 | -1;
  readonly sums: ImportanceTotals;
  /** Draws of each datum a step. */
  readonly draws: number;
  /** What brings the rows of a batch, where they do not lie on the GPU. */
  readonly hostStreams: readonly HostStream[];
  /** Dispatches that a batch needs once. */
  readonly once: readonly Prepared[];
  /** Dispatches of each step. */
  readonly step: readonly Prepared[];
  destroy(): void;
}

/** Weighs the rows of a split; {@linkcode logLikelihood} says how. */
export async function weighRows(
  trained: Trained,
  given: SplitInput,
  options: WeighingOptions = {},
): Promise<LogLikelihood> {
  const { samples: asked = 1, estimator = "importance", seed = trained.training.seed, signal, onProgress } = options;
  const { ranks = ALONE } = options;
  if (!Number.isSafeInteger(asked) || asked < 1) {
    throw new RangeError(`Cannot estimate a log-likelihood: expected at least 1 sample, found ${asked}`);
  }
  requireSeed(seed);
  const split = trained.admit("measure", given, options.binarize);
  const { gpu } = trained;
  trained.check();
  const batch = Math.min(split.count, batchRows(trained.features));
  const batches = Math.ceil(split.count / batch);
  if (batches * asked > LAST_STEP) {
    throw new RangeError(
      `Cannot estimate a log-likelihood: expected at most ${Math.floor(LAST_STEP / batches)} samples, found ${asked}`,
    );
  }
  const scopes = gpu.scopes();
  const state = scopes.within(() => createState(gpu));
  const recording = await recordWeights(trained, split, { ...options, batch, samples: asked, estimator, state }).catch(
    (error) => {
      state.destroy();
      throw error;
    },
  );
  const { kind, samples, sign } = recording;
  const steps = samples / recording.draws;
  const pace = new Pace();
  // The last batch may be shorter.
  const perStep = split.count / batches * recording.draws;
  const { from, to } = shareOf(ranks, batches);
  let [b, s] = [from, 0];
  const next = (): Chunk<number> | undefined => {
    signal?.throwIfAborted();
    if (b === to) return undefined;
    const count = Math.min(pace.size, steps - s);
    const scopes = gpu.scopes();
    const commands = scopes.within(() => {
      const encoder = gpu.device.createCommandEncoder();
      if (s === 0) {
        // The seed of the trainer's own validation: with one draw the pixels are the same.
        const place = { step: b, seed: otherSeed(seed), count: split.count, shuffle: false };
        setState(gpu, state, place);
        for (const hostStream of recording.hostStreams) hostStream.bring(place, b, 1);
        record(gpu, encoder, recording.once);
      }
      record(gpu, encoder, recording.step, { times: count });
      return encoder.finish();
    });
    s += count;
    if (s === steps) [b, s] = [b + 1, 0];
    return {
      submit() {
        trained.check();
        scopes.within(() => gpu.device.queue.submit([commands]));
      },
      async read() {
        await gpu.device.queue.onSubmittedWorkDone();
        await scopes.settle();
        return count;
      },
    };
  };
  try {
    await scopes.settle();
    let done = 0;
    pace.begin();
    for await (const count of inTurn(gpu, next)) {
      done += count;
      pace.done(count);
      if (!pace.rate) continue;
      onProgress?.({
        done: done / ((to - from) * steps),
        datumSamplesPerSecond: perStep * pace.rate,
        secondsLeft: ((to - from) * steps - done) / pace.rate,
      });
    }
    const [datumSamplesPerSecond] = await summed(ranks, [perStep * pace.rate]);
    const { sums } = recording;
    const [totals, divergences] = (await gpu.readAll([{ buffer: sums.totals }, { buffer: sums.divergences }]))
      .map((bytes) => new Float32Array(bytes));
    // Of rows that other ranks have it is all zeros.
    await ranks.sum(totals);
    await ranks.sum(divergences);
    const found = summary(totals, divergences, { count: split.count, samples, sign });
    requireFinite(found.values, `what "${trained.model.name}" gives for these rows`);
    requireFinite(found.elbos, `the elbo that "${trained.model.name}" gives for these rows`);
    return { ...found, kind, datumSamplesPerSecond };
  } finally {
    recording.destroy();
    state.destroy();
  }
}

/** Rows of a batch: a power of two. */
function batchRows(features: number): number {
  return Math.max(32, Math.min(2048, 2 ** Math.floor(Math.log2(BATCH_VALUES / features))));
}

interface RecordOptions extends Pick<WeighingOptions, "binarize" | "estimator" | "orReconstruction"> {
  readonly batch: number;
  readonly samples: number;
  readonly state: GPUBuffer;
}

async function recordWeights(trained: Trained, split: Split, options: RecordOptions): Promise<Recording> {
  const { gpu, model, config, data, tiles, training } = trained;
  const { batch, samples: asked, estimator, state, binarize = training.binarize } = options;
  const scopes = gpu.scopes();
  let [tape, source, sums]: [Tape?, RecordedBatch?, ImportanceTotals?] = [];
  const destroy = () => {
    source?.destroy();
    tape?.destroy();
    for (const buffer of Object.values(sums ?? {})) buffer.destroy();
  };
  try {
    const recorded = scopes.within(() => {
      const t = tape = new Tape(gpu, batch, tiles, state);
      const from = source = recordBatch(t, { model, config, data, split, binarize, rows: training.rows });
      const weighed = model.density === "exact"
        ? recordTerms(trained, t, from, "exact")
        : recordDraws(trained, t, from, asked) ??
          (options.orReconstruction ? recordTerms(trained, t, from, "reconstruction") : undefined);
      if (!weighed) {
        throw new TypeError(
          `Cannot estimate a log-likelihood with "${model.name}": expected a Gaussian posterior and a likelihood, ` +
            "found a model without a density",
        );
      }
      const { kind, mark, draws, ...values } = weighed;
      const samples = kind === "estimate" ? asked : 1;
      const sign = kind === "estimate" && estimator === "harmonic" ? -1 : 1;
      const totals = sums = importanceTotals(t, { ...values, count: split.count, sign });
      const { dispatches } = t.compile([]);
      return {
        kind,
        samples,
        sign,
        sums: totals,
        draws,
        hostStreams: t.hostStreams,
        dispatches,
        before: mark(),
      } as const;
    });
    await scopes.settle();
    const { dispatches, before, ...recording } = recorded;
    const ready = (part: readonly Dispatch[]) => {
      const fused = tiles.fuses ? fuse(part, fusionLimits(gpu)) : part;
      return Promise.all(fused.map((dispatch) => prepare(gpu, dispatch)));
    };
    const [once, step] = await Promise.all([ready(dispatches.slice(0, before)), ready(dispatches.slice(before))]);
    return { ...recording, once, step, destroy };
  } catch (error) {
    destroy();
    throw error;
  }
}

interface Weighing {
  readonly kind: WeighingKind;
  readonly nll: RowScalars;
  readonly divergence: RowScalars;
  readonly kl: RowScalars;
  readonly draws: number;
  readonly mark: () => number;
}

/** nll + kl of the objectives, or nll alone. */
function recordTerms(
  { model, config, parameters }: Trained,
  tape: Tape,
  { batch }: RecordedBatch,
  kind: WeighingKind,
): Weighing {
  const terms = model.objectives(tape, parameters, batch, config).flatMap(({ terms }) => terms);
  const nll = terms.find(({ name }) => name === "nll")?.value;
  if (nll?.rows !== tape.batch) {
    throw new TypeError(`Cannot measure the rows of "${model.name}": expected one nll for each`);
  }
  const kl = kind === "exact" && terms.find(({ name }) => name === "kl")?.value || tape.rowScalars("none", 1);
  return { kind, nll, divergence: kl, kl, draws: 1, mark: tape.mark() };
}

/** The posterior of a batch, then the weights of some draws; undefined where there is no density. */
function recordDraws(
  { model, config, parameters }: Trained,
  tape: Tape,
  { batch: { x, condition } }: RecordedBatch,
  samples: number,
): Weighing | undefined {
  if (model.density === "none" || !model.encode || !model.decode) return undefined;
  const posterior = model.encode(tape, parameters, x, config, condition);
  if (!hasDensity(posterior)) return undefined;
  const { kl } = posterior.draw();
  const mark = tape.mark();
  const draws = largestDivisor(samples, Math.floor(batchRows(x.columns) / tape.batch));
  const { z, kl: divergence } = posterior.draw({ samples: draws, divergence: "sampled" });
  const nll = model.decode(tape, parameters, z, config, condition).nll(x);
  return { kind: "estimate", nll, divergence, kl, draws, mark };
}

/** The largest divisor of n that is not above `most`, or 1. */
function largestDivisor(n: number, most: number): number {
  for (let divisor = Math.min(n, most); divisor > 1; divisor--) if (n % divisor === 0) return divisor;
  return 1;
}

/** What the sums of all rows come to. */
function summary(
  totals: Float32Array,
  divergences: Float32Array,
  { count, samples, sign }: { readonly count: number; readonly samples: number; readonly sign: 1 | -1 },
): Omit<LogLikelihood, "kind" | "datumSamplesPerSecond"> {
  const values = new Float64Array(count);
  const elbos = new Float64Array(count);
  const sums = { nll: 0, kl: 0, effective: 0 };
  for (let row = 0; row < count; row++) {
    const { largest, sum, squares, nll } = drawSums(totals, row, samples);
    values[row] = sign * (largest + Math.log(sum) - Math.log(samples));
    elbos[row] = -(nll + divergences[row]);
    sums.nll += nll / count;
    sums.kl += divergences[row] / count;
    sums.effective += sum * sum / squares / count;
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    standardError: count > 1 ? Math.sqrt(squares / (count - 1) / count) : NaN,
    values,
    elbos,
    elbo: -(sums.nll + sums.kl),
    nll: sums.nll,
    kl: sums.kl,
    effectiveSamples: sums.effective,
    samples,
  };
}
