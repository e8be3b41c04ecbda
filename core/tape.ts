/**
 * What a model records on. An op adds a node: how its forward dispatches look, and how it passes a gradient back. Nothing
 * runs while recording; {@linkcode Tape.compile} then lays the tape out flat, when it is known who consumes what, so that a
 * likelihood can be folded into the layer before it and an optimizer into the gradient that it applies.
 *
 * Dimension letters: N batch, D data, H hidden, K latent, L samples.
 *
 * @module
 */

import type { Gpu } from "./device.ts";
import type { Binding, Dispatch, Fragment, Part } from "./kernel.ts";
import { read, sizeOf, uniform, write } from "./kernel.ts";
import { free, mirrored, texelsOf } from "./mirror.ts";
import type { Optimizer } from "./optimizers/mod.ts";
import type { Parameter } from "./parameters.ts";
import type { Schedule } from "./schedule.ts";
import { constant, scaled } from "./schedule.ts";
import { createBuffer, createTensor, PANEL, roundUp, type Tensor } from "./tensor.ts";
import {
  mapped,
  type Product,
  product,
  type ProductShape,
  productShape,
  type SplitProduct,
  splitProduct,
  splitShape,
  type Tiles,
} from "./tiles.ts";
import { words } from "./words.ts";
import beforePart from "../shaders/optimizers/before.wgsl" with { type: "text" };
import further from "../shaders/epilogues/further.wgsl" with { type: "text" };
import formTile from "../shaders/tiles/form.wgsl" with { type: "text" };
import first from "../shaders/epilogues/first.wgsl" with { type: "text" };
import gradientPart from "../shaders/epilogues/gradient.wgsl" with { type: "text" };
import last from "../shaders/epilogues/last.wgsl" with { type: "text" };
import layout from "../shaders/layout.wgsl" with { type: "text" };
import loadFormed from "../shaders/loaders/formed.wgsl" with { type: "text" };
import loadMatrix from "../shaders/loaders/matrix.wgsl" with { type: "text" };
import loadZero from "../shaders/loaders/zero.wgsl" with { type: "text" };
import loadSum from "../shaders/loaders/sum.wgsl" with { type: "text" };
import only from "../shaders/epilogues/only.wgsl" with { type: "text" };
import scalarPart from "../shaders/scalar.wgsl" with { type: "text" };
import stateStruct from "../shaders/state.wgsl" with { type: "text" };
import upstreamNone from "../shaders/epilogues/upstream_none.wgsl" with { type: "text" };
import upstreamPart from "../shaders/epilogues/upstream.wgsl" with { type: "text" };

/** A matrix on the tape, [rows, columns]. Its storage is allocated when something needs it stored. */
export interface Variable {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly type: Tensor["type"];
  /** The node that forms it; none for inputs. */
  producer?: Node;
  /** Who reads it, once for every use. */
  readonly consumers: Node[];
  /**
   * What the last contribution to this variable's gradient does with the sum: a fragment giving `finish`. Without one, the sum
   * is stored in {@linkcode Tape.gradient}.
   */
  finish?: () => Fragment;
  /** An epilogue that could take the values in as they are formed, so that they need not be stored. */
  sink?: () => Fragment;
  /** Says that the sink cannot take the values in after all, once everything is recorded. */
  unfused?: () => boolean;
  /** True where the producer can end with the sink. */
  fusible?: boolean;
}

/** One number for every row of the batch, kept as partial sums [parts, rows]. */
export interface Values {
  readonly name: string;
  readonly buffer: GPUBuffer;
  readonly parts: number;
  /** One for each of N rows, or several in turn for each. */
  readonly rows: number;
  /** Rows stored, padding included. */
  readonly storedRows: number;
  producer?: Node;
  /** The op that reads them, where they are not only a term. */
  consumer?: Node;
  /** A fragment giving upstream_m(row), dL/dvalue, from the op that reads them. */
  upstream?: (m: string) => Fragment;
  /** Its place among the terms of the objective, once compiled. */
  term?: number;
}

