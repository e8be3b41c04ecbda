/** Several levels of latents: their likelihood in closed form where they are linear, what is reported of each, and what goes with them. */

import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type ComposedConfig,
  configure,
  type Dataset,
  type EpochEvent,
  logLikelihood,
  type Model,
  train,
  type Trained,
  vae,
} from "../../mod.ts";
import { normals } from "../../core/graph/random.ts";
import { logNormal } from "../reference/linear_gaussian.ts";
import { checkModelGradients } from "../support/gradients.ts";
import { gpu } from "../support/gpu.ts";
import { stripes } from "../support/stripes.ts";

async function trained(config: Partial<ComposedConfig> & object, dataset: Dataset = stripes, model = vae) {
  const training = train(model, dataset, { batchSize: 30, epochs: 2, validation: 30, seed: 2, ...config }, { gpu });
  const epochs: EpochEvent[] = [];
  for await (const event of training) if (event.event === "epoch") epochs.push(event);
  return { trained: training.trained as Trained, epochs };
}

Deno.test("a hierarchy of one level is the plain VAE, to the bit", async () => {
  const runs = await Promise.all((["none", "plain", "ladder"] as const).map(async (hierarchy) => {
    const { trained: run, epochs } = await trained({ hierarchy, hidden: [6], latents: 2 });
    using _ = run;
    return [epochs.map(({ train, validation }) => [train, validation]), await run.sample({ count: 3 })];
  }));
  assertEquals(runs[1], runs[0]);
  assertEquals(runs[2], runs[0]);
});

/** A linear Gaussian model: z₂ ~ N(0, 1), z₁ ~ N(W z₂ + M, S²), x ~ N(V z₁ + C, SIGMA² I). */
const [W, M, S, SIGMA] = [1.3, 0.4, 0.7, 0.6];
const V = [0.8, -0.5, 1.1, 0.2, -0.9];
const C = [0.1, 0.2, -0.3, 0, 0.5];
const D = V.length;

/** 60 rows of anything. */
const plane: Dataset = {
  ...{ name: "plane", shape: [1, D, 1], test: { values: normals(new Float32Array(20 * D), 1, 0, 0), count: 20 } },
  train: { values: normals(new Float32Array(60 * D), 2, 0, 0), count: 60 },
};

/** Sets a layer of one input to each output, a column a list. */
function set({ parameters }: Trained, name: string, columns: readonly (readonly number[])[], bias: readonly number[]) {
  const parameter = parameters.get(name);
  const weight = Float32Array.from(columns[0].flatMap((_, row) => columns.map((column) => column[row])));
  parameter.set(parameter.tensor, weight, Float32Array.from(bias));
}

