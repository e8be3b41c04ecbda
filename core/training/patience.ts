/**
 * Early stopping.
 *
 * @module
 */

import type { BestEpoch } from "./checkpoint.ts";

/**
 * Whether a training has gone as many epochs without a lower validation loss as it is patient for.
 *
 * @param patience Epochs; 0: it goes on however long.
 * @param epoch Epochs completed.
 */
export function isExhausted(patience: number, epoch: number, best: BestEpoch | undefined): boolean {
  return patience > 0 && best !== undefined && epoch - best.epoch >= patience;
}
