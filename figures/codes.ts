/**
 * How often discrete codes are used.
 *
 * @module
 */

import { perplexity } from "../core/training/code_usage.ts";
import { barPlot } from "./charts.ts";
import type { Figure } from "./figure.ts";

/** A bar for the share of each code, in the order of the codes, or from the one used most; of one of several codebooks, where it is named. */
export async function codeBars(
  counts: ArrayLike<number>,
  { sorted = false, codebook }: { readonly sorted?: boolean; readonly codebook?: number } = {},
): Promise<Figure> {
  const total = Array.from(counts).reduce((sum, count) => sum + count, 0);
  const order = Array.from({ length: counts.length }, (_, code) => code);
  if (sorted) order.sort((a, b) => counts[b] - counts[a] || a - b);
  const unused = order.filter((code) => !counts[code]).length;
  return await barPlot({
    name: codebook === undefined ? "code-usage" : `code-usage-${codebook}`,
    title: `Use of the codes${codebook === undefined ? "" : ` of codebook ${codebook}`}: perplexity ${
      perplexity(counts).toFixed(1)
    } of ${counts.length}`,
    caption: `Shares of ${total} codes; ${unused || "none"} of ${counts.length} ${
      unused === 1 ? "is" : "are"
    } never used.`,
    x: "code",
    y: "share",
    bars: { categories: order, values: order.map((code) => counts[code] / total) },
  });
}
