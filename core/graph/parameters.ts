/**
 * The trained matrices of a model on the GPU, with the optimizer's slots beside them. A layer's weight [K, N] and bias [N] share one
 * buffer: the bias is one more row, so that one kernel reads both and one gradient kernel updates both.
 *
 * @module
 */

import { FileError } from "../bounds.ts";
import { type Gpu, GpuError } from "../gpu/device.ts";
import type { ErrorScopes } from "../gpu/error_scopes.ts";
import { nonFiniteBuffers } from "../gpu/non_finite.ts";
import { createTensor, PANEL, roundUp, type Tensor, unpack, upload } from "../gpu/tensor.ts";
import { connectedWeights, type Connections } from "./connections.ts";
import { initialize, type Initializers } from "./initializers.ts";

/** The shape of a layer's parameters: weight [inputs, outputs] and bias [outputs]. */
export interface ParameterShape {
  /** 0 for a vector on its own: a bias without a weight. */
  readonly inputs: number;
  /** Columns of the weight, and length of the bias. */
  readonly outputs: number;
  /** The images that a convolution reads, [height, width, channels]: its inputs are K K channels then. */
  readonly images?: readonly [height: number, width: number, channels: number];
  /** False for what no optimizer updates, such as the running averages of an op: it is kept and saved, but has no slots. */
  readonly trained?: boolean;
  /** Which of its weights there are; the others are 0 and stay so. Default: all. */
  readonly connections?: Connections;
  /** What every weight is at first, beside biases of 0; drawn by the training's initializers where left out. */
  readonly initial?: number;
}

/** The shapes of a model's parameters by name; "encoder.0" holds "encoder.0.weight" and "encoder.0.bias", or the bias alone. */
export type Shapes = Readonly<Record<string, ParameterShape>>;

/**
 * Checks shapes: what has no place for a number must not reach a GPU.
 *
 * @throws {RangeError} If a layer has no output, or reads images without a pixel or of another number of channels.
 */
export function requireShapes(shapes: Shapes): void {
  const size = (n: number, least: number) => Number.isSafeInteger(n) && n >= least;
  for (const [name, { inputs, outputs, images }] of Object.entries(shapes)) {
    if (!size(inputs, 0) || !size(outputs, 1)) {
      throw new RangeError(
        `Cannot create the parameter "${name}": expected at least 0 inputs and 1 output, found ${inputs} and ${outputs}`,
      );
    }
    if (images && !(images.every((n) => size(n, 1)) && inputs % images[2] === 0)) {
      throw new RangeError(
        `Cannot create the parameter "${name}": expected images of at least 1 x 1 x 1, and weights for each of their ` +
          `channels, found ${images.join(" x ")} and ${inputs} weights`,
      );
    }
  }
}

/** Values as a checkpoint holds them: row-major, weight and bias apart. */
export type NamedTensors = Map<string, { shape: readonly number[]; data: Float32Array<ArrayBuffer> }>;

/** Weight [inputs, outputs] and bias [outputs], row-major. */
export interface Weights {
  /** Row-major [inputs, outputs]. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** [outputs] */
  readonly bias: Float32Array<ArrayBuffer>;
}

/** Weight and bias of one layer. */
export class Parameter {
  /** [inputs, outputs]; the bias lies in row {@linkcode Parameter.biasRow}. */
  readonly tensor: Tensor;
  /** The stored row of the bias. */
  readonly biasRow: number;
  readonly #slots = new Map<string, Tensor>();
  readonly #gpu: Gpu;
  readonly #scopes: ErrorScopes;
  readonly #from: () => string | undefined;
  #destroyed = false;

  /**
   * A parameter of zeros.
   *
   * @param scopes Those of all parameters of the model.
   * @param from The checkpoint that all slots must be of, where there is one.
   */
  constructor(
    gpu: Gpu,
    readonly name: string,
    readonly shape: ParameterShape,
    scopes: ErrorScopes = gpu.scopes(),
    from: () => string | undefined = () => undefined,
  ) {
    this.#gpu = gpu;
    this.#scopes = scopes;
    this.#from = from;
    this.biasRow = roundUp(shape.inputs, PANEL);
    this.tensor = this.#create(name);
  }

