/**
 * What an optimizer is to the tape: a list of rules and transforms, and the shader parts that it comes to. The rules themselves are in
 * core/optimizers.
 *
 * @module
 */

import { type Due, type Fragment, inRows, merge, type Part, read, write } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { Dispatches } from "./dispatches.ts";
import type { Parameter } from "./parameters.ts";
import type { Schedule } from "./schedule.ts";
import applyShader from "../../shaders/optimizers/apply.wgsl" with { type: "text" };
import layout from "../../shaders/layout.wgsl" with { type: "text" };
import scalarPart from "../../shaders/scalar.wgsl" with { type: "text" };
import updateShader from "../../shaders/optimizers/update.wgsl" with { type: "text" };

/** Elementwise: four values of a parameter at a time. */
export interface Rule {
  /**
   * - `rule` changes the gradient into the step that is taken. Its shader gives
   *   `fn $rule(gradient: vec4f, weight: vec4f, index: u32) -> vec4f`; what the last rule returns is subtracted from the weight. The
   *   row of the four values is `(index >> 3u) % ROWS_parameter`, and that of the biases is `BIAS_ROW_parameter`.
   * - `after` follows the new weight. Its shader gives `fn $rule(weight: vec4f, index: u32)`.
   */
  readonly kind: "rule" | "after";
  /** The name of the shader function. */
  readonly name: string;
  /** WGSL; its first lines hold the formula and the source. */
  readonly shader: string;
  /** Matrices kept beside each parameter, zero at first, in checkpoints too: `array<vec4f>` buffers of these names, at `index`. */
  readonly slots?: readonly string[];
  /** Constants of the shader, f32. */
  readonly floats?: Readonly<Record<string, number>>;
  /** Numbers that follow from the step: the shader reads them as `scalar($scalars)`, `scalar($scalars + 1u)`, ... */
  readonly scalars?: readonly Schedule[];
}

/** g · min(1, maximum / ‖g‖), ‖g‖ being over all parameters of the group. It needs the whole gradient. */
export interface NormLimit {
  /** Tells it from rules. */
  readonly kind: "norm";
  /** The name of the transform. */
  readonly name: string;
  /** The largest norm. */
  readonly maximum: number;
  /**
   * Records the norm of some gradients.
   *
   * @param gradients Where they lie, and of which parameters.
   * @returns A buffer that holds min(1, maximum / norm).
   */
  record(t: Dispatches, group: string, gradients: readonly (readonly [Parameter, Tensor])[]): GPUBuffer;
}

/** One update for the gradients of `batches` steps: their mean, or their sum where the loss is summed over the batch. */
export interface Accumulation {
  /** Tells it from rules. */
  readonly kind: "accumulation";
  /** The name of the transform. */
  readonly name: string;
  /** Steps for one update. */
  readonly batches: number;
  /** Gives `finish`, which adds a gradient to those of the steps before. */
  add(t: Dispatches, parameter: Parameter, lowered: Pick<Lowered, "due" | "reduction">): Fragment;
}

/** One of the list. */
export type Transform = Rule | NormLimit | Accumulation;

/** What updates a group of parameters: an accumulation, a limit of the norm, rules and what follows the weights, in this order. */
export type Optimizer = readonly Transform[];

function isRule(each: Transform): each is Rule {
  return each.kind === "rule" || each.kind === "after";
}

/** The slot of an accumulation. */
const ACCUMULATED = "accumulated";

/** Names of the matrices that an optimizer keeps beside each parameter. */
export function slotsOf(optimizer: Optimizer): string[] {
  return optimizer.flatMap((each) =>
    isRule(each) ? each.slots ?? [] : each.kind === "accumulation" ? [ACCUMULATED] : []
  );
}

/**
 * Checks an optimizer's order.
 *
 * @throws {RangeError} If it has no rule, a transform stands before one that must precede it, or two keep slots of the same name.
 */
export function requireOptimizer(optimizer: Optimizer): void {
  const order = ["accumulation", "norm", "rule", "after"];
  const names = optimizer.map(({ name }) => name).join(", ");
  if (!optimizer.some(({ kind }) => kind === "rule")) {
    throw new RangeError(`Cannot use the optimizer [${names}]: expected at least one rule, found none`);
  }
  optimizer.forEach(({ kind, name }, i) => {
    const before = optimizer[i - 1];
    if (!before) return;
    const [previous, place] = [order.indexOf(before.kind), order.indexOf(kind)];
    if (previous > place || (previous === place && place < 2)) {
      throw new RangeError(
        `Cannot use the optimizer [${names}]: expected at most one accumulation, then at most one limit of the norm, then rules, ` +
          `then what follows the weights, found "${name}" after "${before.name}"`,
      );
    }
  });
  const slots = slotsOf(optimizer);
  const twice = slots.find((slot, i) => slots.indexOf(slot) < i);
  if (twice) throw new RangeError(`Cannot use the optimizer [${names}]: two of them keep a slot "${twice}"`);
}

