/**
 * What tests of figures share: a model whose decoder is the identity, and ways to look into a figure.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { assert } from "@std/assert";
import { PNG } from "pngjs";
import { gaussianPosterior } from "../../core/distributions/gaussian.ts";
import { gaussian } from "../../core/distributions/gaussian_likelihood.ts";
import { Gpu } from "../../core/gpu/device.ts";
import type { Model } from "../../core/model.ts";
import { dense } from "../../core/ops/dense.ts";
import { Parameters } from "../../core/graph/parameters.ts";
import { configure } from "../../core/settings.ts";
import { Trained } from "../../core/training/trained.ts";
import { trainingSettings } from "../../core/training/training_settings.ts";
import type { Figure } from "../../figures/figure.ts";

/** K = D = 4: z is the image, of 2 x 2 pixels. */
const identity: Model = {
  name: "identity",
  summary: "z is x",
  source: "this test",
  settings: {},
  parameters: () => ({ encoder: { inputs: 4, outputs: 8 }, decoder: { inputs: 4, outputs: 4 } }),
  objectives: () => [],
  encode: (t, p, x) => gaussianPosterior(t, dense(t, x, p.get("encoder"))),
  decode: (t, p, z) => gaussian(t, dense(t, z, p.get("decoder")), { sigma: 0.25 }),
  latents: () => 4,
};

/**
 * A trained model with μ(x) = x, log σ² = `logVariance`, and the mean of p(x | z) = z, σ = 0.25.
 *
 * @param changes What the contract says otherwise.
 * @param covariates What the data's covariates are called.
 */
export async function identityModel(
  logVariance = -20,
  changes: Partial<Model> = {},
  covariates: readonly string[] = [],
): Promise<Trained> {
  const gpu = await Gpu.open();
  const model = { ...identity, ...changes };
  const data = {
    name: "squares",
    shape: [2, 2, 1] as const,
    count: 8,
    ...(changes.condition ? { classes: 3, covariates } : {}),
  };
  const parameters = new Parameters(gpu, model.parameters({}, data));
  const set = (name: string, columns: number, bias: Float32Array) => {
    const parameter = parameters.get(name);
    const weight = Float32Array.from(
      { length: 4 * columns },
      (_, i) => i % columns === Math.floor(i / columns) ? 1 : 0,
    );
    parameter.set(parameter.tensor, weight, bias);
  };
  set("encoder", 8, Float32Array.from({ length: 8 }, (_, i) => i < 4 ? 0 : logVariance));
  set("decoder", 4, new Float32Array(4));
  const training = configure(trainingSettings, { binarize: "none" });
  return new Trained(gpu, model, {}, training, data, parameters, { step: 0, sums: [], steps: 0 }, true);
}

/** The pixels of a figure's picture, of the PNG or of the one in an SVG: rows of grey values from 0 to 255. */
export function greys({ content }: Figure): number[][] {
  const bytes = typeof content === "string"
    ? Uint8Array.fromBase64(content.match(/href="data:image\/png;base64,([^"]+)"/)?.[1] ?? "")
    : content;
  const { width, height, data }: { width: number; height: number; data: Uint8Array } = PNG.sync.read(
    Buffer.from(bytes),
  );
  return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => data[4 * (y * width + x)]));
}

/** The text of an SVG. */
export function svg({ content, file }: Figure): string {
  assert(typeof content === "string" && file.endsWith(".svg"));
  requireWellFormed(content);
  return content;
}

/** What stands between tags, in order. */
export function texts(markup: string): string[] {
  return [...markup.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
}

/**
 * Reads XML, or HTML that is written as XML, to its end.
 *
 * @throws {Error} If a tag is not closed, an attribute has no quotes or comes twice, or a sign that must be escaped is not.
 */
export function requireWellFormed(markup: string): void {
  const open: string[] = [];
  const rest = markup.replace(/^<!DOCTYPE html>/, "").replace(/<style>[^<]*<\/style>/g, "");
  let at = 0;
  for (const match of rest.matchAll(/<(\/?)([\w:-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)) {
    const between = rest.slice(at, match.index);
    if (/[<>]|&(?!#?\w+;)/.test(between)) throw new Error(`not escaped: ${between.slice(0, 200)}`);
    at = match.index + match[0].length;
    const [, closes, name, attributes, empty] = match;
    const names = [...attributes.matchAll(/([\w:-]+)="/g)].map(([, name]) => name);
    if (new Set(names).size < names.length) throw new Error(`an attribute twice in <${name}${attributes}>`);
    if (/&(?!#?\w+;)/.test(attributes)) throw new Error(`not escaped: ${attributes}`);
    if (closes && open.pop() !== name) throw new Error(`</${name}> closes another element`);
    if (!closes && !empty) open.push(name);
  }
  if (/[<>]/.test(rest.slice(at))) throw new Error(`not escaped: ${rest.slice(at, at + 200)}`);
  if (open.length) throw new Error(`never closed: ${open.join(", ")}`);
}
