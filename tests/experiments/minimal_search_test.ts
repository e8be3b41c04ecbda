import { assert, assertEquals } from "@std/assert";
import {
  type Bounds,
  type Found,
  minimalStructure,
  type Structure,
  violations,
} from "../../experiments/minimal_search.ts";

/** Searches with oracles in place of trainings. */
function search(
  bounds: Bounds,
  reconstruction: (structure: Structure) => boolean,
  kl: (structure: Structure) => boolean = () => true,
): Found {
  const steps = minimalStructure(bounds);
  let next = steps.next();
  while (!next.done) next = steps.next({ reconstruction: reconstruction(next.value), kl: kl(next.value) });
  return next.value;
}

const bounds: Bounds = { depth: 3, width: 500, latents: 3 };

Deno.test("minimalStructure() finds the smallest widths of an oracle that is monotone", () => {
  // What was published: depth 2, 284 units at least in the second layer and 324 in the first.
  const { structure, tried } = search(bounds, (s) => s.length === 3 && s[0] >= 324 && s[1] >= 284 && s[2] >= 3);
  assertEquals(structure, [324, 284, 3]);
  assertEquals(tried[0].structure, [500, 3]);
  assertEquals(tried[1].structure, [500, 500, 3]);
  // Binary search: no more than 9 steps for a layer of 500.
  assert(tried.length <= 2 + 2 + 9 + 9, `${tried.length} points`);
});

Deno.test("minimalStructure() asks for no structure twice, and never for a layer narrower than the next", () => {
  const { tried } = search(bounds, (s) => s.length === 3 && s.reduce((sum, width) => sum + width) >= 600);
  const names = tried.map(({ structure }) => structure.join());
  assertEquals(new Set(names).size, names.length);
  for (const { structure } of tried) {
    assert(structure.every((width, i) => i === 0 || width <= structure[i - 1]), structure.join());
  }
});

Deno.test("minimalStructure() stops at the least depth, and goes down to one unit a layer where all meet", () => {
  assertEquals(search(bounds, () => true).structure, [1, 1]);
});

Deno.test("minimalStructure() first narrows all hidden layers alike where the KL is too large, then each by itself", () => {
  const kl = (s: Structure) => Math.max(...s) <= 137;
  const { structure, tried } = search(bounds, (s) => s.length === 3 && s[0] >= 90 && s[1] >= 40, kl);
  assertEquals(structure, [90, 40, 1]);
  // Ten halvings from 500 on find 137.
  assertEquals(tried.slice(1, 4).map(({ structure }) => structure), [[500, 500, 3], [251, 251, 3], [126, 126, 3]]);
  assert(tried.some(({ structure, meets }) => meets && structure.join() === "137,137,3"));
});

Deno.test("minimalStructure() goes on to the next depth where no width has a small enough KL and reconstructs", () => {
  assertEquals(search({ ...bounds, width: 8 }, () => true, (s) => s.length > 2).structure, [1, 1, 1]);
  assertEquals(search({ ...bounds, width: 8, depth: 1 }, (s) => s[0] > 6, (s) => s[0] < 6).structure, undefined);
});

Deno.test("minimalStructure() finds nothing where the widest of the greatest depth does not do", () => {
  const { structure, tried } = search(bounds, () => false);
  assertEquals(structure, undefined);
  assertEquals(tried.map(({ structure }) => structure), [[500, 3], [500, 500, 3], [500, 500, 500, 3]]);
});

Deno.test("minimalStructure() ends on a structure that meets, even if one failed run misled it", () => {
  // 282 units fail though 250 would do: the smaller half is never looked at.
  const oracle = (s: Structure) =>
    s.length === 3 && s[1] >= 200 && s[0] >= 300 && !(s[1] > 240 && s[1] <= 282) && s[2] === 3;
  const { structure, tried } = search(bounds, oracle);
  assert(structure && oracle(structure));
  assertEquals(tried.findLast(({ structure: s }) => s.join() === structure.join())?.meets, true);
  assertEquals(structure, [300, 283, 3]);
});

Deno.test("violations() names the pairs in which a larger structure did worse, beyond a tolerance", () => {
  const reached = [
    { structure: [310, 284, 3], value: 120.4 },
    { structure: [323, 284, 3], value: 120.5 },
    { structure: [500, 282, 3], value: 141.4 },
    { structure: [500, 500, 3], value: 117.6 },
  ];
  const pairs = (tolerance: number) =>
    violations(reached, tolerance).map(({ smaller, larger }) => [smaller.structure[0], larger.structure[0]]);
  assertEquals(pairs(0), [[310, 323]]);
  assertEquals(pairs(0.2), []);
  // Neither of [310, 284] and [500, 282] is the larger one; [500] alone is of another depth.
  assertEquals(violations([reached[0], { structure: [500, 3], value: 200 }], 0), []);
});
