/**
 * Joins the dispatches of a flat list that do not depend on each other into fewer, wider ones: each of the kernels gets a range of the
 * workgroups. Where a step is small beside an adapter, what it costs is how many dispatches wait for each other. Nothing is computed
 * otherwise than before, and in the same order as far as one dispatch reads what another wrote. No bit changes where a compiler makes the
 * same of an expression in every kernel.
 *
 * @module
 */

import type { Gpu } from "../gpu/device.ts";
import { type Binding, type Dispatch, join, sameDue, sizeOf } from "../gpu/kernel.ts";
import {
  bytesOf,
  constantsOf,
  type Declaration,
  declarations,
  type EntryPoint,
  entryPoint,
  references,
  rename,
} from "../gpu/wgsl.ts";

/** What a joined kernel may have. */
export interface FusionLimits {
  /** Storage buffers. */
  readonly buffers: number;
  /** Bytes of workgroup memory. */
  readonly workgroupMemory: number;
}

/** The limits of a device. */
export function fusionLimits({ device: { limits } }: Gpu): FusionLimits {
  return {
    buffers: limits.maxStorageBuffersPerShaderStage,
    workgroupMemory: limits.maxComputeWorkgroupStorageSize,
  };
}

/**
 * The same work in as few dispatches as there are of them that must wait for one another, where the limits let it. A dispatch runs as
 * early as what it depends on allows: a weight gradient is formed beside the input gradient of the layer below.
 *
 * Two dispatches depend on each other where one writes a buffer that the other binds. Joined are those of one workgroup size, by what they depend on and then by their order: the same list gives the same
 * result. A kernel must not name a function of its own like one of WGSL.
 */
export function fuse(dispatches: readonly Dispatch[], limits: FusionLimits): Dispatch[] {
  const kernels = dispatches.map(analyse);
  const levels: Joined[][] = [];
  const levelOf: number[] = [];
  kernels.forEach((kernel, i) => {
    const after = levelOf.filter((_, j) => conflict(kernels[j], kernel));
    const level = 1 + Math.max(-1, ...after);
    levelOf[i] = level;
    const beside = levels[level] ??= [];
    for (const [place, { kernels }] of beside.entries()) {
      const joined = merge([...kernels, kernel], limits);
      if (joined) {
        beside[place] = joined;
        return;
      }
    }
    beside.push({ kernels: [kernel], dispatch: kernel.dispatch });
  });
  return levels.flat().map(({ dispatch }) => dispatch);
}

/** A dispatch that stands for several. */
interface Joined {
  readonly kernels: readonly Kernel[];
  readonly dispatch: Dispatch;
}

/** A buffer as a kernel has it. */
interface Bound {
  readonly name: string;
  readonly binding: Binding;
}

/** What is known of a dispatch. */
interface Kernel {
  readonly dispatch: Dispatch;
  readonly bindings: readonly Bound[];
  /** What it declares besides its bindings and the entry point. */
  readonly declared: readonly Declaration[];
  /** Bytes of its variables in workgroup memory, by their names. */
  readonly memory: ReadonlyMap<string, number>;
  /** Left out where the text is not understood: such a kernel stays alone. */
  readonly entry?: EntryPoint;
}

const BINDING = /^@group\(0\)\s*@binding\((\d+)\)/;

function analyse(dispatch: Dispatch): Kernel {
  const { code, bindings } = join(dispatch);
  const all = declarations(code) ?? [];
  const named = all.map((each) => ({ ...each, binding: BINDING.exec(each.text)?.[1] }));
  const bound = bindings.map((binding, i): Bound => ({
    name: named.find((each) => each.binding === `${i}`)?.name ?? "",
    binding,
  }));
  const main = all.find(({ name }) => name === "main");
  const constants = constantsOf(all);
  const entry = main && entryPoint(main, constants);
  return {
    dispatch,
    bindings: bound,
    declared: named.filter((each) => each.binding === undefined && each.name !== "main"),
    memory: new Map(
      all.filter(({ text }) => text.startsWith("var<workgroup>")).map((each) => [each.name, bytesOf(each, constants)]),
    ),
    ...(entry?.builtins.every((builtin) => builtin in BUILTINS) ? { entry } : {}),
  };
}

/** Whether one kernel writes a buffer that the other binds. */
function conflict(one: Kernel, other: Kernel): boolean {
  return one.bindings.some(({ binding: a }) =>
    other.bindings.some(({ binding: b }) =>
      a.buffer === b.buffer && (a.access === "read_write" || b.access === "read_write")
    )
  );
}

