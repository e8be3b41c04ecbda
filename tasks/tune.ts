/**
 * `deno task tune`: times the tiles of the matrix products of training steps on this GPU, and keeps the best for later trainings.
 *
 * @module
 */

import { Gpu } from "../core/gpu/device.ts";
import { configure } from "../core/settings.ts";
import { chooseTiles } from "../core/products/tiles.ts";
import { trainingSettings } from "../core/training/training_settings.ts";
import { type TunedShape, tuneTraining } from "../core/training/tuner.ts";
import type { Model } from "../core/model.ts";
import { vae } from "../models/vae.ts";
import { type FlagGroup, type Flags, type Parsed, UsageError } from "./cli/flags.ts";
import { type Context, main, type Task } from "./cli/run.ts";
import { tileCache, TILES } from "./cli/tiles.ts";

interface Tuning {
  readonly architectures: readonly string[];
  readonly batchSizes: readonly number[];
  readonly features: number;
  readonly tiles: "auto" | "workgroup";
  readonly seconds: number;
}

type Groups = { readonly tuning: FlagGroup<Tuning> };

/** Batch sizes of the benchmark on a GPU; an adapter that runs on the processor would take minutes for the large ones. */
const BATCHES = { gpu: [100, 128, 1024, 8192], cpu: [100] } as const;

const flags: Flags<Groups> = {
  name: "tune",
  summary:
    "Times every tile that may suit the matrix products of training steps of a vae, and keeps the best of each in " +
    `${TILES}. Training on that GPU then takes these in place of the rule.`,
  groups: {
    tuning: {
      title: "Tuning",
      settings: {
        architectures: {
          type: "strings",
          default: ["500-20", "500-500-3"],
          help: "hidden widths and latents",
        },
        batchSizes: {
          type: "integers",
          default: [],
          minimum: 1,
          maximum: 65536,
          help: `rows a step; none takes ${BATCHES.gpu}, and on the processor ${BATCHES.cpu}`,
        },
        features: { type: "integer", default: 784, minimum: 1, help: "numbers in a row" },
        tiles: {
          type: "choice",
          default: "auto",
          choices: ["auto", "workgroup"],
          help: "auto times nothing where panel tiles are used; workgroup does everywhere",
        },
        seconds: {
          type: "number",
          default: 60,
          minimum: 0,
          exclusiveMinimum: true,
          help: "most for one architecture and batch size",
        },
      },
    },
  },
  examples: ["deno task tune", "deno task tune --architectures 400-400-10 --batch-sizes 256,4096 --json"],
};

/** `500-500-3`: hidden widths, then latents. */
function architecture(text: string): { hidden: number[]; latents: number } {
  const widths = text.split("-").map(Number);
  if (widths.length < 2 || !widths.every((width) => Number.isSafeInteger(width) && width > 0)) {
    throw new UsageError(
      `Cannot read --architectures: expected hidden widths and latents as 500-500-3, found "${text}"`,
    );
  }
  return { hidden: widths.slice(0, -1), latents: widths.at(-1)! };
}

async function run({ values }: Parsed<Groups>, { print, emit, signal }: Context): Promise<void> {
  const { architectures, batchSizes, features, tiles, seconds } = values.tuning;
  const configs = architectures.map((text) => ({ text, config: configure(vae.settings, architecture(text)) }));
  using gpu = await Gpu.open();
  const { family } = chooseTiles(gpu, tiles);
  if (family !== "workgroup") {
    print(`${gpu.adapter} takes ${family} tiles, and there is nothing to choose; --tiles workgroup times the others`);
    return;
  }
  const cache = tileCache(print, true);
  const batches = batchSizes.length ? batchSizes : gpu.cpu ? BATCHES.cpu : BATCHES.gpu;
  print(`${gpu.adapter}: GFLOP/s of each tile, rows x columns of the result; * is kept in ${TILES}`);
  const told = new Set<string>();
  for (const { text, config } of configs) {
    for (const batch of batches) {
      signal.throwIfAborted();
      const found = await tuneTraining({
        gpu,
        model: vae as Model,
        config,
        training: configure(trainingSettings, { batchSize: batch, binarize: "none" }),
        data: { shape: [1, features, 1] },
        split: { values: new Uint8Array(batch * features), count: batch },
      }, { cache, seconds, signal });
      print();
      print(`${features}-${text}, batch ${batch}`);
      for (const shape of found) {
        if (told.has(shape.shape)) continue;
        told.add(shape.shape);
        const rates = ratesOf(shape);
        emit({ adapter: gpu.adapter, architecture: text, batch, shape: shape.shape, gflops: rates, tile: shape.tile });
        print(line(shape, rates));
      }
    }
  }
}

/** GFLOP/s of each tile that was timed: two operations for each multiply-add that the mathematics asks for. */
function ratesOf({ macs, milliseconds }: TunedShape): Record<string, number> {
  return Object.fromEntries(
    Object.entries(milliseconds).map(([tile, ms]) => [tile, Number((2 * macs / ms / 1e6).toPrecision(3))]),
  );
}

/** `  forward 128 x 800 x 512     16x32 310     32x32 420*     32x32 in 4 380` */
function line({ shape, tile }: TunedShape, rates: Readonly<Record<string, number>>): string {
  const timed = Object.entries(rates).map(([name, rate]) =>
    `${name.replace("workgroup-", "")} ${rate}${name === tile ? "*" : ""}`.padEnd(24)
  );
  return `  ${shape.padEnd(40)} ${timed.join(" ").trimEnd() || "no time left: see --seconds"}`;
}

/** The task. */
export const tuneTask: Task<Groups> = { flags, run };

if (import.meta.main) await main(tuneTask);
