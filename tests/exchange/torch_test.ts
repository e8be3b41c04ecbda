/**
 * Models as Python files, run by PyTorch where it is installed. Where it is not, what it gave of the same files when they were recorded is
 * held against elbo: `deno run -A tests/exchange/torch_test.ts` records anew.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { normals, otherSeed } from "../../core/graph/random.ts";
import type { Trained } from "../../core/training/trained.ts";
import { graphsOf } from "../../exchange/graphs.ts";
import { matchNames, readWeights, takeTensors } from "../../exchange/import.ts";
import { torchFiles } from "../../exchange/torch.ts";
import { withFolder } from "../support/folder.ts";
import { assertClose, cases, COUNT, expected, given, image, untrained } from "./support.ts";

const golden = new URL("../golden/torch_outputs.json", import.meta.url);
const program = new URL("../golden/torch_outputs.py", import.meta.url).pathname;

/** What PyTorch gives of a model. */
interface Outputs extends Readonly<Record<string, readonly number[] | undefined>> {
  readonly terms?: readonly [nll: number, kl: number];
  readonly losses?: readonly number[];
  /** Of the model after those steps. */
  readonly trained?: readonly number[];
  readonly trainedTerms?: readonly [nll: number, kl: number];
  /** Both with the draws of z given, where a model draws it once. */
  readonly drawnTerms?: readonly [nll: number, kl: number];
  readonly trainedDrawnTerms?: readonly [nll: number, kl: number];
}

/** What is recorded: of every file a digest; the outputs of some. */
interface Golden {
  readonly torch: string;
  readonly files: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, Outputs>>;
}

/** Models whose outputs are kept: every kind of module. */
const KEPT = ["vae", "conv residual", "iaf", "vamp", "vq_vae"];

/** A Python that has PyTorch. */
async function findPython(): Promise<string | undefined> {
  for (const python of ["python3", "/usr/bin/python3"]) {
    const command = new Deno.Command(python, { args: ["-c", "import torch"], stdout: "null", stderr: "null" });
    if (await command.output().then(({ success }) => success, () => false)) return python;
  }
  return undefined;
}

const all = Object.entries(cases);
const folderOf = (what: string) => what.replaceAll(/\W/g, "_");

/** The files of a model, by name. */
async function filesOf(what: string) {
  using trained = untrained(...cases[what], image);
  return await torchFiles(trained, graphsOf(trained));
}

