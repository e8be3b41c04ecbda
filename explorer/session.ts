/**
 * An engine on the library itself: one model, one dataset and at most one training, on WebGPU. It runs in a worker of the page and in the
 * server alike, and uses nothing of either.
 *
 * @module
 */

import { type Dataset, slice } from "../core/dataset.ts";
import { latentUse, marginals } from "../core/distributions/encoded.ts";
import type { Gpu } from "../core/gpu/device.ts";
import type { Trained } from "../core/training/trained.ts";
import { train, type Training } from "../core/training/trainer.ts";
import { trainingSettings } from "../core/training/training_settings.ts";
import { defaults } from "../core/settings.ts";
import { tableSettings } from "../datasets/table.ts";
import { impute } from "../evaluation/impute.ts";
import { scores } from "../evaluation/scores.ts";
import { findModel, load } from "../models/mod.ts";
import { chosenRows, describeRows, shownRows } from "./rows.ts";
import type { Control, DataInfo, Encodings, Engine, EngineEvent, ModelInfo, RowsOf, TrainRequest } from "./engine.ts";

/** Rows that are encoded at once, so that a training goes on between. */
const PIECE = 5000;
/** Points that a pointer asks for at a time, at most. */
const POINTED = 16;
/** Milliseconds after such a request in which more are to be expected. */
const MOVING = 120;
/** Milliseconds of a step that a pointer can wait for. */
const SHORT = 8;
/** Milliseconds that a training with longer steps rests for one, at most. */
const REST = 500;

/** Values of settings that are declared by the readers of other files than tables, and say nothing. */
const NOTHING = ["", false, []];

interface Conditioned {
  readonly labels?: readonly number[];
}

/** See {@linkcode Engine}. */
export class Session implements Engine {
  readonly #gpu: Gpu;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #trained: Trained | undefined;
  #dataset: Dataset | undefined;
  #training: Training<object> | undefined;
  #ended: Promise<void> = Promise.resolve();
  #stop = new AbortController();
  #running = true;
  #steps = 0;
  #chunkSeconds = 0.08;
  /** When points were last asked for. */
  #pointed = -Infinity;
  /** Steps that the training under way has done. */
  #done = 0;
  /** Wakes a training that is paused. */
  #wake: () => void = () => {};
  /** One after another: what is asked while a training runs waits for the chunk under way. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #served: () => void = () => {};

  constructor(gpu: Gpu, readonly way: Engine["way"] = "webgpu") {
    this.#gpu = gpu;
  }

  get adapter(): string {
    return this.#gpu.adapter;
  }

  /** Runs what is asked after all that was asked before. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    this.#waiting++;
    const result = (async () => {
      await before.catch(() => {});
      return await work();
    })();
    this.#last = result;
    try {
      return await result;
    } finally {
      if (--this.#waiting === 0) this.#served();
    }
  }

  get #model(): Trained {
    const trained = this.#training?.trained ?? this.#trained;
    if (!trained) throw new Error("Cannot compute: expected an open model, found none");
    return trained as Trained;
  }

  async open(bytes: Uint8Array<ArrayBuffer>): Promise<ModelInfo> {
    await this.#end();
    return await this.#inTurn(async () => {
      const trained = await load(bytes, { gpu: this.#gpu });
      this.#trained?.destroy();
      this.#trained = trained;
      return await describe(trained);
    });
  }

  async model(): Promise<ModelInfo | undefined> {
    if (!this.#training && !this.#trained) return undefined;
    return await this.#inTurn(async () => {
      const info = await describe(this.#model);
      return this.#training ? { ...info, step: this.#done } : info;
    });
  }

  // deno-lint-ignore require-await -- what is wrong is a rejection
  async useData(dataset: Dataset): Promise<DataInfo> {
    const info = describeRows(dataset);
    this.#dataset = dataset;
    return info;
  }

  // deno-lint-ignore require-await -- what is wrong is a rejection
  async rows(which: RowsOf): Promise<{ x: Float32Array<ArrayBuffer>; labels?: ArrayLike<number> }> {
    return shownRows(this.#dataset, which);
  }

  async encode(x: Float32Array<ArrayBuffer>, labels?: readonly number[]): Promise<Encodings> {
    return await this.#inTurn(() => this.#encode(x, { labels }));
  }

  async #encode(x: Float32Array, given: Conditioned): Promise<Encodings> {
    const trained = this.#model;
    const encoded = await trained.posterior(x, conditionOf(trained, x, given));
    const kl = encoded.covariance && trained.hasStandardPrior ? { kl: latentUse(encoded).kl } : {};
    return { ...marginals(encoded), ...kl };
  }

  async encodeRows(which: RowsOf): Promise<Encodings> {
    const all = chosenRows(this.#dataset, which);
    const { latents } = this.#model;
    const mean = new Float32Array(all.count * latents);
    const logVariance = new Float32Array(all.count * latents);
    const kl = new Float64Array(latents);
    let measured = true;
    for (let from = 0; from < all.count; from += PIECE) {
      const count = Math.min(PIECE, all.count - from);
      const part = slice(all, from, from + count);
      const encoded = await this.#inTurn(() =>
        this.#encode(this.#model.rowsOf(part), { labels: part.labels && [...part.labels] })
      );
      mean.set(encoded.mean, from * latents);
      logVariance.set(encoded.logVariance, from * latents);
      measured &&= encoded.kl !== undefined;
      encoded.kl?.forEach((value, k) => kl[k] += value * count / all.count);
    }
    return { mean, logVariance, labels: all.labels, ...(measured ? { kl: [...kl] } : {}) };
  }

  /** Milliseconds for which a pointer is still taken to move; 0 where it rests. */
  get #moving(): number {
    return Math.max(0, this.#pointed + MOVING - performance.now());
  }

