/** Models as ONNX, run by onnxruntime. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { dense } from "../../core/ops/dense.ts";
import { conditionRows } from "../../core/training/batch.ts";
import { normals, uniforms } from "../../core/graph/random.ts";
import { composed } from "../../models/composed.ts";
import { models } from "../../models/mod.ts";
import type { Parameters } from "../../core/graph/parameters.ts";
import type { Tape, Variable } from "../../core/graph/tape.ts";
import type { Model } from "../../core/model.ts";
import type { Trained } from "../../core/training/trained.ts";
import { attentive } from "../outside/op_model.ts";
import { type Graph, graphsOf } from "../../exchange/graphs.ts";
import { ExportError } from "../../exchange/formulas.ts";
import { encodeOnnx } from "../../exchange/onnx.ts";
import { distance, untrained } from "./support.ts";

const { default: ort } = await import("npm:onnxruntime-node@1.17.0");
const { default: web } = await import("npm:onnxruntime-web@1.17.0");
web.env.wasm.numThreads = 1;

/** Cases that WebAssembly runs too: products, convolutions, codes. */
const ALSO_IN_PAGES = ["vae", "conv residual", "vq_vae"];

const image = { shape: [5, 6, 1], classes: 3 } as const;
const base = composed({ name: "base", summary: "", source: "", own: [] }) as unknown as Model<never>;
const small = { hidden: [7], latents: 3 };
const conv = { ...small, encoder: "conv", channels: [4, 3], kernel: 3 };
const named = (name: string) => models.get(name) as unknown as Model<never>;

/** Every kind of layer, likelihood, posterior and prior. */
const cases: Record<string, readonly [Model<never>, object]> = {
  "vae": [base, small],
  "activations": [base, { ...small, activation: "gelu", hidden: [7, 6] }],
  "leaky": [base, { ...small, activation: "leaky_relu", towers: 2 }],
  "silu, full covariance": [base, { ...small, activation: "silu", covariance: "full" }],
  "conditional": [base, { ...small, activation: "elu", condition: "one-hot", prior: "conditional" }],
  "residual batch": [base, { ...small, normalization: "batch", residual: 1, dropout: 0.2, activation: "softplus" }],
  "residual group": [base, { ...small, hidden: [32], normalization: "group", residual: 1 }],
  "conv": [base, { ...conv, normalization: "layer" }],
  "conv residual": [base, { ...conv, normalization: "batch", residual: 2, condition: "one-hot" }],
  "mixture": [base, { ...small, prior: "mixture", components: 4, likelihood: "continuous-bernoulli" }],
  "vamp": [base, { ...small, prior: "vamp", components: 4, likelihood: "gaussian-decoder" }],
  "real-nvp": [base, { ...small, prior: "real-nvp", priorHidden: [5], likelihood: "gaussian-pixel" }],
  "maf": [base, { ...small, prior: "maf", priorHidden: [5], priorLayers: 2, likelihood: "gaussian-shared" }],
  "iaf": [base, { ...small, flow: "iaf", flowHidden: [5], flowContext: 4, likelihood: "gaussian-low-rank" }],
  "planar": [base, { ...small, flow: "planar", flowLayers: 2, likelihood: "discretized-logistic" }],
  "plain levels": [base, { ...small, hidden: [7, 6], hierarchy: "plain", lowerLatents: [2] }],
  "ladder": [base, { ...conv, hierarchy: "ladder", lowerLatents: [2], likelihood: "discretized-logistic-decoder" }],
  "mixture of logistics": [base, { ...small, likelihood: "logistic-mixture", logistics: 3 }],
  "vq_vae": [named("vq_vae"), { channels: [4], kernel: 3, codes: 6, codeDimension: 4, groups: 2, depth: 2 }],
  "cosine codes": [named("vq_vae"), { channels: [4], kernel: 3, codes: 6, codeDimension: 4, distance: "cosine" }],
  "fsq": [named("vq_vae"), { channels: [4], kernel: 3, quantizer: "fsq", levels: [4, 3], groups: 2 }],
  "sparse_ae": [named("sparse_ae"), small],
  "linear_vae": [named("linear_vae"), { latents: 3 }],
  "pca": [named("pca"), { latents: 3 }],
  "gmm": [named("gmm"), { components: 4 }],
  "gmm of full covariances": [named("gmm"), { components: 3, covariance: "full" }],
  "flow": [named("flow"), { layers: 2, hidden: [5] }],
  "coupling flow": [named("flow"), { transform: "coupling", layers: 3, hidden: [5] }],
  "a model of one's own": [attentive as unknown as Model<never>, { hidden: 5, latents: 3 }],
  "ppca": [named("ppca"), { latents: 3 }],
};

