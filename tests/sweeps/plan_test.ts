/** The points of plans: grids, random ones, the Sobol sequence against SciPy's, conditions, rungs. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { requirePlan, sweepOf, type SweepPlan } from "../../sweeps/plan.ts";
import { sobol } from "../../sweeps/sobol.ts";

const points = async (plan: SweepPlan) => (await sweepOf(plan, (name) => name === "latents")).points;

Deno.test("sobol() has the points of scipy.stats.qmc.Sobol(scramble=False)", () => {
  // qmc.Sobol(21, scramble=False).random(8), dimensions 0, 1, 2, 7 and 20; SciPy 1.17.1
  const expected = [
    [0, 0, 0, 0, 0],
    [0.5, 0.5, 0.5, 0.5, 0.5],
    [0.75, 0.25, 0.25, 0.75, 0.25],
    [0.25, 0.75, 0.75, 0.25, 0.75],
    [0.375, 0.375, 0.625, 0.875, 0.125],
    [0.875, 0.875, 0.125, 0.375, 0.625],
    [0.625, 0.125, 0.875, 0.125, 0.375],
    [0.125, 0.625, 0.375, 0.625, 0.875],
  ];
  assertEquals(sobol(8, 21).map((point) => [0, 1, 2, 7, 20].map((d) => point[d])), expected);
  assertThrows(() => sobol(8, 22), RangeError, "expected at most 21 dimensions, found 22");
});

Deno.test("sobol() with a seed is another sequence, which fills the halves of every dimension as evenly", () => {
  for (const seed of [1, 2]) {
    const shifted = sobol(64, 21, seed);
    for (let d = 0; d < 21; d++) assertEquals(shifted.filter((point) => point[d] < 0.5).length, 32);
    assert(shifted[0].some((value) => value !== 0));
  }
});

Deno.test("a grid has all combinations, the last setting fastest; what depends on another setting only where that holds", async () => {
  const found = await points({
    settings: {
      model: { values: ["vae", "beta_vae"] },
      epochs: 3,
      latents: { from: 1, to: 100, scale: "log", steps: 3 },
      beta: { values: [2, 4], when: { model: "beta_vae", latents: [10, 100] } },
    },
  });
  assertEquals(found, [
    { model: "vae", epochs: 3, latents: 1 },
    { model: "vae", epochs: 3, latents: 10 },
    { model: "vae", epochs: 3, latents: 100 },
    { model: "beta_vae", epochs: 3, latents: 1 },
    { model: "beta_vae", epochs: 3, latents: 10, beta: 2 },
    { model: "beta_vae", epochs: 3, latents: 10, beta: 4 },
    { model: "beta_vae", epochs: 3, latents: 100, beta: 2 },
    { model: "beta_vae", epochs: 3, latents: 100, beta: 4 },
  ]);
});

Deno.test("a list is a value, not what varies; listed points are joined with the settings", async () => {
  assertEquals(
    await points({ settings: { hidden: [500, 500] }, points: [{ latents: 2 }, { hidden: [], latents: 3 }] }),
    [
      { hidden: [500, 500], latents: 2 },
      { hidden: [], latents: 3 },
    ],
  );
});

Deno.test("random and Sobol points are within their ranges, whole where they must be, and the same each time", async () => {
  for (const method of ["random", "sobol"] as const) {
    const plan: SweepPlan = {
      method,
      points: 200,
      settings: {
        latents: { from: 2, to: 4 },
        learningRate: { from: 1e-4, to: 1e-2, scale: "log" },
        activation: { values: ["tanh", "relu"] },
        dropout: { from: 0, to: 0.5, when: { activation: "relu" } },
      },
    };
    const found = await points(plan);
    assertEquals(found, await points(plan));
    assert(JSON.stringify(found) !== JSON.stringify(await points({ ...plan, seed: 1 })));
    const counts = [2, 3, 4].map((latents) => found.filter((point) => point.latents === latents).length);
    assert(counts.every((count) => count > 45) && counts[0] + counts[1] + counts[2] === 200, `${counts}`);
    const rates = found.map(({ learningRate }) => Number(learningRate));
    assert(rates.every((rate) => rate >= 1e-4 && rate <= 1e-2));
    const low = rates.filter((rate) => rate < 1e-3).length;
    assert(Math.abs(low - 100) < 25, `${low} of 200 below the geometric mean`);
    assert(found.every(({ activation, dropout }) => (activation === "relu") === (dropout !== undefined)));
  }
});

Deno.test("successive halving has rungs of a third of the points and three times the epochs, up to those asked for", async () => {
  const rungs = async (count: number, epochs: number, halving: SweepPlan["halving"]) =>
    (await sweepOf(
      { method: "sobol", points: count, settings: { epochs, latents: { from: 1, to: 9 } }, halving },
      () => true,
    )).rungs;
  assertEquals(await rungs(24, 18, { epochs: 2 }), [
    { epochs: 2, points: 24 },
    { epochs: 6, points: 8 },
    { epochs: 18, points: 3 },
  ]);
  assertEquals(await rungs(4, 100, { epochs: 1, factor: 2 }), [
    { epochs: 1, points: 4 },
    { epochs: 2, points: 2 },
    { epochs: 100, points: 1 },
  ]);
  await assertRejects(() => rungs(4, 3, { epochs: 5 }), RangeError, "a first rung of at most 3 epochs");
});

Deno.test("the objective is that of the validation rows where there are any, and says its goal", async () => {
  const of = async (plan: SweepPlan) => {
    const { objective, goal } = await sweepOf(plan, () => false);
    return `${goal} ${objective}`;
  };
  assertEquals(await of({ settings: {} }), "maximize validation.elbo");
  assertEquals(await of({ settings: { validation: 0 } }), "maximize train.elbo");
  assertEquals(await of({ settings: {}, objective: "validation.nll" }), "minimize validation.nll");
  assertEquals(await of({ settings: {}, objective: "ssim", goal: "minimize" }), "minimize ssim");
});

for (
  const [words, plan] of Object.entries({
    "the plan to have settings": {},
    "only settings, method": { settings: {}, seedz: 3 },
    "found an empty list|values of latents": { settings: { latents: { values: [] } } },
    "the steps of beta in a grid": { settings: { beta: { from: 1, to: 2 } } },
    "beta from a smaller number": { method: "random", points: 2, settings: { beta: { from: 2, to: 2 } } },
    "above 0 on a log scale": { method: "random", points: 2, settings: { beta: { from: 0, to: 2, scale: "log" } } },
    "how many points random draws": { method: "random", settings: {} },
    "a setting that stands before it": { settings: { beta: { values: [1], when: { model: "vae" } }, model: "vae" } },
    "seeds, or the seed": { settings: { seed: 3 }, seeds: 2 },
    "grid, random, sobol|one of": { settings: {}, method: "bayes" },
  })
) {
  Deno.test(`a plan is refused in words: ${words}`, () => {
    let message = "";
    try {
      requirePlan(plan);
    } catch (error) {
      message = (error as Error).message;
    }
    assert(message.startsWith("Cannot read the plan: "), message);
    assert(words.split("|").some((each) => message.includes(each)) || words.startsWith("the plan to have"), message);
  });
}
