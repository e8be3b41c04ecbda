/**
 * What each latent dimension does: the decoder along one of them, the others held at an encoding.
 *
 * @module
 */

import type { View } from "../app.ts";
import { button, element, slider } from "../elements.ts";
import { picture } from "../picture.ts";

/** Images along a dimension, and the ends of the way. */
const STEPS = 9;
const REACH = 2.5;
/** Dimensions shown. */
const MOST = 12;

/** Traversals, those of the largest KL first. */
export const traversal: View = {
  id: "traversal",
  title: "Traversals",
  unfit: ({ model }) => model?.can.decode ? undefined : "This model has no latents to decode.",
  mount(host, app) {
    const { engine, state } = app;
    const { latents, data, condition, can } = app.model!;
    let row = state.number("from", 0);
    const moved = picture(
      data,
      `Each dimension in turn from -${REACH} to ${REACH}, the others held at the encoding of a datum`,
    );
    const order = element("p", { className: "quiet" });
    const one = picture(data, "The decoded point of the sliders");
    const sliders = element("div");
    const here = app.newest(async (z: Float32Array<ArrayBuffer>, labels: number[] | undefined) =>
      one.show(await engine.decode(z, labels), { perRow: 1, name: () => "E[x | z]" })
    );
    const draw = app.newest(async () => {
      let z = new Float32Array(latents);
      let kl: readonly number[] | undefined;
      let labels: number[] | undefined;
      if (app.data && can.encode) {
        const datum = await engine.rows({ split: "test", rows: [row] });
        labels = datum.labels && condition ? [datum.labels[0]] : undefined;
        z = (await engine.encode(datum.x, labels)).mean;
        ({ kl } = await engine.encodeRows({ split: "test", count: 500 }));
      }
      const dimensions = Array.from({ length: latents }, (_, k) => k)
        .sort((a, b) => (kl?.[b] ?? 0) - (kl?.[a] ?? 0)).slice(0, MOST);
      const points = new Float32Array(dimensions.length * STEPS * latents);
      dimensions.forEach((k, i) => {
        for (let step = 0; step < STEPS; step++) {
          const from = (i * STEPS + step) * latents;
          points.set(z, from);
          points[from + k] = REACH * (2 * step / (STEPS - 1) - 1);
        }
      });
      moved.show(await engine.decode(points, labels), {
        ...{ perRow: STEPS, gap: 1 },
        name: (row) => {
          const k = dimensions[Math.floor(row / STEPS)];
          return `z${k + 1} = ${points[row * latents + k].toFixed(2)}`;
        },
      });
      const name = (k: number) => `z${k + 1}${kl ? ` (${kl[k].toFixed(2)} nats)` : ""}`;
      const at = z.slice();
      sliders.replaceChildren(
        ...dimensions.map((k) => {
          const reach = Math.max(3, Math.ceil(Math.abs(at[k])));
          const range = { min: -reach, max: reach, step: 0.05, value: Number(at[k].toFixed(2)) };
          return slider(name(k), range, (value) => {
            at[k] = value;
            here(at.slice(), labels);
          }).host;
        }),
      );
      here(at.slice(), labels);
      order.textContent = `Rows from above: ${dimensions.map(name).join(", ")}.`;
    });
    const move = (by: number) => {
      const count = app.data?.test ?? 1;
      state.set("from", row = (row + by + count) % count);
      draw();
    };
    host.append(
      moved.host,
      order,
      element(
        "div",
        { className: "row" },
        button("Datum before", () => move(-1)),
        button("Next datum", () => move(1)),
      ),
      element(
        "div",
        { className: "columns" },
        element("div", {}, element("h3", {}, "Every dimension, the one that holds most first"), sliders),
        element("div", { className: "small" }, one.host),
      ),
    );
    draw();
    return app.onChange((change) => change !== "model" && draw());
  },
};