/** The SHA-256 of the Python file. */
async function digestOf(what: string): Promise<string> {
  const [{ bytes }] = await filesOf(what);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Runs the files of all models in PyTorch; `back` is given what each left after some steps. */
async function run(
  python: string,
  back: (what: string, outputs: Outputs, trained: Uint8Array) => Promise<void> = () => Promise.resolve(),
): Promise<Record<string, Outputs>> {
  return await withFolder(async (folder) => {
    for (const [what, [model, settings]] of all) {
      const own = `${folder}/${folderOf(what)}`;
      await Deno.mkdir(own);
      using trained = untrained(model, settings, image);
      const files = await torchFiles(trained, graphsOf(trained));
      for (const { name, bytes } of files) await Deno.writeFile(`${own}/${name}`, bytes);
      const { told: _, ...inputs } = { ...given(trained), draws: draws(trained, what) };
      for (const [name, rows] of Object.entries(inputs)) {
        await Deno.writeFile(`${own}/${name}.f32`, new Uint8Array(rows.buffer));
      }
    }
    const { success, stderr } = await new Deno.Command(python, { args: [program, folder] }).output();
    assert(success, new TextDecoder().decode(stderr));
    const outputs = JSON.parse(await Deno.readTextFile(`${folder}/outputs.json`));
    for (const [what] of all) {
      const found = outputs[folderOf(what)];
      if (found.trained) {
        await back(what, found, await Deno.readFile(`${folder}/${folderOf(what)}/trained.safetensors`));
      }
    }
    return outputs;
  });
}

/** The seed of an evaluation. */
const SEED = 4;

/** The stream of random numbers by which z is drawn in one, where it is not {@linkcode STREAM}: labels and dropout have some before. */
const STREAMS: Readonly<Record<string, number>> = { "conditional": 3, "conv residual": 3, "residual batch": 4 };
const STREAM = 2;

/** The noise that z has in {@linkcode Trained.evaluate} with that seed, [N, K]. */
function draws({ latents }: Trained, what: string): Float32Array<ArrayBuffer> {
  const values = normals(
    new Float64Array(4 * COUNT * Math.ceil(latents / 4)),
    otherSeed(SEED),
    0,
    STREAMS[what] ?? STREAM,
  );
  return Float32Array.from({ length: COUNT * latents }, (_, i) => {
    const [row, column] = [Math.floor(i / latents), i % latents];
    return values[4 * (Math.floor(column / 4) * COUNT + row) + column % 4];
  });
}

/** Holds the ELBO by the same draws of z against one another, where there are any. */
async function compareDrawn(trained: Trained, terms?: readonly [number, number]): Promise<void> {
  if (!terms) return;
  const { x, told } = given(trained);
  const labels = "labels" in told ? { labels: Uint8Array.from(told.labels!) } : {};
  const options = { samples: 1, binarize: "none", seed: SEED } as const;
  const { nll, kl } = await trained.evaluate({ values: x, count: COUNT, ...labels }, options);
  assertClose({ nll: [terms[0]], kl: [terms[1]] }, { nll: [nll], kl: [kl] });
}

/** Holds what PyTorch gave against what elbo gives. */
async function compare(what: string, outputs: Outputs): Promise<void> {
  const {
    terms,
    losses,
    log_variance: logVariance,
    z,
    trained: _,
    trainedTerms: __,
    drawnTerms,
    trainedDrawnTerms: ___,
    ...others
  } = outputs;
  using trained = untrained(...cases[what], image);
  const here = await expected(trained);
  assertClose({ ...others, logVariance, z: "z" in here ? z : undefined }, here);
  assert(losses === undefined || losses[19] < losses[0], `${what}: ${losses}`);
  if (terms) await compareTerms(what, trained, terms);
  await compareDrawn(trained, drawnTerms);
}

/** Holds means of 300 draws each against one another, of other random numbers. */
async function compareTerms(what: string, trained: Trained, terms: readonly [number, number]): Promise<void> {
  const { x, told } = given(trained);
  const labels = "labels" in told ? { labels: Uint8Array.from(told.labels!) } : {};
  const { nll, kl } = await trained.evaluate({ values: x, count: COUNT, ...labels }, {
    samples: 300,
    binarize: "none",
  });
  for (const [i, value] of [nll, kl].entries()) {
    assert(
      Math.abs(terms[i] - value) < 0.1 + 0.1 * Math.abs(value),
      `${what}: ${terms[i]} in PyTorch, ${value} here`,
    );
  }
}

/** Holds a model that was trained on in PyTorch against the same that came back. */
async function compareBack(
  what: string,
  { trained: decoded, trainedTerms, trainedDrawnTerms }: Outputs,
  bytes: Uint8Array,
): Promise<void> {
  using trained = untrained(...cases[what], image);
  const { tensors } = readWeights(bytes, what);
  trained.parameters.write(takeTensors(trained, tensors, matchNames(trained, tensors, what)), what);
  const { z, told } = given(trained);
  assertClose({ decoded }, { decoded: await trained.decode(z, told) });
  if (KEPT.includes(what)) await compareTerms(what, trained, trainedTerms!);
  await compareDrawn(trained, trainedDrawnTerms);
}

if (import.meta.main) {
  const python = await findPython();
  if (!python) throw new Error("Cannot record: expected a Python with PyTorch, found none");
  const outputs = await run(python);
  const files = Object.fromEntries(await Array.fromAsync(all, async ([what]) => [what, await digestOf(what)]));
  const kept = Object.fromEntries(KEPT.map((what) => [what, outputs[folderOf(what)]]));
  await Deno.writeTextFile(golden, JSON.stringify({ torch: outputs.torch, files, outputs: kept }));
}

const read = async () => JSON.parse(await Deno.readTextFile(golden)) as Golden;

Deno.test("the Python files are those that PyTorch ran when they were recorded", async () => {
  const { files } = await read();
  assertEquals(Object.keys(files), all.map(([what]) => what));
  for (const [what, digest] of Object.entries(files)) assertEquals([what, await digestOf(what)], [what, digest]);
});

for (const what of KEPT) {
  Deno.test(`PyTorch gave what elbo gives within 1e-5: ${what}`, async () =>
    await compare(what, (await read()).outputs[what]));
}

const python = await findPython();

Deno.test(
  "PyTorch gives what elbo gives within 1e-5, trains it on, and what was trained comes back: all models",
  { ignore: !python },
  async () => {
    const outputs = await run(python!, compareBack);
    for (const [what] of all) await compare(what, outputs[folderOf(what)]);
  },
);

Deno.test("a model without a term that PyTorch has says so in its file", async () => {
  const [{ bytes }] = await filesOf("vq_vae");
  assertStringIncludes(new TextDecoder().decode(bytes), "raise NotImplementedError");
});
