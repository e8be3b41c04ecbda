/**
 * How probable a model finds data, datum by datum.
 *
 * @module
 */

import { histogramPlot } from "./charts.ts";
import type { Figure } from "./figure.ts";

/** What a score is. */
const MEANINGS = {
  exact: "log p(x)",
  estimate: "an estimate of log p(x)",
  reconstruction: "log p(x | z) at the encoding of x, of a model without a density",
};

/**
 * A histogram of the scores of data, with their mean.
 *
 * @param values Nats, one for each datum.
 * @param kind What was measured, as `scores` of evaluation/ says it.
 */
export async function scoreHistogram(values: ArrayLike<number>, kind: keyof typeof MEANINGS): Promise<Figure> {
  const all = Array.from(values);
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  return await histogramPlot({
    name: "scores",
    title: "How probable single data are",
    caption: `${MEANINGS[kind]} of each of ${all.length} data; the outliers are on the left.`,
    x: "score (nats)",
    sets: [{ name: "data", values }],
    marks: [{ name: `mean ${mean.toFixed(1)}`, value: mean }],
  });
}
