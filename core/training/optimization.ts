/**
 * What the training loop (trainer.ts) asks of whatever improves the parameters: a program of gradient steps (descent.ts), or a model that
 * fits itself (fitting.ts).
 *
 * @module
 */

import type { Progress } from "./checkpoint.ts";
import type { Sighting } from "./divergence.ts";
import type { Losses } from "./events.ts";
import type { TrainingConfig } from "./training_settings.ts";

/** How far an epoch has come. */
export interface Advance {
  /** Epochs completed, with the fraction of the present one. */
  readonly epoch: number;
  readonly step: number;
  readonly train: Losses;
  readonly samplesPerSecond: number;
}

/**
 * Where {@linkcode Optimization.advance} has come to: short of the end if it was stopped there; undefined if nothing is left of the epoch;
 * "diverged" if a loss is no longer finite.
 */
export type Reached = Omit<Advance, "epoch"> | "diverged" | undefined;

/** What {@linkcode Optimization.advance} is told. */
export interface AdvanceOptions {
  /** The epoch, from 1. */
  readonly epoch: number;
  /** The number of steps after which it is complete. */
  readonly end: number;
  /** Whether to stop, asked between submits. */
  stop(): boolean;
}

/** The improvement of parameters, an epoch at a time. */
export interface Optimization {
  /** Steps done. */
  readonly step: number;
  /** The losses of the epoch in progress. */
  readonly train: Losses;
  /** Called once, after the start event. */
  begin(): Promise<void>;
  /** Goes on to the end of an epoch, or until it is told to stop. */
  advance(options: AdvanceOptions): AsyncGenerator<Advance, Reached>;
  /**
   * Goes on by other settings, from the step where it stopped. The means of the epoch in progress begin anew.
   *
   * @param training Settings that leave the state of the optimizer as it is.
   * @param config Settings of the model that leave the shapes of its parameters as they are.
   */
  adjust?(training: TrainingConfig, config: object): Promise<void>;
  /** What a checkpoint says of where it stands. */
  progress(): Promise<Progress>;
  /**
   * Why something is no longer finite. It may train again.
   *
   * @param from The step of the parameters, which are the last good ones.
   * @param seen Where it was seen, if not in the losses of a step.
   */
  diverged(from: number, seen?: Sighting): Promise<Error>;
  /** Frees what it holds on the GPU; the parameters stay. */
  destroy(): void;
}

/** A generator whose values are changed on the way; it ends when either does. */
export async function* mapped<T, U, R>(
  values: AsyncGenerator<T, R>,
  change: (value: T) => U,
): AsyncGenerator<U, R> {
  try {
    for (;;) {
      const { value, done } = await values.next();
      if (done) return value;
      yield change(value);
    }
  } finally {
    await values.return(undefined as R);
  }
}
