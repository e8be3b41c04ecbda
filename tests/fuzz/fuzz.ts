/**
 * `deno task fuzz`: damaged files of every format, for every reader, until the time is up. It ends with 1 where a reader
 * threw a raw error, hung, took too much memory or accepted what its checksum does not fit.
 *
 * @module
 */

import type { Settings } from "../../core/settings.ts";
import { UsageError } from "../../tasks/cli/flags.ts";
import { type Context, main } from "../../tasks/cli/run.ts";
import type { Fault } from "./examine.ts";
import { formats } from "./formats.ts";

interface Fuzzing {
  readonly minutes: number;
  readonly seed: number;
  readonly only: readonly string[];
  readonly case: number;
}

const names = formats.map(({ name }) => name);

const settings: Settings<Fuzzing> = {
  minutes: { type: "number", default: 1, minimum: 0, exclusiveMinimum: true, help: "how long" },
  seed: { type: "integer", default: 0, minimum: 0, maximum: 0xffffffff, help: "where every input follows from" },
  only: { type: "strings", default: [], help: `the formats: ${names.join(", ")} (default: all)` },
  case: { type: "integer", default: -1, minimum: -1, help: "one input again, of the format that --only names" },
};

/** How long an input may keep the process that reads it, in milliseconds. */
const HANGS = 10_000;
/** How long the process may take to load what it reads them with. */
const STARTS = 60_000;

/** What a format came to. */
interface Counts {
  inputs: number;
  accepted: number;
  refused: number;
  faults: number;
}

/** Inputs in a row of one process; its memory is then given back. */
const ROUND = 20_000;

/** Bytes of the heap of that process: what takes more is a fault. */
const HEAP_MIB = 1024;

/** Tries inputs from one on, in a process, until it ends, dies or the signal comes; gives where to go on. */
async function round(
  { seed, from, count, chosen, signal }: {
    readonly seed: number;
    readonly from: number;
    readonly count: number;
    readonly chosen: readonly string[];
    readonly signal: AbortSignal;
  },
  note: (format: string, outcome: "accepted" | "refused" | Fault) => void,
): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--lock=tests/deno.lock", `--v8-flags=--max-old-space-size=${HEAP_MIB}`],
      ...[new URL("worker.ts", import.meta.url).href, `${seed}`, `${from}`, `${count}`, ...chosen],
    ],
    cwd: new URL("../../", import.meta.url),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  let begun = -1;
  let hung = false;
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  };
  const hang = () => {
    hung = true;
    kill();
  };
  let timer = setTimeout(hang, STARTS);
  signal.addEventListener("abort", kill);
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    clearTimeout(timer);
    timer = setTimeout(hang, HANGS);
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const { begin, format, outcome } = JSON.parse(line);
      if (format) {
        note(format, outcome);
        begun = -1;
      } else begun = begin;
    }
  }
  clearTimeout(timer);
  signal.removeEventListener("abort", kill);
  const { code } = await child.status;
  if (code === 0 || signal.aborted) return from + count;
  const [reason] = (await errors).trim().split("\n").slice(-1);
  if (begun < 0) throw new Error(`Cannot fuzz: the process that reads ended with ${code}: ${reason}`);
  note(chosen[begun % chosen.length], {
    format: chosen[begun % chosen.length],
    case: Math.floor(begun / chosen.length),
    kind: hung ? "slow" : "crash",
    message: hung ? `more than ${HANGS / 1000} s` : `exit code ${code}: ${reason}`,
  });
  return begun + 1;
}

function describe({ format, case: index, kind, message, changes, input }: Fault, seed: number): string {
  return [
    `${format} ${index}: ${kind}: ${message}`,
    ...(changes?.map((change) => `  changed ${change}`) ?? []),
    ...(input ? [`  ${input}`] : []),
    `  again: deno task fuzz --seed ${seed} --only ${format} --case ${index}`,
  ].join("\n");
}

async function fuzz(fuzzing: Fuzzing, context: Context): Promise<void> {
  const { minutes, seed, only, case: index } = fuzzing;
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`--only: expected ${names.join(", ")}, found ${unknown}`);
  if (index >= 0 && only.length !== 1) throw new UsageError("--case: expected one format, named by --only");
  const chosen = only.length ? only : names;
  const counts = new Map(
    chosen.map((name): [string, Counts] => [name, { inputs: 0, accepted: 0, refused: 0, faults: 0 }]),
  );
  const note = (format: string, outcome: "accepted" | "refused" | Fault) => {
    const count = counts.get(format)!;
    count.inputs++;
    if (typeof outcome === "string") {
      count[outcome]++;
      return;
    }
    // The same again and again would hide the others.
    if (++count.faults > 20) return;
    for (const line of describe(outcome, seed).split("\n")) context.print(line);
    context.emit({ event: "fault", seed, ...outcome });
  };
  const signal = index >= 0 ? context.signal : AbortSignal.any([context.signal, AbortSignal.timeout(60_000 * minutes)]);
  const began = performance.now();
  if (index >= 0) await round({ seed, from: index, count: 1, chosen, signal }, note);
  for (let from = 0; index < 0 && !signal.aborted;) {
    from = await round({ seed, from, count: ROUND, chosen, signal }, note);
  }
  context.signal.throwIfAborted();
  for (const [format, count] of counts) {
    context.print(
      `${format.padEnd(12)} ${count.inputs} inputs, ${count.accepted} accepted, ${count.refused} refused in words, ` +
        `${count.faults} faults`,
    );
    context.emit({ event: "format", format, ...count });
  }
  const sum = (key: keyof Counts) => counts.values().reduce((all, count) => all + count[key], 0);
  const total = {
    ...{ inputs: sum("inputs"), accepted: sum("accepted"), refused: sum("refused"), faults: sum("faults") },
    ...{ seed, minutes: (performance.now() - began) / 60_000 },
  };
  context.print(
    `${total.inputs} inputs of seed ${seed} in ${total.minutes.toFixed(1)} minutes, ${total.faults} faults`,
  );
  context.emit({ event: "end", ...total });
  if (total.faults) throw new Error(`Found ${total.faults} faults; seed ${seed}`);
}

if (import.meta.main) {
  await main({
    flags: {
      name: "fuzz",
      summary: "Gives damaged files of every format to what reads it, and tells whatever is not refused in words.",
      groups: { fuzz: { title: "Fuzzing", settings, placeholders: { only: "NAME,...", case: "N" } } },
      examples: [
        "deno task fuzz --minutes 10",
        "deno task fuzz --seed 7 --only npz,mat",
        "deno task fuzz --seed 7 --only npz --case 1234",
      ],
    },
    run: ({ values }, context) => fuzz(values.fuzz, context),
  });
}
