/**
 * `deno task export`: writes a trained model for elsewhere.
 *
 * @module
 */

import { Trained } from "../core/training/trained.ts";
import { graphsOf } from "../exchange/graphs.ts";
import type { ExportedFile } from "../exchange/file.ts";
import { readIfThere } from "../storage/read.ts";
import { onnxFiles } from "../exchange/onnx.ts";
import { bundleFiles } from "../exchange/bundle.ts";
import { hubFiles } from "../exchange/hub.ts";
import { torchFiles } from "../exchange/torch.ts";
import { writeFileAtomically } from "../storage/write.ts";
import { type FlagGroup, type Flags, type Parsed, UsageError } from "./cli/flags.ts";
import { quoted } from "./cli/quoted.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { type RunChoice, runChoice } from "./cli/run_flags.ts";
import { chosenRun, FILES, join, type Run } from "./cli/run_folder.ts";

/** Where a model can go. */
const TARGETS = ["onnx", "torch", "hub", "bundle"] as const;

/** What writes a model's graphs. */
const WRITERS = { onnx: onnxFiles, torch: torchFiles, bundle: bundleFiles };

interface Export {
  readonly to: typeof TARGETS[number];
  readonly out: string;
  readonly license: string;
}

type Groups = { readonly run: FlagGroup<RunChoice>; readonly export: FlagGroup<Export> };

const flags: Flags<Groups> = {
  name: "export",
  summary: "Writes a trained model for elsewhere: its encoder, its decoder and, where it is learned, its prior.",
  groups: {
    run: runChoice,
    export: {
      title: "Export",
      settings: {
        to: {
          type: "choice",
          default: "onnx",
          choices: TARGETS,
          help:
            "onnx: encoder.onnx, decoder.onnx and prior.onnx for any ONNX runtime; torch: vae.py, which needs PyTorch alone, and its weights; hub: a repository for the Hugging Face Hub; bundle: a module for pages, which needs nothing, with its types and weights",
        },
        out: {
          type: "string",
          default: "",
          help: "the folder to write (default: one of the format's name in the run folder)",
        },
        license: {
          type: "string",
          default: "",
          help: "of the weights, by the Hub's name of it: mit, cc-by-4.0, ... (hub; default: the card names none)",
        },
      },
      placeholders: { out: "DIR", license: "NAME" },
    },
  },
  examples: ["deno task export --to onnx", "deno task export --run runs/mine --to torch --out mine-torch"],
};

async function run({ values, given }: Parsed<Groups>, context: Context): Promise<void> {
  const { to, out, license } = values.export;
  if (given.has("license") && to !== "hub") throw new UsageError("--license goes with --to hub");
  const run = await chosenRun(values.run, context);
  const { folder, checkpoint, model } = run;
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  const missing: Record<string, string> = {};
  const files = to === "hub" ? await toHub(trained, run, license) : await ofGraphs(trained, to, missing);
  const into = out || join(folder, to);
  await Deno.mkdir(into, { recursive: true });
  for (const { name, bytes, what } of files) {
    await writeFileAtomically(join(into, name), bytes);
    context.print(`${join(into, name)}: ${what}`);
  }
  for (const [name, why] of Object.entries(missing)) if (name !== "elbo") context.print(`No ${name}: ${why}`);
  if (to === "hub") {
    if (!license) context.print("The card names no license: --license says one");
    context.print();
    context.print("Next, with Hugging Face's own tool:");
    context.print(`  hf upload OWNER/NAME ${quoted(into)}`);
  }
  context.emit({ run: folder, to, out: into, files: files.map(({ name }) => name), missing });
}

/** The files that are made of a model's graphs. */
async function ofGraphs(
  trained: Trained,
  to: keyof typeof WRITERS,
  missing: Record<string, string>,
): Promise<ExportedFile[]> {
  const graphs = graphsOf(trained);
  Object.assign(missing, graphs.missing);
  return await WRITERS[to](trained, graphs);
}

/** A repository for the Hub, with what the run's folder has to show. */
async function toHub(trained: Trained, { folder, config }: Run, license: string): Promise<ExportedFile[]> {
  const pictures = [[FILES.samples, "Samples"], [
    FILES.reconstructions,
    "Test data, each above its reconstruction",
  ]] as const;
  const figures = await Array.fromAsync(pictures, async ([name, what]) => {
    const bytes = await readIfThere(join(folder, name));
    return bytes ? [{ name, bytes, what }] : [];
  });
  return await hubFiles(trained, {
    ...license ? { license } : {},
    ...config?.test ? { test: config.test } : {},
    figures: figures.flat(),
  });
}

/** The task. */
export const exportTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(exportTask);
