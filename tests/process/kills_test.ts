/** A few of the kills of kills.ts; a recorded run of many is in bench/results. */

import { assertEquals } from "@std/assert";
import { kills } from "./kills.ts";

Deno.test("train and experiment, killed at random moments and gone on with, end with the bytes of runs nobody killed", async () => {
  assertEquals((await Array.fromAsync(kills(6, 1, 2))).length, 6);
});
