/**
 * What a model records on. An op adds a node: how its forward dispatches look, and how it passes a gradient back. Nothing
 * runs while recording; {@linkcode Tape.compile} then lays the tape out flat, when it is known who consumes what, so that a
 * likelihood can be folded into the layer before it and an optimizer into the gradient that it applies.
 *
 * Dimension letters: N batch, D data, H hidden, K latent, L samples.
 *
 * @module
 */

import { Dispatches, type Laid } from "./dispatches.ts";
import { type Fragment, merge, type Part, read, write } from "../gpu/kernel.ts";
import {
  accumulatedOf,
  accumulationOf,
  batchesOf,
  foldable,
  type Lowered,
  type Optimizer,
  recordUpdate,
  requireOptimizer,
  scalarsOf,
  updating,
} from "./optimizer.ts";
import {
  type BackwardPass,
  dueOf,
  forgotten,
  type Objective,
  passOf,
  requireDisjoint,
  requireProducers,
  requireReader,
  type Term,
} from "./objective.ts";
import { connected } from "./connections.ts";
import type { Parameter } from "./parameters.ts";
import type { Schedule } from "./schedule.ts";
import { MOST_SCHEDULES, scaled } from "./schedule.ts";
import { createTensor, type Tensor } from "../gpu/tensor.ts";
import { type Node, readBy, type RowScalars, type Variable } from "./variable.ts";
import { packed } from "../gpu/packed.ts";
import accumulatePart from "../../shaders/epilogues/accumulate.wgsl" with { type: "text" };
import writePart from "../../shaders/epilogues/write.wgsl" with { type: "text" };
import gradientPart from "../../shaders/epilogues/gradient.wgsl" with { type: "text" };
import addThenFinish from "../../shaders/epilogues/add_then_finish.wgsl" with { type: "text" };
import storeConnected from "../../shaders/epilogues/store_connected.wgsl" with { type: "text" };
import loadMatrix from "../../shaders/loaders/matrix.wgsl" with { type: "text" };
import loadZero from "../../shaders/loaders/zero.wgsl" with { type: "text" };
import loadSum from "../../shaders/loaders/sum.wgsl" with { type: "text" };
import finishPart from "../../shaders/epilogues/finish.wgsl" with { type: "text" };
import scalarPart from "../../shaders/scalar.wgsl" with { type: "text" };
import upstreamNone from "../../shaders/epilogues/upstream_none.wgsl" with { type: "text" };
import upstreamPart from "../../shaders/epilogues/upstream.wgsl" with { type: "text" };

export { isOf, isRepeated, type Objective, type Term } from "./objective.ts";
export type { Node, RowScalars, Variable } from "./variable.ts";

/** What the steps of a program follow from. */
export interface State {
  /** Number of the next step. */
  readonly step: number;
  /** What random numbers follow from. */
  readonly seed: number;
  /** Rows in the dataset. */
  readonly count: number;
  /** Whether rows are taken in a shuffled order. */
  readonly shuffle: boolean;
}

/** Brings to the GPU what steps need before they are submitted. */
export interface HostStream {
  /** At most so many steps at a time. */
  readonly steps: number;
  /** Brings what the `steps` steps from `step` on need. What was submitted before has been through with its own by then. */
  bring(state: State, step: number, steps: number): void;
}

/** What is counted over all rows that a program goes through, and the number that the counts come to: no mean over rows gives it. */
export interface Counter {
  /** The name in losses: `perplexity`. */
  readonly name: string;
  /** u32 counts, to which every step adds. */
  readonly counts: GPUBuffer;
  /** How many counts. */
  readonly size: number;
  /** What the counts come to. */
  measure(counts: ArrayLike<number>): number;
}

/** A tape laid out flat: what one step dispatches, and what the state must hold for it. */
export interface Compiled extends Laid {
  /** The terms of all objectives. */
  readonly terms: readonly Term[];
  /** What is counted. */
  readonly counters: readonly Counter[];
  /** The parameters that a gradient reaches. */
  readonly trained: ReadonlySet<Parameter>;
  /** Term weights, numbers that ops asked for, then the optimizers': what shaders read as `scalar(i)` in each step. */
  readonly scalars: readonly Schedule[];
}

