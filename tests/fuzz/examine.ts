/**
 * Tries inputs and judges what comes of them. A reader refuses in words (a FileError that names the file, in a line), or
 * accepts what makes sense; everything else is a fault.
 *
 * @module
 */

import { FileError } from "../../core/bounds.ts";
import { withFolder } from "../support/folder.ts";
import { Case, hash } from "./case.ts";
import type { Files, Format } from "./formats.ts";

/** What was wrong. */
export interface Fault {
  readonly format: string;
  /** Which input of that format; with the seed it gives the same again. */
  readonly case: number;
  /** "raw": another error than a FileError; "words": one that says too little; "accepted", "slow", "memory", "crash". */
  readonly kind: "raw" | "words" | "accepted" | "slow" | "memory" | "crash";
  readonly message: string;
  /** The fewest changes of a sound file that come to the same. */
  readonly changes?: readonly string[];
  /** The first file of that, in base64, where it is small. */
  readonly input?: string;
}

/** What came of one input. */
export type Outcome = "accepted" | "refused" | Pick<Fault, "kind" | "message">;

/** How long reading a small file may take, in milliseconds. */
const SLOW = 2000;

/** What reading a small file may allocate at once, in bytes: what deflate makes of it at most, as float32. */
const LARGE = 2 ** 28;

/** The largest array that was made since the last call, by constructors that are called by their global names. */
let largest = 0;

/** Watches how large typed arrays are asked for; memory that is not touched shows nowhere else. */
export function watchAllocations(): void {
  for (const name of ["Uint8Array", "Float32Array", "Float64Array", "Uint32Array", "ArrayBuffer"] as const) {
    const original = globalThis[name] as unknown as new (...args: unknown[]) => ArrayBuffer;
    const width = (original as unknown as { readonly BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
    Object.defineProperty(globalThis, name, {
      value: new Proxy(original, {
        construct(target, args, newTarget) {
          if (typeof args[0] === "number") largest = Math.max(largest, width * args[0]);
          return Reflect.construct(target, args, newTarget === globalThis[name] ? target : newTarget);
        },
      }),
    });
  }
}

/** Whether an input is a sound file with one bit turned where a checksum covers it. */
const isTurned = (format: Format, seed: number) => format.covered !== undefined && hash(seed, 0xbad) % 8 === 0;

/** The files of an input. */
function filesOf(format: Format, c: Case): Files {
  if (!isTurned(format, c.seed)) return format.write(c);
  // Nothing else is changed.
  const files = format.write(new Case(c.seed, new Set()));
  const [[name, bytes]] = Object.entries(files);
  const [from, to] = format.covered!(bytes);
  const turned = bytes.slice();
  turned[from + hash(c.seed, 0xb17) % (to - from)] ^= 1 << hash(c.seed, 0xb18) % 8;
  return { ...files, [name]: turned };
}

/** Reads files, in a folder of their own that is emptied afterwards. */
function outcomeOf(format: Format, files: Files, turned: boolean): Promise<Outcome> {
  return withFolder(async (folder) => {
    const [[name, bytes]] = Object.entries(files);
    for (const [name, content] of Object.entries(files)) {
      const path = `${folder}/case/${name}`;
      await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeFile(path, content);
    }
    largest = 0;
    const began = performance.now();
    let outcome: Outcome;
    try {
      await format.read(`${folder}/case/${name}`, bytes);
      outcome = turned ? { kind: "accepted", message: "a bit turned under a checksum" } : "accepted";
    } catch (error) {
      outcome = refusal(error, `${folder}/case`);
    }
    const took = performance.now() - began;
    if (typeof outcome !== "string") return outcome;
    if (took > SLOW) return { kind: "slow", message: `${(took / 1000).toFixed(1)} s` };
    if (largest > LARGE) return { kind: "memory", message: `an array of ${largest} bytes` };
    return outcome;
  });
}

function refusal(error: unknown, folder: string): Outcome {
  if (!(error instanceof Error)) return { kind: "raw", message: String(error) };
  if (!(error instanceof FileError)) {
    const kind = error.constructor.name === "Inconsistent" ? "accepted" : "raw";
    const at = error.stack?.split("\n").slice(1, 3).map((line) => line.trim().replace(/file:\/\/.*\//, "")).join(" ");
    return { kind, message: `${error.name}: ${error.message.slice(0, 300)} ${at}` };
  }
  const { message } = error;
  const says = message.startsWith("Cannot ") && message.includes(folder) && message.includes(": ") &&
    /expected|known/.test(message);
  return says && !message.includes("\n") && message.length < 1000 ? "refused" : { kind: "words", message };
}

/** The seed of an input. */
export function seedOf(seed: number, format: string, index: number): number {
  return hash(seed, ...[...format].map((letter) => letter.charCodeAt(0)), index);
}

/** Reads a sound file, so that what is loaded at first use does not count as slow. */
export async function warmUp(format: Format): Promise<void> {
  await outcomeOf(format, format.write(new Case(0, new Set())), false);
}

/** Tries one input; a fault is told with the fewest changes that come to it. */
export async function examine(format: Format, seed: number, index: number): Promise<"accepted" | "refused" | Fault> {
  const own = seedOf(seed, format.name, index);
  const attempt = async (only?: ReadonlySet<number>) => {
    const c = new Case(own, only);
    const files = filesOf(format, c);
    const once = () => outcomeOf(format, files, isTurned(format, own));
    let outcome = await once();
    // On a machine that is busy anything may take long, once.
    if (typeof outcome !== "string" && outcome.kind === "slow") outcome = await once();
    return { outcome, changes: c.changes, files };
  };
  let least = await attempt();
  if (typeof least.outcome === "string") return least.outcome;
  const { kind } = least.outcome;
  for (const field of least.changes.keys()) {
    const fewer = await attempt(new Set([...least.changes.keys()].filter((other) => other !== field)));
    if (typeof fewer.outcome !== "string" && fewer.outcome.kind === kind) least = fewer;
  }
  const { message } = least.outcome as Fault;
  const [bytes] = Object.values(least.files);
  return {
    ...{ format: format.name, case: index, kind, message, changes: [...least.changes.values()] },
    ...(bytes.length <= 8192 ? { input: bytes.toBase64() } : {}),
  };
}
