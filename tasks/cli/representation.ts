/**
 * What `evaluate` says of a representation: the tables of `--disentanglement` and `--probe`.
 *
 * @module
 */

import type { Dataset } from "../../core/dataset.ts";
import { plural } from "../../core/plural.ts";
import type { Disentanglement } from "../../evaluation/disentanglement.ts";
import type { Probes, ProbeScores } from "../../evaluation/probe.ts";
import type { FlagGroup } from "./flags.ts";

/** What is measured of a representation, and how. */
export interface RepresentationFlags {
  readonly disentanglement: boolean;
  readonly factorRows: number;
  readonly bins: number;
  readonly votes: number;
  readonly probe: boolean;
  readonly probeRows: number;
  readonly probeTestRows: number;
  readonly neighbours: number;
}

/** The flags of {@linkcode RepresentationFlags}. */
export const representationFlags: FlagGroup<RepresentationFlags> = {
  title: "Representation",
  settings: {
    disentanglement: {
      type: "boolean",
      default: false,
      help:
        "β-VAE and FactorVAE scores, MIG, SAP, DCI, modularity and InfoMEC of the means of q(z | x), against the known " +
        "factors of the data (their covariates)",
    },
    factorRows: {
      type: "integer",
      default: 15_000,
      minimum: 30,
      help: "rows for these, drawn from the split: two thirds to train predictors on, one to test them on",
    },
    bins: { type: "integer", default: 20, minimum: 2, maximum: 10_000, help: "bins of a code for MIG and modularity" },
    votes: {
      type: "integer",
      default: 64,
      minimum: 1,
      maximum: 100_000,
      help: "pairs of rows for each point of the β-VAE score, rows for each vote of the FactorVAE score",
    },
    probe: {
      type: "boolean",
      default: false,
      help:
        "how well labels and factors are predicted from the latents, from the data and from PCA of as many dimensions: " +
        "logistic and ridge regression, nearest neighbours",
    },
    probeRows: {
      type: "integer",
      default: 5_000,
      minimum: 2,
      help: "training rows that these learn from, drawn from all",
    },
    probeTestRows: { type: "integer", default: 2_000, minimum: 2, help: "rows that they are tested on" },
    neighbours: { type: "integer", default: 5, minimum: 1, maximum: 1000, help: "neighbours that vote" },
  },
};

/** The scores of a table: name, value, what it says. */
function scoresOf(found: Disentanglement): readonly (readonly [name: string, value: number, meaning: string])[] {
  const { dci, infoMec, factors } = found;
  const chance = `chance ${(1 / factors.length).toFixed(2)}`;
  return [
    ["betaVaeScore", found.betaVaeScore, `a linear classifier tells which factor is held (${chance})`],
    ["factorVaeScore", found.factorVaeScore, `the code that varies least tells which factor is held (${chance})`],
    ["mutualInformationGap", found.mutualInformationGap, "MIG: each factor is in one code more than in any other"],
    ["sap", found.separatedAttributePredictability, "SAP: one code predicts a factor better than any other"],
    ["modularity", found.modularity, "each code speaks of one factor (mutual information)"],
    ["dciDisentanglement", dci.disentanglement, "each code matters for one factor (boosted trees)"],
    ["dciCompleteness", dci.completeness, "each factor needs one code (boosted trees)"],
    ["dciInformativeness", dci.informativeness, "accuracy of the factors from all codes (boosted trees)"],
    ["infoModularity", infoMec.modularity, "InfoM: each code in use speaks of one factor"],
    ["infoExplicitness", infoMec.explicitness, "InfoE: factors follow linearly from all codes"],
    ["infoCompactness", infoMec.compactness, "InfoC: each factor is in one code"],
  ];
}

/** The lines that say how disentangled codes are. */
export function disentanglementLines(found: Disentanglement): string[] {
  const { factors, leftOut, latents, count } = found;
  const named = factors.map(({ name, values, binned }) => `${name} (${binned ? `${values} bins` : values})`);
  return [
    `Disentanglement: ${plural(latents, "latent")} and ${plural(factors.length, "factor")}, ${
      plural(count, "row")
    }; 1 is best`,
    `Factors, and how many values each has: ${named.join(", ")}${
      leftOut.length ? `; left out, for they never change: ${leftOut.join(", ")}` : ""
    }`,
    "",
    ...scoresOf(found).map(([name, value, meaning]) =>
      `  ${name.padEnd(20)} ${value.toFixed(3).padStart(7)}   ${meaning}`
    ),
  ];
}

/** The lines that say what predictors make of latents, data and PCA. */
export function probeLines(
  found: Probes,
  { shape }: Pick<Dataset, "shape">,
  neighbours: number,
): string[] {
  const { latents, data, pca, factors, train, test, chance } = found;
  const representations = [latents, data, pca];
  const row = (title: string, of: (scores: ProbeScores & { readonly size: number }) => string) =>
    `  ${title.padEnd(width)}${representations.map((each) => of(each).padStart(10)).join("")}`;
  const titles = factors.flatMap((name) => [`${name}, ridge`, `${name}, ${neighbours} neighbours`]);
  const width = Math.max("label, logistic regression".length, ...titles.map(({ length }) => length)) + 2;
  const heads = ["latents", shape[0] === 1 ? "columns" : "pixels", "PCA"];
  const fixed = (value: number) => value.toFixed(3);
  return [
    `Probes: trained on ${plural(train, "training row")}, measured on ${plural(test, "row")}; accuracy of labels` +
    `${chance === undefined ? "" : ` (the most frequent one: ${fixed(chance)})`}, R² of factors`,
    "",
    `  ${"".padEnd(width)}${heads.map((head) => head.padStart(10)).join("")}`,
    row("numbers a row", ({ size }) => String(size)),
    ...(latents.label
      ? [
        row("label, logistic regression", ({ label }) => fixed(label!.logistic)),
        row(`label, ${neighbours} neighbours`, ({ label }) => fixed(label!.neighbours)),
      ]
      : []),
    ...(latents.factors ?? []).flatMap((_, c) => [
      row(titles[2 * c], (scores) => fixed(scores.factors![c].ridge)),
      row(titles[2 * c + 1], (scores) => fixed(scores.factors![c].neighbours)),
    ]),
  ];
}
