/**
 * A small rendered world to act in: things fall and are to be caught. Colours differ from domain to domain, what is to be done does not. It
 * trains nothing.
 *
 * @module
 */

import type { DatasetSource, Split } from "../core/dataset.ts";
import { uniforms } from "../core/graph/random.ts";

/** Cells a side. The bottom row is the catcher's. */
export const CELLS = 5;

/** Pixels a side of a cell. */
const PIXELS = 3;

/** Pixels a side of an observation. */
const SIDE = CELLS * PIXELS;

/** [height, width, channels] of an observation. */
export const SHAPE: readonly [number, number, number] = [SIDE, SIDE, 3];

/** To the left, stay, to the right. */
export const ACTIONS = [-1, 0, 1] as const;

/** What an observation shows, but for colours. */
export interface State {
  /** Column of the catcher. */
  readonly catcher: number;
  /** Column of what falls. */
  readonly column: number;
  /** Its row, from 0 at the top; in the last one it is caught or not. */
  readonly row: number;
}

/** Colours, each a hue from 0 (red) to 1 (red again). */
export interface Domain {
  readonly background: number;
  /** Of what falls. */
  readonly thing: number;
}

/** Every state in which there is something to do, in the order of {@linkcode stateIndex}. */
export const STATES: readonly State[] = Array.from({ length: CELLS * CELLS * (CELLS - 1) }, (_, i) => ({
  catcher: i % CELLS,
  column: Math.floor(i / CELLS) % CELLS,
  row: Math.floor(i / CELLS ** 2),
}));

/** The place of a state in {@linkcode STATES}. */
export function stateIndex({ catcher, column, row }: State): number {
  return catcher + CELLS * (column + CELLS * row);
}

/** What an action leads to: the thing falls by a row. The next state is undefined where it has come to the bottom. */
export function step(
  { catcher, column, row }: State,
  action: typeof ACTIONS[number],
): { readonly next?: State; readonly reward: number } {
  const moved = Math.min(CELLS - 1, Math.max(0, catcher + action));
  if (row + 1 < CELLS - 1) return { next: { catcher: moved, column, row: row + 1 }, reward: 0 };
  return { reward: Number(moved === column) };
}

/** A colour of a hue, from 0 to `value`, as red, green and blue. */
function colour(hue: number, value: number): readonly [number, number, number] {
  const channel = (shift: number) => {
    const h = ((hue + shift) % 1 + 1) % 1 * 6;
    return value * Math.min(1, Math.max(0, Math.abs(h - 3) - 1));
  };
  return [channel(0), channel(-1 / 3), channel(-2 / 3)];
}

/** Draws a state in the colours of a domain, [height, width, 3] bytes, at an offset. The catcher is white. */
export function draw(state: State, domain: Domain, out: Uint8Array, offset = 0): void {
  const [background, thing] = [colour(domain.background, 0.35), colour(domain.thing, 1)];
  const { catcher, column, row } = state;
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [cellY, cellX] = [Math.floor(y / PIXELS), Math.floor(x / PIXELS)];
      const isThing = cellY === row && cellX === column;
      const isCatcher = cellY === CELLS - 1 && cellX === catcher;
      const [r, g, b] = isCatcher ? [1, 1, 1] : isThing ? thing : background;
      out.set([255 * r, 255 * g, 255 * b], offset + 3 * (y * SIDE + x));
    }
  }
}

/** All states in the colours of a domain: [STATES, height, width, 3] bytes. */
export function observations(domain: Domain): Uint8Array<ArrayBuffer> {
  const size = SIDE * SIDE * 3;
  const out = new Uint8Array(STATES.length * size);
  STATES.forEach((state, i) => draw(state, domain, out, i * size));
  return out;
}

/** What is seen while acting at random, in domains of all hues: one for each thing that falls. */
function wandering(count: number, seed: number): Split {
  const size = SIDE * SIDE * 3;
  const values = new Uint8Array(count * size);
  const draws = uniforms(new Float32Array(5 * count), seed, 0, 0x6a7c);
  let state: State | undefined;
  let domain: Domain = { background: 0, thing: 0 };
  for (let n = 0; n < count; n++) {
    const [catcher, column, background, thing, action] = draws.subarray(5 * n, 5 * n + 5);
    if (!state) {
      domain = { background, thing };
      state = { catcher: Math.floor(catcher * CELLS), column: Math.floor(column * CELLS), row: 0 };
    }
    draw(state, domain, values, n * size);
    state = step(state, ACTIONS[Math.floor(action * ACTIONS.length)]).next;
  }
  return { values, count };
}

/** Observations of a random policy in all domains. */
export const catching: DatasetSource = {
  name: "catching",
  summary: "observations of a random policy in a small world of things that fall, in domains of all hues",
  source: "generated",
  load: () =>
    Promise.resolve({ name: "catching", shape: SHAPE, train: wandering(20_000, 0), test: wandering(2_000, 1) }),
};
