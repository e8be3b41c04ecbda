/**
 * The GPU: choosing an adapter, asking for its limits, turning GPU errors and device loss into exceptions, and keeping
 * compiled pipelines. One {@linkcode Gpu} wraps one `GPUDevice`; a caller may bring its own device.
 *
 * @module
 */

import type { Chunk } from "./chunks.ts";
import { environment, page, readText, setDefault } from "./environment.ts";
import { host } from "./host.ts";
import type { PipelineBinding } from "./kernel.ts";
import {
  driverVariables,
  type OwnFamily,
  runsOnProcessor,
  strategyFor,
  type StrategyOptions,
  wantedFeatures,
} from "./strategies.ts";
import type { Strategy } from "./strategy.ts";

/** An error of the GPU, its driver, or of finding one. */
export class GpuError extends Error {
  override readonly name = "GpuError";
}

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
 * Makes Deno on Linux take Vulkan, and keeps a stray message away; tells drivers what their strategies want of them.
 *
 * Without a Vulkan driver Deno 2.9.6 takes OpenGL, with fewer and slower buffers, and there is no way to ask which it took
 * (https://github.com/denoland/deno/issues/31239). The message is libwayland's, which a Vulkan driver loads
 * (https://github.com/KhronosGroup/Vulkan-Tools/issues/721).
 */
function prepareLinux(): void {
  const deno = host();
  if (deno?.build.os !== "linux") return;
  const wanted = { DENO_WEBGPU_BACKEND: "vulkan", XDG_RUNTIME_DIR: "/tmp", ...driverVariables(readText, environment) };
  for (const [name, value] of Object.entries(wanted)) setDefault(name, value);
}

const BUFFER_TYPES = { read: "read-only-storage", uniform: "uniform", read_write: "storage" } as const;

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
  #failure: GpuError | undefined;
  #destroyed = false;

  /**
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
    device.addEventListener("uncapturederror", (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      this.#failure ??= new GpuError(`The GPU reports: ${error.message}`);
      event.preventDefault();
    });
    device.lost.then((info) => {
      if (!this.#destroyed) {
        this.#failure = new GpuError(`The GPU device was lost (${info.reason || "unknown reason"}) on ${this.adapter}`);
      }
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
    const { compileAhead, onWarning } = options;
    const open = async (granted: readonly string[]) =>
      new Gpu(
        await adapter.requestDevice({
          requiredFeatures: [...known, ...granted] as GPUFeatureName[],
          requiredLimits,
        }),
        adapter.info,
        { granted, compileAhead, onWarning },
      );
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

  /** Throws what went wrong on the GPU since the last call: an uncaptured error, or the loss of the device. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** The pipeline of a kernel, compiled once per text. `bindings` says which of its buffers are only read. */
  pipeline(label: string, code: string, bindings: readonly PipelineBinding[]): Promise<GPUComputePipeline> {
    const key = `${bindings.map(({ access, copy }) => copy ? JSON.stringify(copy.layout) : access)}\n${code}`;
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      pipeline = this.#compile(label, code, bindings);
      this.#pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  async #compile(label: string, code: string, bindings: readonly PipelineBinding[]): Promise<GPUComputePipeline> {
    const { device } = this;
    device.pushErrorScope("validation");
    const bindGroupLayout = device.createBindGroupLayout({
      label,
      entries: bindings.map(({ access, copy }, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        ...copy ? copy.layout : { buffer: { type: BUFFER_TYPES[access] } },
      })),
    });
    const directives = await this.strategy.directives?.(code) ?? "";
    const module = device.createShaderModule({ label, code: directives + code });
    const layout = device.createPipelineLayout({ bindGroupLayouts: [bindGroupLayout] });
    let pipeline: GPUComputePipeline | undefined;
    let failure: unknown;
    const compiling = device.createComputePipelineAsync({ label, layout, compute: { module, entryPoint: "main" } })
      .then((done) => pipeline = done, (error) => failure = error);
    const error = await device.popErrorScope();
    await compiling;
    if (error || !pipeline) {
      throw new GpuError(`Cannot compile the kernel "${label}": ${error?.message ?? String(failure)}`);
    }
    return pipeline;
  }

  /**
   * Copies a part of a buffer to the host.
   *
   * @throws {GpuError} If the device is lost meanwhile.
   */
  async read(buffer: GPUBuffer, offset = 0, size: number = buffer.size - offset): Promise<ArrayBuffer> {
    const copies = this.copies([{ buffer, offset, size }]);
    copies.submit();
    const [bytes] = await copies.read();
    return bytes;
  }

  /** Records the copying of buffers, or of a part of each, to the host. */
  copies(
    parts: readonly { readonly buffer: GPUBuffer; readonly offset?: number; readonly size?: number }[],
  ): Chunk<ArrayBuffer[]> {
    const encoder = this.device.createCommandEncoder();
    const stagings = parts.map(({ buffer, offset = 0, size = buffer.size - offset }) => {
      const staging = this.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
      return staging;
    });
    const commands = encoder.finish();
    return {
      submit: () => this.device.queue.submit([commands]),
      read: async () => {
        const bytes = await Promise.all(stagings.map((staging) => this.mapped(staging)));
        for (const staging of stagings) staging.destroy();
        return bytes;
      },
    };
  }

  /** Waits for a staging buffer, copies its content out and unmaps it. */
  async mapped(staging: GPUBuffer): Promise<ArrayBuffer> {
    try {
      await staging.mapAsync(GPUMapMode.READ);
    } catch (error) {
      // A read fails a moment before the device is reported lost, which says more.
      await new Promise((resolve) => setTimeout(resolve, 20));
      this.check();
      throw new GpuError(`Cannot read from the GPU (${this.adapter})`, { cause: error });
    }
    this.check();
    const bytes = staging.getMappedRange().slice(0);
    staging.unmap();
    return bytes;
  }

  /** Destroys the device and everything on it. */
  destroy(): void {
    this.#destroyed = true;
    this.strategy.close();
    this.device.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }
}
