/**
 * `deno task encode`: writes the latents of a split.
 *
 * @module
 */

import { writeFileAtomically } from "../storage/write.ts";
import { Trained } from "../core/training/trained.ts";
import { encodeNpy, encodeNpz } from "../datasets/npy.ts";
import { type FlagGroup, type Flags, type Parsed, UsageError } from "./cli/flags.ts";
import { pixels } from "../core/training/caveats.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { type RunChoice, runChoice, seedFlag, splitFlag, type SplitName } from "./cli/run_flags.ts";
import { chosenRun, datasetOf, join, sayData, splitOf } from "./cli/run_folder.ts";

interface Encoding {
  readonly split: SplitName;
  readonly out: string;
  readonly seed: number;
}

type Groups = { readonly run: FlagGroup<RunChoice>; readonly encoding: FlagGroup<Encoding> };

const flags: Flags<Groups> = {
  name: "encode",
  summary:
    "Writes q(z | x) of every row of a split: means and variances of the latents, and labels where there are any.",
  groups: {
    run: runChoice,
    encoding: {
      title: "Encoding",
      settings: {
        split: splitFlag,
        out: {
          type: "string",
          default: "",
          help: "file.npz (mean, variance, labels), .csv (the same in columns), or .npy (means alone); " +
            "default: latents.npz in the run folder",
        },
        seed: seedFlag("of pixels that are drawn"),
      },
      placeholders: { out: "FILE" },
    },
  },
  examples: ["deno task encode", "deno task encode --run runs/mine --split train --out latents.csv"],
};

/** The latents as text: a row for each datum. */
function csv(mean: Float32Array, variance: Float32Array, labels: Uint8Array | undefined, latents: number): string {
  const numbered = (name: string) => Array.from({ length: latents }, (_, k) => `${name}_${k}`);
  const lines = [[...numbered("mean"), ...numbered("variance"), ...(labels ? ["label"] : [])].join(",")];
  for (let row = 0; row * latents < mean.length; row++) {
    const part = (values: Float32Array) => values.subarray(row * latents, (row + 1) * latents);
    lines.push([...part(mean), ...part(variance), ...(labels ? [labels[row]] : [])].join(","));
  }
  return lines.join("\n") + "\n";
}

async function run({ values }: Parsed<Groups>, context: Context): Promise<void> {
  const { split, out, seed } = values.encoding;
  const extension = /\.(npy|npz|csv)$/.exec(out || ".npz")?.[1];
  if (!extension) throw new UsageError(`--out: expected a file that ends with .npy, .npz or .csv, found "${out}"`);
  const chosen = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = chosen;
  const file = out || join(folder, "latents.npz");
  const dataset = await datasetOf(chosen, context.signal);
  sayData(context, dataset, checkpoint);
  const rows = splitOf(dataset, checkpoint, split);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  const { labels, count } = rows;
  const { mean, logVariance } = await trained.encode(trained.rowsOf(rows, 0, count, seed), rows);
  const shape = [count, mean.length / count];
  const variance = logVariance.map(Math.exp);
  const bytes = {
    npy: () => encodeNpy({ shape, values: mean }),
    npz: () =>
      encodeNpz({
        mean: { shape, values: mean },
        variance: { shape, values: variance },
        ...(labels ? { labels: { shape: [count], values: labels } } : {}),
      }),
    csv: () => new TextEncoder().encode(csv(mean, variance, labels, shape[1])),
  }[extension as "npy" | "npz" | "csv"]();
  await writeFileAtomically(file, bytes);
  context.print(`${file}: ${count} ${split} rows, ${shape[1]} latents each, encoded by ${model.name}`);
  context.print(pixels(checkpoint.training.binarize, model.support?.(trained.config)));
  context.emit({ run: folder, file, split, count, latents: shape[1], labels: labels !== undefined, seed });
}

/** The task. */
export const encodeTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(encodeTask);