for (const hierarchy of ["plain", "ladder"] as const) {
  Deno.test(`with the true posterior every draw of two linear levels weighs log p(x): ${hierarchy}`, async () => {
    const { trained: run } = await trained({
      ...{ hierarchy, lowerLatents: [1], latents: 1, hidden: [], likelihood: "gaussian", sigma: SIGMA, epochs: 1 },
    }, plane);
    using _ = run;
    set(run, "decoder.level2.prior", [[W], [0]], [M, 2 * Math.log(S)]);
    set(run, "likelihood", V.map((v) => [v]), C);
    // What x says of z₁ alone: N(Σ v (x - c) / Σ v², σ² / Σ v²).
    const squares = V.reduce((sum, v) => sum + v * v, 0);
    const found = { by: V.map((v) => v / squares), at: -V.reduce((sum, v, d) => sum + v * C[d] / squares, 0) };
    const spread = SIGMA ** 2 / squares;
    /** Of z of a variance, of which a z + noise was seen: how its mean follows from that, and its log-variance. */
    const posterior = (variance: number, a: number, noise: number) => {
      const gain = a * variance / (a * a * variance + noise);
      return { gain, log: Math.log(variance * (1 - a * gain)) };
    };
    const none = V.map(() => 0);
    if (hierarchy === "plain") {
      const { gain, log } = posterior(W * W + S * S, 1, spread);
      set(run, "encoder.posterior", [found.by.map((v) => gain * v), none], [M + gain * (found.at - M), log]);
      const above = posterior(1, W, S * S);
      set(run, "encoder.level2.posterior", [[above.gain], [0]], [-above.gain * M, above.log]);
    } else {
      set(run, "encoder.posterior", [found.by, none], [found.at, Math.log(spread)]);
      const { gain, log } = posterior(1, W, S * S + spread);
      set(run, "encoder.level2.posterior", [found.by.map((v) => gain * v), none], [gain * (found.at - M), log]);
    }
    const mean = V.map((v, d) => v * M + C[d]);
    const covariance = Float64Array.from({ length: D * D }, (_, i) => {
      const [a, b] = [Math.floor(i / D), i % D];
      return V[a] * V[b] * (W * W + S * S) + (a === b ? SIGMA ** 2 : 0);
    });
    const { values, effectiveSamples, elbo, mean: logarithm } = await logLikelihood(run, plane.test, { samples: 7 });
    for (let n = 0; n < 20; n++) {
      const x = plane.test.values.slice(n * D, (n + 1) * D);
      assertAlmostEquals(values[n], logNormal(x, mean, covariance), 2e-5);
    }
    assertAlmostEquals(effectiveSamples, 7, 1e-3);
    // Its KL is in part in closed form: the same but for the draws.
    const { kl, nll } = await run.evaluate(plane.test, { samples: 2000 });
    assertAlmostEquals(-(nll + kl), logarithm, 0.02);
    assertAlmostEquals(elbo, logarithm, 1);
    // Moments of z₁, within five standard errors.
    const count = 20_000;
    const z = await run.drawPrior({ count, seed: 1 });
    const drawn = Array.from({ length: count }, (_, n) => z[2 * n] - M);
    const variance = W * W + S * S;
    assertAlmostEquals(drawn.reduce((sum, z) => sum + z) / count, 0, 5 * Math.sqrt(variance / count));
    assertAlmostEquals(drawn.reduce((sum, z) => sum + z * z, 0) / count, variance, 5 * variance * Math.sqrt(2 / count));
    // Four rows in turn share z₂, and no two z₁.
    const shared = await run.drawPrior({ count: 8, seed: 1, held: { from: 2, rows: 4 } });
    const [lower, upper] = [0, 1].map((level) => Array.from({ length: 8 }, (_, n) => shared[2 * n + level]));
    assertEquals(upper.map((each) => upper.indexOf(each)), [0, 0, 0, 0, 4, 4, 4, 4]);
    assertEquals(new Set(lower).size, 8);
    assertEquals([...shared.slice(0, 2)], [...z.slice(0, 2)]);
    await assertRejects(() => run.drawPrior({ held: { from: 3, rows: 2 } }), RangeError, "from 2 to 2, found 3");
  });
}

Deno.test("the KL of every level is reported, and each warms up after the one below", async () => {
  const config: Partial<ComposedConfig> = {
    ...{ hierarchy: "ladder", lowerLatents: [4, 3], latents: 2, hidden: [8, 6, 4] },
    ...{ betaSchedule: "warm-up", betaSteps: 2, levelSteps: 2 },
  };
  const { trained: run, epochs } = await trained({ ...config, ...{ epochs: 3 } });
  using _ = run;
  for (const losses of epochs.flatMap(({ train, validation }) => [train, validation!])) {
    const parts = [losses.kl1, losses.kl2, losses.kl3];
    assertAlmostEquals(parts.reduce((sum, each) => sum + each), losses.kl, 1e-5);
    assert(parts.every((each) => each >= 0) && losses.elbo === -(losses.nll + losses.kl));
  }
  // 7 steps in all have every level at its whole weight.
  const { validation } = epochs.at(-1)!;
  assertAlmostEquals(validation!.loss, validation!.nll + validation!.kl, 1e-5);
  const model = vae as Model<ComposedConfig>;
  const weights = await weightsOf(model, configure(vae.settings, config));
  const linear = (start: number) => ({ kind: "linear", from: 0, to: 1, steps: 2, start });
  assertEquals(weights, [["nll", { kind: "constant", value: 1 }], ["kl", linear(0)], ["kl", linear(2)], [
    "kl",
    linear(4),
  ]]);
  const free = await weightsOf(model, configure(vae.settings, { ...config, freeBits: 0.1, levelSteps: 0 }));
  assertEquals(free.map(([name]) => name), ["nll", "kl", "freeBits", "kl", "freeBits", "kl", "freeBits"]);
  const { mean } = await run.encode(run.rowsOf(stripes.test, 0, 2));
  assertEquals(mean.length, 2 * 9);
  assert(await run.hasDensity() && !await run.hasGaussianPosterior() && !run.hasStandardPrior);
});

