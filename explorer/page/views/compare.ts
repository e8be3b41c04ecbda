/**
 * Two models side by side, each on an engine of its own: the curves of both in one plot, where their settings differ, and what each makes of
 * the same z and the same data. One may be the model that is open, also while it trains; another a run, or a file of one's own.
 *
 * @module
 */

import type { EpochEvent } from "../../../core/training/events.ts";
import type { Engine, ModelInfo } from "../../engine.ts";
import type { App, View } from "../app.ts";
import { type Line, lineChart } from "../charts.ts";
import { button, choice, element, entry, labelled, table } from "../elements.ts";
import { pairName, picture } from "../picture.ts";
import { inPairs } from "../pixels.ts";
import { checkpointOf, droppedFiles, epochsOf, openedRun } from "../source.ts";

/** In the address and the choice: the model that is open, and a file that was dropped. */
const [OPEN, FILE] = ["open", "file"];

/** A model, ready to be compared. */
interface Compared {
  readonly title: string;
  readonly engine: Engine;
  readonly info: ModelInfo;
  readonly epochs: readonly EpochEvent[];
}

/** One side: what is chosen there, and an engine for it that is begun when a first one is opened. */
class Side {
  #engine: Promise<Engine> | undefined;
  #file: File | undefined;
  #opened: { readonly name: string; readonly file?: File; readonly compared: Promise<Compared> } | undefined;

  constructor(readonly app: App, public chosen: string) {}

