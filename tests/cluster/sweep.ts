/**
 * A sweep of 24 trainings by GNU parallel, and by a real Slurm of one node, each disturbed in the middle: a worker is killed, the node is
 * drained and its jobs requeued, the controller is restarted. Every training must be complete, once, and both sweeps must have the
 * same bytes.
 *
 * ```sh
 * deno run -A --lock=tests/deno.lock tests/cluster/sweep.ts [FILE.jsonl]
 * ```
 *
 * It needs root, and Debian's slurm-wlm and parallel; it takes some ten minutes on two cores.
 *
 * @module
 */

import { encodeNpy } from "../../datasets/npy.ts";
import { readSweep, statesOf, type StoredSweep } from "../../sweeps/folder.ts";

const root = new URL("../../", import.meta.url).pathname;
const folder = await Deno.makeTempDir({ prefix: "elbo-cluster-" });
// munge's daemon is another user's.
await Deno.chmod(folder, 0o755);
const began = performance.now();

function report(value: Record<string, unknown>): void {
  const line = JSON.stringify({ seconds: Math.round((performance.now() - began) / 1000), ...value });
  console.log(line);
  if (Deno.args[0]) Deno.writeTextFileSync(Deno.args[0], `${line}\n`, { append: true });
}

async function run(program: string, args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd: root, env }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  return { code, out, error };
}

