/**
 * Joins shader parts into a kernel: text of `.wgsl` files, constants, and bindings that say what is read and what is written.
 * WGSL does not care about order at module scope, so joining is concatenation.
 *
 * Two things are added to WGSL. `$name` is replaced by a parameter of the part. The lines between `//: repeat i 0..4` and
 * `//: end` are written once for each i, with `$i` replaced: WGSL has no unrolling, and a loop would index dynamically, which is
 * checked on every access. `//: repeat i j 0..12 by 8` counts to 12 with `$i` the eights and `$j` what is over.
 *
 * @module
 */

import type { ErrorScopes } from "./error_scopes.ts";
import { requireLimits } from "./limits.ts";
import type { Tensor } from "./tensor.ts";

/** The text of a part, or a text with values for its `$parameters`. */
export type Part = string | { readonly text: string; readonly parameters: Readonly<Record<string, string | number>> };

/** A resource that holds what a buffer holds and is bound in its place. Its strategy keeps it up to date. */
export interface Copy {
  /** The copy. */
  readonly buffer: GPUBuffer;
  /** How a pipeline's layout declares it. */
  readonly layout: Omit<GPUBindGroupLayoutEntry, "binding" | "visibility">;
  /** What is bound. */
  resource(): GPUBindingResource;
  /** Brings it up to date. */
  update(encoder: GPUCommandEncoder): void;
}

/** One buffer of a kernel. */
export interface Binding {
  /** What is bound. */
  readonly buffer: GPUBuffer;
  /** How the kernel uses it. */
  readonly access: "read" | "uniform" | "read_write";
  /** The element type in WGSL, or a struct's name. */
  readonly type: string;
  /** What is read in its place. The kernel then sees what stood there before it began. */
  readonly copy?: Copy;
}

/** Shader parts with the constants and buffers that they need: a loader, an epilogue, or any other piece of a kernel. */
export interface Fragment {
  /** Pieces of WGSL, each once in a kernel. */
  readonly parts: readonly Part[];
  /** `const NAME = 5u;`, or a bool. */
  readonly constants?: Readonly<Record<string, number | boolean>>;
  /** `const NAME = f32(0.5);` */
  readonly floats?: Readonly<Record<string, number>>;
  /** Buffers by the name that the parts give them. */
  readonly buffers?: Readonly<Record<string, Binding>>;
}

/** In which steps t a dispatch runs: at <= t mod every < at + lasting. */
export interface Due {
  /** The period. */
  readonly every: number;
  /** The first step within it. */
  readonly at: number;
  /** How many steps. */
  readonly lasting: number;
}

/** Whether both are in the same steps; undefined is in all. */
export function sameDue(one: Due | undefined, other: Due | undefined): boolean {
  return one?.every === other?.every && one?.at === other?.at && one?.lasting === other?.lasting;
}

/** A kernel and how many workgroups of it to start. */
export interface Dispatch {
  /** What it is called in profiles and errors. */
  readonly label: string;
  /** What the kernel is put together from. */
  readonly fragments: readonly Fragment[];
  /** How many workgroups to start. */
  readonly workgroups: readonly [x: number, y?: number];
  /** Multiply-adds that the mathematics asks for, padding left out; 0 for kernels that are no product. */
  readonly macs?: number;
  /** Bytes that it reads and writes, each once, if not all of its buffers. */
  readonly bytes?: number;
  /** In which steps it runs; in all where it is left out. */
  readonly due?: Due;
  /** A slower kernel in its place that forms the same numbers and takes less time to compile, for a strategy to begin with. */
  readonly starter?: Pick<Dispatch, "fragments" | "workgroups">;
}

/** So many workgroups, in rows of 32,768 where there are more than a dimension may have; the last row may reach beyond them. */
export function inRows(count: number): readonly [x: number, y: number] {
  const across = Math.min(count, 32768);
  return [across, Math.ceil(count / across)];
}

/** Binds what a kernel only reads. */
export function read(tensor: Tensor | GPUBuffer, type?: string): Binding {
  return bind(tensor, "read", type);
}

/** Binds what a kernel reads as a uniform buffer. */
export function uniform(buffer: GPUBuffer, type: string): Binding {
  return { buffer, access: "uniform", type };
}

/** Binds what a kernel writes, or reads and writes. */
export function write(tensor: Tensor | GPUBuffer, type?: string): Binding {
  return bind(tensor, "read_write", type);
}

