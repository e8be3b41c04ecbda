/**
 * The references against central differences and against PyTorch (`tests/golden/*.py` wrote its values).
 *
 * @module
 */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import golden from "../golden/activations.json" with { type: "json" };
import steps from "../golden/vae_steps.json" with { type: "json" };
import { bernoulliNllBackward, bernoulliNllForward } from "./bernoulli_nll.ts";
import { conv2dBackward, conv2dForward, outputSize } from "./conv2d.ts";
import convolutions from "../golden/conv2d.json" with { type: "json" };
import { type ActivationName, activations, denseBackward, denseForward } from "./dense.ts";
import { centralDifferences, largestDifference } from "./numeric.ts";
import { adagradStep, adamStep, decayStep, rmspropStep, sgdStep } from "./optimizers.ts";
import { reparameterizeBackward, reparameterizeForward } from "./reparameterize.ts";
import { vaeLossAndGradients } from "./vae.ts";

/** Of central differences in float64, for values and derivatives of about 1. */
const DIFFERENCES = 1e-8;

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what = ""): void {
  const difference = largestDifference(actual, expected);
  assert(difference <= tolerance, `${what} differs by ${difference}, more than ${tolerance}`);
}

/** A stream of numbers in [-1, 1), the same in every run. Park, Miller, CACM 31 (1988). */
function numbers(seed: number): (count: number) => Float64Array {
  let state = seed;
  const next = () => (state = state * 48271 % 2147483647) / 2147483647 * 2 - 1;
  return (count) => Float64Array.from({ length: count }, next);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

for (const name of Object.keys(activations) as ActivationName[]) {
  Deno.test(`denseBackward() with ${name} agrees with central differences`, () => {
    for (const sizes of [{ batch: 1, inputs: 1, outputs: 1 }, { batch: 5, inputs: 7, outputs: 3 }]) {
      const draw = numbers(11);
      const x = draw(sizes.batch * sizes.inputs);
      const weight = draw(sizes.inputs * sizes.outputs);
      const bias = draw(sizes.outputs);
      const upstream = draw(sizes.batch * sizes.outputs);
      const loss = () => dot(denseForward(x, weight, bias, sizes, name).output, upstream);
      const { preactivation } = denseForward(x, weight, bias, sizes, name);
      const gradient = denseBackward(x, weight, preactivation, upstream, sizes, name);
      assertClose(gradient.x, centralDifferences(loss, x), DIFFERENCES, "dX");
      assertClose(gradient.weight, centralDifferences(loss, weight), DIFFERENCES, "dW");
      assertClose(gradient.bias, centralDifferences(loss, bias), DIFFERENCES, "db");
    }
  });
}

for (const transposed of [false, true]) {
  const name = transposed ? "transposed" : "plain";

  Deno.test(`conv2dBackward(), ${name}, agrees with central differences`, () => {
    const layer = { batch: 2, height: 5, width: 4, channels: 3, outputs: 2, transposed };
    for (const [kernel, stride, padding] of [[1, 1, 0], [3, 1, 1], [4, 2, 1], [3, 2, 0]]) {
      const sizes = { ...layer, kernel, stride, padding };
      const to = outputSize(sizes);
      const draw = numbers(14);
      const x = draw(2 * 5 * 4 * 3);
      const weight = draw(kernel * kernel * 3 * 2);
      const bias = draw(2);
      const upstream = draw(2 * to.height * to.width * 2);
      const loss = () => dot(conv2dForward(x, weight, bias, sizes, "tanh").output, upstream);
      const { preactivation } = conv2dForward(x, weight, bias, sizes, "tanh");
      const gradient = conv2dBackward(x, weight, preactivation, upstream, sizes, "tanh");
      assertClose(gradient.x, centralDifferences(loss, x), DIFFERENCES, "dx");
      assertClose(gradient.weight, centralDifferences(loss, weight), DIFFERENCES, "dW");
      assertClose(gradient.bias, centralDifferences(loss, bias), DIFFERENCES, "db");
    }
  });

  Deno.test(`conv2dForward() and conv2dBackward(), ${name}, agree with PyTorch`, () => {
    for (const { sizes, expected, ...values } of convolutions.layers) {
      if (sizes.transposed !== transposed) continue;
      const [x, weight, bias, upstream] = [values.x, values.weight, values.bias, values.upstream].map((list) =>
        Float64Array.from(list)
      );
      const { preactivation, output } = conv2dForward(x, weight, bias, sizes, "identity");
      const gradient = conv2dBackward(x, weight, preactivation, upstream, sizes, "identity");
      // The file has ten digits behind the point.
      assertClose(output, expected.y, 1e-9, "y");
      assertClose(gradient.x, expected.x, 1e-9, "dx");
      assertClose(gradient.weight, expected.weight, 1e-9, "dW");
      assertClose(gradient.bias, expected.bias, 1e-9, "db");
    }
  });
}

for (const [name, { values, derivatives }] of Object.entries(golden.activations)) {
  Deno.test(`activations.${name} agrees with PyTorch`, () => {
    const { value, derivative } = activations[name as ActivationName];
    assertClose(golden.points.map((x) => value(x)), values, 1e-12, "the value");
    assertClose(golden.points.map((x) => derivative(x)), derivatives, 1e-12, "the derivative");
  });
}

Deno.test("reparameterizeBackward() agrees with central differences, inside and outside the clamp", () => {
  const sizes = { batch: 5, latents: 3 };
  const draw = numbers(12);
  const statistics = draw(30);
  statistics[3] = -31;
  statistics[10] = 20.5;
  const noise = draw(15).map((x) => 2 * x);
  // Row 1 has its σ² at e^20: no upstream there, lest it drown the other differences.
  const zGradient = draw(15);
  const klGradient = draw(5);
  zGradient.fill(0, 3, 6);
  klGradient[1] = 0;
  const loss = () => {
    const { z, kl } = reparameterizeForward(statistics, noise, sizes);
    return dot(z, zGradient) + dot(kl, klGradient);
  };
  const gradient = reparameterizeBackward(statistics, noise, zGradient, klGradient, sizes);
  assertClose(gradient, centralDifferences(loss, statistics), DIFFERENCES, "dstatistics");
  assertEquals(gradient[3], 0);
});

Deno.test("reparameterizeBackward() gives log-variances outside [-30, 20] no gradient", () => {
  const one = Float64Array.of(1);
  const gradient = (logVariance: number) =>
    reparameterizeBackward(Float64Array.of(0.5, logVariance), one, one, one, { batch: 1, latents: 1 })[1];
  assertEquals([gradient(-30.5), gradient(20.5)], [0, 0]);
  assertAlmostEquals(gradient(-30), -0.5, 1e-6);
  assertAlmostEquals(gradient(20), 0.5 * (Math.exp(10) + Math.exp(20) - 1), 1e-6);
});

Deno.test("reparameterizeForward() has PyTorch's divergence of Gaussians, and backward its derivatives", () => {
  const sizes = { batch: 1, latents: 1 };
  for (const { mean, logVariance, kl, byMean, byLogVariance } of golden.gaussianKl) {
    const statistics = Float64Array.of(mean, logVariance);
    const zero = Float64Array.of(0);
    assertClose(reparameterizeForward(statistics, zero, sizes).kl, [kl], 1e-12, "the KL");
    const gradient = reparameterizeBackward(statistics, zero, zero, Float64Array.of(1), sizes);
    assertClose(gradient, [byMean, byLogVariance], 1e-12, "its derivative");
  }
});

Deno.test("bernoulliNllBackward() agrees with central differences", () => {
  const sizes = { batch: 3, features: 7 };
  const draw = numbers(13);
  const logits = draw(21).map((x) => 5 * x);
  const x = draw(21).map((value) => value < 0 ? 0 : 1);
  const upstream = draw(3);
  const loss = () => dot(bernoulliNllForward(logits, x, sizes), upstream);
  const gradient = bernoulliNllBackward(logits, x, upstream, sizes);
  assertClose(gradient, centralDifferences(loss, logits), DIFFERENCES, "dlogits");
});

Deno.test("bernoulliNllForward() and its backward agree with PyTorch, at large logits too", () => {
  const sizes = { batch: golden.bernoulli.length, features: 1 };
  const logits = Float64Array.from(golden.bernoulli, ({ logit }) => logit);
  const x = Float64Array.from(golden.bernoulli, ({ x }) => x);
  assertClose(bernoulliNllForward(logits, x, sizes), golden.bernoulli.map(({ nll }) => nll), 1e-12, "the NLL");
  const gradient = bernoulliNllBackward(logits, x, new Float64Array(sizes.batch).fill(1), sizes);
  assertClose(gradient, golden.bernoulli.map(({ gradient }) => gradient), 1e-12, "its derivative");
});

const { steps: count, batch, features, latents } = steps.sizes;
const data = Float64Array.from(steps.data);
const noise = Float64Array.from(steps.noise);

/** The parameters as float64, new ones each time. */
function initial(): Record<string, Float64Array> {
  return Object.fromEntries(Object.entries(steps.initial).map(([name, values]) => [name, Float64Array.from(values)]));
}

function lossAndGradients(parameters: Record<string, Float64Array>, step: number) {
  const x = data.subarray(step * batch * features, (step + 1) * batch * features);
  return vaeLossAndGradients(
    parameters,
    x,
    noise.subarray(step * batch * latents, (step + 1) * batch * latents),
    steps.sizes,
  );
}

Deno.test("vaeLossAndGradients() agrees with central differences", () => {
  const parameters = initial();
  const { gradients } = lossAndGradients(parameters, 0);
  for (const [name, values] of Object.entries(parameters)) {
    const differences = centralDifferences(() => lossAndGradients(parameters, 0).loss, values);
    assertClose(gradients[name], differences, DIFFERENCES, name);
  }
});

Deno.test("vaeLossAndGradients() gives PyTorch's gradients", () => {
  const { gradients } = lossAndGradients(initial(), 0);
  assertEquals(Object.keys(gradients).toSorted(), Object.keys(steps.gradients).toSorted());
  for (const [name, expected] of Object.entries(steps.gradients)) assertClose(gradients[name], expected, 1e-12, name);
});

/** Updates one parameter tensor; `moments` are two arrays of its size, at first 0, and `step` counts from 1. */
type Update = (weight: Float64Array, gradient: Float64Array, moments: readonly Float64Array[], step: number) => void;

const adam = { learningRate: 1e-2, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, biasCorrection: true };

/** With the hyper-parameters of vae_steps.py. */
const updates: Record<keyof typeof steps.optimizers, Update> = {
  adam: (w, g, [m, v], step) => adamStep(w, g, { m, v }, step, adam),
  adam_uncorrected: (w, g, [m, v], step) => adamStep(w, g, { m, v }, step, { ...adam, biasCorrection: false }),
  adam_decayed: (w, g, [m, v], step) => {
    decayStep(w, adam.learningRate, 0.01);
    adamStep(w, g, { m, v }, step, adam);
  },
  rmsprop: (w, g, [v]) => rmspropStep(w, g, { v }, { learningRate: 1e-3, alpha: 0.9, epsilon: 1e-4 }),
  adagrad: (w, g, [v]) => adagradStep(w, g, { v }, { learningRate: 1e-2, epsilon: 1e-4 }),
  sgd: (w, g, [u]) => sgdStep(w, g, { u }, { learningRate: 5e-4, momentum: 0.9 }),
};

for (const [name, update] of Object.entries(updates)) {
  Deno.test(`ten steps with ${name} give PyTorch's losses and parameters`, () => {
    const expected = steps.optimizers[name as keyof typeof updates];
    const parameters = initial();
    const moments = Object.fromEntries(
      Object.entries(parameters).map((
        [key, { length }],
      ) => [key, [new Float64Array(length), new Float64Array(length)]]),
    );
    for (let step = 1; step <= count; step++) {
      const { loss, nll, kl, gradients } = lossAndGradients(parameters, step - 1);
      const wanted = expected.losses[step - 1];
      assertClose([loss, nll, kl], [wanted.loss, wanted.nll, wanted.kl], 1e-9, `a loss of step ${step}`);
      for (const [key, weight] of Object.entries(parameters)) update(weight, gradients[key], moments[key], step);
      if (step !== 1 && step !== count) continue;
      const after = step === 1 ? expected.afterStep1 : expected.afterStep10;
      for (const [key, values] of Object.entries(after)) {
        assertClose(parameters[key], values, 1e-9, `${key} after step ${step}`);
      }
    }
  });
}
