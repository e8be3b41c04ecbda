/**
 * Data that the model finds least probable, and most.
 *
 * @module
 */

import { className, rowsAt } from "../../../core/dataset.ts";
import type { View } from "../app.ts";
import { element, table } from "../elements.ts";
import { picture } from "../picture.ts";

/** Rows that are scored, at most, and rows shown of each end. */
const ROWS = 1000;
const SHOWN = 24;

/** Outliers first. */
export const outliers: View = {
  id: "outliers",
  title: "Outliers",
  unfit: ({ model, data }) =>
    !model?.can.score ? "This model gives data no density." : data ? undefined : "Open data to score.",
  mount(host, app) {
    const { engine } = app;
    const { data, features } = app.model!;
    const least = picture(data, "The least probable first");
    const most = picture(data, "The most probable first");
    const values = element("div");
    let gone = false;
    const measure = app.newest(async () => {
      const { x, labels } = await engine.rows({ split: "test", count: ROWS });
      const count = x.length / features;
      const scores: number[] = [];
      // In pieces, so that a training and a pointer have their turns.
      for (let from = 0; from < count && !gone; from += 200) {
        const to = Math.min(count, from + 200);
        const part = x.slice(from * features, to * features);
        scores.push(...await engine.score(part, { samples: 20, labels: labels && Array.from(labels).slice(from, to) }));
      }
      if (gone) return;
      const order = scores.map((_, row) => row).sort((a, b) => scores[a] - scores[b]);
      for (const [place, rows] of [[least, order.slice(0, SHOWN)], [most, order.slice(-SHOWN).reverse()]] as const) {
        place.show(rowsAt(x, features, rows), {
          perRow: 8,
          name: (i) => `row ${rows[i]}: ${scores[rows[i]].toFixed(1)} nats`,
        });
      }
      const line = (row: number) => [row, labels ? className(labels[row], data) : "–", scores[row].toFixed(1)];
      values.replaceChildren(
        element(
          "details",
          {},
          element("summary", {}, "As a table"),
          table(["row", "class", "log p(x), nats"], order.slice(0, SHOWN).map(line)),
        ),
      );
    });
    host.append(
      element(
        "p",
        { className: "quiet" },
        `log p(x) of the first ${ROWS} test rows, by 20 importance-weighted draws each. A low one is no proof of an anomaly: ` +
          "simple images can be more probable than those trained on.",
      ),
      element(
        "div",
        { className: "columns" },
        element("div", {}, least.host, values),
        element("div", {}, most.host),
      ),
    );
    measure();
    const unhear = app.onChange((change) => change === "data" && measure());
    return () => {
      gone = true;
      unhear();
    };
  },
};
