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

import type { Clock } from "./clock.ts";
import type { Gpu } from "./device.ts";
import { copyToMirror, type Mirror, mirrorOf, type TexelFormat, texelsOf } from "./lavapipe/mirror.ts";
import type { Tensor } from "./tensor.ts";

/** The text of a part, or a text with values for its `$parameters`. */
export type Part = string | { readonly text: string; readonly parameters: Readonly<Record<string, string | number>> };

/** One buffer of a kernel. */
export interface Binding {
  readonly buffer: GPUBuffer;
  readonly access: "read" | "uniform" | "read_write";
  /** The element type in WGSL, or a struct's name. */
  readonly type: string;
  /** Where it is read through a texture: what a texel holds. The kernel then sees what stood there before it began. */
  readonly texels?: TexelFormat;
}

/** Shader parts with the constants and buffers that they need: a loader, an epilogue, or any other piece of a kernel. */
export interface Fragment {
  readonly parts: readonly Part[];
  /** `const NAME = 5u;`, or a bool. */
  readonly constants?: Readonly<Record<string, number | boolean>>;
  /** `const NAME = f32(0.5);` */
  readonly floats?: Readonly<Record<string, number>>;
  readonly buffers?: Readonly<Record<string, Binding>>;
}

/** In which steps t a dispatch runs: t mod every = at. */
export interface Due {
  readonly every: number;
  readonly at: number;
}

/** A kernel and how many workgroups of it to start. */
export interface Dispatch {
  readonly label: string;
  readonly fragments: readonly Fragment[];
  readonly workgroups: readonly [x: number, y?: number];
  /** Multiply-adds that the mathematics asks for, padding left out; 0 for kernels that are no product. */
  readonly macs?: number;
  /** Bytes that it reads and writes, each once, if not all of its buffers. */
  readonly bytes?: number;
  /** In which steps it runs; in all where it is left out. */
  readonly due?: Due;
  /** A slower kernel that forms the same numbers and takes less time to compile. */
  readonly quick?: Dispatch;
}

/** Binds what a kernel only reads. */
export function read(tensor: Tensor | GPUBuffer, type?: string): Binding {
  return bind(tensor, "read", type);
}

/** Binds what a kernel reads as a uniform buffer. */
export function uniform(buffer: GPUBuffer, type: string): Binding {
  return { buffer, access: "uniform", type };
}

/** Binds what a kernel reads through a texture. */
export function readTexels({ buffer, type }: Tensor): Binding {
  const texels = texelsOf(type);
  return { buffer, access: "read", type: `texture_storage_2d<${texels}, read>`, texels };
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
      const { texels, access } = binding;
      const space = texels ? "" : access === "uniform" ? "<uniform>" : `<storage, ${access}>`;
      declare(name, `@group(0) @binding(${index}) var${space} ${name}: ${binding.type};`);
    }
    for (const part of parts) texts.add(typeof part === "string" ? expand(part) : expand(part.text, part.parameters));
  }
  const names = [...declarations].filter(([, text]) => text.includes("@binding")).map(([name]) => name);
  bindings.forEach(({ buffer, texels }, i) => {
    const j = bindings.findIndex((other) => other.buffer === buffer && !other.texels && !texels);
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
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number];
  readonly due?: Due;
  readonly macs: number;
  /** Bytes that it reads and writes, each once. */
  readonly bytes: number;
  /** What it writes. */
  readonly writes: readonly Binding[];
  /** The textures that it reads. */
  readonly mirrors: readonly Mirror[];
}

/** Compiles a dispatch and binds its buffers. */
export async function prepare(gpu: Gpu, dispatch: Dispatch): Promise<Prepared> {
  return (await compile(gpu, dispatch))();
}

/** Compiles a dispatch. What it gives binds the buffers, which may be gone by the time that it is compiled. */
export async function compile(gpu: Gpu, dispatch: Dispatch): Promise<() => Prepared> {
  const { code, bindings } = join(dispatch);
  const pipeline = await gpu.pipeline(dispatch.label, code, bindings);
  return () => bound(gpu, dispatch, pipeline, bindings);
}

