/** Chunks in turn: the next one is recorded before the thread waits for one, and handed over before anything else. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Chunk, inTurn, Pace } from "../../core/gpu/chunks.ts";

const [onGpu, onProcessor] = [true, false].map((concurrent) => ({ strategy: { concurrent } }));

/** Chunks that say what is done with them, each giving its number. */
function logged(log: string[], count: number, failing?: string): () => Chunk<number> | undefined {
  let recorded = 0;
  const say = (word: string) => {
    log.push(word);
    if (word === failing) throw new Error(word);
  };
  return () => {
    if (recorded === count) return undefined;
    const i = ++recorded;
    say(`record ${i}`);
    return {
      submit: () => say(`submit ${i}`),
      // The call of mapAsync, which keeps the thread; what it promises comes later.
      read() {
        say(`wait ${i}`);
        return new Promise((resolve) => setTimeout(() => resolve(i)));
      },
    };
  };
}

Deno.test("inTurn() records a chunk while the one before runs, and hands it over as soon as that is done", async () => {
  const log: string[] = [];
  for await (const i of inTurn(onGpu, logged(log, 3))) log.push(`results ${i}`);
  assertEquals(log, [
    ...["record 1", "submit 1"],
    ...["record 2", "wait 1", "submit 2", "results 1"],
    ...["record 3", "wait 2", "submit 3", "results 2"],
    ...["wait 3", "results 3"],
  ]);
});

Deno.test("inTurn() on a processor leaves it to the chunk that runs, and records the next one when that is done", async () => {
  const log: string[] = [];
  for await (const i of inTurn(onProcessor, logged(log, 3))) log.push(`results ${i}`);
  assertEquals(log, [
    ...["record 1", "submit 1"],
    ...["wait 1", "record 2", "submit 2", "results 1"],
    ...["wait 2", "record 3", "submit 3", "results 2"],
    ...["wait 3", "results 3"],
  ]);
});

Deno.test("inTurn() gives nothing of no chunks, and throws what fails", async () => {
  assertEquals(await Array.fromAsync(inTurn(onGpu, logged([], 0))), []);
  assertEquals(await Array.fromAsync(inTurn(onGpu, logged([], 1))), [1]);
  for (const failing of ["record 2", "submit 1", "submit 2", "wait 1"]) {
    await assertRejects(() => Array.fromAsync(inTurn(onGpu, logged([], 3, failing))), Error, failing);
  }
});

Deno.test("Pace comes to chunks of 80 ms by fours at most, leaves the first out, and keeps within bounds", () => {
  const clock = performance.now;
  let time = 0;
  performance.now = () => time;
  try {
    // Milliseconds a step, and the sizes that follow.
    for (
      const [ms, sizes] of [[10, [1, 1, 4, 8, 8]], [100, [1, 1, 1, 1, 1]], [0.01, [1, 1, 4, 16, 64]]] as const
    ) {
      const pace = new Pace();
      const found: number[] = [];
      pace.begin();
      for (const _ of sizes) {
        found.push(pace.size);
        // The first compiles for five seconds.
        time += pace.size * ms + (found.length === 1 ? 5000 : 0);
        pace.done(pace.size);
      }
      assertEquals(found, [...sizes]);
      assert(Math.abs(pace.rate - 1000 / ms) < 1e-6 * pace.rate, `${pace.rate}`);
      for (let i = 0; i < 9; i++) {
        time += pace.size * ms;
        pace.done(pace.size);
      }
      assertEquals(pace.size, Math.min(1024, Math.max(1, Math.round(80 / ms))));
      pace.begin();
      assertEquals(pace.rate, 0);
    }
  } finally {
    performance.now = clock;
  }
});
