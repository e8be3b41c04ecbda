/**
 * The plane of two latents: drag over it, and see what it decodes to.
 *
 * @module
 */

import { className, features } from "../../../core/dataset.ts";
import { planePoints, REACH, SIDE } from "../../lattice.ts";
import type { View } from "../app.ts";
import { choice, dimensionChoice, element, labelled, slider } from "../elements.ts";
import { isTable } from "../../../core/description.ts";
import { columnName, picture, unscaled } from "../picture.ts";
import { pointerOn, tiles } from "../pixels.ts";

/** The plane of z_i and z_j, and the point under the pointer. */
export const plane: View = {
  id: "plane",
  title: "Plane",
  unfit: ({ model }) => model?.can.decode ? undefined : "This model has no latents to decode.",
  mount(host, app) {
    const { engine, state } = app;
    const { latents, data, condition } = app.model!;
    const { shape, classes = 0 } = data;
    const width = features(shape);
    let axes = state.numbers("axes", 2) ?? [0, Math.min(1, latents - 1)];
    if (axes.some((axis) => !Number.isInteger(axis) || axis < 0 || axis >= latents)) {
      axes = [0, Math.min(1, latents - 1)];
    }
    const z = state.numbers("z", latents) ?? Array<number>(latents).fill(0);
    let label = state.number("label", 0);
    const map = element("canvas", { className: "pixels touch", tabIndex: 0 });
    const one = picture(data, "The point under the pointer, decoded");
    /** The column of a table that the map shows. */
    let column = Math.min(width - 1, state.number("column", 0));
    const range = element("p", { className: "quiet" });
    const where = element("p", { className: "quiet" });

    const labels = () => condition ? [label] : undefined;
    const drawMap = app.newest(async () => {
      const x = await engine.decode(planePoints(z, axes), labels());
      if (!isTable(shape)) return tiles(map, x, shape, SIDE);
      const values = Array.from({ length: SIDE * SIDE }, (_, i) => x[i * width + column]);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      tiles(map, values.map((value) => high > low ? (value - low) / (high - low) : 0.5), [1, 1, 1], SIDE);
      const shown = (value: number) => Number(unscaled(data, column, value).toPrecision(3));
      range.textContent = `${columnName(data, column)} from ${shown(low)} (black) to ${shown(high)} (white)`;
    });
    const drawOne = app.newest(async () => {
      one.show(await engine.decode(Float32Array.from(z), labels()), { perRow: 1, name: () => "E[x | z]" });
      const [i, j] = axes;
      where.textContent = `z${i + 1} = ${z[i].toFixed(2)}` + (latents > 1 ? `, z${j + 1} = ${z[j].toFixed(2)}` : "");
    });
    const moveTo = (x: number, y: number) => {
      z[axes[0]] = REACH * (2 * x - 1);
      if (latents > 1) z[axes[1]] = REACH * (1 - 2 * y);
      state.set("z", z.map((value) => value.toFixed(3)).join(","));
      drawOne();
    };
    map.addEventListener("pointerdown", (event) => {
      map.setPointerCapture(event.pointerId);
      moveTo(...pointerOn(map, event));
    });
    map.addEventListener("pointermove", (event) => {
      if (event.buttons || event.pointerType === "mouse") moveTo(...pointerOn(map, event));
    });
    map.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 0.5 : 0.1;
      const by: Record<string, readonly [number, number]> = {
        ArrowLeft: [-step, 0],
        ArrowRight: [step, 0],
        ArrowUp: [0, step],
        ArrowDown: [0, -step],
      };
      const move = by[event.key];
      if (!move) return;
      event.preventDefault();
      const at = (axis: number, change: number) => (z[axis] + change) / REACH / 2 + 0.5;
      moveTo(at(axes[0], move[0]), 1 - at(axes[1], move[1]));
    });
    const dimension = (name: string, which: 0 | 1) =>
      dimensionChoice(name, latents, axes[which], (value) => {
        axes[which] = value;
        state.set("axes", axes.join(","));
        drawMap();
        drawOne();
      });
    host.append(element(
      "div",
      { className: "columns" },
      element(
        "div",
        {},
        labelled(map, `What the decoder makes of z, from -${REACH} to ${REACH}: move over it, or use the arrow keys`),
      ),
      element(
        "div",
        { className: "side" },
        one.host,
        where,
        ...isTable(shape)
          ? [
            choice(
              "Column",
              Array.from({ length: width }, (_, i) => [String(i), columnName(data, i)] as const),
              String(column),
              (value) => {
                state.set("column", column = Number(value));
                drawMap();
              },
            ).host,
            range,
          ]
          : [],
        latents > 2 && dimension("To the right", 0),
        latents > 2 && dimension("Upward", 1),
        condition !== undefined && classes > 0 &&
          choice(
            "Class",
            Array.from({ length: classes }, (_, c) => [String(c), className(c, data)] as const),
            String(label),
            (value) => {
              state.set("label", label = Number(value));
              drawMap();
              drawOne();
            },
          ).host,
        ...(latents > 2
          ? [element(
            "details",
            {},
            element("summary", {}, "The other dimensions"),
            ...z.map((value, k) =>
              slider(`z${k + 1}`, { min: -3, max: 3, step: 0.05, value }, (to) => {
                z[k] = to;
                drawMap();
                drawOne();
              }).host
            ),
          )]
          : []),
      ),
    ));
    drawMap();
    drawOne();
    return app.onChange((change) => {
      if (change !== "weights") return;
      drawMap();
      drawOne();
    });
  },
};
