/**
 * Training steps of several ranks: measured where there are some, and from the measured parts computed for more.
 *
 *     LP_NUM_THREADS=1 mpirun -n 1 deno run -A bench/scaling.ts > ranks.jsonl
 *     LP_NUM_THREADS=1 mpirun -n 2 deno run -A bench/scaling.ts >> ranks.jsonl
 *     deno run -A --lock=deno.lock bench/scaling.ts draw ranks.jsonl docs
 *
 * A step of N ranks with b bytes of gradients takes
 *
 *     T(N) = c + x + α ⌈log2 N⌉ + 2 (N - 1) / N · b / β,    with an average every k steps  c + (x + α ...) / k
 *
 * c being the step of one rank by itself, x what it costs to bring gradients to the host and back, α what a message takes and β the bytes
 * a second that MPI moves (Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations in MPICH", 2005).
 * Each rank keeps its batch, so N ranks train N / T(N) times as many samples as one.
 *
 * @module
 */

import { Gpu } from "../core/gpu/device.ts";
import { ALONE, type Ranks, summed } from "../core/graph/ranks.ts";
import { chooseTiles } from "../core/products/tiles.ts";
import { panels } from "../figures/charts.ts";
import { bytesOf } from "../figures/figure.ts";
import { findMpi, Mpi } from "../parallel/mpi.ts";
import { median, parse, prepare } from "./steps.ts";

const CONFIGURATIONS = "500-20:100,500-500-3:128,vq-512:32,500-20:1024";

/** Rounds, over which the median is taken, of about so many seconds. */
const [ROUNDS, SECONDS] = [5, 3];

/** Steps whose terms are read together, as those of a training are. */
const SOME = 8;

/** Floats whose sum is timed: for what a message takes, and for what a byte does. */
const FEW = 1;
const MANY = 2 ** 21;

/** What a run of some ranks measured of a configuration. */
interface Measured {
  readonly ranks: number;
  readonly architecture: string;
  readonly batch: number;
  readonly bytes: number;
  readonly stepMs: number;
  /** Of them in MPI. */
  readonly sumMs: number;
}

/** How long it takes to add up so many floats. */
interface SumTime {
  readonly ranks: number;
  readonly floats: number;
  readonly ms: number;
}

/** The same ranks, which count how long they are in {@linkcode Ranks.sum}. */
function timed(ranks: Ranks): Ranks & { milliseconds: number } {
  return {
    rank: ranks.rank,
    size: ranks.size,
    milliseconds: 0,
    async sum(values) {
      const begin = performance.now();
      await ranks.sum(values);
      this.milliseconds += performance.now() - begin;
    },
  };
}

/** The median of some rounds of so many milliseconds a piece. */
async function rounds(
  ranks: Ranks,
  work: () => Promise<void>,
): Promise<{ readonly ms: number; readonly count: number }> {
  await work();
  const begin = performance.now();
  await work();
  // All do as many as the first would.
  const wanted = Math.max(1, Math.ceil(1000 * SECONDS / (performance.now() - begin)));
  const [count] = await summed(ranks, [ranks.rank === 0 ? wanted : 0]);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    for (let i = 0; i < count; i++) await work();
    times.push((performance.now() - begin) / count);
  }
  return { ms: median(times), count: count * ROUNDS + 2 };
}

async function measureAll(ranks: Ranks): Promise<void> {
  using gpu = await Gpu.open();
  const say = (line: object) => ranks.rank === 0 && console.log(JSON.stringify(line));
  say({ event: "machine", adapter: gpu.adapter, threads: Deno.env.get("LP_NUM_THREADS"), ranks: ranks.size });
  for (const configuration of parse(CONFIGURATIONS)) {
    const counted = timed(ranks);
    const together = { ranks: counted, every: "step" as const };
    const { step, batch, architecture } = await prepare(
      gpu,
      configuration,
      chooseTiles(gpu),
      () => Promise.resolve(undefined),
      together,
    );
    const { program } = step;
    counted.milliseconds = 0;
    const { ms, count } = await rounds(ranks, async () => void await program.submit(SOME));
    const bytes = program.exchanged;
    const measured = { batch, bytes, stepMs: ms / SOME, sumMs: counted.milliseconds / count / SOME };
    say({ event: "step", ranks: ranks.size, architecture, ...measured });
    step.destroy();
  }
  for (const floats of ranks.size > 1 ? [FEW, MANY] : []) {
    const values = new Float32Array(floats);
    const { ms } = await rounds(ranks, () => ranks.sum(values));
    say({ event: "sum", ranks: ranks.size, floats, ms });
  }
}

