/**
 * The figures of a run folder, and its report.
 *
 * @module
 */

import { requireNoLink, writeFileAtomically, writeText } from "../../storage/write.ts";
import { dataLine } from "../../core/description.ts";
import { slice, type Split } from "../../core/dataset.ts";
import type { Trained } from "../../core/training/trained.ts";
import { scores } from "../../evaluation/scores.ts";
import { bytesOf, type Figure } from "../../figures/figure.ts";
import { isImage } from "../../figures/images.ts";
import { PlotLibraryError } from "../../figures/plot.ts";
import { type Report, reportPage } from "../../figures/report.ts";
import { type Draw, runFigures } from "../../figures/run_figures.ts";
import { scoreHistogram } from "../../figures/scores.ts";
import { duration } from "./progress.ts";
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
    last && `${last.step.toLocaleString("en-US")} steps in ${duration(last.seconds)}`,
    kept?.adapter && `on ${kept.adapter}`,
  ];
  return {
    title: `${model.name} on ${data.name.replace(/.*\//, "")}`,
    subtitle: subtitle.filter(Boolean).join(" · "),
    remarks: [
      ...kept?.data ? [dataLine(kept.data)] : [],
      ...caveats(model, config, training.binarize),
      ...scheduleCaveats(training, data.count),
      ...await findings(trained),
    ],
    losses: last ? { training: last.train, ...(last.validation ? { validation: last.validation } : {}) } : {},
    configuration: {
      model: model.name,
      dataset: data.name,
      ...data.settings,
      ...(kept?.config ?? { ...training, ...config }),
    },
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
 * @param name Of the page, without `.html`, where it is not the run's own report: its figures are then all in a folder of that name.
 */
export async function writeReport(
  folder: string,
  trained: Trained,
  split: Split,
  signal: AbortSignal,
  name?: string,
): Promise<Written> {
  const events = await readMetrics(folder);
  const epochs = events.filter((event) => event.event === "epoch");
  const { figures, notes } = await drawAll(
    [...await runFigures({ trained, split, epochs }), () => scored(trained, split)],
    signal,
  );
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

/** Draws one after the other; those that need the plotting library are left out, and that is said once, where it cannot be had. */
export async function drawAll(
  draws: readonly Draw[],
  signal: AbortSignal,
): Promise<{ readonly figures: Figure[]; readonly notes: string[] }> {
  const figures: Figure[] = [];
  const notes = new Set<string>();
  for (const draw of draws) {
    signal.throwIfAborted();
    try {
      const figure = await draw();
      if (figure) figures.push(figure);
    } catch (error) {
      if (!(error instanceof PlotLibraryError)) throw error;
      notes.add(`No plots, only images: ${error.message}`);
    }
  }
  return { figures, notes: [...notes] };
}
