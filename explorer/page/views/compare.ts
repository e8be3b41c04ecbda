/**
 * Two runs side by side: the curves of both in one plot, where their settings differ, and what each makes of the same z and the same data.
 *
 * @module
 */

import { newest, type View } from "../app.ts";
import { type Line, lineChart } from "../charts.ts";
import { button, choice, element, labelled, table } from "../elements.ts";
import { tiles } from "../pixels.ts";
import { checkpointOf, epochsOf } from "../source.ts";

/** Compares the run that is open with another. */
export const compare: View = {
  id: "compare",
  title: "Compare",
  unfit: ({ manifest }) =>
    manifest.models.length > 1 ? undefined : "There is one model here: a second one to compare with is missing.",
  mount(host, app) {
    const { engine, manifest, state } = app;
    const names = manifest.models.map(({ name, title }) => [name, title] as const);
    const chosen = [
      state.get("left") ?? state.get("run") ?? names[0][0],
      state.get("right") ?? names.find(([name]) => name !== state.get("run"))?.[0] ?? names[1][0],
    ];
    const curves = element("canvas");
    const differing = element("div");
    const sides = [0, 1].map(() => ({
      drawn: element("canvas", { className: "pixels" }),
      back: element("canvas", { className: "pixels" }),
      about: element("p", { className: "quiet" }),
    }));
    const measure = newest(async () => {
      const found = chosen.map((name) => manifest.models.find((each) => each.name === name)!);
      const lines: Line[] = [];
      for (const [i, run] of found.entries()) {
        const points = (await epochsOf(run)).map(({ epoch, train, validation }) =>
          [epoch, (validation ?? train).elbo] as const
        );
        lines.push({ name: run.title, colour: i ? "--second" : "--accent", dash: i ? [5, 3] : [], points });
      }
      lineChart(curves, lines, "epochs");
      const before = await engine.save().catch(() => undefined);
      const told: Record<string, unknown>[] = [];
      try {
        for (const [i, run] of found.entries()) {
          const info = await engine.open(await checkpointOf(run));
          const { shape } = info.data;
          told.push({ model: info.model, ...info.training, ...info.config });
          sides[i].about.textContent = `${info.model}, ${info.latents} latents, ${
            info.parameters.toLocaleString("en")
          } parameters`;
          if (info.can.sample) tiles(sides[i].drawn, (await engine.sample({ count: 36, seed: 1 })).x, shape, 6);
          if (!app.data || app.data.shape.join() !== shape.join() || !info.can.encode) continue;
          const { x, labels } = await engine.rows({ split: "test", count: 18 });
          const given = labels && Array.from(labels);
          const y = await engine.decode((await engine.encode(x, given)).mean, given);
          const d = x.length / 18;
          const both = new Float32Array(2 * x.length);
          for (let row = 0; row < 18; row++) {
            both.set(x.subarray(row * d, (row + 1) * d), 2 * row * d);
            both.set(y.subarray(row * d, (row + 1) * d), (2 * row + 1) * d);
          }
          tiles(sides[i].back, both, shape, 6);
        }
      } finally {
        // The model that was open stays open.
        const open = manifest.models.find(({ name }) => name === state.get("run"));
        const bytes = before ?? (open && await checkpointOf(open));
        if (bytes) app.model = await engine.open(bytes);
      }
      const keys = [...new Set(told.flatMap(Object.keys))].filter((key) =>
        JSON.stringify(told[0]?.[key]) !== JSON.stringify(told[1]?.[key])
      );
      const text = (value: unknown) =>
        value === undefined ? "–" : Array.isArray(value) ? value.join(",") : String(value);
      differing.replaceChildren(
        element("h3", {}, keys.length ? "Settings that differ" : "No setting differs"),
        table(
          ["setting", ...found.map(({ title }) => title)],
          keys.map((key) => [key, ...told.map((each) => text(each[key]))]),
        ),
      );
    });
    const run = () => app.attempt(() => Promise.resolve(measure()));
    const side = (i: number) =>
      element(
        "div",
        {},
        choice(i ? "Beside" : "Run", names, chosen[i], (name) => {
          chosen[i] = name;
          state.set(i ? "right" : "left", name);
          run();
        }).host,
        sides[i].about,
        labelled(sides[i].drawn, "The same draws of z, decoded"),
        labelled(sides[i].back, "The same data, each with its reconstruction to the right"),
      );
    host.append(
      labelled(curves, "ELBO on validation data, nats"),
      element("div", { className: "columns" }, side(0), side(1)),
      differing,
      button("Compare again", run),
    );
    run();
    return () => {};
  },
};
