/**
 * `deno task impute`: fills in what is missing of images.
 *
 * @module
 */

import { readWhole } from "../storage/read.ts";
import { writeFileAtomically } from "../storage/write.ts";
import { type Dataset, slice } from "../core/dataset.ts";
import { Trained } from "../core/training/trained.ts";
import { copyPixels, requireOpaque } from "../datasets/image.ts";
import { pngDecoder } from "../datasets/png.ts";
import { imageMask, impute, MASKS } from "../evaluation/impute.ts";
import { encodePng, imageGrid } from "../figures/grid.ts";
import { type FlagGroup, type Flags, type Parsed, UsageError } from "./cli/flags.ts";
import { measuringProgress } from "./cli/measuring.ts";
import { pixels } from "../core/training/caveats.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { type RunChoice, runChoice, seedFlag, splitFlag, type SplitName } from "./cli/run_flags.ts";
import { chosenRun, datasetOf, join, sayData, splitOf } from "./cli/run_folder.ts";

interface Imputing {
  readonly mask: string;
  readonly split: SplitName;
  readonly count: number;
  readonly iterations: number;
  readonly seed: number;
  readonly show: number;
  readonly out: string;
}

type Groups = { readonly run: FlagGroup<RunChoice>; readonly imputing: FlagGroup<Imputing> };

const flags: Flags<Groups> = {
  name: "impute",
  summary:
    "Hides a part of each image and fills it in from the rest: encoding and decoding in turn, what is observed held fast.",
  groups: {
    run: runChoice,
    imputing: {
      title: "Imputing",
      settings: {
        mask: {
          type: "string",
          default: "bottom",
          help: `what is missing: ${
            MASKS.join(", ")
          }, random:0.5 (so much of the pixels), or a PNG, missing where it is black`,
        },
        split: splitFlag,
        count: {
          type: "integer",
          default: 256,
          minimum: 1,
          maximum: 100_000,
          help: "how many rows, from the first on",
        },
        iterations: {
          type: "integer",
          default: 50,
          minimum: 1,
          maximum: 100_000,
          help: "rounds of encoding and decoding",
        },
        seed: seedFlag("of the draws, and of random:P"),
        show: { type: "integer", default: 10, minimum: 1, maximum: 1000, help: "images in the picture" },
        out: { type: "string", default: "", help: "the PNG to write (default: imputed.png in the run folder)" },
      },
      placeholders: { mask: "MASK", out: "FILE" },
    },
  },
  examples: ["deno task impute", "deno task impute --run runs/mine --mask random:0.7 --iterations 200 --count 1000"],
};

/** The mask of a name, or of an image. */
async function maskOf(name: string, shape: Dataset["shape"], seed: number): Promise<Uint8Array> {
  if (!name.toLowerCase().endsWith(".png")) {
    try {
      return imageMask(name, shape, seed);
    } catch (error) {
      throw error instanceof RangeError ? new UsageError(`--mask: ${error.message}`, { cause: error }) : error;
    }
  }
  const bytes = await readWhole(name).catch((cause) => {
    throw new UsageError(`--mask: cannot read the file "${name}": ${cause.message}`, { cause });
  });
  const image = (await pngDecoder())(bytes, name);
  requireOpaque(image, name);
  const [height, width, channels] = shape;
  if (image.height !== height || image.width !== width) {
    throw new UsageError(
      `--mask: expected an image of ${height} x ${width} pixels, found ${image.height} x ${image.width}`,
    );
  }
  const values = new Uint8Array(height * width * image.channels);
  copyPixels(image, values, 0);
  return Uint8Array.from(
    { length: height * width * channels },
    (_, i) => values[Math.floor(i / channels) * image.channels] < 128 ? 0 : 1,
  );
}

/** The mean of each value over rows, 1,000 at most, [D]. */
function meanRow(trained: Trained, dataset: Dataset): Float64Array {
  const rows = trained.rowsOf(slice(dataset.train, 0, Math.min(1000, trained.data.count)));
  const width = trained.features;
  const mean = new Float64Array(width);
  rows.forEach((value, i) => mean[i % width] += value * width / rows.length);
  return mean;
}

async function run({ values }: Parsed<Groups>, context: Context): Promise<void> {
  const { mask: name, split, iterations, seed, out } = values.imputing;
  const chosen = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = chosen;
  const mask = await maskOf(name, checkpoint.data.shape, seed);
  const missing = mask.filter((value) => !value).length;
  if (missing === 0 || missing === mask.length) {
    throw new UsageError(`--mask: expected some pixels missing and some observed, found ${missing} of ${mask.length}`);
  }
  const file = out || join(folder, "imputed.png");
  const dataset = await datasetOf(chosen, context.signal);
  sayData(context, dataset, checkpoint);
  const all = splitOf(dataset, checkpoint, split);
  const count = Math.min(values.imputing.count, all.count);
  const { labels, covariates } = slice(all, 0, count);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  const width = trained.features;
  const original = trained.rowsOf(all, 0, count, seed);
  const start = meanRow(trained, dataset);
  using progress = measuringProgress(context);
  const imputed = await impute(trained, original, mask, {
    iterations,
    start,
    seed,
    labels,
    covariates,
    signal: context.signal,
    onProgress: (done) => progress.show({ done }),
  });
  progress.clear();
  const error = (of: (i: number) => number) => {
    let sum = 0;
    original.forEach((value, i) => sum += mask[i % width] ? 0 : (value - of(i)) ** 2 / missing / count);
    return sum;
  };
  const [mse, baseline] = [error((i) => imputed[i]), error((i) => start[i % width])];
  const show = Math.min(values.imputing.show, count);
  const part = original.subarray(0, show * width);
  const images = Float32Array.of(
    ...part,
    ...part.map((value, i) => mask[i % width] ? value : 0.5),
    ...imputed.subarray(0, show * width),
  );
  await writeFileAtomically(file, encodePng(imageGrid(images, { shape: trained.data.shape, columns: show })));
  context.print(
    `${file}: ${show} ${split} images, under them what was observed, under that what ${model.name} makes of it`,
  );
  context.print(
    `mean squared error of ${missing} missing values of ${width}, ${count} rows, ${iterations} iterations: ` +
      `${mse.toFixed(5)}; the mean image in their place: ${baseline.toFixed(5)}`,
  );
  context.print(pixels(checkpoint.training.binarize, model.support?.(trained.config)));
  context.emit({ run: folder, file, mask: name, split, count, missing, iterations, seed, mse, baseline });
}

/** The task. */
export const imputeTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(imputeTask);
