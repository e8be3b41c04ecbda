/** The references of the likelihoods against central differences and against PyTorch (tests/golden/likelihoods.py). */

import { assert } from "@std/assert";
import golden from "../golden/likelihoods.json" with { type: "json" };
import { boundedScale, likelihoodNllBackward, likelihoodNllForward, likelihoods } from "./likelihoods.ts";
import { centralDifferences, largestDifference } from "./numeric.ts";

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  const difference = largestDifference(actual, expected);
  assert(difference <= tolerance, `${what} differs by ${difference}, more than ${tolerance}`);
}

// Locations, scales and data of two rows of four features, the outer bins and the neighbourhood of a logit of 0 among them.
const sizes = { batch: 2, features: 4 };
const location = Float64Array.of(0.4, -1.5, 0.001, 0.9, 0.2, 3, 0.5, -0.3);
const scale = Float64Array.of(-1, 0.5, -2, -0.3, 0, 1, -1.5, -2);
const x = Float64Array.of(0, 51, 128, 255, 17, 254, 1, 80).map((k) => k / 255);
const upstream = Float64Array.of(0.7, -1.3);

for (const [name, reference] of Object.entries(likelihoods)) {
  Deno.test(`likelihoodNllBackward() of the ${name} agrees with central differences`, () => {
    const loss = () => {
      const nll = likelihoodNllForward(reference, location, scale, x, sizes);
      return nll[0] * upstream[0] + nll[1] * upstream[1];
    };
    const gradient = likelihoodNllBackward(reference, location, scale, x, upstream, sizes);
    assertClose(gradient.location, centralDifferences(loss, location), 1e-7, "dlocation");
    assertClose(gradient.scale, centralDifferences(loss, scale), 1e-7, "dscale");
  });
}

Deno.test("boundedScale() has its slope, and stays between its bounds", () => {
  const bounds = { start: -1, lower: -10, upper: 10 };
  const v = Float64Array.of(-40, -10, -8, 0, 3, 10, 12, 60);
  const values = (v: Float64Array) => v.map((each) => boundedScale(each, bounds).value);
  const slopes = v.map((each) => boundedScale(each, bounds).slope);
  assertClose(slopes, centralDifferences(() => values(v).reduce((sum, each) => sum + each), v), 1e-8, "the slope");
  assert(values(v).every((each) => each >= -10 && each <= 10 + 1e-6));
});

Deno.test("the continuous Bernoulli is PyTorch's, near λ = 1/2 too", () => {
  const { nll, byLocation, mean } = likelihoods["continuous bernoulli"];
  const cases = golden.continuousBernoulli;
  assertClose(cases.map(({ logit, x }) => nll(logit, 0, x)), cases.map(({ nll }) => nll), 1e-9, "the NLL");
  // PyTorch differentiates through probabilities that are 1e-5 from 1: some digits go.
  const derivatives = cases.map(({ logit, x }) => byLocation(logit, 0, x));
  assertClose(derivatives, cases.map(({ gradient }) => gradient), 1e-7, "its derivative");
  assertClose(cases.map(({ logit }) => mean(logit, 0)), cases.map(({ mean }) => mean), 1e-9, "the mean");
});

Deno.test("the Gaussian likelihood is PyTorch's, constants included", () => {
  const { nll, byLocation, byScale } = likelihoods.gaussian;
  for (const { mean, logVariance, x, ...expected } of golden.gaussian) {
    const found = [nll, byLocation, byScale].map((of) => of(mean, logVariance, x));
    assertClose(found, [expected.nll, expected.byMean, expected.byLogVariance], 1e-12, JSON.stringify(expected));
  }
});

Deno.test("the discretized logistic is a difference of PyTorch's distribution functions, and sums to 1", () => {
  const { nll, byLocation, byScale } = likelihoods["discretized logistic"];
  for (const { location, logScale, k, ...expected } of golden.discretizedLogistic) {
    const found = [nll, byLocation, byScale].map((of) => of(location, logScale, k / 255));
    // Probabilities down to 1e-7 of a difference in float64.
    assertClose(
      found,
      [expected.nll, expected.byLocation, expected.byLogScale],
      1e-7,
      `${location}, ${logScale}, ${k}`,
    );
    let sum = 0;
    for (let k = 0; k < 256; k++) sum += Math.exp(-nll(location, logScale, k / 255));
    assertClose([sum], [1], 1e-12, "the sum of the bins");
  }
});