function bound(gpu: Gpu, dispatch: Dispatch, pipeline: GPUComputePipeline, bindings: readonly Binding[]): Prepared {
  const bindGroup = bindGroupOf(gpu, dispatch.label, pipeline, bindings);
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
    mirrors: bindings.flatMap(({ buffer, texels }) => texels ? [mirrorOf(gpu.device, buffer, texels)] : []),
  };
}

/** Binds buffers, and the textures of those that are read through them. */
export function bindGroupOf(
  { device }: Gpu,
  label: string,
  pipeline: GPUComputePipeline,
  bindings: readonly Pick<Binding, "buffer" | "texels">[],
): GPUBindGroup {
  return device.createBindGroup({
    label,
    layout: pipeline.getBindGroupLayout(0),
    entries: bindings.map(({ buffer, texels }, binding) => ({
      binding,
      resource: texels ? mirrorOf(device, buffer, texels).texture.createView() : { buffer },
    })),
  });
}

/** Bytes of buffers. */
export function sizeOf(bindings: readonly Binding[]): number {
  return bindings.reduce((sum, { buffer }) => sum + buffer.size, 0);
}

/**
 * What is copied into textures before each dispatch of a list: when it is run through first, and when it is run through again. What is
 * read through textures is brought up to date before the first dispatch that reads it, if its buffer was written since. Copies stand
 * between compute passes: so what will be read later, and is not written before, is copied along.
 */
function copiesOf(dispatches: readonly Prepared[]): readonly (readonly (readonly Mirror[])[])[] {
  const current = new Set<GPUBuffer>();
  const stale = ({ buffer }: Mirror) => !current.has(buffer);
  const round = () =>
    dispatches.map(({ mirrors, writes }, i) => {
      const copies: Mirror[] = [];
      if (mirrors.some(stale)) {
        const written = new Set<GPUBuffer>();
        for (const { mirrors, writes } of [...dispatches.slice(i), ...dispatches.slice(0, i)]) {
          for (const mirror of mirrors) {
            if (!stale(mirror) || written.has(mirror.buffer)) continue;
            copies.push(mirror);
            current.add(mirror.buffer);
          }
          for (const { buffer } of writes) written.add(buffer);
        }
      }
      for (const { buffer } of writes) current.delete(buffer);
      return copies;
    });
  return [round(), round()];
}

const copies = new WeakMap<readonly Prepared[], ReturnType<typeof copiesOf>>();

/**
 * Records dispatches in their order, so many times over. They share compute passes, but for the copies into textures. With a clock, each
 * dispatch has a pass of its own, and is timed.
 */
export function record(
  encoder: GPUCommandEncoder,
  dispatches: readonly Prepared[],
  { times = 1, clock }: { readonly times?: number; readonly clock?: Clock } = {},
): void {
  let plan = copies.get(dispatches);
  if (!plan) copies.set(dispatches, plan = copiesOf(dispatches));
  let pass: GPUComputePassEncoder | undefined;
  for (let time = 0; time < times; time++) {
    const before = plan[Math.min(time, 1)];
    for (let i = 0; i < dispatches.length; i++) {
      if (before[i].length) {
        pass?.end();
        pass = undefined;
        for (const mirror of before[i]) copyToMirror(encoder, mirror);
      }
      const { pipeline, bindGroup, workgroups } = dispatches[i];
      pass ??= encoder.beginComputePass(clock && { timestampWrites: clock.pass() });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1]);
      if (clock) {
        pass.end();
        pass = undefined;
      }
    }
  }
  pass?.end();
}

/** Milliseconds of one dispatch, by repeating it; for benchmarks. */
export async function timeDispatch({ device }: Gpu, dispatch: Prepared, repeats: number): Promise<number> {
  const run = async (times: number) => {
    const encoder = device.createCommandEncoder();
    record(encoder, [dispatch], { times });
    const begin = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - begin;
  };
  // The difference of two runs leaves the cost of a submit and of waiting out.
  const once = await run(repeats);
  return (await run(2 * repeats) - once) / repeats;
}
