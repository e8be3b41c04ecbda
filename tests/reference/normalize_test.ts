/** The float64 normalizations: moments of what they give, and gradients by differences. */

import { assert, assertAlmostEquals } from "@std/assert";
import { draw, float64 } from "../support/compare.ts";
import { moments, normalizeBackward, normalizeForward, ofBatch, ofGroups } from "./normalize.ts";
import { centralDifferences, largestDifference } from "./numeric.ts";

const sizes = { count: 3, pixels: 4, channels: 6 };

for (const [name, setOf] of [["batch", ofBatch], ["layer", ofGroups(6, 1)], ["group", ofGroups(6, 2)]] as const) {
  Deno.test(`normalizeForward() gives each ${name} set mean 0 and variance 1`, () => {
    const x = float64(draw(72, 1)).map((value) => 3 * value + 1);
    const y = normalizeForward(x, new Float64Array(6).fill(1), new Float64Array(6), sizes, setOf, 0);
    for (const { mean, variance } of moments(y, sizes, setOf).values()) {
      assertAlmostEquals(mean, 0, 1e-12);
      assertAlmostEquals(variance, 1, 1e-12);
    }
  });

  Deno.test(`normalizeBackward() gives the gradients of normalizeForward() over ${name} sets`, () => {
    const [x, gain, offset, upstream] = [72, 6, 6, 72].map((count, stream) => float64(draw(count, stream)));
    const loss = () =>
      normalizeForward(x, gain, offset, sizes, setOf).reduce((sum, value, i) => sum + value * upstream[i], 0);
    const { dx, dGain, dOffset } = normalizeBackward(x, gain, upstream, sizes, setOf);
    const apart = [[dx, x], [dGain, gain], [dOffset, offset]].map(([gradient, values]) =>
      largestDifference(gradient, centralDifferences(loss, values))
    );
    assert(Math.max(...apart) < 1e-7, `${apart}`);
  });
}
