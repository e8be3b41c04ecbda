/**
 * Draw a datum: its encoding, its reconstruction and its probability; or rub out a part of one and have it filled in.
 *
 * @module
 */

import { className } from "../../../core/dataset.ts";
import type { View } from "../app.ts";
import { button, choice, element, labelled } from "../elements.ts";
import { isTable } from "../../../core/description.ts";
import { picture } from "../picture.ts";
import { pointerOn, tiles } from "../pixels.ts";

/** Drawing and imputation, with the same brush. */
export const draw: View = {
  id: "draw",
  title: "Draw",
  unfit: ({ model }) =>
    !model?.can.encode || !model.can.decode
      ? "This model does not encode and decode."
      : isTable(model.data.shape)
      ? "This model is of tables, not of images."
      : undefined,
  mount(host, app) {
    const { engine, state } = app;
    const { features, latents, data: { shape, classes = 0 }, condition, can } = app.model!;
    const [height, width, channels] = shape;
    let x = new Float32Array(features);
    let mask = new Uint8Array(features).fill(1);
    let mode = state.get("brush") ?? "draw";
    let label = state.number("label", 0);
    let row = 0;
    const sheet = element("canvas", { className: "pixels touch", tabIndex: 0 });
    const back = element("canvas", { className: "pixels" });
    const filled = picture(app.model!.data, "What was hidden, filled in");
    const said = element("p", { "aria-live": "polite" });
    const given = () => condition ? [label] : undefined;

    const paint = () => {
      // What is missing is shown in the middle, striped.
      const shown = x.map((value, i) => {
        const pixel = Math.floor(i / channels);
        return mask[i] ? value : (pixel % width + Math.floor(pixel / width)) % 2 ? 0.65 : 0.35;
      });
      tiles(sheet, shown, shape, 1);
    };
    const compute = app.newest(async () => {
      const { mean, logVariance } = await engine.encode(x, given());
      tiles(back, await engine.decode(mean, given()), shape, 1);
      const values = Array.from(
        mean.subarray(0, 6),
        (value, k) => `z${k + 1} = ${value.toFixed(2)} ± ${Math.exp(logVariance[k] / 2).toFixed(2)}`,
      );
      const more = latents > 6 ? ` and ${latents - 6} more` : "";
      const [score] = can.score ? await engine.score(x, { samples: 50, labels: given() }) : [];
      said.textContent = `Encoded as ${values.join(", ")}${more}.` +
        (score === undefined ? "" : ` log p(x) is about ${score.toFixed(1)} nats.`);
    });
    const fill = app.newest(async () => {
      if (mask.every((known) => known) || !mask.some((known) => known)) return;
      filled.show(await engine.impute(x, mask, { iterations: 20, labels: given() }), { perRow: 1 });
    });
    const changed = () => {
      paint();
      compute();
    };
    const dab = (event: PointerEvent) => {
      const [u, v] = pointerOn(sheet, event);
      const [cx, cy] = [u * width, v * height];
      const radius = mode === "draw" ? 0.055 * width : 0.1 * width;
      for (let i = 0; i < width * height; i++) {
        const distance = Math.hypot(i % width + 0.5 - cx, Math.floor(i / width) + 0.5 - cy);
        const ink = Math.min(1, Math.max(0, 1.4 * radius - distance));
        for (let c = 0; c < channels; c++) {
          const at = i * channels + c;
          if (mode === "draw") x[at] = Math.max(x[at], ink);
          else if (mode === "erase") x[at] = Math.min(x[at], 1 - ink);
          else if (distance < radius) mask[at] = 0;
        }
      }
      if (mode === "hide") paint();
      else changed();
    };
    sheet.addEventListener("pointerdown", (event) => {
      sheet.setPointerCapture(event.pointerId);
      dab(event);
    });
    sheet.addEventListener("pointermove", (event) => event.buttons && dab(event));
    sheet.addEventListener("pointerup", () => fill());
    const clear = () => {
      x = new Float32Array(features);
      mask = new Uint8Array(features).fill(1);
      filled.host.hidden = true;
      changed();
    };
    const load = () =>
      app.attempt(async () => {
        if (!app.data) return;
        const datum = await engine.rows({ split: "test", rows: [row++ % app.data.test] });
        x = datum.x;
        mask = new Uint8Array(features).fill(1);
        if (condition && datum.labels) label = datum.labels[0];
        changed();
      });
    const hideHalf = () => {
      mask = Uint8Array.from({ length: features }, (_, i) => Math.floor(i / channels) % width < width / 2 ? 1 : 0);
      paint();
      fill();
    };
    host.append(
      element(
        "div",
        { className: "row" },
        choice(
          "Brush",
          [["draw", "draws"], ["erase", "erases"], ["hide", "hides, to be filled in"]],
          mode,
          (value) => state.set("brush", mode = value),
        ).host,
        condition !== undefined && classes > 0 &&
          choice(
            "Class",
            Array.from({ length: classes }, (_, c) => [String(c), className(c, app.model!.data)] as const),
            String(label),
            (value) => {
              label = Number(value);
              changed();
            },
          ).host,
      ),
      element(
        "div",
        { className: "row" },
        button("Clear", clear),
        button("A datum", load),
        button("Hide the right half", hideHalf),
      ),
      element(
        "div",
        { className: "columns three" },
        labelled(sheet, "Draw here"),
        labelled(back, "The reconstruction: its encoding, decoded"),
        filled.host,
      ),
      said,
    );
    void load();
    return app.onChange((change) => change !== "model" && compute());
  },
};
