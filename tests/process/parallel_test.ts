/** Ranks that Open MPI starts: what they train, measure and say, and how they end where one of them does not go on. */

import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { readMetrics } from "../../storage/run_folder.ts";
import { load } from "../../storage/checkpoint.ts";
import { idx } from "../datasets/support.ts";
import { withFolder } from "../support/folder.ts";
import { blocks } from "../tasks/support.ts";
import { environment, ignore, launched, mpirun, unless } from "./mpirun.ts";

/** Data and the flags of a small training on it. */
async function training(folder: string, flags = "--epochs 3"): Promise<readonly string[]> {
  const { train } = blocks();
  const file = `${folder}/blocks.idx`;
  await Deno.writeFile(file, idx([train.count, 4, 4], train.values));
  return `--dataset ${file} --hidden 6 --latents 2 --validation 40 --seed 3 --no-report ${flags}`.split(" ");
}

const parallel = ["--parallel", "mpi"];

async function alone(task: string, ...args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: launched(task, ...args),
    env: environment,
  }).output();
  const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out, stderr: error };
}

async function weightsOf(folder: string): Promise<number[]> {
  using trained = await load(`${folder}/checkpoint.safetensors`);
  const tensors = await trained.parameters.read();
  return [...tensors.values()].flatMap(({ data }) => [...data]);
}

function test(name: string, run: (folder: string) => Promise<void>): void {
  Deno.test({ name: `${name}${unless}`, ignore, fn: () => withFolder(run) });
}

test("3 ranks train by mpirun what one process does, and 2 measure what it does", async (folder) => {
  const args = await training(folder);
  const one = await alone("train", ...args, "--batch-size", "24", "--out", `${folder}/1`);
  assertEquals(one.code, 0, one.stderr);
  const expected = await weightsOf(`${folder}/1`);
  const flags = ["--batch-size", "8", "--out", `${folder}/3`, ...parallel];
  const { code, stdout, stderr } = await mpirun(launched("train", ...args, ...flags), { ranks: 3 });
  assertEquals(code, 0, stderr);
  // One of them speaks.
  assertEquals(stdout.match(/^epoch 3\/3/gm)?.length, 1, stdout);
  assertStringIncludes(stdout, "on 3 ranks");
  const found = await weightsOf(`${folder}/3`);
  found.forEach((value, i) => assert(Math.abs(value - expected[i]) < 2e-3, `${value} for ${expected[i]}`));
  const last = async (run: string) =>
    (await readMetrics(`${folder}/${run}`)).findLast(({ event }) => event === "epoch");
  const [here, there] = [await last("3"), await last("1")];
  assert(here?.event === "epoch" && there?.event === "epoch");
  assert(Math.abs(here.validation!.elbo - there.validation!.elbo) < 1e-2);
  const measures = [["evaluate", "--samples", "5"], ["encode", "--out", "OUT.npz"]];
  for (const [task, ...flags] of measures) {
    const told = (
      name: string,
    ) => ["--run", `${folder}/1`, ...flags.map((flag) => flag.replace("OUT", `${folder}/${name}`))];
    const single = await alone(task, ...told("one"));
    const several = await mpirun(launched(task, ...told("two"), ...parallel));
    assertEquals([single.code, several.code], [0, 0], single.stderr + several.stderr);
    const file = flags.at(-1)?.replace("OUT", "") ?? "";
    if (file.startsWith(".")) {
      const [a, b] = await Promise.all(["one", "two"].map((name) => Deno.readFile(`${folder}/${name}${file}`)));
      assertEquals(a, b);
    } else {
      const numbers = (text: string) => text.replace(/^.*(?:SamplesPerSecond|Killed).*$/gm, "").trim();
      assertEquals(numbers(several.stdout), numbers(single.stdout));
    }
  }
});

test("a rank that is killed, or stands still, ends all within 10 seconds, and the run goes on to the same bytes", async (folder) => {
  const args = await training(folder, "--epochs 30 --batch-size 10 --checkpoint-seconds 0");
  const run = `${folder}/run`;
  const go = (...flags: readonly string[]) => launched("train", ...flags, ...parallel);
  const whole = await mpirun(go(...args, "--out", `${folder}/whole`));
  assertEquals(whole.code, 0, whole.stderr);
  const killed = await mpirun(go(...args, "--out", run), { hurt: { rank: 1, signal: "SIGKILL", after: "epoch 3/30" } });
  assertNotEquals(killed.code, 0);
  assert(killed.seconds < 10, `${killed.seconds} s`);
  assertMatch(killed.stderr, /Rank 1 of 2: deno task train was ended by SIGKILL/);
  const stopped = await mpirun(go("--resume", run), { hurt: { rank: 0, signal: "SIGSTOP", after: "epoch 8/30" } });
  assertNotEquals(stopped.code, 0);
  assert(stopped.seconds < 10, `${stopped.seconds} s`);
  assertStringIncludes(stopped.stderr, "rank 0 of 2 has given no sign of life");
  const again = await mpirun(go("--resume", run));
  assertEquals(again.code, 0, again.stderr);
  const [found, expected] = await Promise.all(
    [run, `${folder}/whole`].map((each) => Deno.readFile(`${each}/checkpoint.safetensors`)),
  );
  assertEquals(found, expected);
});

test("what goes wrong is said by the rank that it happens to, or once, and ends all with a code", async (folder) => {
  const args = await training(folder, "--epochs 2 --batch-size 10");
  const go = (...flags: readonly string[]) => launched("train", ...flags, ...parallel);
  const other = args.with(1, `${folder}/none.idx`);
  const one = await mpirun([go(...args, "--out", `${folder}/a`), go(...other, "--out", `${folder}/a`)]);
  assertNotEquals(one.code, 0);
  assertStringIncludes(one.stderr, "Rank 1 of 2: Error: ");
  assertStringIncludes(one.stderr, "none.idx");
  const all = await mpirun(go(...args, "--accumulate", "2", "--out", `${folder}/b`));
  assertNotEquals(all.code, 0);
  assertEquals(all.stderr.match(/expected accumulate 1/g)?.length, 1, all.stderr);
  const diverged = await mpirun(go(...args, "--learning-rate", "1e30", "--out", `${folder}/c`));
  assertNotEquals(diverged.code, 0);
  assertMatch(diverged.stderr, /Rank 0 of 2: Error: .*(diverged|not finite)/);
});

Deno.test("without mpirun, or with a library that is not Open MPI's, the error says what was expected", async () => {
  await withFolder(async (folder) => {
    const args = [...await training(folder), ...parallel];
    const run = async (env: Record<string, string>) => {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), { args: launched("train", ...args), env })
        .output();
      assertEquals(code === 0, false);
      return new TextDecoder().decode(stderr);
    };
    const library = `${folder}/libmpi.so`;
    await Deno.writeTextFile(library, "no library");
    assertMatch(
      await run({ ELBO_MPI: library, OMPI_COMM_WORLD_SIZE: "2" }),
      /expected Open MPI's library in .*libmpi\.so, found/,
    );
    if (!ignore) {
      assertMatch(
        await run({}),
        /expected to be started by Open MPI's mpirun, found no sign of it: mpirun -n 2 deno task/,
      );
    }
  });
});
