/**
 * The GPU: choosing an adapter, asking for its limits, turning the loss of a device into exceptions, reading buffers, and keeping compiled
 * pipelines. One {@linkcode Gpu} wraps one `GPUDevice`; a caller may bring its own device, and use it for work of its own.
 *
 * @module
 */

import type { Chunk } from "./chunks.ts";
import { page, setDefault } from "./environment.ts";
import { ErrorScopes, GpuError } from "./error_scopes.ts";
import { host } from "./host.ts";
import type { PipelineBinding } from "./kernel.ts";
import {
  loadStrategy,
  type OwnFamily,
  runsOnProcessor,
  strategiesClosed,
  strategyFor,
  type StrategyOptions,
  wantedFeatures,
} from "./strategies.ts";
import type { Strategy } from "./strategy.ts";

export { GpuError } from "./error_scopes.ts";

/** Options of {@linkcode Gpu.open}. */
export interface GpuOptions {
  /** Prefer the low-power adapter of a machine that has two. */
  readonly powerPreference?: GPUPowerPreference;
  /**
   * Starts a worker that compiles kernels beside, where that is of use: with Mesa's software adapter. `compileWorker` of
   * `@elbo/elbo/files` is one.
   */
  readonly compileAhead?: () => Worker;
  /** Told in a sentence what does not work on this machine and is done without. */
  readonly onWarning?: (warning: string) => void;
}

const NO_ADAPTER = "Cannot find a GPU adapter: WebGPU needs a Vulkan, Metal or Direct3D 12 driver. " +
  "On Linux without a GPU, install the software driver: apt-get install mesa-vulkan-drivers (Debian, Ubuntu), " +
  "dnf install mesa-vulkan-drivers (Fedora), apk add mesa-vulkan-swrast (Alpine)";
const NO_ADAPTER_IN_PAGE = "Cannot find a GPU adapter: this browser has WebGPU but no adapter for it here. " +
  "Turn on hardware acceleration in its settings and update the graphics driver, or try another browser";

/** Why there is no `navigator.gpu`, and what to do. */
function withoutWebGpu(): string {
  const found = "Cannot use WebGPU: navigator.gpu is missing here";
  const here = page();
  if (!here) return `${found}: use a runtime that has it, or npm webgpu in Node and Bun`;
  return here.isSecureContext
    ? `${found}: use a current Chrome, Edge, Firefox or Safari`
    : `${found}, as in every page that does not come by https or from localhost`;
}

/**
 * Makes Deno on Linux take Vulkan, and keeps a stray message away.
 *
 * Without a Vulkan driver Deno 2.9.6 takes OpenGL, with fewer and slower buffers, and there is no way to ask which it took
 * (https://github.com/denoland/deno/issues/31239). The message is libwayland's, which a Vulkan driver loads
 * (https://github.com/KhronosGroup/Vulkan-Tools/issues/721).
 */
function prepareLinux(): void {
  const deno = host();
  if (deno?.build.os !== "linux") return;
  setDefault("DENO_WEBGPU_BACKEND", "vulkan");
  setDefault("XDG_RUNTIME_DIR", "/tmp");
}

/** A buffer, or a part of it. Offset and size are multiples of 4. */
export interface BufferPart {
  /** The buffer. */
  readonly buffer: GPUBuffer;
  /** Bytes before the part. Default 0. */
  readonly offset?: number;
  /** Bytes of the part. Default: to the end. */
  readonly size?: number;
}

/** Bytes of a staging buffer into which several buffers go. Some drivers have little memory that both sides see. */
const STAGED = 2 ** 25;

/** Where parts of such sizes lie in as few staging buffers as hold them, in their order; one of its own for what is larger than most. */
function packedParts(sizes: readonly number[]): {
  readonly places: readonly { readonly staging: number; readonly from: number; readonly size: number }[];
  readonly sizes: readonly number[];
} {
  const stagings: number[] = [];
  const places = sizes.map((size) => {
    const last = stagings.length - 1;
    if (last >= 0 && stagings[last] + size <= STAGED) {
      const from = stagings[last];
      stagings[last] += size;
      return { staging: last, from, size };
    }
    stagings.push(size);
    return { staging: last + 1, from: 0, size };
  });
  return { places, sizes: stagings };
}

const BUFFER_TYPES = { read: "read-only-storage", uniform: "uniform", read_write: "storage" } as const;

/** The devices of {@linkcode Gpu.open} that are still there. */
let opened: readonly WeakRef<GPUDevice>[] = [];

/**
 * Waits until no driver works for this process: for a program to await before it exits. A driver that runs on the processor has threads of
 * its own, and what they need is taken down as the process ends: it then ends with a fault, after all was done well.
 */
export async function driversIdle(): Promise<void> {
  const devices = opened.flatMap((each) => each.deref() ?? []);
  // Of one that was destroyed or lost too it says when its work is done.
  await Promise.all([strategiesClosed(), ...devices.map(({ queue }) => queue.onSubmittedWorkDone().catch(() => {}))]);
}

