/**
 * The frame around every task: reads the flags, prints the help, passes Ctrl-C on as an AbortSignal, and turns what
 * happened into an exit code. What is printed goes through {@linkcode shown}: names come out of files.
 *
 * | code | meaning |
 * |---|---|
 * | 0 | done |
 * | 1 | failed: one line on stderr says why; `ELBO_DEBUG=1` adds the stack |
 * | 2 | the command line was wrong |
 * | 129, 130, 143 | stopped by SIGHUP (the terminal was closed), Ctrl-C, SIGTERM |
 * | 141 | whoever read the output went away |
 *
 * @module
 */

import { driversIdle } from "../../core/gpu/device.ts";
import { rankHere, type RankName } from "../../parallel/mpi.ts";
import {
  type FlagGroups,
  type Flags,
  helpText,
  type Parsed,
  parseFlags,
  peekFlag,
  UsageError,
  wantsHelp,
} from "./flags.ts";
import { listenToHangup, outlivesTerminal } from "./hangup.ts";
import { quoted } from "./quoted.ts";
import { shown, stderr, stdout, type Terminal, textColumns, wrapped } from "./terminal.ts";

/** What a task is given besides its flags. */
export interface Context {
  /** Aborted by Ctrl-C, SIGTERM and SIGHUP: finish what must be finished, then return or throw. */
  readonly signal: AbortSignal;
  /** Standard output. */
  readonly terminal: Terminal;
  /** The command line as it was given: `deno task train --dataset mnist`. */
  readonly command: string;
  /** True with `--json`. */
  readonly json: boolean;
  /** One line for people; nothing with `--json`. */
  print(line?: string): void;
  /** One value as a JSON line; nothing without `--json`. */
  emit(value: unknown): void;
}

/** One command of the command line. */
export interface Task<G extends FlagGroups = FlagGroups> {
  /** The flags, or how they follow from the command line (the flags of a model depend on `--model`). */
  readonly flags: Flags<G> | ((args: readonly string[]) => Flags<G> | Promise<Flags<G>>);
  run(options: Parsed<G>, context: Context): Promise<void> | void;
}

/** What begins a command in a checkout. */
const DENO_TASK = "deno task";

/** What {@linkcode execute} works with. */
export interface Surroundings {
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly signal: AbortSignal;
  /** Shows stacks. */
  readonly debug?: boolean;
  /** What begins a command: default `deno task`. */
  readonly program?: string;
  /** Which of several processes this is, if it is one of them. */
  readonly rank?: RankName;
}

/** Milliseconds for which a rank waits for the first to say what went wrong with all. */
const FIRST_SPEAKS = 2000;

/**
 * Runs a task and ends the process with its exit code.
 *
 * ```ts ignore
 * if (import.meta.main) await main({ flags, run });
 * ```
 */
export async function main<G extends FlagGroups>(
  task: Task<G>,
  args: readonly string[] = Deno.args,
  program: string = DENO_TASK,
): Promise<never> {
  const controller = new AbortController();
  const stopped = listen(controller);
  const ranked = peekFlag(args, "parallel") === "mpi" && !wantsHelp(args);
  const code = await execute(task, args, {
    rank: ranked ? rankHere((name) => Deno.env.get(name)) : undefined,
    // What MPI gives as a terminal may be a file at its other end.
    stdout: ranked ? { ...stdout(), interactive: false } : stdout(),
    stderr: ranked ? { ...stderr(), interactive: false } : stderr(),
    signal: controller.signal,
    debug: Deno.env.get("ELBO_DEBUG") === "1",
    program,
  });
  await idle();
  // A task that was stopped has not done all that it was asked for, however cleanly it ended.
  Deno.exit(code === 0 ? stopped() : code);
}

/**
 * Runs a task; everything that {@linkcode main} does but for the process.
 *
 * @returns The exit code.
 */
