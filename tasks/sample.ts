/**
 * `deno task sample`: draws images from a trained model.
 *
 * @module
 */

import { DRAWS, QUANTILES } from "../core/training/sampling.ts";
import { Trained } from "../core/training/trained.ts";
import { type Field, TABLES, writeTable } from "../storage/table_file.ts";
import { COLUMNS, samples } from "../figures/images.ts";
import { type FlagGroup, type Flags, type Parsed, UsageError } from "./cli/flags.ts";
import { formatFor, formatOf, isPicture, labelField, valueField } from "./cli/outputs.ts";
import { writeFigure } from "./cli/pictures.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { labelOf, type RunChoice, runChoice, seedFlag } from "./cli/run_flags.ts";
import { chosenPrior, type PriorFlags, priorFlags } from "./cli/latent_prior.ts";
import { datasetFlag, runData } from "./cli/run_data.ts";
import { chosenRun, FILES, join } from "./cli/run_folder.ts";

interface Drawing {
  readonly count: number;
  readonly out: string;
  readonly temperature: number;
  readonly draw: typeof DRAWS[number];
  readonly label: string;
  readonly covariates: readonly number[];
  readonly seed: number;
  readonly columns: number;
  readonly hold: number;
  readonly dataset: string;
}

/** A picture, or the samples as numbers. */
const FORMATS = ["png", "svg", ...TABLES] as const;

type Groups = {
  readonly run: FlagGroup<RunChoice>;
  readonly drawing: FlagGroup<Drawing>;
  readonly prior: FlagGroup<PriorFlags>;
};

const flags: Flags<Groups> = {
  name: "sample",
  summary: "Draws images from a trained model: z from the prior, then the decoder.",
  groups: {
    run: runChoice,
    drawing: {
      title: "Drawing",
      settings: {
        count: { type: "integer", default: COLUMNS * COLUMNS, minimum: 1, maximum: 100_000, help: "how many images" },
        out: {
          type: "string",
          default: "",
          help:
            `the picture to write, .png or with words around it .svg; or of numbers .csv, .parquet, .npy or .npz (default: ${FILES.samples} in the run folder, ` +
            "samples.csv of a table)",
        },
        temperature: {
          type: "number",
          default: 1,
          minimum: 0,
          help: "standard deviation of the latents; 1 is the prior",
        },
        draw: {
          type: "choice",
          default: "mean",
          choices: DRAWS,
          help: "the mean of p(x | z), a draw from it, or μ - 2σ, μ - σ, μ, μ + σ, μ + 2σ in five columns (gaussian)",
        },
        label: {
          type: "string",
          default: "",
          help:
            "the class, by name or number, to draw from a conditional model (default: every class in turn, one a column)",
        },
        covariates: {
          type: "numbers",
          default: [],
          help: "what to condition on, a number for each covariate; none: those of the first test rows",
        },
        seed: seedFlag("another one draws other images"),
        columns: {
          type: "integer",
          default: COLUMNS,
          minimum: 1,
          maximum: 1000,
          help: "images in a row (quantiles: 5)",
        },
        hold: {
          type: "integer",
          default: 0,
          minimum: 0,
          help:
            "the images of a row share the levels of latents from this one up, 2 being the second from the data; 0: none",
        },
        dataset: {
          ...datasetFlag,
          help: "the data whose first test rows have those covariates, or where the run's are now (default: the run's)",
        },
      },
      placeholders: { label: "CLASS", out: "FILE", dataset: "NAME" },
    },
    prior: priorFlags,
  },
  examples: [
    "deno task sample",
    "deno task sample --run runs/a-cvae --label 7 --count 20",
    "deno task sample --run runs/sprites --covariates 1,0.75,0,0.5,0.5",
    "deno task sample --run runs/an-ae --prior gmm",
    "deno task sample --run runs/a-ladder --hold 2",
    "deno task sample --run runs/mine --count 400 --columns 20 --temperature 0.7 --out cool.png",
  ],
};

