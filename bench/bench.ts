/**
 * `deno task bench`: whole training steps (gathering, forward, backward, optimizer) and each of their kernels, on this machine.
 *
 * FLOP are counted as 6 per multiply-add of a forward pass (2 forward, 4 backward), padding left out. A round measures each
 * configuration in turn; the median over the rounds is what to quote, since machines are noisy.
 *
 * @module
 */

import { Clock } from "../core/gpu/clock.ts";
import { Gpu } from "../core/gpu/device.ts";
import { compileWorker } from "../core/gpu/second_thread.ts";
import type { Program } from "../core/graph/program.ts";
import type { Settings } from "../core/settings.ts";
import { chooseTiles, TILE_CHOICES, type TileChoice, type Tiles, tilesName } from "../core/products/tiles.ts";
import { main } from "../tasks/cli/run.ts";
import { tunedFor } from "../tasks/cli/tiles.ts";
import { type PeerResult, PEERS, runPeer } from "./peers.ts";
import { boundOf, measureRoofline } from "./roofline.ts";
import { measure, median, parse, prepare, type Subject } from "./steps.ts";

interface BenchConfig {
  readonly configurations: string;
  readonly seconds: number;
  readonly rounds: number;
  readonly steps: number;
  readonly tiles: TileChoice;
  readonly fuse: "auto" | "always" | "never";
  readonly kernels: boolean;
  readonly profile: boolean;
  readonly peers: boolean;
  readonly cold: boolean;
}

const settings: Settings<BenchConfig> = {
  configurations: {
    type: "string",
    default: "500-20:100,500-500-3:128",
    help:
      "architectures with their batch sizes: hidden widths and latents, or vq-512 for a VQ-VAE of 512 codes; :streamed behind it keeps the rows on the host",
  },
  seconds: { type: "number", default: 2, minimum: 0, exclusiveMinimum: true, help: "seconds of steps a round" },
  rounds: { type: "integer", default: 5, minimum: 1, help: "rounds, over which the median is taken" },
  steps: {
    type: "integer",
    default: 0,
    minimum: 0,
    maximum: 2048,
    help: "steps handed over at a time; 0 for as many as a training comes to have, about 80 ms of them",
  },
  tiles: { type: "choice", default: "auto", choices: TILE_CHOICES, help: "matrix kernels" },
  fuse: {
    type: "choice",
    default: "auto",
    choices: ["auto", "always", "never"],
    help: "joining dispatches of workgroup tiles into fewer: as a training does it on this adapter, always, or never",
  },
  kernels: { type: "boolean", default: true, help: "time every kernel of the step too" },
  profile: {
    type: "boolean",
    default: false,
    help: "measure what the adapter can do at most, and say for every kernel which limit it is nearest to",
  },
  peers: {
    type: "boolean",
    default: false,
    help:
      "measure other libraries in turn with it: jax-js and tfjs from npm, and PyTorch where $PYTHON or python3 has it",
  },
  cold: {
    type: "boolean",
    default: false,
    help: "without the driver's shader cache (Mesa): the first step of a fresh machine",
  },
};

/** Peak resident memory in MB, where the system says it (Linux); else what is resident now. */
function peakMemory(): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1]) / 1024;
  } catch {
    return Deno.memoryUsage().rss / 2 ** 20;
  }
}

/** Milliseconds of each kernel: within the step by the GPU's clock, or by repeating each where it has none. */
async function kernelTimes(program: Program, clock: Clock | undefined): Promise<number[]> {
  if (clock) return await program.profile(clock, 100);
  const times: number[] = [];
  for (const i of program.dispatches.keys()) {
    times.push(median([await program.time(i, 8), await program.time(i, 8), await program.time(i, 8)]));
  }
  return times;
}

