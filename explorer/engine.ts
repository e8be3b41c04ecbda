/**
 * What the page asks of whatever computes: a worker with WebGPU (worker.ts), the server that the page came from (remote.ts), or plain
 * TypeScript (plain.ts). All that is asked and answered is plain data, which messages and HTTP carry.
 *
 * Letters: N rows, D features of a datum, K latents.
 *
 * @module
 */

import type { Dataset, DataShape } from "../core/dataset.ts";
import type { TrainingEvent } from "../core/training/events.ts";
import type { DataDescription } from "../core/training/checkpoint.ts";

/** The ways of computing, in the order in which they are tried. */
export const WAYS = ["webgpu", "server", "plain"] as const;
/** One of {@linkcode WAYS}. */
export type Way = typeof WAYS[number];

/** A model that is open, as far as the page must know it. */
export interface ModelInfo {
  readonly model: string;
  readonly summary: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly training: Readonly<Record<string, unknown>>;
  readonly data: DataDescription;
  /** K; 0 where the model has no latents. */
  readonly latents: number;
  /** D */
  readonly features: number;
  /** The number of trained scalars. */
  readonly parameters: number;
  /** Steps it was trained for. */
  readonly step: number;
  /** Settings of the training and of the model that are not their defaults; unknown where the settings' declarations are not at hand. */
  readonly chosen?: Readonly<Record<string, unknown>>;
  /** What it is conditioned on, if on anything. */
  readonly condition?: string;
  /** Whether p(z) is N(0, I). */
  readonly standardPrior: boolean;
  /** What can be done with it. */
  readonly can: Readonly<Record<"encode" | "decode" | "sample" | "score" | "train", boolean>>;
}

/** Rows that are open. */
export interface DataInfo extends DataShape {
  readonly name: string;
  readonly train: number;
  readonly test: number;
}

/** Which rows. */
export interface RowsOf {
  readonly split: "train" | "test";
  /** Their numbers; without them the first `count`. */
  readonly rows?: readonly number[];
  readonly count?: number;
}

/** q(z | x) of N rows. */
export interface Encodings {
  /** [N, K] */
  readonly mean: Float32Array<ArrayBuffer>;
  /** [N, K] */
  readonly logVariance: Float32Array<ArrayBuffer>;
  /** Mean KL of each dimension from N(0, 1) over these rows, nats [K], where the prior is N(0, I). */
  readonly kl?: readonly number[];
  /** [N] */
  readonly labels?: ArrayLike<number>;
}

/** A training, begun by {@linkcode Engine.train}. */
export interface TrainRequest {
  readonly model: string;
  /** Settings of the training and of the model together. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Begins with the weights that are open, where they fit. */
  readonly goOn?: boolean;
}

/** How a training is to go on. */
export interface Control {
  /** Without a change it goes on as it did. */
  readonly running?: boolean;
  /** While it is paused: so many steps more. */
  readonly steps?: number;
  /** Seconds of a chunk of steps: short ones leave the GPU to what a person does. */
  readonly chunkSeconds?: number;
  /** Settings to go on by: `beta`, `freeBits`, `capacity`, `learningRate`, ... */
  readonly adjust?: Readonly<Record<string, unknown>>;
  /** Ends it. */
  readonly stop?: boolean;
}

/** What an engine says by itself. */
export type EngineEvent =
  | TrainingEvent
  | { readonly event: "paused"; readonly step: number }
  | { readonly event: "failed"; readonly message: string };

