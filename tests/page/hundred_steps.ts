/**
 * A hundred steps of a training, by the public names alone: the same in a page as in a program.
 *
 * @module
 */

import { type Dataset, Gpu, train, vae } from "@elbo/elbo";

/** What a training gave, and on what. */
export interface Steps {
  readonly adapter: string;
  /** The family of its products, as checkpoints name it. */
  readonly tiles: string;
  /** The loss of each step. */
  readonly losses: readonly number[];
}

/** 100 images of 14 x 14, an epoch of one step each. */
export async function hundredSteps(): Promise<Steps> {
  const values = new Uint8Array(100 * 196).map((_, i) => (i * 7919) % (3 + i % 5) < 2 ? 255 : 0);
  const rows = { values, count: 100 };
  const dataset: Dataset = { name: "stripes", shape: [14, 14, 1], train: rows, test: rows };
  const gpu = await Gpu.open();
  const config = { hidden: [64], latents: 4, batchSize: 100, epochs: 100, validation: 0, learningRate: 1e-3 };
  const training = train(vae, dataset, config, { gpu });
  const losses: number[] = [];
  for await (const event of training) if (event.event === "epoch") losses.push(event.train.loss);
  const tiles = training.trained.tiles.family;
  training.trained.destroy();
  gpu.destroy();
  return { adapter: gpu.adapter, tiles, losses };
}
