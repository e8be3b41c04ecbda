/**
 * `deno task impute`: fills in what is missing of images and tables.
 *
 * @module
 */

import { plural } from "../core/plural.ts";
import { TABLES, writeTable } from "../storage/table_file.ts";
import { writeFileAtomically } from "../storage/write.ts";
import { type Dataset, rowsAt, slice } from "../core/dataset.ts";
import { isTable } from "../core/description.ts";
import { Trained } from "../core/training/trained.ts";
import { impute, type Imputed } from "../evaluation/impute.ts";
import { bytesOf } from "../figures/figure.ts";
import { imageGrid } from "../figures/grid.ts";
import { gridFigure, labelledGrid } from "../figures/labelled_grid.ts";
import type { FlagGroup, Flags, Parsed } from "./cli/flags.ts";
import { asPixels, layout } from "../figures/images.ts";
import { holesOf, MASK_HELP } from "./cli/holes.ts";
import { measuringProgress } from "./cli/measuring.ts";
import { binarizationOf } from "../core/training/caveats.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { defaultFile, described, formatFor, formatOf, rowFields, valueField } from "./cli/outputs.ts";
import { chosenRows, type DataFlags, dataFlags, firstRows } from "./cli/run_data.ts";
import { type RunChoice, runChoice, seedFlag } from "./cli/run_flags.ts";
import { chosenRun } from "./cli/run_folder.ts";

interface Imputing {
  readonly mask: string;
  readonly count: number;
  readonly iterations: number;
  readonly chains: number;
  readonly seed: number;
  readonly show: number;
  readonly out: string;
}

type Groups = {
  readonly run: FlagGroup<RunChoice>;
  readonly data: FlagGroup<DataFlags>;
  readonly imputing: FlagGroup<Imputing>;
};

/** A picture, or the rows as numbers. */
const FORMATS = ["svg", "png", ...TABLES] as const;

/** Images that are imputed, where nothing is said of how many. */
const IMAGES = 256;

const flags: Flags<Groups> = {
  name: "impute",
  summary:
    "Fills in what is missing of rows, or hides a part of each image and fills it in from the rest: the mean of the completions that the " +
    "model finds probable, and how far apart they lie. Its error stands beside that of the mean image or row.",
  groups: {
    run: runChoice,
    data: dataFlags,
    imputing: {
      title: "Imputing",
      settings: {
        mask: { type: "string", default: "", help: MASK_HELP },
        count: {
          type: "integer",
          default: 0,
          minimum: 0,
          maximum: 10_000_000,
          help: `how many rows, from the first on; 0: ${IMAGES} images, all of a table`,
        },
        iterations: {
          type: "integer",
          default: 50,
          minimum: 1,
          maximum: 100_000,
          help:
            "rounds: in each, every chain draws a completion, which is weighted by how well it fits what is observed",
        },
        chains: { type: "integer", default: 8, minimum: 1, maximum: 1000, help: "chains for each row" },
        seed: seedFlag("of the draws, and of random:P"),
        show: { type: "integer", default: 10, minimum: 1, maximum: 1000, help: "images in the picture" },
        out: {
          type: "string",
          default: "",
          help:
            "the picture to write, .svg with words around it or .png without; or of numbers .csv, .parquet, .npy or .npz (default: " +
            "imputed.svg in the run folder, imputed.csv of a table)",
        },
      },
      placeholders: { mask: "MASK", out: "FILE" },
    },
  },
  examples: [
    "deno task impute",
    "deno task impute --run runs/mine --mask random:0.7 --iterations 200 --count 1000",
    "deno task impute --run runs/table --dataset holes.csv --out whole.csv",
  ],
};

/** Training rows that chains start from. */
const NEIGHBOURS = 1000;

/** Training rows as the model was given them, [M, D]: none of the first ones, which are imputed, unless there are no others. */
function trainingRows(trained: Trained, { train }: Dataset, imputed: number): Float32Array {
  const known = Math.min(trained.data.count, train.count);
  const from = imputed < known ? imputed : 0;
  return trained.rowsOf(slice(train, from, Math.min(from + NEIGHBOURS, known)));
}

/** The mean of each value over rows, [D]. */
function meanRow(rows: Float32Array, width: number): Float64Array {
  const mean = new Float64Array(width);
  rows.forEach((value, i) => mean[i % width] += value * width / rows.length);
  return mean;
}

