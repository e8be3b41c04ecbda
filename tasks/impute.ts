/**
 * `deno task impute`: fills in what is missing of images.
 *
 * @module
 */

import { readWhole } from "../storage/read.ts";
import { writeFileAtomically } from "../storage/write.ts";
import { type Dataset, slice } from "../core/dataset.ts";
import { Trained } from "../core/training/trained.ts";
import { copyPixels, pngDecoder } from "../datasets/png.ts";
import { imageMask, impute, MASKS } from "../evaluation/impute.ts";
import { bytesOf } from "../figures/figure.ts";
import { imageGrid } from "../figures/grid.ts";
import { gridFigure, labelledGrid } from "../figures/labelled_grid.ts";
import { type FlagGroup, type Flags, type Parsed, UsageError } from "./cli/flags.ts";
import { measuringProgress } from "./cli/measuring.ts";
import { pixels } from "../core/training/caveats.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { type RunChoice, runChoice, seedFlag, splitFlag, type SplitName } from "./cli/run_flags.ts";
import { chosenRun, datasetOf, join, splitOf } from "./cli/run_folder.ts";

interface Imputing {
  readonly mask: string;
  readonly split: SplitName;
  readonly count: number;
  readonly iterations: number;
  readonly chains: number;
  readonly seed: number;
  readonly show: number;
  readonly out: string;
}

type Groups = { readonly run: FlagGroup<RunChoice>; readonly imputing: FlagGroup<Imputing> };

const flags: Flags<Groups> = {
  name: "impute",
  summary:
    "Hides a part of each image and fills it in from the rest: the mean of the completions that the model finds probable, " +
    "how far apart they lie, and the error beside that of the mean image.",
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
          help:
            "rounds: in each, every chain draws a completion, which is weighted by how well it fits what is observed",
        },
        chains: { type: "integer", default: 8, minimum: 1, maximum: 1000, help: "chains for each image" },
        seed: seedFlag("of the draws, and of random:P"),
        show: { type: "integer", default: 10, minimum: 1, maximum: 1000, help: "images in the picture" },
        out: {
          type: "string",
          default: "",
          help:
            "the picture to write: .svg with words around it, .png without (default: imputed.svg in the run folder)",
        },
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

/** Training rows that chains start from. */
const NEIGHBOURS = 1000;

/** Training rows as the model was given them, [M, D]: none of those that are imputed. */
function trainingRows(trained: Trained, dataset: Dataset, imputed: number): Float32Array | undefined {
  const from = Math.min(imputed, trained.data.count);
  const to = Math.min(from + NEIGHBOURS, trained.data.count);
  return to > from ? trained.rowsOf(slice(dataset.train, from, to)) : undefined;
}

/** The mean of each value over rows, [D]; ½ without rows. */
function meanRow(rows: Float32Array | undefined, width: number): Float64Array {
  if (!rows) return new Float64Array(width).fill(0.5);
  const mean = new Float64Array(width);
  rows.forEach((value, i) => mean[i % width] += value * width / rows.length);
  return mean;
}

async function run({ values }: Parsed<Groups>, context: Context): Promise<void> {
  const { mask: name, split, iterations, chains, seed, out } = values.imputing;
  if (out && !/\.(png|svg)$/.test(out)) {
    throw new UsageError(`--out: expected a file that ends with .svg or .png, found "${out}"`);
  }
  const chosen = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = chosen;
  const mask = await maskOf(name, checkpoint.data.shape, seed);
  const missing = mask.filter((value) => !value).length;
  if (missing === 0 || missing === mask.length) {
    throw new UsageError(`--mask: expected some pixels missing and some observed, found ${missing} of ${mask.length}`);
  }
  const file = out || join(folder, "imputed.svg");
  const dataset = await datasetOf(chosen, context.signal);
  const all = splitOf(dataset, checkpoint, split);
  const count = Math.min(values.imputing.count, all.count);
  const { labels, covariates } = slice(all, 0, count);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  const width = trained.features;
  const original = trained.rowsOf(all, 0, count, seed);
  const neighbours = trainingRows(trained, dataset, split === "train" ? count : 0);
  const start = meanRow(neighbours, width);
  using progress = measuringProgress(context);
  const { values: imputed, deviation, effectiveDraws } = await impute(trained, original, mask, {
    iterations,
    chains,
    ...(neighbours ? { neighbours } : {}),
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
  const shown = (rows: Float32Array) => rows.subarray(0, show * width);
  // Twice the deviation: of values from 0 to 1 it is ½ at most.
  const rows: [name: string, images: Float32Array][] = [
    ["image", shown(original)],
    ["observed", shown(original).map((value, i) => mask[i % width] ? value : 0.5)],
    ["imputed", shown(imputed)],
    ...(effectiveDraws
      ? [["deviation x 2", shown(deviation).map((value) => 2 * value)] as [string, Float32Array]]
      : []),
  ];
  const grid = imageGrid(Float32Array.of(...rows.flatMap(([, images]) => [...images])), {
    shape: trained.data.shape,
    columns: show,
    ...(file.endsWith(".svg") ? { scale: Math.max(1, Math.floor(60 / trained.data.shape[1])) } : {}),
  });
  const names = rows.map(([name]) => name);
  const words = {
    name: "imputed",
    title: `${split} images with a part missing (${name}), filled in by ${model.name}`,
    caption: "",
  };
  await writeFileAtomically(
    file,
    bytesOf(file.endsWith(".svg") ? labelledGrid(words, grid, { rows: names }) : gridFigure(words, grid)),
  );
  context.print(`${file}: ${show} ${split} images in columns; from above: ${names.join(", ")}`);
  const effective = effectiveDraws && effectiveDraws.reduce((sum, draws) => sum + draws, 0) / count;
  const ratio = mse / baseline;
  context.print(
    `mean squared error of ${missing} missing values of ${width}, ${count} rows: ${mse.toFixed(5)}; ` +
      `the mean image in their place: ${baseline.toFixed(5)} (${ratio.toFixed(2)} of it)`,
  );
  if (effective !== undefined) {
    context.print(
      `${iterations} iterations of ${chains} chains: ${iterations * chains} draws, of which ${
        effective.toFixed(1)
      } count a row on average; more iterations come nearer`,
    );
  } else {
    context.print(
      `${model.name} has no density to weigh completions by: its reconstruction stands in place of what is missing`,
    );
  }
  if (ratio >= 1) {
    context.print("The mean image is as near: this model has not learned how the parts of an image go together");
  }
  context.print(pixels(checkpoint.training.binarize, model.support?.(trained.config)));
  context.emit({
    run: folder,
    file,
    mask: name,
    split,
    count,
    missing,
    iterations,
    seed,
    mse,
    baseline,
    chains,
    ...(effective === undefined ? {} : { effectiveDraws: effective }),
  });
}

/** The task. */
export const imputeTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(imputeTask);