  #create(name: string): Tensor {
    const { inputs, outputs } = this.shape;
    return this.#scopes.within(() => createTensor(this.#gpu, name, inputs, outputs, { storedRows: this.biasRow + 1 }));
  }

  /**
   * Asks whether it can be used.
   *
   * @throws {GpuError} If it was destroyed, or its device is lost or was destroyed.
   */
  check(): void {
    if (this.#destroyed) throw new GpuError(`Cannot use the parameter "${this.name}": it was destroyed`);
    this.#gpu.check();
  }

  /**
   * A matrix of the same layout that an optimizer keeps beside this one, zero at first.
   *
   * @throws {FileError} If the training goes on from a checkpoint that has other slots.
   */
  slot(name: string): Tensor {
    let tensor = this.#slots.get(name);
    if (!tensor) {
      this.check();
      const file = this.#from();
      if (file !== undefined) {
        const message =
          `expected a tensor "optimizer.${name}.${this.name}.bias" of shape [${this.shape.outputs}], found none`;
        throw new FileError(file, message, { verb: "load" });
      }
      this.#slots.set(name, tensor = this.#create(`${name} of ${this.name}`));
    }
    return tensor;
  }

  /** Exchanges the values of this matrix and of one of its slots. */
  exchange(name: string, encoder: GPUCommandEncoder): GPUBuffer {
    const [{ buffer: one }, { buffer: other }] = [this.tensor, this.slot(name)];
    const { size } = one;
    const between = this.#gpu.device.createBuffer({
      label: `${name} exchanged`,
      size,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
    });
    encoder.copyBufferToBuffer(one, 0, between, 0, size);
    encoder.copyBufferToBuffer(other, 0, one, 0, size);
    encoder.copyBufferToBuffer(between, 0, other, 0, size);
    return between;
  }

  /** The slots in use, by name. */
  get slots(): ReadonlyMap<string, Tensor> {
    return this.#slots;
  }

  /** Writes row-major weight [inputs, outputs] and bias [outputs]. */
  set(tensor: Tensor, weight: Float32Array, bias: Float32Array): void {
    this.check();
    const { inputs, outputs, connections } = this.shape;
    const all = new Float32Array((this.biasRow + 1) * outputs);
    const given = weight.subarray(0, inputs * outputs);
    all.set(connections ? connectedWeights(given, outputs, connections) : given);
    all.set(bias, this.biasRow * outputs);
    this.#scopes.within(() => upload(this.#gpu, tensor, all));
  }

  /** Reads weight and bias of this parameter, of one of its slots or of its gradient. */
  async get(tensor: Tensor = this.tensor): Promise<Weights> {
    this.check();
    const stored = await this.#gpu.read(tensor.buffer);
    await this.#scopes.settle();
    return this.unpack(tensor, stored);
  }

  /** Weight and bias in what was read of this parameter, of one of its slots or of its gradient. */
  unpack(tensor: Tensor, stored: ArrayBuffer): Weights {
    return { weight: unpack(tensor, stored), bias: unpack(tensor, stored, this.biasRow, 1) };
  }

  /** Frees the buffers. */
  destroy(): void {
    this.#destroyed = true;
    for (const tensor of [this.tensor, ...this.#slots.values()]) this.#gpu.strategy.free(tensor.buffer);
  }
}

/** A copy of all parameters and slots on the GPU. */
export interface Snapshot {
  /** A copy of each stored matrix. */
  readonly copies: readonly GPUBuffer[];
  /** Puts the copied values back. */
  restore(): void;
}

/** Tensors by name out of a file, of any type. */
export type FoundTensors = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: ArrayLike<number> }
>;

/**
 * Weight and bias of a parameter, and of each of the slots named, out of tensors by name.
 *
 * @throws {FileError} If one is missing or of another shape.
 */
export function tensorsOf(
  name: string,
  { inputs, outputs, trained = true }: Shapes[string],
  tensors: FoundTensors,
  slots: readonly string[],
  file: string,
): { readonly slot: string; readonly weight: Float32Array; readonly bias: Float32Array }[] {
  const find = (name: string, shape: readonly number[]): Float32Array => {
    const fail = (message: string): never => {
      throw new FileError(file, message, { verb: "load" });
    };
    const found = tensors.get(name);
    if (!found) return fail(`expected a tensor "${name}" of shape [${shape}], found none`);
    if (found.shape.join() !== shape.join()) {
      fail(`expected "${name}" of shape [${shape}], found [${found.shape}]`);
    }
    return found.data instanceof Float32Array ? found.data : fail(`expected "${name}" in float32`);
  };
  return ["", ...trained ? slots : []].map((slot) => {
    const full = `${slot && `optimizer.${slot}.`}${name}`;
    const weight = inputs > 0 ? find(`${full}.weight`, [inputs, outputs]) : new Float32Array();
    return { slot, weight, bias: find(`${full}.bias`, [outputs]) };
  });
}