const COUNT = 5;

async function run(
  trained: Trained,
  name: string,
  graph: Graph,
  inputs: Readonly<Record<string, Float32Array | undefined>>,
  runtime: typeof ort | typeof web,
) {
  const bytes = await encodeOnnx(name, graph, await trained.parameters.read({ slots: false }), { model: "test" });
  const session = await runtime.InferenceSession.create(bytes);
  assertEquals([...session.inputNames], Object.keys(graph.inputs));
  assertEquals([...session.outputNames], Object.keys(graph.outputs));
  const feeds = Object.entries(graph.inputs).map(([name, columns]) => {
    return [name, new runtime.Tensor("float32", inputs[name]!, [inputs[name]!.length / columns, columns])] as const;
  });
  const found = await session.run(Object.fromEntries(feeds)) as Record<string, { data: unknown; dims: number[] }>;
  return Object.fromEntries(
    Object.entries(found).map(([name, { data, dims }]) => {
      assertEquals(dims, [COUNT, graph.outputs[name].shape[1]]);
      return [name, data as Float32Array];
    }),
  );
}

/** Holds what a runtime gives against what elbo gives. */
async function compare(trained: Trained, runtime: typeof ort | typeof web): Promise<void> {
  const graphs = graphsOf(trained);
  const { encoder, decoder, prior, missing } = graphs;
  const labels = [0, 2, 1, 1, 0];
  const condition = graphs.condition &&
    conditionRows(graphs.condition.kind, COUNT, { labels, covariates: [] }, trained.data);
  const given = graphs.condition ? { labels } : {};
  const x = uniforms(new Float32Array(COUNT * trained.features), 3, 0, 0);
  assert(encoder && decoder, JSON.stringify(missing));
  const encoded = await run(trained, "encoder", encoder, { x, condition }, runtime);
  const { mean, logVariance } = await trained.encode(x, given);
  assert(distance(encoded.mean, mean) < 1e-5, `mean ${distance(encoded.mean, mean)}`);
  if (encoded.logVariance) assert(distance(encoded.logVariance, logVariance) < 1e-5, "log-variance");
  if (encoded.codes) assertEquals(Array.from(encoded.codes, Number), [...await trained.codes(x)]);
  const z = normals(new Float32Array(COUNT * trained.latents), 3, 0, 1);
  const decoded = await run(trained, "decoder", decoder, { z, condition }, runtime);
  const expected = await trained.decode(z, given);
  assert(distance(decoded.mean, expected) < 1e-5, `decoded ${distance(decoded.mean, expected)}`);
  if (!trained.model.prior?.(trained.config)) return;
  assert(prior, JSON.stringify(missing));
  const noise = new Float32Array(COUNT * (trained.latents + 1));
  const own = normals(new Float32Array(COUNT * trained.latents), 5, 0, 0);
  const u = uniforms(new Float32Array(COUNT), 5, 0, 1);
  for (let row = 0; row < COUNT; row++) {
    noise.set(own.subarray(row * trained.latents, (row + 1) * trained.latents), row * (trained.latents + 1));
    noise[row * (trained.latents + 1) + trained.latents] = u[row];
  }
  const drawn = await run(trained, "prior", prior, { noise, condition }, runtime);
  const drawnHere = await trained.drawPrior({ count: COUNT, seed: 5, ...given });
  assert(distance(drawn.z, drawnHere) < 1e-5, `prior ${distance(drawn.z, drawnHere)}`);
}

for (const [what, [model, settings]] of Object.entries(cases)) {
  Deno.test(`onnxruntime gives what elbo gives within 1e-5: ${what}`, async () => {
    using trained = untrained(model, settings, image);
    await compare(trained, ort);
    if (ALSO_IN_PAGES.includes(what)) await compare(trained, web);
  });
}

Deno.test("a model whose op does not say its formula is refused by the op's name", () => {
  const silent = {
    ...attentive,
    encode: undefined,
    decode: (t: Tape, p: Parameters, z: Variable) => {
      const h = dense(t, z, p.get("decoder.0"), "tanh");
      h.producer = { ...h.producer!, name: "mine", formula: undefined };
      return attentive.decode(t, p, h);
    },
  } as unknown as Model<never>;
  using trained = untrained(silent, { hidden: 3, latents: 3 }, image);
  const message = 'Cannot export the decoder of "attentive_vae": the op "mine" does not say its formula';
  assertThrows(() => graphsOf(trained), ExportError, message);
});
