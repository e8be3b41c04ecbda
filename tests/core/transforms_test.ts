/** Transforms of optimizers, and several objectives, against float64: what is formed of whole gradients, over steps, or in turn. */

import { assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { bernoulliNll } from "../../core/ops/bernoulli_nll.ts";
import { dense } from "../../core/ops/dense.ts";
import { importanceBound } from "../../core/ops/importance.ts";
import { type Optimizer, requireOptimizer } from "../../core/graph/optimizer.ts";
import {
  accumulateGradients,
  adam,
  averageWeights,
  clipNorm,
  clipValue,
  createOptimizer,
  learningRate,
  momentum,
  weightDecay,
} from "../../core/optimizers/mod.ts";
import { normals } from "../../core/graph/random.ts";
import { constant, type Schedule, valueAt } from "../../core/graph/schedule.ts";
import type { Objective } from "../../core/graph/tape.ts";
import { denseBackward } from "../reference/dense.ts";
import { adamStep, decayStep, sgdStep } from "../reference/optimizers.ts";
import { assertClose } from "../support/compare.ts";
import { Bench, families } from "../support/gpu.ts";

const [BATCH, INPUTS, HIDDEN, OUTPUTS] = [8, 5, 35, 3];
const shapes = {
  "generator": { inputs: INPUTS, outputs: HIDDEN },
  "judge": { inputs: HIDDEN, outputs: OUTPUTS },
};
const NAMES = ["generator", "judge"] as const;
const tolerance = { absolute: 2e-6, relative: 2e-5 };

const draw = (count: number, step: number, stream: number) => normals(new Float32Array(count), 3, step, stream);
const initial = NAMES.map((name, i) => {
  const { inputs, outputs } = shapes[name];
  return [draw(inputs * outputs, 0, 2 * i), draw(outputs, 0, 2 * i + 1)] as const;
});
const x = draw(BATCH * INPUTS, 0, 10);
/** dL/dy of objective `o` in a step. */
const upstream = (o: number, step: number) => draw(BATCH * OUTPUTS, step, 20 + o);

interface Case {
  /** The optimizer of the training, and what objectives say beside their parameters. */
  readonly optimizer: Optimizer;
  readonly objectives?: readonly Omit<Objective, "terms">[];
  readonly family?: typeof families[number];
  readonly steps?: number;
}

/** Weight and bias of both layers, then those of a slot, after each of some steps of y = tanh(x W + b) V + c on the GPU. */
async function onGpu({ optimizer, objectives = [{}], family, steps = 6 }: Case, slot?: string) {
  using bench = new Bench(BATCH, { family, shapes });
  NAMES.forEach((name, i) => bench.set(name, ...initial[i]));
  const [generator, judge] = NAMES.map((name) => bench.parameters.get(name));
  const y = dense(bench.tape, dense(bench.tape, bench.input("x", INPUTS, x), generator, "tanh"), judge);
  const given = objectives.map(() => bench.given(y, new Float32Array(BATCH * OUTPUTS)));
  const all = objectives.map((objective, i) => ({ ...objective, terms: [given[i]] }));
  const { program, compiled } = await bench.compileAll(all, { optimizer, reduction: "sum" });
  const results: Float32Array[][] = [];
  for (let step = 0; step < steps; step++) {
    given.forEach((each, o) => each.set(upstream(o, step)));
    bench.tape.setScalars(compiled.scalars, step);
    await program.submit(1);
    const layers = [generator, judge];
    const tensors = slot ? layers.map((each) => each.slot(slot)) : layers.map(({ tensor }) => tensor);
    const read = await Promise.all(tensors.map((tensor, i) => layers[i].get(tensor)));
    results.push(read.flatMap(({ weight, bias }) => [weight, bias]));
  }
  return results;
}

type Gradients = readonly Float64Array[];

/** The gradients of both layers by objective `o` in a step, in float64. */
function gradients(parameters: readonly Float64Array[], o: number, step: number): Gradients {
  const [w, b, v] = parameters;
  const input = Float64Array.from(x);
  const h = new Float64Array(BATCH * HIDDEN);
  for (let n = 0; n < BATCH; n++) {
    for (let j = 0; j < HIDDEN; j++) {
      let a = b[j];
      for (let i = 0; i < INPUTS; i++) a += input[n * INPUTS + i] * w[i * HIDDEN + j];
      h[n * HIDDEN + j] = Math.tanh(a);
    }
  }
  const dy = Float64Array.from(upstream(o, step));
  const no = new Float64Array(dy.length);
  const judge = denseBackward(h, v, no, dy, { batch: BATCH, inputs: HIDDEN, outputs: OUTPUTS }, "identity");
  const da = judge.x.map((value, i) => value * (1 - h[i] ** 2));
  const sizes = { batch: BATCH, inputs: INPUTS, outputs: HIDDEN };
  const generator = denseBackward(input, w, new Float64Array(da.length), da, sizes, "identity");
  return [generator.weight, generator.bias, judge.weight, judge.bias];
}

/** Parameters after each of some steps in float64, where `update` changes them by the gradients of every objective. */
function inReference(
  update: (parameters: Float64Array[], of: (o: number) => Gradients, step: number) => void,
  steps = 6,
) {
  const parameters = initial.flat().map((values) => Float64Array.from(values));
  return Array.from({ length: steps }, (_, step) => {
    // All gradients are formed at the parameters before the step.
    const before = parameters.map((values) => values.slice());
    update(parameters, (o) => gradients(before, o, step), step);
    return parameters.map((values) => values.slice());
  });
}

function assertAlike(found: readonly Float32Array[][], expected: readonly Float64Array[][]) {
  const names = ["W", "b", "V", "c"];
  expected.forEach((matrices, step) =>
    matrices.forEach((values, i) =>
      assertClose(found[step][i], values, `${names[i]} after step ${step + 1}`, tolerance)
    )
  );
}

const rate: Schedule = { kind: "decay", from: 0.05, factor: 0.5, steps: 2 };
const settings = { beta1: 0.9, beta2: 0.999, epsilon: 1e-3, biasCorrection: true };
const scaled = (all: Gradients, factor: number) => all.map((g) => g.map((value) => value * factor));
const norm = (all: Gradients) =>
  Math.sqrt(all.reduce((sum, g) => sum + g.reduce((sum, value) => sum + value ** 2, 0), 0));
const moments = () =>
  initial.flat().map(({ length }) => ({ m: new Float64Array(length), v: new Float64Array(length) }));
const descend = (parameters: Float64Array[], all: Gradients, eta: number) =>
  parameters.forEach((w, i) => all[i].forEach((g, j) => w[j] -= eta * g));

for (const family of families) {
  Deno.test(`clipNorm() holds the norm of all gradients together, before Adam, ${family} tiles`, async () => {
    const limit = 35;
    let clipped = 0;
    const states = moments();
    const expected = inReference((parameters, of, step) => {
      const all = of(0);
      const factor = Math.min(1, limit / norm(all));
      if (factor < 1) clipped++;
      const eta = valueAt(rate, step);
      scaled(all, factor).forEach((g, i) => {
        decayStep(parameters[i], eta, 0.1);
        adamStep(parameters[i], g, states[i], step + 1, { ...settings, learningRate: eta });
      });
    });
    assertEquals(clipped > 0 && clipped < 6, true, `${clipped} of 6 steps are clipped`);
    const optimizer = [clipNorm(limit), adam({ epsilon: 1e-3 }), weightDecay(0.1), learningRate(rate)];
    assertAlike(await onGpu({ optimizer, family }), expected);
  });

  Deno.test(`accumulateGradients() updates by the sum of three steps' gradients, ${family} tiles`, async () => {
    const states = moments();
    let sum = moments().map(({ m }) => m);
    const expected = inReference((parameters, of, step) => {
      sum = sum.map((s, i) => s.map((value, j) => value + of(0)[i][j]));
      if (step % 3 !== 2) return;
      const factor = Math.min(1, 25 / norm(sum));
      scaled(sum, factor).forEach((g, i) =>
        adamStep(parameters[i], g, states[i], (step + 1) / 3, { ...settings, learningRate: valueAt(rate, step) })
      );
      sum = moments().map(({ m }) => m);
    }, 9);
    const optimizer = [accumulateGradients(3), clipNorm(25), adam({ epsilon: 1e-3 }), learningRate(rate)];
    assertAlike(await onGpu({ optimizer, family, steps: 9 }), expected);
  });

  Deno.test(`two objectives through one network have gradients at the same parameters, ${family} tiles`, async () => {
    const [states, other] = [moments(), moments()];
    const expected = inReference((parameters, of, step) => {
      const [[w, b], [, , v, c]] = [of(0), of(1)];
      [w, b].forEach((g, i) => adamStep(parameters[i], g, states[i], step + 1, { ...settings, learningRate: 0.02 }));
      [v, c].forEach((g, i) => parameters[2 + i].forEach((_, j) => parameters[2 + i][j] -= 0.03 * g[j]));
    });
    const first = {
      parameters: "generator",
      optimizer: [adam({ epsilon: 1e-3 }), learningRate(constant(0.02))],
    };
    const second = { parameters: ["judge"] };
    const optimizer = [momentum(0), learningRate(constant(0.03))];
    // The second in the order of the first: its update would come between, if it were folded into its gradient.
    const swapped = inReference((parameters, of, step) => {
      const [[, , v, c], [w, b]] = [of(0), of(1)];
      [w, b].forEach((g, i) => adamStep(parameters[i], g, other[i], step + 1, { ...settings, learningRate: 0.02 }));
      [v, c].forEach((g, i) => parameters[2 + i].forEach((_, j) => parameters[2 + i][j] -= 0.03 * g[j]));
    });
    assertAlike(await onGpu({ optimizer, objectives: [first, second], family }), expected);
    assertAlike(await onGpu({ optimizer, objectives: [second, first], family }), swapped);
  });

  Deno.test(`objectives in turn are updated in their steps alone, Adam by its own count, ${family} tiles`, async () => {
    const states = moments();
    const velocity = moments().map(({ m }) => m);
    const expected = inReference((parameters, of, step) => {
      if (step % 3 === 2) {
        of(0).slice(0, 2).forEach((g, i) =>
          adamStep(parameters[i], g, states[i], (step + 1) / 3, { ...settings, learningRate: 0.02 })
        );
      }
      if (step % 2 === 0) {
        of(1).slice(2).forEach((g, i) =>
          sgdStep(parameters[2 + i], g, { u: velocity[2 + i] }, { learningRate: 0.03, momentum: 0.5 })
        );
      }
    }, 9);
    const objectives = [
      { parameters: "generator", every: 3, optimizer: [adam({ epsilon: 1e-3 }), learningRate(constant(0.02))] },
      { parameters: "judge", every: 2, at: 0 },
    ];
    const optimizer = [momentum(0.5), learningRate(constant(0.03))];
    assertAlike(await onGpu({ optimizer, objectives, family, steps: 9 }), expected);
  });
}

Deno.test("clipValue() holds each value of the gradient", async () => {
  const expected = inReference((parameters, of, step) =>
    descend(parameters, of(0).map((g) => g.map((value) => Math.max(-0.5, Math.min(0.5, value)))), valueAt(rate, step))
  );
  assertAlike(await onGpu({ optimizer: [clipValue(0.5), momentum(0), learningRate(rate)] }), expected);
});

Deno.test("averageWeights() keeps the mean of all weights, weighted by their age", async () => {
  const history: Float64Array[][] = [];
  const expected = inReference((parameters, of, step) => {
    descend(parameters, of(0), valueAt(rate, step));
    history.push(parameters.map((values) => values.slice()));
  });
  const means = history.map((_, last) =>
    initial.flat().map((values, i) =>
      Float64Array.from(values, (_, j) => {
        const ages = history.slice(0, last + 1).map((_, t) => 0.8 ** (last - t));
        const total = ages.reduce((sum, age) => sum + age, 0);
        return ages.reduce((sum, age, t) => sum + age * history[t][i][j], 0) / total;
      })
    )
  );
  const optimizer = [momentum(0), learningRate(rate), averageWeights(0.8)];
  assertAlike(await onGpu({ optimizer }), expected);
  assertAlike(await onGpu({ optimizer }, "weights"), means);
});

Deno.test("one value may be a term of two objectives, with a weight in each", async () => {
  const trained = async (weights: Readonly<Record<string, number>>) => {
    using bench = new Bench(BATCH, { shapes });
    NAMES.forEach((name, i) => bench.set(name, ...initial[i]));
    const [generator, judge] = NAMES.map((name) => bench.parameters.get(name));
    const targets = bench.input("targets", OUTPUTS, draw(BATCH * OUTPUTS, 0, 30).map((value) => value > 0 ? 1 : 0));
    const h = dense(bench.tape, bench.input("x", INPUTS, x), generator, "tanh");
    const value = bernoulliNll(bench.tape, dense(bench.tape, h, judge), targets);
    const objectives = Object.entries(weights).map(([parameters, weight]): Objective => ({
      parameters,
      terms: [{ name: "nll", value, weight: constant(weight) }],
    }));
    const optimizer = [momentum(0), learningRate(constant(0.5))];
    const { program } = await bench.compileAll(objectives, { optimizer, reduction: "mean" });
    await program.submit(1);
    const read = await Promise.all([generator, judge].map((each) => each.get()));
    return read.map(({ weight }) => [...weight]);
  };
  const [generator] = await trained({ generator: 1 });
  const [, judge] = await trained({ judge: -0.5 });
  const both = await trained({ generator: 1, judge: -0.5 });
  assertClose(both.flat(), [...generator, ...judge], "weights", tolerance);
  assertNotEquals(generator, [...initial[0][0]]);
  assertNotEquals(judge, [...initial[1][0]]);
});

Deno.test("a value that is given to an op cannot be minimised beside it", async () => {
  using bench = new Bench(BATCH, { shapes });
  const [generator] = NAMES.map((name) => bench.parameters.get(name));
  const [a, b] = [1, 2].map((scale) => {
    const y = dense(bench.tape, bench.input("x", INPUTS, x), generator);
    return bernoulliNll(bench.tape, y, bench.input(`targets ${scale}`, HIDDEN, new Float32Array(BATCH * HIDDEN)));
  });
  const bound = importanceBound(bench.tape, a, b);
  const terms = [{ name: "bound", value: bound, weight: constant(1) }, {
    name: "nll",
    value: a,
    weight: constant(0.5),
  }];
  await assertRejects(
    () => bench.compile(terms, { optimizer: "gradients", reduction: "mean" }),
    Error,
    'expected it alone to read the values "nll", found the term "nll"',
  );
});

Deno.test("an update is folded into its gradient's kernel where nothing else needs the gradient or the weight", async () => {
  const labels = async (optimizer: Optimizer, objectives: readonly Omit<Objective, "terms">[] = [{}]) => {
    using bench = new Bench(BATCH, { shapes });
    const [generator, judge] = NAMES.map((name) => bench.parameters.get(name));
    const y = dense(bench.tape, dense(bench.tape, bench.input("x", INPUTS, x), generator, "tanh"), judge);
    const all = objectives.map((each) => ({ ...each, terms: [bench.given(y, new Float32Array(BATCH * OUTPUTS))] }));
    const { program } = await bench.compileAll(all, { optimizer, reduction: "sum" });
    return program.dispatches.map(({ label }) => label).filter((label) => /^(judge|generator) update$/.test(label));
  };
  const rules = createOptimizer("adam", { learningRate: rate, clipValue: 1, weightDecay: 0.1, ema: 0.9 });
  assertEquals(await labels(rules), []);
  assertEquals(await labels([clipNorm(1), ...rules]), ["judge update", "generator update"]);
  // The judge is read once more, by the backward pass of the generator's objective, which comes second.
  const [generator, judge] = NAMES.map((parameters) => ({ parameters }));
  assertEquals(await labels(rules, [judge, generator]), ["judge update"]);
  assertEquals(await labels(rules, [generator, judge]), []);
});

Deno.test("requireOptimizer() refuses lists without a rule, out of order, or with one slot twice", () => {
  const rules = [adam(), learningRate(rate)];
  requireOptimizer([accumulateGradients(2), clipNorm(1), ...rules, averageWeights(0.9)]);
  const refuse = (optimizer: Optimizer, message: string) =>
    assertThrows(() => requireOptimizer(optimizer), RangeError, message);
  refuse([clipNorm(1)], "expected at least one rule, found none");
  refuse([adam(), clipNorm(1)], 'found "clipNorm" after "adam"');
  refuse([clipNorm(1), clipNorm(2), ...rules], 'found "clipNorm" after "clipNorm"');
  refuse([clipNorm(1), accumulateGradients(2), ...rules], 'found "accumulateGradients" after "clipNorm"');
  refuse([averageWeights(0.9), ...rules], 'found "adam" after "averageWeights"');
  refuse([momentum(0.5), momentum(0.5, { nesterov: true })], 'two of them keep a slot "velocity"');
});

Deno.test("objectives that train one parameter twice, or in no step, are refused", async () => {
  const optimizer = [momentum(0), learningRate(rate)];
  const refuse = (objectives: readonly Omit<Objective, "terms">[], message: string) =>
    assertRejects(() => onGpu({ optimizer, objectives }), RangeError, message);
  await refuse([{ parameters: "judge" }, {}], 'Cannot train "judge" by objectives 1 and 2');
  await refuse([{ every: 2, at: 2 }], "found every 2, at 2 and lasting 1");
  await refuse([{ every: 0 }], "found every 0");
});
