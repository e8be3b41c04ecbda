/**
 * What a soak does over and over: a training of each kind, with all that is done with a model afterwards, and the ways in which it goes
 * wrong.
 *
 * @module
 */

import { type Gpu, GpuError, logLikelihood, type Model, models, train, type Trained } from "../../mod.ts";
import { load, save } from "../../storage/checkpoint.ts";
import { stripes } from "../support/stripes.ts";

/** A kind of training. */
export interface Kind {
  readonly name: string;
  readonly model: Model;
  readonly config: object;
}

const small = { batchSize: 20, epochs: 3, validation: 40, seed: 3 };

/** The settings of a training of a moment, of those that a model has. */
function smallest({ name, settings, codes }: Model): object {
  return {
    ...small,
    ...("hidden" in settings ? { hidden: [24] } : {}),
    ...("latents" in settings ? { latents: 2 } : {}),
    ...(name === "conv_vae" || codes ? { channels: [4] } : {}),
    ...(/^(?:hierarchical|ladder)_vae$/.test(name) ? { hidden: [24, 24], lowerLatents: [3] } : {}),
  };
}

const variant = (name: string, config: object): Kind => {
  const [model] = name.split(" ");
  return { name, model: models.get(model)!, config: { ...smallest(models.get(model)!), ...config } };
};

/** Every model, and some with settings that hold something more on the GPU. */
export const kinds: readonly Kind[] = [
  ...[...models.keys()].map((name) => variant(name, {})),
  variant("vae streamed", { rows: "streamed" }),
  variant("vae averaged", { ema: 0.9, accumulate: 2 }),
  variant("vae of many rows", { batchSize: 80, validation: 0, hidden: [200] }),
];

const { train: { values } } = stripes;
const x = Float32Array.from(values.subarray(0, 5 * 16), (byte) => byte / 255);

function equal(one: ArrayLike<number>, other: ArrayLike<number>, what: string): void {
  if (one.length !== other.length || Array.from(one).some((value, i) => value !== other[i])) {
    throw new Error(`Expected ${what} to be the same`);
  }
}

async function trained({ model, config }: Kind, gpu: Gpu | undefined, epochs?: number): Promise<Trained> {
  const controller = new AbortController();
  const training = train(model, stripes, config, { gpu, signal: controller.signal });
  for await (const event of training) if (event.event === "epoch" && event.epoch === epochs) controller.abort();
  return training.trained as Trained;
}

/**
 * One round: trains, or stops half-way; measures, samples and encodes; saves, loads, and compares; makes a mistake; frees all of it.
 *
 * @param round From 0 on: what is done besides follows from it.
 * @param gpu The one that all rounds share; every tenth round opens one of its own.
 * @param file Where to save to.
 */
export async function soakRound(round: number, gpu: Gpu, file: string): Promise<Kind> {
  const kind = kinds[round % kinds.length];
  const { model } = kind;
  const own = round % 10 === 9;
  using one = await trained(kind, own ? undefined : gpu, round % 4 === 3 ? 1 : undefined);
  await one.evaluate(stripes.test);
  await save(one, file);
  using other = await load(file, { model, ...own ? {} : { gpu } });
  if (model.decode) equal(await other.sample({ count: 5 }), await one.sample({ count: 5 }), "what is sampled");
  if (model.encode) await other.encode(x, { labels: Array(5).fill(1) });
  if (model.codes) await other.codes(x);
  if (await other.hasDensity()) await logLikelihood(other, stripes.test, { samples: 4 });
  equal(await other.toBytes(), await one.toBytes(), "what is saved");
  // A caller's own mistake, and one with a model that is gone.
  one.gpu.device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE }).destroy();
  other.destroy();
  const refused = await other.toBytes().then(() => undefined, (error) => error);
  if (!(refused instanceof GpuError)) throw new Error("Expected a destroyed model to be refused");
  return kind;
}
