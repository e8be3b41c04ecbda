/**
 * `deno task score`: how probable a trained model finds each datum, the outliers first.
 *
 * @module
 */

import { writeFileAtomically, writeText } from "../storage/write.ts";
import type { Dataset, Split } from "../core/dataset.ts";
import { caveats, findings } from "../core/training/caveats.ts";
import { Trained } from "../core/training/trained.ts";
import { settled } from "../core/values.ts";
import { type Scores, scores } from "../evaluation/scores.ts";
import { encodePng, imageGrid } from "../figures/grid.ts";
import { COLUMNS } from "../figures/images.ts";
import { scoreHistogram } from "../figures/scores.ts";
import { type FlagGroup, type Flags, type Parsed, UsageError } from "./cli/flags.ts";
import { measuringProgress } from "./cli/measuring.ts";
import { drawAll, writeFigure } from "./cli/pictures.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { type RunChoice, runChoice, seedFlag, splitFlag, type SplitName } from "./cli/run_flags.ts";
import { chosenRun, datasetOf, join, namedDataset, type Run, sayData, splitOf } from "./cli/run_folder.ts";

interface Scoring {
  readonly dataset: string;
  readonly split: SplitName;
  readonly samples: number;
  readonly seed: number;
  readonly show: number;
  readonly out: string;
}

type Groups = { readonly run: FlagGroup<RunChoice>; readonly scoring: FlagGroup<Scoring> };

const KINDS = {
  exact: "log p(x)",
  estimate: "an estimate of log p(x)",
  reconstruction: "-nll, the model has no density",
} as const satisfies Record<Scores["kind"], string>;

const flags: Flags<Groups> = {
  name: "score",
  summary: "Scores each datum by how probable the model finds it, nats, and sorts them: outliers first. " +
    "An autoencoder has no density and scores by reconstruction.",
  groups: {
    run: runChoice,
    scoring: {
      title: "Scoring",
      settings: {
        dataset: {
          type: "string",
          default: "",
          help: "other data of the same shape: a name from `deno task datasets`, or a path (default: the run's own)",
        },
        split: splitFlag,
        samples: {
          type: "integer",
          default: 100,
          minimum: 1,
          maximum: 100_000,
          help: "draws of z for each datum: importance-weighted; with 1 it estimates the ELBO",
        },
        seed: seedFlag("of the draws"),
        show: {
          type: "integer",
          default: 50,
          minimum: 1,
          maximum: 10_000,
          help: "images of the worst, and of the best",
        },
        out: {
          type: "string",
          default: "",
          help: "the CSV; a PNG and a histogram as SVG beside it (default: scores.csv in the run folder)",
        },
      },
      placeholders: { dataset: "NAME", out: "FILE" },
    },
  },
  examples: ["deno task score", "deno task score --run runs/mine --dataset fashion_mnist --samples 1 --out other.csv"],
};

/** The rows asked for, of the run's own data or of others. */
async function rowsOf(chosen: Run, { dataset, split }: Scoring, context: Context): Promise<Split> {
  const { signal } = context;
  const { data } = chosen.checkpoint;
  if (!dataset) {
    const own = await datasetOf(chosen, signal);
    sayData(context, own, chosen.checkpoint);
    return splitOf(own, chosen.checkpoint, split);
  }
  if (split === "validation") throw new UsageError("--split validation: expected test or train of another dataset");
  const source = namedDataset(dataset);
  const other: Dataset = settled(await source.load({ settings: source.settingsFor?.(data.shape), signal }));
  if (other.shape.join() !== data.shape.join()) {
    throw new Error(
      `Cannot score "${dataset}" with ${chosen.folder}: expected data of [${data.shape}], found [${other.shape}]`,
    );
  }
  sayData(context, other);
  return other[split];
}

/** The rows of the worst scores, a line of places left empty, and the rows of the best. */
function picture(trained: Trained, rows: Split, { order }: Scores, show: number): Uint8Array {
  const shown = Math.min(show, order.length);
  const size = trained.features;
  const lines = Math.ceil(shown / COLUMNS);
  const images = new Float32Array((2 * lines + 1) * COLUMNS * size).fill(0xdd / 255);
  const put = (row: number, place: number) => images.set(trained.rowsOf(rows, row, 1), place * size);
  order.slice(0, shown).forEach((row, i) => put(row, i));
  order.toReversed().slice(0, shown).forEach((row, i) => put(row, (lines + 1) * COLUMNS + i));
  return encodePng(imageGrid(images, { shape: trained.data.shape, columns: COLUMNS }));
}

async function run({ values }: Parsed<Groups>, context: Context): Promise<void> {
  const { out, samples, seed, show, split, dataset } = values.scoring;
  if (out && !out.endsWith(".csv")) throw new UsageError(`--out: expected a file that ends with .csv, found "${out}"`);
  const chosen = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = chosen;
  const file = out || join(folder, "scores.csv");
  const png = file.replace(/\.csv$/, ".png");
  const rows = await rowsOf(chosen, values.scoring, context);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  using progress = measuringProgress(context);
  const found = await scores(trained, rows, { samples, seed, signal: context.signal, onProgress: progress.show });
  progress.clear();
  const lines = found.order.map((row) =>
    [row, ...(rows.labels ? [rows.labels[row]] : []), found.values[row]].join(",")
  );
  const head = ["row", ...(rows.labels ? ["label"] : []), "score"].join(",");
  await writeText(file, [head, ...lines].join("\n") + "\n");
  const svg = file.replace(/\.csv$/, ".svg");
  const { figures, notes } = await drawAll([() => scoreHistogram(found.values, found.kind)], context.signal);
  for (const figure of figures) await writeFigure(svg, figure);
  // A table of numbers is no picture.
  const drawable = trained.data.shape[0] > 1;
  if (drawable) await writeFileAtomically(png, picture(trained, rows, found, show));
  const mean = found.values.reduce((sum, value) => sum + value, 0) / rows.count;
  const [worst, best] = [found.order[0], found.order.at(-1)!];
  context.print(
    `${file}: ${rows.count} rows of ${dataset || checkpoint.data.name}, ${split}, the least probable first`,
  );
  if (drawable) context.print(`${png}: the ${Math.min(show, rows.count)} least probable, under them the most probable`);
  context.print(
    `score: ${KINDS[found.kind]}, nats; mean ${mean.toFixed(3)}, worst ${
      found.values[worst].toFixed(3)
    } (row ${worst}), ` +
      `best ${found.values[best].toFixed(3)} (row ${best})`,
  );
  if (figures.length) context.print(`${svg}: how they are spread`);
  const remarks = [...caveats(model, trained.config, checkpoint.training.binarize), ...await findings(trained)];
  for (const note of [...notes, ...remarks]) context.print(note);
  context.emit({
    run: folder,
    file,
    ...(drawable ? { picture: png } : {}),
    ...(figures.length ? { histogram: svg } : {}),
    dataset: dataset || checkpoint.data.name,
    split,
    count: rows.count,
    samples: found.samples,
    kind: found.kind,
    seed,
    mean,
    worst: { row: worst, score: found.values[worst] },
    best: { row: best, score: found.values[best] },
    remarks: notes,
  });
}

/** The task. */
export const scoreTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(scoreTask);