async function run({ values, given: flagsGiven }: Parsed<Groups>, context: Context): Promise<void> {
  const { out, label, covariates: given, dataset, ...told } = values.drawing;
  formatOf(out, FORMATS);
  const chosen = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = chosen;
  const format = formatFor(out, checkpoint.data.shape);
  const drawing = told.draw === "quantiles" ? { ...told, columns: QUANTILES.length } : told;
  const kind = model.condition?.(checkpoint.config);
  if (label && kind !== "one-hot" && kind !== "raw") {
    const told = kind ? `, told ${kind}` : "";
    throw new UsageError(
      `--label: expected a model that is told labels, such as cvae; ${folder} holds a ${model.name}${told}`,
    );
  }
  const labels: { readonly labels?: readonly number[] } = label ? { labels: [labelOf(label, checkpoint.data)] } : {};
  const names = kind === "covariates" ? checkpoint.data.covariates ?? [] : [];
  if (given.length && given.length !== names.length) {
    const expected = names.length
      ? `${names.length} numbers (${names.join(", ")})`
      : "a model conditioned on covariates";
    throw new UsageError(`--covariates: expected ${expected}, found ${given.length}`);
  }
  const covariates = names.length && !given.length
    ? (await runData(chosen, dataset, context)).dataset.test.covariates
    : given;
  const file = out || join(folder, `samples.${format}`);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  if (values.prior.prior !== "own" && drawing.temperature !== 1) {
    throw new UsageError(`--temperature: expected 1 with --prior ${values.prior.prior}, found ${drawing.temperature}`);
  }
  using prior = await chosenPrior(chosen, trained, values.prior, flagsGiven, dataset, context);
  const held = drawing.hold ? { held: { from: drawing.hold, rows: drawing.columns } } : {};
  const options = { ...drawing, covariates, ...labels, prior, ...held };
  if (isPicture(format)) await writeFigure(file, await samples(trained, { ...options, framed: format === "svg" }));
  else {
    const values = await trained.sample(options);
    const count = values.length / trained.features;
    const fields = [...ofDatum(options, classesOf(trained, count, labels.labels)), valueField(values, trained.data)];
    await writeTable(file, { count, fields }, format);
  }
  context.print(
    `${file}: ${drawing.count} ${isPicture(format) ? "images" : "rows"} drawn from ${model.name}${
      prior ? `, z from ${prior.name}` : ""
    }`,
  );
  if (!trained.hasPrior && !prior) {
    context.print(
      `${model.name} has no prior: what was decoded is N(0, I), and these are no samples of a distribution; ` +
        "--prior gmm fits one to its encodings",
    );
  }
  context.emit({
    run: folder,
    file,
    ...drawing,
    ...(prior ? { prior: values.prior.prior } : {}),
    ...(label ? { label } : {}),
    ...(given.length ? { covariates: given } : {}),
  });
}

/** The class that each row was drawn for, of a model that is conditioned on classes: the one asked for, or all in turn. */
function classesOf({ model, config, data }: Trained, count: number, asked: readonly number[] | undefined): Field[] {
  const kind = model.condition?.(config);
  if (!kind || kind === "covariates" || !data.classes) return [];
  const inTurn = asked ?? Array.from({ length: data.classes }, (_, label) => label);
  return [labelField(Array.from({ length: count }, (_, i) => inTurn[i % inTurn.length]), data)];
}

/** What each row is of: the class that it was drawn for, or of five quantiles the datum. */
function ofDatum({ draw, count }: Pick<Drawing, "draw" | "count">, labels: readonly Field[]): readonly Field[] {
  if (draw !== "quantiles") return labels;
  const rows = count * QUANTILES.length;
  return [
    { name: "datum", values: Uint32Array.from({ length: rows }, (_, i) => Math.floor(i / QUANTILES.length)) },
    { name: "deviations", values: Float32Array.from({ length: rows }, (_, i) => QUANTILES[i % QUANTILES.length]) },
  ];
}

/** The task. */
export const sampleTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(sampleTask);
