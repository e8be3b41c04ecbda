/**
 * The Fréchet distance between images in the features of a classifier that is trained on the dataset's own labels. It is not the FID, whose
 * features are those of Inception trained on ImageNet: figures of one say nothing of the other.
 *
 * @module
 */

import { FileError } from "../core/bounds.ts";
import { type ByteCache, type Dataset, features, slice, type Split } from "../core/dataset.ts";
import type { Gpu } from "../core/gpu/device.ts";
import { point } from "../core/distributions/point.ts";
import { eigenSymmetric, multiply } from "../core/linear_algebra.ts";
import type { Model } from "../core/model.ts";
import { bernoulliNll } from "../core/ops/bernoulli_nll.ts";
import { dense } from "../core/ops/dense.ts";
import type { Parameters } from "../core/graph/parameters.ts";
import { constant } from "../core/graph/schedule.ts";
import type { Tape, Variable } from "../core/graph/tape.ts";
import { type Checkpoint, decodeCheckpoint, requireFit } from "../core/training/checkpoint.ts";
import type { SampleOptions } from "../core/training/sampling.ts";
import { Trained } from "../core/training/trained.ts";
import { train } from "../core/training/trainer.ts";

/** What shapes the classifier. */
export interface ClassifierConfig {
  /** Width of the hidden layer. */
  readonly hidden: number;
  /** Width of the layer below the classes, whose values are the features. */
  readonly features: number;
}

function featuresOf(t: Tape, p: Parameters, x: Variable): Variable {
  return dense(t, dense(t, x, p.get("hidden"), "relu"), p.get("features"), "relu");
}

/**
 * loss = Σ_c -log p(y_c | x), each class told from all others: D - hidden - features - classes, ReLU
 *
 * Its encoder gives the features, and does without a label.
 */
export const classifier: Model<ClassifierConfig> = {
  name: "classifier",
  summary: "dense classifier whose features images are compared by",
  source: "logistic regression, one class against the rest, on two layers of ReLU",
  settings: {
    hidden: { type: "integer", default: 256, minimum: 1, help: "width of the hidden layer" },
    features: { type: "integer", default: 64, minimum: 1, help: "width of the layer of features" },
  },
  parameters: (config, data) => ({
    hidden: { inputs: features(data.shape), outputs: config.hidden },
    features: { inputs: config.hidden, outputs: config.features },
    classes: { inputs: config.features, outputs: data.classes ?? 0 },
  }),
  objectives(t, p, { x, condition }) {
    const value = bernoulliNll(t, dense(t, featuresOf(t, p, x), p.get("classes")), condition!);
    return [{ terms: [{ name: "nll", value, weight: constant(1) }] }];
  },
  encode: (t, p, x) => point(t, featuresOf(t, p, x)),
  condition: () => "one-hot",
  // Images are what it is given; what it says is of labels.
  support: () => "density",
  latents: (config) => config.features,
  density: "none",
};

/** How {@linkcode trainClassifier} works. */
export interface ClassifierOptions {
  /** Where it is trained. Default: the best adapter. */
  readonly gpu?: Gpu;
  /** Keeps classifiers, one for each dataset; without it, it is trained anew. `folderCache` of `@elbo/elbo/files` gives one. */
  readonly cache?: ByteCache;
  /** Stops it. */
  readonly signal?: AbortSignal;
  /** Called now and then with the fraction done. */
  readonly onProgress?: (done: number) => void;
}

const EPOCHS = 4;

/**
 * The classifier of a dataset: trained on its training rows as they are, or taken from the cache.
 *
 * @throws {RangeError} If the dataset has no labels.
 */
export async function trainClassifier(
  dataset: Dataset,
  { gpu, cache, signal, onProgress }: ClassifierOptions = {},
): Promise<Trained<ClassifierConfig>> {
  if (!dataset.classes || !dataset.train.labels) {
    throw new RangeError(`Cannot train a classifier on "${dataset.name}": expected labels, found none`);
  }
  const file = `${encodeURIComponent(dataset.name)}.safetensors`;
  const kept = await cache?.read(file);
  const checkpoint = kept && keptClassifier(kept, file, dataset);
  if (checkpoint) return await Trained.fromCheckpoint(classifier, checkpoint, { gpu });
  const batchSize = Math.min(100, dataset.train.count);
  const training = train(classifier, dataset, { epochs: EPOCHS, batchSize, validation: 0, binarize: "none" }, {
    gpu,
    signal,
  });
  for await (const event of training) if (event.event === "progress") onProgress?.(event.epoch / EPOCHS);
  signal?.throwIfAborted();
  await cache?.write(file, await training.trained.toBytes());
  return training.trained;
}

