/**
 * Densities of the encodings of a trained model, to draw z from in place of its prior: for autoencoders, which have none, and for VAEs
 * whose encodings of all data together are not distributed as their prior is. The density is any model that trains on rows of numbers.
 *
 * @module
 */

import { type Dataset, features, pick, slice, type Split } from "../core/dataset.ts";
import { drawEncoded, latentName } from "../core/distributions/encoded.ts";
import { otherSeed, uniforms } from "../core/graph/random.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Model } from "../core/model.ts";
import type { DataDescription } from "../core/training/checkpoint.ts";
import { encodeSafetensors } from "../core/training/safetensors.ts";
import type { LatentPrior } from "../core/training/sampling.ts";
import type { Trained } from "../core/training/trained.ts";
import { train } from "../core/training/trainer.ts";
import type { TrainingConfig } from "../core/training/training_settings.ts";
import { standardized } from "../core/scaling.ts";
import type { Setting } from "../core/settings.ts";
import type { SplitInput } from "../core/values.ts";
import { encodedParts } from "./encodings.ts";

/** A density that was fitted to encodings. Dispose of it to free what it holds on the GPU. */
export interface FittedPrior extends LatentPrior, Disposable {
  /**
   * The density, of encodings with mean 0 and variance 1 in every dimension; of {@linkcode fitVampPrior}, the model itself with that prior.
   * {@linkcode fittedPrior} takes it up again.
   */
  readonly density: Trained;
}

/** How {@linkcode fitPrior} fits. */
export interface FitPriorOptions {
  /** What draws of q(z | x) and the training of the density follow from. Default: the seed of the training. */
  readonly seed?: number;
  /** Stops it. */
  readonly signal?: AbortSignal;
  /** Called now and then with the fraction done. */
  readonly onProgress?: (done: number) => void;
}

/**
 * q(z) = (1/N) Σ_n q(z | x_n), the mean of the posteriors of N rows: the aggregate posterior
 *
 * Each draw is one of q(z | x) of a row chosen at random, which is encoded anew; nothing is fitted. Of an autoencoder it is the
 * encoding itself, without any smoothing, so that what it decodes to is the reconstruction of a row.
 *
 * Source: Makhzani et al., "Adversarial Autoencoders", arXiv:1511.05644, equation 1.
 *
 * @param rows The rows that were trained on.
 * @throws {TypeError} As {@linkcode fitPrior} does.
 */
export function aggregatePosterior(trained: Trained, rows: SplitInput): LatentPrior {
  requireContinuous("draw from the aggregate posterior of", trained);
  const split = trained.admit("encode", rows);
  return {
    name: "the aggregate posterior",
    draw({ count, seed }) {
      const places = Array.from(uniforms(new Float64Array(count), seed, 0, 2), (u) => Math.floor(u * split.count));
      const part = (from: number, to: number) => pick(split, places.slice(from, to));
      return drawnEncodings(trained, count, part, { seed: otherSeed(seed) });
    },
  };
}

/**
 * Fits a density to one draw of q(z | x) for each row, or to the encodings themselves where q(z | x) is a point
 *
 * Encodings are standardized first, and draws brought back to their scale.
 *
 * ```ts ignore
 * using prior = await fitPrior(trained, dataset.train, gmm, { components: 10, covariance: "full" });
 * const images = await trained.sample({ count: 16, prior });
 * ```
 *
 * Source: Ghosh et al., "From Variational to Deterministic Autoencoders", arXiv:1903.12436, section 4; with a VAE of as many latents as
 * density, Dai and Wipf, "Diagnosing and Enhancing VAE Models", arXiv:1903.05789, section 4.
 *
 * @param rows The rows that were trained on.
 * @param model `gmm`, `flow`, `vae`, ...: any model of real numbers that can be sampled.
 * @param config Its settings and those of its training. All rows are trained on unless `validation` says otherwise.
 * @throws {TypeError} If the latents are discrete or follow from a condition too, or the model has none.
 */
