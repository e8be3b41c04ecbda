/**
 * Whole training steps as benchmarks measure them: which there are, how one is prepared, and how its speed is taken.
 *
 * @module
 */

import { type Chunk, inTurn, Pace } from "../core/gpu/chunks.ts";
import type { Clock } from "../core/gpu/clock.ts";
import type { Gpu } from "../core/gpu/device.ts";
import type { Model } from "../core/model.ts";
import type { Placement } from "../core/ops/gather.ts";
import type { Together } from "../core/graph/dispatches.ts";
import { Parameters } from "../core/graph/parameters.ts";
import type { StepTerms } from "../core/graph/program.ts";
import { uniforms } from "../core/graph/random.ts";
import { configure } from "../core/settings.ts";
import type { Tiles, TunedTiles } from "../core/products/tiles.ts";
import { initializersOf, trainingSettings } from "../core/training/training_settings.ts";
import { createTrainingProgram, type TrainingProgram, type TrainingStep } from "../core/training/training_program.ts";
import { vae } from "../models/vae.ts";
import { vqVae } from "../models/vq_vae.ts";
import { UsageError } from "../tasks/cli/flags.ts";

/** 784 pixels, as MNIST has them; values do not matter to speed. */
const shape = [28, 28, 1] as const;
const ROWS = 60_000;

/** Chunks before what is measured, where they grow. */
const WARMING = 8;

/** A step that is measured. */
export interface Subject {
  readonly architecture: string;
  readonly batch: number;
  readonly step: TrainingProgram;
  readonly firstStepMs: number;
  /** Samples/s, of each round. */
  readonly rates: number[];
  /** Microseconds of JavaScript a step (recording its dispatches and handing them over), of each round. */
  readonly jsMicroseconds: number[];
  /** The share of the time that the GPU waited between submits, of each round; none where it has no clock. */
  readonly idle: number[];
}

/** What a step is of. */
export interface Configuration {
  readonly architecture: string;
  readonly model: Model;
  readonly config: object;
  readonly batch: number;
  readonly rows: Placement;
  /** Hidden widths and latents of a VAE of dense layers. */
  readonly widths?: readonly number[];
}

/** 500-500-3:128, hidden widths and latents of a VAE with its batch, or vq-512:32, a VQ-VAE of so many codes; :streamed for rows on the host. */
export function parse(text: string): Configuration[] {
  return text.split(",").map((item) => {
    const [, architecture, codes, layers, batch, streamed] =
      /^(vq-(\d+)|(\d+(?:-\d+)+)):(\d+)(:streamed)?$/.exec(item) ?? [];
    if (!architecture) {
      throw new UsageError(`--configurations: expected items as 500-500-3:128 or vq-512:32, found "${item}"`);
    }
    const widths = layers?.split("-").map(Number);
    return {
      architecture: (codes ? architecture : `784-${architecture}`) + (streamed ? " streamed" : ""),
      model: (codes ? vqVae : vae) as Model,
      config: widths
        ? configure(vae.settings, { hidden: widths.slice(0, -1), latents: widths.at(-1) })
        : configure(vqVae.settings, { codes: Number(codes) }),
      batch: Number(batch),
      rows: streamed ? "streamed" : "resident",
      ...widths ? { widths } : {},
    };
  });
}

/**
 * Compiles a step, with the tiles that `tune` finds for it where none is pinned, and runs it once.
 *
 * @param together Ranks, each of which has a batch of the configuration's size.
 */
export async function prepare(
  gpu: Gpu,
  { model, config, batch, architecture, rows }: Configuration,
  tiles: Tiles,
  tune: (step: TrainingStep) => Promise<TunedTiles | undefined>,
  together?: Together,
): Promise<Subject> {
  const training = configure(trainingSettings, {
    batchSize: batch * (together?.ranks.size ?? 1),
    binarize: "none",
    tiles: tiles.family,
    rows,
  });
  const pixels = uniforms(new Float32Array(ROWS * 784), 1, 0, 0);
  const values = new Uint8Array(pixels.length);
  for (let i = 0; i < values.length; i++) values[i] = pixels[i] < 0.13 ? 255 : 0;
  const subject = { gpu, model, config, training, data: { shape }, split: { values, count: ROWS } };
  const few = { values: values.subarray(0, batch * 784), count: batch };
  const tuned = tiles.pinned ? undefined : await tune({ ...subject, split: few });
  const begin = performance.now();
  const parameters = new Parameters(gpu, model.parameters(config, { shape }));
  parameters.initialize(initializersOf(training), 1);
  const step = await createTrainingProgram({
    ...subject,
    tiles: { ...tiles, tuned: tuned ?? tiles.tuned },
    parameters,
    together,
  });
  await step.program.submit(1);
  const firstStepMs = performance.now() - begin;
  await step.program.settled;
  return { architecture, batch, step, firstStepMs, rates: [], jsMicroseconds: [], idle: [] };
}

/** How to measure. */
export interface MeasureOptions {
  /** About so long. */
  readonly seconds: number;
  /** Steps of a chunk; left out or 0 for as many as a training comes to have. */
  readonly steps?: number;
  /** The GPU's clock, to see whether it waits. */
  readonly clock?: Clock | undefined;
}

/** Measures some seconds of steps: one more of the rates, of the microseconds of JavaScript, and of the idle shares. */
export async function measure(
  gpu: Gpu,
  { step: { program }, batch, rates, jsMicroseconds, idle }: Subject,
  { seconds, steps: fixed = 0, clock }: MeasureOptions,
): Promise<void> {
  const pace = new Pace();
  let [chunks, steps, javascript, begin] = [0, 0, 0, Infinity];
  const timed = <T>(work: () => T): T => {
    const begin = performance.now();
    const result = work();
    javascript += performance.now() - begin;
    return result;
  };
  const next = (): Chunk<StepTerms> | undefined => {
    if (steps && performance.now() - begin > 1000 * seconds) return undefined;
    const count = Math.min(fixed || pace.size, program.most);
    steps += count;
    const chunk = timed(() => program.chunk(count));
    return { submit: () => timed(() => chunk.submit()), read: () => chunk.read() };
  };
  pace.begin();
  for await (const { length } of inTurn(gpu, next)) {
    pace.done(length);
    // By now chunks are as long as those of a training: from here on it counts.
    if (++chunks !== (fixed ? 1 : WARMING)) continue;
    program.clock = clock;
    pace.begin();
    [steps, javascript, begin] = [0, 0, performance.now()];
  }
  program.clock = undefined;
  rates.push(pace.rate * batch);
  jsMicroseconds.push(1000 * javascript / steps);
  // In turn: when the steps of a chunk began, and when they were done.
  const times = await clock?.spans() ?? [];
  const waited = times.filter((_, i) => i > 0 && i % 2 === 0).map(([begun], i) => begun - times[2 * i + 1][1]);
  if (waited.length) idle.push(waited.reduce((sum, ms) => sum + ms) / (times.at(-1)![1] - times[0][1]));
}

/** The middle value; the upper one of two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
