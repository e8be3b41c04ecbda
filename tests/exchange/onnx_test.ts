/** Models as ONNX, run by onnxruntime. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { dense } from "../../core/ops/dense.ts";
import type { Parameters } from "../../core/graph/parameters.ts";
import type { Tape, Variable } from "../../core/graph/tape.ts";
import type { Model } from "../../core/model.ts";
import type { Trained } from "../../core/training/trained.ts";
import { attentive } from "../outside/op_model.ts";
import { type Graph, graphsOf } from "../../exchange/graphs.ts";
import { ExportError } from "../../exchange/formulas.ts";
import { encodeOnnx } from "../../exchange/onnx.ts";
import { assertClose, cases, COUNT, expected, given, image, untrained } from "./support.ts";

const { default: ort } = await import("npm:onnxruntime-node@1.17.0");
const { default: web } = await import("npm:onnxruntime-web@1.17.0");
web.env.wasm.numThreads = 1;

/** Cases that WebAssembly runs too: products, convolutions, codes. */
const ALSO_IN_PAGES = ["vae", "conv residual", "vq_vae"];

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
  const { encoder, decoder, prior, missing } = graphsOf(trained);
  assert(encoder && decoder, JSON.stringify(missing));
  const { told: _, ...inputs } = given(trained);
  const { mean, logVariance, codes } = await run(trained, "encoder", encoder, inputs, runtime);
  const { mean: decoded } = await run(trained, "decoder", decoder, inputs, runtime);
  const { z } = prior ? await run(trained, "prior", prior, inputs, runtime) : {};
  assertClose({ mean, logVariance, codes, decoded, z }, await expected(trained));
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
