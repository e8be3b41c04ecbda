/**
 * The process that reads the inputs: what kills it, or hangs in it, leaves the fuzzer alive. It takes `seed format ... from`
 * as arguments, writes the name of each input before it reads it, and the outcome after it.
 *
 * @module
 */

import { examine, warmUp, watchAllocations } from "./examine.ts";
import { formats } from "./formats.ts";

/** One line of JSON. */
const say = (value: unknown) => Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value)}\n`));

if (import.meta.main) {
  const [seed, from, count, ...names] = Deno.args;
  watchAllocations();
  const chosen = names.map((name) => formats.find((format) => format.name === name)!);
  for (const format of chosen) await warmUp(format);
  for (let i = Number(from); i < Number(from) + Number(count); i++) {
    const format = chosen[i % chosen.length];
    const index = Math.floor(i / chosen.length);
    say({ begin: i });
    say({ format: format.name, outcome: await examine(format, Number(seed), index) });
  }
}