function bind(tensor: Tensor | GPUBuffer, access: Binding["access"], type?: string): Binding {
  if ("buffer" in tensor) {
    return { buffer: tensor.buffer, access, type: type ?? (tensor.type === "u8" ? "array<u32>" : "array<vec4f>") };
  }
  return { buffer: tensor, access, type: type ?? "array<f32>" };
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

/** Writes out the `//: repeat` blocks of a text and replaces its `$parameters`. */
export function expand(text: string, parameters: Readonly<Record<string, string | number>> = {}): string {
  // Longest names first: $start_row must not be read as $start.
  for (const name of Object.keys(parameters).sort((a, b) => b.length - a.length)) {
    text = text.replaceAll(`$${name}`, String(parameters[name]));
  }
  const lines = text.split("\n");
  const out: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const header = /^\s*\/\/: repeat (\w+)(?: (\w+))? (\d+)\.\.(\d+)(?: by (\d+))?\s*$/.exec(lines[i]);
    if (!header) {
      if (/^\s*\/\/: /.test(lines[i])) {
        throw new SyntaxError(`Cannot expand a shader: unexpected line "${lines[i].trim()}"`);
      }
      out.push(lines[i]);
      continue;
    }
    const [, name, remainder, from, to, by = "1"] = header;
    let end = i + 1;
    for (let depth = 1; end < lines.length; end++) {
      if (/^\s*\/\/: repeat /.test(lines[end])) depth++;
      if (/^\s*\/\/: end\s*$/.test(lines[end]) && --depth === 0) break;
    }
    if (end === lines.length) throw new SyntaxError(`Cannot expand a shader: no end for "${lines[i].trim()}"`);
    const body = lines.slice(i + 1, end).join("\n");
    for (let n = Number(from); n < Number(to); n++) {
      const quotient = Math.floor(n / Number(by));
      out.push(expand(body, { [name]: quotient, ...remainder ? { [remainder]: n % Number(by) } : {} }));
    }
    i = end;
  }
  return out.join("\n");
}

/** The WGSL text of a dispatch, and its buffers in binding order. */
export function join(dispatch: Dispatch): { code: string; bindings: Binding[] } {
  const declarations = new Map<string, string>();
  const bindings: Binding[] = [];
  const texts = new Set<string>();
  const declare = (name: string, text: string) => {
    if ((declarations.get(name) ?? text) !== text) {
      throw new Error(
        `Cannot join the kernel "${dispatch.label}": "${name}" is declared twice, as ${
          declarations.get(name)
        } and ${text}`,
      );
    }
    declarations.set(name, text);
  };
  for (const { parts, constants = {}, floats = {}, buffers = {} } of dispatch.fragments) {
    for (const [name, value] of Object.entries(constants)) {
      declare(name, `const ${name} = ${typeof value === "boolean" ? value : `${value}u`};`);
    }
    for (const [name, value] of Object.entries(floats)) declare(name, `const ${name} = f32(${value});`);
    for (const [name, binding] of Object.entries(buffers)) {
      const present = /@binding\((\d+)\)/.exec(declarations.get(name) ?? "");
      const index = present ? Number(present[1]) : bindings.push(binding) - 1;
      if (bindings[index].buffer !== binding.buffer) {
        throw new Error(`Cannot join the kernel "${dispatch.label}": two buffers are named "${name}"`);
      }
      const { copy, access } = binding;
      const space = copy ? "" : access === "uniform" ? "<uniform>" : `<storage, ${access}>`;
      declare(name, `@group(0) @binding(${index}) var${space} ${name}: ${binding.type};`);
    }
    for (const part of parts) texts.add(typeof part === "string" ? expand(part) : expand(part.text, part.parameters));
  }
  const names = [...declarations].filter(([, text]) => text.includes("@binding")).map(([name]) => name);
  bindings.forEach(({ buffer, copy }, i) => {
    const j = bindings.findIndex((other) => other.buffer === buffer && !other.copy && !copy);
    if (j < 0) return;
    if (i !== j && (bindings[i].access === "read_write" || bindings[j].access === "read_write")) {
      throw new Error(
        `Cannot join the kernel "${dispatch.label}": "${names[j]}" and "${
          names[i]
        }" are the same buffer, and one of them is written`,
      );
    }
  });
  return { code: [...declarations.values(), ...texts].join("\n"), bindings };
}

/** A dispatch made ready: what a command encoder needs. */
export interface Prepared {
  /** What it is called in profiles and errors. */
  readonly label: string;
  /** The compiled kernel. */
  readonly pipeline: GPUComputePipeline;
  /** Its buffers. */
  readonly bindGroup: GPUBindGroup;
  /** How many workgroups to start. */
  readonly workgroups: readonly [number, number];
  /** In which steps it runs; in all where it is left out. */
  readonly due?: Due;
  /** Multiply-adds that the mathematics asks for. */
  readonly macs: number;
  /** Bytes that it reads and writes, each once. */
  readonly bytes: number;
  /** What it writes. */
  readonly writes: readonly Binding[];
  /** The copies of buffers that it reads. */
  readonly copies: readonly Copy[];
}

