/**
 * The negative log-likelihood of a Bernoulli distribution by its logits, forward and backward, as plain loops in
 * float64.
 *
 * N rows of the batch, D features; logits and x [N, D]. x is 0 or 1 (between them, the value is a cross-entropy and no
 * likelihood).
 *
 * @module
 */

/** N and D. */
export interface DataSizes {
  readonly batch: number;
  readonly features: number;
}

/**
 * nll = Σ max(l, 0) - l x + log(1 + e^-|l|) for each row.
 *
 * @returns [N], in nats.
 */
export function bernoulliNllForward(
  logits: Float64Array,
  x: Float64Array,
  { batch, features }: DataSizes,
): Float64Array {
  const nll = new Float64Array(batch);
  for (let n = 0; n < batch; n++) {
    for (let d = n * features; d < (n + 1) * features; d++) {
      nll[n] += Math.max(logits[d], 0) - logits[d] * x[d] + Math.log1p(Math.exp(-Math.abs(logits[d])));
    }
  }
  return nll;
}

/**
 * dl = dnll (1 / (1 + e^-l) - x).
 *
 * @param nllGradient dL/dnll [N].
 * @returns dL/dlogits [N, D].
 */
export function bernoulliNllBackward(
  logits: Float64Array,
  x: Float64Array,
  nllGradient: Float64Array,
  { batch, features }: DataSizes,
): Float64Array {
  const gradient = new Float64Array(batch * features);
  for (let n = 0; n < batch; n++) {
    for (let d = n * features; d < (n + 1) * features; d++) {
      gradient[d] = nllGradient[n] * (1 / (1 + Math.exp(-logits[d])) - x[d]);
    }
  }
  return gradient;
}
