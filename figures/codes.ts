/**
 * How often discrete codes are used.
 *
 * @module
 */

import { barPlot } from "./charts.ts";
import type { Figure } from "./figure.ts";

/**
 * exp(-Σₖ pₖ log pₖ): how many codes would give as much entropy if all were used alike, from 1 to the number of codes
 *
 * @param counts How often each code was used.
 */
export function perplexityOf(counts: ArrayLike<number>): number {
  const total = Array.from(counts).reduce((sum, count) => sum + count, 0);
  return Math.exp(
    -Array.from(counts).reduce((sum, count) => sum + (count ? count / total * Math.log(count / total) : 0), 0),
  );
}

/** A bar for the share of each code, in the order of the codes, or from the one used most. */
export async function codeUsage(
  counts: ArrayLike<number>,
  { sorted = false }: { readonly sorted?: boolean } = {},
): Promise<Figure> {
  const total = Array.from(counts).reduce((sum, count) => sum + count, 0);
  const order = Array.from({ length: counts.length }, (_, code) => code);
  if (sorted) order.sort((a, b) => counts[b] - counts[a] || a - b);
  const unused = order.filter((code) => !counts[code]).length;
  return await barPlot({
    name: "code-usage",
    title: `Use of the codes: perplexity ${perplexityOf(counts).toFixed(1)} of ${counts.length}`,
    caption: `Shares of ${total} codes; ${unused || "none"} of ${counts.length} ${
      unused === 1 ? "is" : "are"
    } never used.`,
    x: "code",
    y: "share",
    bars: { categories: order, values: order.map((code) => counts[code] / total) },
  });
}
