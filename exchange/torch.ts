/**
 * A model as one file of Python, which needs PyTorch and nothing else, with its weights beside it.
 *
 * @module
 */

import { connectedWeights } from "../core/graph/connections.ts";
import type { Parameter } from "../core/graph/parameters.ts";
import { encodeSafetensors } from "../core/training/safetensors.ts";
import type { Trained } from "../core/training/trained.ts";
import { describeModel } from "./description.ts";
import { type Expression, inOrder } from "./expression.ts";
import type { ExportedFile } from "./file.ts";
import type { Graph, Graphs } from "./graphs.ts";
import { kernelOf, turned, type Values } from "./weights.ts";
import template from "./torch_template.py" with { type: "text" };

/** Names that a module of PyTorch and the file's class have for themselves. */
const TAKEN =
  /^(?:add_module|apply|bfloat16|bias|buffers|call|children|condition|cpu|cuda|decode|double|draw_prior|encode|eval|features|float|forward|half|latents|load|loss|metadata|modules|parameters|sample|save|terms|to|train|training|type|\d.*)$/;

/** What a parameter is called in Python: encoder.0 is encoder_0. */
export function pythonName(name: string): string {
  const word = name.replaceAll(/\W/g, "_");
  return TAKEN.test(word) ? `${word}_` : word;
}

/** A tensor of a module: which of a checkpoint's it is, and how its values lie there and here. */
export interface Laid {
  /** `encoder.0.weight` */
  readonly target: string;
  /** Its shape here. */
  readonly shape: readonly number[];
  /** From here to PyTorch. */
  out(values: Values): Values;
  /** From PyTorch to here. */
  back(values: Values): Values;
}

/** What a parameter is in PyTorch: how it is made, and its tensors by their names. */
export interface Module {
  readonly made: string;
  readonly tensors: Readonly<Record<string, Laid>>;
  /** 1 for each weight that there is, [outputs, inputs], where some are not. */
  readonly mask?: Values;
}

const FUNCTIONS: Readonly<Record<string, string>> = {
  ...{ elu: "F.elu", gelu: "F.gelu", silu: "F.silu", softplus: "F.softplus", leaky_relu: "F.leaky_relu" },
};

const OPERATORS: Readonly<Record<string, string>> = {
  ...{ add: "+", sub: "-", mul: "*", div: "/", pow: "**", and: "&", or: "|" },
  ...{ less: "<", lessOrEqual: "<=", greater: ">", greaterOrEqual: ">=", equal: "==" },
};

/** The longest text that stands within another. */
const INLINE = 70;

/** The modules of all parameters, by how the graphs use them. */
export function modulesOf(parameters: Iterable<Parameter>, graphs: Graphs): ReadonlyMap<string, Module> {
  const { encoder, decoder, prior, elbo } = graphs;
  const uses = new Map<string, Expression["operation"]>();
  const averages = new Set<string>();
  for (const graph of [encoder, decoder, prior, elbo]) {
    for (const { operation } of graph ? inOrder(Object.values(graph.outputs)) : []) {
      if (operation.op !== "linear" && operation.op !== "conv" && operation.op !== "batchNorm") continue;
      uses.set(operation.parameter.name, operation);
      if (operation.op === "batchNorm") averages.add(operation.running.name);
    }
  }
  const modules = new Map<string, Module>();
  for (const { name, shape: { inputs, outputs, connections, trained = true } } of parameters) {
    if (averages.has(name)) continue;
    const shape = [inputs, outputs];
    const same = (values: Values) => values;
    const vector = (target: string, shape: readonly number[] = [outputs]): Laid => ({
      ...{ target, shape },
      out: ({ data }) => ({ shape: [outputs], data }),
      back: ({ data }) => ({ shape, data }),
    });
    const bias: Laid = { target: `${name}.bias`, shape: [outputs], out: same, back: same };
    const use = uses.get(name);
    if (use?.op === "conv") {
      const { kernel, stride, padding, transposed, beyond } = use;
      const made = `nn.Conv${transposed ? "Transpose" : ""}2d(${inputs / kernel ** 2}, ${outputs}, ${kernel}, ` +
        `stride=${stride}, padding=${padding}${transposed ? `, output_padding=(${beyond.join(", ")})` : ""})`;
      const weight = {
        ...{ target: `${name}.weight`, shape },
        out: (values: Values) => kernelOf(values, use),
        back: (values: Values) => kernelOf(values, use, true),
      };
      modules.set(name, { made, tensors: { weight, bias } });
    } else if (use?.op === "batchNorm") {
      const { epsilon, momentum, running } = use;
      modules.set(name, {
        made: `nn.BatchNorm1d(${outputs}, eps=${epsilon}, momentum=${momentum})`,
        tensors: {
          ...{ weight: vector(`${name}.weight`, shape), bias },
          running_mean: vector(`${running.name}.bias`),
          running_var: vector(`${running.name}.weight`, shape),
        },
      });
    } else {
      const kind = use ? connections ? "Masked" : "nn.Linear" : "Weights";
      const weight = { target: `${name}.weight`, shape, out: turned, back: turned };
      const ones = () => connectedWeights(new Float32Array(inputs * outputs).fill(1), outputs, connections!);
      modules.set(name, {
        made: `${kind}(${inputs}, ${outputs}${kind === "Weights" && !trained ? ", trained=False" : ""})`,
        tensors: { ...inputs ? { weight } : {}, bias },
        ...kind === "Masked" ? { mask: turned({ shape, data: ones() as Values["data"] }) } : {},
      });
    }
  }
  return modules;
}

