/**
 * Principal component analysis.
 *
 * @module
 */

import type { Model } from "../core/model.ts";
import type { Parameters } from "../core/graph/parameters.ts";
import type { Objective, Tape, Variable } from "../core/graph/tape.ts";
import { closedForm, type LinearConfig, linearObjectives, linearParts, linearSettings } from "./linear_gaussian.ts";

function objectives(t: Tape, p: Parameters, x: Variable): readonly Objective[] {
  const [{ terms }] = linearObjectives(t, p, x).objectives;
  return [{ terms: terms.filter(({ name }) => name === "nll") }];
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
  ...linearParts,
  density: "none",
  objectives: (t, p, { x }) => objectives(t, p, x),
  fit: (context, { latents }) => Promise.resolve(closedForm(context, latents, objectives, () => 0)),
  fitIterations: () => 1,
  decode(t, p, z) {
    const likelihood = linearParts.decode(t, p, z);
    return { ...likelihood, sample: likelihood.mean };
  },
  caveats: () => [
    "pca has no density: nll is ½‖x - reconstruction‖² + ½ D log 2π, as of noise of variance 1; elbo = -nll is no bound",
  ],
};
