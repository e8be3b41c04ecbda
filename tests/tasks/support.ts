/**
 * Running tasks within the test process: a screen that keeps what was written, a small dataset by the name of "blocks", and a folder
 * to work in.
 *
 * @module
 */

import type { Dataset, DatasetSource } from "../../core/dataset.ts";
import { uniforms } from "../../core/graph/random.ts";
import { datasets } from "../../datasets/mod.ts";
import type { FlagGroups } from "../../tasks/cli/flags.ts";
import { execute, type Task } from "../../tasks/cli/run.ts";
import type { Terminal } from "../../tasks/cli/terminal.ts";
import { withFolder } from "../support/folder.ts";

/** The root of the project. */
export const root = new URL("../../", import.meta.url).pathname;

/** 240 rows of 4 x 4 grey pixels: one half bright, with noise. */
export function blocks(): Dataset {
  const noise = uniforms(new Float32Array(240 * 16), 5, 0, 0);
  const values = Uint8Array.from(noise, (u, i) => ((i >> 4) % 2 === (i % 16 < 8 ? 0 : 1) ? 200 : 0) + 55 * u);
  const rows = { values, count: 240 };
  return { name: "blocks", shape: [4, 4, 1], train: rows, test: rows };
}

const source: DatasetSource = {
  name: "blocks",
  summary: "blocks",
  source: "this test",
  load: () => Promise.resolve(blocks()),
};
// The list is read-only for everyone but a test that wants a dataset in no time.
(datasets as Map<string, DatasetSource>).set(source.name, source);

/** The settings of a training of half a second: 4 epochs of 10 steps or less. */
export const small: readonly string[] =
  "--dataset blocks --hidden 6 --latents 2 --batch-size 21 --epochs 4 --validation 40 --seed 3".split(" ");

/** What a task did. */
export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How {@linkcode attempt} runs a task. */
export interface AttemptOptions {
  readonly signal?: AbortSignal;
  /** Sees all of stdout whenever something is written to it. */
  readonly onWrite?: (stdout: string) => void;
}

/** Runs a task and keeps what it writes. */
export async function attempt<G extends FlagGroups>(
  task: Task<G>,
  args: readonly string[],
  { signal = new AbortController().signal, onWrite }: AttemptOptions = {},
): Promise<Result> {
  const screen = (watch?: (text: string) => void): Terminal & { text: string } => ({
    text: "",
    interactive: false,
    columns: () => 80,
    write(text) {
      this.text += text;
      watch?.(this.text);
    },
  });
  const [stdout, stderr] = [screen(onWrite), screen()];
  const code = await execute(task, args, { stdout, stderr, signal });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** Every line of a text as JSON. */
// deno-lint-ignore no-explicit-any
export function jsonLines(text: string): any[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Runs a test in a folder of its own, which is also the working directory. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const before = Deno.cwd();
  await withFolder((folder) => {
    Deno.chdir(folder);
    // A folder that is worked in cannot be removed everywhere.
    return test(folder).finally(() => Deno.chdir(before));
  });
}