export async function fitPrior<C extends object>(
  trained: Trained,
  rows: SplitInput,
  model: Model<C>,
  config: Partial<TrainingConfig & C> = {},
  { seed = trained.training.seed, signal, onProgress }: FitPriorOptions = {},
): Promise<FittedPrior> {
  requireContinuous("fit a prior to the encodings of", trained);
  const dataset = await encodingsOf(trained, trained.admit("encode", rows), { seed, signal });
  return await fitted(trained, model as Model, dataset, { seed, ...config }, { signal, onProgress });
}

/**
 * Fits a VampPrior: p(z) = (1/C) Σ_c q(z | u_c), the encoder's posteriors of C pseudo-inputs u_c, which begin as rows and are learned by
 * minimising KL(q(z | x) ‖ p(z)) over the rows. The encoder stays as it is.
 *
 * Source: Tomczak and Welling, "VAE with a VampPrior", arXiv:1705.07120, equation 9.
 *
 * @param rows The rows that were trained on.
 * @param config `components`, C, and settings of the training.
 * @throws {TypeError} As {@linkcode fitPrior} does, and if the posterior is no Gaussian or the model has no such prior.
 * @throws {RangeError} If the model has settings that such a prior has no meaning with.
 */
export async function fitVampPrior(
  trained: Trained,
  rows: SplitInput,
  config: Partial<TrainingConfig & { readonly components: number }> = {},
  { seed = trained.training.seed, signal, onProgress }: FitPriorOptions = {},
): Promise<FittedPrior> {
  const what = "fit a VampPrior to the encodings of";
  requireContinuous(what, trained);
  const { model, data: { shape } } = trained;
  const { prior } = model.settings as Readonly<Record<string, Setting<unknown> | undefined>>;
  if (!prior?.choices?.includes("vamp") || !await trained.hasGaussianPosterior()) {
    throw new TypeError(
      `Cannot ${what} "${model.name}": expected a VAE with a Gaussian posterior and a choice of priors`,
    );
  }
  const split = trained.admit("encode", rows);
  const [weights, settings] = [await trained.parameters.read({ slots: false }), { encoder: await digestOf(trained) }];
  const frozen: Model = {
    ...model,
    parameters: (config, data) =>
      Object.fromEntries(
        Object.entries(model.parameters(config, data)).map(([name, shape]) =>
          name.startsWith("prior.") ? [name, shape] : [name, { ...shape, trained: false }]
        ),
      ),
    objectives(t, p, { x }, config) {
      const { kl } = model.encode!(t, p, x, config).draw({ divergence: "sampled" });
      return [{ terms: [{ name: "kl", value: kl, weight: constant(1) }] }];
    },
    async start(context, config) {
      for (const { name } of context.parameters) {
        const [weight, bias] = ["weight", "bias"].map((part) => weights.get(`${name}.${part}`)?.data);
        const parameter = context.parameters.get(name);
        if (bias) parameter.set(parameter.tensor, weight ?? new Float32Array(), bias);
      }
      await model.start?.(context, config);
    },
  };
  const { batchSize, binarize } = trained.training;
  // A learned prior of another kind is left behind, with what it has settings for.
  const { prior: _, components: _components, priorLayers: _layers, priorHidden: _hidden, ...kept } = trained
    .config as Record<string, unknown>;
  const given = { ...kept, prior: "vamp", batchSize, binarize, seed, ...config };
  const dataset: Dataset = { name: "encoded rows", shape, train: split, test: split, settings };
  return await fitted(trained, frozen, dataset, given, { signal, onProgress });
}

/** Trains a density. */
async function fitted(
  trained: Trained,
  model: Model,
  dataset: Dataset,
  config: Partial<TrainingConfig>,
  { signal, onProgress }: Pick<FitPriorOptions, "signal" | "onProgress">,
): Promise<FittedPrior> {
  const given = { validation: 0, batchSize: Math.min(100, dataset.train.count), ...config };
  const training = train(model, dataset, given, { gpu: trained.gpu, signal });
  let density: Trained | undefined;
  try {
    for await (const event of training) {
      density ??= training.trained;
      if (event.event === "progress" || event.event === "epoch") {
        onProgress?.(event.step * density.training.batchSize / (density.training.epochs * density.data.count));
      }
    }
    signal?.throwIfAborted();
    return fittedPrior(training.trained);
  } catch (error) {
    density?.destroy();
    throw error;
  }
}

