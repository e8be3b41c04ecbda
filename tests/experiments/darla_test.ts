import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { ACTIONS, catching, CELLS, observations, SHAPE, stateIndex, STATES, step } from "../../experiments/catching.ts";
import { chance, learn, meanReward, QNetwork, rewardOf } from "../../experiments/q_learning.ts";

Deno.test("states have places of their own, and a thing falls until it is caught or not", () => {
  assertEquals(STATES.map(stateIndex), STATES.map((_, i) => i));
  const low = { catcher: 2, column: 3, row: CELLS - 2 };
  assertEquals(step(low, 1), { reward: 1 });
  assertEquals(step(low, 0), { reward: 0 });
  assertEquals(step({ ...low, row: 0, catcher: 0 }, -1), { next: { ...low, row: 1, catcher: 0 }, reward: 0 });
});

Deno.test("a domain changes the colours of an observation and nothing else", async () => {
  const [one, other] = [observations({ background: 0, thing: 0.5 }), observations({ background: 0.4, thing: 0.7 })];
  const size = SHAPE[0] * SHAPE[1] * 3;
  // Which pixels of a state are alike.
  const pattern = (images: Uint8Array, state: number) => {
    const names = new Map<string, number>();
    return Array.from({ length: size / 3 }, (_, i) => {
      const key = images.subarray(state * size + 3 * i, state * size + 3 * i + 3).join();
      return names.get(key) ?? (names.set(key, names.size), names.size - 1);
    });
  };
  for (const state of [0, 37, STATES.length - 1]) assertEquals(pattern(one, state), pattern(other, state));
  assert(one.some((value, i) => value !== other[i]));
  const seen = new Set(STATES.map((_, i) => one.subarray(i * size, (i + 1) * size).join()));
  assertEquals(seen.size, STATES.length);
  const { train, shape } = await catching.load();
  assertEquals(train.values.length, train.count * shape[0] * shape[1] * shape[2]);
});

Deno.test("QNetwork.update() descends ½ (Q - target)², and touches no other action", () => {
  const network = new QNetwork(3, 5, 1);
  const view = Float32Array.of(0.5, -1, 2);
  const before = network.values(view);
  for (let i = 0; i < 500; i++) network.update([{ view, action: 1, target: 0.7 }]);
  assertAlmostEquals(network.values(view)[1], 0.7, 1e-3);
  assert(before.length === ACTIONS.length && before[1] !== 0.7);
});

Deno.test("learn() comes near to the best policy on states that are told as they are", () => {
  const best = meanReward(({ catcher, column }) => 1 + Math.sign(column - catcher));
  assertEquals(best, 1);
  assertAlmostEquals(chance(), 0.2, 0.03);
  const values = Float32Array.from(
    STATES.flatMap(({ catcher, column, row }) => [catcher, column, row].map((v) => v / 2 - 1)),
  );
  const views = { values, columns: 3 };
  assert(rewardOf(new QNetwork(3, 32, 0), views) < 0.5);
  const reward = rewardOf(learn(views, { seed: 0, episodes: 2000, hidden: 32 }), views);
  assert(reward >= 0.9, `${reward}`);
});
