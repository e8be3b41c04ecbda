/**
 * A model as a repository of the Hugging Face Hub: a card, figures, and the weights as elbo reads them again.
 *
 * @module
 */

import { decodeCheckpoint, encodeCheckpoint } from "../core/training/checkpoint.ts";
import { caveats } from "../core/training/caveats.ts";
import type { Trained } from "../core/training/trained.ts";
import { HUB_WEIGHTS } from "../storage/hub.ts";
import type { TestResults } from "../storage/run_folder.ts";
import { describeModel } from "./description.ts";
import type { ExportedFile } from "./file.ts";

/** What a card says besides the model. */
export interface HubCard {
  /** `mit`, `cc-by-4.0`, ...: of the Hub's list. Left out, the card names none. */
  readonly license?: string;
  /** What the test rows gave. */
  readonly test?: TestResults;
  /** Pictures to show, with what they are. */
  readonly figures: readonly {
    readonly name: string;
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly what: string;
  }[];
}

/** Names of datasets there, by those here. */
const DATASETS: Readonly<Record<string, string>> = {
  mnist: "ylecun/mnist",
  fashion_mnist: "zalando-datasets/fashion_mnist",
  cifar10: "uoft-cs/cifar10",
};

/** What measures are called. */
const MEASURES: Readonly<Record<string, string>> = {
  elbo: "ELBO, nats per datum",
  nll: "negative log-likelihood, nats per datum",
  kl: "KL divergence, nats per datum",
};

/** A text as YAML has it in one line: JSON is YAML. */
const yaml = (text: string) => JSON.stringify(text);

/** The checkpoint without the path of files of this machine. */
async function published(trained: Trained): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await trained.toBytes({ optimizer: false });
  const { file: _, tensors, data, ...header } = decodeCheckpoint(bytes, HUB_WEIGHTS);
  return encodeCheckpoint({ ...header, data: { ...data, name: data.name.replace(/.*[/\\]/, "") } }, tensors);
}

/** The files of a repository: README.md, config.json, model.safetensors, figures. */
export async function hubFiles(trained: Trained, { license, test, figures }: HubCard): Promise<ExportedFile[]> {
  const description = describeModel(trained);
  const { model, summary, source, data: { shape }, training: { dataset, steps, rows } } = description;
  const isImage = shape[0] > 1 && shape[1] > 1;
  const measured = Object.entries(test?.losses ?? {}).filter(([name]) => MEASURES[name]);
  const known = DATASETS[dataset];
  const head = [
    ...license ? [`license: ${yaml(license)}`] : [],
    "library_name: elbo",
    "tags:",
    ...["elbo", "variational-autoencoder", model].map((tag) => `- ${yaml(tag)}`),
    ...isImage ? ["pipeline_tag: unconditional-image-generation"] : [],
    ...known ? ["datasets:", `- ${known}`] : [],
    ...measured.length
      ? [
        "metrics:",
        ...measured.map(([name]) => `- ${name}`),
        "model-index:",
        `- name: ${yaml(model)}`,
        "  results:",
        "  - task:",
        `      type: ${isImage ? "unconditional-image-generation" : "other"}`,
        "    dataset:",
        `      name: ${yaml(dataset)}`,
        `      type: ${yaml(known ?? dataset)}`,
        "      split: test",
        "    metrics:",
        ...measured.flatMap(([name, value]) => [
          `    - type: ${name}`,
          `      name: ${yaml(MEASURES[name])}`,
          `      value: ${Number(value.toFixed(4))}`,
        ]),
      ]
      : [],
  ];
  const lines = [
    "---",
    ...head,
    "---",
    "",
    `# ${model} on ${dataset}`,
    "",
    `${summary}. Source: ${source}. Trained by elbo (\`jsr:@elbo/elbo\`) for ${steps} steps on ${rows} rows of ${
      shape.join(" x ")
    }.`,
    "",
    "```sh",
    "deno task sample --run hf:OWNER/NAME",
    "```",
    "",
    "```ts",
    'import { load } from "@elbo/elbo/files";',
    "",
    'const trained = await load("hf:OWNER/NAME");',
    "const samples = await trained.sample({ count: 16 });",
    "```",
    "",
    ...measured.length
      ? [
        `| ${test!.count} test rows | |`,
        "| --- | ---: |",
        ...measured.map(([name, value]) => `| ${MEASURES[name]} | ${value.toFixed(3)} |`),
        "",
      ]
      : [],
    ...caveats(trained.model, trained.config, trained.training.binarize, trained.data).flatMap((line) => [`- ${line}`]),
    "",
    ...figures.flatMap(({ name, what }) => [`![${what}](${name})`, ""]),
    "config.json has every setting, and how data become what the model is given.",
    "",
  ];
  const encoder = new TextEncoder();
  return [
    { name: "README.md", bytes: encoder.encode(lines.join("\n")), what: "the card, with its metadata in YAML" },
    {
      name: "config.json",
      bytes: encoder.encode(JSON.stringify({ library_name: "elbo", ...description }, undefined, 2) + "\n"),
      what: "the model, its settings, how data become what it is given",
    },
    { name: HUB_WEIGHTS, bytes: await published(trained), what: "its weights, which load() reads" },
    ...figures,
  ];
}
