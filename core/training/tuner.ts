/**
 * Which workgroup tile forms which product fastest on this GPU, found by timing the products themselves: the kernels of a training step
 * on buffers of a copy that is thrown away. What was found is kept where the caller says. It is for GPUs: on an adapter that runs on the
 * processor the rule of {@linkcode chooseTiles} is better, since every kernel that is tried takes seconds to compile there.
 *
 * @module
 */

import type { Gpu } from "../gpu/device.ts";
import { prepare, type Prepared, record } from "../gpu/kernel.ts";
import { Parameters } from "../graph/parameters.ts";
import { setState } from "../graph/program.ts";
import type { TapeProduct } from "../graph/dispatches.ts";
import {
  candidates,
  chooseTiles,
  readTuned,
  shapeName,
  type TunedTiles,
  WORKGROUP_TILES_VERSION,
  type WorkgroupTile,
} from "../products/tiles.ts";
import { type RecordedTraining, recordTraining, type TrainingStep } from "./training_program.ts";

/** Keeps what was found from one program to the next. It must not throw: where nothing can be kept, nothing is. */
export interface TileCache {
  /** What is kept for an adapter, if anything. It is checked by whoever asks. */
  get(key: string): Promise<unknown>;
  /** Keeps it, in place of what was there. */
  set(key: string, tuned: TunedTiles): Promise<void>;
}

/** Gives the milliseconds of a product with a tile. */
export type Timer = (product: TapeProduct, tile: WorkgroupTile) => Promise<number>;

/** How {@linkcode tune} works. */
export interface TuneOptions {
  /** Keeps what was measured. */
  readonly cache?: TileCache;
  /** Time for all of it, compilation included; what is not reached by then is left to the rule. Default: 3. */
  readonly seconds?: number;
  /** Stops it. */
  readonly signal?: AbortSignal;
  /** Told of how many shapes are going to be timed, if any. */
  readonly onStart?: (shapes: number) => void;
  /** Default: runs the product on the GPU, many times over. */
  readonly timer?: Timer;
  /** The time in milliseconds. */
  readonly now?: () => number;
}

/** What was found of products of one shape. */
export interface TunedShape {
  /** As {@linkcode shapeName} has it. */
  readonly shape: string;
  /** Multiply-adds that the mathematics asks for. */
  readonly macs: number;
  /** The median of the milliseconds that each tile took; empty where only the cache or the rule was asked. */
  readonly milliseconds: Readonly<Record<string, number>>;
  /** The tile chosen; none where it is left to the rule. */
  readonly tile?: WorkgroupTile;
}

/** The most often that a candidate is timed. */
const ROUNDS = 5;
/** A candidate that never came nearer to the best time than this factor is not timed again. */
const HOPELESS = 1.5;

/** Under which key a cache keeps what was found on this adapter, of these tiles. */
export function tuningKey(gpu: Gpu): string {
  return `${gpu.identity}, tiles ${WORKGROUP_TILES_VERSION}`;
}

/**
 * Chooses a tile for each shape among products.
 *
 * @returns One entry for each shape, in the order in which they come.
 */
export async function tune(
  gpu: Gpu,
  products: readonly TapeProduct[],
  options: TuneOptions = {},
): Promise<TunedShape[]> {
  const { cache, seconds = 3, signal, now = () => performance.now() } = options;
  const begin = now();
  const shapes = new Map<string, TapeProduct>();
  for (const product of products) {
    const name = shapeName(product.shape);
    if (!shapes.has(name)) shapes.set(name, product);
  }
  const key = tuningKey(gpu);
  const known = readTuned(await cache?.get(key)) ?? {};
  // A shape with one candidate has nothing to choose.
  const searched = [...shapes].filter(([name, { shape }]) => !known[name] && candidates(shape).length > 1);
  if (searched.length) options.onStart?.(searched.length);
  const inTime = () => now() - begin < seconds * 1000 && !signal?.aborted;
  const found = await search(new Map(searched), options.timer ?? gpuTimer(gpu), inTime);
  signal?.throwIfAborted();
  const best = Object.fromEntries(found.entries().map(([name, milliseconds]) => [name, fastest(milliseconds)]));
  if (found.size) await cache?.set(key, sorted({ ...known, ...best }));
  return [...shapes].map(([shape, { macs }]) => ({
    shape,
    macs,
    milliseconds: Object.fromEntries(found.get(shape) ?? []),
    tile: best[shape] ?? known[shape],
  }));
}

