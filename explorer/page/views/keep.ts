/**
 * What can be taken along: the checkpoint, pictures, values, the address, and the command that repeats a training.
 *
 * @module
 */

import type { View } from "../app.ts";
import { commandOf } from "../command.ts";
import { button, element } from "../elements.ts";
import { isTable } from "../../../core/description.ts";
import { columnName, unscaled } from "../picture.ts";
import { tiles } from "../pixels.ts";

/** Has the browser save bytes as a file. */
export function download(name: string, parts: BlobPart[], type: string): void {
  const link = element("a", { href: URL.createObjectURL(new Blob(parts, { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A command that is broken between flags alone. */
function codeOf(command: string): HTMLElement {
  const [program, ...flags] = command.split(/ (?=--)/);
  return element("code", {}, program, ...flags.flatMap((flag) => [" ", element("span", { className: "flag" }, flag)]));
}

/** A cell of a CSV. */
const quoted = (text: string) => /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/** Exports. */
export const keep: View = {
  id: "keep",
  title: "Keep",
  mount(host, app) {
    const { engine, state } = app;
    const model = app.model;
    const name = model ? `${model.model}-${model.data.name}` : "model";
    const repeat = element("div");
    /** A training may have gone on since the model was opened, and by other settings. */
    const showCommand = app.newest(async () => {
      const now = await engine.model();
      const command = now && commandOf(now);
      repeat.replaceChildren(
        ...command
          ? [
            element("p", {}, codeOf(command)),
            element(
              "p",
              { className: "quiet" },
              `It was trained on ${now.data.count.toLocaleString("en")} rows. ` +
                "What was changed on the way is taken as it is now.",
            ),
            button("Copy the command", () => copy(command)),
          ]
          : [element("p", { className: "quiet" }, "To see it, open this page in a browser with WebGPU.")],
      );
    });
    const copy = (text: string) => app.attempt(() => navigator.clipboard.writeText(text));
    const values = async () => {
      const { mean, logVariance, labels } = await engine.encodeRows({ split: "test" });
      const { latents } = model!;
      const columns = (prefix: string) => Array.from({ length: latents }, (_, k) => `${prefix}${k + 1}`);
      const head = ["row", ...columns("mean_z"), ...columns("log_variance_z"), ...(labels ? ["label"] : [])];
      const lines = Array.from({ length: mean.length / latents }, (_, row) => {
        const part = (of: Float32Array) => Array.from(of.subarray(row * latents, (row + 1) * latents));
        return [row, ...part(mean), ...part(logVariance), ...(labels ? [labels[row]] : [])].join(",");
      });
      download(`${name}-latents.csv`, [[head.join(","), ...lines].join("\n") + "\n"], "text/csv");
    };
    const samples = async () => {
      const { data, features } = model!;
      const { x } = await engine.sample({ count: 100, seed: state.number("seed", 0) });
      if (isTable(data.shape)) {
        const columns = Array.from({ length: features }, (_, column) => column);
        const lines = Array.from(
          { length: x.length / features },
          (_, row) => columns.map((column) => unscaled(data, column, x[row * features + column])).join(","),
        );
        const head = columns.map((column) => quoted(columnName(data, column))).join(",");
        return download(`${name}-samples.csv`, [[head, ...lines].join("\n") + "\n"], "text/csv");
      }
      const canvas = element("canvas");
      tiles(canvas, x, data.shape, 10);
      const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
      if (blob) download(`${name}-samples.png`, [blob], "image/png");
    };
    host.append(
      element("h2", {}, "Take it along"),
      element(
        "div",
        { className: "row" },
        model &&
          button(
            "Checkpoint",
            () =>
              app.attempt(async () =>
                download(`${name}.safetensors`, [await engine.save()], "application/octet-stream")
              ),
          ),
        model?.can.sample &&
          button(`Samples as ${isTable(model.data.shape) ? "CSV" : "PNG"}`, () => app.attempt(samples)),
        model?.can.encode && app.data && button("Latents as CSV", () => app.attempt(values)),
        button("Copy the address", () => copy(new URL(state.address, location.href).href)),
      ),
      element(
        "p",
        { className: "quiet" },
        "A checkpoint is opened by every task, here by dropping it on the page, and in a program by load().",
      ),
      ...model ? [element("h2", {}, "The command that repeats this training"), repeat] : [],
    );
    showCommand();
    return app.onChange((change) => change === "weights" && showCommand());
  },
};