/** The classifier that was kept of a dataset; undefined where it is of other data, or damaged: it is trained anew then. */
export function keptClassifier(bytes: Uint8Array, file: string, dataset: Dataset): Checkpoint | undefined {
  try {
    const checkpoint = decodeCheckpoint(new Uint8Array(bytes), file);
    requireFit(classifier, checkpoint);
    const { shape, classes, count, seed } = checkpoint.data;
    const same = shape.join() === dataset.shape.join() && classes === dataset.classes &&
      count === dataset.train.count && seed === dataset.seed;
    return same ? checkpoint : undefined;
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

/** Mean [K] and covariance [K, K] of rows. */
interface Moments {
  readonly mean: Float64Array;
  readonly covariance: Float64Array;
}

/** The moments of rows [N, K], the covariance divided by N - 1. */
function momentsOf(rows: ArrayLike<number>, width: number): Moments {
  const count = rows.length / width;
  const mean = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) mean[i % width] += rows[i] / count;
  const covariance = new Float64Array(width * width);
  const apart = new Float64Array(width);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < width; i++) apart[i] = rows[n * width + i] - mean[i];
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) covariance[i * width + j] += apart[i] * apart[j] / (count - 1);
    }
  }
  return { mean, covariance };
}

/**
 * d² = ‖μ_a - μ_b‖² + tr(Σ_a + Σ_b - 2 (Σ_a^½ Σ_b Σ_a^½)^½) of the Gaussians with the moments of two sets of rows
 *
 * The roots are by eigenvalues, in float64; eigenvalues that rounding made negative count as 0.
 *
 * Source: Dowson and Landau, "The Fréchet distance between multivariate normal distributions", Journal of Multivariate Analysis 12, 1982.
 *
 * @param a [N, K], N at least 2
 * @param b [M, K], M at least 2
 * @param width K
 */
export function frechetDistance(a: ArrayLike<number>, b: ArrayLike<number>, width: number): number {
  for (const { length } of [a, b]) {
    if (length % width !== 0 || length < 2 * width) {
      throw new RangeError(
        `Cannot form a Fréchet distance: expected at least 2 rows of ${width} values, found ${length} values`,
      );
    }
  }
  const [p, q] = [momentsOf(a, width), momentsOf(b, width)];
  const { values, vectors } = eigenSymmetric(p.covariance, width);
  const root = new Float64Array(width * width);
  for (let k = 0; k < width; k++) {
    const length = Math.sqrt(Math.max(values[k], 0));
    const vector = vectors.subarray(k * width, (k + 1) * width);
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < width; j++) root[i * width + j] += length * vector[i] * vector[j];
    }
  }
  const product = multiply(multiply(root, q.covariance, width), root, width);
  const symmetric = product.map((value, i) => (value + product[i % width * width + Math.floor(i / width)]) / 2);
  let distance = 0;
  for (const value of eigenSymmetric(symmetric, width).values) distance -= 2 * Math.sqrt(Math.max(value, 0));
  for (let i = 0; i < width; i++) {
    distance += (p.mean[i] - q.mean[i]) ** 2 + p.covariance[i * width + i] + q.covariance[i * width + i];
  }
  return Math.max(0, distance);
}

/** What {@linkcode frechetClassifierDistance} gives. */
export interface FrechetClassifierDistance {
  /** Of images drawn from the model (means of p(x | z), z from the prior) to test images. */
  readonly distance: number;
  /** Of as many training images to test images: what a perfect model would reach. */
  readonly reference: number;
  /** The part of the test images that the classifier tells right; absent where they have no labels. */
  readonly accuracy?: number;
  /** Images of each kind: the distance falls with it, so compare only figures of one count. */
  readonly count: number;
}

/**
 * The Fréchet distance of a model's images to the test images, in the features of a classifier of {@linkcode trainClassifier}.
 *
 * @param options `count` images of each kind (default 2,000, all test rows where there are fewer), of z from `prior` (default: the
 * model's own).
 */
export async function frechetClassifierDistance(
  trained: Trained,
  dataset: Dataset,
  by: Trained<ClassifierConfig>,
  { count: most = 2000, seed = 0, prior }: Pick<SampleOptions, "count" | "seed" | "prior"> = {},
): Promise<FrechetClassifierDistance> {
  const count = Math.min(most, dataset.test.count, dataset.train.count);
  // Labels are for the training of the classifier; its features follow from the images alone.
  const encode = async (x: Float32Array) =>
    (await by.encode(x, { labels: new Uint8Array(x.length / by.features) })).mean;
  const rowsOf = (split: Split) => by.rowsOf(slice(split, 0, count));
  const test = await encode(rowsOf(dataset.test));
  const training = await encode(rowsOf(dataset.train));
  const drawn = await encode(await trained.sample({ count, seed, prior }));
  return {
    distance: frechetDistance(drawn, test, by.latents),
    reference: frechetDistance(training, test, by.latents),
    ...(dataset.test.labels ? { accuracy: await accuracyOf(by, test, dataset.test.labels) } : {}),
    count,
  };
}

async function accuracyOf(by: Trained<ClassifierConfig>, rows: Float32Array, labels: Uint8Array): Promise<number> {
  const { weight, bias } = await by.parameters.get("classes").get();
  const [width, classes] = [by.latents, bias.length];
  const count = rows.length / width;
  const logits = multiply(rows, weight, width);
  let right = 0;
  for (let n = 0; n < count; n++) {
    let best = 0;
    const at = (c: number) => logits[n * classes + c] + bias[c];
    for (let c = 1; c < classes; c++) if (at(c) > at(best)) best = c;
    if (best === labels[n]) right++;
  }
  return right / count;
}
