/**
 * Trainings and experiments that are killed at random moments and gone on with, again and again: each must end with the bytes that it has
 * when nobody kills it. A program too: `deno run -A --lock=tests/deno.lock tests/process/kills.ts 200` kills so often, and prints a line of
 * JSON for each; with `ranks` behind, it kills ranks of MPI.
 *
 * @module
 */

import { randomBits } from "../../core/graph/random.ts";
import { execute } from "../../tasks/cli/run.ts";
import { contents } from "../experiments/support.ts";
import { root } from "../tasks/support.ts";
import { tasks } from "./killable.ts";
import { mpirun } from "./mpirun.ts";

/** What is killed: a task and its flags, without the folder. */
interface Victim {
  readonly name: string;
  readonly task: "train" | "experiment";
  readonly args: string;
  /** How many ranks train it; default: it is one process. */
  readonly ranks?: number;
}

const blocks = "--dataset blocks --batch-size 20 --validation 40";

/** Every way to improve parameters, and what of a training is kept beside them. */
export const victims: readonly Victim[] = [
  { name: "vae", task: "train", args: `${blocks} --hidden 6 --latents 2 --epochs 12 --ema 0.9 --accumulate 3` },
  { name: "experiment", task: "experiment", args: "tiny --epochs 4 --seeds 2" },
  { name: "gmm", task: "train", args: `${blocks} --model gmm --components 3 --epochs 12` },
  {
    name: "vq_vae",
    task: "train",
    args: `${blocks} --model vq_vae --channels 4,4 --codes 8 --residual-blocks 0 --epochs 4`,
  },
  { name: "ppca", task: "train", args: `${blocks} --model ppca --latents 2 --method em --epochs 12` },
  { name: "pca", task: "train", args: `${blocks} --model pca --latents 2` },
  {
    name: "iwae",
    task: "train",
    args: `${blocks} --model iwae --hidden 6 --latents 2 --epochs 12 --checkpoint-every 5`,
  },
  {
    name: "beta_vae",
    task: "train",
    args: `${blocks} --model beta_vae --hidden 6 --latents 2 --epochs 12 --rows streamed`,
  },
  {
    name: "conv_vae",
    task: "train",
    args: `${blocks} --model conv_vae --channels 4 --hidden 8 --latents 2 --epochs 4`,
  },
];

/** What several ranks train, one of which is killed. */
export const ranked: readonly Victim[] = [
  {
    name: "vae on 2 ranks",
    task: "train",
    args: `${blocks} --hidden 6 --latents 2 --epochs 40 --ema 0.9 --parallel mpi --checkpoint-seconds 0`,
    ranks: 2,
  },
  {
    name: "vae on 3 ranks, averaged",
    task: "train",
    args:
      `${blocks} --hidden 6 --latents 2 --epochs 60 --average-every 4 --outer-momentum 0.9 --parallel mpi --checkpoint-seconds 0`,
    ranks: 3,
  },
];

/** One kill. */
export interface Kill {
  readonly victim: string;
  /** Which of several ranks. */
  readonly rank?: number;
  /** Seconds from then to the end of all ranks. */
  readonly seconds?: number;
  /** Milliseconds after the process was started. */
  readonly after: number;
  /** Kills of the same run before this one. */
  readonly before: number;
  /** What the run folder had then: nothing, only its configuration, or a checkpoint. Of an experiment, how many of its runs had one. */
  readonly left: string;
}

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

async function leftIn(folder: string): Promise<string> {
  if (!await exists(folder)) return "nothing";
  const names = [...(await contents(folder)).keys()];
  const checkpoints = names.filter((name) => name.endsWith("checkpoint.safetensors")).length;
  if (checkpoints) return checkpoints === 1 ? "a checkpoint" : `${checkpoints} checkpoints`;
  return names.some((name) => name.endsWith("config.json")) ? "config.json" : "nothing";
}

/** The command line that begins a run, or goes on with what a kill left of it. */
async function commandOf({ task, args, ranks }: Victim, folder: string): Promise<string[]> {
  if (task === "experiment") return [...args.split(" "), "--out", folder];
  const parallel = ranks ? ["--parallel", "mpi"] : [];
  return await exists(`${folder}/config.json`)
    ? ["--resume", folder, ...parallel]
    : [...args.split(" "), "--out", folder];
}

/** Arguments of Deno that begin a run, or go on with what a kill left of it. */
async function programOf(victim: Victim, folder: string): Promise<string[]> {
  return [
    ...["run", "-A", "--no-check", `--config=${root}deno.json`, `--lock=${root}tests/deno.lock`],
    ...[`${root}tests/process/killable.ts`, victim.task, ...await commandOf(victim, folder)],
  ];
}

