/**
 * Draws from the prior, decoded, and data beside their reconstructions.
 *
 * @module
 */

import type { View } from "../app.ts";
import { button, element, slider } from "../elements.ts";
import { pairName, picture } from "../picture.ts";
import { inPairs } from "../pixels.ts";

/** Samples and reconstructions, which sharpen while one watches. */
export const samples: View = {
  id: "samples",
  title: "Samples",
  unfit: ({ model }) => model?.can.decode ? undefined : "This model has no latents to decode.",
  mount(host, app) {
    const { engine, state } = app;
    const { data, features, condition, can } = app.model!;
    const { classes = 10 } = data;
    let seed = state.number("seed", 0);
    let temperature = state.number("temperature", 1);
    const drawn = picture(data, "Draws from the prior, decoded");
    const pairs = picture(data, "Test data, each followed by its reconstruction");
    const draw = app.newest(async () => {
      if (!can.sample) return;
      const labels = condition ? Array.from({ length: 64 }, (_, i) => i % classes) : undefined;
      drawn.show((await engine.sample({ count: 64, seed, temperature, labels })).x, { perRow: 8 });
    });
    const reconstruct = app.newest(async () => {
      if (!app.data || !can.encode) return;
      const { x, labels } = await engine.rows({ split: "test", count: 32 });
      const given = labels && Array.from(labels);
      const { mean } = await engine.encode(x, given);
      const y = await engine.decode(mean, given);
      // Eight pairs a row: the datum, and its reconstruction to the right.
      pairs.show(inPairs(x, y, features), { perRow: 8, name: pairName });
    });
    host.append(element(
      "div",
      { className: "columns" },
      element(
        "div",
        {},
        drawn.host,
        element(
          "div",
          { className: "row" },
          button("Draw again", () => {
            state.set("seed", ++seed);
            draw();
          }),
        ),
        slider("Temperature", { min: 0, max: 2, step: 0.05, value: temperature }, (value) => {
          state.set("temperature", temperature = value);
          draw();
        }).host,
      ),
      element("div", {}, pairs.host),
    ));
    draw();
    reconstruct();
    return app.onChange((change) => {
      if (change !== "model") draw();
      reconstruct();
    });
  },
};