export async function execute<G extends FlagGroups>(
  task: Task<G>,
  args: readonly string[],
  { stdout, stderr, signal, debug = false, program = DENO_TASK, rank }: Surroundings,
): Promise<number> {
  let name = "";
  // What is said of commands, as they are called here.
  const called = (text: string) => program === DENO_TASK ? text : asCalled(text, program);
  const line = (text: string, screen: Terminal) => {
    const plain = shown(called(text));
    return screen.interactive ? wrapped(plain, screen.columns()).join("\n") : plain;
  };
  try {
    const flags = typeof task.flags === "function" ? await task.flags(args) : task.flags;
    name = flags.name;
    const options = parseFlags(flags, args);
    if (options.help) {
      const lines = helpText(flags, textColumns(stdout)).split("\n");
      stdout.write(lines.map((text) => shown(called(text))).join("\n"));
      return 0;
    }
    await task.run(options, {
      signal,
      terminal: stdout,
      json: options.json,
      command: [program, name, ...args.map(quoted)].join(" "),
      print: (text = "") => options.json || stdout.write(line(text, stdout) + "\n"),
      emit: (value) => options.json && stdout.write(shown(JSON.stringify(value)) + "\n"),
    });
    return 0;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return 141;
    if (signal.aborted && isAbort(error, signal)) return 0; // it ended as it was asked to
    const usage = error instanceof UsageError;
    // What is wrong with all of them is said once: by then this process has been told to end.
    if (rank && rank.rank > 0) await new Promise((resolve) => setTimeout(resolve, FIRST_SPEAKS));
    if (rank && rank.rank > 0 && signal.aborted) return 1;
    const who = rank ? `Rank ${rank.rank} of ${rank.size}: ` : "";
    stderr.write((who + describe(error, debug)).split("\n").map((text) => line(text, stderr)).join("\n") + "\n");
    if (usage && name) stderr.write(called(`deno task ${name} --help shows every flag\n`));
    return usage ? 2 : 1;
  }
}

/** Commands of a text as another program has them: `deno task train:mnist` is a task of the checkout alone. */
function asCalled(text: string, program: string): string {
  return text.replaceAll("deno task train:mnist", `${program} train --dataset mnist`)
    .replaceAll(/\bdeno task(?= [a-z])/g, program);
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}

/** The first line of the message: what follows it (a shader's text, say) is for `ELBO_DEBUG=1`. */
function describe(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return `Error: ${error}`;
  if (debug) return Deno.inspect(error);
  const [line] = error.message.split("\n", 1);
  return `Error: ${line || error.name}`;
}

/** Milliseconds after which a wait wants a word. */
const LONG_WAIT = 2000;

/** Waits for what would end the process with a fault if it were cut off. It is less than a second but with slow compilers. */
async function idle(): Promise<void> {
  const screen = stderr();
  const waiting = "Waiting for the GPU driver's compiler";
  const timer = setTimeout(() => screen.interactive && screen.write(`\r\x1b[K${waiting}`), LONG_WAIT);
  await driversIdle();
  clearTimeout(timer);
  if (screen.interactive) screen.write("\r\x1b[K");
}

/**
 * How long a second signal still counts as the first one, in milliseconds: at a terminal Ctrl-C reaches the whole
 * process group, and `deno task` passes its own on as well, so one key press gives two.
 */
const sameKeyPress = 1000;

/** Aborts at the first signal, exits at the second. Returns what gives the exit code of the signal, or 0. */
function listen(controller: AbortController): () => number {
  // Asked before there is any listener: with the first, Deno handles other signals too.
  const outlives = outlivesTerminal();
  let code = 0;
  let first = 0;
  const stop = (number: number) => () => {
    if (code === 0) {
      code = 128 + number;
      first = performance.now();
      const screen = stderr();
      if (screen.interactive) screen.write("\r\x1b[KStopping. Ctrl-C again ends at once.\n");
      controller.abort();
    } else if (performance.now() - first > sameKeyPress) {
      idle().finally(() => Deno.exit(code));
    }
  };
  Deno.addSignalListener("SIGINT", stop(2));
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop(15));
  listenToHangup(outlives, stop(1));
  return () => code;
}