/** The terms that a model minimises, with their weights. */
async function weightsOf(model: Model<ComposedConfig>, config: ComposedConfig) {
  let found: (readonly [string, unknown])[] = [];
  const watched: Model<ComposedConfig> = {
    ...model,
    objectives(t, p, batch, config) {
      const objectives = model.objectives(t, p, batch, config);
      found = objectives[0].terms.map(({ name, weight }) => [name, weight] as const);
      return objectives;
    },
  };
  await checkModelGradients(watched as Model, config, stripes, { most: 1 });
  return found;
}

const conv = { encoder: "conv", channels: [4, 3], kernel: 3, activation: "tanh", hidden: [4] } as const;

const combinations: readonly Partial<ComposedConfig>[] = [
  { hierarchy: "ladder", objective: "iwae", samples: 3, prior: "real-nvp", priorLayers: 1, priorHidden: [3] },
  { hierarchy: "ladder", flow: "iaf", flowLayers: 1, flowHidden: [3], flowContext: 2, condition: "one-hot" },
  { hierarchy: "ladder", prior: "vamp", components: 3, divergence: "sampled" },
  { hierarchy: "plain", objective: "ciwae", samples: 2, prior: "mixture", components: 2, condition: "one-hot" },
  { hierarchy: "plain", penalty: "mmd", capacity: 5, betaSteps: 10, samples: 2 },
  { hierarchy: "plain", ...conv, lowerLatents: [1], condition: "one-hot" },
  { hierarchy: "ladder", ...conv, channels: [4], lowerLatents: [2], residual: 1 },
];

for (const combination of combinations) {
  const config = { lowerLatents: [3], latents: 2, hidden: [4, 3], ...combination };
  const name = Object.entries(combination).map(([key, value]) => `${key} ${value}`).join(", ");
  Deno.test(`levels have the gradients of central differences: ${name}`, async () => {
    // A matrix on its own has a bias that nothing reads.
    const skip = /^prior\.(components|inputs)\.bias$/;
    const checked = configure(vae.settings, config);
    vae.check!(checked);
    await checkModelGradients(vae as Model, checked, stripes, { skip, most: 4, bends: checked.residual > 0 });
  });
}

const meaningless: readonly [Partial<ComposedConfig>, message: string][] = [
  [{ hierarchy: "none" }, "Cannot combine lowerLatents 2 with hierarchy none: there is one level"],
  [{ encoder: "conv", channels: [4, 4, 4] }, "Cannot combine channels 4,4,4 with 2 levels: they are divided evenly"],
  [{ hidden: [5] }, "Cannot combine hidden 5 with 2 levels: the layers are divided evenly among the levels"],
  [{ covariance: "full" }, "Cannot combine covariance full with hierarchy plain: its Gaussians are diagonal"],
  [{ freeBits: 1 }, "Cannot combine freeBits 1 with hierarchy plain: a level below the top has no KL in closed form"],
  [{ prior: "vamp" }, "Cannot combine prior vamp with hierarchy plain: its top follows from draws"],
  [{ penalty: "dip-1" }, "Cannot combine penalty dip-1 with hierarchy plain: it takes a Gaussian posterior"],
  [{ levelSteps: 5 }, "Cannot combine levelSteps 5 with betaSchedule constant"],
  [
    { objective: "iwae", gradient: "doubly-reparameterized" },
    "Cannot combine gradient doubly-reparameterized with hierarchy plain",
  ],
];

for (const [config, message] of meaningless) {
  Deno.test(`what has no meaning is refused in one line: ${message}`, () => {
    const given = { hierarchy: "plain", lowerLatents: [2], latents: 1, hidden: [4, 3], ...config } as const;
    const error = assertThrows(() => train(vae, stripes, given), RangeError, message);
    assert(!error.message.includes("\n"));
  });
}