/** The median times of the candidates of each shape, of those shapes for which there was time. */
async function search(
  shapes: ReadonlyMap<string, TapeProduct>,
  timer: Timer,
  inTime: () => boolean,
): Promise<Map<string, ReadonlyMap<WorkgroupTile, number>>> {
  // The largest first: they matter most where the time does not suffice for all.
  const order = [...shapes].toSorted(([, a], [, b]) => b.macs - a.macs);
  const samples = order.map(([name, product]) => {
    const times = new Map(candidates(product.shape).map((tile): [WorkgroupTile, number[]] => [tile, []]));
    return { name, product, times };
  });
  for (let round = 0; round < ROUNDS; round++) {
    // In turn, so that a machine that slows down does so for all.
    for (const { product, times } of samples) {
      const tiles = contenders(times);
      if (tiles.length < 2) continue;
      for (const tile of tiles) if (inTime()) times.get(tile)!.push(await timer(product, tile));
    }
  }
  const complete = samples.filter(({ times }) => times.values().every(({ length }) => length > 0));
  return new Map(complete.map(({ name, times }) => [
    name,
    new Map(times.entries().map(([tile, each]) => [tile, median(each)] as const)),
  ]));
}

/** The choices that were made, as a training takes them. */
export function tunedTiles(found: readonly TunedShape[]): TunedTiles {
  return sorted(Object.fromEntries(found.flatMap(({ shape, tile }) => tile ? [[shape, tile]] : [])));
}

/**
 * Chooses the tiles of a training step; see {@linkcode tune}. Nothing that it is given changes.
 *
 * @param step What is trained; of the rows only that there are as many as a batch has matters.
 */
export async function tuneTraining(step: TrainingStep, options: TuneOptions = {}): Promise<TunedShape[]> {
  const { gpu, model, config, data } = step;
  const parameters = new Parameters(gpu, model.parameters(config, data));
  // No product depends on how pixels are made into data, and not every data can be made into bits.
  const training = { ...step.training, binarize: "none" } as const;
  const scopes = gpu.scopes();
  let recorded: RecordedTraining | undefined;
  try {
    recorded = await recordTraining({ ...step, training, tiles: chooseTiles(gpu, "workgroup"), parameters });
    const { tape: { state }, compiled } = recorded;
    // A product that forms its operand as it loads it is timed with that: it draws, and takes rows in a shuffled order.
    scopes.within(() => setState(gpu, state, { step: 0, seed: 0, count: step.split.count, shuffle: true }));
    await scopes.settle();
    return await tune(gpu, compiled.products, options);
  } finally {
    recorded?.destroy();
    parameters.destroy();
  }
}

/** Those tiles that at their best were not much slower than the best; all, before any was timed. */
function contenders(timed: ReadonlyMap<WorkgroupTile, readonly number[]>): WorkgroupTile[] {
  const best = Math.min(...[...timed.values()].flat());
  return [...timed].filter(([, times]) => Math.min(...times) <= HOPELESS * best).map(([tile]) => tile);
}

/** The tile that took least time; the first of equals. */
function fastest(milliseconds: ReadonlyMap<WorkgroupTile, number>): WorkgroupTile {
  return [...milliseconds].reduce((best, each) => each[1] < best[1] ? each : best)[0];
}

function sorted(tuned: TunedTiles): TunedTiles {
  return Object.fromEntries(Object.entries(tuned).toSorted(([a], [b]) => a < b ? -1 : 1));
}

/** The middle value; the mean of two. */
function median(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  const middle = ordered.length >> 1;
  return ordered.length % 2 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2;
}

/** Work of one submit while timing, in milliseconds: well above what a submit and the waiting for it take, about 11. */
const WORK = 20;

/** Runs products on the GPU; a kernel is compiled when it is first asked for. */
function gpuTimer(gpu: Gpu): Timer {
  const kernels = new Map<string, Promise<readonly Prepared[]>>();
  const repeats = new Map<TapeProduct, number>();
  const { device } = gpu;
  const scopes = gpu.scopes();
  const run = async (dispatches: readonly Prepared[], times: number) => {
    const commands = scopes.within(() => {
      const encoder = device.createCommandEncoder();
      record(gpu, encoder, dispatches, { times });
      return encoder.finish();
    });
    const begin = performance.now();
    scopes.within(() => device.queue.submit([commands]));
    await device.queue.onSubmittedWorkDone();
    const milliseconds = performance.now() - begin;
    await scopes.settle();
    return milliseconds;
  };
  let waiting: number | undefined;
  return async (product, tile) => {
    const key = `${tile}: ${shapeName(product.shape)}`;
    let kernel = kernels.get(key);
    if (!kernel) {
      const dispatches = scopes.within(() => product.form({ ...chooseTiles(gpu, "workgroup"), pinned: tile }));
      kernels.set(key, kernel = Promise.all(dispatches.map((dispatch) => prepare(gpu, dispatch))));
      // The first run compiles, on some drivers.
      await run(await kernel, 1);
    }
    const dispatches = await kernel;
    waiting ??= Math.min(await run([], 0), await run([], 0));
    let times = repeats.get(product);
    if (!times) {
      // As many for one tile as for another, from the speed of the first.
      const once = await run(dispatches, 1) - waiting;
      const each = once > WORK / 4 ? once : (await run(dispatches, 33) - waiting) / 33;
      repeats.set(product, times = Math.min(4096, Math.max(1, Math.ceil(WORK / Math.max(each, 1e-3)))));
    }
    return Math.max(1e-6, await run(dispatches, times) - waiting) / times;
  };
}
