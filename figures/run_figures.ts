/**
 * Which figures apply to a trained model and its data, decided by what the model's contract offers and by the shape of the data.
 *
 * @module
 */

import { codeUsage } from "../core/training/code_usage.ts";
import { slice, type Split } from "../core/dataset.ts";
import type { EpochEvent } from "../core/training/events.ts";
import type { Trained } from "../core/training/trained.ts";
import { codeBars } from "./codes.ts";
import { curves } from "./curves.ts";
import type { Figure } from "./figure.ts";
import {
  isImage,
  labelGrid,
  manifold,
  morphs,
  neighbourhoods,
  quantileStrips,
  reconstructions,
  samples,
  traversals,
} from "./images.ts";
import { dimensionsByInformation, encodeRows, klBars, latentScatter, priorAndPosterior } from "./latents.ts";

/** What the figures of a run are made of. */
export interface RunData {
  readonly trained: Trained;
  /** Rows that were not trained on. */
  readonly split: Split;
  /** What the training yielded, as far as it is known. */
  readonly epochs: readonly EpochEvent[];
}

/** Rows whose codes are counted. */
const MOST_CODED = 2000;

/** Draws a figure, or finds that there is nothing to draw. */
export type Draw = () => Promise<Figure | undefined>;

/** Every figure that applies, in the order of a report; nothing is drawn before it is asked for. */
export async function runFigures({ trained, split, epochs }: RunData): Promise<readonly Draw[]> {
  const { model, data } = trained;
  const decodes = model.decode !== undefined && model.latents !== undefined;
  const encodes = model.encode !== undefined && model.latents !== undefined;
  const images = decodes && isImage(data.shape);
  const byLabel = ["one-hot", "raw"].includes(model.condition?.(trained.config) ?? "");
  // Walks along the dimensions and the density N(0, 1) mean something where that is the prior.
  const normal = trained.hasStandardPrior;
  const some = slice(split, 0, Math.min(MOST_CODED, split.count));
  const encodings = encodes ? await encodeRows(trained, split) : undefined;
  const order = encodings ? dimensionsByInformation(encodings) : [0, 1];
  const plane = [order[0], order[1]].toSorted((a, b) => a - b) as [number, number];
  const size = Math.max(5, Math.min(20, Math.floor(2000 / Math.max(data.shape[0], data.shape[1]))));
  const all: readonly (readonly [applies: unknown, draw: Draw])[] = [
    [epochs.some(({ train }) => Object.values(train).some(Boolean)), () => curves([{ name: model.name, epochs }])],
    [images, () => samples(trained, { covariates: split.covariates })],
    [images && encodes, () => reconstructions(trained, split)],
    [images && byLabel && data.classes, () => labelGrid(trained)],
    [images && normal && trained.latents > 1, () => manifold(trained, split, { dimensions: plane, size })],
    [images && normal, () => traversals(trained, split, { encodings })],
    [images && encodes && split.count > 1, () => morphs(trained, split)],
    [images && encodes && normal, () => neighbourhoods(trained, split)],
    [images, () => quantileStrips(trained, { covariates: split.covariates }).catch(withoutQuantiles)],
    [encodings, () => latentScatter(encodings!)],
    [model.codes, async () => codeBars((await codeUsage(trained, some)).counts, { sorted: true })],
    [encodings && normal, () => priorAndPosterior(encodings!)],
    [encodings && normal && trained.latents > 1, () => klBars(encodings!)],
  ];
  return all.filter(([applies]) => applies).map(([, draw]) => draw);
}

/** A likelihood without quantiles refuses to give them; whatever else goes wrong is passed on. */
function withoutQuantiles(error: unknown): undefined {
  if (!(error instanceof TypeError)) throw error;
}