/** The statements that compute a graph, and the names of its outputs. */
function statements({ inputs, outputs }: Graph): { readonly lines: readonly string[]; readonly results: string[] } {
  const order = inOrder(Object.values(outputs));
  const uses = new Map<Expression, number>();
  for (const expression of [...order.flatMap((each) => each.inputs), ...Object.values(outputs)]) {
    uses.set(expression, (uses.get(expression) ?? 0) + 1);
  }
  const [given] = Object.keys(inputs);
  const texts = new Map<Expression, string>();
  const lines: string[] = [];
  let next = 1;
  for (const expression of order) {
    const { operation: { op } } = expression;
    const text = textOf(expression, expression.inputs.map((input) => texts.get(input)!), given);
    const simple = op === "input" || op === "number" || op === "weight" || op === "bias";
    if (simple || (uses.get(expression) === 1 && text.length <= INLINE && op !== "normal")) {
      texts.set(expression, text);
      continue;
    }
    const name = `h${next++}`;
    lines.push(`${name} = ${bare(text)}`);
    texts.set(expression, name);
  }
  return { lines, results: Object.values(outputs).map((output) => bare(texts.get(output)!)) };
}

/** A text without parentheses around all of it. */
function bare(text: string): string {
  if (!text.startsWith("(")) return text;
  let depth = 0;
  for (const [i, sign] of [...text].entries()) {
    if (sign === "(") depth++;
    if (sign === ")" && --depth === 0) return i === text.length - 1 ? text.slice(1, -1) : text;
  }
  return text;
}

/** An expression in Python. */
function textOf({ operation, inputs, shape }: Expression, texts: readonly string[], given: string): string {
  const [a, b, c] = texts;
  const isNumber = (i: number) => inputs[i].operation.op === "number";
  switch (operation.op) {
    case "input":
      return operation.name;
    case "number":
      return `${operation.value}`;
    case "weight":
      return `self.${pythonName(operation.parameter.name)}.weight.T`;
    case "bias":
      return `self.${pythonName(operation.parameter.name)}.bias[None]`;
    case "vector": {
      const { values } = operation;
      if (values.length > 1 && values.every((value) => value === values[0])) {
        return `${given}.new_full((1, ${values.length}), ${values[0]})`;
      }
      return `${given}.new_tensor([[${values.join(", ")}]])`;
    }
    case "unary":
      return operation.f === "neg" ? `(-${a})` : `${FUNCTIONS[operation.f] ?? `torch.${operation.f}`}(${bare(a)})`;
    case "binary": {
      const { f } = operation;
      if (OPERATORS[f]) return `(${a} ${OPERATORS[f]} ${b})`;
      const bound = f === "min" ? "max" : "min";
      if (isNumber(0)) return `torch.clamp(${bare(b)}, ${bound}=${a})`;
      if (isNumber(1)) return `torch.clamp(${bare(a)}, ${bound}=${b})`;
      return `torch.${f === "min" ? "minimum" : "maximum"}(${a}, ${b})`;
    }
    case "where": {
      const branch = (text: string, i: number) => isNumber(i) ? `${given}.new_tensor(${text})` : text;
      return `torch.where(${a}, ${branch(b, 1)}, ${branch(c, 2)})`;
    }
    case "linear":
    case "conv":
    case "batchNorm":
      return `self.${pythonName(operation.parameter.name)}(${bare(a)})`;
    case "matmul":
      return `(${a} @ ${b})`;
    case "reshape":
      return `${a}.reshape(${[-1, ...shape.slice(1)].join(", ")})`;
    case "permute":
      return `${a}.permute(${operation.order.join(", ")})`;
    case "columns":
      return `${a}[:, ${operation.first}:${operation.first + operation.count}]`;
    case "concat":
      return `torch.cat([${texts.join(", ")}], 1)`;
    case "repeat":
      return `${a}.repeat_interleave(${operation.times}, 0)`;
    case "sum":
      return `${a}.sum(1, keepdim=True)`;
    case "most":
      return `${a}.amax(1, keepdim=True)`;
    case "largest":
      return `${a}.argmax(1, keepdim=True).to(${given}.dtype)`;
    case "cumulated":
      return `${a}.cumsum(1)`;
    case "rowsOf":
      return `${a}[${b}.long().reshape(-1)]`;
    case "dropout":
      return `F.dropout(${a}, ${operation.probability}, self.training)`;
    case "straightThrough":
      return `(${a} + (${b} - ${a}).detach())`;
    case "constant":
      return `${a}.detach()`;
    case "normal":
      return `torch.randn_like(${a})`;
  }
}

