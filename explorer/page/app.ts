/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * What the parts of the page share: the engine, what is open, the state in the address, and who hears of changes.
 *
 * @module
 */

import type { Dataset } from "../../core/dataset.ts";
import type { EpochEvent } from "../../core/training/events.ts";
import type { DataInfo, Engine, ModelInfo } from "../engine.ts";
import type { Manifest } from "../manifest.ts";
import type { State } from "./state.ts";

/** What may change: the model that is open, the rows, or the weights of a training. */
export type Change = "model" | "data" | "weights";

/** The page's own centre. */
export class App {
  model: ModelInfo | undefined;
  /** The rows that are open, and the engine that has them; they may be of another shape than the model's. */
  #rows: { readonly info: DataInfo; readonly engine: Engine } | undefined;
  /** The losses of the model's training, an epoch each, as far as they are known. */
  epochs: EpochEvent[] = [];
  readonly #listeners = new Set<(change: Change) => void>();

  /**
   * @param engine What computes. At first it is plain TypeScript, so that something is seen while shaders are compiled; what was built on it
   * is built anew once there is another.
   */
  constructor(
    public engine: Engine,
    readonly manifest: Manifest,
    readonly state: State,
    readonly say: (message: string) => void,
    /** Begins a further engine that computes in the same way. */
    readonly another: () => Promise<Engine>,
  ) {}

  /** The rows that can be asked for: another engine than the one that computes may have read some already. */
  get loaded(): DataInfo | undefined {
    return this.#rows?.engine === this.engine ? this.#rows.info : undefined;
  }

  /** The rows that can be asked for, if they are what the model takes. */
  get data(): DataInfo | undefined {
    return this.loaded?.shape.join() === this.model?.data.shape.join() ? this.loaded : undefined;
  }

  /** Has an engine read rows. Meanwhile none can be asked for, since it may have these already; what is refused leaves those before. */
  async useData(engine: Engine, dataset: Dataset): Promise<DataInfo> {
    const before = this.#rows;
    this.#rows = undefined;
    try {
      const info = await engine.useData(dataset);
      this.#rows = { info, engine };
      return info;
    } catch (error) {
      this.#rows = before;
      throw error;
    }
  }

  changed(change: Change): void {
    for (const listener of [...this.#listeners]) listener(change);
  }

  /** Hears of changes until the function that it gives is called. */
  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs work that was begun by a hand, and says it if it fails. */
  async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * Does the newest of what is asked, one at a time: what was asked meanwhile replaces what waits. So a pointer that moves faster than a
   * decoder never queues.
   */
  newest<A extends readonly unknown[]>(work: (...args: A) => Promise<void>): (...args: A) => void {
    let waiting: A | undefined;
    let busy = false;
    return (...args) => {
      waiting = args;
      if (busy) return;
      busy = true;
      (async () => {
        while (waiting) {
          const next = waiting;
          waiting = undefined;
          await this.attempt(() => work(...next));
        }
      })().finally(() => busy = false);
    };
  }
}

/** A part of the page that one looks at: a tab. */
export interface View {
  /** The name in the address. */
  readonly id: string;
  readonly title: string;
  /** Why it cannot show this model, in a sentence; undefined if it can. */
  unfit?(app: App): string | undefined;
  /** Builds it into a host; what it gives takes it away again. */
  mount(host: HTMLElement, app: App): () => void;
}
