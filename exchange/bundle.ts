/**
 * A model as one module for pages, without any library: its graphs, and what runs them on arrays in plain JavaScript.
 *
 * @module
 */

import type { Parameter } from "../core/graph/parameters.ts";
import { encodeSafetensors } from "../core/training/safetensors.ts";
import type { Trained } from "../core/training/trained.ts";
import { describeModel } from "./description.ts";
import { type Expression, inOrder } from "./expression.ts";
import type { ExportedFile } from "./file.ts";
import type { Graph, Graphs } from "./graphs.ts";
import { kernelOf, type Values, valuesOf } from "./weights.ts";
import runtime from "./bundle_runtime.js" with { type: "text" };

/** A node as the runtime has it: its operation, the places of what it is of, and what else there is to say. */
type Node = readonly [op: string, from: readonly number[], attributes?: object];

/** A graph in the runtime's order: the inputs first. */
function nodesOf(
  { inputs, outputs }: Graph,
  need: (parameter: Parameter, part: string, values: Values) => void,
  of: (
    parameter: Pick<Parameter, "name">,
    part: "weight" | "bias",
  ) => Values,
) {
  const places = new Map<Expression, number>();
  const nodes: Node[] = [];
  const names = Object.keys(inputs);
  const whole = (parameter: Parameter) => {
    for (const part of ["weight", "bias"] as const) need(parameter, part, of(parameter, part));
  };
  const nodeOf = ({ operation, shape }: Expression, from: readonly number[]): Node => {
    switch (operation.op) {
      case "weight":
      case "bias": {
        const { parameter, op } = operation;
        need(parameter, op, of(parameter, op));
        return ["tensor", from, { shape, name: `${parameter.name}.${op}` }];
      }
      case "linear":
        whole(operation.parameter);
        return ["linear", from, { name: operation.parameter.name }];
      case "conv": {
        const { parameter, kernel: size, stride, padding, transposed, beyond } = operation;
        need(parameter, "kernel", kernelOf(of(parameter, "weight"), operation));
        need(parameter, "bias", of(parameter, "bias"));
        return ["conv", from, { name: parameter.name, size, stride, padding, transposed, beyond }];
      }
      case "batchNorm": {
        const { parameter, running, epsilon } = operation;
        whole(parameter);
        whole(running);
        return ["batchNorm", from, { name: parameter.name, running: running.name, epsilon }];
      }
      case "reshape":
        return ["reshape", from, { rest: shape.slice(1) }];
      case "dropout":
      case "constant":
        return ["same", from];
      case "straightThrough":
        return ["second", from];
      default: {
        const { op, ...attributes } = operation;
        return [op, from, attributes];
      }
    }
  };
  for (const expression of inOrder(Object.values(outputs))) {
    const { operation } = expression;
    if (operation.op === "input") {
      places.set(expression, names.indexOf(operation.name));
      continue;
    }
    const from = expression.inputs.map((input) => places.get(input)!);
    nodes.push(nodeOf(expression, from));
    places.set(expression, names.length + nodes.length - 1);
  }
  const given = Object.entries(outputs).map(([name, output]) => [name, places.get(output)!]);
  return { inputs, nodes, outputs: Object.fromEntries(given) };
}

/** The types of a module. */
function typesOf({ encoder, decoder, condition, latents }: Graphs, features: number): string {
  const rows = "Float32Array | readonly number[]";
  const given = condition ? `condition: ${rows}` : "";
  const beside = condition ? `, ${given}` : "";
  const outputs = Object.entries(encoder?.outputs ?? {});
  return [
    "/** A trained model. Rows follow one another in one array. */",
    "export interface Vae {",
    "  readonly model: string;",
    "  /** Numbers of a row of data. */",
    "  readonly features: number;",
    "  /** Numbers of a row of latents. */",
    "  readonly latents: number;",
    "  /** How data become x: the settings of the model and its preprocessing. */",
    "  readonly description: Readonly<Record<string, unknown>>;",
    ...encoder
      ? [
        `  /** q(z | x) of rows of ${features} numbers${
          condition ? `, and of ${condition.columns} as the condition` : ""
        }. */`,
        `  encode(x: ${rows}${beside}): {`,
        ...outputs.map(([name, { shape }]) => `    /** Rows of ${shape[1]}. */\n    readonly ${name}: Float32Array;`),
        "  };",
      ]
      : [],
    ...decoder
      ? [
        `  /** E[x | z] of rows of ${latents} numbers, rows of ${features}. */`,
        `  decode(z: ${rows}${beside}): Float32Array;`,
        "  /** E[x | z] of so many z from the prior. */",
        `  sample(count: number, options${condition ? "" : "?"}: { ${
          given ? `readonly ${given}; ` : ""
        }readonly temperature?: number }): Float32Array;`,
      ]
      : [],
    "}",
    "",
    "/** Loads the model with its weights: by default vae.safetensors beside the module. */",
    "export function load(source?: URL | string | Response | ArrayBuffer): Promise<Vae>;",
    "",
  ].join("\n");
}

/** A model for pages: vae.js, its types and its weights. */
export async function bundleFiles(trained: Trained, graphs: Graphs): Promise<ExportedFile[]> {
  const tensors = await trained.parameters.read({ slots: false });
  const needed = new Map<string, Values>();
  const need = ({ name }: Parameter, part: string, values: Values) => void needed.set(`${name}.${part}`, values);
  const of = (parameter: Pick<Parameter, "name">, part: "weight" | "bias") => valuesOf(tensors, parameter, part);
  const { encoder, decoder, prior, latents } = graphs;
  const written = Object.entries({ encoder, decoder, prior }).flatMap(([name, graph]) =>
    graph ? [[name, nodesOf(graph, need, of)] as const] : []
  );
  const description = describeModel(trained);
  const about = { model: description.model, features: trained.features, latents, description };
  const text = [
    `// ${description.model}: ${description.summary}. ${description.source}.`,
    "",
    `const about = ${JSON.stringify(about)};`,
    `const model = ${JSON.stringify({ standard: trained.hasStandardPrior, graphs: Object.fromEntries(written) })};`,
    "",
    runtime,
  ].join("\n");
  const encoder8 = new TextEncoder();
  return [
    { name: "vae.js", bytes: encoder8.encode(text), what: "load() of a module for pages: encode, decode, sample" },
    { name: "vae.d.ts", bytes: encoder8.encode(typesOf(graphs, trained.features)), what: "its types" },
    {
      name: "vae.safetensors",
      bytes: encodeSafetensors(needed, {}),
      what: `its weights: ${needed.size} tensors`,
    },
  ];
}