/** An optimizer with the place of its scalars and how often it updates. */
export interface Lowered {
  /** The optimizer. */
  readonly optimizer: Optimizer;
  /** The place of its first number: `scalar(firstScalar)` in shaders. */
  readonly firstScalar: number;
  /** In which steps a gradient is formed. */
  readonly due: Due;
  /** Whether the loss is averaged or summed over the batch. */
  readonly reduction: "mean" | "sum";
}

/** Whether nothing in an optimizer needs the whole gradient, so that an update can end the kernel of each parameter's gradient. */
export function foldable(optimizer: Optimizer): boolean {
  return optimizer.every(isRule);
}

/** What adds up the gradients of several steps, if anything does. */
export function accumulationOf(optimizer: Optimizer): Accumulation | undefined {
  return optimizer.find((each) => each.kind === "accumulation");
}

/** Gradients that an update takes in. */
export function batchesOf(optimizer: Optimizer): number {
  return accumulationOf(optimizer)?.batches ?? 1;
}

/** The scalars of an optimizer in their order; bias corrections count its updates, not the steps. */
export function scalarsOf(optimizer: Optimizer, { every, at, lasting }: Due): Schedule[] {
  const steps = every * batchesOf(optimizer);
  const runs = lasting === 1 ? {} : { at, lasting };
  return optimizer.filter(isRule).flatMap(({ scalars = [] }) =>
    scalars.map((one) => one.kind === "correction" ? { ...one, steps, ...runs } : one)
  );
}

/** A fragment giving `finish(row, column4, gradient)`, which updates a parameter by its gradient. */
export function updating(
  t: Dispatches,
  parameter: Parameter,
  { optimizer, firstScalar }: Lowered,
): Fragment {
  const rules = optimizer.filter(isRule);
  const parts: Part[] = [];
  let step = "gradient";
  const after: string[] = [];
  let place = firstScalar;
  for (const [i, { kind, shader, scalars = [] }] of rules.entries()) {
    const rule = `rule_${i}`;
    parts.push({ text: shader, parameters: { rule, scalars: `${place}u` } });
    place += scalars.length;
    if (kind === "rule") step = `${rule}(${step}, weight, index)`;
    else after.push(`${rule}(updated, index);`);
  }
  const { tensor } = parameter;
  const slots = rules.flatMap(({ slots = [] }) => slots);
  return merge(t.tiles.before(tensor), {
    parts: [scalarPart, ...parts, { text: updateShader, parameters: { step, after: after.join(" ") } }],
    constants: { ROWS_parameter: tensor.storedRows, BIAS_ROW_parameter: parameter.biasRow },
    floats: Object.assign({}, ...rules.map(({ floats }) => floats)),
    buffers: {
      parameter: write(tensor),
      ...Object.fromEntries(slots.map((slot) => [slot, write(parameter.slot(slot))])),
      scalars: t.readScalars(),
    },
  });
}

/** Where an accumulation keeps the sum of a parameter's gradients. */
export function accumulatedOf(parameter: Parameter): Tensor {
  return parameter.slot(ACCUMULATED);
}

/** Vectors of four that one invocation updates. */
const RUN = 8;

/**
 * Records the update of a parameter by a gradient that is kept.
 *
 * @param factor A buffer that holds what the gradient is multiplied by.
 */
export function recordUpdate(
  t: Dispatches,
  parameter: Parameter,
  lowered: Lowered,
  gradient: Tensor,
  factor?: GPUBuffer,
): void {
  const { storedRows, storedColumns } = parameter.tensor;
  const count = storedRows * storedColumns / 4;
  const groups = Math.ceil(count / 64 / RUN);
  t.dispatch({
    label: `${parameter.name} update`,
    fragments: [updating(t, parameter, lowered), {
      parts: [layout, { text: applyShader, parameters: { factor: factor ? "factor[0]" : "1.0" } }],
      constants: { COUNT: count, RUN },
      buffers: { given: read(gradient), ...factor ? { factor: read(factor) } : {} },
    }],
    workgroups: inRows(groups),
  });
}