async function must(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { code, out, error } = await run(program, args, env);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${error || out}`);
  return out;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** States by index. */
const states = async (sweep: StoredSweep) => (await statesOf(sweep)).map(({ state }) => state);

async function doneAtLeast(sweep: StoredSweep, count: number): Promise<void> {
  while ((await states(sweep)).filter((state) => state === "done").length < count) await sleep(300);
}

/** Kills a worker in the middle of its training, as a node does that runs out of memory. Gives the training's number. */
async function killOne(sweep: StoredSweep): Promise<number> {
  for (;;) {
    const running = (await statesOf(sweep)).find(({ state, epochs }) => state === "running" && epochs.length > 2);
    const found = running &&
      await run("pgrep", ["-f", `tasks/sweep.ts --out ${sweep.folder} .*--index ${running.trial.index}$`]);
    if (found?.out) {
      await must("kill", ["-9", ...found.out.split("\n")]);
      return running!.trial.index;
    }
    await sleep(50);
  }
}

/** All are done, and no epoch was recorded twice. */
async function requireComplete(sweep: StoredSweep): Promise<void> {
  for (const { trial, state, epochs } of await statesOf(sweep)) {
    const numbers = epochs.map(({ epoch }) => epoch);
    const whole = numbers.length === EPOCHS && numbers.every((epoch, i) => epoch === i + 1);
    if (state !== "done" || !whole) throw new Error(`training ${trial.index} is ${state}, with epochs ${numbers}`);
  }
}

const EPOCHS = 80;
const values = new Uint8Array(2000 * 64).map((_, i) => (i * 7919) % (3 + ((i >> 6) % 5)) < 2 ? 255 : 0);
await Deno.writeFile(`${folder}/rows.npy`, encodeNpy({ values, shape: [2000, 8, 8] }));
const plan = `${folder}/plan.json`;
await Deno.writeTextFile(
  plan,
  JSON.stringify({
    settings: {
      ...{ dataset: `${folder}/rows.npy`, epochs: EPOCHS, batchSize: 100, checkpointSeconds: 0, model: "beta_vae" },
      hidden: { values: [[32], [64]] },
      latents: { from: 1, to: 6, steps: 6 },
      beta: { values: [1, 2] },
    },
  }),
);

async function begun(name: string): Promise<StoredSweep> {
  await must("deno", ["task", "--quiet", "sweep", plan, "--out", `${folder}/${name}`, "--status"]);
  return (await readSweep(`${folder}/${name}`))!;
}

async function byParallel(): Promise<StoredSweep> {
  const sweep = await begun("parallel");
  const script = (...more: string[]) => run("docs/sweeps/parallel.sh", [plan, sweep.folder, ...more]);
  const first = script();
  await doneAtLeast(sweep, 4);
  report({ by: "GNU parallel", event: "a worker killed", training: await killOne(sweep) });
  const { code } = await first;
  report({ by: "GNU parallel", event: "ended", code, states: counts(await states(sweep)) });
  const second = await script("--resume-failed");
  if (second.code !== 0) throw new Error(`--resume-failed ended with ${second.code}: ${second.error}`);
  await requireComplete(sweep);
  report({ by: "GNU parallel", event: "--resume-failed", states: counts(await states(sweep)) });
  return sweep;
}

async function bySlurm(): Promise<StoredSweep> {
  const sweep = await begun("slurm");
  const daemons = `${folder}/daemons`;
  const control = (what: string) => must("tests/cluster/slurm.sh", [what, daemons]);
  const env = { SLURM_CONF: `${daemons}/slurm.conf` };
  const node = await must("hostname", ["-s"]);
  await control("start");
  try {
    report({ by: "Slurm", event: "started", version: await must("sinfo", ["--version"], env) });
    const submit = (array: string) =>
      must("sbatch", [
        ...["--parsable", `--array=${array}`, "--cpus-per-task=1", `--output=${folder}/%A_%a.log`],
        ...[`--export=ALL,SWEEP=${sweep.folder}`, "docs/sweeps/slurm.sh"],
      ], env);
    const queue = async () =>
      (await run("squeue", ["--noheader", "--array", "--format=%A %T"], env)).out.split("\n").filter(Boolean);
    await submit("0-23");
    await doneAtLeast(sweep, 4);
    report({ by: "Slurm", event: "a worker killed", training: await killOne(sweep) });
    await doneAtLeast(sweep, 8);
    await must("scontrol", ["update", `nodename=${node}`, "state=drain", "reason=test"], env);
    const running = (await queue()).filter((line) => line.endsWith("RUNNING")).map((line) => line.split(" ")[0]);
    for (const job of running) await must("scontrol", ["requeue", job], env);
    await sleep(8000);
    const standing = await states(sweep);
    report({
      by: "Slurm",
      event: "the node drained, its jobs requeued",
      jobs: running.length,
      states: counts(standing),
    });
    await must("scontrol", ["update", `nodename=${node}`, "state=resume"], env);
    await doneAtLeast(sweep, 14);
    await control("restart");
    report({ by: "Slurm", event: "the controller restarted", states: counts(await states(sweep)) });
    for (;;) {
      const left = await run("squeue", ["--noheader"], env);
      if (left.code === 0 && left.out === "") break;
      await sleep(1000);
    }
    const open = (await states(sweep)).flatMap((state, i) => state === "done" ? [] : [i]);
    report({ by: "Slurm", event: "the array ended", states: counts(await states(sweep)), open });
    if (open.length) {
      await submit(open.join());
      while ((await queue()).length) await sleep(1000);
    }
    await requireComplete(sweep);
    report({ by: "Slurm", event: "those submitted again", states: counts(await states(sweep)) });
    return sweep;
  } finally {
    await control("stop");
  }
}

function counts(states: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(states, (state) => state)].map(([state, { length }]) => [state, length]));
}

const [one, other] = [await byParallel(), await bySlurm()];
for (const { trial: { folder: run } } of await statesOf(one)) {
  const name = `trials/${run.replace(/.*\//, "")}/checkpoint.safetensors`;
  const [a, b] = await Promise.all([one, other].map(({ folder }) => Deno.readFile(`${folder}/${name}`)));
  if (a.length !== b.length || a.some((byte, i) => byte !== b[i])) throw new Error(`${name} differs`);
}
report({ event: "both sweeps have the same bytes", trainings: 24 });
await Deno.remove(folder, { recursive: true });