  async decode(z: Float32Array<ArrayBuffer>, labels?: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    if (z.length <= POINTED * this.#model.latents) this.#pointed = performance.now();
    return await this.#inTurn(() =>
      this.#model.decode(z, conditionOf(this.#model, z, { labels }, this.#model.latents))
    );
  }

  async sample(
    { count, seed, temperature, labels }: Parameters<Engine["sample"]>[0],
  ): Promise<{ z: Float32Array<ArrayBuffer>; x: Float32Array<ArrayBuffer> }> {
    return await this.#inTurn(async () => {
      const trained = this.#model;
      const z = await trained.drawPrior({ count, seed, temperature, labels });
      return { z, x: await trained.decode(z, conditionOf(trained, z, { labels }, z.length / count)) };
    });
  }

  async score(
    x: Float32Array<ArrayBuffer>,
    { samples = 100, labels }: { readonly samples?: number; readonly labels?: readonly number[] } = {},
  ): Promise<Float64Array<ArrayBuffer>> {
    return await this.#inTurn(async () => {
      const trained = this.#model;
      const given = conditionOf(trained, x, { labels });
      const split = {
        values: x,
        count: x.length / trained.features,
        labels: given.labels && Uint8Array.from(given.labels),
      };
      return (await scores(trained, split, { samples, binarize: "none" })).values;
    });
  }

  async impute(
    x: Float32Array<ArrayBuffer>,
    mask: Uint8Array<ArrayBuffer>,
    { iterations = 30, labels }: { readonly iterations?: number; readonly labels?: readonly number[] } = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    const found = await this.#inTurn(() =>
      impute(this.#model, x, mask, { iterations, ...conditionOf(this.#model, x, { labels }) })
    );
    return found.values;
  }

  async save(options: Parameters<Engine["save"]>[0] = {}): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#inTurn(() => this.#model.toBytes(options ?? {}));
  }

  async train({ model, config }: TrainRequest): Promise<ModelInfo> {
    if (!this.#dataset) throw new Error("Cannot read rows: expected an open dataset, found none");
    await this.#end();
    this.#stop = new AbortController();
    this.#running = true;
    this.#steps = 0;
    const training = train(findModel(model), this.#dataset, config as object, {
      gpu: this.#gpu,
      signal: this.#stop.signal,
      // A training that is paused goes on by single steps, and so does one beside a pointer that moves.
      chunkSeconds: () => this.#running && !this.#moving ? this.#chunkSeconds : 0,
    });
    const { promise, resolve, reject } = Promise.withResolvers<ModelInfo>();
    this.#ended = this.#follow(training, resolve).catch((error: Error) => {
      reject(error);
      this.#tell({ event: "failed", message: error.message });
    });
    return await promise;
  }

  async #follow(training: Training<object>, begun: (info: ModelInfo) => void): Promise<void> {
    let last = performance.now();
    let stepTakes = 0;
    for await (const event of training) {
      if (event.event === "start") {
        const before = this.#trained;
        this.#trained = undefined;
        this.#training = training;
        // What was asked of it before may still be under way.
        void this.#inTurn(() => Promise.resolve(before?.destroy()));
        this.#done = event.step;
        begun(await describe(training.trained as Trained));
      }
      if (event.event === "progress") {
        stepTakes = (performance.now() - last) / Math.max(1, event.step - this.#done);
        this.#done = event.step;
      }
      this.#tell(event);
      if (event.event === "end") break;
      if (event.event === "progress" && !this.#running) await this.#pause(event.step);
      const rested = stepTakes > SHORT ? performance.now() + REST : 0;
      for (let left = 1; left > 0;) {
        while (this.#waiting) await new Promise<void>((resolve) => this.#served = resolve);
        left = this.#stop.signal.aborted ? 0 : Math.min(this.#moving, rested - performance.now());
        if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
      }
      last = performance.now();
    }
    this.#trained = training.trained as Trained;
    this.#training = undefined;
  }

  /** Until it goes on, or has a step left. */
  async #pause(step: number): Promise<void> {
    if (this.#steps > 0) {
      this.#steps--;
      return;
    }
    this.#tell({ event: "paused", step });
    while (!this.#running && this.#steps === 0 && !this.#stop.signal.aborted) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    if (this.#steps > 0) this.#steps--;
  }

  control({ running, steps, chunkSeconds, adjust, stop }: Control): Promise<void> {
    if (adjust && this.#training) this.#training.adjust(adjust);
    if (chunkSeconds !== undefined) this.#chunkSeconds = chunkSeconds;
    if (running !== undefined) this.#running = running;
    if (steps) this.#steps += steps;
    if (stop) this.#stop.abort();
    this.#wake();
    return Promise.resolve();
  }

  /** Ends a training that is under way, and keeps its model. */
  async #end(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#ended;
  }

  #tell(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  onEvent(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Frees what it holds; the GPU is its maker's, who may have others on it. */
  async close(): Promise<void> {
    await this.#end();
    await this.#inTurn(() => Promise.resolve(this.#trained?.destroy()));
  }
}

/** One label for each row: those given in turn, else 0, for a model that is conditioned on labels. */
function conditionOf(
  trained: Trained,
  x: ArrayLike<number>,
  { labels }: Conditioned,
  width = trained.features,
): Conditioned {
  if (!trained.model.condition?.(trained.config)) return {};
  const given = labels?.length ? labels : [0];
  return { labels: Array.from({ length: x.length / width }, (_, i) => given[i % given.length]) };
}

/** Settings of a training, its model and its data that are not their defaults. */
function chosenOf({ model, config, training, data: { settings = {}, seed } }: Trained): Record<string, unknown> {
  const declared: Readonly<Record<string, unknown>> = {
    ...defaults(trainingSettings),
    ...model.training,
    ...defaults<object>(model.settings),
    ...defaults(tableSettings),
  };
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const chosen = Object.entries({ ...training, ...config, ...settings }).filter(([name, value]) =>
    name in declared ? !same(value, declared[name]) : !NOTHING.some((nothing) => same(value, nothing))
  );
  return { ...Object.fromEntries(chosen), ...seed ? { dataSeed: seed } : {} };
}

async function describe(trained: Trained): Promise<ModelInfo> {
  const { model, config, training, data, parameters, progress } = trained;
  const latents = model.latents ? trained.latents : 0;
  return {
    ...{ model: model.name, summary: model.summary, data, latents, features: trained.features },
    config: config as Record<string, unknown>,
    training: { ...training },
    parameters: parameters.count,
    step: progress.step,
    chosen: chosenOf(trained),
    condition: model.condition?.(config),
    standardPrior: trained.hasStandardPrior,
    can: {
      encode: !!model.encode && latents > 0,
      decode: !!model.decode && latents > 0,
      sample: !!model.decode && model.density !== "none",
      score: await trained.hasDensity(),
      train: !model.fit,
    },
  };
}
