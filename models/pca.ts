/**
 * Principal component analysis.
 *
 * @module
 */

import { type Fit, type FitContext, moments, part } from "../core/training/fit.ts";
import type { Model } from "../core/model.ts";
import type { Parameters } from "../core/graph/parameters.ts";
import type { Objective, Tape, Variable } from "../core/graph/tape.ts";
import {
  type LinearConfig,
  linearDecode,
  linearEncode,
  linearObjectives,
  linearSettings,
  linearShapes,
  measure,
  principal,
  setLinear,
} from "./linear_gaussian.ts";

function objectives(t: Tape, p: Parameters, x: Variable): readonly Objective[] {
  const [{ terms }] = linearObjectives(t, p, x).objectives;
  return [{ terms: terms.filter(({ name }) => name === "nll") }];
}

function fitPca(context: FitContext, { latents }: LinearConfig): Promise<Fit> {
  return Promise.resolve({
    async *iterate() {
      const { mean, variance } = moments(context);
      const width = mean.length;
      const noise = variance.reduce((sum, value) => sum + value) / width || 1;
      setLinear(context.parameters, { weight: new Float64Array(width * latents), mean, noise });
      const { values, vectors } = yield* part(principal(context, latents), 0, 0.8);
      const weight = new Float64Array(width * latents);
      for (let k = 0; k < latents; k++) {
        for (let d = 0; d < width; d++) weight[d * latents + k] = Math.sqrt(values[k]) * vectors[k * width + d];
      }
      setLinear(context.parameters, { weight, mean, noise: 0 });
      return yield* part(measure(context, objectives), 0.8, 1);
    },
    destroy() {},
  });
}

/**
 * x ≈ U Λ^½ z + μ, z = Λ^-½ Uᵀ (x - μ), with U, Λ the K first eigenvectors and eigenvalues of the covariance
 *
 * The limit of probabilistic PCA for σ² → 0: z has the unit covariance of the prior, so that a z ~ N(0, I) decodes to a draw from the
 * Gaussian within the subspace. The eigenvalues are of the covariance about the mean, divided by N.
 *
 * Source: Bishop, "Pattern Recognition and Machine Learning", section 12.1.
 */
export const pca: Model<LinearConfig> = {
  name: "pca",
  summary: "principal component analysis, in closed form; no density",
  source: "Bishop, Pattern Recognition and Machine Learning, section 12.1",
  settings: linearSettings,
  support: () => "density",
  density: "none",
  parameters: linearShapes,
  objectives: (t, p, { x }) => objectives(t, p, x),
  fit: fitPca,
  fitIterations: () => 1,
  encode: linearEncode,
  decode(t, p, z) {
    const likelihood = linearDecode(t, p, z);
    return { ...likelihood, sample: likelihood.mean };
  },
  latents: ({ latents }) => latents,
  remarks: () => [
    "pca has no density: nll is ½‖x - reconstruction‖² + ½ D log 2π, as of noise of variance 1; elbo = -nll is no bound",
  ],
};
