/**
 * The events that a training yields. They are plain JSON: the command line prints them as they are with `--json`.
 *
 * @module
 */

import type { DataSummary } from "../description.ts";
import type { LatentUse } from "../distributions/encoded.ts";
import type { BestEpoch } from "./patience.ts";

/** The negative ELBO's parts: nats per datum, summed over features, averaged over data. */
export interface Losses {
  /** The evidence lower bound: -(nll + kl), every term with weight 1. */
  readonly elbo: number;
  /** Expected negative log-likelihood (reconstruction). */
  readonly nll: number;
  /** KL divergence of the posterior from the prior. */
  readonly kl: number;
  /**
   * What is minimised: free bits, capacities and the weights included, of a training each step by the weights of that step, of a
   * validation by those of the last step before. What a discriminator minimises is no part of it.
   */
  readonly loss: number;
  /** Terms of other names that a model adds, and what its tallies come to: of an epoch only once it is complete. */
  readonly [term: string]: number;
}

/** First event: what is about to be trained, on what. */
export interface StartEvent {
  /** Which event it is. */
  readonly event: "start";
  /** The adapter in words. */
  readonly adapter: string;
  /** The name of the model. */
  readonly model: string;
  /** The name of the dataset. */
  readonly dataset: string;
  /** What was read. */
  readonly data: DataSummary;
  /** Number of trained scalars. */
  readonly parameters: number;
  /** Training and model settings, and the tile choice. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Steps already done, where a run is resumed. */
  readonly step: number;
  /** Epochs asked for. */
  readonly epochs: number;
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
}

/** After each chunk of steps. */
export interface ProgressEvent {
  /** Which event it is. */
  readonly event: "progress";
  /** Epochs completed, with the fraction of the present one. */
  readonly epoch: number;
  /** Steps done. */
  readonly step: number;
  /** Steps in all. */
  readonly steps: number;
  /** Mean over the steps of the epoch so far. */
  readonly train: Losses;
  /** Training rows a second. */
  readonly samplesPerSecond: number;
  /** Since the training began or was resumed. */
  readonly seconds: number;
}

/** After each epoch. */
export interface EpochEvent {
  /** Which event it is. */
  readonly event: "epoch";
  /** Its number, from 1. */
  readonly epoch: number;
  /** Steps done. */
  readonly step: number;
  /** Means over the steps of the epoch, while the parameters still changed. */
  readonly train: Losses;
  /** Means over the validation rows, where some are held out. */
  readonly validation?: Losses;
  /** How the latents are used, on the first validation rows; absent without such rows, and where the posterior is no Gaussian. */
  readonly latents?: LatentUse;
  /** Structural similarity of reconstructions of some validation images, data range 1, where whoever keeps the events adds it. */
  readonly ssim?: number;
  /** Other numbers, by name, where whoever keeps the events adds them. */
  readonly measures?: Readonly<Record<string, number>>;
  /** Training rows a second. */
  readonly samplesPerSecond: number;
  /** Since the training began or was resumed. */
  readonly seconds: number;
}

/** After the last epoch, or when the training was stopped by its signal. */
export interface EndEvent {
  /** Which event it is. */
  readonly event: "end";
  /** Epochs done. */
  readonly epochs: number;
  /** Steps done. */
  readonly step: number;
  /** Of the last epoch. */
  readonly train: Losses;
  /** Of the last epoch, where rows are held out. */
  readonly validation?: Losses;
  /** Training rows a second. */
  readonly samplesPerSecond: number;
  /** Since the training began or was resumed. */
  readonly seconds: number;
  /** True where an AbortSignal ended it before the last epoch. */
  readonly stopped: boolean;
  /** True where `patience` ended it before the last epoch. */
  readonly early?: boolean;
  /** The epoch with the lowest validation loss, where rows are held out to validate on. */
  readonly best?: BestEpoch;
}

/** Everything that a training yields. */
export type TrainingEvent = StartEvent | ProgressEvent | EpochEvent | EndEvent;