/** How {@linkcode Tape.compile} ends each parameter's gradient. */
export interface Training {
  /** The optimizer of objectives that bring none, or "gradients" to keep all gradients and leave the parameters. */
  readonly optimizer: Optimizer | "gradients";
  /** Whether the loss is averaged or summed over the batch. */
  readonly reduction: "mean" | "sum";
}

/** A recording of ops on a batch of N rows. */
export class Tape extends Dispatches {
  readonly #nodes: Node[] = [];
  readonly #tensors = new Map<Variable, Tensor>();
  readonly #gradients = new Map<Variable | Parameter, Tensor>();
  readonly #sums = new Map<Variable, Tensor>();
  /** Variables whose gradient is another one's, in the backward pass being recorded. */
  readonly #sharing = new Set<Variable>();
  #expected = new Map<Variable | Parameter, number>();
  #contributed = new Map<Variable | Parameter, number>();
  #streams = 1;
  #training: Training | undefined;
  /** How the objective whose backward pass is being recorded is updated; undefined where gradients are kept. */
  #lowered: Lowered | undefined;
  /** Parameters that a later objective's backward pass reads, so that they must not change yet. */
  #readLater: ReadonlySet<Parameter> = new Set();
  /** Values that are terms of several objectives. */
  #shared: ReadonlySet<RowScalars> = new Set();
  #terms = 0;
  readonly #schedules: Schedule[] = [];
  /** What each submit brings to the GPU. */
  readonly hostStreams: HostStream[] = [];
  readonly #counters: Counter[] = [];

  /** A new variable of N rows, or of another number of them. */
  variable(name: string, columns: number, type: Tensor["type"] = "f32", rows: number = this.batch): Variable {
    return { name, rows, columns, type, consumers: [] };
  }

  /** New per-row values in `parts` partial sums. */
  rowScalars(name: string, parts: number, rows: number = this.batch): RowScalars {
    const storedRows = this.stored(rows);
    return { name, buffer: this.buffer(name, parts * storedRows * 4), parts, rows, storedRows };
  }

  /** Adds what every submit brings to the GPU. */
  hostStream(hostStream: HostStream): void {
    this.hostStreams.push(hostStream);
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
  counter(name: string, size: number, measure: Counter["measure"]): Counter {
    const counter = { name, counts: this.buffer(name, size * 4), size, measure };
    this.#counters.push(counter);
    return counter;
  }

  /**
   * Adds an operation that forms `outputs`. What it forgets is said when the tape is compiled for training: that a variable which is read
   * is formed by no node, that there is no `backward`, or that `backward` passes no gradient to one of its inputs.
   */
  record(node: Node, ...outputs: readonly (Variable | RowScalars)[]): void {
    this.#nodes.push(node);
    for (const variable of readBy(node)) variable.consumers.push(node);
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
      before = this.laid().dispatches.length;
    };
    this.record({ name: "mark", inputs: [], parameters: [], forward });
    return () => before;
  }

  /** Where a variable is stored. */
  tensor(variable: Variable): Tensor {
    const same = variable.same?.();
    if (same) return this.tensor(same);
    return this.#store(this.#tensors, variable, variable);
  }

