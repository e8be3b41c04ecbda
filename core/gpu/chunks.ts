/**
 * Work for the GPU in pieces, so that it is never without: Deno's `mapAsync` keeps the thread until the GPU has done *all* that was
 * submitted (measured with Deno 2.9.6; as wgpu's own, where it is followed by a poll that waits: https://github.com/gfx-rs/wgpu/issues/1871),
 * so the next piece must be ready by then, and be handed over before anything else.
 *
 * @module
 */

/** About how long a chunk should take: long beside handing it over, short enough to be stopped between two, and to show progress. */
const SECONDS = 0.08;
/** Steps of a chunk at most. */
const MOST = 1024;

/** Work that is recorded. */
export interface Chunk<T> {
  /** Hands it to the GPU. */
  submit(): void;
  /** What it computed, once it was submitted. May keep the thread until all is done that was submitted. */
  read(): Promise<T>;
}

/**
 * Runs chunks one after another. Each is recorded while the one before runs, so that between two of them a GPU waits only for a submit; an
 * adapter that runs on the processor would pay for that twice over, and has the next one recorded between. Nothing else runs between
 * recording a chunk and handing it over, so what it writes into buffers is not overwritten.
 *
 * @param gpu Where they run.
 * @param next Records the next chunk; undefined after the last.
 * @returns What each chunk computed, while the next one runs.
 */
export async function* inTurn<T>(
  { strategy: { concurrent } }: { readonly strategy: { readonly concurrent: boolean } },
  next: () => Chunk<T> | undefined,
): AsyncGenerator<T> {
  let current = next();
  current?.submit();
  while (current) {
    const ready = concurrent ? next() : undefined;
    const results = current.read();
    // If handing over fails, that is what went wrong.
    results.catch(() => {});
    const following = concurrent ? ready : next();
    following?.submit();
    yield await results;
    current = following;
  }
}

/** How many steps a chunk should have, by how long those before took. */
export class Pace {
  readonly #wanted: () => number;
  #size = 1;
  #compiled = false;
  #steps = 0;
  #seconds = 0;
  #since = 0;
  /** Steps a second, through a {@linkcode Pace.begin}. */
  #known = 0;

  /** @param wanted Seconds that a chunk should take, asked before each; with 0 it has one step. */
  constructor(wanted: () => number = () => SECONDS) {
    this.#wanted = wanted;
  }

  /** Steps for the next chunk. */
  get size(): number {
    return this.#known ? Math.min(this.#size, Math.max(1, Math.round(this.#wanted() * this.#known))) : this.#size;
  }

  /** Steps a second since the last {@linkcode Pace.begin}; 0 as long as that is not known. */
  get rate(): number {
    return this.#seconds > 0 ? this.#steps / this.#seconds : 0;
  }

  /** Measures anew: from now on chunks follow on one another. */
  begin(): void {
    this.#steps = this.#seconds = 0;
    this.#since = performance.now();
  }

  /** A chunk of so many steps is done. */
  done(steps: number): void {
    const now = performance.now();
    const taken = (now - this.#since) / 1000;
    this.#since = now;
    // The first chunk of all holds the compilation.
    if (!this.#compiled) {
      this.#compiled = true;
      return;
    }
    this.#steps += steps;
    this.#seconds += taken;
    this.#known = this.rate;
    this.#size = Math.max(1, Math.min(MOST, 4 * this.#size, Math.round(this.#wanted() * this.rate)));
  }
}