async function run({ values }: Parsed<Groups>, context: Context): Promise<void> {
  const { iterations, chains, seed, out } = values.imputing;
  formatOf(out, FORMATS);
  const run = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = run;
  const { shape, scaling } = checkpoint.data;
  const format = formatFor(out, shape, "svg");
  const all = await chosenRows(run, values.data, context, { missing: "mean" });
  const chosen = firstRows(all, values.imputing.count || (isTable(shape) ? Infinity : IMAGES));
  const { rows, dataset, own, split } = chosen;
  const { count } = rows;
  const { name, observed, hidden } = await holesOf(values.imputing.mask, rows, checkpoint.data, seed);
  const file = out || await defaultFile(folder, "imputed", format, chosen);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  const width = trained.features;
  const original = trained.rowsOf(rows, 0, count, seed);
  const neighbours = trainingRows(trained, dataset, own && split === "train" ? count : 0);
  const start = meanRow(neighbours, width);
  // Rows that lack nothing stay as they are; of those that lack everything nothing is known but the mean.
  const lacks = (row: number) => observed.subarray(row * width, (row + 1) * width).includes(0);
  const knows = (row: number) => observed.subarray(row * width, (row + 1) * width).includes(1);
  const places = Array.from({ length: count }, (_, row) => row);
  const needed = places.filter((row) => lacks(row) && knows(row));
  const empty = places.filter((row) => !knows(row));
  using progress = measuringProgress(context);
  const options = {
    iterations,
    chains,
    neighbours,
    start,
    seed,
    ...(rows.labels ? { labels: rowsAt(rows.labels, 1, needed) } : {}),
    ...(rows.covariates ? { covariates: rowsAt(rows.covariates, rows.covariates.length / count, needed) } : {}),
    signal: context.signal,
    onProgress: (done: number) => progress.show({ done }),
  };
  const found: Imputed | undefined = needed.length
    ? await impute(trained, rowsAt(original, width, needed), rowsAt(observed, width, needed), options)
    : undefined;
  progress.clear();
  const imputed = original.slice();
  const deviation = new Float32Array(original.length);
  needed.forEach((row, i) => {
    imputed.set(found!.values.subarray(i * width, (i + 1) * width), row * width);
    deviation.set(found!.deviation.subarray(i * width, (i + 1) * width), row * width);
  });
  for (const row of empty) imputed.set(start, row * width);
  const missing = observed.reduce((sum, value) => sum + (value ? 0 : 1), 0);
  const [known, errors] = [hidden.reduce((sum, value) => sum + value, 0), errorsOf(original, hidden)];
  const [mse, baseline] = [errors((i) => imputed[i]), errors((i) => start[i % width])];
  const what = own ? `${split} rows` : `rows of ${dataset.name}`;
  if (format === "png" || format === "svg") {
    const show = Math.min(values.imputing.show, count);
    const first = (values: Float32Array) => values.subarray(0, show * width);
    const strip = (values: Float32Array) => asPixels(trained, first(values));
    const [black, white] = asPixels(trained, Float32Array.of(0, 1));
    const strips: [name: string, images: Float32Array][] = [
      ["image", strip(original).map((value, i) => rows.missing?.[i] ? 0.5 : value)],
      ["observed", strip(original).map((value, i) => observed[i] ? value : 0.5)],
      ["imputed", strip(imputed)],
      // Of values from 0 to 1 it is ½ at most.
      ...(found?.effectiveDraws
        ? [
          ["deviation x 2", first(deviation).map((value) => 2 * value * (white - black))] satisfies [
            string,
            Float32Array,
          ],
        ]
        : []),
    ];
    const names = strips.map(([name]) => name);
    const images = new Float32Array(strips.length * show * width);
    strips.forEach(([, strip], i) => images.set(strip, i * show * width));
    const words = { name: "imputed", title: `Filled in by ${model.name}: ${what}, mask ${name}`, caption: "" };
    const figure = format === "svg"
      ? labelledGrid(words, imageGrid(images, { ...layout(trained, show), columns: show }), { rows: names })
      : gridFigure(words, imageGrid(images, { shape, columns: show }));
    await writeFileAtomically(file, bytesOf(figure));
    context.print(`${file}: ${show} ${what} in columns; from above: ${names.join(", ")}`);
  } else {
    await writeTable(file, { count, fields: [...rowFields(chosen), valueField(imputed, trained.data)] }, format);
    context.print(`${file}: ${described(chosen)}, ${plural(missing, "missing value")} filled in by ${model.name}`);
  }
  const each = Math.round(missing / count);
  const effective = found?.effectiveDraws && found.effectiveDraws.reduce((sum, n) => sum + n, 0) / needed.length;
  if (known) {
    const of = missing === each * count
      ? `${plural(each, "missing value")} of ${width}`
      : plural(known, "missing value");
    const mean = `the mean ${isTable(shape) ? "row" : "image"}`;
    context.print(
      `mean squared error of ${of}, ${plural(count, "row")}${scaling ? ", standardized" : ""}: ${
        mse.toFixed(5)
      }; ${mean} in their place: ${baseline.toFixed(5)} ` +
        `(${(mse / baseline).toFixed(2)} of it)`,
    );
    if (mse >= baseline) {
      context.print(
        `${mean} is no worse: the model has not learned how what is observed and what is missing go together`,
      );
    }
  }
  if (effective !== undefined) {
    context.print(
      `${plural(iterations, "iteration")} of ${plural(chains, "chain")}: ${
        plural(iterations * chains, "draw")
      } a row, equal to ${effective.toFixed(1)} independent ones; more iterations come nearer`,
    );
  } else if (found) {
    context.print(
      `${model.name} has no Gaussian posterior to weigh completions by: what is missing is its reconstruction`,
    );
  }
  if (empty.length) {
    const [first] = empty;
    context.print(
      `${plural(empty.length, "row")} with nothing observed (the first is row ${
        rows.rowNumbers?.[first] ?? first
      }): imputed as the mean row`,
    );
  }
  for (const line of binarizationOf(trained)) context.print(line);
  context.emit({
    ...{ run: folder, file, dataset: dataset.name, own, mask: name, split, count, iterations, chains, seed },
    ...(effective === undefined ? {} : { effectiveDraws: effective }),
    missing: known && missing === each * count ? each : missing,
    ...(known ? { mse, baseline } : {}),
  });
}

/** Gives the mean squared error of what was hidden though it is known. */
function errorsOf(original: Float32Array, hidden: Uint8Array): (of: (i: number) => number) => number {
  return (of) => {
    let [sum, count] = [0, 0];
    for (let i = 0; i < original.length; i++) {
      if (!hidden[i]) continue;
      sum += (original[i] - of(i)) ** 2;
      count++;
    }
    return sum / count;
  };
}

/** The task. */
export const imputeTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(imputeTask);