/** Whatever computes. Every method answers for the model and the rows that were opened last. */
export interface Engine {
  readonly way: Way;
  /** What it runs on, in words. */
  readonly adapter: string;
  /** Opens the bytes of a checkpoint. */
  open(bytes: Uint8Array<ArrayBuffer>): Promise<ModelInfo>;
  /** The model as it stands, a training's too; undefined before there is one. */
  model(): Promise<ModelInfo | undefined>;
  /** Opens rows: a dataset in memory. */
  useData(dataset: Dataset): Promise<DataInfo>;
  /** Values of rows [N, D], bytes as value / 255, and their labels. */
  rows(which: RowsOf): Promise<{ x: Float32Array<ArrayBuffer>; labels?: ArrayLike<number> }>;
  encode(x: Float32Array<ArrayBuffer>, labels?: readonly number[]): Promise<Encodings>;
  /** Encodes rows of the data: up to all. */
  encodeRows(which: RowsOf): Promise<Encodings>;
  /** E[x | z] [N, D]; z [N, K] */
  decode(z: Float32Array<ArrayBuffer>, labels?: readonly number[]): Promise<Float32Array<ArrayBuffer>>;
  /** E[x | z] of draws from the prior [N, D], with the draws [N, K]. */
  sample(
    options: {
      readonly count: number;
      readonly seed: number;
      readonly temperature?: number;
      readonly labels?: readonly number[];
    },
  ): Promise<{ z: Float32Array<ArrayBuffer>; x: Float32Array<ArrayBuffer> }>;
  /** log p(x) of each row, estimated with so many draws, nats [N]. */
  score(
    x: Float32Array<ArrayBuffer>,
    options?: { readonly samples?: number; readonly labels?: readonly number[] },
  ): Promise<Float64Array<ArrayBuffer>>;
  /** What is missing filled in, [N, D]; mask [D], 1 where a value is observed. */
  impute(
    x: Float32Array<ArrayBuffer>,
    mask: Uint8Array<ArrayBuffer>,
    options?: { readonly iterations?: number; readonly labels?: readonly number[] },
  ): Promise<Float32Array<ArrayBuffer>>;
  /** Begins a training; what comes of it is told by {@linkcode Engine.onEvent}. */
  train(request: TrainRequest): Promise<ModelInfo>;
  control(control: Control): Promise<void>;
  /** The checkpoint's bytes, without what only the optimizer needs if that is asked for. */
  save(options?: { readonly optimizer?: boolean }): Promise<Uint8Array<ArrayBuffer>>;
  /** Hears events, until the function that it gives is called. */
  onEvent(listener: (event: EngineEvent) => void): () => void;
  close(): void;
}

/** The methods that are called with plain data and answer with plain data. */
export const CALLS = [
  ...["open", "model", "useData", "rows", "encode", "encodeRows", "decode", "sample", "score", "impute", "train"],
  ...["control", "save"],
] as const;

/**
 * Calls a method by its name, as a message names it.
 *
 * @throws {Error} If it is none of {@linkcode CALLS}.
 */
export async function callByName(engine: Engine, name: string, args: readonly unknown[]): Promise<unknown> {
  if (!(CALLS as readonly string[]).includes(name)) {
    throw new Error(`Cannot call "${name}": the engine has no such method`);
  }
  const method = engine[name as "decode"] as (...args: unknown[]) => Promise<unknown>;
  return await method.apply(engine, [...args]);
}

/** What an engine elsewhere is, besides its answers. */
export interface Elsewhere extends Pick<Engine, "way" | "adapter" | "close"> {
  /** Has a method called there. */
  call(name: string, args: readonly unknown[]): Promise<unknown>;
}

/** An engine that is elsewhere, and what tells its events here. */
export function engineElsewhere(
  { way, adapter, close, call }: Elsewhere,
): { readonly engine: Engine; tell(event: EngineEvent): void } {
  const listeners = new Set<(event: EngineEvent) => void>();
  const calls = CALLS.map((name) => [name, (...args: readonly unknown[]) => call(name, args)]);
  return {
    engine: {
      ...Object.fromEntries(calls) as Pick<Engine, Exclude<keyof Engine, "way" | "adapter" | "close" | "onEvent">>,
      ...{ way, adapter, close },
      onEvent(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    tell: (event) => listeners.forEach((listener) => listener(event)),
  };
}