/** What a pipeline must know of a binding. */
export type PipelineBinding = Pick<Binding, "access" | "copy">;

/** Where kernels are compiled: a Gpu. */
export interface Compiler {
  /** The device that compiles. */
  readonly device: GPUDevice;
  /** The adapter in words. */
  readonly adapter: string;
  /** Error scopes for a piece of work. */
  scopes(): ErrorScopes;
  /** The pipeline of a kernel, compiled once per text. */
  pipeline(label: string, code: string, bindings: readonly PipelineBinding[]): Promise<GPUComputePipeline>;
}

/**
 * Compiles a dispatch and binds its buffers.
 *
 * @throws {GpuError} If the device does not allow what it needs, or has an error.
 */
export async function prepare(gpu: Compiler, dispatch: Dispatch): Promise<Prepared> {
  const bind = await compile(gpu, dispatch);
  const scopes = gpu.scopes();
  const prepared = scopes.within(bind);
  await scopes.settle();
  return prepared;
}

/** Compiles a dispatch. What it gives binds the buffers, which may be gone by the time that it is compiled. */
export async function compile(gpu: Compiler, dispatch: Dispatch): Promise<() => Prepared> {
  const { code, bindings } = join(dispatch);
  requireLimits(gpu, { ...dispatch, code, bindings });
  const pipeline = await gpu.pipeline(dispatch.label, code, bindings);
  return () => bound(gpu, dispatch, pipeline, bindings);
}

function bound(
  { device }: Compiler,
  dispatch: Dispatch,
  pipeline: GPUComputePipeline,
  bindings: readonly Binding[],
): Prepared {
  const bindGroup = bindGroupOf(device, dispatch.label, pipeline, bindings);
  const [x, y = 1] = dispatch.workgroups;
  const writes = bindings.filter(({ access }) => access === "read_write");
  return {
    label: dispatch.label,
    pipeline,
    bindGroup,
    workgroups: [x, y],
    due: dispatch.due,
    macs: dispatch.macs ?? 0,
    bytes: dispatch.bytes ?? sizeOf(bindings),
    writes,
    copies: bindings.flatMap(({ copy }) => copy ?? []),
  };
}

/** Binds buffers, or what is read in their place. */
export function bindGroupOf(
  device: GPUDevice,
  label: string,
  pipeline: GPUComputePipeline,
  bindings: readonly Pick<Binding, "buffer" | "copy">[],
): GPUBindGroup {
  return device.createBindGroup({
    label,
    layout: pipeline.getBindGroupLayout(0),
    entries: bindings.map(({ buffer, copy }, binding) => ({ binding, resource: copy?.resource() ?? { buffer } })),
  });
}

/** Bytes of buffers. */
export function sizeOf(bindings: readonly Binding[]): number {
  return bindings.reduce((sum, { buffer }) => sum + buffer.size, 0);
}

/** Commands that stand between compute passes. */
export type Commands = readonly ((encoder: GPUCommandEncoder) => void)[];

/**
 * Says which commands bring up to date what dispatches read in place of buffers, for each dispatch of a list those that must stand before it:
 * when the list is run through first, and when it is run through again.
 */
export type Refresh = (
  dispatches: readonly Prepared[],
) => readonly [first: readonly Commands[], again: readonly Commands[]];

/** What recording asks of a Gpu. */
export interface Recorder {
  readonly strategy: { readonly refresh?: Refresh };
}

/**
 * Records dispatches in their order, so many times over. They share compute passes, but for commands that must stand between them. With a
 * clock, each dispatch has a pass of its own, and is timed.
 */
export function record(
  { strategy }: Recorder,
  encoder: GPUCommandEncoder,
  dispatches: readonly Prepared[],
  { times = 1, clock }: {
    readonly times?: number;
    readonly clock?: { pass(): GPUComputePassTimestampWrites | undefined };
  } = {},
): void {
  const refresh = strategy.refresh?.(dispatches);
  let pass: GPUComputePassEncoder | undefined;
  const end = () => {
    pass?.end();
    pass = undefined;
  };
  for (let time = 0; time < times; time++) {
    const commands = refresh?.[Math.min(time, 1)];
    for (let i = 0; i < dispatches.length; i++) {
      if (commands?.[i].length) {
        end();
        for (const command of commands[i]) command(encoder);
      }
      const { pipeline, bindGroup, workgroups } = dispatches[i];
      pass ??= encoder.beginComputePass(clock && { timestampWrites: clock.pass() });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1]);
      if (clock) end();
    }
  }
  end();
}