/** The slots of each parameter that a file has, by the names of its tensors: "optimizer.<slot>.<parameter>.bias". */
export function slotsIn(tensors: FoundTensors): (parameter: string) => readonly string[] {
  const slots = new Map<string, string[]>();
  for (const name of tensors.keys()) {
    const [, slot, parameter] = /^optimizer\.([^.]+)\.(.+)\.bias$/s.exec(name) ?? [];
    if (slot) slots.set(parameter, [...slots.get(parameter) ?? [], slot]);
  }
  return (parameter) => slots.get(parameter) ?? [];
}

/** All parameters of a model. */
export class Parameters implements Iterable<Parameter> {
  readonly #parameters: ReadonlyMap<string, Parameter>;
  readonly #gpu: Gpu;
  readonly #scopes: ErrorScopes;
  #destroyed = false;
  /** The checkpoint that they are of, with the slots of an optimizer. */
  #file: string | undefined;

  /**
   * Parameters of zeros.
   *
   * @param held Parameters that there are already, by other names, in place of new ones.
   * @throws {RangeError} If there is a shape without a place for a number.
   */
  constructor(gpu: Gpu, shapes: Shapes, held?: ReadonlyMap<string, Parameter>) {
    requireShapes(shapes);
    gpu.check();
    this.#gpu = gpu;
    const scopes = this.#scopes = gpu.scopes();
    this.#parameters = held ?? allocated(
      Object.entries(shapes),
      ([name, shape]) => new Parameter(gpu, name, shape, scopes, () => this.#file),
    );
  }

  /**
   * Asks whether they can be used.
   *
   * @throws {GpuError} If they were destroyed, or their device is lost or was destroyed.
   */
  check(): void {
    if (this.#destroyed) throw new GpuError("Cannot use the parameters of a model: they were destroyed");
    this.#gpu.check();
  }

  /**
   * Waits for what is known of all that was done with them. No wait for the GPU.
   *
   * @throws {GpuError} If there was an error.
   */
  async settle(): Promise<void> {
    await this.#scopes.settle();
  }

  /**
   * The parameter of a name.
   *
   * @throws {TypeError} If the model declared none of that name.
   */
  get(name: string): Parameter {
    const parameter = this.#parameters.get(name);
    if (!parameter) {
      throw new TypeError(
        `Cannot find the parameter "${name}": declared are ${[...this.#parameters.keys()].join(", ")}`,
      );
    }
    return parameter;
  }

  /** Those whose names begin so, by the rest of their names: the parameters of a model within another. They stay this one's to free. */
  under(prefix: string): Parameters {
    const own = [...this.#parameters].filter(([name]) => name.startsWith(prefix));
    return new Parameters(this.#gpu, {}, new Map(own.map(([name, each]) => [name.slice(prefix.length), each])));
  }

  /** Every parameter, in the order of the shapes. */
  [Symbol.iterator](): Iterator<Parameter> {
    return this.#parameters.values();
  }

  /** Number of trained scalars. */
  get count(): number {
    return [...this].reduce(
      (sum, { shape: { inputs, outputs, trained = true } }) => sum + (trained ? (inputs + 1) * outputs : 0),
      0,
    );
  }

  /** Draws initial values, a function of the seed and of each parameter's place. */
  initialize(initializers: Initializers, seed: number): void {
    [...this].forEach((parameter, i) => {
      const { inputs, outputs, images, initial } = parameter.shape;
      if (initial !== undefined) {
        const weight = new Float32Array(inputs * outputs).fill(initial);
        parameter.set(parameter.tensor, weight, new Float32Array(outputs));
        return;
      }
      // K² weights of a convolution join an output channel to each input channel, and an input channel to each output channel.
      const fanOut = images ? inputs / images[2] * outputs : outputs;
      const weight = initialize(initializers.weight, inputs, fanOut, inputs * outputs, seed, 2 * i);
      // A bias is a weight from the one constant input 1.
      const bias = initialize(initializers.bias, 1, outputs, outputs, seed, 2 * i + 1);
      parameter.set(parameter.tensor, weight, bias);
    });
  }

  /**
   * Reads every parameter, and the optimizer's slots as "optimizer.<slot>.<parameter>".
   *
   * @param options Whether to read the slots too.
   */
  async read({ slots = true }: { readonly slots?: boolean } = {}): Promise<NamedTensors> {
    this.check();
    const all = [...this].flatMap((parameter) =>
      [["", parameter.tensor] as const, ...(slots ? parameter.slots : [])].map(([slot, tensor]) => ({
        parameter,
        tensor,
        name: `${slot && `optimizer.${slot}.`}${parameter.name}`,
      }))
    );
    const stored = await this.#gpu.readAll(all.map(({ tensor: { buffer } }) => ({ buffer })));
    await this.settle();
    const tensors: NamedTensors = new Map();
    for (const [i, { parameter, tensor, name }] of all.entries()) {
      const { inputs, outputs } = parameter.shape;
      const { weight, bias } = parameter.unpack(tensor, stored[i]);
      if (inputs > 0) tensors.set(`${name}.weight`, { shape: [inputs, outputs], data: weight });
      tensors.set(`${name}.bias`, { shape: [outputs], data: bias });
    }
    return tensors;
  }

  /** Reads parameters of those names. */
  async values<Names extends string>(...names: readonly Names[]): Promise<Record<Names, Weights>> {
    this.check();
    const parameters = names.map((name) => this.get(name));
    const stored = await this.#gpu.readAll(parameters.map(({ tensor: { buffer } }) => ({ buffer })));
    await this.settle();
    const entries = parameters.map((parameter, i) =>
      [names[i], parameter.unpack(parameter.tensor, stored[i])] as const
    );
    return Object.fromEntries(entries) as Record<Names, Weights>;
  }

  /**
   * Writes every parameter, and the slots that the tensors have of it. No others can be made then, if there are any.
   *
   * @throws {FileError} If a tensor is missing or of another shape; nothing has been written then.
   */
  write(tensors: FoundTensors, source: string): void {
    const slots = slotsIn(tensors);
    const writes = [...this.#parameters].flatMap(([name, parameter]) =>
      tensorsOf(name, parameter.shape, tensors, slots(name), source).map(
        ({ slot, weight, bias }) => () => parameter.set(slot ? parameter.slot(slot) : parameter.tensor, weight, bias),
      )
    );
    for (const write of writes) write();
    if (tensors.keys().some((name) => name.startsWith("optimizer."))) this.#file = source;
  }

  /** The first parameter or slot that holds a number which is not finite, by the name of its buffer; undefined where none does. */
  async nonFinite(): Promise<string | undefined> {
    this.check();
    const buffers = [...this].flatMap(({ tensor, slots }) => [tensor, ...slots.values()].map(({ buffer }) => buffer));
    return (await nonFiniteBuffers(this.#gpu, buffers)).at(0)?.label;
  }

  /** Gives every slot of that name the values of its parameter. */
  copyTo(slot: string): void {
    this.#submit((encoder) => {
      for (const { tensor: { buffer }, slots } of this) {
        const to = slots.get(slot);
        if (to) encoder.copyBufferToBuffer(buffer, 0, to.buffer, 0, buffer.size);
      }
    });
  }

  /** Records commands and submits them. */
  #submit<T>(commands: (encoder: GPUCommandEncoder) => T): T {
    this.check();
    return this.#scopes.within(() => {
      const encoder = this.#gpu.device.createCommandEncoder();
      const result = commands(encoder);
      this.#gpu.device.queue.submit([encoder.finish()]);
      return result;
    });
  }

