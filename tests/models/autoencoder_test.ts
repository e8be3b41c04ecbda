/** What an autoencoder is composed of: penalties of weight 0 leave it as it was, and each is what its formula says, with its gradients. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  ae,
  type AutoencoderConfig,
  configure,
  decodeCheckpoint,
  type Model,
  rae,
  sparseAe,
  train,
  type TrainingConfig,
} from "../../mod.ts";
import { jacobianPenalty } from "../../models/autoencoder.ts";
import { dense } from "../../core/ops/dense.ts";
import { constant } from "../../core/graph/schedule.ts";
import { draw } from "../support/compare.ts";
import { checkModelGradients } from "../support/gradients.ts";
import { Bench, gpu } from "../support/gpu.ts";
import { rows, stripes as dataset } from "../support/stripes.ts";

const small = { hidden: [6], latents: 3, batchSize: 120, epochs: 3, validation: 0, learningRate: 0.02 } as const;

async function trained(model: Model<AutoencoderConfig>, config: Partial<AutoencoderConfig & TrainingConfig> = {}) {
  const training = train(model, dataset, { ...small, ...config }, { gpu });
  for await (const _ of training);
  return training.trained;
}

async function tensorsOf(model: Model<AutoencoderConfig>, config: Partial<AutoencoderConfig>) {
  using found = await trained(model, config);
  return [...decodeCheckpoint(await found.toBytes(), "checkpoint").tensors];
}

for (const decoderPenalty of ["l2", "gradient"] as const) {
  Deno.test(`rae with weights of 0 is ae, to the bit: ${decoderPenalty}`, async () => {
    const unweighted = { decoderPenalty, codePenaltyWeight: 0, decoderPenaltyWeight: 0 };
    assertEquals(await tensorsOf(rae, unweighted), await tensorsOf(ae, {}));
  });
}

const combinations: readonly Partial<AutoencoderConfig>[] = [
  { codePenalty: "l2", decoderPenalty: "gradient", decoderPenaltyWeight: 0.5, likelihood: "gaussian-shared", sigma: 2 },
  { codePenalty: "rate", codeActivation: "sigmoid", rate: 0.2, codePenaltyWeight: 3, noise: "masking" },
  { codePenalty: "l1", codePenaltyWeight: 2, decoderPenalty: "l2", decoderPenaltyWeight: 0.1, hidden: [] },
];

for (const config of combinations) {
  Deno.test(`the gradients are those of central differences: ${JSON.stringify(config)}`, async () => {
    const whole = configure(ae.settings, { hidden: [3], latents: 2, ...config });
    const binarize = config.likelihood ? "none" : "threshold";
    await checkModelGradients(ae as Model, whole, dataset, { binarize, most: 12 });
  });
}

Deno.test("the penalties of a trained autoencoder are those of its codes and weights, in float64", async () => {
  // As `rowsOf` gives them then.
  const data = { binarize: "threshold" } as const;
  using regular = await trained(rae, { decoderPenaltyWeight: 0.01, ...data });
  const { tensors } = decodeCheckpoint(await regular.toBytes({ optimizer: false }), "checkpoint");
  let squares = 0;
  for (const name of ["decoder.0", "likelihood"]) {
    tensors.get(`${name}.weight`)!.data.forEach((w) => squares += w * w);
  }
  const found = await regular.evaluate(rows, data);
  assertAlmostEquals(found.decoderPenalty, squares, 1e-5 * squares);
  const binary = regular.rowsOf(rows);
  const { mean } = await regular.encode(binary);
  assertAlmostEquals(found.codePenalty, mean.reduce((sum, z) => sum + z * z / 2, 0) / rows.count, 1e-5);

  using sparse = await trained(sparseAe, { rate: 0.1, codePenaltyWeight: 20, ...data });
  const { mean: codes } = await sparse.encode(binary);
  const rates = [0, 1, 2].map((k) => codes.reduce((sum, z, i) => sum + (i % 3 === k ? z : 0), 0) / rows.count);
  const kl = rates.reduce((sum, r) => sum + 0.1 * Math.log(0.1 / r) + 0.9 * Math.log(0.9 / (1 - r)), 0);
  assertAlmostEquals((await sparse.evaluate(rows, data)).codePenalty, kl, 1e-5);
});

Deno.test("a sparse autoencoder's codes come to the rate", async () => {
  using sparse = await trained(
    sparseAe,
    { rate: 0.1, codePenaltyWeight: 100, epochs: 80 },
  );
  const { mean } = await sparse.encode(sparse.rowsOf(rows));
  assertAlmostEquals(mean.reduce((sum, z) => sum + z, 0) / mean.length, 0.1, 0.02);
});

Deno.test("jacobianPenalty() is half the squared norm of the Jacobian, in expectation", async () => {
  const [count, latents, hidden, features] = [20_000, 3, 5, 7];
  const [z, one, other] = [draw(latents, 1), draw(latents * hidden, 2), draw(hidden * features, 3)];
  const shapes = { one: { inputs: latents, outputs: hidden }, other: { inputs: hidden, outputs: features } };
  using bench = new Bench(count, { shapes });
  bench.set("one", one, new Float32Array(hidden));
  bench.set("other", other, new Float32Array(features));
  const { tape: t, parameters: p } = bench;
  const input = bench.data("z", latents, Float32Array.from({ length: count * latents }, (_, i) => z[i % latents]));
  const penalty = jacobianPenalty(t, input, (at) => dense(t, dense(t, at, p.get("one"), "tanh"), p.get("other")));
  const { program } = await bench.compile([{ name: "penalty", value: penalty, weight: constant(1) }]);
  await program.submit(1);
  const found = await bench.rows(penalty);
  // J = Σ_h other_hd (1 - tanh² a_h) one_kh
  let expected = 0;
  for (let k = 0; k < latents; k++) {
    for (let d = 0; d < features; d++) {
      let slope = 0;
      for (let h = 0; h < hidden; h++) {
        let a = 0;
        for (let j = 0; j < latents; j++) a += z[j] * one[j * hidden + h];
        slope += one[k * hidden + h] * (1 - Math.tanh(a) ** 2) * other[h * features + d];
      }
      expected += slope * slope / 2;
    }
  }
  const mean = found.reduce((sum, value) => sum + value, 0) / count;
  const variance = found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  // Four standard errors, and what differences of this width leave.
  assertAlmostEquals(mean, expected, 4 * Math.sqrt(variance / count) + 1e-3 * expected);
  assert(variance > 0);
});

Deno.test("what has no meaning is refused in one line", () => {
  const refused = (config: Partial<AutoencoderConfig>, message: string) =>
    assertThrows(() => train(ae, dataset, { ...small, ...config }), RangeError, message);
  refused({ codePenalty: "rate" }, "Cannot combine codeActivation identity with codePenalty rate");
  refused({ rate: 0.3 }, "Cannot combine rate 0.3 with codePenalty none: it has none");
  refused(
    { decoderPenalty: "gradient", likelihood: "discretized-logistic" },
    "Cannot combine likelihood discretized-logistic with decoderPenalty gradient: its mean has no gradient",
  );
});