if (import.meta.main) {
  await main({
    flags: {
      name: "bench",
      summary: "Measures whole training steps and their kernels on this machine.",
      groups: { bench: { title: "Benchmark", settings, placeholders: { configurations: "LIST" } } },
      examples: [
        "deno task bench",
        "deno task bench --profile",
        "deno task bench --peers --no-kernels",
        "deno task bench --configurations 500-20:1024 --tiles workgroup --json",
      ],
    },
    async run({ values: { bench } }, context) {
      const configurations = parse(bench.configurations);
      // Mesa reads it when the driver is loaded.
      if (bench.cold) Deno.env.set("MESA_SHADER_CACHE_DIR", await Deno.makeTempDir());
      using gpu = await Gpu.open({ compileAhead: compileWorker, onWarning: context.print });
      const chosen = chooseTiles(gpu, bench.tiles);
      const asked = { auto: chosen.fuses, always: chosen.family === "workgroup", never: false };
      const tiles: Tiles = { ...chosen, fuses: asked[bench.fuse] };
      context.print(
        `${gpu.adapter}, tiles ${tilesName(tiles)}, ${new Date().toISOString().slice(0, 10)}`,
      );
      const roofline = bench.profile ? await measureRoofline(gpu) : undefined;
      if (roofline) {
        const { unrolled, looped, bandwidth, dispatchMs } = roofline;
        context.print(
          `at most ${unrolled.toFixed(1)} GFLOP/s of multiply-adds in a long loop body and ${
            looped.toFixed(1)
          } in a short one, ` +
            `${bandwidth.toFixed(1)} GB/s of memory, ${(1000 * dispatchMs).toFixed(1)} µs a dispatch`,
        );
        context.emit({ adapter: gpu.adapter, roofline });
      }
      const clock = await Clock.open(gpu);
      const subjects: Subject[] = [];
      for (const configuration of configurations) {
        subjects.push(await prepare(gpu, configuration, tiles, (step) => tunedFor(step, context.print)));
      }
      const results: (PeerResult & { readonly peer: string; readonly own: number })[][] = configurations.map(() => []);
      for (let round = 0; round < bench.rounds; round++) {
        for (const subject of subjects) {
          context.signal.throwIfAborted();
          await measure(gpu, subject, { ...bench, clock });
        }
        for (const [i, { widths, batch }] of bench.peers ? configurations.entries() : []) {
          for (const peer of widths ? PEERS : []) {
            const found = await runPeer(peer, { widths: widths!, batch }, bench.seconds, context.signal);
            results[i].push({ peer: peer.name, own: subjects[i].rates.at(-1)!, ...found });
            context.signal.throwIfAborted();
          }
        }
        if (bench.peers) context.print(`round ${round + 1} of ${bench.rounds}`);
      }
      for (
        const [i, { architecture, batch, step: { program }, firstStepMs, rates, jsMicroseconds, idle }] of subjects
          .entries()
      ) {
        const samplesPerSecond = median(rates);
        const flops = 2 * program.macs / batch;
        const kernels = [];
        const times = bench.kernels ? await kernelTimes(program, clock) : [];
        for (const [i, ms] of times.entries()) {
          const { label, macs, bytes } = program.dispatches[i];
          const gflops = macs ? 2 * macs / ms / 1e6 : undefined;
          const bound = roofline && boundOf(roofline, { ms, macs, bytes });
          kernels.push({ kernel: label, ms, gflops, megabytes: bytes / 1e6, ...(bound ? { bound } : {}) });
        }
        const result = {
          adapter: gpu.adapter,
          tiles: tilesName(tiles),
          architecture,
          batch,
          samplesPerSecond: Math.round(samplesPerSecond),
          lowest: Math.round(Math.min(...rates)),
          highest: Math.round(Math.max(...rates)),
          gflops: flops * samplesPerSecond / 1e9,
          dispatches: program.dispatches.length,
          jsMicroseconds: median(jsMicroseconds),
          ...idle.length ? { idle: median(idle) } : {},
          firstStepMs: Math.round(firstStepMs),
          cold: bench.cold,
          peakMemoryMb: Math.round(peakMemory()),
          kernels,
        };
        context.emit(result);
        context.print();
        context.print(
          `${result.architecture}, batch ${batch}: ${result.samplesPerSecond} samples/s (${result.lowest} to ${result.highest}), ` +
            `${result.gflops.toFixed(1)} GFLOP/s, ${result.dispatches} dispatches and ${
              result.jsMicroseconds.toFixed(1)
            } µs of JavaScript a step, ` +
            (idle.length ? `${(100 * median(idle)).toFixed(1)} % idle between submits, ` : "") +
            `first step ${(firstStepMs / 1000).toFixed(2)} s${
              bench.cold ? " (cold)" : ""
            }, peak memory ${result.peakMemoryMb} MB`,
        );
        for (const { name } of bench.peers ? PEERS : []) {
          const found = results[i].filter(({ peer }) => peer === name);
          const runs = found.flatMap((each) => "missing" in each ? [] : [each]);
          if (!runs.length) {
            const [missing] = found;
            if (missing && "missing" in missing) context.print(`  ${name}: not measured: ${missing.missing}`);
            continue;
          }
          const theirs = runs.map((run) => run.samplesPerSecond);
          const ratio = median(runs.map((run) => run.own / run.samplesPerSecond));
          context.emit({ peer: name, architecture, batch, samplesPerSecond: Math.round(median(theirs)), ratio });
          context.print(
            `  ${name}: ${Math.round(median(theirs))} samples/s (${Math.round(Math.min(...theirs))} to ${
              Math.round(Math.max(...theirs))
            }); elbo is ${ratio.toFixed(2)} times as fast, the median of ${runs.length} rounds in turn`,
          );
        }
        if (!kernels.length) continue;
        // What is no kernel's time: copies into textures, and passing from one kernel to the next.
        const total = 1000 * batch / samplesPerSecond;
        const between = total - kernels.reduce((sum, { ms }) => sum + ms, 0);
        const width = Math.max(30, ...kernels.map(({ kernel }) => kernel.length));
        const line = (name: string, ...cells: readonly string[]) =>
          `  ${name.padEnd(width)} ${cells.map((cell) => cell.padStart(8)).join(" ")}`.trimEnd();
        context.print(line("kernel", "ms", "share", "GFLOP/s", "MB", ...(roofline ? ["  nearest to"] : [])));
        for (const { kernel, ms, gflops, megabytes, bound } of kernels) {
          const share = `${(100 * ms / total).toFixed(1)} %`;
          const nearest = bound ? [`  ${(100 * bound.reached).toFixed(0)} % of ${bound.by}`] : [];
          context.print(
            line(kernel, ms.toFixed(3), share, gflops?.toFixed(1) ?? "", megabytes.toFixed(2), ...nearest),
          );
        }
        context.print(line("between kernels", between.toFixed(3), `${(100 * between / total).toFixed(1)} %`));
      }
    },
  });
}
