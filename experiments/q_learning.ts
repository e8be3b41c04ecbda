/**
 * Q-learning with a small network on the host, in a world whose states can be listed. It knows no pixels: what a state looks like is a row of
 * numbers.
 *
 * @module
 */

import { uniforms } from "../core/graph/random.ts";
import { ACTIONS, type State, stateIndex, STATES, step } from "./catching.ts";

/** What a policy sees of every state: [STATES, columns], row-major. */
export interface Views {
  readonly values: Float32Array;
  readonly columns: number;
}

/** How {@linkcode learn} learns. */
export interface LearnOptions {
  readonly seed: number;
  /** Things that fall, at most. Default: 8000. */
  readonly episodes?: number;
  /** Mean reward of the greedy policy at which it stops. Default: 0.9, nine tenths of the best. */
  readonly enough?: number;
  /** Units of the one hidden layer. Default: 64. */
  readonly hidden?: number;
}

/** Transitions for an update. */
const BATCH = 32;

/** Of rewards that are a step later. */
const DISCOUNT = 0.95;

/** Steps between two copies of the network that the targets follow from. */
const TARGET_STEPS = 200;

/** Of Adam. */
const RATE = 2e-3;

/** Things that fall while actions are less and less at random. */
const EXPLORED = 1000;

/** Things that fall from one look at the greedy policy to the next. */
const LOOK = 250;

/** Q(s, ·) = W₂ relu(W₁ s + b₁) + b₂ */
export class QNetwork {
  readonly parameters: Float32Array;
  readonly #moments: readonly [Float32Array, Float32Array];
  #updates = 0;

  constructor(readonly columns: number, readonly hidden: number, seed: number) {
    const count = (columns + 1) * hidden + (hidden + 1) * ACTIONS.length;
    this.parameters = new Float32Array(count);
    this.#moments = [new Float32Array(count), new Float32Array(count)];
    const draws = uniforms(new Float32Array(count), seed, 0, 0x91e7);
    draws.forEach((u, i) => {
      const [first, second, last] = this.#places;
      // Units begin open, and listen to nothing: what never changes where the policy is learned is not listened to elsewhere.
      if (i >= first && i < second) this.parameters[i] = u;
      else if (i >= second && i < last) this.parameters[i] = (2 * u - 1) / Math.sqrt(hidden);
    });
  }

  /** Where W₁ [hidden, columns], b₁, W₂ [actions, hidden] and b₂ begin. */
  get #places(): readonly [number, number, number] {
    const { columns, hidden } = this;
    return [columns * hidden, (columns + 1) * hidden, (columns + 1) * hidden + hidden * ACTIONS.length];
  }

  /** relu(W₁ s + b₁) */
  #hiddenOf(view: Float32Array): Float32Array {
    const { columns, hidden, parameters } = this;
    const [bias] = this.#places;
    const h = new Float32Array(hidden);
    for (let j = 0; j < hidden; j++) {
      let sum = parameters[bias + j];
      for (let i = 0; i < columns; i++) sum += parameters[j * columns + i] * view[i];
      h[j] = Math.max(0, sum);
    }
    return h;
  }

  /** Q of each action. */
  values(view: Float32Array): number[] {
    const h = this.#hiddenOf(view);
    const { parameters } = this;
    const [, second, last] = this.#places;
    return ACTIONS.map((_, a) => {
      let sum = parameters[last + a];
      for (let j = 0; j < this.hidden; j++) sum += parameters[second + a * this.hidden + j] * h[j];
      return sum;
    });
  }

  /** The action of the greatest Q. */
  greedy(view: Float32Array): number {
    const q = this.values(view);
    return q.indexOf(Math.max(...q));
  }

  /** One step of Adam on the mean over a batch of ½ (Q(s, a) - target)². */
  update(batch: readonly { readonly view: Float32Array; readonly action: number; readonly target: number }[]): void {
    const { columns, hidden, parameters } = this;
    const [bias, second, last] = this.#places;
    const gradient = new Float32Array(parameters.length);
    for (const { view, action, target } of batch) {
      const h = this.#hiddenOf(view);
      const at = second + action * hidden;
      let q = parameters[last + action];
      for (let j = 0; j < hidden; j++) q += parameters[at + j] * h[j];
      const error = (q - target) / batch.length;
      gradient[last + action] += error;
      for (let j = 0; j < hidden; j++) {
        if (h[j] === 0) continue;
        gradient[at + j] += error * h[j];
        const back = error * parameters[at + j];
        gradient[bias + j] += back;
        for (let i = 0; i < columns; i++) gradient[j * columns + i] += back * view[i];
      }
    }
    const [m, v] = this.#moments;
    this.#updates++;
    const [first, square] = [1 - 0.9 ** this.#updates, 1 - 0.999 ** this.#updates];
    for (let i = 0; i < parameters.length; i++) {
      m[i] = 0.9 * m[i] + 0.1 * gradient[i];
      v[i] = 0.999 * v[i] + 0.001 * gradient[i] ** 2;
      parameters[i] -= RATE * m[i] / first / (Math.sqrt(v[i] / square) + 1e-8);
    }
  }
}

