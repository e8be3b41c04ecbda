/**
 * Encodings of all rows by label, the prior behind them, and the datum under the pointer.
 *
 * @module
 */

import { className } from "../../../core/dataset.ts";
import type { Encodings } from "../../engine.ts";
import type { View } from "../app.ts";
import { colour, sharp } from "../charts.ts";
import { button, choice, dimensionChoice, element, labelled, table } from "../elements.ts";
import { picture } from "../picture.ts";
import { colourOf, MARKS, pointerOn } from "../pixels.ts";

/** How far the plot reaches at least and at most, in deviations of N(0, 1). */
const REACH = { least: 4, most: 8 };
/** Side of the plot, CSS pixels. */
const SIDE = 520;

/** The scatter of latents. */
export const scatter: View = {
  id: "scatter",
  title: "Latents",
  unfit: ({ model, data }) =>
    !model?.can.encode ? "This model does not encode." : data ? undefined : "Open data to encode.",
  mount(host, app) {
    const { engine, state } = app;
    const { latents, data } = app.model!;
    const { classes = 0 } = data;
    let axes = state.numbers("axes", 2) ?? [0, Math.min(1, latents - 1)];
    let only = state.number("only", -1);
    let split: "train" | "test" = state.get("split") === "train" ? "train" : "test";
    let encoded: Encodings | undefined;
    let chosen = state.number("row", -1);
    const map = element("canvas", { className: "touch", tabIndex: 0 });
    const one = picture(data, "The datum under the pointer");
    const near = picture(data, "Its nearest neighbours in latent space");
    const said = element(
      "p",
      { className: "quiet", "aria-live": "polite" },
      "Move over the points to see data and their neighbours, or use the arrow keys.",
    );
    const summary = element("div");

    let reach = REACH.least;
    const place = (value: number) => (value / reach + 1) / 2;
    const at = (row: number) => axes.map((axis) => encoded!.mean[row * latents + axis]);
    const drawMap = () => {
      const side = Math.min(SIDE, map.parentElement?.clientWidth || SIDE);
      const context = sharp(map, side, side);
      context.strokeStyle = colour("--line");
      // The prior's one, two and three deviations.
      for (const radius of [1, 2, 3]) {
        context.beginPath();
        context.arc(side / 2, side / 2, radius / reach * side / 2, 0, 2 * Math.PI);
        context.stroke();
      }
      if (!encoded) return;
      const count = encoded.mean.length / latents;
      const size = count > 4000 ? 2 : 3;
      context.globalAlpha = count > 4000 ? 0.6 : 0.8;
      for (let row = 0; row < count; row++) {
        const label = encoded.labels?.[row];
        if (only >= 0 && label !== only) continue;
        const [x, y] = at(row);
        context.fillStyle = colourOf(label);
        context.fillRect(place(x) * side - size / 2, (1 - place(y)) * side - size / 2, size, size);
      }
      context.globalAlpha = 1;
      if (chosen >= 0 && chosen < count) {
        const [x, y] = at(chosen);
        context.strokeStyle = colour("--ink");
        context.lineWidth = 2;
        context.beginPath();
        context.arc(place(x) * side, (1 - place(y)) * side, 7, 0, 2 * Math.PI);
        context.stroke();
      }
    };
    /** Rows by their distance from a row in all of latent space. */
    const neighbours = (row: number): number[] => {
      const { mean } = encoded!;
      const distance = (other: number) => {
        let sum = 0;
        for (let k = 0; k < latents; k++) sum += (mean[row * latents + k] - mean[other * latents + k]) ** 2;
        return sum;
      };
      return Array.from({ length: mean.length / latents }, (_, other) => [other, distance(other)] as const)
        .sort(([, a], [, b]) => a - b).slice(1, 13).map(([other]) => other);
    };
    const show = app.newest(async (row: number) => {
      chosen = row;
      state.set("row", row);
      drawMap();
      const { x, labels } = await engine.rows({ split, rows: [row] });
      one.show(x, { perRow: 1, name: () => `row ${row}` });
      const beside = neighbours(row);
      near.show((await engine.rows({ split, rows: beside })).x, { perRow: 6, name: (i) => `row ${beside[i]}` });
      const [a, b] = at(row);
      said.textContent =
        `${split === "test" ? "Test" : "Training"} row ${row}${
          labels ? `, class ${className(labels[0], data)}` : ""
        }: z${axes[0] + 1} = ${a.toFixed(2)}` +
        (latents > 1 ? `, z${axes[1] + 1} = ${b.toFixed(2)}` : "");
    });
    const encode = app.newest(async () => {
      encoded = await engine.encodeRows({ split });
      const furthest = encoded.mean.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      reach = Math.min(REACH.most, Math.max(REACH.least, Math.ceil(furthest)));
      drawMap();
      const { mean, logVariance } = encoded;
      const count = mean.length / latents;
      const rows = Array.from({ length: latents }, (_, k) => {
        let [sum, squares, variance] = [0, 0, 0];
        for (let row = 0; row < count; row++) {
          sum += mean[row * latents + k];
          squares += mean[row * latents + k] ** 2;
          variance += Math.exp(logVariance[row * latents + k]);
        }
        const spread = squares / count - (sum / count) ** 2;
        const kl = encoded!.kl?.[k];
        return [`z${k + 1}`, (sum / count).toFixed(2), (spread + variance / count).toFixed(2), kl?.toFixed(3) ?? "–"];
      });
      summary.replaceChildren(
        element("p", {}, "The aggregate posterior beside the prior, whose mean is 0 and variance 1:"),
        table(["latent", "mean", "variance", "KL, nats"], rows),
      );
    });
    const pick = (event: PointerEvent) => {
      if (!encoded) return;
      const [x, y] = pointerOn(map, event).map((value) => reach * (2 * value - 1));
      let [best, least] = [-1, Infinity];
      for (let row = 0; row < encoded.mean.length / latents; row++) {
        if (only >= 0 && encoded.labels?.[row] !== only) continue;
        const [a, b] = at(row);
        const distance = (a - x) ** 2 + (b + y) ** 2;
        if (distance < least) [best, least] = [row, distance];
      }
      if (best >= 0) show(best);
    };
    map.addEventListener("pointermove", pick);
    map.addEventListener("pointerdown", pick);
    map.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step || !encoded) return;
      event.preventDefault();
      const count = encoded.mean.length / latents;
      show((Math.max(0, chosen) + step + count) % count);
    });
    const dimension = (name: string, which: 0 | 1) =>
      dimensionChoice(name, latents, axes[which], (value) => {
        axes = axes.map((axis, i) => i === which ? value : axis);
        state.set("axes", axes.join(","));
        drawMap();
      });
    const legend = element(
      "div",
      { className: "row legend", role: "group", "aria-label": "Show one class" },
      ...Array.from(
        { length: classes },
        (_, label) =>
          button(`${MARKS[label % MARKS.length]} ${className(label, data)}`, () => {
            only = only === label ? -1 : label;
            state.set("only", only < 0 ? undefined : only);
            for (const [i, each] of [...legend.children].entries()) {
              each.setAttribute("aria-pressed", String(only === i));
            }
            drawMap();
          }, { style: `border-left: 6px solid ${colourOf(label)}`, "aria-pressed": String(only === label) }),
      ),
    );
    host.append(element(
      "div",
      { className: "columns" },
      element(
        "div",
        {},
        labelled(map, "Means of q(z | x). Circles: one, two and three deviations of the prior"),
        legend,
        choice("Rows", [["test", "test"], ["train", "training"]], split, (value) => {
          split = value as typeof split;
          state.set("split", value);
          chosen = -1;
          encode();
        }).host,
        latents > 2 && dimension("To the right", 0),
        latents > 2 && dimension("Upward", 1),
      ),
      element(
        "div",
        { className: "side" },
        element("div", { className: "small" }, one.host),
        said,
        near.host,
        summary,
      ),
    ));
    drawMap();
    encode();
    return app.onChange((change) => change !== "model" && encode());
  },
};
