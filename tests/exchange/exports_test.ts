/** Models as ONNX, run by onnxruntime, and as modules for pages: what they give is what elbo gives. */

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
import { withFolder } from "../support/folder.ts";
import { assertClose, cases, COUNT, expected, given, image, imported, untrained } from "./support.ts";

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

/** What a runtime gives of a model as ONNX. */
async function byOnnx(trained: Trained, runtime: typeof ort | typeof web) {
  const { encoder, decoder, prior, missing } = graphsOf(trained);
  assert(encoder && decoder, JSON.stringify(missing));
  const { told: _, ...inputs } = given(trained);
  const { mean, logVariance, codes } = await run(trained, "encoder", encoder, inputs, runtime);
  const { mean: decoded } = await run(trained, "decoder", decoder, inputs, runtime);
  const { z } = prior ? await run(trained, "prior", prior, inputs, runtime) : {};
  return { mean, logVariance, codes, decoded, z };
}

for (const [what, [model, settings]] of Object.entries(cases)) {
  Deno.test(`onnxruntime and a module for pages give what elbo gives within 1e-5: ${what}`, () =>
    withFolder(async (folder) => {
      using trained = untrained(model, settings, image);
      const here = await expected(trained);
      assertClose(await byOnnx(trained, ort), here);
      if (ALSO_IN_PAGES.includes(what)) assertClose(await byOnnx(trained, web), here);
      const vae = await imported(trained, folder);
      const { x, z, condition } = given(trained);
      const { z: _, ...others } = here;
      assertClose({ ...vae.encode(x, condition), decoded: vae.decode(z, condition) }, others);
      // Of these z is drawn as elbo alone can.
      if (!trained.hasStandardPrior && !trained.model.prior?.(trained.config)) {
        assertThrows(() => vae.sample(1), TypeError, "Cannot use the prior");
        return;
      }
      const samples = vae.sample(COUNT, { condition });
      assertEquals(samples.length, COUNT * vae.features);
      assert(samples.every(Number.isFinite));
    }));
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
