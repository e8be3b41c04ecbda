/**
 * What is minimised: terms and objectives, which part of a tape the backward pass of each goes through, and what must hold of them before
 * there is one.
 *
 * @module
 */

import type { Due } from "../gpu/kernel.ts";
import type { Optimizer } from "./optimizer.ts";
import type { Parameter } from "./parameters.ts";
import type { Schedule } from "./schedule.ts";
import { type Node, readBy, type RowScalars, type Variable } from "./variable.ts";

/** One named part of the loss: summed over features, averaged over the batch, in nats. */
export interface Term {
  /** The name in losses and events: `nll`, `kl`. */
  readonly name: string;
  /** What it is reported as by itself, where terms of one name are parts of a sum: `kl1`. */
  readonly part?: string;
  /** Its value for each row. */
  readonly value: RowScalars;
  /** Its weight in the minimised loss. */
  readonly weight: Schedule;
  /** Minimised beside the loss and no part of it, as what a discriminator minimises. */
  readonly beside?: true;
}

/**
 * What a group of parameters minimises: the weighted sum of the terms. The gradients of all objectives of a step are formed at the same
 * parameters, and a parameter belongs to one objective.
 */
export interface Objective {
  /** Names of the parameters: those that begin with this, or with one of these; all that the terms depend on where it is left out. */
  readonly parameters?: string | readonly string[];
  /** What is summed. Those that several objectives have, of one name and value, count once in the losses. */
  readonly terms: readonly Term[];
  /** What updates the group. Default: the optimizer of the training. */
  readonly optimizer?: Optimizer;
  /** In which steps t the group is updated: where `at` <= t mod `every` < `at` + `lasting`. Default 1: in each. */
  readonly every?: number;
  /** Default `every` - `lasting`. */
  readonly at?: number;
  /** Default 1. */
  readonly lasting?: number;
}

/** What is said where a node passes no gradient to what it reads, or too many. */
export function forgotten(node: Node, target: string, expected: number, found: number): string {
  return `Cannot train through "${node.name}": no gradient for "${target}", expected ${expected} from its backward, found ${
    node.backward ? found : "no backward"
  }`;
}

/** @throws {Error} If something is read that no node forms: it would be zeros. */
export function requireProducers(nodes: readonly Node[], terms: readonly Term[]): void {
  const require = (reader: string, { name, producer }: Variable | RowScalars) => {
    if (!producer) throw new Error(`Cannot compile the tape: no node forms "${name}", which ${reader} reads`);
  };
  for (const node of nodes) {
    for (const source of [...readBy(node), ...node.values ?? []]) require(`"${node.name}"`, source);
  }
  for (const { name, value } of terms) require(`the term "${name}"`, value);
}

/** @throws {Error} If the gradient of per-row values is not that of the one who reads them. */
export function requireReader(node: Node, values: RowScalars, terms: readonly Term[]): void {
  if (!values.upstream) throw new Error(forgotten(node, values.name, 1, 0));
  const term = terms.find(({ value, weight }) =>
    value === values && !(weight.kind === "constant" && weight.value === 0)
  );
  if (values.consumer === node && !term) return;
  throw new Error(
    `Cannot train through "${node.name}": expected it alone to read the values "${values.name}", found ${
      term ? `the term "${term.name}"` : `"${values.consumer?.name}"`
    }; what more than one reads must be a variable`,
  );
}

/** In which steps an objective is due. */
export function dueOf({ every = 1, lasting = 1, at = every - lasting }: Objective): Due {
  return { every, at, lasting };
}

/** Whether a term stands before, as that of another objective: it counts once. */
export function isRepeated(terms: readonly Term[], i: number): boolean {
  return terms.findIndex(({ name, value }) => name === terms[i].name && value === terms[i].value) < i;
}

/** Whether a parameter belongs to the group of an objective. */
export function isOf({ name, shape }: Parameter, { parameters = "" }: Objective): boolean {
  return shape.trained !== false && [parameters].flat().some((prefix) => name.startsWith(prefix));
}

/** What takes part in the backward pass of an objective. */
export interface BackwardPass {
  readonly objective: Objective;
  readonly active: ReadonlySet<Node>;
  readonly trained: ReadonlySet<Parameter>;
}

/** Checks that no parameter is updated by two objectives, and that the steps of each are some. */
export function requireDisjoint(passes: readonly BackwardPass[]): void {
  const place = new Map<Parameter, number>();
  passes.forEach(({ objective, trained }, i) => {
    const { every, at, lasting } = dueOf(objective);
    const whole = [every, at, lasting].every(Number.isSafeInteger);
    if (!whole || lasting < 1 || at < 0 || at + lasting > every) {
      throw new RangeError(
        `Cannot train by objective ${
          i + 1
        }: expected it to be due in steps at <= t mod every < at + lasting <= every, ` +
          `found every ${every}, at ${at} and lasting ${lasting}`,
      );
    }
    for (const parameter of trained) {
      const other = place.get(parameter);
      if (other !== undefined) {
        throw new RangeError(
          `Cannot train "${parameter.name}" by objectives ${other + 1} and ${
            i + 1
          }: expected it in the group of one, ` +
            "named by its `parameters`",
        );
      }
      place.set(parameter, i);
    }
  });
}

/** Which nodes and parameters take part in the backward pass of an objective: those between its terms and its group. */
export function passOf(nodes: readonly Node[], objective: Objective): BackwardPass {
  const isTrained = (parameter: Parameter) => isOf(parameter, objective);
  const depends = new Map<Node, boolean>();
  for (const node of nodes) {
    depends.set(
      node,
      node.parameters.some(isTrained) ||
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
  const trained = new Set([...active].flatMap(({ parameters }) => parameters.filter(isTrained)));
  return { objective, active, trained };
}
