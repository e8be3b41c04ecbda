/**
 * `deno task soak`: trainings, samples, measures, saves and reloads of every kind of model in one process for a long time, at a bounded pace.
 * What the process holds is counted and must not grow; it ends with 1 where it does.
 *
 * @module
 */

import process from "node:process";
import { Gpu } from "../../core/gpu/device.ts";
import type { Settings } from "../../core/settings.ts";
import { type Context, main } from "../../tasks/cli/run.ts";
import { watch } from "../support/watch.ts";
import { grown, growth, type Held } from "./growth.ts";
import { soakRound } from "./rounds.ts";

interface Soaking {
  readonly minutes: number;
  readonly share: number;
}

const settings: Settings<Soaking> = {
  minutes: { type: "number", default: 60, minimum: 0, exclusiveMinimum: true, help: "how long" },
  share: { type: "number", default: 0.3, minimum: 0, exclusiveMinimum: true, help: "processor time a second, at most" },
};

/** Seconds from one line to the next. */
const EVERY = 60;

function entries(path: string): number {
  try {
    return [...Deno.readDirSync(path)].length;
  } catch {
    // Only Linux has these.
    return 0;
  }
}

/** Collects garbage, where the program was started so that it can: what is held is meant, not what will be given back at some time. */
function collect(): void {
  (globalThis as { readonly gc?: () => void }).gc?.();
}

/** Seconds of processor time that the process has taken, those of the driver's threads included. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function run({ values: { soak: { minutes, share } } }: { readonly values: { readonly soak: Soaking } }, {
  signal,
  print,
  emit,
}: Context): Promise<void> {
  using gpu = await Gpu.open();
  const { alive } = watch(gpu.device);
  const folder = await Deno.makeTempDir({ prefix: "elbo-soak" });
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const before = processorSeconds();
  const all: Held[] = [];
  let round = 0;
  let told = 0;
  const tell = (last: Held) => {
    const used = (processorSeconds() - before) / seconds();
    emit({ event: "soak", minutes: seconds() / 60, rounds: round, share: used, ...last });
    print(
      `${(seconds() / 60).toFixed(1)} min, ${round} rounds, ${last.megabytes.toFixed(0)} MB, ${last.descriptors} ` +
        `descriptors, ${last.threads} threads, ${last.buffers} buffers, ${(100 * used).toFixed(0)} % of a core`,
    );
  };
  print(`Soaking for ${minutes} minutes on ${gpu.adapter}`);
  try {
    while (seconds() < minutes * 60 && !signal.aborted) {
      await soakRound(round++, gpu, `${folder}/checkpoint.safetensors`);
      collect();
      const held = {
        megabytes: Deno.memoryUsage().rss / 2 ** 20,
        descriptors: entries("/proc/self/fd"),
        threads: entries("/proc/self/task"),
        buffers: alive.size,
      };
      all.push(held);
      if (seconds() - told >= EVERY) {
        told = seconds();
        tell(held);
      }
      const ahead = (processorSeconds() - before) / share - seconds();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 1000 * ahead)));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  tell(all[all.length - 1]);
  const faults = grown(all);
  emit({ event: "end", adapter: gpu.adapter, minutes: seconds() / 60, rounds: round, ...growth(all), faults });
  if (faults.length) throw new Error(`The process holds more and more: ${faults.join("; ")}`);
  print("Nothing grew.");
}

const flags = {
  name: "soak",
  summary: "Trains, samples, saves and reloads every kind of model in one process, and counts what it holds.",
  groups: { soak: { title: "Soak", settings } },
  examples: ["deno task soak --minutes 60", "deno task soak --minutes 480 --json > soak.jsonl"],
};

if (import.meta.main) await main({ flags, run });