/** One operation on the tape. */
export interface Node {
  readonly name: string;
  readonly inputs: readonly Variable[];
  readonly parameters: readonly Parameter[];
  /** Per-row values that it reads. */
  readonly values?: readonly Values[];
  /** Records the forward dispatches. */
  forward(): void;
  /** Records what passes the gradient back to the inputs and parameters; forms their gradients in this order. */
  backward?(): void;
}

/** One named part of the loss: summed over features, averaged over the batch, in nats. */
export interface Term {
  readonly name: string;
  readonly value: Values;
  /** Its weight in the minimised loss. */
  readonly weight: Schedule;
}

/** What the steps of a program follow from. */
export interface State {
  /** Number of the next step. */
  readonly step: number;
  readonly seed: number;
  /** Rows in the dataset. */
  readonly count: number;
  readonly shuffle: boolean;
}

/** Brings to the GPU what steps need before they are submitted. */
export interface Feed {
  /** At most so many steps at a time. */
  readonly steps: number;
  /** Brings what the `steps` steps from `step` on need. What was submitted before has been through with its own by then. */
  bring(state: State, step: number, steps: number): void;
}

/** What a group of parameters minimises: the weighted sum of the terms. */
export interface Objective {
  /** Names of the parameters: those that begin with this; all where it is left out. */
  readonly parameters?: string;
  readonly terms: readonly Term[];
}

/** What is counted over all rows that a program goes through, and the number that the counts come to: no mean over rows gives it. */
export interface Tally {
  readonly name: string;
  /** u32 counts, to which every step adds. */
  readonly counts: GPUBuffer;
  /** How many counts. */
  readonly size: number;
  measure(counts: ArrayLike<number>): number;
}

/** A product on the tape, which can be formed with other tiles of the same family. */
export interface TapeProduct {
  readonly shape: ProductShape;
  /** Multiply-adds that the mathematics asks for. */
  readonly macs: number;
  /** Its dispatches with such tiles. */
  form(tiles: Tiles): readonly Dispatch[];
}

/** How the values of a variable are formed that no product gives. */
export interface Formed {
  readonly label: string;
  readonly variable: Variable;
  /** Groups of four columns that it has; those beyond are padding. */
  readonly columns4: number;
  /**
   * Gives `formed(row, origin, column4, kept)`, which returns four values and stores them where `kept`; `origin_of(row)`, what the values
   * of a row have in common; and `begun(index)`, what is done once beside, by an index from 0 on.
   */
  readonly by: Fragment;
  /** Bytes that it reads and writes, if not all of its buffers. */
  readonly bytes?: number;
}

/** A tape laid out flat: what one step dispatches, and what the state must hold for it. */
export interface Compiled {
  readonly dispatches: readonly Dispatch[];
  /** The matrix products among them. */
  readonly products: readonly TapeProduct[];
  readonly terms: readonly Term[];
  readonly tallies: readonly Tally[];
  /** Term weights, numbers that ops asked for, then the optimizers': `State.scalars` at each step. */
  readonly scalars: readonly Schedule[];
}

/** How {@linkcode Tape.compile} ends each parameter's gradient. */
export interface Training {
  /** An optimizer, or "gradients" to keep the gradients and leave the parameters. */
  readonly optimizer: Optimizer | "gradients";
  /** Whether the loss is averaged or summed over the batch. */
  readonly reduction: "mean" | "sum";
}

/** Groups of four columns that one invocation forms. */
const RUN = 8;

/** A recording of ops on a batch of N rows. */
export class Tape {
  /** Stored rows of a batch. */
  readonly rows: number;
  readonly #nodes: Node[] = [];
  readonly #tensors = new Map<Variable, Tensor>();
  readonly #gradients = new Map<Variable | Parameter, Tensor>();
  readonly #sums = new Map<Variable, Tensor>();
  /** Variables whose gradient is another one's, in the backward pass being recorded. */
  readonly #sharing = new Set<Variable>();
  readonly #buffers: GPUBuffer[] = [];
  #dispatches: Dispatch[] = [];
  #products: TapeProduct[] = [];
  #expected = new Map<Variable | Parameter, number>();
  #contributed = new Map<Variable | Parameter, number>();
  #scratch: GPUBuffer | undefined;
  #forming: Formed | undefined;
  #streams = 1;
  #training: Training | undefined;
  #firstScalar = 0;
  #terms = 0;
  readonly #schedules: Schedule[] = [];
  /** What each submit brings to the GPU. */
  readonly feeds: Feed[] = [];
  readonly #tallies: Tally[] = [];

