/** Ranks of one process, which wait for one another as those of several do. */

import type { Ranks } from "../../core/graph/ranks.ts";

/** So many ranks. Where they ask for sums of different lengths, each of them fails. */
export function ranksHere(size: number): Ranks[] {
  let meeting = Promise.withResolvers<Float64Array>();
  let given: (Float32Array | Float64Array)[] = [];
  return Array.from({ length: size }, (_, rank) => ({
    rank,
    size,
    async sum(values) {
      const here = meeting;
      given[rank] = values.slice();
      if (given.filter(Boolean).length === size) {
        const all = given;
        [meeting, given] = [Promise.withResolvers(), []];
        if (all.some(({ length }) => length !== values.length)) {
          here.reject(
            new Error(`Cannot add: expected as many values of each rank, found ${all.map((each) => each.length)}`),
          );
        } else {
          const total = all[0].slice();
          for (const each of all.slice(1)) each.forEach((value, i) => total[i] += value);
          here.resolve(total as Float64Array);
        }
      }
      values.set(await here.promise);
    },
  }));
}
