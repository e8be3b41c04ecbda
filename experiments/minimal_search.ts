/**
 * The search for the smallest structure that meets a requirement, apart from what is trained: it yields structures, is told which of
 * them meet it, and says what it found.
 *
 * @module
 */

/** Widths of the hidden layers, the number of latent dimensions last. */
export type Structure = readonly number[];

/** Largest structures that are looked at. */
export interface Bounds {
  /** Most hidden layers. */
  readonly depth: number;
  /** Widest hidden layer. */
  readonly width: number;
  /** Most latent dimensions. */
  readonly latents: number;
}

/** What a search came to. */
export interface Found {
  /** The smallest structure found; undefined if none within the bounds meets the requirement. */
  readonly structure?: Structure;
  /** Every structure tried, in order, and whether it met the requirement. */
  readonly tried: readonly { readonly structure: Structure; readonly meets: boolean }[];
}

/**
 * Step 1: the smallest depth at which the widest structure meets the requirement. Step 2: for each layer from the last (the latents)
 * to the first, by binary search, the smallest width that still meets it, the other layers as they stand, no smaller than the next
 * layer's width.
 *
 * Binary search takes for granted that a structure which meets the requirement goes on doing so when a layer is widened. Where that
 * fails the result still meets it, but a smaller one may have been passed over.
 *
 * Source: Wang, "Variational Autoencoder".
 */
export function* minimalStructure({ depth, width, latents }: Bounds): Generator<Structure, Found, boolean> {
  const tried: { structure: Structure; meets: boolean }[] = [];
  function* meets(structure: Structure): Generator<Structure, boolean, boolean> {
    const known = tried.find((one) => one.structure.join() === structure.join());
    if (known) return known.meets;
    const answer = yield structure;
    tried.push({ structure, meets: answer });
    return answer;
  }

  let found: number[] | undefined;
  for (let layers = 1; layers <= depth && !found; layers++) {
    const widest = [...new Array<number>(layers).fill(width), latents];
    if (yield* meets(widest)) found = [...widest];
  }
  if (!found) return { tried };
  for (let layer = found.length - 1; layer >= 0; layer--) {
    // `high` always meets the requirement; below `low` nothing is looked for.
    let low = found[layer + 1] ?? 1;
    let high = found[layer];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (yield* meets(found.with(layer, middle))) high = middle;
      else low = middle + 1;
    }
    found[layer] = high;
  }
  return { structure: found, tried };
}

/** One tried structure and what it reached. */
export interface Reached {
  readonly structure: Structure;
  readonly value: number;
}

/**
 * Pairs in which the larger structure (no layer narrower) reached a larger, that is worse, value by more than a tolerance: where the
 * search's assumption fails.
 */
export function violations(
  reached: readonly Reached[],
  tolerance: number,
): readonly { readonly smaller: Reached; readonly larger: Reached }[] {
  const isWithin = (a: Structure, b: Structure) =>
    a.length === b.length && a.join() !== b.join() && a.every((width, i) => width <= b[i]);
  return reached.flatMap((smaller) =>
    reached.filter((larger) =>
      isWithin(smaller.structure, larger.structure) && larger.value > smaller.value + tolerance
    ).map((larger) => ({ smaller, larger }))
  );
}
