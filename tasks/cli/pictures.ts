/**
 * The figures of a run folder, and its report.
 *
 * @module
 */

import { plural } from "../../core/plural.ts";
import { requireNoLink, writeFileAtomically, writeText } from "../../storage/write.ts";
import { dataLine } from "../../core/description.ts";
import { slice, type Split } from "../../core/dataset.ts";
import type { Trained } from "../../core/training/trained.ts";
import { scores } from "../../evaluation/scores.ts";
import { bytesOf, type Figure } from "../../figures/figure.ts";
import { isImage } from "../../figures/images.ts";
import { PlotLibraryError } from "../../figures/plot.ts";
import { type Report, reportPage } from "../../figures/report.ts";
import { type Draw, type FigureChoices, FigureError, named, runFigures } from "../../figures/run_figures.ts";
import { scoreHistogram } from "../../figures/scores.ts";
import { duration } from "./progress.ts";
import type { Context } from "./run.ts";
import { statusLine } from "./terminal.ts";
import { recordTest } from "../../storage/resumable_run.ts";
import type { TestResults } from "../../storage/run_folder.ts";
import { caveats, findings, scheduleCaveats } from "../../core/training/caveats.ts";
import { FIGURES, FILES, join, readConfig, readMetrics } from "./run_folder.ts";

/** Writes a figure's file. */
export async function writeFigure(path: string, figure: Figure): Promise<void> {
  await writeFileAtomically(path, bytesOf(figure));
}

/** What a run folder says of the training, as a report has it; its figures are the ones given. */
export async function reportOf(folder: string, trained: Trained, figures: readonly Figure[]): Promise<Report> {
  const { model, data, training, config } = trained;
  const [kept, events] = [await readConfig(folder), await readMetrics(folder)];
  const last = events.at(-1);
  const subtitle = [
    folder.replace(/[/\\]+$/, "").replace(/.*[/\\]/, ""),
    kept?.started && `begun ${kept.started.slice(0, 16).replace("T", " ")} UTC`,
    last && `${plural(last.step, "step")} in ${duration(last.seconds)}`,
    kept?.adapter && `on ${kept.adapter}`,
  ];
  return {
    title: `${model.name} on ${data.name.replace(/.*\//, "")}`,
    subtitle: subtitle.filter(Boolean).join(" · "),
    remarks: [
      ...kept?.data ? [dataLine(kept.data)] : [],
      ...caveats(model, config, training.binarize, data),
      ...scheduleCaveats(training, data.count),
      ...await findings(trained),
    ],
    losses: {
      ...(last ? { training: last.train, ...(last.validation ? { validation: last.validation } : {}) } : {}),
      ...(kept?.test ? { test: kept.test.losses } : {}),
    },
    configuration: {
      model: model.name,
      dataset: data.name,
      ...data.settings,
      ...(kept?.config ?? { ...training, ...config }),
    },
    madeBy: { ...(kept?.commands ? { command: kept.commands.join("; then ") } : {}), ...kept?.versions },
    shapes: Object.fromEntries([...trained.parameters].map(({ name, shape }) => [name, shape])),
    figures,
  };
}

/** Rows that are scored for a report, and draws of z for each. */
const SCORED = { rows: 1000, samples: 10 };

/** How probable the model finds single rows; nothing for a model of which that cannot be told. */
async function scored(trained: Trained, split: Split): Promise<Figure | undefined> {
  const rows = slice(split, 0, Math.min(SCORED.rows, split.count));
  try {
    const { values, kind } = await scores(trained, rows, { samples: SCORED.samples });
    return await scoreHistogram(values, kind);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

/** The terms of the test rows. */
async function tested(trained: Trained, split: Split): Promise<TestResults> {
  return { count: split.count, losses: await trained.evaluate(split) };
}

/** What {@linkcode writeReport} wrote. */
export interface Written {
  /** Paths of the report and of its figures. */
  readonly file: string;
  readonly figures: readonly string[];
  /** What there is not, and why. */
  readonly notes: readonly string[];
}

/**
 * Draws every figure that applies into a run folder, and the report that holds them all. Without the plotting library there are the
 * figures that need none.
 *
 * @param split Rows that were not trained on.
 * @param options `name` of the page, without `.html`, where it is not the run's own report: its figures are then all in a folder of that
 *   name. `choices`: what the figures show.
 */
export async function writeReport(
  folder: string,
  trained: Trained,
  split: Split,
  context: Pick<Context, "signal" | "terminal" | "json">,
  { name, choices }: { readonly name?: string; readonly choices?: FigureChoices } = {},
): Promise<Written> {
  const { signal } = context;
  const events = await readMetrics(folder);
  const epochs = events.filter((event) => event.event === "epoch");
  const draws = [
    ...await runFigures({ trained, split, epochs, choices }),
    named("scores", () => scored(trained, split)),
  ];
  using screen = statusLine(context.terminal);
  const { figures, notes } = await drawAll(draws, signal, (i) => {
    if (context.terminal.interactive && !context.json) screen.draw(`drawing figure ${i + 1} of ${draws.length}`);
  });
  screen.clear();
  if (!trained.hasPrior) {
    notes.push(
      `No samples and no walks through latent space: ${trained.model.name} has no prior to draw from; sample --prior gmm fits one`,
    );
  }
  if (name === undefined) await recordTest(folder, await tested(trained, split));
  if (split.count < 2 && isImage(trained.data.shape)) {
    notes.push("No morphs: they go from one test image to another, and there is only one");
  }
  if (epochs.length === 0) notes.unshift(`No curves: ${join(folder, FILES.metrics)} holds no epoch`);
  const known: readonly string[] = name === undefined ? Object.values(FILES) : [];
  const inside = name === undefined ? join(folder, FIGURES) : name;
  const paths = figures.map(({ file }) => known.includes(file) ? join(folder, file) : join(inside, file));
  await requireNoLink(inside);
  await Deno.mkdir(inside, { recursive: true });
  for (const [i, figure] of figures.entries()) await writeFigure(paths[i], figure);
  const file = name === undefined ? join(folder, FILES.report) : `${name}.html`;
  const report = await reportOf(folder, trained, figures);
  await writePage(file, reportPage({ ...report, remarks: [...report.remarks, ...notes] }));
  return { file, figures: paths, notes };
}

/** Writes a page. */
export async function writePage(path: string, html: string): Promise<void> {
  await writeText(path, html);
}

/**
 * Draws one after the other. What cannot be drawn is left out with a word; of the plotting library, where it cannot be had, once for all.
 *
 * @param onDraw Called before each.
 */
export async function drawAll(
  draws: readonly Draw[],
  signal: AbortSignal,
  onDraw?: (drawn: number) => void,
): Promise<{ readonly figures: Figure[]; readonly notes: string[] }> {
  const figures: Figure[] = [];
  const notes = new Set<string>();
  for (const [i, draw] of draws.entries()) {
    signal.throwIfAborted();
    onDraw?.(i);
    try {
      const figure = await draw();
      if (figure) figures.push(figure);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof PlotLibraryError) notes.add(`No plots, only images: ${error.message}`);
      else if (error instanceof Error) {
        notes.add(
          error instanceof FigureError ? error.message : `A figure is left out: ${error.message.split("\n", 1)[0]}`,
        );
      } else throw error;
    }
  }
  return { figures, notes: [...notes] };
}