  /**
   * Where a variable's gradient is stored: dL/da for a layer y = f(a).
   *
   * @throws {Error} While some of those that read the variable have yet to add to it.
   */
  gradient(variable: Variable): Tensor {
    const [found = 0, expected = 0] = [this.#contributed.get(variable), this.#expected.get(variable)];
    if (found < expected) {
      throw new Error(
        `Cannot read the gradient of "${variable.name}": expected ${expected} contributions by then, found ${found}; ` +
          "record what reads the per-row values of an op after what reads its variables",
      );
    }
    return this.#gradientOf(variable);
  }

  #gradientOf(variable: Variable): Tensor {
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
      this.own(tensor.buffer);
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
      this.own(tensor.buffer);
      this.#gradients.set(parameter, tensor);
    }
    return tensor;
  }

  /** A fragment giving load_m of a variable, or of its gradient; each row `repeats` times in turn. */
  load(m: string, source: Variable | Tensor, repeats = 1): Fragment {
    return loader(m, "buffer" in source ? source : this.tensor(source), repeats);
  }

  /** A fragment giving load_m of an operand of a product. */
  operand(m: string, source: Variable | Tensor): Fragment {
    const tensor = "buffer" in source ? source : this.tensor(source);
    return loader(m, tensor, 1, this.packed(m, tensor));
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
    const { fusible, consumerEpilogue, unfused, consumers, producer } = variable;
    if (!fusible || !consumerEpilogue || consumers.length !== 1 || !producer || unfused?.()) return false;
    const place = this.#nodes.indexOf(producer);
    return readBy(consumers[0]).every((input) =>
      input === variable || !input.producer || this.#nodes.indexOf(input.producer) < place
    );
  }

  /** True where the upstream gradient of values is not known yet when they are formed: an op reads them, or several objectives do. */
  deferred(values: RowScalars): boolean {
    return this.training && (values.consumer !== undefined || this.#shared.has(values));
  }

  /** A fragment giving upstream_m(row) = dL/dvalue, for values that are terms of the loss or that an op reads. */
  upstream(m: string, values: RowScalars): Fragment {
    if (values.upstream) return values.upstream(m);
    const { term } = values;
    if (term === undefined) return { parts: [{ text: upstreamNone, parameters: { m } }] };
    return {
      parts: [scalarPart, { text: upstreamPart, parameters: { m } }],
      constants: { [`TERM_${m}`]: term, [`VALID_${m}`]: values.rows },
      buffers: { scalars: this.readScalars() },
    };
  }

  /**
   * A fragment giving `store(row, column4, value)`, which takes `value` as the next contribution to the gradient of a variable or
   * parameter. Each consumer asks for it once, in backward order; the last one finishes the gradient.
   */
  contribution(target: Variable | Parameter): Fragment {
    const taken = this.#taken(target);
    if (!("shape" in target) || !target.shape.connections) return taken;
    const { inputs, connections } = target.shape;
    const all = { ...taken, parts: taken.parts.map(renamed) };
    return merge(connected(connections, inputs), all, { parts: [storeConnected] });
  }

  /** A fragment giving store, which takes a contribution as it is. */
  #taken(target: Variable | Parameter): Fragment {
    const count = this.#count(target);
    const expected = this.#expected.get(target) ?? 0;
    if (count > expected) {
      throw new Error(`Cannot add to the gradient of "${target.name}": expected ${expected} contributions`);
    }
    if (expected === 1) return merge({ parts: [finishPart] }, this.#finish(target));
    // Collected where the gradient will stand, unless finishing writes there: a kernel cannot bind one buffer twice.
    const stays = "shape" in target ? this.#keeps(target) === "gradient" : !target.gradientEpilogue;
    const collected = "shape" in target
      ? this.parameterGradient(target)
      : stays
      ? this.#gradientOf(target)
      : this.#store(this.#sums, target, { ...target, name: `sum for ${target.name}`, type: "f32" });
    const collecting = (part: Part): Fragment => ({
      parts: [part],
      constants: { ROWS_collected: collected.storedRows },
      buffers: { collected: write(collected) },
    });
    if (count === 1) return collecting(writePart);
    if (count < expected || stays) return collecting(accumulatePart);
    return merge(collecting(addThenFinish), this.#finish(target));
  }

  /** Counts a contribution. */
  #count(target: Variable | Parameter): number {
    const count = (this.#contributed.get(target) ?? 0) + 1;
    this.#contributed.set(target, count);
    return count;
  }

  /**
   * Where an op that forms the gradient of an input outside of a contribution writes it: the gradient itself where that is all there
   * is to it, else a matrix of its own, which `deliver` then contributes. With `repeats`, that many rows in turn are for one row of
   * the variable, and are summed.
   */
  gradientTarget(variable: Variable, repeats = 1): { tensor: Tensor; deliver: () => void } {
    if (variable.consumers.length === 1 && !variable.gradientEpilogue && repeats === 1) {
      return { tensor: this.#gradientOf(variable), deliver: () => this.#count(variable) };
    }
    const { rows, columns, name } = variable;
    const tensor = createTensor(this.gpu, `part of the gradient of ${name}`, rows * repeats, columns, {
      storedRows: this.stored(rows * repeats),
    });
    this.own(tensor.buffer);
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
    if (this.#expected.get(to) === 1 && !to.gradientEpilogue) {
      this.#gradients.set(to, gradient);
      this.#sharing.add(to);
      this.#count(to);
    } else this.map(`${to.name} gradient`, loader("a", gradient), this.contribution(to), to);
  }

  #finish(target: Variable | Parameter): Fragment {
    if ("shape" in target) return this.#update(target);
    return target.gradientEpilogue?.() ?? storing(this.#gradientOf(target));
  }

  /** What the kernel of a parameter's gradient ends with: the gradient, its sum over steps, or the update. */
  #keeps(parameter: Parameter): "gradient" | "accumulated" | "updated" {
    if (!this.#lowered) return "gradient";
    if (batchesOf(this.#lowered.optimizer) > 1) return "accumulated";
    const folds = foldable(this.#lowered.optimizer) && !this.exchanges && !this.#readLater.has(parameter);
    return folds ? "updated" : "gradient";
  }

  #update(parameter: Parameter): Fragment {
    switch (this.#keeps(parameter)) {
      case "gradient":
        return storing(this.parameterGradient(parameter));
      case "accumulated":
        return accumulationOf(this.#lowered!.optimizer)!.add(this, parameter, this.#lowered!);
      case "updated":
        return updating(this, parameter, this.#lowered!);
    }
  }

  /** Records the updates that did not end the kernel of their gradient. */
  #updates(name: string, parameters: ReadonlySet<Parameter>, lowered: Lowered): void {
    this.#lowered = lowered;
    const kept = [...parameters].flatMap((parameter) => {
      const keeps = this.#keeps(parameter);
      if (keeps === "updated") return [];
      return [
        [parameter, keeps === "gradient" ? this.parameterGradient(parameter) : accumulatedOf(parameter)] as const,
      ];
    });
    if (!kept.length) return;
    const { optimizer, due: { every, at, lasting } } = lowered;
    const batches = batchesOf(optimizer);
    if (batches > 1 && lasting > 1) {
      throw new RangeError(
        `Cannot accumulate the gradients of ${batches} steps: expected an objective that is due in single steps, found one in ${lasting} on end`,
      );
    }
    this.setDue({ every: every * batches, at: every * (batches - 1) + at, lasting });
    this.exchange(kept.map(([, { buffer }]) => buffer));
    const limit = optimizer.find((each) => each.kind === "norm");
    const factor = limit?.record(this, name, kept);
    for (const [parameter, gradient] of kept) {
      recordUpdate(this, parameter, lowered, gradient, factor);
    }
  }

  /**
   * Lays the tape out flat.
   *
   * @param objectives What is minimised; its terms are measured whether or not there is a training.
   * @param training How gradients end; without it, forward only.
   */
  compile(objectives: readonly Objective[], training?: Training): Compiled {
    this.begin();
    const terms = objectives.flatMap((objective) => objective.terms);
    terms.forEach((term, i) => term.value.term = training ? i : undefined);
    // Several values for a datum count as their mean.
    const factor = training?.reduction === "sum" ? this.batch : 1 / this.shares;
    const scalars = terms.map(({ weight, value }) => scaled(weight, factor / value.rows));
    this.#training = training;
    if (training) requireProducers(this.#nodes, terms);
    this.#terms = terms.length;
    scalars.push(...this.#schedules);
    const passes = training ? objectives.map((objective) => passOf(this.#nodes, objective)) : [];
    requireDisjoint(passes);
    const seen = new Set<RowScalars>();
    this.#shared = new Set(terms.flatMap(({ value }) => seen.has(value) ? [value] : (seen.add(value), [])));
    // Inputs' consumers decide what is fused, so only what leads to a term or was asked for is on the tape at all.
    for (const node of this.#nodes) node.forward();
    const lowered = passes.map(({ objective }): Lowered | undefined => {
      const due = dueOf(objective);
      const optimizer = training!.optimizer === "gradients" ? undefined : objective.optimizer ?? training!.optimizer;
      if (!optimizer) return undefined;
      requireOptimizer(optimizer);
      const firstScalar = scalars.length;
      scalars.push(...scalarsOf(optimizer, due));
      return { optimizer, firstScalar, due, reduction: training!.reduction };
    });
    // What the backward passes after each one read.
    const readLater = passes.map((_, i) =>
      new Set(passes.slice(i + 1).flatMap(({ active }) => [...active].flatMap(({ parameters }) => parameters)))
    );
    let firstTerm = 0;
    passes.forEach((pass, i) => {
      // A term of several objectives has a weight in each of them.
      for (const { value } of terms) value.term = undefined;
      pass.objective.terms.forEach(({ value }, j) => value.term = firstTerm + j);
      firstTerm += pass.objective.terms.length;
      this.#lowered = lowered[i];
      this.setDue(lowered[i]?.due);
      this.#readLater = readLater[i];
      this.#backward(pass);
    });
    passes.forEach((pass, i) => {
      this.#readLater = readLater[i];
      const name = passes.length > 1 ? `objective ${i + 1}` : "the gradient";
      if (lowered[i]) this.#updates(name, pass.trained, lowered[i]);
    });
    this.setDue();
    if (scalars.length > MOST_SCHEDULES) {
      throw new RangeError(
        `Cannot compile the tape: expected at most ${MOST_SCHEDULES} scheduled numbers, found ${scalars.length}`,
      );
    }
    this.setSchedules(scalars);
    return {
      ...this.laid(),
      terms,
      counters: this.#counters,
      trained: new Set(passes.flatMap(({ trained }) => [...trained])),
      scalars,
    };
  }

  /** Records a backward pass. */
  #backward({ objective, active, trained }: BackwardPass): void {
    this.#expected = new Map();
    this.#contributed = new Map();
    for (const variable of this.#sharing) this.#gradients.delete(variable);
    this.#sharing.clear();
    const expect = (target: Variable | Parameter) => this.#expected.set(target, (this.#expected.get(target) ?? 0) + 1);
    for (const node of active) {
      for (const input of node.inputs) if (input.producer && active.has(input.producer)) expect(input);
      for (const parameter of node.parameters) if (trained.has(parameter)) expect(parameter);
    }
    for (const node of this.#nodes.toReversed()) if (active.has(node)) this.#backwardOf(node, objective, active);
  }

  /** Records the backward pass of a node, and requires that it forgets nothing. */
  #backwardOf(node: Node, { terms }: Objective, active: ReadonlySet<Node>): void {
    for (const values of node.values ?? []) {
      if (values.producer && active.has(values.producer)) requireReader(node, values, terms);
    }
    const targets = [...node.inputs, ...node.parameters].filter((target) => this.needsGradient(target));
    const before = targets.map((target) => this.#contributed.get(target) ?? 0);
    node.backward?.();
    targets.forEach((target, i) => {
      const expected = targets.filter((other) => other === target).length;
      const found = (this.#contributed.get(target) ?? 0) - before[i];
      if (found !== expected) throw new Error(forgotten(node, target.name, expected, found));
    });
  }
}

/** A fragment giving load_m of a matrix, each row `repeats` times in turn, with `given` for its words. */
export function loader(m: string, tensor: Tensor, repeats = 1, given: Fragment = packed(m, tensor)): Fragment {
  return merge(given, {
    parts: [{ text: loadMatrix, parameters: { m } }],
    constants: { [`REPEATS_${m}`]: repeats },
  });
}

/** A fragment giving load_m of a matrix of zeros. */
export function zeros(m: string): Fragment {
  return { parts: [{ text: loadZero, parameters: { m } }] };
}

/** A part of a kernel with its `store` as `store_all`. */
function renamed(part: Part): Part {
  const change = (text: string) => text.replace("fn store(", "fn store_all(");
  return typeof part === "string" ? change(part) : { ...part, text: change(part.text) };
}

/** An epilogue that stores a gradient, or other values, as they are. */
export function storing(gradient: Tensor): Fragment {
  return {
    parts: [gradientPart],
    constants: { ROWS_gradient: gradient.storedRows },
    buffers: { gradient: write(gradient) },
  };
}
