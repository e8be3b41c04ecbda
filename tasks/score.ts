/**
 * `deno task score`: how probable a trained model finds each datum, the outliers first.
 *
 * @module
 */

import { plural } from "../core/plural.ts";
import { type Table, TABLES, writeTable } from "../storage/table_file.ts";
import { caveats, findings } from "../core/training/caveats.ts";
import { isTable } from "../core/description.ts";
import type { Ranks } from "../core/graph/ranks.ts";
import { Trained } from "../core/training/trained.ts";
import { type Scores, scores } from "../evaluation/scores.ts";
import type { Figure } from "../figures/figure.ts";
import { imageGrid } from "../figures/grid.ts";
import { asPixels, COLUMNS, layout } from "../figures/images.ts";
import { labelledGrid } from "../figures/labelled_grid.ts";
import { scoreHistogram } from "../figures/scores.ts";
import type { FlagGroup, Flags, Parsed } from "./cli/flags.ts";
import { measuringProgress } from "./cli/measuring.ts";
import { defaultFile, described, formatOf, rowFields, withExtension } from "./cli/outputs.ts";
import { drawAll, writeFigure } from "./cli/pictures.ts";
import { parallelFlags, type ParallelSettings, requireOwn, together } from "./cli/parallel.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { type ChosenRows, chosenRows, type DataFlags, dataFlags } from "./cli/run_data.ts";
import { type RunChoice, runChoice, seedFlag } from "./cli/run_flags.ts";
import { chosenRun } from "./cli/run_folder.ts";

interface Scoring {
  readonly samples: number;
  readonly seed: number;
  readonly show: number;
  readonly order: "auto" | "file" | "score";
  readonly out: string;
}

type Groups = {
  readonly run: FlagGroup<RunChoice>;
  readonly data: FlagGroup<DataFlags>;
  readonly parallel: FlagGroup<ParallelSettings>;
  readonly scoring: FlagGroup<Scoring>;
};

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
    data: dataFlags,
    parallel: parallelFlags,
    scoring: {
      title: "Scoring",
      settings: {
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
        order: {
          type: "choice",
          default: "auto",
          choices: ["auto", "file", "score"],
          help: "of the table: as in the file, with a rank, or the least probable first; auto: file for new data",
        },
        out: {
          type: "string",
          default: "",
          help:
            "the table, as .csv, .parquet, .npy or .npz; pictures and a histogram beside it, as scores-images.svg and scores.svg " +
            "(default: scores.csv in the run folder, of other data scores-DATA.csv)",
        },
      },
      placeholders: { out: "FILE" },
    },
  },
  examples: ["deno task score", "deno task score --run runs/mine --dataset fashion_mnist --samples 1 --out other.csv"],
};

/** The rows of the worst scores, a line of places left empty, and the rows of the best, with words that say which is which. */
function picture(trained: Trained, chosen: ChosenRows, { order }: Scores, show: number): Figure {
  const { rows, split, dataset, own } = chosen;
  const shown = Math.min(show, order.length);
  const size = trained.features;
  const lines = Math.ceil(shown / COLUMNS);
  const images = new Float32Array((2 * lines + 1) * COLUMNS * size).fill(0xdd / 255);
  const put = (row: number, place: number) => images.set(asPixels(trained, trained.rowsOf(rows, row, 1)), place * size);
  order.slice(0, shown).forEach((row, i) => put(row, i));
  order.toReversed().slice(0, shown).forEach((row, i) => put(row, (lines + 1) * COLUMNS + i));
  const names = ["least probable", "most probable"].map((name) =>
    Array.from({ length: lines }, (_, i) => i === Math.floor((lines - 1) / 2) ? name : "")
  );
  return labelledGrid(
    {
      name: "scores",
      title: `The ${plural(shown, "row")} that ${trained.model.name} finds least and most probable, ${
        own ? `${split} rows` : dataset.name.replace(/.*\//, "")
      }`,
      caption: "From the left the least probable of the first half, and the most probable of the second.",
    },
    imageGrid(images, layout(trained, COLUMNS)),
    { rows: [...names[0], "", ...names[1]] },
  );
}