/** An adapter in words: browsers give some of them, or none. */
function nameOf(info: GPUAdapterInfo | undefined): string {
  return info?.description || [info?.vendor, info?.architecture].filter(Boolean).join(" ") || "unknown adapter";
}

/** A device, what is known of its adapter, and its compiled pipelines. */
export class Gpu {
  /** The adapter in words, as events and checkpoints name it. */
  readonly adapter: string;
  /** All that the adapter says of itself, and of its driver where it does: what measurements on it are valid for. */
  readonly identity: string;
  /** True where the adapter runs on the processor's cores. */
  readonly cpu: boolean;
  /** How it is used. */
  readonly strategy: Strategy<OwnFamily>;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  /** Why it can be used no more. */
  #over: string | undefined;

  /**
   * A device of the caller's; {@linkcode Gpu.open} finds one.
   *
   * @param device The device to use. It stays the caller's: {@linkcode Gpu.destroy} destroys it, nothing else does.
   * @param info What the adapter says of itself.
   * @param options What its strategy must know.
   */
  constructor(readonly device: GPUDevice, info?: GPUAdapterInfo, options: StrategyOptions = {}) {
    this.adapter = nameOf(info);
    this.identity = [info?.vendor, info?.architecture, info?.device, info?.description].filter(Boolean).join(", ") ||
      this.adapter;
    this.cpu = runsOnProcessor(this.adapter, info);
    this.strategy = strategyFor(device, this.adapter, { facts: info, ...options });
    device.lost.then(({ reason }) => {
      this.#over ??= `The GPU device was lost (${reason || "unknown reason"}) on ${this.adapter}`;
    });
  }