  /** Exchanges the values of every parameter that has a slot of that name with those of the slot. */
  exchange(slot: string): void {
    const exchanged = [...this].filter(({ slots }) => slots.has(slot));
    if (!exchanged.length) return;
    const between = this.#submit((encoder) => exchanged.map((each) => each.exchange(slot, encoder)));
    for (const buffer of between) buffer.destroy();
  }

  /** Copies every parameter and slot on the GPU, into the buffers of a previous copy where there is one. */
  snapshot(previous?: Snapshot): Snapshot {
    this.check();
    const buffers = [...this].flatMap((parameter) =>
      [parameter.tensor, ...parameter.slots.values()].map(({ buffer }) => buffer)
    );
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const copies = previous?.copies ??
      this.#scopes.within(() =>
        buffers.map(({ size, label }) => this.#gpu.device.createBuffer({ label, size, usage }))
      );
    const copy = (from: readonly GPUBuffer[], to: readonly GPUBuffer[]) =>
      this.#submit((encoder) =>
        from.forEach((buffer, i) => encoder.copyBufferToBuffer(buffer, 0, to[i], 0, buffer.size))
      );
    copy(buffers, copies);
    return { copies, restore: () => copy(copies, buffers) };
  }

  /** Frees the buffers. */
  destroy(): void {
    this.#destroyed = true;
    for (const parameter of this) parameter.destroy();
  }
}

/** Parameters by name, all or none: one that is more than a buffer can hold leaves none of those before it behind. */
function allocated(
  shapes: readonly (readonly [string, ParameterShape])[],
  create: (shape: readonly [string, ParameterShape]) => Parameter,
): ReadonlyMap<string, Parameter> {
  const made = new Map<string, Parameter>();
  try {
    for (const each of shapes) made.set(each[0], create(each));
  } catch (error) {
    for (const parameter of made.values()) parameter.destroy();
    throw error;
  }
  return made;
}