  /**
   * @param gpu Where it will run.
   * @param batch N, the rows of a batch.
   * @param tiles The matrix kernels to use.
   * @param state The buffer of shaders/state.wgsl.
   */
  constructor(readonly gpu: Gpu, readonly batch: number, readonly tiles: Tiles, readonly state: GPUBuffer) {
    this.rows = roundUp(batch, tiles.rowMultiple);
  }

  /** A new variable of N rows, or of another number of them. */
  variable(name: string, columns: number, type: Tensor["type"] = "f32", rows: number = this.batch): Variable {
    return { name, rows, columns, type, consumers: [] };
  }

  /** New per-row values in `parts` partial sums. */
  values(name: string, parts: number, rows: number = this.batch): Values {
    const storedRows = this.stored(rows);
    return { name, buffer: this.buffer(name, parts * storedRows * 4), parts, rows, storedRows };
  }

  /** Rows stored for so many rows. */
  stored(rows: number): number {
    return roundUp(rows, this.tiles.rowMultiple);
  }

  /** A buffer that lives as long as the tape. */
  buffer(label: string, size: number): GPUBuffer {
    const buffer = createBuffer(this.gpu, label, size);
    this.#buffers.push(buffer);
    return buffer;
  }

  /** Frees a buffer together with the tape. */
  own(buffer: GPUBuffer): void {
    this.#buffers.push(buffer);
  }

  /** Adds what every submit brings to the GPU. */
  feed(feed: Feed): void {
    this.feeds.push(feed);
  }

  /** A number for a random stream, different for each asker on this tape. */
  stream(): number {
    return this.#streams++;
  }

  /** Asks for a number that follows from the step; {@linkcode Tape.scalar} says where it stands. */
  schedule(schedule: Schedule): number {
    return this.#schedules.push(schedule) - 1;
  }

  /** The place in `State.scalars` of a number asked for, once compiling. */
  scalar(index: number): number {
    return this.#terms + index;
  }

  /** New counts, all zero. */
  tally(name: string, size: number, measure: Tally["measure"]): Tally {
    const tally = { name, counts: this.buffer(name, size * 4), size, measure };
    this.#tallies.push(tally);
    return tally;
  }

  /** Adds an operation that forms `outputs`. */
  record(node: Node, ...outputs: readonly (Variable | Values)[]): void {
    this.#nodes.push(node);
    for (const input of node.inputs) input.consumers.push(node);
    for (const values of node.values ?? []) values.consumer = node;
    for (const output of outputs) output.producer = node;
  }

  /**
   * Marks a place on the tape.
   *
   * @returns How many dispatches come before it, once compiled: those can be run once for many runs of the others.
   */
  mark(): () => number {
    let before = 0;
    const forward = () => {
      this.#form();
      before = this.#dispatches.length;
    };
    this.record({ name: "mark", inputs: [], parameters: [], forward });
    return () => before;
  }

  /** Where a variable is stored. */
  tensor(variable: Variable): Tensor {
    return this.#store(this.#tensors, variable, variable);
  }

  /** Where a variable's gradient is stored: dL/da for a layer y = f(a). */
  gradient(variable: Variable): Tensor {
    return this.#store(this.#gradients, variable, { ...variable, name: `gradient of ${variable.name}`, type: "f32" });
  }