  /**
   * Opens the best adapter of this machine.
   *
   * @throws {GpuError} If there is none, with what to install.
   */
  static async open(options: GpuOptions = {}): Promise<Gpu> {
    prepareLinux();
    const gpu = globalThis.navigator?.gpu;
    if (!gpu) throw new GpuError(withoutWebGpu());
    const adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference ?? "high-performance" });
    if (!adapter) throw new GpuError(page() ? NO_ADAPTER_IN_PAGE : NO_ADAPTER);
    const { limits } = adapter;
    const requiredLimits = {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      // Two tiles' blocks, for joined kernels; most adapters have it.
      maxComputeWorkgroupStorageSize: Math.min(limits.maxComputeWorkgroupStorageSize, 32768),
      maxStorageBuffersPerShaderStage: Math.min(limits.maxStorageBuffersPerShaderStage, 16),
    };
    const known = ["timestamp-query" as const].filter((feature) => adapter.features.has(feature));
    const wanted = wantedFeatures(nameOf(adapter.info), adapter.info, adapter.features);
    await loadStrategy(nameOf(adapter.info), adapter.info);
    const { compileAhead, onWarning } = options;
    const open = async (granted: readonly string[]) => {
      const device = await adapter.requestDevice({
        requiredFeatures: [...known, ...granted] as GPUFeatureName[],
        requiredLimits,
      });
      opened = [...opened.filter((each) => each.deref()), new WeakRef(device)];
      return new Gpu(device, adapter.info, { granted, compileAhead, onWarning });
    };
    // Asked for, and done without where they are refused.
    if (wanted.length) {
      try {
        return await open(wanted);
      } catch {
        // What is wrong, if it is not these, is told below.
      }
    }
    try {
      return await open([]);
    } catch (error) {
      throw new GpuError(`Cannot open the GPU device of ${nameOf(adapter.info)}`, { cause: error });
    }
  }

  /**
   * A device of the caller's, used as suits its adapter: what an adapter on the processor wants is loaded first, where a page does not have it.
   *
   * @param device As of the constructor.
   * @param info What the adapter says of itself. Default: what the device says of it.
   */
  static async of(device: GPUDevice, info: GPUAdapterInfo | undefined = device.adapterInfo): Promise<Gpu> {
    await loadStrategy(nameOf(info), info);
    return new Gpu(device, info);
  }

  /**
   * Asks whether the device can be used.
   *
   * @throws {GpuError} If it is lost or was destroyed.
   */
  check(): void {
    if (this.#over) throw new GpuError(this.#over);
  }

  /** Error scopes for a piece of work. */
  scopes(): ErrorScopes {
    return new ErrorScopes(this);
  }

  /** The pipeline of a kernel, compiled once per text. `bindings` says which of its buffers are only read. */
  pipeline(label: string, code: string, bindings: readonly PipelineBinding[]): Promise<GPUComputePipeline> {
    const key = `${bindings.map(({ access, copy }) => copy ? JSON.stringify(copy.layout) : access)}\n${code}`;
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      pipeline = this.#compile(label, code, bindings);
      this.#pipelines.set(key, pipeline);
      // There may be memory for it another time.
      pipeline.catch(() => this.#pipelines.delete(key));
    }
    return pipeline;
  }

  async #compile(label: string, code: string, bindings: readonly PipelineBinding[]): Promise<GPUComputePipeline> {
    const { device } = this;
    this.check();
    const directives = await this.strategy.directives?.(code) ?? "";
    const scopes = this.scopes();
    const compiling = scopes.within(() => {
      const bindGroupLayout = device.createBindGroupLayout({
        label,
        entries: bindings.map(({ access, copy }, binding) => ({
          binding,
          visibility: GPUShaderStage.COMPUTE,
          ...copy ? copy.layout : { buffer: { type: BUFFER_TYPES[access] } },
        })),
      });
      const module = device.createShaderModule({ label, code: directives + code });
      const layout = device.createPipelineLayout({ bindGroupLayouts: [bindGroupLayout] });
      return device.createComputePipelineAsync({ label, layout, compute: { module, entryPoint: "main" } });
    });
    try {
      // An error in its text says more than that there is no pipeline.
      const [settled, compiled] = await Promise.allSettled([scopes.settle(), compiling]);
      if (settled.status === "rejected") throw settled.reason;
      if (compiled.status === "rejected") throw compiled.reason;
      return compiled.value;
    } catch (error) {
      await this.#lossTold();
      const reason = error instanceof Error ? error.message.replace(/^The GPU reports: /, "") : String(error);
      throw new GpuError(`Cannot compile the kernel "${label}": ${reason}`, { cause: error });
    }
  }

  /**
   * Copies a part of a buffer to the host.
   *
   * @throws {GpuError} If the device is lost meanwhile.
   */
  async read(buffer: GPUBuffer, offset = 0, size: number = buffer.size - offset): Promise<ArrayBuffer> {
    const [bytes] = await this.readAll([{ buffer, offset, size }]);
    return bytes;
  }

  /** Copies buffers, or a part of each, to the host: however many, with one wait for the GPU. */
  async readAll(parts: readonly BufferPart[]): Promise<ArrayBuffer[]> {
    const copies = this.copies(parts);
    copies.submit();
    return await copies.read();
  }

  /** Records the copying of buffers, or of a part of each, to the host. */
  copies(parts: readonly BufferPart[]): Chunk<ArrayBuffer[]> {
    this.check();
    const scopes = this.scopes();
    const { commands, stagings, places } = scopes.within(() => {
      const encoder = this.device.createCommandEncoder();
      const { places, sizes } = packedParts(parts.map(({ buffer, offset = 0, size = buffer.size - offset }) => size));
      const stagings = sizes.map((size) =>
        this.device.createBuffer({
          label: "read-back",
          size,
          usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        })
      );
      parts.forEach(({ buffer, offset = 0 }, i) => {
        const { staging, from, size } = places[i];
        encoder.copyBufferToBuffer(buffer, offset, stagings[staging], from, size);
      });
      return { commands: encoder.finish(), stagings, places };
    });
    return {
      submit: () => scopes.within(() => this.device.queue.submit([commands])),
      read: async () => {
        try {
          const bytes = stagings.map((staging, i) => {
            const parts = places.filter((place) => place.staging === i);
            return this.#map(staging, scopes, (all) => parts.map(({ from, size }) => all.slice(from, from + size)));
          });
          return (await Promise.all(bytes)).flat();
        } finally {
          for (const staging of stagings) staging.destroy();
        }
      },
    };
  }

  /**
   * Waits for a staging buffer, copies its content out and unmaps it.
   *
   * @param scopes Those of the work that fills it.
   * @throws {GpuError} If there was an error in that work, or the device is lost.
   */
  async mapped(staging: GPUBuffer, scopes: ErrorScopes): Promise<ArrayBuffer> {
    return await this.#map(staging, scopes, (all) => all.slice(0));
  }

  async #map<T>(staging: GPUBuffer, scopes: ErrorScopes, take: (all: ArrayBuffer) => T): Promise<T> {
    try {
      await scopes.within(() => staging.mapAsync(GPUMapMode.READ));
    } catch (cause) {
      await this.#lossTold();
      await scopes.settle();
      throw new GpuError(`Cannot read from the GPU (${this.adapter})`, { cause });
    }
    try {
      await scopes.settle();
      return take(staging.getMappedRange());
    } finally {
      scopes.within(() => staging.unmap());
    }
  }

  /** A call fails a moment before the device is reported lost, which says more. */
  async #lossTold(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    this.check();
  }

  /** Destroys the device and everything on it. */
  destroy(): void {
    this.#over ??= `The GPU was destroyed (${this.adapter})`;
    // It ends by itself.
    void this.strategy.close();
    this.device.destroy();
  }

  /** The same as {@linkcode Gpu.destroy}. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}
