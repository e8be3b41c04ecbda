/**
 * `deno task encode`: writes the latents of a split.
 *
 * @module
 */

import { slice, type Split } from "../core/dataset.ts";
import { plural } from "../core/plural.ts";
import { TABLES, writeTable } from "../storage/table_file.ts";
import { latentName, marginals } from "../core/distributions/encoded.ts";
import { encodedParts } from "../evaluation/encodings.ts";
import type { Ranks } from "../core/graph/ranks.ts";
import { Trained } from "../core/training/trained.ts";
import type { FlagGroup, Flags, Parsed } from "./cli/flags.ts";
import { binarizationOf } from "../core/training/caveats.ts";
import { parallelFlags, type ParallelSettings, requireOwn, together } from "./cli/parallel.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { defaultFile, described, formatOf, rowFields } from "./cli/outputs.ts";
import { chosenRows, type DataFlags, dataFlags } from "./cli/run_data.ts";
import { type RunChoice, runChoice, seedFlag } from "./cli/run_flags.ts";
import { chosenRun } from "./cli/run_folder.ts";

interface Encoding {
  readonly out: string;
  readonly seed: number;
}

type Groups = {
  readonly run: FlagGroup<RunChoice>;
  readonly data: FlagGroup<DataFlags>;
  readonly parallel: FlagGroup<ParallelSettings>;
  readonly encoding: FlagGroup<Encoding>;
};

/** The formats, that of the default first. */
const FORMATS = ["npz", ...TABLES.filter((format) => format !== "npz")] as const;

const flags: Flags<Groups> = {
  name: "encode",
  summary:
    "Writes q(z | x) of every row: means and variances of the latents, the row's number in the file, and its label and name where there are any.",
  groups: {
    run: runChoice,
    data: dataFlags,
    parallel: parallelFlags,
    encoding: {
      title: "Encoding",
      settings: {
        out: {
          type: "string",
          default: "",
          help:
            "file.npz (mean, variance, row, label), .csv or .parquet (the same as z1_mean, ..., z1_variance, ...), or .npy (means alone); " +
            "default: latents.npz in the run folder, of other data latents-DATA.npz",
        },
        seed: seedFlag("of pixels that are drawn"),
      },
      placeholders: { out: "FILE" },
    },
  },
  examples: [
    "deno task encode",
    "deno task encode --run runs/mine --split all --out latents.csv",
    "deno task encode --run runs/mine --dataset new.csv --out new-latents.parquet",
  ],
};

async function run({ values }: Parsed<Groups>, context: Context, ranks: Ranks | undefined): Promise<void> {
  const { out, seed } = values.encoding;
  const format = formatOf(out, FORMATS);
  const run = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = run;
  const chosen = await chosenRows(run, values.data, context);
  const { rows, split, own, dataset } = chosen;
  const { labels, count } = rows;
  const file = out || await defaultFile(folder, "latents", format, chosen);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  if (ranks) await requireOwn(ranks, trained.gpu, values.parallel);
  const { mean, logVariance, latents } = await encodings(trained, rows, { seed, signal: context.signal, ranks });
  if (ranks?.rank) return;
  const numbered = (name: string) => Array.from({ length: latents }, (_, k) => `${latentName(k)}_${name}`);
  const fields = [
    // NumPy's arrays by names of more than one.
    ...rowFields(chosen).map((field) =>
      format === "npz" && field.name === "label" ? { ...field, name: "labels" } : field
    ),
    { name: "mean", values: mean, columns: numbered("mean"), matrix: true },
    { name: "variance", values: logVariance.map(Math.exp), columns: numbered("variance") },
  ];
  await writeTable(file, { count, fields }, format);
  context.print(`${file}: ${described(chosen)}, ${plural(latents, "latent")} each, encoded by ${model.name}`);
  for (const line of binarizationOf(trained)) context.print(line);
  const data = { dataset: dataset.name, own, split };
  context.emit({ run: folder, file, ...data, count, latents, labels: labels !== undefined, seed });
}

/** Means and log-variances of all rows, [N, K] each. */
async function encodings(trained: Trained, rows: Split, options: Parameters<typeof encodedParts>[3]) {
  const { latents } = trained;
  const mean = new Float32Array(rows.count * latents);
  const logVariance = new Float32Array(rows.count * latents);
  const part = (from: number, to: number) => slice(rows, from, to);
  for await (const { from, encoded } of encodedParts(trained, rows.count, part, options)) {
    const found = marginals(encoded);
    mean.set(found.mean, from * latents);
    logVariance.set(found.logVariance, from * latents);
  }
  await options.ranks?.sum(mean);
  await options.ranks?.sum(logVariance);
  return { mean, logVariance, latents };
}

/** The task. */
export const encodeTask: Task<Groups> = {
  flags,
  run: (parsed, context) => together(parsed.values.parallel, context, (context, ranks) => run(parsed, context, ranks)),
};

if (import.meta.main) await main(encodeTask);
