/**
 * Graphs as ONNX models.
 *
 * @module
 */

import type { NamedTensors } from "../core/graph/parameters.ts";
import type { Trained } from "../core/training/trained.ts";
import { describeModel } from "./description.ts";
import { type Expression, inOrder } from "./expression.ts";
import type { ExportedFile } from "./file.ts";
import type { Graph, Graphs } from "./graphs.ts";
import { ExportError } from "./formulas.ts";
import { kernelOf, type Values, valuesOf } from "./weights.ts";

/** The version of the operators: of 2021, which every runtime has. */
export const OPSET = 17;

/** IR version 8, which goes with it. */
const IR_VERSION = 8;

/** Of TensorProto.DataType. */
const [FLOAT, INT64] = [1, 7];

/** Of AttributeProto.AttributeType. */
const [A_FLOAT, A_INT, A_INTS] = [1, 2, 7];

const UNARY: Readonly<Record<string, string>> = {
  ...{ abs: "Abs", ceil: "Ceil", cos: "Cos", erf: "Erf", exp: "Exp", floor: "Floor", log: "Log", neg: "Neg" },
  ...{ round: "Round", sign: "Sign", sin: "Sin", sqrt: "Sqrt", tanh: "Tanh" },
  ...{ elu: "Elu", leaky_relu: "LeakyRelu", relu: "Relu", sigmoid: "Sigmoid", softplus: "Softplus" },
};

const BINARY: Readonly<Record<string, string>> = {
  ...{ add: "Add", sub: "Sub", mul: "Mul", div: "Div", min: "Min", max: "Max", pow: "Pow", equal: "Equal" },
  ...{ less: "Less", lessOrEqual: "LessOrEqual", greater: "Greater", greaterOrEqual: "GreaterOrEqual" },
  ...{ and: "And", or: "Or" },
};

type Attributes = Readonly<Record<string, number | { readonly float: number } | readonly number[]>>;

/** What one graph is written into. */
class Writer {
  readonly nodes: object[] = [];
  readonly initializers: object[] = [];
  readonly #names = new Map<Expression, string>();
  readonly #held = new Set<string>();
  #next = 0;

  constructor(readonly tensors: NamedTensors, readonly outputs: Graph["outputs"]) {
    for (const expression of inOrder(Object.values(outputs))) this.#names.set(expression, this.#write(expression));
  }

  /** The name of an expression's value. */
  name(expression: Expression): string {
    return this.#names.get(expression)!;
  }

  #node(opType: string, input: readonly string[], attributes: Attributes = {}, name = `v${this.#next++}`): string {
    const attribute = Object.entries(attributes).map(([name, value]) =>
      typeof value === "number"
        ? { name, type: A_INT, i: value }
        : "float" in value
        ? { name, type: A_FLOAT, f: value.float }
        : { name, type: A_INTS, ints: value }
    );
    this.nodes.push({ opType, input, output: [name], name, attribute });
    return name;
  }

  #hold(name: string, dims: readonly number[], dataType: number, data: ArrayBufferView): string {
    if (!this.#held.has(name)) {
      this.#held.add(name);
      this.initializers.push({
        ...{ name, dims, dataType },
        rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      });
    }
    return name;
  }

  #floats(name: string, { shape, data }: Values): string {
    return this.#hold(name, shape, FLOAT, data);
  }

  #integers(values: readonly number[]): string {
    return this.#hold(`integers ${values}`, [values.length], INT64, BigInt64Array.from(values, BigInt));
  }

  #write(expression: Expression): string {
    const { operation, inputs, shape } = expression;
    const { tensors } = this;
    const given = inputs.map((input) => this.name(input));
    const last = shape.length - 1;
    switch (operation.op) {
      case "input":
        return operation.name;
      case "weight":
      case "bias": {
        const { data } = valuesOf(tensors, operation.parameter, operation.op);
        return this.#floats(`${operation.parameter.name}.${operation.op}`, { shape, data });
      }
      case "vector":
        return this.#floats(`constant ${expression.id}`, { shape, data: Float32Array.from(operation.values) });
      case "number":
        return this.#floats(`number ${operation.value}`, { shape: [], data: Float32Array.of(operation.value) });
      case "unary":
        return this.#unary(operation.f, given[0]);
      case "binary":
        return this.#node(BINARY[operation.f], given);
      case "where":
        return this.#node("Where", given);
      case "linear": {
        const { parameter: { name } } = operation;
        const [weight, bias] = (["weight", "bias"] as const).map((part) =>
          this.#floats(
            part === "bias" ? `${name}.bias of ${name}` : `${name}.weight`,
            valuesOf(tensors, { name }, part),
          )
        );
        return this.#node("Gemm", [given[0], weight, bias], {}, `${name} ${this.#next++}`);
      }
      case "matmul":
        return this.#node("MatMul", given);
      case "conv": {
        const { parameter: { name }, transposed, kernel, stride, padding, beyond } = operation;
        const weight = this.#floats(`${name}.kernel`, kernelOf(valuesOf(tensors, { name }, "weight"), operation));
        const bias = this.#floats(`${name}.bias of ${name}`, valuesOf(tensors, { name }, "bias"));
        return this.#node(transposed ? "ConvTranspose" : "Conv", [given[0], weight, bias], {
          ...{ kernel_shape: [kernel, kernel], strides: [stride, stride], pads: Array(4).fill(padding) },
          ...transposed ? { output_padding: beyond } : {},
        }, `${name} ${this.#next++}`);
      }
      case "batchNorm": {
        const { parameter: { name }, running, epsilon } = operation;
        const of = (parameter: string, part: "weight" | "bias") =>
          this.#floats(`${parameter}.${part} of channels`, {
            shape: [shape[1]],
            data: valuesOf(tensors, { name: parameter }, part).data,
          });
        const rest = [of(name, "weight"), of(name, "bias"), of(running.name, "bias"), of(running.name, "weight")];
        return this.#node("BatchNormalization", [given[0], ...rest], { epsilon: { float: epsilon } });
      }
      case "reshape":
        return this.#node("Reshape", [given[0], this.#integers([-1, ...shape.slice(1)])]);
      case "permute":
        return this.#node("Transpose", given, { perm: operation.order });
      case "columns": {
        const { first, count } = operation;
        return this.#node("Slice", [given[0], ...[first, first + count, last].map((at) => this.#integers([at]))]);
      }
      case "concat":
        return this.#node("Concat", given, { axis: last });
      case "repeat": {
        const [rows, columns] = shape;
        const { times } = operation;
        const apart = this.#node("Reshape", [given[0], this.#integers([-1, 1, columns])]);
        const each = this.#node("Tile", [apart, this.#integers([1, times, 1])]);
        return this.#node("Reshape", [each, this.#integers([rows > 0 ? -1 : rows, columns])]);
      }
      case "sum":
        return this.#node("ReduceSum", [given[0], this.#integers([last])], { keepdims: 1 });
      case "most":
        return this.#node("ReduceMax", given, { axes: [last], keepdims: 1 });
      case "largest":
        return this.#node("Cast", [this.#node("ArgMax", given, { axis: last, keepdims: 1 })], { to: FLOAT });
      case "cumulated":
        return this.#node("CumSum", [given[0], this.#hold("last axis", [], INT64, BigInt64Array.of(BigInt(last)))]);
      case "rowsOf": {
        const places = this.#node("Cast", [given[1]], { to: INT64 });
        return this.#node("Gather", [given[0], this.#node("Reshape", [places, this.#integers([-1])])], { axis: 0 });
      }
      case "dropout":
      case "constant":
        return given[0];
      case "straightThrough":
        return given[1];
      case "normal":
        return this.#node("RandomNormalLike", given);
    }
  }

  #unary(f: string, x: string): string {
    const number = (value: number) => this.#floats(`number ${value}`, { shape: [], data: Float32Array.of(value) });
    // Not among the operators of this version.
    if (f === "silu") return this.#node("Mul", [x, this.#node("Sigmoid", [x])]);
    if (f === "gelu") {
      const below = this.#node("Erf", [this.#node("Mul", [x, number(Math.SQRT1_2)])]);
      return this.#node("Mul", [this.#node("Mul", [x, number(0.5)]), this.#node("Add", [below, number(1)])]);
    }
    return this.#node(UNARY[f], [x], f === "leaky_relu" ? { alpha: { float: 0.01 } } : {});
  }
}