async function run({ values }: Parsed<Groups>, context: Context, ranks: Ranks | undefined): Promise<void> {
  const { out, samples, seed, show } = values.scoring;
  const format = formatOf(out, TABLES);
  const run = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = run;
  const chosen = await chosenRows(run, values.data, context);
  const { rows, split, own, dataset } = chosen;
  const file = out || await defaultFile(folder, "scores", format, chosen);
  const pictured = withExtension(file, "svg").replace(/\.svg$/, "-images.svg");
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  if (ranks) await requireOwn(ranks, trained.gpu, values.parallel);
  using progress = measuringProgress(context);
  const { signal } = context;
  const found = await scores(trained, rows, { samples, seed, signal, ranks, onProgress: progress.show });
  progress.clear();
  if (ranks?.rank) return;
  const order = values.scoring.order === "auto" ? own ? "score" : "file" : values.scoring.order;
  await writeTable(file, tableOf(chosen, found, order), format);
  const svg = withExtension(file, "svg");
  const { figures, notes } = await drawAll([() => scoreHistogram(found.values, found.kind)], context.signal);
  for (const figure of figures) await writeFigure(svg, figure);
  // A table of numbers is no picture.
  const drawable = !isTable(trained.data.shape);
  if (drawable) await writeFigure(pictured, picture(trained, chosen, found, show));
  const mean = found.values.reduce((sum, value) => sum + value, 0) / rows.count;
  const [worst, best] = [found.order[0], found.order.at(-1)!].map((i) => ({
    row: rows.rowNumbers?.[i] ?? i,
    score: found.values[i],
  }));
  const sorted = order === "file" ? "in the order of the file" : "the least probable first";
  context.print(`${file}: ${described(chosen)}, ${sorted}`);
  if (drawable) {
    context.print(`${pictured}: the ${Math.min(show, rows.count)} least probable, under them the most probable`);
  }
  context.print(
    `score: ${KINDS[found.kind]}, nats; mean ${mean.toFixed(3)}, worst ${worst.score.toFixed(3)} (row ${worst.row}), ` +
      `best ${best.score.toFixed(3)} (row ${best.row})`,
  );
  if (figures.length) context.print(`${svg}: how they are spread`);
  const remarks = [
    ...caveats(model, trained.config, checkpoint.training.binarize, trained.data),
    ...await findings(trained),
  ];
  for (const note of [...notes, ...remarks]) context.print(note);
  context.emit({
    run: folder,
    file,
    ...(drawable ? { picture: pictured } : {}),
    ...(figures.length ? { histogram: svg } : {}),
    dataset: dataset.name,
    own,
    split,
    count: rows.count,
    samples: found.samples,
    kind: found.kind,
    seed,
    mean,
    worst,
    best,
    remarks: notes,
  });
}

/** What is known of each row, and its score; in the order of the file also its rank, 1 for the least probable. */
function tableOf(chosen: ChosenRows, found: Scores, order: "file" | "score"): Table {
  const { rows: { count, rowNumbers } } = chosen;
  const numbered = Array.from({ length: count }, (_, i) => i).sort((a, b) =>
    rowNumbers ? rowNumbers[a] - rowNumbers[b] : a - b
  );
  const places = order === "score"
    ? found.order
    : chosen.splits
    ? Array.from({ length: count }, (_, i) => i)
    : numbered;
  const ranks = new Uint32Array(count);
  found.order.forEach((row, rank) => ranks[row] = rank + 1);
  const fields = [
    ...rowFields(chosen, places),
    { name: "score", values: Float64Array.from(places, (row) => found.values[row]) },
    ...(order === "file" ? [{ name: "rank", values: Uint32Array.from(places, (row) => ranks[row]) }] : []),
  ];
  return { count, fields };
}

/** The task. */
export const scoreTask: Task<Groups> = {
  flags,
  run: (parsed, context) => together(parsed.values.parallel, context, (context, ranks) => run(parsed, context, ranks)),
};

if (import.meta.main) await main(scoreTask);