const RANKS = [1, 2, 4, 8, 16, 32, 64];

/** Steps from one averaging to the next, in the second of the drawn curves. */
const SELDOM = 16;

/** The formula above, in milliseconds. */
function stepTime(
  n: number,
  { c, x, alpha, beta, bytes }: Record<"c" | "x" | "alpha" | "beta" | "bytes", number>,
  every = 1,
): number {
  if (n === 1) return c;
  return c + (x + alpha * Math.ceil(Math.log2(n)) + 2 * (n - 1) / n * bytes / beta) / every;
}

async function draw(file: string, folder: string): Promise<void> {
  const lines = (await Deno.readTextFile(file)).trim().split("\n").map((line) => JSON.parse(line));
  const steps = lines.filter(({ event }) => event === "step") as Measured[];
  const sums = lines.filter(({ event }) => event === "sum") as SumTime[];
  const [few, many] = [FEW, MANY].map((floats) => sums.find((each) => each.floats === floats)!.ms);
  // Of two ranks: a message, and half of the bytes each way.
  const [alpha, beta] = [few, 4 * MANY / (many - few)];
  const drawn = steps.filter(({ ranks }) => ranks === 1).map(({ architecture, batch, stepMs: c }) => {
    const pair = steps.find((each) => each.ranks === 2 && each.architecture === architecture && each.batch === batch)!;
    const { bytes } = pair;
    const x = Math.max(0, pair.stepMs - c - alpha - bytes / beta);
    const parts = { c, x, alpha, beta, bytes };
    const curve = (every: number, y: (n: number, time: number) => number) =>
      RANKS.map((n) => y(n, stepTime(n, parts, every)));
    const panel = (label: string, y: (n: number, time: number) => number) => ({
      title: `${architecture}, ${batch} rows`,
      x: "ranks",
      y: label,
      logX: true,
      series: [
        { name: "gradients, every step", x: RANKS, y: curve(1, y) },
        { name: `parameters, every ${SELDOM} steps`, x: RANKS, y: curve(SELDOM, y) },
        { name: "measured", x: [1, 2], y: [y(1, c), y(2, pair.stepMs)] },
      ],
    });
    console.log(
      JSON.stringify({
        architecture,
        batch,
        c,
        x,
        alpha,
        bytesPerSecond: 1000 * beta,
        bytes,
        measured: c / pair.stepMs * 2,
      }),
    );
    return {
      time: panel("ms a step", (_, time) => time),
      efficiency: panel("of N times the speed", (_, time) => c / time),
    };
  });
  const figures = [
    ["scaling", "Speed of N ranks, as a part of N times that of one", drawn.map(({ efficiency }) => efficiency)],
    ["scaling-time", "A step of N ranks", drawn.map(({ time }) => time)],
  ] as const;
  for (const [name, title, all] of figures) {
    const caption = lines.find(({ event }) => event === "machine").adapter;
    const figure = await panels({ name, title, caption, columns: all.length, panels: all });
    await Deno.writeFile(`${folder}/${figure.file}`, bytesOf(figure));
    console.log(`${folder}/${figure.file}`);
  }
}

if (import.meta.main) {
  const [what, file = "", folder = "."] = Deno.args;
  if (what === "draw") await draw(file, folder);
  else {
    const path = findMpi((name) => Deno.env.get(name));
    const mpi = path && Deno.env.has("OMPI_COMM_WORLD_SIZE") ? await Mpi.open(path) : undefined;
    await measureAll(mpi ?? ALONE);
    await mpi?.finish();
  }
}