/** Runs a task within this process, or the ranks that it takes. */
async function finish(victim: Victim, folder: string): Promise<void> {
  if (victim.ranks) {
    const { code, stderr } = await mpirun(await programOf(victim, folder), { ranks: victim.ranks });
    if (code !== 0) throw new Error(`${victim.name} ended with ${code}: ${stderr}`);
    return;
  }
  let text = "";
  const screen = { interactive: false, columns: () => 80, write: (part: string) => void (text += part) };
  const { signal } = new AbortController();
  const args = await commandOf(victim, folder);
  const code = await execute(tasks[victim.task], args, { stdout: screen, stderr: screen, signal });
  if (code !== 0) throw new Error(`${victim.name}: ${args.join(" ")} ended with ${code}: ${text}`);
}

/** Starts ranks and kills one of them after so many milliseconds: how long the others lived, or undefined where all had ended by then. */
async function killedRank(victim: Victim, folder: string, rank: number, after: number): Promise<number | undefined> {
  const { code, seconds, stderr } = await mpirun(await programOf(victim, folder), {
    ranks: victim.ranks,
    hurt: { rank, signal: "SIGKILL", after },
  });
  if (code === 0) return undefined;
  if (seconds >= 10) throw new Error(`${victim.name}: it took ${seconds} s until all ranks had ended: ${stderr}`);
  return seconds;
}

/** Starts a task as a process and kills it after so many milliseconds; false where it had ended by then. */
async function killed(victim: Victim, folder: string, after: number): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: await programOf(victim, folder),
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const timer = setTimeout(() => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has just ended.
    }
  }, after);
  const { code } = await child.status;
  clearTimeout(timer);
  if (code !== 0 && code !== 137) throw new Error(`${victim.name} ended with ${code}: ${await stderr}`);
  await stderr;
  return code === 137;
}

/** What must be equal: checkpoints to the byte, tables, and the figures of every epoch but for how long they took. */
async function outcome(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [path, bytes] of await contents(folder)) {
    const name = path.slice(folder.length);
    if (name.endsWith(".safetensors")) found.set(name, bytes.join());
    if (name.endsWith(".csv")) found.set(name, new TextDecoder().decode(bytes));
    if (!name.endsWith("metrics.jsonl")) continue;
    const events = new TextDecoder().decode(bytes).trimEnd().split("\n").map((line) => JSON.parse(line));
    found.set(
      name,
      JSON.stringify(events.map(({ event, step, train, validation }) => [event, step, train, validation])),
    );
  }
  return found;
}

/**
 * Kills each of the victims in turn at random moments, some times each before it is let end, and compares.
 *
 * @param count How many kills.
 * @param seed Of the moments.
 * @param chain Kills of a run before it is let end: the second is of a resumed run, and so on.
 * @param all What is killed.
 * @throws {Error} If a run does not go on, or ends with other bytes.
 */
export async function* kills(
  count: number,
  seed: number,
  chain: number,
  all: readonly Victim[] = victims,
): AsyncGenerator<Kill> {
  const folder = await Deno.makeTempDir({ prefix: "elbo" });
  const moment = new Uint32Array(4);
  const whole = new Map<string, { readonly outcome: Map<string, string>; readonly milliseconds: number }>();
  try {
    let done = 0;
    for (let i = 0; done < count; i++) {
      const victim = all[i % all.length];
      const [alone, parts] = [`${folder}/${victim.name}`, `${folder}/${victim.name}-killed`];
      let expected = whole.get(victim.name);
      if (!expected) {
        const begun = performance.now();
        await finish(victim, alone);
        // A process takes as long again to start.
        const milliseconds = 800 + 1.5 * (performance.now() - begun);
        whole.set(victim.name, expected = { outcome: await outcome(alone), milliseconds });
      }
      for (let before = 0; before < chain && done < count;) {
        const after = Math.round(randomBits(seed, i, before, done, moment)[0] / 2 ** 32 * expected.milliseconds);
        // One that ended by itself is not to be killed any more.
        const rank = victim.ranks && done % victim.ranks;
        const seconds = rank === undefined
          ? await killed(victim, parts, after) ? 0 : undefined
          : await killedRank(victim, parts, rank, after);
        if (seconds === undefined) break;
        done++;
        const kill = { victim: victim.name, after, before: before++, left: await leftIn(parts) };
        yield rank === undefined ? kill : { ...kill, rank, seconds };
      }
      await finish(victim, parts);
      const found = await outcome(parts);
      for (const [name, bytes] of expected.outcome) {
        if (found.get(name) !== bytes) throw new Error(`${victim.name}: ${name} is not as that of a run nobody killed`);
      }
      await Deno.remove(parts, { recursive: true });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const [count = 200, seed = 0, chain = 4] = Deno.args.filter((arg) => arg !== "ranks").map(Number);
  for await (const kill of kills(count, seed, chain, Deno.args.includes("ranks") ? ranked : victims)) {
    console.log(JSON.stringify(kill));
  }
}
