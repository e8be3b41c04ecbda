/** What a soak does, once, and how it finds that something grows. */

import { assertEquals } from "@std/assert";
import { Gpu } from "../../core/gpu/device.ts";
import { watch } from "../support/watch.ts";
import { grown, type Held } from "./growth.ts";
import { soakRound } from "./rounds.ts";

const steady: Held = { megabytes: 300, descriptors: 20, threads: 9, buffers: 0 };
const runs = (each: (i: number) => Partial<Held>) => Array.from({ length: 400 }, (_, i) => ({ ...steady, ...each(i) }));

Deno.test("grown() passes over the warm-up and single peaks, and finds what grows to the end", () => {
  assertEquals(grown([steady]), []);
  assertEquals(grown(runs((i) => ({ megabytes: Math.min(300, 3 * i), buffers: i < 90 ? i : 90 }))), []);
  assertEquals(grown(runs((i) => ({ megabytes: 300 + (i % 7 ? 0 : 200), threads: i === 399 ? 90 : 9 }))), []);
  assertEquals(grown(runs((i) => ({ megabytes: 300 + i / 3 }))), ["megabytes grew from 337 to 430, by more than 64"]);
  assertEquals(grown(runs((i) => ({ descriptors: 20 + Math.floor(i / 20), buffers: i < 350 ? 0 : 1 }))), [
    "descriptors grew from 25 to 39, by more than 4",
    "buffers grew from 0 to 1, by more than 0",
  ]);
});

Deno.test("a round of a soak leaves nothing on the GPU that all share, also where it opens one of its own", async () => {
  using gpu = await Gpu.open();
  const { alive } = watch(gpu.device);
  const file = await Deno.makeTempFile();
  for (const round of [3, 9]) {
    await soakRound(round, gpu, file);
    assertEquals(alive.size, 0);
  }
  await Deno.remove(file);
});