/** The values of the builtins in workgroup `n` of a dispatch of x times y workgroups. */
const BUILTINS: Record<string, (x: number, y: number, size: number) => string> = {
  workgroup_id: (x) => `vec3u(n % ${x}u, n / ${x}u, 0u)`,
  num_workgroups: (x, y) => `vec3u(${x}u, ${y}u, 1u)`,
  global_invocation_id: (x, _, size) => `vec3u(n % ${x}u * ${size}u + index, n / ${x}u, 0u)`,
  local_invocation_index: () => "index",
};

/** Most workgroups of a dispatch in one dimension. */
const MOST_WORKGROUPS = 65_535;

function workgroupsOf({ dispatch: { workgroups: [x, y = 1] } }: Kernel): number {
  return x * y;
}

/** Kernels that do not depend on each other as one; undefined where they cannot be. */
function merge(kernels: readonly Kernel[], limits: FusionLimits): Joined | undefined {
  const size = kernels[0].entry?.size;
  if (!kernels.every(({ entry }) => entry && entry.size === size)) return undefined;
  const { due } = kernels[0].dispatch;
  if (!kernels.every(({ dispatch }) => sameDue(dispatch.due, due))) return undefined;
  const bindings: Binding[] = [];
  const nameOf: string[] = [];
  const declared = new Map<string, string>();
  const calls: string[] = [];
  let total = 0;
  let memory = 0;
  // Workgroups start in their order. Those of kernels that have few do the most each, so they come first.
  const widening = kernels.toSorted((one, other) => workgroupsOf(one) - workgroupsOf(other));
  for (const [k, { dispatch, bindings: bound, declared: own, memory: sizes, entry }] of widening.entries()) {
    // A buffer has one name in all kernels, in which it is written if one of them does.
    const names = new Map<string, string>();
    for (const { name, binding } of bound) {
      let i = bindings.findIndex(({ buffer, type }) => buffer === binding.buffer && type === binding.type);
      if (i < 0) {
        i = bindings.push(binding) - 1;
        nameOf.push(`buffer_${i}_${name}`);
      } else if (binding.access === "read_write") bindings[i] = { ...bindings[i], access: "read_write" };
      names.set(name, nameOf[i]);
    }
    const all = [...own, { name: "main", kind: "fn", text: entry!.text } satisfies Declaration]
      .map((each) => ({ ...each, text: rename(each.text, names) }));
    const refers = new Map(all.map(({ name, text }) => [name, references(text)]));
    // What was declared alike before stands for both, if all that it refers to does too.
    const shared = new Set(all.filter(({ name, text }) => declared.get(name) === text).map(({ name }) => name));
    const differs = (name: string) => refers.has(name) && !shared.has(name);
    for (let before = -1; before !== shared.size;) {
      before = shared.size;
      for (const name of shared) {
        if ([...refers.get(name)!].some((each) => each !== name && differs(each))) shared.delete(name);
      }
    }
    const used = new Set([...refers.values()].flatMap((each) => [...each]));
    for (const name of refers.keys()) {
      if (shared.has(name) || (name !== "main" && !declared.has(name))) continue;
      let other = `k${k}_${name}`;
      while (used.has(other) || declared.has(other)) other = `k${other}`;
      names.set(name, other);
    }
    // A binding says its type by name.
    if (bound.some(({ binding: { type } }) => !references(type).isDisjointFrom(new Set(names.keys())))) {
      return undefined;
    }
    for (const { name, text } of all) {
      if (shared.has(name)) continue;
      // Only one of the kernels runs in a workgroup, so variables that are declared alike are one.
      memory += sizes.get(name) ?? 0;
      declared.set(names.get(name) ?? name, rename(text, names));
    }
    const [x, y = 1] = dispatch.workgroups;
    const values = entry!.builtins.map((builtin) => BUILTINS[builtin](x, y, size!)).join(", ");
    const first = total;
    total += x * y;
    calls.push(
      `if (group_index < ${total}u) {\n    let n = group_index - ${first}u;\n    ${names.get("main")}(${values});\n  }`,
    );
  }
  if (bindings.length > limits.buffers || memory > limits.workgroupMemory) return undefined;
  const across = Math.min(total, MOST_WORKGROUPS);
  const main = `@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let group_index = group.y * ${across}u + group.x;
  ${calls.join(" else ")}
}`;
  const dispatches = kernels.map(({ dispatch }) => dispatch);
  return {
    kernels,
    dispatch: {
      label: dispatches.map(({ label }) => label).join(" + "),
      fragments: [{
        parts: [...declared.values(), main],
        buffers: Object.fromEntries(bindings.map((binding, i) => [nameOf[i], binding])),
      }],
      workgroups: [across, Math.ceil(total / across)],
      ...due ? { due } : {},
      macs: dispatches.reduce((sum, { macs = 0 }) => sum + macs, 0),
      bytes: kernels.reduce(
        (sum, { dispatch: { bytes }, bindings }) => sum + (bytes ?? sizeOf(bindings.map(({ binding }) => binding))),
        0,
      ),
    },
  };
}