/**
 * What {@linkcode fitPrior} gave, of a density that was saved and loaded.
 *
 * @throws {TypeError} If it is no density of encodings.
 */
export function fittedPrior(density: Trained): FittedPrior {
  const { model, config, data: { scaling, settings } } = density;
  if (settings?.encoder && !scaling && model.prior?.(config)) {
    return {
      name: "a VampPrior fitted to the encodings",
      density,
      draw: ({ count, seed }) => density.drawPrior({ count, seed: otherSeed(seed) }),
      [Symbol.dispose]: () => density.destroy(),
    };
  }
  if (!scaling || !model.decode) {
    throw new TypeError(`Cannot draw latents from "${model.name}": expected a density that fitPrior gave`);
  }
  const { mean, deviation } = scaling;
  return {
    name: `${model.name} fitted to the encodings`,
    density,
    async draw({ count, seed }) {
      // Whoever decodes the draws takes the noise of the seed itself.
      const z = await density.sample({ count, seed: otherSeed(seed), draw: "sample" });
      return z.map((value, i) => value * deviation[i % mean.length] + mean[i % mean.length]);
    },
    [Symbol.dispose]: () => density.destroy(),
  };
}

/**
 * Whether a density was fitted to the encodings of this model as it stands: one that was trained on has others.
 *
 * @param data Of the density: what its checkpoint says.
 */
export async function isFittedTo(data: DataDescription, trained: Trained): Promise<boolean> {
  const fits = !data.scaling || features(data.shape) === trained.latents;
  return fits && data.settings?.encoder === await digestOf(trained);
}

/** SHA-256 of the settings and parameters of a model. */
async function digestOf({ parameters, config }: Trained): Promise<string> {
  const tensors = await parameters.read({ slots: false });
  const bytes = encodeSafetensors(tensors, { config: JSON.stringify(config) });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function requireContinuous(what: string, { model, config }: Trained): void {
  const refuse = (why: string) => {
    throw new TypeError(`Cannot ${what} "${model.name}": ${why}`);
  };
  if (!model.encode || !model.decode || !model.latents) refuse("it has no latents");
  if (model.drawPrior) refuse("its latents are discrete, and it has learned a prior of them: draw from that one");
  const condition = model.condition?.(config);
  if (condition) refuse(`its encodings follow from a condition too (${condition}), and a density of all would not`);
}

/** z ~ q(z | x), one for each row of {@linkcode encodedParts} [N, K]. */
async function drawnEncodings(
  trained: Trained,
  count: number,
  partOf: (from: number, to: number) => Split,
  drawing: { readonly seed: number; readonly signal?: AbortSignal },
): Promise<Float32Array<ArrayBuffer>> {
  const { latents } = trained;
  const z = new Float32Array(count * latents);
  for await (const { from, step, encoded } of encodedParts(trained, count, partOf, drawing)) {
    if (!encoded.covariance && encoded.statistics.length !== encoded.count * latents) {
      throw new TypeError(`Cannot draw encodings of "${trained.model.name}": expected a Gaussian posterior or a point`);
    }
    z.set(encoded.covariance ? drawEncoded(encoded, drawing.seed, step) : encoded.statistics, from * latents);
  }
  return z;
}

/** Encodings as a table of standardized columns. */
async function encodingsOf(
  trained: Trained,
  rows: Split,
  drawing: { readonly seed: number; readonly signal?: AbortSignal },
): Promise<Dataset> {
  const { latents } = trained;
  const values = await drawnEncodings(trained, rows.count, (from, to) => slice(rows, from, to), drawing);
  const split = { values, count: rows.count };
  return {
    name: "encodings",
    shape: [1, latents, 1],
    columns: Array.from({ length: latents }, (_, k) => latentName(k)),
    ...standardized({ train: split, test: split }, latents),
    settings: { encoder: await digestOf(trained) },
  };
}
