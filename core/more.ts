/**
 * What a plain training on a GPU does without: it is loaded by need, all at once.
 *
 * @module
 */

export { compilersStopped } from "./gpu/lavapipe/compile_ahead.ts";
export { compileAhead, lavapipe, software } from "./gpu/lavapipe/strategy.ts";
export { findNonFinite, profile, timeDispatch } from "./graph/inspection.ts";
export { posteriorRatio } from "./ops/posterior_ratio.ts";
export { createOptimizer } from "./optimizers/mod.ts";
export { averaging } from "./training/averaging.ts";
export { divergence } from "./training/bad_step.ts";
export { requireSame, requireSameData, requireStart, settingsOf, weightsOf } from "./training/beginning.ts";
export { encodeCheckpoint, requireFit } from "./training/checkpoint.ts";
export { digestOf } from "./training/digest.ts";
export { fitting } from "./training/fitting.ts";
export { requireAlike, requireDivides } from "./training/together.ts";
export { decode, drawPrior, posteriorDraws, posteriorRatios, sample, weightedDraws } from "./training/sampling.ts";