/** States in which something has just begun to fall. */
const BEGINNINGS = STATES.filter(({ row }) => row === 0);

const row = ({ values, columns }: Views, state: State) => {
  const at = stateIndex(state) * columns;
  return values.subarray(at, at + columns);
};

/**
 * Learns Q from all that happened so far, by a network whose targets are those of an older copy. Actions are at random at first, and less
 * and less; it ends when the greedy policy is good enough.
 *
 * Source: Mnih et al., "Human-level control through deep reinforcement learning", Nature 518, 2015, algorithm 1.
 */
export function learn(views: Views, { seed, episodes = 8000, enough = 0.9, hidden = 64 }: LearnOptions): QNetwork {
  const network = new QNetwork(views.columns, hidden, seed);
  // The greatest Q of every state, by the older network.
  const older = () => STATES.map((state) => Math.max(...network.values(row(views, state))));
  let best = older();
  const seen: { state: State; action: number; reward: number; next?: State }[] = [];
  let place = 0;
  // Numbers in [0, 1), in turn.
  let drawn = new Float32Array();
  const random = () => {
    if (place % 4096 === 0) drawn = uniforms(new Float32Array(4096), seed, place / 4096, 0x3b1d);
    return drawn[place++ % 4096];
  };
  const below = (n: number) => Math.min(n - 1, Math.floor(random() * n));
  for (let episode = 0; episode < episodes; episode++) {
    if (episode % LOOK === 0 && rewardOf(network, views) >= enough) break;
    const exploring = Math.max(0.1, 1 - episode / EXPLORED);
    let state: State | undefined = BEGINNINGS[below(BEGINNINGS.length)];
    while (state) {
      const action: number = random() < exploring ? below(ACTIONS.length) : network.greedy(row(views, state));
      const { next, reward } = step(state, ACTIONS[action]);
      seen.push({ state, action, reward, ...(next ? { next } : {}) });
      state = next;
      if (seen.length < BATCH) continue;
      const batch = Array.from({ length: BATCH }, () => {
        const { state, action, reward, next } = seen[below(seen.length)];
        return { view: row(views, state), action, target: reward + (next ? DISCOUNT * best[stateIndex(next)] : 0) };
      });
      network.update(batch);
      if (seen.length % TARGET_STEPS === 0) best = older();
    }
  }
  return network;
}

/** Mean reward for each thing that falls, over all beginnings, of a policy that acts by what it sees. */
export function meanReward(act: (state: State) => number): number {
  let total = 0;
  for (const beginning of BEGINNINGS) {
    let state: State | undefined = beginning;
    while (state) {
      const { next, reward }: ReturnType<typeof step> = step(state, ACTIONS[act(state)]);
      total += reward;
      state = next;
    }
  }
  return total / BEGINNINGS.length;
}

/** The same of acting at random. */
export function chance(): number {
  const expected = (state: State): number =>
    ACTIONS.reduce((sum: number, action) => {
      const { next, reward } = step(state, action);
      return sum + (reward + (next ? expected(next) : 0)) / ACTIONS.length;
    }, 0);
  return BEGINNINGS.reduce((sum, state) => sum + expected(state), 0) / BEGINNINGS.length;
}

/** The same of a network, greedy, that sees those views. */
export function rewardOf(network: QNetwork, views: Views): number {
  return meanReward((state) => network.greedy(row(views, state)));
}
