/** The optimizers: whole training steps against PyTorch's, and single layers against the float64 reference. */

import { assertEquals, assertThrows } from "@std/assert";
import { dense } from "../../core/ops/dense.ts";
import { type Optimizer, requireOptimizer, slotsOf } from "../../core/graph/optimizer.ts";
import { createOptimizer, learningRate, OPTIMIZERS } from "../../core/optimizers/mod.ts";
import { normals } from "../../core/graph/random.ts";
import { constant, type Schedule, valueAt } from "../../core/graph/schedule.ts";
import golden from "../golden/vae_steps.json" with { type: "json" };
import { denseBackward } from "../reference/dense.ts";
import { adagradStep, adamStep, decayStep, rmspropStep, sgdStep } from "../reference/optimizers.ts";
import { assertClose } from "../support/compare.ts";
import { Bench, families } from "../support/gpu.ts";
import { createVae } from "../support/vae.ts";

const rate = (value: number) => ({ learningRate: constant(value) });

/** With the settings of vae_steps.py. */
const goldens: Record<keyof typeof golden.optimizers, Optimizer> = {
  adam: createOptimizer("adam", rate(1e-2)),
  adam_uncorrected: createOptimizer("adam", { ...rate(1e-2), biasCorrection: false }),
  adam_decayed: createOptimizer("adam", { ...rate(1e-2), weightDecay: 0.01 }),
  rmsprop: createOptimizer("rmsprop", { ...rate(1e-3), epsilon: 1e-4 }),
  adagrad: createOptimizer("adagrad", { ...rate(1e-2), epsilon: 1e-4 }),
  sgd: createOptimizer("sgd", { ...rate(5e-4), momentum: 0.9 }),
};

for (const family of families) {
  for (const [name, optimizer] of Object.entries(goldens)) {
    Deno.test(`ten steps with ${name} give PyTorch's losses and parameters, ${family} tiles`, async () => {
      const expected = golden.optimizers[name as keyof typeof goldens];
      using vae = await createVae({ family, optimizer, givenNoise: true });
      for (const [step, { nll, kl }] of expected.losses.entries()) {
        vae.giveNoise(step);
        const [terms] = await vae.program.submit(1);
        const mean = terms.map((term) => term / golden.sizes.batch);
        assertClose(mean, [nll, kl], `nll and kl of step ${step + 1}`, { absolute: 0, relative: 2e-5 });
        const after: Record<string, number[]> = step === 0
          ? expected.afterStep1
          : step === 9
          ? expected.afterStep10
          : {};
        const found = Object.keys(after).length ? await vae.values() : {};
        for (const [key, values] of Object.entries(after)) {
          // A thousandth of a step of Adam: where a gradient is almost 0, its rounding decides the direction.
          assertClose(found[key], values, `${key} after step ${step + 1}`, { absolute: 1e-5, relative: 1e-5 });
        }
      }
    });
  }
}

const [BATCH, INPUTS, OUTPUTS] = [8, 5, 3];
const sizes = { batch: BATCH, inputs: INPUTS, outputs: OUTPUTS };
const draw = (count: number, step: number, stream: number) => normals(new Float32Array(count), 3, step, stream);

/** Weight and bias of the one layer, then what the optimizer keeps of both, after each of some steps on the GPU. */
async function onGpu(optimizer: Optimizer, steps: number) {
  using bench = new Bench(BATCH, { shapes: { layer: sizes } });
  bench.set("layer", draw(INPUTS * OUTPUTS, 0, 1), draw(OUTPUTS, 0, 2));
  const layer = bench.parameters.get("layer");
  const y = dense(bench.tape, bench.input("x", INPUTS, draw(BATCH * INPUTS, 0, 3)), layer);
  const upstream = bench.given(y, new Float32Array(BATCH * OUTPUTS));
  const { program, compiled } = await bench.compile([upstream], { optimizer, reduction: "sum" });
  const results: Float32Array[][] = [];
  for (let step = 0; step < steps; step++) {
    upstream.set(draw(BATCH * OUTPUTS, step, 4));
    bench.tape.setScalars(compiled.scalars, step);
    await program.submit(1);
    const slots = slotsOf(optimizer).map((slot) => layer.slot(slot));
    const matrices = await Promise.all([layer.tensor, ...slots].map((tensor) => layer.get(tensor)));
    results.push(matrices.flatMap(({ weight, bias }) => [weight, bias]));
  }
  return results;
}

/** The same in float64. */
function inReference(
  update: (weight: Float64Array, gradient: Float64Array, slots: Float64Array[], step: number) => void,
  slots: number,
  steps: number,
) {
  const parameters = [draw(INPUTS * OUTPUTS, 0, 1), draw(OUTPUTS, 0, 2)].map((values) => Float64Array.from(values));
  const kept = parameters.map(({ length }) => Array.from({ length: slots }, () => new Float64Array(length)));
  const x = Float64Array.from(draw(BATCH * INPUTS, 0, 3));
  return Array.from({ length: steps }, (_, step) => {
    const upstream = Float64Array.from(draw(BATCH * OUTPUTS, step, 4));
    const { weight, bias } = denseBackward(
      x,
      parameters[0],
      new Float64Array(upstream.length),
      upstream,
      sizes,
      "identity",
    );
    [weight, bias].forEach((gradient, i) => update(parameters[i], gradient, kept[i], step + 1));
    return [...parameters, ...Array.from({ length: slots }, (_, s) => [kept[0][s], kept[1][s]]).flat()]
      .map((values) => values.slice());
  });
}

const falling: Schedule = { kind: "decay", from: 0.05, factor: 0.5, steps: 2 };
const adam = { beta1: 0.8, beta2: 0.95, epsilon: 1e-3 };

