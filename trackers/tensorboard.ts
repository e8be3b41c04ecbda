/**
 * A training in TensorBoard: the losses of every epoch, samples and reconstructions, histograms of weights and gradients, and encodings for
 * the embedding projector.
 *
 * @module
 */

import { slice, type Split } from "../core/dataset.ts";
import { marginals } from "../core/distributions/encoded.ts";
import type { EpochEvent } from "../core/training/events.ts";
import { type Gradients, gradientsOf } from "../core/training/gradients.ts";
import type { Trained } from "../core/training/trained.ts";
import { encodePng, imageGrid } from "../figures/grid.ts";
import { asPixels, isImage } from "../figures/images.ts";
import { join } from "../storage/run_folder.ts";
import { requireNoLink, writeAll, writeFileAtomically, writeText } from "../storage/write.ts";
import { scalarsOf } from "./scalars.ts";
import { eventOf, fileStart, histogram, picture, scalar, type Value } from "./event_file.ts";

/** The folder in a run's. */
export const TENSORBOARD = "tensorboard";

/** Samples and reconstructions that are shown, and a side of their square. */
const SHOWN = 16;
const SIDE = 4;

/** Rows whose gradients are looked at. */
const GRADIENT_ROWS = 100;

/** Rows for the embedding projector. */
const PROJECTED = 2000;

/** Writes one event file, as long as it is open. */
export class Tensorboard implements Disposable {
  #gradients: Promise<Gradients | undefined> | undefined;

  private constructor(readonly folder: string, readonly path: string) {}

  /** Begins a file in a run folder. */
  static async begin(run: string): Promise<Tensorboard> {
    const folder = join(run, TENSORBOARD);
    await requireNoLink(folder);
    await Deno.mkdir(folder, { recursive: true });
    const seconds = Date.now() / 1000;
    // Readers take what is called so, in the order of the names.
    const path = join(folder, `events.out.tfevents.${Math.floor(seconds)}.${crypto.randomUUID().slice(0, 8)}`);
    const board = new Tensorboard(folder, path);
    await board.#append(fileStart(seconds));
    return board;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    using file = await Deno.open(this.path, { append: true, create: true });
    await writeAll(file, bytes);
  }

  /** The numbers of an epoch; with a model also what it draws and what it is made of. */
  async epoch(event: EpochEvent, model?: { readonly trained: Trained; readonly rows: Split }): Promise<void> {
    const values: Value[] = scalarsOf(event).map(([tag, value]) => scalar(tag, value));
    if (model) values.push(...await this.#looks(model.trained, model.rows));
    await this.#append(eventOf(Date.now() / 1000, event.step, values));
  }

  /** What a model looks like: pictures, and how weights and gradients are spread. */
  async #looks(trained: Trained, rows: Split): Promise<Value[]> {
    const values: Value[] = [];
    const { shape } = trained.data;
    const { encode, decode, density, latents } = trained.model;
    const show = (tag: string, images: Float32Array) => {
      const grid = imageGrid(asPixels(trained, images), { shape, columns: SIDE, scale: 2 });
      values.push(picture(tag, { ...grid, png: encodePng(grid) }));
    };
    const some = slice(rows, 0, Math.min(SHOWN, rows.count));
    if (isImage(shape) && decode && latents) {
      const conditional = trained.model.condition?.(trained.config) !== undefined;
      if (density !== "none" && !conditional) show("samples", await trained.sample({ count: SHOWN, seed: 0 }));
      if (encode) show("reconstructions", await trained.reconstruct(trained.rowsOf(some), some));
    }
    for (const [name, { data }] of await trained.parameters.read({ slots: false })) {
      values.push(histogram(`weights/${name}`, data));
    }
    const few = slice(rows, 0, Math.min(GRADIENT_ROWS, rows.count));
    this.#gradients ??= trained.model.fit ? Promise.resolve(undefined) : gradientsOf(trained, few);
    for (const [name, gradient] of await (await this.#gradients)?.read() ?? []) {
      values.push(histogram(`gradients/${name}`, gradient));
    }
    return values;
  }

  /** Encodings of rows, for the embedding projector. */
  async end({ trained, rows }: { readonly trained: Trained; readonly rows: Split }): Promise<void> {
    if (trained.model.encode && trained.latents) {
      await this.#project(trained, slice(rows, 0, Math.min(PROJECTED, rows.count)));
    }
  }

  async #project(trained: Trained, rows: Split): Promise<void> {
    const { latents, data: { shape, classNames } } = trained;
    const { mean } = marginals(await trained.posterior(trained.rowsOf(rows), rows));
    const line = (i: number) => Array.from(mean.subarray(i * latents, (i + 1) * latents)).join("\t");
    const lines = Array.from({ length: rows.count }, (_, i) => line(i));
    await writeText(join(this.folder, "latents.tsv"), lines.join("\n") + "\n");
    const about = ['tensor_name: "latents"', 'tensor_path: "latents.tsv"'];
    const { labels } = rows;
    if (labels) {
      const named = Array.from({ length: rows.count }, (_, i) => classNames?.[labels[i]] ?? labels[i]);
      await writeText(join(this.folder, "labels.tsv"), named.join("\n") + "\n");
      about.push('metadata_path: "labels.tsv"');
    }
    if (isImage(shape)) {
      const columns = Math.ceil(Math.sqrt(rows.count));
      const grid = imageGrid(asPixels(trained, trained.rowsOf(rows)), { shape, columns, gap: 0, scale: 1 });
      await writeFileAtomically(join(this.folder, "sprite.png"), encodePng(grid));
      about.push(`sprite { image_path: "sprite.png" single_image_dim: ${shape[1]} single_image_dim: ${shape[0]} }`);
    }
    const config = `embeddings {\n${about.map((each) => `  ${each}\n`).join("")}}\n`;
    await writeText(join(this.folder, "projector_config.pbtxt"), config);
  }

  /** Frees what it holds on the GPU. */
  [Symbol.dispose](): void {
    void this.#gradients?.then((gradients) => gradients?.destroy(), () => {});
  }
}