  #store<K>(
    map: Map<K, Tensor>,
    key: K,
    { name, rows, columns, type }: Pick<Variable, "name" | "rows" | "columns" | "type">,
  ): Tensor {
    let tensor = map.get(key);
    if (!tensor) {
      tensor = createTensor(this.gpu, name, rows, columns, { storedRows: this.stored(rows), type });
      this.#buffers.push(tensor.buffer);
      map.set(key, tensor);
    }
    return tensor;
  }

  /** The gradient of a parameter, in a tape compiled with "gradients". */
  parameterGradient(parameter: Parameter): Tensor {
    let tensor = this.#gradients.get(parameter);
    if (!tensor) {
      const { name, tensor: { rows, columns, storedRows } } = parameter;
      tensor = createTensor(this.gpu, `gradient of ${name}`, rows, columns, { storedRows });
      this.#buffers.push(tensor.buffer);
      this.#gradients.set(parameter, tensor);
    }
    return tensor;
  }

  /** A fragment giving load_m of a variable, or of its gradient; each row `repeats` times in turn. */
  load(m: string, source: Variable | Tensor, repeats = 1): Fragment {
    return loader(m, "buffer" in source ? source : this.tensor(source), repeats);
  }

  /**
   * Binds the state of a kernel that only reads it: as a uniform buffer with the panel tiles, since a CPU adapter reads a fixed place of one
   * at once, but one of a storage buffer in a loop over the invocations, for each row anew.
   */
  readState(): Binding {
    return this.tiles.family === "panel" ? uniform(this.state, "State") : read(this.state, "State");
  }

  /** Whether kernels had better read a matrix many times through a texture. */
  texels({ buffer, type }: Tensor): boolean {
    return this.tiles.family === "panel" &&
      mirrored(this.gpu.device, buffer, texelsOf(type));
  }

  /** A fragment giving load_m of an operand of a product. */
  operand(m: string, source: Variable | Tensor): Fragment {
    const tensor = "buffer" in source ? source : this.tensor(source);
    return loader(m, tensor, 1, this.texels(tensor));
  }

  /** Records a dispatch. */
  dispatch(dispatch: Dispatch): void {
    this.#form();
    this.#dispatches.push(dispatch);
  }

  /**
   * Records what forms a variable. Where the next dispatch is a product of that variable, it may form the values as it loads them, and
   * keep them for those who read them later; else they have a dispatch of their own.
   */
  form(formed: Formed): void {
    this.#form();
    this.#forming = formed;
    if (!this.tiles.fuses) this.#form();
  }

  /** Gives what is to be formed a dispatch of its own, if no product has taken it in. */
  #form(): void {
    if (!this.#forming) return;
    const { label, variable, columns4, by, bytes } = this.#forming;
    this.#forming = undefined;
    const groups = Math.ceil(this.stored(variable.rows) * Math.ceil(columns4 / RUN) / 64);
    const across = Math.min(groups, 32768);
    this.dispatch({
      label,
      ...bytes === undefined ? {} : { bytes },
      fragments: [{ parts: [layout, formTile], constants: { RUN } }, this.#formed(variable, columns4), by],
      workgroups: [across, Math.ceil(groups / across)],
    });
  }

  #formed(variable: Variable, columns4: number): Fragment {
    return { parts: [], constants: { ROWS_formed: this.stored(variable.rows), COLUMNS4_formed: columns4 } };
  }

  /**
   * Records a matrix product.
   *
   * @param x The variable that its first operand is, where it is one as it lies.
   */
  product(description: Product, x?: Variable): void {
    const whole = this.#forms(description, x) ?? description;
    this.#product(productShape(whole), whole.macs, (tiles, partials) => product(tiles, whole, partials));
  }

  /** A product that forms what is to be formed as it loads it, if that is its first operand and one kernel can do both. */
  #forms(description: Product, x?: Variable): Product | undefined {
    const formed = this.#forming;
    if (!formed || formed.variable !== x) return undefined;
    const { by, columns4 } = formed;
    const rest = merge(description.b, description.epilogue);
    if (!agree(by, rest, this.gpu.device.limits.maxStorageBuffersPerShaderStage)) return undefined;
    this.#forming = undefined;
    return {
      ...description,
      label: `${formed.label} + ${description.label}`,
      a: merge({ parts: [loadFormed] }, this.#formed(x, columns4), by),
      begins: true,
      bytes: (formed.bytes ?? buffersOf(by)) + buffersOf(rest),
    };
  }

  /** Records a weight gradient that is summed in chunks. */
  splitProduct(description: SplitProduct): void {
    this.#product(
      splitShape(description),
      description.macs,
      (tiles, partials) => splitProduct(tiles, description, partials),
    );
  }

  #product(
    shape: ProductShape,
    macs: number,
    dispatches: (tiles: Tiles, partials: (floats: number) => GPUBuffer) => readonly Dispatch[],
  ): void {
    const form = (tiles: Tiles) => dispatches(tiles, (floats) => this.#partials(floats));
    this.#products.push({ shape, macs, form });
    for (const each of form(this.tiles)) this.dispatch(each);
  }

  /** Records an epilogue on a variable's (or zero) values, without a product. */
  map(label: string, a: Fragment, epilogue: Fragment, { rows, columns }: Pick<Variable, "rows" | "columns">): void {
    this.dispatch(mapped(label, [a], epilogue, { rows: this.stored(rows), columns: roundUp(columns, PANEL) }));
  }

  /** One buffer serves all partial sums: dispatches that use it run one after another. */
  #partials(floats: number): GPUBuffer {
    if (!this.#scratch || this.#scratch.size < floats * 4) this.#scratch = this.buffer("partial sums", floats * 4);
    return this.#scratch;
  }

  /** True while compiling for training. */
  get training(): boolean {
    return this.#training !== undefined;
  }

  /** True while compiling for a training that changes the parameters, not one that only keeps their gradients. */
  get updating(): boolean {
    return this.training && this.#training!.optimizer !== "gradients";
  }

  /** True while compiling for a backward pass that reaches this variable. */
  needsGradient(variable: Variable | Parameter): boolean {
    return (this.#expected.get(variable) ?? 0) > 0;
  }

  /**
   * True where the producer of a variable ends with its one consumer, which takes the values in as they are formed. What else that
   * consumer reads must have been recorded before: it runs where the producer stands on the tape.
   */
  fused(variable: Variable): boolean {
    const { fusible, sink, unfused, consumers, producer } = variable;
    if (!fusible || !sink || consumers.length !== 1 || !producer || unfused?.()) return false;
    const place = this.#nodes.indexOf(producer);
    return consumers[0].inputs.every((input) =>
      input === variable || !input.producer || this.#nodes.indexOf(input.producer) < place
    );
  }

  /** True where an op reads the values, so that their upstream gradient is known only when that op has run. */
  deferred(values: Values): boolean {
    return this.training && values.consumer !== undefined;
  }

  /** A fragment giving upstream_m(row) = dL/dvalue, for values that are terms of the loss or that an op reads. */
  upstream(m: string, values: Values): Fragment {
    if (values.upstream) return values.upstream(m);
    const { term } = values;
    if (term === undefined) return { parts: [{ text: upstreamNone, parameters: { m } }] };
    return {
      parts: [stateStruct, scalarPart, { text: upstreamPart, parameters: { m } }],
      constants: { [`TERM_${m}`]: term, [`LIVE_${m}`]: values.rows },
      buffers: { state: this.readState() },
    };
  }

  /**
   * A fragment giving `store(row, column4, value)`, which takes `value` as the next contribution to the gradient of a variable or
   * parameter. Each consumer asks for it once, in backward order; the last one finishes the gradient.
   */
  contribution(target: Variable | Parameter): Fragment {
    const count = (this.#contributed.get(target) ?? 0) + 1;
    this.#contributed.set(target, count);
    const expected = this.#expected.get(target) ?? 0;
    if (count > expected) {
      throw new Error(`Cannot add to the gradient of "${target.name}": expected ${expected} contributions`);
    }
    if (expected === 1) return merge({ parts: [only] }, this.#finish(target));
    // Collected where the gradient will stand, unless finishing writes there: a kernel cannot bind one buffer twice.
    const stays = "shape" in target ? this.#training!.optimizer === "gradients" : !target.finish;
    const collected = "shape" in target
      ? this.parameterGradient(target)
      : stays
      ? this.gradient(target)
      : this.#store(this.#sums, target, { ...target, name: `sum for ${target.name}`, type: "f32" });
    const collecting = (part: Part): Fragment => ({
      parts: [part],
      constants: { ROWS_collected: collected.storedRows },
      buffers: { collected: write(collected) },
    });
    if (count === 1) return collecting(first);
    if (count < expected || stays) return collecting(further);
    return merge(collecting(last), this.#finish(target));
  }

  /**
   * Where an op that forms the gradient of an input outside of a contribution writes it: the gradient itself where that is all there
   * is to it, else a matrix of its own, which `deliver` then contributes. With `repeats`, that many rows in turn are for one row of
   * the variable, and are summed.
   */
  gradientTarget(variable: Variable, repeats = 1): { tensor: Tensor; deliver: () => void } {
    if (variable.consumers.length === 1 && !variable.finish && repeats === 1) {
      return { tensor: this.gradient(variable), deliver: () => {} };
    }
    const { rows, columns, name } = variable;
    const tensor = createTensor(this.gpu, `part of the gradient of ${name}`, rows * repeats, columns, {
      storedRows: this.stored(rows * repeats),
    });
    this.#buffers.push(tensor.buffer);
    return {
      tensor,
      deliver: () => {
        if (!this.needsGradient(variable)) return;
        const load = repeats === 1 ? loader("a", tensor) : {
          parts: [loadSum],
          constants: { ROWS_a: tensor.storedRows, REPEATS_a: repeats },
          buffers: { a: read(tensor) },
        };
        this.map(`${name} gradient`, load, this.contribution(variable), variable);
      },
    };
  }

  /**
   * Takes the gradient of `from` as the next contribution to that of `to`, a variable of the same size. Where it is all there is to it,
   * both are one matrix, and nothing is dispatched.
   */
  passGradient(from: Variable, to: Variable): void {
    if (!this.needsGradient(to)) return;
    const gradient = this.gradient(from);
    if (this.#expected.get(to) === 1 && !to.finish) {
      this.#gradients.set(to, gradient);
      this.#sharing.add(to);
    } else this.map(`${to.name} gradient`, loader("a", gradient), this.contribution(to), to);
  }

  #finish(target: Variable | Parameter): Fragment {
    if ("shape" in target) return this.#update(target);
    return target.finish?.() ?? storing(this.gradient(target));
  }

  #update(parameter: Parameter): Fragment {
    const { optimizer } = this.#training!;
    if (optimizer === "gradients") return storing(this.parameterGradient(parameter));
    const slots = optimizer.slots.map((slot) => [slot, write(parameter.slot(slot))] as const);
    const { tensor } = parameter;
    const before = this.texels(tensor) ? words("before", tensor, true) : { parts: [beforePart] };
    return merge(before, {
      parts: [stateStruct, scalarPart, optimizer.shader],
      constants: { OPTIMIZER: this.#firstScalar, ROWS_parameter: tensor.storedRows },
      floats: optimizer.floats,
      buffers: { parameter: write(tensor), ...Object.fromEntries(slots), state: this.readState() },
    });
  }

  /**
   * Lays the tape out flat.
   *
   * @param objectives What is minimised; its terms are measured whether or not there is a training.
   * @param training How gradients end; without it, forward only.
   */
  compile(objectives: readonly Objective[], training?: Training): Compiled {
    this.#dispatches = [];
    this.#products = [];
    const terms = objectives.flatMap((objective) => objective.terms);
    terms.forEach((term, i) => term.value.term = training ? i : undefined);
    // Several values for a datum count as their mean.
    const factor = training?.reduction === "sum" ? this.batch : 1;
    const scalars = terms.map(({ weight, value }) => scaled(weight, factor / value.rows));
    this.#training = training;
    this.#terms = terms.length;
    scalars.push(...this.#schedules);
    // Inputs' consumers decide what is fused, so only what leads to a term or was asked for is on the tape at all.
    for (const node of this.#nodes) node.forward();
    this.#form();
    for (const objective of training ? objectives : []) {
      this.#firstScalar = scalars.length;
      if (training && training.optimizer !== "gradients") scalars.push(...training.optimizer.scalars);
      this.#backward(objective);
    }
    if (scalars.length > 28) {
      throw new RangeError(`Cannot compile the tape: expected at most 28 scheduled numbers, found ${scalars.length}`);
    }
    return {
      dispatches: this.#dispatches,
      products: this.#products,
      terms,
      tallies: this.#tallies,
      scalars: scalars.length ? scalars : [constant(0)],
    };
  }

  /** Records the backward pass of one objective: only nodes between its terms and its parameters take part. */
  #backward(objective: Objective): void {
    const trained = ({ name, shape }: Parameter) =>
      shape.trained !== false && name.startsWith(objective.parameters ?? "");
    const depends = new Map<Node, boolean>();
    for (const node of this.#nodes) {
      depends.set(
        node,
        node.parameters.some(trained) ||
          [...node.inputs, ...node.values ?? []].some(({ producer }) => producer && depends.get(producer)),
      );
    }
    const active = new Set<Node>();
    const visit = (node: Node) => {
      if (active.has(node) || !depends.get(node)) return;
      active.add(node);
      for (const { producer } of [...node.inputs, ...node.values ?? []]) if (producer) visit(producer);
    };
    for (const { value } of objective.terms) if (value.producer) visit(value.producer);
    this.#expected = new Map();
    this.#contributed = new Map();
    for (const variable of this.#sharing) this.#gradients.delete(variable);
    this.#sharing.clear();
    const expect = (target: Variable | Parameter) => this.#expected.set(target, (this.#expected.get(target) ?? 0) + 1);
    for (const node of active) {
      for (const input of node.inputs) if (input.producer && active.has(input.producer)) expect(input);
      for (const parameter of node.parameters) if (trained(parameter)) expect(parameter);
    }
    for (const node of this.#nodes.toReversed()) if (active.has(node)) node.backward?.();
  }

  /** Frees every buffer of the tape. */
  destroy(): void {
    for (const buffer of this.#buffers) free(buffer);
    this.#buffers.length = 0;
  }
}

/** A fragment giving load_m of a matrix, each row `repeats` times in turn. */
export function loader(m: string, tensor: Tensor, repeats = 1, texels = false): Fragment {
  return merge(words(m, tensor, texels), {
    parts: [{ text: loadMatrix, parameters: { m } }],
    constants: { [`REPEATS_${m}`]: repeats },
  });
}

/** A fragment giving load_m of a matrix of zeros. */
export function zeros(m: string): Fragment {
  return { parts: [{ text: loadZero, parameters: { m } }] };
}

/** An epilogue that stores a gradient, or other values, as they are. */
export function storing(gradient: Tensor): Fragment {
  return {
    parts: [gradientPart],
    constants: { ROWS_gradient: gradient.storedRows },
    buffers: { gradient: write(gradient) },
  };
}

/**
 * Whether what forms an operand as it is loaded can be in one kernel with the rest of it: nothing is called alike that differs, the
 * rest binds nothing that the forming writes, since workgroups do not wait for each other, and there are not too many buffers.
 */
function agree(forming: Fragment, rest: Fragment, limit: number): boolean {
  const alike = <T>(one: Readonly<Record<string, T>> = {}, other: Readonly<Record<string, T>> = {}) =>
    Object.keys(one).every((name) => !(name in other) || one[name] === other[name]);
  const buffers = Object.entries(forming.buffers ?? {});
  const others = Object.entries(rest.buffers ?? {});
  const used = new Set([...buffers, ...others].map(([, { buffer }]) => buffer));
  return alike(forming.constants, rest.constants) && alike(forming.floats, rest.floats) && used.size <= limit &&
    buffers.every(([name, one]) =>
      others.every(([other, { buffer, type }]) =>
        buffer === one.buffer ? one.access === "read" && (name !== other || type === one.type) : name !== other
      )
    );
}

function buffersOf({ buffers = {} }: Fragment): number {
  return sizeOf(Object.values(buffers));
}

/** Fragments as one. */
export function merge(...fragments: readonly Fragment[]): Fragment {
  return {
    parts: fragments.flatMap((f) => f.parts),
    constants: Object.assign({}, ...fragments.map((f) => f.constants)),
    floats: Object.assign({}, ...fragments.map((f) => f.floats)),
    buffers: Object.assign({}, ...fragments.map((f) => f.buffers)),
  };
}
