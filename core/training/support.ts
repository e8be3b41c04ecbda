/**
 * Whether values can be data of a likelihood. What a likelihood is a distribution of, its model says.
 *
 * @module
 */

import type { Model, Support } from "../model.ts";
import type { Binarization } from "../ops/gather.ts";
import { describeValues, type ValueSummary } from "../values.ts";

/** What each kind of likelihood is a distribution of, and which values are such data. */
const supports: Readonly<Record<Support, { readonly of: string; readonly kinds: readonly ValueSummary["kind"][] }>> = {
  binary: { of: "of 0 and 1, or of grey values from 0 to 1", kinds: ["binary", "bytes", "unit"] },
  unit: { of: "of numbers from 0 to 1", kinds: ["binary", "bytes", "unit"] },
  bytes: { of: "of the 256 values of a byte", kinds: ["binary", "bytes"] },
  density: { of: "of any numbers", kinds: ["binary", "bytes", "unit", "real"] },
};

/** What to do with numbers that do not lie in [0, 1]. */
function scaled({ minimum, maximum }: ValueSummary): string {
  if (minimum >= 0) return `divide them by ${maximum > 1 && maximum <= 255 && maximum > 127 ? 255 : "the largest"}`;
  return minimum >= -1 && maximum <= 1 ? "take (x + 1) / 2 of them" : "scale them to [0, 1]";
}

/**
 * Checks that values are data of a model's likelihood.
 *
 * @param what What was to be done with them, for the message.
 * @throws {RangeError} If they are not; the message says what to do.
 */
export function requireSupport(
  what: string,
  model: Model,
  config: object,
  range: ValueSummary,
  binarize: Binarization,
): void {
  const found = describeValues(range);
  if (binarize !== "none" && range.kind === "real") {
    throw new RangeError(`Cannot ${what}: expected values from 0 to 1 to binarize, found ${found}; ${scaled(range)}`);
  }
  const support = model.support?.(config) ?? "binary";
  const { of, kinds } = supports[support];
  if (binarize !== "none" || kinds.includes(range.kind)) return;
  const { likelihood = `of ${model.name}` } = config as { readonly likelihood?: string };
  const way = range.kind === "unit" ? "round them to steps of 1/255" : scaled(range);
  throw new RangeError(
    `Cannot ${what}: the likelihood ${likelihood} is ${of}, found ${found}; ${way}, ` +
      "or use a likelihood of any numbers, as gaussian-shared",
  );
}