  get #own(): Promise<Engine> {
    return this.#engine ??= this.app.another();
  }

  /** Takes the checkpoint and the metrics out of files. */
  async take(files: readonly File[]): Promise<void> {
    const run = await openedRun(files);
    if (!run) throw new Error("Cannot compare these files: expected a .safetensors, or the files of a run folder");
    this.#file = files.find(({ name }) => name.endsWith(".safetensors"));
    this.chosen = FILE;
    this.#opened = {
      ...{ name: FILE, file: this.#file },
      compared: this.#open(this.#file!.name, run.checkpoint, run.epochs),
    };
    await this.#opened.compared;
  }

  async #open(
    title: string,
    checkpoint: Uint8Array<ArrayBuffer>,
    epochs: readonly EpochEvent[],
  ): Promise<Compared> {
    const engine = await this.#own;
    return { title, engine, info: await engine.open(checkpoint), epochs };
  }

  /** What is chosen, opened if it was not. */
  async compared(): Promise<Compared> {
    const { app, chosen } = this;
    if (chosen === OPEN) {
      return { title: `${app.model!.model} (open)`, engine: app.engine, info: app.model!, epochs: app.epochs };
    }
    if (this.#opened?.name === chosen) return await this.#opened.compared;
    const run = app.manifest.models.find(({ name }) => name === chosen);
    if (!run) throw new Error(`Cannot compare with "${chosen}": there is no such run`);
    const compared = Promise.all([checkpointOf(run), epochsOf(run)])
      .then(([checkpoint, epochs]) => this.#open(run.title, checkpoint, epochs));
    this.#opened = { name: chosen, compared };
    return await compared;
  }

  close(): void {
    void this.#engine?.then((engine) => engine.close());
  }
}

/** Compares two models. */
export const compare: View = {
  id: "compare",
  title: "Compare",
  mount(host, app) {
    const { manifest, state } = app;
    const runs = manifest.models.map(({ name, title }) => [name, title] as const);
    const known = (name: string | undefined) =>
      name !== undefined && [OPEN, ...runs.map(([run]) => run)].includes(name);
    const [left, right] = [state.get("left"), state.get("right")];
    const other = runs.find(([name]) => name !== state.get("run")) ?? runs[0];
    const sides = [
      new Side(app, known(left) ? left! : OPEN),
      new Side(app, known(right) ? right! : other?.[0] ?? OPEN),
    ];
    const curves = element("canvas");
    const differing = element("div");
    const places = sides.map(() => ({
      drawn: element("div"),
      back: element("div"),
      about: element("p", { className: "quiet" }),
    }));

    const showSide = async ({ engine, info }: Compared, { drawn, back, about }: typeof places[number]) => {
      const { model, latents, parameters, data, features, can, condition } = info;
      about.textContent = `${model}, ${latents} latents, ${parameters.toLocaleString("en")} parameters`;
      const labels = condition ? Array.from({ length: 36 }, (_, i) => i % (data.classes ?? 1)) : undefined;
      if (can.sample) {
        const place = picture(data, "The same draws of z, decoded");
        place.show((await engine.sample({ count: 36, seed: 1, labels })).x, { perRow: 6 });
        drawn.replaceChildren(place.host);
      }
      if (app.loaded?.shape.join() !== data.shape.join() || !can.encode) return back.replaceChildren();
      const { x, labels: classes } = await app.engine.rows({ split: "test", count: 18 });
      const given = condition && classes ? Array.from(classes) : undefined;
      const y = await engine.decode((await engine.encode(x.slice(), given)).mean, given);
      const place = picture(data, "The same data, each followed by its reconstruction");
      place.show(inPairs(x, y, features), { perRow: 6, name: pairName });
      back.replaceChildren(place.host);
    };
    const measure = app.newest(async () => {
      const found = await Promise.all(sides.map((side) => side.compared()));
      const lines = found.map(({ title, epochs }, i): Line => ({
        ...{ name: title, colour: i ? "--second" : "--accent", dash: i ? [5, 3] : [] },
        points: epochs.map(({ epoch, train, validation }) => [epoch, (validation ?? train).elbo]),
      }));
      curves.closest("figure")!.hidden = lines.every(({ points }) => !points.length);
      lineChart(curves, lines, "epochs");
      const told: Readonly<Record<string, unknown>>[] = found.map(({ info: { model, data, training, config } }) => ({
        ...{ model, data: data.name, ...training, ...config },
      }));
      const keys = [...new Set(told.flatMap(Object.keys))].filter((key) =>
        JSON.stringify(told[0][key]) !== JSON.stringify(told[1][key])
      );
      const text = (value: unknown) =>
        value === undefined ? "–" : Array.isArray(value) ? value.join(",") : String(value);
      differing.replaceChildren(
        element("h3", {}, keys.length ? "Settings that differ" : "No setting differs"),
        ...keys.length
          ? [table(
            ["setting", ...found.map(({ title }) => title)],
            keys.map((key) => [key, ...told.map((each) => text(each[key]))]),
          )]
          : [],
      );
      await Promise.all(found.map((each, i) => showSide(each, places[i])));
    });

    const side = (i: number) => {
      const one = sides[i];
      const { drawn, back, about } = places[i];
      const { host: field, input } = choice(
        i ? "Beside" : "Model",
        [[OPEN, "The model that is open"], ...runs, [FILE, "A file"]],
        one.chosen,
        (name) => {
          if (name === FILE) return own.input.click();
          one.chosen = name;
          state.set(i ? "right" : "left", name);
          measure();
        },
      );
      const take = (files: Promise<readonly File[]>) =>
        app.attempt(async () => {
          await one.take(await files);
          input.value = FILE;
          measure();
        });
      const own = entry("A file", {
        ...{ type: "file", multiple: true, accept: ".safetensors,.jsonl" },
        title: "A checkpoint, with its metrics.jsonl for the curves; or drop a run folder here",
      });
      own.input.addEventListener("change", () => take(Promise.resolve([...own.input.files ?? []])));
      const made = element("div", {}, field, own.host, about, drawn, back);
      made.addEventListener("drop", (event) => {
        event.preventDefault();
        event.stopPropagation();
        if (event.dataTransfer) void take(droppedFiles(event.dataTransfer));
      });
      return made;
    };
    host.append(
      labelled(curves, "ELBO on validation data, nats"),
      element("div", { className: "columns" }, side(0), side(1)),
      differing,
      button("Compare again", () => measure()),
    );
    curves.closest("figure")!.hidden = true;
    measure();
    const unhear = app.onChange((change) => change !== "model" && measure());
    return () => {
      unhear();
      for (const one of sides) one.close();
    };
  },
};
