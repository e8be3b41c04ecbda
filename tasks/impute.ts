/**
 * `deno task impute`: fills in what is missing of images and tables.
 *
 * @module
 */

import { TABLES, writeTable } from "../storage/table_file.ts";
import { writeFileAtomically } from "../storage/write.ts";
import { type Dataset, slice } from "../core/dataset.ts";
import { Trained } from "../core/training/trained.ts";
import { impute } from "../evaluation/impute.ts";
import { encodePng, imageGrid } from "../figures/grid.ts";
import type { FlagGroup, Flags, Parsed } from "./cli/flags.ts";
import { holesOf, MASK_HELP } from "./cli/holes.ts";
import { measuringProgress } from "./cli/measuring.ts";
import { pixels } from "../core/training/caveats.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { defaultFile, formatFor, formatOf, isTable, rowFields, valueField } from "./cli/outputs.ts";
import { chosenRows, type DataFlags, dataFlags, firstRows } from "./cli/run_data.ts";
import { type RunChoice, runChoice, seedFlag } from "./cli/run_flags.ts";
import { chosenRun } from "./cli/run_folder.ts";

interface Imputing {
  readonly mask: string;
  readonly count: number;
  readonly iterations: number;
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
const FORMATS = ["png", ...TABLES] as const;

/** Images that are imputed, where nothing is said of how many. */
const IMAGES = 256;

const flags: Flags<Groups> = {
  name: "impute",
  summary:
    "Fills in what is missing of rows, or hides a part of each image and fills it in from the rest: encoding and decoding in turn, what " +
    "is observed held fast.",
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
          help: "rounds of encoding and decoding",
        },
        seed: seedFlag("of the draws, and of random:P"),
        show: { type: "integer", default: 10, minimum: 1, maximum: 1000, help: "images in the picture" },
        out: {
          type: "string",
          default: "",
          help:
            "the .png to write, or of numbers .csv, .parquet, .npy or .npz (default: imputed.png in the run folder, imputed.csv " +
            "of a table)",
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

/** The mean of each value over rows, 1,000 at most, [D]. */
function meanRow(trained: Trained, dataset: Dataset): Float64Array {
  const rows = trained.rowsOf(slice(dataset.train, 0, Math.min(1000, trained.data.count)));
  const width = trained.features;
  const mean = new Float64Array(width);
  rows.forEach((value, i) => mean[i % width] += value * width / rows.length);
  return mean;
}

async function run({ values }: Parsed<Groups>, context: Context): Promise<void> {
  const { iterations, seed, out } = values.imputing;
  formatOf(out, FORMATS);
  const run = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = run;
  const { shape } = checkpoint.data;
  const format = formatFor(out, shape);
  const all = await chosenRows(run, values.data, context, { missing: "mean" });
  const chosen = firstRows(all, values.imputing.count || (isTable(shape) ? Infinity : IMAGES));
  const { rows, dataset, own, split } = chosen;
  const { count } = rows;
  const { name, observed, hidden } = await holesOf(values.imputing.mask, rows, checkpoint.data, seed);
  const file = out || await defaultFile(folder, "imputed", format, chosen);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  const width = trained.features;
  const original = trained.rowsOf(rows, 0, count, seed);
  const start = meanRow(trained, dataset);
  // Rows that lack nothing stay as they are; of those that lack everything nothing is known but the mean.
  const lacks = (row: number) => observed.subarray(row * width, (row + 1) * width).includes(0);
  const knows = (row: number) => observed.subarray(row * width, (row + 1) * width).includes(1);
  const places = Array.from({ length: count }, (_, row) => row);
  const needed = places.filter((row) => lacks(row) && knows(row));
  const empty = places.filter((row) => !knows(row));
  using progress = measuringProgress(context);
  const found = await impute(trained, rowsAt(original, needed, width), rowsAt(observed, needed, width), {
    iterations,
    start,
    seed,
    ...(rows.labels ? { labels: rowsAt(rows.labels, needed, 1) } : {}),
    ...(rows.covariates ? { covariates: rowsAt(rows.covariates, needed, rows.covariates.length / count) } : {}),
    signal: context.signal,
    onProgress: (done) => progress.show({ done }),
  });
  progress.clear();
  const imputed = original.slice();
  needed.forEach((row, i) => imputed.set(found.subarray(i * width, (i + 1) * width), row * width));
  for (const row of empty) imputed.set(start, row * width);
  const missing = observed.reduce((sum, value) => sum + (value ? 0 : 1), 0);
  const [known, errors] = [hidden.reduce((sum, value) => sum + value, 0), errorsOf(original, hidden)];
  const [mse, baseline] = [errors((i) => imputed[i]), errors((i) => start[i % width])];
  const what = own ? `${split} rows` : `rows of ${dataset.name}`;
  if (format === "png") {
    const show = Math.min(values.imputing.show, count);
    const part = original.subarray(0, show * width);
    const images = Float32Array.of(
      ...part.map((value, i) => rows.missing?.[i] ? 0.5 : value),
      ...part.map((value, i) => observed[i] ? value : 0.5),
      ...imputed.subarray(0, show * width),
    );
    await writeFileAtomically(file, encodePng(imageGrid(images, { shape, columns: show })));
    context.print(`${file}: ${show} ${what}, under them what was observed, under that what ${model.name} makes of it`);
  } else {
    await writeTable(file, { count, fields: [...rowFields(chosen), valueField(imputed, trained.data)] }, format);
    context.print(`${file}: ${count} ${what} (${split}), ${missing} missing values filled in by ${model.name}`);
  }
  const each = Math.round(missing / count);
  if (known) {
    context.print(
      `mean squared error of ${
        missing === each * count ? `${each} missing values of ${width}` : `${known} missing values`
      }, ` +
        `${count} rows, ${iterations} iterations: ${mse.toFixed(5)}; the mean ${
          isTable(shape) ? "row" : "image"
        } in their place: ` +
        baseline.toFixed(5),
    );
  }
  if (empty.length) {
    const [first] = empty;
    context.print(
      `${empty.length} rows have nothing observed (the first is row ${
        rows.rowNumbers?.[first] ?? first
      }): they are the mean row`,
    );
  }
  context.print(pixels(checkpoint.training.binarize, model.support?.(trained.config)));
  context.emit({
    ...{ run: folder, file, dataset: dataset.name, own, mask: name, split, count, iterations, seed },
    missing: known && missing === each * count ? each : missing,
    ...(known ? { mse, baseline } : {}),
  });
}

/** Some rows of many, [rows, width]. */
function rowsAt<A extends Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(
  all: A,
  rows: readonly number[],
  width: number,
): A {
  const out = new (all.constructor as { new (length: number): A })(rows.length * width);
  rows.forEach((row, i) => out.set(all.subarray(row * width, (row + 1) * width), i * width));
  return out;
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
