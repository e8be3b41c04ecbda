/**
 * Which figures apply to a trained model and its data, decided by what the model's contract offers and by the shape of the data.
 *
 * @module
 */

import { codeUsage } from "../core/training/code_usage.ts";
import { pick, slice, type Split } from "../core/dataset.ts";
import type { EpochEvent } from "../core/training/events.ts";
import type { Trained } from "../core/training/trained.ts";
import { codeBars } from "./codes.ts";
import { curves } from "./curves.ts";
import type { Figure } from "./figure.ts";
import {
  isImage,
  isLabelled,
  labelGrid,
  manifold,
  morphs,
  neighbourhoods,
  quantileStrips,
  reconstructions,
  rowsOfLabel,
  samples,
  traversals,
} from "./images.ts";
import {
  dimensionsByInformation,
  encodeRows,
  type Encodings,
  klBars,
  latentScatter,
  priorAndPosterior,
} from "./latents.ts";
import { PlotLibraryError } from "./plot.ts";

/** What is to be shown, where nothing is said: the dimensions of the greatest KL, and the first rows. */
export interface FigureChoices {
  /** The latent dimensions of the plane and of the scatter, from 0. */
  readonly dimensions?: readonly [number, number];
  /** The class that rows are of, and that a conditional model is told. */
  readonly label?: number;
  /** The rows that are reconstructed, from which it is walked, by their places in the split. */
  readonly rows?: readonly number[];
}

/** What the figures of a run are made of. */
export interface RunData {
  readonly trained: Trained;
  /** Rows that were not trained on. */
  readonly split: Split;
  /** What the training yielded, as far as it is known. */
  readonly epochs: readonly EpochEvent[];
  readonly choices?: FigureChoices;
}

/** Rows whose codes are counted. */
const MOST_CODED = 2000;

/** Draws a figure, or finds that there is nothing to draw. */
export type Draw = () => Promise<Figure | undefined>;

/** A figure that could not be drawn. */
export class FigureError extends Error {
  override readonly name = "FigureError";

  /** `figure`: what it would have been called. */
  constructor(readonly figure: string, override readonly cause: unknown) {
    super(`Cannot draw the figure "${figure}": ${cause instanceof Error ? cause.message.split("\n", 1)[0] : cause}`);
  }
}

/** The same drawing, whose error says which figure it was. */
export function named(figure: string, draw: Draw): Draw {
  return async () => {
    try {
      return await draw();
    } catch (error) {
      throw error instanceof PlotLibraryError ? error : new FigureError(figure, error);
    }
  };
}

/** The rows that figures are to show. */
function shownRows(split: Split, { rows, label }: FigureChoices): Split {
  if (rows) return pick(split, rows);
  return label === undefined || !split.labels ? split : rowsOfLabel(split, label, MOST_CODED);
}

/** Every figure that applies, in the order of a report; nothing is drawn before it is asked for. */
export async function runFigures({ trained, split, epochs, choices = {} }: RunData): Promise<readonly Draw[]> {
  const { model, data } = trained;
  const decodes = model.decode !== undefined && model.latents !== undefined;
  const encodes = model.encode !== undefined && model.latents !== undefined;
  const images = decodes && isImage(data.shape);
  const byLabel = isLabelled(trained);
  // Walks along the dimensions and the density N(0, 1) mean something where that is the prior.
  const normal = trained.hasStandardPrior;
  const some = slice(split, 0, Math.min(MOST_CODED, split.count));
  const { label, dimensions } = choices;
  const shown = shownRows(split, choices);
  const labels = byLabel && label !== undefined ? { labels: [label] } : {};
  let encodings: Encodings | undefined;
  let failed: unknown;
  try {
    if (encodes) encodings = await encodeRows(trained, split);
  } catch (error) {
    failed = error;
  }
  const order = encodings ? dimensionsByInformation(encodings) : [0, 1];
  const plane = dimensions ?? [order[0], order[1]].toSorted((a, b) => a - b) as [number, number];
  const codebooks = model.codes ? model.codes.each?.(trained.config) ?? 1 : 0;
  let usage: ReturnType<typeof codeUsage> | undefined;
  const size = Math.max(5, Math.min(20, Math.floor(2000 / Math.max(data.shape[0], data.shape[1]))));
  const all: readonly (readonly [name: string, applies: unknown, draw: Draw])[] = [
    [
      "curves",
      epochs.some(({ train }) => Object.values(train).some(Boolean)),
      () => curves([{ name: model.name, epochs }]),
    ],
    ["samples", images && trained.hasPrior, () => samples(trained, { covariates: split.covariates, ...labels })],
    ["reconstructions", images && encodes, () => reconstructions(trained, shown)],
    ["labels", images && byLabel && data.classes, () => labelGrid(trained)],
    ["manifold", images && normal && trained.latents > 1, () => manifold(trained, shown, { dimensions: plane, size })],
    ["traversals", images && normal, () => traversals(trained, shown, { encodings })],
    ["morphs", images && encodes && shown.count > 1, () => morphs(trained, shown)],
    ["neighbourhoods", images && encodes && normal, () => neighbourhoods(trained, shown)],
    [
      "quantiles",
      images && trained.hasPrior,
      () => quantileStrips(trained, { covariates: split.covariates, ...labels }).catch(withoutQuantiles),
    ],
    ["encodings", failed, () => Promise.reject(failed)],
    ["latent-scatter", encodings, () => latentScatter(encodings!, { dimensions, names: data.classNames })],
    ...Array.from({ length: codebooks }, (_, m) => {
      const codebook = codebooks > 1 ? m : undefined;
      const draw = async () =>
        codeBars((await (usage ??= codeUsage(trained, some)))[m].counts, { sorted: true, codebook });
      return [codebook === undefined ? "code-usage" : `code-usage-${m}`, true, draw] as const;
    }),
    ["prior-and-posterior", encodings && normal, () => priorAndPosterior(encodings!)],
    ["kl-per-dimension", encodings && normal && trained.latents > 1, () => klBars(encodings!)],
  ];
  return all.filter(([, applies]) => applies).map(([name, , draw]) => named(name, draw));
}

/** A likelihood without quantiles refuses to give them; whatever else goes wrong is passed on. */
function withoutQuantiles(error: unknown): undefined {
  if (!(error instanceof TypeError)) throw error;
}
