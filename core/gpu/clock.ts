/**
 * The GPU's own clock, read at the borders of compute passes: what kernels take while a step runs, and whether the GPU waits between
 * submits. For benchmarks.
 *
 * @module
 */

import type { Gpu } from "./device.ts";
import { createBuffer } from "./tensor.ts";

/** What a device must have, which {@linkcode Gpu.open} asks for. */
const FEATURE = "timestamp-query";
/** Readings that a query set can hold. */
const MOST = 4096;
/** Milliseconds over which the clock's ticks are counted. */
const CALIBRATION = 50;

/** When a pass began and ended, in milliseconds from a time that is the same for all passes. */
export type Span = readonly [begin: number, end: number];

/** Reads the GPU's clock. */
export class Clock {
  readonly #gpu: Gpu;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  #used = 0;
  #tick = 1e-6;

  private constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.#queries = gpu.device.createQuerySet({ type: "timestamp", count: MOST });
    this.#resolved = createBuffer(gpu, "timestamps", MOST * 8, GPUBufferUsage.QUERY_RESOLVE);
  }

  /** A clock, where the device has one. */
  static async open(gpu: Gpu): Promise<Clock | undefined> {
    if (!gpu.device.features.has(FEATURE)) return undefined;
    const clock = new Clock(gpu);
    await clock.#calibrate();
    return clock;
  }

  /** Passes that can still be timed before the next {@linkcode Clock.spans}. */
  get left(): number {
    return (MOST - this.#used) / 2;
  }

  /** For a pass that is to be timed; undefined where none is left. */
  pass(): GPUComputePassTimestampWrites | undefined {
    if (!this.left) return undefined;
    const first = this.#used;
    this.#used += 2;
    return { querySet: this.#queries, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 };
  }

  /** Times a pass of nothing: when all that was recorded before is done. */
  mark(encoder: GPUCommandEncoder): void {
    const timestampWrites = this.pass();
    if (timestampWrites) encoder.beginComputePass({ timestampWrites }).end();
  }

  /** The passes timed since the last call, in their order. They must have been submitted. */
  async spans(): Promise<Span[]> {
    const count = this.#used;
    if (!count) return [];
    this.#used = 0;
    const { device } = this.#gpu;
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(this.#queries, 0, count, this.#resolved, 0);
    device.queue.submit([encoder.finish()]);
    const ticks = new BigUint64Array(await this.#gpu.read(this.#resolved, 0, count * 8));
    const time = (i: number) => Number(ticks[i] - ticks[0]) * this.#tick;
    return Array.from({ length: count / 2 }, (_, i) => [time(2 * i), time(2 * i + 1)]);
  }

  /** A tick should be a nanosecond; where it is the hardware's own, it is measured. */
  async #calibrate(): Promise<void> {
    const { device } = this.#gpu;
    const mark = async () => {
      const encoder = device.createCommandEncoder();
      this.mark(encoder);
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      return performance.now();
    };
    await mark();
    const begin = await mark();
    await new Promise((resolve) => setTimeout(resolve, CALIBRATION));
    const passed = await mark() - begin;
    const [, [first], [last]] = await this.spans();
    const ratio = passed / (last - first);
    if (Math.abs(Math.log(ratio)) > Math.log(1.5)) this.#tick *= ratio;
  }

  /** Frees what it has on the GPU. */
  destroy(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
  }
}
