/**
 * The plane of two latents: drag over it, and see what it decodes to.
 *
 * @module
 */

import { newest, type View } from "../app.ts";
import { choice, element, labelled, slider } from "../elements.ts";
import { pointerOn, tiles } from "../pixels.ts";

/** Images a side of the plane. */
const SIDE = 20;
/** How far it reaches, in deviations of N(0, 1). */
const REACH = 2.5;

/** The plane of z_i and z_j, and the point under the pointer. */
export const plane: View = {
  id: "plane",
  title: "Plane",
  unfit: ({ model }) => model?.can.decode ? undefined : "This model has no latents to decode.",
  mount(host, app) {
    const { engine, state } = app;
    const { latents, data: { shape, classes = 0 }, condition } = app.model!;
    let axes = state.numbers("axes", 2) ?? [0, Math.min(1, latents - 1)];
    if (axes.some((axis) => !Number.isInteger(axis) || axis < 0 || axis >= latents)) {
      axes = [0, Math.min(1, latents - 1)];
    }
    const z = state.numbers("z", latents) ?? Array<number>(latents).fill(0);
    let label = state.number("label", 0);
    const map = element("canvas", { className: "pixels touch", tabIndex: 0 });
    const one = element("canvas", { className: "pixels" });
    const where = element("p", { className: "quiet" });

    const labels = () => condition ? [label] : undefined;
    const drawMap = newest(async () => {
      const points = new Float32Array(SIDE * SIDE * latents);
      for (let i = 0; i < SIDE * SIDE; i++) {
        points.set(z, i * latents);
        points[i * latents + axes[0]] = REACH * (2 * (i % SIDE) / (SIDE - 1) - 1);
        if (latents > 1) points[i * latents + axes[1]] = REACH * (1 - 2 * Math.floor(i / SIDE) / (SIDE - 1));
      }
      tiles(map, await engine.decode(points, labels()), shape, SIDE);
    });
    const drawOne = newest(async () => {
      tiles(one, await engine.decode(Float32Array.from(z), labels()), shape, 1);
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
      choice(
        name,
        Array.from({ length: latents }, (_, i) => [String(i), `z${i + 1}`] as const),
        String(axes[which]),
        (value) => {
          axes[which] = Number(value);
          state.set("axes", axes.join(","));
          drawMap();
          drawOne();
        },
      ).host;
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
        labelled(one, "The point under the pointer, decoded"),
        where,
        latents > 2 && dimension("To the right", 0),
        latents > 2 && dimension("Upward", 1),
        condition !== undefined && classes > 0 &&
          choice(
            "Class",
            Array.from({ length: classes }, (_, c) => [String(c), String(c)] as const),
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
