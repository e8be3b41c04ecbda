/**
 * `deno task export`: writes a trained model for elsewhere.
 *
 * @module
 */

import { Trained } from "../core/training/trained.ts";
import { graphsOf } from "../exchange/graphs.ts";
import { onnxFiles } from "../exchange/onnx.ts";
import { torchFiles } from "../exchange/torch.ts";
import { writeFileAtomically } from "../storage/write.ts";
import type { FlagGroup, Flags, Parsed } from "./cli/flags.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { type RunChoice, runChoice } from "./cli/run_flags.ts";
import { chosenRun, join } from "./cli/run_folder.ts";

/** Where a model can go. */
const TARGETS = ["onnx", "torch"] as const;

interface Export {
  readonly to: typeof TARGETS[number];
  readonly out: string;
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
            "onnx: encoder.onnx, decoder.onnx and prior.onnx for any ONNX runtime; torch: vae.py, which needs PyTorch alone, and its weights",
        },
        out: {
          type: "string",
          default: "",
          help: "the folder to write (default: one of the format's name in the run folder)",
        },
      },
      placeholders: { out: "DIR" },
    },
  },
  examples: ["deno task export --to onnx", "deno task export --run runs/mine --to torch --out mine-torch"],
};

async function run({ values }: Parsed<Groups>, context: Context): Promise<void> {
  const { to, out } = values.export;
  const { folder, checkpoint, model } = await chosenRun(values.run, context);
  using trained = await Trained.fromCheckpoint(model, checkpoint);
  const graphs = graphsOf(trained);
  const files = await (to === "onnx" ? onnxFiles : torchFiles)(trained, graphs);
  const into = out || join(folder, to);
  await Deno.mkdir(into, { recursive: true });
  for (const { name, bytes, what } of files) {
    await writeFileAtomically(join(into, name), bytes);
    context.print(`${join(into, name)}: ${what}`);
  }
  for (const [name, why] of Object.entries(graphs.missing)) {
    if (name !== "elbo") context.print(`No ${name}: ${why}`);
  }
  context.emit({ run: folder, to, out: into, files: files.map(({ name }) => name), missing: graphs.missing });
}

/** The task. */
export const exportTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(exportTask);
