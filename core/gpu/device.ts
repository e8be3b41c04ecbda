/**
 * The GPU: choosing an adapter, asking for its limits, turning GPU errors and device loss into exceptions, and keeping
 * compiled pipelines. One {@linkcode Gpu} wraps one `GPUDevice`; a caller may bring its own device.
 *
 * @module
 */

import type { Chunk } from "./chunks.ts";
import { CompileAhead } from "./lavapipe/compile_ahead.ts";
import { widensVectors } from "./lavapipe/vector_width.ts";

/** An error of the GPU, its driver, or of finding one. */
export class GpuError extends Error {
  override readonly name = "GpuError";
}

/** Options of {@linkcode Gpu.open}. */
export interface GpuOptions {
  /** Prefer the low-power adapter of a machine that has two. */
  readonly powerPreference?: GPUPowerPreference;
  /** Compile kernels on a second thread too, where that is of use: with Mesa's software adapter. For programs, which can have workers. */
  readonly compileAhead?: boolean;
}

const NO_ADAPTER = "Cannot find a GPU adapter: WebGPU needs a Vulkan, Metal or Direct3D 12 driver. " +
  "On Linux without a GPU, install the software driver: apt-get install mesa-vulkan-drivers (Debian, Ubuntu), " +
  "dnf install mesa-vulkan-drivers (Fedora), apk add mesa-vulkan-swrast (Alpine)";

/** What is used of Deno where there is one; a page's types do not know it. */
interface Host {
  readonly permissions: {
    querySync?(
      asked: { readonly name: "env"; readonly variable: string } | { readonly name: "read"; readonly path: string },
    ): {
      readonly state: string;
    };
  };
  readonly env: { get(name: string): string | undefined; set(name: string, value: string): void };
  readonly build: { readonly os: string };
  readTextFileSync(path: string): string;
}

/** Reads or sets an environment variable where the program may, and never prompts for the permission. */
function environment(name: string, value?: string): string | undefined {
  const deno = (globalThis as { readonly Deno?: Host }).Deno;
  if (deno?.permissions.querySync?.({ name: "env", variable: name }).state !== "granted") return undefined;
  if (value !== undefined) deno.env.set(name, value);
  return deno.env.get(name);
}

/** Makes Deno on Linux take Vulkan (it would fall back to OpenGL silently), and keeps a stray driver message away. */
function prepareLinux(): void {
  const deno = (globalThis as { readonly Deno?: Host }).Deno;
  if (deno?.build.os !== "linux") return;
  if (environment("DENO_WEBGPU_BACKEND") === undefined) environment("DENO_WEBGPU_BACKEND", "vulkan");
  if (environment("XDG_RUNTIME_DIR") === undefined) environment("XDG_RUNTIME_DIR", "/tmp");
  // Mesa's software adapter reads it when it is first asked for.
  const width = "LP_NATIVE_VECTOR_WIDTH";
  if (environment(width) === undefined && widensVectors(readText, environment)) environment(width, "512");
}

/** A system file, where the program may read it. */
function readText(path: string): string {
  const deno = (globalThis as { readonly Deno?: Host }).Deno;
  try {
    return deno?.permissions.querySync?.({ name: "read", path }).state === "granted" ? deno.readTextFileSync(path) : "";
  } catch {
    return "";
  }
}

const BUFFER_TYPES = { read: "read-only-storage", uniform: "uniform", read_write: "storage" } as const;

/** What a pipeline must know of a binding: a buffer that is read or written, or a texture that is read. */
export interface PipelineBinding {
  readonly access: "read" | "uniform" | "read_write";
  readonly texels?: GPUTextureFormat;
}

/** A device, what is known of its adapter, and its compiled pipelines. */
export class Gpu {
  /** The adapter in words, as events and checkpoints name it. */
  readonly adapter: string;
  /** All that the adapter says of itself, and of its driver where it does: what measurements on it are valid for. */
  readonly identity: string;
  /** True where the adapter runs on the processor's cores. */
  readonly cpu: boolean;
  /** Invocations of a subgroup, where it is known and subgroup operations may be used; else 0. */
  readonly lanes: number;
  /** The second thread that compiles, if it was asked for. */
  readonly ahead: CompileAhead | undefined;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  #failure: GpuError | undefined;
  #destroyed = false;

  /**
   * @param device The device to use. It stays the caller's: {@linkcode Gpu.destroy} destroys it, nothing else does.
   * @param info What the adapter says of itself.
   * @param subgroups Whether subgroup operations were asked for and granted.
   * @param compileAhead As in the options.
   */
  constructor(readonly device: GPUDevice, info?: GPUAdapterInfo, subgroups = false, compileAhead = false) {
    this.adapter = info?.description || [info?.vendor, info?.architecture].filter(Boolean).join(" ") ||
      "unknown adapter";
    this.identity = [info?.vendor, info?.architecture, info?.device, info?.description].filter(Boolean).join(", ") ||
      this.adapter;
    this.cpu = /llvmpipe|lavapipe|swiftshader|warp|basic render/i.test(this.adapter);
    const bits = Number(/\(LLVM [^,)]*, (\d+) bits\)/.exec(this.adapter)?.[1] ?? 0);
    this.lanes = subgroups ? bits / 32 : 0;
    // Without the driver's cache nobody would have anything of it.
    const cached = !/^(1|true)$/.test(environment("MESA_SHADER_CACHE_DISABLE") ?? "");
    this.ahead = compileAhead && bits > 0 && cached ? new CompileAhead() : undefined;
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
    if (!gpu) {
      throw new GpuError("Cannot use WebGPU: navigator.gpu is missing here (Deno 2.9 or a recent browser has it)");
    }
    const adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference ?? "high-performance" });
    if (!adapter) throw new GpuError(NO_ADAPTER);
    const { limits } = adapter;
    const requiredLimits = {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      // Two tiles' blocks, for joined kernels; most adapters have it.
      maxComputeWorkgroupStorageSize: Math.min(limits.maxComputeWorkgroupStorageSize, 32768),
      maxStorageBuffersPerShaderStage: Math.min(limits.maxStorageBuffersPerShaderStage, 16),
    };
    // lavapipe has subgroup operations without listing them: ask, and go on without where they are refused.
    const known = ["timestamp-query" as const].filter((feature) => adapter.features.has(feature));
    for (const feature of ["subgroups", undefined] as const) {
      const requiredFeatures = feature ? [...known, feature as GPUFeatureName] : known;
      try {
        return new Gpu(
          await adapter.requestDevice({ requiredFeatures, requiredLimits }),
          adapter.info,
          feature !== undefined,
          options.compileAhead,
        );
      } catch (error) {
        if (feature === undefined) {
          throw new GpuError(`Cannot open the GPU device of ${adapter.info.description}`, { cause: error });
        }
      }
    }
    throw new GpuError(NO_ADAPTER);
  }

  /** Throws what went wrong on the GPU since the last call: an uncaptured error, or the loss of the device. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** The pipeline of a kernel, compiled once per text. `bindings` says which of its buffers are only read. */
  pipeline(label: string, code: string, bindings: readonly PipelineBinding[]): Promise<GPUComputePipeline> {
    const key = `${bindings.map(({ access, texels }) => texels ?? access)}\n${code}`;
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
      entries: bindings.map(({ access, texels }, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        ...texels
          ? { storageTexture: { access: "read-only", format: texels } }
          : { buffer: { type: BUFFER_TYPES[access] } },
      })),
    });
    const module = device.createShaderModule({ label, code });
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
    this.ahead?.close();
    this.device.destroy();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }
}