/**
 * The bytes of a graph as an ONNX model: inputs and outputs [N, columns] of floats by their names; codes are whole numbers.
 *
 * @param metadata What else there is to say, strings by name.
 */
export async function encodeOnnx(
  name: string,
  { inputs, outputs }: Graph,
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const { default: { onnx } } = await import("npm:onnx-proto@8.0.1");
  const writer = new Writer(tensors, outputs);
  const matrix = (name: string, columns: number, elemType = FLOAT) => ({
    name,
    type: { tensorType: { elemType, shape: { dim: [{ dimParam: "N" }, { dimValue: columns }] } } },
  });
  const given = Object.entries(outputs).map(([output, expression]) => {
    const isCode = output === "codes";
    return {
      node: {
        ...{ opType: isCode ? "Cast" : "Identity", input: [writer.name(expression)], output: [output], name: output },
        attribute: isCode ? [{ name: "to", type: A_INT, i: INT64 }] : [],
      },
      value: matrix(output, expression.shape[1], isCode ? INT64 : FLOAT),
    };
  });
  const model = {
    irVersion: IR_VERSION,
    opsetImport: [{ domain: "", version: OPSET }],
    producerName: "elbo",
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name,
      node: [...writer.nodes, ...given.map(({ node }) => node)],
      initializer: writer.initializers,
      input: Object.entries(inputs).map(([name, columns]) => matrix(name, columns)),
      output: given.map(({ value }) => value),
    },
  };
  const wrong = onnx.ModelProto.verify(model);
  if (wrong) throw new ExportError(`Cannot write "${name}" as ONNX: ${wrong}`);
  return new Uint8Array(onnx.ModelProto.encode(model).finish());
}

/** A model as ONNX: a file for each graph, with the description of the model in its metadata. */
export async function onnxFiles(trained: Trained, graphs: Graphs): Promise<ExportedFile[]> {
  const tensors = await trained.parameters.read({ slots: false });
  const description = JSON.stringify(describeModel(trained));
  const { encoder, decoder, prior } = graphs;
  const columns = (of: Readonly<Record<string, number>>) =>
    Object.entries(of).map(([name, count]) => `${name} [N, ${count}]`).join(", ");
  return await Array.fromAsync(Object.entries({ encoder, decoder, prior }), async ([name, graph]) => {
    if (!graph) return [];
    const outputs = Object.fromEntries(Object.entries(graph.outputs).map(([key, { shape }]) => [key, shape[1]]));
    return [{
      name: `${name}.onnx`,
      bytes: await encodeOnnx(name, graph, tensors, { elbo: description }),
      what: `${columns(graph.inputs)} to ${columns(outputs)}, opset ${OPSET}`,
    }];
  }).then((all) => all.flat());
}
