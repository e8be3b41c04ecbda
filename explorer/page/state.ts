/**
 * The state of the page in its address, so that a link shows again what was seen: `#run=vae-mnist&view=plane&z=0.5,-1`.
 *
 * @module
 */

/** Names and values of the address; listeners hear of changes that others made. */
export class State {
  readonly #values: Map<string, string>;
  readonly #listeners = new Set<(name: string) => void>();
  #writing: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#values = read();
    addEventListener("hashchange", () => {
      const now = read();
      for (const name of new Set([...now.keys(), ...this.#values.keys()])) {
        const value = now.get(name);
        if (value === this.#values.get(name)) continue;
        if (value === undefined) this.#values.delete(name);
        else this.#values.set(name, value);
        for (const listener of this.#listeners) listener(name);
      }
    });
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** A finite number, or the default. */
  number(name: string, otherwise: number): number {
    const text = this.#values.get(name);
    const value = text === undefined || text === "" ? NaN : Number(text);
    return Number.isFinite(value) ? value : otherwise;
  }

  /** Numbers with commas between; undefined unless there are so many. */
  numbers(name: string, count: number): number[] | undefined {
    const values = this.#values.get(name)?.split(",").map(Number);
    return values?.length === count && values.every(Number.isFinite) ? values : undefined;
  }

  /** Keeps a value; without one, forgets it. The address follows soon after, and no page of history is added. */
  set(name: string, value: string | number | undefined): void {
    if (value === undefined || value === "") this.#values.delete(name);
    else this.#values.set(name, String(value));
    clearTimeout(this.#writing);
    this.#writing = setTimeout(() => history.replaceState(null, "", this.address), 200);
  }

  /** The address of what is seen. */
  get address(): string {
    return `#${new URLSearchParams([...this.#values])}`;
  }

  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function read(): Map<string, string> {
  return new Map(new URLSearchParams(location.hash.slice(1)));
}
