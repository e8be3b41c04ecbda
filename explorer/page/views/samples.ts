/**
 * Draws from the prior, decoded, and data beside their reconstructions.
 *
 * @module
 */

import { newest, type View } from "../app.ts";
import { button, element, labelled, slider } from "../elements.ts";
import { tiles } from "../pixels.ts";

/** Samples and reconstructions, which sharpen while one watches. */
export const samples: View = {
  id: "samples",
  title: "Samples",
  unfit: ({ model }) => model?.can.decode ? undefined : "This model has no latents to decode.",
  mount(host, app) {
    const { engine, state } = app;
    const { data: { shape, classes = 10 }, condition, can } = app.model!;
    let seed = state.number("seed", 0);
    let temperature = state.number("temperature", 1);
    const drawn = element("canvas", { className: "pixels" });
    const pairs = element("canvas", { className: "pixels" });
    const draw = newest(async () => {
      if (!can.sample) return;
      const labels = condition ? Array.from({ length: 64 }, (_, i) => i % classes) : undefined;
      tiles(drawn, (await engine.sample({ count: 64, seed, temperature, labels })).x, shape, 8);
    });
    const reconstruct = newest(async () => {
      if (!app.data || !can.encode) return;
      const { x, labels } = await engine.rows({ split: "test", count: 32 });
      const given = labels && Array.from(labels);
      const { mean } = await engine.encode(x, given);
      const y = await engine.decode(mean, given);
      const d = x.length / 32;
      const both = new Float32Array(2 * x.length);
      // Eight pairs a row: the datum, and its reconstruction to the right.
      for (let i = 0; i < 32; i++) {
        both.set(x.subarray(i * d, (i + 1) * d), 2 * i * d);
        both.set(y.subarray(i * d, (i + 1) * d), (2 * i + 1) * d);
      }
      tiles(pairs, both, shape, 8);
    });
    host.append(element(
      "div",
      { className: "columns" },
      element(
        "div",
        {},
        labelled(drawn, "Draws from the prior, decoded"),
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
      element("div", {}, labelled(pairs, "Test data, each with its reconstruction to the right")),
    ));
    draw();
    reconstruct();
    return app.onChange((change) => {
      if (change !== "model") draw();
      reconstruct();
    });
  },
};