/** Settings other than the defaults, with weight decay and a learning rate that changes. */
const cases: readonly [Optimizer, Parameters<typeof inReference>[0]][] = [
  [
    createOptimizer("adam", { learningRate: falling, weightDecay: 0.1, betas: [0.8, 0.95], epsilon: 1e-3 }),
    (w, g, [m, v], t) =>
      adamStep(w, g, { m, v }, t, { ...adam, learningRate: valueAt(falling, t - 1), biasCorrection: true }),
  ],
  [
    createOptimizer("rmsprop", { learningRate: falling, weightDecay: 0.1, alpha: 0.7, epsilon: 1e-2 }),
    (w, g, [v], t) => rmspropStep(w, g, { v }, { learningRate: valueAt(falling, t - 1), alpha: 0.7, epsilon: 1e-2 }),
  ],
  [
    createOptimizer("adagrad", { learningRate: falling, weightDecay: 0.1, epsilon: 1e-2 }),
    (w, g, [v], t) => adagradStep(w, g, { v }, { learningRate: valueAt(falling, t - 1), epsilon: 1e-2 }),
  ],
  [
    createOptimizer("sgd", { learningRate: falling, weightDecay: 0.1, momentum: 0.5 }),
    (w, g, [u], t) => sgdStep(w, g, { u }, { learningRate: valueAt(falling, t - 1), momentum: 0.5 }),
  ],
  [
    createOptimizer("nesterov", { learningRate: falling, weightDecay: 0.1, momentum: 0.5 }),
    (w, g, [u], t) => sgdStep(w, g, { u }, { learningRate: valueAt(falling, t - 1), momentum: 0.5, nesterov: true }),
  ],
];

/** Weight decay in the gradient, and biases of their own rate: the setting of MatConvNet's SGD, and Adam with L2. */
const coupled: readonly [Optimizer, Parameters<typeof inReference>[0]][] = [
  [
    createOptimizer("sgd", {
      ...{ learningRate: falling, weightDecay: 0.1, momentum: 0.5 },
      ...{ decoupledWeightDecay: false, biasLearningRate: 2 },
    }),
    (w, g, [u], t) => sgdStep(w, g, { u }, { learningRate: ratesOf(w, t), momentum: 0.5 }),
  ],
  [
    createOptimizer("adam", {
      ...{ learningRate: falling, weightDecay: 0.1, betas: [0.8, 0.95], epsilon: 1e-3 },
      ...{ decoupledWeightDecay: false, biasLearningRate: 2 },
    }),
    (w, g, [m, v], t) => adamStep(w, g, { m, v }, t, { ...adam, learningRate: ratesOf(w, t), biasCorrection: true }),
  ],
];

/** The rate at a step, twice as high for the bias, which has as many values as there are outputs. */
function ratesOf(w: Float64Array, step: number): number {
  return valueAt(falling, step - 1) * (w.length === OUTPUTS ? 2 : 1);
}

for (const [optimizer, update] of coupled) {
  Deno.test(`${optimizer.map(({ name }) => name).join(", ")}: decay in the gradient and twice the rate for biases agree with the reference`, async () => {
    const found = await onGpu(optimizer, 5);
    const expected = inReference(
      (weight, gradient, slots, step) => update(weight, gradient.map((g, i) => g + 0.1 * weight[i]), slots, step),
      slotsOf(optimizer).length,
      5,
    );
    for (const [step, matrices] of expected.entries()) {
      matrices.forEach((values, i) => {
        assertClose(found[step][i], values, `matrix ${i} after step ${step + 1}`, { absolute: 2e-6, relative: 1e-5 });
      });
    }
  });
}

for (const [optimizer, update] of cases) {
  Deno.test(`${optimizer.map(({ name }) => name).join(", ")} with weight decay and a falling learning rate agrees with the reference, its slots too`, async () => {
    const found = await onGpu(optimizer, 5);
    const expected = inReference(
      (weight, gradient, slots, step) => {
        decayStep(weight, valueAt(falling, step - 1), 0.1);
        update(weight, gradient, slots, step);
      },
      slotsOf(optimizer).length,
      5,
    );
    for (const [step, matrices] of expected.entries()) {
      const names = ["", ...slotsOf(optimizer)].flatMap((slot) => [`${slot} weight`, `${slot} bias`]);
      matrices.forEach((values, i) => {
        assertClose(found[step][i], values, `${names[i]} after step ${step + 1}`, { absolute: 2e-6, relative: 1e-5 });
      });
    }
  });
}

Deno.test("createOptimizer() puts the learning rate last, and decays with AdamW unless told otherwise", () => {
  for (const name of OPTIMIZERS) {
    const optimizer = createOptimizer(name, { ...rate(0.25), momentum: 0.9 });
    requireOptimizer(optimizer);
    assertEquals(optimizer.at(-1), learningRate(constant(0.25)));
    assertEquals(optimizer.some((each) => each.name === "weightDecay"), name === "adamw");
  }
  assertThrows(() => createOptimizer("nesterov", rate(0.25)), RangeError, "expected a momentum above 0");
  const adamL2 = { ...rate(0.25), decoupledWeightDecay: false };
  assertThrows(() => createOptimizer("adamw", adamL2), RangeError, "coupled weight decay: that is adam");
  const names = (optimizer: Optimizer) => optimizer.map(({ name }) => name);
  const all = { ...rate(0.1), accumulate: 2, clipNorm: 1, clipValue: 1, weightDecay: 0.1, ema: 0.9 };
  const expected = [
    "accumulateGradients",
    "clipNorm",
    "clipValue",
    "adam",
    "weightDecay",
    "learningRate",
    "averageWeights",
  ];
  assertEquals(names(createOptimizer("adam", all)), expected);
});