/** A method that computes a graph. */
function method(name: string, graph: Graph | undefined, says: string, why: string): string {
  const [given = "x"] = graph ? Object.keys(graph.inputs) : [];
  const signature = `    def ${name}(self, ${given}, condition=None):\n        """${says}"""\n`;
  if (!graph) return `${signature}        raise NotImplementedError(${JSON.stringify(why)})\n`;
  const { lines, results } = statements(graph);
  return signature + [...lines, `return ${results.join(", ")}`].map((line) => `        ${line}\n`).join("");
}

/** What the encoder gives, in the order of the outputs. */
const encoded = ({ outputs }: Graph) =>
  Object.keys(outputs).map((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)).join(", ");

/** A model for PyTorch: vae.py and vae.safetensors. */
export async function torchFiles(trained: Trained, graphs: Graphs): Promise<ExportedFile[]> {
  const tensors = await trained.parameters.read({ slots: false });
  const { encoder, decoder, prior, elbo, missing, condition } = graphs;
  const modules = modulesOf(trained.parameters, graphs);
  const description = describeModel(trained);
  const { model, summary, source, data: { shape } } = description;
  const standard = trained.hasStandardPrior;
  const methods = [
    method(
      "encode",
      encoder,
      `q(z | x): ${encoder ? encoded(encoder) : "none"}. x [N, ${trained.features}]`,
      missing.encoder ?? "there is no encoder",
    ),
    method("decode", decoder, `E[x | z]. z [N, ${graphs.latents}]`, missing.decoder ?? "there is no decoder"),
    standard
      ? `    def draw_prior(self, noise, condition=None):\n        """z ~ N(0, I), from noise [N, K + 1]: normal, the last uniform."""\n` +
        `        return noise[:, :${graphs.latents}]\n`
      : method(
        "draw_prior",
        prior,
        "z ~ p(z), from noise [N, K + 1]: normal, the last uniform.",
        missing.prior ?? "there is no prior",
      ),
    method(
      "terms",
      elbo,
      "-log p(x | z) and KL of each row [N, 1], nats, with a draw of z.",
      missing.elbo ?? "no ELBO",
    ),
  ];
  const made = [...modules].map(([name, { made }]) => `        self.${pythonName(name)} = ${made}\n`).join("");
  const replaced: Readonly<Record<string, string>> = {
    ABOUT: `${model}: ${summary}.\n\nSource: ${source}. Rows are ${
      shape.join(" x ")
    }, in the order height, width, channels.`,
    FEATURES: `${trained.features}`,
    LATENTS: `${graphs.latents}`,
    CONDITION: `${condition?.columns ?? 0}`,
  };
  const text = template.replaceAll(/\$(ABOUT|FEATURES|LATENTS|CONDITION)/g, (_, name) => replaced[name])
    .replace("        # $MODULES\n", () => made)
    .replace("    # $METHODS\n", () => methods.join("\n"));
  const named = [...modules].flatMap(([name, { tensors: laid, mask }]) => [
    ...Object.entries(laid).map(([part, { target, out }]) =>
      [`${pythonName(name)}.${part}`, out(tensors.get(target)!)] as const
    ),
    ...mask ? [[`${pythonName(name)}.mask`, mask] as const] : [],
  ]);
  return [
    {
      name: "vae.py",
      bytes: new TextEncoder().encode(text),
      what: "class Vae: load, encode, decode, sample, loss, save",
    },
    {
      name: "vae.safetensors",
      bytes: encodeSafetensors(new Map(named), { elbo: JSON.stringify(description) }),
      what: `its weights, [outputs, inputs]: ${named.length} tensors`,
    },
  ];
}
