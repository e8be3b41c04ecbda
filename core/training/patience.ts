/**
 * Early stopping.
 *
 * @module
 */

/** The epoch after which the validation loss was lowest. */
export interface BestEpoch {
  /** Its number, from 1. */
  readonly epoch: number;
  /** Steps done after it. */
  readonly step: number;
  /** The validation loss, without a discriminator's, by the weights of the terms that their schedules end with. */
  readonly loss: number;
}

/**
 * Whether a training has gone as many epochs without a lower validation loss as it is patient for.
 *
 * @param patience Epochs; 0: it goes on however long.
 * @param epoch Epochs completed.
 */
export function isExhausted(patience: number, epoch: number, best: BestEpoch | undefined): boolean {
  return patience > 0 && best !== undefined && epoch - best.epoch >= patience;
}
